"""The verdict on devices as what a CI job archives: JUnit XML, one HTML page, JSON, lines for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as ET

import click

from mockcic.journal.entry import Entry
from mockcic.trace.dialogue import dialogue_lines, harmless
from mockcic.trace.file import Trace
from mockcic.trace.html import template
from mockcic.trace.junit import legal
from mockcic.verdict.conformance import Conformance, DeviceConformance, Limits, Recovery, Rule, RuleVerdict, judge
from mockcic.verdict.conformance.conformance import NOBODY, TOLD
from mockcic.verdict.conformance.rules import RULES

MARKS: Final[Mapping[str, str]] = {"sent": "●", "missing": "missing", "contradicts": "wrong", "absent": "–"}
"""How a cell of the map of contexts looks."""


PAUSES: Final = 8
"""Pauses between attempts that a cell shows (INF)."""


@dataclass(frozen=True, slots=True)
class JudgedTrace:
    """A trace, or a running server, with the verdict on its devices; `evidence` are the entries that verdict names.

    `unseen` are rules that the device should have been seen to keep, and was not: silence proves nothing.
    """

    title: str
    verdict: Conformance
    evidence: Mapping[int, Entry]
    created: str = ""
    version: str = ""
    seconds: float = 0.0
    dropped: int = 0
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConformanceReport:
    """Several of them; with `strict` broken advice makes it not ok, too."""

    traces: tuple[JudgedTrace, ...]
    strict: bool = False

    @property
    def ok(self) -> bool:
        """Whether there were devices and none broke a rule that counts."""
        return any(trace.verdict.devices for trace in self.traces) and all(map(self.passes, self.traces))

    def passes(self, trace: JudgedTrace) -> bool:
        """Whether nothing counts against one of them."""
        return trace.verdict.ok and not trace.unseen and not (self.strict and trace.verdict.broken)

    def counts(self, verdict: RuleVerdict) -> bool:
        """Whether a rule's verdict makes the report not ok."""
        return verdict.counts or (self.strict and verdict.status == "broken")

    def as_json(self) -> dict[str, Any]:
        """One JSON object."""
        traces = [
            {
                "title": each.title,
                "created": each.created,
                "version": each.version,
                "seconds": round(each.seconds, 3),
                "dropped": each.dropped,
                "unseen": list(each.unseen),
                **each.verdict.as_json(),
            }
            for each in self.traces
        ]
        return {"ok": self.ok, "strict": self.strict, "traces": traces}


def judge_trace(
    trace: Trace,
    limits: Limits | None = None,
    *,
    rules: Sequence[Rule] = RULES,
    profile: Any = "2021",
    until_s: float | None = None,
) -> JudgedTrace:
    """The verdict on the devices of a trace."""
    verdict = judge(trace.entries, limits, until_s=until_s, is_whole=not trace.dropped, rules=rules, profile=profile)
    first, last = (trace.entries[0].at_s, trace.entries[-1].at_s) if trace.entries else (0.0, 0.0)
    return JudgedTrace(
        title=trace.title,
        verdict=verdict,
        evidence=evidence_of(verdict, trace.entries),
        created=trace.created,
        version=trace.version,
        seconds=last - first,
        dropped=trace.dropped,
    )


def evidence_of(verdict: Conformance, entries: Iterable[Entry]) -> Mapping[int, Entry]:
    """The entries that breaks name."""
    named = {number for each in verdict.broken for broken in each.breaks for number in broken.entries}
    return {entry.number: entry for entry in entries if entry.number in named and entry.kind != "verdict"}


def evidence_lines(trace: JudgedTrace, verdict: RuleVerdict) -> list[str]:
    """The entries that a rule's breaks name, as lines of a dialogue."""
    numbers = dict.fromkeys(number for broken in verdict.breaks for number in broken.entries)
    entries = [trace.evidence[number] for number in sorted(numbers) if number in trace.evidence]
    return [click.unstyle(line) for line in dialogue_lines(entries, verdicts=False)]


# ---------------------------------------------------------------------- HTML


def conformance_html(report: ConformanceReport) -> str:
    """One page, no script, nothing from elsewhere. Everything a device sent is escaped."""
    return template("conformance.html.j2").render(
        report=report,
        nobody=NOBODY,
        groups=_groups,
        evidence=evidence_lines,
        cell=_cell,
        pauses=_pauses,
        counted=_counted,
        matrix=_matrix,
    )


def _matrix(report: ConformanceReport) -> list[tuple[str, list[tuple[str, str]]]]:
    """Rules by parts: text and class of each cell, the worst of a part's devices."""
    rows: dict[str, list[tuple[str, str]]] = {}
    for number, trace in enumerate(report.traces):
        for device in trace.verdict.devices:
            for each in device.rules:
                cells = rows.setdefault(each.rule.id, [("·", "quiet")] * len(report.traces))
                if each.status == "broken":
                    cells[number] = ("✗", "bad" if report.counts(each) else "warn")
                elif each.status == "kept" and cells[number][0] == "·":
                    cells[number] = ("●", "good")
                elif each.rule.id in trace.unseen:
                    cells[number] = ("!", "bad")
    return list(rows.items())


