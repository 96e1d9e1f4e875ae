"""Devices on trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from mockcic.bench.local import LocalPlace
from mockcic.cli.trial import SCENARIO
from mockcic.mock import MockCIC
from mockcic.trial.subject import Subject
from tests.support.naive import NaiveDevice

OnTrial = Callable[..., Subject]


@pytest.fixture(scope="module")
def mock() -> Iterator[MockCIC]:
    with MockCIC(SCENARIO, h2c_port=0, control_port=0) as running:
        yield running


@pytest.fixture
def on_trial(mock: MockCIC) -> Iterator[OnTrial]:
    """A device with these vices, connected."""
    place, port = LocalPlace(mock), urlsplit(mock.h2c_url or "").port
    assert port is not None
    with ExitStack() as stack:
        count = 0

        def make(**vices: object) -> Subject:
            nonlocal count
            count += 1
            token = f"naive-{id(stack)}-{count}"
            device = NaiveDevice(port, token, **vices)  # type: ignore[arg-type]
            subject = stack.enter_context(Subject(place, place.announce(token), device))
            assert subject.come_back(30.0)
            return subject

        yield make
