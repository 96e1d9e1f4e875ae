"""The plugin as its users have it: a test file, run by pytest.

In this process, where a start costs a tenth of one in a process of its own; the first test, workers and wrong options
have that too.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest

from mockcic import MockCIC
from mockcic.trace.file import read_trace

LEAN = (
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:schemathesis",
    "-p",
    "no:hypothesispytest",
    "-W",
    "ignore::pytest.PytestDeprecationWarning",
)
"""Without what only our own tests have: it takes seconds to import."""


class Imported:
    """Keeps what a run imported, but for its own test files: pytester forgets it all, and few modules bear that."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._modules: dict[str, ModuleType] = {}

    def pytest_unconfigure(self) -> None:
        for name, module in list(sys.modules.items()):
            if not (getattr(module, "__file__", None) or "").startswith(str(self._folder)):
                self._modules[name] = module

    def keep(self) -> None:
        sys.modules.update(self._modules)


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run the tests that `pytester` made, with a server of their own; what warns there is no error, as at home."""
    imported = Imported(pytester.path)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        result = pytester.runpytest_inprocess(*LEAN, *arguments, plugins=[imported])
    imported.keep()
    return result


CLIENT = """
import ssl
import httpx

def client(cic):
    trust = ssl.create_default_context(cafile=str(cic.ca_file))
    return httpx.Client(http1=False, http2=True, verify=trust, timeout=60)

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
    event = cic.wait("TextRecognizer.Recognize")
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
    run(pytester).assert_outcomes(passed=1)


