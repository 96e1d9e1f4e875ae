"""Faults at the authorization server's own port, as sockets, `ssl` and curl see them; that of devices has none."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from mockcic import FaultError, MockCIC
from mockcic.bench.device import TestDevice
from mockcic.scenario.faults.fault import Fault
from tests.support.programs import need
from tests.support.tls_caller import TlsLine

WITHIN_S = 10.0


def tcp(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), WITHIN_S)


def trusting(cic: MockCIC, *alpn: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(cic.ca_file))
    context.set_alpn_protocols(alpn or ("http/1.1",))
    return context


def shakes_hands(cic: MockCIC, url: str) -> str | None:
    """What ALPN said; raises what `ssl` raises."""
    with tcp(url) as sock, trusting(cic, "h2", "http/1.1").wrap_socket(sock, server_hostname="localhost") as tls:
        return tls.selected_alpn_protocol()


class Asker:
    """A device that the authorization server knows, and what it asks for."""

    def __init__(self, cic: MockCIC) -> None:
        self.cic = cic
        self.device: TestDevice = cic.device(device_id="bad-device-0001")
        self.refresh_token = self.device.issue_token().refresh_token

    @property
    def path(self) -> str:
        identity = self.device.identity
        assert identity is not None
        whose = {"client_id": identity.client_id, "client_secret": "s", "device_id": identity.device_id}
        rest = {"grant_type": "refresh_token", "model_id": identity.model_id, "refresh_token": self.refresh_token}
        return f"/token?{urlencode(whose | rest)}"

    def raw(self) -> tuple[bytes, bool]:
        """A refresh in HTTP/1.1: the bytes of its answer until the end of the connection, and whether that is RST."""
        request = f"GET {self.path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        with tcp(self.cic.auth_url) as sock:
            line = TlsLine(sock, trusting(self.cic))
            line.sendall(request.encode())
            came = b""
            try:
                while data := line.recv(65536):
                    came += data
            except ConnectionResetError:
                return came, True
            except (ssl.SSLError, EOFError):
                pass
            return came, False

    def curl(self, *words: str, url: str = "") -> subprocess.CompletedProcess[str]:
        command = [need("curl"), "-sS", "--max-time", "10", "--cacert", str(self.cic.ca_file), *words]
        return subprocess.run(
            [*command, f"{url or self.cic.auth_url}{self.path}"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture(scope="module")
def server() -> Iterator[MockCIC]:
    with MockCIC("scenario: s\n", auth_port=0, control_port=0) as mock:
        yield mock


@pytest.fixture
def cic(server: MockCIC) -> Iterator[MockCIC]:
    """The server, without faults before and after."""
    server.clear()
    yield server
    server.call(server.desk.faults.clear)


@pytest.fixture
def asker(cic: MockCIC) -> Asker:
    return Asker(cic)


def phases(cic: MockCIC) -> list[str]:
    return [entry.data["phase"] for entry in cic.find("fault") if entry.data["phase"] in ("struck", "missed")]


def connections(cic: MockCIC) -> int:
    """How many that port's Hypercorn serves."""

    def count() -> int:
        return sum("AuthListener._serve" in repr(task.get_coro()) for task in asyncio.all_tasks())

    return cic.call(count)


def all_end(cic: MockCIC) -> bool:
    """Whether they do, before the test has waited in vain."""
    for _ in range(1000):
        if not connections(cic):
            return True
        time.sleep(0.01)
    return False


# ------------------------------------------------------------------ acts on `token`


def test_a_reset_is_tcp_s_rst_and_the_refresh_was_not_worked_on(asker: Asker) -> None:
    asker.device.fault(reset="CANCEL", on="token", times=1)
    assert asker.raw() == (b"", True)
    assert b'"access_token"' in asker.raw()[0]


