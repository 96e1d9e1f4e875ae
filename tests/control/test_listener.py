"""Who may ask, and how the control side ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess

import httpx
import pytest

from mockcic import MockCIC
from mockcic.control.guard import is_local
from mockcic.control.listener import Control, is_loopback
from mockcic.errors import StartError
from tests.support.programs import need

SECRET = "secret-of-the-control-side"


def test_with_a_token_every_request_needs_it() -> None:
    with (
        MockCIC(control_port=0, control_token=SECRET) as mock,
        httpx.Client(base_url=mock.control_url or "") as client,
    ):
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": SECRET}):
            answer = client.get("/v1/devices", headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert SECRET not in answer.text
        assert client.get("/readyz").status_code == 401
        assert client.get("/healthz").status_code == 200, "those who watch over containers have no token"
        assert client.get("/v1/devices", headers={"authorization": f"bearer {SECRET}"}).status_code == 200


def test_off_this_machine_a_token_is_made_when_none_is_given() -> None:
    assert Control(host="127.0.0.1").token is None
    assert Control(host="localhost").token is None
    made = Control(host="0.0.0.0").token
    assert made is not None
    assert len(made) >= 20
    assert Control(host="::", token=SECRET).token == SECRET
    assert not is_loopback("192.0.2.1")
    assert is_loopback("::1")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example:8444"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "localhost:8444"}, 200),
        ({"host": "127.0.0.1"}, 200),
    ],
)
def test_no_web_page_of_elsewhere_can_use_a_browser_on_this_machine(headers: dict[str, str], status: int) -> None:
    """A page may name our address with a host name of its own, or send requests across origins."""
    with MockCIC(control_port=0) as mock, httpx.Client(base_url=mock.control_url or "") as client:
        assert client.get("/v1/devices", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1:80", True), ("localhost", True), ("[::1]:80", True), ("127.evil.example", False), ("a.b:1", False)],
)
def test_names_of_this_machine_are_known(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_a_page_of_the_server_itself_may_ask() -> None:
    with MockCIC(control_port=0) as mock, httpx.Client(base_url=mock.control_url or "") as client:
        assert client.get("/v1/devices", headers={"origin": mock.control_url or ""}).status_code == 200


def test_a_port_in_use_names_the_option_that_chooses_another() -> None:
    with MockCIC(control_port=0) as mock:
        port = int((mock.control_url or "").rpartition(":")[2])
        with pytest.raises(StartError, match=f"cannot listen on 127.0.0.1:{port}.*--control-port"):
            MockCIC(control_port=port).start()


async def test_who_waits_is_answered_when_the_server_stops(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockcic.server.stock.STOP_WITHIN_S", 30.0)  # to write the answers on a busy machine
    mock = MockCIC(control_port=0)
    await asyncio.to_thread(mock.start)
    async with httpx.AsyncClient(base_url=mock.control_url or "") as client:

        async def look_on() -> list[str]:
            lines = []
            with contextlib.suppress(httpx.RemoteProtocolError):
                async with client.stream("GET", "/v1/journal/live") as answer:
                    lines = [line async for line in answer.aiter_lines()]
            return lines

        async def stop() -> None:
            # the bench's own, the wait's, the stream's; they are in another thread, and nothing tells of them
            while len(mock.service.journal._listeners) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await asyncio.to_thread(mock.stop)

        wait = client.post("/v1/wait", json={"filter": "Clova.Never", "within": 3600})
        answer, lines, _ = await asyncio.gather(wait, look_on(), stop())
    assert answer.status_code == 410
    assert answer.json()["verdict"]["why"] == "the server stopped before the time was over"
    assert lines[0].startswith(":")
    assert [record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "WARNING")] == []


def test_a_body_without_end_is_refused_while_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockcic.control.whole.LIMIT_BYTES", 100_000)
    with MockCIC(control_port=0) as mock, httpx.Client(base_url=mock.control_url or "") as client:
        for path in ("/v1/scenarios", "/v1/verify"):
            answer = client.post(path, content=b" " * 200_000, headers={"content-type": "application/json"})
            assert answer.status_code == 413
            assert json.loads(answer.text)["status"] == 413


def test_a_client_is_served_beyond_a_thousand_requests_on_one_connection() -> None:
    with MockCIC(control_port=0) as mock:
        command = [need("h2load"), "-n", "1100", "-c", "1", "-m", "20", f"{mock.control_url}/healthz"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert "1100 2xx" in done.stdout, done.stdout
