"""What the catalogue says about one member of a payload, and about one message: typed, frozen, as read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

Kind = Literal["event", "directive", "context"]

JSON_TYPES: Final = ("string", "number", "integer", "boolean", "object", "array")
"""The names of `FieldSpec.types` that are no named types."""

UNITS: Final = ("milliseconds", "seconds", "samples", "pixels", "percent", "dpi")
"""Formats of integers: they name the unit and restrict nothing."""

Condition = Mapping[str, tuple[Any, ...]]
"""Sibling member to the values it may have; holds when any of them has one."""


@dataclass(frozen=True, slots=True, eq=False)
class FieldSpec:
    """One member, one element of an array, or one named type.

    `types` are JSON types or names of `Catalogue.types`, any of which will do. `fields` is None where the members of an
    object are free, `values` then says what each has to be. `required` counts whenever the object around it is there;
    `soft` makes a miss a warning. `enum` holds every legal value (one for the catalogue's `const`), empty for any; with
    `enum_open` another one is a warning. `always` are the members a `partial` type cannot do without. `value_enum` and
    `value_pattern` are about the member `value` of a template object. Other members: the header of interfaces.yaml.
    """

    types: tuple[str, ...]
    about: str = ""
    required: bool = False
    soft: bool = False
    nullable: bool = False
    enum: tuple[Any, ...] = ()
    enum_open: bool = False
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_bytes: int | None = None
    format: str | None = None
    default: Any = None
    fields: Mapping[str, FieldSpec] | None = None
    items: FieldSpec | None = None
    values: FieldSpec | None = None
    partial: bool = False
    always: tuple[str, ...] = ()
    required_if: Condition | None = None
    required_unless: Condition | None = None
    only_if: Condition | None = None
    needs: str | None = None
    any_of: tuple[str, ...] = ()
    value_enum: tuple[str, ...] = ()
    value_pattern: str | None = None
    deprecated: bool = False
    audience: str | None = None
    note: str = ""

    @property
    def unit(self) -> str | None:
        """`milliseconds`, `seconds`, `samples`, ... of a number."""
        return self.format if self.format in UNITS else None

    @property
    def named_types(self) -> tuple[str, ...]:
        """Those of `types` that are keys of `Catalogue.types`."""
        return tuple(name for name in self.types if name not in JSON_TYPES)


@dataclass(frozen=True, slots=True, eq=False)
class MessageSpec:
    """One event, directive or context object.

    `dialog_request_id` is `required`, `optional` or `absent` for events, `conditional`, `unseen` or `absent` for
    directives. `contexts` are those to send along, `context_key` those the guide insists on. `expects` are the events a
    directive must be followed by, in order, each a tuple of alternatives. `forms` are the only sets of members the
    payload may have, empty for no such rule. `payload_from` is `templates` where more members come from
    `Catalogue.templates`.
    """

    full_name: str
    kind: Kind
    about: str
    fields: Mapping[str, FieldSpec]
    example: Mapping[str, Any]
    dialog_request_id: str | None = None
    attachment: str | None = None
    channel: str | None = None
    channel_basis: str | None = None
    expects: tuple[tuple[str, ...], ...] = ()
    may_send: tuple[str, ...] = ()
    answered_by: tuple[str, ...] = ()
    answered_basis: str | None = None
    contexts: tuple[str, ...] = ()
    context_key: tuple[str, ...] = ()
    http_status: int | None = None
    forms: tuple[frozenset[str], ...] = ()
    payload_from: str | None = None
    deprecated: bool = False
    replaced_by: str | None = None
    audience: str | None = None
    audio: Mapping[str, Any] | None = None
    codes: Mapping[int, str] | None = None
    indexed: bool = True
    taken_from: str | None = None
    note: str = ""

    @property
    def namespace(self) -> str:
        """The part before the dot: the interface."""
        return self.full_name.partition(".")[0]

    @property
    def name(self) -> str:
        """The part after the dot."""
        return self.full_name.partition(".")[2]

    @property
    def payload(self) -> Mapping[str, FieldSpec]:
        """The members of the payload, by the catalogue's own word for `fields`."""
        return self.fields


@dataclass(frozen=True, slots=True, eq=False)
class TemplateSpec:
    """A content template: what the payload of Clova.RenderTemplate has besides the common members."""

    name: str
    group: str
    about: str
    fields: Mapping[str, FieldSpec]


@dataclass(frozen=True, slots=True, eq=False)
class InterfaceSpec:
    """A namespace with the names of its messages, in the order of the catalogue; all of them full names."""

    name: str
    about: str
    events: tuple[str, ...]
    directives: tuple[str, ...]
    contexts: tuple[str, ...]
    note: str = ""


def read_field(raw: Mapping[str, Any]) -> FieldSpec:
    """A field spec from the mapping of the catalogue."""
    kinds = raw.get("type", "object")
    return FieldSpec(
        types=(kinds,) if isinstance(kinds, str) else tuple(kinds),
        about=raw.get("about", ""),
        required=raw.get("required", False),
        soft=raw.get("soft", False),
        nullable=raw.get("nullable", False),
        enum=(raw["const"],) if "const" in raw else tuple(raw.get("enum", ())),
        enum_open=raw.get("enum_open", False),
        pattern=raw.get("pattern"),
        minimum=raw.get("min"),
        maximum=raw.get("max"),
        max_bytes=raw.get("max_bytes"),
        format=raw.get("format"),
        default=raw.get("default"),
        fields=read_fields(raw["fields"]) if "fields" in raw else None,
        items=read_field(raw["items"]) if "items" in raw else None,
        values=read_field(raw["values"]) if "values" in raw else None,
        partial=raw.get("partial", False),
        always=tuple(raw.get("always", ())),
        required_if=_condition(raw.get("required_if")),
        required_unless=_condition(raw.get("required_unless")),
        only_if=_condition(raw.get("only_if")),
        needs=raw.get("needs"),
        any_of=tuple(raw.get("any_of", ())),
        value_enum=tuple(raw.get("value_enum", ())),
        value_pattern=raw.get("value_pattern"),
        deprecated=raw.get("deprecated", False),
        audience=raw.get("audience"),
        note=raw.get("note", ""),
    )


def read_fields(raw: Mapping[str, Any]) -> Mapping[str, FieldSpec]:
    """The members of an object, in the order of the catalogue."""
    return MappingProxyType({name: read_field(spec) for name, spec in raw.items()})


def read_message(full_name: str, kind: Kind, raw: Mapping[str, Any]) -> MessageSpec:
    """A message from the mapping of the catalogue."""
    attachment = raw.get("attachment", "none")
    return MessageSpec(
        full_name=full_name,
        kind=kind,
        about=raw["about"],
        fields=read_fields(raw["payload"]),
        example=MappingProxyType(raw["example"]),
        dialog_request_id=raw.get("dialogRequestId"),
        attachment=None if attachment == "none" else attachment,
        channel=raw.get("channel"),
        channel_basis=raw.get("channel_basis"),
        expects=tuple((each,) if isinstance(each, str) else tuple(each) for each in raw.get("expects", ())),
        may_send=tuple(raw.get("may_send", ())),
        answered_by=tuple(raw.get("answered_by", ())),
        answered_basis=raw.get("answered_basis"),
        contexts=tuple(raw.get("context", ())),
        context_key=tuple(raw.get("context_key", ())),
        http_status=raw.get("http_status"),
        forms=tuple(frozenset(form) for form in raw.get("forms", ())),
        payload_from=raw.get("payload_from"),
        deprecated=raw.get("deprecated", False),
        replaced_by=raw.get("replaced_by"),
        audience=raw.get("audience"),
        audio=raw.get("audio"),
        codes={int(code): what for code, what in raw["codes"].items()} if "codes" in raw else None,  # JSON has texts
        indexed=raw.get("indexed", True),
        taken_from=raw.get("taken_from"),
        note=raw.get("note", ""),
    )


def _condition(raw: Mapping[str, Any] | None) -> Condition | None:
    return None if raw is None else MappingProxyType({sibling: tuple(values) for sibling, values in raw.items()})


__all__ = [
    "JSON_TYPES",
    "UNITS",
    "Condition",
    "FieldSpec",
    "InterfaceSpec",
    "Kind",
    "MessageSpec",
    "TemplateSpec",
    "read_field",
    "read_fields",
    "read_message",
]
