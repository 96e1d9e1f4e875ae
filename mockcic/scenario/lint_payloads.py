"""Events and directives of a scenario, held against the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from mockcic.cic.catalogue import Issue, MessageSpec, catalogue
from mockcic.errors import Problem, Severity
from mockcic.scenario.directives import MINTED, SOUND_MEMBER, TOLERATED
from mockcic.scenario.model import Rule, Scenario
from mockcic.scenario.node import Place
from mockcic.scenario.source import Source
from mockcic.scenario.steps import Send
from mockcic.scenario.walk import Line, Loc, cues_of, steps_of
from mockcic.scenario.words import did_you_mean, is_template, shown, suggest

SUBJECTS: Final = ("payload", "header", "context", "request", "audio", "vars", "count", "state", "device")
SPEAK: Final = "SpeechSynthesizer.Speak"
OF_AUDIO: Final = (
    "present", "seconds", "duration", "bytes", "level", "sha256", "dtmf", "marker", "like", "heard", "text",
)  # fmt: skip
OF_HEADER: Final = ("namespace", "name", "messageId", "dialogRequestId")
OF_DEVICE: Final = ("id", "token", "user_agent", "tags")

_KNOWN_MEMBERS: Final[dict[str, tuple[tuple[str, ...], Severity]]] = {
    "audio": (OF_AUDIO, "error"),
    "header": (OF_HEADER, "warning"),
    "device": (OF_DEVICE, "error"),
}
_CID: Final = re.compile(r"\bcid\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*['\"]([^'\"]+)['\"]\s*\])")
_WILD: Final = re.compile(r"[*?\[]")


def lint_payloads(source: Source, scenario: Scenario) -> Iterator[Problem]:
    """Unknown names, payloads that do not fit, conditions on what no event has."""
    for placed in steps_of(scenario):
        if isinstance(placed.step, Send):
            yield from _directive(source, placed.loc, placed.step, placed.line)
    for index, rule in enumerate(scenario.on):
        for number, name in enumerate(rule.event):
            yield from _event_name(source, ("on", index, "event", number), name)
        yield from _conditions(source, ("on", index), rule)
    for cue in cues_of(scenario):
        if cue.cue.after is not None and cue.cue.after.event is not None:
            yield from _event_name(source, (*cue.loc, "after", "event"), cue.cue.after.event)


def _event_name(source: Source, loc: Loc, name: str) -> Iterator[Problem]:
    """A pattern that no known event fits. Devices may send others, so it is a warning."""
    events = catalogue().events
    if name in events or (_WILD.search(name) and any(fnmatchcase(each, name) for each in events)):
        return
    place = source.position(loc)
    if name in catalogue().directives:
        yield source.problem(
            place,
            f"{name} is a directive",
            "an event: what the device sends",
            "directives are sent in `reply` and `push`",
            severity="warning",
        )
        return
    near = suggest(name, events)
    hint = f"; did you mean {near}?" if near else ""
    yield source.problem(
        place,
        f"unknown event {shown(name)}",
        f"an event of the catalogue{hint}",
        _interfaces(name, near),
        severity="warning",
    )


def _conditions(source: Source, loc: Loc, rule: Rule) -> Iterator[Problem]:
    """Members that no event of the rule has; a first word that means nothing is an error."""
    events = [spec for name, spec in catalogue().events.items() if rule.is_about(name)]
    for path, condition in rule.when.items():
        first, _, rest = path.partition(".")
        place = source.position((*loc, "when", path), key=True)
        if first not in SUBJECTS or (first not in ("payload", "state") and not rest):
            near = suggest(first, SUBJECTS)
            hint = f"; did you mean {near}{'.' + rest if rest else ''}?" if near and near != first else ""
            mend = (
                f"members of the payload are written payload.{path}" if first not in SUBJECTS else f"write {first}.NAME"
            )
            expected = f"a member of {', '.join(SUBJECTS[:-1])} or {SUBJECTS[-1]}{hint}"
            yield source.problem(place, f"unknown condition {shown(path)}", expected, "" if hint else mend)
            continue
        if first == "payload" and rest:
            yield from _payload_condition(source, place, rest, events, asks_absent=condition.absent is True)
        elif first == "context":
            yield from _context_condition(source, place, rest)
        elif first == "count":
            if rest not in catalogue().events:
                hint = did_you_mean(rest, catalogue().events, before="count.")
                yield source.problem(
                    place, f"unknown event {shown(rest)}", f"an event of the catalogue{hint}", severity="warning"
                )
        elif first in _KNOWN_MEMBERS:
            names, severity = _KNOWN_MEMBERS[first]
            if rest not in names:
                hint = did_you_mean(rest, names, before=f"{first}.")
                yield source.problem(
                    place, f"{first} has no member {shown(rest)}", f"one of {', '.join(names)}{hint}", severity=severity
                )


def _payload_condition(
    source: Source, place: Place, path: str, events: Sequence[MessageSpec], *, asks_absent: bool
) -> Iterator[Problem]:
    member = re.split(r"[.\[]", path, maxsplit=1)[0]
    if not events or asks_absent or any(member in spec.fields for spec in events):
        return
    names = list(dict.fromkeys(name for spec in events for name in spec.fields))
    near = suggest(member, names)
    hint = f"; did you mean payload.{near}?" if near else ""
    whose = events[0].full_name if len(events) == 1 else "any event of this rule"
    expected = f"a member of {whose}" if len(names) > 12 else f"one of {', '.join(names) or 'no members'}"
    yield source.problem(
        place,
        f"no member {shown(member)} in the payload of {whose}",
        f"{expected}{hint}",
        _interfaces(events[0].full_name, None) if not near else "",
        severity="warning",
    )


def _context_condition(source: Source, place: Place, path: str) -> Iterator[Problem]:
    namespace, _, rest = path.partition(".")
    name, _, member = rest.partition(".")
    contexts = catalogue().contexts
    full_name = f"{namespace}.{name}"
    spec = contexts.get(full_name)
    if spec is None:
        hint = did_you_mean(full_name, contexts, before="context.")
        yield source.problem(
            place, f"unknown context {shown(full_name)}", f"a context of the catalogue{hint}", severity="warning"
        )
        return
    member = member.partition(".")[0]
    if member and spec.fields and member not in spec.fields:
        hint = did_you_mean(member, spec.fields, before=f"context.{full_name}.")
        yield source.problem(
            place,
            f"{full_name} has no member {shown(member)}",
            f"one of {', '.join(spec.fields)}{hint}",
            severity="warning",
        )


def _directive(source: Source, loc: Loc, step: Send, line: Line) -> Iterator[Problem]:
    """Its name, where it is sent, its payload, its sounds."""
    known = catalogue().directives
    spec = known.get(step.directive)
    if _is_long_form(source, loc):
        if not re.fullmatch(r"[^.\s]+\.[^.\s]+", step.directive):
            place = source.position((*loc, "directive"))
            yield source.problem(place, f"{shown(step.directive)} is no name of a directive", "Namespace.Name")
        return
    if spec is None:
        yield from _unknown_directive(source, loc, step)
        return
    yield from _channel(source, loc, step.directive, line)
    yield from _attachments(source, loc, step)
    if step.directive == SPEAK and not (SOUND_MEMBER in step.payload or _has_sound(source, loc)):
        yield source.problem(
            source.position((*loc, "directive")),
            f"{SPEAK} without a sound",
            "`audio`, or a `url` to fetch it from",
            "add `audio: FILE.mp3`, or `audio: {tone: 440}` to begin with",
        )
    filled = {**catalogue().fixed_members(spec)}
    if step.directive in MINTED:
        filled[MINTED[step.directive]] = "00000000-0000-4000-8000-000000000000"
    if step.audio is not None or step.directive == SPEAK:
        filled[SOUND_MEMBER] = "cid:sound"
    issues = catalogue().judge(spec, {**filled, **step.payload}, is_template=is_template)
    yield from _payload(
        source, loc, step, [issue for issue in issues if not (_is_filled(issue, filled, step) or _is_idle(issue, step))]
    )
    if step.audio is not None and SOUND_MEMBER not in spec.fields:
        yield source.problem(
            source.position((*loc, "audio"), key=True),
            f"{step.directive} has no member {shown(SOUND_MEMBER)}, so nothing refers to this sound",
            "`audio` in a directive that plays it",
            "put it into the SpeechSynthesizer.Speak, or name it under `attach`",
            severity="warning",
        )


def _has_sound(source: Source, loc: Loc) -> bool:
    """Whether a sound is written, be it a good one or not."""
    found = source.find((*loc, "audio"))
    return found is not None and found.last


def _is_filled(issue: Issue, filled: Mapping[str, object], step: Send) -> bool:
    """Whether it is about what the engine fills in, and so not the author's."""
    return bool(issue.path) and issue.path[0] in filled and issue.path[0] not in step.payload


