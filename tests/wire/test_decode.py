"""The decoder: golden messages, every cut, limits, and what it takes although it is wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockcic.errors import Finding, WireError
from mockcic.wire.decode import (
    STRICT,
    Decoder,
    Finished,
    Limits,
    PartBegan,
    PartData,
    PartEnded,
    Piece,
    Tolerance,
    boundary_of,
)
from tests.support.golden import golden, golden_names

B = b"b0001"
HEAD = b'Content-Disposition: form-data; name="metadata"\r\n'
Parts = list[tuple[dict[str, str], bytes]]


def decode(body: bytes, *cuts: int, boundary: bytes = B, behind: bytes = b"", **how: Any) -> list[Piece]:
    """Decode a body cut at these offsets."""
    decoder = Decoder(boundary, **how)
    pieces: list[Piece] = []
    start = 0
    for end in (*sorted(cuts), len(body)):
        pieces += decoder.feed(body[start:end])
        start = end
    if behind:
        pieces += decoder.feed(behind)
    return pieces + decoder.finish()


def joined(pieces: list[Piece]) -> list[Piece]:
    """Adjacent data as one: how it was cut means nothing."""
    result: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, PartData) and result and isinstance(result[-1], PartData):
            result[-1] = PartData(result[-1].data + piece.data)
        else:
            result.append(piece)
    return result


def parts(pieces: list[Piece]) -> Parts:
    """Headers and body of each part."""
    result: Parts = []
    for piece in pieces:
        if isinstance(piece, PartBegan):
            result.append((dict(piece.headers), b""))
        elif isinstance(piece, PartData):
            headers, body = result[-1]
            result[-1] = (headers, body + piece.data)
    return result


def codes(pieces: list[Piece]) -> list[str]:
    """The codes of the findings."""
    return [piece.code for piece in pieces if isinstance(piece, Finding)]


def expected_parts(side: dict[str, Any]) -> list[tuple[dict[str, str], int]]:
    return [(part["headers"], part["length"]) for part in side["parts"]]


UNDECODABLE = {"wrong_boundary", "empty_body", "part_header_no_blank", "huge_header"}
"""Golden requests that fail in every mode at this level; the others are multipart, whatever is in their parts."""

ONLY_TOLERATED = {
    "missing_final_boundary": "multipart.last-delimiter",
    "truncated_audio": "multipart.last-delimiter",
    "lf_only": "multipart.line-ends",
}


def cut_every(body: bytes, size: int) -> range:
    return range(size, len(body), size)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 320, 1000, 1 << 20])
@pytest.mark.parametrize("name", golden_names("request") + golden_names("response"))
def test_a_golden_message_gives_its_parts_however_it_is_cut(name: str, size: int) -> None:
    """tests/golden/wire/README.md."""
    message = golden(name)
    kind = name.partition(".")[0]
    boundary = boundary_of(message.side["headers"]["content-type"], subtype=None)
    cuts = cut_every(message.body, size)
    if kind in UNDECODABLE:
        with pytest.raises(WireError) as caught:
            decode(message.body, *cuts, boundary=boundary)
        assert (caught.value.status, caught.value.description) == (400, "Could not decode multipart")
        return
    pieces = decode(message.body, *cuts, boundary=boundary)
    assert isinstance(pieces[-1], Finished)
    if "parts" in message.side:
        assert [(headers, len(body)) for headers, body in parts(pieces)] == expected_parts(message.side)
    if kind in ONLY_TOLERATED:
        assert codes(pieces) == [ONLY_TOLERATED[kind]]
        with pytest.raises(WireError) as caught:
            decode(message.body, *cuts, boundary=boundary, tolerance=STRICT)
        assert caught.value.code == ONLY_TOLERATED[kind]


@pytest.mark.parametrize("name", ["recognize.request", "preamble_epilogue.request", "speak_render.response"])
def test_bytes_behind_the_last_delimiter_mean_nothing(name: str) -> None:
    """RFC 2046 5.1.1: the epilogue is to be ignored."""
    message = golden(name)
    boundary = boundary_of(message.side["headers"]["content-type"], subtype=None)
    plain = decode(message.body, boundary=boundary)
    assert joined(decode(message.body, boundary=boundary, behind=b"--" + boundary + b"\r\nrubbish")) == joined(plain)


def test_a_part_is_handed_out_when_the_delimiter_behind_it_has_been_seen() -> None:
    """At the offsets of the sidecar, so that a downchannel is never one directive late (DEVICES R4)."""
    message = golden("downchannel.response")
    decoder = Decoder(message.side["boundary"].encode())
    start, seen = 0, []
    for offset in message.side["flush_at"]:
        seen.append(sum(isinstance(piece, PartEnded) for piece in decoder.feed(message.body[start:offset])))
        start = offset
    assert seen == [1, 1, 1]


LOOKALIKE = st.sampled_from(
    [b"\r\n", b"\r\n-", b"\r\n--", b"\r\n--b000", b"\r\n--b0001x", b"--b0001", b"\n--b0001", b"-", b"\r"]
)
BODIES = (
    st.lists(st.one_of(LOOKALIKE, st.binary(max_size=12)), max_size=12)
    .map(b"".join)
    .filter(
        lambda body: (
            b"\r\n--b0001\r\n" not in body + b"\r\n"
            and b"\r\n--b0001--" not in body
            and b"\r\n--b0001 " not in body
            and b"\r\n--b0001\t" not in body
            and not body.startswith(b"--b0001")
        )
    )
)


@given(bodies=st.lists(BODIES, min_size=1, max_size=3), data=st.data())
def test_bodies_full_of_almost_delimiters_come_out_as_they_went_in(bodies: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(b"--b0001\r\n" + HEAD + b"\r\n" + body + b"\r\n" for body in bodies) + b"--b0001--\r\n"
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=8))
    assert [body for _, body in parts(decode(whole, *cuts))] == bodies


LF_HEAD = HEAD.replace(b"\r\n", b"\n")
LF_LOOKALIKE = st.sampled_from(
    [
        b"\n",
        b"\r\n",
        b"\n-",
        b"\n--",
        b"\n--b000",
        b"\n--b0001x",
        b"\n--b0001-",
        b"\n--b0001 x",
        b"--b0001",
        b"-",
        b"\r",
    ]
)
LF_DELIMITER = re.compile(rb"\r?\n--b0001(?:--|[ \t]*\r?\n)|\r\n--b0001[ \t]")
LF_BODIES = (
    st.lists(st.one_of(LF_LOOKALIKE, st.binary(max_size=12)), max_size=12)
    .map(b"".join)
    .filter(lambda body: not (LF_DELIMITER.search(b"\r\n" + body + b"\n") or body.endswith(b"\r")))
)


@given(bodies=st.lists(LF_BODIES, min_size=1, max_size=3), data=st.data())
def test_with_lf_line_ends_too_almost_delimiters_come_out_as_they_went_in(
    bodies: list[bytes], data: st.DataObject
) -> None:
    """DEVICES Q5: the line ends inside a part are the part's own, of either kind."""
    whole = b"".join(b"--b0001\n" + LF_HEAD + b"\n" + body + b"\n" for body in bodies) + b"--b0001--\n"
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=8))
    assert [body for _, body in parts(decode(whole, *cuts))] == bodies


