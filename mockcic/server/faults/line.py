"""What happens to sockets and transports when the line itself is in trouble. Nothing here knows of HTTP/2."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from mockcic.server.clock import Clock

LOOK_S: Final = 0.2  # INF: how often a connection that is not read is looked at, whether its client has gone
READ_BYTES: Final = 64 * 1024
TCP_ESTABLISHED: Final = 1
FIN_WITHIN_S: Final = 1.0  # INF: for the client to close its side too


def reset_on_close(sock: Any) -> None:
    """Let closing send RST instead of FIN: SO_LINGER of zero seconds."""
    with suppress(OSError):  # the client may be gone already
        if is_there(sock):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def is_there(sock: Any) -> bool:
    """Whether a transport's socket is one still: one that is closed has none, or one that is closed too."""
    return sock is not None and sock.fileno() >= 0


def is_open(sock: Any) -> bool:
    """Whether the client has not closed, although nothing is read. Linux can tell; elsewhere it counts as open."""
    if not is_there(sock):
        return False
    if not sys.platform.startswith("linux"):
        return True
    try:
        return bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_ESTABLISHED)
    except OSError:
        return False


def shrink(sock: Any) -> None:
    """Let the kernel keep little of what is not read, so that the client's own buffer fills soon."""
    with suppress(OSError):
        if is_there(sock):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)


def send_fin(sock: Any) -> None:
    """Send FIN now, whatever a transport over the socket may still want to say."""
    if not is_there(sock):
        return
    with suppress(OSError), socket.socket(fileno=os.dup(sock.fileno())) as same:
        same.shutdown(socket.SHUT_WR)


async def first_of(*each: Coroutine[Any, Any, None]) -> None:
    """Wait until one of them is over, and end the others."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one) for one in each]
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            task.cancel()


async def drain(sock: socket.socket) -> None:
    """Read and drop until the client closes."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while await loop.sock_recv(sock, READ_BYTES):
            pass


async def until_closed(sock: socket.socket) -> None:
    """Do not read, until the client closes."""
    while is_open(sock):  # noqa: ASYNC110  # the kernel tells nobody who does not read
        await asyncio.sleep(LOOK_S)


# A running connection falls silent


class Mute(asyncio.Transport):
    """A transport that says nothing any more: what is written to it is dropped. All else is done by the real one."""

    def __init__(self, real: asyncio.Transport) -> None:
        super().__init__()
        self._real = real

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Drop it."""

    def write_eof(self) -> None:
        """Nor is there an end."""

    def can_write_eof(self) -> bool:
        """Never."""
        return False

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As the real one."""
        return self._real.get_extra_info(name, default)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """As the real one."""
        return self._real.get_protocol()

    def is_closing(self) -> bool:
        """As the real one."""
        return self._real.is_closing()

    def stop_reading(self) -> None:
        """Let the kernel's buffers fill."""
        if self._real.is_reading():
            self._real.pause_reading()

    def close(self) -> None:
        """As the real one's abort: its close would say TLS's close_notify."""
        self._real.abort()

    def abort(self) -> None:
        """As the real one."""
        self._real.abort()


class Deaf(asyncio.Protocol):
    """A protocol in front of another that keeps from it what comes in; ends and pauses are passed on."""

    def __init__(self, behind: asyncio.StreamReaderProtocol) -> None:
        self._behind = behind

    def data_received(self, data: bytes) -> None:
        """Drop it."""

    def eof_received(self) -> bool | None:
        """The client has closed."""
        return self._behind.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._behind.connection_lost(exc)

    def pause_writing(self) -> None:
        """More waits than should."""
        self._behind.pause_writing()

    def resume_writing(self) -> None:
        """It is out."""
        self._behind.resume_writing()


# A handshake that is slow: its bytes pass a relay


class Throttle:
    """How the server's bytes go out until the handshake is over: pauses after so many bytes, or one by one."""

    def __init__(
        self,
        clock: Clock,
        *,
        stall_at: int,
        stall_s: float | None,
        rate: int | None,
    ) -> None:
        self._clock = clock
        self._began: float | None = None
        self._stall_at = stall_at
        self._stall_s = stall_s
        self._rate = rate
        self._sent = 0
        self._stalled = rate is not None
        self._off = asyncio.Event()

    def end(self) -> None:
        """The handshake is over, or its fault: from here on at full speed, what waits too."""
        self._off.set()

    async def send(self, sock: socket.socket, data: bytes) -> None:
        """Send so that it hurts."""
        loop = asyncio.get_running_loop()
        if not (self._stalled or self._off.is_set()) and self._sent + len(data) > self._stall_at:
            first, data = data[: self._stall_at - self._sent], data[self._stall_at - self._sent :]
            self._stalled = True
            await loop.sock_sendall(sock, first)
            await self._sleep(self._stall_s)
        while data and self._rate is not None and not self._off.is_set():
            await loop.sock_sendall(sock, data[:1])
            data = data[1:]
            self._sent += 1
            await self._wait(self._rate)
        await loop.sock_sendall(sock, data)
        self._sent += len(data)

    async def _wait(self, rate: int) -> None:
        """Until the next byte is due: reckoned from the first one, for timers are too coarse to be added up."""
        if self._began is None:
            self._began = self._clock.now()
        await self._sleep(max(0.0, self._began + self._sent / rate - self._clock.now()))

    async def _sleep(self, seconds: float | None) -> None:
        """Until it is ended at the most; None is for ever: until the client has enough."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._off.wait()


async def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of one TCP connection within this machine: RST and FIN pass it as they are."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        listening.setblocking(False)
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            one.setblocking(False)
            await loop.sock_connect(one, listening.getsockname())
            while True:
                other, address = await loop.sock_accept(listening)
                if address == one.getsockname():
                    break
                other.close()  # a stranger who scans ports
        except BaseException:
            one.close()
            raise
    for each in (one, other):
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one, other


async def relay(client: socket.socket, server: socket.socket, throttle: Throttle) -> None:
    """Carry bytes both ways until both have ended, each end as it came: FIN, or RST. Closes both then."""
    try:
        async with asyncio.TaskGroup() as tasks:
            up = tasks.create_task(_pump(client, server, asyncio.get_running_loop().sock_sendall))
            down = tasks.create_task(_pump(server, client, throttle.send))
            done, others = await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            if not all(task.result() for task in done):
                for task in others:
                    task.cancel()
        if up.cancelled() or down.cancelled() or not (up.result() and down.result()):
            reset_on_close(client)
            reset_on_close(server)
    finally:
        client.close()
        server.close()


async def _pump(
    source: socket.socket, sink: socket.socket, send: Callable[[socket.socket, bytes], Coroutine[Any, Any, None]]
) -> bool:
    """Carry bytes one way until FIN, and send it on; False when there is RST instead."""
    loop = asyncio.get_running_loop()
    try:
        while data := await loop.sock_recv(source, READ_BYTES):
            await send(sink, data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return False
    return True
