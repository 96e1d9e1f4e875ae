"""The small words of the scenario language: durations, sizes, templates, names. Shared by its models.

A word that cannot be read raises `PydanticCustomError` whose context carries `expected` and `mend`, so that the loader
can say them with the place in the file.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

TEMPLATE_MARK: Final = re.compile(r"\{\{|\{%")
_UNITS: Final = {"d": 86_400.0, "h": 3600.0, "min|m": 60.0, "s": 1.0, "ms": 0.001}
"""Of durations, in the order in which they are written together."""
_NUMBER: Final = r"\d{1,9}(?:\.\d{1,9})?"
_DURATION: Final = re.compile(r"\s*" + "".join(rf"(?:({_NUMBER})\s*(?:{unit})\s*)?" for unit in _UNITS), re.ASCII)
_SIZE: Final = re.compile(r"\s*(\d{1,12}(?:\.\d{1,9})?)\s*(B|KB|KiB|MB|MiB)?\s*", re.ASCII | re.IGNORECASE)
_SIZE_UNIT: Final = {"": 1, "b": 1, "kb": 1000, "kib": 1024, "mb": 1_000_000, "mib": 1024 * 1024}

DIRECTIVE_KEY: Final = re.compile(r"[A-Z][A-Za-z]*\.[A-Z][A-Za-z0-9]*")


def wrong(found: object, expected: str, mend: str = "", *, kind: str = "word") -> PydanticCustomError:
    """An error of a value: what was found, what was expected, how to mend it."""
    return PydanticCustomError(
        kind, "{found} where {expected} was expected", {"found": shown(found), "expected": expected, "mend": mend}
    )


def shown(value: object) -> str:
    """A value as a person would write it in YAML, cut at 60 characters."""
    match value:
        case None:
            text = "nothing"
        case bool():
            text = "true" if value else "false"
        case str():
            text = f'"{value}"'
        case Mapping():
            text = "an empty mapping" if not value else f"a mapping with {', '.join(map(str, list(value)[:3]))}"
        case list():
            text = f"a list of {len(value)}" if value else "an empty list"
        case _:
            text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def is_template(value: object) -> bool:
    """True for a text that is only known when the scenario runs: one with `{{` or `{%` in it."""
    return isinstance(value, str) and TEMPLATE_MARK.search(value) is not None


def read_duration(value: object) -> float | str:
    """Seconds of `300ms`, `1.5s`, `2m`, `1h5m`, `5d` or `0`; a template stays a text until the scenario runs."""
    if is_template(value):
        return str(value)
    if value == 0 and not isinstance(value, bool):
        return 0.0
    if isinstance(value, str) and (found := _DURATION.fullmatch(value)) and any(found.groups()):
        return sum(float(each) * unit for each, unit in zip(found.groups(), _UNITS.values(), strict=True) if each)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    raise wrong(
        value,
        "a duration with its unit, such as 300ms, 1.5s, 2m or 1h30m",
        f"write {value}s or {value}ms" if number else "",
    )


def read_size(value: object) -> int:
    """Bytes of `6400`, `32KB` (1,000), `10MiB` (1,048,576)."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12:
        return value
    if isinstance(value, str) and (found := _SIZE.fullmatch(value)):
        return int(float(found[1]) * _SIZE_UNIT[(found[2] or "").lower()])
    raise wrong(value, "a number of bytes, such as 6400, 32KB or 10MiB")


def read_rate(value: object) -> float:
    """Bytes a second of `4KB/s` or `16000`."""
    return float(read_size(value.strip().removesuffix("/s") if isinstance(value, str) else value))


def read_base64(value: str) -> bytes:
    """The bytes of a base64 text; blanks and line ends in it do not count."""
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except binascii.Error:
        raise PydanticCustomError(
            "base64",
            "{found} is not base64",
            {"found": shown(value), "expected": "base64", "mend": "a file goes under `file`"},
        ) from None


def read_list(value: object) -> object:
    """One where many may stand: `a` is `[a]`."""
    return value if isinstance(value, list) or value is None else [value]


TEMPLATE_SCHEMA: Final[dict[str, Any]] = {"type": "string", "pattern": r"\{[{%]", "description": "A template."}

DURATION_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {
            "type": "string",
            "pattern": r"^(?=.*\d)\s*" + "".join(rf"(\d+(\.\d+)?\s*({unit})\s*)?" for unit in _UNITS) + "$",
            "examples": ["300ms", "1.5s", "2m", "1h30m"],
        },
        {"const": 0},
        TEMPLATE_SCHEMA,
    ],
    "description": "A duration with its unit, or several from the longest on: 300ms, 1.5s, 2m, 1h30m, 5d.",
}

Duration = Annotated[float | str, BeforeValidator(read_duration), WithJsonSchema(DURATION_SCHEMA)]
"""A duration: seconds, or a template that gives them."""


def _no_template(value: object) -> object:
    if is_template(value):
        raise wrong(value, "a duration with its unit, such as 5d: here no template can be filled in", "write it out")
    return value


def say_seconds(seconds: float) -> str:
    """A duration as `read_duration` takes it: `0.3s`."""
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


PlainDuration = Annotated[
    float,
    BeforeValidator(read_duration),
    BeforeValidator(_no_template),
    PlainSerializer(say_seconds, return_type=str, when_used="json"),
    WithJsonSchema({**DURATION_SCHEMA, "anyOf": DURATION_SCHEMA["anyOf"][:2]}),
]
"""A duration that is known when it is read."""

Size = Annotated[
    int,
    BeforeValidator(read_size),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"(?i)^\s*\d+(\.\d+)?\s*(B|KB|KiB|MB|MiB)?\s*$"},
            ],
            "description": "A number of bytes: 6400, 32KB (1,000), 10MiB (1,048,576).",
        }
    ),
]

Rate = Annotated[
    float,
    BeforeValidator(read_rate),
    PlainSerializer(round, return_type=int, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": r"(?i)^\s*\d+(\.\d+)?\s*(B|KB|KiB|MB|MiB)?(/s)?\s*$"},
            ],
            "description": "Bytes a second: 4KB/s, 16000.",
        }
    ),
]

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", description="A name: letters, digits, _ and -.")]

Word = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="A name that templates can say: letters, digits and _.")
]

Texts = Annotated[list[str], BeforeValidator(read_list)]

Values = dict[str, Any]


def real_path(path: Path) -> Path:
    """Where a path leads, links followed; itself where the system cannot say (a NUL in it, links in a circle)."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path


def is_there(path: Path) -> bool:
    """Whether a path is a file; False also for what can be none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def said_path(path: Path) -> str:
    """A path as short as it can be said from here."""
    here = Path.cwd()
    if path == here:
        return "this folder"
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def suggest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that was probably meant, or None."""
    from difflib import get_close_matches

    by_small = {each.lower(): each for each in words}
    near = get_close_matches(word.lower(), by_small, 1, 0.6)
    return by_small[near[0]] if near else None


def did_you_mean(word: str, words: Iterable[str], *, before: str = "") -> str:
    """`; did you mean NAME?`, to stand behind what was expected; empty where nothing is near. `before` is NAME's."""
    near = suggest(word, words)
    return f"; did you mean {before}{near}?" if near else ""
