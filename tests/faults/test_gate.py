"""Faults on connections that are only about to be, seen by sockets, `ssl`, openssl and curl, and by nobody else."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme

from mockcic.cic.facts import CueWanted
from mockcic.control.ask import AskError
from mockcic.control.shapes import FaultOrder
from mockcic.errors import FaultError, StartError
from mockcic.journal.entry import Entry
from mockcic.mock import MockCIC
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.load import load_text
from mockcic.server.service import Listening, Service
from tests.support.programs import need
from tests.support.tls_caller import MOMENT_S, PATIENCE_S, Caller, handshake, tcp, trusting

HIT, SPARED = "127.0.0.2", "127.0.0.1"

LENIENT = "scenario: lenient\nsettings: {same_connection: false, downchannel_window: off}\n"


@pytest.fixture(scope="module")
def server() -> Iterator[MockCIC]:
    with MockCIC(LENIENT) as mock:
        yield mock


@pytest.fixture
def mock(server: MockCIC) -> Iterator[MockCIC]:
    """The server, without faults before and after."""
    server.clear()
    yield server
    server.call(server.desk.faults.clear)
    server.put_clock_right()


def arm(mock: MockCIC, *, device: str = "*", **fault: Any) -> int:
    cic = mock.service.cic
    return mock.call(lambda: cic.armoury.arm(Fault.model_validate(fault), cic.devices, device=device))


def gate_of(mock: MockCIC) -> object:
    server = mock.service._server
    assert server is not None
    return server.gate


def entries(mock: MockCIC, kind: str, **members: Any) -> list[Entry]:
    return list(mock.find(kind, **members))


def ended(mock: MockCIC, name: str) -> str:
    """Wait until the connection that the fault killed is in the journal; the client's address."""
    entry = mock.wait("disconnect", reason=f"fault {name}")
    came = mock.wait("connect", connection=entry.connection)
    assert came.name == entry.name
    struck = mock.wait(f"kind=fault name={name} phase=struck")
    assert struck.connection == entry.connection
    return entry.name.rpartition(":")[0]


# ------------------------------------------------------------------ accept


def read_until_rst(sock: socket.socket) -> None:
    with pytest.raises(ConnectionResetError):
        sock.recv(1)


def refused(mock: MockCIC, source: str = SPARED) -> None:
    """RST, which may be there before `connect` has returned."""
    with pytest.raises(ConnectionResetError), tcp(mock, source) as sock:
        sock.recv(1)


def fin(mock: MockCIC, source: str) -> None:
    with tcp(mock, source) as sock:
        assert sock.recv(1) == b""


def rst_after_first_bytes(mock: MockCIC, source: str) -> None:
    with tcp(mock, source) as sock:
        sock.settimeout(MOMENT_S)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.settimeout(PATIENCE_S)
        sock.sendall(b"\x16")
        read_until_rst(sock)


def write_and_read(sock: socket.socket) -> None:
    sock.sendall(b"hello")
    sock.recv(1)


def nothing_and_then_rst(mock: MockCIC, source: str) -> None:
    began = time.perf_counter()
    with tcp(mock, source) as sock, pytest.raises(ConnectionResetError):
        write_and_read(sock)
    assert time.perf_counter() - began > 0.045


@pytest.mark.parametrize(
    ("act", "sees"),
    [
        ("refuse", refused),
        ("rst", rst_after_first_bytes),
        ("fin", fin),
        ({"how": "silent", "lasts": "50ms"}, nothing_and_then_rst),
        ({"how": "deaf", "lasts": "50ms"}, nothing_and_then_rst),
    ],
    ids=["refuse", "rst", "fin", "silent", "deaf"],
)
def test_a_connection_is_not_served(mock: MockCIC, act: Any, sees: Callable[[MockCIC, str], None]) -> None:
    """Two connections from one address; the address beside it, and the third one, see nothing of it."""
    arm(mock, name="door", accept=act, client=HIT, times=2)
    for _ in range(2):
        sees(mock, HIT)
        with Caller(mock, "t-spared", SPARED) as spared:
            assert spared.status() == 204
    with Caller(mock, "t-hit", HIT) as after:
        assert after.status() == 204
    assert ended(mock, "door") == HIT
    mock.wait("disconnect", reason="fault door", times=2)
    mock.wait("kind=fault name=door phase=gone")
    assert gate_of(mock) is None, "no fault is set any more, and nobody asks"


