"""A YAML file as plain values, where every value still knows its place.

YAML 1.2 as a firmware engineer expects it: `on`, `off`, `yes` and `no` are texts, so are dates and `0123`; numbers are
those of JSON; keys are always texts. No object tags; aliases and merge keys work within limits (INF).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mockcic.errors import Problem, Severity
from mockcic.scenario.node import LINE_END, Composer, Node, Place, UnreadableError
from mockcic.scenario.words import DIRECTIVE_KEY

LIMIT_BYTES: Final = 4 * 1024 * 1024  # INF; the largest scenario we know of is 200 KB
_TAGS_AND_KEYS: Final = ("push", "wait", "use", "repeat", "fault")


@dataclass(frozen=True, slots=True)
class Found:
    """What a location leads to: the value, its key if it has one, and whether the last segment was in the file.

    `way` are the mappings and lists on the way, each with the key or index that was taken.
    """

    node: Node
    key: Node | None = None
    last: bool = True
    way: tuple[tuple[Node, str | int], ...] = ()


class Source:
    """One file: its lines, its values and its problems as YAML. `root` is None when it cannot be read as YAML."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text.removeprefix("\ufeff")  # some editors write one; it means nothing in UTF-8
        self.lines: Sequence[str] = LINE_END.split(self.text)
        self.problems: list[Problem] = []
        self.root: Node | None = None
        try:
            self.root = Composer(self).compose()
        except UnreadableError as error:
            self.problems.append(error.problem)

    @property
    def values(self) -> Any:
        """Plain Python, or None when there is nothing that could be read."""
        return None if self.root is None else self.root.values()

    def find(self, loc: Sequence[int | str]) -> Found | None:
        """Follow a pydantic location as far as the file goes, skipping what is not in the file (tags, short forms)."""
        return None if self.root is None else follow(self.root, loc)

    def position(self, loc: Sequence[int | str], *, key: bool = False) -> Place:
        """The place of the value at a location, or of its key; of what encloses it when it is not there."""
        found = self.find(loc)
        if found is None:
            return Place(1, 1)
        if found.key is not None and (key or (found.node.value is None and self.width(found.node) == 0)):
            return self.place(found.key)
        return self.place(found.node)

    def place(self, node: Node) -> Place:
        """Where a node is written."""
        if node.members and not node.flow:
            first = next(iter(node.members.values()))[0]
            if first.line == node.line:
                return Place(node.line, node.column, max(1, self.width(first)))
        return Place(node.line, node.column, max(1, self.width(node)))

    def width(self, node: Node) -> int:
        """How many characters of its first line a node fills."""
        if node.end_line == node.line:
            return node.end_column - node.column
        return len(self.line(node.line).rstrip()) - node.column + 1

    def written(self, key: Node) -> str:
        """The text of a key, as it stands in the file."""
        return key.text if key.text is not None else str(key.value)

    def line(self, number: int) -> str:
        """The text of a line, counted from 1."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def problem(
        self, place: Place, what: str, expected: str = "", mend: str = "", *, severity: Severity = "error"
    ) -> Problem:
        """A problem of this file."""
        return Problem(
            self.path, place.line, place.column, what, expected, mend, severity, self.line(place.line), place.width
        )


def read_source(path: Path, called: str) -> Source | Problem:
    """Read a file that the user calls `called`; a Problem when it is no text. Raises OSError."""
    data = path.read_bytes() if path.stat().st_size <= LIMIT_BYTES else b""
    if path.stat().st_size > LIMIT_BYTES:
        size = f"a file of {path.stat().st_size:,} bytes"
        return Problem(called, 1, 1, size, f"at most {LIMIT_BYTES:,} bytes", "split it, and `include` the pieces")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem(called, 1, 1, "the file is in UTF-16", "UTF-8", "save it as UTF-8 in your editor")
    try:
        return Source(called, data.decode())
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        lines = LINE_END.split(before)
        return Problem(
            called,
            len(lines),
            len(lines[-1]) + 1,
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            "UTF-8",
            "save it as UTF-8 in your editor; Korean text may be in CP949 now",
            source=lines[-1],
        )


def follow(root: Node, loc: Sequence[int | str]) -> Found:
    """Follow a pydantic location as far as the file goes, skipping what is not in the file (tags, short forms)."""
    return _follow(Found(root), tuple(loc))


def _follow(found: Found, loc: tuple[int | str, ...]) -> Found:
    """`push` may be the tag of a step or its key: the way that finds more is taken."""
    if not loc:
        return found
    segment, rest = loc[0], loc[1:]
    if segment == "[key]":
        return _follow(replace(found, node=found.key or found.node), rest)
    step = _descend(found, segment)
    best = None if step is None else _follow(step, rest)
    if best is not None and segment not in _TAGS_AND_KEYS:
        return best
    skipped = _follow(found, rest) if rest else replace(found, last=False)
    if best is None or (skipped.last, len(skipped.way)) > (best.last, len(best.way)):
        return skipped
    return best


def _descend(found: Found, segment: int | str) -> Found | None:
    node = found.node
    if node.items is not None:
        if isinstance(segment, int) and segment < len(node.items):
            return Found(node.items[segment], found.key, True, (*found.way, (node, segment)))
        return None
    if node.members is None or not isinstance(segment, str):
        return None
    if segment in node.members:
        key, value = node.members[segment]
        return Found(value, key, True, (*found.way, (node, segment)))
    if segment in ("directive", "payload", "audio"):  # `Namespace.Name: {payload}` stands for all three
        name = next((name for name in node.members if DIRECTIVE_KEY.fullmatch(name)), None)
        if name is None:
            return None
        key, payload = node.members[name]
        if segment != "audio":
            return Found(key if segment == "directive" else payload, key, True, (*found.way, (node, name)))
        return _descend(Found(payload, key, True, (*found.way, (node, name))), "audio") if payload.members else None
    return None


__all__ = ["Found", "Source", "follow", "read_source"]
