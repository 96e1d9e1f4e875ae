"""Listening sockets, and the server's beginning and end."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest
from hyperframe.frame import PingFrame

from mockcic.errors import StartError
from mockcic.server import connection
from mockcic.server.listener import Server, bind
from mockcic.server.settings import ServerSettings
from tests.support.raw_h2 import RawClient
from tests.support.serving import (
    LOOPS,
    Receive,
    Recorder,
    Scope,
    Send,
    client_tls,
    on_both_loops,
    respond,
    run_on,
    server_tls,
)


def test_a_bound_socket_listens_without_delay() -> None:
    """Nagle's algorithm costs 40 ms an answer; accepted sockets inherit the option."""
    with bind("127.0.0.1", 0) as sock:
        assert sock.getsockname()[1] != 0
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        assert not sock.getblocking()


@pytest.mark.parametrize(
    ("host", "reached_by"),
    [("127.0.0.1", ["127.0.0.1"]), ("localhost", ["127.0.0.1"]), ("0.0.0.0", ["127.0.0.1"]), ("::1", ["::1"]),
     ("::", ["::1", "127.0.0.1"])],
)  # fmt: skip
def test_either_family_is_bound(host: str, reached_by: list[str]) -> None:
    """DEVICES C5: IPv4 where a name has both; `::` takes both."""
    with bind(host, 0) as sock:
        for address in reached_by:
            with socket.create_connection((address, sock.getsockname()[1]), timeout=30):
                pass


