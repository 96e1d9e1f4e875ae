"""The pace of an upload in a bounded number of looks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mockcic.sound.pace import MOST, Pace


def paced(*looks: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    pace = Pace()
    for ms, size in looks:
        pace.note(ms, size)
    return pace.looks


def test_looks_are_a_hundred_milliseconds_apart_and_the_last_is_always_there() -> None:
    frames = [(10 * n, 320 * (n + 1)) for n in range(26)]
    assert paced(*frames) == ((0, 320), (100, 3520), (200, 6720), (250, 8320))
    assert paced((3, 320)) == ((3, 320),)
    assert paced() == ()


@given(st.integers(1, 5000))
def test_a_long_upload_has_no_more_than_six_hundred_looks(count: int) -> None:
    looks = paced(*((100 * n, 3200 * n) for n in range(count)))
    assert len(looks) <= MOST
    assert (looks[0], looks[-1]) == ((0, 0), (100 * (count - 1), 3200 * (count - 1)))
    assert list(looks) == sorted(set(looks))
