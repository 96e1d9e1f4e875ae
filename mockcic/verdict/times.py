"""How often something is to have come."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_RANGE: Final = re.compile(r"([0-9]{1,9})?\s*\.\.\s*([0-9]{1,9})?")
_WORDS: Final = re.compile(r"(exactly|at[ _-]least|at[ _-]most)\s+([0-9]{1,9})", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"between\s+([0-9]{1,9})\s+and\s+([0-9]{1,9})", re.IGNORECASE)
_SPOKEN: Final = (
    (r"\bnever\b", "exactly 0"),
    (r"\bonce\b", "1"),
    (r"\btwice\b", "2"),
    (r"\s+times$", ""),
    (r"\s+to\s+", ".."),
)
LONGEST: Final = 60
EXPECTED: Final = 'a number, "1..3", "2..", "..3", "exactly 1", "at least 2", "at most 3" or "between 1 and 3"'


@dataclass(frozen=True, slots=True)
class Times:
    """At least `low`, at most `high` (None: any number more)."""

    low: int
    high: int | None

    def __post_init__(self) -> None:
        if self.low < 0 or (self.high is not None and self.high < self.low):
            raise ValueError(f"found {self.low}..{self.high}, expected numbers from 0 on, the lower one first")

    def fits(self, count: int) -> bool:
        """Whether that often is right."""
        return self.low <= count and (self.high is None or count <= self.high)

    def __str__(self) -> str:
        if self.high is None:
            return f"at least {_often(self.low)}"
        if self.low == self.high:
            return "never" if self.low == 0 else f"exactly {_often(self.low)}"
        if self.low == 0:
            return f"at most {_often(self.high)}"
        return f"{self.low} to {self.high} times"


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def exactly(count: int) -> Times:
    """Neither more nor less."""
    return Times(count, count)


def at_least(count: int) -> Times:
    """So often or more."""
    return Times(count, None)


def at_most(count: int) -> Times:
    """So often or less."""
    return Times(0, count)


def between(low: int, high: int) -> Times:
    """Both bounds included."""
    return Times(low, high)


def read_times(value: int | str | Times | None) -> Times:
    """The times of a number (exactly so often), of words, of a range; at least once for None.

    The words that `str()` gives are read too. Raises `ValueError`.
    """
    match value:
        case None:
            return at_least(1)
        case Times():
            return value
        case bool():
            raise ValueError(f"found {value}, expected {EXPECTED}")
        case int():
            return exactly(value)
    if not isinstance(value, str):
        raise ValueError(f"found {value!r}, expected {EXPECTED}")
    text = value.strip()
    if len(text) > LONGEST:
        raise ValueError(f"found a text of {len(text)} characters, expected {EXPECTED}")
    for spoken, word in _SPOKEN:
        text = re.sub(spoken, word, text, flags=re.IGNORECASE)
    if _NUMBER.fullmatch(text):
        return exactly(int(text))
    if (found := _RANGE.fullmatch(text)) is not None and text != "..":
        return Times(int(found[1] or 0), None if found[2] is None else int(found[2]))
    if (found := _WORDS.fullmatch(text)) is not None:
        which = {"e": exactly, "l": at_least, "m": at_most}
        word = found[1].lower()
        return which["e" if word == "exactly" else word.split("at")[1].strip(" _-")[0]](int(found[2]))
    if (found := _BETWEEN.fullmatch(text)) is not None:
        return between(int(found[1]), int(found[2]))
    raise ValueError(f"found {value!r}, expected {EXPECTED}")