def test_a_silent_one_is_read_until_its_device_closes_and_a_deaf_one_is_not(mock: MockCIC) -> None:
    """TCP acknowledges what goes to the silent one for ever; the deaf one's sender is stopped by its full buffers."""
    arm(mock, name="door", accept="silent", times=1)
    with tcp(mock) as sock:
        sock.sendall(b"x" * 16_000_000)
    ended(mock, "door")
    mock.wait("kind=fault name=door phase=over")
    mock.clear()
    arm(mock, name="door", accept={"how": "deaf", "lasts": "400ms"}, times=1)
    with tcp(mock) as sock:
        mock.wait("connect")
        sock.settimeout(0.2)
        with pytest.raises((TimeoutError, ConnectionError)):  # that where its 400 ms are over first
            sock.sendall(b"x" * 16_000_000)
    assert Fault.model_validate({"accept": "deaf"}).act.lasts_s == 120, "its FIN cannot be seen behind all that"
    ended(mock, "door")


@pytest.mark.parametrize("how", ["silent", "deaf"])
def test_a_connection_that_is_held_is_reset_when_its_fault_is_removed(mock: MockCIC, how: str) -> None:
    """One of two that are held by a fault which has struck as often as it was to: it is there until both are gone."""
    number = arm(mock, name="door", accept=how, client=HIT, times=2)
    with tcp(mock, HIT) as first, tcp(mock, HIT) as second:
        for sock in (first, second):
            sock.sendall(b"hello")
        mock.wait("kind=fault name=door phase=struck", times=2)
        (set_,) = mock.call(mock.desk.faults.all)
        assert (set_.number, set_.strikes) == (number, 2)
        mock.call(lambda: mock.desk.faults.remove(number))
        for sock in (first, second):
            read_until_rst(sock)
    mock.wait("kind=fault name=door phase=over", times=2)
    assert gate_of(mock) is None


def test_a_connection_that_is_held_is_reset_when_the_time_of_its_fault_is_over(mock: MockCIC) -> None:
    arm(mock, name="door", accept="silent", **{"for": "10m"})
    with tcp(mock) as sock:
        mock.wait("kind=fault name=door phase=struck")
        mock.advance("10m")
        read_until_rst(sock)
    with Caller(mock, "t-1") as after:
        assert after.status() == 204


def test_a_connection_whose_device_closes_leaves_the_others_held(mock: MockCIC) -> None:
    arm(mock, name="door", accept="silent", client=HIT, times=2)
    with tcp(mock, HIT) as first:
        with tcp(mock, HIT):
            mock.wait("kind=fault name=door phase=struck", times=2)
        mock.wait("kind=fault name=door phase=over")
        first.settimeout(0.05)
        with pytest.raises(TimeoutError):
            first.recv(1)
    mock.wait("kind=fault name=door phase=gone")


@pytest.mark.parametrize(
    "fault",
    [{"accept": {"stall": "1h"}}, {"tls": {"stall": "forever", "sent": 100}}, {"tls": {"rate": 1}}],
    ids=["accept", "handshake", "rate"],
)
def test_a_connection_that_waits_goes_on_when_its_fault_is_removed(mock: MockCIC, fault: dict[str, Any]) -> None:
    number = arm(mock, name="slow", times=1, **fault)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(Caller, mock, "t-1")
        mock.wait("kind=fault name=slow phase=struck")
        mock.call(lambda: mock.desk.faults.remove(number))
        with coming.result(timeout=20) as caller:
            assert caller.status() == 204
    assert gate_of(mock) is None


