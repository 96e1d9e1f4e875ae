"""What a CI job archives of a run: what was verified, what no rule fitted, what devices did wrong, rules never used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from mockcic.journal.entry import Entry
from mockcic.trace.dialogue import miss_text, why_text
from mockcic.trace.file import RuleUse, Trace
from mockcic.verdict.verdict import Status, verdict_of

What = Literal["verdicts", "unmatched", "errors", "warnings", "unused"]

WHATS: Final[tuple[What, ...]] = get_args(What)
FAIL_ON: Final[tuple[What, ...]] = ("verdicts", "unmatched", "errors")
"""What makes a report not ok unless told otherwise: warnings and unused rules are only listed (INF)."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was judged. `counts`: it decides whether the report is ok; `text` is for people, several lines."""

    what: What
    name: str
    status: Status
    text: str
    counts: bool

    @property
    def ok(self) -> bool:
        """Whether it leaves the report ok."""
        return self.status == "kept" or not self.counts


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """One device: who it was, and what happened with it, its connects too."""

    name: str
    user_agent: str
    scenarios: tuple[str, ...]
    entries: tuple[Entry, ...]

    def count(self, kind: str) -> int:
        """How many entries of a kind there are."""
        return sum(entry.kind == kind for entry in self.entries)


@dataclass(frozen=True, slots=True)
class TraceReport:
    """One trace, judged."""

    title: str
    created: str
    version: str
    dropped: int
    devices: tuple[DeviceReport, ...]
    rules: tuple[RuleUse, ...]
    checks: tuple[Check, ...]
    unmatched: tuple[Entry, ...]
    findings: tuple[Entry, ...]
    exceptions: tuple[Entry, ...]
    lost: tuple[Entry, ...]

    @property
    def ok(self) -> bool:
        """Whether every check that counts is kept."""
        return all(check.ok for check in self.checks)

    @property
    def seconds(self) -> float:
        """From the first entry to the last."""
        times = [entry.at_s for device in self.devices for entry in device.entries]
        return max(times) - min(times) if times else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """All traces of a run."""

    traces: tuple[TraceReport, ...]

    @property
    def ok(self) -> bool:
        """Whether all of them are."""
        return all(trace.ok for trace in self.traces)

    def as_json(self) -> dict[str, Any]:
        """One JSON object."""
        return {"ok": self.ok, "traces": [_trace_json(trace) for trace in self.traces]}


def make_report(traces: Sequence[Trace], *, fail_on: Collection[str] = FAIL_ON) -> Report:
    """Judge traces. `fail_on` are those of WHATS that decide whether it is ok."""
    return Report(tuple(_judge(trace, fail_on) for trace in traces))


def _judge(trace: Trace, fail_on: Collection[str]) -> TraceReport:
    unmatched = tuple(entry for entry in trace.entries if entry.kind == "match" and not entry.name)
    findings = tuple(entry for entry in trace.entries if entry.kind == "finding")
    return TraceReport(
        title=trace.title,
        created=trace.created,
        version=trace.version,
        dropped=trace.dropped,
        devices=tuple(_device(name, trace) for name in trace.devices),
        rules=trace.rules,
        checks=tuple(_checks(trace, unmatched, findings, fail_on)),
        unmatched=unmatched,
        findings=findings,
        exceptions=tuple(entry for entry in trace.entries if entry.kind == "exception"),
        lost=tuple(entry for entry in trace.entries if entry.kind == "answer" and entry.data.get("lost")),
    )


def _device(name: str, trace: Trace) -> DeviceReport:
    own = [entry for entry in trace.entries if entry.device == name]
    connections = {entry.connection for entry in own if entry.connection}
    connects = [entry for entry in trace.entries if entry.kind == "connect" and entry.connection in connections]
    scenarios = dict.fromkeys(entry.data.get("scenario", "") for entry in own if entry.kind == "match")
    return DeviceReport(
        name=name,
        user_agent=_user_agent(own),
        scenarios=tuple(scenario for scenario in scenarios if scenario),
        entries=tuple(sorted([*own, *connects], key=lambda entry: entry.number)),
    )


