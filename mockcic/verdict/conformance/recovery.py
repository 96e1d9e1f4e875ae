"""What a device did about each trouble, in numbers: how soon it was back, after how many attempts, what it lost.

A pure judgement over a story; the rules about it are in `reconnect.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

from mockcic.journal.entry import Entry
from mockcic.verdict.conformance.limits import Limits
from mockcic.verdict.conformance.story import UTTERANCES, Connection, Story, Told, tell_stories
from mockcic.verdict.conformance.trouble import BY_FAULT, EARLY_S, GRACE_S, Strike, Trouble, is_silence

Outcome = Literal["unharmed", "back", "not back", "left"]
"""The downchannel stayed; is there again; is not, although it is owed; went with the device, which left by itself."""

GET_LINE: Final = "GET /v1/directives"
REFUSED_STREAM: Final = "REFUSED_STREAM"
GROWS: Final = 1.5
"""A back-off grows when a later pause is so much longer than the first (INF)."""

SPACING: Final = 100
"""Pauses that are told (INF)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try to have the downchannel again: a new connection, or `GET /v1/directives` on one that was there.

    `number` is its first entry; `status` that of the refusal, if it was refused, and `told_s` for how long it was told
    to wait then (0: not told); `is_sure`: that it was this device's is known, and not only likely by its address.
    """

    number: int
    at_s: float
    connection: str
    status: int = 0
    told_s: float = 0.0
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a device made of one trouble. Times in seconds.

    `number` is the entry it begins with, `at_s` its time, `faults` and `acts` what struck (nothing where a downchannel
    ended without a fault; `detail` says why), `strikes` how often, `acts_s` for how long. `back_s`: from then until the
    downchannel was there again, `first_s` until the first attempt, `spacing` between further ones, `grows` whether the
    back-off grew where the device chose it (None: too few to tell), `statuses` of refused attempts, `guessed` how many
    are its only by its address, `unclear` connections that may have been its or another's. `noticed_s`: how long
    silence lasted before it gave the connection up. Of events, by number of entry: `cut` had no whole answer,
    `repeated` of these were said again, `lost` were not (of some it cannot be said yet), `doubled` were said again
    although they had been answered; `on_dead` came where the downchannel had been lost. `refused` were refused
    untouched (REFUSED_STREAM), `retried` of these sent again. `went_on`: dialogues of before it that were gone on with.
    """

    device: str
    number: int
    at_s: float
    outcome: Outcome
    faults: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    detail: str = ""
    strikes: int = 0
    acts_s: float = 0.0
    back_s: float | None = None
    back_number: int = 0
    first_s: float | None = None
    attempts: int = 0
    spacing: tuple[float, ...] = ()
    grows: bool | None = None
    statuses: tuple[int, ...] = ()
    guessed: int = 0
    unclear: int = 0
    noticed_s: float | None = None
    cut: tuple[int, ...] = ()
    repeated: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    doubled: tuple[int, ...] = ()
    on_dead: tuple[int, ...] = ()
    refused: int = 0
    retried: int = 0
    went_on: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """What struck, for people."""
        return ", ".join(f"fault {name}" for name in self.faults) or f"downchannel ended: {self.detail or 'lost'}"

    def as_json(self) -> dict[str, Any]:
        """One JSON object; `read_recovery` reads it."""
        value: dict[str, Any] = {}
        for name in self.__slots__:
            member = getattr(self, name)
            if isinstance(member, float):
                member = round(member, 4)
            elif isinstance(member, tuple):
                member = [round(each, 4) if isinstance(each, float) else each for each in member]
            value[name] = member
        return value

    def text(self) -> str:
        """One line of numbers, for people."""
        words = [f"{self.at_s:+.3f} {self.what}" + (f" ×{self.strikes}" if self.strikes > 1 else "")]
        match self.outcome:
            case "back":
                words.append(f"back after {self.back_s:.2f} s")
            case "unharmed":
                words.append("the downchannel stayed")
            case other:
                words.append(other)
        if self.attempts:
            pauses = ", ".join(f"{each:.2f}" for each in self.spacing[:8]) + (" …" if len(self.spacing) > 8 else "")
            grown = {True: ", growing", False: ", not growing", None: ""}[self.grows]
            words.append(f"{self.attempts} attempt{'s' * (self.attempts != 1)}")
            if self.first_s is not None:
                words.append(f"the first after {self.first_s:.2f} s")
            if pauses:
                words.append(f"then {pauses} s apart{grown}")
        if self.statuses:
            words.append(f"refused with {', '.join(map(str, self.statuses[:5]))}")
        if self.guessed:
            words.append(f"{self.guessed} known by address only")
        if self.unclear:
            words.append(f"{self.unclear} more may be another device's")
        if self.noticed_s is not None:
            words.append(f"given up after {self.noticed_s:.2f} s of silence")
        counts = {"cut": self.cut, "said again": self.repeated, "lost": self.lost, "doubled": self.doubled}
        told = ", ".join(f"{len(each)} {name}" for name, each in counts.items() if each)
        if told:
            words.append(f"events: {told}")
        if self.on_dead:
            words.append(f"{len(self.on_dead)} requests where the downchannel was gone")
        if self.refused:
            words.append(f"{self.refused} refused untouched, {self.retried} of them sent again")
        if self.went_on:
            words.append(f"went on with {len(self.went_on)} dialogue{'s' * (len(self.went_on) != 1)} of before")
        return "; ".join(words)


