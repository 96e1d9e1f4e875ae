"""An upload becomes an event and its sound, or the right refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockcic.cic.upload import EventRead, SoundRead, Strictness, UploadOver, UploadPiece, UploadReader, read_event
from mockcic.errors import Finding, WireError
from mockcic.wire.decode import STRICT, Limits, Tolerance, boundary_of
from tests.support.golden import golden, golden_names

JSON_HEAD = 'Content-Disposition: form-data; name="metadata"\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n'
SOUND_HEAD = 'Content-Disposition: form-data; name="audio"\r\nContent-Type: application/octet-stream\r\n\r\n'
HEADER = {"namespace": "TextRecognizer", "name": "Recognize", "messageId": "m1", "dialogRequestId": "d1"}


def read(body: bytes, boundary: bytes = b"b", **how: Any) -> list[UploadPiece]:
    reader = UploadReader(boundary, **how)
    return reader.feed(body) + reader.finish()


def body(*parts: str) -> bytes:
    return ("".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n").encode()


def metadata(value: Any = None) -> str:
    return JSON_HEAD + json.dumps(value or {"context": [], "event": {"header": HEADER, "payload": {"text": "a"}}})


def sound(pieces: list[UploadPiece]) -> bytes:
    return b"".join(piece.data for piece in pieces if isinstance(piece, SoundRead))


def codes(pieces: list[UploadPiece]) -> list[str]:
    return [piece.code for piece in pieces if isinstance(piece, Finding)]


@pytest.mark.parametrize("name", golden_names("request"))
def test_a_golden_request_is_judged_as_its_sidecar_says(name: str) -> None:
    """Strict; `status` and `description` of tests/golden/wire."""
    message = golden(name)
    wanted = message.side["answer"]
    boundary = boundary_of(message.side["headers"]["content-type"])
    if wanted["status"] == 200:
        pieces = read(message.body, boundary, tolerance=STRICT)
        assert isinstance(pieces[-1], UploadOver)
        assert len(sound(pieces)) == sum(part["length"] for part in message.side["parts"][1:])
    else:
        with pytest.raises(WireError) as caught:
            read(message.body, boundary, tolerance=STRICT)
        assert (caught.value.status, caught.value.description) == (wanted["status"], wanted["description"])


@pytest.mark.parametrize(
    "name", [each for each in golden_names("request") if "lenient_status" in golden(each).side["answer"]]
)
def test_a_golden_request_with_one_clear_meaning_can_be_taken(name: str) -> None:
    """`lenient_status`; a part header of 64 KiB needs a larger limit."""
    message = golden(name)
    pieces = read(
        message.body,
        boundary_of(message.side["headers"]["content-type"]),
        tolerance=Tolerance(),
        strictness=Strictness(metadata_first=False),
        limits=Limits(part_headers_bytes=100_000),
    )
    assert isinstance(pieces[-1], UploadOver)
    assert any(isinstance(piece, EventRead) for piece in pieces)
    if name == "truncated_audio.request":
        assert len(sound(pieces)) == message.side["audio_bytes_received"]


def test_the_event_is_known_before_its_sound_is_complete() -> None:
    """So that StopCapture can come while the upload runs (PROTOCOL 3.4)."""
    reader = UploadReader(b"b")
    pieces = reader.feed(f"--b\r\n{metadata()}\r\n--b\r\n{SOUND_HEAD}".encode() + bytes(640))
    assert isinstance(pieces[0], EventRead)
    assert pieces[0].event.full_name == "TextRecognizer.Recognize"


def test_several_audio_parts_are_joined_or_refused() -> None:
    """PROTOCOL 8, row 17."""
    whole = body(metadata(), SOUND_HEAD + "aa", SOUND_HEAD + "bb", SOUND_HEAD + "cc")
    pieces = read(whole)
    assert sound(pieces) == b"aabbcc"
    assert codes(pieces) == ["multipart.audio-parts"]
    with pytest.raises(WireError, match="more than one audio part"):
        read(whole, strictness=Strictness(one_audio_part=True))


def test_parts_are_known_by_what_library_clients_call_them() -> None:
    """DEVICES Q6."""
    request = (
        metadata()
        .replace('name="metadata"', 'name="request"')
        .replace("application/json; charset=UTF-8", "application/json;")
    )
    wav = SOUND_HEAD.replace('name="audio"', 'name="audio.wav"; filename="a.wav"') + "xx"
    pieces = read(body(request, wav))
    assert sound(pieces) == b"xx"
    assert codes(pieces) == ["multipart.part-name"]


def test_a_part_of_no_known_kind_is_a_finding_and_ignored() -> None:
    """PROTOCOL 4.8 of RFC 7578 is not asked: what is not known is not used."""
    pieces = read(body(metadata(), 'Content-Disposition: form-data; name="extra"\r\n\r\nwhatever'))
    assert codes(pieces) == ["multipart.part-unknown"]
    assert sound(pieces) == b""


def test_an_empty_audio_part_is_sound_of_no_length() -> None:
    """PROTOCOL 3.5: silence, not a missing part."""
    assert read(body(metadata(), SOUND_HEAD))[-1] == UploadOver(has_sound=True)
    assert read(body(metadata()))[-1] == UploadOver(has_sound=False)


def test_metadata_over_its_limit_is_413_and_the_limit_is_named() -> None:
    """PROTOCOL 8, row 26."""
    with pytest.raises(WireError, match="limit of 100 bytes") as caught:
        read(
            body(metadata({"event": {"header": HEADER, "payload": {"text": "x" * 200}}})), limits=Limits(json_bytes=100)
        )
    assert caught.value.status == 413


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("{", "metadata is not valid JSON"),
        ("[" * 100_000, "metadata is not valid JSON"),
        ('{"event": NaN}', "metadata is not valid JSON"),
        ('{"event": "\\ud800"}', "metadata is not valid JSON"),
        ("[]", "metadata: the metadata must be an object"),
        ("{}", "metadata: event must be an object"),
        ('{"event": {"header": 1}}', "metadata: event.header must be an object"),
        ('{"event": {"header": {"namespace": "A"}, "payload": {}}}', "metadata: event.header.name must be a string"),
        ('{"event": {"header": {"namespace": "A", "name": "B", "messageId": 1}, "payload": {}}}',
         "metadata: event.header.messageId must be a string"),
        ('{"event": {"header": {"namespace": "A", "name": "B", "messageId": "m"}, "payload": []}}',
         "metadata: event.payload must be an object"),
        ('{"context": {}, "event": {"header": {"namespace": "A", "name": "B", "messageId": "m"}, "payload": {}}}',
         "metadata: context must be an array"),
    ],
)  # fmt: skip
def test_metadata_that_cannot_be_used_is_400_and_says_which_member(text: str, description: str) -> None:
    with pytest.raises(WireError) as caught:
        read_event(text.encode())
    assert (caught.value.status, caught.value.description) == (400, description)


def test_white_space_around_the_json_means_nothing() -> None:
    """PROTOCOL 3.1; DEVICES Q4."""
    event, findings = read_event(
        b" \r\n" + json.dumps({"context": [], "event": {"header": HEADER, "payload": {}}}).encode() + b"\r\n\r\n"
    )
    assert event.dialog_request_id == "d1"
    assert findings == []


def test_slips_of_the_guide_are_taken_with_a_finding_and_refused_when_strict() -> None:
    """PROTOCOL 3.2: no `event`, no `context`, no `payload`."""
    text = json.dumps({"header": HEADER}).encode()
    event, findings = read_event(text)
    assert event.full_name == "TextRecognizer.Recognize"
    assert [finding.code for finding in findings] == ["message.envelope", "message.payload", "message.context"]
    with pytest.raises(WireError):
        read_event(text, strict=True)


def test_contexts_are_read_and_a_bad_one_is_a_finding() -> None:
    good = {"header": {"namespace": "Speaker", "name": "VolumeState"}, "payload": {"volume": 7}}
    value = {"context": [good, {"header": {}}], "event": {"header": HEADER, "payload": {}}}
    event, findings = read_event(json.dumps(value).encode())
    assert [(context.full_name, context.payload) for context in event.contexts] == [
        ("Speaker.VolumeState", {"volume": 7})
    ]
    assert [finding.code for finding in findings] == ["message.context"]
    with pytest.raises(WireError):
        read_event(json.dumps(value).encode(), strict=True)


def test_an_event_becomes_the_same_json_again() -> None:
    value = {"context": [{"header": {"namespace": "Speaker", "name": "VolumeState"}, "payload": {"volume": 7}}],
             "event": {"header": HEADER, "payload": {"text": "안녕"}}}  # fmt: skip
    assert read_event(json.dumps(value).encode())[0].as_json() == value


def test_a_number_that_is_too_large_is_no_json() -> None:
    """Python would take 1e999 for infinity, which JSON cannot say again."""
    with pytest.raises(WireError, match="1e999 is too large a number"):
        read_event(b'{"event": {"header": {"namespace": "A", "name": "B", "messageId": "m"}, "payload": {"n": 1e999}}}')
