"""Edits of scenario files are noticed, however an editor writes them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mockcic.scenario.watch import as_loaded, snapshot, watch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a scenario and a sound."""
    (tmp_path / "a.yaml").write_text("scenario: a\n")
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "a.mp3").write_bytes(b"")
    return tmp_path


async def noticed(changes: AsyncIterator[set[Path]], edit: Callable[[], object], path: Path) -> set[Path]:
    """What is reported once `path` is among it; the edit is repeated, for the watch may not have begun."""

    async def report() -> set[Path]:
        async for changed in changes:
            if path in changed:
                return changed
        raise AssertionError("the watch ended")

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        reported = tasks.create_task(report())
        while not reported.done():
            edit()
            await asyncio.wait({reported}, timeout=0.5)
    return reported.result()


def put_in_place(path: Path) -> None:
    """As vim and many others write: a new file, then a rename."""
    fresh = path.with_name(f".{path.name}.swp")
    fresh.write_text("scenario: b\n")
    fresh.replace(path)


async def test_a_file_written_over_is_noticed(folder: Path) -> None:
    """By its name."""
    changes = watch([folder / "a.yaml"])
    assert await noticed(changes, lambda: (folder / "a.yaml").write_text("x"), folder / "a.yaml") == {folder / "a.yaml"}


async def test_a_file_that_another_one_takes_the_place_of_is_noticed(folder: Path) -> None:
    """A watch on the file itself would stay with the old one."""
    changes = watch([folder / "a.yaml"])
    for _ in range(2):
        changed = await noticed(changes, lambda: put_in_place(folder / "a.yaml"), folder / "a.yaml")
        assert changed == {folder / "a.yaml"}


async def test_a_new_file_in_a_folder_is_noticed_and_what_is_no_scenario_is_not(folder: Path) -> None:
    """A folder is a set."""

    def edit() -> None:
        (folder / "notes.txt").write_text("x")
        (folder / ".hidden.yaml").write_text("x")
        put_in_place(folder / "new.yml")

    assert await noticed(watch([folder]), edit, folder / "new.yml") == {folder / "new.yml"}


async def test_a_file_that_goes_is_noticed(folder: Path) -> None:
    """Its scenario is to go too."""
    path = folder / "a.yaml"

    def edit() -> None:
        path.unlink(missing_ok=True)

    assert await noticed(watch([folder], snapshot([folder])), edit, path) == {path}


async def test_an_edit_between_loading_and_watching_is_noticed(folder: Path) -> None:
    path = folder / "a.yaml"
    loaded = snapshot([path])
    path.write_text("scenario: edited-since\n")
    assert await noticed(watch([path], loaded), lambda: None, path) == {path}


async def test_a_sound_in_a_folder_below_is_noticed_when_it_is_named(folder: Path) -> None:
    """The loader says which files were read."""
    sound = folder / "audio" / "a.mp3"
    (folder / "audio" / "b.mp3").write_bytes(b"")

    def edit() -> None:
        (folder / "audio" / "b.mp3").write_bytes(b"b")
        sound.write_bytes(b"a")

    assert await noticed(watch([folder, sound]), edit, sound) == {sound}


async def test_what_does_not_exist_is_passed_over(folder: Path) -> None:
    """It may have gone since it was read."""
    changes = watch([folder / "nowhere" / "x.yaml", folder / "a.yaml"])
    assert await noticed(changes, lambda: put_in_place(folder / "a.yaml"), folder / "a.yaml") == {folder / "a.yaml"}


@pytest.mark.parametrize("forbidden", ["iterdir", "is_dir"])
def test_a_folder_that_may_not_be_read_has_nothing_in_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, forbidden: str
) -> None:
    """It is a state as others: the edit after it is seen."""

    def refuse(path: Path) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, forbidden, refuse)
    assert snapshot([folder]) == {}


async def test_a_folder_that_cannot_be_listened_to_is_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a folder that may not be listed can be read all the same."""

    def refuse(*paths: Path, **options: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("watchfiles.awatch", refuse)
    monkeypatch.setattr("mockcic.scenario.watch.LOOK_MS", 5)
    path = folder / "a.yaml"
    assert await noticed(watch([path]), lambda: put_in_place(path), path) == {path}


def test_what_was_written_while_it_was_loaded_differs_from_what_was_loaded(folder: Path) -> None:
    """Also a file that was not known before; one that is no longer part of the set does not count."""
    known, old, fresh, left = (folder / name for name in ("a.yaml", "old.yaml", "fresh.yaml", "left.mp3"))
    for file in (old, fresh, left):
        file.write_text("x")
    os.utime(old, ns=(0, 10**9))
    before = snapshot([known, left])
    known.write_text("scenario: edited-since\n")
    os.utime(fresh, ns=(0, 3 * 10**9))
    loaded = as_loaded([folder], before, 2 * 10**9)
    assert loaded == {known: before[known], **snapshot([old])}


async def test_it_ends_when_it_is_cancelled(folder: Path) -> None:
    """The server stops."""

    async def follow() -> None:
        async for _ in watch([folder]):
            pass

    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(follow())
        await asyncio.wait({following}, timeout=0.2)
        following.cancel()
        await asyncio.wait({following}, timeout=60)
    assert following.cancelled()
