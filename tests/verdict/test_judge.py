"""Verifications as pure functions of entries."""

from __future__ import annotations

import pytest

from mockcic.journal.entry import Entry, Kind
from mockcic.journal.filter import read_filter
from mockcic.verdict.judge import GONE, all_rules_used, never, no_findings, no_unmatched, verify, verify_order
from mockcic.verdict.times import Times, at_least, at_most, between, exactly
from mockcic.verdict.verdict import VerificationError, verdict_from_json


def entries(*said: tuple[Kind, str] | tuple[Kind, str, dict[str, object]]) -> list[Entry]:
    return [
        Entry(number, each[0], float(number), 0.0, "…4f2a", name=each[1], data=each[2] if len(each) > 2 else {})
        for number, each in enumerate(said, 1)
    ]


TALK = entries(
    ("downchannel", "open"),
    ("directive", "Clova.Hello"),
    ("event", "Clova.Ask", {"payload": {"text": "불 켜", "lang": "ko"}}),
    ("event", "Clova.Ask", {"payload": {"text": "물", "lang": "ko"}}),
    ("directive", "Clova.Tell"),
    ("answer", "Clova.Ask", {"status": 200}),
)
ASK = read_filter("Clova.Ask")


@pytest.mark.parametrize(
    ("times", "status", "why"),
    [
        (exactly(2), "kept", "it came 2 times"),
        (exactly(1), "broken", "it came 2 times"),
        (at_least(2), "kept", "it came 2 times"),
        (at_least(3), "broken", "it came 2 times"),
        (at_most(2), "kept", "it came 2 times"),
        (at_most(1), "broken", "it came 2 times"),
        (between(1, 3), "kept", "it came 2 times"),
        (between(3, 4), "broken", "it came 2 times"),
    ],
)
def test_how_often_something_came(times: Times, status: str, why: str) -> None:
    verdict = verify(TALK, ASK, times)
    assert (verdict.status, verdict.why, [entry.number for entry in verdict.came]) == (status, why, [3, 4])
    assert verdict.kept is bool(verdict) is (status == "kept")


@pytest.mark.parametrize(
    ("times", "status"),
    [
        (at_least(2), "kept"),
        (at_least(3), "error"),
        (exactly(2), "error"),
        (exactly(1), "broken"),
        (at_most(2), "error"),
        (at_most(1), "broken"),
        (between(1, 3), "error"),
    ],
)
def test_what_would_need_dropped_entries_is_an_error_and_never_kept(times: Times, status: str) -> None:
    verdict = verify(TALK, ASK, times, gone=True)
    assert verdict.status == status
    if status == "error":
        assert verdict.why == GONE


def test_the_nearest_entries_are_told_field_by_field() -> None:
    verdict = verify(TALK, read_filter("Clova.Ask payload.text=불 payload.lang=ko"), at_least(1))
    assert verdict.why == "it did not come"
    near = [(each.entry.number, [one.member for one in each.comparisons if not one.holds]) for each in verdict.nearest]
    assert near[:2] == [(4, ["payload.text"]), (3, ["payload.text"])]
    assert (2, "event Clova.Ask") in verdict.others


def test_an_order_may_have_others_between() -> None:
    asked = [read_filter(text) for text in ("Clova.Hello", "Clova.Ask", "Clova.Tell")]
    verdict = verify_order(TALK, asked)
    assert (verdict.status, [entry.number for entry in verdict.came]) == ("kept", [2, 3, 5])


def test_a_wrong_order_says_what_is_missing_after_what_and_what_came_too_early() -> None:
    asked = [read_filter(text) for text in ("Clova.Tell", "Clova.Hello")]
    verdict = verify_order(TALK, asked)
    assert verdict.status == "broken"
    assert verdict.why == (
        "number 2, Clova.Hello, did not come after directive Clova.Tell (entry 5, +5.000);"
        " it came too early: directive Clova.Hello (entry 2, +2.000)"
    )
    assert verify_order(TALK, asked, gone=True).status == "error"


def test_the_same_entry_counts_once_in_an_order() -> None:
    assert verify_order(TALK, [ASK, ASK]).kept
    assert not verify_order(TALK, [ASK, ASK, ASK])


def test_what_stays_away() -> None:
    assert never(TALK, read_filter("Clova.Never"), for_s=2).asked == "Clova.Never never for 2 s"
    assert never(TALK, read_filter("Clova.Never")).kept
    assert [entry.number for entry in never(TALK, ASK).came] == [3, 4]
    assert never(TALK, read_filter("Clova.Never"), gone=True).status == "error"


def test_every_event_finds_a_rule() -> None:
    misses = [{"rule": "light", "misses": [{"member": "payload.text", "expected": "불", "got": "물"}]}]
    found = entries(("match", "light"), ("match", "", {"event": "Clova.Ask", "nearest": misses}))
    verdict = no_unmatched(found)
    assert (verdict.status, verdict.why) == ("broken", "no rule fits Clova.Ask")
    with pytest.raises(VerificationError, match=r"nearest rule light: payload\.text: expected 불, got 물"):
        verdict.raise_if_broken()
    assert no_unmatched(found[:1]).kept
    assert no_unmatched(found[:1], gone=True).status == "error"


def test_findings_count_unless_their_code_is_allowed() -> None:
    found = entries(("finding", "multipart.last-delimiter", {"found": "none", "expected": "one"}), ("finding", "a.b"))
    assert no_findings(found).why == "there are multipart.last-delimiter, a.b"
    assert [entry.name for entry in no_findings(found, allow=["multipart.*"]).came] == ["a.b"]
    assert no_findings(found, allow=["multipart.*", "a.b"]).kept
    assert no_findings([], gone=True).status == "error"


def test_rules_that_never_answered_are_named() -> None:
    found = entries(("match", "light", {"scenario": "lamp"}))
    rules = [("lamp", "light"), ("lamp", "dark"), ("other", "light")]
    verdict = all_rules_used(found, rules)
    assert (verdict.status, verdict.why) == ("broken", "never used: dark (lamp), light (other)")
    assert all_rules_used(found, rules[:1], gone=True).kept
    assert all_rules_used(found, rules, gone=True).status == "error"


def test_a_verdict_goes_through_json_and_back() -> None:
    verdict = verify(TALK, read_filter("Clova.Ask payload.text=불 payload.nothing=1"), at_least(1))
    assert verdict_from_json(verdict.as_json()) == verdict


def test_a_verdict_that_is_kept_raises_nothing() -> None:
    verdict = verify(TALK, ASK, at_least(1))
    assert verdict.raise_if_broken() is verdict
