"""A simulated device in a shipped scenario, over TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from mockcic.mock import Bench, TestDevice
from mockcic.scenario.load import load, load_text
from mockcic.scenario.scenario_set import ScenarioSet
from mockcic.scenario.settings import Profile
from mockcic.simulator.device import Device

HURRIED = {
    "pace_leeway": "off",
    "audio_gap_s": "off",
    "reopen_within_s": 60,
    "ping_every_s": 600,
    "stop_within_s": 60,
    "report_within_s": 60,
    "alert_within_s": 60,
}
"""Of a microphone that does not run in real time the pace says nothing; how quick this machine is, neither."""

SCENARIOS = Path(__file__).parents[2] / "scenarios"

TROUBLE = ("captive-portal", "hourly-hang-up", "silent-line", "lost-in-upload", "token-theatre", "day-in-the-life")
"""The scenarios in which something goes wrong on purpose (docs/faults.md)."""

Speaker = Callable[..., Device]


def hurried(name: str, hurry: Mapping[str, str], *, profile: Profile | None = None) -> ScenarioSet:
    """A scenario of the folder with other times in its text, where it has no variable for them."""
    text = (SCENARIOS / f"{name}.yaml").read_text()
    for slow, quick in hurry.items():
        assert slow in text
        text = text.replace(slow, quick)
    return load_text(text, f"{name}.yaml", SCENARIOS, profile=profile)


@pytest.fixture(autouse=True)
def keeps_the_guide(cic: Bench, request: pytest.FixtureRequest) -> Iterator[None]:
    """No rule of the guide is broken in any dialogue: a device that keeps them all gets no finding.

    Those that a test breaks on purpose it names: `@pytest.mark.breaks("message.payload")`.
    """
    yield
    marker = request.node.get_closest_marker("breaks")
    wanted = set(marker.args) if marker is not None else set()
    judged = cic.conformance(limits=HURRIED, check=False)
    broken = {each.rule.id for each in judged.broken}
    assert broken == wanted, judged.text()


@pytest.fixture
def speaker(cic: Bench) -> Speaker:
    """Load a scenario of the folder, with other variables or `hurried` if need be, and make a device for it."""

    def make(
        name: str,
        *,
        variables: dict[str, Any] | None = None,
        hurry: Mapping[str, str] = MappingProxyType({}),
        token: str | None = None,
        **how: Any,
    ) -> Device:
        cic.load(hurried(name, hurry) if hurry else load([SCENARIOS / f"{name}.yaml"], variables=variables))
        device: TestDevice = cic.device(token)
        return Device(cic.url, ca_file=cic.ca_file, token=device.token, **{"pace": 0.0, **how})

    return make
