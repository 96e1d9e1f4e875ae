"""What to tell whoever made a message that departs from the catalogue: where, found, expected, mend, in whole words.

Judging (`judge.py`) is done for every event and says little; this is asked only where there is something to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mockcic.cic.catalogue import Catalogue, catalogue
from mockcic.cic.field import JSON_TYPES, FieldSpec, MessageSpec
from mockcic.cic.issue import Issue, Path, article, json_type, shown
from mockcic.cic.message import Event

ABOUT: Final = 120
"""Characters of a member's description that are repeated (INF)."""


@dataclass(frozen=True, slots=True)
class Advice:
    """An issue in words. `found` says where; `expected` what the member is for and whether it is required."""

    found: str
    expected: str
    mend: str


def advise(event: Event, issue: Issue) -> Advice:
    """The words for an issue of an event that `Catalogue.judge_event` found."""
    cic = catalogue()
    spec, path = _subject(cic, event, issue.path)
    field = None if spec is None else field_at(cic, spec, path)
    whose = event.full_name if spec is None or spec.kind == "event" else f"the context {spec.full_name}"
    member = ".".join(map(str, issue.path))
    if spec is not None and spec.kind == "context":
        member = ".".join(map(str, path)) or "its payload"
        whose += f" of {event.full_name}"
    found = f"{issue.found} at {member} of {whose}"
    if issue.code == "unknown-context":
        found = f"the context {issue.path[1]} in {event.full_name}"
    elif issue.code == "unknown-member":
        found = f"an unknown member {member} in {whose}: {issue.found.partition(', ')[2]}"
    return Advice(found, _expected(issue, field, path), _mend(issue, field, spec, path))


def _subject(cic: Catalogue, event: Event, path: Path) -> tuple[MessageSpec | None, Path]:
    """The message an issue is about, and its path in that message's payload."""
    match path:
        case ("payload", *rest):
            return cic.events[event.full_name], tuple(rest)
        case ("context", str(name), *rest) if name in cic.contexts:
            return cic.contexts[name], tuple(rest)
    return None, ()


def field_at(cic: Catalogue, spec: MessageSpec, path: Sequence[str | int]) -> FieldSpec | None:
    """What the catalogue says of the member at a path of a payload; None where it says nothing."""
    fields: list[Mapping[str, FieldSpec]] = [spec.fields]
    found: list[FieldSpec] = []
    for step in path:
        if isinstance(step, int):
            found = [each.items for each in found if each.items is not None]
        else:
            found = [members[step] for members in fields if step in members] or [
                each.values for each in found if each.values is not None
            ]
        fields = [members for each in found for members in _members(cic, each)]
    return found[0] if found else None


def _members(cic: Catalogue, field: FieldSpec) -> list[Mapping[str, FieldSpec]]:
    own = [] if field.fields is None else [field.fields]
    return own + [fields for name in field.named_types if (fields := cic.types[name].fields) is not None]


def _kind(field: FieldSpec) -> str:
    return " or ".join(article(name) if name in JSON_TYPES else f"an object ({name})" for name in field.types)


def _about(field: FieldSpec) -> str:
    about = field.about.rstrip(".")
    return about if len(about) <= ABOUT else f"{about[: ABOUT - 1]}…"


def _expected(issue: Issue, field: FieldSpec | None, path: Path) -> str:
    if field is None or issue.code in ("unknown-member", "form", "audience", "deprecated"):
        return issue.expected
    if issue.code == "missing":
        condition = issue.expected.partition("required")[2]
        must = "usually there" if issue.severity == "warning" else "required"
        about = f" ({_about(field)})" if field.about else ""
        return f"{_kind(field)}{about}, {must}{condition}"
    said = _about(field)
    return issue.expected if not said or said in issue.expected else f"{issue.expected} ({said})"


def _mend(issue: Issue, field: FieldSpec | None, spec: MessageSpec | None, path: Path) -> str:
    if issue.mend and issue.code not in ("deprecated", "audience"):
        return issue.mend
    name = str((path or issue.path or ("it",))[-1])
    example = _example(spec, field, path)
    such = f", such as {example}" if example else ""
    match issue.code:
        case "missing" if issue.path[:1] == ("header",):
            return "make a fresh id for each request of the user, and keep it for the answer to ExpectSpeech"
        case "missing":
            return f"send {name}{such}" if field is not None else f"send {issue.expected}"
        case "not-allowed":
            return "leave dialogRequestId out of this event"
        case "type":
            return f"send {name} as {_kind(field)}{such}" if field is not None else f"send {issue.expected}"
        case "null" if field is not None and not field.required:
            return f"leave {name} out where there is nothing to say, or send {_kind(field)}"
        case "null":
            return f"send {name} with a value{such}"
        case "enum":
            return "write it as it stands in the list; upper and lower case count"
        case "range":
            return f"send a number of {issue.expected}" if field is None or not field.unit else f"count in {field.unit}"
        case "length":
            return "make the text shorter; it is counted in bytes of UTF-8"
        case "pattern" | "format":
            return f"write it in this form{such}"
        case "unknown-member":
            return "leave it out, or see that nothing depends on it: what the guide does not name is ignored"
        case "unknown-context":
            return "leave it out, or write its name as the guide does"
        case "condition":
            return f"leave {name} out here"
        case "form":
            return "send one of these sets of members and nothing else"
        case "deprecated":
            return issue.mend or f"leave {name} out"
        case "audience":
            return f"leave {name} out"
    return f"`mockcic interfaces {spec.full_name}` shows the payload" if spec is not None else ""


def _example(spec: MessageSpec | None, field: FieldSpec | None, path: Path) -> str:
    """A good value: that of the message's example, one of the enum, or none."""
    value: Any = None if spec is None else spec.example
    for step in path:
        if isinstance(value, Mapping) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and value:
            value = value[min(step, len(value) - 1)]
        else:
            value = None
            break
    if value is None and field is not None and field.enum:
        value = field.enum[0]
    if value is None or json_type(value) in ("object", "array"):
        return ""
    return shown(value)


__all__ = ["Advice", "advise", "field_at"]
