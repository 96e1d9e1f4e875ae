"""Telling protocols apart by their first bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockcic.server.preface import PREFACE, REQUEST_LINE_LIMIT_BYTES, Speech, refusal_of_http1, tell_speech


@pytest.mark.parametrize(
    ("begin", "speech"),
    [
        (PREFACE, Speech.HTTP2),
        (PREFACE + b"\0\0\0\4", Speech.HTTP2),
        (b"GET / HTTP/1.1\r\n", Speech.HTTP1),
        (b"POST /v1/events HTTP/1.0\r\nHost: a\r\n", Speech.HTTP1),
        (b"PRI * HTTP/1.1\r\n", Speech.HTTP1),
        (b"GET / HTTP/1.1\n", Speech.HTTP1),
        (b"GET / HTTP/3.0\r\n", Speech.NOISE),
        (b"GET /\r\n", Speech.NOISE),
        (b"\x16\x03\x01", Speech.NOISE),
        (b"PRI * HTTP/2.0\r\n\r\nSX", Speech.NOISE),
        (b"", Speech.UNCLEAR),
    ],
)
def test_the_first_bytes_tell(begin: bytes, speech: Speech) -> None:
    """RFC 9113 3.4, RFC 9112 3."""
    assert tell_speech(begin) is speech


@pytest.mark.parametrize("whole", [PREFACE, b"GET /v1/directives?a=b HTTP/1.1\r\n"])
def test_part_of_it_is_unclear(whole: bytes) -> None:
    """However the bytes are cut."""
    for size in range(len(whole)):
        assert tell_speech(whole[:size]) is Speech.UNCLEAR, whole[:size]


def test_a_request_line_without_end_is_noise_in_the_end() -> None:
    """8 KiB, INF: what waits has a bound."""
    assert tell_speech(b"GET /" + b"x" * (REQUEST_LINE_LIMIT_BYTES - 6)) is Speech.UNCLEAR
    assert tell_speech(b"GET /" + b"x" * (REQUEST_LINE_LIMIT_BYTES - 5)) is Speech.NOISE


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_a_judgement_stays_whatever_follows(begin: bytes, more: bytes) -> None:
    """Only UNCLEAR may change."""
    speech = tell_speech(begin)
    if speech is not Speech.UNCLEAR:
        assert tell_speech(begin + more) is speech


def test_the_refusal_is_a_whole_http1_answer() -> None:
    """RFC 9110 15.6.6: it says which protocol the server speaks instead."""
    head, _, body = refusal_of_http1().partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    assert lines[0] == "HTTP/1.1 505 HTTP Version Not Supported"
    assert f"Content-Length: {len(body)}" in lines
    assert b"HTTP/2" in body
