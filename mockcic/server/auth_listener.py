"""The authorization server's own listener: apps and libcurl ask it in HTTP/1.1, which devices' listener refuses."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import EventWrapper, WorkerContext

from mockcic.errors import StartError
from mockcic.server.faults.doors import HANDSHAKE_S
from mockcic.server.listener import BACKLOG, accepted_on, bind, close_but_keep, open_streams
from mockcic.server.observer import ConnectionFacts, new_id, printed
from mockcic.server.plain_wire import PLAIN_WIRE, PlainWire
from mockcic.server.stock import STOP_WITHIN_S, stock_config

if TYPE_CHECKING:
    from mockcic.server.faults.gate import Gate
    from mockcic.server.http2 import Http2

ALPN: Final = ("h2", "http/1.1")

ABORTED_WITHIN_S: Final = 0.2
"""How long a connection that was aborted has to end by itself (INF): a stop is over within 2 s."""

logger = logging.getLogger("mockcic.auth")


class _Ending(EventWrapper):
    """That a connection is kept no longer: the server stops, or its client is gone.

    Stock Hypercorn, which hears of the first alone, keeps one whose client has gone as if it were idle.
    """

    def begin(self) -> None:
        """From now on."""
        self._event.set()


class AuthListener:
    """Stock Hypercorn on a port of its own: HTTP/1.1 and HTTP/2, over the same certificate where there is TLS."""

    def __init__(self, app: Any, *, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        self._tls: ssl.SSLContext | None = None
        self._config = stock_config(logger)
        self._accepting: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._served: dict[asyncio.Task[Any], tuple[PlainWire, _Ending]] = {}
        """Of those connections that Hypercorn serves."""
        self._answers: set[asyncio.Task[Any]] = set()
        self._stops = False
        self._closings = 0
        self.gate: Gate | None = None
        """Where faults wait for new connections; None, and never asked, while none is set."""

    @property
    def bound(self) -> socket.socket | None:
        """Its listening socket."""
        return self._socket

    @property
    def speaks_tls(self) -> bool:
        """Whether it has a certificate."""
        return self._tls is not None

    def bind(self, make_context: Callable[[], ssl.SSLContext] | None) -> None:
        """Take the port; who connects waits to be served. Without a context it is clear text. Raises `StartError`."""
        try:
            self._socket = bind(self._host, self._port)
        except StartError as error:
            raise StartError(str(error).replace("--port", "--auth-port")) from None
        if make_context is not None:
            self._tls = make_context()
            self._tls.set_alpn_protocols(list(ALPN))

    def close(self) -> None:
        """Give the port back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def start(self) -> None:
        """Serve, in tasks that `stop` waits for."""
        assert self._socket is not None
        self._accepting = asyncio.get_running_loop().create_task(
            self._accept(self._socket), name="mockcic authorization server"
        )

    async def stop(self) -> None:
        """Finish what is written.

        Who is not through by then is ended from both sides, answer and transport, so that Hypercorn's tasks end by
        themselves: cancelled from outside, its HTTP/2 wants new tasks of a group that takes none any more.
        """
        self._stops = True
        self.gate = None
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
            self._accepting = None
        for _, ending in self._served.values():
            ending.begin()
        if self._connections:
            await asyncio.wait(self._connections, timeout=STOP_WITHIN_S)
        for wire, _ in self._served.values():
            wire.abort()
        for answer in self._answers:
            answer.cancel()
        for task in self._connections - self._served.keys():
            task.cancel()
        if self._served:
            await asyncio.wait(list(self._served), timeout=ABORTED_WITHIN_S)
        for task in list(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        self.close()

    # What faults ask of it (`mockcic.server.faults.doors`)

    def close_listeners(self) -> None:
        """Nobody listens any more; connections that are open stay, the port is kept."""
        self._closings += 1
        if self._socket is not None and self._accepting is not None and self._closings == 1:
            asyncio.get_running_loop().remove_reader(self._socket)
            close_but_keep(self._socket)

    def open_listeners(self) -> None:
        """Listen again, when all who had closed it want it."""
        self._closings -= 1
        if self._socket is None or self._accepting is None or self._closings:
            return
        self._accepting.cancel()
        self._socket.listen(BACKLOG)
        self.start()

    # ------------------------------------------------------------------ connections

    async def _accept(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        async for accepted, address in accepted_on(sock, lambda: bool(self._closings)):
            task = loop.create_task(self._serve(accepted, address))
            self._connections.add(task)
            task.add_done_callback(partial(self._over, accepted))

    def _over(self, accepted: socket.socket, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        accepted.close()

    async def _serve(self, accepted: socket.socket, address: Any) -> None:
        with suppress(asyncio.CancelledError):  # by `stop` alone, which waits for its end
            try:
                if self.gate is None:
                    await self._converse(accepted, self._tls)
                else:
                    await self.gate.admit(accepted, address, self._tls, self._converse, port="auth")
            except OSError as error:
                logger.debug("no connection: %s", error)  # such as a TLS handshake that failed
            except Exception as error:  # one connection's trouble is never another's
                if self._stops:
                    logger.debug("a connection was ended: %s", error)
                else:
                    logger.exception("a connection failed")

    async def _converse(
        self,
        accepted: socket.socket,
        context: ssl.SSLContext | None,
        *,
        known: ConnectionFacts | None = None,
        when_open: Callable[[ConnectionFacts], None] | None = None,
        prepare: Callable[[Http2], None] | None = None,
        handshake_s: float = HANDSHAKE_S,
    ) -> None:
        """Serve a connection from TLS's handshake to its end. Raises OSError when the handshake fails."""
        assert prepare is None, "its HTTP/2 is out of reach"
        loop = asyncio.get_running_loop()
        reader, writer = await open_streams(accepted, context, handshake_s)
        if when_open is not None:
            client = printed(writer.get_extra_info("peername"))
            when_open(known or ConnectionFacts(new_id(), client, context is not None, None, 0.0, at_auth_port=True))
        wire = PlainWire(writer.transport)
        hypercorn = WorkerContext(None)
        hypercorn.terminated = ending = _Ending()
        wire.watch(ending.begin)
        if self._stops:
            ending.begin()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {**scope.get("extensions", {}), PLAIN_WIRE: wire}
            if known is not None:  # who came through a relay
                host, _, port = known.client.rpartition(":")
                scope["client"] = (host.strip("[]"), int(port))
            answer = asyncio.current_task()
            assert answer is not None
            self._answers.add(answer)
            try:
                await self._app(scope, receive, send)
            finally:
                self._answers.discard(answer)

        serving = asyncio.current_task()
        assert serving is not None
        self._served[serving] = (wire, ending)
        try:
            await TCPServer(ASGIWrapper(app), loop, self._config, hypercorn, {}, reader, writer)
        finally:
            del self._served[serving]
