"""A device walks a suite: by a command for each step, through the wire; what it shows, what it breaks, the evidence."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mockcic.certify import Attached, Command, certify, check_evidence, read_suite
from mockcic.cli import group
from mockcic.errors import StartError
from mockcic.mock import MockCIC
from mockcic.trace.file import read_trace

ROOT = Path(__file__).parents[2]

DEVICE = f"{sys.executable} -m mockcic device --url {{url}} --ca {{ca}} --token {{token}} --pace 0"
SUITE = """
suite: small
steps:
  - name: text
    scenario: any.yaml
    ask: text
    seconds: 20
    shows: [message.payload, message.dialogue-required]
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "any.yaml").write_text("scenario: any\non: [{event: '*'}]\n")
    (tmp_path / "suite.yaml").write_text(SUITE)
    return tmp_path


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device's process finds the package."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["certify", *arguments])


def test_a_device_that_keeps_the_guide_passes_and_its_evidence_can_be_checked(suite: Path) -> None:
    evidence = suite / "evidence.zip"
    page, junit = suite / "report.html", suite / "report.xml"
    ran = run(
        "--device-command", f"{DEVICE} --text hello", "--suite", str(suite), "-o", str(evidence),
        "--html", str(page), "--junit", str(junit),
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    assert ran.output.splitlines()[-1] == "passed"
    assert "message.payload" in page.read_text()
    assert 'failures="0"' in junit.read_text()
    checked = run("--check", str(evidence))
    assert checked.exit_code == 0
    assert checked.output.splitlines()[-1] == "passed"
    with zipfile.ZipFile(evidence) as archive:
        names = set(archive.namelist())
        archive.extract("traces/text.cictrace", suite)
        assert b"TextRecognizer.Recognize" in archive.read("output/text.txt")
    assert {"report.html", "report.xml", "report.json", "manifest.json", "manifest.sig", "ca.pem"} <= names
    assert any(entry.name == "TextRecognizer.Recognize" for entry in read_trace(suite / "traces/text.cictrace").entries)


def test_a_device_that_breaks_a_rule_does_not_pass_and_is_told_why(suite: Path) -> None:
    wrong = f"{DEVICE} --event TextRecognizer.Recognize --payload '{{{{\"text\": 5}}}}'"
    ran = run("--device-command", wrong, "--suite", str(suite))
    assert ran.exit_code == 1
    assert "broken    message.payload" in ran.output
    assert "payload.text: an integer 5" in ran.output
    assert ran.output.splitlines()[-1] == "not passed"
    assert run("--device-command", wrong, "--suite", str(suite), "--allow", "message.payload").exit_code == 0


def test_a_device_leans_on_no_dialect(suite: Path) -> None:
    """Answers are written in it, and the device still does its part."""
    ran = run("--device-command", f"{DEVICE} --text hello", "--suite", str(suite), "--dialect", "ios")
    assert ran.exit_code == 0, ran.output


def test_silence_proves_nothing(suite: Path) -> None:
    """A step's rule that was not seen fails it."""
    ran = run("--device-command", f"{DEVICE} --stay 0.2", "--suite", str(suite))
    assert ran.exit_code == 1
    assert "not shown message.dialogue-required" in ran.output


def test_a_command_that_never_connects_does_not_pass_and_its_words_are_shown(suite: Path) -> None:
    ran = run("--device-command", f"{sys.executable} -c \"print('no battery')\"", "--suite", str(suite))
    assert ran.exit_code == 1
    assert "no device came" in ran.output
    assert "| no battery" in ran.output


def test_a_device_learns_from_its_environment_what_to_do(suite: Path) -> None:
    text = "import os; print(sorted(v for v in os.environ if v.startswith('MOCKCIC_') and os.environ[v]))"
    ran = run("--device-command", f'{sys.executable} -c "{text}"', "--suite", str(suite))
    for name in ("URL", "CA", "TOKEN", "STEP", "ASK", "SECONDS"):
        assert f"'MOCKCIC_{name}'" in ran.output


def test_a_command_that_does_not_end_is_ended_with_all_it_started(suite: Path) -> None:
    (suite / "suite.yaml").write_text(SUITE.replace("seconds: 20", "seconds: 0.5"))
    shell = f"sh -c '{sys.executable} -c \"import time; time.sleep(600)\" & wait'"
    with MockCIC() as mock:
        outcome = certify(mock, read_suite(suite), Command(shell))
    (step,) = outcome.steps
    assert not step.came
    assert step.seconds < 300, "not the 600 s of what it started"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "a device is needed"),
        (["--attach", "--device-command", "x"], "a device is needed"),
        (["--device-command", "x", "--limit", "stop=1"], "found limit 'stop'"),
        (["--device-command", "x", "--allow", "nothing"], "found rule 'nothing'"),
        (["--device-command", "x", "--dialect", "latin"], "'latin' is none of"),
    ],
)
def test_wrong_usage_is_told(suite: Path, arguments: list[str], says: str) -> None:
    ran = run(*arguments, "--suite", str(suite))
    assert ran.exit_code == 2
    assert says in ran.output


