"""Fixtures of the scenario room."""

from __future__ import annotations

import pytest

from tests.support.life import Begin, begin_life


@pytest.fixture
def begin() -> Begin:
    """Begin a device's life in a scenario given as YAML text or as members of one."""
    return begin_life
