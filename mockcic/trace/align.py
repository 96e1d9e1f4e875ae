"""Which dialogue of one trace is which of another, and within it which entry."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, TypeVar

from mockcic.journal.entry import Entry, Kind
from mockcic.trace.ids import without_ids

T = TypeVar("T")

ADDRESSED: Final[frozenset[Kind]] = frozenset({"connect", "disconnect", "attachment", "verdict"})
"""Kinds whose name is an address, an id, or a question."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What belongs together: a dialogue, an event without one and its answer, or a single entry."""

    device: str
    dialogue: str
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """What it began with: its first event's name, or the first entry's."""
        return next((entry.name for entry in self.entries if entry.kind == "event"), called(self.entries[0]))

    @property
    def whole(self) -> bool:
        """A dialogue, or an event with what became of it; not a single entry."""
        return bool(self.dialogue) or any(entry.kind == "event" for entry in self.entries)

    @property
    def key(self) -> Hashable:
        """Under which two units can meet."""
        first = self.entries[0]
        return ("dialogue", self.name) if self.whole else (first.kind, self.name, first.data.get("line"))


def called(entry: Entry) -> str:
    """The name of an entry as far as two traces can share it."""
    return "" if entry.kind in ADDRESSED else without_ids(entry.name)


def units(entries: Iterable[Entry]) -> list[Unit]:
    """The units of a device, in the order they begin; what stands on an event's stream belongs to the event."""
    entries = list(entries)
    owners = {
        entry.stream: entry.dialogue or f"stream {entry.stream}"
        for entry in entries
        if entry.kind == "event" and entry.stream
    }
    gathered: dict[Hashable, list[Entry]] = {}
    dialogues: dict[Hashable, str] = {}
    for entry in entries:
        owner: Hashable = entry.dialogue or owners.get(entry.stream) or entry.number
        gathered.setdefault(owner, []).append(entry)
        if entry.dialogue:
            dialogues[owner] = entry.dialogue
    return [Unit(each[0].device, dialogues.get(owner, ""), tuple(each)) for owner, each in gathered.items()]


def aligned(a: Sequence[T], b: Sequence[T], key: Callable[[T], Hashable]) -> Iterator[tuple[T | None, T | None]]:
    """Pairs in order; None stands where the other trace has nothing like it."""
    keys_a, keys_b = [key(each) for each in a], [key(each) for each in b]
    same = 0  # two traces of one test begin and end alike, and SequenceMatcher takes long over what repeats
    while same < min(len(a), len(b)) and keys_a[same] == keys_b[same]:
        same += 1
    end = 0
    while end < min(len(a), len(b)) - same and keys_a[-1 - end] == keys_b[-1 - end]:
        end += 1
    yield from zip(a[:same], b[:same], strict=True)
    middle_a, middle_b = a[same : len(a) - end], b[same : len(b) - end]
    matcher = SequenceMatcher(None, keys_a[same : len(a) - end], keys_b[same : len(b) - end], autojunk=False)
    for tag, from_a, to_a, from_b, to_b in matcher.get_opcodes():
        if tag == "equal":
            yield from zip(middle_a[from_a:to_a], middle_b[from_b:to_b], strict=True)
            continue
        for left in middle_a[from_a:to_a]:
            yield left, None
        for right in middle_b[from_b:to_b]:
            yield None, right
    yield from zip(a[len(a) - end :], b[len(b) - end :], strict=True)


__all__ = ["Unit", "aligned", "called", "units"]
