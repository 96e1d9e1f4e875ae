"""A directive before it is sent: its JSON, its sounds, and the edits that make it wrong."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from mockcic.cic.catalogue import TEMPLATES, Catalogue
from mockcic.cic.field import FieldSpec, MessageSpec
from mockcic.fuzz import value as v
from mockcic.fuzz.dice import Dice
from mockcic.fuzz.value import Obj, Path, Value, encode

PAYLOAD: Final[Path] = ("directive", "payload")
HEADER: Final[Path] = ("directive", "header")

SILENCE: Final[Mapping[str, Any]] = {"silence": "100ms"}
"""The sound behind a directive that has one: short, for it is played each time."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The JSON of a part; `sounds` are the attachments behind it, by Content-Id, as a scenario has them.

    `cut` is how many bytes of the JSON are sent, None for all.
    """

    value: Value
    sounds: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    cut: int | None = None

    def body(self) -> bytes:
        """The bytes of the part."""
        return encode(self.value)[: self.cut]

    def size(self) -> int:
        """How small it is: bytes of the part, then the parts behind it."""
        return len(self.body()) + 100 * len(self.sounds)

    def step(self) -> dict[str, Any]:
        """It as a step of a scenario (docs/scenarios.md, Parts as they stand)."""
        body = self.body()
        try:
            raw: Any = body.decode()
        except UnicodeDecodeError:
            raw = {"base64": base64.b64encode(body).decode()}
        return {"raw": raw, **({"attach": {name: dict(sound) for name, sound in self.sounds}} if self.sounds else {})}


@dataclass(frozen=True, slots=True)
class Edit:
    """One change. `put` and `add` need `value`, `add` and `rename` need `key`; `cut` keeps `count` bytes of the JSON.

    `silence` takes the sounds away. An edit whose path leads nowhere changes nothing.
    """

    what: Literal["put", "drop", "add", "rename", "cut", "silence"]
    path: Path = ()
    key: str = ""
    value: Value = None
    count: int = 0

    def apply(self, draft: Draft) -> Draft:
        """The draft with it."""
        match self.what:
            case "put":
                return replace(draft, value=v.put(draft.value, self.path, self.value))
            case "drop":
                return replace(draft, value=v.drop(draft.value, self.path))
            case "add":
                return replace(draft, value=v.add(draft.value, self.path, self.key, self.value))
            case "rename":
                return replace(draft, value=v.rename(draft.value, self.path, self.key))
            case "cut":
                return replace(draft, cut=self.count)
            case "silence":
                return replace(draft, sounds=())


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is made wrong, for people (`name` of the kind, `at` the place), and how."""

    name: str
    at: str
    edits: tuple[Edit, ...]

    def apply(self, draft: Draft) -> Draft:
        """The draft with it."""
        for edit in self.edits:
            draft = edit.apply(draft)
        return draft

    def __str__(self) -> str:
        return f"{self.name} {self.at}".strip()


def with_all(draft: Draft, mutations: tuple[Mutation, ...]) -> Draft:
    """The draft with each of them, in order."""
    for mutation in mutations:
        draft = mutation.apply(draft)
    return draft


@dataclass(frozen=True, slots=True)
class Spot:
    """A member of the payload as it is in the example, and what the catalogue says of it (None: nothing)."""

    path: Path
    value: Value
    field: FieldSpec | None

    @property
    def is_member(self) -> bool:
        """Whether it is a member of an object, not an element of an array."""
        return isinstance(self.path[-1], str)


@dataclass(frozen=True, slots=True)
class Ground:
    """A good directive, and every spot of its payload that something can be done to."""

    draft: Draft
    spec: MessageSpec
    spots: tuple[Spot, ...]


def ground(spec: MessageSpec, catalogue: Catalogue, dice: Dice) -> Ground:
    """The example of the catalogue as a directive, with an id from the dice and its sounds as attachments."""
    payload = {**catalogue.fixed_members(spec), **spec.example}
    sounds: list[tuple[str, Mapping[str, Any]]] = []
    example = _with_sounds(v.read(payload), sounds)
    header = Obj((("namespace", spec.namespace), ("name", spec.name), ("messageId", dice.uuid())))
    draft = Draft(Obj((("directive", Obj((("header", header), ("payload", example)))),)), tuple(sounds))
    return Ground(draft, spec, tuple(_spots(example, PAYLOAD, _fields(spec, payload, catalogue), catalogue)))


def ground_of(message: Mapping[str, Any], spec: MessageSpec, catalogue: Catalogue) -> Ground:
    """A directive that is about to be sent, `{"directive": ...}`; its attachments stay where they are."""
    payload = message["directive"]["payload"]
    fields = _fields(spec, payload, catalogue)
    return Ground(Draft(v.read(message)), spec, tuple(_spots(v.read(payload), PAYLOAD, fields, catalogue)))


def _fields(spec: MessageSpec, payload: Mapping[str, Any], catalogue: Catalogue) -> Mapping[str, FieldSpec]:
    """The members of a payload; of a template those of its type as well."""
    template = catalogue.templates.get(str(payload.get("type"))) if spec.payload_from == TEMPLATES else None
    return spec.fields if template is None else {**catalogue.members_of_template(template), **spec.fields}


def _with_sounds(value: Value, sounds: list[tuple[str, Mapping[str, Any]]]) -> Value:
    """With `cid:` addresses that lead to sounds of ours."""
    if isinstance(value, str) and value.startswith("cid:"):
        sounds.append((f"sound{len(sounds) + 1}", SILENCE))
        return f"cid:{sounds[-1][0]}"
    if isinstance(value, Obj):
        return Obj(tuple((key, _with_sounds(inner, sounds)) for key, inner in value.members))
    if isinstance(value, tuple):
        return tuple(_with_sounds(inner, sounds) for inner in value)
    return value


def _spots(value: Value, path: Path, fields: Mapping[str, FieldSpec], catalogue: Catalogue) -> Iterator[Spot]:
    if isinstance(value, Obj):
        for key, inner in value.members:
            field = fields.get(key)
            yield Spot((*path, key), inner, field)
            yield from _below(inner, (*path, key), field, catalogue)


def _below(value: Value, path: Path, field: FieldSpec | None, catalogue: Catalogue) -> Iterator[Spot]:
    fields: Mapping[str, FieldSpec] = {}
    items: FieldSpec | None = None
    if field is not None:
        fields, items = field.fields or {}, field.items
        for name in field.named_types:
            named = catalogue.types[name]
            fields, items = {**fields, **(named.fields or {})}, items or named.items
    if isinstance(value, tuple):
        for number, inner in enumerate(value):
            yield Spot((*path, number), inner, items)
            yield from _below(inner, (*path, number), items, catalogue)
    else:
        yield from _spots(value, path, fields, catalogue)
