"""Payloads as JSON Schema: held to the examples, and to what an editor has to mark."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mockcic.cic.catalogue import catalogue
from mockcic.cic.field import MessageSpec
from mockcic.cic.payload_schema import payload_schema, type_definitions

MESSAGES = [
    pytest.param(spec, id=f"{spec.kind}-{name}")
    for there in (catalogue().events, catalogue().directives, catalogue().contexts)
    for name, spec in there.items()
]


DEFS = type_definitions()


def validator(spec: MessageSpec) -> Draft202012Validator:
    return Draft202012Validator({**payload_schema(spec), "$defs": DEFS})


def plain(value: Any) -> Any:
    return {name: plain(each) for name, each in value.items()} if hasattr(value, "items") else value


@pytest.mark.parametrize("spec", MESSAGES)
def test_every_example_fits_its_schema(spec: MessageSpec) -> None:
    """The header of interfaces.yaml: an example is a valid payload."""
    assert [error.message for error in validator(spec).iter_errors(plain(spec.example))] == []


def test_all_of_it_is_a_schema_of_the_draft() -> None:
    """JSON Schema draft 2020-12, as `mockcic schema` says in `$schema`."""
    payloads = {param.id: payload_schema(param.values[0]) for param in MESSAGES}
    Draft202012Validator.check_schema({"$defs": {**DEFS, **payloads}})


def test_every_reference_leads_somewhere() -> None:
    """An editor drops a schema with a reference that leads nowhere."""
    known = DEFS

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [each for value in node.values() for each in references(value)]
        return [each for value in node for each in references(value)] if isinstance(node, list) else []

    there = [payload_schema(spec) for spec in catalogue().directives.values()]
    assert {name.removeprefix("#/$defs/") for name in references([known, there])} <= known.keys()


@pytest.mark.parametrize(
    ("directive", "payload"),
    [
        ("SpeechSynthesizer.Speak", {"token": 1}),
        ("SpeechSynthesizer.Speak", {"format": "AUDIO_WAV"}),
        ("SpeechSynthesizer.Speak", {"x-clova-pause-before": -1}),
        ("SpeechSynthesizer.Speak", {"x-clova-pause-before": "soon"}),
        ("AudioPlayer.Play", {"audioItem": {"stream": {"urlPlayable": "yes"}}}),
        ("Clova.RenderTemplate", {"type": "Weather"}),
        ("Clova.RenderTemplate", {"type": "Text", "mainText": "안녕"}),
        ("Clova.RenderTemplate", {"type": "Reminder", "status": {"type": "string", "value": "LATER"}}),
        ("Settings.Update", {"configuration": {"VoiceTypeChange": 2}}),
    ],
)
def test_a_wrong_value_is_marked(directive: str, payload: dict[str, Any]) -> None:
    """The keys `type`, `enum`, `const`, `min` and `values` of the catalogue."""
    assert not validator(catalogue().directives[directive]).is_valid(payload)


@pytest.mark.parametrize(
    ("directive", "payload"),
    [
        ("SpeechSynthesizer.Speak", {}),
        ("SpeechSynthesizer.Speak", {"x-clova-pause-before": "{{ vars.pause }}", "format": "{{ vars.format }}"}),
        ("SpeechSynthesizer.Speak", {"somethingElse": 1}),
        ("AudioPlayer.Play", {"audioItem": "{% if vars.a %}{% endif %}"}),
        ("System.Exception", {"code": 418}),
        ("Clova.RenderTemplate", {"type": "Text", "mainText": {"type": "string", "value": "안녕"}}),
    ],
)
def test_what_the_mock_completes_or_fills_in_may_be_left_to_it(directive: str, payload: dict[str, Any]) -> None:
    """Nothing is required, templates may stand everywhere, payloads are open, `enum_open` takes others."""
    assert validator(catalogue().directives[directive]).is_valid(payload)
