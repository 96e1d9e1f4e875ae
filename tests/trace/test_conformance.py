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

SETTING = {"configuration": {"VoiceTypeChange": "v1"}}

EVIL = "<script>alert(1)</script>\x1b[31m"


def report(*, strict: bool = False, evil: str = "TextRecognizer.Recognise") -> ConformanceReport:
    life = Life().connect().open().tell(1.0, TEXT, {"text": 5}, dialogue="d1").tell(2.0, evil)
    return ConformanceReport((judge_trace(Trace(tuple(life), title="run", created="2026-03-02T03:00:00Z")),), strict)


def troubled(name: str = "hang_up") -> ConformanceReport:
    """A report was cut, and two attempts were struck before the line was back."""
    life = Life().connect().open().event(4.9, "Settings.Report", SETTING).fault(5.0, name, name=name).cut(5.0)
    life.close(5.0, "connection lost").disconnect(5.0, f"fault {name}")
    for number, at in enumerate((6.0, 8.0), 2):
        where = {"connection": f"c{number}"}
        life.connect(at, **where).fault(at, name, name=name, on="accept", **where).disconnect(
            at, f"fault {name}", **where
        )
    life.back(12.0, "c9").tell(13.0, "Settings.Report", SETTING, connection="c9").idle(60.0)
    return ConformanceReport((judge_trace(Trace(tuple(life), title="run", created="2026-03-02T03:00:00Z")),))


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


def test_troubles_are_told_with_their_numbers_everywhere() -> None:
    found = troubled()
    line = (
        "+5.000 fault hang_up ×3; back after 7.01 s; 3 attempts; the first after 1.00 s; then 2.00, 4.00 s apart, "
        "growing; events: 1 cut, 1 said again"
    )
    assert f"  trouble   {line}" in conformance_lines(found, style=plain)
    root = ET.fromstring(conformance_junit(found))
    assert [each.get("value") for each in root.iter("property")] == [line]
    page = conformance_html(found)
    for text in ("<h3>Troubles</h3>", "fault hang_up ×3", "7.01 s", "2.00, 4.00", "1 cut, 1 said again"):
        assert text in page
    (recovery,) = found.as_json()["traces"][0]["devices"][0]["recoveries"]
    assert (recovery["back_s"], recovery["attempts"], recovery["spacing"]) == (7.01, 3, [2.0, 4.0])


def test_without_trouble_nothing_is_told_of_it() -> None:
    assert "Troubles" not in conformance_html(report())
    assert not list(ET.fromstring(conformance_junit(report())).iter("property"))


def test_the_name_of_a_fault_is_escaped() -> None:
    page = conformance_html(troubled(EVIL))
    assert "<script>" not in page
    assert not any("\x1b" in each for each in conformance_lines(troubled(EVIL), style=plain))
    ET.fromstring(conformance_junit(troubled(EVIL)))
