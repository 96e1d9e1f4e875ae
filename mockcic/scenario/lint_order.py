"""Rules that can never win, because one before them takes every event they would."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import combinations
from typing import Final

from mockcic.scenario.model import Rule

_MANY: Final = 6
"""Of rules with more conditions than these not every subset is looked up."""


class Order:
    """The rules of one file so far, found again by what they ask for; a set of thousands is told in a second."""

    def __init__(self) -> None:
        self._plain: dict[tuple[frozenset[str], str], list[tuple[int, Rule]]] = {}
        self._wild: dict[frozenset[str], list[tuple[int, Rule]]] = {}

    def add(self, number: int, rule: Rule) -> int | None:
        """The number of an earlier rule that fits whenever this one does, for ever; else this one is kept in mind."""
        for found, earlier in self._candidates(rule):
            if always_first(earlier, rule):
                return found
        if rule.times is None and rule.event:
            asked = frozenset(_questions(rule))
            if any(sign in pattern for pattern in rule.event for sign in "*?["):
                self._wild.setdefault(asked, []).append((number, rule))
            else:
                for name in rule.event:
                    self._plain.setdefault((asked, name), []).append((number, rule))
        return None

    def _candidates(self, rule: Rule) -> Iterator[tuple[int, Rule]]:
        """An earlier rule asks for no more than this one does, and is about its first event too."""
        if not rule.event:
            return
        questions = _questions(rule)
        sizes = range(len(questions) + 1) if len(questions) <= _MANY else (0, len(questions))
        for size in sizes:
            for asked in map(frozenset, combinations(questions, size)):
                yield from self._plain.get((asked, rule.event[0]), ())
                yield from self._wild.get(asked, ())


def always_first(earlier: Rule, later: Rule) -> bool:
    """Whether `earlier`, which has no `times`, fits whenever `later` does; False when it is not certain."""
    if earlier.in_ and not (later.in_ and set(later.in_) <= set(earlier.in_)):
        return False
    if any(later.when.get(member) != condition for member, condition in earlier.when.items()):
        return False
    return all(any(_covers(wide, narrow) for wide in earlier.event) for narrow in later.event)


def _questions(rule: Rule) -> list[str]:
    return [f"{member}: {condition!r}" for member, condition in rule.when.items()]


def _covers(wide: str, narrow: str) -> bool:
    """Whether every name that fits `narrow` fits `wide`; False when it is not certain."""
    if wide == narrow:
        return True
    if any(sign in wide or sign in narrow for sign in "[]") or ("*" in narrow and "?" in wide):
        return False
    return fnmatchcase(narrow, wide)


__all__ = ["Order", "always_first"]
