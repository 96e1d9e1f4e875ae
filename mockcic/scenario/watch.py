"""Watches scenario files for edits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from mockcic.scenario.files import is_scenario_file

DEBOUNCE_MS: Final = 100  # INF; editors write, rename and set times within a few milliseconds


LOOK_MS: Final = 1000  # INF; how often we look although nothing was heard: an edit between loading and watching is seen

Snapshot = dict[Path, tuple[int, int, int]]


def snapshot(paths: Iterable[Path]) -> Snapshot:
    """How the files are now: those named, and every scenario file at the top level of a folder among `paths`."""
    named = {path.resolve() for path in paths}
    found: Snapshot = {}
    for path in named:
        for file in path.iterdir() if path.is_dir() else (path,):
            if file in named or is_scenario_file(file):
                with suppress(OSError):
                    state = file.stat()
                    found[file] = (state.st_mtime_ns, state.st_size, state.st_ino)
    return found


async def watch(paths: Iterable[Path], known: Snapshot | None = None) -> AsyncIterator[set[Path]]:
    """Yield the files that changed, appeared or went, a moment after they came to rest. Ends when it is cancelled.

    A file is noticed also when an editor puts a new one in its place, because its folder is watched and not the file.
    Of a folder among `paths` every scenario file at its top level is noticed, new ones too. What does not exist is
    passed over. Changes made while the caller is busy are not lost, nor those made since `known` was taken.
    """
    from watchfiles import awatch

    named = [path.resolve() for path in paths]
    watched = {path if path.is_dir() else path.parent for path in named}
    watched = {folder for folder in watched if folder.is_dir()}
    if not watched:
        await asyncio.Event().wait()
    before = snapshot(named) if known is None else known
    changes = awatch(
        *watched,
        watch_filter=None,
        debounce=DEBOUNCE_MS * 10,
        step=DEBOUNCE_MS,
        recursive=False,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
    )
    async for _ in changes:
        now = snapshot(named)
        changed = {file for file in now.keys() | before.keys() if now.get(file) != before.get(file)}
        before = now
        if changed:
            yield changed


__all__ = ["DEBOUNCE_MS", "Snapshot", "snapshot", "watch"]
