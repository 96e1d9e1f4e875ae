"""The journal is bounded, by entries and by bytes, and says what it dropped."""

from __future__ import annotations

from itertools import count

from mockcic.journal.entry import Entry
from mockcic.journal.store import Journal


def journal(**how: int) -> Journal:
    ticks = count()
    return Journal(lambda: float(next(ticks)), lambda: 0.0, **how)


def test_the_oldest_entries_go_and_are_counted() -> None:
    kept = journal(limit=3)
    for number in range(5):
        kept.add("event", name=str(number))
    assert [entry.name for entry in kept] == ["2", "3", "4"]
    assert kept.dropped == 2


def test_large_entries_push_out_others() -> None:
    kept = journal(bytes_limit=100)
    for number in range(4):
        kept.add("event", name=str(number), weight=40)
    assert [entry.name for entry in kept] == ["2", "3"]


def test_listeners_hear_of_each_entry_until_they_end() -> None:
    heard: list[Entry] = []
    kept = journal()
    end = kept.listen(heard.append)
    entry = kept.add("state", name="a", device="…0001", before="b")
    end()
    kept.add("state", name="c")
    assert heard == [entry]


def test_an_entry_as_json_leaves_out_what_is_empty() -> None:
    entry = journal().add("answer", name="Clova.X", status=204)
    assert entry.as_json() == {
        "number": 1,
        "time": "1970-01-01T00:00:00.000+00:00",
        "kind": "answer",
        "name": "Clova.X",
        "status": 204,
    }
