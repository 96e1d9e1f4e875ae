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
    boundary: str = "plain"
    """`plain` (letters and digits), `hyphens`, `long` (70 characters), or `quoted`."""
    preamble: bool = False
    """A CRLF before the first delimiter."""
    end: str = "crlf"
    """Behind the last delimiter: `crlf`, `bare` (nothing), or `epilogue` (another CRLF)."""
    names: str = "named"
    """Of parts: as the samples have them, `metadata` and `audio`, or `random`."""
    lower_case: bool = False
    """Part headers in lower case, which some firmware cannot read (DEVICES R7)."""
    type_first: bool = False
    """Content-Type in front of the other headers."""
    charset: str = "utf-8"
    """Of JSON parts; empty for none."""

    @property
    def ending(self) -> bytes:
        """What stands behind the two hyphens of the last delimiter."""
        return {"bare": b"", "epilogue": b"\r\n\r\n"}.get(self.end, b"\r\n")

    def headers(self, name: str, general: str, *others: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        """The headers of a part that the samples call `name` and the skeletons `general`; the type is the last."""
        said = {"metadata": general, "random": secrets.token_hex(8)}.get(self.names, name)
        found = [("Content-Disposition", f'form-data; name="{said}"'), *others]
        if self.type_first:
            found.insert(0, found.pop())
        return tuple((key.lower(), value) if self.lower_case else (key, value) for key, value in found)


@dataclass(frozen=True, slots=True)
class Part:
    """Headers in wire order, and a body that is exactly the bytes between the empty line and the delimiter's CRLF."""

    headers: tuple[tuple[str, str], ...]
    body: bytes


def new_boundary(dialect: Dialect | None = None) -> str:
    """60 letters and digits: as long as in the samples, never to be quoted; or as the dialect wants it.

    A boundary has at most 70 characters, and needs quotes where it has others than those of a token (RFC 2046 5.1.1).
    """
    match "plain" if dialect is None else dialect.boundary:
        case "hyphens":
            return f"--mock-{secrets.token_hex(16)}"
        case "long":
            return secrets.token_hex(35)
        case "quoted":
            return f"mock:{secrets.token_hex(16)}=1"
    return secrets.token_hex(30)


def directive_part_name(name: str, unique: str) -> str:
    """`speakDirective-<uuid>` for Speak (PROTOCOL 4.2)."""
    return f"{name[:1].lower()}{name[1:]}Directive-{unique}"


PLAIN: Final = Dialect()


def json_part(name: str, body: bytes, dialect: Dialect = PLAIN) -> Part:
    """A part with a directive or an exception."""
    kind = JSON_TYPE
    if dialect.charset != "utf-8":
        kind = f"application/json; charset={dialect.charset}" if dialect.charset else "application/json"
    return Part(dialect.headers(name, "metadata", ("Content-Type", kind)), body)


def attachment_part(name: str, content_id: str, body: bytes, dialect: Dialect | None = None) -> Part:
    """A binary part tied to `cid:CONTENT_ID` (PROTOCOL 4.3, 4.4); without an id it has no such header."""
    dialect = dialect or Dialect()
    value = f"<{content_id}>" if dialect.content_id_brackets else content_id
    tied = ((dialect.content_id_name, value),) if content_id else ()
    return Part(dialect.headers(name, "audio", *tied, ("Content-Type", BINARY_TYPE)), body)


class Encoder:
    """Writes one multipart body. Each part is handed out with the delimiter that a streaming reader waits for (R4)."""

    def __init__(self, boundary: str, dialect: Dialect | None = None, delimiting: Delimiting = "after") -> None:
        self._dialect = dialect or Dialect()
        self._boundary = boundary
        self._line = f"--{boundary}".encode()
        self._delimiting = delimiting
        self._last = self._line + b"--" + self._dialect.ending
        self._begun = not self._dialect.preamble
        self._is_open = False
        self._between = False
        self._ended = False

    @property
    def has_begun(self) -> bool:
        """Whether anything was written."""
        return self._is_open or self._between or self._ended

    @property
    def content_type(self) -> str:
        """The Content-Type of the whole (PROTOCOL 1.5), with its trailing semicolon unless the dialect has none."""
        dialect = self._dialect
        boundary = f'"{self._boundary}"' if dialect.boundary == "quoted" else self._boundary
        value = f"multipart/{dialect.subtype}; boundary={boundary}"
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
        if not self._begun:
            self._begun, before = True, b"\r\n" + before
        self._is_open, self._between, self._ended = True, False, False
        return before + lines + b"\r\n"

    def delimiter(self, *, last: bool = False) -> bytes:
        """What stands behind a part."""
        if last or self._delimiting == "close":
            self._is_open, self._ended = False, True
            return b"\r\n" + self._last
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
            return b"\r\n" + self._last
        if not self._is_open:
            return self._last
        self._is_open = False
        return b"\r\n\r\n" + self._last
