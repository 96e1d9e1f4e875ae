"""Listening sockets, and the server that accepts from them."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.lifespan import Lifespan
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.utils import LifespanFailureError, LifespanTimeoutError

from mockcic.errors import StartError
from mockcic.server.connection import Connection
from mockcic.server.engine import EngineConfig, QuietObserver, logger
from mockcic.server.faults.doors import HANDSHAKE_S
from mockcic.server.flow import FlowProtocol
from mockcic.server.http2 import Http2
from mockcic.server.observer import ConnectionFacts, Observer
from mockcic.server.settings import ServerSettings

if TYPE_CHECKING:
    from mockcic.server.faults.gate import Gate

ASGIApp = Callable[..., Awaitable[None]]

BACKLOG: Final = 4096  # thousands of devices reconnect at once after a restart
TLS_SHUTDOWN_S: Final = 1.0  # asyncio waits 30 s for a close_notify that many devices never send
ACCEPT_AGAIN_S: Final = 1.0  # as asyncio's own server waits
OUT_OF_RESOURCES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
END_WITHIN_S: Final = 0.2  # INF: for cancelled applications and last bytes when the grace of `stop` is over


def bind(host: str, port: int) -> socket.socket:
    """Make a listening socket; port 0 takes any free one (`getsockname()` tells which).

    `host` is a name or an address of either family; of a name's addresses an IPv4 one is preferred (DEVICES C5), and
    `::` takes IPv4 too. Raises StartError.
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if not 0 <= port <= 65_535:
        raise StartError(f"cannot listen on {where}: there is no such port; choose one of 0 to 65535 with --port")
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise StartError(
            f"cannot listen on {where}: no such host; choose an address of this machine with --host"
        ) from error
    family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    # The protocol is named, and so is NODELAY: asyncio sets it only where it sees IPPROTO_TCP, and every answer waits
    # 40 ms without it. Accepted sockets inherit it.
    sock = socket.socket(family, kind, protocol or socket.IPPROTO_TCP)
    try:
        _prepare(sock, str(address[0]))
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise StartError(f"cannot listen on {where}: {_mend(error)}") from error
    return sock


def _prepare(sock: socket.socket, host: str) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
    sock.setblocking(False)


def close_but_keep(sock: socket.socket) -> None:
    """Listen no more, and keep the port: who connects is refused, nobody else is given it. `sock.listen` listens again.

    A socket that is bound and does not listen takes the place of the listening one, under the same number.
    """
    address = sock.getsockname()
    with socket.socket(sock.family, sock.type, sock.proto) as keeper:
        _prepare(keeper, address[0])
        os.dup2(keeper.fileno(), sock.fileno(), inheritable=False)
    sock.bind(address)


