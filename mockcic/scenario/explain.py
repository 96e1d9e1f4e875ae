"""What pydantic found wrong, said as Problems: where, what was found, what was expected, how to mend it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from mockcic.errors import Problem
from mockcic.scenario.faults.fault import ACTS, how_to_write
from mockcic.scenario.keys import CALLED, Loc, describe, keys_of, model_at
from mockcic.scenario.model import Scenario
from mockcic.scenario.node import Node, Place
from mockcic.scenario.source import Source
from mockcic.scenario.steps import A_STEP, STEP_KEYS, Change, PushStep, Send, Use, Wait
from mockcic.scenario.words import DIRECTIVE_KEY, did_you_mean, shown, suggest

_KINDS: Final = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "model_attributes_type": "a mapping (`key: value`)",
}
_BOUNDS: Final = {
    "greater_than": ("gt", "a number above {}"),
    "greater_than_equal": ("ge", "a number of at least {}"),
    "less_than": ("lt", "a number below {}"),
    "less_than_equal": ("le", "a number of at most {}"),
}


def explain(source: Source, error: ValidationError, model: type[BaseModel] = Scenario) -> list[Problem]:
    """Every problem in the file that the models found."""
    return explain_errors(source, error.errors(include_url=False), model)


def explain_errors(source: Source, errors: Sequence[Any], model: type[BaseModel]) -> list[Problem]:
    """The same of pydantic's errors, as it lists them."""
    unions: dict[Loc, list[Any]] = {}
    problems: list[Problem] = []
    misspelt = {
        (*each["loc"][:-1], near) for each in errors if (near := _meant(source, each["loc"], model, each["type"]))
    }
    for each in errors:
        if each["type"] == "missing" and each["loc"] in misspelt:
            continue
        union = _union(each["loc"])
        if union is None:
            problems.append(_problem(source, each, model))
        else:
            unions.setdefault(union, []).append(each)
    for loc, members in unions.items():
        problems.extend(_of_union(source, loc, members, model))
    return problems


def explain_value(value: object, errors: Sequence[Any], model: type[BaseModel]) -> list[tuple[Loc, Problem]]:
    """What is wrong in a value that is in no file, each with its place: keys, and numbers of items."""
    source = Source("", json.dumps(value, default=str))
    places = {} if source.root is None else dict(_places(source.root, ()))
    problems = explain_errors(source, errors, model)
    return [(places.get((problem.line, problem.column), ()), problem) for problem in problems]


def _places(node: Node, way: Loc) -> Iterator[tuple[tuple[int, int], Loc]]:
    yield (node.line, node.column), way
    for name, (key, member) in (node.members or {}).items():
        yield (key.line, key.column), (*way, name)
        yield from _places(member, (*way, name))
    for number, item in enumerate(node.items or ()):
        yield from _places(item, (*way, number))


def _meant(source: Source, loc: Loc, model: type[BaseModel], kind: str) -> str | None:
    """The key that an unknown one was probably meant to be, if it is not there yet."""
    owner = model_at(model, loc[:-1])
    if kind != "extra_forbidden" or owner is None:
        return None
    found = source.find(loc)
    there = found.way[-1][0].members if found is not None and found.last and found.way else {}
    return suggest(str(loc[-1]), [word for word in _words(owner) if word not in (there or {})])


def _words(owner: type[BaseModel]) -> list[str]:
    """The keys a person may write; a directive's name and payload are one key."""
    return [word for word in keys_of(owner) if owner is not Send or word not in ("directive", "payload")]


def _union(loc: Loc) -> Loc | None:
    """The location of the value that fits none of several kinds, if the error comes from one of these kinds."""
    for index, segment in enumerate(loc):
        if isinstance(segment, str) and (
            segment in ("Heard", "HelloAfter", "PingAfter", "Late", "constrained-int")
            or segment.startswith(("literal[", "function-before[", "union["))
        ):
            return loc[:index]
    return None


def _of_union(source: Source, loc: Loc, members: Sequence[Any], model: type[BaseModel]) -> Iterator[Problem]:
    found = source.find(loc)
    if found is not None and found.node.members is not None:
        inside = [each for each in members if each["type"] not in ("literal_error", "model_type", "dict_type", "word")]
        inside += [each for each in members if each["type"] == "word" and len(each["loc"]) > len(loc) + 1]
        if inside:
            misspelt = {
                (*each["loc"][:-1], near)
                for each in inside
                if (near := _meant(source, each["loc"], model, each["type"]))
            }
            for each in inside:
                if each["type"] == "missing" and each["loc"] in misspelt:
                    continue
                yield _problem(source, each, model)
            return
    expected: list[str] = []
    mends: list[str] = []
    for each in members:
        if each["type"] == "literal_error":
            expected.insert(0, _literals(each))
        elif each["type"] == "word":
            expected.append(each["ctx"]["expected"])
            mends.append(each["ctx"].get("mend", ""))
        elif each["loc"][len(loc)] == "constrained-int":
            expected.append(_bound(each) or "a whole number")
    value = _value(source, loc, members[0])
    yield source.problem(
        source.position(loc),
        _cannot_be(source, loc, value),
        ", or ".join(dict.fromkeys(expected)),
        next(filter(None, mends), ""),
    )


