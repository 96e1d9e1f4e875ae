"""One thing that happened, as it is kept, printed, waited for and asked about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Kind = Literal[
    "connect",
    "disconnect",
    "downchannel",
    "event",
    "upload",
    "match",
    "directive",
    "answer",
    "ping",
    "state",
    "finding",
    "scenario",
]


class Entry(NamedTuple):
    """`at_s` is monotonic, `wall_s` seconds since 1970. `name` is a message's Namespace.Name, or what the kind needs.

    `device` is its short name (`…4f2a`), never its token. `data` holds what only this kind has, as JSON values.
    A tuple, for an event makes seven of them and a frozen dataclass takes three times as long.
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

    def as_json(self) -> dict[str, Any]:
        """One flat JSON object, empty members left out."""
        value: dict[str, Any] = {
            "number": self.number,
            "time": datetime.fromtimestamp(self.wall_s, tz=UTC).isoformat(timespec="milliseconds"),
            "kind": self.kind,
        }
        for key in ("device", "connection", "stream", "dialogue", "name"):
            if text := getattr(self, key):
                value[key] = text
        return {**value, **self.data}