def _is_idle(issue: Issue, step: Send) -> bool:
    """Deprecated members are for old firmware, and some are for people."""
    tolerated = issue.code == "unknown-member" and issue.path[-1] in TOLERATED.get(step.directive, ())
    return issue.code == "deprecated" or tolerated


def _payload(source: Source, loc: Loc, step: Send, issues: Sequence[Issue]) -> Iterator[Problem]:
    """What the catalogue says; all that is missing in one place is one problem."""
    missing: dict[tuple[int | str, ...], list[Issue]] = {}
    for issue in issues:
        if issue.code == "missing" and issue.path:
            missing.setdefault(issue.path[:-1], []).append(issue)
    for issue in issues:
        name = step.directive
        if issue.code == "missing" and issue.path:
            continue
        if issue.code == "unknown-member":
            meant = next((each for each in missing.get(issue.path[:-1], []) if _means(issue, each.path[-1])), None)
            if meant is not None:
                missing[issue.path[:-1]].remove(meant)
                issue = replace(issue, severity=meant.severity)
        yield _payload_problem(source, loc, name, issue)
    for path, members in missing.items():
        if members:
            yield _missing(source, loc, step, path, members)


def _means(issue: Issue, member: int | str) -> bool:
    return issue.mend == f"did you mean {member}?"


