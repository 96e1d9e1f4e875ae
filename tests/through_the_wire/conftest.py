"""One server for all tests of a worker; each test has devices of its own on it."""

from __future__ import annotations

import ssl

import pytest

from mockcic.mock import Bench


@pytest.fixture
def tls(cic: Bench) -> ssl.SSLContext:
    """What an httpx client needs to trust the server."""
    return ssl.create_default_context(cafile=str(cic.ca_file))
