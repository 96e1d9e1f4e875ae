"""Faults that can never strike, or say what has no effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mockcic.cic.catalogue import catalogue
from mockcic.errors import Problem
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.faults.vain import in_vain, may_meet
from mockcic.scenario.model import Scenario
from mockcic.scenario.source import Source
from mockcic.scenario.steps import FaultStep, Send
from mockcic.scenario.walk import Loc, answers_of_rule, steps_of
from mockcic.scenario.words import is_template, suggest

Written = Literal["top", "rule", "reply", "downchannel", "either"]

BY_THE_SERVER = frozenset({"Clova.Hello", "SpeechRecognizer.StopCapture"})
"""Directives that are pushed without a step that says so."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A fault, where it is written, and the events of its rule."""

    loc: Loc
    fault: Fault
    written: Written
    events: Sequence[str] = ()


def lint_faults(source: Source, scenario: Scenario) -> Iterator[Problem]:
    """What can be said of the faults of one file alone."""
    known = events_known_to(scenario)
    for placed in _faults(scenario):
        yield from _aim(source, placed)
        found = list(in_vain(placed.fault, known=known, events=placed.events))
        for each in found:
            place = source.position((*placed.loc, *each.way), key=each.at_key)
            yield source.problem(place, each.what, each.expected, each.mend, severity="warning")
        if not any(each.way[0] == "event" for each in found):
            yield from _of_rule(source, placed)


def events_known_to(scenario: Scenario) -> tuple[str, ...]:
    """The events that its rules are about, patterns of them too; `*` names none."""
    return tuple(name for rule in scenario.on for name in rule.event if name != "*")


def lint_directives_of_faults(
    source: Source, scenario: Scenario, files: Sequence[tuple[Source, Scenario]]
) -> Iterator[Problem]:
    """Faults about directives that nothing sends; `files` are all that the scenario is made of.

    What is pushed from outside may be any directive: a warning, no more.
    """
    found = [placed for placed in _faults(scenario) if placed.fault.directive and placed.fault.act.PER_DIRECTIVE]
    if not found:
        return
    sent: dict[str, set[str]] = {"reply": set(), "downchannel": set(BY_THE_SERVER)}
    for _, part in files:
        for step in steps_of(part):
            if isinstance(step.step, Send):
                name = "*" if is_template(step.step.directive) else step.step.directive
                for line in ("reply", "downchannel") if step.line == "either" else (step.line,):
                    sent[line].add(name)
    for placed in found:
        yield from _sent(source, placed, sent)


def _faults(scenario: Scenario) -> Iterator[_Placed]:
    for number, fault in enumerate(scenario.fault):
        yield _Placed(("fault", number), fault, "top")
    for index, rule in enumerate(scenario.on):
        for answer in answers_of_rule(("on", index), rule):
            for number, fault in enumerate(answer.answer.fault):
                yield _Placed((*answer.loc, "fault", number), fault, "rule", rule.event)
    for number, fault in enumerate(scenario.otherwise.fault):
        yield _Placed(("otherwise", "fault", number), fault, "rule")
    for step in steps_of(scenario):
        if isinstance(step.step, FaultStep):
            for number, fault in enumerate(step.step.fault):
                yield _Placed((*step.loc, "fault", number), fault, step.line)


def _never(source: Source, placed: _Placed, key: str, what: str, expected: str, mend: str = "") -> Problem:
    place = source.position((*placed.loc, key)) if key in placed.fault.model_fields_set else source.position(placed.loc)
    return source.problem(place, what, expected, mend, severity="warning")


def _aim(source: Source, placed: _Placed) -> Iterator[Problem]:
    """A place in the file where a fault of this role is never met."""
    fault, written = placed.fault, placed.written
    if written == "top":
        return
    where = "a rule" if written == "rule" else "a step"
    if fault.role in ("token", "accept"):
        what = f"a fault on {fault.role} in {where} never strikes"
        yield _never(source, placed, "on", what, "it at the top of the scenario, as `fault:`")
    elif written == "downchannel" and fault.role == "answer":
        aims = [role for role in fault.act.AIMS if role in ("downchannel", "connection")]
        mend = f"write `on: {aims[0]}`" if aims else "put it into a reply, or at the rule"
        what = f"`{fault.kind}` aimed at an answer, where there is none, never strikes"
        yield _never(source, placed, "on", what, "a fault on downchannel or connection in a push", mend)
    elif written == "rule" and fault.every is not None:
        what = "`every` in a rule never strikes"
        yield _never(source, placed, "every", what, "it at the top of the scenario", "here `times`, `nth` or `chance`")


def _of_rule(source: Source, placed: _Placed) -> Iterator[Problem]:
    """Events that are not those of the rule."""
    fault = placed.fault
    if fault.role in ("token", "accept") or not fault.event or not placed.events:
        return
    if not any(may_meet(own, name) for own in placed.events for name in fault.event):
        what = f"a fault at {', '.join(fault.event)} in a rule about {', '.join(placed.events)} never strikes"
        yield _never(
            source, placed, "event", what, "the rule's own event", "leave `event` out here, or put it at the top"
        )


def _sent(source: Source, placed: _Placed, sent: dict[str, set[str]]) -> Iterator[Problem]:
    fault = placed.fault
    mine, other = ("downchannel", "reply") if fault.role == "downchannel" else ("reply", "downchannel")
    fits = {
        line: any(may_meet(pattern, name) for pattern in fault.directive for name in names)
        for line, names in sent.items()
    }
    if fits[mine]:
        return
    names = ", ".join(fault.directive)
    if fits[other]:
        what = f"{names} {'comes on the downchannel' if other == 'downchannel' else 'comes in answers'}, not here"
        role = "downchannel" if other == "downchannel" else "answer"
        mend = f"write `on: {role}`" if role in fault.act.AIMS else ""
        yield _never(source, placed, "directive", what, f"a fault on {role}", mend)
        return
    known = catalogue().directives
    near = (
        suggest(fault.directive[0], known)
        if not any(may_meet(each, name) for each in fault.directive for name in known)
        else None
    )
    hint = f"; did you mean {near}?" if near else ""
    yield _never(
        source,
        placed,
        "directive",
        f"nothing in this scenario sends {names}",
        f"a directive that a rule, a cue or a script sends{hint}",
        "" if near else "it strikes only if it is pushed from outside",
    )
