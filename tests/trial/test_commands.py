"""`mockcic fuzz` on a running server, and with a command that starts the device."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mockcic.cic.catalogue import catalogue
from mockcic.cli import group, main
from mockcic.fuzz.case import choose, make_case
from mockcic.mock import MockCIC
from mockcic.scenario.load import load
from tests.trial.conftest import OnTrial

SPEAK = ("SpeechSynthesizer.Speak",)
SEED = 4


def run(mock: MockCIC, name: str, *arguments: str) -> Result:
    where = ["--control", str(mock.control_url), "--control-token", str(mock.control_token), "--to", name]
    where += ["--within", "20"]  # no device here is found wanting by its pace
    return CliRunner().invoke(
        group, ["fuzz", "--seed", str(SEED), "--directive", SPEAK[0], *where, *arguments], catch_exceptions=False
    )


def trial_with(kind: str) -> int:
    """The first trial in which this alone is wrong."""
    cases = (make_case(SEED, number, choose(SPEAK, catalogue()), catalogue()) for number in range(1, 1000))
    return next(case.number for case in cases if [each.name for each in case.mutations] == [kind])


def test_one_trial_is_repeated_alone_and_its_failure_written(mock: MockCIC, on_trial: OnTrial, tmp_path: Path) -> None:
    subject = on_trial(bears=lambda body, message: "reconnect" if b"null" in body else None)
    number, out = trial_with("null"), tmp_path / "found.yaml"
    ran = run(mock, subject.name, "--only", str(number), "--strict", "--shrink", "4", "-o", str(out))
    assert ran.exit_code == 1, ran.output
    lines = ran.output.splitlines()
    assert lines[0] == f"seed {SEED}, 1 trial with SpeechSynthesizer.Speak, device {subject.name}"
    assert lines[1] == "probe     Clova.HandleDelegatedEvent, answered with Clova.ProcessDelegatedEvent"
    assert lines[2].startswith(f"trial {number:<4} SpeechSynthesizer.Speak: null payload.")
    assert "  reopened  the downchannel was opened anew after" in ran.output
    assert "4 tries, then they were used up (--shrink)" in ran.output
    assert lines[-2] == f"  written   {out}"
    assert lines[-1] == "1 trial, 1 failed, 1 different"
    assert load([out]).scenarios[0].scenario == f"fuzz-{SEED}-{number}"


def test_json_says_it_all_and_fine_is_zero(mock: MockCIC, on_trial: OnTrial) -> None:
    subject = on_trial()
    ran = run(mock, subject.name, "--trials", "5", "--json")
    assert ran.exit_code == 0, ran.output
    said = json.loads(ran.output)
    assert said | {"probe": "Clova.HandleDelegatedEvent", "trials": 5, "found": [], "ok": True} == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--probe", "Clova.Hello"], "found probe 'Clova.Hello', expected a directive whose report"),
        (["--device-command", "x", "--attach"], "give one of them"),
        (["--device-command", "x {nobody}"], "cannot fill in 'nobody'"),
        (
            ["--device-command", "false", "--within", "0.2"],
            "the device did not come within 30 s: it ended with exit code 1",
        ),
        (["--directive", "Clova.Helo"], "did you mean Clova.Hello"),
    ],
)
def test_what_cannot_be_run_is_said(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fuzz", *arguments])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_the_list_is_what_would_be_sent() -> None:
    ran = CliRunner().invoke(group, ["fuzz", "--list", "--trials", "3", "--seed", "7"])
    assert [line.split()[0] for line in ran.output.splitlines()] == ["1", "2", "3"]
