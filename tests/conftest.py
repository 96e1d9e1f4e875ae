"""What every test has: a CA of its own run, never the one in the home of whoever runs the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")  # what else the machine has to do makes no test fail; the rest is as it was

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOCKCIC_HOME", str(tmp_path_factory.mktemp("home")))
        yield
