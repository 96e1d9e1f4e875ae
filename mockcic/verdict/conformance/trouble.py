"""Trouble: what struck a device on purpose, what it lost by that, until when that explains what it does or lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mockcic.journal.entry import Entry

if TYPE_CHECKING:
    from mockcic.verdict.conformance.story import Connection, Line, Story

BY_FAULT: Final = "fault "
"""How the reason of a connection begins that a fault ended."""

SERVER_STOPS: Final = "the server stops"
REPLACED: Final = "replaced"
DEVICE_SIDE: Final = ("connection lost", "the device ended it", "")
"""Reasons of a closed downchannel that do not say who wanted it."""

TOKEN_ENDED: Final = "its token "
"""How the reason of a downchannel begins that ended with its token (PROTOCOL 2.5)."""

UNAUTHORIZED: Final = 401

OURS: Final = ("aborted by the mock", "server stopped", "does not read what it asks for")
"""Reasons of a `disconnect` that the device did not choose."""

AT_ONCE: Final = frozenset(
    {
        "reset", "end", "trailers", "goaway", "bad_frame", "ping", "status", "portal", "empty", "content_type",
        "content_length", "multipart", "content_id", "json", "dialogue", "message", "mutate", "drop", "repeat", "late",
        "order", "attachment", "answer_twice", "token", "hang_up", "certificate", "tls",
    }
)  # fmt: skip
"""Acts that are over when they have struck, unless their entry says how long they last. Of others that do not say it
they last as long as what they struck."""

OF_CONNECTION: Final = frozenset(
    {
        "goaway", "bad_frame", "settings", "settings_ack", "ping", "pong", "cut", "hang_up", "accept", "certificate",
        "tls", "listener",
    }
)  # fmt: skip
"""Acts that concern a connection with all its streams, whatever stream they were aimed at."""

HARMLESS: Final = frozenset({"settings", "frames", "pace", "tls", "certificate"})
"""Acts that last, and of which a device takes note at once if at all."""

LEAVE: Final = frozenset({"goaway", "bad_frame", "settings_ack"})
"""Acts after which a device itself ends the connection (RFC 9113 5.4.1, 6.8)."""


def is_silence(act: str, detail: str) -> bool:
    """Whether nothing comes any more of a connection that is still there: only an unanswered ping tells (2.4).

    Of `cut` only its words say how it was cut.
    """
    return act == "pong" or (act == "cut" and "answered any more" in detail)


GRACE_S: Final = 1.0
"""So long after trouble a device still has its hands full (INF); what was under way before it counts as struck, too."""

EARLY_S: Final = 0.05
"""An entry may be written a moment before or after another that was its cause (INF)."""

LIVED_S: Final = 1.0
"""A downchannel that trouble took so soon was no recovery, but one more attempt (INF)."""


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault struck: its entry, and `until_s`, when what it does was over (`at_s` of what is over at once).

    `connection` and `stream` are empty where it was aimed at neither.
    """

    number: int
    at_s: float
    until_s: float
    name: str
    act: str
    on: str
    connection: str = ""
    stream: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What struck at a time, and the downchannel it cost, if any.

    `strikes` is empty where a downchannel ended without a fault. `lost` is the downchannel that was lost at `lost_s`,
    `failed` those that came after it and were taken at once, `back` the one that stayed. `is_owed`: it was ended by
    the server or a fault, so that the device owes a new one. `explains_until_s`: until when it explains what the
    device does, does late, or not at all.
    """

    begin_s: float
    acts_until_s: float
    strikes: tuple[Strike, ...] = ()
    lost: Line | None = None
    lost_s: float = 0.0
    failed: tuple[Line, ...] = ()
    back: Line | None = None
    is_owed: bool = False

    @property
    def number(self) -> int:
        """The entry it begins with."""
        if self.strikes:
            return self.strikes[0].number
        return 0 if self.lost is None else self.lost.closed_number or self.lost.number

    @property
    def explains_until_s(self) -> float:
        """For ever where the downchannel did not come back."""
        if self.lost is None:
            return self.acts_until_s + GRACE_S
        if self.back is None:
            return float("inf")
        ready_s = self.back.opened_s if self.back.hello_s is None else self.back.hello_s
        return max(self.acts_until_s, ready_s) + GRACE_S

    def overlaps(self, begin_s: float, end_s: float) -> bool:
        """Whether it explains something between these times."""
        return self.begin_s - EARLY_S <= end_s and begin_s <= self.explains_until_s


# ---------------------------------------------------------------------- strikes


def read_strikes(
    faults: Sequence[Entry], connections: Mapping[str, Connection], streams: Mapping[str, float], ends_s: float
) -> tuple[Strike, ...]:
    """The strikes among entries of faults; `streams` are the times at which streams ended."""
    found = []
    for place, entry in enumerate(faults):
        if entry.data.get("phase") != "struck":
            continue
        connection = connections.get(entry.connection)
        gone_s = ends_s if connection is None or connection.closed_s is None else connection.closed_s
        act, lasts_s = str(entry.data.get("act", "")), entry.data.get("lasts_s")
        over = next((each for each in faults[place + 1 :] if _ends(each, entry)), None)
        if over is not None:
            until_s = over.at_s
        elif isinstance(lasts_s, int | float) and not isinstance(lasts_s, bool):
            until_s = entry.at_s + lasts_s
        elif act in AT_ONCE or not (entry.stream or entry.connection):
            until_s = entry.at_s
        else:
            is_of_stream = entry.stream and act not in OF_CONNECTION
            until_s = streams.get(entry.stream, gone_s) if is_of_stream else gone_s
        if entry.connection:
            until_s = min(until_s, gone_s)
        found.append(
            Strike(
                entry.number,
                entry.at_s,
                max(entry.at_s, until_s),
                entry.name,
                act,
                str(entry.data.get("on", "")),
                entry.connection,
                "" if act in OF_CONNECTION else entry.stream,
                str(entry.data.get("detail", "")),
            )
        )
    return tuple(found)


def _ends(entry: Entry, strike: Entry) -> bool:
    """Whether an entry tells the end of what a strike does. One that is used up has struck, and may act on."""
    if entry.name != strike.name or entry.connection not in ("", strike.connection):
        return False
    if entry.data.get("phase") == "over":
        return entry.stream in ("", strike.stream)
    return entry.data.get("phase") == "gone" and strike.data.get("act") not in AT_ONCE and "lasts_s" not in strike.data


# ---------------------------------------------------------------------- troubles


def was_taken_away(story: Story, line: Line) -> bool:
    """Whether a downchannel ended although the device did not want it to."""
    if line.closed_s is None or line.reason in (REPLACED, SERVER_STOPS):
        return False
    if line.reason in DEVICE_SIDE:
        connection = story.connections.get(line.connection)
        reason = "" if connection is None else connection.reason
        return reason.startswith((*OURS, BY_FAULT)) and reason != "server stopped"
    return True


def troubles_of(story: Story) -> tuple[Trouble, ...]:
    """All of a device, oldest first: by faults, and downchannels that ended without one."""
    costs, free = _costs(story)
    found = [*_outages(story, costs), *_harmless(free)]
    return tuple(sorted(found, key=lambda each: each.begin_s))


def _costs(story: Story) -> tuple[Mapping[int, list[Strike]], list[Strike]]:
    """Strikes by the number of the downchannel that they cost; those that cost none."""
    costs: defaultdict[int, list[Strike]] = defaultdict(list)
    free = []
    for strike in story.strikes:
        line = _line_at(story, strike)
        if line is not None and (_struck(story, strike, line) or _is_down(story, strike, line)):
            costs[line.number].append(strike)
        else:
            free.append(strike)
    return costs, free


def _line_at(story: Story, strike: Strike) -> Line | None:
    """The downchannel that a strike is about: its own, the one that was there, or the last there had been."""
    before = None
    for line in story.lines:
        if strike.stream and strike.stream == line.stream:
            return line
        is_on_it = strike.connection == line.connection and not strike.stream
        if line.opened_s <= strike.at_s or (is_on_it and line.opened_s <= strike.until_s):
            before = line
    return before


def _struck(story: Story, strike: Strike, line: Line) -> bool:
    """Whether a strike made this downchannel end, or acted when it ended."""
    if line.closed_s is None or line.closed_s < strike.at_s - EARLY_S or line.reason == SERVER_STOPS:
        return False
    if _ended(story, strike, line):
        return True
    if strike.act == "token" and _was_refused_by(story, strike.at_s, line.closed_s):
        return True  # it lives on until the device has heard of it, and has another token
    if not strike.connection and line.closed_s <= strike.until_s and was_taken_away(story, line):
        return True  # it keeps the device from coming back, whatever sent it away
    if strike.connection != line.connection or line is story.lines[-1]:
        return False  # a device that left what was struck and never came again may have been switched off
    if strike.act == "goaway":
        return True  # it may let its events end before it leaves, however long they take
    until_s = strike.at_s if strike.stream or strike.act in HARMLESS else strike.until_s
    return line.closed_s <= until_s + GRACE_S


def _was_refused_by(story: Story, begin_s: float, end_s: float) -> bool:
    """Whether a token was refused between these times."""
    refused = any(each.status == UNAUTHORIZED and begin_s <= each.at_s <= end_s for each in story.refused)
    return refused or any(
        each.status == UNAUTHORIZED and each.answered_s is not None and begin_s <= each.answered_s <= end_s
        for each in story.events
    )


def _ended(story: Story, strike: Strike, line: Line) -> bool:
    """Whether a strike ended this downchannel, or its connection, or bade the device to."""
    assert line.closed_s is not None
    connection = story.connections.get(line.connection)
    if connection is not None and connection.reason == BY_FAULT + strike.name:
        closed_s = line.closed_s if connection.closed_s is None else connection.closed_s
        if strike.connection in ("", line.connection) and line.closed_s >= closed_s - GRACE_S:
            return True
    if line.closed_s > strike.at_s + GRACE_S:
        return False
    if strike.act == "token":
        return line.reason.startswith(TOKEN_ENDED)
    if strike.stream and strike.stream == line.stream:
        return strike.act in AT_ONCE
    return strike.connection == line.connection and strike.act in LEAVE and line.reason != REPLACED


def _is_down(story: Story, strike: Strike, line: Line) -> bool:
    """Whether the downchannel had been lost when something struck: what struck then struck an attempt."""
    return line.closed_s is not None and line.closed_s < strike.at_s and line.reason not in (REPLACED, SERVER_STOPS)


def _outages(story: Story, costs: Mapping[int, list[Strike]]) -> Iterable[Trouble]:
    lines = list(story.lines)
    place = 0
    while place < len(lines):
        line = lines[place]
        place += 1
        strikes = list(costs.get(line.number, ()))
        is_owed = was_taken_away(story, line) or _any_ended(story, strikes, line)
        if not _is_lost(line, strikes, has_next=place < len(lines), is_owed=is_owed):
            continue
        failed = []
        while place < len(lines) and _is_failure(story, lines[place], costs):
            strikes += costs.get(lines[place].number, ())
            failed.append(lines[place])
            place += 1
        assert line.closed_s is not None
        leaving = [each.at_s for each in strikes if each.connection == line.connection and _makes_leave(each)]
        lost_s = min(line.closed_s, *leaving) if leaving else line.closed_s
        yield Trouble(
            begin_s=min([lost_s, *(each.at_s for each in strikes)]),
            acts_until_s=max([line.closed_s, *(each.until_s for each in strikes)]),
            strikes=tuple(sorted(strikes, key=lambda each: each.number)),
            lost=line,
            lost_s=lost_s,
            failed=tuple(failed),
            back=lines[place] if place < len(lines) else None,
            is_owed=is_owed,
        )


def _makes_leave(strike: Strike) -> bool:
    """Whether a device has lost its downchannel from the strike on, although it is still there."""
    return strike.act in LEAVE or is_silence(strike.act, strike.detail)


def _is_lost(line: Line, strikes: Sequence[Strike], *, has_next: bool, is_owed: bool) -> bool:
    if line.closed_s is None or line.reason == SERVER_STOPS:
        return False
    if strikes or is_owed:
        return True
    return has_next and line.reason != REPLACED  # a device that went for good is no trouble


def _is_failure(story: Story, line: Line, costs: Mapping[int, list[Strike]]) -> bool:
    """Whether a downchannel was taken as soon as it was open."""
    if line.closed_s is None or line.closed_s - line.opened_s >= LIVED_S:
        return False
    return was_taken_away(story, line) or _any_ended(story, costs.get(line.number, ()), line)


def _any_ended(story: Story, strikes: Sequence[Strike], line: Line) -> bool:
    return line.closed_s is not None and any(_ended(story, each, line) for each in strikes)


def _harmless(strikes: Sequence[Strike]) -> Iterable[Trouble]:
    """Trouble that cost no downchannel; the same fault again while it explains the last one is one trouble."""
    found: list[Trouble] = []
    last: dict[tuple[str, str], int] = {}
    for strike in strikes:
        key = (strike.name, strike.connection)
        before = found[last[key]] if key in last else None
        if before is not None and strike.at_s <= before.explains_until_s:
            until_s = max(before.acts_until_s, strike.until_s)
            found[last[key]] = Trouble(before.begin_s, until_s, (*before.strikes, strike))
        else:
            last[key] = len(found)
            found.append(Trouble(strike.at_s, strike.until_s, (strike,)))
    return found
