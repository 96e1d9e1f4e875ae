"""Waiting counts entries as they come, and knows when it is over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockcic.journal.entry import Entry
from mockcic.journal.filter import read_filter
from mockcic.verdict.judge import verify
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


def test_a_verdict_does_not_end_a_wait_for_its_own_words() -> None:
    waiting = Waiting(read_filter('"우산"'), at_least(1))
    assert not waiting.hear(Entry(1, "verdict", 0.0, 0.0, name='"우산" at least once'))
    assert waiting.hear(Entry(2, "event", 0.0, 0.0, name="Clova.Ask", data={"payload": {"text": "우산"}}))
    assert waiting.last is not None
    assert waiting.last.number == 2


def test_a_function_that_raises_ends_the_wait_and_tells_who_waits() -> None:
    """Not the server, which was writing an entry down."""
    waiting = Waiting(read_filter(lambda entry: entry.data["nothing"] == 1), at_least(1))
    assert [waiting.hear(entry) for entry in PINGS[:2]] == [True, True]
    assert waiting.over
    with pytest.raises(KeyError, match="nothing"):
        waiting.verdict(lambda: PINGS, within_s=1)


_COUNTS = st.integers(0, 5)


@given(st.integers(0, 12), _COUNTS, st.none() | _COUNTS)
def test_what_was_decided_early_is_what_all_entries_say(came: int, low: int, more: int | None) -> None:
    """And it is over as soon as it is certain, not before."""
    times = Times(low, None if more is None else low + more)
    pings = [Entry(number, "ping", 0.0, 0.0, name="get") for number in range(1, came + 1)]
    waiting = Waiting(read_filter("ping"), times)
    for heard, entry in enumerate(pings, 1):
        certain = heard >= times.low if times.high is None else heard > times.high
        assert waiting.hear(entry) is (certain or times == at_least(0))
    verdict = waiting.verdict(lambda: pings, within_s=1)
    assert verdict.kept is verify(pings, read_filter("ping"), times).kept is times.fits(came)