def read_recovery(value: Mapping[str, Any]) -> Recovery:
    """The recovery of a JSON object. Raises `KeyError`, `TypeError`, `ValueError`."""
    if value["outcome"] not in get_args(Outcome):
        raise ValueError(f"outcome: found {value['outcome']!r}, expected one of {', '.join(get_args(Outcome))}")
    members: dict[str, Any] = {name: value[name] for name in Recovery.__slots__ if name in value}
    for name, each in members.items():
        if isinstance(each, list):
            members[name] = tuple(each)
    return Recovery(**members)


def recoveries(story: Story, limits: Limits) -> tuple[Recovery, ...]:
    """One for each trouble of a device, oldest first."""
    return tuple(_recovery(story, trouble, limits) for trouble in story.troubles)


def recoveries_in(
    entries: Iterable[Entry], limits: Limits | None = None, *, until_s: float | None = None, device: str | None = None
) -> tuple[Recovery, ...]:
    """One for each trouble of each device in the entries (oldest first), or of one device, in the order of their times.

    `until_s` is the journal's time now, for a server that runs.
    """
    stories = tell_stories(entries, until_s=until_s, device=device)
    found = (each for story in stories for each in recoveries(story, limits or Limits()))
    return tuple(sorted(found, key=lambda each: each.at_s))


def _recovery(story: Story, trouble: Trouble, limits: Limits) -> Recovery:
    tries = attempts(story, trouble)
    refused, retried = refused_streams(story, trouble, limits)
    pauses = tuple(after.at_s - before.at_s for before, after in itertools.pairwise(tries))
    cut = cut_events(story, trouble)
    again = {each.number: each.number in said_again(story, trouble, limits) for each in cut}
    lost = trouble.lost
    return Recovery(
        device=story.device,
        number=trouble.number,
        at_s=trouble.begin_s,
        outcome=outcome_of(trouble),
        faults=tuple(dict.fromkeys(each.name for each in trouble.strikes)),
        acts=tuple(dict.fromkeys(each.act for each in trouble.strikes)),
        on=tuple(dict.fromkeys(each.on for each in trouble.strikes)),
        detail=trouble.strikes[0].detail if trouble.strikes else _why(story, trouble),
        strikes=len(trouble.strikes),
        acts_s=max(0.0, trouble.acts_until_s - trouble.begin_s),
        back_s=None if trouble.back is None else trouble.back.opened_s - trouble.lost_s,
        back_number=0 if trouble.back is None else trouble.back.number,
        first_s=tries[0].at_s - trouble.lost_s if tries and lost is not None else None,
        attempts=len(tries),
        spacing=pauses[:SPACING],
        grows=grows(chosen_pauses(tries)),
        statuses=tuple(each.status for each in tries if each.status),
        guessed=sum(not each.is_sure for each in tries),
        unclear=len([at_s for at_s in story.unclear if lost is not None and _is_within(trouble, at_s)]),
        noticed_s=next((took for _, took in noticed(story, trouble) if took is not None), None),
        cut=tuple(each.number for each in cut),
        repeated=tuple(number for number, was_said in again.items() if was_said),
        lost=tuple(
            number
            for number, was_said in again.items()
            if not was_said and story.ends_s > said_until_s(story, trouble, limits)
        ),
        doubled=tuple(event.number for _, event in doubled(story, trouble, limits)),
        on_dead=tuple(number for number, _ in on_dead(story, trouble, limits)),
        refused=refused,
        retried=retried,
        went_on=_went_on(story, trouble),
    )


