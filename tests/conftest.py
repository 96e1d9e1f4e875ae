"""What every test has: a CA of its own run, never the one in the home of whoever runs the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOCKCIC_HOME", str(tmp_path_factory.mktemp("home")))
        yield
