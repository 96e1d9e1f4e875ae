"""The clock of a running server: looked at, turned, let run faster."""

from __future__ import annotations

from mockcic.control.ask import AskError, read_seconds, seconds_until
from mockcic.control.shapes import ClockShape, ClockTurned
from mockcic.server.app import Cic
from mockcic.server.turning import iso


class ClockDesk:
    """For the server's own loop. Raises `AskError`."""

    def __init__(self, cic: Cic) -> None:
        self._clock = cic.clock
        self._turning = cic.turning

    def look(self) -> ClockShape:
        """What it shows, and how it goes."""
        clock = self._clock
        return ClockShape(
            time=iso(clock.wall()),
            factor=clock.factor,
            ahead_s=round(clock.ahead_s, 3),
            turned_s=round(clock.turned_s, 3),
            next_s=clock.next_in_s,
        )

    async def advance(self, *, by: str | float | None = None, to: str | None = None) -> ClockTurned:
        """Turn it forward, by a duration or to a time; returns when all that came due was handed to the connections."""
        if (by is None) is (to is None):
            raise AskError(422, "expected either `by`, a duration, or `to`, a time", member="by")
        seconds = read_seconds(by) if by is not None else seconds_until(to or "", self._clock.wall())
        turned = await self._turning.advance(seconds)
        return ClockTurned(**self.look().model_dump(), due=turned.due, expired=turned.expired)

    def set_factor(self, factor: float) -> ClockShape:
        """Let it run so many times as fast as real time."""
        self._turning.set_factor(factor)
        return self.look()

    def put_right(self) -> ClockShape:
        """Let it show real time again."""
        self._turning.put_right()
        return self.look()