def test_the_ini_file_chooses_the_scenario_of_every_test(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ncic_scenario = one.yaml\n")
    pytester.makefile(
        ".yaml", one="scenario: one\nsettings: {same_connection: false}\non: [{event: '*', exception: {code: 500}}]\n"
    )
    pytester.makepyfile(CLIENT + "\ndef test_it(cic):\n    assert say(cic, cic.device(), 'hello').status_code == 500\n")
    run(pytester).assert_outcomes(passed=1)


def test_a_wrong_scenario_fails_with_its_place(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", bad="scenario: bad\non:\n  - event: '*'\n    repply: none\n")
    pytester.makepyfile("def test_it(cic):\n    cic.load('bad.yaml')\n")
    result = run(pytester)
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
    waiting = asyncio.gather(device.wait_async("TextRecognizer.*"), asyncio.to_thread(say, cic, device, "hi"))
    entry, answer = await waiting
    assert entry.data["payload"]["text"] == "hi"
    assert answer.status_code == 200
"""
    )
    run(pytester).assert_outcomes(passed=1)


UNMATCHED = """
STRANGER = "scenario: narrow\\nsettings: {same_connection: false}\\non: [{event: Clova.Never, name: never}]\\n"
"""


def test_an_event_without_a_rule_fails_the_test_and_says_which_rule_was_nearest(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        CLIENT + UNMATCHED + "\ndef test_it(cic):\n    cic.load(STRANGER)\n    say(cic, cic.device(), 'hello')\n"
    )
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*broken: every event finds a rule*",
            "*no rule fits TextRecognizer.Recognize*",
            "*nearest rule never: event: expected Clova.Never, got TextRecognizer.Recognize*",
            "*cic dialogue (call)*",
            "*TextRecognizer.Recognize*",
        ]
    )


@pytest.mark.parametrize("how", ["--cic-fail-on=none", "--cic-fail-on=findings", "ini", "marker"])
def test_what_fails_a_test_can_be_switched(pytester: pytest.Pytester, how: str) -> None:
    mark = "import pytest\npytestmark = pytest.mark.cic(fail_on='findings')\n" if how == "marker" else ""
    pytester.makepyfile(
        mark + CLIENT + UNMATCHED + "\ndef test_it(cic):\n    cic.load(STRANGER)\n    say(cic, cic.device(), 'hello')\n"
    )
    pytester.makeini("[pytest]\ncic_fail_on = none\n" if how == "ini" else "[pytest]\n")
    given = [how] if how.startswith("--") else []
    run(pytester, *given).assert_outcomes(passed=1)


FINDING = """
WRONG = (
    b'--b\\r\\nContent-Disposition: form-data; name="metadata"\\r\\n\\r\\n'
    b'{"event": {"header": {"namespace": "A", "name": "B", "messageId": "m"}, "payload": {}}}\\r\\n--b--\\r\\n'
)

def wrong(cic, device):
    headers = {**device.headers, "content-type": "multipart/form-data; boundary=b"}
    with client(cic) as http:
        return http.post(cic.url + "/v1/events", headers=headers, content=WRONG)
"""


def test_a_finding_fails_the_test_unless_its_code_is_allowed(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ncic_scenario = any.yaml\n")
    pytester.makefile(".yaml", any="scenario: any\nsettings: {same_connection: false}\non: [{event: '*'}]\n")
    pytester.makepyfile(
        "import pytest\n"
        + CLIENT
        + FINDING
        + "\ndef test_fails(cic):\n    wrong(cic, cic.device())\n"
        + "\n@pytest.mark.cic(allow=['message.*', 'user-agent*', 'catalogue*', 'event*'])\n"
        + "def test_passes(cic):\n    wrong(cic, cic.device())\n    assert cic.findings\n"
    )
    result = run(pytester)
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*broken: no findings*", "*message.context*"])


def test_what_devices_do_after_the_test_counts_too(pytester: pytest.Pytester) -> None:
    """A fixture that stops the device ends before `cic` does."""
    pytester.makepyfile(
        "import pytest\n"
        + CLIENT
        + UNMATCHED
        + """
@pytest.fixture
def device(cic):
    cic.load(STRANGER)
    device = cic.device()
    yield device
    say(cic, device, "bye")

def test_it(device):
    pass
"""
    )
    result = run(pytester)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*every event finds a rule*"])


def test_a_test_that_fails_by_itself_has_its_evidence_in_the_report(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(CLIENT + "\ndef test_it(cic):\n    say(cic, cic.device(), 'hello')\n    assert False, 'mine'\n")
    result = run(pytester, "--junit-xml=junit.xml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*mine*", "*cic dialogue (call)*", "*200 TextRecognizer.Recognize*"])


def test_a_verification_that_is_not_kept_says_field_by_field_why(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        CLIENT
        + """
def test_it(cic):
    say(cic, cic.device(), "hello")
    cic.verify("TextRecognizer.Recognize", payload={"text": "world"})
"""
    )
    result = run(pytester, "--junit-xml=junit.xml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['*✗ payload.text  expected world*got "hello"*'])
    junit = (pytester.path / "junit.xml").read_text()
    assert "expected world" in junit
    assert 'name="cic_verdict" value="broken: ' in junit


@pytest.mark.parametrize(("when", "left"), [("off", []), ("on-failure", ["bad"]), ("always", ["bad", "good"])])
def test_a_trace_is_left_of_each_test_that_is_to_have_one(
    pytester: pytest.Pytester, when: str, left: list[str]
) -> None:
    pytester.makepyfile(
        CLIENT
        + """
def test_good(cic):
    say(cic, cic.device(), "hello")

def test_bad(cic):
    say(cic, cic.device(), "hello")
    assert False
"""
    )
    run(pytester, f"--cic-trace={when}").assert_outcomes(passed=1, failed=1)
    found = sorted(pytester.path.glob("cic-traces/*.cictrace"))
    assert [name for name in ("bad", "good") if any(f"test_{name}" in each.name for each in found)] == left
    assert len(found) == len(left)
    for each in found:
        trace = read_trace(each)
        assert "TextRecognizer.Recognize" in [entry.name for entry in trace.entries]
        assert trace.entries[0].kind == "connect"
        assert trace.title.endswith(("::test_good", "::test_bad"))


def test_tests_of_several_workers_run_beside_each_other_on_servers_of_their_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import pytest\n"
        + CLIENT
        + """
@pytest.mark.parametrize("n", range(12))
def test_it(cic, n):
    assert cic.events == ()
    device = cic.device()
    assert say(cic, device, f"n{n}").status_code == 200
    assert [event.data["payload"]["text"] for event in cic.events] == [f"n{n}"]
"""
    )
    pytester.runpytest_subprocess(*LEAN, "-n", "2").assert_outcomes(passed=12)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_asynchronous_way_works_in_anyio(pytester: pytest.Pytester, backend: str) -> None:
    pytester.makepyfile(
        CLIENT
        + f"""
import anyio, pytest

@pytest.fixture
def anyio_backend():
    return "{backend}"

@pytest.mark.anyio
async def test_it(cic):
    device = cic.device()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.to_thread.run_sync, say, cic, device, "hi")
        entry = await device.wait_async("TextRecognizer.*", payload={{"text": "hi"}})
    assert entry.kind == "event"
    await cic.never_async("Clova.Never", for_=0.01)
"""
    )
    run(pytester, "-p", "no:asyncio").assert_outcomes(passed=1)


def test_a_server_that_runs_elsewhere_can_be_used(pytester: pytest.Pytester) -> None:
    """Each test has its own devices, scenario and journal there too."""
    pytester.makefile(
        ".yaml", own="scenario: own\nsettings: {same_connection: false}\non: [{event: '*', reply: Clova.Help}]\n"
    )
    pytester.makepyfile(
        "import pytest\n"
        + CLIENT
        + """
from mockcic.errors import ScenarioError

@pytest.mark.cic(scenario="own.yaml")
def test_one(cic):
    device = cic.device()
    assert "Help" in say(cic, device, "hello").text
    cic.wait("TextRecognizer.Recognize", payload={"text": "hello"})
    cic.verify("Clova.Help", times=1)
    assert device.state == "start"
    assert not device.push("Clova.Help")
    assert cic.journal[0].kind == "connect"
    assert all(entry.device in ("", device.name) for entry in cic.journal)

def test_other(cic):
    assert cic.events == ()
    with pytest.raises(ScenarioError, match="repply"):
        cic.load("scenario: bad\\non: [{event: '*', repply: x}]\\n")
    device = cic.device()
    say(cic, device, "hello")
    assert [each.name for each in cic.directives] == ["SpeechSynthesizer.Speak", "Clova.RenderText"]
    assert cic.sound(next(iter(cic.find("attachment"))))

def test_fails(cic):
    cic.wait("TextRecognizer.Recognize", within=0.05)
"""
    )
    with MockCIC(control_port=0, control_token="secret-of-the-control-side") as server:
        assert server.control_url is not None
        result = run(pytester, f"--cic-external={server.control_url}",
            "--cic-external-token=secret-of-the-control-side",
        )  # fmt: skip
    result.assert_outcomes(passed=2, failed=1)


def test_a_device_that_nobody_announced_is_taken_by_the_test_that_waits_for_it(pytester: pytest.Pytester) -> None:
    """Hardware has a token of its own."""
    pytester.makepyfile(
        """
import asyncio
from mockcic.simulator.device import Device

async def test_it(cic):
    waiting = asyncio.create_task(asyncio.to_thread(cic.wait_for_device, within=60))
    async with Device(cic.url, ca_file=cic.ca_file, token="hardware-token-77", pace=0) as simulated:
        device = await waiting
        assert device.name == "…n-77"
        assert [entry.kind for entry in device.journal][:2] == ["device", "downchannel"]
        assert await asyncio.to_thread(device.push, "Clova.Help")
        await simulated.wait_for("Clova.Help", timeout=60)
    assert [entry.kind for entry in cic.journal][0] == "connect"
"""
    )
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    run(pytester).assert_outcomes(passed=1)


def test_the_address_of_the_server_can_be_chosen_for_devices_on_a_lan(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
import socket

def test_it(cic):
    assert cic.url.startswith("https://127.0.0.1:")
    port = int(cic.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.2", port), timeout=60):
        pass
"""
    )
    run(pytester, "--cic-host=0.0.0.0").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cic-fail-on=unmached"], "*found unmached, expected any of unmatched, findings*"),
        (["--cic-external=http://127.0.0.1:1", "--cic-port=1"], "*--cic-external uses a server that runs*"),
    ],
)
def test_an_option_that_makes_no_sense_is_a_clear_error(
    pytester: pytest.Pytester, arguments: list[str], said: str
) -> None:
    result = pytester.runpytest_subprocess(*LEAN, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])


