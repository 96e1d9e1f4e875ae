"""The plugin as its users have it: a test file, run by pytest in a process of its own."""

from __future__ import annotations

import pytest

CLIENT = """
import ssl
import httpx

def client(cic):
    return httpx.Client(http1=False, http2=True, verify=ssl.create_default_context(cafile=str(cic.ca_file)))

def say(cic, device, text):
    body = (
        '--b\\r\\nContent-Disposition: form-data; name="metadata"\\r\\nContent-Type: application/json\\r\\n\\r\\n'
        '{"context": [], "event": {"header": {"namespace": "TextRecognizer", "name": "Recognize",'
        '"messageId": "m-%s", "dialogRequestId": "d1"}, "payload": {"text": "%s"}}}\\r\\n--b--\\r\\n' % (text, text)
    )
    with client(cic) as http:
        headers = {**device.headers, "content-type": "multipart/form-data; boundary=b"}
        return http.post(cic.url + "/v1/events", headers=headers, content=body.encode())
"""


def test_the_fixture_serves_records_and_keeps_tests_apart(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        CLIENT
        + """
def test_one(cic):
    device = cic.device()
    assert say(cic, device, "hello").status_code == 200
    event = cic.wait_for("TextRecognizer.Recognize")
    assert event.data["payload"] == {"text": "hello"}
    assert [each.name for each in cic.directives] == ["SpeechSynthesizer.Speak", "Clova.RenderText"]

def test_other(cic):
    assert cic.events == ()
    cic.load('''
scenario: own
settings: {same_connection: false}
vars: {n: 0}
on:
  - event: TextRecognizer.Recognize
    set: {n: "{{ vars.n + 1 }}"}
    exception: {code: 503, description: busy}
''')
    device = cic.device()
    assert say(cic, device, "hello").status_code == 503
    assert device.vars == {"n": 1}
    assert device.state == "start"
"""
    )
    pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_the_marker_gives_a_test_its_scenario_beside_the_test_file(pytester: pytest.Pytester) -> None:
    pytester.makefile(
        ".yaml",
        greet="scenario: greet\nsettings: {same_connection: false}\non: [{event: '*', reply: Clova.Help}]\n",
    )
    pytester.makepyfile(
        CLIENT
        + """
import pytest

@pytest.mark.cic(scenario="greet.yaml")
def test_marked(cic):
    assert "Help" in say(cic, cic.device(), "hello").text
    assert cic.scenario.scenario == "greet"
"""
    )
    pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_the_ini_file_chooses_the_scenario_of_every_test(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ncic_scenario = one.yaml\n")
    pytester.makefile(
        ".yaml", one="scenario: one\nsettings: {same_connection: false}\non: [{event: '*', exception: {code: 500}}]\n"
    )
    pytester.makepyfile(CLIENT + "\ndef test_it(cic):\n    assert say(cic, cic.device(), 'hello').status_code == 500\n")
    pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_a_wrong_scenario_fails_with_its_place(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", bad="scenario: bad\non:\n  - event: '*'\n    repply: none\n")
    pytester.makepyfile("def test_it(cic):\n    cic.load('bad.yaml')\n")
    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*bad.yaml:4:5*repply*"])


def test_an_asynchronous_test_waits_without_blocking_its_loop(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_mode = auto\n")
    pytester.makepyfile(
        CLIENT
        + """
import asyncio

async def test_it(cic):
    device = cic.device()
    waiting = asyncio.gather(device.wait_for_async("TextRecognizer.*"), asyncio.to_thread(say, cic, device, "hi"))
    entry, answer = await waiting
    assert entry.data["payload"]["text"] == "hi"
    assert answer.status_code == 200
"""
    )
    pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_tests_of_several_workers_run_beside_each_other(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        CLIENT
        + """
import pytest

@pytest.mark.parametrize("n", range(12))
def test_it(cic, n):
    device = cic.device()
    assert say(cic, device, f"n{n}").status_code == 200
    assert [event.data["payload"]["text"] for event in cic.events] == [f"n{n}"]
"""
    )
    pytester.runpytest_subprocess("-q", "-n", "2", "-p", "no:cacheprovider").assert_outcomes(passed=12)
