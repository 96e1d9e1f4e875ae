"""The only place where mockcic looks at a clock."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import time
from collections.abc import Callable
from typing import Protocol


class Alarm(Protocol):
    """Something that will happen, and can be called off."""

    def cancel(self) -> None:
        """Call it off; harmless when it is over."""


class Clock(Protocol):
    """Tells the time, and calls when it has come. Seconds throughout."""

    def now(self) -> float:
        """Monotonic."""

    def wall(self) -> float:
        """Since 1970."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Alarm:
        """Call `callback` at `when` (monotonic)."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class LoopClock:
    """The clock of the running event loop."""

    def __init__(self) -> None:
        self.now: Callable[[], float] = time.monotonic  # noqa: TID251 - here is where it is meant to be
        self.wall: Callable[[], float] = time.time

    def call_at(self, when: float, callback: Callable[[], None]) -> Alarm:
        """Call `callback` at `when`."""
        return asyncio.get_running_loop().call_later(max(0.0, when - self.now()), callback)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class TurnableClock:
    """Another clock that can be turned forward: a token that lives for days expires in a test of a second.

    Between turns it goes as the other one does. What it is to call is called when its time has come by itself, or, in
    order, while it is turned: `now` is then the moment for which each was meant.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turned_s = 0.0
        self._calls: list[tuple[float, int, Callable[[], None], _Call]] = []
        self._numbers = itertools.count()
        self._alarm: tuple[float, Alarm] | None = None

    @property
    def turned_s(self) -> float:
        """By how much it was turned in all."""
        return self._turned_s

    def now(self) -> float:
        """Monotonic; the other clock's time and what it was turned by."""
        return self._clock.now() + self._turned_s

    def wall(self) -> float:
        """Since 1970, turned too."""
        return self._clock.wall() + self._turned_s

    def call_at(self, when: float, callback: Callable[[], None]) -> Alarm:
        """Call `callback` at `when` of this clock."""
        call = _Call()
        heapq.heappush(self._calls, (when, next(self._numbers), callback, call))
        self._set_alarm()
        return call

    async def sleep(self, seconds: float) -> None:
        """Wait; turning the clock forward ends it early."""
        over = asyncio.Event()
        alarm = self.call_at(self.now() + seconds, over.set)
        try:
            await over.wait()
        finally:
            alarm.cancel()

    def turn(self, seconds: float) -> None:
        """Turn it forward, calling on the way what comes due. Raises `ValueError` for a turn back."""
        if seconds < 0:
            raise ValueError("a clock is turned forward only")
        target = self._turned_s + seconds
        while (when := self._next()) is not None and when <= self._clock.now() + target:
            self._turned_s = max(self._turned_s, min(when - self._clock.now(), target))
            while self.now() < when:  # what rounding has left
                self._turned_s = math.nextafter(self._turned_s, math.inf)
            self._call_first()
        self._turned_s = target
        self._set_alarm()

    def _next(self) -> float | None:
        while self._calls and self._calls[0][3].is_off:
            heapq.heappop(self._calls)
        return self._calls[0][0] if self._calls else None

    def _call_first(self) -> None:
        _, _, callback, call = heapq.heappop(self._calls)
        call.cancel()
        callback()

    def _set_alarm(self) -> None:
        """One alarm of the other clock, for the first call."""
        when = self._next()
        if when is None or self._alarm is None or self._alarm[0] > when - self._turned_s:
            if self._alarm is not None:
                self._alarm[1].cancel()
            self._alarm = None
            if when is not None:
                at = when - self._turned_s
                self._alarm = (at, self._clock.call_at(at, self._ring))

    def _ring(self) -> None:
        self._alarm = None
        while (when := self._next()) is not None and when <= self.now():
            self._call_first()
        self._set_alarm()


class _Call:
    """What was asked for of a `TurnableClock`."""

    __slots__ = ("is_off",)

    def __init__(self) -> None:
        self.is_off = False

    def cancel(self) -> None:
        """Call it off."""
        self.is_off = True