def _mend(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "address already in use; choose another with --port, or any free one with --port 0"
        case errno.EACCES | errno.EPERM:
            return "permission denied; ports below 1024 need a privilege, choose a higher one with --port"
        case errno.EADDRNOTAVAIL:
            return "not an address of this machine; choose another with --host"
        case _:
            return f"{error.strerror or error}; choose another with --port or --host"


class Server:
    """Accepts connections and serves `app` on them, HTTP/2 only, with or without TLS.

    `on_stopping` is awaited at the beginning of `stop`, after GOAWAY(NO_ERROR) went out: there the application ends
    what would never end by itself, its downchannels (PROTOCOL 2.6). It counts into the grace.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: ServerSettings | None = None,
        observer: Observer | None = None,
        on_stopping: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._settings = settings or ServerSettings()
        self._config = EngineConfig(settings=self._settings, observer=observer or QuietObserver())
        self._app = ASGIWrapper(app)
        self._on_stopping = on_stopping
        self._context = WorkerContext(None)
        self._state: dict[str, Any] = {}
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._handshakes: set[asyncio.Task[None]] = set()
        self._listeners: Sequence[tuple[socket.socket, ssl.SSLContext | None]] = ()
        self._accepting: list[asyncio.Task[None]] = []
        self._tasks: asyncio.TaskGroup | None = None
        self._closings = 0
        self._stop_wanted = asyncio.Event()
        self._root: asyncio.Task[None] | None = None
        self.gate: Gate | None = None
        """Where faults wait for new connections; None, and never asked, while none is set."""

    @property
    def observer(self) -> Observer:
        """Who is told of connections."""
        return self._config.observer

    async def start(self, listeners: Sequence[tuple[socket.socket, ssl.SSLContext | None]]) -> None:
        """Run the application's lifespan startup, then accept. Raises StartError when the application cannot start.

        The sockets (of `bind`) are the server's from here on; a None context means clear text.
        """
        loop = asyncio.get_running_loop()
        started = loop.create_future()
        self._root = loop.create_task(self._live(listeners, started), name="mockcic server")
        try:
            await started
        except BaseException:
            self._stop_wanted.set()
            with suppress(asyncio.CancelledError):
                await self._root
            raise

    async def stop(self) -> None:
        """Stop accepting, send GOAWAY(NO_ERROR), let running answers end for up to `grace_s`, close, run the lifespan's
        shutdown. Harmless when it is stopped already."""
        self._stop_wanted.set()
        if self._root is not None:
            await asyncio.shield(self._root)

    async def _live(
        self, listeners: Sequence[tuple[socket.socket, ssl.SSLContext | None]], started: asyncio.Future[None]
    ) -> None:
        """The root of all tasks: lifespan, connections, and in them their streams."""
        lifespan = Lifespan(self._app, self._config, asyncio.get_running_loop(), self._state)
        async with asyncio.TaskGroup() as tasks:
            life = tasks.create_task(_run_lifespan(lifespan), name="mockcic lifespan")
            self._tasks, self._listeners = tasks, listeners
            try:
                await _start_up(lifespan, life)
                self._begin_to_accept()
                started.set_result(None)
                await self._stop_wanted.wait()
                self._tasks = None
                for task in (*self._accepting, *self._handshakes):
                    task.cancel()
                await self._end_connections()
                await _shut_down(lifespan)
            except Exception as error:  # noqa: BLE001  # told to `start`, or to the log when that has returned
                if started.done():
                    logger.exception("the server failed")
                else:
                    started.set_exception(error)
            finally:
                self._tasks = None
                life.cancel()
                for task in (*self._accepting, *self._handshakes):
                    task.cancel()
                for sock, _ in listeners:
                    sock.close()

    def _begin_to_accept(self) -> None:
        tasks = self._tasks
        assert tasks is not None
        for sock, context in self._listeners:
            self._accepting.append(tasks.create_task(self._accept(tasks, sock, context), name="mockcic accept"))

    # What faults ask of it (`mockcic.server.faults.doors`)

    def close_listeners(self) -> None:
        """Nobody listens any more, connections that are open stay; the ports are kept."""
        self._closings += 1
        if self._tasks is None or self._closings > 1:
            return
        # The tasks that accept are not cancelled now: one may have a connection already, which would be lost with it.
        loop = asyncio.get_running_loop()
        for sock, _ in self._listeners:
            loop.remove_reader(sock)
            close_but_keep(sock)

    def open_listeners(self) -> None:
        """Listen again on the same ports, when all who had closed them want it."""
        self._closings -= 1
        if self._tasks is None or self._closings:
            return
        for task in self._accepting:
            task.cancel()
        self._accepting.clear()
        for sock, _ in self._listeners:
            sock.listen(BACKLOG)
        self._begin_to_accept()

    def end_all(
        self, how: Literal["rst", "fin", "no-notify", "goaway"], reason: str, *, spared: Collection[str] = ()
    ) -> None:
        """End every connection at once but those of these ids."""
        for connection in list(self._connections):
            if connection.facts.id not in spared:
                connection.hang_up(how, reason)

    async def _accept(self, tasks: asyncio.TaskGroup, sock: socket.socket, context: ssl.SSLContext | None) -> None:
        async for accepted, address in accepted_on(sock, lambda: bool(self._closings)):
            task = tasks.create_task(self._serve(accepted, address, context))
            self._handshakes.add(task)
            # The transport closes it too, but there is none yet if the task is cancelled before its first step.
            task.add_done_callback(partial(self._over, accepted))

    def _over(self, accepted: socket.socket, task: asyncio.Task[None]) -> None:
        self._handshakes.discard(task)
        accepted.close()

    async def _serve(self, accepted: socket.socket, address: Any, context: ssl.SSLContext | None) -> None:
        try:
            if self.gate is None:
                await self._converse(accepted, context)
            else:
                await self.gate.admit(accepted, address, context, self._converse)
        except OSError as error:
            logger.debug("no connection: %s", error)  # such as a TLS handshake that failed
        except Exception:  # noqa: BLE001  # one connection's trouble is never another's
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
        task = asyncio.current_task()
        assert task is not None
        reader, writer = await open_streams(accepted, context, handshake_s)
        self._handshakes.discard(task)
        loop = asyncio.get_running_loop()
        connection = Connection(self._app, loop, self._config, self._context, self._state, reader, writer, known=known)
        connection.prepare = prepare
        if when_open is not None:
            when_open(connection.facts)
        self._connections[connection] = task
        try:
            await connection
        finally:
            del self._connections[connection]

    async def _end_connections(self) -> None:
        loop = asyncio.get_running_loop()
        grace_ends = loop.time() + self._settings.grace_s
        for connection in list(self._connections):
            connection.stop()
        if self._on_stopping is not None:
            try:
                async with asyncio.timeout_at(grace_ends):
                    await self._on_stopping()
            except TimeoutError:
                logger.debug("on_stopping took longer than the grace")  # such as a pace that is asleep
            except Exception:  # noqa: BLE001  # a failing hook must not keep the server from stopping
                logger.exception("on_stopping failed")
        await self._connections_ended(grace_ends - loop.time())
        for connection in list(self._connections):
            connection.cut_off()
        await self._connections_ended(END_WITHIN_S)
        for connection in list(self._connections):
            connection.drop("server stopped")
        for task in list(self._connections.values()):
            task.cancel()
        await self._connections_ended(END_WITHIN_S)

    async def _connections_ended(self, within_s: float) -> None:
        if self._connections:
            await asyncio.wait(self._connections.values(), timeout=max(0.0, within_s))


async def accepted_on(sock: socket.socket, is_closed: Callable[[], bool]) -> AsyncIterator[tuple[socket.socket, Any]]:
    """Who connects to a listening socket, each with its address, until nobody listens any more."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            found = await loop.sock_accept(sock)
        except OSError as error:
            if error.errno in OUT_OF_RESOURCES:
                logger.error("cannot accept a connection: %s; trying again in %g s", error.strerror, ACCEPT_AGAIN_S)
                await asyncio.sleep(ACCEPT_AGAIN_S)
            elif sock.fileno() < 0 or is_closed():
                return
            continue  # any other is the trouble of a client that went again
        yield found


async def open_streams(
    accepted: socket.socket, context: ssl.SSLContext | None, handshake_s: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Wrap an accepted socket, after TLS's handshake where there is a context. The socket is closed if that fails."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    protocol = FlowProtocol(reader, loop)
    tls: dict[str, Any] = {}
    if context is not None:
        tls = {"ssl_handshake_timeout": handshake_s, "ssl_shutdown_timeout": TLS_SHUTDOWN_S}
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, accepted, ssl=context, **tls)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _run_lifespan(lifespan: Lifespan) -> Exception | None:
    try:
        await lifespan.handle_lifespan()
    except LifespanFailureError as error:
        return error
    return None


async def _start_up(lifespan: Lifespan, life: asyncio.Task[Exception | None]) -> None:
    try:
        await lifespan.wait_for_startup()
    except LifespanTimeoutError as error:
        raise StartError("the application did not start in time") from error
    await asyncio.sleep(0)  # a failure is told before its task ends
    if life.done() and (failure := life.result()) is not None:
        raise StartError(f"the application did not start: {failure}") from failure


async def _shut_down(lifespan: Lifespan) -> None:
    try:
        await lifespan.wait_for_shutdown()
    except LifespanTimeoutError:
        logger.warning("the application did not shut down within %g s", lifespan.config.shutdown_timeout)
