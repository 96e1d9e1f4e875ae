"""An entry as JSON, there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockcic.journal.entry import KINDS, Entry, entry_from_json

ENTRY = Entry(
    7, "event", 1.25, 1_767_225_600.5, "…4f2a", "c1", "c1.5", "d1", "Clova.X", {"payload": {"text": "불"}, "bytes": 3}
)


def test_what_is_written_reads_back_the_same() -> None:
    assert entry_from_json(json.loads(json.dumps(ENTRY.as_json()))) == ENTRY


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "evnt"}, "kind: found 'evnt', expected one of connect, "),
        ({"number": "7"}, "number: found '7', expected a whole number"),
        ({"at": None}, "at: found None, expected seconds"),
        ({"time": "soon"}, "time: found 'soon', expected an ISO 8601 time"),
        ({"time": 3}, "time: found 3, expected an ISO 8601 time"),
        ({"device": 5}, "device: found 5, expected a text"),
    ],
)
def test_what_is_no_entry_is_told_by_its_member(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="found") as problem:
        entry_from_json({**ENTRY.as_json(), **change})
    assert str(problem.value).startswith(said)


def test_every_kind_has_a_direction_or_is_ours_alone() -> None:
    directions = {kind: Entry(1, kind, 0.0, 0.0, name="open").direction for kind in KINDS}
    assert {kind for kind, direction in directions.items() if direction == "in"} == {
        "connect", "disconnect", "downchannel", "event", "upload", "ping",
    }  # fmt: skip
    assert {kind for kind, direction in directions.items() if direction == "out"} == {
        "directive", "attachment", "exception", "answer",
    }  # fmt: skip
    assert Entry(1, "downchannel", 0.0, 0.0, name="closed").direction == ""
