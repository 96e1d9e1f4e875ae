"""A small HTTP/2 server for tests of our client: it does what a test's handler tells it, right or wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions

TEST_WITHIN_S = 60.0  # a test that hangs fails then


@dataclass
class Request:
    """A request so far."""

    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False


class Peer:
    """One connection; without `grants` the upload's window stays shut, when `silent` nothing is answered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self.h2 = h2.connection.H2Connection(config)
        self.reader, self.writer = reader, writer
        self.requests: dict[int, Request] = {}
        self.resets: list[int] = []
        self.acks = 0
        self.grants = True
        self.silent = False
        self.closed = False
        self.changed = asyncio.Event()

    async def run(self) -> None:
        """Read to the end."""
        self.h2.initiate_connection()
        self.flush()
        with suppress(OSError, h2.exceptions.ProtocolError):
            while data := await self.reader.read(65536):
                for event in self.h2.receive_data(data):
                    self._take(event)
                self.flush()
                self.changed.set()
        self.closed = True
        self.changed.set()

    def flush(self) -> None:
        data = self.h2.data_to_send()
        if not self.silent:
            self.writer.write(data)

    def hang_up(self) -> None:
        """End the connection from this side."""
        self.silent = True
        self.writer.write_eof()

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                self.requests[event.stream_id] = Request({str(k): str(v) for k, v in event.headers})
            case h2.events.DataReceived():
                self.requests[event.stream_id].body += event.data
                if self.grants:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamEnded():
                self.requests[event.stream_id].ended = True
            case h2.events.PingAckReceived():
                self.acks += 1
            case h2.events.StreamReset():
                self.resets.append(event.stream_id)

    async def until(self, fits: Callable[[Peer], object]) -> None:
        """Wait until something is so."""
        while not fits(self):
            self.changed.clear()
            await self.changed.wait()

    async def request(self, stream_id: int, *, whole: bool = True) -> Request:
        """Wait for a request."""
        await self.until(lambda peer: stream_id in peer.requests and (peer.requests[stream_id].ended or not whole))
        return self.requests[stream_id]

    async def ping(self) -> None:
        """A round trip: what the client had to send by then is here."""
        wanted = self.acks + 1
        self.h2.ping(b"peer has")
        self.flush()
        await self.until(lambda peer: peer.acks >= wanted)

    def answer(self, stream_id: int, status: int = 200, *headers: tuple[str, str], end: bool = False) -> None:
        self.h2.send_headers(stream_id, [(":status", str(status)), *headers], end_stream=end)
        self.flush()

    def data(self, stream_id: int, data: bytes = b"", *, end: bool = False) -> None:
        self.h2.send_data(stream_id, data, end_stream=end)
        self.flush()

    def reset(self, stream_id: int, code: int = 0) -> None:
        self.h2.reset_stream(stream_id, code)
        self.flush()

    def go_away(self, code: int = 0, debug: bytes = b"") -> None:
        """GOAWAY as bytes: h2 would close its own doors."""
        payload = (2**31 - 1).to_bytes(4, "big") + code.to_bytes(4, "big") + debug
        self.writer.write(len(payload).to_bytes(3, "big") + b"\x07\x00" + bytes(4) + payload)

    def write(self, data: bytes) -> None:
        self.writer.write(data)


@asynccontextmanager
async def peer_serving(
    act: Callable[[Peer], Awaitable[None]], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve; `act` runs beside each connection. Gives the URL."""
    acts: list[asyncio.Task[None]] = []
    async with asyncio.timeout(TEST_WITHIN_S), asyncio.TaskGroup() as tasks:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer = Peer(reader, writer)
            acting = tasks.create_task(act(peer))
            acts.append(acting)
            try:
                await peer.run()
            finally:
                acting.cancel()
                writer.transport.abort()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if server.is_serving():
                acts.append(tasks.create_task(serve(reader, writer)))
            else:  # accepted while the test ended
                writer.transport.abort()

        server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"{'https' if tls else 'http'}://{'localhost' if tls else '127.0.0.1'}:{port}"
        finally:
            server.close()
            for task in acts:
                task.cancel()
