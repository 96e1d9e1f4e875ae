"""Verifications as pure functions of entries."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockcic.journal.entry import Entry, Kind
from mockcic.journal.filter import read_filter
from mockcic.verdict.judge import (
    GONE,
    all_rules_used,
    nearest,
    never,
    no_findings,
    no_unmatched,
    verify,
    verify_order,
)
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


def test_an_order_of_nothing_is_no_question() -> None:
    """It would always be kept."""
    with pytest.raises(ValueError, match="found no filters"):
        verify_order(TALK, [])


def test_what_is_left_of_an_order_is_kept_though_older_entries_are_gone() -> None:
    assert verify_order(TALK, [read_filter("Clova.Hello"), ASK], gone=True).kept


@pytest.mark.parametrize("asked", ['"우산"', "text~우산", '!ping "우산"', "name~우산 kind=*", '!event "우산"'])
def test_a_verdict_is_not_what_it_did_not_find(asked: str) -> None:
    """The verdict is written down with the words that were asked for: asked again, it would be found."""
    wanted = read_filter(asked)
    verdict = verify(TALK, wanted, at_least(1))
    said = Entry(7, "verdict", 7.0, 0.0, name=verdict.asked, data={"status": verdict.status, "why": verdict.why})
    assert "우산" in said.name
    again = [*TALK, said]
    assert not verify(again, wanted, at_least(1))
    assert never(again, wanted).kept
    assert not verify_order(again, [ASK, wanted])
    assert not verify_order([said, *TALK], [ASK, wanted]).why.count("too early")


def test_a_function_does_not_find_verdicts_either() -> None:
    said = entries(("verdict", "a"))
    assert never(said, read_filter(lambda entry: True)).kept


@pytest.mark.parametrize("asked", ["verdict", "kind=verdict,event", "kind=verd*", "verdict status=kept"])
def test_verdicts_are_counted_for_who_asks_for_them(asked: str) -> None:
    assert verify(entries(("verdict", "a", {"status": "kept"})), read_filter(asked), at_least(1)).kept


def test_the_nearest_are_those_that_differ_least_then_the_youngest() -> None:
    found = entries(
        ("event", "Clova.Ask", {"payload": {"n": 1, "lang": "ko"}}),
        ("event", "Clova.Ask", {"payload": {"n": 1, "lang": "ja"}}),
        ("event", "Clova.Other", {"payload": {"n": 2, "lang": "ko"}}),
        ("answer", "Clova.Ask", {"payload": {"n": 2, "lang": "ko"}}),
        ("event", "Clova.Ask", {"payload": {"n": 3, "lang": "ja"}}),
        ("ping", "get"),
    )
    near = nearest(found, read_filter("event Clova.Ask payload.n=2 payload.lang=ko"))
    assert [each.entry.number for each in near] == [1, 5, 2]
    assert [one.member for one in near[0].comparisons if not one.holds] == ["payload.n"]


@given(st.lists(st.sampled_from(["A.B", "A.C", "D.E"]), max_size=12), st.lists(st.integers(0, 2), max_size=12))
def test_the_nearest_are_found_as_if_all_had_been_looked_at(names: list[str], numbers: list[int]) -> None:
    """It stops at the third that cannot be outdone."""
    asked = read_filter("A.B payload.n=1")
    found = [
        Entry(number, "event", 0.0, 0.0, name=name, data={"payload": {"n": n}})
        for number, (name, n) in enumerate(zip(names, numbers, strict=False), 1)
    ]
    weights = {"kind": 4, "name": 4}
    all_scored = []
    for entry in found:
        failed = [weights.get(each.member, 1) for each in asked.compare(entry) if not each.holds]
        if 0 < len(failed) < 3:
            all_scored.append((sum(failed), -entry.number))
    best = sorted(all_scored)[:3]
    assert [-number for score, number in best if score < best[0][0] + 3] == [
        each.entry.number for each in nearest(found, asked)
    ]


@given(st.integers(0, 5), st.integers(0, 4), st.none() | st.integers(0, 4), st.booleans())
def test_what_was_dropped_never_makes_a_verdict_that_all_entries_would_not(
    dropped: int, low: int, more: int | None, gone: bool
) -> None:
    """With `gone`, kept is kept and broken is broken, however many of those that fit have been dropped."""
    times = Times(low, None if more is None else low + more)
    left = entries(("ping", "get"), ("ping", "get"), ("ping", "get"))
    verdict = verify(left, read_filter("ping"), times, gone=gone or dropped > 0)
    if verdict.status != "error":
        assert verdict.kept is times.fits(3 + dropped)


def test_the_same_entry_counts_once_in_an_order() -> None:
    assert verify_order(TALK, [ASK, ASK]).kept
    third = verify_order(TALK, [ASK, ASK, ASK])
    assert third.why == "number 3, Clova.Ask, did not come after event Clova.Ask (entry 4, +4.000)"


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
    with pytest.raises(VerificationError, match=r"nearest rule light: payload\.text: expected 불, got 물") as problem:
        verdict.raise_if_broken()
    assert problem.value.verdict is verdict
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
    assert verdict_from_json(json.loads(json.dumps(verdict.as_json()))) == verdict
    by_function = verify(TALK, read_filter(lambda entry: False), at_least(1))
    assert verdict_from_json(json.loads(json.dumps(by_function.as_json()))) == by_function


@given(
    st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=5), max_size=3)
)
def test_a_verdict_about_any_payload_is_the_same_json_again(payload: dict[str, object]) -> None:
    found = [entry._replace(at_s=1 / 3, wall_s=1e9 / 7) for entry in entries(("event", "A.B", {"payload": payload}))]
    said = json.loads(json.dumps(verify(found, read_filter("A.B payload.absent=1"), at_least(1)).as_json()))
    assert verdict_from_json(said).as_json() == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "found no member status"),
        ([], "expected a verdict"),
        ({"asked": "a", "status": "maybe", "why": "b"}, "status: found 'maybe', expected one of kept, broken, error"),
        ({"asked": "a", "status": "kept", "why": "b", "came": 5}, "expected a verdict"),
        ({"asked": "a", "status": "kept", "why": "b", "came": [{"kind": "evnt"}]}, "kind: found 'evnt'"),
        ({"asked": "a", "status": "kept", "why": "b", "nearest": [{}]}, "found no member comparisons"),
    ],
)
def test_what_is_no_verdict_is_told(value: Any, said: str) -> None:
    with pytest.raises(ValueError, match="expected") as problem:
        verdict_from_json(value)
    assert said in str(problem.value)


def test_the_error_goes_to_another_process_whole() -> None:
    """Entries hold what cannot be pickled."""
    error = VerificationError(verify(TALK, read_filter("Clova.Ask payload.text=불"), at_least(1)), no_findings(TALK))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.verdicts) == (str(error), error.verdicts)


def test_a_verdict_that_is_kept_raises_nothing() -> None:
    verdict = verify(TALK, ASK, at_least(1))
    assert verdict.raise_if_broken() is verdict


def test_a_name_that_is_nearly_one_of_cic_is_pointed_out() -> None:
    """Also where that it did not come is what was asked for."""
    came = [Entry(1, "event", 0.0, 0.0, name="SpeechRecognizer.Recognize", data={"payload": {}}), *TALK]
    asked = read_filter("SpeechRecognizer.Recognise")
    meant = "; there is no SpeechRecognizer.Recognise, did you mean SpeechRecognizer.Recognize?"
    missed = verify(came, asked, at_least(1))
    assert missed.why == f"it did not come{meant}"
    assert missed.nearest[0].entry is came[0], "the name that is nearly right, though others are younger"
    assert never(came, asked).why == f"it did not come{meant}"
    assert verify_order(came, [asked]).why.endswith(meant)
    assert never(came, read_filter("SpeechRecognizer.ConfirmWakeUp")).why == "it did not come"


def test_what_came_at_all_begins_with_messages_and_says_what_it_leaves_out() -> None:
    came = [Entry(number, "step", 0.0, 0.0, name=f"step {number}") for number in range(40)]
    lines = verify([*came, TALK[4]], read_filter("Clova.Never"), at_least(1)).others
    assert lines[0][1] == "directive Clova.Tell"
    assert lines[-1] == (21, "others, of 21 kinds or names")
