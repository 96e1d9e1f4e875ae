"""Faults that a test sets, on a server that is asked over HTTP: whose they are, when they are gone, what is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from mockcic import FaultError, MockCIC
from mockcic.bench.remote import RemotePlace
from mockcic.mock import Bench


@pytest.fixture(scope="module")
def mock() -> Iterator[MockCIC]:
    with MockCIC("scenario: s\n", control_port=0) as mock:
        httpx.get(f"{mock.control_url}/healthz", timeout=60)  # the first to ask waits until FastAPI is imported
        yield mock
        mock.fault(pong="never", always=True)  # gone with the server, without a word


@contextmanager
def _bench(mock: MockCIC) -> Iterator[Bench]:
    """A test's place on a server that is asked over HTTP."""
    place = RemotePlace(mock.control_url)
    bench = Bench(place)
    bench.open()
    yield bench
    bench.close()
    place.close()


def test_it_is_for_all_devices_of_the_test_those_that_come_later_too(mock: MockCIC) -> None:
    with _bench(mock) as mine, _bench(mock) as others:
        first = mine.device()
        others.device()
        fault = mine.fault(reset="CANCEL", after={"sent": 120}, always=True)
        second = mine.device()
        assert len(fault.numbers) == 2
        assert {each.device for each in mine.faults} == {first.name, second.name}
        assert others.faults == ()
        fault.remove()
        mine.device()
        assert mine.faults == ()


def test_it_is_gone_with_the_test_also_at_hardware_with_a_token_of_its_own(mock: MockCIC) -> None:
    with _bench(mock) as bench:
        bench.device(token="hardware-token-9b1c").fault(reset="CANCEL", always=True)
        bench.fault({"accept": {"stall": "10ms"}}, client="192.0.2.1", always=True)
        bench.fault(goaway="NO_ERROR", on="downchannel", always=True)
        assert len(bench.faults) == 3
    assert httpx.get(f"{mock.control_url}/v1/faults", timeout=30).json() == {"faults": []}


def test_one_that_can_never_strike_is_a_warning_of_python(mock: MockCIC) -> None:
    with _bench(mock) as bench:
        bench.device()
        with pytest.warns(UserWarning, match="fault reset: a fault that strikes 2 s after its moment and is gone"):
            found = bench.fault(reset="CANCEL", after="2s", for_="1s")
        assert len(found.warnings) == 1


def test_bad_words_are_told_as_in_a_scenario(mock: MockCIC) -> None:
    with _bench(mock) as bench:
        with pytest.raises(FaultError, match=r'"reset" cannot be "CANCLE"; expected an error code .*; write CANCEL'):
            bench.fault(reset="CANCLE")
        with pytest.raises(FaultError, match=r'"times" cannot be 0; .*\nunknown key "rest"; .*did you mean reset\?'):
            bench.device().fault({"rest": "CANCEL"}, times=0)
