"""Every fault at random, at all devices at once: what the server holds and says after it, and who was hurt.

`python -m benchmarks soak --minutes 10 --devices 50 --seed 1`. One device in five is healthy: no fault is set for it,
and none may be felt by it. The others live, speak, lose their line and come again while faults are drawn for them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from benchmarks.harness import Row, quantile
from benchmarks.watched import Look
from mockcic.errors import StartError, WireError
from mockcic.scenario.faults.connection import BAD_FRAMES
from mockcic.scenario.faults.fault import ACTS, Fault, act_type
from mockcic.scenario.faults.form import CONTENT_IDS, JSONS, MULTIPARTS
from mockcic.scenario.faults.meaning import MESSAGES
from mockcic.simulator.client import ConnectionLostError, StreamResetError
from mockcic.simulator.device import Device
from mockcic.simulator.lifeline import UNAUTHORIZED, RefusedError
from mockcic.simulator.moments import Lost, Moment
from mockcic.sound.make import tone

MEMORY_MB: Final = 24
"""PSS above the base that is taken for the allocator's, whatever the number of faults (INF)."""

RUN_IN_S: Final = 60.0
"""What is made when it is needed first, and what the allocator keeps, belongs to the base of memory and objects: both
are compared with what there was after so much of the same."""

SETTLE_S: Final = 75.0
"""What has to end by itself after the last device has ended by then: the listener of the control API, stock Hypercorn,
keeps a connection for a minute that its client has closed."""

FAULTS_A_SECOND: Final = 20.0
"""Of all devices together."""

KINDS: Final = 5
"""How many of what is left are named in the table."""

EXPECTED: Final = ("SpeechSynthesizer.Speak", "Clova.RenderText")
TROUBLE: Final = (TimeoutError, StartError, RefusedError, ConnectionLostError, StreamResetError, WireError)
"""What a device that is given faults may get."""

VALUES: Final[Mapping[str, Sequence[Any]]] = {
    "reset": ["CANCEL", "REFUSED_STREAM", "INTERNAL_ERROR", 4660],
    "end": ["early"],
    "trailers": [{"x-soak": "trailer"}],
    "window": [{"shut": "400ms"}],
    "frames": [{"every": 1}, {"every": 9, "padding": 200}, {"at": [1, 2, 61, 62, 63]}, {"every": 100, "gap": "2ms"}],
    "goaway": [
        "NO_ERROR",
        {"code": "ENHANCE_YOUR_CALM", "last_stream": "before", "debug": "soak", "close": "fin"},
        {"code": "INTERNAL_ERROR", "last_stream": 0, "close": "rst"},
    ],
    "settings": [
        {"max_concurrent_streams": 1},
        {"initial_window_size": 0},
        {"initial_window_size": 100_000, "max_frame_size": 20_000},
        {"header_table_size": 0},
    ],
    "settings_ack": ["never"],
    "pong": ["never", "wrong", {"late": "200ms"}],
    "ping": [{"within": "300ms"}],
    "bad_frame": list(BAD_FRAMES),
    "accept": [
        "refuse",
        "rst",
        "fin",
        {"how": "silent", "lasts": "500ms"},
        {"how": "deaf", "lasts": "500ms"},
        {"stall": "300ms"},
    ],
    "certificate": ["expired", "not-yet-valid", "wrong-name", "unknown-issuer", "no-chain", "self-signed"],
    "tls": [
        {"only": "1.2"},
        {"only": "1.3"},
        {"alpn": "none"},
        {"alpn": "http/1.1"},
        {"stall": "300ms"},
        {"stall": "300ms", "sent": 100},
        {"stall": "forever"},
        {"rate": 2000},
    ],
    "listener": ["200ms"],
    "cut": [
        "rst",
        "fin",
        "no-notify",
        "silent",
        {"how": "silent", "lasts": "500ms"},
        {"how": "deaf", "lasts": "500ms"},
    ],
    "hang_up": ["rst", "fin", "no-notify", "goaway"],
    "pace": [
        {"first_byte": "300ms"},
        {"rate": "20KB/s"},
        {"dribble": 100, "jitter": "2ms"},
        {"pause": {"for": "300ms"}},
    ],
    "status": [401, 403, {"code": 429, "retry_after": 1}, 500, 503],
    "portal": [200, 302, 502],
    "empty": [True],
    "content_type": ["text/html", ""],
    "content_length": [0, 5, 10**9],
    "multipart": list(MULTIPARTS),
    "content_id": list(CONTENT_IDS),
    "json": list(JSONS),
    "dialogue": ["stale", "foreign", "missing", "number"],
    "message": list(MESSAGES),
    "mutate": list(range(100)),
    "drop": [True],
    "repeat": [2, 20],
    "late": ["200ms"],
    "order": ["reversed"],
    "attachment": ["first", "missing", "nowhere"],
    "answer_twice": [True],
    "token": ["expire", "revoke"],
}
"""What is drawn for each act."""