def test_a_stalled_accept_goes_on(mock: MockCIC) -> None:
    arm(mock, name="door", accept={"stall": "60ms"}, times=1)
    began = time.perf_counter()
    with Caller(mock, "t-1") as caller:
        assert caller.status() == 204
    assert time.perf_counter() - began > 0.06
    (struck,) = entries(mock, "fault", phase="struck")
    assert struck.data["lasts_s"] == 0.06
    came = mock.wait("connect")
    assert came.connection == struck.connection
    assert came.data["alpn"] == "h2"


# ------------------------------------------------------------------ certificates


REFUSALS = {
    "expired": ("certificate has expired", "certificate expired", "10"),
    "not-yet-valid": ("certificate is not yet valid", "bad certificate", "9"),
    "wrong-name": ("Hostname mismatch", "bad certificate", "62"),
    "unknown-issuer": ("unable to get local issuer certificate", "unknown ca", "20"),
    "no-chain": ("unable to get local issuer certificate", "unknown ca", "20"),
    "self-signed": ("self-signed certificate", "unknown ca", "18"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_wrong_certificate_is_refused_by_a_device_that_looks(mock: MockCIC, kind: str) -> None:
    """Python's ssl says what is wrong with it, the server hears the alert; the neighbour has the right one."""
    said, alert, _ = REFUSALS[kind]
    arm(mock, name="cert", certificate=kind, client=HIT, times=1)
    with pytest.raises(ssl.SSLCertVerificationError, match=said):
        handshake(mock, HIT)
    for source in (SPARED, HIT):
        with handshake(mock, source) as sock:
            assert sock.selected_alpn_protocol() == "h2"
    assert ended(mock, "cert") == HIT
    over = mock.wait("kind=fault name=cert phase=over")
    assert alert in over.data["detail"]
    assert not mock.findings


@pytest.mark.parametrize("kind", ["expired", "wrong-name"])
def test_a_device_that_takes_a_wrong_certificate_has_a_finding(mock: MockCIC, kind: str) -> None:
    """It goes on: HTTP/2 is served as ever."""
    careless = trusting(mock)
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    arm(mock, certificate=kind, times=1)
    with Caller(mock, "t-1", context=careless) as caller:
        assert caller.status() == 204
    finding = mock.wait("kind=finding name=tls.certificate")
    assert finding.data["severity"] == ("warning" if kind == "wrong-name" else "error")
    assert finding.connection == mock.wait("connect").connection


def test_openssl_and_curl_see_the_same(mock: MockCIC) -> None:
    """`openssl s_client` verifies with the code of the trouble, curl exits with 60 (peer certificate)."""
    host = mock.url.removeprefix("https://")
    for kind in ("expired", "self-signed", "no-chain"):
        arm(mock, certificate=kind, times=1)
        done = subprocess.run(
            [need("openssl"), "s_client", "-connect", host, "-CAfile", str(mock.ca_file)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        found = re.search(r"Verify return code: (\d+)", done.stdout)
        assert found is not None
        assert found[1] in (REFUSALS[kind][2], "21")
        assert done.stdout.count("BEGIN CERTIFICATE") == 1
    for act, code in (({"certificate": "expired"}, 60), ({"accept": "refuse"}, 35), ({"tls": {"only": "1.1"}}, 35)):
        arm(mock, **act, times=1)
        assert curl(mock) in (code, 7), "7 where curl has seen the RST before it wrote"
    assert curl(mock) == 0


def curl(mock: MockCIC) -> int:
    command = [need("curl"), "-sS", "--max-time", "30", "--cacert", str(mock.ca_file), f"{mock.url}/ping"]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode


def test_a_certificate_is_wrong_for_those_who_ask_for_a_name(mock: MockCIC) -> None:
    """SNI is looked at without being taken off the line, also when the ClientHello comes in pieces."""
    arm(mock, name="cert", certificate="expired", server_name="prod-*", times=1)
    with handshake(mock, name="localhost"):
        pass
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(mock, name="prod-ni-cic.clova.ai")
    arm(mock, name="cert", certificate="expired", server_name="prod-*", times=1)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = trusting(mock).wrap_bio(incoming, outgoing, server_hostname="prod-ni-cic.clova.ai")
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    data = outgoing.read()
    with tcp(mock) as sock:
        for piece in (data[:3], data[3:60], data[60:]):
            sock.sendall(piece)
            time.sleep(0.002)
        while True:
            incoming.write(sock.recv(65536))
            try:
                hello.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                break


# ------------------------------------------------------------------ TLS


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3"])
def test_only_one_version_is_spoken(mock: MockCIC, version: str) -> None:
    """Who speaks it is served; who does not gets the alert protocol_version."""
    wanted = ssl.TLSVersion[{"1.0": "TLSv1", "1.1": "TLSv1_1", "1.2": "TLSv1_2", "1.3": "TLSv1_3"}[version]]
    able, unable = trusting(mock), trusting(mock)
    able.set_ciphers("DEFAULT:@SECLEVEL=0")
    if version == "1.3":
        unable.maximum_version = ssl.TLSVersion.TLSv1_2
    else:
        unable.minimum_version = ssl.TLSVersion.TLSv1_3
    able.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    arm(mock, name="only", tls={"only": float(version)}, times=1)
    with handshake(mock, context=able) as sock:
        mock.clear()
        assert sock.version() == wanted.name.replace("_", ".")
    arm(mock, name="only", tls={"only": version}, times=1)
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        handshake(mock, context=unable)
    with handshake(mock) as sock:
        assert sock.version() == "TLSv1.3"
    ended(mock, "only")


def test_only_old_versions_are_spoken(mock: MockCIC) -> None:
    """A device that still speaks them gets the best of them; who does not is refused, and the neighbour is served."""
    old, new = trusting(mock), trusting(mock)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    new.minimum_version = ssl.TLSVersion.TLSv1_2
    arm(mock, name="only", tls={"only": [1.0, 1.1]}, client=HIT, times=2)
    with handshake(mock, HIT, context=old) as sock:
        assert sock.version() == "TLSv1.1"
    with handshake(mock, SPARED) as sock:
        assert sock.version() == "TLSv1.3"
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        handshake(mock, HIT, context=new)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_alpn_without_h2(mock: MockCIC) -> None:
    """With `none` nothing is negotiated, and HTTP/2 is served all the same (DEVICES C2)."""
    arm(mock, tls={"alpn": "none"}, times=1)
    with Caller(mock, "t-1") as caller:
        assert caller.line.tls.selected_alpn_protocol() is None
        assert caller.status() == 204
    both = trusting(mock, alpn=("h2", "http/1.1"))
    arm(mock, tls={"alpn": "http/1.1"}, times=1)
    with handshake(mock, context=both) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"
        sock.sendall(b"GET /ping HTTP/1.1\r\nhost: mock\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 505")
    with handshake(mock, context=both) as sock:
        assert sock.selected_alpn_protocol() == "h2"


@pytest.mark.parametrize(
    ("act", "at_least_s"),
    [({"stall": "60ms"}, 0.06), ({"stall": "60ms", "sent": 100}, 0.06), ({"rate": 20_000}, 0.02)],
    ids=["hello", "bytes", "rate"],
)
def test_a_slow_handshake_goes_on(mock: MockCIC, act: dict[str, Any], at_least_s: float) -> None:
    """Then all is as ever: the client's address, HTTP/2, the end of the connection."""
    arm(mock, name="slow", tls=act, client=HIT, times=1)
    began = time.perf_counter()
    with Caller(mock, "t-1", HIT) as caller:
        assert time.perf_counter() - began > at_least_s
        host, port = caller.sock.getsockname()
        address = f"{host}:{port}"
        assert caller.status() == 204
        assert mock.wait("connect").name == address
    assert mock.wait("disconnect").name == address


def test_a_handshake_stalls_after_so_many_bytes_until_the_device_has_enough(mock: MockCIC) -> None:
    """Exactly so many bytes of the server come; when the device closes, the connection is in the journal."""
    arm(mock, name="stuck", tls={"stall": "forever", "sent": 100}, client=HIT, times=1)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = trusting(mock).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    with tcp(mock, HIT) as sock:
        sock.sendall(outgoing.read())
        came = b""
        while len(came) < 100:
            came += sock.recv(4096)
        sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        assert len(came) == 100
        with Caller(mock, "t-spared", SPARED) as spared:
            assert spared.status() == 204
    assert ended(mock, "stuck") == HIT


def test_a_connection_that_came_through_a_relay_is_reset_as_any_other(mock: MockCIC) -> None:
    """TCP's RST passes the relay."""
    arm(mock, tls={"stall": "10ms", "sent": 10}, times=1)
    with Caller(mock, "t-relay") as caller:
        caller.downchannel()
        arm(mock, device="*elay", cut="rst", times=1)
        assert caller.end()[1] == "rst"


# ------------------------------------------------------------------ aims


def test_a_fault_of_a_device_strikes_where_it_last_came_from_and_nobody_else(mock: MockCIC) -> None:
    """Two devices at two addresses: one is refused, the other never."""
    with Caller(mock, "door-one", HIT) as one, Caller(mock, "door-two", SPARED) as two:
        one.downchannel()
        two.downchannel()
        arm(mock, device="*-one", name="mine", accept="refuse", times=1)
        assert one.is_answered(), "what is open stays"
        with handshake(mock, SPARED):
            pass
        refused(mock, HIT)
    assert ended(mock, "mine") == HIT
    assert mock.wait("kind=fault name=mine phase=struck").device == "…-one"


def test_a_fault_of_a_device_spares_all_when_another_came_from_there_too(mock: MockCIC) -> None:
    """It cannot be told who comes: it is said, and nothing is done."""
    with Caller(mock, "both-yes", HIT) as one, Caller(mock, "both-not", HIT) as two:
        one.downchannel()
        two.downchannel()
        arm(mock, device="*-yes", name="mine", accept="refuse")
        with handshake(mock, HIT):
            pass
        told = mock.wait('kind=fault name=mine detail~"not struck"')
        assert "…-not" in told.data["detail"]


def test_what_cannot_be_is_said(mock: MockCIC) -> None:
    with pytest.raises(FaultError, match="for all of them"):
        arm(mock, device="*-one", listener="10s")
    with MockCIC(LENIENT, tls=False) as clear, pytest.raises(FaultError, match="clear text only"):
        arm(clear, certificate="expired")


def test_chance_nth_and_span_choose_connections(mock: MockCIC) -> None:
    """nth 2 is the second connection; after its time a fault is gone by itself."""
    arm(mock, name="second", accept="refuse", nth=2)
    with handshake(mock):
        pass
    refused(mock)
    mock.wait("kind=fault name=second phase=gone")
    assert gate_of(mock) is None
    arm(mock, name="short", accept="refuse", **{"for": "20ms"})
    mock.wait("kind=fault name=short phase=gone")
    assert gate_of(mock) is None
    arm(mock, name="later", accept="refuse", after="1h")
    with handshake(mock):
        pass
    arm(mock, name="hourly", accept="refuse", every="1h")
    with handshake(mock):
        pass


# ------------------------------------------------------------------ the listener, and everybody at once


def test_nobody_listens_for_a_while_and_what_is_open_stays(mock: MockCIC) -> None:
    """ECONNREFUSED on both ports; then the same ports are taken again."""
    with Caller(mock, "t-open") as caller:
        caller.downchannel()
        arm(mock, name="away", listener={"gone": "1h"})
        assert mock.h2c_url is not None
        for url in (mock.url, mock.h2c_url):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        assert curl(mock) == 7
        assert caller.is_answered()
        mock.advance("1h")
        mock.wait("kind=fault name=away phase=over")
        with handshake(mock):
            pass
        socket.create_connection(("127.0.0.1", int(mock.h2c_url.rpartition(":")[2]))).close()
        assert caller.is_answered()
    assert gate_of(mock) is None


def test_they_listen_again_when_the_last_of_two_troubles_is_over(mock: MockCIC) -> None:
    arm(mock, name="long", listener={"gone": "2h"})
    arm(mock, name="short", listener={"gone": "1h"})
    mock.advance("1h")
    mock.wait("kind=fault name=short phase=over")
    with pytest.raises(ConnectionRefusedError):
        tcp(mock)
    mock.advance("1h")
    mock.wait("kind=fault name=long phase=over")
    with Caller(mock, "t-1") as caller:
        assert caller.status() == 204


@pytest.mark.parametrize(
    ("how", "end", "goaway"),
    [
        ("rst", "rst", False),
        ("fin", "close_notify", False),
        ("no-notify", "eof", False),
        ("goaway", "close_notify", True),
    ],
)
def test_every_connection_is_ended_at_once(mock: MockCIC, how: str, end: str, goaway: bool) -> None:
    with Caller(mock, "t-a") as one, Caller(mock, "t-b") as two:
        one.downchannel()
        two.downchannel()
        arm(mock, name="hangup", hang_up=how)
        for each in (one, two):
            frames, found = each.end()
            assert (found, "GoAwayFrame" in frames) == (end, goaway)
    mock.wait("disconnect", reason="fault hangup", times="at least 2")
    with Caller(mock, "t-a") as one:
        assert one.status() == 204


def test_again_and_again(mock: MockCIC) -> None:
    """Every so often, as often as it is told."""
    arm(mock, name="hourly", hang_up="rst", every="1h", times=2)
    for _ in range(2):
        with Caller(mock, "t-again") as caller:
            caller.downchannel()
            mock.advance("1h")
            assert caller.end()[1] == "rst"
    mock.wait("kind=fault name=hourly phase=gone")
    with Caller(mock, "t-again") as caller:
        assert caller.is_answered()


# ------------------------------------------------------------------ scenarios


def test_a_scenario_of_newcomers_has_its_faults_at_the_gate_from_the_start() -> None:
    """The first connection is met by it, before any device is known."""
    scenario = LENIENT + "fault: {certificate: expired, name: first, times: 1}\n"
    with MockCIC(scenario) as cic:
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(cic)
        with Caller(cic, "t-1") as caller:
            assert caller.status() == 204
        assert cic.wait("kind=fault name=first phase=struck").data["by"] == "scenario lenient"


def test_a_fault_of_one_scenario_spares_the_devices_of_another(tmp_path: Path) -> None:
    """A set: what newcomers' scenario has does not strike where a device of another last came from."""
    (tmp_path / "a.yaml").write_text(LENIENT + "for: {token: known-*}\n")
    (tmp_path / "b.yaml").write_text(LENIENT.replace("lenient", "newcomers"))
    with MockCIC(tmp_path) as cic, Caller(cic, "known-1", HIT) as known, Caller(cic, "t-new", SPARED) as new:
        known.downchannel()
        new.downchannel()

        def set_as_the_scenario_would(**fault: Any) -> None:
            gate = cic.service.cic.armoury.gate
            assert gate is not None
            assert gate.scenario is not None
            assert gate.scenario.scenario == "newcomers"
            gate.arm(Fault.model_validate(fault), by="scenario newcomers", number=99)

        cic.call(lambda: set_as_the_scenario_would(accept="refuse"))
        cic.call(lambda: set_as_the_scenario_would(hang_up="rst"))
        assert new.end()[1] == "rst"
        assert known.is_answered()
        with handshake(cic, HIT):
            pass
        refused(cic, SPARED)


def test_a_rule_and_a_step_set_it_for_the_next_connections_of_their_device(tmp_path: Path) -> None:
    """A rule that has answered refuses the next connection of its device; a step lets nobody listen."""
    scenario = (
        LENIENT
        + """
on:
  - event: TextRecognizer.Recognize
    reply: [Clova.RenderText: {text: fine}]
    fault: {accept: refuse, name: next, times: 1}
cues:
  away: {push: [Clova.Help, fault: {listener: 1h, name: away}]}
"""
    )
    header = {"namespace": "TextRecognizer", "name": "Recognize", "messageId": "m1", "dialogRequestId": "d1"}
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"context": [], "event": {"header": header, "payload": {"text": "hi"}}}))
    with MockCIC(scenario) as cic:
        command = [need("curl"), "-sS", "--max-time", "30", "--cacert", str(cic.ca_file), "--interface", HIT]
        command += ["-H", "authorization: Bearer rule-hit", "-F", f"metadata=<{event};type=application/json"]
        subprocess.run([*command, f"{cic.url}/v1/events"], capture_output=True, timeout=60, check=True)
        with handshake(cic, SPARED):
            pass
        refused(cic, HIT)
        assert cic.wait("kind=fault name=next phase=struck").data["by"] == "rule"
        with Caller(cic, "rule-hit", HIT) as hit:
            hit.downchannel()
            device = cic.service.cic.devices.named("rule-hit")
            assert device is not None
            cic.call(lambda: device.tell(CueWanted("away", {})))
            cic.wait("kind=fault name=away phase=struck")
            with pytest.raises(ConnectionRefusedError):
                tcp(cic)
            cic.advance("1h")
            cic.wait("kind=fault name=away phase=over")
            with handshake(cic):
                pass
            assert hit.is_answered()


def test_the_control_api_sets_lists_and_removes_them(mock: MockCIC) -> None:
    """One that strikes all at once is answered with what it did; one that cannot be is a 409."""
    desk = mock.desk.faults
    with Caller(mock, "t-api") as caller:
        caller.downchannel()
        done = mock.call(lambda: desk.set(FaultOrder.model_validate({"fault": {"hang_up": "rst"}})))
        assert (done.act, done.device, done.strikes) == ("hang_up", "*", 1)
        assert caller.end()[1] == "rst"
    order = FaultOrder.model_validate({"fault": {"accept": "refuse", "client": HIT}, "always": True})
    number = mock.call(lambda: desk.set(order)).number
    refused(mock, HIT)
    refused(mock, HIT)
    mock.call(lambda: desk.remove(number))
    with handshake(mock, HIT):
        pass
    assert mock.call(desk.all) == []
    mock.call(lambda: desk.set(order))
    (listed,) = mock.call(desk.all)
    assert (listed.act, listed.fault) == ("accept", {"client": [f"{HIT}/32"], "accept": {"how": "refuse"}})
    assert mock.call(desk.clear) == 1
    with pytest.raises(AskError, match="for all of them"):
        mock.call(lambda: desk.set(FaultOrder.model_validate({"fault": {"listener": "1s"}, "device": "…-one"})))


def test_a_server_with_a_certificate_of_its_own_says_what_it_cannot(tmp_path: Path) -> None:
    """Before it serves: the fault of a scenario needs the CA."""
    leaf = trustme.CA().issue_cert("localhost")
    pem = tmp_path / "own.pem"
    leaf.private_key_and_cert_chain_pem.write_to_path(str(pem))
    service = Service(
        load_text(LENIENT + "fault: {certificate: expired}\n", "own.yaml"), Listening(certfile=pem, keyfile=pem)
    )
    service.bind()

    async def start() -> None:
        await service.start()

    with pytest.raises(StartError, match="needs the CA"):
        asyncio.run(start())
    service.close()
