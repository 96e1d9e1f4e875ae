"""`raw`: a part whose bytes go out as they stand, and what the journal and the rules make of it."""

from __future__ import annotations

import pytest

from mockcic.cic.raw import raw_directive
from mockcic.errors import ScenarioError
from mockcic.mock import Bench
from mockcic.scenario.load import load_text
from mockcic.simulator.device import Device

ODD = '{"directive":{"header":{"namespace":"Clova","name":"Odd","messageId":"m1"},"payload":{"a":1,"a":"{{ b }}"}}}'


def steps(*lines: str) -> str:
    return "\n".join(("scenario: s", "downchannel:", "- push:", *(f"  - {line}" for line in lines))) + "\n"


def test_nothing_in_it_is_a_template_or_judged() -> None:
    loaded = load_text(steps(f"raw: '{ODD}'", "raw: {base64: /w==}", "raw: {text: '{% no end'}"))
    assert not loaded.warnings
    (cue,) = loaded.scenarios[0].downchannel
    assert [step.raw.content() for step in cue.push] == [ODD.encode(), b"\xff", b"{% no end"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("line", "found", "expected"),
    [
        ("raw: 7", '"raw" cannot be 7', "a text, or {base64: ...}"),
        ("raw: {}", "a `raw` with nothing to send", "one of text and base64"),
        ("raw: {text: a, base64: YQ==}", "a `raw` with text and base64", "one of text and base64"),
        ("raw: {base64: a}", "is not base64", "base64"),
        ("raw: {text: a, payload: {}}", "payload", "a key of `raw`"),
    ],
)
def test_what_is_wrong_is_said(line: str, found: str, expected: str) -> None:
    with pytest.raises(ScenarioError) as error:
        load_text(steps(line))
    (problem,) = error.value.problems
    assert found in problem.what
    assert expected in problem.expected
    assert problem.line == 4


@pytest.mark.parametrize(
    ("raw", "name", "payload"),
    [
        (b"", "raw.part", {}),
        (b"[" * 100_000, "raw.part", {}),
        (b'{"directive":{"header":{"namespace":"A\\r\\nb: c","name":"B"},"payload":{"a":1}}}', "raw.part", {"a": 1}),
        (b'{"directive":{"header":{"namespace":"A","name":"B"},"payload":{"a":"\\ud800"}}}', "raw.part", {}),
        (b'{"directive":{"header":{"namespace":"A","name":"B"},"payload":{"a":1e999}}}', "raw.part", {}),
        (b'{"directive":{"header":{"namespace":"A","name":"B"},"payload":{"a":NaN}}}', "raw.part", {}),
        (b'{"directive":{"header":{"namespace":"A","name":"B"},"payload":[1]}}', "A.B", {}),
        (b'{"directive":{"header":{"namespace":"A","name":"B"},"payload":{"a":1}}}', "A.B", {"a": 1}),
    ],
)
def test_the_journal_is_told_what_can_be_read(raw: bytes, name: str, payload: object) -> None:
    directive = raw_directive(raw, "m0")
    assert (directive.full_name, directive.payload, directive.encode()) == (name, payload, raw)


async def test_it_reaches_the_device_with_its_attachments_and_asks_no_report(cic: Bench) -> None:
    device = cic.device()
    speak = '{"directive":{"header":{"namespace":"SpeechSynthesizer","name":"Speak","messageId":"m2"},"payload":"no"}}'
    async with Device(cic.url, ca_file=cic.ca_file, token=device.token, pace=0) as simulated:
        await device.wait_async("downchannel")
        assert cic.push({"raw": ODD, "attach": {"a": {"silence": "100ms"}}}) == 1
        assert cic.push({"raw": speak}) == 1
        came = await simulated.wait_for("Clova.Odd")
        assert came.directive.payload == {"a": "{{ b }}"}
        entry = await device.wait_async("Clova.Odd")
        assert (entry.data["raw"], entry.data["message_id"]) == (ODD, "m1")
        assert [each.name for each in cic.find("attachment")] == ["a"]
    assert "expect.reported" not in {each.rule.id for each in cic.conformance(check=False).broken}