def _missing(source: Source, loc: Loc, step: Send, path: tuple[int | str, ...], members: Sequence[Issue]) -> Problem:
    """A bare name without any payload may be meant so, and is only warned of."""
    names = [shown(each.path[-1]) for each in members]
    some = f"{', '.join(names[:-1])} and {names[-1]} are" if len(names) > 1 else f"{names[0]} is"
    inside = f"{_dotted(path)} of {step.directive}" if path else step.directive
    bare = not step.payload and not _has_sound(source, loc)
    return source.problem(
        source.position((*loc, "payload", *path) if path else (*loc, "directive")),
        f"{some} missing in {inside}",
        members[0].expected if len(members) == 1 else "all that the documents call mandatory",
        f"`mockcic interfaces {step.directive}` shows its payload",
        severity="warning" if bare or all(each.severity == "warning" for each in members) else "error",
    )


def _is_long_form(source: Source, loc: Loc) -> bool:
    """`directive: NAME` and `payload:` are sent as they stand: devices must bear what they do not know."""
    found = source.find((*loc, "directive"))
    return found is not None and found.last and found.way[-1][1] == "directive"


def _unknown_directive(source: Source, loc: Loc, step: Send) -> Iterator[Problem]:
    """A name nobody knows, with what was probably meant."""
    place = source.position((*loc, "directive"))
    near = suggest(step.directive, catalogue().directives)
    if step.directive in catalogue().events:
        yield source.problem(
            place,
            f"{step.directive} is an event",
            "a directive: what the mock sends",
            "events stand behind `event:`",
        )
        return
    hint = f"; did you mean {near}?" if near else ""
    mend = _interfaces(step.directive, near)
    if not near:
        mend += f"; one that is unknown on purpose is written `directive: {step.directive}`"
    yield source.problem(
        place, f"unknown directive {shown(step.directive)}", f"a directive of the catalogue{hint}", mend
    )


