"""The journal: the last entries, and who wants to hear of new ones."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from sys import getsizeof
from typing import Any, Final

from mockcic.auth.secret import MARK
from mockcic.journal.entry import Entry, Kind
from mockcic.journal.packed import Packed, pack
from mockcic.journal.redact import Redaction
from mockcic.journal.spool import Spool

ENTRIES: Final = 100_000
"""How many entries are kept unless told otherwise (INF)."""

BYTES: Final = 64 * 1024 * 1024
"""How much memory entries take, by our estimate, before the oldest go, unless told otherwise (INF)."""

DEVICES: Final = 20_000
"""Devices whose dropped entries are known apart; above it they are one (INF)."""

ENTRY_BYTES: Final = 500
"""What an entry takes in memory beside its packed members (measured on CPython 3.11)."""

UNPACKED_BYTES: Final = 4000
"""What is assumed of members that cannot be packed, or are not (INF)."""

LONG_NAME: Final = 100
"""Characters of a name that are in `ENTRY_BYTES`; a device may send one of a megabyte."""

ISSUED_BYTES: Final = MARK.encode()

Listener = Callable[[Entry], None]


class Kept:
    """The newest entries, bounded by number and by estimated memory; counts what it dropped, for each device."""

    def __init__(self, *, limit: int = ENTRIES, bytes_limit: int = BYTES) -> None:
        self.limit = limit
        self.bytes_limit = bytes_limit
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._dropped = 0
        self.dropped_ever = 0
        self._last_dropped: dict[str, int] = {}
        self._last_dropped_of_any = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def dropped(self) -> int:
        """How many entries went because newer ones came, since the last `clear`."""
        return self._dropped

    @property
    def bytes(self) -> int:
        """What the kept ones take in memory, estimated."""
        return self._bytes

    def dropped_after(self, number: int, devices: Container[str] | None = None) -> bool:
        """Whether an entry younger than `number` has been dropped; of these devices, or of any."""
        return self._last_dropped_of_any > number or any(
            last > number and (devices is None or device in devices) for device, last in self._last_dropped.items()
        )

    def after(self, number: int) -> Sequence[Entry]:
        """The entries younger than `number`, oldest first, found from the young end."""
        found: list[Entry] = []
        for entry in reversed(self._entries):
            if entry.number <= number:
                break
            found.append(entry)
        found.reverse()
        return found

    def keep(self, entry: Entry) -> None:
        """Take an entry; the oldest go when there is no room."""
        self._entries.append(entry)
        self._bytes += weight(entry)
        while len(self._entries) > self.limit or (self._bytes > self.bytes_limit and len(self._entries) > 1):
            gone = self._entries.popleft()
            self._bytes -= weight(gone)
            self._dropped += 1
            self.dropped_ever += 1
            self._last_dropped[gone.device] = gone.number
            if len(self._last_dropped) > DEVICES:
                self._last_dropped_of_any = gone.number
                self._last_dropped.clear()

    def clear(self) -> None:
        """Forget all entries; they do not count as dropped, and what was dropped before does no more."""
        self._entries.clear()
        self._last_dropped.clear()
        self._last_dropped_of_any = 0
        self._dropped = 0
        self._bytes = 0

    def adopt(self, entries: Iterable[Entry], dropped: Kept) -> None:
        """Take older entries in among those that are here, and what `dropped` has let go."""
        known = {entry.number: entry for entry in (*entries, *self._entries)}
        self._entries = deque(known[number] for number in sorted(known))
        self._bytes = sum(map(weight, self._entries))
        self._dropped += dropped._dropped
        self._last_dropped.update(dropped._last_dropped)
        self._last_dropped_of_any = max(self._last_dropped_of_any, dropped._last_dropped_of_any)


def weight(entry: Entry) -> int:
    """What an entry takes in memory."""
    data = entry.data
    if len(entry.name) > LONG_NAME:
        return ENTRY_BYTES + getsizeof(entry.name) + _packed_bytes(data)
    return ENTRY_BYTES + _packed_bytes(data)


def _packed_bytes(data: object) -> int:
    return len(data.packed) if isinstance(data, Packed) else UNPACKED_BYTES


class Journal(Kept):
    """Writes down what happens and tells the listeners. For one event loop; not thread-safe.

    `spool` keeps the sounds that entries name by their digest; `redaction` is for those who write entries.
    """

    def __init__(
        self,
        now: Callable[[], float],
        wall: Callable[[], float],
        *,
        limit: int = ENTRIES,
        bytes_limit: int = BYTES,
        spool: Spool | None = None,
        redaction: Redaction | None = None,
    ) -> None:
        super().__init__(limit=limit, bytes_limit=bytes_limit)
        self.spool = Spool() if spool is None else spool
        self.redaction = Redaction() if redaction is None else redaction
        self._now = now
        self._wall = wall
        self._listeners: list[Listener] = []
        self.stamp: Callable[[], Mapping[str, Any]] | None = None
        """More members of every entry, while there is something to say with each."""
        self.began_s = now()
        self.began_wall_s = wall()
        self.last_number = 0
        self.counts: Counter[Kind] = Counter()

    @property
    def age_s(self) -> float:
        """Seconds since it began: the `at_s` of an entry written now."""
        return self._now() - self.began_s

    def add(
        self,
        kind: Kind,
        *,
        device: str = "",
        connection: str = "",
        stream: str = "",
        dialogue: str | None = None,
        name: str = "",
        token: str = "",
        **data: Any,
    ) -> Entry:
        """Write down what happened now, and tell the listeners.

        `token`: the device's, taken out of all of it; codes and tokens that were issued here are taken out anyway.
        """
        self.last_number += 1
        self.counts[kind] += 1
        members: Mapping[str, Any]
        if self.stamp is not None:
            data.update(self.stamp())
        try:
            packed = pack(data)
        except ValueError:  # something that is no JSON, from a template perhaps
            members, hidden = self.redaction.value(data, token) if token else data, True
        else:
            hidden = bool(token) and self.redaction.hides(token) and self._has(token, name, dialogue, packed)
            members = Packed(pack(self.redaction.value(data, token)) if hidden else packed)
        if self._has_issued(name, dialogue, members):
            members = self._without_issued(members)
            name, dialogue = self.redaction.issued(name), self.redaction.issued(dialogue or "")
        if hidden and token:
            name, dialogue = self.redaction.text(name, token), self.redaction.text(dialogue or "", token)
        at_s, wall_s = self._now() - self.began_s, self._wall()
        entry = Entry(self.last_number, kind, at_s, wall_s, device, connection, stream, dialogue or "", name, members)
        self.keep(entry)
        for listener in self._listeners:
            try:
                listener(entry)
            except Exception:  # what hears of entries must not stop those who write them
                logging.getLogger(__name__).exception("it hears no more of the journal")
                self._listeners = [each for each in self._listeners if each is not listener]
        return entry

    @staticmethod
    def _has(token: str, name: str, dialogue: str | None, packed: bytes) -> bool:
        return token.encode("utf-8", "surrogatepass") in packed or token in name or token in (dialogue or "")

    def _has_issued(self, name: str, dialogue: str | None, members: Mapping[str, Any]) -> bool:
        packed = members.packed if isinstance(members, Packed) else ISSUED_BYTES  # what is not packed is looked through
        return not self.redaction.show and (ISSUED_BYTES in packed or MARK in name or MARK in (dialogue or ""))

    def _without_issued(self, members: Mapping[str, Any]) -> Mapping[str, Any]:
        values = self.redaction.issued_value(dict(members))
        try:
            return Packed(pack(values))
        except ValueError:
            return values  # type: ignore[no-any-return]

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each new entry; returns what ends that."""
        self._listeners = [*self._listeners, listener]

        def end() -> None:
            self._listeners = [each for each in self._listeners if each is not listener]

        return end