@pytest.mark.parametrize(("command", "says"), [("", "found nothing"), ("x {nonsense}", "cannot fill in 'nonsense'")])
def test_a_command_that_cannot_be_one_is_told(command: str, says: str) -> None:
    with pytest.raises(StartError, match=says):
        Command(command)


def test_a_command_that_is_not_there_is_told(suite: Path) -> None:
    with MockCIC() as mock, pytest.raises(StartError, match=r"cannot start \./nowhere: No such file"):
        certify(mock, read_suite(suite), Command("./nowhere"))


def test_a_device_that_connects_by_itself_is_told_what_to_do_and_judged(suite: Path) -> None:
    """Here what a person is told starts it; its token is its own."""
    (suite / "suite.yaml").write_text(SUITE.replace("seconds: 20", "seconds: 2"))
    started: list[subprocess.Popen[bytes]] = []

    with MockCIC() as mock:

        def say(text: str) -> None:
            where = ["--url", mock.url, "--ca", str(mock.ca_file), "--token", "hardware-1", "--pace", "0"]
            command = [sys.executable, "-m", "mockcic", "device", *where, "--text", text, "--stay", "10"]
            started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))

        try:
            outcome = certify(mock, read_suite(suite), Attached(wait_s=30), say=say)
        finally:
            for process in started:
                process.kill()
                process.wait()
    (step,) = outcome.steps
    assert step.ok, step.verdict.text()


def test_nobody_who_should_connect_by_himself_is_waited_for_forever(suite: Path) -> None:
    said: list[str] = []
    with (
        MockCIC() as mock,
        pytest.raises(StartError, match=r"no device came within 0\.1 s; it should connect"),
    ):
        certify(mock, read_suite(suite), Attached(wait_s=0.1), say=said.append)
    assert said == ["text"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("report.txt", "report.txt was changed after it was signed"),
        ("manifest.json", "manifest.json was changed after it was signed"),
        ("-report.xml", "report.xml is missing after it was signed"),
        ("+more.txt", "more.txt was added after it was signed"),
        ("-manifest.sig", "manifest.sig is missing"),
    ],
)
def test_evidence_that_was_touched_is_none(suite: Path, tmp_path: Path, change: str, says: str) -> None:
    good = suite / "evidence.zip"
    run("--device-command", f"{sys.executable} -c 1", "--suite", str(suite), "-o", str(good))
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(good) as before, zipfile.ZipFile(bad, "w") as after:
        for name in before.namelist():
            if name != change.removeprefix("-"):
                after.writestr(name, before.read(name))
            elif not change.startswith("-"):
                after.writestr(name, before.read(name).replace(b"e", b"f"))
        if change.startswith("+"):
            after.writestr(change[1:], "more")
    assert check_evidence(good).manifest["suite"] == "small"
    with pytest.raises(StartError, match=says):
        check_evidence(bad)


def test_evidence_of_another_ca_is_told(suite: Path, tmp_path: Path) -> None:
    good = suite / "evidence.zip"
    run("--device-command", f"{sys.executable} -c 1", "--suite", str(suite), "-o", str(good))
    other = tmp_path / "other.pem"
    with MockCIC(home=tmp_path / "elsewhere") as mock:
        shutil.copy(mock.ca_file, other)
    with pytest.raises(StartError, match="signed by another CA"):
        check_evidence(good, other)
    (tmp_path / "no.zip").write_bytes(b"no zip")
    with pytest.raises(StartError, match="found no zip"):
        check_evidence(tmp_path / "no.zip")
