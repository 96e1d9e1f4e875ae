"""Templates in scenario values: `{{ event.payload.text }}`, rendered in Jinja's sandbox.

A value that is one single expression keeps its type (`{{ vars.volume + 1 }}` is a number); anything else becomes text.
Jinja is imported when the first template is met, not before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from mockcic.scenario.words import is_template, read_duration, shown

if TYPE_CHECKING:
    from jinja2 import Environment

_ONE_EXPRESSION: Final = re.compile(r"\s*\{\{(?P<inside>(?:(?!\{\{|\}\}|\{%).)*)\}\}\s*", re.DOTALL)
_ZONE: Final = re.compile(r"([+-])(\d{2}):(\d{2})")


class RenderError(Exception):
    """A template that cannot be rendered: the text, and why."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"template {text!r}: {why}")
        self.text = text
        self.why = why


class Names(Mapping[str, Any]):
    """The names that a template sees, put together when the first template asks: most values hold none."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], dict[str, Any]]) -> None:
        self._make = make
        self._made: dict[str, Any] | None = None

    def _all(self) -> dict[str, Any]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def check_template(text: str) -> str | None:
    """What is wrong with the template's grammar, or None. Whether its names exist is known only at run time."""
    from jinja2 import TemplateSyntaxError

    try:
        _compile(text)
    except TemplateSyntaxError as error:
        return error.message or "it cannot be read"
    return None


def render(value: Any, names: Mapping[str, Any]) -> Any:
    """The value with every template in it filled in, however deep. Raises `RenderError`."""
    if isinstance(value, str):
        return _render_text(value, names) if is_template(value) else value
    if isinstance(value, Mapping):
        return {key: render(member, names) for key, member in value.items()}
    if isinstance(value, list):
        return [render(member, names) for member in value]
    return value


def _render_text(text: str, names: Mapping[str, Any]) -> Any:
    from jinja2 import TemplateError, Undefined

    try:
        result = _compile(text)(names)
        if isinstance(result, Undefined):
            result._fail_with_undefined_error()
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise RenderError(text, str(error)) from error
    if not (result is None or isinstance(result, str | int | float | list | tuple | Mapping)):
        kind = "a function; call it with ()" if callable(result) else f"a {type(result).__name__}"
        raise RenderError(text, f"found {kind}, expected a value of JSON")
    return result


@lru_cache(maxsize=4096)
def _compile(text: str) -> Callable[[Mapping[str, Any]], Any]:
    sandbox = environment()
    if found := _ONE_EXPRESSION.fullmatch(text):
        expression = sandbox.compile_expression(found["inside"].strip(), undefined_to_none=False)
        return lambda names: expression(**names)
    template = sandbox.from_string(text)
    return lambda names: template.render(**names)


@cache
def environment() -> Environment:
    """Jinja's sandbox with the filters of the language; nothing in it can be changed by a template."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    sandbox.filters.update(FILTERS)
    return sandbox


def _plus(moment: datetime | str, duration: object) -> datetime:
    """`{{ now | plus('8h') }}`."""
    return _time(moment) + timedelta(seconds=float(read_duration(duration)))


def _minus(moment: datetime | str, duration: object) -> datetime:
    return _time(moment) - timedelta(seconds=float(read_duration(duration)))


def _time(moment: datetime | str) -> datetime:
    """The moment of a text such as `2026-03-02T18:04:30+09:00`; without a zone it is UTC."""
    if isinstance(moment, datetime):
        return moment
    try:
        read = datetime.fromisoformat(moment)
    except (TypeError, ValueError):
        raise ValueError(f"found {moment!r}, expected a time such as 2026-03-02T18:04:30+09:00") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _until(moment: datetime | str, end: datetime | str) -> float:
    """Seconds from one moment to another; negative when it is past."""
    return (_time(end) - _time(moment)).total_seconds()


def _with(value: Any, item: Any, by: str | None = None) -> Any:
    """A list with the item behind the others, or in the place of the one whose member `by` is the same.

    Of two mappings, the first with the members of the second.
    """
    if isinstance(value, Mapping):
        if not isinstance(item, Mapping):
            raise ValueError(f"found {shown(item)}, expected a mapping to put into a mapping")
        return {**value, **item}
    _be_list(value)
    same = [] if by is None else [n for n, each in enumerate(value) if _member(each, by) == _member(item, by)]
    if not same:
        return [*value, item]
    return [item if number == same[0] else each for number, each in enumerate(value) if number not in same[1:]]


def _without(value: Any, *what: Any) -> Any:
    """A list without the elements whose member is this (`without("token", x)`), or without x itself (`without(x)`).

    Of a mapping, without the members of these names.
    """
    if isinstance(value, Mapping):
        return {name: member for name, member in value.items() if name not in what}
    _be_list(value)
    if len(what) == 2:
        return [each for each in value if _member(each, what[0]) != what[1]]
    return [each for each in value if each not in what]


def _find(value: Any, name: str, wanted: Any, otherwise: Any = None) -> Any:
    """`| find("token", x)`: the first element of a list whose member is x, or none."""
    _be_list(value)
    return next((each for each in value if _member(each, name) == wanted), otherwise)


def _matched(text: Any, pattern: str, otherwise: Any = None) -> Any:
    """`| matched("([0-9]+)분")`: what the first group of a regular expression found in a text, or none."""
    found = re.search(pattern, text) if isinstance(text, str) else None
    return otherwise if found is None else found[1] if found.re.groups else found[0]


def _be_list(value: Any) -> None:
    if not isinstance(value, list | tuple):
        raise ValueError(f"found {shown(value)}, expected a list")


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _iso(moment: datetime | str, zone: str = "Z") -> str:
    """`2026-03-02T18:04:30+09:00`, the form of the catalogue's `iso8601`; `zone` is `Z` or `+hh:mm`."""
    moment = _time(moment)
    if zone == "Z":
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = _ZONE.fullmatch(zone)
    if not found:
        raise ValueError(f"a zone is Z or +hh:mm, not {zone!r}")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return moment.astimezone(timezone(-offset if found[1] == "-" else offset)).isoformat(timespec="seconds")


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "plus": _plus,
    "minus": _minus,
    "time": _time,
    "until": _until,
    "iso": _iso,
    "with": _with,
    "without": _without,
    "find": _find,
    "matched": _matched,
}
"""The filters of the language, besides Jinja's own; docs/scenarios.md has each."""
