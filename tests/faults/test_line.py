"""Running connections that are cut, or fall silent: what a socket sees of it, on both event loops, and who does not."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockcic import mock as mock_module
from mockcic.mock import MockCIC
from mockcic.scenario.faults.fault import Fault
from mockcic.server.loop import new_event_loop
from tests.support.programs import need
from tests.support.tls_caller import MOMENT_S, PATIENCE_S, Caller

LENIENT = """
scenario: lenient
settings: {same_connection: false, downchannel_window: off}
on: [{event: TextRecognizer.Recognize, reply: [Clova.RenderText: {text: fine}]}]
"""

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop, "own": new_event_loop}


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[MockCIC]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mock_module, "new_event_loop", LOOPS[request.param])
        with MockCIC(LENIENT) as mock:
            yield mock


@pytest.fixture
def mock(server: MockCIC) -> Iterator[MockCIC]:
    server.clear()
    yield server
    server.call(server.desk.faults.clear)
    server.put_clock_right()


def arm(mock: MockCIC, device: str = "*-hit", **fault: Any) -> int:
    cic = mock.service.cic
    return mock.call(lambda: cic.armoury.arm(Fault.model_validate(fault), cic.devices, device=device))


@pytest.fixture
def hit(mock: MockCIC) -> Iterator[Caller]:
    """The device that is struck; beside it one that sees nothing of it."""
    with Caller(mock, "line-hit") as caller, Caller(mock, "line-not") as spared:
        caller.downchannel()
        spared.downchannel()
        yield caller
        assert spared.is_answered()
        assert spared.status() == 204


@pytest.mark.parametrize(("how", "end"), [("rst", "rst"), ("fin", "close_notify"), ("no-notify", "eof")])
def test_a_running_connection_is_cut(mock: MockCIC, hit: Caller, how: str, end: str) -> None:
    """Without GOAWAY and without END_STREAM."""
    arm(mock, name="cut", cut=how, times=1)
    assert hit.end() == ([], end)
    hit.sock.close()
    entry = mock.wait("disconnect", reason="fault cut")
    struck = mock.wait("kind=fault name=cut phase=struck")
    assert (struck.connection, struck.device) == (entry.connection, "…-hit")
    with Caller(mock, "line-hit") as again:
        assert again.is_answered(), "once is once"


def test_a_silent_connection_takes_everything_and_says_nothing(mock: MockCIC, hit: Caller) -> None:
    """What the application writes is dropped, what the device writes is acknowledged, until the device closes."""
    arm(mock, name="cut", cut="silent", times=1)
    assert hit.hears_nothing()
    device = mock.service.cic.devices.named("line-hit")
    assert device is not None
    mock.push("Clova.Help")
    mock.wait("kind=directive name=Clova.Help device=…-hit")
    hit.sock.settimeout(MOMENT_S)
    with pytest.raises(TimeoutError):
        hit.frame()
    hit.sock.settimeout(PATIENCE_S)
    hit.line.sendall(b"x" * 8_000_000)
    assert not mock.find("kind=fault name=cut phase=over,gone"), "it acts still"
    hit.sock.close()
    mock.wait("disconnect", reason="closed by the client")
    mock.wait("kind=fault name=cut phase=over")
    mock.wait("kind=fault name=cut phase=gone")


def test_a_deaf_connection_lets_the_devices_buffer_fill(mock: MockCIC, hit: Caller) -> None:
    """And is reset when its time is over."""
    arm(mock, name="cut", cut={"how": "deaf", "lasts": "1h"}, times=1)
    hit.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        hit.line.sendall(b"x" * 8_000_000)
    mock.advance("1h")
    hit.sock.settimeout(PATIENCE_S)
    with pytest.raises(ConnectionResetError):
        hit.sock.recv(1)
    mock.wait("disconnect", reason="fault cut")
    assert mock.wait("kind=fault name=cut phase=struck").data["lasts_s"] == 3600
    mock.wait("kind=fault name=cut phase=over")


def test_a_deaf_connection_hears_that_its_device_has_closed(mock: MockCIC, hit: Caller) -> None:
    """Where nothing unread stands before its FIN."""
    arm(mock, name="cut", cut="deaf", times=1)
    mock.wait("kind=fault name=cut phase=struck")
    hit.sock.close()
    mock.wait("disconnect", reason="closed by the client")


@pytest.mark.parametrize("span", [{"cut": {"how": "silent", "lasts": "60ms"}}, {"cut": "silent", "for": "60ms"}])
def test_a_silence_that_ends_is_a_reset(mock: MockCIC, hit: Caller, span: dict[str, Any]) -> None:
    began = time.perf_counter()
    arm(mock, **span, times=1)
    assert hit.end() == ([], "rst")
    assert time.perf_counter() - began > 0.05


@pytest.mark.parametrize("then", ["rst", "no-notify", "fin", "deaf"])
def test_one_fault_after_another_on_the_same_connection(mock: MockCIC, hit: Caller, then: str) -> None:
    """What is silent already can still be cut; a third one is harmless."""
    arm(mock, name="first", cut="silent", times=1)
    assert hit.hears_nothing()
    arm(mock, name="second", cut=then, times=1)
    if then == "deaf":
        hit.sock.settimeout(MOMENT_S)
        with pytest.raises(TimeoutError):
            hit.frame()
        hit.sock.close()
    else:
        assert hit.end() == ([], "rst" if then == "rst" else "eof")
    arm(mock, name="third", cut="fin", times=1)
    reason = mock.wait("disconnect").data["reason"]
    assert then == "deaf" or reason == "fault second"  # that of a deaf one depends on who is quicker


def test_each_connection_is_cut_when_it_has_lived_so_long(mock: MockCIC) -> None:
    """The hourly hang-up of one device: `after: 1h` on its connections, without `times`."""
    number = arm(mock, name="hourly", cut="fin", after="1h")
    for _ in range(2):
        with Caller(mock, "line-hit") as hit:
            hit.downchannel()
            mock.advance("59m")
            assert hit.is_answered()
            mock.advance("1m")
            assert hit.end()[1] == "close_notify"
    cic = mock.service.cic
    assert mock.call(lambda: cic.armoury.remove(number, iter(cic.devices)))


def test_one_device_hangs_up_alone(mock: MockCIC, hit: Caller) -> None:
    """`hang_up` that is set for one device ends its connection only."""
    arm(mock, name="alone", hang_up="goaway", times=1)
    assert hit.end() == (["GoAwayFrame"], "close_notify")


@pytest.mark.parametrize(("how", "codes"), [("rst", {56}), ("fin", {18, 56, 92}), ("no-notify", {18, 56, 92})])
def test_curl_loses_its_answer_in_the_middle(mock: MockCIC, tmp_path: Path, how: str, codes: set[int]) -> None:
    """At a moment of the answer: behind its 40th byte; another device's answer comes whole."""
    arm(mock, name="mid", cut=how, on="answer", after={"sent": 40}, times=1)
    header = {"namespace": "TextRecognizer", "name": "Recognize", "messageId": "m1", "dialogRequestId": "d1"}
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"context": [], "event": {"header": header, "payload": {"text": "hi"}}}))

    def ask(token: str) -> tuple[int, bytes]:
        command = [need("curl"), "-sS", "--max-time", "30", "--cacert", str(mock.ca_file)]
        command += ["-H", f"authorization: Bearer {token}", "-F", f"metadata=<{event};type=application/json"]
        done = subprocess.run([*command, f"{mock.url}/v1/events"], capture_output=True, timeout=60, check=False)
        return done.returncode, done.stdout

    code, body = ask("line-hit")
    assert code in codes
    assert len(body) <= 40
    assert b"fine" in ask("line-not")[1]
    assert ask("line-hit")[0] == 0
    mock.wait("disconnect", reason="fault mid")
