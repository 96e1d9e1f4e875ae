"""An HTTP/2 client that sends exactly the frames it is told to, right or wrong, and shows exactly those that come."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeVar

from hpack import Decoder, Encoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PATIENCE_S = 20.0  # a frame that has not come by then will not come, however busy the machine is

F = TypeVar("F", bound=Frame)
Headers = Sequence[tuple[str, str]]


@dataclass
class Answer:
    """What has come on one stream so far."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    trailers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False
    reset: int | None = None

    @property
    def over(self) -> bool:
        return self.ended or self.reset is not None


class RawClient:
    """One connection. `seen` is every frame that came, `answers` what they add up to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.seen: list[Frame] = []
        self.answers: dict[int, Answer] = {}
        self.closed = False
        self._encoder, self._decoder = Encoder(), Decoder()

    @classmethod
    async def connect(
        cls,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        settings: dict[int, int] | None = None,
        greet: bool = True,
        host: str = "127.0.0.1",
        limit: int = 2**16,
        source: str | None = None,
    ) -> RawClient:
        reader, writer = await asyncio.open_connection(
            host,
            port,
            ssl=tls,
            server_hostname="localhost" if tls else None,
            limit=limit,
            local_addr=None if source is None else (source, 0),
        )
        client = cls(reader, writer)
        if greet:
            await client.greet(settings)
        return client

    async def __aenter__(self) -> RawClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.vanish()

    async def vanish(self) -> None:
        """Close the connection as a device does that is switched off."""
        self.writer.transport.abort()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def greet(self, settings: dict[int, int] | None = None) -> None:
        """Exchange prefaces and SETTINGS."""
        mine = SettingsFrame(0)
        mine.settings = settings or {}
        await self.write(PREFACE + mine.serialize())
        await self.until(SettingsFrame, lambda frame: "ACK" not in frame.flags)
        await self.send(SettingsFrame(0, flags=("ACK",)))
        await self.until(SettingsFrame, lambda frame: "ACK" in frame.flags)

    # Out

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def send(self, *frames: Frame) -> None:
        await self.write(b"".join(frame.serialize() for frame in frames))

    def headers_frame(self, stream_id: int, headers: Headers, *, end: bool = False) -> HeadersFrame:
        frame = HeadersFrame(stream_id, self._encoder.encode(list(headers)), flags=("END_HEADERS",))
        if end:
            frame.flags.add("END_STREAM")
        return frame

    async def request(
        self, stream_id: int, path: str = "/", *, method: str = "GET", end: bool = True, headers: Headers = (),
        authority: str | None = "mock",
    ) -> None:  # fmt: skip
        named = [(":authority", authority)] if authority is not None else []
        head = [(":method", method), (":scheme", "http"), *named, (":path", path), *headers]
        await self.send(self.headers_frame(stream_id, head, end=end))

    async def data(self, stream_id: int, data: bytes = b"", *, end: bool = False) -> None:
        """Send `data` in frames of at most 16 KiB, whatever the windows say."""
        pieces = [data[at : at + 16384] for at in range(0, len(data), 16384)] or [b""]
        frames = [DataFrame(stream_id, piece) for piece in pieces]
        if end:
            frames[-1].flags.add("END_STREAM")
        await self.send(*frames)

    async def reset(self, stream_id: int, code: int = 8) -> None:
        await self.send(RstStreamFrame(stream_id, error_code=code))

    async def grant(self, stream_id: int, bytes_: int) -> None:
        await self.send(WindowUpdateFrame(stream_id, window_increment=bytes_))

    # In

    async def next_frame(self) -> Frame | None:
        """The next frame, or None at the end of the connection."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                head = await self.reader.readexactly(9)
                frame, length = Frame.parse_frame_header(memoryview(head))
                frame.parse_body(memoryview(await self.reader.readexactly(length)))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed = True
            return None
        self.seen.append(frame)
        self._note(frame)
        return frame

    async def until(self, kind: type[F], fits: Callable[[F], bool] = lambda frame: True) -> F:
        """Read on until a frame of that kind fits; those before it are in `seen`."""
        while (frame := await self.next_frame()) is not None:
            if isinstance(frame, kind) and fits(frame):
                return frame
        raise AssertionError(f"the connection ended before a {kind.__name__}; seen: {self.seen}")

    async def answer(self, stream_id: int) -> Answer:
        """Read on until the answer on `stream_id` is over."""
        while not self.of(stream_id).over:
            if await self.next_frame() is None:
                raise AssertionError(f"the connection ended before the answer; seen: {self.seen}")
        return self.of(stream_id)

    async def head(self, stream_id: int) -> Answer:
        """Read on until the answer on `stream_id` has begun."""
        while self.of(stream_id).status is None and not self.of(stream_id).over:
            if await self.next_frame() is None:
                raise AssertionError(f"the connection ended before the answer; seen: {self.seen}")
        return self.of(stream_id)

    async def body(self, stream_id: int, size: int) -> Answer:
        """Read on until `size` bytes of the body have come."""
        while len(self.of(stream_id).body) < size:
            if await self.next_frame() is None:
                raise AssertionError(f"the connection ended; seen: {self.seen}")
        return self.of(stream_id)

    async def end(self) -> list[Frame]:
        """Read on until the connection ends; gives every frame that came."""
        while await self.next_frame() is not None:
            pass
        return self.seen

    async def ping(self, data: bytes = b"are you?") -> None:
        """Send PING and wait for its answer: shows that the connection is read."""
        await self.send(PingFrame(0, data))
        await self.until(PingFrame, lambda frame: "ACK" in frame.flags and frame.opaque_data == data)

    def of(self, stream_id: int) -> Answer:
        return self.answers.setdefault(stream_id, Answer())

    def all(self, kind: type[F]) -> list[F]:
        return [frame for frame in self.seen if isinstance(frame, kind)]

    @property
    def goaway(self) -> GoAwayFrame | None:
        found = self.all(GoAwayFrame)
        return found[-1] if found else None

    def _note(self, frame: Frame) -> None:
        answer = self.of(frame.stream_id)
        if isinstance(frame, HeadersFrame):
            fields = {str(name): str(value) for name, value in self._decoder.decode(frame.data)}
            if answer.status is None:
                answer.status = int(fields.pop(":status"))
                answer.headers = fields
            else:
                answer.trailers = fields
        elif isinstance(frame, DataFrame):
            answer.body += frame.data
        elif isinstance(frame, RstStreamFrame):
            answer.reset = frame.error_code
        if "END_STREAM" in frame.flags:
            answer.ended = True
