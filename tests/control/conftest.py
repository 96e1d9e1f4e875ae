"""A server with a control side, and who asks it: over HTTP/1.1 and over HTTP/2."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from mockcic import MockCIC

SCENARIO = """
scenario: lamp
settings: {same_connection: false, downchannel_window: off}
vars: {lit: 0}
on:
  - name: light
    event: TextRecognizer.Recognize
    when: {payload.text: {contains: 불}}
    set: {lit: 1}
    go: bright
    reply: {DeviceControl.TurnOn: {target: flashlight}}
  - {event: "DeviceControl.*", name: report}
"""
TOKEN = "desk-token-4f2a"


@pytest.fixture
def mock() -> Iterator[MockCIC]:
    with MockCIC(SCENARIO, control_port=0) as mock:
        yield mock


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def client(mock: MockCIC, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with _client(mock, request.param) as client:
        yield client


@pytest.fixture(scope="module")
def unchanged() -> Iterator[MockCIC]:
    """One server for all tests that change nothing in it, because what they ask is refused."""
    with MockCIC(SCENARIO, control_port=0) as mock:
        yield mock


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def refused(unchanged: MockCIC, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """Who asks for what is refused."""
    with _client(unchanged, request.param) as client:
        yield client


def _client(mock: MockCIC, version: str) -> httpx.Client:
    two = version == "HTTP/2"
    return httpx.Client(base_url=mock.control_url or "", http1=not two, http2=two)
