"""What stands where in a part of a multipart body: so that a cut can be named."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CRLF: Final = b"\r\n"
JSON: Final = "JSON"
ATTACHMENT: Final = "attachment"


@dataclass(frozen=True, slots=True)
class Region:
    """Bytes from `begin` up to `end`, and what they are."""

    begin: int
    end: int
    what: str

    @property
    def is_framing(self) -> bool:
        """Whether it is what a parser of multipart lives by: delimiters, line ends, the blank line, header names."""
        return self.what not in (JSON, ATTACHMENT) and not self.what.startswith("value of")


def anatomy(data: bytes, boundary: str) -> tuple[Region, ...]:
    """The regions of `data` without a gap: whole parts, with the delimiters before, between and behind them.

    It begins with the headers of a part, as a message on a downchannel does (DEVICES R4), or with a delimiter.
    """
    line = f"--{boundary}".encode()
    regions: list[Region] = []
    at = 0

    def take(size: int, what: str) -> None:
        nonlocal at
        if size > 0:
            regions.append(Region(at, at + size, what))
            at += size

    for number in itertools.count():
        if data.startswith(line, at):
            take(2, "hyphens of the delimiter")
            take(len(line) - 2, "boundary")
            if data.startswith(b"--", at):
                take(2, "hyphens that close")
            take(len(CRLF), "CRLF behind the delimiter") if data.startswith(CRLF, at) else None
        if at >= len(data):
            break
        kind = JSON if number == 0 else ATTACHMENT
        at_headers_end = data.find(CRLF + CRLF, at)
        if at_headers_end < 0:
            take(len(data) - at, "the rest")
            break
        is_json = b"application/json" in data[at:at_headers_end]
        kind = JSON if is_json else ATTACHMENT
        for header in data[at:at_headers_end].split(CRLF):
            name, colon, value = header.partition(b":")
            called = name.decode("latin-1")
            take(len(name), f"name {called}")
            take(len(colon), f"colon of {called}")
            take(len(value), f"value of {called}")
            take(len(CRLF), f"CRLF of {called}")
        take(len(CRLF), "blank line")
        end = data.find(CRLF + line, at)
        take((len(data) if end < 0 else end) - at, kind)
        if end < 0:
            break
        take(len(CRLF), "CRLF before the delimiter")
    return tuple(regions)


def place_of(regions: tuple[Region, ...], cut: int) -> tuple[int, str]:
    """Where a cut behind `cut` bytes is: the number of the region that ends or goes on there, and words for it."""
    for number, region in enumerate(regions):
        if region.begin < cut < region.end:
            return number, f"in {region.what}"
        if cut == region.end:
            return number, f"behind {region.what}"
    return len(regions), "behind all"


def read_cuts(text: str, regions: tuple[Region, ...]) -> tuple[int, ...]:
    """The cuts that `all`, `delimiters` or numbers and ranges (`1..20,77`) mean. Raises `ValueError` with words."""
    size = regions[-1].end
    every = range(1, size)
    if text == "all":
        return tuple(every)
    if text == "delimiters":
        return tuple(cut for cut in every if any(r.is_framing and r.begin <= cut <= r.end for r in regions))
    chosen = set(_numbers(text, size))
    if not chosen:
        raise ValueError(f"found {text!r}, expected all, delimiters, or numbers from 1 to {size - 1} such as 1..20,77")
    return tuple(cut for cut in every if cut in chosen)


def _numbers(text: str, size: int) -> Iterator[int]:
    for word in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,9})(?:\.\.(\d{1,9}))?\s*", word)
        if found is None or int(found[1]) >= size:
            return
        yield from range(max(1, int(found[1])), min(int(found[2] or found[1]), size - 1) + 1)


__all__ = ["Region", "anatomy", "place_of", "read_cuts"]
