"""What is well formed but makes no sense: names nobody knows, rules that never win, states nothing reaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mockcic.errors import Problem
from mockcic.scenario.lint_faults import lint_directives_of_faults, lint_faults
from mockcic.scenario.lint_order import Order
from mockcic.scenario.lint_payloads import lint_payloads
from mockcic.scenario.lint_templates import lint_templates, lint_variables, unknown_variable
from mockcic.scenario.model import Rule, Scenario
from mockcic.scenario.source import Source
from mockcic.scenario.steps import Change, Use
from mockcic.scenario.walk import Loc, answers_of, cues_of, flat_steps, steps_of
from mockcic.scenario.whole import Entry, Whole
from mockcic.scenario.words import did_you_mean, is_template, shown


def lint_file(source: Source, scenario: Scenario) -> Iterator[Problem]:
    """What can be said of one file alone."""
    yield from lint_templates(source)
    yield from _cues(source, scenario)
    yield from lint_payloads(source, scenario)
    yield from lint_faults(source, scenario)


def lint_whole(whole: Whole) -> Iterator[Problem]:
    """What can only be said of a scenario with all it includes."""
    yield from _uses(whole)
    yield from _states(whole)
    yield from _variables(whole)
    yield from _shadows(whole)
    yield from _sounds_heard(whole)
    for source, part in whole.files:
        yield from lint_directives_of_faults(source, part, whole.files)


def _sounds_heard(whole: Whole) -> Iterator[Problem]:
    """`audio.heard` that no recording is called, and digits and markers of the wrong type: they would never fit."""
    for entry in whole.rules:
        for member, condition in entry.value.when.items():
            said = condition.values()
            place = entry.source.position((*entry.loc, "when", member))
            if member == "audio.heard":
                names = whole.scenario.recordings
                for value in said:
                    if isinstance(value, str) and value not in names and not is_template(value):
                        hint = did_you_mean(value, names)
                        expected = f"one of {', '.join(names)}{hint}" if names else "a name under `recordings`"
                        mend = "add `recordings: {" + value + ": FILE.wav}`" if not hint else ""
                        yield entry.source.problem(place, f"no recording {shown(value)}", expected, mend)
            elif member == "audio.dtmf" and any(not isinstance(value, str) for value in said):
                yield entry.source.problem(place, "digits that are no text", 'a text, as in "123#"', "quote them")
            elif member == "audio.marker" and any(
                not isinstance(value, int) and not (isinstance(value, str) and is_template(value)) for value in said
            ):
                yield entry.source.problem(place, "a marker that is no number", "a number from 0 to 999999")


def _cues(source: Source, scenario: Scenario) -> Iterator[Problem]:
    """Moments and answers that only exist in another block."""
    for placed in cues_of(scenario):
        cue, after = placed.cue, placed.cue.after
        upload = placed.block == "upload"
        if cue.answer is not None and not upload:
            place = source.position((*placed.loc, "answer"), key=True)
            yield source.problem(
                place, "`answer: now` without an upload", "`while_uploading` of a rule, where an upload is"
            )
        if after is None:
            continue
        for key in ("audio", "bytes", "silence", "upload"):
            if getattr(after, key) is not None and not upload:
                place = source.position((*placed.loc, "after", key), key=True)
                yield source.problem(
                    place,
                    f"`after: {{{key}: ...}}` without an upload",
                    "`while_uploading` of a rule, where an upload is",
                    "here a duration can stand: `after: 3s`",
                )
        if after.event is not None and placed.block != "downchannel":
            place = source.position((*placed.loc, "after", "event"), key=True)
            yield source.problem(
                place,
                "`after: {event: ...}` in a rule",
                "`downchannel`, which hears of every event",
                "a rule is about its own `event`",
            )


def _uses(whole: Whole) -> Iterator[Problem]:
    """`use` of a reply that is not there, and replies that use themselves."""
    names = set(whole.scenario.replies)
    for source, loc, step in _use_steps(whole):
        if step.use not in names:
            hint = did_you_mean(step.use, names)
            mend = f"write `replies: {{{step.use}: [...]}}`"
            if names:
                mend = "" if hint else f"there are {', '.join(sorted(names))}"
            yield source.problem(
                source.position((*loc, "use")),
                f"unknown reply {shown(step.use)}",
                f"a name under `replies`{hint}",
                mend,
            )
    graph = {
        name: [
            (placed.loc, placed.step.use)
            for placed in flat_steps(entry.loc, entry.value, "either")
            if isinstance(placed.step, Use)
        ]
        for name, entry in whole.replies.items()
    }
    for name, entry in whole.replies.items():
        for loc, used in graph[name]:
            if _reaches(graph, used, name):
                yield entry.source.problem(
                    entry.source.position((*loc, "use")),
                    f"the reply {shown(name)} uses itself" + ("" if used == name else f" through {used}"),
                    "replies without a circle",
                )


def _reaches(graph: Mapping[str, list[tuple[Loc, str]]], start: str, goal: str) -> bool:
    seen: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            todo += [used for _, used in graph.get(name, [])]
    return False


def _use_steps(whole: Whole) -> Iterator[tuple[Source, Loc, Use]]:
    for source, part in whole.files:
        for placed in steps_of(part):
            if isinstance(placed.step, Use):
                yield source, placed.loc, placed.step


def _states(whole: Whole) -> Iterator[Problem]:
    """States that nothing goes to, and ways to states that no rule asks for."""
    gone_to = list(_gone_to(whole))
    reached = {whole.scenario.start} | {name for _, _, name in gone_to}
    asked_for = list(_asked_for(whole))
    known = {name for _, _, name in asked_for}
    for source, loc, name in asked_for:
        if name not in reached:
            hint = did_you_mean(name, reached)
            yield source.problem(
                source.position(loc),
                f"nothing goes to the state {shown(name)}",
                f"a state some `go` leads to, or the one it begins in ({whole.scenario.start}){hint}",
                f"write `go: {name}` where it begins",
                severity="error" if source is whole.source else "warning",  # a part may serve several scenarios
            )
    for source, loc, name in gone_to:
        if name not in known and name != whole.scenario.start:
            hint = did_you_mean(name, known)
            yield source.problem(
                source.position(loc),
                f"no rule asks for the state {shown(name)}",
                f"a state some rule has in `in`{hint}",
                f"write a rule with `in: {name}`, or remove this",
                severity="warning",
            )


def _gone_to(whole: Whole) -> Iterator[tuple[Source, Loc, str]]:
    for source, part in whole.files:
        own = source is whole.source
        for answer in answers_of(part):
            if answer.answer.go is not None and (own or answer.loc != ("otherwise",)):
                yield source, (*answer.loc, "go"), answer.answer.go
        for cue in cues_of(part):
            if cue.cue.go is not None and (own or part._is_part or cue.block != "downchannel"):
                yield source, (*cue.loc, "go"), cue.cue.go
        for name, named in part.cues.items():
            if named.go is not None:
                yield source, ("cues", name, "go"), named.go
        for placed in steps_of(part):
            if isinstance(placed.step, Change) and placed.step.go is not None:
                yield source, (*placed.loc, "go"), placed.step.go


def _asked_for(whole: Whole) -> Iterator[tuple[Source, Loc, str]]:
    for entry in whole.rules:
        rule: Rule = entry.value
        for index, name in enumerate(rule.in_):
            yield entry.source, (*entry.loc, "in", index), name
        condition = rule.when.get("state")
        if condition is not None:
            if isinstance(condition.is_, str):
                yield entry.source, (*entry.loc, "when", "state", "is"), condition.is_
            for index, name in enumerate(condition.one_of or ()):
                if isinstance(name, str):
                    yield entry.source, (*entry.loc, "when", "state", "one_of", index), name


def _variables(whole: Whole) -> Iterator[Problem]:
    """Variables that have no first value and are set nowhere, in templates and conditions."""
    known = set(whole.scenario.vars)
    for _, part in whole.files:
        known |= {name for placed in answers_of(part) for name in placed.answer.set_}
        known |= {name for placed in cues_of(part) for name in placed.cue.set_}
        known |= {name for named in part.cues.values() for name in named.set_}
        known |= {name for placed in steps_of(part) if isinstance(placed.step, Change) for name in placed.step.set_}
    for source, _ in whole.files:
        yield from lint_variables(source, frozenset(known))
    for entry in whole.rules:
        for path, condition in entry.value.when.items():
            first, _, name = path.partition(".")
            name = name.partition(".")[0]
            asks_presence = condition.present is not None or condition.absent is not None
            if first == "vars" and name and name not in known and not asks_presence:
                found = entry.source.find((*entry.loc, "when", path))
                if found is not None and found.key is not None:
                    yield unknown_variable(entry.source, found.key, name, frozenset(known))


def _shadows(whole: Whole) -> Iterator[Problem]:
    """Rules that can never win. Only within a file: that the includer's win over included ones is the point."""
    orders: dict[int, Order] = {}
    for number, entry in enumerate(whole.rules):
        if entry.value.beside:  # it takes nothing from others, nor they from it
            continue
        earlier = orders.setdefault(id(entry.source), Order()).add(number, entry.value)
        if earlier is not None:
            line = entry.source.position(whole.rules[earlier].loc).line
            yield entry.source.problem(
                entry.source.position((*entry.loc, "event")),
                "this rule can never win",
                f"something the rule on line {line} does not take already",
                "put it above that one, or give that one `when`, `in` or `times`",
                severity="warning",
            )


__all__ = ["Entry", "Whole", "lint_file", "lint_whole"]
