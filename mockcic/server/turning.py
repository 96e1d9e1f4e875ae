"""The clock of a whole server as people turn it: what comes due reaches the devices before what comes next."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from mockcic.journal.entry import Entry
from mockcic.journal.store import Journal
from mockcic.server.clock import LoopClock, TurnableClock
from mockcic.server.device import Device

TURNS: Final = 3
"""Turns of the event loop after each moment: from the application to the socket, with TLS between (INF)."""

PATIENCE_S: Final = 5.0
"""How long one turn of the clock waits, in all, for devices that do not read (INF)."""


@dataclass(frozen=True, slots=True)
class Turned:
    """What came of turning the clock: how many calls were due on the way, how many tokens expired."""

    due: int
    expired: int


class Turning:
    """Turns the clock, and writes it down: entries carry the clock's time as `clock` while it is not the real one.

    The journal's own times stay real, for so devices live.
    """

    def __init__(self, clock: TurnableClock, journal: Journal, devices: Iterable[Device]) -> None:
        self.clock = clock
        self._journal = journal
        self._devices = devices
        self._real = LoopClock()
        self._ended = False

    async def advance(self, seconds: float) -> Turned:
        """Turn it forward. Returns when all that came due on the way was handed to the connections."""
        if not seconds:
            return Turned(0, 0)
        self._stamp()
        to = iso(self.clock.wall() + seconds)
        self._journal.add("clock", name="turned", by_s=seconds, to=to)
        expired = 0

        def count(entry: Entry) -> None:
            nonlocal expired
            expired += entry.kind == "token" and entry.name == "expired"

        until = self._real.now() + PATIENCE_S
        end = self._journal.listen(count)
        try:
            due = await self.clock.turn(seconds, lambda: self._settle(until), go_on=lambda: not self._ended)
        finally:
            end()
        return Turned(due, expired)

    def set_factor(self, factor: float) -> None:
        """Let it run so many times as fast as real time. Raises `ValueError`."""
        if factor != self.clock.factor:
            self.clock.set_factor(factor)
            self._stamp()
            self._journal.add("clock", name="factor", factor=factor)

    def put_right(self) -> None:
        """Let it show the real time again, for every device."""
        if self.clock.is_right:
            return
        self.clock.put_right()
        for device in self._devices:
            device.read_clock()
        self._journal.stamp = None
        self._journal.add("clock", name="right")

    def end(self) -> None:
        """The server stops: a turn that runs goes no further."""
        self._ended = True

    def _stamp(self) -> None:
        self._journal.stamp = self._members

    def _members(self) -> dict[str, Any]:
        return {"clock": iso(self.clock.wall())}

    async def _settle(self, until: float) -> None:
        """Wait until what is to be written was handed to the connections; not for a device that does not read."""
        turns = 0
        while turns < TURNS or (
            self._real.now() < until and not self._ended and not all(device.has_written for device in self._devices)
        ):
            await asyncio.sleep(0)
            turns += 1


def iso(wall_s: float) -> str:
    """A wall time as entries have it."""
    return datetime.fromtimestamp(wall_s, tz=UTC).isoformat(timespec="milliseconds")
