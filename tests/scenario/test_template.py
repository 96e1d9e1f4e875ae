"""Templates: types kept, names as documented, and nothing but what is given can be reached."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from mockcic.cic.message import Context, Event
from mockcic.scenario.effects import ReplyDirective
from mockcic.scenario.template import RenderError, check_template, render
from tests.support.life import Begin, recognize, text_event

NAMES: dict[str, Any] = {
    "vars": {"n": 2, "list": [1, 2], "text": "7"},
    "now": datetime(2026, 3, 2, 9, 4, 30, tzinfo=UTC),
    "random": Random(1),
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("{{ vars.n + 1 }}", 3),
        ("{{ vars.list }}", [1, 2]),
        ("{{ vars.text }}", "7"),
        ("{{ vars.n }} {{ vars.n }}", "2 2"),
        ("a {{ vars.n }}", "a 2"),
        ("{% if vars.n > 1 %}many{% else %}one{% endif %}", "many"),
        ("{{ vars.n ~ '' }}", "2"),
        ("{{ now | iso }}", "2026-03-02T09:04:30Z"),
        ("{{ now | plus('8h') | iso('+09:00') }}", "2026-03-03T02:04:30+09:00"),
        ("{{ now | minus('30s') | iso('-03:30') }}", "2026-03-02T05:34:00-03:30"),
        ("{{ {'a': 1} }}", {"a": 1}),
    ],
)
def test_a_single_expression_keeps_its_type(text: str, value: object) -> None:
    assert render(text, NAMES) == value


def test_values_are_filled_however_deep() -> None:
    assert render({"a": ["{{ vars.n }}", {"b": "{{ vars.n }}!"}]}, NAMES) == {"a": [2, {"b": "2!"}]}


@pytest.mark.parametrize(
    "text",
    [
        "{{ nothing }}",
        "{{ vars.nothing }}",
        "{{ vars.n / 0 }}",
        "{{ vars.list[9] }}",
        "{{ now | plus('soon') }}",
        "{{ now | iso('Seoul') }}",
    ],
)
def test_what_cannot_be_made_says_why(text: str) -> None:
    with pytest.raises(RenderError) as caught:
        render(text, NAMES)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ vars.__class__ }}",
        "{{ random.__init__.__globals__ }}",
        "{{ now.__reduce__() }}",
        "{{ vars.list.append(3) }}",
        "{{ range(10**9) | list }}",
        "{{ ''.format.__func__ }}",
    ],
)
def test_the_sandbox_lets_nothing_out_and_changes_nothing(text: str) -> None:
    with pytest.raises(RenderError):
        render(text, NAMES)
    assert NAMES["vars"]["list"] == [1, 2]


@pytest.mark.parametrize("text", ["{{ vars.n", "{{ }}", "{% if x %}", "{{ 1 + }}", "{% nonsense %}"])
def test_grammar_is_checked_without_running(text: str) -> None:
    assert check_template(text)


@pytest.mark.parametrize("text", ["{{ vars.n }}", "plain", "{{ later }}"])
def test_good_grammar_is_good_whatever_the_names(text: str) -> None:
    assert check_template(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ event.name }}", "TextRecognizer.Recognize"),
        ("{{ event.header.dialogRequestId }}", "d1"),
        ("{{ event.payload.text }}", "안녕"),
        ("{{ event.context['Speaker.VolumeState'].volume }}", 7),
        ("{{ request['user-agent'] }}", "Acme"),
        ("{{ audio.present }}", False),
        ("{{ vars.n }}", 1),
        ("{{ state }}", "start"),
        ("{{ count['TextRecognizer.Recognize'] }}", 1),
        ("{{ device.token }}", "token-0001"),
        ("{{ device.id }}", "…0001"),
        ("{{ uuid() | length }}", 36),
        ("{{ now | iso }}", "1970-01-01T00:01:40Z"),
        ("{{ random.randint(3, 3) }}", 3),
    ],
)
def test_every_documented_name_is_there(begin: Begin, text: str, value: object) -> None:
    """docs/scenarios.md, Templates."""
    life = begin(
        {"vars": {"n": 1}, "on": [{"event": "*", "reply": [{"directive": "Test.Anything", "payload": {"any": text}}]}]}
    )
    event = text_event()
    event = Event(
        event.namespace,
        event.name,
        event.message_id,
        event.payload,
        event.dialog_request_id,
        (Context("Speaker", "VolumeState", {"volume": 7}),),
    )
    effects = life.send(event, headers={"user-agent": "Acme"})
    said = [each.directive.payload["any"] for each in effects if isinstance(each, ReplyDirective)]
    assert said == [value]


def test_sound_is_told_in_templates_too(begin: Begin) -> None:
    life = begin(
        {"on": [{"event": "*", "reply": {"Clova.RenderText": {"text": "{{ audio.seconds }} {{ audio.bytes }}"}}}]}
    )
    effects = life.send(recognize(), seconds=0.5)
    assert [each.directive.payload for each in effects if isinstance(each, ReplyDirective)] == [{"text": "0.5 16000"}]
