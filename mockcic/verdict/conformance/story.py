"""What a device did, made of journal entries in one pass: its requests, downchannels, events, what it was sent."""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from mockcic.journal.entry import Entry
from mockcic.verdict.conformance.trouble import BY_FAULT, EARLY_S, GRACE_S, Strike, Trouble, read_strikes, troubles_of

HELLO: Final = "Clova.Hello"
SPEECH: Final = "SpeechRecognizer.Recognize"
TEXT: Final = "TextRecognizer.Recognize"
UTTERANCES: Final = (SPEECH, TEXT)
"""Events that begin a dialogue (PROTOCOL 3.6)."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event. `began_s` is when its request came, `at_s` when its metadata was complete.

    `upload` holds the members of its upload entry, None when it had nothing but metadata or has not ended.
    """

    number: int
    at_s: float
    began_s: float
    wall_s: float
    name: str
    dialogue: str
    connection: str
    stream: str
    message_id: str
    payload: Mapping[str, Any]
    contexts: Mapping[str, Mapping[str, Any]]
    request: Mapping[str, str]
    parts: Sequence[Mapping[str, Any]]
    upload: Mapping[str, Any] | None = None
    upload_number: int = 0
    upload_at_s: float | None = None
    answered_s: float | None = None
    status: int | None = None
    description: str = ""
    retry_after_s: float | None = None
    """How long it was told to wait, with a refusal."""
    lost: bool = False
    """Its stream or connection ended before the answer was complete."""

    @property
    def is_answered(self) -> bool:
        """Whether a whole answer was handed to the connection."""
        return self.answered_s is not None and not self.lost


@dataclass(frozen=True, slots=True)
class Sent:
    """A directive that was handed to the connection; `sound_s` is how long its sound plays, if known."""

    number: int
    at_s: float
    wall_s: float
    name: str
    dialogue: str
    line: str
    stream: str
    payload: Mapping[str, Any]
    sound_s: float | None = None
    by_another_clock: bool = False
    """The server's clock was turned when it was sent: a time in it may be none of the device's."""
    is_raw: bool = False
    """Written as it stands, to try the device: what is due because of it nobody knows."""


@dataclass(frozen=True, slots=True)
class Line:
    """A downchannel, from `opened_s` to `closed_s` (None: still open), `hello_s` when Hello was handed over on it."""

    number: int
    opened_s: float
    connection: str
    stream: str
    closed_s: float | None = None
    closed_number: int = 0
    reason: str = ""
    hello_s: float | None = None

    def is_open_at(self, at_s: float) -> bool:
        """Whether it was open then."""
        return self.opened_s <= at_s and (self.closed_s is None or at_s < self.closed_s)


@dataclass(frozen=True, slots=True)
class Ping:
    """A keep-alive: `kind` is frame or get."""

    number: int
    at_s: float
    connection: str
    kind: str
    unanswered: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that was refused by its headers: `what` is its method and path."""

    number: int
    at_s: float
    connection: str
    what: str
    status: int
    description: str
    token: str
    request: Mapping[str, str]
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Any request of the device whose headers are known."""

    number: int
    at_s: float
    what: str
    connection: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Connection:
    """One HTTP/2 connection, as far as it was seen: `connected_s` is None when it was there before the journal.

    `is_guessed`: it ended before a request said whose it is, and this device alone was looking for a line from there.
    """

    id: str
    connected_s: float | None = None
    closed_s: float | None = None
    reason: str = ""
    number: int = 0
    is_guessed: bool = False


@dataclass(frozen=True, slots=True)
class Noticed:
    """A finding that the server wrote down while it happened."""

    number: int
    at_s: float
    code: str
    stream: str
    found: str
    expected: str
    mend: str


