"""`mockcic clock`: the clock of a running server from a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest

from mockcic import MockCIC
from mockcic.bench.remote import RemotePlace
from mockcic.mock import Bench
from tests.support.commands import commands_on

Run = Callable[..., str]


@pytest.fixture(scope="module")
def mock() -> Iterator[MockCIC]:
    with MockCIC("scenario: s\nauth: {token_lifetime: 4d}\n", h2c_port=None, control_port=0) as mock:
        yield mock


@pytest.fixture
def run(mock: MockCIC) -> Iterator[Run]:
    """Run a command against the server, in this thread."""

    command = commands_on(mock, "clock")
    yield lambda *words, code=0: command(*words, code=code).output
    mock.put_clock_right()


def test_it_is_shown_turned_and_put_right(run: Run, mock: MockCIC) -> None:
    mock.device(device_id="kitchen-clock").issue_token()
    assert run("show").endswith("0 s ahead of real time  next in 4 d\n")
    said = run("advance", "95h")
    assert re.search(r"  4 d ahead of real time  0 things came due  next in (60|5[0-9.]+) min\n$", said), said
    assert "1 thing came due, 1 token expired" in run("advance", "1h")
    assert json.loads(run("advance", "1d", "--json"))["due"] == 0
    assert run("factor", "60").endswith("5 d ahead of real time  60 times as fast\n")
    assert run("factor", "0").endswith("it stands\n")
    assert run("reset").endswith("+00:00  0 s ahead of real time\n")


def test_it_is_turned_to_a_time(run: Run) -> None:
    run("factor", "0")
    assert "T22:00:00.000+00:00" in run("advance", "--to", "07:00")
    assert "T21:30:00.000+00:00" in run("advance", "--to", "22:30+01:00")


def test_what_cannot_be_done_is_said(run: Run) -> None:
    assert "give a DURATION such as 8h, or --to TIME" in run("advance", code=2)
    assert "expected a duration such as 90s" in run("advance", "soon", code=2)
    assert "2001-01-01T00:00 has been; the clock shows" in run("advance", "--to", "2001-01-01T00:00", code=2)
    assert "less than or equal to 10000" in run("factor", "10001", code=2)


def test_a_server_elsewhere_is_turned_by_a_test_and_left_right(mock: MockCIC) -> None:
    place = RemotePlace(mock.control_url)
    bench = Bench(place)
    bench.open()
    assert bench.advance("1h").ahead_s == pytest.approx(3600, abs=1)
    bench.set_time_factor(2)
    assert bench.clock.factor == 2
    bench.close()
    place.close()
    assert (mock.clock.ahead_s, mock.clock.factor) == (0, 1)
