"""The verdict as a value: what counts, its texts, its JSON, other limits, rules of one's own."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator

import pytest

from mockcic.verdict.conformance import (
    RULES,
    ConformanceError,
    LimitError,
    Limits,
    Rule,
    judge,
    read_conformance,
    read_limits,
    rules_but,
)
from mockcic.verdict.conformance.rule import Broken, Case, Kept
from mockcic.verdict.conformance.story import Story
from tests.support.story import TEXT, Life


def a_wrong_life() -> Life:
    return Life().connect().open().tell(1.0, TEXT, {"text": 5}, dialogue="d1")


def a_life_against_advice() -> Life:
    return Life().connect().open().tell(1.0, "TextRecognizer.Recognise")


def test_a_break_that_counts_is_not_ok_and_one_against_advice_is() -> None:
    assert not judge(a_wrong_life()).ok
    advised = judge(a_life_against_advice())
    assert advised.ok
    assert [each.rule.id for each in advised.broken] == ["message.known"]
    with pytest.raises(ConformanceError, match=r"message\.known"):
        advised.raise_if_broken(warnings=True)


def test_a_text_says_what_was_found_and_how_to_mend_it() -> None:
    text = judge(a_wrong_life()).text()
    assert "broken    message.payload: Payloads are as the guide has them." in text
    assert "found     TextRecognizer.Recognize payload.text: an integer 5  (entry 4)" in text
    assert "mend " in text
    assert "basis     G: interfaces.yaml" in text


def test_json_goes_there_and_back() -> None:
    for verdict in (judge(a_wrong_life()), judge(a_life_against_advice(), read_limits({"streams": "off"}))):
        value = json.loads(json.dumps(verdict.as_json(), allow_nan=False))
        assert read_conformance(value).as_json() == verdict.as_json()


@pytest.mark.parametrize("value", [{}, {"limits": {}, "devices": [1]}, {"limits": [], "devices": []}])
def test_json_of_something_else_is_none(value: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected a conformance verdict"):
        read_conformance(value)


def test_an_error_goes_from_one_process_to_another() -> None:
    with pytest.raises(ConformanceError) as caught:
        judge(a_wrong_life()).raise_if_broken()
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_nobody_keeps_no_rule() -> None:
    """A job whose device never came must not pass."""
    with pytest.raises(ConformanceError, match="no device came"):
        judge([]).raise_if_broken()
    assert judge([]).verdict().status == "error"


def test_a_device_that_was_never_let_in_is_judged_too() -> None:
    life = Life().connect()
    life.refused(1.0, "GET /v1/directives", 401, "no bearer token", device="", request={"user-agent": "curl/8"})
    (device,) = judge(life).devices
    assert device.device == ""
    assert {"headers.token", "headers.user-agent"} <= {each.rule.id for each in device.broken}


def test_devices_are_judged_each_for_itself() -> None:
    life = a_wrong_life()
    life.add("downchannel", 2.0, "open", device="…77ab", connection="c2", stream="c2.1", replaced=False, request={})
    judged = judge(life)
    assert [device.device for device in judged.devices] == ["…4f2a", "…77ab"]
    assert [device.device for device in judge(life, device="…77ab").devices] == ["…77ab"]
    with pytest.raises(ValueError, match="found 2 devices"):
        judged.rule("message.payload")


def test_rules_can_be_left_out_but_not_such_as_there_are_not() -> None:
    assert not [rule for rule in rules_but(["connection.*"]) if rule.id.startswith("connection.")]
    assert judge(a_wrong_life(), rules=rules_but("message.payload")).ok
    with pytest.raises(LimitError, match=r"did you mean message\.payload\?"):
        rules_but(["message.payloads"])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"stop_within": 1}, "did you mean stop_within_s"),
        ({"stop_within_s": "soon"}, "found 'soon', expected a number, or off"),
        ({"stop_within_s": -1}, "expected a number from 0 up"),
        ({"stop_within_s": "nan"}, "expected a number from 0 up"),
    ],
)
def test_a_limit_that_is_none_is_told(values: dict[str, object], says: str) -> None:
    with pytest.raises(LimitError, match=says):
        read_limits(values)


def test_limits_are_read_from_texts() -> None:
    assert read_limits({"stop_within_s": "1.5"}) == Limits(stop_within_s=1.5)


def test_a_rule_of_ones_own_stands_beside_the_others() -> None:
    def polite(story: Story, limits: Limits) -> Iterator[Case]:
        for event in story.events_named(TEXT):
            text = str(event.payload.get("text", ""))
            yield Kept(event.number) if text.endswith("요") else Broken(repr(text), "a polite form", (event.number,))

    rule = Rule("house.polite", "It speaks politely.", "INF", "our own taste", "error", "say 요", polite)
    life = Life().connect().open().tell(1.0, TEXT, {"text": "불 켜 줘"}, dialogue="d1")
    assert judge(life, rules=[*RULES, rule]).rule("house.polite").status == "broken"


def test_a_map_tells_which_contexts_came_with_which_event() -> None:
    volume = {"Speaker.VolumeState": {"volume": 3, "muted": False}}
    life = Life().connect().open().tell(1.0, "Settings.Report", contexts=volume).tell(2.0, "Settings.Report")
    life.tell(3.0, "Alerts.AlertStarted", {"token": "a1", "type": "ALARM"}, contexts=volume)
    rows = judge(life).devices[0].contexts.rows
    assert rows["Settings.Report"]["Speaker.VolumeState"] == {"sent": 1, "missing": 1}
    assert rows["Alerts.AlertStarted"]["Alerts.AlertsState"] == {"missing": 1}
    assert rows["Alerts.AlertStarted"]["Clova.Location"] == {"absent": 1}
