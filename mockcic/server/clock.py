"""The only place where mockcic looks at a clock."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

FASTEST: Final = 10_000.0
"""The largest factor at which a clock can run (INF): a year in under an hour."""

SWEPT_FROM: Final = 64
"""Calls that were called off are swept out from so many on, once they are the half of all (INF)."""


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


async def one_turn() -> None:
    """Give the event loop one turn."""
    await asyncio.sleep(0)


class TurnableClock:
    """A clock that can be turned forward, and run faster or slower than the `real` one: days pass in a second.

    Until somebody does so it shows the real one's time, to the bit. What it is to call is called when its time has come
    by itself, or, in order, while it is turned: `now` is then the moment for which each was meant. It never goes back;
    `put_right` only lets its wall time be the real one again.
    """

    def __init__(self, real: Clock) -> None:
        self.real = real
        self._factor = 1.0
        self._then = 0.0
        """What it showed when the real one showed `_since`."""
        self._since = 0.0
        self._held: float | None = None
        """The moment for which things are called while it is turned."""
        self._turned_s = 0.0
        self._put_back_s = 0.0
        self._is_right = True
        self._calls: list[tuple[float, int, _Call]] = []
        self._numbers = itertools.count()
        self._off = 0
        self._alarm: tuple[float, Alarm] | None = None
        self._turning = asyncio.Lock()

    # ------------------------------------------------------------------ the time

    def now(self) -> float:
        """Monotonic."""
        if self._held is not None:
            return self._held
        return self._then + (self.real.now() - self._since) * self._factor

    def wall(self) -> float:
        """Since 1970: the real wall time, and what this clock is ahead."""
        return self.real.wall() + self.ahead_s

    @property
    def ahead_s(self) -> float:
        """By how much its wall time is ahead of the real one."""
        return 0.0 if self._is_right else self.now() - self.real.now() - self._put_back_s

    @property
    def is_right(self) -> bool:
        """Whether its wall time is the real one, and goes as that does."""
        return self._is_right

    @property
    def factor(self) -> float:
        """Seconds that pass by it in one real second."""
        return self._factor

    @property
    def turned_s(self) -> float:
        """By how much it was turned in all."""
        return self._turned_s

    @property
    def next_in_s(self) -> float | None:
        """How long, by this clock, until it calls something; None when there is nothing to call."""
        when = self._next()
        return None if when is None else max(0.0, when - self.now())

    # ------------------------------------------------------------------ calls

    def call_at(self, when: float, callback: Callable[[], None]) -> Alarm:
        """Call `callback` at `when` of this clock."""
        call = _Call(callback, self._called_off)
        heapq.heappush(self._calls, (when, next(self._numbers), call))
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

    # ------------------------------------------------------------------ what people do to it

    async def turn(
        self,
        seconds: float,
        settle: Callable[[], Awaitable[None]] = one_turn,
        *,
        go_on: Callable[[], bool] = lambda: True,
    ) -> int:
        """Turn it forward, calling on the way what comes due; how many calls that were.

        After the calls of a moment `settle` lets what they began come to rest, before the next moment comes; the clock
        stands still meanwhile. Where `go_on` says no it stays at the moment where it is. Two turns at once come one
        after the other. Raises `ValueError` for a turn back.
        """
        if seconds < 0:
            raise ValueError("a clock is turned forward only")
        if not seconds:
            return 0
        async with self._turning:
            begun = self._held = self.now()
            self._is_right = False
            target, called = begun + seconds, 0
            try:
                while (when := self._next()) is not None and when <= target and go_on():
                    self._held = max(self._held, when)
                    called += self._call_until(self._held)
                    await settle()
                if go_on():
                    self._held = target
            finally:
                self._turned_s += self._held - begun
                self._go_on_from(self._held, self._factor)
            return called

    def set_factor(self, factor: float) -> None:
        """Let it run so many times as fast as the real one; 0 lets it stand. Raises `ValueError`."""
        if not 0 <= factor <= FASTEST:
            raise ValueError(f"a factor is from 0 to {FASTEST:g}")
        if factor == self._factor:
            return
        if self._held is None:
            self._go_on_from(self.now(), factor)
        else:
            self._factor = factor  # it goes on with it when it has been turned

    def put_right(self) -> None:
        """Show the real wall time again and run as it does. What is due comes no later for it: `now` stays ahead."""
        self.set_factor(1.0)
        now = self.now()
        self._put_back_s = now - self.real.now()
        self._is_right = self._held is None

    def _go_on_from(self, now: float, factor: float) -> None:
        self._held = None
        self._then, self._since, self._factor = now, self.real.now(), factor
        self._is_right = False
        self._set_alarm(anew=True)

    # ------------------------------------------------------------------ the heap

    def _next(self) -> float | None:
        while self._calls and self._calls[0][2].is_off:
            heapq.heappop(self._calls)
            self._off -= 1
        return self._calls[0][0] if self._calls else None

    def _call_until(self, now: float) -> int:
        """Call what is due, in order; how much it was. What that makes due at once comes when the loop had a turn."""
        called, last = 0, next(self._numbers)
        while (when := self._next()) is not None and when <= now and self._calls[0][1] < last:
            heapq.heappop(self._calls)[2].make()
            called += 1
        return called

    def _set_alarm(self, *, anew: bool = False) -> None:
        """One alarm of the real clock, for the first call."""
        if self._held is not None:
            return
        when = self._next() if self._factor else None
        if not anew and self._alarm is not None and when is not None and self._alarm[0] <= when:
            return
        if self._alarm is not None:
            self._alarm[1].cancel()
        self._alarm = None
        if when is not None:
            at = self._since + (when - self._then) / self._factor
            self._alarm = (when, self.real.call_at(at, self._ring))

    def _ring(self) -> None:
        if self._alarm is None:
            return
        meant, self._alarm = self._alarm[0], None
        if self._held is None:
            self._call_until(max(self.now(), meant))  # an event loop may ring half a millisecond early
            self._set_alarm()

    def _called_off(self) -> None:
        self._off += 1
        if self._off >= SWEPT_FROM and 2 * self._off > len(self._calls):
            self._calls = [each for each in self._calls if not each[2].is_off]
            heapq.heapify(self._calls)
            self._off = 0


class _Call:
    """What was asked for of a `TurnableClock`."""

    __slots__ = ("_callback", "_called_off")

    def __init__(self, callback: Callable[[], None], called_off: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback
        self._called_off = called_off

    @property
    def is_off(self) -> bool:
        """It was called off, or has been made."""
        return self._callback is None

    def make(self) -> None:
        """Make it, once. What goes wrong in it is told as the event loop tells it, and stops no other."""
        callback, self._callback = self._callback, None
        if callback is None:
            return
        try:
            callback()
        except Exception as error:  # noqa: BLE001  # told, as asyncio does of what it calls
            context = {"message": "a call of the clock failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    def cancel(self) -> None:
        """Call it off."""
        if self._callback is not None:
            self._callback = None
            self._called_off()