def test_a_reset_behind_so_many_bytes(asker: Asker) -> None:
    asker.device.fault(reset="CANCEL", on="token", after={"sent": 20}, times=1)
    asker.device.fault(pace={"pause": {"for": "50ms", "at": 20}}, on="token", times=1)
    done = asker.curl("--http1.1")
    assert done.returncode in (35, 52, 56), "what was received before RST is lost where the client had not read it"
    assert "access_token" not in done.stdout or not done.stdout.endswith("}")


@pytest.mark.parametrize("after", [None, "headers", {"sent": 20}])
def test_an_early_end_is_the_end_of_the_connection(asker: Asker, after: Any) -> None:
    """Behind the headers, or so many bytes of the body; curl says what is missing."""
    more = {} if after is None else {"after": after}
    asker.device.fault(end="early", on="token", times=1, **more)
    came, reset = asker.raw()
    head, _, body = came.partition(b"\r\n\r\n")
    assert not reset
    assert head.startswith(b"HTTP/1.1 200")
    assert len(body) == (20 if isinstance(after, dict) else 0)
    assert int(re.findall(rb"content-length: (\d+)", head)[0]) > 100


def test_a_content_length_that_lies_ends_the_connection_where_it_is_found_out(asker: Asker) -> None:
    asker.device.fault(content_length=10, on="token", times=1)
    head, _, body = asker.raw()[0].partition(b"\r\n\r\n")
    assert b"content-length: 10\r\n" in head
    assert len(body) <= 10


def test_a_status_a_slow_answer_and_one_in_pieces(asker: Asker) -> None:
    asker.device.fault(status={"code": 503, "retry_after": 3}, on="token", times=1)
    asker.device.fault(pace={"rate": 5000}, on="token", nth=2)
    asker.device.fault(frames={"every": 7}, on="token", nth=3)
    assert b"retry-after: 3\r\n" in asker.raw()[0]
    for _ in range(2):
        head, _, body = asker.raw()[0].partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        asker.refresh_token = json.loads(body)["refresh_token"]


@pytest.mark.parametrize("fault", [{"trailers": {"x-a": "b"}}, {"frames": {"every": 7, "padding": 3}}])
def test_what_needs_http_2_is_missed_there_and_said_when_it_is_set(asker: Asker, fault: dict[str, Any]) -> None:
    order = {"fault": {**fault, "on": "token", "times": 1}, "device": asker.device.name}
    (said,) = httpx.post(f"{asker.cic.control_url}/v1/faults", json=order, timeout=60).json()["warnings"]
    assert "at the authorization server's own port: they need the HTTP/2" in said
    assert b'"access_token"' in asker.raw()[0]
    assert phases(asker.cic) == ["missed"]
    assert asker.curl("--http2", url=asker.cic.url).returncode == 0
    assert phases(asker.cic) == ["missed", "struck"]


# ------------------------------------------------------------------ the way in


def test_it_is_refused_and_the_devices_port_is_not(asker: Asker) -> None:
    cic = asker.cic
    with cic.fault(name="door", accept="refuse", port="auth", times=1):
        with pytest.raises(ConnectionResetError), tcp(cic.auth_url) as sock:
            sock.recv(1)
        assert shakes_hands(cic, cic.auth_url) == "h2"
    with cic.fault(name="other", accept="refuse", times=1):
        assert shakes_hands(cic, cic.auth_url) == "h2", "without `port` it is about the devices'"
        with pytest.raises(ConnectionResetError), tcp(cic.url) as sock:
            sock.recv(1)


def test_its_certificate_has_expired_and_that_of_the_devices_port_has_not(asker: Asker) -> None:
    cic = asker.cic
    with cic.fault(certificate="expired", port="auth", times=1):
        assert asker.curl("--http1.1").returncode == 60
        assert shakes_hands(cic, cic.url) == "h2"
    assert asker.curl("--http1.1").returncode == 0


@pytest.mark.parametrize("tls", [{"stall": "60ms"}, {"rate": 20_000}, {"only": "1.2"}], ids=str)
def test_its_handshake_is_not_as_ever_and_then_all_is(asker: Asker, tls: dict[str, Any]) -> None:
    with asker.cic.fault(tls=tls, port="auth", times=1):
        assert '"access_token"' in asker.curl("--http1.1").stdout
    asker.cic.wait("kind=fault phase=struck act=tls")
    answer = asker.cic.wait("answer")
    assert answer.connection.startswith("127.0.0.1:")


