"""Waiting for entries, one at a time: each is looked at once, nothing is searched again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mockcic.journal.entry import Entry
from mockcic.journal.filter import Filter
from mockcic.verdict.judge import counted, verify
from mockcic.verdict.times import Times
from mockcic.verdict.verdict import Verdict


class Waiting:
    """Counts entries that fit. It is over when it cannot change any more what the verdict is.

    At least N: when the Nth came. At most, exactly and between: when one too many came; that no more come is known
    only when the time is over. A function that raises as it is asked about an entry ends it too.
    """

    def __init__(self, asked: Filter, times: Times) -> None:
        self.asked = asked
        self.times = times
        self.came: list[Entry] = []
        """The entries that fitted, until it was over."""
        self._fits = counted(asked)
        self._trouble: Exception | None = None

    @property
    def count(self) -> int:
        """How many fitted."""
        return len(self.came)

    @property
    def last(self) -> Entry | None:
        """The last entry that fitted."""
        return self.came[-1] if self.came else None

    @property
    def over(self) -> bool:
        """Whether more entries change nothing."""
        if self._trouble is not None:
            return True
        if self.times.high is None:
            return self.count >= self.times.low
        return self.count > self.times.high

    def hear(self, entry: Entry) -> bool:
        """Take an entry; whether it is over now."""
        if not self.over:
            try:
                if self._fits(entry):
                    self.came.append(entry)
            except Exception as error:  # noqa: BLE001  a function of a test: who waits is told, not who wrote the entry
                self._trouble = error
        return self.over

    def verdict(self, entries: Callable[[], Iterable[Entry]], *, gone: bool = False, within_s: float) -> Verdict:
        """What came of it; `entries` gives all of the scope, asked only when those that nearly fitted are wanted.

        Raises what a function raised that was asked about an entry.
        """
        if self._trouble is not None:
            raise self._trouble
        scope = self.came if self.over else entries()
        found = verify(scope, self.asked, self.times, gone=gone)
        asked = f"{found.asked} within {within_s:g} s"
        return Verdict(asked, found.status, found.why, found.came, found.nearest, found.others)
