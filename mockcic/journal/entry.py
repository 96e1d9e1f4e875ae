"""One thing that happened, as it is kept, printed, waited for and asked about (docs/journal.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, get_args

Kind = Literal[
    "connect",
    "disconnect",
    "device",
    "downchannel",
    "event",
    "upload",
    "match",
    "step",
    "directive",
    "attachment",
    "exception",
    "answer",
    "ping",
    "state",
    "finding",
    "fault",
    "token",
    "scenario",
    "clock",
    "chaos",
    "verdict",
]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

Direction = Literal["in", "out", ""]

DIRECTIONS: Final[Mapping[Kind, Direction]] = {
    "connect": "in",
    "disconnect": "in",
    "event": "in",
    "upload": "in",
    "ping": "in",
    "directive": "out",
    "attachment": "out",
    "exception": "out",
    "answer": "out",
}
"""`in` is what a device does, `out` what it is sent; a downchannel is `in` when it opens; the rest is ours alone."""

LONGEST_S: Final = 1e12
"""No journal is so old (INF)."""

OWN: Final = ("number", "time", "at", "kind", "device", "connection", "stream", "dialogue", "name")
"""The members of the JSON form that every kind has; all others are `data`."""


class Entry(NamedTuple):
    """`at_s` is monotonic, from the journal's beginning; `wall_s` seconds since 1970.

    `name` is a message's Namespace.Name, or what the kind needs; `device` its short name (`…4f2a`), never its token.
    `data` holds what only this kind has, as JSON values. A tuple, for an event makes seven of them and a frozen
    dataclass takes three times as long.
    """

    number: int
    kind: Kind
    at_s: float
    wall_s: float
    device: str = ""
    connection: str = ""
    stream: str = ""
    dialogue: str = ""
    name: str = ""
    data: Mapping[str, Any] = MappingProxyType({})

    @property
    def direction(self) -> Direction:
        """`in`, `out`, or empty: who did it."""
        if self.kind == "downchannel":
            return "in" if self.name == "open" else ""
        return DIRECTIONS.get(self.kind, "")

    def as_json(self) -> dict[str, Any]:
        """One flat JSON object, empty members left out; `at` is `at_s`."""
        value: dict[str, Any] = {
            "number": self.number,
            "time": datetime.fromtimestamp(self.wall_s, tz=UTC).isoformat(timespec="milliseconds"),
            "at": round(self.at_s, 6),
            "kind": self.kind,
        }
        for key in ("device", "connection", "stream", "dialogue", "name"):
            if text := getattr(self, key):
                value[key] = text
        return {**value, **self.data}

    def text(self) -> str:
        """Its JSON form as one text: what a search of the whole entry looks at."""
        return json.dumps(self.as_json(), ensure_ascii=False)


def entry_from_json(value: Mapping[str, Any]) -> Entry:
    """The entry of a JSON form, from a trace file or from a server. Raises `ValueError` that names the member."""
    kind = value.get("kind")
    if kind not in KINDS:
        raise ValueError(f"kind: found {kind!r}, expected one of {', '.join(KINDS)}")
    number, at, time = value.get("number"), value.get("at"), value.get("time")
    if not isinstance(number, int):
        raise ValueError(f"number: found {number!r}, expected a whole number")
    if not isinstance(at, int | float) or not abs(at) < LONGEST_S:
        raise ValueError(f"at: found {at!r}, expected seconds")
    if not isinstance(time, str):
        raise ValueError(f"time: found {time!r}, expected an ISO 8601 time")
    try:
        wall_s = datetime.fromisoformat(time).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"time: found {time!r}, expected an ISO 8601 time") from None
    texts = {key: value.get(key, "") for key in ("device", "connection", "stream", "dialogue", "name")}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise ValueError(f"{key}: found {text!r}, expected a text")
    data = {key: member for key, member in value.items() if key not in OWN}
    return Entry(number, kind, float(at), wall_s, **texts, data=data)
