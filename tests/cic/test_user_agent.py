"""The grammar of the User-Agent header."""

from __future__ import annotations

import pytest

from mockcic.cic.user_agent import judge_user_agent

VALID = [
    "AcmeAudio/DeskBuddy/1.4.2 (FreeRTOS 10.4;ESP32-S3)",
    "AcmeAudio/DeskBuddy/1.4.2(FreeRTOS 10.4;ESP32-S3)",
    "Acme Audio / Desk Buddy / 2.0.0-rc_1.3+build.77 (Linux 5.15;RPi_4 ; region=KR ; label=a%20b)",
    "Acme/App/10.20.30+20260101 (Android 9;Tablet;sdk=1.6.0)",
    "Acme/Desk/01.04.02 (FreeRTOS;ESP32)",
]
SEMVER_ONLY = ["Acme/Desk/1.4.2-rc-1 (FreeRTOS;ESP32)", "Acme/Desk/1.4.2-0a.-+b-1 (FreeRTOS;ESP32)"]
INVALID = [
    "Acme/Desk/1.4 (FreeRTOS;ESP32)",
    "Acme/Desk/v1.4.2 (FreeRTOS;ESP32)",
    "Acme/Desk/01.4.2-rc-1 (FreeRTOS;ESP32)",  # a leading zero and a hyphen: neither grammar has both
    "Acme/Desk/1.4.2 (FreeRTOS)",
    "Acme/Desk/1.4.2 (FreeRTOS;ESP32;)",
    "Acme/Desk/1.4.2 (FreeRTOS;ESP32;debug)",
    "Acme/Desk/1.4.2 (FreeRTOS;ESP32;k=a b)",
    "Acme/Desk/1.4.2  (FreeRTOS;ESP32)",
    "Acme/Desk/1.4.2 ( FreeRTOS;ESP32)",
    "curl/8.5.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Acme/Désk/1.4.2 (FreeRTOS;ESP32)",
    "Acme/Desk/1.4.2 (FreeRTOS;ESP32)\n",
    "",
]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("value", VALID)
def test_a_string_of_the_grammar_is_accepted(value: str, strict: bool) -> None:
    """The table of PROTOCOL 1.3; leading zeros are of the grammar, not of semver."""
    assert judge_user_agent(value, strict=strict) is None


@pytest.mark.parametrize("value", SEMVER_ONLY)
def test_a_semver_version_is_accepted_unless_strict(value: str) -> None:
    """The guide tells makers to follow semver, against its own grammar (PROTOCOL 1.3)."""
    assert judge_user_agent(value, strict=False) is None
    finding = judge_user_agent(value, strict=True)
    assert finding is not None
    assert (finding.code, finding.severity) == ("user-agent.grammar", "error")


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("value", INVALID)
def test_any_other_string_is_a_finding(value: str, strict: bool) -> None:
    """The table of PROTOCOL 1.3; a warning, an error where the scenario is strict."""
    finding = judge_user_agent(value, strict=strict)
    assert finding is not None
    assert (finding.code, finding.severity) == ("user-agent.grammar", "error" if strict else "warning")
    assert "PROTOCOL 1.3" in finding.expected


def test_a_missing_header_is_a_finding_of_its_own() -> None:
    """Required since December 2017 (PROTOCOL 1.2), unknown before."""
    finding = judge_user_agent(None, strict=False)
    assert finding is not None
    assert (finding.code, finding.severity) == ("user-agent.missing", "warning")
