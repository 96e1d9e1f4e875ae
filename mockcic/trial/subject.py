"""A device under test, wherever its server runs: what is sent to it, what comes of it, how it is brought back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, Self

from mockcic.bench.place import Place
from mockcic.bench.record import Record
from mockcic.certify.process import Process
from mockcic.control.shapes import Push, Target
from mockcic.errors import StartError
from mockcic.journal.entry import Entry
from mockcic.journal.filter import read_filter
from mockcic.server.clock import LoopClock
from mockcic.verdict.times import Times

GRACE_S: Final = 0.5
"""So soon after its line was lost the end of a process is seen (INF)."""

LOOK_EVERY_S: Final = 0.2
"""A process that ends before it connects tells nobody: it is looked at so often (INF)."""

ONE: Final = Times(1, None)


class Runner(Protocol):
    """What starts a device and sees it end."""

    def start(self) -> None:
        """Start it anew; one that runs is ended first. Raises `StartError`."""

    def ended(self, within_s: float) -> str:
        """How it ended, for people; empty while it runs, also after this time."""

    def stop(self) -> str:
        """End it; what it printed."""


class Started:
    """A device that a command starts, as `mockcic certify` does (docs/certify.md)."""

    def __init__(self, start: Callable[[], Process]) -> None:
        self._start = start
        self._process: Process | None = None
        self.output = ""

    def start(self) -> None:
        """See `Runner`."""
        self.stop()
        self._process = self._start()

    def ended(self, within_s: float) -> str:
        """See `Runner`."""
        code = None if self._process is None else self._process.wait(within_s)
        if code is None:
            return ""
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def stop(self) -> str:
        """See `Runner`."""
        if self._process is not None:
            self.output = self._process.close()
            self._process = None
        return self.output


class Subject:
    """One device on a server. `name` is its short name there; `runner` starts it, None for one that comes by itself.

    A context manager; at its end the runner's device is stopped.
    """

    def __init__(self, place: Place, name: str, runner: Runner | None = None) -> None:
        self.place = place
        self.name = name
        self.runner = runner
        self._record = Record(lambda entry: entry.device == name)
        self._end: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        self._end = self.place.listen(self._record.hear, self._record.lose)
        return self

    def __exit__(self, *_: object) -> None:
        if self.runner is not None:
            self.runner.stop()
        if self._end is not None:
            self._end()

    # ------------------------------------------------------------------ what is sent, what comes

    def mark(self) -> int:
        """The number of the youngest entry: what comes later is younger."""
        self.place.catch_up()
        last = self._record.last
        return 0 if last is None else last.number

    def push(self, step: Mapping[str, Any]) -> None:
        """Send a step of a scenario. Not waited for: to a device that died nothing is ever handed over."""
        self.place.push(Push(step=dict(step), to=Target(device=[self.name]), within=0.0))

    def wait(self, fits: Callable[[Entry], bool], within_s: float, *, after: int) -> Entry | None:
        """The first entry behind `after` that fits, None when none came in time."""
        return self._record.wait(read_filter(fits), ONE, max(0.0, within_s), after=after, device=None).last

    def since(self, after: int) -> list[Entry]:
        """What came behind this entry."""
        return self._record.scope(after, None)

    def forget(self) -> None:
        """Forget what came so far: there may be hundreds of trials."""
        self._record.clear()

    # ------------------------------------------------------------------ whether it is there

    def is_there(self) -> bool:
        """Whether its downchannel is open and, as far as can be seen, its process runs."""
        known = self.place.look(self.name)
        return known is not None and known.downchannel and not self.ended(0.0)

    def ended(self, within_s: float = GRACE_S) -> str:
        """How its process ended, empty when it runs or is not ours to see."""
        return "" if self.runner is None else self.runner.ended(within_s)

    def come_back(self, within_s: float) -> bool:
        """Whether it has a downchannel within this time; a process that ended is started anew."""
        after = self.mark()
        if self.runner is not None and not self.is_there():
            self.runner.start()
        elif self.is_there():
            return True
        return self._comes(within_s, after)

    def restart(self, within_s: float) -> bool:
        """Start the process anew, if it is ours to start; whether it then has a downchannel within this time."""
        if self.runner is None:
            return self.come_back(within_s)
        self.runner.stop()
        after = self.mark()
        self.runner.start()
        return self._comes(within_s, after)

    def _comes(self, within_s: float, after: int) -> bool:
        """Whether it opens a downchannel behind `after` in time; not longer than its process runs."""
        until = LoopClock().now() + within_s
        while not self.is_there():
            left_s = until - LoopClock().now()
            if left_s <= 0 or self.ended(0.0):
                return False
            opened = self.wait(is_opening, min(left_s, LOOK_EVERY_S), after=after)
            after = after if opened is None else opened.number
        return True


def is_opening(entry: Entry) -> bool:
    """Whether a downchannel was opened."""
    return (entry.kind, entry.name) == ("downchannel", "open")


def is_closing(entry: Entry) -> bool:
    """Whether one was lost or ended; one that another replaced was not lost."""
    return (entry.kind, entry.name) == ("downchannel", "closed") and entry.data.get("reason") != "replaced"


def only_device(place: Place, wanted: str = "") -> str:
    """The short name of the device that is meant, by name or token, or the only one connected. Raises `StartError`."""
    if wanted:
        known = place.look(wanted)
        if known is None:
            raise StartError(f"found no device {wanted!r}; `mockcic devices` lists those there are")
        return known.device
    there = [each.device for each in place.devices() if each.downchannel]
    if len(there) != 1:
        found = ", ".join(there) or "none"
        raise StartError(f"found {found} connected, expected one device; name it with --to, or let it connect first")
    return there[0]


def first_device(place: Place, within_s: float) -> str:
    """The short name of the first device that opens a downchannel. Raises `StartError` when none comes."""
    record = Record(lambda _: True)
    end = place.listen(record.hear, record.lose)
    try:
        if any(each.downchannel for each in place.devices()):
            return only_device(place)
        came = record.wait(read_filter(is_opening), ONE, within_s, after=0, device=None).last
    finally:
        end()
    if came is None:
        where = f"{place.url} (CA {place.ca_file})"
        raise StartError(f"no device came within {within_s:g} s; it should connect to {where}")
    return came.device
