"""Ids in two traces: fresh in each, so it counts only that they are used alike."""

from __future__ import annotations

import re
from typing import Final

_ID: Final = re.compile(
    r"cid:[^\s\"'<>]+"
    r"|\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"
    r"|\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{16,}\b"
    r"|(?<=boundary=)[^\s;]+"
)
"""What looks like an id wherever it stands: of an attachment, a UUID, long hexadecimal; and a boundary."""

_MEMBER: Final = re.compile(r"(?:messageId|message_id|dialogRequestId|dialogue|[tT]oken|\w+Token|authorization|short)")
"""Members whose whole value is an id, whatever it looks like (PROTOCOL 3.2)."""


class Ids:
    """Which id of A is which of B, learned in the order they appear."""

    def __init__(self) -> None:
        self._a_to_b: dict[str, str] = {}
        self._b_to_a: dict[str, str] = {}

    def same(self, member: str, a: str, b: str) -> bool:
        """Whether two texts are the same but for ids, and their ids are used as before."""
        if member == "sha256":
            return a == b
        if _MEMBER.fullmatch(member):
            return self._pair(a, b)
        found_a, found_b = _ID.findall(a), _ID.findall(b)
        if not found_a or len(found_a) != len(found_b) or _ID.split(a) != _ID.split(b):
            return a == b
        pairs = [self._pair(each, other) for each, other in zip(found_a, found_b, strict=True)]  # all are learned
        return all(pairs)

    def _pair(self, a: str, b: str) -> bool:
        if not a or not b:
            return a == b
        return self._a_to_b.setdefault(a, b) == b and self._b_to_a.setdefault(b, a) == a


def without_ids(text: str) -> str:
    """The text with a sign in place of each id: a key under which two traces can meet."""
    return _ID.sub("<id>", text)


__all__ = ["Ids", "without_ids"]
