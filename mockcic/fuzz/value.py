"""JSON as it may be on a wire: keys twice, half letters, numbers that are none, a million brackets.

A value is None, a truth value, a number, a text, a tuple (an array), an `Obj`, a `Token` or a `Stretch`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""Where a value is: keys of objects and numbers of elements; a key leads to the first member of that name."""

Place = tuple[int, ...]
"""The same by numbers alone, so that a member whose key comes twice has a place of its own."""

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Token:
    """Bytes as they stand where a value belongs: `NaN`, `1e999`, no UTF-8."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Stretch:
    """`head`, `times` times `unit`, as often `back`, `tail`: a long text, a deep nesting, a long array."""

    head: str
    unit: str
    times: int
    back: str
    tail: str


@dataclass(frozen=True, slots=True)
class Obj:
    """An object; a key may come twice."""

    members: tuple[tuple[str, Value], ...] = ()

    def get(self, key: str) -> Value:
        """The first member of that name, None without."""
        return next((value for name, value in self.members if name == key), None)


Value = None | bool | int | float | str | tuple[Any, ...] | Obj | Token | Stretch


def read(value: object) -> Value:
    """What Python's JSON has, as a value."""
    if isinstance(value, dict):
        return Obj(tuple((str(key), read(inner)) for key, inner in value.items()))
    if isinstance(value, list | tuple):
        return tuple(read(inner) for inner in value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"{type(value).__name__} is no JSON")


def encode(value: Value) -> bytes:
    """The bytes of a value, compact, letters as they are; half letters as escapes."""
    match value:
        case Obj(members):
            return b"{" + b",".join(_text(key) + b":" + encode(inner) for key, inner in members) + b"}"
        case tuple():
            return b"[" + b",".join(map(encode, value)) + b"]"
        case str():
            return _text(value)
        case Token(data):
            return data
        case Stretch():
            return (value.head + value.unit * value.times + value.back * value.times + value.tail).encode()
        case _:
            return json.dumps(value).encode()


def _text(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=_SURROGATE.search(text) is not None).encode()


# ---------------------------------------------------------------------- by path


def at(value: Value, path: Path) -> tuple[bool, Value]:
    """Whether there is a value at this path, and which."""
    for step in path:
        place = _number(value, step)
        if place is None:
            return False, None
        value = children(value)[place]
    return True, value


def put(value: Value, path: Path, new: Value) -> Value:
    """With another value at a path; as it is where the path leads nowhere."""
    place = place_of(value, path)
    return value if place is None else replaced(value, place, new)


def drop(value: Value, path: Path) -> Value:
    """Without the member or element at a path."""
    place = place_of(value, path)
    return value if not place else without(value, place[:-1], {place[-1]})


def add(value: Value, path: Path, key: str, new: Value) -> Value:
    """With one more member behind those of the object at a path, be there one of that name or not."""
    there, owner = at(value, path)
    return put(value, path, Obj((*owner.members, (key, new)))) if there and isinstance(owner, Obj) else value


def rename(value: Value, path: Path, key: str) -> Value:
    """With another key for the member at a path."""
    place = place_of(value, path)
    if not place:
        return value
    owner = at_place(value, place[:-1])
    if not isinstance(owner, Obj):
        return value
    members = list(owner.members)
    members[place[-1]] = (key, members[place[-1]][1])
    return replaced(value, place[:-1], Obj(tuple(members)))


def place_of(value: Value, path: Path) -> Place | None:
    """A path by numbers, None where it leads nowhere."""
    place: list[int] = []
    for step in path:
        number = _number(value, step)
        if number is None:
            return None
        place.append(number)
        value = children(value)[number]
    return tuple(place)


def _number(value: Value, step: str | int) -> int | None:
    if isinstance(value, Obj) and isinstance(step, str):
        return next((number for number, (key, _) in enumerate(value.members) if key == step), None)
    if isinstance(value, tuple) and isinstance(step, int) and step < len(value):
        return step
    return None


# ---------------------------------------------------------------------- by place


def children(value: Value) -> tuple[Value, ...]:
    """What is directly in it."""
    if isinstance(value, Obj):
        return tuple(inner for _, inner in value.members)
    return value if isinstance(value, tuple) else ()


def at_place(value: Value, place: Place) -> Value:
    """The value at a place that there is."""
    for number in place:
        value = children(value)[number]
    return value


def replaced(value: Value, place: Place, new: Value) -> Value:
    """With another value at a place."""
    if not place:
        return new
    number, rest = place[0], place[1:]
    inner = replaced(children(value)[number], rest, new)
    if isinstance(value, Obj):
        members = list(value.members)
        members[number] = (members[number][0], inner)
        return Obj(tuple(members))
    assert isinstance(value, tuple)
    return (*value[:number], inner, *value[number + 1 :])


def without(value: Value, place: Place, numbers: set[int]) -> Value:
    """Without some members or elements of what is at a place."""
    owner = at_place(value, place)
    if isinstance(owner, Obj):
        kept = tuple(each for number, each in enumerate(owner.members) if number not in numbers)
        return replaced(value, place, Obj(kept))
    assert isinstance(owner, tuple)
    return replaced(value, place, tuple(each for number, each in enumerate(owner) if number not in numbers))


def places(value: Value, place: Place = ()) -> Iterator[tuple[Place, Value]]:
    """Every value in it with its place, itself first, those above before those below."""
    level: list[tuple[Place, Value]] = [(place, value)]
    while level:
        yield from level
        level = [((*where, number), inner) for where, each in level for number, inner in enumerate(children(each))]


def shown(path: Path) -> str:
    """A path for people: `payload.assets.0.url`."""
    return ".".join(map(str, path)) or "the whole"
