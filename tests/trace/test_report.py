"""What is archived of a run: judged once, said as text, JUnit XML, HTML and JSON."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mockcic import MockCIC
from mockcic.cli import group
from mockcic.journal.entry import Entry, Kind
from mockcic.journal.filter import read_filter
from mockcic.simulator.device import Device
from mockcic.trace.file import RuleUse, Trace, write_trace
from mockcic.trace.html import html
from mockcic.trace.junit import ILLEGAL, junit
from mockcic.trace.report import make_report
from mockcic.verdict.judge import verify
from mockcic.verdict.times import exactly

MISSES = [{"rule": "light", "misses": [{"member": "payload.text", "expected": '"불"', "got": '"물"'}]}]


def entry(
    number: int, kind: Kind, name: str = "", device: str = "…4f2a", connection: str = "c1", **data: object
) -> Entry:
    return Entry(number, kind, number / 10, 0.0, device, connection, f"{connection}.1", "d1", name, data)


def trace(*entries: Entry, dropped: int = 0, uses: int = 1, title: str = "a run") -> Trace:
    return Trace(
        entries=(
            entry(1, "connect", "127.0.0.1:5", device="", tls=True),
            entry(2, "device", "new", user_agent="A/b/1.0.0 (Linux;x)", tags=[]),
            *entries,
        ),
        title=title,
        created="2026-03-02T12:00:00+00:00",
        version="1.0.0",
        dropped=dropped,
        rules=(RuleUse("lamp", "light", uses),),
        scenarios={},
        blobs={},
    )


GOOD = trace(
    entry(3, "event", "Clova.Ask", payload={"text": "불"}),
    entry(4, "match", "light", scenario="lamp"),
    entry(5, "verdict", "Clova.Ask exactly once", device="", status="kept", why="it came once"),
)
UNMATCHED = entry(6, "match", scenario="lamp", event="Clova.Ask", nearest=MISSES)
WARNING = entry(7, "finding", "a.b", severity="warning", found="x", expected="y", mend="z")
ERROR = entry(8, "finding", "c.d", severity="error", found="<script>", expected="y", mend="")
BROKEN = entry(9, "verdict", "Clova.Ask exactly once", device="", status="broken", why="it came 2 times")


def statuses(one: Trace) -> dict[str, str]:
    (judged,) = make_report([one]).traces
    return {check.name: check.status for check in judged.checks}


def test_a_good_run_is_ok_and_says_who_was_there() -> None:
    report = make_report([GOOD])
    (judged,) = report.traces
    (device,) = judged.devices
    assert report.ok
    assert (device.name, device.user_agent, device.scenarios) == ("…4f2a", "A/b/1.0.0 (Linux;x)", ("lamp",))
    assert [each.kind for each in device.entries] == ["connect", "device", "event", "match"]
    assert set(statuses(GOOD).values()) == {"kept"}


@pytest.mark.parametrize(
    ("one", "name", "ok"),
    [
        (trace(BROKEN), "Clova.Ask exactly once", False),
        (trace(UNMATCHED), "every event finds a rule", False),
        (trace(ERROR), "no errors of devices", False),
        (trace(WARNING), "no departures from the documents", True),
        (trace(uses=0), "every rule answers at least once", True),
    ],
)
def test_what_is_wrong_is_listed_and_counts_where_it_should(one: Trace, name: str, ok: bool) -> None:
    assert statuses(one)[name] == "broken"
    assert make_report([one]).ok is ok
    everything = ["verdicts", "unmatched", "errors", "warnings", "unused"]
    assert not make_report([one], fail_on=everything).ok
    assert make_report([one], fail_on=[]).ok


def test_what_was_dropped_proves_nothing_absent() -> None:
    judged = make_report([trace(dropped=3)])
    assert not judged.ok
    assert statuses(trace(dropped=3))["every event finds a rule"] == "error"
    assert statuses(trace(UNMATCHED, dropped=3))["every event finds a rule"] == "broken"


def test_that_a_rule_was_used_is_proven_by_one_entry_that_it_was_not_by_all() -> None:
    name = "every rule answers at least once"
    assert statuses(trace(dropped=3))[name] == "kept"
    assert statuses(trace(dropped=3, uses=0))[name] == "error"


def test_an_event_says_who_a_device_is_when_its_beginning_was_dropped() -> None:
    late = Trace(
        entries=(entry(9, "event", "Clova.Ask", payload={}, request={"user-agent": "A/b/2.0.0 (Linux;x)"}),), dropped=8
    )
    assert make_report([late]).traces[0].devices[0].user_agent == "A/b/2.0.0 (Linux;x)"


def test_what_a_page_shows_may_lack_any_member() -> None:
    """Refusals before an event was read have none; traces of other versions may lack more."""
    bare = trace(
        entry(3, "exception", "System.Exception"), entry(4, "answer", "x", lost=True), entry(5, "finding", "a")
    )
    assert "given up by the device" in html(make_report([bare]))
    ET.fromstring(junit(make_report([bare])))


def test_junit_names_each_case_once() -> None:
    root = ET.fromstring(junit(make_report([trace(BROKEN, BROKEN)])))
    names = [case.get("name") for case in root.iter("testcase")]
    assert names[:2] == ["Clova.Ask exactly once", "Clova.Ask exactly once (2)"]
    assert len(set(names)) == len(names)


def test_an_event_without_a_rule_says_which_was_nearest() -> None:
    (judged,) = make_report([trace(UNMATCHED)]).traces
    check = next(check for check in judged.checks if check.what == "unmatched")
    assert check.text.splitlines() == [
        "+0.600 …4f2a no rule fits Clova.Ask",
        '  nearest: light: payload.text: expected "불", got "물"',
    ]


def test_junit_has_a_suite_a_trace_and_a_case_a_check() -> None:
    root = ET.fromstring(junit(make_report([GOOD, trace(UNMATCHED, ERROR, WARNING, BROKEN, title="bad", dropped=1)])))
    assert root.attrib == {"name": "mockcic", "tests": "10", "failures": "3", "errors": "0", "skipped": "1"}
    good, bad = root
    assert (good.get("name"), good.get("failures"), len(good)) == ("a run", "0", 5)
    cases = {case.get("name"): [child.tag for child in case] for case in bad}
    assert cases == {
        "Clova.Ask exactly once": ["failure"],
        "every event finds a rule": ["failure"],
        "no errors of devices": ["failure"],
        "no departures from the documents": ["skipped"],
        "every rule answers at least once": [],
    }
    failure = bad.find("testcase[@name='every event finds a rule']/failure")
    assert failure is not None
    assert "nearest: light" in (failure.text or "")


@given(st.text())
def test_junit_is_xml_whatever_a_device_sends(text: str) -> None:
    one = trace(entry(3, "finding", text, severity="error", found=text, expected=text, mend=text), title=text)
    assert not ILLEGAL.search(junit(make_report([one])).replace("\r", ""))
    ET.fromstring(junit(make_report([one])))


def test_the_page_stands_alone_and_escapes_what_devices_send() -> None:
    evil = "<script>alert(1)</script>"
    page = html(
        make_report([trace(entry(3, "event", evil, payload={"text": evil}), ERROR, UNMATCHED, title=evil, dropped=2)])
    )
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    assert page.count("<svg") == 1
    assert "2 older entries were dropped" in page
    assert "nearest: light" in page


def test_the_page_of_several_traces_has_a_table_of_them() -> None:
    page = html(make_report([GOOD, trace(BROKEN, title="bad")]))
    assert '<a href="#trace-2">bad</a>' in page
    assert page.count("<svg") == 2


def test_the_command_writes_files_and_exits_by_the_verdict(tmp_path: Path) -> None:
    folder = tmp_path
    write_trace(folder / "good.cictrace", GOOD)
    write_trace(folder / "bad.cictrace", trace(BROKEN))
    run = CliRunner().invoke
    paths = [str(folder / name) for name in ("junit.xml", "report.html")]
    good = run(group, ["report", str(folder / "good.cictrace"), "--junit", paths[0], "--html", paths[1]])
    assert (good.exit_code, good.output.splitlines()[-1]) == (0, "ok")
    assert Path(paths[0]).read_text().startswith("<?xml")
    assert Path(paths[1]).read_text().startswith("<!doctype html>")
    bad = run(group, ["report", str(folder / "good.cictrace"), str(folder / "bad.cictrace")])
    assert (bad.exit_code, bad.output.splitlines()[-1]) == (1, "not ok")
    assert "            it came 2 times" in bad.output
    assert run(group, ["report", str(folder / "bad.cictrace"), "--fail-on", "none"]).exit_code == 0
    assert run(group, ["report", str(folder / "bad.cictrace"), "--junit", "-"]).output.startswith("<?xml")
    assert run(group, ["report", str(folder / "bad.cictrace"), "--fail-on", "all"]).exit_code == 2
    assert run(group, ["report", str(folder / "bad.cictrace"), "--fail-on", ""]).exit_code == 2
    assert run(group, ["report", str(folder / "bad.cictrace"), "--junit", "-", "--json"]).exit_code == 2
    as_json = run(group, ["report", str(folder / "good.cictrace"), "--json"])
    assert as_json.output.startswith('{"ok": true, "traces": [{"title": "a run"')


def test_a_broken_verification_is_told_field_by_field_and_never_cut() -> None:
    """In JUnit XML, on the page and on the terminal: who reads them has no files of ours."""
    long = "긴 글 " * 2000
    came = entry(3, "event", "Clova.Ask", payload={"text": long, "lang": "ko"})
    verdict = verify([came], read_filter({"name": "Clova.Ask", "payload": {"text": "물", "lang": "ko"}}), exactly(1))
    report = make_report([trace(came, entry(9, "verdict", verdict.asked, device="", **verdict.members()))])
    for text in (ET.fromstring(junit(report)).findtext(".//failure") or "", html(report)):
        assert "it did not come" in text
        assert re.search(r"✗ payload.text +expected 물 +got .*긴 글", text)
        assert long in text
        assert re.search(r"\n +payload.lang +expected ko\n", text)


@pytest.mark.parametrize("wrong", [5, [5], [{"entry": 5}], [{"entry": {}, "comparisons": 5}], {"a": 1}])
def test_a_verdict_of_a_strange_trace_is_told_as_far_as_it_can_be(wrong: object) -> None:
    for member in ("came", "nearest", "others"):
        members = {"came": [], "nearest": [], "others": [], "status": "broken", "why": "so it is"} | {member: wrong}
        (judged,) = make_report([trace(entry(9, "verdict", "asked", device="", **members))]).traces
        assert (judged.checks[0].status, judged.checks[0].text.partition("\n")[0]) == ("broken", "so it is")


async def test_a_running_server_is_reported_too() -> None:
    with MockCIC("scenario: narrow\non: [{event: Clova.Never}]\n", control_port=0) as mock:
        async with Device(mock.url, ca_file=mock.ca_file, token="desk-1", pace=0) as device:
            await device.say_text("안녕")
        arguments = ["report", "--control", mock.control_url or ""]
        result = await asyncio.to_thread(CliRunner().invoke, group, arguments)
    assert result.exit_code == 1
    assert "no rule fits TextRecognizer.Recognize" in result.output
