"""How often: words, ranges, numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockcic.verdict.times import Times, at_least, at_most, between, exactly, read_times


@pytest.mark.parametrize(
    ("said", "times"),
    [
        (None, at_least(1)),
        (3, exactly(3)),
        ("0", exactly(0)),
        ("3", exactly(3)),
        ("1..3", between(1, 3)),
        ("2..", at_least(2)),
        ("..3", at_most(3)),
        ("exactly 1", exactly(1)),
        ("at least 2", at_least(2)),
        ("at-most 3", at_most(3)),
        ("At Most 3", at_most(3)),
        ("between 1 and 3", between(1, 3)),
        ("exactly once", exactly(1)),
        ("At least twice", at_least(2)),
        ("never", exactly(0)),
        (" 1 .. 3 ", between(1, 3)),
        ("at_most 3 times", at_most(3)),
        (between(1, 2), between(1, 2)),
    ],
)
def test_it_is_read(said: int | str | Times | None, times: Times) -> None:
    assert read_times(said) == times


@pytest.mark.parametrize(
    "said",
    ["", "..", "often", "3..1", "-1", "1...3", "at least", "٣", "٣..٤", "exactly ٣", "1.5", "1 and 3", "at least never",
     "9" * 5000, True, -1, 1.5, [1]],
)  # fmt: skip
def test_it_cannot_be_read(said: Any) -> None:
    with pytest.raises(ValueError, match=r"found .*, expected "):
        read_times(said)


@pytest.mark.parametrize(
    ("times", "fits", "words"),
    [
        (exactly(0), [0], "never"),
        (exactly(1), [1], "exactly once"),
        (exactly(2), [2], "exactly 2 times"),
        (at_least(2), [2, 3], "at least 2 times"),
        (at_most(1), [0, 1], "at most once"),
        (between(1, 2), [1, 2], "1 to 2 times"),
    ],
)
def test_it_fits_and_is_said(times: Times, fits: list[int], words: str) -> None:
    assert [count for count in range(4) if times.fits(count)] == fits
    assert str(times) == words


_COUNTS = st.integers(0, 999_999_999)


@given(_COUNTS, st.none() | _COUNTS)
def test_its_words_are_read_back(low: int, more: int | None) -> None:
    times = Times(low, None if more is None else min(low + more, 999_999_999))
    assert read_times(str(times)) == times
