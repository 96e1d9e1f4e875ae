"""A multipart encoder for answers and downchannels, byte for byte what shipped devices can read (DEVICES R1 to R13).

The first byte is the first hyphen of the delimiter (R1); the boundary is of letters and digits and never quoted (R2);
the headers of a part are Content-Disposition, Content-Id, Content-Type, in this order and no others (R7 to R9).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final, Literal

JSON_TYPE: Final = "application/json; charset=utf-8"
"""One blank, lower case: one device compares it letter by letter (DEVICES R8)."""

BINARY_TYPE: Final = "application/octet-stream"

Delimiting = Literal["after", "close", "before"]
"""Where the delimiter stands on the downchannel (PROTOCOL 8, row 9): the next one behind each part (the documents), a
closing one behind each part (DEVICES R6), or only in front of the next part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What the documents leave open in how an answer is written (PROTOCOL 8, rows 2 and 3)."""

    content_id_name: str = "Content-Id"
    content_id_brackets: bool = False
    subtype: str = "related"
    semicolon: bool = True
    type_parameter: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Headers in wire order, and a body that is exactly the bytes between the empty line and the delimiter's CRLF."""

    headers: tuple[tuple[str, str], ...]
    body: bytes


def new_boundary() -> str:
    """60 letters and digits: as long as in the samples, never to be quoted."""
    return secrets.token_hex(30)


def directive_part_name(name: str, unique: str) -> str:
    """`speakDirective-<uuid>` for Speak (PROTOCOL 4.2)."""
    return f"{name[:1].lower()}{name[1:]}Directive-{unique}"


def json_part(name: str, body: bytes) -> Part:
    """A part with a directive or an exception."""
    return Part((("Content-Disposition", f'form-data; name="{name}"'), ("Content-Type", JSON_TYPE)), body)


def attachment_part(name: str, content_id: str, body: bytes, dialect: Dialect | None = None) -> Part:
    """A binary part tied to `cid:CONTENT_ID` (PROTOCOL 4.3, 4.4)."""
    dialect = dialect or Dialect()
    value = f"<{content_id}>" if dialect.content_id_brackets else content_id
    headers = (
        ("Content-Disposition", f'form-data; name="{name}"'),
        (dialect.content_id_name, value),
        ("Content-Type", BINARY_TYPE),
    )
    return Part(headers, body)


class Encoder:
    """Writes one multipart body. Each part is handed out with the delimiter that a streaming reader waits for (R4)."""

    def __init__(self, boundary: str, dialect: Dialect | None = None, delimiting: Delimiting = "after") -> None:
        self._dialect = dialect or Dialect()
        self._boundary = boundary
        self._line = f"--{boundary}".encode()
        self._delimiting = delimiting
        self._is_open = False
        self._between = False
        self._ended = False

    @property
    def content_type(self) -> str:
        """The Content-Type of the whole (PROTOCOL 1.5), with its trailing semicolon unless the dialect has none."""
        dialect = self._dialect
        value = f"multipart/{dialect.subtype}; boundary={self._boundary}"
        if dialect.type_parameter:
            value += '; type="application/json"'
        return value + ";" if dialect.semicolon else value

    def part(self, part: Part, *, last: bool = False) -> bytes:
        """A whole part with what goes before it and behind it; `last` closes the body."""
        return self.part_head(part.headers) + part.body + self.delimiter(last=last)

    def part_head(self, headers: tuple[tuple[str, str], ...]) -> bytes:
        """The beginning of a part, for a body that is written piece by piece; `delimiter` ends it."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers).encode()
        before = b"" if self._is_open else (b"\r\n" if self._between else b"") + self._line + b"\r\n"
        self._is_open, self._between, self._ended = True, False, False
        return before + lines + b"\r\n"

    def delimiter(self, *, last: bool = False) -> bytes:
        """What stands behind a part."""
        if last or self._delimiting == "close":
            self._is_open, self._ended = False, True
            return b"\r\n" + self._line + b"--\r\n"
        if self._delimiting == "before":
            self._is_open, self._between = False, True
            return b""
        return b"\r\n" + self._line + b"\r\n"

    def closing(self) -> bytes:
        """End a body that was not ended by a last part.

        A delimiter that was already written announces a part, so that part has to come: one without headers and
        without a byte, which every reader of parts can read and no reader of directives looks at (INF). Behind a
        closing delimiter nothing is to be said.
        """
        if self._ended:
            return b""
        if self._between:
            self._between = False
            return b"\r\n" + self._line + b"--\r\n"
        if not self._is_open:
            return self._line + b"--\r\n"
        self._is_open = False
        return b"\r\n\r\n" + self._line + b"--\r\n"
