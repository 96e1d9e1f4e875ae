"""Which protocol a client speaks, judged by its first bytes (DEVICES C2), and the answer for HTTP/1.1."""

from __future__ import annotations

import re
from email.utils import formatdate
from enum import Enum, auto
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # RFC 9113 3.4
REQUEST_LINE_LIMIT_BYTES: Final = 8 * 1024

_REQUEST_LINE: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} [^\r\n ]+ HTTP/1\.[0-9]\r?\n")
_REQUEST_LINE_BEGUN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}(?: [^\r\n]*\r?)?")

_ADVICE: Final = (
    "This server speaks HTTP/2 only.\n"
    "With TLS, offer h2 in ALPN, or begin HTTP/2 without ALPN; curl does so by itself with --http2.\n"
    "In clear text, begin HTTP/2 with prior knowledge: curl --http2-prior-knowledge.\n"
)


class Speech(Enum):
    """What the first bytes of a client are."""

    HTTP2 = auto()
    HTTP1 = auto()
    UNCLEAR = auto()
    """Too few bytes to tell."""

    NOISE = auto()
    """Neither."""


def tell_speech(begin: bytes) -> Speech:
    """Say what a client speaks whose first bytes are `begin`. Source: RFC 9113 3.4, RFC 9112 3."""
    if begin.startswith(PREFACE):
        return Speech.HTTP2
    if PREFACE.startswith(begin):
        return Speech.UNCLEAR
    if _REQUEST_LINE.match(begin):
        return Speech.HTTP1
    if len(begin) < REQUEST_LINE_LIMIT_BYTES and _REQUEST_LINE_BEGUN.fullmatch(begin):
        return Speech.UNCLEAR
    return Speech.NOISE


def refusal_of_http1() -> bytes:
    """The answer to an HTTP/1.1 request: 505, and what to do about it."""
    body = _ADVICE.encode("ascii")
    head = (
        "HTTP/1.1 505 HTTP Version Not Supported\r\n"
        f"Date: {formatdate(usegmt=True)}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n"
        "\r\n"
    )
    return head.encode("ascii") + body