def test_alpn_of_its_wrong_handshake_is_as_ever(asker: Asker) -> None:
    """HTTP/1.1 and HTTP/2, as that port has them."""
    with asker.cic.fault(tls={"only": "1.3"}, port="auth", times=1):
        assert shakes_hands(asker.cic, asker.cic.auth_url) == "h2"


def test_nobody_listens_there_for_a_while(asker: Asker) -> None:
    cic = asker.cic
    with cic.fault(listener="10m", port="auth"):
        with pytest.raises(ConnectionRefusedError):
            tcp(cic.auth_url)
        assert shakes_hands(cic, cic.url) == "h2"
        cic.advance("10m")
    assert '"access_token"' in asker.curl("--http1.1").stdout


def test_a_connection_that_is_held_there_is_reset_with_the_end_of_its_fault(asker: Asker) -> None:
    cic = asker.cic
    fault = cic.fault(name="door", accept="silent", port="auth", times=1)
    with tcp(cic.auth_url) as sock:
        sock.sendall(b"hello")
        cic.wait("kind=fault name=door phase=struck")
        fault.remove()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


# ------------------------------------------------------------------ the end of slow answers


SLOW: dict[str, Any] = {"pace": {"rate": 1}, "on": "token"}


@pytest.mark.parametrize("how", ["rst", "fin", "fin while idle"])
def test_a_client_that_has_gone_leaves_nothing_behind(asker: Asker, how: str) -> None:
    """A slow answer would go on, and what is idle would be kept for a minute."""
    if how != "fin while idle":
        asker.device.fault(SLOW, always=True)
    context = trusting(asker.cic)
    with context.wrap_socket(tcp(asker.cic.auth_url), server_hostname="localhost") as sock:
        sock.sendall(f"GET {asker.path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
        assert connections(asker.cic) == 1
        if how == "rst":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert all_end(asker.cic)


@pytest.mark.parametrize("often", [{"always": True}, {"times": 1}], ids=str)
def test_a_slow_answer_flows_when_its_fault_is_removed(asker: Asker, often: dict[str, Any]) -> None:
    """Also when it has struck as often as it was to."""
    fault = asker.device.fault(SLOW, **often)
    with trusting(asker.cic).wrap_socket(tcp(asker.cic.auth_url), server_hostname="localhost") as sock:
        sock.sendall(f"GET {asker.path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
        came = sock.recv(65536)
        fault.remove()
        while data := sock.recv(65536):
            came += data
    assert b'"access_token"' in came


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.filterwarnings("error")
def test_a_server_that_stops_ends_a_slow_answer_without_a_word(version: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), MockCIC("scenario: s\n", auth_port=0) as cic:
        asker = Asker(cic)
        asker.device.fault(SLOW, always=True)
        words = [need("curl"), "-sSiN", "--cacert", str(cic.ca_file), version, f"{cic.auth_url}{asker.path}"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as curl:
            assert curl.stdout is not None
            assert curl.stdout.readline().startswith(b"HTTP/")
            cic.stop()
            curl.communicate(timeout=WITHIN_S)
    assert caplog.messages == []


def test_what_cannot_be_there_is_said(cic: MockCIC) -> None:
    for fault, what in (
        ({"settings_ack": "never", "on": "accept"}, "`port: auth` beside `settings_ack`"),
        ({"cut": "rst"}, "`port` beside `cut`"),
    ):
        with pytest.raises(FaultError, match=what):
            cic.fault(fault, port="auth")


def test_so_long_after_so_many_bytes_is_no_moment_of_what_shapes_an_answer() -> None:
    with pytest.raises(ValueError, match="`time` beside `sent` of `pace`"):
        Fault.model_validate({"pace": {"rate": 1}, "on": "token", "after": {"sent": 20, "time": "1s"}})
