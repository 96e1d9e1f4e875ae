"""Plays a chaos file: sets its faults when their time has come by the server's clock, takes them away in the end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mockcic.errors import FaultError
from mockcic.journal.store import Journal
from mockcic.scenario.chaos import Chaos, Planned, plan
from mockcic.server.clock import Alarm, TurnableClock
from mockcic.server.faults.armoury import Armoury
from mockcic.server.registry import Registry
from mockcic.server.turning import Turning


@dataclass(frozen=True, slots=True)
class Play:
    """A chaos that plays, or has: its plan, what was played of it, and when it began by the server's clock."""

    chaos: Chaos
    plan: tuple[Planned, ...]
    began_s: float
    began_wall_s: float
    played: int = 0
    playing: bool = True


class ChaosPlayer:
    """One at a time. `name_of` says which short names a word of an entry's `devices` means."""

    def __init__(
        self, armoury: Armoury, devices: Registry, turning: Turning, journal: Journal, clock: TurnableClock
    ) -> None:
        self._armoury = armoury
        self._devices = devices
        self._turning = turning
        self._journal = journal
        self._clock = clock
        self._play: Play | None = None
        self._alarm: Alarm | None = None
        self._set_ones: list[tuple[int, float]] = []
        """The numbers of the faults that are set, and when each is gone by itself (inf: nobody knows)."""
        self._factor_before: float | None = None

    @property
    def play(self) -> Play | None:
        """What plays, or played last."""
        return self._play

    async def begin(self, chaos: Chaos) -> None:
        """Play a file from its beginning; one that plays is stopped. Where it names when it `begins`, the server's
        clock is turned forward to that time first. Raises `FaultError` for what this server cannot do.
        """
        for entry in chaos.entries:
            for fault, device in ((fault, device) for fault in entry.fault for device in entry.devices):
                if why := self._armoury.objection(fault, device=device):
                    raise FaultError(f"{entry.label}: {why}")
        self.stop("another is played")
        await self._turning.advance(chaos.begins_in_s(self._clock.wall()))
        self.stop("another is played")  # one that came while it was turned
        if chaos.time_factor is not None:
            self._factor_before = self._clock.factor
            self._turning.set_factor(chaos.time_factor)
        wall_s = self._clock.wall()
        begins_s = chaos.time_of_day(wall_s) if chaos.begins is None else chaos.begins
        play = self._play = Play(chaos, plan(chaos, begins_s), self._clock.now(), wall_s)
        self._write("begun", f"{len(play.plan)} to come in {chaos.lasts:g} s, seed {chaos.seed}")
        self._wait_for_the_next()

    def stop(self, why: str = "it was stopped") -> bool:
        """End what plays; its faults are gone, and the clock goes as before. False when nothing plays."""
        play = self._play
        if play is None or not play.playing:
            return False
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        for number, _ in self._set_ones:
            self._armoury.remove(number, iter(self._devices))
        self._set_ones.clear()
        self._write("over", why)
        self._play = Play(play.chaos, play.plan, play.began_s, play.began_wall_s, play.played, playing=False)
        if self._factor_before is not None:
            self._turning.set_factor(self._factor_before)
            self._factor_before = None
        return True

    # ------------------------------------------------------------------ in its time

    def _wait_for_the_next(self) -> None:
        play = self._play
        assert play is not None
        there_is_more = play.played < len(play.plan)
        in_s = play.plan[play.played].at_s if there_is_more else play.chaos.lasts
        due: Callable[[], None] = self._next if there_is_more else self._end
        self._alarm = self._clock.call_at(play.began_s + in_s, due)

    def _next(self) -> None:
        play = self._play
        assert play is not None
        self._play = Play(play.chaos, play.plan, play.began_s, play.began_wall_s, play.played + 1)
        self._wait_for_the_next()
        self._set(play.chaos, play.plan[play.played])

    def _end(self) -> None:
        self.stop("its time is over")

    def _set(self, chaos: Chaos, planned: Planned) -> None:
        acts = ", ".join(f"{fault.kind}: {fault.act.about()}" for fault in planned.faults)
        span = f" for {planned.for_s:g} s" if planned.for_s is not None else ""
        self._write("set", f"{acts}{span}", entry=planned.name, devices=list(planned.devices))
        now = self._clock.now()
        self._set_ones = [each for each in self._set_ones if each[1] > now]
        for name in dict.fromkeys(map(self._name, planned.devices)):
            for fault in planned.faults:
                try:
                    number = self._armoury.arm(fault, iter(self._devices), device=name, by=f"chaos {chaos.chaos}")
                except FaultError as error:  # it could be done when the play began
                    self._write("failed", str(error), entry=planned.name, devices=[name])
                else:
                    self._set_ones.append((number, math.inf if fault.for_ is None else now + fault.for_))

    def _name(self, word: str) -> str:
        """The short name, or the pattern of them, that a word of a file means; of a device to come, too."""
        if set(word) & set("*?["):
            return word
        registry = self._devices
        for each in (word, f"…{word}", *registry.keys_of_id(word)):
            if (key := registry.token_of(each)) is not None:
                return registry.name_of(key)
        return word if word.startswith("…") else registry.name_of(word)

    def _write(self, name: str, detail: str, **more: Any) -> None:
        assert self._play is not None
        chaos = self._play.chaos.chaos
        self._journal.add("chaos", name=name, chaos=chaos, detail=detail, **more)


__all__ = ["ChaosPlayer", "Play"]