@dataclass(frozen=True)  # no slots: what rules look up again and again is kept
class Story:
    """One device, everything oldest first. `ends_s` is until when is known what it did.

    `is_whole`: nothing of it was dropped from the journal.
    """

    device: str
    ends_s: float
    is_whole: bool = True
    user_agent: str = ""
    events: tuple[Told, ...] = ()
    directives: tuple[Sent, ...] = ()
    lines: tuple[Line, ...] = ()
    pings: tuple[Ping, ...] = ()
    refused: tuple[Refused, ...] = ()
    requests: tuple[Asked, ...] = ()
    findings: tuple[Noticed, ...] = ()
    connections: Mapping[str, Connection] = field(default_factory=dict)
    strikes: tuple[Strike, ...] = ()
    unclear: tuple[float, ...] = ()
    """When connections came that ended without a request, while this device and another from there had no line."""

    @cached_property
    def troubles(self) -> tuple[Trouble, ...]:
        """What struck it on purpose, and the downchannels it lost."""
        return troubles_of(self)

    def is_explained(self, begin_s: float, end_s: float | None = None, *, but: Collection[str] = ()) -> bool:
        """Whether a fault explains what a device did, or did not do, between these times: nobody holds it against it.

        Faults whose act is among `but` explain nothing: they ask the very thing.
        """
        if not self.strikes:
            return False
        end_s = begin_s if end_s is None else end_s
        return any(
            each.overlaps(begin_s, end_s) and any(strike.act not in but for strike in each.strikes)
            for each in self.troubles
        )

    def is_struck(self, stream: str) -> bool:
        """Whether a fault struck this stream, or the connection under it while it was there."""
        if not self.strikes:
            return False
        if any(each.stream == stream for each in self.strikes):
            return True
        event = next((each for each in self.events if each.stream == stream), None)
        if event is None:
            return False
        end_s = self.ends_s if event.answered_s is None else event.answered_s
        connection = self.connections.get(event.connection)
        if connection is not None and connection.closed_s is not None and connection.reason.startswith(BY_FAULT):
            struck = connection.closed_s <= end_s + GRACE_S
            if struck:
                return True
        return any(
            each.connection == event.connection
            and not each.stream
            and each.at_s <= end_s + GRACE_S
            and event.began_s <= each.until_s + GRACE_S
            for each in self.strikes
        )

    def may_repeat(self, first: Told, at_s: float) -> bool:
        """Whether an event may be said again at this time: it had no answer, or trouble may have kept it back."""
        if first.lost and first.answered_s is not None and first.answered_s <= at_s + EARLY_S:
            return True
        if self.is_struck(first.stream):
            return True
        return not first.is_answered and self.is_explained(first.began_s, at_s)

    @property
    def is_silent(self) -> bool:
        """Whether it only pinged: a health check, not a device."""
        return not (self.events or self.lines or any(each.what != "GET /ping" for each in self.refused))

    @cached_property
    def _events_by_name(self) -> Mapping[str, list[Told]]:
        found: defaultdict[str, list[Told]] = defaultdict(list)
        for each in self.events:
            found[each.name].append(each)
        return found

    @cached_property
    def utterances(self) -> tuple[Told, ...]:
        """The events that begin a dialogue, or go on with one."""
        return tuple(each for each in self.events if each.name in UTTERANCES)

    def events_named(self, *names: str) -> list[Told]:
        """The events of these names."""
        if len(names) == 1:
            return self._events_by_name.get(names[0], [])
        found = [each for name in names for each in self._events_by_name.get(name, ())]
        return sorted(found, key=lambda each: each.number)

    def directives_named(self, *names: str) -> list[Sent]:
        """The directives of these names."""
        return [each for each in self.directives if each.name in names]

    def left_between(self, begin_s: float, end_s: float) -> bool:
        """Whether it went away at some moment in between: its downchannel ended, or the server saw no more of it."""
        return end_s > self.ends_s or any(
            line.closed_s is not None and line.reason != "replaced" and begin_s <= line.closed_s <= end_s
            for line in self.lines
        )

    def is_away_at(self, at_s: float) -> bool:
        """Whether the device had no downchannel then, as far as can be seen."""
        return bool(self.lines) and not any(line.is_open_at(at_s) for line in self.lines)

    def utterances_after(self, at_s: float) -> Iterator[Told]:
        """Those whose metadata came later than this, oldest first."""
        begin = bisect.bisect_right(self.utterances, at_s, key=lambda each: each.at_s)
        return itertools.islice(self.utterances, begin, None)

    @cached_property
    def utterances_of(self) -> Mapping[str, list[Told]]:
        """By dialogRequestId."""
        found: defaultdict[str, list[Told]] = defaultdict(list)
        for each in self.utterances:
            found[each.dialogue].append(each)
        return found

    @cached_property
    def dialogues(self) -> frozenset[str]:
        """The ids that any event had."""
        return frozenset(each.dialogue for each in self.events if each.dialogue)