def test_an_address_in_use_is_one_sentence() -> None:
    """For the operator, exit code 2."""
    with bind("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(StartError) as raised:
            bind("127.0.0.1", port)
    assert str(raised.value) == (
        f"cannot listen on 127.0.0.1:{port}: address already in use; "
        "choose another with --port, or any free one with --port 0"
    )


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("no.such.host.invalid", 1, "no such host"),
        ("192.0.2.1", 0, "not an address of this machine"),
        ("127.0.0.1", 70_000, "there is no such port"),
        ("2001:db8::1", 0, r"\[2001:db8::1\]:0"),
        ("x" * 300, 1, "no such host"),
    ],
)
def test_what_cannot_be_bound_is_one_sentence(host: str, port: int, said: str) -> None:
    """For the operator, with what to do about it."""
    with pytest.raises(StartError, match=said) as raised:
        bind(host, port)
    assert "--" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_privileged_port_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run as root, hence a socket that refuses."""

    class Refusing(socket.socket):
        def bind(self, address: object) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "socket", Refusing)
    with pytest.raises(StartError, match=r"^cannot listen on 127\.0\.0\.1:443: permission denied; .*--port$"):
        bind("127.0.0.1", 443)


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        raise NotImplementedError("knows no lifespan")
    await respond(send, b"hello")


@on_both_loops
async def test_several_listeners_serve_one_application() -> None:
    """Clear text and TLS side by side."""
    server = Server(plain)
    clear, secure = bind("127.0.0.1", 0), bind("127.0.0.1", 0)
    await server.start([(clear, None), (secure, server_tls(["h2"]))])
    try:
        for sock, tls in ((clear, None), (secure, client_tls(["h2"]))):
            async with await RawClient.connect(sock.getsockname()[1], tls=tls) as client:
                await client.request(1)
                assert (await client.answer(1)).body == b"hello"
    finally:
        await server.stop()
        await server.stop()  # harmless
    assert clear.fileno() == secure.fileno() == -1


@on_both_loops
async def test_lifespan_surrounds_the_requests() -> None:
    """ASGI: startup before the first accept, shutdown after the last answer; its state is in the scopes."""
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            assert (await receive())["type"] == "lifespan.startup"
            scope["state"]["greeting"] = b"hello"
            heard.append("startup")
            await send({"type": "lifespan.startup.complete"})
            assert (await receive())["type"] == "lifespan.shutdown"
            heard.append("shutdown")
            await send({"type": "lifespan.shutdown.complete"})
            return
        heard.append("request")
        await respond(send, scope["state"]["greeting"])

    server = Server(app)
    sock = bind("127.0.0.1", 0)
    await server.start([(sock, None)])
    async with await RawClient.connect(sock.getsockname()[1]) as client:
        await client.request(1)
        assert (await client.answer(1)).body == b"hello"
    await server.stop()
    assert heard == ["startup", "request", "shutdown"]


@on_both_loops
async def test_a_startup_that_fails_is_a_start_error() -> None:
    """With the application's own words; nothing is left open."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no scenario"})

    server = Server(app)
    sock = bind("127.0.0.1", 0)
    with pytest.raises(StartError, match="no scenario"):
        await server.start([(sock, None)])
    assert sock.fileno() == -1
    await server.stop()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("encrypted", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("first", ["clients vanish", "server stops"])
def test_nothing_is_left(loop: str, encrypted: bool, first: str) -> None:
    """No task and no socket, whatever the clients were doing, and whoever goes first."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        if scope["path"] == "/answer":
            await respond(send, b"x" * 200_000)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    async def test() -> None:
        observer = Recorder()
        server = Server(app, observer=observer, settings=ServerSettings(grace_s=0.1))
        sock = bind("127.0.0.1", 0)
        port = sock.getsockname()[1]
        await server.start([(sock, server_tls(["h2"]) if encrypted else None)])
        tasks_before = len(asyncio.all_tasks())
        tls = client_tls(["h2"]) if encrypted else None
        # one that never speaks, and one that never shakes hands
        clients = [await RawClient.connect(port, tls=tls, greet=False), await RawClient.connect(port, greet=False)]
        for number in range(4):
            clients.append(client := await RawClient.connect(port, tls=tls))
            await client.request(1, "/directives")
            await client.body(1, 5)
            await client.request(3, "/answer")
            await client.body(3, 1000)
            if number % 2:
                await client.request(5, "/upload", method="POST", end=False)
                await client.data(5, b"x" * 1000)
        if first == "clients vanish":
            for client in clients:
                await client.vanish()
            await observer.all_closed()
            while len(asyncio.all_tasks()) > tasks_before:  # noqa: ASYNC110 - a task has some last steps
                await asyncio.sleep(0)
            await server.stop()
        else:
            await server.stop()
            for client in clients:
                await client.end()
                await client.vanish()
        assert len(observer.closed) == len(clients) - encrypted
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_on(LOOPS[loop], test)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_flood_of_pings_without_reading_is_cut(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that does not read costs bounded memory, also when it is control frames that wait: 1 MiB, INF.

    Here an eighth of that, which takes an eighth of the work.
    """
    monkeypatch.setattr(connection, "UNREAD_LIMIT_BYTES", connection.UNREAD_LIMIT_BYTES // 8)

    async def test() -> None:
        observer = Recorder()
        server = Server(plain, observer=observer)
        sock = bind("127.0.0.1", 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # the kernel's share of what waits
        await server.start([(sock, None)])
        async with await RawClient.connect(sock.getsockname()[1]) as client:
            client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # and here
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            flood = b"".join(PingFrame(0, b"12345678").serialize() for _ in range(2000))
            with suppress(ConnectionError):
                while not observer.closed:
                    await client.write(flood)
                    await asyncio.sleep(0)
        assert await observer.all_closed() == ["does not read what it asks for"]
        await server.stop()

    run_on(LOOPS[loop], test)


def test_a_connection_that_fails_is_logged_and_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """A defect of ours, here of an observer: with its traceback on `mockcic.server`."""

    class Faulty:
        def __init__(self) -> None:
            self.faulty = True

        def connection_opened(self, facts: object) -> None:
            pass

        def connection_closed(self, facts: object, reason: str) -> None:
            pass

        def ping_received(self, facts: object) -> None:
            raise RuntimeError("a defect of ours")

    async def test() -> None:
        server = Server(plain, observer=Faulty())
        sock = bind("127.0.0.1", 0)
        await server.start([(sock, None)])
        port = sock.getsockname()[1]
        async with await RawClient.connect(port) as other:
            async with await RawClient.connect(port) as client:
                with pytest.raises(AssertionError, match="ended"):
                    await client.ping()
            await other.request(1)
            assert (await other.answer(1)).body == b"hello"
        await server.stop()

    asyncio.run(test())
    told = [record for record in caplog.records if record.name == "mockcic.server" and record.exc_info]
    assert ["a defect of ours" in str(record.exc_info) for record in told] == [True]
