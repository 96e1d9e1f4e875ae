"""The entries of one test, and who waits for one: filled by the server's thread, asked by others."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from mockcic.errors import StartError
from mockcic.journal.entry import Entry
from mockcic.journal.filter import Filter
from mockcic.journal.store import Kept
from mockcic.verdict.times import Times
from mockcic.verdict.waiting import Waiting

CONNECTIONS: Final = 1000
"""Connects that are remembered until it is known whose they are (INF)."""


class Record:
    """Keeps the entries that `concerns` says are this test's, and what tells no device on their connections.

    Every call may be made from any thread.
    """

    def __init__(self, concerns: Callable[[Entry], bool]) -> None:
        self._concerns = concerns
        self._lock = threading.RLock()
        self._kept = Kept()
        self._waiting: list[tuple[Callable[[Entry], bool], threading.Event]] = []
        self._connects: OrderedDict[str, Entry] = OrderedDict()
        self._mine: OrderedDict[str, None] = OrderedDict()
        self._lost = ""

    def hear(self, entry: Entry) -> None:
        """Take an entry of the server's journal, in its order."""
        with self._lock:
            if not self._concerns(entry):
                if entry.kind == "connect":
                    self._remember(entry)
                if entry.device or entry.connection not in self._mine:
                    return
            elif entry.connection:
                self._mine[entry.connection] = None
                if len(self._mine) > CONNECTIONS:
                    self._mine.popitem(last=False)
            connect = self._connects.pop(entry.connection, None)
            if connect is not None:
                self._take(connect)
            self._take(entry)

    def lose(self, why: str) -> None:
        """Nothing more is heard: whoever waits is told why."""
        with self._lock:
            self._lost = why
            for _, over in self._waiting:
                over.set()

    def _remember(self, connect: Entry) -> None:
        """Whose connection it is shows when a token comes on it."""
        self._connects[connect.connection] = connect
        if len(self._connects) > CONNECTIONS:
            self._connects.popitem(last=False)

    def _take(self, entry: Entry) -> None:
        self._kept.keep(entry)
        self._tell(entry)

    def _tell(self, entry: Entry) -> None:
        for hear, over in self._waiting:
            if hear(entry):
                over.set()

    def adopt(self, device: str, entries: Iterable[Entry]) -> None:
        """Take what a device did before it was known to be this test's, in its place among the others."""
        others = Record(lambda entry: entry.device == device)
        for entry in entries:
            others.hear(entry)
        with self._lock:
            known = {entry.number for entry in self._kept}
            self._kept.adopt(others.entries, others._kept)
            for entry in others.entries:
                if entry.number not in known:
                    self._tell(entry)

    def add(self, entry: Entry) -> None:
        """Take an entry of the test's own, such as a verdict."""
        with self._lock:
            self._take(entry)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All of them, oldest first; those that came before `clear` no more."""
        with self._lock:
            return tuple(self._kept)

    @property
    def dropped(self) -> int:
        """How many went because newer ones came."""
        return self._kept.dropped

    @property
    def last(self) -> Entry | None:
        """The youngest."""
        with self._lock:
            return next(reversed(tuple(self._kept)), None)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()

    def gone(self, after: int, device: str | None) -> bool:
        """Whether entries of this part have been dropped."""
        with self._lock:
            return self._kept.dropped_after(after, None if device is None else (device,))

    def scope(self, after: int, device: str | None) -> list[Entry]:
        """The entries younger than `after`, of one device."""
        return [entry for entry in self.entries if entry.number > after and (device is None or entry.device == device)]

    def wait(self, asked: Filter, times: Times, within_s: float, *, after: int, device: str | None) -> Waiting:
        """Wait until it is decided, or the time is over. What came before counts.

        Raises `StartError` when what comes can no longer be heard.
        """
        waiting = Waiting(asked, times)
        over = threading.Event()

        def hear(entry: Entry) -> bool:
            in_scope = entry.number > after and (device is None or entry.device == device)
            return in_scope and waiting.hear(entry)

        mine = (hear, over)
        heard = -1
        while True:  # a function of the caller's is not asked under the lock: it may ask the server for more
            with self._lock:
                newer = [entry for entry in self._kept if entry.number > heard]
                if not newer and not waiting.over:
                    self._raise_if_lost()
                    self._waiting.append(mine)
                    break
            if any(hear(entry) for entry in newer) or waiting.over:
                return waiting
            heard = newer[-1].number
        try:
            over.wait(within_s)
        finally:
            with self._lock:
                self._waiting.remove(mine)
        if not waiting.over:
            self._raise_if_lost()
        return waiting

    def _raise_if_lost(self) -> None:
        if self._lost:
            raise StartError(self._lost)