def outcome_of(trouble: Trouble) -> Outcome:
    """What became of the downchannel."""
    if trouble.lost is None:
        return "unharmed"
    if trouble.back is not None:
        return "back"
    return "not back" if trouble.is_owed else "left"


def _why(story: Story, trouble: Trouble) -> str:
    if trouble.lost is None:
        return ""
    connection = story.connections.get(trouble.lost.connection)
    near = connection is not None and connection.closed_s is not None
    if near and connection is not None and abs((connection.closed_s or 0.0) - trouble.lost_s) < GRACE_S:
        return connection.reason or trouble.lost.reason
    return trouble.lost.reason


# ---------------------------------------------------------------------- attempts


def _is_within(trouble: Trouble, at_s: float) -> bool:
    """Whether it happened while the downchannel was away."""
    back_s = float("inf") if trouble.back is None else trouble.back.opened_s
    return trouble.lost_s - EARLY_S <= at_s <= back_s


def attempts(story: Story, trouble: Trouble) -> tuple[Attempt, ...]:
    """The tries to have the downchannel again, oldest first; the one that had it is the last.

    A connection and the first request on it are one. Of one that TCP refused a server sees nothing.
    """
    if trouble.lost is None:
        return ()
    found: dict[str, list[Attempt]] = {}
    for connection in story.connections.values():
        at_s = connection.connected_s
        if at_s is not None and connection.id != trouble.lost.connection and _is_within(trouble, at_s):
            found[connection.id] = [
                Attempt(connection.number, at_s, connection.id, is_sure=_is_sure(connection, story))
            ]
    new = dict.fromkeys(found, True)
    for asked in sorted(_asked(story), key=lambda each: each.at_s):
        if asked.at_s <= trouble.lost_s - EARLY_S or not _is_within(trouble, asked.at_s):
            continue
        if asked.number == trouble.lost.number:
            continue
        if new.pop(asked.connection, False):
            first = found[asked.connection][0]
            found[asked.connection][0] = replace(asked, number=first.number, at_s=first.at_s)
        else:
            found.setdefault(asked.connection, []).append(asked)
    return tuple(sorted((each for tries in found.values() for each in tries), key=lambda each: each.at_s))


def _is_sure(connection: Connection, story: Story) -> bool:
    """Whether a connection is known to be the device's, or was struck: what a fault struck was no mere probe."""
    return not connection.is_guessed or any(each.connection == connection.id for each in story.strikes)


def chosen_pauses(tries: Sequence[Attempt]) -> tuple[float, ...]:
    """Pauses between attempts that the device chose: not those that it was told with a refusal."""
    return tuple(after.at_s - before.at_s for before, after in itertools.pairwise(tries) if not before.told_s)


def _asked(story: Story) -> Iterator[Attempt]:
    """Requests for the downchannel."""
    yield from (Attempt(line.number, line.opened_s, line.connection) for line in story.lines)
    refused = [each for each in story.refused if each.what == GET_LINE]
    yield from (
        Attempt(each.number, each.at_s, each.connection, each.status, each.retry_after_s or 0.0) for each in refused
    )
    lines = {line.stream for line in story.lines}
    for strike in story.strikes:  # one that struck before anybody had seen the request
        if strike.on != "downchannel" or not strike.connection or not strike.stream or strike.stream in lines:
            continue
        if not any(each.connection == strike.connection and abs(each.at_s - strike.at_s) < EARLY_S for each in refused):
            yield Attempt(strike.number, strike.at_s, strike.connection)