def test_a_test_that_fails_by_itself_has_what_its_devices_did_wrong_beside_it(pytester: pytest.Pytester) -> None:
    """One failure, not a failure and an error; where its trace is stands in the report too."""
    pytester.makepyfile(
        CLIENT
        + """
def test_it(cic):
    cic.load("scenario: narrow\\nsettings: {same_connection: false}\\non: [{event: Clova.Never}]\\n")
    say(cic, cic.device(), "hello")
    assert 1 == 2
"""
    )
    result = run(pytester, "--cic-trace=on-failure")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*what its devices did wrong (call)*",
            "broken: every event finds a rule",
            "*cic trace (teardown)*",
            "*.cictrace",
        ]
    )


MARKERS = {
    'fail_on={"findings"}': "",
    'fail_on=frozenset({"unmatched"})': "no rule fits",
    "fail_on=True": "found True, expected a text or several",
    'fail_on=""': "found nothing, expected any of unmatched, findings, or none",
    'profile="2017"': "profile: found 2017, expected one of seed, 2021",
}


def test_a_marker_never_switches_checks_off_by_a_slip(pytester: pytest.Pytester) -> None:
    """Where only findings count it passes; each of the others fails and says why."""
    tests = [
        f"""
@pytest.mark.cic({marker})
def test_{number}(cic):
    cic.load("scenario: narrow\\nsettings: {{same_connection: false}}\\non: [{{event: Clova.Never}}]\\n")
    say(cic, cic.device(), "hello")
"""
        for number, marker in enumerate(MARKERS)
    ]
    pytester.makepyfile("import pytest\n" + CLIENT + "".join(tests))
    result = run(pytester)
    result.assert_outcomes(passed=1, failed=1, errors=3)
    for said in MARKERS.values():
        result.stdout.fnmatch_lines([f"*{said}*"])


def test_a_test_of_a_long_name_in_korean_leaves_its_trace(pytester: pytest.Pytester) -> None:
    """File systems count bytes."""
    pytester.makepyfile(f"def test_{'가나다라마바사' * 12}(cic): pass\n")
    run(pytester, "--cic-trace=always").assert_outcomes(passed=1)
    assert len(list((pytester.path / "cic-traces").iterdir())) == 1


def test_an_external_server_that_nobody_names_is_an_error(pytester: pytest.Pytester) -> None:
    """A variable that is not set must not make a server of ours of it."""
    result = pytester.runpytest_subprocess(*LEAN, "--cic-external", "")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--cic-external: found nothing*"])
