"""Rules about trouble: the device comes back, in decent steps, and neither loses nor doubles what it says (2.4, 2.6).

They look at what faults did (`trouble.py`); a downchannel that ended without one is for the rules of `connection.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from mockcic.cic.catalogue import catalogue
from mockcic.verdict.conformance.limits import Limits
from mockcic.verdict.conformance.recovery import (
    GET_LINE,
    Attempt,
    attempts,
    chosen_pauses,
    cut_events,
    doubled,
    grows,
    is_said_again,
    noticed,
    on_dead,
    said_again,
    said_until_s,
    told_to_wait_s,
)
from mockcic.verdict.conformance.reports import ENDED, PAUSES, PLAYS, STARTED, STOPS
from mockcic.verdict.conformance.rule import Broken, Case, Kept
from mockcic.verdict.conformance.story import UTTERANCES, Story, Told
from mockcic.verdict.conformance.trouble import EARLY_S, Strike, Trouble

STORM: Final = 3
"""So many attempts with hardly a pause between them are a storm; one quick repetition is none (INF)."""

SLOW_S: Final = 10.0
"""Pauses of this length need not grow (INF)."""

STAYS_AWAY: Final = (401, 403)
"""A device that was refused so may have to stay away: it needs its user, or is not wanted (PROTOCOL 2.5, 7.10)."""


def _struck(story: Story) -> Iterator[Trouble]:
    """The troubles that a fault made."""
    return (each for each in story.troubles if each.strikes)


def _names(trouble: Trouble) -> str:
    return ", ".join(dict.fromkeys(each.name for each in trouble.strikes))


def _sure(story: Story, trouble: Trouble) -> Sequence[Attempt]:
    """The attempts that are this device's without a doubt."""
    return [each for each in attempts(story, trouble) if each.is_sure]


# ---------------------------------------------------------------------- coming back


def reconnected(story: Story, limits: Limits) -> Iterator[Case]:
    """After trouble the downchannel is back at once, but for a pause that grew while the trouble lasted.

    Who doubles its pauses has just begun one that is at most twice as long as all the trouble before it (INF).
    """
    for trouble in _struck(story):
        if trouble.lost is None:
            continue
        over_s = trouble.acts_until_s
        within_s = limits.reopen_within_s + 2 * max(0.0, over_s - trouble.lost_s) + told_to_wait_s(story, trouble)
        entries = (trouble.number, trouble.lost.closed_number)
        if trouble.back is not None:
            took, late = trouble.back.opened_s - trouble.lost_s, trouble.back.opened_s - over_s
            if late <= within_s or not trouble.is_owed:
                yield Kept(trouble.back.number, f"back {took:.2f} s after fault {_names(trouble)}", took)
                continue
            found = f"the downchannel back {late:.1f} s after fault {_names(trouble)} was over"
            yield Broken(found, f"within {within_s:.1f} s", (*entries, trouble.back.number))
        elif trouble.is_owed and story.ends_s - over_s > within_s:
            tries = attempts(story, trouble)
            if tries and tries[-1].status in STAYS_AWAY:
                continue
            found = f"no downchannel {story.ends_s - over_s:.1f} s after fault {_names(trouble)} was over"
            tried = f", {len(tries)} attempts" if tries else ", not one attempt seen"
            yield Broken(found + tried, f"a new one within {within_s:.1f} s", entries)


def storm(story: Story, limits: Limits) -> Iterator[Case]:
    """While trouble lasts attempts keep a distance (PROTOCOL 2.2: 429; 2.6)."""
    for trouble in _struck(story):
        tries = _sure(story, trouble)
        if len(tries) < 2:
            continue
        row = [tries[0]]
        longest = row
        for before, after in itertools.pairwise(tries):
            row = [*row, after] if after.at_s - before.at_s < limits.reopen_gap_s else [after]
            longest = max(longest, row, key=len)
        if len(longest) > STORM:
            took = longest[-1].at_s - longest[0].at_s
            found = f"{len(longest)} attempts within {took:.2f} s while fault {_names(trouble)} acted"
            expected = f"at least {1000 * limits.reopen_gap_s:g} ms between attempts"
            yield Broken(found, expected, tuple(each.number for each in longest[:5]))
        else:
            closest = min(after.at_s - before.at_s for before, after in itertools.pairwise(tries))
            yield Kept(tries[0].number, f"{len(tries)} attempts, at least {closest:.2f} s apart", -closest)


