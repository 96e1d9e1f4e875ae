"""Edits of scenario files are taken one after another, whatever goes wrong with one of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mockcic.cli.reload import Reloading
from mockcic.errors import StartError
from mockcic.scenario.load import load
from mockcic.scenario.scenario_set import ScenarioSet

SMALL = "scenario: {name}\n{more}on: [{{event: '*', exception: {{code: 500}}}}]\n"


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written before the watch began is seen when it looks."""
    monkeypatch.setattr("mockcic.scenario.watch.LOOK_MS", 20)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A scenario that was written long ago, as files mostly are."""
    path = tmp_path / "a.yaml"
    path.write_text(SMALL.format(name="one", more=""))
    os.utime(path, ns=(0, 0))
    return path


def loading(file: Path, *acts: Callable[[], object]) -> Callable[[], ScenarioSet]:
    """Load it; behind the first loading, do this, behind the second that, and so on: an act may raise."""
    left: Iterator[Callable[[], object]] = iter(acts)

    def load_then() -> ScenarioSet:
        loaded = load([file])
        next(left, lambda: None)()
        return loaded

    return load_then


async def taken_until(reloading: Reloading, name: str) -> list[str]:
    """The names of the scenarios that were taken, as soon as this one is."""
    taken: list[str] = []
    done = asyncio.Event()

    def take(edition: ScenarioSet, changed: str) -> None:
        assert "a.yaml" in changed
        taken.append(edition.scenarios[0].scenario)
        if taken[-1] == name:
            done.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(reloading.follow(take))
        await done.wait()
        following.cancel()
    return taken


async def test_an_edit_that_is_saved_while_another_is_loaded_is_taken_too(file: Path) -> None:
    """Also where that other changes what is to be watched, and while the set is loaded at the start."""
    part = file.with_name("part.yaml")
    part.write_text("vars: {x: 1}\n")
    os.utime(part, ns=(0, 0))
    edits = [
        lambda: file.write_text(SMALL.format(name="two", more="include: part.yaml\n")),
        lambda: file.write_text(SMALL.format(name="three", more="")),
        lambda: file.write_text(SMALL.format(name="four", more="")),
    ]
    reloading = Reloading([file], loading(file, *edits), lambda problems: None)
    assert reloading.load().scenarios[0].scenario == "one"
    assert await taken_until(reloading, "four") == ["two", "three", "four"]


async def test_an_error_that_nobody_thought_of_is_logged_and_the_next_edit_is_taken(
    file: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Devices are served on; an operator's error says its reason."""

    def fails(name: str, error: Exception) -> Callable[[], object]:
        def edit() -> None:
            file.write_text(SMALL.format(name=name, more=""))
            raise error

        return edit

    edits = [
        lambda: file.write_text(SMALL.format(name="two", more="")),
        fails("three", RuntimeError("nobody thought of it")),
        fails("four", StartError("cannot read it: so it is")),
    ]
    reloading = Reloading([file], loading(file, *edits), lambda problems: None)
    reloading.load()
    assert await taken_until(reloading, "four") == ["four"]
    assert "Traceback" in caplog.text
    assert "RuntimeError: nobody thought of it" in caplog.text
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "not reloaded (a.yaml): the scenarios loaded before stay",
        "not reloaded (a.yaml): cannot read it: so it is; the scenarios loaded before stay",
    ]
