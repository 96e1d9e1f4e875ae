"""Waiting for entries, one at a time: each is looked at once, nothing is searched again."""

from __future__ import annotations

from collections.abc import Iterable

from mockcic.journal.entry import Entry
from mockcic.journal.filter import Filter
from mockcic.verdict.judge import verify
from mockcic.verdict.times import Times
from mockcic.verdict.verdict import Verdict


class Waiting:
    """Counts entries that fit. It is over when it cannot change any more what the verdict is.

    At least N: when the Nth came. At most, exactly and between: when one too many came; that no more come is known
    only when the time is over.
    """

    def __init__(self, asked: Filter, times: Times) -> None:
        self.asked = asked
        self.times = times
        self.count = 0
        self.last: Entry | None = None
        """The last entry that fitted."""

    @property
    def over(self) -> bool:
        """Whether more entries change nothing."""
        if self.times.high is None:
            return self.count >= self.times.low
        return self.count > self.times.high

    def hear(self, entry: Entry) -> bool:
        """Take an entry; whether it is over now."""
        if self.asked.fits(entry):
            self.count += 1
            self.last = entry
        return self.over

    def verdict(self, entries: Iterable[Entry], *, gone: bool = False, within_s: float) -> Verdict:
        """What came of it; `entries` are all of the scope, for those that nearly fitted."""
        found = verify(entries, self.asked, self.times, gone=gone)
        asked = f"{found.asked} within {within_s:g} s"
        return Verdict(asked, found.status, found.why, found.came, found.nearest, found.others)
