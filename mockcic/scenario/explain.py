"""What pydantic found wrong, said as Problems: where, what was found, what was expected, how to mend it."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from mockcic.errors import Problem
from mockcic.scenario.conditions import Condition
from mockcic.scenario.model import Answer, ExceptionAnswer, RawAnswer, Rule, Scenario, Tokens
from mockcic.scenario.settings import Heard, Settings
from mockcic.scenario.source import Source
from mockcic.scenario.steps import A_STEP, STEP_KEYS, Change, Cue, Moment, PushStep, Send, Sound, Use, Wait
from mockcic.scenario.words import DIRECTIVE_KEY, shown, suggest

Loc = tuple[int | str, ...]

CALLED: Final[dict[type[BaseModel], str]] = {
    Scenario: "a scenario",
    Rule: "a rule",
    Answer: "an answer",
    Cue: "a cue",
    Moment: "`after`",
    Heard: "a moment of the upload",
    Send: "a directive",
    Wait: "`wait`",
    PushStep: "`push`",
    Use: "`use`",
    Change: "`set` and `go`",
    Sound: "a sound",
    Condition: "a condition",
    Settings: "the settings",
    ExceptionAnswer: "an exception",
    RawAnswer: "a raw answer",
    Tokens: "`tokens`",
}
_TAGGED: Final[dict[str, type[BaseModel]]] = {
    "send": Send,
    "wait": Wait,
    "push": PushStep,
    "use": Use,
    "change": Change,
}
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
    unions: dict[Loc, list[Any]] = {}
    problems: list[Problem] = []
    for each in error.errors(include_url=False):
        union = _union(each["loc"])
        if union is None:
            problems.append(_problem(source, each, model))
        else:
            unions.setdefault(union, []).append(each)
    for loc, members in unions.items():
        problems.extend(_of_union(source, loc, members, model))
    return problems


def _union(loc: Loc) -> Loc | None:
    """The location of the value that fits none of several kinds, if the error comes from one of these kinds."""
    for index, segment in enumerate(loc):
        if isinstance(segment, str) and (
            segment in ("Heard", "HelloAfter", "PingAfter")
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
            for each in inside:
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
        return source.problem(place, what, context["expected"], context.get("mend", ""))
    what = _cannot_be(source, loc, _value(source, loc, each))
    if kind == "literal_error":
        return source.problem(place, what, _literals(each))
    if kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        return source.problem(place, what, text.format(context[name]))
    if kind == "string_pattern_mismatch":
        return source.problem(place, what, "a name: a letter first, then letters, digits, _ and -")
    if kind == "too_short":
        return source.problem(place, what, f"at least {context['min_length']} of them")
    if kind in _KINDS:
        value = _value(source, loc, each)
        plain = isinstance(value, int | float | bool) and kind == "string_type"
        return source.problem(place, what, _KINDS[kind], f'put it in quotes: "{shown(value)}"' if plain else "")
    return source.problem(place, what, each["msg"])


def _value(source: Source, loc: Loc, each: Any) -> Any:
    """The value as the file has it; pydantic may have seen it behind a short form."""
    found = source.find(loc)
    return each["input"] if found is None else found.node.values()


def _cannot_be(source: Source, loc: Loc, value: Any) -> str:
    found = source.find(loc)
    if found is None or found.key is None:
        return f"{shown(value)} at the top of the file" if value is not None else "the file is empty"
    name = (
        found.key.value
        if isinstance(found.key.value, str)
        else source.line(found.key.line)[found.key.column - 1 : found.key.end_column - 1]
    )
    return f'"{name}" has no value' if value is None else f'"{name}" cannot be {shown(value)}'


def _literals(each: Any) -> str:
    said = each["ctx"]["expected"].replace("'", "")
    near = suggest(str(each["input"]), said.replace(" or ", ", ").split(", "))
    return f"{said}; did you mean {near}?" if near else said


def _unknown_key(source: Source, loc: Loc, model: type[BaseModel]) -> Problem:
    key = str(loc[-1])
    place = source.position(loc, key=True)
    owner = model_at(model, loc[:-1])
    if owner is None:
        return source.problem(place, f'unknown key "{key}"')
    words = keys_of(owner)
    if owner is Send:
        words = [word for word in words if word not in ("directive", "payload")]
        if DIRECTIVE_KEY.fullmatch(key):
            return source.problem(
                place, f"a second directive, {key}, in one step", "one directive in a step", "put `- ` before it"
            )
    near = suggest(key, words)
    whose = CALLED.get(owner, f"`{loc[-2]}`" if len(loc) > 1 else "the file")
    hint = f"; did you mean {near}?" if near else ""
    mend = "" if near else f"it knows {', '.join(words)}"
    if owner is Send and not near:
        mend = f"{mend}; members of its payload are indented below it"
    return source.problem(place, f'unknown key "{key}"', f"a key of {whose}{hint}", mend)


def _no_step(source: Source, loc: Loc) -> Problem:
    """A mapping without any key that says what step it is: the nearest word is probably what was meant."""
    from mockcic.cic.catalogue import catalogue  # read only when something is wrong

    found = source.find(loc)
    members = {} if found is None or found.node.members is None else found.node.members
    for name, (key, _) in members.items():
        near = suggest(name, (*STEP_KEYS, *catalogue().directives))
        hint = f"; did you mean {near}?" if near else ""
        return source.problem(source.place(key), f"{shown(name)} is no step", f"{A_STEP}{hint}")
    value = None if found is None else found.node.values()
    return source.problem(source.position(loc), f"{shown(value)} is no step", A_STEP)


def _first_small(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".") if text[1:2].islower() else text.rstrip(".")


def _missing_mend(key: str) -> str:
    examples = {
        "scenario": "write `scenario: NAME` at the top",
        "event": "write `event: Namespace.Name`",
    }
    return examples.get(key, f"write `{key}: ...`")


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys of a mapping of the language, as the file writes them."""
    return [info.alias or name for name, info in model.model_fields.items()]


def describe(model: type[BaseModel], key: str) -> str:
    """What the language says of a key."""
    for name, info in model.model_fields.items():
        if key in (name, info.alias):
            return info.description or ""
    return ""


def model_at(model: type[BaseModel], loc: Loc) -> type[BaseModel] | None:
    """The mapping of the language that a location leads to, or None where everything is allowed."""
    current: Any = model
    for segment in loc:
        if isinstance(segment, str) and segment in _TAGGED and _TAGGED[segment] in _models(current):
            current = _TAGGED[segment]
            continue
        named = [each for each in _models(current) if each.__name__ == segment]
        if named:
            current = named[0]
            continue
        inner = _member(current, segment)
        if inner is not None:
            current = inner
    models = _models(current)
    return models[0] if models else None


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models an annotation allows directly."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _models(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [model for part in typing.get_args(annotation) for model in _models(part)]
    return []


def _member(annotation: Any, segment: int | str) -> Any:
    """The annotation one segment further in, or None when the segment leads nowhere."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            if segment in (name, info.alias):
                return info.annotation
        return None
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _member(arguments[0], segment)
    if origin is list and isinstance(segment, int):
        return arguments[0]
    if origin is dict and isinstance(segment, str):
        return arguments[1]
    if origin in (typing.Union, types.UnionType):
        return next((found for part in arguments if (found := _member(part, segment)) is not None), None)
    return None


__all__ = ["CALLED", "describe", "explain", "keys_of", "model_at"]
