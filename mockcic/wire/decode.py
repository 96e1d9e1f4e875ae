"""An incremental multipart decoder: bytes in, parts out, the same however the bytes are cut.

On python-multipart's low-level parser, which knows neither a preamble nor LF line ends nor a missing last delimiter:
those are handled here, around it. The same decoder reads a device's `multipart/form-data` and a server's
`multipart/related`.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from mockcic.errors import Finding, WireError
from mockcic.wire.lf_lines import BLANKS, PADDING, LfLines

UNDECODABLE: Final = "Could not decode multipart"
"""The one description the documents know (PROTOCOL 5.2)."""

HEADER_LINES: Final = 64
"""Headers of one part (INF)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an upload may be at the most (PROTOCOL 8, row 26: INF). `duration_s` None: no limit."""

    part_headers_bytes: int = 16 * 1024
    json_bytes: int = 1024 * 1024
    body_bytes: int = 10 * 1024 * 1024
    duration_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What is taken with a finding although the standards forbid it (PROTOCOL 5.3; DEVICES Q2, Q5)."""

    missing_last_delimiter: bool = True
    lf_line_ends: bool = True


STRICT: Final = Tolerance(missing_last_delimiter=False, lf_line_ends=False)


@dataclass(frozen=True, slots=True)
class PartBegan:
    """The headers of a part are complete. Names are as sent; look them up with `header`, in any case."""

    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str | None:
        """The value of a header, None where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def name(self) -> str | None:
        """`name` of the Content-Disposition."""
        return _parameter(self.header("content-disposition"), "name")

    @property
    def filename(self) -> str | None:
        """`filename` of the Content-Disposition (DEVICES Q6)."""
        return _parameter(self.header("content-disposition"), "filename")

    @property
    def content_type(self) -> str | None:
        """The Content-Type as sent."""
        return self.header("content-type")

    @property
    def content_id(self) -> str | None:
        """The Content-Id without brackets (PROTOCOL 4.3)."""
        value = self.header("content-id")
        return None if value is None else value.strip().removeprefix("<").removesuffix(">")


@dataclass(frozen=True, slots=True)
class PartData:
    """Some bytes of the part's body; how many come at once means nothing."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnded:
    """The part is complete; `complete` is False when only the end of the stream ended it."""

    complete: bool = True


@dataclass(frozen=True, slots=True)
class Finished:
    """The body is complete: the last delimiter was seen, or the stream ended and that is tolerated."""


_AT: Final = re.compile(r" (?:at|in header at) \(?\d+\)?$")
_QUIET: Final = logging.getLogger("mockcic.wire.decode")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False

Piece = PartBegan | PartData | PartEnded | Finished | Finding


