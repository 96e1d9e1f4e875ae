"""`mockcic interfaces`: browse the catalogue: events, directives, contexts and templates, payloads and examples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import click

from mockcic.cic.catalogue import Catalogue, catalogue, near_names
from mockcic.cic.constraint import FORMATS
from mockcic.cic.field import FieldSpec, InterfaceSpec, MessageSpec, TemplateSpec
from mockcic.cli.page import Page
from mockcic.errors import StartError

Subject = InterfaceSpec | MessageSpec | TemplateSpec | FieldSpec

BASIS: Final = {
    "stated": "the guide says so",
    "flow": "by the guide's message flows",
    "assumed": "assumed; the guide does not say",
    None: "",
}
DIALOGUE: Final = {
    "required": "required: an id the device makes for each request",
    "optional": "optional",
    "absent": "none",
    "conditional": "that of the utterance it answers, if it answers one",
    "unseen": "allowed, though no sample of the guide has one",
}
"""`dialogRequestId` of the catalogue, in words."""

UNPUBLISHED: Final = "unpublished"
"""The `audience` of a message that no published text has."""

CHANNEL: Final = {
    "response": "in the reply to an event",
    "downchannel": "on the downchannel",
    "both": "in the reply to an event or on the downchannel",
}


@click.command(name="interfaces", short_help="Browse the events, directives and contexts of CIC.")
@click.argument("name", required=False)
@click.option("--json", "for_machines", is_flag=True, help="Print JSON.")
def command(name: str | None, for_machines: bool) -> None:
    """Browse the catalogue of CIC messages.

    Without NAME all interfaces are listed. NAME is an interface (Alerts), a message (SpeechSynthesizer.Speak, or just
    Speak where there is one), a content template (Text), or a type (StringObject); upper and lower case do not matter.
    """
    cic = catalogue()
    if name is None:
        click.echo(_json(all_as_json(cic)) if for_machines else str(contents(cic)))
        return
    title, subject = find(cic, name)
    click.echo(_json(as_json(cic, title, subject)) if for_machines else str(page(cic, title, subject)))


def find(cic: Catalogue, name: str) -> tuple[str, Subject]:
    """What `name` names, with its full name. Raises `StartError` for nothing, and for more than one thing."""
    there: list[Mapping[str, Subject]] = [
        cic.interfaces, cic.events, cic.directives, cic.contexts, cic.templates, cic.types
    ]  # fmt: skip
    small = name.lower()
    for each in there:
        for full_name, subject in each.items():
            if full_name.lower() == small:
                return full_name, subject
    bare = {
        full_name: subject
        for each in there
        for full_name, subject in each.items()
        if full_name.lower().partition(".")[2] == small
    }
    if len(bare) == 1:
        return next(iter(bare.items()))
    if bare:
        raise StartError(f'"{name}" names {" and ".join(bare)}; write one of them')
    near = near_names(name, {full_name: None for each in there for full_name in each})
    mend = f"did you mean {' or '.join(near)}?" if near else "`mockcic interfaces` lists all"
    raise StartError(f'there is no "{name}" in the catalogue; {mend}')


def contents(cic: Catalogue, width: int | None = None) -> Page:
    """The list of everything."""
    it = Page(width)
    unpublished = sum(map(is_unpublished, cic.directives.values()))
    directives = f"{len(cic.directives) - unpublished} directives and {unpublished} unpublished"
    it.title("CIC", f"{len(cic.events)} events, {directives}, {len(cic.contexts)} contexts")
    for interface in cic.interfaces.values():
        it.heading(interface.name)
        it.text(interface.about, "  ")
        directives_here = [
            f"{name} (unpublished)" if is_unpublished(cic.directives[name]) else name for name in interface.directives
        ]
        groups = (("events", interface.events), ("directives", directives_here), ("contexts", interface.contexts))
        it.table([(kind, ", ".join(map(_bare, names))) for kind, names in groups if names], bold=False)
    it.heading("Content templates of Clova.RenderTemplate")
    groups_of_templates: dict[str, list[str]] = {}
    for template in cic.templates.values():
        groups_of_templates.setdefault(template.group, []).append(template.name)
    it.table([(group, ", ".join(names)) for group, names in groups_of_templates.items()], bold=False)
    it.blank()
    it.text("`mockcic interfaces NAME` shows one of them: an interface, a message, a template.")
    return it


def page(cic: Catalogue, title: str, subject: Subject, width: int | None = None) -> Page:
    """The page of one thing of the catalogue."""
    it = Page(width)
    match subject:
        case InterfaceSpec():
            _interface(it, cic, subject)
        case MessageSpec():
            _message(it, cic, subject)
        case TemplateSpec():
            it.title(title, f"content template ({subject.group})")
            it.text(subject.about)
            _payload(it, cic, "Members", {**cic.directives["Clova.RenderTemplate"].fields, **subject.fields})
            _payload(it, cic, "Members of every template", cic.template_common)
            _value_objects(it, cic, (*subject.fields.values(), *cic.template_common.values()))
            it.heading("As a step of a scenario")
            it.literal(template_step(cic, subject))
        case FieldSpec():
            it.title(title, "type")
            it.text(subject.about)
            _payload(it, cic, "Members", subject.fields or {})
    return it


def _interface(it: Page, cic: Catalogue, interface: InterfaceSpec) -> None:
    it.title(interface.name, "interface")
    it.text(interface.about)
    if interface.note:
        it.blank()
        it.text(interface.note)
    if interface.events:
        it.heading("Events, from the device")
        it.table([(_bare(name), cic.events[name].about) for name in interface.events])
    if interface.directives:
        it.heading("Directives, to the device")
        it.table([(_bare(name), _about_directive(cic.directives[name])) for name in interface.directives])
    if interface.contexts:
        it.heading("Contexts, along with events")
        it.table([(_bare(name), cic.contexts[name].about) for name in interface.contexts])


def _about_directive(spec: MessageSpec) -> str:
    marks = [
        word for word, counts in (("Deprecated.", spec.deprecated), ("Unpublished.", is_unpublished(spec))) if counts
    ]
    return f"{spec.about} ({' '.join(marks)})" if marks else spec.about


def is_unpublished(spec: MessageSpec) -> bool:
    """Whether no published text has the message."""
    return spec.audience == UNPUBLISHED


def _message(it: Page, cic: Catalogue, spec: MessageSpec) -> None:
    it.title(spec.full_name, spec.kind)
    it.text(spec.about)
    if spec.deprecated:
        it.text(
            click.style(f"Deprecated{f'; {spec.replaced_by} replaced it' if spec.replaced_by else ''}.", fg="yellow")
        )
    if facts := list(_facts(cic, spec)):
        it.blank()
        it.table(facts, bold=False)
    _payload(it, cic, "Payload", spec.fields)
    if spec.payload_from is not None:
        it.text(f"More members by the type: `mockcic interfaces {next(iter(cic.templates))}` and so on.", "  ")
    if spec.forms:
        forms = [", ".join(name for name in spec.fields if name in form) or "no members" for form in spec.forms]
        it.text(f"It has {'; or '.join(forms)}.", "  ")
    if spec.kind == "event":
        from mockcic.scenario.behaviour import answers

        it.heading("What the mock does by itself")
        it.table([(f"builtin/{each.part}", each.said) for each in answers(spec.full_name)] or [("", "204")])
    elif spec.kind == "directive":
        from mockcic.scenario.behaviour import senders

        if parts := senders(spec.full_name):
            it.heading("Sent by itself")
            it.text(", ".join(f"builtin/{part}" for part in parts), "  ")
    if spec.note:
        it.heading("Note")
        it.text(spec.note, "  ")
    it.heading("Example")
    it.literal(_json(spec.example))
    if spec.kind == "directive":
        it.heading("As a step of a scenario")
        it.literal(step(cic, spec))


def _facts(cic: Catalogue, spec: MessageSpec) -> Iterator[tuple[str, str]]:
    """What else the catalogue says about a message: a word, and a sentence."""
    if spec.channel is not None:
        yield "sent", f"{CHANNEL[spec.channel]} ({BASIS[spec.channel_basis]})"
    if spec.dialog_request_id is not None:
        yield "dialogRequestId", DIALOGUE[spec.dialog_request_id]
    if spec.attachment is not None:
        yield "attachment", _attachment(spec)
    if spec.contexts:
        every = set(spec.contexts) == set(cic.contexts)
        words = "all the device can fill in" if every else ", ".join(spec.contexts)
        yield "contexts", f"{words}, {' and '.join(spec.context_key)} above all" if spec.context_key else words
    if spec.answered_by:
        basis = " or the like (the guide names none)" if spec.answered_basis == "assumed" else ""
        yield "answered by", f"{_alternatives(spec.answered_by)}{basis}"
    if spec.http_status is not None:
        yield "status", str(spec.http_status)
    if spec.expects:
        yield "device sends", ", then ".join(_alternatives(each) for each in spec.expects)
    if spec.may_send:
        yield "may send", ", ".join(spec.may_send)
    if spec.codes:
        yield "codes", " ".join(f"{code}: {text}" for code, text in spec.codes.items())
    if spec.audience == "internal":
        yield "audience", "internal: not in the public text"
    if spec.audience == UNPUBLISHED:
        yield "audience", f"unpublished: in the guide's history of {spec.taken_from} only (PROTOCOL 7.4)"
    elif spec.taken_from:
        yield "taken from", f"the guide of {spec.taken_from}"


def _attachment(spec: MessageSpec) -> str:
    if spec.audio is None:
        return "audio, tied by its url"
    form = spec.audio
    return f"{form['encoding']}, {form['sample_rate_hz']} Hz, {form['channels']} channel, {form['byte_order']} endian"


def _alternatives(names: Iterable[str]) -> str:
    return " or ".join(names)


def _payload(it: Page, cic: Catalogue, heading: str, fields: Mapping[str, FieldSpec]) -> None:
    it.heading(heading)
    if not fields:
        it.text("No members.", "  ")
        return
    it.table([(path, _type(spec), _said(spec)) for path, spec in members(cic, fields)])


def members(cic: Catalogue, fields: Mapping[str, FieldSpec], before: str = "") -> Iterator[tuple[str, FieldSpec]]:
    """Every member with its path: `audioItem.stream.url`, `allAlerts[].token`, `configuration.*`.

    The objects of content templates, pairs of type and value, are left closed.
    """
    for name, spec in fields.items():
        path = f"{before}{name}"
        yield path, spec
        yield from _inside(cic, spec, path)


def _inside(cic: Catalogue, spec: FieldSpec, path: str) -> Iterator[tuple[str, FieldSpec]]:
    if spec.items is not None:
        yield from _inside(cic, spec.items, f"{path}[]")
    elif spec.values is not None:
        yield f"{path}.*", spec.values
    elif spec.fields is not None:
        yield from members(cic, spec.fields, f"{path}.")
    else:
        for name in spec.named_types:
            if not _is_value_object(cic.types[name]):
                yield from members(cic, cic.types[name].fields or {}, f"{path}.")


def _is_value_object(spec: FieldSpec) -> bool:
    return spec.fields is not None and {"type", "value"} <= spec.fields.keys() and bool(spec.fields["type"].enum)


def _value_objects(it: Page, cic: Catalogue, fields: Iterable[FieldSpec]) -> None:
    """What the objects left closed have inside."""
    names = {name: None for spec in fields for name in _named(spec)}
    rows = []
    for name in sorted(name for name in names if _is_value_object(cic.types[name])):
        inside = cic.types[name].fields
        assert inside is not None
        rows.append((name, f"{{type: {_alternatives(inside['type'].enum)}, value: …}}", inside["value"].about))
    it.heading("Types")
    it.table(rows)


def _named(spec: FieldSpec) -> Iterator[str]:
    yield from spec.named_types
    for inner in (*(spec.fields or {}).values(), *(each for each in (spec.items, spec.values) if each is not None)):
        yield from _named(inner)


def _type(spec: FieldSpec) -> str:
    words = " or ".join(spec.types)
    if spec.items is not None:
        words = f"array of {_type(spec.items)}"
    return f"{words} or null" if spec.nullable else words


def _said(spec: FieldSpec) -> str:
    """What is said about a member, and all that restricts it."""
    return " ".join(sentence for sentence in (spec.about, *_restrictions(spec), spec.note) if sentence)


def _restrictions(spec: FieldSpec) -> Iterator[str]:
    inner = spec.items if spec.items is not None and not spec.items.fields else spec
    if spec.required:
        yield "Usually there." if spec.soft else "Required."
    for word, condition in (("if", spec.required_if), ("unless", spec.required_unless)):
        if condition is not None:
            yield f"{'Usually there' if spec.soft else 'Required'} {word} {_condition(condition)}."
    if spec.only_if is not None:
        yield f"Only if {_condition(spec.only_if)}."
    if spec.needs is not None:
        yield f"Needs {spec.needs}."
    if enum := inner.enum or inner.value_enum:
        values = ", ".join(value if isinstance(value, str) and value else json.dumps(value) for value in enum)
        yield f"{'Always' if len(enum) == 1 else 'One of'}: {values}{', or others' if inner.enum_open else ''}."
    limits = [
        f"{word} {limit}"
        for word, limit in (("at least", spec.minimum), ("at most", spec.maximum))
        if limit is not None
    ]
    if spec.unit is not None:
        limits.append(f"in {spec.unit}")
    if spec.max_bytes is not None:
        limits.append(f"at most {spec.max_bytes} bytes")
    if spec.format is not None and spec.unit is None:
        limits.append(FORMATS[spec.format][1])
    if limits:
        text = ", ".join(limits)
        yield f"{text[0].upper()}{text[1:]}."
    if inner.value_pattern is not None:
        yield f"Fits {inner.value_pattern}."
    if spec.default is not None:
        yield f"{spec.default} without it."
    if spec.deprecated:
        yield "Deprecated."
    if spec.audience is not None:
        yield "Never sent to a device." if spec.audience == "extension" else "Not in the public text."
    if spec.partial:
        yield f"Only {' and '.join(spec.always)} has to be there."


def _condition(condition: Mapping[str, tuple[Any, ...]]) -> str:
    return " and ".join(f"{sibling} is {_alternatives(values)}" for sibling, values in condition.items())


def step(cic: Catalogue, spec: MessageSpec) -> str:
    """A directive as a step in YAML, ready to paste into a reply: the example without what the mock fills in.

    One that belongs on the downchannel is pushed there.
    """
    from mockcic.scenario.directives import MINTED, SOUND_MEMBER

    filled = {*cic.fixed_members(spec), MINTED.get(spec.full_name)}
    payload = {name: value for name, value in spec.example.items() if name not in filled}
    if spec.attachment is not None:
        payload = {"audio": {"tone": 440}} | {name: value for name, value in payload.items() if name != SOUND_MEMBER}
    pushed = spec.channel == "downchannel"
    if not payload:
        return f"- push: {spec.full_name}\n" if pushed else f"- {spec.full_name}\n"
    sent = {spec.full_name: payload}
    return _yaml([{"push": sent} if pushed else sent])


def template_step(cic: Catalogue, template: TemplateSpec) -> str:
    """A step that shows a content template, all its members empty."""
    fields = cic.members_of_template(template)
    first = ("type", *(name for name in template.fields if name != "type" and not template.fields[name].deprecated))
    last = (name for name, spec in cic.template_common.items() if spec.required)
    payload = {name: _sample(cic, fields[name]) for name in dict.fromkeys((*first, *last))}
    return _yaml([{"Clova.RenderTemplate": payload}])


def _sample(cic: Catalogue, spec: FieldSpec) -> Any:
    """A value that says as little as a member may."""
    if spec.enum:
        return spec.enum[0]
    if spec.types[0] in cic.types:
        made = _sample(cic, cic.types[spec.types[0]])
        return {**made, "value": spec.value_enum[0]} if spec.value_enum else made
    match spec.types[0]:
        case "object":
            inside = {name: each for name, each in (spec.fields or {}).items() if not each.deprecated}
            closed = _is_value_object(spec)
            return {name: _sample(cic, each) for name, each in inside.items() if each.required or not closed}
        case "array":
            return [] if spec.items is None else [_sample(cic, spec.items)]
        case "number" | "integer":
            return 0
        case "boolean":
            return False
    return ""


def _yaml(value: Any) -> str:
    """YAML as people write scenarios: what holds no more than values stands on one line."""
    import yaml

    dump: Callable[..., str] = yaml.safe_dump
    return dump(value, allow_unicode=True, sort_keys=False, default_flow_style=None, width=100)


def all_as_json(cic: Catalogue) -> dict[str, Any]:
    """The contents for machines: names only."""
    return {
        "interfaces": {name: as_json(cic, name, interface) for name, interface in cic.interfaces.items()},
        "templates": list(cic.templates),
        "types": list(cic.types),
    }


def as_json(cic: Catalogue, title: str, subject: Subject) -> dict[str, Any]:
    """One thing of the catalogue for machines; members that say nothing are left out."""
    match subject:
        case MessageSpec():
            whole = {"name": title, **_plain(subject, leave_out=("full_name", "fields", "example"))}
            whole |= {"payload": _plain_fields(subject.fields), "example": dict(subject.example)}
            return whole | ({"step": step(cic, subject)} if subject.kind == "directive" else {})
        case TemplateSpec():
            return {
                "name": title,
                "kind": "template",
                "group": subject.group,
                "about": subject.about,
                "payload": _plain_fields(cic.members_of_template(subject)),
                "step": template_step(cic, subject),
            }
        case InterfaceSpec():
            return {"kind": "interface", **_plain(subject)}
        case FieldSpec():
            return {"name": title, "kind": "type", **_plain(subject)}


def _plain_fields(fields: Mapping[str, FieldSpec]) -> dict[str, Any]:
    return {name: _plain(spec) for name, spec in fields.items()}


def _plain(value: Any, leave_out: tuple[str, ...] = ()) -> Any:
    """Dataclasses, tuples and sets as JSON knows them, without what is as it is by default."""
    from dataclasses import MISSING, fields, is_dataclass

    if is_dataclass(value):
        members_ = {each.name: (getattr(value, each.name), each.default) for each in fields(value)}
        return {
            name: _plain(one)
            for name, (one, default) in members_.items()
            if name not in leave_out and (default is MISSING or one != default)
        }
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _bare(full_name: str) -> str:
    return full_name.partition(".")[2]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=dict)


__all__ = ["all_as_json", "as_json", "command", "contents", "find", "members", "page", "step", "template_step"]