def _groups(device: DeviceConformance) -> list[tuple[str, list[RuleVerdict]]]:
    """The rules by the first part of their ids."""
    groups: dict[str, list[RuleVerdict]] = {}
    for each in device.rules:
        groups.setdefault(each.rule.id.partition(".")[0], []).append(each)
    return list(groups.items())


def _cell(states: Mapping[str, int] | None) -> tuple[str, str]:
    """Text and class of a cell in the map of contexts; the worst of its states is shown."""
    if not states:
        return "", ""
    for state, style in (("contradicts", "bad"), ("missing", "warn"), ("sent", "good"), ("absent", "quiet")):
        if count := states.get(state):
            often = f" {count}" if count > 1 and state != "absent" else ""
            return MARKS[state] + often, style
    return "", ""


def _pauses(recovery: Recovery) -> str:
    """Pauses between attempts, in seconds."""
    shown = ", ".join(f"{each:.2f}" for each in recovery.spacing[:PAUSES])
    return shown + (" …" if len(recovery.spacing) > PAUSES else "")


def _counted(recovery: Recovery) -> str:
    """What became of events."""
    counts = {
        "cut": recovery.cut,
        "said again": recovery.repeated,
        "lost": recovery.lost,
        "doubled": recovery.doubled,
        "without a downchannel": recovery.on_dead,
    }
    return ", ".join(f"{len(each)} {name}" for name, each in counts.items() if each)


# ---------------------------------------------------------------------- JUnit XML


def conformance_junit(report: ConformanceReport) -> str:
    """A suite a device, a case a rule; what was not seen, and advice, is skipped with its reason."""
    root = ET.Element("testsuites", name="mockcic conformance")
    for trace in report.traces:
        for device in trace.verdict.devices:
            root.append(_suite(report, trace, device))
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(report: ConformanceReport, trace: JudgedTrace, device: DeviceConformance) -> ET.Element:
    name = legal(" ".join(filter(None, (trace.title, device.device or NOBODY))))
    suite = ET.Element("testsuite", name=name, timestamp=legal(trace.created[:19]), time=f"{trace.seconds:.3f}")
    if device.recoveries:
        properties = ET.SubElement(suite, "properties")
        for number, recovery in enumerate(device.recoveries, 1):
            ET.SubElement(properties, "property", name=f"trouble {number}", value=legal(recovery.text()))
    for each in device.rules:
        case = ET.SubElement(suite, "testcase", classname=name, name=each.rule.id, time="0")
        if each.rule.id in trace.unseen:
            ET.SubElement(
                case, "failure", message="not shown: the device did nothing that it is about", type=each.rule.id
            )
        elif each.status == "not seen":
            ET.SubElement(case, "skipped", message="not seen: nothing happened that it is about")
        elif each.status == "broken":
            first = legal(f"{each.rule.says} Found {each.breaks[0].found}")
            text = legal("\n".join([each.text(), *evidence_lines(trace, each)]))
            if report.counts(each):
                ET.SubElement(case, "failure", message=first, type=each.rule.id).text = text
            else:
                ET.SubElement(case, "skipped", message=f"advice: {first}").text = text
    suite.set("tests", str(len(device.rules)))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
    return suite


# ---------------------------------------------------------------------- terminal

Style = Callable[..., str]


def conformance_lines(report: ConformanceReport, *, every: bool = False, style: Style = click.style) -> list[str]:
    """A table for a terminal: the broken rules with their evidence; `every` lists the others, too."""
    lines: list[str] = []
    for trace in report.traces:
        if trace.title:
            lines.append(style(trace.title, bold=True))
        if not trace.verdict.devices:
            lines.append("  no device came")
        for device in trace.verdict.devices:
            lines += _device_lines(report, trace, device, every, style)
        lines += [f"  {style('not shown', fg='red')} {id_}" for id_ in trace.unseen]
    lines.append(style("ok" if report.ok else "not ok", fg="green" if report.ok else "red", bold=True))
    return lines


def _device_lines(
    report: ConformanceReport, trace: JudgedTrace, device: DeviceConformance, every: bool, style: Style
) -> list[str]:
    counts = device.counts()
    agent = f"  {device.user_agent}" if device.user_agent else ""
    lines = [f"{style(device.device or NOBODY, bold=True)}{agent}"]
    lines.append(f"  {counts['kept']} kept, {counts['broken']} broken, {counts['not seen']} not seen")
    lines += [f"  {style('trouble  ', fg='magenta')} {harmless(each.text())}" for each in device.recoveries[:TOLD]]
    if len(device.recoveries) > TOLD:
        lines.append(f"            ... and {len(device.recoveries) - TOLD} more; --json has them all")
    for each in device.rules:
        if each.status != "broken" and not every:
            continue
        colour = {"kept": "green", "not seen": None, "broken": "red" if report.counts(each) else "yellow"}[each.status]
        advice = "" if each.status != "broken" or report.counts(each) else "  (advice)"
        lines.append(f"  {style(f'{each.status:<9}', fg=colour)} {each.rule.id:<28} {each.rule.says}{advice}")
        if each.status == "broken":
            lines += [f"              {line}" for line in each.text().splitlines()]
            lines += [f"              {line}" for line in evidence_lines(trace, each)[:6]]
        elif each.notes:
            lines += [f"              {note}" for note in each.notes[:1]]
    return lines
