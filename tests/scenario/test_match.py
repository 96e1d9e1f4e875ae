"""Matching: every member a rule can ask for, and the rules that came nearest."""

from __future__ import annotations

from typing import Any

import pytest

from mockcic.cic.facts import Sound
from mockcic.cic.message import Context, Event
from mockcic.scenario.conditions import MISSING
from mockcic.scenario.match import PENDING, Match, Subject, first_fit, match, nearest
from mockcic.scenario.model import Rule

EVENT = Event(
    "SpeechRecognizer",
    "Recognize",
    "m1",
    {"lang": "ko", "initiator": {"type": "TAP"}, "list": [{"x": 1}], "x-clova-y": 2, "a.b": 3},
    "d1",
    (Context("Speaker", "VolumeState", {"volume": 7, "muted": False}),),
)


def subject(**changes: Any) -> Subject:
    values: dict[str, Any] = {
        "event": EVENT,
        "headers": {"user-agent": "Acme/Desk/1.0.0 (OS;HW)"},
        "sound": Sound(size=32_000, seconds=1.0, level_dbfs=-12.0, sha256="ab"),
        "state": "asked",
        "vars": {"city": "서울"},
        "counts": {"SpeechRecognizer.Recognize": 2},
        "device": lambda: {"token": "t", "tags": ["beta"], "user_agent": "Acme"},
    }
    return Subject(**{**values, **changes})


def held(rule: dict[str, Any], *, uses: int = 0, **changes: Any) -> Match:
    return match(Rule.model_validate({"event": "*", **rule}), 0, uses, subject(**changes), lambda value: value)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("payload.lang", "ko"),
        ("payload.initiator.type", "TAP"),
        ("payload.list.0.x", 1),
        ("payload.x-clova-y", 2),
        ("payload.a.b", 3),
        ("payload.list.1", MISSING),
        ("payload.lang.x", MISSING),
        ("header.dialogRequestId", "d1"),
        ("header.messageId", "m1"),
        ("context.Speaker.VolumeState.volume", 7),
        ("context.Speaker.VolumeState", {"volume": 7, "muted": False}),
        ("context.Alerts.AlertsState", MISSING),
        ("request.User-Agent", "Acme/Desk/1.0.0 (OS;HW)"),
        ("request.x-nothing", MISSING),
        ("audio.present", True),
        ("audio.seconds", 1.0),
        ("audio.duration", 1.0),
        ("audio.bytes", 32_000),
        ("audio.level", -12.0),
        ("audio.sha256", "ab"),
        ("vars.city", "서울"),
        ("count.SpeechRecognizer.Recognize", 2),
        ("count.TextRecognizer.Recognize", 0),
        ("state", "asked"),
        ("device.tags", ["beta"]),
        ("nonsense.x", MISSING),
    ],
)
def test_a_member_is_found(member: str, value: object) -> None:
    assert subject().member(member) == value


def test_without_an_audio_part_nothing_but_its_absence_is_known() -> None:
    assert subject(sound=None).member("audio.present") is False
    assert subject(sound=None).member("audio.seconds") is MISSING


def test_sound_that_still_comes_in_holds_up_no_rule() -> None:
    """Which rule decides what happens while uploading (docs/scenarios.md)."""
    rule = {"when": {"audio.seconds": {"min": 99}, "payload.lang": "ko"}}
    assert held(rule, sound=PENDING).fits
    assert not held(rule).fits


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("SpeechRecognizer.Recognize", True),
        ("SpeechRecognizer.*", True),
        ("*.Recognize", True),
        ("*", True),
        ("SpeechRecognizer.Recogni?e", True),
        (["Alerts.*", "Speech*.*"], True),
        ("speechrecognizer.recognize", False),
        ("TextRecognizer.*", False),
    ],
)
def test_an_event_is_named_with_wildcards(pattern: Any, fits: bool) -> None:
    assert held({"event": pattern}).fits is fits


def test_every_miss_is_told() -> None:
    found = held(
        {"event": "Alerts.*", "in": ["a", "b"], "times": 1, "when": {"payload.lang": "en", "payload.z": 1}}, uses=1
    )
    assert [str(each) for each in found.misses] == [
        "event: expected Alerts.*, got SpeechRecognizer.Recognize",
        "state: expected a or b, got asked",
        "times: expected at most 1, got 1 already",
        'payload.lang: expected "en", got "ko"',
        "payload.z: expected 1, got absent",
    ]


def test_the_first_in_file_order_wins_and_the_nearest_are_sorted() -> None:
    rules = [
        Rule.model_validate({"name": "far", "event": "Alerts.AlertStarted"}),
        Rule.model_validate({"name": "kin", "event": "SpeechRecognizer.Other"}),
        Rule.model_validate({"name": "two off", "event": "*", "when": {"payload.lang": "en", "payload.z": 1}}),
        Rule.model_validate({"name": "one off", "event": "*", "when": {"payload.lang": "en"}}),
    ]
    matches = [match(rule, number, 0, subject(), lambda value: value) for number, rule in enumerate(rules)]
    assert first_fit(matches) is None
    assert [each.rule.name for each in nearest(matches, EVENT.full_name)] == ["one off", "two off", "kin"]
