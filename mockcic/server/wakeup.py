"""Waking the tasks that wait for something."""

from __future__ import annotations

import asyncio


class Signal:
    """Wakes whoever waits at the moment; between waits it holds nothing (an `asyncio.Event` holds 700 bytes)."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] | None = None

    async def wait(self) -> None:
        """Return when `fire` is called next. The caller looks again at what it waited for."""
        waiter = asyncio.get_running_loop().create_future()
        if self._waiters is None:
            self._waiters = [waiter]
        else:
            self._waiters.append(waiter)
        await waiter

    def fire(self) -> None:
        """Wake all that wait."""
        if self._waiters is not None:
            waiters, self._waiters = self._waiters, None
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