def _problem(source: Source, each: Any, model: type[BaseModel]) -> Problem:
    loc: Loc = each["loc"]
    kind: str = each["type"]
    context: Mapping[str, Any] = each.get("ctx", {})
    key = loc[-1] if loc else ""
    place = source.position(loc)
    if kind == "extra_forbidden":
        return _unknown_key(source, loc, model)
    if kind == "missing":
        owner = model_at(model, loc[:-1])
        description = "" if owner is None else describe(owner, str(key))
        whose = f" in {CALLED[owner]}" if owner in CALLED else ""
        return source.problem(
            source.position(loc[:-1]), f'"{key}" is missing{whose}', _first_small(description), _missing_mend(str(key))
        )
    if kind == "step":
        return _no_step(source, loc)
    if "expected" in context and kind not in ("literal_error", "enum"):
        if kind == "word":
            what = _cannot_be(source, loc, _value(source, loc, each))
        else:
            what = each["msg"].replace("{", "").replace("}", "")
            place = source.position((*loc, context["at"])) if "at" in context else place
        return source.problem(place, what, context["expected"], context.get("mend", ""))
    what = _cannot_be(source, loc, _value(source, loc, each))
    if kind == "literal_error":
        return source.problem(place, what, _literals(each))
    if bound := _bound(each):
        return source.problem(place, what, bound)
    if kind == "string_pattern_mismatch":
        return source.problem(place, what, "a name: a letter first, then letters, digits, _ and -")
    if kind == "too_short":
        return source.problem(place, what, f"at least {context['min_length']} of them")
    if kind in _KINDS:
        return source.problem(place, what, _KINDS[kind], _mend_kind(kind, _value(source, loc, each)))
    return source.problem(place, what, each["msg"])


def _bound(each: Any) -> str:
    """What a number that is too large or too small should be; empty for any other error."""
    if each["type"] not in _BOUNDS:
        return ""
    name, text = _BOUNDS[each["type"]]
    return text.format(f"{each['ctx'][name]:g}")


def _mend_kind(kind: str, value: Any) -> str:
    """What is usually the matter when one kind of value stands for another."""
    match kind, value:
        case "string_type", bool() | int() | float():
            return f'put it in quotes: "{shown(value)}"'
        case "list_type", dict():
            return "begin it with `- `, as an item of a list"
        case "dict_type" | "model_type" | "model_attributes_type", list():
            return "write its lines without `- `"
        case "dict_type" | "model_type" | "model_attributes_type", str() if value in ACTS:
            return f"write {how_to_write(value)}"
    return ""


def _value(source: Source, loc: Loc, each: Any) -> Any:
    """The value as the file has it; pydantic may have seen it behind a short form."""
    found = source.find(loc)
    return each["input"] if found is None else found.node.values()


def _cannot_be(source: Source, loc: Loc, value: Any) -> str:
    found = source.find(loc)
    if found is None or found.key is None:
        return f"{shown(value)} at the top" if value is not None else "the file is empty"
    name = f'"{source.written(found.key)}"'
    if loc and isinstance(loc[-1], int) and found.last:
        name = f"an item of {name}"
    return f"{name} has no value" if value is None else f"{name} cannot be {shown(value)}"


def _literals(each: Any) -> str:
    said = each["ctx"]["expected"].replace("'", "").replace("True", "true").replace("False", "false")
    near = suggest(str(each["input"]), said.replace(" or ", ", ").split(", "))
    return f"{said}; did you mean {near}?" if near else said


def _unknown_key(source: Source, loc: Loc, model: type[BaseModel]) -> Problem:
    key = str(loc[-1])
    place = source.position(loc, key=True)
    owner = model_at(model, loc[:-1])
    if owner is None:
        return source.problem(place, f'unknown key "{key}"')
    if owner is Send and DIRECTIVE_KEY.fullmatch(key):
        return _second_directive(source, place, key)
    near = _meant(source, loc, model, "extra_forbidden")
    if owner in (Wait, PushStep, Use, Change) and not near:
        kind = " and ".join(f"`{word}`" for word in _words(owner))
        return source.problem(
            place, f'unknown key "{key}"', f"{kind} alone", "put `- ` before it if it is a step of its own"
        )
    inside = source.find(loc[:-1])
    name = "" if inside is None or inside.key is None else source.written(inside.key)
    whose = CALLED.get(owner, f"`{name}`" if name else "the file")
    hint = f"; did you mean {near}?" if near else ""
    mend = "" if near else f"it knows {', '.join(_words(owner))}"
    if owner is Send and not near:
        mend = f"{mend}; members of its payload are indented below it"
    return source.problem(place, f'unknown key "{key}"', f"a key of {whose}{hint}", mend)


def _second_directive(source: Source, place: Place, key: str) -> Problem:
    return source.problem(
        place, f"a second directive, {key}, in one step", "one directive in a step", "put `- ` before it"
    )


def _no_step(source: Source, loc: Loc) -> Problem:
    """A mapping without any key that says what step it is: the nearest word is probably what was meant."""
    from mockcic.cic.catalogue import catalogue  # read only when something is wrong

    found = source.find(loc)
    members = {} if found is None or found.node.members is None else found.node.members
    directives = [key for name, (key, _) in members.items() if DIRECTIVE_KEY.fullmatch(name)]
    if len(directives) > 1:
        return _second_directive(source, source.place(directives[1]), source.written(directives[1]))
    for name, (key, _) in members.items():
        hint = did_you_mean(name, (*STEP_KEYS, *catalogue().directives))
        return source.problem(source.place(key), f"{shown(name)} is no step", f"{A_STEP}{hint}")
    value = None if found is None else found.node.values()
    return source.problem(source.position(loc), f"{shown(value)} is no step", A_STEP)


def _first_small(text: str) -> str:
    names = text.startswith("Namespace") or not text[1:2].islower()
    return text.rstrip(".") if names else text[:1].lower() + text[1:].rstrip(".")


def _missing_mend(key: str) -> str:
    examples = {
        "scenario": "write `scenario: NAME` at the top",
        "event": "write `event: Namespace.Name`",
    }
    return examples.get(key, f"write `{key}: ...`")


__all__ = ["explain", "explain_errors", "explain_value"]
