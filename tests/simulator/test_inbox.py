"""What comes from the server, read as a device reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockcic.errors import WireError
from mockcic.simulator.inbox import Inbox, Received, cids, read_directive, read_exception

KIND = "multipart/related; boundary=B;"


def part(name: str, payload: dict[str, Any] | None = None, **header: str) -> bytes:
    namespace, _, short = name.partition(".")
    message = {"header": {"namespace": namespace, "name": short, "messageId": "m", **header}, "payload": payload or {}}
    text = json.dumps({"directive": message}).encode()
    return b"Content-Type: application/json; charset=utf-8\r\n\r\n" + text


def sound(content_id: str, data: bytes = b"mp3") -> bytes:
    return f"Content-Id: {content_id}\r\nContent-Type: application/octet-stream\r\n\r\n".encode() + data


def body(*parts: bytes) -> bytes:
    return b"".join(b"--B\r\n" + each + b"\r\n" for each in parts) + b"--B--\r\n"


def names(received: list[Received]) -> list[str]:
    return [each.directive.full_name for each in received]


SPEAK = part("SpeechSynthesizer.Speak", {"url": "cid:x"}, dialogRequestId="d1")
TEXT = part("Clova.RenderText", {"text": "안녕"})


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_directive_is_given_with_the_sound_it_names(size: int) -> None:
    """PROTOCOL 4.4, however the bytes are cut."""
    whole, inbox, received = body(SPEAK, sound("x", b"\r\nmp3"), TEXT), Inbox(KIND), []
    for at in range(0, len(whole), size):
        received += inbox.feed(whole[at : at + size])
    assert names(received) == ["SpeechSynthesizer.Speak", "Clova.RenderText"]
    assert received[0].attachments == {"x": b"\r\nmp3"}
    assert received[0].directive.dialog_request_id == "d1"
    assert inbox.finish() == []
    assert inbox.troubles == []


def test_an_answer_without_a_byte_is_one_without_directives() -> None:
    inbox = Inbox(KIND)
    assert (inbox.feed(b""), inbox.finish(), inbox.troubles) == ([], [], [])


def test_brackets_around_a_content_id_do_not_matter() -> None:
    """PROTOCOL 4.3: a client of the mock must strip them."""
    assert Inbox(KIND).feed(body(SPEAK, sound("<x>")))[0].attachments == {"x": b"mp3"}


def test_in_a_reply_directives_keep_their_order_while_one_waits_for_its_sound() -> None:
    """PROTOCOL 3.6: handled in order."""
    inbox = Inbox(KIND)
    assert inbox.feed(body(SPEAK, TEXT, sound("y"))[:-7]) == []
    assert names(inbox.feed(b"\r\n--B\r\n" + sound("x") + b"\r\n--B--\r\n")) == [
        "SpeechSynthesizer.Speak",
        "Clova.RenderText",
    ]


def test_on_a_downchannel_nothing_waits_for_another() -> None:
    """It is endless: a sound that never comes must not hold StopCapture up (PROTOCOL 3.4)."""
    inbox = Inbox(KIND, in_order=False)
    assert names(inbox.feed(body(SPEAK, TEXT))) == ["Clova.RenderText"]


def test_a_directive_whose_sound_never_comes_is_given_at_the_end() -> None:
    """PROTOCOL 4.4: attachment missing."""
    inbox = Inbox(KIND)
    inbox.feed(body(SPEAK))
    assert [each.attachments for each in inbox.finish()] == [{}]


def test_a_directive_is_given_as_soon_as_the_next_delimiter_is_there() -> None:
    """PROTOCOL 2.1."""
    inbox = Inbox(KIND, in_order=False)
    assert names(inbox.feed(b"--B\r\n" + part("Clova.Hello") + b"\r\n--B\r\n")) == ["Clova.Hello"]


def test_a_closing_delimiter_behind_each_message_is_understood() -> None:
    """DEVICES R6."""
    inbox = Inbox(KIND, in_order=False)
    assert names(inbox.feed(body(part("Clova.Hello")))) == ["Clova.Hello"]
    assert names(inbox.feed(body(TEXT))) == ["Clova.RenderText"]


def test_a_part_without_headers_and_bytes_is_passed_over() -> None:
    """It only precedes a closing delimiter."""
    inbox = Inbox(KIND)
    assert inbox.feed(b"--B\r\n" + part("Clova.Hello") + b"\r\n--B\r\n\r\n\r\n--B--\r\n") != []
    assert inbox.troubles == []


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"directive": 3}', b'{"directive": {"header": {"name": "x"}}}'])
def test_a_part_that_is_no_directive_is_told_and_the_others_are_given(text: bytes) -> None:
    """PROTOCOL 3.6: only that one is ignored."""
    inbox = Inbox(KIND)
    broken = b"Content-Type: application/json; charset=utf-8\r\n\r\n" + text
    assert names(inbox.feed(body(broken, TEXT))) == ["Clova.RenderText"]
    assert inbox.troubles[0].startswith("a part that is no directive: ")


def test_sounds_nobody_asks_for_are_forgotten() -> None:
    """Every store has a bound."""
    inbox = Inbox(KIND, in_order=False)
    inbox.feed(body(*(sound(f"x{count}") for count in range(100)))[:-7])
    assert len(inbox._attachments) <= 16


def test_a_body_that_is_no_multipart_is_refused() -> None:
    """RFC 2046 5.1.1."""
    with pytest.raises(WireError):
        Inbox("text/plain")


def test_addresses_are_found_anywhere_in_a_payload() -> None:
    """PROTOCOL 4.4."""
    assert cids({"a": [{"url": "cid:1"}, "cid:2"], "b": "https://x", "c": 3}) == {"1", "2"}


def test_a_directive_without_payload_has_an_empty_one() -> None:
    """INF: a device must live with that."""
    assert read_directive(b'{"directive": {"header": {"namespace": "a", "name": "b", "messageId": "c"}}}').payload == {}


EXCEPTION = {
    "header": {"namespace": "System", "name": "Exception", "messageId": "m"},
    "payload": {"code": 400, "description": "Could not decode multipart"},
}


@pytest.mark.parametrize("message", [EXCEPTION, {"directive": EXCEPTION}], ids=["bare", "wrapped"])
@pytest.mark.parametrize("kind", [KIND, "application/json"])
def test_an_exception_is_understood_in_every_form(kind: str, message: dict[str, Any]) -> None:
    """PROTOCOL 5.1."""
    text = json.dumps(message).encode()
    whole = text if kind != KIND else body(b"Content-Type: application/json; charset=utf-8\r\n\r\n" + text)
    assert read_exception(kind, whole) == (400, "Could not decode multipart")


@pytest.mark.parametrize("kind", [KIND, "application/json", "", "multipart/related"])
def test_an_error_without_exception_has_none(kind: str) -> None:
    """PROTOCOL 1.4: a client must cope with an empty body."""
    assert read_exception(kind, b"") is None
