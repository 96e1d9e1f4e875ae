"""The journal is bounded, by entries and by bytes, and says what it dropped."""

from __future__ import annotations

from itertools import count

import pytest

from mockcic.journal.entry import Entry
from mockcic.journal.store import ENTRY_BYTES, Journal


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
    """An entry takes what its members take, packed, and something for itself."""
    kept = journal(bytes_limit=3 * (ENTRY_BYTES + 1020))
    for number in range(4):
        kept.add("event", name=str(number), payload={"text": "x" * 980})
    assert [entry.name for entry in kept] == ["1", "2", "3"]
    assert 3 * (ENTRY_BYTES + 980) < kept.bytes <= 3 * (ENTRY_BYTES + 1020)
    kept.add("event", name="huge", payload={"text": "x" * 10_000})
    assert [entry.name for entry in kept] == ["huge"], "the youngest stays, however large it is"


def test_it_is_known_whose_entries_were_dropped() -> None:
    kept = journal(limit=2)
    for device in ("…0001", "…0002", "…0003", "…0003"):
        kept.add("event", device=device)
    assert kept.dropped_after(0)
    assert kept.dropped_after(0, {"…0001"})
    assert kept.dropped_after(1, {"…0002"})
    assert not kept.dropped_after(0, {"…0003"})
    assert not kept.dropped_after(2)


def test_devices_beyond_count_are_known_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockcic.journal.store.DEVICES", 2)
    kept = journal(limit=1)
    for number in range(5):
        kept.add("event", device=f"…{number}")
    assert kept.dropped_after(0, {"…unknown"}), "it might have been one of those"
    assert not kept.dropped_after(4, {"…unknown"})


def test_what_is_cleared_is_not_dropped() -> None:
    kept = journal()
    kept.add("event")
    kept.clear()
    assert (len(kept), kept.bytes, kept.dropped, kept.dropped_after(0)) == (0, 0, 0, False)
    assert kept.add("event").number == 2


def test_younger_entries_are_found() -> None:
    kept = journal()
    for _ in range(5):
        kept.add("ping")
    assert [entry.number for entry in kept.after(3)] == [4, 5]
    assert kept.after(5) == []


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
        "at": 1.0,
        "kind": "answer",
        "name": "Clova.X",
        "status": 204,
    }


def test_who_fails_to_hear_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    kept, heard = journal(), []

    def fails(entry: Entry) -> None:
        raise OSError("the pipe broke")

    kept.listen(fails)
    kept.listen(heard.append)
    kept.add("ping", name="get")
    kept.add("ping", name="get")
    assert len(heard) == len(kept) == 2
    assert caplog.text.count("it hears no more") == 1


def test_what_was_dropped_before_it_was_cleared_is_missed_by_nobody() -> None:
    kept = journal(limit=1)
    for _ in range(3):
        kept.add("ping", name="get")
    kept.clear()
    assert (kept.dropped, kept.dropped_ever, kept.dropped_after(0)) == (0, 2, False)


def test_a_long_name_weighs_what_it_takes() -> None:
    kept = journal(bytes_limit=1_000_000)
    for number in range(20):
        kept.add("event", name=f"{number}" + "😀" * 100_000)
    assert kept.bytes < 1_000_000
    assert len(kept) == 2


def test_older_entries_are_taken_in_and_what_was_dropped_stays_known() -> None:
    ours, theirs = journal(limit=100), journal(limit=2)
    entries = [theirs.add("ping", name=f"{number}") for number in range(4)]
    ours.keep(entries[3])
    ours.adopt(list(theirs), theirs)
    assert [entry.name for entry in ours] == ["2", "3"]
    assert ours.dropped_after(0)
