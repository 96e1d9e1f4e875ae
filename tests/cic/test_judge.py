"""Payloads against the catalogue: each key of a field spec, by a member of the guide that has it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest

from mockcic.cic.catalogue import Catalogue, TemplateSpec, catalogue
from mockcic.cic.field import FieldSpec, MessageSpec
from mockcic.cic.issue import Issue
from mockcic.cic.message import Context, Event

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def cic() -> Catalogue:
    return catalogue()


def spec_of(name: str) -> MessageSpec:
    """The directive, context or event of this name."""
    cic = catalogue()
    return next(there[name] for there in (cic.directives, cic.contexts, cic.events) if name in there)


def judged(name: str, change: Change) -> list[Issue]:
    """The issues of the example of a message after a change."""
    spec = spec_of(name)
    payload = copy.deepcopy(dict(spec.example))
    change(payload)
    return catalogue().judge(spec, payload)


def put(*path: Any, value: Any) -> Change:
    """Set what is at `path`."""

    def change(payload: dict[str, Any]) -> None:
        place: Any = payload
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def drop(*path: Any) -> Change:
    """Take away what is at `path`."""

    def change(payload: dict[str, Any]) -> None:
        place: Any = payload
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


def only(**members: Any) -> Change:
    """These members and no others."""

    def change(payload: dict[str, Any]) -> None:
        payload.clear()
        payload.update(members)

    return change


SPEAK = "SpeechSynthesizer.Speak"
PLAY = "AudioPlayer.Play"
STATE = "Device.DeviceState"
STREAM = ("audioItem", "stream")

ERRORS = [
    (SPEAK, put("token", value=7), ("token",), "type"),
    (SPEAK, put("token", value=None), ("token",), "null"),
    (SPEAK, drop("token"), ("token",), "missing"),
    (SPEAK, put("ttsLang", value="kr"), ("ttsLang",), "enum"),
    (SPEAK, put("format", value="AUDIO_WAV"), ("format",), "enum"),
    (SPEAK, put("url", value="sunny.mp3"), ("url",), "format"),
    (SPEAK, put("url", value="cid:"), ("url",), "format"),
    (SPEAK, put("token", value="a" * 2049), ("token",), "length"),
    (SPEAK, put("token", value="가" * 683), ("token",), "length"),
    (SPEAK, put("x-clova-pause-before", value=-1), ("x-clova-pause-before",), "range"),
    (SPEAK, put("x-clova-pause-before", value=True), ("x-clova-pause-before",), "type"),
    (SPEAK, put("x-clova-pause-before", value=10.0), ("x-clova-pause-before",), "type"),
    (SPEAK, put("x-clova-pause-before", value="10"), ("x-clova-pause-before",), "type"),
    (PLAY, put(*STREAM, "urlPlayable", value="true"), (*STREAM, "urlPlayable"), "type"),
    (PLAY, put(*STREAM, "url", value="/0007.mp3"), (*STREAM, "url"), "format"),
    (PLAY, put(*STREAM, value=[]), STREAM, "type"),
    (PLAY, drop(*STREAM, "token"), (*STREAM, "token"), "missing"),
    ("Alerts.SetAlert", put("scheduledTime", value="2026-03-02T19:30:00"), ("scheduledTime",), "format"),
    ("Alerts.SetAlert", put("scheduledTime", value="2026-02-30T19:30:00Z"), ("scheduledTime",), "format"),
    ("Alerts.SetAlert", put("assets", 1, "url", value="bell"), ("assets", 1, "url"), "format"),
    ("Alerts.SetAlert", put("assetPlayOrder", 0, value=1), ("assetPlayOrder", 0), "type"),
    ("Settings.Update", put("configuration", "VoiceTypeChange", value=2), ("configuration", "VoiceTypeChange"), "type"),
    (STATE, put("wifi", "actions", 0, value="SetValue"), ("wifi", "actions", 0), "enum"),
    (STATE, put("wifi", "state", value=True), ("wifi", "state"), "type"),
    (STATE, put("battery", value={"actions": [], "charging": True, "value": 101}), ("battery", "value"), "range"),
    (
        "Device.Audio",
        put("acceptContentType", 0, "fileExtension", value="WAV"),
        ("acceptContentType", 0, "fileExtension"),
        "pattern",
    ),
    ("Device.Display", only(size="custom", dpi=160, orientation="portrait"), ("contentLayer",), "missing"),
    ("Device.Display", only(size="s100", dpi=160), ("orientation",), "missing"),
    ("AudioPlayer.ReportPlaybackState", drop("token"), ("token",), "missing"),
    ("DeviceControl.ExpectReportState", only(intervalInSeconds=3), ("durationInSeconds",), "missing"),
    ("DeviceControl.BtConnect", only(address="0c:ae:7d:11:22:33"), (), "form"),
    ("DeviceControl.BtDisconnect", only(role="sink"), (), "form"),
    ("AudioPlayer.StreamDeliver", drop("audioStream", "url"), ("audioStream", "url"), "missing"),
    ("AudioPlayer.StreamDeliver", put("audioStream", "urlPlayable", value=1), ("audioStream", "urlPlayable"), "type"),
    ("Clova.RenderTemplate", put("type", value="Weather"), ("type",), "enum"),
    ("Clova.RenderTemplate", drop("type"), ("type",), "missing"),
    ("Clova.RenderTemplate", put("token", value="t"), ("token",), "type"),
    ("Clova.RenderTemplate", put("token", "type", value="text"), ("token", "type"), "enum"),
    ("Clova.RenderTemplate", put("emoji", value={"type": "url", "value": ""}), ("emoji", "type"), "enum"),
]


@pytest.mark.parametrize(("name", "change", "path", "code"), ERRORS)
def test_a_departure_is_one_error_at_its_place(name: str, change: Change, path: tuple[Any, ...], code: str) -> None:
    """The keys of a field spec as the header of interfaces.yaml defines them."""
    errors = [issue for issue in judged(name, change) if issue.severity == "error"]
    assert [(issue.path, issue.code) for issue in errors] == [(path, code)]
    assert errors[0].found
    assert errors[0].expected


WARNINGS = [
    (SPEAK, put("tokn", value=""), ("tokn",), "unknown-member"),
    (PLAY, put(*STREAM, "bitrate", value=128), (*STREAM, "bitrate"), "unknown-member"),
    (PLAY, drop("audioItem", "titleText"), ("audioItem", "titleText"), "missing"),
    ("System.Exception", put("code", value=418), ("code",), "enum"),
    ("DeviceControl.TurnOn", put("target", value="lamp"), ("target",), "enum"),
    ("Alerts.SetAlert", put("type", value="ALARM"), ("assets",), "condition"),
    ("AudioPlayer.PlaybackState", drop("stream"), ("stream",), "missing"),
]


@pytest.mark.parametrize(("name", "change", "path", "code"), WARNINGS)
def test_what_the_guide_is_not_sure_of_is_a_warning(
    name: str, change: Change, path: tuple[Any, ...], code: str
) -> None:
    """`soft`, `enum_open`, and members the tables do not list (the header of interfaces.yaml)."""
    before = {(issue.path, issue.code) for issue in judged(name, lambda payload: None)}
    issues = [issue for issue in judged(name, change) if (issue.path, issue.code) not in before]
    assert (issues[0].path, issues[0].code) == (path, code)
    assert {issue.severity for issue in issues} == {"warning"}


GOOD = [
    (SPEAK, put("token", value="가" * 682)),
    (SPEAK, put("url", value="")),
    (SPEAK, put("url", value="https://media.example.test/날씨.mp3")),
    ("Alerts.SetAlert", put("scheduledTime", value="2026-03-02T19:30:00.5Z")),
    ("DeviceControl.BtConnect", only()),
    ("DeviceControl.BtConnect", only(role="sink")),
    ("AudioPlayer.ReportPlaybackState", only(playerActivity="IDLE", repeatMode="NONE")),
    ("AudioPlayer.StreamDeliver", put("audioStream", value={"url": "https://media.example.test/1.mp3"})),
    ("Clova.RenderTemplate", put("token", "value", value=None)),
    ("Device.Display", only(size="s100", dpi=160, orientation="portrait")),
]


@pytest.mark.parametrize(("name", "change"), GOOD)
def test_what_is_allowed_has_no_issue(name: str, change: Change) -> None:
    """Limits included, an empty string in place of a format, null where it may be, forms, partial types."""
    assert judged(name, change) == []


def test_a_member_nearly_right_is_recognised() -> None:
    """Did you mean."""
    assert [issue.mend for issue in judged(SPEAK, put("ttslang", value="ko"))] == ["did you mean ttsLang?"]


def test_of_several_types_the_nearest_is_judged(cic: Catalogue) -> None:
    """`type` may be a list: any of them (an appointment lasts from a time or a day)."""
    spec = cic.directives["Clova.RenderTemplate"]
    base: dict[str, Any] = {name: spec.example[name] for name in ("failureMessage", "meta")} | {"type": "Schedule"}
    day = {"type": "date", "value": "2026-03-02"}
    assert cic.judge(spec, {**base, "start": day}) == []
    wrong = cic.judge(spec, {**base, "start": {**day, "value": "tomorrow"}})
    assert [(issue.path, issue.code) for issue in wrong] == [(("start", "value"), "pattern")]


@pytest.mark.parametrize("value", ["LATER", 3])
def test_the_content_of_a_template_object_is_judged(cic: Catalogue, value: Any) -> None:
    """`value_enum` is about the member `value` of the object."""
    spec = cic.directives["Clova.RenderTemplate"]
    payload = {**spec.example, "type": "Reminder", "status": {"type": "string", "value": value}}
    assert [issue.path for issue in cic.judge(spec, payload)] == [("status", "value")]


def test_nothing_is_said_about_a_template(cic: Catalogue) -> None:
    """What is filled in later may turn out to be anything, and what depends on it cannot be said either."""

    def is_template(value: object) -> bool:
        return isinstance(value, str) and "{{" in value

    def judge(name: str, payload: object) -> list[Issue]:
        return cic.judge(spec_of(name), payload, is_template=is_template)

    assert (
        judge(SPEAK, {"format": "{{ a }}", "token": "{{ a }}", "url": "{{ a }}", "x-clova-pause-before": "{{ a }}"})
        == []
    )
    assert judge(SPEAK, "{{ payload }}") == []
    assert judge("Device.Display", {"size": "{{ size }}"}) == []
    assert judge("Clova.RenderTemplate", {"type": "{{ type }}", "anything": 1}) == []
    assert judge("AudioPlayer.ReportPlaybackState", {"playerActivity": "{{ a }}", "repeatMode": "NONE"}) == []


@pytest.mark.parametrize("payload", [None, [], "text", 1])
def test_a_payload_is_an_object(cic: Catalogue, payload: object) -> None:
    """PROTOCOL 3.2, 4.1."""
    assert [issue.code for issue in cic.judge(cic.directives[SPEAK], payload)] == ["type"]


def sample(cic: Catalogue, spec: FieldSpec) -> Any:
    """The smallest value with every member there is."""
    if spec.enum:
        return spec.enum[0]
    name = spec.types[0]
    if name in cic.types:
        made = sample(cic, cic.types[name])
        if spec.value_enum:
            made["value"] = spec.value_enum[-1]
        elif spec.value_pattern:
            made["value"] = "1"
        return made
    match name:
        case "object":
            return {each: sample(cic, inner) for each, inner in (spec.fields or {}).items()}
        case "array":
            return [sample(cic, spec.items)] if spec.items else []
        case "number":
            return 1
    return ""


@pytest.mark.parametrize("template", catalogue().templates.values(), ids=lambda template: template.name)
def test_every_content_template_can_be_written(cic: Catalogue, template: TemplateSpec) -> None:
    """Each template with all its members and the common ones is a payload of Clova.RenderTemplate."""
    payload = {name: sample(cic, spec) for name, spec in cic.members_of_template(template).items()}
    payload["meta"] = {"version": {"type": "string", "value": "v0.1"}}
    issues = cic.judge(cic.directives["Clova.RenderTemplate"], payload)
    assert [issue for issue in issues if issue.code != "deprecated"] == []


def event(name: str, payload: Any = None, *contexts: Context, dialogue: str | None = None) -> Event:
    namespace, _, own = name.partition(".")
    example = catalogue().events[name].example if name in catalogue().events else {}
    return Event(namespace, own, "m", example if payload is None else payload, dialogue, contexts)


def test_an_event_is_judged_with_its_header_and_its_contexts(cic: Catalogue) -> None:
    """PROTOCOL 3.2: dialogRequestId is mandatory in both Recognize events; contexts are open like payloads."""
    contexts = (
        Context("Speaker", "VolumeState", {"volume": "5", "muted": False}),
        Context("Speaker", "Volumestate", {}),
    )
    issues = cic.judge_event(event("TextRecognizer.Recognize", {"txt": "hi"}, *contexts))
    assert [(issue.path, issue.code, issue.severity) for issue in issues] == [
        (("header", "dialogRequestId"), "missing", "error"),
        (("payload", "txt"), "unknown-member", "warning"),
        (("payload", "text"), "missing", "error"),
        (("context", "Speaker.VolumeState", "volume"), "type", "error"),
        (("context", "Speaker.Volumestate"), "unknown-context", "warning"),
    ]
    assert issues[-1].mend == "did you mean Speaker.VolumeState?"


def test_a_good_event_and_one_of_another_world_have_no_issues(cic: Catalogue) -> None:
    """The seed sends one context and no more (PROTOCOL 0); of an unknown event nothing is known."""
    assert cic.judge_event(event("SpeechRecognizer.Recognize", dialogue="d1")) == []
    assert cic.judge_event(event("Weather.Changed", {"a": 1})) == []


def test_a_flood_of_departures_is_told_in_part(cic: Catalogue) -> None:
    """An event of a broken device must not hold up the others: 20 issues of one object or array (INF)."""
    members = {f"member{number}" * 50: number for number in range(100_000)}
    assert len(cic.judge_event(event("TextRecognizer.Recognize", {"text": "a", **members}, dialogue="d"))) == 20


def test_a_deep_value_is_shown_in_part(cic: Catalogue) -> None:
    """A value that cannot be printed whole is no reason to fail."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    (issue,) = cic.judge(cic.directives[SPEAK], {**cic.directives[SPEAK].example, "token": deep})
    assert len(issue.found) < 100


def test_a_mapping_that_is_no_dict_is_an_object(cic: Catalogue) -> None:
    """Examples of the catalogue and templates bring such."""
    stream = MappingProxyType(dict(cic.directives[PLAY].example["audioItem"]))
    assert [
        i
        for i in cic.judge(cic.directives[PLAY], {**cic.directives[PLAY].example, "audioItem": stream})
        if i.severity == "error"
    ] == []
