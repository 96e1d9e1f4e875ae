"""From a step to a directive: what the author wrote, and what the protocol fixes filled in."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from mockcic.cic.message import Attachment, Directive
from mockcic.scenario.effects import Effect, Push, ReplyAttachment, ReplyDirective
from mockcic.sound import mp3
from tests.support.life import Begin, text_event

SPEAK = {"ttsLang": "ko", "ttsText": "네"}


def replied(effects: list[Effect]) -> tuple[list[Directive], list[Attachment]]:
    directives = [each.directive for each in effects if isinstance(each, ReplyDirective)]
    return directives, [each.attachment for each in effects if isinstance(each, ReplyAttachment)]


def answer(begin: Begin, step: Any, *, dialogue: str | None = "d1") -> tuple[Directive, list[Attachment]]:
    effects = begin({"on": [{"event": "*", "reply": [step]}]}).send(text_event(dialogue=dialogue))
    (directive,), attachments = replied(effects)
    return directive, attachments


def test_inline_base64_is_sent_as_it_stands(begin: Begin) -> None:
    sound = {"base64": base64.b64encode(b"\x00\xffsound").decode()}
    directive, (attachment,) = answer(begin, {"SpeechSynthesizer.Speak": SPEAK, "audio": sound})
    assert attachment.data == b"\x00\xffsound"
    assert directive.payload["url"] == f"cid:{attachment.content_id}"


@pytest.mark.parametrize("made", [{"silence": "500ms"}, {"tone": 440, "duration": "500ms"}])
def test_made_sound_can_be_pcm_wav_or_mp3(begin: Begin, made: dict[str, Any]) -> None:
    """Half a second of 16 kHz, 16 bits, mono: 16,000 bytes of PCM (PROTOCOL 3.3)."""
    data = {
        kind: answer(begin, {"SpeechSynthesizer.Speak": SPEAK, "audio": {**made, "as": kind}})[1][0].data
        for kind in ("pcm", "wav", "mp3")
    }
    assert len(data["pcm"]) == 16_000
    assert any(data["pcm"]) is ("tone" in made)
    assert (data["wav"][:4], data["wav"][8:12]) == (b"RIFF", b"WAVE")
    assert data["wav"].endswith(data["pcm"])
    assert mp3.seconds(data["mp3"]) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize(
    ("form", "head"),
    [
        ({}, b"\xf3\x48"),  # MPEG-2, 32 kilobits, 16 kHz
        ({"rate": 24_000, "bitrate": 48}, b"\xf3\x64"),
        ({"rate": 48_000, "bitrate": 128}, b"\xfb\x94"),
        ({"bitrate": 320}, b"\xfb\xe8"),  # which 16 kHz does not have: 32 kHz
    ],
)
def test_a_made_mp3_has_the_rates_it_is_told(begin: Begin, form: dict[str, Any], head: bytes) -> None:
    """Version, bit rate and sample rate in the head of a frame (ISO/IEC 11172-3 2.4.2.3, 13818-3 2.4.2.3)."""
    sound = {"tone": 440, "duration": "200ms", "mp3": form}
    _, (attachment,) = answer(begin, {"SpeechSynthesizer.Speak": SPEAK, "audio": sound})
    assert attachment.data[:1] == b"\xff"
    assert bytes((attachment.data[1], attachment.data[2] & 0xFC)) == head
    assert mp3.seconds(attachment.data) == pytest.approx(0.2, abs=0.15)


def test_a_rate_a_chunk_and_an_id_of_ones_own_go_with_the_attachment(begin: Begin) -> None:
    sound = {"silence": "100ms", "rate": "4KB/s", "chunk": 512, "content_id": "mine"}
    directive, (attachment,) = answer(begin, {"SpeechSynthesizer.Speak": SPEAK, "audio": sound})
    assert (attachment.content_id, attachment.rate, attachment.chunk) == ("mine", 4000, 512)
    assert directive.payload["url"] == "cid:mine"


def test_more_attachments_are_named_by_their_cid(begin: Begin) -> None:
    """PROTOCOL 4.4."""
    notify = {"light": "DEFAULT", "assets": [{"assetId": "ding", "url": "{{ cid.ding }}"}], "assetPlayOrder": ["ding"]}
    directive, (attachment,) = answer(
        begin, {"Notifier.Notify": notify, "attach": {"ding": {"silence": "100ms", "content_id": "ding-1"}}}
    )
    assert directive.payload["assets"][0]["url"] == "cid:ding-1"
    assert attachment.content_id == "ding-1"


def test_what_the_author_wrote_is_not_filled_in(begin: Begin) -> None:
    step = {
        "directive": "SpeechSynthesizer.Speak",
        "payload": {"token": "mine", "url": "https://example.test/a.mp3", "format": "OTHER"},
        "messageId": "m-{{ event.payload.text }}",
        "audio": {"silence": "100ms"},
    }
    directive, _ = answer(begin, step)
    assert directive.payload == {"token": "mine", "url": "https://example.test/a.mp3", "format": "OTHER"}
    assert directive.message_id == "m-안녕"


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("SpeechSynthesizer.Speak", "token"),
        ("Alerts.SetAlert", "token"),
        ("SpeechRecognizer.ExpectSpeech", "expectSpeechId"),
    ],
)
def test_an_id_that_the_author_left_out_is_fresh_each_time(begin: Begin, name: str, member: str) -> None:
    step = {"directive": name, "payload": {}}
    first, second = (answer(begin, step)[0] for _ in range(2))
    assert first.payload[member] != second.payload[member]
    assert first.message_id != second.message_id


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, "d1"),
        ({"dialogRequestId": "echo"}, "d1"),
        ({"dialogRequestId": "none"}, None),
        ({"dialogRequestId": "old"}, "old"),
    ],
)
def test_a_reply_echoes_the_dialogue_unless_the_step_says_otherwise(
    begin: Begin, written: dict[str, str], expected: str | None
) -> None:
    """PROTOCOL 3.6."""
    directive, _ = answer(begin, {"Clova.RenderText": {"text": "x"}, **written})
    assert directive.dialog_request_id == expected


@pytest.mark.parametrize(
    ("name", "echo", "expected"),
    [
        ("StopCapture", {}, "d1"),
        ("KeepRecording", {}, "d1"),
        ("ShowRecognizedText", {}, "d1"),
        ("ExpectSpeech", {}, None),
        ("ExpectSpeech", {"dialogRequestId": "echo"}, "d1"),
    ],
)
def test_a_push_has_a_dialogue_only_when_it_is_of_the_upload(
    begin: Begin, name: str, echo: dict[str, str], expected: str | None
) -> None:
    """PROTOCOL 3.6."""
    step = {"directive": f"SpeechRecognizer.{name}", "payload": {}, **echo}
    effects = begin({"on": [{"event": "*", "reply": [{"push": [step]}]}]}).send(text_event())
    assert [each.directive.dialog_request_id for each in effects if isinstance(each, Push)] == [expected]


def test_attachments_can_come_behind_all_directives_in_reverse(begin: Begin) -> None:
    """PROTOCOL 4.4."""
    speaks = [
        {"SpeechSynthesizer.Speak": SPEAK, "audio": {"silence": "100ms", "content_id": name}} for name in ("a", "b")
    ]
    effects = begin({"settings": {"attachments": "reversed"}, "on": [{"event": "*", "reply": speaks}]}).send(
        text_event()
    )
    assert [each.content_id for each in replied(effects)[1]] == ["b", "a"]
    assert [each.last for each in effects if isinstance(each, ReplyDirective | ReplyAttachment)] == [
        False, False, False, True,
    ]  # fmt: skip
