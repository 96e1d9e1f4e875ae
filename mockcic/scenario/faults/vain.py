"""What of a fault is in vain: it can never strike, or says what has no effect. For files and for what is asked."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from mockcic.cic.catalogue import catalogue
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.words import shown, suggest

DRAWN: Final = 10_000
"""So many chances are drawn to see whether the nth is taken (INF)."""


@dataclass(frozen=True, slots=True)
class Vain:
    """One thing about a fault that is in vain. `way` leads to it in the fault; `at_key`: its key is meant."""

    way: tuple[str | int, ...]
    what: str
    expected: str
    mend: str = ""
    at_key: bool = False

    @property
    def said(self) -> str:
        """All of it in one line."""
        return "; ".join(each for each in (self.what, f"expected {self.expected}", self.mend) if each)


def in_vain(fault: Fault, *, known: Sequence[str] = (), events: Sequence[str] = ()) -> Iterator[Vain]:
    """What is in vain whatever a scenario does.

    `known` are events besides those of the catalogue, patterns too; `events` are those of the rule it stands at.
    """
    yield from _event(fault, known)
    yield from _sound(fault, events)
    yield from _span(fault)
    yield from _again(fault)
    if fault.directive and not fault.act.PER_DIRECTIVE:
        yield Vain(
            ("directive",),
            f"`directive` beside `{fault.kind}` has no effect",
            "it beside an act on directives, such as json, message, drop or late",
            "leave it out, or aim with `event`",
        )


def unknown_directive(fault: Fault) -> Iterator[Vain]:
    """Directives that no catalogue knows; what a scenario sends besides is not looked at."""
    known = catalogue().directives
    if not fault.directive or not fault.act.PER_DIRECTIVE:
        return
    if any(may_meet(pattern, name) for pattern in fault.directive for name in known):
        return
    near = suggest(fault.directive[0], known)
    yield Vain(
        ("directive",),
        f"no directive fits {', '.join(map(shown, fault.directive))}",
        f"a directive of the catalogue, wildcards allowed{f'; did you mean {near}?' if near else ''}",
        "" if near else "`mockcic interfaces` lists them; it strikes only if something sends it raw",
    )


def may_meet(first: str, second: str) -> bool:
    """Whether two patterns may mean the same name."""
    return fnmatch.fnmatchcase(first, second) or fnmatch.fnmatchcase(second, first) or ("*" in first and "*" in second)


def _event(fault: Fault, known: Sequence[str]) -> Iterator[Vain]:
    """Events that are none."""
    if not fault.event:
        return
    if fault.role == "token":
        what = f"`event` of a fault on {fault.role} has no effect"
        yield Vain(("event",), what, "no event: none is known there", "aim with `nth` or `chance`")
        return
    names = (*catalogue().events, *known)
    for index, pattern in enumerate(fault.event):
        if any(may_meet(pattern, name) for name in names):
            continue
        near = suggest(pattern, catalogue().events)
        yield Vain(
            ("event", index),
            f"no event fits {shown(pattern)}",
            "an event of the catalogue or of a rule, wildcards allowed" + (f"; did you mean {near}?" if near else ""),
            "" if near else "`mockcic interfaces` lists them",
        )
        return


def _sound(fault: Fault, of_rule: Sequence[str]) -> Iterator[Vain]:
    """Moments of sound at events that have none."""
    after = fault.after
    if after is None or (after.audio is None and after.bytes is None):
        return
    names = fault.event or of_rule
    events = catalogue().events
    if names and all(name in events and events[name].attachment != "audio" for name in names):
        key = "audio" if after.audio is not None else "bytes"
        yield Vain(
            ("after", key),
            f"`after: {{{key}: ...}}` at {', '.join(names)}, which has no sound, never strikes",
            f"an event with sound: {', '.join(name for name in events if events[name].attachment == 'audio')}",
            "here `after: {upload: began}` or `{upload: ended}` can stand",
            at_key=True,
        )


def _span(fault: Fault) -> Iterator[Vain]:
    """Gone before it can strike."""
    span = fault.for_
    if span is None:
        return
    late = fault.after.time if fault.after is not None else None
    if fault.every is not None:
        first = fault.every * (fault.nth or 1)
        if first >= span:
            which = f"the {_th(fault.nth)} time, " if fault.nth else ""
            what = f"a fault that comes {which}after {first:g} s and is gone after {span:g} s never strikes"
            yield Vain(("for",), what, "`for` longer than that", "or let it come sooner")
    elif late is not None and late >= span:
        what = f"a fault that strikes {late:g} s after its moment and is gone after {span:g} s never strikes"
        yield Vain(("for",), what, "`for` longer than `after`", "or let it strike sooner")


def _again(fault: Fault) -> Iterator[Vain]:
    """What is said of how often, and cannot be."""
    nth = fault.nth
    if fault.every is not None and fault.role in ("connection", "downchannel"):
        for key in ("event", "after"):
            if getattr(fault, key):
                what = f"`{key}` beside `every` has no effect"
                yield Vain((key,), what, "one of the two", "its occasions are given by the clock alone")
    if nth is None:
        return
    if fault.times is not None and fault.times > 1:
        what = f"`times: {fault.times}` beside `nth: {nth}` has no effect"
        yield Vain(("times",), what, "one of the two", f"there is one {_th(nth)} occasion")
    if fault.chance < 1 and nth <= DRAWN:
        random = Random(fault.seed)  # as `Count` draws
        drawn = [random.random() for _ in range(nth)]
        if drawn[-1] >= fault.chance:
            what = f"with `seed: {fault.seed}` the chance does not take the {_th(nth)} occasion: it never strikes"
            yield Vain(("chance",), what, "`nth` or `chance`", "or write another `seed`")


def _th(number: int | None) -> str:
    if number is None:
        return ""
    tail = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else tail}"


__all__ = ["Vain", "in_vain", "may_meet", "unknown_directive"]
