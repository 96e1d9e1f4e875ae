"""A small HTTP/2 client on `h2`: streaming and flow control both ways, PING that waits, an end that is noticed.

It is deliberately not the server's HTTP/2 layer, so that neither can hide a mistake of the other. Frames are handed to
`h2` one at a time, and GOAWAY is kept from it: `h2` closes its doors on GOAWAY, but streams that the server promised to
finish go on (RFC 9113 6.8).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Final

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

Headers = Sequence[tuple[str, str]]

CLOSE_WITHIN_S: Final = 1.0
READ_BYTES: Final = 65_536
GOAWAY_FRAME: Final = 7
FRAME_HEAD_BYTES: Final = 9
NO_ERROR: Final = 0
MOST_STREAMS: Final = 10
"""Requests at a time on a connection, whatever the server allows (PROTOCOL 2.7, AVS)."""
CANCEL: Final = 8


class ConnectionLostError(Exception):
    """The connection has ended; the text says why."""


class StreamResetError(Exception):
    """The server gave the stream up with RST_STREAM. `code` is the error code of RFC 9113 7."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the server reset the stream: {error_name(code)}")
        self.code = code


def error_name(code: int) -> str:
    """The name RFC 9113 7 gives an error code."""
    try:
        return h2.errors.ErrorCodes(code).name
    except ValueError:
        return f"error {code}"


