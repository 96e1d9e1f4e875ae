"""The language as JSON Schema: what loads is valid, what does not is not, and the shipped file is the code's."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mockcic.cic.catalogue import catalogue
from mockcic.cic.payload_schema import type_definitions
from mockcic.cli.schema import schema_text
from mockcic.scenario.files import BUILTIN
from mockcic.scenario.load import load_text
from mockcic.scenario.schema import scenario_schema
from mockcic.scenario.source import Source

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "scenarios").glob("*.yaml"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """As generated."""
    return scenario_schema()


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """An editor's view."""
    return Draft202012Validator(schema)


def faults(validator: Draft202012Validator, text: str) -> list[list[Any]]:
    """Where the schema finds something wrong."""
    source = Source("x", dedent(text))
    assert source.problems == []
    return [list(error.absolute_path) for error in validator.iter_errors(source.values)]


def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    """JSON Schema 2020-12."""
    Draft202012Validator.check_schema(schema)


def test_it_is_the_same_each_time(schema: dict[str, Any]) -> None:
    """So that the shipped file changes only with the language."""
    assert json.dumps(scenario_schema()) == json.dumps(schema)


def test_docs_have_the_schema_of_this_version() -> None:
    """docs/scenario.schema.json, which every shipped scenario names."""
    shipped = (ROOT / "docs" / "scenario.schema.json").read_text(encoding="utf-8")
    assert shipped == schema_text(), "run: python docs/generate.py"


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    """Also those of payloads to the types of the catalogue."""
    references: set[str] = set()

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                references.add(value["$ref"])
            for member in value.values():
                walk(member)
        elif isinstance(value, list):
            for member in value:
                walk(member)

    walk(schema)
    assert {reference.removeprefix("#/$defs/") for reference in references} <= set(schema["$defs"])
    assert set(type_definitions()) <= set(schema["$defs"])