# ---------------------------------------------------------------------- how stories are made


def tell_stories(
    entries: Iterable[Entry], *, until_s: float | None = None, is_whole: bool = True, device: str | None = None
) -> tuple[Story, ...]:
    """The story of each device in the entries (oldest first), or of one.

    `until_s` is until when nothing else happened: the last entry's time unless told otherwise. What tells only its
    connection is told of the device that alone used it.
    """
    everything = list(entries)
    ends_s = max([*(entry.at_s for entry in everything[-1:]), until_s or 0.0], default=0.0)
    real = {entry.device for entry in everything if entry.kind in ("event", "downchannel", "device") and entry.device}
    users: defaultdict[str, set[str]] = defaultdict(set)
    for entry in everything:
        if entry.connection and entry.device in real:
            users[entry.connection].add(entry.device)
    grouped: defaultdict[str, list[Entry]] = defaultdict(list)
    guessed, unclear = _whose(everything, users, real)
    for entry in everything:
        whose = users.get(entry.connection, set()) if entry.connection else set()
        if entry.kind == "fault" and not entry.device and not entry.connection:
            for name in real:  # it struck everybody, such as a listener that was gone
                grouped[name].append(entry)
            continue
        if (guess := guessed.get(entry.connection)) is not None:
            grouped[guess].append(entry)
            continue
        if entry.device in real:
            grouped[entry.device].append(entry)
        elif len(whose) == 1:
            grouped[next(iter(whose))].append(entry)
        elif entry.device or entry.kind == "answer":
            grouped[entry.device].append(entry)
    stories = (
        _tell(name, mine, ends_s, is_whole, frozenset(guessed), tuple(unclear.get(name, ())))
        for name, mine in grouped.items()
        if device is None or name == device
    )
    return tuple(story for story in stories if not story.is_silent)


def _tell(
    device: str,
    entries: Sequence[Entry],
    ends_s: float,
    is_whole: bool,
    guessed: frozenset[str],
    unclear: tuple[float, ...],
) -> Story:
    draft = _Draft(guessed)
    for entry in entries:
        draft.take(entry)
    return draft.story(device, ends_s, is_whole, unclear)


def _whose(
    entries: Sequence[Entry], users: Mapping[str, set[str]], real: Collection[str]
) -> tuple[Mapping[str, str], Mapping[str, list[float]]]:
    """Whose connections were on which nothing was asked: of the only device from that address without a line.

    Where several were without one, they get the time only. A probe of somebody else's may be among them (INF). Those to
    the authorization server's own port are about no downchannel.
    """
    spoke = {entry.connection for entry in entries if entry.kind not in ("connect", "disconnect", "fault")}
    came = [entry for entry in entries if entry.kind == "connect" and entry.connection not in users]
    nameless = [each for each in came if each.connection not in spoke and each.data.get("port") != "auth"]
    guessed: dict[str, str] = {}
    unclear: defaultdict[str, list[float]] = defaultdict(list)
    if not nameless:
        return guessed, unclear
    hosts: defaultdict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.kind == "connect":
            for name in users.get(entry.connection, ()):
                hosts[entry.name.rpartition(":")[0]].add(name)
    turns: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    for entry in entries:
        if entry.kind == "downchannel" and entry.device in real:
            turns[entry.device].append((entry.at_s, 1 if entry.name == "open" else -1))
    for entry in nameless:
        looking = [name for name in hosts[entry.name.rpartition(":")[0]] if _is_looking(turns[name], entry.at_s)]
        if len(looking) == 1:
            guessed[entry.connection] = looking[0]
        for name in looking if len(looking) > 1 else ():
            unclear[name].append(entry.at_s)
    return guessed, unclear


