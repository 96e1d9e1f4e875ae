"""What differs between two traces: of two firmware versions, of yesterday and today.

Ids, boundaries, addresses, numbers of connections and the wall clock are never alike and never count; a time counts
within its dialogue, when it is off by more than a band.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, zip_longest
from typing import Any, Final

from mockcic.journal.entry import Entry, Kind
from mockcic.scenario.conditions import MISSING
from mockcic.trace.align import Unit, aligned, called, units
from mockcic.trace.dialogue import harmless
from mockcic.trace.ids import Ids

BAND_S: Final = 0.5
"""How far a time may be off unless told otherwise (INF)."""

IGNORED_KINDS: Final[frozenset[Kind]] = frozenset({"verdict"})
"""What a test asked is not what a device did."""

IGNORED: Final[Mapping[str, frozenset[str]]] = {
    "event": frozenset({"parts"}),  # the same as header, payload and contexts, as text
    "directive": frozenset({"bytes", "why"}),  # of the payload, with its ids and boundary
    "step": frozenset({"why"}),
    "answer": frozenset({"bytes", "seconds"}),  # of its directives; `at` has the time
    "match": frozenset({"nearest"}),  # follows from event and scenario, and is told apart by neither
    "scenario": frozenset({"changed"}),
}
"""Members that follow from others, or from the run."""

IGNORED_HEADERS: Final = frozenset({"authorization", "content-length", "host", ":authority", "date"})


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not alike. `member` is a path such as `payload.text`, empty when a whole entry is on one side.

    `a` and `b` are JSON values, or MISSING; of a whole entry its JSON form. `a_number` and `b_number` are the entries'
    numbers, 0 where there is none.
    """

    where: str
    member: str
    a: object
    b: object
    a_number: int = 0
    b_number: int = 0

    def as_json(self) -> dict[str, Any]:
        """A side that has nothing is left out."""
        value: dict[str, Any] = {"where": self.where, "member": self.member}
        for side, got, number in (("a", self.a, self.a_number), ("b", self.b, self.b_number)):
            if number:
                value[f"{side}_number"] = number
            if got is not MISSING:
                value[side] = got
        return value

    def __str__(self) -> str:
        if not self.member:
            number, side = (self.a_number, "A") if self.b is MISSING else (self.b_number, "B")
            return str(harmless(f"{self.where}: only in {side} (entry {number})"))
        return "\n".join(
            [
                str(harmless(f"{self.where}: {self.member}  (entries {self.a_number} and {self.b_number})")),
                f"  A  {_shown(self.a)}",
                f"  B  {_shown(self.b)}",
            ]
        )


def diff(a: Sequence[Entry], b: Sequence[Entry], *, band_s: float = BAND_S) -> tuple[Difference, ...]:
    """The differences of two traces, in their order: device by device, dialogue by dialogue.

    Devices are paired in the order they appear, dialogues by their first event's name and order, entries within one by
    kind and name. `band_s` is how far an entry may be off, in seconds since its dialogue began.
    """
    ids = Ids()
    return tuple(
        difference
        for of_a, of_b in zip_longest(_devices(a), _devices(b), fillvalue=())
        for difference in _of_device(of_a, of_b, ids, band_s)
    )


def _devices(entries: Iterable[Entry]) -> list[list[Entry]]:
    """The entries of no device, then those of each; pings in a row are one, for their number is that of minutes."""
    by_device: dict[str, list[Entry]] = {"": []}
    for entry in entries:
        if entry.kind not in IGNORED_KINDS:
            by_device.setdefault(entry.device, []).append(entry)
    return [
        [entry for key, group in groupby(each, _ping) for entry in (list(group)[:1] if key else group)]
        for each in by_device.values()
    ]


def _ping(entry: Entry) -> str:
    return entry.name if entry.kind == "ping" else ""


def _of_device(a: Sequence[Entry], b: Sequence[Entry], ids: Ids, band_s: float) -> Iterator[Difference]:
    order: dict[str, int] = {}
    for left, right in aligned(units(a), units(b), lambda unit: unit.key):
        unit = left or right
        assert unit is not None
        where = _where(unit, order)
        if left is None or right is None:
            yield from (_alone(where, entry, in_a=right is None) for entry in unit.entries)
            continue
        ids.same("dialogue", left.dialogue, right.dialogue)
        yield from _of_unit(where, left, right, ids, band_s)


