"""Payloads against the catalogue: field specs compiled into checks, each a function from a value to its issues.

Checks are made once and called for every event, so a good value costs no more than looking at it: paths are put
together only where there is an issue.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final, Literal

from mockcic.cic.field import JSON_TYPES, Condition, FieldSpec

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


def never(_: object) -> bool:
    """No value is a template: what came from a device is as it is."""
    return False


def shown(value: object) -> str:
    """A value as JSON, cut to what a line can hold."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


@lru_cache(maxsize=1024)
def did_you_mean(name: str, names: tuple[str, ...]) -> str:
    """`did you mean token?`, or nothing."""
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


class Compiler:
    """Makes checks of field specs; `types` are the named ones. Each is compiled when first asked for."""

    def __init__(self, types: Mapping[str, FieldSpec]) -> None:
        self._types = types
        self._named: dict[str, Check] = {}

    def members(
        self,
        fields: Mapping[str, FieldSpec],
        *,
        forms: Sequence[frozenset[str]] = (),
        any_of: Sequence[str] = (),
        only_always: Sequence[str] | None = None,
    ) -> Check:
        """The check of an object with these members.

        With `only_always` nothing is required but the members named there.
        """
        checks = {name: self.value(spec) for name, spec in fields.items()}
        names = tuple(fields)
        if only_always is None:
            required = tuple((name, spec) for name, spec in fields.items() if spec.required)
        else:
            required = tuple((name, fields[name]) for name in only_always)
        rules = [*_conditions(fields)]
        if forms:
            rules.append(_forms(forms, names))
        if any_of:
            rules.append(_any_of(any_of))
        marked = {name: spec for name, spec in fields.items() if spec.deprecated or spec.audience == "extension"}

        def check(value: Mapping[str, Any], is_template: IsTemplate) -> Issues:
            found: list[Issue] = []
            for name, member in value.items():
                known = checks.get(name)
                if known is None:
                    if not is_template(name):
                        found.append(_unknown(name, member, names))
                elif issues := known(member, is_template):
                    found += below(name, issues)
                if name in marked:
                    found.append(_marked(name, marked[name]))
            for name, spec in required:
                if name not in value:
                    found.append(_missing(name, spec))
            for rule in rules:
                found += rule(value, is_template)
            return found or NONE

        return check

    def value(self, spec: FieldSpec) -> Check:
        """The check of one value: null, type, and what its type asks for."""
        by_type: dict[str, list[Check]] = {}
        for name in spec.types:
            kind = name if name in JSON_TYPES else "object"
            by_type.setdefault(kind, []).append(self._typed(name, spec))
        if "number" in by_type:
            by_type.setdefault("integer", by_type["number"])
        expected = self._words(spec)

        def check(value: Any, is_template: IsTemplate) -> Issues:
            if value is None:
                return NONE if spec.nullable else (Issue((), "null", "error", "null", expected),)
            if is_template(value):
                return NONE
            alternatives = by_type.get(json_type(value))
            if alternatives is None:
                return (Issue((), "type", "error", f"{_article(json_type(value))} {shown(value)}", expected),)
            if len(alternatives) == 1:
                return alternatives[0](value, is_template)
            return min((alternative(value, is_template) for alternative in alternatives), key=_weight)

        return check

    def _typed(self, name: str, spec: FieldSpec) -> Check:
        if name not in JSON_TYPES:
            return self._of_named_type(name, spec)
        match name:
            case "string":
                return _all(_string_checks(spec))
            case "integer" | "number":
                return _all([*_enum_check(spec), *_range_check(spec)])
            case "object":
                return self._object(spec)
            case "array":
                return self._array(spec)
        return _all(_enum_check(spec))

    def _of_named_type(self, name: str, spec: FieldSpec) -> Check:
        named = self._types[name]
        if spec.partial:
            assert named.fields is not None
            check = self.members(named.fields, only_always=spec.always)
        else:
            if name not in self._named:
                self._named[name] = self._object(named)
            check = self._named[name]
        if not spec.value_enum and spec.value_pattern is None:
            return check
        content = FieldSpec(types=("string",), enum=spec.value_enum, pattern=spec.value_pattern)
        inner = _all([*_enum_check(content), *_pattern_check(content)])

        def with_content(value: Mapping[str, Any], is_template: IsTemplate) -> Issues:
            issues = check(value, is_template)
            text = value.get("value")
            if not isinstance(text, str) or is_template(text):
                return issues
            more = inner(text, is_template)
            return [*issues, *below("value", more)] if more else issues

        return with_content

    def _object(self, spec: FieldSpec) -> Check:
        if spec.fields is not None:
            return self.members(spec.fields, any_of=spec.any_of)
        if spec.values is None:
            return _nothing
        each = self.value(spec.values)

        def check(value: Mapping[str, Any], is_template: IsTemplate) -> Issues:
            found: list[Issue] = []
            for name, member in value.items():
                if issues := each(member, is_template):
                    found += below(name, issues)
            return found or NONE

        return check

    def _array(self, spec: FieldSpec) -> Check:
        if spec.items is None:
            return _nothing
        each = self.value(spec.items)

        def check(value: Sequence[Any], is_template: IsTemplate) -> Issues:
            found: list[Issue] = []
            for index, element in enumerate(value):
                if issues := each(element, is_template):
                    found += below(index, issues)
            return found or NONE

        return check

    def _words(self, spec: FieldSpec) -> str:
        """What a value has to be, in words: `a string or an object (StringObject)`."""
        words = [_article(name) if name in JSON_TYPES else f"an object ({name})" for name in spec.types]
        if spec.enum and not spec.enum_open and len(spec.enum) <= 6:
            words = [f"{words[0]}, {_one_of(spec.enum)}"]
        return " or ".join([*words, "null"] if spec.nullable else words)