class Decoder:
    """Decodes one body. Give it chunks with `feed`, and say `finish` at the end of the stream.

    Both raise `WireError` at the byte that makes the body undecodable; its `offset` counts from the body's first
    byte. After that they raise it again. At most the delimiter's length plus the limit on part headers is held back.
    Source: RFC 2046 5.1.1; the extra CRLF before a delimiter stays in the part (DEVICES Q4).
    """

    def __init__(self, boundary: bytes, *, limits: Limits | None = None, tolerance: Tolerance | None = None) -> None:
        self.tolerance = tolerance or Tolerance()
        self._limits = limits or Limits()
        self._delimiter = b"--" + boundary
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_end": self._on_end,
            },
            max_header_count=HEADER_LINES,
            max_header_size=self._limits.part_headers_bytes,
        )
        self._parser.logger = _QUIET  # what is wrong is said once, by WireError
        self._held = b""
        self._lines: LfLines | None = None
        self._began = False
        self._size = 0
        self._preamble = 0
        self._tail = b""
        self._pieces: list[Piece] = []
        self._field = bytearray()
        self._value = bytearray()
        self._headers: list[tuple[str, str]] = []
        self._header_bytes = 0
        self._in_headers = False
        self._in_data = False
        self._finished = False
        self._at_end = False
        self._error: WireError | None = None

    def feed(self, data: bytes) -> list[Piece]:
        """Decode the next bytes. Returns what became certain, in the order of the wire."""
        if self._error is not None:
            raise self._error
        self._size += len(data)
        if self._size > self._limits.body_bytes:
            raise self._fail(
                f"the body is over the limit of {self._limits.body_bytes} bytes", status=413, code="limit.body"
            )
        if not self._finished and data:
            self._decode(data)
        return self._take()

    def finish(self) -> list[Piece]:
        """The stream has ended."""
        if self._error is not None:
            raise self._error
        if not self._finished:
            self._end_early()
        return self._take()

    # ------------------------------------------------------------------ before the parser

    def _decode(self, data: bytes) -> None:
        if not self._began:
            data = self._skip_preamble(data)
        if data:
            self._write(data)

    def _skip_preamble(self, data: bytes) -> bytes:
        """What is behind and with the first delimiter; nothing as long as it has not come."""
        if not self._held and data.startswith(self._delimiter + b"\r\n"):
            self._began = True  # the everyday case, without making a regular expression for one body
            return data
        data = self._held + data
        found = self._first_delimiter().search(data)
        if found is None:
            keep = min(len(data), len(self._delimiter) + PADDING + 3)
            self._preamble += len(data) - keep
            self._held = data[len(data) - keep :]
            return b""
        self._held, self._began = b"", True
        self._preamble += found.start()
        if self._preamble:
            self._find(
                "multipart.preamble",
                f"{self._preamble} bytes before the first delimiter",
                "none; they are ignored (RFC 2046 5.1.1)",
            )
        if found[1] == b"\n":
            if not self.tolerance.lf_line_ends:
                raise self._fail("lines that end with LF instead of CRLF", code="multipart.line-ends")
            self._find("multipart.line-ends", "lines that end with LF", "CRLF (RFC 2046 5.1.1; DEVICES Q5)")
            self._lines = LfLines(self._delimiter)
            self._parse(self._delimiter + b"\r\n")
            return data[found.end() :]
        if found[2] is None:
            self._parse(self._delimiter + b"\r\n")
            return data[found.end() :]
        return data[found.start() :]

    def _first_delimiter(self) -> re.Pattern[bytes]:
        """A delimiter line at the body's beginning or behind any line end; group 1 its line end, group 2 `--`."""
        begin = rb"(?:\A|(?<=\n))" if self._preamble == 0 else rb"(?<=\n)"  # a window is not the beginning
        return re.compile(begin + re.escape(self._delimiter) + rb"(?:" + BLANKS + rb"(\r?\n)|(--))")

    def _write(self, data: bytes) -> None:
        if self._lines is None:
            self._parse(data)
            return
        self._parse(self._lines.feed(data))
        if self._lines.waiting_headers > self._limits.part_headers_bytes:
            raise self._headers_too_large()

    def _parse(self, data: bytes) -> None:
        self._tail = (self._tail + data[-128:])[-128:]
        before = self._size - len(data)
        try:
            self._parser.write(data)
        except FormParserError as error:
            if "size exceeded" in str(error) or "count exceeded" in str(error):
                raise self._headers_too_large() from None
            offset = max(0, before + getattr(error, "offset", 0))
            what = f"not a part header: {_AT.sub('', str(error))}"
            raise self._fail(what, code="multipart.part-header", offset=offset) from None

    # ------------------------------------------------------------------ the end

    def _end_early(self) -> None:
        """The stream ended before the last delimiter."""
        if not self._began and self._held:
            self._decode(b"\r\n")  # a delimiter line that only the end of the stream ends
        if self._finished:
            return
        if not self._began:
            code, what = (
                ("multipart.empty", "an empty body") if self._size == 0 else ("multipart.boundary", "no delimiter")
            )
            raise self._fail(f"{what} where --{self._delimiter[2:].decode('latin-1')} was expected", code=code)
        if self._lines is not None:
            self._parse(self._lines.finish())
        self._end_without_last_delimiter()

    def _end_without_last_delimiter(self) -> None:
        if self._finished:
            return
        if self._in_headers and self._header_bytes:
            raise self._fail("the stream ended inside the headers of a part", code="multipart.part-header")
        if not self.tolerance.missing_last_delimiter:
            raise self._fail("the stream ended without the last delimiter", code="multipart.last-delimiter")
        self._find(
            "multipart.last-delimiter",
            f"END_STREAM after {self._size} bytes without the last delimiter",
            "CRLF --boundary-- before it (PROTOCOL 3.1)",
        )
        if self._in_data:
            self._at_end = True
            self._parse(self._missing_rest())
        if not self._finished:
            self._on_end()

    def _missing_rest(self) -> bytes:
        """What completes the bytes already here to a last delimiter; a CR alone counts as data."""
        whole = b"\r\n" + self._delimiter
        for length in range(len(whole), 1, -1):
            if self._tail.endswith(whole[:length]):
                return whole[length:] + b"--\r\n"
        if self._tail.endswith(whole + b"-"):
            return b"-\r\n"
        if self._tail.endswith(whole + b"\r"):
            return b"\n"
        return whole + b"--\r\n"

    # ------------------------------------------------------------------ callbacks of the parser

    def _on_part_begin(self) -> None:
        self._in_headers, self._in_data = True, False
        self._headers, self._header_bytes = [], 0
        self._field.clear()
        self._value.clear()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._value += data[start:end]

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > self._limits.part_headers_bytes:
            raise self._headers_too_large()

    def _headers_too_large(self) -> WireError:
        limit = f"the limit of {self._limits.part_headers_bytes} bytes and {HEADER_LINES} lines"
        return self._fail(f"the headers of a part are over {limit}", code="limit.part-headers")

    def _on_header_end(self) -> None:
        self._headers.append((self._field.decode("latin-1"), self._value.decode("utf-8", "replace").strip()))
        self._field.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        self._in_headers, self._in_data = False, True
        self._pieces.append(PartBegan(tuple(self._headers)))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if end > start:
            self._pieces.append(PartData(bytes(data[start:end])))

    def _on_part_end(self) -> None:
        if self._in_data:
            self._pieces.append(PartEnded(complete=not self._at_end))
        self._in_data = False

    def _on_end(self) -> None:
        if not self._finished:
            self._finished = True
            self._pieces.append(Finished())

    # ------------------------------------------------------------------

    def _take(self) -> list[Piece]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def _find(self, code: str, found: str, expected: str) -> None:
        self._pieces.append(Finding(code, found, expected))

    def _fail(self, detail: str, *, code: str, status: int = 400, offset: int | None = None) -> WireError:
        description = detail if status == 413 else UNDECODABLE
        self._error = WireError(
            description, status=status, offset=self._size if offset is None else offset, code=code, detail=detail
        )
        return self._error