def _channel(source: Source, loc: Loc, name: str, line: Line) -> Iterator[Problem]:
    """A reply with what only ever comes on the downchannel, and the other way round."""
    spec = catalogue().directives[name]
    if spec.channel_basis != "stated":
        return
    place = source.position((*loc, "directive"))
    if line == "reply" and spec.channel == "downchannel":
        mend = f"write `- push: {name}` in the reply, or put it under `afterwards` or `downchannel`"
        yield source.problem(
            place, f"{name} in a reply", "it on the downchannel, as the documents say", mend, severity="warning"
        )
    if line == "downchannel" and spec.channel == "response":
        yield source.problem(
            place,
            f"{name} pushed on the downchannel",
            "it in the reply to an event, as the documents say",
            "put it under `reply`",
            severity="warning",
        )


def _attachments(source: Source, loc: Loc, step: Send) -> Iterator[Problem]:
    """`cid.NAME` without an attachment of this name, and attachments that nothing refers to."""
    root = source.find(loc)
    used: set[str] = set()
    for node in root.node.texts() if root is not None else ():
        for found in _CID.finditer(node.value) if is_template(node.value) else ():
            name = found[1] or found[2]
            used.add(name)
            if name not in step.attach:
                hint = did_you_mean(name, step.attach)
                mend = f"write `attach: {{{name}: FILE}}` beside the directive"
                yield source.problem(source.place(node), f"no attachment {name}", f"a name under `attach`{hint}", mend)
    for name in step.attach:
        if name not in used:
            place = source.position((*loc, "attach", name), key=True)
            mend = f'write "{{{{ cid.{name} }}}}" where its URL belongs'
            yield source.problem(
                place,
                f"nothing refers to the attachment {name}",
                f"cid.{name} in the payload",
                mend,
                severity="warning",
            )


def _payload_problem(source: Source, loc: Loc, name: str, issue: Issue) -> Problem:
    """What the catalogue says of a payload, at its place in the file."""
    where = (*loc, "payload", *issue.path)
    member = shown(_dotted(issue.path))
    inside = f"{_dotted(issue.path[:-1])} of {name}" if issue.path[:-1] else name
    place = source.position(where)
    match issue.code:
        case "unknown-member":
            what = f"{inside} has no member {shown(issue.path[-1])}"
            place = source.position(where, key=True)
        case "missing":
            what = f"{name} without any of them"
        case "audience":
            what = f"{member} of {name}: {issue.found}"
            place = source.position(where, key=True)
        case "condition":
            what = f"{member} does not belong to this {name}"
            place = source.position(where, key=True)
        case "form":
            what = f"{name} with {issue.found}"
        case "length":
            what = f"{member} of {name} has {issue.found}"
        case _:
            found = source.find(where)
            value = issue.found if found is None else shown(found.node.values())
            what = f"{member} of {name} cannot be {value}" if issue.path else f"{name} cannot be {value}"
    meant = issue.mend.startswith("did you mean")
    expected = issue.expected
    if issue.code == "unknown-member" and expected.startswith("a member of "):
        names = expected.removeprefix("a member of ")
        expected = f"one of {names}" if "," in names else names
    expected = f"{expected}; {issue.mend}" if meant else expected
    mend = "" if meant else issue.mend
    if issue.code in ("unknown-member", "missing") and not meant:
        mend = f"`mockcic interfaces {name}` shows its payload"
    return source.problem(place, what, expected, mend, severity=issue.severity)


def _dotted(path: Sequence[int | str]) -> str:
    return ".".join(map(str, path))


def _interfaces(name: str, near: str | None) -> str:
    """How to look names up."""
    namespace = (near or name).partition(".")[0]
    known = {each.partition(".")[0] for each in (*catalogue().events, *catalogue().directives)}
    return f"`mockcic interfaces{' ' + namespace if namespace in known else ''}` lists them"


__all__ = ["lint_payloads"]