class Stream:
    """One request and its response. Get one from `Connection.request`."""

    def __init__(self, connection: Connection, stream_id: int) -> None:
        self.stream_id = stream_id
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self._connection = connection
        self._chunks: deque[tuple[bytes, int]] = deque()
        self._changed = asyncio.Event()
        self._complete = False
        self._reset: int | None = None
        self._sent_end = False

    async def send(self, data: bytes = b"", *, end: bool = False) -> bool:
        """Send a piece of the body as the windows allow; False when the server wants no more of it.

        Raises `ConnectionLostError`, and `StreamResetError` when the stream was given up before a whole response.
        """
        connection = self._connection
        while True:
            if not self._is_wanted():
                return False
            room = connection.room(self.stream_id)
            if room > 0 or not data:
                piece, data = data[:room], data[room:]
                last = end and not data
                if piece or last:
                    connection.h2.send_data(self.stream_id, piece, end_stream=last)
                    self._sent_end = last
                    await connection.flush()
                    if last:
                        connection.wake()  # the stream may be over, and room for another
                if not data:
                    return True
            else:
                await connection.next_change()

    async def head(self) -> int:
        """Wait for the response to begin; gives its status. `headers` are known then."""
        while self.status is None:
            self._raise_if_over()
            await self._wait()
        return self.status

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body of the response as it comes. Window is given back as it is read."""
        while True:
            while self._chunks:
                data, size = self._chunks.popleft()
                await self._connection.give_back(self.stream_id, size)
                if data:
                    yield data
            if self._complete:
                return
            self._raise_if_over()
            await self._wait()

    async def reset(self, code: int = CANCEL) -> None:
        """Give the stream up, unless it is over."""
        if not self.over and not self._connection.is_closed:
            self._reset = code
            with suppress(h2.exceptions.ProtocolError):
                self._connection.h2.reset_stream(self.stream_id, code)
                await self._connection.flush()
            self._connection.wake()
        self._changed.set()

    @property
    def is_answered(self) -> bool:
        """Whether the whole response is here, perhaps before the end of the request."""
        return self._complete

    @property
    def over(self) -> bool:
        """Whether nothing can come any more."""
        return self._reset is not None or (self._complete and self._sent_end)

    def _is_wanted(self) -> bool:
        if self._reset is not None and not self._complete:
            raise StreamResetError(self._reset)
        if self._reset is not None:
            return False
        self._connection.raise_if_closed()
        return True

    def _raise_if_over(self) -> None:
        if self._reset is not None:
            raise StreamResetError(self._reset)
        self._connection.raise_if_closed()

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _on_head(self, headers: dict[str, str]) -> None:
        status = int(headers.pop(":status"))
        self.status, self.headers = status, headers
        self._changed.set()

    def _on_data(self, data: bytes, size: int) -> None:
        self._chunks.append((data, size))
        self._changed.set()

    def _on_end(self) -> None:
        self._complete = True
        self._changed.set()

    def _on_reset(self, code: int) -> None:
        self._reset = code
        self._changed.set()

    def wake(self) -> None:
        """Let whoever waits look again."""
        self._changed.set()


class Connection:
    """One HTTP/2 connection. Made by `dial.connect`, which also owns the task that reads."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, scheme: str, authority: str) -> None:
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.h2 = h2.connection.H2Connection(config)
        self.closed_because: str | None = None
        self.going_away = False
        self.most_streams = MOST_STREAMS
        self._reader, self._writer = reader, writer
        self._scheme, self._authority = scheme, authority
        self._streams: dict[int, Stream] = {}
        self._pings: dict[bytes, asyncio.Future[None]] = {}
        self._ping_count = 0
        self._changed = asyncio.Event()
        self._held = b""

    @property
    def is_closed(self) -> bool:
        """Whether the connection has ended."""
        return self.closed_because is not None

    @property
    def is_usable(self) -> bool:
        """Whether requests can be made: it is open, and no GOAWAY came."""
        return not self.is_closed and not self.going_away

    @property
    def open_streams(self) -> int:
        """Requests whose end has not come; none on a closed connection."""
        return 0 if self.is_closed else self.h2.open_outbound_streams

    def raise_if_closed(self) -> None:
        """Raises `ConnectionLostError` when it has."""
        if self.closed_because is not None:
            raise ConnectionLostError(self.closed_because)

    async def request(self, method: str, path: str, headers: Headers = (), *, end: bool = True) -> Stream:
        """Begin a request; with `end` False the body follows by `Stream.send`.

        Waits while there are `most_streams`, or the server allows no more. Raises `ConnectionLostError`.
        """
        while True:
            self.raise_if_closed()
            if self.going_away:
                raise ConnectionLostError("the server sent GOAWAY")
            if self.open_streams < min(self.h2.remote_settings.max_concurrent_streams, self.most_streams):
                break
            await self.next_change()
        stream_id = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", self._scheme), (":authority", self._authority), (":path", path)]
        stream = self._streams[stream_id] = Stream(self, stream_id)
        stream._sent_end = end
        self.h2.send_headers(stream_id, [*pseudo, *headers], end_stream=end)
        await self.flush()
        return stream

    async def ping(self, within_s: float = 15.0) -> float:
        """Send a PING frame and wait for its ACK; gives the seconds it took.

        Raises `TimeoutError`, `ConnectionLostError`.
        """
        self.raise_if_closed()
        loop = asyncio.get_running_loop()
        self._ping_count += 1
        payload = self._ping_count.to_bytes(8, "big")
        acknowledged = self._pings[payload] = loop.create_future()
        began = loop.time()
        try:
            self.h2.ping(payload)
            await self.flush()
            async with asyncio.timeout(within_s):
                await acknowledged
        finally:
            self._pings.pop(payload, None)
        return loop.time() - began

    async def closed(self) -> str:
        """Wait for the end of the connection; gives the reason."""
        while self.closed_because is None:
            await self.next_change()
        return self.closed_because

    # ------------------------------------------------------------------ for Stream

    def room(self, stream_id: int) -> int:
        """How many bytes of DATA may be sent at once now."""
        try:
            return min(self.h2.local_flow_control_window(stream_id), self.h2.max_outbound_frame_size)
        except h2.exceptions.ProtocolError:
            return 0

    async def next_change(self) -> None:
        """Wait until something came that may have changed what can be done."""
        self._changed.clear()
        await self._changed.wait()

    def wake(self) -> None:
        """Let whoever waits for a change look again."""
        self._changed.set()

    async def give_back(self, stream_id: int, size: int) -> None:
        """Grant window for what was read."""
        if size and not self.is_closed:
            with suppress(h2.exceptions.ProtocolError):
                self.h2.acknowledge_received_data(size, stream_id)
            await self.flush()

    async def flush(self) -> None:
        """Write what h2 has to say, at the pace the server takes it."""
        self._write()
        try:
            await self._writer.drain()
        except OSError as error:
            self._end(f"connection lost: {error}")

    # ------------------------------------------------------------------ the task that reads

    async def run(self) -> None:
        """Read until the end. Never raises but for cancellation."""
        try:
            while data := await self._reader.read(READ_BYTES):
                for frame in self._frames(data):
                    self._take(frame)
                self._write()
                if self.is_closed:
                    return
            self._end("the server closed the connection")
        except OSError as error:
            self._end(f"connection lost: {error.strerror or error}")
        except h2.exceptions.ProtocolError as error:
            self._end(f"the server broke the protocol: {error}")
            self._write()

    def _frames(self, data: bytes) -> list[bytes]:
        """Whole frames; the rest waits."""
        data = self._held + data
        frames, at = [], 0
        while len(data) - at >= FRAME_HEAD_BYTES:
            size = FRAME_HEAD_BYTES + int.from_bytes(data[at : at + 3], "big")
            if len(data) - at < size:
                break
            frames.append(data[at : at + size])
            at += size
        self._held = data[at:]
        return frames

    def _take(self, frame: bytes) -> None:
        if frame[3] == GOAWAY_FRAME:
            self._on_goaway(frame[FRAME_HEAD_BYTES:])
        else:
            for event in self.h2.receive_data(frame):
                self._on(event)
        self._changed.set()

    def _on_goaway(self, payload: bytes) -> None:
        code = int.from_bytes(payload[4:8], "big")
        debug = payload[8:].decode("utf-8", "replace")
        self.going_away = True
        if code != NO_ERROR:
            self._end(f"GOAWAY {error_name(code)}" + (f": {debug}" if debug else ""))

    def _on(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived(stream_id=int() as stream_id, headers=headers):
                fields = {_text(name): _text(value) for name, value in headers or ()}
                self._streams[stream_id]._on_head(fields)
            case h2.events.DataReceived(stream_id=int() as stream_id, data=data, flow_controlled_length=size):
                self._on_data(stream_id, data or b"", size or 0)
            case h2.events.StreamEnded(stream_id=int() as stream_id):
                self._streams[stream_id]._on_end()
                self._forget_finished()
            case h2.events.StreamReset(stream_id=int() as stream_id, error_code=code):
                if stream := self._streams.pop(stream_id, None):
                    stream._on_reset(int(code or 0))
            case h2.events.PingAckReceived(ping_data=bytes() as data):
                if (waiting := self._pings.pop(data, None)) and not waiting.done():
                    waiting.set_result(None)

    def _on_data(self, stream_id: int, data: bytes, size: int) -> None:
        stream = self._streams.get(stream_id)
        if stream is None:  # given up by us: only the connection's window is to be given back
            with suppress(h2.exceptions.ProtocolError):
                self.h2.acknowledge_received_data(size, stream_id)
        else:
            stream._on_data(data, size)

    def _forget_finished(self) -> None:
        self._streams = {number: stream for number, stream in self._streams.items() if not stream.over}

    def _write(self) -> None:
        data = self.h2.data_to_send()
        if data and not self._writer.is_closing():
            self._writer.write(data)

    def _end(self, reason: str) -> None:
        if self.closed_because is None:
            self.closed_because = reason
        for stream in self._streams.values():
            stream.wake()
        for waiting in self._pings.values():
            if not waiting.done():
                waiting.set_exception(ConnectionLostError(reason))
        self._changed.set()

    def close(self) -> None:
        """Say goodbye and close; `connect` waits until that is done."""
        if not self.is_closed:
            with suppress(h2.exceptions.ProtocolError):
                self.h2.close_connection()
                self._write()
            self._end("closed by the device")
        self._writer.close()

    async def wait_closed(self) -> None:
        """Wait until the last byte is written, but not for long. Only for who owns the connection."""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._writer.wait_closed()


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