def _user_agent(entries: Sequence[Entry]) -> str:
    """What it said when it was new, or with an event, where that entry is gone."""
    for entry in entries:
        if entry.kind == "device" and entry.data.get("user_agent"):
            return str(entry.data["user_agent"])
        if entry.kind == "event" and entry.data.get("request", {}).get("user-agent"):
            return str(entry.data["request"]["user-agent"])
    return ""


def _checks(
    trace: Trace, unmatched: Sequence[Entry], findings: Sequence[Entry], fail_on: Collection[str]
) -> Iterator[Check]:
    for entry in trace.entries:
        if entry.kind == "verdict":
            text = why_text(entry, keep=None)  # whole: whoever reads a report has no files of ours
            yield Check("verdicts", entry.name, verdict_of(entry).status, text, "verdicts" in fail_on)

    def proven_absent(what: What, name: str, wrong: list[str]) -> Check:
        if wrong:
            return Check(what, name, "broken", "\n".join(wrong), what in fail_on)
        if trace.dropped:
            why = f"{trace.dropped} entries were dropped; there may have been some among them"
            return Check(what, name, "error", why, what in fail_on)
        return Check(what, name, "kept", "", what in fail_on)

    yield proven_absent("unmatched", "every event finds a rule", [unmatched_text(entry) for entry in unmatched])
    errors = [finding_text(entry) for entry in findings if entry.data.get("severity") == "error"]
    warnings = [finding_text(entry) for entry in findings if entry.data.get("severity") != "error"]
    yield proven_absent("errors", "no errors of devices", errors)
    yield proven_absent("warnings", "no departures from the documents", warnings)
    yield _rules(trace, counts="unused" in fail_on)


def _rules(trace: Trace, *, counts: bool) -> Check:
    """A use is proven by one entry; that there was none, only by a whole journal."""
    name = "every rule answers at least once"
    unused = "\n".join(f"{rule.rule} ({rule.scenario})" for rule in trace.rules if not rule.uses)
    if unused and trace.dropped:
        why = f"{trace.dropped} entries were dropped; perhaps these were used:\n{unused}"
        return Check("unused", name, "error", why, counts)
    return Check("unused", name, "broken" if unused else "kept", unused, counts)


def unmatched_text(entry: Entry) -> str:
    """An event without a rule: which rules were nearest, and why they did not fit."""
    lines = [f"{entry.at_s:+.3f} {entry.device} no rule fits {entry.data.get('event', '')}"]
    lines += [
        f"  nearest: {near.get('rule')}: {'; '.join(miss_text(miss) for miss in near.get('misses', ()))}"
        for near in entry.data.get("nearest", ())
    ]
    return "\n".join(lines)


def finding_text(entry: Entry) -> str:
    """A departure of a device: what was found, what was expected, how to mend it."""
    data = entry.data
    mend = f"; {data['mend']}" if data.get("mend") else ""
    where = " ".join(each for each in (f"{entry.at_s:+.3f}", entry.device, entry.stream) if each)
    return f"{where} {entry.name}: found {data.get('found', '')}; expected {data.get('expected', '')}{mend}"


def _trace_json(trace: TraceReport) -> dict[str, Any]:
    return {
        "title": trace.title,
        "ok": trace.ok,
        "created": trace.created,
        "dropped": trace.dropped,
        "devices": [
            {
                "device": device.name,
                "user_agent": device.user_agent,
                "scenarios": list(device.scenarios),
                "events": device.count("event"),
                "directives": device.count("directive"),
            }
            for device in trace.devices
        ],
        "rules": [{"scenario": rule.scenario, "rule": rule.rule, "uses": rule.uses} for rule in trace.rules],
        "checks": [
            {"what": check.what, "name": check.name, "status": check.status, "counts": check.counts, "text": check.text}
            for check in trace.checks
        ],
        "findings": [entry.as_json() for entry in trace.findings],
        "unmatched": [entry.as_json() for entry in trace.unmatched],
        "exceptions": [entry.as_json() for entry in trace.exceptions],
        "lost": [entry.as_json() for entry in trace.lost],
    }


__all__ = ["FAIL_ON", "WHATS", "Check", "DeviceReport", "Report", "TraceReport", "make_report"]
