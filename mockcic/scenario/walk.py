"""Every step, cue and answer of a scenario with its location in the file, in the file's order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.model import Answer, Rule, Scenario
from mockcic.scenario.steps import Choice, Cue, FaultStep, PushStep, RawStep, Repeat, Send, Sound, Step

Loc = tuple[int | str, ...]
Line = Literal["reply", "downchannel", "either"]
Block = Literal["upload", "afterwards", "downchannel"]


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step, where it is written, and where its directives go (`either` in a named reply)."""

    loc: Loc
    step: Step
    line: Line


@dataclass(frozen=True, slots=True)
class PlacedCue:
    """A cue, where it is written, and the block it belongs to."""

    loc: Loc
    cue: Cue
    block: Block


@dataclass(frozen=True, slots=True)
class PlacedFault:
    """A fault and where it is written."""

    loc: Loc
    fault: Fault


@dataclass(frozen=True, slots=True)
class PlacedAnswer:
    """An answer and where it is written. A rule is one itself."""

    loc: Loc
    answer: Answer


def steps_of(scenario: Scenario) -> Iterator[PlacedStep]:
    """All steps, those inside `push`, `repeat` and `if` too."""
    for name, steps in scenario.replies.items():
        yield from flat_steps(("replies", name), steps, "either")
    for placed in answers_of(scenario):
        yield from flat_steps((*placed.loc, "reply"), placed.answer.reply or (), "reply")
    for cue in cues_of(scenario):
        yield from flat_steps((*cue.loc, "push"), cue.cue.push, "downchannel")
    for name, named in scenario.cues.items():
        yield from flat_steps(("cues", name, "push"), named.push, "downchannel")


def flat_steps(loc: Loc, steps: Sequence[Step], line: Line) -> Iterator[PlacedStep]:
    """The steps and those inside them."""
    for index, step in enumerate(steps):
        here = (*loc, index)
        yield PlacedStep(here, step, line)
        match step:
            case PushStep():
                yield from flat_steps((*here, "push"), step.push, "downchannel")
            case Repeat(repeat=each):
                yield from flat_steps((*here, "repeat", "steps"), each.steps, line)
            case Choice():
                yield from flat_steps((*here, "then"), step.then, line)
                yield from flat_steps((*here, "else"), step.else_, line)


def answers_of(scenario: Scenario) -> Iterator[PlacedAnswer]:
    """All answers: of the rules, of their turns, and the one for no rule."""
    for index, rule in enumerate(scenario.on):
        yield from answers_of_rule(("on", index), rule)
    yield PlacedAnswer(("otherwise",), scenario.otherwise)


def answers_of_rule(loc: Loc, rule: Rule) -> Iterator[PlacedAnswer]:
    """The rule as an answer, and its turns."""
    yield PlacedAnswer(loc, rule)
    for key, turns in (("in_turn", rule.in_turn), ("cycle", rule.cycle)):
        for turn, answer in enumerate(turns or ()):
            yield PlacedAnswer((*loc, key, turn), answer)


def faults_of(scenario: Scenario) -> Iterator[PlacedFault]:
    """All faults: at the top, of answers, and those that are steps."""
    for number, fault in enumerate(scenario.fault):
        yield PlacedFault(("fault", number), fault)
    for placed in answers_of(scenario):
        for number, fault in enumerate(placed.answer.fault):
            yield PlacedFault((*placed.loc, "fault", number), fault)
    for step in steps_of(scenario):
        if isinstance(step.step, FaultStep):
            for number, fault in enumerate(step.step.fault):
                yield PlacedFault((*step.loc, "fault", number), fault)


def cues_of(scenario: Scenario) -> Iterator[PlacedCue]:
    """All cues."""
    for index, rule in enumerate(scenario.on):
        for number, cue in enumerate(rule.while_uploading or ()):
            yield PlacedCue(("on", index, "while_uploading", number), cue, "upload")
    for placed in answers_of(scenario):
        for number, cue in enumerate(placed.answer.afterwards):
            yield PlacedCue((*placed.loc, "afterwards", number), cue, "afterwards")
    for number, cue in enumerate(scenario.downchannel):
        yield PlacedCue(("downchannel", number), cue, "downchannel")


def sounds_of(scenario: Scenario) -> Iterator[Sound]:
    """All sounds that are sent."""
    for placed in steps_of(scenario):
        if isinstance(placed.step, Send) and placed.step.audio is not None:
            yield placed.step.audio
        if isinstance(placed.step, Send | RawStep):
            yield from placed.step.attach.values()


__all__ = [
    "Block",
    "Line",
    "Loc",
    "PlacedAnswer",
    "PlacedCue",
    "PlacedFault",
    "PlacedStep",
    "answers_of",
    "answers_of_rule",
    "cues_of",
    "faults_of",
    "flat_steps",
    "sounds_of",
    "steps_of",
]
