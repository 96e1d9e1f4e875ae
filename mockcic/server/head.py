"""The heads of requests and answers, between HTTP/2's form and ASGI's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hpack import NeverIndexedHeaderTuple

from mockcic.server.tolerance import NO_AUTHORITY

Headers = list[tuple[bytes, bytes]]

COLON: Final = 0x3A

NO_DATE: Final = (b"date", b"")
"""Among the headers of an answer: it is to have no date."""

# Meaningless in HTTP/2 and forbidden (RFC 9113 8.2.2); applications made for HTTP/1.1 send them
CONNECTION_HEADERS: Final = frozenset({
    b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What a request begins with. `headers` are without pseudo-headers, `:authority` as `host` in front (ASGI)."""

    method: str
    raw_path: bytes
    headers: Headers


def read_request_head(headers: Headers) -> RequestHead:
    """Sort the headers of a request, which h2 has checked. CONNECT, which has no path, gets `/`."""
    method, path, host = "", b"/", None
    plain: Headers = []
    for pair in headers:
        name, value = pair
        if name[0] != COLON:
            if name == b"host":
                host = value if host is None else host
            else:
                plain.append((name, value))
        elif name == b":method":
            method = value.decode("latin-1").upper()
        elif name == b":path":
            path = value
        elif name == b":authority" and pair is not NO_AUTHORITY:
            host = value
    if host is not None:
        plain.insert(0, (b"host", host))
    return RequestHead(method, path, plain)


def write_headers(headers: Headers, date: Headers) -> Headers:
    """`headers` of an answer as HTTP/2 has them: lower-case names, none of HTTP/1.1's; `date` but for `NO_DATE`."""
    result: Headers = []
    dated = False
    for name, value in headers:
        lower = name.lower()
        if not value and lower == b"date":
            dated = True
        elif lower not in CONNECTION_HEADERS:
            # A boundary is never seen again: in HPACK's table it would only push out what is.
            once = lower == b"content-type" and b"boundary=" in value
            result.append(NeverIndexedHeaderTuple(lower, value) if once else (lower, value))
            dated = dated or lower == b"date"
    return result if dated else [*result, *date]
