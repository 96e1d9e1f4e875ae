"""Suites: what is in them, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockcic.certify import read_suite
from mockcic.errors import StartError
from mockcic.scenario.load import load
from mockcic.verdict.conformance import RULES

STEP = "suite: mine\nsteps:\n  - {name: one, scenario: one.yaml, shows: [audio.*, '!audio.pace']}\n"


def make(folder: Path, text: str) -> Path:
    (folder / "one.yaml").write_text("scenario: one\non: [{event: '*'}]\n")
    (folder / "suite.yaml").write_text(text)
    return folder


def test_the_guide_s_suite_shows_nearly_every_rule_and_its_scenarios_load_without_a_word() -> None:
    """The others need trouble that no device makes by itself, or are about what a device may leave out."""
    suite = read_suite()
    for step in suite.steps:
        assert load([suite.scenario_file(step)]).warnings == (), step.name
    left_out = {rule.id for rule in RULES} - {id_ for step in suite.steps for id_ in step.shown()}
    assert left_out == {
        "connection.one-downchannel",
        "connection.same-connection",
        "connection.ping-unanswered",
        "connection.streams",
        "headers.user-agent-same",
        "headers.tags",
        "message.json",
        "message.envelope",
        "message.known",
        "message.context",
        "recovery.back-off",
        "recovery.events-wait",
        "recovery.event-repeated",
        "recovery.retry-after",
        "recovery.storm",
        "recovery.event-lost",
        "recovery.silence-noticed",
    }


def test_a_step_shows_rules_by_wildcards_without_some(tmp_path: Path) -> None:
    (step,) = read_suite(make(tmp_path, STEP)).steps
    assert "audio.stop-capture" in step.shown()
    assert "audio.pace" not in step.shown()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("suite: mine\nsteps: []\n", "steps: .*at least 1 item"),
        ("- one\n", "expected a suite"),
        ("suite: [\n", "found no YAML"),
        (STEP.replace("one.yaml", "two.yaml"), "step one: there is no scenario"),
        (STEP.replace("audio.*", "audo.*"), r"found rule 'audo\.\*', expected the id of one"),
        (STEP.replace("shows", "limits: {stop: 1}, shows"), "found limit 'stop'"),
        (STEP.replace("name: one", "name: 'a/b'"), "steps.0.name"),
        (STEP + "  - {name: one, scenario: one.yaml}\n", "two of one name"),
        (STEP.replace("scenario:", "scenaro:"), "steps.0.scena"),
    ],
)
def test_what_is_wrong_with_a_suite_is_told_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(StartError, match=says):
        read_suite(make(tmp_path, text))


def test_steps_are_chosen_by_name(tmp_path: Path) -> None:
    suite = read_suite()
    assert [step.name for step in suite.only(["c*"], ["control"]).steps] == ["connect", "converse"]
    with pytest.raises(StartError, match="there is no step speek; there are connect, speak"):
        suite.only(["speek"])
    with pytest.raises(StartError, match="no step is left"):
        suite.only(["speak"], ["*"])
    with pytest.raises(StartError, match="cannot read the suite"):
        read_suite(tmp_path / "nowhere.yaml")
