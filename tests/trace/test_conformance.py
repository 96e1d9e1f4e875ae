"""The verdict as a CI job archives it."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from mockcic.trace.conformance import (
    ConformanceReport,
    conformance_html,
    conformance_junit,
    conformance_lines,
    judge_trace,
)
from mockcic.trace.file import Trace
from mockcic.verdict.conformance import RULES
from tests.support.golden import same_as_golden
from tests.support.story import TEXT, Life

EVIL = "<script>alert(1)</script>\x1b[31m"


def report(*, strict: bool = False, evil: str = "TextRecognizer.Recognise") -> ConformanceReport:
    life = Life().connect().open().tell(1.0, TEXT, {"text": 5}, dialogue="d1").tell(2.0, evil)
    return ConformanceReport((judge_trace(Trace(tuple(life), title="run", created="2026-03-02T03:00:00Z")),), strict)


def plain(text: str, **_: object) -> str:
    return text


def test_junit_has_a_case_for_each_rule() -> None:
    """What counts fails, advice and what was not seen is skipped with its reason."""
    root = ET.fromstring(conformance_junit(report()))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert list(cases) == [rule.id for rule in RULES]
    failure = cases["message.payload"].find("failure")
    assert failure is not None
    assert "payload.text" in str(failure.get("message"))
    assert "TextRecognizer.Recognize" in str(failure.text)
    advice = cases["message.known"].find("skipped")
    assert advice is not None
    assert str(advice.get("message")).startswith("advice:")
    assert cases["audio.pace"].find("skipped") is not None
    assert len(cases["multipart.names"]) == 0
    suite = root.find("testsuite")
    assert suite is not None
    assert suite.get("failures") == "1"


def test_with_strict_advice_fails_too() -> None:
    assert report().traces[0].verdict.ok is False
    root = ET.fromstring(conformance_junit(report(strict=True)))
    assert len(root.findall(".//failure")) == 2


def test_a_page_shows_rules_evidence_and_the_map_of_contexts_and_runs_nothing() -> None:
    page = conformance_html(report(evil=EVIL))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    for word in ("message.payload", "found", "mend", "Contexts", "audio.stop-capture"):
        assert word in page


def test_a_table_for_a_terminal() -> None:
    same_as_golden("trace/conformance.txt", "\n".join(conformance_lines(report(), every=True, style=plain)) + "\n")


def test_a_run_without_a_device_is_not_ok() -> None:
    empty = ConformanceReport((judge_trace(Trace(())),))
    assert not empty.ok
    assert "no device came" in "\n".join(conformance_lines(empty, style=plain))
