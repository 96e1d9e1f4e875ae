"""The verdict on devices: every rule held against every device of a journal."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, get_args

from mockcic.journal.entry import Entry
from mockcic.scenario.settings import Profile
from mockcic.verdict.conformance.contexts import ContextMap, context_map, read_context_map
from mockcic.verdict.conformance.limits import LimitError, Limits
from mockcic.verdict.conformance.recovery import Recovery, read_recovery, recoveries
from mockcic.verdict.conformance.rule import Rule, RuleStatus, RuleVerdict, read_broken, try_rule
from mockcic.verdict.conformance.rules import RULES
from mockcic.verdict.conformance.story import Story, tell_stories
from mockcic.verdict.verdict import Verdict

NOBODY: Final = "a device without a token"

TOLD: Final = 20
"""Troubles of one device that a text tells one by one (INF)."""


@dataclass(frozen=True, slots=True)
class DeviceConformance:
    """One device: each rule's verdict, in the order of the rules, and what it sent along with its events."""

    device: str
    user_agent: str
    rules: tuple[RuleVerdict, ...]
    contexts: ContextMap
    recoveries: tuple[Recovery, ...] = ()
    """What it made of each trouble, in numbers."""

    @property
    def ok(self) -> bool:
        """Whether no rule is broken but such as only warn."""
        return not any(each.counts for each in self.rules)

    @property
    def broken(self) -> tuple[RuleVerdict, ...]:
        """The rules that are broken, warnings too."""
        return tuple(each for each in self.rules if each.status == "broken")

    def rule(self, id_: str) -> RuleVerdict:
        """The verdict of one rule. Raises `KeyError`."""
        found = next((each for each in self.rules if each.rule.id == id_), None)
        if found is None:
            raise KeyError(id_)
        return found

    def counts(self) -> Mapping[str, int]:
        """How many rules are kept, broken, not seen."""
        found = Counter(each.status for each in self.rules)
        return {status: found[status] for status in get_args(RuleStatus)}

    def as_json(self) -> dict[str, Any]:
        """One JSON object."""
        return {
            "device": self.device,
            "user_agent": self.user_agent,
            "ok": self.ok,
            "counts": dict(self.counts()),
            "rules": [each.as_json() for each in self.rules],
            "contexts": self.contexts.as_json(),
            "recoveries": [each.as_json() for each in self.recoveries],
        }


@dataclass(frozen=True, slots=True)
class Conformance:
    """All devices of a journal, in the order of their coming. `limits` are the numbers it was judged by."""

    devices: tuple[DeviceConformance, ...]
    limits: Mapping[str, float]

    @property
    def ok(self) -> bool:
        """Whether no device broke a rule that counts."""
        return all(device.ok for device in self.devices)

    @property
    def broken(self) -> tuple[RuleVerdict, ...]:
        """The rules that are broken by any device, warnings too."""
        return tuple(each for device in self.devices for each in device.broken)

    def rule(self, id_: str) -> RuleVerdict:
        """The verdict of a rule on the only device. Raises `KeyError`, and `ValueError` when there are several."""
        if len(self.devices) != 1:
            raise ValueError(f"found {len(self.devices)} devices, expected one; ask one of `devices`")
        return self.devices[0].rule(id_)

    def as_json(self) -> dict[str, Any]:
        """One JSON object; `read_conformance` reads it."""
        limits = {name: value if abs(value) != float("inf") else "off" for name, value in self.limits.items()}
        return {"ok": self.ok, "limits": limits, "devices": [device.as_json() for device in self.devices]}

    def text(self, *, every: bool = False) -> str:
        """For people: what is broken, why, and how to mend it; with `every` the other rules too."""
        lines: list[str] = []
        for device in self.devices:
            counts = ", ".join(f"{count} {status}" for status, count in device.counts().items())
            lines.append(f"{device.device or NOBODY}: {counts}")
            for each in device.rules:
                if each.status == "broken":
                    mild = "" if each.rule.severity == "error" else " (warning)"
                    lines.append(f"  broken    {each.rule.id}{mild}: {each.rule.says}")
                    lines += [f"              {line}" for line in each.text().splitlines()]
                elif every:
                    lines.append(f"  {each.status:<9} {each.rule.id}: {each.rule.says}")
            lines += [f"  trouble   {each.text()}" for each in device.recoveries[:TOLD]]
            if len(device.recoveries) > TOLD:
                lines.append(f"  ... and {len(device.recoveries) - TOLD} more troubles")
        return "\n".join(lines) or "no device came"

    def verdict(self, *, warnings: bool = False) -> Verdict:
        """As one verification among others, for a journal, a report and JUnit XML."""
        asked = "the devices keep the guide" + (", advice too" if warnings else "")
        bad = [each for each in self.broken if warnings or each.counts]
        if bad:
            first = bad[0]
            more = ", ".join(dict.fromkeys(each.rule.id for each in bad[1:]))
            why = f"{first.rule.id}: {first.breaks[0].found}" + (f"; also {more}" if more else "")
            return Verdict(asked, "broken", why)
        if not self.devices:
            return Verdict(asked, "error", "no device came")
        kept = sum(device.counts()["kept"] for device in self.devices)
        return Verdict(asked, "kept", f"{kept} rules are kept, none broken")

    def raise_if_broken(self, *, warnings: bool = False) -> Conformance:
        """Itself when no rule that counts is broken, with `warnings` none at all. Raises `ConformanceError`."""
        __tracebackhide__ = True  # pytest shows the line of the test
        if not self.devices or not self.ok or (warnings and self.broken):
            raise ConformanceError(self)
        return self


