"""The page about the control side names every endpoint and every command there is, and none else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockcic import MockCIC
from mockcic.control.app import create_control
from mockcic.control.metrics import page

PAGE = (Path(__file__).parents[2] / "docs" / "control.md").read_text()


@pytest.fixture
def mock(mock_cic: MockCIC) -> MockCIC:
    return mock_cic


def test_every_endpoint_is_in_the_table(mock: MockCIC) -> None:
    paths = create_control(mock.desk).openapi()["paths"]
    there_are = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    told = {(method, path) for method, path in re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \|", PAGE, re.MULTILINE)}
    assert told == there_are


def test_every_number_is_named(mock: MockCIC) -> None:
    text = mock.call(lambda: page(mock.desk)[0]).decode()
    names = set(re.findall(r"^(mockcic_\w+)", text, re.MULTILINE))
    assert names == set(re.findall(r"`(mockcic_\w+)", PAGE))
