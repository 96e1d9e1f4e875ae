"""The journal: the last entries, and who wants to hear of new ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from mockcic.journal.entry import Entry, Kind

ENTRIES: Final = 20_000
"""How many entries are kept unless told otherwise (INF)."""

BYTES: Final = 64 * 1024 * 1024
"""How much of what devices sent is kept unless told otherwise (INF)."""

Listener = Callable[[Entry], None]


class Journal:
    """Keeps the newest entries, drops the oldest, counts what it dropped. For one event loop; not thread-safe.

    `limit` is a number of entries; `bytes_limit` bounds the sum of the weights that `add` is told, for an entry holds
    what a device sent, up to a megabyte.
    """

    def __init__(
        self,
        now: Callable[[], float],
        wall: Callable[[], float],
        *,
        limit: int = ENTRIES,
        bytes_limit: int = BYTES,
    ) -> None:
        self._now = now
        self._wall = wall
        self._limit = limit
        self._bytes_limit = bytes_limit
        self._bytes = 0
        self._entries: deque[Entry] = deque()
        self._weights: deque[int] = deque()
        self._listeners: list[Listener] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def dropped(self) -> int:
        """How many entries went because newer ones came."""
        return self._count - len(self._entries)

    def add(
        self,
        kind: Kind,
        *,
        device: str = "",
        connection: str = "",
        stream: str = "",
        dialogue: str | None = None,
        name: str = "",
        weight: int = 0,
        **data: Any,
    ) -> Entry:
        """Write down what happened now, and tell the listeners."""
        self._count += 1
        at_s, wall_s = self._now(), self._wall()
        entry = Entry(self._count, kind, at_s, wall_s, device, connection, stream, dialogue or "", name, data)
        self._entries.append(entry)
        self._weights.append(weight)
        self._bytes += weight
        while len(self._entries) > self._limit or self._bytes > self._bytes_limit:
            self._entries.popleft()
            self._bytes -= self._weights.popleft()
        for listener in self._listeners:
            listener(entry)
        return entry

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each new entry; returns what ends that."""
        self._listeners = [*self._listeners, listener]

        def end() -> None:
            self._listeners = [each for each in self._listeners if each is not listener]

        return end
