"""The keys of the language by place: which mapping stands where, what it knows, what it is called in messages."""

from __future__ import annotations

import types
import typing
from typing import Any, Final

from pydantic import BaseModel

from mockcic.scenario.auth import Auth, AuthAccounts, AuthClient, AuthTrouble
from mockcic.scenario.conditions import Condition
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.faults.fault import Moment as FaultMoment
from mockcic.scenario.model import Answer, ExceptionAnswer, NamedCue, RawAnswer, Rule, Scenario, Tokens
from mockcic.scenario.settings import Heard, Settings
from mockcic.scenario.steps import (
    Change,
    Choice,
    Cue,
    Each,
    FaultStep,
    Moment,
    PushStep,
    RawBody,
    RawStep,
    Repeat,
    Send,
    Sound,
    Use,
    Wait,
)

Loc = tuple[int | str, ...]

CALLED: Final[dict[type[BaseModel], str]] = {
    Scenario: "a scenario",
    Rule: "a rule",
    Answer: "an answer",
    Cue: "a cue",
    Moment: "`after`",
    Heard: "a moment of the upload",
    Send: "a directive",
    RawStep: "`raw`",
    RawBody: "`raw`",
    Wait: "`wait`",
    PushStep: "`push`",
    Use: "`use`",
    Change: "`set` and `go`",
    Repeat: "`repeat`",
    Each: "`repeat`",
    Choice: "`if`",
    Fault: "a fault",
    FaultMoment: "`after`",
    FaultStep: "`fault`",
    NamedCue: "a named cue",
    Sound: "a sound",
    Condition: "a condition",
    Settings: "the settings",
    ExceptionAnswer: "an exception",
    RawAnswer: "a raw answer",
    Tokens: "`tokens`",
    Auth: "`auth`",
    AuthClient: "a client",
    AuthAccounts: "`accounts`",
    AuthTrouble: "the trouble of a call",
}
_TAGGED: Final[dict[str, type[BaseModel]]] = {
    "send": Send,
    "raw": RawStep,
    "wait": Wait,
    "push": PushStep,
    "use": Use,
    "change": Change,
    "repeat": Repeat,
    "choice": Choice,
    "fault": FaultStep,
}


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
        is_tag = isinstance(segment, str) and segment in _TAGGED and current is not _TAGGED[segment]
        if is_tag and _TAGGED[str(segment)] in _models(current):
            current = _TAGGED[str(segment)]
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


__all__ = ["CALLED", "Loc", "describe", "keys_of", "model_at"]
