"""A device that keeps every rule gets no finding and breaks none: in every shipped scenario, in both profiles."""

from __future__ import annotations

import contextlib

import pytest

from mockcic.bench import Bench
from mockcic.errors import WireError
from mockcic.scenario.settings import PROFILES, Profile
from mockcic.simulator.client import ConnectionLostError, StreamResetError
from mockcic.simulator.device import Device
from mockcic.simulator.lifeline import RefusedError
from mockcic.sound.make import tone
from tests.dialogues.conftest import SCENARIOS, hurried

REFUSES = {"token-refused", "token-life", "token-theatre"}
"""Scenarios in which a token is refused: a device that has no other is not let in."""

LOSES = {"lost-in-upload", "captive-portal"}
"""Scenarios in which an answer is lost, or is none."""

HURRIES = {"slow": {"2s": "200ms", "3s": "300ms", "4KB/s": "40KB/s"}}
"""How slow it is, test_shipped.py says; here it is as slow, only faster."""


@pytest.mark.cic(fail_on="findings")  # what a scenario has no rule for says nothing about the device
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", sorted(path.stem for path in SCENARIOS.glob("*.yaml")))
async def test_a_device_that_keeps_the_guide_breaks_no_rule(cic: Bench, name: str, profile: Profile) -> None:
    """It settles, asks in writing and by voice, and obeys what comes; the rules are held against it afterwards."""
    cic.load(hurried(name, HURRIES.get(name, {}), profile=profile))
    device = Device(cic.url, ca_file=cic.ca_file, token=cic.token, pace=0.05, playing_pace=0.0, settle=True)
    lost = [ConnectionLostError, StreamResetError, WireError] if name in LOSES else []
    with contextlib.suppress(*([RefusedError] if name in REFUSES else lost)):
        async with device:
            await device.say_text("오늘 날씨 어때", timeout=20)
            await device.finish_speaking()
            await device.say(tone(300, 1.2), timeout=20)
            await device.finish_speaking()
    assert [entry for entry in cic.findings if entry.data["severity"] == "error"] == []
