"""Waiting counts entries as they come, and knows when it is over."""

from __future__ import annotations

import pytest

from mockcic.journal.entry import Entry
from mockcic.journal.filter import read_filter
from mockcic.verdict.times import Times, at_least, at_most, exactly
from mockcic.verdict.waiting import Waiting

PINGS = [Entry(number, "ping", float(number), 0.0, name="get") for number in range(1, 5)]


@pytest.mark.parametrize(
    ("times", "over_at"),
    [(at_least(2), 2), (exactly(2), 3), (at_most(1), 2), (exactly(0), 1), (at_least(9), None)],
)
def test_it_is_over_when_more_entries_change_nothing(times: Times, over_at: int | None) -> None:
    waiting = Waiting(read_filter("ping"), times)
    over = next((entry.number for entry in PINGS if waiting.hear(entry)), None)
    assert over == over_at


def test_what_does_not_fit_is_not_counted() -> None:
    waiting = Waiting(read_filter("ping number=3"), at_least(1))
    assert [waiting.hear(entry) for entry in PINGS] == [False, False, True, True]
    assert (waiting.count, waiting.last) == (1, PINGS[2])


def test_entries_are_searched_only_for_what_nearly_fitted() -> None:
    """A wait that is over was answered by what it heard."""
    waiting = Waiting(read_filter("ping"), at_least(1))
    waiting.hear(PINGS[0])

    def never_asked() -> list[Entry]:
        raise AssertionError("the journal was searched again")

    verdict = waiting.verdict(never_asked, within_s=1)
    assert (verdict.status, verdict.asked) == ("kept", "ping at least once within 1 s")
    in_vain = Waiting(read_filter("event"), at_least(1)).verdict(lambda: PINGS, within_s=0.5)
    assert (in_vain.status, in_vain.others) == ("broken", ((4, "ping get"),))
