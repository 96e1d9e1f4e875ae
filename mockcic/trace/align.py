"""Which dialogue of one trace is which of another, and within it which entry."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, TypeVar

from mockcic.journal.entry import Entry, Kind
from mockcic.trace.ids import without_ids

T = TypeVar("T")

ADDRESSED: Final[frozenset[Kind]] = frozenset({"connect", "disconnect", "attachment", "verdict"})
"""Kinds whose name is an address, an id, or a question."""


MOST: Final = 1000
"""Edits up to which the alignment is the best there is; above, two traces have little in common (INF)."""


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
    pairs = _shortest(keys_a, keys_b)
    if pairs is None:
        matcher = SequenceMatcher(None, keys_a, keys_b, autojunk=False)
        pairs = [(at_a + i, at_b + i) for at_a, at_b, size in matcher.get_matching_blocks() for i in range(size)]
    next_a = next_b = 0
    for at_a, at_b in [*pairs, (len(a), len(b))]:
        yield from ((each, None) for each in a[next_a:at_a])
        yield from ((None, each) for each in b[next_b:at_b])
        if at_a < len(a):
            yield a[at_a], b[at_b]
        next_a, next_b = at_a + 1, at_b + 1


def _shortest(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]] | None:
    """The places of a longest common subsequence; None when the two lack more than `MOST` of each other.

    Myers, "An O(ND) Difference Algorithm and Its Variations", 1986. SequenceMatcher takes the longest run of equal keys
    first, and where a few keys repeat all the time (a device that asks for the weather all day) that is the wrong one.
    """
    reached: list[array[int]] = []  # for each number of edits how far in `a` each diagonal came

    def enter(edits: int, diagonal: int) -> tuple[int, int]:
        """Where in `a` a diagonal is entered, and from which one."""
        last = reached[edits - 1]
        below = last[(diagonal + edits) // 2 - 1] if diagonal > -edits else -1
        above = last[(diagonal + edits) // 2] if diagonal < edits else -1
        return (above, diagonal + 1) if below < above else (below + 1, diagonal - 1)

    goal = len(a) - len(b)
    for edits in range(min(len(a) + len(b), MOST) + 1):
        row = array("l")
        for diagonal in range(-edits, edits + 1, 2):
            at = enter(edits, diagonal)[0] if edits else 0
            while at < len(a) and at - diagonal < len(b) and a[at] == b[at - diagonal]:
                at += 1
            row.append(at)
        reached.append(row)
        if abs(goal) <= edits and (goal + edits) % 2 == 0 and row[(goal + edits) // 2] >= len(a):
            break
    else:
        return None
    pairs: list[tuple[int, int]] = []
    at, diagonal = len(a), goal
    for edits in range(len(reached) - 1, -1, -1):
        start, before = enter(edits, diagonal) if edits else (0, 0)
        pairs += ((place, place - diagonal) for place in range(at - 1, start - 1, -1))
        if edits:
            at, diagonal = reached[edits - 1][(before + edits - 1) // 2], before
    pairs.reverse()
    return pairs


__all__ = ["Unit", "aligned", "called", "units"]
