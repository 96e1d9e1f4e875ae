"""What a rule is, and what it says of a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mockcic.verdict.conformance.limits import Limits
from mockcic.verdict.conformance.story import Story

Severity = Literal["error", "warning"]
RuleStatus = Literal["kept", "broken", "not seen"]

EVIDENCE: Final = 20
"""Breaks of one rule that are told one by one; the rest is counted (INF)."""

NOTES: Final = 3
"""Measured things of one rule that are told, the most telling first (INF)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Once the rule was kept, by what `entry` (its number) tells. `note` is a measured thing worth telling."""

    entry: int = 0
    note: str = ""
    weight: float = 0.0
    """Of notes those with the greatest weight are told."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Once it was broken: what was found, what was expected, the numbers of the entries that show it.

    `mend` where this one is to be mended in another way than the rule says.
    """

    found: str
    expected: str
    entries: tuple[int, ...] = ()
    mend: str = ""

    def as_json(self) -> dict[str, Any]:
        """One JSON object."""
        value: dict[str, Any] = {"found": self.found, "expected": self.expected, "entries": list(self.entries)}
        return {**value, "mend": self.mend} if self.mend else value


Case = Kept | Broken
Judge = Callable[[Story, Limits], Iterator[Case]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing a device must do: `says` in one sentence.

    `basis` are the tags of PROTOCOL section 0 (G, S, DEV, RFC ..., INF for our own reading: a failure because of INF
    proves nothing about real CIC), `source` the place. `mend` is what the maker of the device does about a break.
    `whole`: it can only be judged when no entry of the device was dropped from the journal. `seed`: it can be asked of
    a device written to the seed of August 2017, too (PROTOCOL section 0).
    """

    id: str
    says: str
    basis: str
    source: str
    severity: Severity
    mend: str
    judge: Judge
    whole: bool = False
    seed: bool = True

    def as_json(self) -> dict[str, Any]:
        """What it is, without what it saw."""
        return {
            "id": self.id,
            "says": self.says,
            "basis": self.basis,
            "source": self.source,
            "severity": self.severity,
            "mend": self.mend,
        }


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What a rule says of a device: how often it was seen kept and broken, the breaks, what was measured."""

    rule: Rule
    status: RuleStatus
    kept: int = 0
    broken: int = 0
    breaks: tuple[Broken, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it makes the device fail: broken, and no mere warning."""
        return self.status == "broken" and self.rule.severity == "error"

    def as_json(self) -> dict[str, Any]:
        """One JSON object; `read_conformance` reads it."""
        return {
            **self.rule.as_json(),
            "verdict": self.status,
            "kept": self.kept,
            "broken": self.broken,
            "breaks": [each.as_json() for each in self.breaks],
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """Why it is broken, for people: each break with its entries, then how to mend it."""
        lines: list[str] = []
        mends: list[str] = []
        for each in self.breaks:
            entries = ", ".join(map(str, each.entries))
            lines += [
                f"found     {each.found}" + (f"  (entry {entries})" if entries else ""),
                f"expected  {each.expected}",
            ]
            if (mend := each.mend or self.rule.mend) not in mends:
                mends.append(mend)
        if self.broken > len(self.breaks):
            lines.append(f"... and {self.broken - len(self.breaks)} more")
        lines += [f"mend      {mend}" for mend in mends]
        lines.append(f"basis     {self.rule.basis}: {self.rule.source}")
        return "\n".join(lines)


def try_rule(rule: Rule, story: Story, limits: Limits, profile: str = "2021") -> RuleVerdict:
    """Hold a device's story against one rule."""
    if profile == "seed" and not rule.seed:
        return RuleVerdict(rule, "not seen", notes=("the seed of August 2017 does not know it",))
    if rule.whole and not story.is_whole:
        return RuleVerdict(rule, "not seen", notes=("older entries of the device were dropped",))
    kept = broken = 0
    breaks: list[Broken] = []
    notes: list[Kept] = []
    for case in rule.judge(story, limits):
        if isinstance(case, Broken):
            broken += 1
            if len(breaks) < EVIDENCE:
                breaks.append(case)
        else:
            kept += 1
            if case.note:
                notes.append(case)
    status: RuleStatus = "broken" if broken else "kept" if kept else "not seen"
    notes.sort(key=lambda each: -each.weight)
    told = tuple(dict.fromkeys(each.note for each in notes))[:NOTES]
    return RuleVerdict(rule, status, kept, broken, tuple(breaks), told)


def read_broken(value: Mapping[str, Any]) -> Broken:
    """The break of a JSON object. Raises `KeyError`, `TypeError`, `ValueError`."""
    return Broken(
        str(value["found"]),
        str(value["expected"]),
        tuple(int(each) for each in value["entries"]),
        str(value.get("mend", "")),
    )
