"""What happened as a sequence: arrows between a device, its events and its downchannel, and marks beside them.

Pure: entries in, a picture's content out. `mermaid` and `svg` draw it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from typing import Any, Final, Literal, assert_never

from mockcic.journal.entry import Entry
from mockcic.trace.dialogue import STRUCK, gist, harmless, said

Place = Literal["device", "events", "downchannel"]
"""A device's lanes: itself, its `POST /v1/events`, its `GET /v1/directives`."""

ArrowSort = Literal["event", "directive", "push", "answer"]

MarkSort = Literal[
    "connect",
    "disconnect",
    "open",
    "closed",
    "ping",
    "finding",
    "fault",
    "unmatched",
    "error",
    "timeout",
    "device",
    "token",
    "clock",
    "verdict",
]

LISTED: Final = 3
"""Conditions of the nearest rule that a mark shows (INF)."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """A message: up from the device or down to it. `place` is its other end; `status` an answer's, 0 of all others.

    `detail` is what it carries: a gist, its sound, its attachments. `dialogue` is the dialogRequestId.
    """

    at_s: float
    device: str
    place: Literal["events", "downchannel"]
    sort: ArrowSort
    label: str
    detail: str = ""
    dialogue: str = ""
    stream: str = ""
    status: int = 0

    @property
    def up(self) -> bool:
        """From the device."""
        return self.sort == "event"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that is no message. `device` is empty where none is known; `count` of the same ones in a row."""

    at_s: float
    device: str
    place: Place
    sort: MarkSort
    label: str
    detail: str = ""
    dialogue: str = ""
    stream: str = ""
    count: int = 1


Item = Arrow | Mark


@dataclass(frozen=True, slots=True)
class Sequence:
    """Devices in the order they appear, and what happened, oldest first."""

    devices: tuple[str, ...]
    items: tuple[Item, ...]

    @property
    def dialogues(self) -> tuple[str, ...]:
        """The dialogues of the arrows, in the order they begin."""
        return tuple(dict.fromkeys(item.dialogue for item in self.items if item.dialogue))


def sequence(entries: Iterable[Entry]) -> Sequence:
    """The sequence of these entries."""
    entries = tuple(entries)
    reading = _Reading(entries)
    for entry in entries:
        reading.take(entry)
    items = tuple(draft.item() for draft in reading.drafts)
    devices = tuple(dict.fromkeys(item.device for item in items if item.device))
    return Sequence(devices, items)


@dataclass(slots=True)
class _Draft:
    """An arrow or a mark that may still get attachments, sound, or more of its kind."""

    entry: Entry
    device: str
    place: Place
    sort: ArrowSort | MarkSort
    label: str
    details: list[str] = field(default_factory=list)
    status: int = 0
    count: int = 1

    def item(self) -> Item:
        entry, detail, label = self.entry, " · ".join(filter(None, self.details)), str(harmless(self.label))
        stream = entry.stream
        if self.sort in ("event", "directive", "push", "answer") and self.place != "device":
            return Arrow(
                entry.at_s, self.device, self.place, self.sort, label, detail, entry.dialogue, stream, self.status
            )
        sort: Any = self.sort
        return Mark(entry.at_s, self.device, self.place, sort, label, detail, entry.dialogue, stream, self.count)


