"""What every test has: a CA of its own run, never the one in the home of whoever runs the tests; and time."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, settings

from mockcic.bench import Bench
from mockcic.simulator.device import Device

settings.register_profile("unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")  # what else the machine has to do makes no test fail; the rest is as it was

pytest_plugins = ["pytester"]

AT_MOST_S = 60.0
"""So long a test waits for what must come, unless it says otherwise: a bound of failures, never what it is about."""


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOCKCIC_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _time_enough() -> Iterator[None]:
    """What waits five or ten seconds for users waits longer here: a machine may have twenty other things to do."""
    with pytest.MonkeyPatch.context() as patch:
        for function in (Bench.wait, Bench.push):
            patch.setitem(function.__kwdefaults__, "within", AT_MOST_S)
        for function in (Device.wait_for, httpx.Client.__init__, httpx.AsyncClient.__init__):
            patch.setitem(function.__kwdefaults__, "timeout", AT_MOST_S)
        patch.setattr("mockcic.bench.remote.CATCH_UP_S", AT_MOST_S)
        patch.setattr("mockcic.control.client.CONNECT_S", AT_MOST_S)
        patch.setattr("mockcic.control.client.SLACK_S", AT_MOST_S)
        yield