def _nothing(_: Any, __: IsTemplate) -> Issues:
    return NONE


def _all(checks: Sequence[Check]) -> Check:
    """The issues of the first check that has some: a wrong value is told once."""
    if not checks:
        return _nothing
    if len(checks) == 1:
        return checks[0]

    def check(value: Any, is_template: IsTemplate) -> Issues:
        for each in checks:
            if issues := each(value, is_template):
                return issues
        return NONE

    return check


def _weight(issues: Issues) -> tuple[int, int]:
    return sum(issue.severity == "error" for issue in issues), len(issues)


def _article(kind: str) -> str:
    return kind if kind == "null" else f"{'an' if kind[0] in 'aio' else 'a'} {kind}"


def _one_of(values: Sequence[Any]) -> str:
    words = [value if isinstance(value, str) and value else shown(value) for value in values]
    return words[0] if len(words) == 1 else f"one of {', '.join(words)}"


def _unknown(name: object, value: object, names: tuple[str, ...]) -> Issue:
    word = str(name)
    expected = f"a member of {', '.join(names)}" if names else "no members"
    if len(names) > 12:
        expected = "a member the catalogue lists"
    return Issue(
        (word,), "unknown-member", "warning", f"unknown member, {shown(value)}", expected, did_you_mean(word, names)
    )


def _missing(name: str, spec: FieldSpec, when: str = "") -> Issue:
    expected = f"it is always there{when}" if not spec.about else f"{spec.about.rstrip('.')}; required{when}"
    return Issue((name,), "missing", "warning" if spec.soft else "error", "nothing", expected)


def _marked(name: str, spec: FieldSpec) -> Issue:
    if spec.deprecated:
        return Issue(
            (name,), "deprecated", "warning", "a deprecated member", "its successor, if there is one", spec.note
        )
    return Issue(
        (name,), "audience", "warning", "a member for extensions", "nothing: it never goes to a device", spec.note
    )


def _enum_check(spec: FieldSpec) -> list[Check]:
    if not spec.enum:
        return []
    allowed = frozenset(spec.enum)
    words = tuple(value for value in spec.enum if isinstance(value, str))
    severity: Literal["error", "warning"] = "warning" if spec.enum_open else "error"

    def check(value: Any, is_template: IsTemplate) -> Issues:
        if value in allowed:
            return NONE
        mend = did_you_mean(value, words) if isinstance(value, str) else ""
        return (Issue((), "enum", severity, shown(value), _one_of(spec.enum), mend),)

    return [check]


def _range_check(spec: FieldSpec) -> list[Check]:
    low, high = spec.minimum, spec.maximum
    if low is None and high is None:
        return []
    words = " and ".join(
        text
        for text in (f"at least {low}" if low is not None else "", f"at most {high}" if high is not None else "")
        if text
    )
    unit = f" {spec.unit}" if spec.unit else ""

    def check(value: float, is_template: IsTemplate) -> Issues:
        if (low is None or value >= low) and (high is None or value <= high):
            return NONE
        return (Issue((), "range", "error", shown(value), f"{words}{unit}"),)

    return [check]


def _pattern_check(spec: FieldSpec) -> list[Check]:
    if spec.pattern is None:
        return []
    pattern = re.compile(spec.pattern, re.ASCII)

    def check(value: str, is_template: IsTemplate) -> Issues:
        if pattern.fullmatch(value):
            return NONE
        return (Issue((), "pattern", "error", shown(value), spec.about or f"text that fits {spec.pattern}"),)

    return [check]