class _Reading:
    """Takes the entries in order."""

    def __init__(self, entries: Many[Entry]) -> None:
        self.drafts: list[_Draft] = []
        self._users = _users(entries)
        self._events: dict[tuple[str, str], _Draft] = {}
        self._refused = {_where(entry) for entry in entries if entry.kind == "exception"}
        self._lines: dict[tuple[str, str], list[_Draft]] = {}
        self._last_of_device: dict[str, _Draft] = {}

    def take(self, entry: Entry) -> None:
        """The next entry."""
        data, name = entry.data, entry.name
        match entry.kind:
            case "connect":
                for device in self._users.get(entry.connection, ()):
                    self._mark(entry, "connect", f"connected {'TLS' if data.get('tls') else 'clear text'}", device)
            case "disconnect":
                for device in self._users.get(entry.connection, ()):
                    self._mark(entry, "disconnect", "disconnected", device, said(data.get("reason")))
            case "device":
                if name != "new":
                    self._mark(entry, "device", name)
            case "downchannel" if name == "open":
                label = "downchannel replaced" if data.get("replaced") else "downchannel open"
                self._mark(entry, "open", label, place="downchannel")
            case "downchannel":
                self._mark(entry, "closed", "downchannel closed", None, said(data.get("reason")), "downchannel")
            case "event":
                self._events[_where(entry)] = self._add(entry, "events", "event", name, _gist(data))
            case "upload":
                if (event := self._events.get(_where(entry))) is not None:
                    event.details.insert(0, _sound(data))
            case "directive":
                self._directive(entry)
            case "attachment":
                self._attachment(entry)
            case "exception":
                place: Place = "events" if _where(entry) in self._events else "device"
                text = f"{said(data.get('status'))} {name}"
                self._mark(entry, "error", text, None, said(data.get("description")), place)
            case "answer":
                self._answer(entry)
            case "ping":
                self._ping(entry)
            case "finding":
                self._mark(entry, "finding", name, None, said(data.get("found")))
            case "fault":
                self._fault(entry)
            case "token":
                self._mark(entry, "token", f"{said(data.get('what')) or 'token'} {name}", None, said(data.get("why")))
            case "match":
                if not name:
                    self._mark(entry, "unmatched", f"no rule fits {data.get('event', '')}", None, _nearest(data))
            case "clock":
                self._mark(entry, "clock", f"clock {name}", None, said(data.get("to", data.get("factor"))))
            case "verdict":
                if data.get("status") != "kept":
                    self._mark(entry, "verdict", f"{said(data.get('status'))}: {name}")
            case "step" | "state" | "scenario" | "chaos":
                pass  # the dialogue tells them; they are neither on the wire nor trouble
            case _:
                assert_never(entry.kind)

    def _add(
        self, entry: Entry, place: Place, sort: ArrowSort | MarkSort, label: str, detail: str = "", device: str = ""
    ) -> _Draft:
        draft = _Draft(entry, device or entry.device, place, sort, label, [detail])
        self.drafts.append(draft)
        self._last_of_device[draft.device] = draft
        return draft

    def _mark(
        self,
        entry: Entry,
        sort: MarkSort,
        label: str,
        device: str | None = None,
        detail: str = "",
        place: Place = "device",
    ) -> None:
        self._add(entry, place, sort, label, detail, device or "")

    def _directive(self, entry: Entry) -> None:
        data = entry.data
        reply = data.get("line") == "reply"
        if data.get("dropped"):
            self._mark(entry, "error", f"{entry.name} dropped", None, said(data["dropped"]), "downchannel")
            return
        place: Place = "events" if reply else "downchannel"
        draft = self._add(entry, place, "directive" if reply else "push", entry.name, _gist(data))
        self._lines.setdefault(_where(entry), []).append(draft)

    def _attachment(self, entry: Entry) -> None:
        """Folded into the directive that names it, else into the last one on its line."""
        carried = f"+ {_size(entry.data.get('bytes'))}"
        directives = self._lines.get(_where(entry), [])
        for draft in reversed(directives[-8:]):  # INF: no firmware sends more directives before their sound
            if entry.name and f"cid:{entry.name}" in json.dumps(draft.entry.data.get("payload"), default=str):
                draft.details.insert(0, carried)
                return
        if directives:
            directives[-1].details.insert(0, carried)
            return
        reply = entry.data.get("line") == "reply"
        self._add(entry, "events" if reply else "downchannel", "directive" if reply else "push", "attachment", carried)

    def _answer(self, entry: Entry) -> None:
        data = entry.data
        status = data.get("status")
        status = status if isinstance(status, int) else 0
        event = self._events.get(_where(entry))
        if data.get("lost"):
            by = f"ended by fault {said(data['fault'])}" if data.get("fault") else "given up by the device"
            self._mark(entry, "timeout", by, None, entry.name, "device" if event is None else "events")
            return
        refused = _where(entry) in self._refused
        if event is None or not entry.device:  # a downchannel, a ping, or a stranger
            if status >= 400 and not refused:
                label = f"{status} {entry.name}"
                self._mark(entry, "error", label, None, said(data.get("description")))
            return
        seconds = data.get("seconds")
        took = f"{1000 * seconds:.0f} ms" if isinstance(seconds, int | float) else ""
        detail = took if refused or status < 400 else said(data.get("description")) or took
        self._add(entry, "events", "answer", str(status or "?"), detail).status = status

    def _fault(self, entry: Entry) -> None:
        """Where it struck: at the answer, at the downchannel, else at the device."""
        data = entry.data
        if data.get("phase") != STRUCK:
            return  # the dialogue tells when it was set and when it was over
        places: dict[object, Place] = {"answer": "events", "downchannel": "downchannel"}
        place = places.get(data.get("on"), "device")
        devices = (entry.device,) if entry.device else self._users.get(entry.connection, ("",))
        for device in devices:
            self._mark(entry, "fault", f"fault {entry.name}", device, said(data.get("detail")), place)

    def _ping(self, entry: Entry) -> None:
        """The same ones in a row are one mark with a count."""
        label = "GET /ping" if entry.name == "get" else "PING"
        last = self._last_of_device.get(entry.device)
        if last is not None and last.sort == "ping" and last.label == label:
            last.count += 1
            return
        if entry.device:
            self._mark(entry, "ping", label)
            return
        for device in self._users.get(entry.connection, ()):
            self._mark(entry, "ping", label, device)


def _where(entry: Entry) -> tuple[str, str]:
    """What an event's entries have in common; a stream's number tells its connection."""
    return entry.device, entry.stream


def _users(entries: Iterable[Entry]) -> dict[str, tuple[str, ...]]:
    """The devices of each connection: what came over it has both."""
    users: dict[str, dict[str, None]] = {}
    for entry in entries:
        if entry.connection and entry.device:
            users.setdefault(entry.connection, {})[entry.device] = None
    return {connection: tuple(devices) for connection, devices in users.items()}


def _gist(data: Any) -> str:
    text = gist(data.get("payload"))
    return f"“{text}”" if text else ""


def _sound(data: Any) -> str:
    seconds = data.get("seconds")
    return f"{seconds:.1f} s of sound" if isinstance(seconds, int | float) else _size(data.get("bytes"))


def _size(size: object) -> str:
    if not isinstance(size, int):
        return "sound"
    return f"{size} B" if size < 1000 else f"{size / 1000:.1f} KB"


def _nearest(data: Any) -> str:
    for near in data.get("nearest", ())[:1]:
        members = ", ".join(said(miss.get("member")) for miss in near.get("misses", ())[:LISTED])
        return f"nearest: {said(near.get('rule'))} ({members})"
    return ""


__all__ = ["Arrow", "ArrowSort", "Item", "Mark", "MarkSort", "Place", "Sequence", "sequence"]
