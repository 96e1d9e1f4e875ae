"""What members of one object ask of each other: conditions, needs, forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mockcic.cic.field import Condition, FieldSpec
from mockcic.cic.issue import NONE, Issue, Issues, IsTemplate, missing, shown

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


def conditions(fields: Mapping[str, FieldSpec]) -> Iterable[Rule]:
    """The rules of `required_if`, `required_unless`, `only_if` and `needs`."""
    for name, spec in fields.items():
        if spec.required_if is not None:
            yield _required_when(name, spec, spec.required_if, f" when {_said(spec.required_if)}", wanted=True)
        if spec.required_unless is not None:
            yield _required_when(
                name, spec, spec.required_unless, f" unless {_said(spec.required_unless)}", wanted=False
            )
        if spec.only_if is not None:
            yield _only_if(name, spec.only_if)
        if spec.needs is not None:
            yield _needs(name, spec.needs)


def _required_when(name: str, spec: FieldSpec, condition: Condition, words: str, *, wanted: bool) -> Rule:
    def rule(value: Mapping[str, Any], is_template: IsTemplate) -> Issues:
        if name not in value and _holds(condition, value, is_template) is wanted:
            return (missing(name, spec, words),)
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


def any_of(names: Sequence[str]) -> Rule:
    """At least one of these members is there."""

    def rule(value: Mapping[str, Any], is_template: IsTemplate) -> Issues:
        if any(name in value for name in names):
            return NONE
        return (Issue((), "missing", "error", "neither", f"at least one of {', '.join(names)}"),)

    return rule


def forms(allowed: Sequence[frozenset[str]], names: Sequence[str]) -> Rule:
    """The known members there are one of these sets; `names` are all known ones."""
    known = frozenset(names)
    words = "; or ".join(", ".join(name for name in names if name in form) or "no members" for form in allowed)

    def rule(value: Mapping[str, Any], is_template: IsTemplate) -> Issues:
        present = known & value.keys()
        if present in allowed:
            return NONE
        found = ", ".join(name for name in names if name in present) or "no members"
        return (Issue((), "form", "error", found, words),)

    return rule


__all__ = ["Rule", "any_of", "conditions", "forms"]
