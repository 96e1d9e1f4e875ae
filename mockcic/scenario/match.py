"""Which rule answers an event. Matching explains itself: the same code says that a rule fits, and why it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mockcic.cic.facts import Sound
from mockcic.cic.message import Event
from mockcic.scenario.conditions import MISSING
from mockcic.scenario.effects import Miss
from mockcic.scenario.model import Rule
from mockcic.scenario.template import RenderError
from mockcic.scenario.words import shown

NEAREST: Final = 3
"""How many rules are named when none fits."""


RECOGNISED: Final = ("sha256", "dtmf", "marker", "like", "heard", "text")
"""Members of `audio` that are known when the upload has ended, if somebody asks for them."""


class Pending:
    """The one value `PENDING`: what will be known when the upload has ended. Every condition on it still may hold."""


PENDING: Final = Pending()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a rule is judged by. `sound` is PENDING while the upload runs, None when it has no audio part."""

    event: Event
    headers: Mapping[str, str]
    sound: Sound | Pending | None
    state: str
    vars: Mapping[str, Any]
    counts: Mapping[str, int]
    device: Callable[[], Mapping[str, Any]]

    def member(self, path: str) -> object:
        """The value of a `when` member, MISSING where there is none, PENDING where it is not known yet."""
        first, _, rest = path.partition(".")
        match first:
            case "payload":
                return walk(self.event.payload, rest)
            case "header":
                return walk(header_of(self.event), rest)
            case "context":
                return self._context(rest)
            case "request":
                return self.headers.get(rest.lower(), MISSING)
            case "audio":
                return self.sound if isinstance(self.sound, Pending) else walk(sound_members(self.sound), rest)
            case "vars":
                return walk(self.vars, rest)
            case "count":
                return self.counts.get(rest, 0)
            case "state":
                return self.state
            case "device":
                return walk(self.device(), rest)
            case _:
                return MISSING

    def absent(self, path: str) -> str:
        """What a person reads where there is no such member."""
        first, _, rest = path.partition(".")
        why = self.sound.why.get(rest) if first == "audio" and isinstance(self.sound, Sound) else None
        return "absent" if why is None else why

    def _context(self, path: str) -> object:
        namespace, _, rest = path.partition(".")
        name, _, member = rest.partition(".")
        for context in self.event.contexts:
            if (context.namespace, context.name) == (namespace, name):
                return walk(context.payload, member)
        return MISSING


def header_of(event: Event) -> dict[str, Any]:
    """The event's header by the names of the wire."""
    header = {"namespace": event.namespace, "name": event.name, "messageId": event.message_id}
    return header if event.dialog_request_id is None else {**header, "dialogRequestId": event.dialog_request_id}


def sound_members(sound: Sound | None) -> dict[str, Any]:
    """The members of `audio` in conditions and templates."""
    if sound is None:
        return {"present": False}
    members: dict[str, Any] = {
        "present": True,
        "seconds": sound.seconds,
        "duration": sound.seconds,
        "bytes": sound.size,
    }
    if sound.level_dbfs is not None:
        members["level"] = sound.level_dbfs
    for name in RECOGNISED:
        if (value := getattr(sound, name)) is not None:
            members[name] = value
    return members


def walk(value: object, path: str) -> object:
    """The member of a JSON value at a dotted path (`a.b.0.c`); MISSING where there is none.

    A member whose own name has dots is found too: the longest name that fits is tried first.
    """
    if not path:
        return value
    if isinstance(value, Mapping):
        words = path.split(".")
        for length in range(len(words), 0, -1):
            name = ".".join(words[:length])
            if name in value:
                return walk(value[name], ".".join(words[length:]))
        return MISSING
    if isinstance(value, Sequence) and not isinstance(value, str):
        index, _, rest = path.partition(".")
        return (
            walk(value[int(index)], rest)
            if index.isdecimal() and len(index) < 10 and int(index) < len(value)
            else MISSING
        )
    return MISSING


@dataclass(frozen=True, slots=True)
class Match:
    """A rule held against an event: it fits when nothing was missed."""

    rule: Rule
    number: int
    misses: tuple[Miss, ...]

    @property
    def fits(self) -> bool:
        """True when the rule answers the event."""
        return not self.misses


def match(rule: Rule, number: int, uses: int, subject: Subject, render: Callable[[Any], Any]) -> Match:
    """Hold a rule, the `number`th of its scenario and used `uses` times so far, against an event."""
    misses: list[Miss] = []
    if not rule.is_about(subject.event.full_name):
        misses.append(Miss("event", " or ".join(rule.event), subject.event.full_name))
    if rule.in_ and subject.state not in rule.in_:
        misses.append(Miss("state", " or ".join(rule.in_), subject.state))
    if rule.times is not None and uses >= rule.times:
        misses.append(Miss("times", f"at most {rule.times}", f"{uses} already"))
    for member, condition in rule.when.items():
        got = subject.member(member)
        if got is PENDING:
            continue
        try:
            expected = condition.miss(got, render)
        except RenderError:
            if misses and misses[0].member == "event":
                continue  # made for another event, whose members this one need not have
            raise
        if expected is not None:
            misses.append(Miss(member, expected, subject.absent(member) if got is MISSING else shown(got)))
    return Match(rule, number, tuple(misses))


def first_fit(matches: Iterable[Match]) -> Match | None:
    """The first that fits, in file order."""
    return next((each for each in matches if each.fits), None)


def nearest(matches: Iterable[Match], event: str) -> list[Match]:
    """The rules that came nearest, best first: about the event, then of its namespace, fewest misses first."""
    namespace = event.partition(".")[0] + "."

    def distance(each: Match) -> tuple[int, int, int]:
        about = not any(miss.member == "event" for miss in each.misses)
        related = any(pattern.startswith(namespace) for pattern in each.rule.event)
        return (0 if about else 1 if related else 2, len(each.misses), each.number)

    return sorted(matches, key=distance)[:NEAREST]