def back_off(story: Story, limits: Limits) -> Iterator[Case]:
    """Pauses between failed attempts grow (PROTOCOL 2.6), but for those that a refusal asked for."""
    for trouble in _struck(story):
        tries = _sure(story, trouble)
        pauses = chosen_pauses(tries)
        if len(pauses) < STORM:
            continue
        told = ", ".join(f"{each:.2f}" for each in pauses[:8])
        if grows(pauses) or min(pauses) >= SLOW_S:
            yield Kept(tries[0].number, f"pauses of {told} s", max(pauses))
        else:
            found = f"pauses of {told} s between {len(tries)} attempts"
            yield Broken(found, "longer ones after each failure", tuple(each.number for each in tries[:5]))


def waits_as_told(story: Story, limits: Limits) -> Iterator[Case]:
    """Who is told with a refusal how long to wait does not ask the same again before (RFC 9110 10.2.3).

    The same is the downchannel, a call of the authorization server, or an event that says what the refused one said.
    """
    for number, at_s, what, wait_s, again in _told_to_wait(story):
        if again is None:
            continue
        next_number, next_s = again
        waited = next_s - at_s
        if waited >= wait_s - EARLY_S:
            yield Kept(next_number, f"{what} again {waited:.1f} s after a refusal, told to wait {wait_s:g} s", -waited)
        else:
            found = f"{what} again {waited:.2f} s after a refusal with `retry-after: {wait_s:g}`"
            yield Broken(found, f"not before {wait_s:g} s", (number, next_number))


def _told_to_wait(story: Story) -> Iterator[tuple[int, float, str, float, tuple[int, float] | None]]:
    """Refusals with `retry-after`: entry, time, what was asked, seconds; entry and time of when it was asked again."""
    opened = [(line.number, line.opened_s) for line in story.lines]
    for each in story.refused:
        if each.retry_after_s is None or each.what == "POST /v1/events":
            continue
        same = [(other.number, other.at_s) for other in story.refused if other.what == each.what]
        asked = (*same, *(opened if each.what == GET_LINE else ()))
        on_its_way_s = each.at_s + EARLY_S  # what came until then had been asked before the refusal was heard
        later = [other for other in asked if other[0] > each.number and other[1] > on_its_way_s]
        yield each.number, each.at_s, each.what, each.retry_after_s, min(later, default=None)
    for event in story.events:
        if event.retry_after_s is None or event.answered_s is None:
            continue
        refused_s = event.answered_s
        repeated = next((each for each in story.events_named(event.name) if _is_retried(event, each, refused_s)), None)
        again = None if repeated is None else (repeated.number, repeated.began_s)
        yield event.number, event.answered_s, event.name, event.retry_after_s, again


def _is_retried(event: Told, other: Told, after_s: float) -> bool:
    """Whether `other` says again what was refused, and not in a new dialogue: the user said that anew."""
    is_anew = event.name in UTTERANCES and other.dialogue != event.dialogue
    return other.began_s > after_s and not is_anew and is_said_again(event, other)


# ---------------------------------------------------------------------- events


def events_wait(story: Story, limits: Limits) -> Iterator[Case]:
    """On a connection that lost its downchannel no event is sent before there is another (PROTOCOL 2.3)."""
    for trouble in _struck(story):
        if trouble.lost is None or not trouble.is_owed:
            continue
        dead = [number for number, where in on_dead(story, trouble, limits) if where == trouble.lost.connection]
        if dead:
            found = f"{len(dead)} event{'s' * (len(dead) > 1)} where fault {_names(trouble)} had ended the downchannel"
            yield Broken(found, "none before there is another", (trouble.lost.closed_number, *dead[:5]))
        elif trouble.back is not None:
            yield Kept(trouble.back.number)


