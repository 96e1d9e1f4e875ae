"""The pytest plugin: fixture `cic`, a place of each test's own on one server per session (and per xdist worker)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from mockcic.mock import Bench, MockCIC


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and ini values of the plugin."""
    parser.addini("cic_scenario", "the scenario every test begins with: a file or folder, relative to the rootdir")
    parser.addini("cic_profile", "profile of that scenario: seed or 2021; the file's own without it")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "cic(scenario): the scenario of this test: a path, YAML text, or a mapping")


@pytest.fixture(scope="session")
def mock_cic(request: pytest.FixtureRequest) -> Iterator[MockCIC]:
    """The session's server, on free ports of 127.0.0.1, with a certificate of its CA and in clear text."""
    from mockcic.mock import MockCIC

    config = request.config
    name = config.getini("cic_scenario")
    profile = config.getini("cic_profile") or None
    with MockCIC(str(config.rootpath / name) if name else None, profile=profile) as mock:
        yield mock


@pytest.fixture
def cic(request: pytest.FixtureRequest, mock_cic: MockCIC) -> Iterator[Bench]:
    """A test's own place on the session's server: own devices, own scenario, own journal."""
    bench = mock_cic.bench()
    marker = request.node.get_closest_marker("cic")
    if marker is not None:
        bench.load(_scenario_of(marker, request.path))
    yield bench
    bench.close()


def _scenario_of(marker: pytest.Mark, test_file: Path) -> Any:
    scenario = marker.kwargs.get("scenario", marker.args[0] if marker.args else None)
    if isinstance(scenario, str) and "\n" not in scenario:
        beside = test_file.parent / scenario
        return beside if beside.exists() else scenario
    return scenario
