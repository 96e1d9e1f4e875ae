"""The only place where mockcic looks at a clock."""

from __future__ import annotations

import asyncio
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
