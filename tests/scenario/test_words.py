"""Durations: the same words in files, on the command line, over the control API, in filters and in an editor."""

from __future__ import annotations

import re

import click
import pytest
from pydantic_core import PydanticCustomError

from mockcic.cli.control import Seconds
from mockcic.control.ask import read_seconds
from mockcic.journal.entry import Entry
from mockcic.journal.filter import FilterError, read_filter
from mockcic.scenario.chaos import read_chaos
from mockcic.scenario.words import DURATION_SCHEMA, read_duration
from tests.support.entries import WALL_S

GOOD = {
    "300ms": 0.3,
    "1.5s": 1.5,
    "2m": 120.0,
    "5min": 300.0,
    "1h": 3600.0,
    "5d": 432_000.0,
    "1h5m": 3900.0,
    "1m30s": 90.0,
    "1 h 30 min": 5400.0,
    "2d12h": 216_000.0,
    "1m500ms": 60.5,
    " 2m ": 120.0,
}
BAD = ("", " ", "h", "1h5", "5m1h", "1h1h", "1s1m", "5", "-5s", "1e3s", "1,5s", "five minutes")
PATTERN = re.compile(DURATION_SCHEMA["anyOf"][0]["pattern"])


@pytest.mark.parametrize(("text", "seconds"), GOOD.items())
def test_it_is_read_and_an_editor_takes_it(text: str, seconds: float) -> None:
    assert read_duration(text) == pytest.approx(seconds)
    assert PATTERN.search(text)


@pytest.mark.parametrize("text", BAD)
def test_what_is_none_is_none_for_an_editor_too(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        read_duration(text)
    assert not PATTERN.search(text)


def test_a_long_row_of_blanks_takes_no_time_to_refuse() -> None:
    """Each blank belongs to one place of the pattern only."""
    assert not PATTERN.search("1h" + " " * 5000 + "x")
    with pytest.raises(PydanticCustomError):
        read_duration("1h" + " " * 5000 + "x")


def test_it_is_the_same_word_everywhere() -> None:
    assert Seconds().convert("1m30s", None, None) == 90.0
    assert read_seconds("1m30s") == 90.0
    found = read_chaos("chaos: c\nlasts: 1h30m\nentries: [{after: 1h5m, fault: {reset: CANCEL}}]\n")
    assert (found.lasts, found.entries[0].after) == (5400.0, 3900.0)
    entry = Entry(1, "upload", 0.0, WALL_S, name="x", data={"seconds": 90.5})
    assert read_filter("seconds>1m30s").fits(entry)
    assert not read_filter("seconds>1m31s").fits(entry)


def test_what_is_none_is_told_everywhere() -> None:
    with pytest.raises(click.BadParameter, match="1m30s"):
        Seconds().convert("1m30", None, None)
    with pytest.raises(FilterError, match="1m30s"):
        read_filter("seconds>1m30")