def boundary_of(content_type: str, *, subtype: str | None = "form-data") -> bytes:
    """The boundary of a multipart content type, without its quotes.

    Raises `WireError` when it is another type, or has no boundary of 1 to 70 characters (RFC 2046 5.1.1). `subtype`
    None takes any.
    """
    kind, _, parameters = content_type.partition(";")
    wanted = "multipart/" if subtype is None else f"multipart/{subtype}"
    kind = kind.strip().lower()
    if not (kind.startswith(wanted) if subtype is None else kind == wanted):
        found = content_type or "no content type"
        raise WireError(UNDECODABLE, code="multipart.type", detail=f"found {found}, expected {wanted}; boundary=...")
    boundary = _parameter("x;" + parameters, "boundary")
    if not boundary or len(boundary) > 70:
        raise WireError(
            UNDECODABLE,
            code="multipart.boundary",
            detail=f"found {content_type}, expected a boundary of 1 to 70 characters",
        )
    return boundary.encode("latin-1", "replace")


@lru_cache(maxsize=256)  # the same few headers come again and again
def _parameter(value: str | None, name: str) -> str | None:
    """A parameter of a header value; empty parameters and blanks do not matter (RFC 9110 5.6.6)."""
    if value is None:
        return None
    message = Message()
    message["x"] = value
    found = message.get_param(name, header="x")
    return found if found is None or isinstance(found, str) else found[2]
