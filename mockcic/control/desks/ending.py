"""The end of the server, for whoever waits for something else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Ending:
    """Comes once; whoever waits for something then waits no longer."""

    def __init__(self) -> None:
        self.has_come = False
        self._callbacks: list[Callable[[], None]] = []

    def come(self) -> None:
        """The server stops."""
        self.has_come = True
        for callback in self._callbacks:
            callback()

    def then(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when it comes; returns what takes that back."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    async def or_set(self, event: asyncio.Event, *, within_s: float) -> None:
        """Wait until the event is set, the time is over, or the end comes; what it was the caller sees."""
        take_back = self.then(event.set)
        try:
            async with asyncio.timeout(within_s):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            take_back()
