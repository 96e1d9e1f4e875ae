"""The journal as it grows, for one reader who may be slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from mockcic.journal.entry import Entry
from mockcic.journal.filter import Filter

if TYPE_CHECKING:
    from mockcic.control.desk import Desk

STILL_HERE_S: Final = 15.0
"""A comment goes out so often when nothing happens: proxies close what is silent (INF)."""

AT_ONCE: Final = 500
"""Entries that are read from the journal at once."""


async def live(desk: Desk, asked: Filter, after: int, device: str | None) -> AsyncIterator[dict[str, Any] | None]:
    """The entries younger than `after` that fit, as JSON, without end; None when nothing happened for a while.

    The journal itself is the queue: a reader that is slower than its bound loses entries as everybody does.
    """
    more = asyncio.Event()
    more.set()

    def hear(_: Entry) -> None:
        more.set()

    journal, ending = desk.cic.journal, desk.ending
    end, end_at_end = journal.listen(hear), ending.then(more.set)
    try:
        while not ending.has_come:
            try:
                async with asyncio.timeout(STILL_HERE_S):
                    await more.wait()
            except TimeoutError:
                yield None
                continue
            more.clear()
            found = journal.after(after)
            while found:
                for entry in found[:AT_ONCE]:
                    if (device is None or entry.device == device) and asked.fits(entry):
                        yield entry.as_json()
                    after = entry.number
                found = journal.after(after)
    finally:
        end()
        end_at_end()
