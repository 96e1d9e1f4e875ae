"""Runs the scripts of reactions: one after another on each track, waits scaled, reports sent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from mockcic.simulator.reactions import Begin, Cut, CutOff, Report, Script, Wait


@dataclass(slots=True)
class Track:
    """Scripts in their order. `idle` is True while the running one waits for nothing the device has to do."""

    waiting: deque[Script] = field(default_factory=deque)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    why: str | None = None
    running: bool = False
    idle: bool = False
    wait: asyncio.Timeout | None = None
    turned_s: float = 0.0


class Stage:
    """`pace` scales all waits: 1 real time, 0 none. `tasks` owns a task for each track that has something to do.

    `on_change` is called when a script has ended or come to rest. `perform` may put another script in the place of one
    that is begun on a track.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        send: Callable[[Report], Awaitable[None]],
        pace: float,
        on_change: Callable[[], None],
        perform: Callable[[str, Script], Script] = lambda _, script: script,
    ) -> None:
        self._tasks = tasks
        self._send = send
        self._pace = pace
        self._on_change = on_change
        self._as_performed = perform
        self._tracks: dict[str, Track] = {}
        self._changed = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether every script has run to its end, but for those that wait for the world."""
        return all(self.is_quiet(name) for name in self._tracks)

    def is_quiet(self, name: str) -> bool:
        """The same of one track."""
        track = self._tracks.get(name)
        return track is None or not track.running or track.idle

    async def quiet(self, name: str) -> None:
        """Wait until a track is quiet."""
        while not self.is_quiet(name):
            self._changed.clear()
            await self._changed.wait()

    def _tell(self) -> None:
        """A script has ended or come to rest."""
        self._changed.set()
        self._on_change()

    def begin(self, name: str, script: Script) -> None:
        """Run a script on a track, behind what is there."""
        track = self._tracks.setdefault(name, Track())
        track.waiting.append(self._as_performed(name, script))
        if not track.running:
            track.running = True
            self._tasks.create_task(self._run(name, track))

    def cut(self, name: str, why: str, *, forget: bool = True) -> None:
        """Cut the wait of what runs on a track; with `forget` nothing behind it is begun."""
        track = self._tracks.get(name)
        if track is not None:
            if forget:
                track.waiting.clear()
            track.why = why
            track.changed.set()

    def turn(self, seconds: float) -> None:
        """Let so much time have passed: what waits for less goes on, the rest waits so much less."""
        now = asyncio.get_running_loop().time()
        for track in self._tracks.values():
            if track.wait is not None and (ends := track.wait.when()) is not None and not track.wait.expired():
                track.turned_s += seconds
                track.wait.reschedule(max(now, ends - seconds * self._pace))

    async def _run(self, name: str, track: Track) -> None:
        while track.waiting:
            track.why = None
            await self._perform(track.waiting.popleft(), track)
        track.running = False
        del self._tracks[name]
        self._tell()

    async def _perform(self, script: Script, track: Track) -> None:
        signal: Cut | None = None
        while True:
            try:
                step = next(script) if signal is None else script.throw(signal)
            except (StopIteration, Cut):
                return
            signal = None
            match step:
                case Report():
                    await self._send(step)
                case Wait():
                    signal = await self._wait(step, track)
                case CutOff(name, why, forget):
                    self.cut(name, why, forget=forget)
                case Begin(name, other):
                    self.begin(name, other)

    async def _wait(self, wait: Wait, track: Track) -> Cut | None:
        """Let the time pass; gives what cut it short."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        track.idle = wait.idle and (wait.seconds is None or self._pace > 0)
        if track.idle:
            self._tell()
        try:
            async with asyncio.timeout(None if wait.seconds is None else wait.seconds * self._pace) as track.wait:
                while track.why is None:
                    track.changed.clear()
                    await track.changed.wait()
        except TimeoutError:
            if track.why is None:
                return None
        finally:
            track.idle, track.wait = False, None
            turned_s, track.turned_s = track.turned_s, 0.0
        why, track.why = track.why or "", None
        return Cut(why, (loop.time() - began) / self._pace + turned_s if self._pace else 0.0)
