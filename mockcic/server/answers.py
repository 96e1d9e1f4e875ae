"""What an answer looks like as HTTP: status, headers, bytes. No I/O."""

from __future__ import annotations

from collections.abc import Iterable

from mockcic.cic.ids import new_id
from mockcic.cic.message import ENCODE, Directive, Refusal
from mockcic.wire.encode import Dialect, Encoder, Part, directive_part_name, json_part, new_boundary

Headers = list[tuple[bytes, bytes]]

ONE_TEXT = "Could not decode multipart"
"""The only description the documents ever show for a 400 (PROTOCOL 5.2)."""


def directive_part(directive: Directive, dialect: Dialect) -> Part:
    """The JSON part of a directive."""
    return json_part(directive_part_name(directive.name, new_id()), directive.encode(), dialect)


def encode_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Header names in lower case, as HTTP/2 wants them (RFC 9113 8.2)."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]


def refusal_response(refusal: Refusal, *, form: str, dialect: Dialect, one_text: bool = False) -> tuple[Headers, bytes]:
    """Headers and body of a System.Exception (PROTOCOL 5.1) in a form: `bare`, `wrapped`, `plain-json`, `empty`."""
    form = refusal.form or form
    headers = encode_headers(refusal.headers)
    if form == "empty":
        return headers, b""
    description = ONE_TEXT if one_text and refusal.status == 400 else refusal.description
    code = refusal.status if refusal.code is None else refusal.code
    exception = Directive("System", "Exception", new_id(), {"code": code, "description": description})
    value = exception.as_json()
    text = ENCODE(value if form == "wrapped" else value["directive"])
    if form == "plain-json":
        return [(b"content-type", b"application/json; charset=utf-8"), *headers], text.encode()
    encoder = Encoder(new_boundary(dialect), dialect)
    body = encoder.part(json_part(f"exception-{new_id()}", text.encode(), dialect), last=True)
    return [(b"content-type", encoder.content_type.encode()), *headers], body
