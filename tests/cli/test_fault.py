"""`mockcic fault`: set by words and by YAML, seen, removed, told when it is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from click.testing import CliRunner

from mockcic import MockCIC
from mockcic.cli import group
from mockcic.cli.fault import read_fault
from mockcic.control.routes.faults import EXAMPLES
from mockcic.scenario.faults.fault import ACTS
from tests.support.commands import Run, commands_on

SCENARIO = "scenario: s\nfault: {ping: 5s, every: 1h}\non: [{event: '*'}]\n"
TOKEN = "desk-token-4f2a"


@pytest.fixture(scope="module")
def mock() -> Iterator[MockCIC]:
    with MockCIC(SCENARIO, control_port=0) as mock:
        httpx.get(f"{mock.control_url}/healthz", timeout=60)  # the first to ask waits until FastAPI is imported
        yield mock


@pytest.fixture(autouse=True)
def _no_faults(mock: MockCIC) -> Iterator[None]:
    yield
    httpx.delete(f"{mock.control_url}/v1/faults", timeout=60)


@pytest.fixture
def run(mock: MockCIC) -> Run:
    return commands_on(mock, "fault")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["reset", "CANCEL"], {"reset": "CANCEL"}),
        (["reset", "CANCEL", "after.sent=120"], {"reset": "CANCEL", "after": {"sent": 120}}),
        (["reset=CANCEL", "on=downchannel", "every=1h"], {"reset": "CANCEL", "on": "downchannel", "every": "1h"}),
        (["goaway"], {"goaway": {}}),
        (["goaway.code=8", "goaway.close=fin"], {"goaway": {"code": 8, "close": "fin"}}),
        (["pace.pause.for=2s", "pace.pause.at=boundary"], {"pace": {"pause": {"for": "2s", "at": "boundary"}}}),
        (
            ["{reset: CANCEL, on: answer, after: {sent: 120}}"],
            {"reset": "CANCEL", "on": "answer", "after": {"sent": 120}},
        ),
        (["status", "503", 'event=["Alerts.*", "Clova.*"]'], {"status": 503, "event": ["Alerts.*", "Clova.*"]}),
        (["pace", "rate=400", "jitter=20ms", "times=2"], {"pace": {"rate": 400, "jitter": "20ms"}, "times": 2}),
    ],
)
def test_words_are_read_as_a_scenario_has_it(words: list[str], fault: dict[str, object]) -> None:
    assert read_fault(words) == fault


def test_one_that_can_never_strike_is_set_with_a_warning_in_the_words_of_the_loader(run: Run, mock: MockCIC) -> None:
    set_ = run("reset", "CANCEL", "event=TextRecognizer.Recognise", "after=2s", "for=1s")
    assert "reset  RST_STREAM CANCEL" in set_.stdout
    assert set_.stderr.splitlines() == [
        'mockcic: warning: no event fits "TextRecognizer.Recognise"; expected an event of the catalogue or of a rule, '
        "wildcards allowed; did you mean TextRecognizer.Recognize?",
        "mockcic: warning: a fault that strikes 2 s after its moment and is gone after 1 s never strikes; expected "
        "`for` longer than `after`; or let it strike sooner",
    ]
    order = {"fault": {"json": "cut", "directive": "Clova.RenderTex"}}
    answer = httpx.post(f"{mock.control_url}/v1/faults", json=order, timeout=60)
    assert answer.status_code == 201
    (said,) = answer.json()["warnings"]
    assert said.startswith('no directive fits "Clova.RenderTex"')
    assert said.endswith("did you mean Clova.RenderText?")
    assert all(not each["warnings"] for each in httpx.get(f"{mock.control_url}/v1/faults", timeout=60).json()["faults"])


def test_nothing_is_said_against_events_of_the_scenarios_that_run(run: Run, mock: MockCIC) -> None:
    mock.load("scenario: v\non: [{event: Vendor.Thing}]\n")
    assert not run("reset", "CANCEL", "event=Vendor.Thing").stderr
    mock.load(SCENARIO)


def test_it_is_set_listed_and_removed(run: Run) -> None:
    said = run("reset", "CANCEL", "after.sent=120", "--device", TOKEN, "--times", "2").output
    number = said.split()[0]
    assert said == f"{number}  …4f2a  reset  RST_STREAM CANCEL  on answer, after sent 120, times 2\n"
    assert run("{window: 5s, name: shut}", "--always").output.endswith(
        "  all devices  shut  the window is shut for 5 s  on answer\n"
    )
    head, first, second = run("--list").output.splitlines()
    assert head.split() == ["NUMBER", "DEVICE", "NAME", "STRUCK", "SET", "BY", "WHAT"]
    assert first.split()[:6] == [number, "…4f2a", "reset", "0", "of", "0"]
    assert "shut" in second
    assert [each["act"] for each in json.loads(run("--list", "--json").output)] == ["reset", "window"]
    assert run("--remove", number).output == "removed 1 fault\n"
    assert run("pong", "never", "--device", TOKEN).exit_code == 0
    assert run("--remove", "all", "--device", TOKEN).output == "removed 1 fault\n"
    assert [each["act"] for each in json.loads(run("--list", "--json").output)] == ["window"]
    assert run("--remove", "all").output == "removed 1 fault\n"
    assert run("--list").output == "no fault is set\n"
    assert "there is no fault 999" in run("--remove", "999", code=2).output


def test_a_slip_is_told_as_in_a_scenario(run: Run) -> None:
    assert run("rest", "CANCEL", code=2).output == (
        'mockcic: fault.rest: unknown key "rest"; expected a key of a fault; did you mean reset?\n'
    )
    said = run("reset", "CANCLE", "times=0", code=2).output
    assert 'fault.times: "times" cannot be 0; expected a number of at least 1\n' in said
    assert 'fault.reset: "reset" cannot be "CANCLE"; expected an error code of RFC 9113: ' in said
    assert said.count("\n") == 2
    answer = json.loads(run("reset", "CANCEL", "on=accept", "--json", code=2).output)
    assert (answer["status"], answer["member"]) == (422, "fault.on")
    (told,) = answer["errors"]
    assert (told["member"], told["what"], told["mend"]) == ("fault.on", "`reset` aimed at accept", "")
    assert told["expected"].startswith("`on:` answer or downchannel")


@pytest.mark.parametrize(
    "words",
    [[], ["reset", "CANCEL", "goaway"], ["{a"], ["reset", "--list"], ["--remove", "x"], ["reset=1", "reset.code=2"]],
)
def test_what_cannot_be_asked_is_told_before_anybody_is(run: Run, words: list[str]) -> None:
    assert "Error: " in run(*words, code=2).output


def test_all_acts_are_listed_without_a_server() -> None:
    said = CliRunner().invoke(group, ["fault", "--acts"])
    assert said.exit_code == 0
    for key in ACTS:
        assert f"\n{key}  on " in f"\n{said.output}"
        assert f"{{{key}: " in said.output
    whole = json.loads(CliRunner().invoke(group, ["fault", "--acts", "--json"]).output)
    assert [each["act"] for each in whole] == list(ACTS)


def test_a_bad_fault_over_rest_names_the_member_and_the_mend(mock: MockCIC) -> None:
    """Problem documents (RFC 9457), as for every other request."""
    for fault, member, detail in (
        ({"reset": "CANCLE"}, "fault.reset", "write CANCEL"),
        ({"goaway": {"cod": 1}}, "fault.goaway.cod", "did you mean code?"),
        ({"reset": "CANCEL", "after": {"sent": "x"}}, "fault.after.sent", "a number of bytes"),
        ({"on": "answer"}, "fault", "exactly one of reset"),
        ({"reset": "CANCEL", "end": "early"}, "fault", "reset and end"),
        ("reset", "fault", "write `{reset: CANCEL}`"),
    ):
        answer = httpx.post(f"{mock.control_url}/v1/faults", json={"fault": fault}, timeout=60)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert told["member"] == member, told
        assert detail in told["detail"]
        assert told["detail"].startswith(f"{member}: ")


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_of_the_openapi_document_is_taken(mock: MockCIC, name: str) -> None:
    """As it stands there."""
    document = httpx.get(f"{mock.control_url}/openapi.json", timeout=60).json()
    body = document["paths"]["/v1/faults"]["post"]["requestBody"]["content"]["application/json"]
    shown = body["examples"][name]["value"]
    answer = httpx.post(f"{mock.control_url}/v1/faults", json=shown, timeout=60)
    assert answer.status_code == 201, answer.text
