"""A report as JUnit XML, as Jenkins, GitLab and others read it: a suite a trace, a case a check."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final
from xml.etree import ElementTree as ET

from mockcic.trace.report import Check, Report, TraceReport

ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say at all, also not escaped; devices may send it."""


def junit(report: Report) -> str:
    """The document. What does not count is skipped, with its message."""
    root = ET.Element("testsuites", name="mockcic")
    for trace in report.traces:
        root.append(_suite(trace))
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(trace: TraceReport) -> ET.Element:
    suite = ET.Element("testsuite", name=legal(trace.title or "mockcic"), timestamp=legal(trace.created[:19]))
    suite.set("time", f"{trace.seconds:.3f}")
    seen: Counter[str] = Counter()
    for check in trace.checks:
        seen[check.name] += 1
        again = f" ({seen[check.name]})" if seen[check.name] > 1 else ""  # CI systems take one name for one case
        suite.append(_case(check, suite.get("name", ""), check.name + again))
    suite.set("tests", str(len(trace.checks)))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
    return suite


def _case(check: Check, suite: str, name: str) -> ET.Element:
    case = ET.Element("testcase", classname=suite, name=legal(name), time="0")
    if check.status == "kept":
        return case
    first = legal(check.text.partition("\n")[0] or check.status)
    if not check.counts:
        ET.SubElement(case, "skipped", message=first).text = legal(check.text)
        return case
    tag = "failure" if check.status == "broken" else "error"
    ET.SubElement(case, tag, message=first, type=check.what).text = legal(check.text)
    return case


def legal(text: str) -> str:
    """The text without what XML cannot say."""
    return ILLEGAL.sub("�", text)
