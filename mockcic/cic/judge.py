"""Payloads against the catalogue: field specs compiled into checks, each a function from a value to its issues.

Checks are made once and called for every event, so a good value costs no more than looking at it: paths are put
together only where there is an issue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from mockcic.cic import sibling
from mockcic.cic.constraint import enum_check, pattern_check, range_check, string_checks
from mockcic.cic.field import JSON_TYPES, FieldSpec
from mockcic.cic.issue import (
    MOST,
    NONE,
    Check,
    Issue,
    Issues,
    IsTemplate,
    article,
    below,
    did_you_mean,
    json_type,
    missing,
    never,
    one_of,
    shown,
)

_CLASSES: Final = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
"""What a JSON parser makes, looked up first; `json_type` also knows their kin."""


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
        rules = list(sibling.conditions(fields))
        if forms:
            rules.append(sibling.forms(forms, names))
        if any_of:
            rules.append(sibling.any_of(any_of))
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
                if len(found) >= MOST:
                    break
            for name, spec in required:
                if name not in value:
                    found.append(missing(name, spec))
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
        by_class = {kind: by_type[name] for kind, name in _CLASSES.items() if name in by_type}
        expected = self._words(spec)

        def check(value: Any, is_template: IsTemplate) -> Issues:
            if is_template is not never and is_template(value):
                return NONE
            alternatives = by_class.get(type(value)) or by_type.get(json_type(value))
            if alternatives is None:
                if value is None:
                    return NONE if spec.nullable else (Issue((), "null", "error", "null", expected),)
                return (Issue((), "type", "error", f"{article(json_type(value))} {shown(value)}", expected),)
            if len(alternatives) == 1:
                return alternatives[0](value, is_template)
            return min((alternative(value, is_template) for alternative in alternatives), key=_weight)

        return check

    def _typed(self, name: str, spec: FieldSpec) -> Check:
        if name not in JSON_TYPES:
            return self._of_named_type(name, spec)
        match name:
            case "string":
                return _all(string_checks(spec))
            case "integer" | "number":
                return _all([*enum_check(spec), *range_check(spec)])
            case "object":
                return self._object(spec)
            case "array":
                return self._array(spec)
        return _all(enum_check(spec))

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
        inner = _all([*enum_check(content), *pattern_check(content)])

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
                    if len(found) >= MOST:
                        break
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
                    if len(found) >= MOST:
                        break
            return found or NONE

        return check

    def _words(self, spec: FieldSpec) -> str:
        """What a value has to be, in words: `a string or an object (StringObject)`."""
        words = [article(name) if name in JSON_TYPES else f"an object ({name})" for name in spec.types]
        if spec.enum and not spec.enum_open and len(spec.enum) <= 6:
            words = [f"{words[0]}, {one_of(spec.enum)}"]
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


def _unknown(name: object, value: object, names: tuple[str, ...]) -> Issue:
    word = str(name)
    expected = f"a member of {', '.join(names)}" if names else "no members"
    if len(names) > 12:
        expected = "a member the catalogue lists"
    return Issue(
        (word,), "unknown-member", "warning", f"unknown member, {shown(value)}", expected, did_you_mean(word, names)
    )


def _marked(name: str, spec: FieldSpec) -> Issue:
    if spec.deprecated:
        return Issue(
            (name,), "deprecated", "warning", "a deprecated member", "its successor, if there is one", spec.note
        )
    return Issue(
        (name,), "audience", "warning", "a member for extensions", "nothing: it never goes to a device", spec.note
    )


__all__ = ["Compiler"]
