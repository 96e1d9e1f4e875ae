"""`mockcic dialects`, and what `mockcic interfaces` says of built-in behaviour."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from mockcic.cli import group
from mockcic.scenario.dialects import DIALECTS


def test_every_dialect_is_listed_with_its_settings_and_source() -> None:
    listed = CliRunner().invoke(group, ["dialects"]).output
    assert all(name in listed and each.source in listed for name, each in DIALECTS.items())
    as_json = json.loads(CliRunner().invoke(group, ["dialects", "--json"]).output)
    assert as_json["ios"]["settings"] == {"downchannel_delimiter": "close"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Alerts.AlertStopped", "builtin/alerts"),
        ("Alerts.SetAlertSucceeded", "204"),
        ("Alerts.StopAlert", "builtin/alerts"),
        ("SpeechRecognizer.ConfirmWakeUp", "builtin/wake-word"),
    ],
)
def test_a_message_says_what_the_mock_does_with_it_by_itself(name: str, said: str) -> None:
    output = CliRunner().invoke(group, ["interfaces", name]).output
    heading = "Sent by itself" if "Sent by itself" in output else "What the mock does by itself"
    assert said in output.partition(heading)[2]
