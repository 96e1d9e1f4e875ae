"""The encoder: byte for byte what shipped devices can read (DEVICES R1 to R13)."""

from __future__ import annotations

import email
import email.policy

import pytest

from mockcic.wire.decode import Decoder, PartBegan, PartData, PartEnded
from mockcic.wire.encode import (
    Delimiting,
    Dialect,
    Encoder,
    Part,
    attachment_part,
    directive_part_name,
    json_part,
    new_boundary,
)
from tests.support.golden import Golden, golden
from tests.wire.test_decode import decode, parts

TEXT = b'{"directive":{}}'


def golden_parts(message: Golden) -> list[Part]:
    """The parts of a golden response, headers in the order of the sidecar."""
    bodies = [body for _, body in parts(decode(message.body, boundary=message.side["boundary"].encode()))]
    return [
        Part(tuple(part["headers"].items()), body) for part, body in zip(message.side["parts"], bodies, strict=True)
    ]


@pytest.mark.parametrize("name", ["speak_render", "exception_400", "exception_400_wrapped"])
def test_a_golden_answer_is_written_byte_for_byte(name: str) -> None:
    message = golden(f"{name}.response")
    encoder = Encoder(message.side["boundary"])
    wanted = golden_parts(message)
    assert b"".join(encoder.part(part, last=part is wanted[-1]) for part in wanted) == message.body


def test_the_golden_downchannel_is_written_byte_for_byte_and_flushed_at_its_offsets() -> None:
    """Each directive with the delimiter behind it (DEVICES R4)."""
    message = golden("downchannel.response")
    encoder = Encoder(message.side["boundary"])
    written, offsets = b"", []
    for part in golden_parts(message):
        written += encoder.part(part)
        offsets.append(len(written))
    assert written == message.body
    assert offsets == message.side["flush_at"]


def test_our_own_parts_have_exactly_the_headers_devices_compare() -> None:
    """Names, order and spelling: DEVICES R7, R8, R9; names PROTOCOL 4.2; bare id R10."""
    assert json_part(directive_part_name("Speak", "u1"), b"{}").headers == (
        ("Content-Disposition", 'form-data; name="speakDirective-u1"'),
        ("Content-Type", "application/json; charset=utf-8"),
    )
    assert attachment_part("attachment-u2", "id3", b"").headers == (
        ("Content-Disposition", 'form-data; name="attachment-u2"'),
        ("Content-Id", "id3"),
        ("Content-Type", "application/octet-stream"),
    )


def test_a_body_begins_with_its_delimiter_and_the_boundary_needs_no_quotes() -> None:
    """DEVICES R1, R2."""
    boundary = new_boundary()
    assert boundary.isalnum()
    assert boundary.isascii()
    assert Encoder(boundary).part(json_part("a", TEXT)).startswith(f"--{boundary}\r\nContent-Disposition: ".encode())


@pytest.mark.parametrize(
    ("dialect", "content_type"),
    [
        (Dialect(), "multipart/related; boundary=b1;"),
        (Dialect(semicolon=False), "multipart/related; boundary=b1"),
        (Dialect(subtype="form-data"), "multipart/form-data; boundary=b1;"),
        (Dialect(type_parameter=True), 'multipart/related; boundary=b1; type="application/json";'),
    ],
)
def test_the_content_type_follows_the_dialect(dialect: Dialect, content_type: str) -> None:
    """PROTOCOL 8, row 2; the semicolon DEVICES R3."""
    assert Encoder("b1", dialect).content_type == content_type


def test_the_id_of_an_attachment_follows_the_dialect() -> None:
    """PROTOCOL 8, row 3."""
    part = attachment_part("a", "id", b"", Dialect(content_id_name="Content-ID", content_id_brackets=True))
    assert ("Content-ID", "<id>") in part.headers


@pytest.mark.parametrize("delimiting", ["after", "before"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_body_that_is_closed_later_has_its_parts_and_an_end(delimiting: Delimiting, count: int) -> None:
    encoder = Encoder("b1", delimiting=delimiting)
    body = b"".join(encoder.part(json_part(f"p{n}", TEXT)) for n in range(count)) + encoder.closing()
    found = parts(decode(body, boundary=b"b1", tolerance=None))
    assert [each for headers, each in found if headers] == [TEXT] * count
    assert body.endswith(b"--b1--\r\n")
    message = email.message_from_bytes(
        f"content-type: {encoder.content_type}\r\n\r\n".encode() + body, policy=email.policy.HTTP
    )
    read = [part.get_payload(decode=True) for part in message.iter_parts()] if count else []
    assert [text for text in read if text] == [TEXT] * count


def test_each_message_can_be_closed_by_itself() -> None:
    """DEVICES R6: a client that parses every chunk alone."""
    encoder = Encoder("b1", delimiting="close")
    for number in range(2):
        message = encoder.part(json_part(f"p{number}", TEXT))
        assert parts(decode(message, boundary=b"b1"))[0][1] == TEXT
    assert encoder.closing() == b""


def test_the_delimiter_can_wait_for_the_next_part() -> None:
    """PROTOCOL 8, row 9: then a streaming reader has the directive only when the next one comes."""
    encoder, decoder = Encoder("b1", delimiting="before"), Decoder(b"b1")
    first = decoder.feed(encoder.part(json_part("p0", TEXT)))
    assert not any(isinstance(piece, PartEnded) for piece in first)
    second = decoder.feed(encoder.part(json_part("p1", TEXT)))
    assert isinstance(second[0], PartData | PartEnded)
    assert any(isinstance(piece, PartBegan) for piece in second)


def test_a_part_written_piece_by_piece_is_the_same_part() -> None:
    whole, pieces = Encoder("b1"), Encoder("b1")
    part = attachment_part("a", "id", bytes(1000))
    by_pieces = pieces.part_head(part.headers) + part.body[:10] + part.body[10:] + pieces.delimiter(last=True)
    assert whole.part(part, last=True) == by_pieces


def test_a_closed_body_is_not_closed_twice() -> None:
    encoder = Encoder("b1")
    encoder.part(json_part("p", TEXT), last=True)
    assert encoder.closing() == b""