ANYTHING = st.lists(
    st.one_of(
        LF_LOOKALIKE,
        st.sampled_from([b"--b0001\n", b"\n--b0001\n", b"\r\n--b0001\r\n", b"\n--b0001--", b"\n\n", b"a:b\n", HEAD]),
        st.binary(max_size=6),
    ),
    max_size=14,
).map(b"".join)


@pytest.mark.parametrize("begin", [b"--b0001\r\n" + HEAD + b"\r\n", b"--b0001\n" + LF_HEAD + b"\n"])
@given(rest=ANYTHING, data=st.data())
def test_rubbish_too_means_the_same_however_it_is_cut(begin: bytes, rest: bytes, data: st.DataObject) -> None:
    """The same pieces, or the same refusal."""
    whole = begin + rest

    def outcome(*cuts: int) -> list[Piece] | str:
        try:
            return joined(decode(whole, *cuts))
        except WireError as error:
            return error.code

    once = outcome()
    assert outcome(*data.draw(st.lists(st.integers(0, len(whole)), max_size=8))) == once
    assert outcome(*range(1, len(whole))) == once


@given(data=st.data(), name=st.sampled_from(["recognize.request", "lf_only.request", "preamble_epilogue.request"]))
def test_a_cut_changes_nothing(data: st.DataObject, name: str) -> None:
    message = golden(name)
    boundary = message.side["boundary"].encode()
    cuts = data.draw(st.lists(st.integers(0, len(message.body)), max_size=12))
    assert joined(decode(message.body, *cuts, boundary=boundary)) == joined(decode(message.body, boundary=boundary))


@given(size=st.integers(0, 700))
def test_an_upload_that_breaks_off_anywhere_is_decoded_or_refused_and_never_hangs(size: int) -> None:
    body = b"--b0001\r\n" + HEAD + b"\r\n{}\r\n--b0001\r\n" + HEAD + b"\r\n" + bytes(500) + b"\r\n--b0001--\r\n"
    decoder = Decoder(B)
    pieces = decoder.feed(body[:size])
    try:
        pieces += decoder.finish()
    except WireError:
        with pytest.raises(WireError, match=r"expected|inside the headers"):
            decoder.finish()
    else:
        assert isinstance(pieces[-1], Finished)