def _is_looking(turns: Sequence[tuple[float, int]], at_s: float) -> bool:
    """Whether a device had lost its downchannel then and got another later: one that never came again may be off."""
    before = [step for when, step in turns if when <= at_s]
    return bool(before) and sum(before) <= 0 and any(step > 0 and when > at_s for when, step in turns)


def _is_of_cut(noticed: Noticed, strikes: Sequence[Strike]) -> bool:
    """Whether something is wrong with a body only because a fault cut it."""
    if not noticed.code.startswith("multipart."):
        return False
    connection = noticed.stream.rpartition(".")[0]
    return any(
        each.stream == noticed.stream and each.at_s <= noticed.at_s
        if each.stream
        else each.connection == connection and each.at_s <= noticed.at_s <= each.until_s + GRACE_S
        for each in strikes
    )


def _retry_after_s(data: Mapping[str, Any]) -> float | None:
    found = data.get("retry_after")
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


class _Draft:
    """A story while it is put together: later entries say how earlier things ended."""

    def __init__(self, guessed: frozenset[str] = frozenset()) -> None:
        self._guessed = guessed
        self._faults: list[Entry] = []
        self._ends: dict[str, float] = {}
        self._events: dict[str, dict[str, Any]] = {}
        self._told: list[dict[str, Any]] = []
        self._sent: list[dict[str, Any]] = []
        self._lines: dict[str, dict[str, Any]] = {}
        self._every_line: list[dict[str, Any]] = []
        self._pings: list[Ping] = []
        self._refused: list[Refused] = []
        self._requests: list[Asked] = []
        self._findings: list[Noticed] = []
        self._connections: dict[str, dict[str, Any]] = {}
        self._agent = ""

    def take(self, entry: Entry) -> None:
        """The next entry."""
        data = dict(entry.data)
        if entry.connection:
            self._connections.setdefault(entry.connection, {"id": entry.connection})
        match entry.kind:
            case "connect":
                self._connections.setdefault(entry.connection, {"id": entry.connection}).update(
                    connected_s=entry.at_s, number=entry.number, is_guessed=entry.connection in self._guessed
                )
            case "disconnect":
                self._connections.setdefault(entry.connection, {"id": entry.connection}).update(
                    closed_s=entry.at_s, reason=str(data.get("reason", ""))
                )
            case "downchannel":
                self._downchannel(entry, data)
            case "event":
                self._event(entry, data)
            case "upload":
                if (event := self._events.get(entry.stream)) is not None:
                    event.update(upload=data, upload_number=entry.number, upload_at_s=entry.at_s)
            case "answer":
                self._answer(entry, data)
            case "directive":
                self._directive(entry, data)
            case "attachment":
                if self._sent and isinstance(seconds := data.get("seconds"), int | float):
                    behind = self._sent[-1]
                    behind["sound_s"] = (behind.get("sound_s") or 0.0) + seconds
            case "ping":
                self._ping(entry, data)
            case "fault":
                self._faults.append(entry)
            case "finding":
                texts = {key: str(data.get(key, "")) for key in ("found", "expected", "mend")}
                self._findings.append(Noticed(entry.number, entry.at_s, entry.name, entry.stream, **texts))
            case _:
                pass

    def _ask(self, entry: Entry, at_s: float, what: str, data: Mapping[str, Any]) -> Mapping[str, str]:
        headers = data.get("request")
        if not isinstance(headers, Mapping):
            return {}
        self._requests.append(Asked(entry.number, at_s, what, entry.connection, headers))
        return headers

    def _downchannel(self, entry: Entry, data: Mapping[str, Any]) -> None:
        if entry.name == "open":
            self._agent = str(self._ask(entry, entry.at_s, "GET /v1/directives", data).get("user-agent", self._agent))
            line = self._lines[entry.stream] = {
                "number": entry.number,
                "opened_s": entry.at_s,
                "connection": entry.connection,
                "stream": entry.stream,
            }
            self._every_line.append(line)
        elif (line_ := self._lines.get(entry.stream)) is not None:
            self._ends[entry.stream] = entry.at_s
            line_.update(closed_s=entry.at_s, closed_number=entry.number, reason=str(data.get("reason", "")))

    def _event(self, entry: Entry, data: Mapping[str, Any]) -> None:
        request = self._ask(entry, entry.at_s, "POST /v1/events", data)
        self._agent = str(request.get("user-agent", self._agent))
        contexts = data.get("contexts")
        payload = data.get("payload")
        self._events[entry.stream] = event = {
            "number": entry.number,
            "at_s": entry.at_s,
            "began_s": entry.at_s,
            "wall_s": entry.wall_s,
            "name": entry.name,
            "dialogue": entry.dialogue,
            "connection": entry.connection,
            "stream": entry.stream,
            "message_id": str(data.get("message_id") or ""),
            "payload": payload if isinstance(payload, Mapping) else {},
            "contexts": contexts if isinstance(contexts, Mapping) else {},
            "request": request,
            "parts": data.get("parts") or (),
        }
        self._told.append(event)

    def _answer(self, entry: Entry, data: Mapping[str, Any]) -> None:
        status = data.get("status")
        self._ends[entry.stream] = entry.at_s
        if (event := self._events.get(entry.stream)) is not None:
            if isinstance(seconds := data.get("seconds"), int | float):
                event["began_s"] = min(event["at_s"], entry.at_s - seconds)
            description = str(data.get("description", ""))
            event.update(answered_s=entry.at_s, status=status, description=description, lost=data.get("lost") is True)
            event.update(retry_after_s=_retry_after_s(data))
        elif isinstance(status, int) and " /" in entry.name:
            request = self._ask(entry, entry.at_s, entry.name, data)
            description = str(data.get("description", ""))
            self._refused.append(
                Refused(
                    entry.number,
                    entry.at_s,
                    entry.connection,
                    entry.name,
                    status,
                    description,
                    entry.device,
                    request,
                    _retry_after_s(data),
                )
            )

    def _directive(self, entry: Entry, data: Mapping[str, Any]) -> None:
        if "dropped" in data:
            return
        payload = data.get("payload")
        self._sent.append(
            {
                "number": entry.number,
                "at_s": entry.at_s,
                "wall_s": entry.wall_s,
                "name": entry.name,
                "dialogue": entry.dialogue,
                "line": str(data.get("line", "")),
                "stream": entry.stream,
                "payload": payload if isinstance(payload, Mapping) and "raw" not in data else {},
                "is_raw": "raw" in data,
                "by_another_clock": "clock" in data,
            }
        )
        if entry.name == HELLO and (line := self._lines.get(entry.stream)) is not None:
            line.setdefault("hello_s", entry.at_s)

    def _ping(self, entry: Entry, data: Mapping[str, Any]) -> None:
        if entry.name == "get":
            self._ask(entry, entry.at_s, "GET /ping", data)
        unanswered = data.get("unanswered") is True
        self._pings.append(Ping(entry.number, entry.at_s, entry.connection, entry.name, unanswered))

    def story(self, device: str, ends_s: float, is_whole: bool, unclear: tuple[float, ...] = ()) -> Story:
        """What was put together."""
        connections = {name: Connection(**each) for name, each in self._connections.items()}
        strikes = read_strikes(self._faults, connections, self._ends, ends_s)
        return Story(
            device=device,
            ends_s=ends_s,
            is_whole=is_whole,
            user_agent=self._agent,
            events=tuple(Told(**each) for each in self._told),
            directives=tuple(Sent(**each) for each in self._sent),
            lines=tuple(Line(**each) for each in self._every_line),
            pings=tuple(self._pings),
            refused=tuple(self._refused),
            requests=tuple(self._requests),
            findings=tuple(each for each in self._findings if not _is_of_cut(each, strikes)),
            connections=connections,
            strikes=strikes,
            unclear=unclear,
        )