def grows(pauses: Sequence[float]) -> bool | None:
    """Whether pauses between attempts become longer; None of fewer than two."""
    if len(pauses) < 2:
        return None
    return max(pauses[1:]) >= GROWS * pauses[0]


# ---------------------------------------------------------------------- events


def cut_events(story: Story, trouble: Trouble) -> tuple[Told, ...]:
    """Events that were begun and had no whole answer when trouble struck."""
    found = []
    for event in story.events:
        if event.is_answered or (event.answered_s is None and not _is_gone(story, event)):
            continue
        end_s = story.ends_s if event.answered_s is None else event.answered_s
        if event.began_s > max(trouble.acts_until_s, trouble.begin_s) + EARLY_S or end_s < trouble.begin_s - EARLY_S:
            continue
        if _is_of(event, trouble, end_s):
            found.append(event)
    return tuple(found)


def _is_gone(story: Story, event: Told) -> bool:
    """Whether the connection of an event has ended."""
    connection = story.connections.get(event.connection)
    return connection is not None and connection.closed_s is not None


def _is_of(event: Told, trouble: Trouble, end_s: float) -> bool:
    """Whether it was this trouble that cut an event: on its stream, or on the connection that was lost with it."""
    for strike in trouble.strikes:
        if strike.stream == event.stream:
            return True
        if not strike.stream and strike.connection == event.connection and end_s <= strike.until_s + GRACE_S:
            return True
    lost = trouble.lost
    return lost is not None and lost.connection == event.connection and abs(end_s - trouble.lost_s) <= GRACE_S


def said_until_s(story: Story, trouble: Trouble, limits: Limits) -> float:
    """Until when an event that was cut is said again, if at all."""
    return trouble.explains_until_s - GRACE_S + limits.report_within_s


def said_again(story: Story, trouble: Trouble, limits: Limits) -> Mapping[int, Told]:
    """The events that were cut, by number, with those that say the same again."""
    until_s = said_until_s(story, trouble, limits)
    found: dict[int, Told] = {}
    taken: set[int] = set()
    for event in cut_events(story, trouble):
        for other in story.events_named(event.name):
            if other.number <= event.number or other.number in taken or other.began_s > until_s:
                continue
            if _is_same(event, other):
                found[event.number] = other
                taken.add(other.number)
                break
    return found


def told_to_wait_s(story: Story, trouble: Trouble) -> float:
    """How long refused attempts were told to wait, in all; 0 where none was."""
    told = (each for each in story.refused if each.what == GET_LINE and _is_within(trouble, each.at_s))
    return sum(each.retry_after_s or 0.0 for each in told)


def is_said_again(event: Told, other: Told) -> bool:
    """Whether a later event says what this one said."""
    return other.number > event.number and _is_same(event, other)


def refused_streams(story: Story, trouble: Trouble, limits: Limits) -> tuple[int, int]:
    """How many events were refused untouched (REFUSED_STREAM), and how many of these were sent again.

    They may be (RFC 9113 8.7). Of one that was refused before anybody had read it the next event counts as the same.
    """
    struck = [each for each in trouble.strikes if each.act == "reset" and REFUSED_STREAM in each.detail]
    struck = [each for each in struck if each.on == "answer"]
    until_s, taken = said_until_s(story, trouble, limits), set[int]()
    for strike in struck:
        event = next((each for each in story.events if each.stream == strike.stream), None)
        same = story.events if event is None else story.events_named(event.name)
        for other in same:
            later = strike.at_s - EARLY_S < other.began_s <= until_s and other.stream != strike.stream
            if later and other.number not in taken and (event is None or is_said_again(event, other)):
                taken.add(other.number)
                break
    return len(struck), len(taken)


def _is_same(event: Told, other: Told) -> bool:
    return (bool(event.message_id) and event.message_id == other.message_id) or (
        event.name == other.name and event.payload == other.payload
    )