class ConformanceError(AssertionError):
    """A device breaks rules; the text says which, why, and how to mend it."""

    def __init__(self, conformance: Conformance) -> None:
        super().__init__(conformance.text())
        self.conformance = conformance

    def __reduce__(self) -> tuple[Any, ...]:
        """It goes from one process to another as JSON: a test run by workers shows the same text."""
        return _error_from_json, (self.conformance.as_json(),)


def _error_from_json(value: Mapping[str, Any]) -> ConformanceError:
    return ConformanceError(read_conformance(value))


def rules_but(allow: Sequence[str]) -> tuple[Rule, ...]:
    """The rules without those of these ids, wildcards allowed. Raises `LimitError` for an id that no rule has."""
    allow = (allow,) if isinstance(allow, str) else allow
    for id_ in allow:
        if not any(fnmatch.fnmatchcase(rule.id, id_) for rule in RULES):
            near = get_close_matches(id_, [rule.id for rule in RULES], 1, 0.6)
            mend = f"did you mean {near[0]}?" if near else "docs/conformance.md lists them"
            raise LimitError(f"found rule {id_!r}, expected the id of a rule; {mend}")
    return tuple(rule for rule in RULES if not any(fnmatch.fnmatchcase(rule.id, id_) for id_ in allow))


def judge(
    entries: Iterable[Entry],
    limits: Limits | None = None,
    *,
    until_s: float | None = None,
    is_whole: bool = True,
    device: str | None = None,
    rules: Sequence[Rule] = RULES,
    profile: Profile | Callable[[str], Profile] = "2021",
) -> Conformance:
    """Every rule held against every device of the entries (oldest first), or against one.

    `until_s` is the journal's time now, for a server that runs: what is overdue then is broken. Without it nothing
    is known behind the last entry. `is_whole` says that no entry was dropped. In profile `seed`, given for all or by
    the name of a device, what came after August 2017 is not asked.
    """
    limits = limits or Limits()
    stories = tell_stories(entries, until_s=until_s, is_whole=is_whole, device=device)
    devices = (
        _judge(story, limits, rules, profile(story.device) if callable(profile) else profile) for story in stories
    )
    return Conformance(tuple(devices), limits.as_json())


def _judge(story: Story, limits: Limits, rules: Sequence[Rule], profile: Profile) -> DeviceConformance:
    verdicts = tuple(try_rule(rule, story, limits, profile) for rule in rules)
    contexts, recovered = context_map(story, limits), recoveries(story, limits)
    return DeviceConformance(story.device, story.user_agent, verdicts, contexts, recovered)


def read_conformance(value: Mapping[str, Any]) -> Conformance:
    """The verdict of a JSON object, as a server gives it. Raises `ValueError` when it is none."""
    try:
        limits = {name: float("inf") if number == "off" else float(number) for name, number in value["limits"].items()}
        return Conformance(tuple(_read_device(each) for each in value["devices"]), limits)
    except KeyError as error:
        raise ValueError(f"found no member {error.args[0]}, expected a conformance verdict") from None
    except (TypeError, AttributeError) as error:
        raise ValueError(f"found something else ({error}), expected a conformance verdict") from None


def _read_device(value: Mapping[str, Any]) -> DeviceConformance:
    known = {rule.id: rule for rule in RULES}
    rules = []
    for each in value["rules"]:
        rule = known.get(each["id"]) or _unknown(each)
        rules.append(
            RuleVerdict(
                rule,
                each["verdict"],
                int(each["kept"]),
                int(each["broken"]),
                tuple(read_broken(broken) for broken in each["breaks"]),
                tuple(map(str, each["notes"])),
            )
        )
    contexts = read_context_map(value["contexts"])
    recovered = tuple(map(read_recovery, value.get("recoveries", ())))
    return DeviceConformance(str(value["device"]), str(value["user_agent"]), tuple(rules), contexts, recovered)


def _unknown(value: Mapping[str, Any]) -> Rule:
    """A rule of a server that is newer than we are."""
    id_, says, basis, source, mend = (str(value[name]) for name in ("id", "says", "basis", "source", "mend"))
    return Rule(id_, says, basis, source, value["severity"], mend, lambda story, limits: iter(()))
