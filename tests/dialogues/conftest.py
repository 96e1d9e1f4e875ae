"""A simulated device in a shipped scenario, over TLS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockcic.mock import Bench, TestDevice
from mockcic.simulator.device import Device

SCENARIOS = Path(__file__).parents[2] / "scenarios"

Speaker = Callable[..., Device]


@pytest.fixture
def speaker(cic: Bench) -> Speaker:
    """Load a scenario of the folder, with other variables if need be, and make a device for it."""

    def make(name: str, *, variables: dict[str, Any] | None = None, token: str | None = None, **how: Any) -> Device:
        from mockcic.scenario.load import load

        cic.load(load([SCENARIOS / f"{name}.yaml"], variables=variables))
        device: TestDevice = cic.device(token)
        return Device(cic.url, ca_file=cic.ca_file, token=device.token, **{"pace": 0.0, **how})

    return make