MOMENTS: Final[Sequence[Any]] = (
    None,
    None,
    "50ms",
    {"request": True},
    {"headers": True},
    {"sent": 1},
    {"sent": 200},
    {"sent": 2000},
    {"audio": "200ms"},
    {"bytes": 3200},
    {"upload": "began"},
    {"upload": "ended"},
    {"upload": "began", "time": "20ms"},
)


def undrawn() -> list[str]:
    """Acts for which nothing can be drawn; there should be none."""
    return sorted(set(ACTS) - set(VALUES))


def draw(chance: random.Random) -> dict[str, Any]:
    """A fault as one would write it, gone after a few seconds in any case."""
    while True:
        act = chance.choice([act for act in ACTS if act in VALUES])
        fault = {
            act: chance.choice(VALUES[act]),
            "on": chance.choice(act_type(act).AIMS),
            "after": chance.choice(MOMENTS),
            "for": f"{chance.randint(200, 4000)}ms",
            **chance.choice([{"times": chance.randint(1, 3)}, {"every": "300ms"}, {"chance": 0.5, "seed": 1}, {}]),
        }
        if fault["on"] == "accept":  # everybody's: of many at once nobody would ever come in
            fault |= {"times": 1, "for": "1s", "every": None, "chance": None, "seed": None}
        fault = {key: value for key, value in fault.items() if value is not None}
        with suppress(ValidationError):  # not every moment is one of every act
            Fault.model_validate(fault)
            return fault


class Watched:
    """The server's process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.watched"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.where: dict[str, str] = json.loads(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server has ended with {self._process.wait()}")
        return line

    def ask(self, what: str) -> Any:
        """Give a command and read its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        return json.loads(self._line())

    def look(self) -> Look:
        """What it holds."""
        return Look(**self.ask("look"))

    def end(self) -> None:
        """Leave nothing of it behind."""
        with suppress(BrokenPipeError):
            self._process.communicate("quit\n", timeout=20)
        self._process.kill()


@dataclass(slots=True)
class Tally:
    """What was seen from outside."""

    answers: int = 0
    took_s: list[float] = field(default_factory=list)
    harm: list[str] = field(default_factory=list)
    lives: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    crashes: dict[str, str] = field(default_factory=dict)
    """Of simulated devices: where, and the traceback."""
    drawn: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)