def _where(unit: Unit, order: dict[str, int]) -> str:
    """The device, and the dialogue with a number when there are several that began so."""
    if not unit.whole:
        return unit.device
    order[unit.name] = order.get(unit.name, 0) + 1
    number = f" ({order[unit.name]})" if order[unit.name] > 1 else ""
    return f"{unit.device} {unit.name}{number}".lstrip()


def _alone(where: str, entry: Entry, *, in_a: bool) -> Difference:
    whole = entry.as_json()
    place = _place(where, entry)
    if in_a:
        return Difference(place, "", whole, MISSING, a_number=entry.number)
    return Difference(place, "", MISSING, whole, b_number=entry.number)


def _place(where: str, entry: Entry) -> str:
    what = f"{entry.kind} {called(entry)}".rstrip()
    return f"{where}: {what}" if where else what


def _of_unit(where: str, a: Unit, b: Unit, ids: Ids, band_s: float) -> Iterator[Difference]:
    """The reply and the downchannel are compared apart: which is written first is chance."""
    for pushed in (False, True):
        shift = 0.0
        of_a = [entry for entry in a.entries if _is_push(entry) is pushed]
        of_b = [entry for entry in b.entries if _is_push(entry) is pushed]
        for left, right in aligned(of_a, of_b, lambda entry: (entry.kind, called(entry))):
            if left is None or right is None:
                alone = left or right
                assert alone is not None
                yield _alone(where, alone, in_a=right is None)
                continue
            yield from _of_entry(where, left, right, ids, band_s)
            at_a, at_b = left.at_s - a.entries[0].at_s, right.at_s - b.entries[0].at_s
            late = at_b - at_a
            if abs(late) <= band_s:
                shift = 0.0
            elif abs(late - shift) > band_s:  # what follows a late one is late with it, and said once
                shift = late
                yield Difference(_place(where, left), "at", round(at_a, 3), round(at_b, 3), left.number, right.number)


def _is_push(entry: Entry) -> bool:
    return entry.data.get("line") == "downchannel"


def _of_entry(where: str, a: Entry, b: Entry, ids: Ids, band_s: float) -> Iterator[Difference]:
    members_a, members_b = dict(_flat("", _members(a))), dict(_flat("", _members(b)))
    for member in dict.fromkeys([*members_a, *members_b]):
        left, right = members_a.get(member, MISSING), members_b.get(member, MISSING)
        if not _same(member, (left, a), (right, b), ids, band_s):
            yield Difference(_place(where, a), member, left, right, a.number, b.number)


def _same(member: str, a: tuple[object, Entry], b: tuple[object, Entry], ids: Ids, band_s: float) -> bool:
    (left, of_a), (right, of_b) = a, b
    if isinstance(left, str) and isinstance(right, str):
        if ids.same(member.rpartition(".")[2], left, right):
            return True
        return _same_moment(left, right, of_b.wall_s - of_a.wall_s, band_s)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float) and member.endswith("InMilliseconds"):
        return abs(left - right) <= 1000 * band_s
    return left == right


def _same_moment(a: str, b: str, later_s: float, band_s: float) -> bool:
    """Whether two times are as far from the clocks of their runs: "in ten minutes" is another time in each."""
    moments = _moment(a), _moment(b)
    if moments[0] is None or moments[1] is None:
        return False
    whole = not moments[0].microsecond and not moments[1].microsecond  # whole seconds are up to one off
    off_s = (moments[1] - moments[0]).total_seconds() - later_s
    return abs(off_s) <= band_s + (1.0 if whole else 0.0)


def _moment(text: str) -> datetime | None:
    """An ISO 8601 date with a time; where it names no zone, both runs had the same."""
    try:
        moment = datetime.fromisoformat(text) if len(text) > len("2026-03-02T") else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _members(entry: Entry) -> dict[str, Any]:
    ignored = IGNORED.get(entry.kind, frozenset())
    members = {name: value for name, value in entry.data.items() if name not in ignored}
    if isinstance(request := members.get("request"), Mapping):
        members["request"] = {name: value for name, value in request.items() if name.lower() not in IGNORED_HEADERS}
    return members


def _flat(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Leaves with their paths; an empty object or list is a leaf."""
    if isinstance(value, Mapping) and value:
        for name, member in value.items():
            yield from _flat(f"{path}.{name}" if path else str(name), member)
    elif isinstance(value, list | tuple) and value:
        for index, member in enumerate(value):
            yield from _flat(f"{path}.{index}", member)
    else:
        yield path, value


def _shown(value: object) -> str:
    return "absent" if value is MISSING else str(harmless(json.dumps(value, ensure_ascii=False, default=str)))


__all__ = ["BAND_S", "Difference", "diff"]