@pytest.mark.parametrize("path", [*SHIPPED, *sorted(BUILTIN.glob("*.yaml"))], ids=lambda path: path.stem)
def test_every_shipped_scenario_is_valid(validator: Draft202012Validator, path: Path) -> None:
    """Those of the package too."""
    assert faults(validator, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_scenario_carries_the_line_for_editors(path: Path) -> None:
    """Relative, so that it works in any checkout."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == ROOT / "docs" / "scenario.schema.json"


FIRST_DRAWN = """\
    scenario: weather
    about: One spoken question, one spoken answer, one push later.
    profile: "2021"
    on:
      - event: SpeechRecognizer.Recognize
        when: {payload.lang: ko}
        while_uploading:
          - after: {audio: 1.0s}
            push: SpeechRecognizer.StopCapture
        reply:
          - SpeechSynthesizer.Speak: {ttsText: 오늘은 맑아요, audio: audio/sunny.mp3}
          - Clova.RenderText: {text: 오늘은 맑아요}
      - event: SpeechSynthesizer.SpeechFinished
        reply: none                       # 204
      - event: TextRecognizer.Recognize
        when: {payload.text: {matches: "boom"}}
        exception: {code: 500, description: Internal server error}
    downchannel:
      - after: 30s
        push: Notifier.SetIndicator
"""


def test_the_language_as_first_drawn_is_valid_and_loads(validator: Draft202012Validator, tmp_path: Path) -> None:
    """Only the push without its payload is warned of."""
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "sunny.mp3").touch()
    assert faults(validator, FIRST_DRAWN) == []
    warnings = load_text(dedent(FIRST_DRAWN), folder=tmp_path).warnings
    assert [warning.what.partition(" are missing in ")[2] for warning in warnings] == ["Notifier.SetIndicator"]


EVERYTHING = """\
    scenario: everything
    for: {token: a*, user_agent: ["*/Desk/*"]}
    profile: 2021
    settings:
      hello: 2s
      stop_capture: {silence: 600ms}
      ping: {after: 6s}
      limits: {body: 5MiB, json: 100000, upload_time: 1m}
      downchannel_window: "off"
      multipart: {subtype: form-data}
    tokens: [one, two]
    include: part.yaml
    vars: {a: 1, b: [x]}
    replies:
      one: Clova.Hello
      two: [{use: one}, {wait: "{{ vars.a }}s"}, {push: Clova.Hello}, {set: {a: 2}, go: start}]
    start: start
    on:
      - event: [TextRecognizer.Recognize, "Alerts.*"]
        name: it
        in: start
        times: 2
        delay: 100ms
        when:
          payload.text: [a, b]
          payload.anything.else: {not: {contains: {x: 1}}}
          audio.seconds: {min: 1s, max: 3}
          state: start
          vars.a: null
          request.user-agent: {matches: x}
        in_turn:
          - reply: none
          - exception: {code: 503, headers: {retry-after: "1"}}
          - raw: {status: 200, body: hi}
        afterwards:
          - {after: 1s, every: 2s, times: 3, push: [{wait: 1s}, {use: one}]}
      - event: SpeechRecognizer.Recognize
        while_uploading:
          - {after: {audio: 1s, time: 200ms}, answer: now}
        cycle:
          - reply:
              - SpeechSynthesizer.Speak: {audio: {tone: 440, duration: 1s, as: wav, rate: 4KB/s}}
                dialogRequestId: none
                messageId: m
              - SpeechSynthesizer.Speak:
                audio: {silence: 1s}
              - AudioPlayer.Play: {audioItem: "{{ vars.a }}"}
              - Notifier.Notify: {assets: [{assetId: d, url: "{{ cid.d }}"}]}
                attach: {d: d.mp3}
              - directive: Vendor.Secret
                payload: {x: 1}
    downchannel:
      - {after: {event: "Alerts.*"}, set: {a: 1}}
    otherwise: 204
"""


def test_every_form_of_the_language_is_valid(validator: Draft202012Validator) -> None:
    """Short forms too."""
    assert faults(validator, EVERYTHING) == []


def test_a_part_needs_no_name_but_has_only_what_counts(validator: Draft202012Validator) -> None:
    """As `load` has it."""
    assert faults(validator, "vars: {a: 1}\non: []") == []
    assert faults(validator, "tokens: []\non: []") != []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("scenario: a\nno: 1", []),
        ("scenario: 날씨", ["scenario"]),
        ("scenario: a\nprofile: 2018", ["profile"]),
        ("scenario: a\nsettings: {hello: soon}", ["settings", "hello"]),
        ("scenario: a\nsettings: {stop_grace: 5}", ["settings", "stop_grace"]),
        ("scenario: a\non: [{reply: none}]", ["on", 0]),
        ("scenario: a\non: [{event: TextRecognizer.Recognise}]", ["on", 0, "event"]),
        ("scenario: a\non: [{event: '*', when: {paylod.x: 1}}]", ["on", 0, "when"]),
        ("scenario: a\non: [{event: '*', when: {payload.x: {}}}]", ["on", 0, "when", "payload.x"]),
        ("scenario: a\non: [{event: '*', reply: none, exception: {}}]", ["on", 0]),
        ("scenario: a\non: [{event: '*', reply: SpeechSynthesizer.Speek}]", ["on", 0, "reply"]),
        ("scenario: a\non: [{event: '*', reply: [{SpeechSynthesizer.Speek: {}}]}]", ["on", 0, "reply"]),
        ("scenario: a\non: [{event: '*', reply: [{Clova.RenderText: {text: 5}}]}]", ["on", 0, "reply"]),
        ("scenario: a\non: [{event: '*', reply: [{wait: 1s, use: x}]}]", ["on", 0, "reply"]),
        ("scenario: a\non: [{event: '*', reply: [{Clova.Hello: {}, go: x}]}]", None),
        ("scenario: a\non: [{event: '*', reply: [{audio: a.mp3}]}]", ["on", 0, "reply"]),
        ("scenario: a\non: [{event: '*', reply: [{SpeechSynthesizer.Speak: {audio: {}}}]}]", ["on", 0, "reply"]),
        ("scenario: a\ndownchannel: [{after: 3s}]", ["downchannel", 0]),
        ("scenario: a\ndownchannel: [{after: 3, push: Clova.Hello}]", ["downchannel", 0, "after"]),
    ],
)
def test_what_does_not_load_is_not_valid(validator: Draft202012Validator, text: str, where: list[Any] | None) -> None:
    """Told at the nearest place an editor can mark."""
    found = faults(validator, text)
    assert found
    assert where is None or where in found


def test_an_editor_completes_every_directive_and_event(schema: dict[str, Any]) -> None:
    """In a list as a name, in a mapping as a key."""
    names, mapping = schema["$defs"]["Step"]["anyOf"]
    assert set(names["enum"]) == set(catalogue().directives)
    assert set(catalogue().directives) <= set(mapping["properties"])
    assert set(schema["$defs"]["Event"]["anyOf"][0]["enum"]) == set(catalogue().events)


def test_defaults_are_written_as_a_person_would(schema: dict[str, Any]) -> None:
    """A duration with its unit."""
    assert schema["$defs"]["Settings"]["properties"]["stop_grace"]["default"] == "5s"
