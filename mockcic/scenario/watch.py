"""Watches scenario files for edits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from mockcic.scenario.files import is_scenario_file
from mockcic.scenario.words import real_path

DEBOUNCE_MS: Final = 100  # INF; editors write, rename and set times within a few milliseconds

LOOK_MS: Final = 1000  # INF; how often we look although nothing was heard: an edit between loading and watching is seen

TICK_NS: Final = 20_000_000  # INF; the times of files come from a clock that is up to 10 ms behind

Snapshot = dict[Path, tuple[int, int, int]]


def snapshot(paths: Iterable[Path]) -> Snapshot:
    """How the files are now: those named, and every scenario file at the top level of a folder among `paths`.

    What may not be read is passed over, as if it did not exist.
    """
    named = {real_path(path) for path in paths}
    found: Snapshot = {}
    for path in named:
        for file in _files_of(path):
            if file in named or is_scenario_file(file):
                with suppress(OSError):
                    state = file.stat()
                    found[file] = (state.st_mtime_ns, state.st_size, state.st_ino)
    return found


def as_loaded(paths: Iterable[Path], before: Snapshot, began_ns: int) -> Snapshot:
    """How the files of `paths` were when they were loaded; an edit saved meanwhile differs from it, and so is seen.

    `before` was taken before the loading began at `began_ns` (of the clock that files have), when it was not known yet
    what is included. A file that is not in it is left out where it was written since then.
    """
    now = snapshot(paths)
    unchanged = {file: state for file, state in now.items() if state[0] < began_ns - TICK_NS}
    named = {real_path(path) for path in paths}
    return unchanged | {
        file: state
        for file, state in before.items()
        if file in named or (file.parent in named and is_scenario_file(file))
    }


def _files_of(path: Path) -> list[Path]:
    with suppress(OSError):
        return list(path.iterdir()) if path.is_dir() else [path]
    return []


def _is_folder(path: Path) -> bool:
    with suppress(OSError):
        return path.is_dir()
    return False


async def watch(paths: Iterable[Path], known: Snapshot | None = None) -> AsyncIterator[set[Path]]:
    """Yield the files that changed, appeared or went, a moment after they came to rest. Ends when it is cancelled.

    A file is noticed also when an editor puts a new one in its place, because its folder is watched and not the file.
    Of a folder among `paths` every scenario file at its top level is noticed, new ones too. What does not exist is
    passed over. Changes made while the caller is busy are not lost, nor those made since `known` was taken.
    """
    named = [real_path(path) for path in paths]
    watched = {path if _is_folder(path) else path.parent for path in named}
    before = snapshot(named) if known is None else known
    async for _ in _moments({folder for folder in watched if _is_folder(folder)}):
        now = snapshot(named)
        changed = {file for file in now.keys() | before.keys() if now.get(file) != before.get(file)}
        before = now
        if changed:
            yield changed


async def _moments(folders: set[Path]) -> AsyncIterator[None]:
    """When to look: something was heard in these folders, or nothing for a while.

    Where the system does not let us listen (a folder that may not be listed, no watches left) only the clock counts.
    """
    from watchfiles import awatch
    from watchfiles._rust_notify import WatchfilesRustInternalError

    if folders:
        with suppress(OSError, WatchfilesRustInternalError):
            changes = awatch(
                *folders,
                watch_filter=None,
                debounce=DEBOUNCE_MS * 10,
                step=DEBOUNCE_MS,
                recursive=False,
                rust_timeout=LOOK_MS,
                yield_on_timeout=True,
            )
            async for _ in changes:
                yield
    while True:
        await asyncio.sleep(LOOK_MS / 1000)
        yield


__all__ = ["DEBOUNCE_MS", "Snapshot", "as_loaded", "snapshot", "watch"]
