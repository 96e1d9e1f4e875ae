"""An issue: where a payload departs from the catalogue, and the words to say so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final, Literal

from mockcic.cic.field import FieldSpec

Path = tuple[str | int, ...]
IsTemplate = Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class Issue:
    """One place where a payload departs from the catalogue.

    `path` leads to it from the payload's root. `code` is `unknown-member`, `missing`, `type`, `null`, `enum`, `range`,
    `length`, `pattern`, `format`, `condition`, `form`, `deprecated`, `audience`, or of events also `unknown-context`
    and `not-allowed`.
    """

    path: Path
    code: str
    severity: Literal["error", "warning"]
    found: str
    expected: str
    mend: str = ""


Issues = Sequence[Issue]
Check = Callable[[Any, IsTemplate], Issues]
"""The issues of a value; the second argument says of which values nothing can be said yet."""

NONE: Final[Issues] = ()
SHOWN: Final = 60
"""Characters of a found value that a message repeats (INF)."""
MOST: Final = 20
"""Issues told of one object or array (INF): more of them say nothing new, and each costs."""
NAME_LIMIT: Final = 100
"""Characters of a name that likeness is looked for (INF); the longest of the catalogue has 46."""


def never(_: object) -> bool:
    """No value is a template: what came from a device is as it is."""
    return False


def shown(value: object) -> str:
    """A value as JSON, cut to what a line can hold; no more of it is looked at than that."""
    if isinstance(value, str):
        value = value[: SHOWN + 1]
    text = ""
    for piece in json.JSONEncoder(ensure_ascii=False, default=str).iterencode(value):
        text += piece
        if len(text) > SHOWN:
            return f"{text[: SHOWN - 1]}…"
    return text


@lru_cache(maxsize=1024)
def did_you_mean(name: str, names: tuple[str, ...]) -> str:
    """`did you mean token?`, or nothing."""
    if len(name) > NAME_LIMIT:
        return ""
    by_small = {each.lower(): each for each in names}
    near = get_close_matches(name.lower(), by_small, 1, 0.6)
    return f"did you mean {by_small[near[0]]}?" if near else ""


def below(step: str | int, issues: Iterable[Issue]) -> list[Issue]:
    """The issues of a part as those of the whole."""
    return [replace(issue, path=(step, *issue.path)) for issue in issues]


def json_type(value: object) -> str:
    """The JSON type of a value as the catalogue calls it; `null` for None."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int():
            return "integer"
        case float():
            return "number"
        case Mapping():
            return "object"
        case list() | tuple():
            return "array"
    return type(value).__name__


def article(kind: str) -> str:
    """`a string`, `an object`."""
    return kind if kind == "null" else f"{'an' if kind[0] in 'aio' else 'a'} {kind}"


def one_of(values: Sequence[Any]) -> str:
    """`one of on, off`, or the only one."""
    words = [value if isinstance(value, str) and value else shown(value) for value in values]
    return words[0] if len(words) == 1 else f"one of {', '.join(words)}"


def missing(name: str, spec: FieldSpec, when: str = "") -> Issue:
    """A required member that is not there; `when` says on what condition it is required."""
    expected = f"it is always there{when}" if not spec.about else f"{spec.about.rstrip('.')}; required{when}"
    return Issue((name,), "missing", "warning" if spec.soft else "error", "nothing", expected)


__all__ = [
    "MOST",
    "NAME_LIMIT",
    "NONE",
    "Check",
    "IsTemplate",
    "Issue",
    "Issues",
    "article",
    "below",
    "did_you_mean",
    "json_type",
    "missing",
    "never",
    "one_of",
    "shown",
]
