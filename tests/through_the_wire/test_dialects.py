"""Each dialect over TLS, read by a parser that is none of ours: the standard library's."""

from __future__ import annotations

import email.policy
import json
import ssl
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from mockcic.mock import Bench
from mockcic.scenario.dialects import DIALECTS
from mockcic.scenario.load import builtin, load_text
from mockcic.simulator.device import Device

SCENARIO = """
scenario: s
dialect: {}
settings: {{same_connection: false}}
on:
  - event: TextRecognizer.Recognize
    when: {{payload.text: boom}}
    exception: {{code: 500, description: boom}}
  - event: TextRecognizer.Recognize
    reply:
      - SpeechSynthesizer.Speak: {{ttsLang: ko, ttsText: 안녕, audio: {{base64: AAECAw==}}}}
      - Clova.RenderText: {{text: 안녕}}
"""


async def ask(cic: Bench, text: str) -> httpx.Response:
    header = {"namespace": "TextRecognizer", "name": "Recognize", "messageId": "m1", "dialogRequestId": "d1"}
    event = json.dumps({"context": [], "event": {"header": header, "payload": {"text": text}}})
    tls = ssl.create_default_context(cafile=str(cic.ca_file))
    agent = "MockMaker/TestDevice/1.0.0 (Linux;pytest)"
    async with httpx.AsyncClient(http1=False, http2=True, verify=tls) as client:
        return await client.post(
            f"{cic.url}/v1/events",
            headers={"authorization": f"Bearer {cic.token}", "user-agent": agent},
            files={"metadata": (None, event.encode(), "application/json; charset=UTF-8")},
        )


def read(answer: httpx.Response) -> list[EmailMessage]:
    """The parts of an answer, by the standard library."""
    head = f"content-type: {answer.headers['content-type']}\r\n\r\n".encode()
    message: Any = email.message_from_bytes(head + answer.content, policy=email.policy.HTTP)
    return list(message.iter_parts())


@pytest.mark.parametrize("name", DIALECTS)
async def test_an_answer_in_a_dialect_has_its_directives_and_its_sound(cic: Bench, name: str) -> None:
    cic.load(SCENARIO.format(name))
    speak, sound, text = read(await ask(cic, "안녕"))
    said = json.loads(speak.get_payload(decode=True) or b"")["directive"]
    assert json.loads(text.get_payload(decode=True) or b"")["directive"]["payload"] == {"text": "안녕"}
    assert sound.get_payload(decode=True) == b"\x00\x01\x02\x03"
    assert said["payload"]["url"] == f"cid:{sound['content-id'].strip('<>')}"


@pytest.mark.parametrize("name", DIALECTS)
async def test_an_exception_in_a_dialect_has_the_form_of_its_source(cic: Bench, name: str) -> None:
    cic.load(SCENARIO.format(name))
    answer = await ask(cic, "boom")
    assert answer.status_code == 500
    form = cic.scenario.effective.exceptions if cic.scenario is not None else None
    if form == "empty":
        assert answer.content == b""
        return
    body = answer.json() if form == "plain-json" else json.loads(read(answer)[0].get_payload(decode=True) or b"")
    assert (body["directive"] if form == "wrapped" else body)["payload"]["code"] == 500


@pytest.mark.cic(fail_on="findings")  # the scenario has no rules for what the device reports
@pytest.mark.parametrize("name", DIALECTS)
async def test_the_simulated_device_leans_on_no_dialect(cic: Bench, name: str) -> None:
    """Hello, an answer with its sound, a push."""
    cic.load(SCENARIO.format(name))
    test = cic.device()
    async with Device(cic.url, ca_file=cic.ca_file, token=test.token, pace=0.0) as device:
        answer = await device.say_text("안녕")
        assert [each.directive.name for each in answer.directives] == ["Speak", "RenderText"]
        assert list(answer.directives[0].attachments.values()) == [b"\x00\x01\x02\x03"]


def part_heads(answer: httpx.Response) -> list[list[bytes]]:
    boundary = b"--" + answer.headers["content-type"].partition("boundary=")[2].split(";")[0].strip('"').encode()
    pieces = answer.content.split(boundary)[1:-1]
    return [piece.split(b"\r\n\r\n")[0].split(b"\r\n")[1:] for piece in pieces]


async def test_the_plain_dialect_is_written_as_a_library_does(cic: Bench) -> None:
    cic.load(SCENARIO.format("plain"))
    answer = await ask(cic, "안녕")
    assert answer.headers["content-type"].startswith("multipart/related; boundary=--mock-")
    assert not answer.headers["content-type"].endswith(";")
    assert part_heads(answer)[0] == [
        b"content-type: application/json; charset=UTF-8",
        b'content-disposition: form-data; name="metadata"',
    ]
    assert answer.content.endswith(b"--")


async def test_the_odd_dialect_has_a_quoted_boundary_and_something_around(cic: Bench) -> None:
    cic.load(SCENARIO.format("odd"))
    answer = await ask(cic, "안녕")
    assert 'boundary="mock:' in answer.headers["content-type"]
    assert answer.content.startswith(b"\r\n--mock:")
    assert answer.content.endswith(b"--\r\n\r\n")
    assert part_heads(answer)[0][1] == b"Content-Type: application/json"


def test_what_a_file_says_wins_over_its_dialect_and_an_option_over_both() -> None:
    text = "scenario: s\ndialect: g17\nsettings: {exceptions: bare}\n"
    effective = load_text(text).scenarios[0].effective
    assert (effective.exceptions, effective.content_id.brackets) == ("bare", True)
    assert builtin(dialect="avs").scenarios[0].effective.exceptions == "plain-json"


def test_a_dialect_that_there_is_not_is_told() -> None:
    from mockcic.errors import ScenarioError

    with pytest.raises(ScenarioError, match='"dialect" cannot be "g19"'):
        load_text("scenario: s\ndialect: g19\n")