@pytest.mark.parametrize(
    ("end", "body"),
    [
        (b"", b"abc"),
        (b"\r\n", b"abc"),
        (b"\r", b"abc\r"),
        (b"\r\n--b00", b"abc"),
        (b"\r\n--b0001", b"abc"),
        (b"\r\n--b0001\r", b"abc"),
        (b"\r\n--b0001\r\n", b"abc"),
        (b"\r\n--b0001-", b"abc"),
    ],
)
def test_what_belongs_to_a_delimiter_that_never_came_is_not_sound(end: bytes, body: bytes) -> None:
    """DEVICES Q2: the CRLF before END_STREAM belongs to the delimiter; a CR alone may be a sample."""
    pieces = decode(b"--b0001\r\n" + HEAD + b"\r\nabc" + end)
    assert [each for _, each in parts(pieces)] == [body]
    assert codes(pieces) == ["multipart.last-delimiter"]


def test_the_end_of_the_stream_in_the_headers_of_a_part_is_always_400() -> None:
    with pytest.raises(WireError, match="inside the headers"):
        decode(b"--b0001\r\nContent-Dispo")


def test_lf_lines_and_an_empty_line_before_the_second_parts_headers_are_taken() -> None:
    """DEVICES Q5."""
    body = (
        b'--b0001\nContent-Disposition: form-data; name="metadata"\n\n{}\n'
        b'--b0001\n\nContent-Disposition: form-data; name="audio"\n\n\x00\n\r\n\x01\n--b0001--\n'
    )
    pieces = decode(body)
    assert parts(pieces) == [
        ({"Content-Disposition": 'form-data; name="metadata"'}, b"{}"),
        ({"Content-Disposition": 'form-data; name="audio"'}, b"\x00\n\r\n\x01"),
    ]
    assert codes(pieces) == ["multipart.line-ends"]


def test_a_crlf_more_before_the_delimiter_stays_in_the_part() -> None:
    """DEVICES Q4."""
    assert parts(decode(b"--b0001\r\n" + HEAD + b"\r\n{}\r\n\r\n--b0001--"))[0][1] == b"{}\r\n"


def test_blanks_behind_a_delimiter_are_padding() -> None:
    """RFC 2046 5.1.1."""
    body = b"--b0001 \t\r\n" + HEAD + b"\r\na\r\n--b0001  \r\n" + HEAD + b"\r\nb\r\n--b0001--  \r\n"
    assert [each for _, each in parts(decode(body))] == [b"a", b"b"]


def test_a_part_without_headers_is_a_part() -> None:
    """RFC 2046 5.1."""
    assert parts(decode(b"--b0001\r\n\r\nabc\r\n--b0001--\r\n")) == [({}, b"abc")]


def test_an_upload_of_ten_megabytes_holds_back_no_more_than_a_window() -> None:
    decoder = Decoder(B)
    decoder.feed(b"--b0001\r\n" + HEAD + b"\r\n")
    chunk = b"\r\n--b000" * 8192
    handed_out = sum(
        len(piece.data) for _ in range(150) for piece in decoder.feed(chunk) if isinstance(piece, PartData)
    )
    assert 150 * len(chunk) - handed_out <= len(B) + 4


def test_a_preamble_of_any_length_is_skipped_in_a_window() -> None:
    decoder = Decoder(B)
    for _ in range(100):
        assert decoder.feed(b"x" * 10_000) == []
    assert len(decoder._held) < 4096
    pieces = decoder.feed(b"\r\n--b0001\r\n" + HEAD + b"\r\n{}\r\n--b0001--")
    assert codes(pieces) == ["multipart.preamble"]
    assert parts(pieces)[0][1] == b"{}"


def test_a_body_over_the_limit_is_413_and_the_limit_is_named() -> None:
    """PROTOCOL 8, row 26."""
    decoder = Decoder(B, limits=Limits(body_bytes=100))
    with pytest.raises(WireError, match="limit of 100 bytes") as caught:
        decoder.feed(bytes(101))
    assert (caught.value.status, caught.value.code) == (413, "limit.body")


@pytest.mark.parametrize("cuts", [(), (50, 100), tuple(range(1, 400))])
def test_part_headers_over_the_limit_are_400_and_the_limit_is_named(cuts: tuple[int, ...]) -> None:
    body = b"--b0001\r\nX-Padding: " + b"x" * 300 + b"\r\n" + HEAD + b"\r\n{}\r\n--b0001--"
    with pytest.raises(WireError) as caught:
        decode(body, *cuts, limits=Limits(part_headers_bytes=200))
    assert (caught.value.status, caught.value.code) == (400, "limit.part-headers")
    assert "200 bytes" in caught.value.detail


def test_many_short_headers_are_over_the_limit_too() -> None:
    body = b"--b0001\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(100)) + b"\r\n{}\r\n--b0001--"
    with pytest.raises(WireError) as caught:
        decode(body)
    assert caught.value.code == "limit.part-headers"


