"""Rules about the connection: the downchannel first, kept, opened anew; pings; not too much at once (PROTOCOL 2)."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from mockcic.verdict.conformance.limits import Limits
from mockcic.verdict.conformance.rule import Broken, Case, Kept
from mockcic.verdict.conformance.story import Refused, Story
from mockcic.verdict.conformance.trouble import was_taken_away

GET_LINE: Final = "GET /v1/directives"
NO_DOWNCHANNEL: Final = "no downchannel"
OTHER_CONNECTION: Final = "another connection"
"""What the descriptions of the two kinds of 412 say."""

TEN_MINUTES_S: Final = 600.0


def hello_awaited(story: Story, limits: Limits) -> Iterator[Case]:
    """Events begin after Clova.Hello came on the downchannel of their connection (PROTOCOL 2.1)."""
    for event in story.events:
        lines = [each for each in story.lines if each.connection == event.connection and each.is_open_at(event.at_s)]
        if not lines:
            continue
        if any(line.hello_s is not None and line.hello_s <= event.began_s for line in lines):
            yield Kept(event.number)
            continue
        opened = min(line.opened_s for line in lines)
        hello = min((line.hello_s for line in lines if line.hello_s is not None), default=None)
        when = "Clova.Hello never came" if hello is None else f"{hello - event.began_s:.3f} s before Clova.Hello"
        found = f"{event.name} {event.began_s - opened:.3f} s after the downchannel was opened, {when}"
        yield Broken(found, "no event before Clova.Hello was parsed", (lines[0].number, event.number))


def downchannel_first(story: Story, limits: Limits) -> Iterator[Case]:
    """On a connection that carries events, `GET /v1/directives` comes first (PROTOCOL 2.1)."""
    for connection in story.connections.values():
        opened = min((line.opened_s for line in story.lines if line.connection == connection.id), default=None)
        events = [event for event in story.events if event.connection == connection.id]
        asked = min(_asked_for_line(story, connection.id), default=math.inf)
        refused = [
            each
            for each in _events_refused(story, connection.id)
            if NO_DOWNCHANNEL in each.description and each.at_s < asked
        ]
        if opened is None and connection.connected_s is None and not refused:
            continue  # it was there before the journal began
        early = next((event for event in events if opened is None or event.began_s < opened), None)
        elsewhere = any(line.is_open_at(early.at_s) for line in story.lines) if early is not None else False
        if refused:
            found = "POST /v1/events before there was a downchannel"
            yield Broken(found, "GET /v1/directives first of all", tuple(each.number for each in refused[:3]))
        elif early is not None and not elsewhere:
            found = f"{early.name} before there was a downchannel"
            yield Broken(found, "GET /v1/directives first of all", (early.number,))
        elif opened is not None:
            yield Kept()


def _asked_for_line(story: Story, connection: str) -> Iterator[float]:
    """When `GET /v1/directives` was asked on a connection, taken or not."""
    yield from (each.opened_s for each in story.lines if each.connection == connection)
    yield from (each.at_s for each in story.refused if each.connection == connection and each.what == GET_LINE)
    yield from (each.at_s for each in story.strikes if each.connection == connection and each.on == "downchannel")


def one_downchannel(story: Story, limits: Limits) -> Iterator[Case]:
    """A device asks for no second downchannel on a connection while the first one lives (PROTOCOL 2.2)."""
    for place, line in enumerate(story.lines):
        alive = [
            each
            for each in story.lines[:place]
            if each.connection == line.connection and (each.closed_s is None or each.closed_s >= line.opened_s)
        ]
        if alive and not story.is_explained(line.opened_s):
            found = f"a second downchannel on {line.connection} while the first was open"
            yield Broken(found, "one downchannel, kept", (alive[-1].number, line.number))
        elif not alive:
            yield Kept(line.number)


def same_connection(story: Story, limits: Limits) -> Iterator[Case]:
    """Events go on the connection of the downchannel (PROTOCOL 2.3)."""
    for each in _events_refused(story):
        if OTHER_CONNECTION in each.description and not story.is_explained(each.at_s):
            found = f"an event on {each.connection}, the downchannel is on another connection"
            yield Broken(found, "both on one connection", (each.number,))
    for event in story.events:
        lines = [line for line in story.lines if line.is_open_at(event.began_s)]
        if not lines:
            continue
        if any(line.connection == event.connection for line in lines):
            yield Kept(event.number)
        elif not story.is_explained(event.began_s):
            found = f"{event.name} on {event.connection}, the downchannel is on {lines[-1].connection}"
            yield Broken(found, "both on one connection", (lines[-1].number, event.number))


def _events_refused(story: Story, connection: str | None = None) -> Iterator[Refused]:
    for each in story.refused:
        if each.status == 412 and each.what == "POST /v1/events" and connection in (None, each.connection):
            yield each


def reopened(story: Story, limits: Limits) -> Iterator[Case]:
    """A downchannel that was ended by the server is opened anew at once (PROTOCOL 2.1, no 5)."""
    struck = _struck_lines(story)  # the rules of recovery look at those
    for line in story.lines:
        if line.number in struck or not was_taken_away(story, line):
            continue
        assert line.closed_s is not None
        tries = [each.opened_s for each in story.lines if each.opened_s >= line.closed_s]
        tries += [
            each.at_s for each in story.refused if each.what.endswith("/v1/directives") and each.at_s >= line.closed_s
        ]
        if not tries:
            if story.ends_s - line.closed_s > limits.reopen_within_s:
                found = f"no new downchannel {story.ends_s - line.closed_s:.1f} s after the last one ended"
                yield Broken(found, f"a new one within {limits.reopen_within_s:g} s", (line.closed_number,))
            continue
        took = min(tries) - line.closed_s
        if took > limits.reopen_within_s:
            found = f"a new downchannel {took:.1f} s after the last one ended ({line.reason})"
            yield Broken(found, f"within {limits.reopen_within_s:g} s", (line.closed_number,))
        else:
            yield Kept(line.closed_number, f"a new downchannel {took:.2f} s after the last one ended", took)


def _struck_lines(story: Story) -> frozenset[int]:
    """The downchannels that faults took, and those that took their place."""
    found: set[int] = set()
    for trouble in story.troubles:
        if trouble.strikes:
            lines = (trouble.lost, *trouble.failed, trouble.back)
            found.update(line.number for line in lines if line is not None)
    return frozenset(found)


def reopen_storm(story: Story, limits: Limits) -> Iterator[Case]:
    """After a failure attempts keep a distance, and are not too many (PROTOCOL 2.2: 429; 2.6).

    What faults made a device attempt is looked at by the rules of recovery.
    """
    struck = _struck_lines(story)
    tries = sorted(
        [(line.opened_s, line.number, True) for line in story.lines]
        + [(each.at_s, each.number, False) for each in story.refused if each.what.endswith("/v1/directives")]
    )
    for (before_s, before, was_good), (at_s, number, _) in itertools.pairwise(tries):
        gap = at_s - before_s
        if story.is_explained(before_s, at_s):
            continue
        if gap < limits.reopen_gap_s and not (was_good and _lived(story, before)):
            found = f"GET /v1/directives again after {1000 * gap:.0f} ms"
            yield Broken(found, f"at least {1000 * limits.reopen_gap_s:g} ms between attempts", (before, number))
        else:
            yield Kept(number)
    own = [each for each in tries if each[1] not in struck and (each[2] or not story.is_explained(each[0]))]
    for place, (at_s, number, _) in enumerate(own):
        within = [each for each in own[: place + 1] if at_s - each[0] <= TEN_MINUTES_S]
        if len(within) > limits.reopens:
            found = f"{len(within)} downchannels asked for in ten minutes"
            yield Broken(found, f"at most {limits.reopens:g}", (within[0][1], number))
            break


def _lived(story: Story, number: int) -> bool:
    """Whether the downchannel of that entry was open and was closed before another was asked for: no attempt failed."""
    line = next(each for each in story.lines if each.number == number)
    return line.closed_s is not None and line.closed_s - line.opened_s > 0 and line.reason != "replaced"


def ping(story: Story, limits: Limits) -> Iterator[Case]:
    """A PING frame or `GET /ping` each minute while the downchannel is open (PROTOCOL 2.4)."""
    longest = limits.ping_every_s * 1.5
    for line in story.lines:
        end = story.ends_s if line.closed_s is None else line.closed_s
        pings = [each for each in story.pings if line.opened_s <= each.at_s <= end]
        moments = [line.opened_s, *(each.at_s for each in pings), end]
        gaps = [
            (after - before, before)
            for before, after in itertools.pairwise(moments)
            if after - before <= longest or not story.is_explained(before, after)
        ]
        if not gaps:
            continue
        gap, since = max(gaps)
        if gap > longest:
            found = f"no ping for {gap:.1f} s, from {since:+.1f} s on" if pings else f"no ping in {gap:.1f} s"
            yield Broken(found, f"a PING frame or GET /ping each {limits.ping_every_s:g} s", (line.number,))
        elif pings:
            kinds = " and ".join(
                dict.fromkeys("PING frames" if each.kind == "frame" else "GET /ping" for each in pings)
            )
            yield Kept(pings[0].number, f"{kinds}, at most {gap:.1f} s apart", gap)


def ping_unanswered(story: Story, limits: Limits) -> Iterator[Case]:
    """A ping that nobody answers makes the device connect anew (PROTOCOL 2.4)."""
    judged: set[str] = set()
    for each in story.pings:
        if not each.unanswered or each.connection in judged:
            continue
        judged.add(each.connection)
        others = [line for line in story.lines if line.connection != each.connection and line.opened_s > each.at_s]
        if others:
            took = others[0].opened_s - each.at_s
            if took <= limits.reconnect_within_s:
                yield Kept(each.number, f"a new connection {took:.1f} s after the ping", took)
                continue
            found = f"a new connection {took:.1f} s after GET /ping, which was not answered"
        elif story.ends_s - each.at_s > limits.reconnect_within_s:
            took = story.ends_s - each.at_s
            found = f"no new connection {story.ends_s - each.at_s:.1f} s after GET /ping, which was not answered"
        else:
            continue
        if story.is_explained(each.at_s, each.at_s + took):
            continue
        yield Broken(found, f"a new connection within {limits.reconnect_within_s:g} s", (each.number,))


def streams(story: Story, limits: Limits) -> Iterator[Case]:
    """Not too many requests at once on a connection, the downchannel among them (PROTOCOL 2.7)."""
    turns: defaultdict[str, list[tuple[float, int, int]]] = defaultdict(list)
    for event in story.events:
        ended = story.ends_s if event.answered_s is None else event.answered_s
        turns[event.connection] += [(event.began_s, 1, event.number), (ended, -1, event.number)]
    for line in story.lines:
        ended = story.ends_s if line.closed_s is None else line.closed_s
        turns[line.connection] += [(line.opened_s, 1, line.number), (ended, -1, line.number)]
    for connection, moments in turns.items():
        most = now = number = 0
        since_s = 0.0
        for at_s, step, entry in sorted(moments, key=lambda each: (each[0], each[1])):
            now += step
            if now > most:
                most, number, since_s = now, entry, at_s
        if most > limits.streams and story.is_explained(since_s):
            continue
        if most > limits.streams:
            yield Broken(f"{most} streams at once on {connection}", f"at most {limits.streams:g}", (number,))
        else:
            yield Kept(number, f"at most {most} streams at once", most)
