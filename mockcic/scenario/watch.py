"""Watches scenario files for edits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from mockcic.scenario.load import is_scenario_file

DEBOUNCE_MS: Final = 100  # INF; editors write, rename and set times within a few milliseconds


async def watch(paths: Iterable[Path]) -> AsyncIterator[set[Path]]:
    """Yield the files that changed, appeared or went, a moment after they came to rest. Ends when it is cancelled.

    A file is noticed also when an editor puts a new one in its place, because its folder is watched and not the file.
    Of a folder among `paths` every scenario file at its top level is noticed, new ones too. What does not exist is
    passed over. Changes made while the caller is busy are not lost.
    """
    from watchfiles import awatch

    named = {path.resolve() for path in paths}
    folders = {path for path in named if path.is_dir()}
    watched = folders | {path.parent for path in named - folders if path.parent.is_dir()}
    if not watched:
        await asyncio.Event().wait()
    changes = awatch(
        *watched, watch_filter=None, debounce=DEBOUNCE_MS * 10, step=DEBOUNCE_MS, recursive=False, stop_event=None
    )
    async for each in changes:
        changed = {Path(path) for _, path in each}
        mine = {path for path in changed if path in named or (path.parent in folders and is_scenario_file(path))}
        if mine:
            yield mine


__all__ = ["DEBOUNCE_MS", "watch"]
