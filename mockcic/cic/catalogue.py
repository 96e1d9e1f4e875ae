"""The catalogue: every event, directive, context and content template of CIC, as data one can ask.

The facts are in interfaces.yaml, whose header comment defines every key. `catalogue()` reads its copy interfaces.json,
made by docs/generate.py, when first asked: YAML takes twenty times as long, which everybody who starts would wait for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from mockcic.cic.field import (
    FieldSpec,
    InterfaceSpec,
    Kind,
    MessageSpec,
    TemplateSpec,
    read_field,
    read_fields,
    read_message,
)
from mockcic.cic.issue import NAME_LIMIT, Check, Issue, IsTemplate, below, did_you_mean, json_type, never, shown
from mockcic.cic.judge import Compiler
from mockcic.cic.message import Event

TEMPLATES: Final = "templates"
"""The value of `payload_from` that says: by `type`, from the content templates."""


class Catalogue:
    """What the guide says about messages, and judgement by it.

    `events`, `directives` and `contexts` are keyed by full name, `templates` and `types` by name, `interfaces` by
    namespace, all in the order of the file. The values never change; the checks compiled from them are kept.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        events: dict[str, MessageSpec] = {}
        directives: dict[str, MessageSpec] = {}
        interfaces: dict[str, InterfaceSpec] = {}
        for namespace, interface in raw["interfaces"].items():
            own: dict[str, tuple[str, ...]] = {}
            for kind, messages, there in (
                ("event", interface["events"], events),
                ("directive", interface["directives"], directives),
            ):
                own[kind] = tuple(f"{namespace}.{name}" for name in messages)
                for name, message in messages.items():
                    full_name = f"{namespace}.{name}"
                    there[full_name] = read_message(full_name, "event" if kind == "event" else "directive", message)
            interfaces[namespace] = InterfaceSpec(
                name=namespace,
                about=interface["about"],
                events=own["event"],
                directives=own["directive"],
                contexts=tuple(interface["contexts"]),
                note=interface.get("note", ""),
            )
        self.events: Mapping[str, MessageSpec] = MappingProxyType(events)
        self.directives: Mapping[str, MessageSpec] = MappingProxyType(directives)
        self.contexts: Mapping[str, MessageSpec] = MappingProxyType(
            {name: read_message(name, "context", context) for name, context in raw["contexts"].items()}
        )
        self.interfaces: Mapping[str, InterfaceSpec] = MappingProxyType(interfaces)
        self.types: Mapping[str, FieldSpec] = read_fields(raw["types"])
        self.template_common: Mapping[str, FieldSpec] = read_fields(raw["template_common"])
        self.templates: Mapping[str, TemplateSpec] = MappingProxyType(
            {
                name: TemplateSpec(name, template["group"], template["about"], read_fields(template["fields"]))
                for name, template in raw["templates"].items()
            }
        )
        self.envelope: Mapping[str, FieldSpec] = MappingProxyType(
            {name: read_field({"type": "object", **spec}) for name, spec in raw["envelope"].items()}
        )
        self.source: Mapping[str, str] = MappingProxyType(raw["source"])
        self._compiler = Compiler(self.types)
        self._checks: dict[MessageSpec | TemplateSpec, Check] = {}
        self._fixed: dict[MessageSpec, Mapping[str, Any]] = {}

    def of_kind(self, kind: Kind) -> Mapping[str, MessageSpec]:
        """The messages of a kind."""
        return {"event": self.events, "directive": self.directives, "context": self.contexts}[kind]

    def suggest(self, kind: Kind, name: str) -> list[str]:
        """Full names of this kind that were probably meant by `name`, the likeliest first, at most three.

        A wrong case is certain; then comes the right name under no or another interface, then likeness.
        """
        return near_names(name, self.of_kind(kind))

    def members_of_template(self, template: TemplateSpec) -> Mapping[str, FieldSpec]:
        """All members of a payload of this template: its own, then the common ones."""
        return {**template.fields, **{n: spec for n, spec in self.template_common.items() if n not in template.fields}}

    def fixed_members(self, spec: MessageSpec) -> Mapping[str, Any]:
        """The required members of the payload that have one legal value, with it: Speak's `format` is AUDIO_MPEG."""
        if (fixed := self._fixed.get(spec)) is None:
            fixed = self._fixed[spec] = MappingProxyType(
                {
                    name: field.enum[0]
                    for name, field in spec.fields.items()
                    if field.required and len(field.enum) == 1 and not field.enum_open
                }
            )
        return fixed

    def judge(self, spec: MessageSpec, payload: object, *, is_template: IsTemplate = never) -> list[Issue]:
        """Where a payload departs from the catalogue, in the order of its members, what is missing last.

        Nothing is said about a value for which `is_template` is true. Members the catalogue does not list are warnings:
        payloads are open.
        """
        if is_template(payload):
            return []
        if not isinstance(payload, Mapping):
            return [Issue((), "type", "error", f"{json_type(payload)} {shown(payload)}", "an object")]
        if spec.payload_from == TEMPLATES:
            return self._judge_template(spec, payload, is_template)
        return list(self._check(spec)(payload, is_template))

    def judge_event(self, event: Event) -> list[Issue]:
        """Where an event departs from the catalogue: dialogRequestId, payload, and the payloads of its contexts.

        Paths begin with `header`, `payload`, or `context` and the full name of the context. An event the catalogue does
        not know has no issues, a context it does not know is a warning, a missing one nothing: a device sends those it
        can fill in.
        """
        spec = self.events.get(event.full_name)
        if spec is None:
            return []
        found: list[Issue] = []
        if spec.dialog_request_id == "required" and not event.dialog_request_id:
            expected = "an id the device makes for each request of its user"
            found.append(Issue(("header", "dialogRequestId"), "missing", "error", "nothing", expected))
        elif spec.dialog_request_id == "absent" and event.dialog_request_id is not None:
            shown_id = shown(event.dialog_request_id)
            found.append(Issue(("header", "dialogRequestId"), "not-allowed", "warning", shown_id, "none"))
        if issues := self._check(spec)(event.payload, never):
            found += below("payload", issues)
        for context in event.contexts:
            name = context.full_name
            known = self.contexts.get(name)
            if known is None:
                mend = did_you_mean(name, tuple(self.contexts))
                expected = "a context of the catalogue"
                found.append(Issue(("context", name), "unknown-context", "warning", name, expected, mend))
            elif issues := self._check(known)(context.payload, never):
                found += below("context", below(name, issues))
        return found

    def _judge_template(self, spec: MessageSpec, payload: Mapping[str, Any], is_template: IsTemplate) -> list[Issue]:
        kind = payload.get("type")
        template = self.templates.get(kind) if isinstance(kind, str) else None
        if template is None:  # only `type` itself can be judged
            named = {"type": kind} if "type" in payload else {}
            return list(self._check(spec)(named, is_template))
        if (check := self._checks.get(template)) is None:
            members = {**self.members_of_template(template), **spec.fields}
            check = self._checks[template] = self._compiler.members(members)
        return list(check(payload, is_template))

    def _check(self, spec: MessageSpec) -> Check:
        if (check := self._checks.get(spec)) is None:
            check = self._checks[spec] = self._compiler.members(spec.fields, forms=spec.forms)
        return check


def near_names(name: str, names: Mapping[str, object]) -> list[str]:
    """Those of the dotted `names` probably meant by `name`: see `Catalogue.suggest`."""
    if len(name) > NAME_LIMIT:
        return []
    small = name.lower()
    by_small = {each.lower(): each for each in names}
    if small in by_small:
        return [by_small[small]]
    by_bare: dict[str, list[str]] = {}
    for low, each in by_small.items():
        by_bare.setdefault(low.rpartition(".")[2], []).append(each)
    bare = small.rpartition(".")[2]
    if bare in by_bare:
        return by_bare[bare]
    if bare != small and (near := get_close_matches(small, by_small, 3, 0.75)):
        return [by_small[each] for each in near]
    return [each for like in get_close_matches(bare, by_bare, 3, 0.7) for each in by_bare[like]][:3]


@cache
def catalogue() -> Catalogue:
    """The catalogue of this package, read once."""
    return Catalogue(json.loads(files("mockcic.cic").joinpath("interfaces.json").read_bytes()))


__all__ = [
    "Catalogue",
    "FieldSpec",
    "InterfaceSpec",
    "Issue",
    "Kind",
    "MessageSpec",
    "TemplateSpec",
    "catalogue",
    "near_names",
]
