"""Which belongs to which: as many pairs as there can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockcic.trace import align
from mockcic.trace.align import aligned


def pairs(a: str, b: str) -> list[tuple[str | None, str | None]]:
    return list(aligned(a, b, lambda each: each))


def longest(a: str, b: str) -> int:
    """The length of a longest common subsequence, as a textbook has it."""
    row = [0] * (len(b) + 1)
    for left in a:
        before = row
        row = [0]
        for place, right in enumerate(b):
            row.append(before[place] + 1 if left == right else max(row[-1], before[place + 1]))
    return row[-1]


@given(st.text("ab"), st.text("ab"))
def test_as_many_are_paired_as_can_be(a: str, b: str) -> None:
    """In order, each once, and only equals."""
    found = pairs(a, b)
    assert [left for left, _ in found if left] == list(a)
    assert [right for _, right in found if right] == list(b)
    assert all(left == right for left, right in found if left and right)
    assert sum(1 for left, right in found if left and right) == longest(a, b)


@given(st.text("abc"), st.text("abc"))
def test_two_that_have_little_in_common_are_aligned_too(a: str, b: str) -> None:
    """Not as well, but in order, each once, and only equals."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(align, "MOST", 2)
        found = pairs(a, b)
    assert [left for left, _ in found if left] == list(a)
    assert [right for _, right in found if right] == list(b)
    assert all(left == right for left, right in found if left and right)