class Soak:
    """Devices of one server, and the faults for them."""

    def __init__(self, server: Watched, *, devices: int, seed: int) -> None:
        self.tally = Tally()
        self._server = server
        self._where = server.where
        self._devices = devices
        self._seed = seed
        self._http = self._client()
        self._is_over = False

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self._where["control"], http1=False, http2=True, timeout=30)

    async def warm_up(self) -> None:
        """What is loaded by the first who comes belongs to the base."""
        async with self._device("warm-up-0000") as device:
            await device.say_text("안녕")
            await device.say(tone(440, 0.3))
        fault = {"device": "warm-up-0000", "fault": {"reset": "CANCEL", "for": "1ms"}}
        (await self._http.post("/v1/faults", json=fault)).raise_for_status()
        await self.forget()

    async def forget(self) -> None:
        """Whatever is remembered on purpose: devices, faults, the journal. Leaves no connection."""
        await self._http.delete("/v1/faults")
        for each in (await self._http.get("/v1/devices")).json()["devices"]:
            await self._http.delete(f"/v1/devices/{quote(each['device'], safe='')}")
        await self._http.delete("/v1/journal")
        await self._http.aclose()
        self._http = self._client()

    async def run(self, seconds: float) -> None:
        """Let them all live for so long."""
        self._is_over = False
        healthy = {number for number in range(self._devices) if number % 5 == 0}
        began = [asyncio.Event() for _ in healthy]
        tasks: list[asyncio.Task[None]] = []
        async with asyncio.TaskGroup() as group:
            tasks += [group.create_task(self._stay_well(n, e)) for n, e in zip(healthy, began, strict=True)]
            async with asyncio.timeout(60):
                for each in began:
                    await each.wait()  # what hits connections that are new hits none of theirs
            tasks += [group.create_task(self._suffer(n)) for n in range(self._devices) if n not in healthy]
            await asyncio.sleep(seconds)
            self._is_over = True
            for task in tasks:
                task.cancel()

    def _device(self, token: str, **habits: Any) -> Device:
        return Device(self._where["url"], ca_file=self._where["ca_file"], token=token, pace=0.1, **habits)

    # ------------------------------------------------------------------ healthy ones

    async def _stay_well(self, number: int, began: asyncio.Event) -> None:
        chance = random.Random(f"{self._seed} healthy {number}")
        token = f"healthy-{number:04d}"

        def look_on(moment: Moment) -> None:
            if isinstance(moment, Lost):
                self._harm(f"{token} lost its {moment.what}: {moment.reason}")

        sounds: set[int] = set()
        try:
            async with self._device(token, on_moment=look_on, ping_every_s=2.0) as device:
                began.set()
                while True:
                    asked = time.perf_counter()
                    answer = await (device.say(tone(440, 0.4)) if chance.random() < 0.3 else device.say_text("안녕"))
                    self.tally.took_s.append(time.perf_counter() - asked)
                    self.tally.answers += 1
                    names = tuple(each.directive.full_name for each in answer.directives)
                    sounds.update(len(sound) for each in answer.directives for sound in each.attachments.values())
                    if answer.status != 200 or names != EXPECTED or len(sounds) != 1:
                        self._harm(f"{token} was answered with {answer.status} {names}, sounds {sounds}")
                    await asyncio.sleep(chance.uniform(0.1, 1.0))
        except (*TROUBLE, ExceptionGroup) as error:
            began.set()
            self._harm(f"{token} gave up: {error!r}")

    def _harm(self, what: str) -> None:
        if not self._is_over and len(self.tally.harm) < 20:
            before = "\n    ".join(self._server.ask("strikes")["last"])
            self.tally.harm.append(f"{what}; the last faults before it:\n    {before}")

    # ------------------------------------------------------------------ the others

    async def _suffer(self, number: int) -> None:
        chance = random.Random(f"{self._seed} life {number}")
        drawn = random.Random(f"{self._seed} faults {number}")
        lives = 0
        while True:
            token = f"{lives:06d}-soak-{number:04d}"  # one that was ended is never good again
            lives += 1
            self.tally.lives += 1
            with suppress(RefusedError):
                async with asyncio.TaskGroup() as group:
                    faults = group.create_task(self._trouble(token, drawn))
                    try:
                        await self._live(token, chance)
                    finally:
                        faults.cancel()

    async def _trouble(self, token: str, drawn: random.Random) -> None:
        while True:
            await asyncio.sleep(drawn.expovariate(FAULTS_A_SECOND / self._devices))
            fault = draw(drawn)
            whose = "*" if fault["on"] == "accept" else token  # a healthy device never connects again
            post = self._http.post("/v1/faults", json={"device": whose, "fault": fault})
            asked = asyncio.get_running_loop().create_task(post)
            answer = await asyncio.shield(asked)  # a device that goes leaves no connection that is cut
            self.tally.drawn[next(key for key in fault if key in ACTS)] += 1
            if answer.status_code != 201 and len(self.tally.refused) < 20:
                self.tally.refused.append(f"{fault}: {answer.status_code} {answer.text}")

    async def _live(self, token: str, chance: random.Random) -> None:
        """Come, speak, and go; until the token is refused, or some lives are over."""
        for _ in range(20):
            try:
                async with self._device(
                    token, hello_within_s=3.0, answer_within_s=3.0, ping_every_s=1.0, ping_within_s=1.0,
                    reopen_after_s=0.1,
                ) as device:  # fmt: skip
                    for _ in range(chance.randint(3, 30)):
                        if await self._act(device, chance) == UNAUTHORIZED:
                            return
                        await asyncio.sleep(chance.uniform(0.0, 0.6))
            except TROUBLE as error:
                self._count(error)
                if isinstance(error, RefusedError) and error.status == UNAUTHORIZED:
                    return
            except Exception as error:  # noqa: BLE001 - a simulated device that crashes is told of at the end
                self._count(error)
            await asyncio.sleep(chance.uniform(0.05, 0.5))

    async def _act(self, device: Device, chance: random.Random) -> int:
        """One thing a device does; the status of its answer, 0 without one."""
        try:
            match chance.randrange(6):
                case 0 | 1:
                    return (await device.say_text("안녕")).status
                case 2 | 3:
                    return (await device.say(tone(440, chance.uniform(0.2, 2.0)))).status
                case 4:
                    return (await device.send("Clova.Anything", {"n": 1})).status
                case _:
                    await device.ping(chance.choice(["frame", "get"]))
        except TROUBLE as error:
            self._count(error)
            return error.status if isinstance(error, RefusedError) else 0
        return 0

    def _count(self, error: BaseException) -> None:
        for each in _leaves(error):
            self.tally.troubles[type(each).__name__] += 1
            if not isinstance(each, TROUBLE):
                at = traceback.extract_tb(each.__traceback__)[-1]
                where = f"{type(each).__name__} in {at.name}, {at.filename}:{at.lineno}"
                self.tally.crashes.setdefault(where, "".join(traceback.format_exception(each)))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def _more(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What there is more of."""
    return {key: count - before.get(key, 0) for key, count in after.items() if count > before.get(key, 0)}


async def _settled(server: Watched, base: Look, *, objects: bool = True) -> Look:
    """What the server holds as soon as it holds no more than in the beginning, or in the end."""
    until = time.perf_counter() + SETTLE_S
    while True:
        now = server.look()
        left = _more(base.tasks, now.tasks) or _more(base.files, now.files)
        if objects:
            left = left or _more(base.objects, now.objects)
        if not left or time.perf_counter() > until:
            return now
        await asyncio.sleep(0.5)


async def soak(*, seconds: float, devices: int, seed: int) -> tuple[list[Row], list[str]]:
    """The table, and what there is to say of everything that went wrong."""
    server = Watched()
    try:
        run = Soak(server, devices=devices, seed=seed)
        await run.warm_up()
        base = await _settled(server, server.look())
        await run.run(min(RUN_IN_S, seconds / 5))
        await run.forget()
        base = replace(await _settled(server, base, objects=False), tasks=base.tasks, files=base.files)
        await run.run(seconds)
        await run.forget()
        after = await _settled(server, base)
        strikes, troubles = server.ask("strikes"), server.ask("troubles")
    finally:
        server.end()
    return _rows(run.tally, base, after, strikes["count"], troubles, f"{devices} devices, {seconds:g} s, seed {seed}")


def _rows(
    tally: Tally, base: Look, after: Look, struck: Mapping[str, int], troubles: Sequence[Mapping[str, Any]], what: str
) -> tuple[list[Row], list[str]]:
    grown_mb = (after.memory_kb - base.memory_kb) / 1024
    slow = f"p99 {quantile(tally.took_s, 0.99):.2f} s, slowest {max(tally.took_s):.2f} s" if tally.took_s else "none"
    missing = sorted(set(ACTS) - set(struck))
    rows = [
        Row(f"soak: {what}", f"{sum(struck.values())} strikes of {sum(tally.drawn.values())} faults", ""),
        Row(
            "acts that struck",
            f"{len(struck)} of {len(ACTS)}",
            f"not: {', '.join(missing[:KINDS])}{', ...' * (len(missing) > KINDS)}" if missing else "",
        ),
        _row("exceptions and warnings in the server's log", len(troubles)),
        _row("faults that were refused", len(tally.refused)),
        _left("tasks left", base.tasks, after.tasks),
        _left("files and sockets left", base.files, after.files),
        _left("objects of the server left", base.objects, after.objects),
        Row(
            "memory above its base",
            f"{grown_mb:+.1f} MB of {base.memory_kb / 1024:.0f}",
            f"<= {MEMORY_MB} MB",
            grown_mb <= MEMORY_MB,
        ),
        Row(
            "  of that in use",
            f"{(after.malloc_kb - base.malloc_kb) / 1024:+.1f} MB of malloc's, "
            f"{after.blocks - base.blocks:+d} of {base.blocks} blocks of Python's",
            "",
        ),
        _row("harm to healthy devices", len(tally.harm)),
        Row("answers to healthy devices", f"{tally.answers}, {slow}", ""),
        Row("lives of the others, and what they met", f"{tally.lives}, {_said(tally.troubles)}", ""),
        Row("places where simulated devices crashed", f"{len(tally.crashes)}", ""),
    ]
    said = [f"harm: {each}" for each in tally.harm]
    said += [f"refused: {each}" for each in tally.refused]
    said += [f"a simulated device crashed: {each}" for each in tally.crashes.values()]
    for each in troubles[:20]:
        before = "\n    ".join(each["before"])
        said.append(f"log: {each['said']}\n  the last faults before it:\n    {before}")
    return rows, said


def _row(what: str, count: int) -> Row:
    return Row(what, f"{count}", "0", count == 0)


def _left(what: str, before: Mapping[str, int], after: Mapping[str, int]) -> Row:
    left = _more(before, after)
    return Row(what, _said(left) or "none", "none", not left)


def _said(counts: Mapping[str, int]) -> str:
    return ", ".join(
        f"{count} {name.rpartition('.')[2]}" for name, count in sorted(counts.items(), key=lambda n: -n[1])
    )


def run(arguments: Sequence[str] = ()) -> list[Row]:
    """As the command line has it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks soak")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--devices", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    if undrawn():
        print(f"nothing is drawn for {', '.join(undrawn())}: see VALUES")
    rows, said = asyncio.run(soak(seconds=60 * given.minutes, devices=given.devices, seed=given.seed))
    for each in said:
        print(each)
    return rows