def _string_checks(spec: FieldSpec) -> list[Check]:
    checks = [*_enum_check(spec), *_pattern_check(spec)]
    if (limit := spec.max_bytes) is not None:

        def short(value: str, is_template: IsTemplate) -> Issues:
            if len(value) * 4 <= limit or (size := len(value.encode("utf-8", "surrogatepass"))) <= limit:
                return NONE
            return (Issue((), "length", "error", f"{size} bytes of UTF-8", f"at most {limit}"),)

        checks.append(short)
    if spec.format is not None and spec.format in FORMATS:
        fits, words = FORMATS[spec.format]

        def formed(value: str, is_template: IsTemplate) -> Issues:
            if not value or fits(value):
                return NONE
            return (Issue((), "format", "error", shown(value), words),)

        checks.append(formed)
    return checks


_ISO8601: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DIGITS: Final = re.compile(r"\d{14}", re.ASCII)
_URL: Final = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


FORMATS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "iso8601": (
        lambda text: _ISO8601.fullmatch(text) is not None and _is_date(text),
        "YYYY-MM-DDThh:mm:ss, then Z or +hh:mm (ISO 8601)",
    ),
    "timestamp-digits": (
        lambda text: _DIGITS.fullmatch(text) is not None and _is_date(f"{text[:8]}T{text[8:]}"),
        "YYYYMMDDhhmmss",
    ),
    "url": (lambda text: _URL.fullmatch(text) is not None, "an address with http: or https:"),
    "uri": (lambda text: _URI.fullmatch(text) is not None, "an address with its scheme, such as https: or clova:"),
    "cid-url": (
        lambda text: _URL.fullmatch(text) is not None or (text.startswith("cid:") and len(text) > 4),
        "cid: and the Content-ID of a part of the same reply, or an address with http: or https:",
    ),
    "uuid": (lambda text: _UUID.fullmatch(text) is not None, "a UUID"),
}
"""Formats of strings: whether a text fits, and what it should look like."""

Rule = Callable[[Mapping[str, Any], IsTemplate], Issues]


def _holds(condition: Condition, value: Mapping[str, Any], is_template: IsTemplate) -> bool | None:
    """Whether a sibling has one of the values; None when that cannot be said (a template, or not there)."""
    for sibling, allowed in condition.items():
        if sibling not in value or is_template(value[sibling]):
            return None
        if value[sibling] not in allowed:
            return False
    return True


def _said(condition: Condition) -> str:
    return " and ".join(f"{sibling} is {_or(values)}" for sibling, values in condition.items())


def _or(values: Sequence[Any]) -> str:
    return " or ".join(str(value) for value in values)


def _conditions(fields: Mapping[str, FieldSpec]) -> Iterable[Rule]:
    for name, spec in fields.items():
        if spec.required_if is not None:
            yield _required_when(name, spec, spec.required_if, True, f" when {_said(spec.required_if)}")
        if spec.required_unless is not None:
            yield _required_when(name, spec, spec.required_unless, False, f" unless {_said(spec.required_unless)}")
        if spec.only_if is not None:
            yield _only_if(name, spec.only_if)
        if spec.needs is not None:
            yield _needs(name, spec.needs)


def _required_when(name: str, spec: FieldSpec, condition: Condition, wanted: bool, words: str) -> Rule:
    def rule(value: Mapping[str, Any], is_template: IsTemplate) -> Issues:
        if name not in value and _holds(condition, value, is_template) is wanted:
            return (_missing(name, spec, words),)
        return NONE

    return rule


def _only_if(name: str, condition: Condition) -> Rule:
    expected = f"nothing unless {_said(condition)}"

    def rule(value: Mapping[str, Any], is_template: IsTemplate) -> Issues:
        if name in value and _holds(condition, value, is_template) is False:
            return (Issue((name,), "condition", "warning", shown(value[name]), expected),)
        return NONE

    return rule


def _needs(name: str, sibling: str) -> Rule:
    def rule(value: Mapping[str, Any], is_template: IsTemplate) -> Issues:
        if name in value and sibling not in value:
            return (Issue((sibling,), "missing", "error", "nothing", f"{sibling} beside {name}"),)
        return NONE

    return rule


def _any_of(names: Sequence[str]) -> Rule:
    def rule(value: Mapping[str, Any], is_template: IsTemplate) -> Issues:
        if any(name in value for name in names):
            return NONE
        return (Issue((), "missing", "error", "neither", f"at least one of {', '.join(names)}"),)

    return rule


def _forms(forms: Sequence[frozenset[str]], names: Sequence[str]) -> Rule:
    known = frozenset(names)
    words = "; or ".join(", ".join(name for name in names if name in form) or "no members" for form in forms)

    def rule(value: Mapping[str, Any], is_template: IsTemplate) -> Issues:
        present = known & value.keys()
        if present in forms:
            return NONE
        found = ", ".join(name for name in names if name in present) or "no members"
        return (Issue((), "form", "error", found, words),)

    return rule


__all__ = ["Check", "Compiler", "IsTemplate", "Issue", "Issues", "below", "did_you_mean", "json_type", "never", "shown"]
