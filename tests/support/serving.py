"""A server for one test, on the test's own loop, and the ASGI applications that tests need."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme
import uvloop

from mockcic.server.listener import Server, bind
from mockcic.server.observer import ConnectionFacts
from mockcic.server.settings import ServerSettings
from tests.support.raw_h2 import RawClient

TEST_WITHIN_S = 60.0  # a test that hangs fails then

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


LoopFactory = Callable[[], asyncio.AbstractEventLoop]
LOOPS: dict[str, LoopFactory] = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def run_on(loop_factory: LoopFactory, test: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine function on a loop of its own, and see that it leaves no task behind."""

    async def watched() -> None:
        async with asyncio.timeout(TEST_WITHIN_S):
            await test()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left behind: {left}"

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(watched())


def on_both_loops(test: Callable[[], Awaitable[None]]) -> Callable[..., None]:
    """Run a coroutine function as a test on asyncio's loop and on uvloop."""

    @pytest.mark.parametrize("loop", LOOPS)
    def run(loop: str) -> None:
        run_on(LOOPS[loop], test)

    run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
    return run


class Recorder:
    """An observer that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.opened: list[ConnectionFacts] = []
        self.closed: list[tuple[ConnectionFacts, str]] = []
        self.pings: list[ConnectionFacts] = []
        self._changed = asyncio.Event()

    def connection_opened(self, facts: ConnectionFacts) -> None:
        self.opened.append(facts)
        self._changed.set()

    def connection_closed(self, facts: ConnectionFacts, reason: str) -> None:
        self.closed.append((facts, reason))
        self._changed.set()

    def ping_received(self, facts: ConnectionFacts) -> None:
        self.pings.append(facts)
        self._changed.set()

    async def pinged(self) -> None:
        """Wait for the first PING."""
        while not self.pings:
            self._changed.clear()
            await self._changed.wait()

    async def all_closed(self) -> list[str]:
        """Wait until every connection is closed; gives the reasons."""
        while not self.opened or len(self.closed) < len(self.opened):
            self._changed.clear()
            await self._changed.wait()
        return [reason for _, reason in self.closed]


def _with_lifespan(app: App) -> App:
    async def whole(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for stage in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{stage}"
            await send({"type": f"lifespan.{stage}.complete"})

    return whole


@asynccontextmanager
async def serving(
    app: App,
    *,
    tls: ssl.SSLContext | None = None,
    observer: Recorder | None = None,
    on_stopping: Callable[[], Awaitable[None]] | None = None,
    **settings: Any,
) -> AsyncIterator[int]:
    """Serve `app` while the block runs; gives the port. `settings` are those of ServerSettings."""
    settings.setdefault("grace_s", 0.2)
    server = Server(
        _with_lifespan(app), settings=ServerSettings(**settings), observer=observer, on_stopping=on_stopping
    )
    sock = bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    await server.start([(sock, tls)])
    try:
        yield port
    finally:
        await server.stop()


@asynccontextmanager
async def stoppable(
    app: App, *, settings: dict[int, int] | None = None, **options: Any
) -> AsyncIterator[tuple[RawClient, Callable[[], Awaitable[None]]]]:
    """A server with one client; gives the client, and what stops the server."""
    stop = asyncio.Event()
    stopped = asyncio.Event()

    async def stop_now() -> None:
        stop.set()
        await stopped.wait()

    async with asyncio.TaskGroup() as tasks:
        connected: asyncio.Future[RawClient] = asyncio.get_running_loop().create_future()

        async def run() -> None:
            async with serving(app, **options) as port:
                connected.set_result(await RawClient.connect(port, settings=settings))
                await stop.wait()
            stopped.set()

        tasks.create_task(run())
        async with await connected as client:
            try:
                yield client, stop_now
            finally:
                stop.set()


@functools.cache
def _authority() -> tuple[trustme.CA, trustme.LeafCert]:
    authority = trustme.CA()
    return authority, authority.issue_cert("localhost", "127.0.0.1")


def server_tls(alpn: list[str] | None = None) -> ssl.SSLContext:
    """A server's context; `alpn` as it offers it, None for no ALPN at all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority()[1].configure_cert(context)
    if alpn is not None:
        context.set_alpn_protocols(alpn)
    return context


def client_tls(alpn: list[str] | None = None) -> ssl.SSLContext:
    """A client's context that trusts `server_tls`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _authority()[0].configure_trust(context)
    if alpn is not None:
        context.set_alpn_protocols(alpn)
    return context


async def read_body(receive: Receive) -> bytes | None:
    """The whole request body, or None when the client went before its end."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message["body"]
        if not message["more_body"]:
            return body


async def respond(send: Send, body: bytes = b"", status: int = 200, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


def wire_of(scope: Scope) -> Any:
    return scope["extensions"]["mockcic.wire"]