def test_after_an_error_nothing_more_is_decoded() -> None:
    decoder = Decoder(B)
    with pytest.raises(WireError) as first:
        decoder.feed(b"--b0001\r\n{not a header}\r\n\r\n")
    with pytest.raises(WireError) as again:
        decoder.feed(b"--b0001\r\n" + HEAD + b"\r\n{}\r\n--b0001--")
    assert again.value is first.value
    with pytest.raises(WireError):
        decoder.finish()


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ("multipart/form-data; boundary=--abcdefg123456", b"--abcdefg123456"),
        ("multipart/form-data;boundary=abc;", b"abc"),
        ("Multipart/Form-Data ; charset=utf-8 ; Boundary=aBc", b"aBc"),
        ('multipart/form-data; boundary="mock cic: part=1/2 (a\'b)?"', b"mock cic: part=1/2 (a'b)?"),
    ],
)
def test_the_boundary_is_found_in_all_its_forms(content_type: str, boundary: bytes) -> None:
    """RFC 2046 5.1.1; DEVICES Q1; empty parameters RFC 9110 5.6.6."""
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "multipart/form-data", "multipart/form-data; boundary=", "multipart/related; boundary=a",
     "multipart/form-data; boundary=" + "a" * 71],
)  # fmt: skip
def test_a_type_without_a_usable_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(WireError):
        boundary_of(content_type)


def test_the_headers_of_a_part_are_found_in_any_case() -> None:
    """DEVICES Q6; PROTOCOL 4.3."""
    part = PartBegan(
        (("content-disposition", 'form-data; name="audio"; filename="audio.wav"'), ("CONTENT-ID", "<a@b>"))
    )
    assert (part.name, part.filename, part.content_id, part.content_type) == ("audio", "audio.wav", "a@b", None)


def test_what_is_tolerated_can_be_chosen_one_by_one() -> None:
    body = b'--b0001\nContent-Disposition: form-data; name="metadata"\n\n{}'
    tolerant = decode(body, tolerance=Tolerance(missing_last_delimiter=True, lf_line_ends=True))
    assert codes(tolerant) == ["multipart.line-ends", "multipart.last-delimiter"]
    with pytest.raises(WireError, match="last delimiter"):
        decode(body, tolerance=Tolerance(missing_last_delimiter=False, lf_line_ends=True))


@given(data=st.data())
def test_a_preamble_that_looks_like_the_end_is_no_end_however_it_is_cut(data: st.DataObject) -> None:
    """Only the body's first byte is its beginning; that of a window is not."""
    body = b"xx--b0001--" + b"y" * 300 + b"\r\n--b0001\r\n" + HEAD + b"\r\n{}\r\n--b0001--"
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=12))
    for some in (cuts, range(1, len(body))):
        assert [each for _, each in parts(decode(body, *some))] == [b"{}"]


@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
@pytest.mark.parametrize("blanks", [0, 1, 60, 64, 65, 300])
def test_padding_behind_a_delimiter_means_the_same_however_it_is_cut(line: bytes, blanks: int) -> None:
    head = HEAD.replace(b"\r\n", line)
    second = line + b"--b0001" + b" " * blanks + line + head + line + b"b" + line + b"--b0001--" + line
    body = b"--b0001" + line + head + line + b"a" + second
    whole = joined(decode(body))
    assert joined(decode(body, *range(1, len(body)))) == whole
    if blanks <= 64:
        assert [each for _, each in parts(whole)] == [b"a", b"b"]


def test_a_first_delimiter_with_padding_is_one_however_it_is_cut() -> None:
    body = b"--b0001" + b" " * 64 + b"\r\n" + HEAD + b"\r\n{}\r\n--b0001--"
    assert joined(decode(body)) == joined(decode(body, *range(1, len(body))))
    assert parts(decode(body))[0][1] == b"{}"


def test_an_endless_header_line_with_lf_line_ends_is_over_the_limit_too() -> None:
    decoder = Decoder(B, limits=Limits(part_headers_bytes=1000))
    decoder.feed(b"--b0001\nX-Padding: " + b"x" * 900)
    with pytest.raises(WireError) as caught:
        decoder.feed(b"x" * 200)
    assert caught.value.code == "limit.part-headers"


@pytest.mark.parametrize("body", [b"hello", b"\x00\x01" * 400])
def test_a_part_without_headers_is_a_part_with_lf_line_ends_too(body: bytes) -> None:
    """What reads as a header behind the empty line is one: DEVICES Q5 sends such a line before them."""
    whole = b"--b0001\n\n" + body + b"\n--b0001--\n"
    assert parts(decode(whole)) == [({}, body)]
    assert joined(decode(whole, *range(1, len(whole)))) == joined(decode(whole))
