"""LF line ends where CRLF is due: one client sends whole uploads so (DEVICES Q5)."""

from __future__ import annotations

import re
from typing import Final

PADDING: Final = 64
"""Blanks that may stand behind a delimiter (RFC 2046 5.1.1 allows any number and advises none; the bound is INF)."""

BLANKS: Final = rb"[ \t]{0,%d}" % PADDING
"""The same as a pattern."""

_HEADER_LINE: Final = re.compile(rb"[!-9;-~]+:")

LOOK_AHEAD: Final = 256
"""Bytes without a colon or a line end after which a part is taken to have no headers (INF)."""


class LfLines:
    """Turns a body with LF line ends into one with CRLF around its parts, and leaves the parts as they are.

    An empty line before the headers of a part, as one client sends (DEVICES Q5), is dropped.
    """

    def __init__(self, delimiter: bytes) -> None:
        self._end = re.compile(rb"\r?\n" + re.escape(delimiter) + rb"(?:(--)|" + BLANKS + rb"\r?\n)")
        self._delimiter = delimiter
        self._held = b""
        self._in_headers = True
        self._header_seen = False
        self._at_end = False

    def feed(self, data: bytes) -> bytes:
        """The next bytes, converted; bytes that may belong to a delimiter wait."""
        self._held += data
        return b"".join(self._convert())

    def finish(self) -> bytes:
        """What was waiting; a delimiter line may end with the stream."""
        self._at_end = True
        self._held += b"\n"
        out = b"".join(self._convert())
        rest, self._held = self._held, b""
        return out + (rest[:-1] if rest.endswith(b"\n") else rest)

    def _convert(self) -> list[bytes]:
        out: list[bytes] = []
        while self._held:
            size = len(self._held)
            out.extend(self._header_lines() if self._in_headers else self._body())
            if len(self._held) == size:
                break
        return out

    def _header_lines(self) -> list[bytes]:
        line, ended, rest = self._held.partition(b"\n")
        if not ended or (not line.strip() and not self._header_seen and not self._decided(rest)):
            return []
        self._held = rest
        line = line.removesuffix(b"\r")
        if line:
            self._header_seen = True
            return [line + b"\r\n"]
        if not self._header_seen and self._headers_follow(rest):
            return []
        self._in_headers = False
        return [b"\r\n"]

    @staticmethod
    def _headers_follow(rest: bytes) -> bool:
        """Whether an empty line stands before headers (DEVICES Q5) and not in their place."""
        return _HEADER_LINE.match(rest) is not None

    def _decided(self, rest: bytes) -> bool:
        """Whether what is behind an empty line can be told to be a header or none."""
        return self._at_end or len(rest) > LOOK_AHEAD or b"\n" in rest or b":" in rest

    @property
    def waiting_headers(self) -> int:
        """How many bytes of headers wait for the end of their line."""
        return len(self._held) if self._in_headers else 0

    def _body(self) -> list[bytes]:
        found = self._end.search(self._held)
        if found is None:
            keep = self._open_end()
            out, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
            return [out]
        before, self._held = self._held[: found.start()], self._held[found.end() :]
        if found[1] is not None:
            return [before, b"\r\n" + self._delimiter + b"--\r\n"]
        self._in_headers, self._header_seen = True, False
        return [before, b"\r\n" + self._delimiter + b"\r\n"]

    def _open_end(self) -> int:
        """How many bytes at the end may be the beginning of a delimiter."""
        window = self._held[-(len(self._delimiter) + PADDING + 4) :]
        at = window.rfind(b"\n" + self._delimiter)
        if at < 0:
            at = next((i for i in range(len(window)) if (b"\n" + self._delimiter).startswith(window[i:])), -1)
        if at < 0:
            return 1 if window.endswith(b"\r") else 0
        if at > 0 and window[at - 1 : at] == b"\r":
            at -= 1
        return len(window) - at