def event_repeated(story: Story, limits: Limits) -> Iterator[Case]:
    """What had its answer is not said again; what had none may be (INF)."""
    for trouble in _struck(story):
        for first, event in doubled(story, trouble, limits):
            found = (
                f"{event.name} again after fault {_names(trouble)}, although it had been answered with {first.status}"
            )
            yield Broken(found, "nothing twice that had its answer", (first.number, event.number))
        for again in said_again(story, trouble, limits).values():
            yield Kept(again.number)


@cache
def _reports() -> frozenset[str]:
    """Events that tell what a directive led to."""
    asked = {name for spec in catalogue().directives.values() for names in spec.expects for name in names}
    return frozenset({*asked, STARTED, *ENDED, *PLAYS, *PAUSES, *STOPS}) - {*UTTERANCES}


def event_lost(story: Story, limits: Limits) -> Iterator[Case]:
    """A report without an answer is sent again, unless a later one of its kind says more (INF)."""
    for trouble in _struck(story):
        again = said_again(story, trouble, limits)
        until_s = said_until_s(story, trouble, limits)
        for event in cut_events(story, trouble):
            if event.name not in _reports():
                continue
            if event.number in again:
                yield Kept(again[event.number].number)
            elif story.ends_s > until_s and not _is_superseded(story, event, until_s):
                found = f"{event.name} was cut by fault {_names(trouble)}, and did not come again"
                yield Broken(found, f"once more within {limits.report_within_s:g} s", (trouble.number, event.number))


def _is_superseded(story: Story, event: Told, until_s: float) -> bool:
    """Whether a later report of the same interface came: of what is over nothing needs to be told."""
    namespace = event.name.partition(".")[0]
    return any(
        each.name.partition(".")[0] == namespace and event.number < each.number and each.began_s <= until_s
        for each in story.events
    )


# ---------------------------------------------------------------------- connections


def silence_noticed(story: Story, limits: Limits) -> Iterator[Case]:
    """A connection on which nothing comes any more is given up (PROTOCOL 2.4)."""
    for trouble in _struck(story):
        for strike, took in noticed(story, trouble):
            since_s, within_s = _silent_from(story, strike, limits)
            if since_s is None:
                continue
            stayed = min(strike.until_s, story.ends_s) - since_s
            if took is not None and took - (since_s - strike.at_s) <= within_s:
                yield Kept(strike.number, f"given up after {took:.1f} s of silence", took)
            elif stayed > within_s:
                stayed = stayed if took is None else took
                found = f"still on {strike.connection} after {stayed:.1f} s of silence (fault {strike.name})"
                yield Broken(found, f"another connection within {within_s:g} s", (strike.number,))


def _silent_from(story: Story, strike: Strike, limits: Limits) -> tuple[float | None, float]:
    """Since when a device could know, and how long it may take.

    Where only PING frames are not answered: from the first that it sends on; one that pings by GET knows nothing of
    it, and of one that is answered late nobody says how late is too late.
    """
    if strike.act != "pong":
        return strike.at_s, limits.notice_within_s
    pings = (each.at_s for each in story.pings if each.connection == strike.connection and each.kind == "frame")
    first_s = next((at_s for at_s in pings if at_s >= strike.at_s), None)
    return (None if " late" in strike.detail else first_s), limits.reconnect_within_s


def goaway_obeyed(story: Story, limits: Limits) -> Iterator[Case]:
    """After GOAWAY no further stream is begun on the connection (RFC 9113 6.8)."""
    for strike in story.strikes:
        if strike.act != "goaway" or not strike.connection:
            continue
        begun = {event.number: event.began_s for event in story.events}
        asked = [
            (begun.get(each.number, each.at_s), each) for each in story.requests if each.connection == strike.connection
        ]
        after = [(at_s, each) for at_s, each in asked if at_s > strike.at_s + limits.race_s]
        if after:
            at_s, first = after[0]
            found = f"{first.what} on {strike.connection} {at_s - strike.at_s:.2f} s after GOAWAY (fault {strike.name})"
            yield Broken(found, "a new connection", (strike.number, *(each.number for _, each in after[:4])))
        elif story.ends_s > strike.at_s + limits.race_s:
            yield Kept(strike.number)