def doubled(story: Story, trouble: Trouble, limits: Limits) -> Iterator[tuple[Told, Told]]:
    """Events that were answered well before trouble, with those that say them again after it.

    It is the same message, or the same utterance in the same dialogue.
    """
    answered: dict[object, Told] = {}
    for event in story.events:
        if event.answered_s is not None and event.is_answered and event.answered_s < trouble.begin_s - limits.race_s:
            for key in _keys(event):
                answered.setdefault(key, event)
    if not answered:
        return
    later_s = _next_trouble_s(story, trouble)
    for event in story.events:
        if event.began_s <= trouble.begin_s or event.began_s > later_s:
            continue
        first = next((answered[key] for key in _keys(event) if key in answered), None)
        if first is not None and not story.may_repeat(first, event.began_s):
            yield first, event


def _keys(event: Told) -> Iterator[object]:
    if event.message_id:
        yield event.message_id
    if event.name in UTTERANCES and event.dialogue and "speechId" not in event.payload:
        yield event.name, event.dialogue, repr(event.payload)


def _next_trouble_s(story: Story, trouble: Trouble) -> float:
    """When the next trouble begins: what is said again after that is counted there."""
    return min((each.begin_s for each in story.troubles if each.begin_s > trouble.begin_s), default=float("inf"))


def on_dead(story: Story, trouble: Trouble, limits: Limits) -> tuple[tuple[int, str], ...]:
    """Events that came after the downchannel was lost and before there was another: entry and connection (2.3)."""
    if trouble.lost is None or trouble.lost.closed_s is None:
        return ()
    from_s = max(trouble.lost.closed_s, trouble.lost_s) + limits.race_s
    until_s = float("inf") if trouble.back is None else trouble.back.opened_s
    dead = [(each.began_s, each.number, each.connection) for each in story.events if from_s < each.began_s < until_s]
    dead += [
        (each.at_s, each.number, each.connection)
        for each in story.refused
        if each.what == "POST /v1/events" and each.status == 412 and from_s < each.at_s < until_s
    ]
    failed = [(line.opened_s, line.closed_s or line.opened_s) for line in trouble.failed]
    return tuple(
        (number, connection)
        for at_s, number, connection in sorted(dead)
        if not any(opened_s <= at_s <= closed_s + limits.race_s for opened_s, closed_s in failed)
    )


def _went_on(story: Story, trouble: Trouble) -> tuple[str, ...]:
    """Dialogues of before trouble in which something new was said after it."""
    if trouble.lost is None or trouble.back is None:
        return ()
    before = {each.dialogue for each in story.utterances if each.dialogue and each.began_s < trouble.begin_s}
    cut = {each.dialogue for each in cut_events(story, trouble)}
    until_s = _next_trouble_s(story, trouble)
    after = (each for each in story.utterances if trouble.back.opened_s <= each.began_s < until_s)
    return tuple(dict.fromkeys(each.dialogue for each in after if each.dialogue in before - cut))


# ---------------------------------------------------------------------- silence


def noticed(story: Story, trouble: Trouble) -> Iterator[tuple[Strike, float | None]]:
    """Strikes that made a connection silent, with how long the device stayed; None: not known, it still may."""
    for strike in trouble.strikes:
        if strike.connection and is_silence(strike.act, strike.detail):
            yield strike, _gave_up_after(story, strike)


def _gave_up_after(story: Story, strike: Strike) -> float | None:
    """How long it took until the device ended the connection, or made another. None where it did neither in time."""
    moments = [each.connected_s for each in story.connections.values() if each.connected_s is not None]
    moments += [line.opened_s for line in story.lines if line.connection != strike.connection]
    connection = story.connections.get(strike.connection)
    if connection is not None and connection.closed_s is not None and not connection.reason.startswith(BY_FAULT):
        moments.append(connection.closed_s)
    later = [at_s for at_s in moments if strike.at_s < at_s <= strike.until_s + GRACE_S]
    return min(later) - strike.at_s if later else None


__all__ = [
    "Attempt",
    "Outcome",
    "Recovery",
    "attempts",
    "chosen_pauses",
    "cut_events",
    "doubled",
    "grows",
    "is_said_again",
    "noticed",
    "on_dead",
    "outcome_of",
    "read_recovery",
    "recoveries",
    "recoveries_in",
    "refused_streams",
    "said_again",
    "said_until_s",
    "told_to_wait_s",
]
