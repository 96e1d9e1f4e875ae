"""One HTTP/2 stream: a request, its answer, and the application that runs between them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from time import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from hypercorn.protocol.http_stream import ASGIHTTPState, HTTPStream

from mockcic.server.head import Headers, RequestHead
from mockcic.server.wakeup import Signal

if TYPE_CHECKING:
    from mockcic.server.http2 import Http2

logger = logging.getLogger("mockcic.server")


class Life(Enum):
    """Who of the two sides has still something to say. The request ends when the client says so, the answer when our
    END_STREAM was written."""

    UPLOADING = auto()
    ANSWERING = auto()
    ANSWERED_EARLY = auto()
    DONE = auto()


class Turn(Enum):
    """What can happen to a stream."""

    DATA = auto()
    REQUEST_END = auto()
    RESPONSE_END = auto()
    RESET = auto()


NEXT: Final[Mapping[tuple[Life, Turn], Life]] = {
    (Life.UPLOADING, Turn.DATA): Life.UPLOADING,
    (Life.UPLOADING, Turn.REQUEST_END): Life.ANSWERING,
    (Life.UPLOADING, Turn.RESPONSE_END): Life.ANSWERED_EARLY,  # legal: RFC 9113 8.1
    (Life.UPLOADING, Turn.RESET): Life.DONE,
    (Life.ANSWERING, Turn.RESPONSE_END): Life.DONE,
    (Life.ANSWERING, Turn.RESET): Life.DONE,
    (Life.ANSWERED_EARLY, Turn.DATA): Life.ANSWERED_EARLY,  # drained, its window given back
    (Life.ANSWERED_EARLY, Turn.REQUEST_END): Life.DONE,
    (Life.ANSWERED_EARLY, Turn.RESET): Life.DONE,
}
"""The life of a stream. What is missing cannot happen: h2 answers DATA after the request's end by itself, and a stream
that is DONE is forgotten at once."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ends once all that was sent is out: with END_STREAM, on trailers or DATA, or with RST_STREAM."""

    trailers: Headers | None = None
    reset: int | None = None


END_STREAM: Final = Ending()


class StreamGoneError(ConnectionError):
    """Raised to the application that sends on a stream which is no more (ASGI 2.4: `send` raises an OSError)."""


class Stream(HTTPStream):
    """The ASGI side of one stream. `HTTPStream` turns what the application sends into protocol events; the request's
    body waits here until the application reads it, and the answer's until the windows let it out.

    `life` is where the stream stands; `closed` says that the application has nobody to talk to any more: its sends
    raise `StreamGoneError`, and `receive` gives `http.disconnect` once what had arrived has been read.
    """

    def __init__(self, protocol: Http2, stream_id: int) -> None:
        super().__init__(
            protocol.app, protocol.config, protocol.context, protocol.task_group, protocol.ssl, protocol.client,
            protocol.server, protocol.stream_send, stream_id,
        )  # fmt: skip
        self.life = Life.UPLOADING
        self.buffer = bytearray()
        self.ending: Ending | None = None
        self.reset_when_sent: int | None = None
        self.padding: int | None = None
        """Bytes of padding in each DATA frame; None for frames that are not padded."""
        self.room = Signal()
        self._protocol = protocol
        self._chunks: list[bytes] = []
        self._unread_bytes = 0
        self._request_ended = False
        self._end_was_read = False
        self._arrival = Signal()
        self._task: asyncio.Task[Any] | None = None
        self._abandon: asyncio.TimerHandle | None = None

    @property
    def has_head(self) -> bool:
        """Whether the headers of the answer are out."""
        return self.state is not ASGIHTTPState.REQUEST

    @property
    def answering(self) -> bool:
        """Whether the answer has not ended yet."""
        return self.life in (Life.UPLOADING, Life.ANSWERING)

    @property
    def answered_early(self) -> bool:
        """Whether the answer has ended and the request has not."""
        return self.life is Life.ANSWERED_EARLY

    @property
    def done(self) -> bool:
        """Whether both have ended."""
        return self.life is Life.DONE

    def take_turn(self, turn: Turn) -> None:
        """Move on in life; a turn that cannot happen is a defect of ours and raises KeyError."""
        self.life = NEXT[self.life, turn]

    # What arrives

    def begin(self, head: RequestHead, extensions: dict[str, Any]) -> None:
        """The request has begun: make its ASGI scope and start the application."""
        path, _, query = head.raw_path.partition(b"?")
        self.start_time = time()
        self.scope = {
            "type": "http",
            "http_version": "2",
            "asgi": {"spec_version": "2.4", "version": "3.0"},
            "method": head.method,
            "scheme": self.scheme,
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": head.headers,
            "client": self.client,
            "server": self.server,
            "state": self._protocol.connection_state.copy(),  # type: ignore[typeddict-item]  # Hypercorn's own NewType
            "extensions": {"http.response.trailers": {}, **extensions},
        }
        self.task_group.spawn(self._run)

    def data_arrived(self, data: bytes, window_bytes: int) -> None:
        """`data` came, and took `window_bytes` from the windows (with padding)."""
        self.take_turn(Turn.DATA)
        if self.closed or self.ending is not None:
            self._protocol.give_back(self.stream_id, window_bytes)
            return
        if window_bytes > len(data):
            self._protocol.give_back(self.stream_id, window_bytes - len(data))
        if data:
            self._chunks.append(data)
            self._unread_bytes += len(data)
            self._arrival.fire()

    def request_ended(self) -> None:
        """The client has sent its END_STREAM."""
        self.take_turn(Turn.REQUEST_END)
        self._request_ended = True
        self._arrival.fire()

    def end_for_application(self) -> None:
        """Nobody is there to talk to any more: the client went, we reset the stream, or the answer is complete."""
        if self.closed:
            return
        self.closed = True
        self._arrival.fire()
        self.room.fire()

    def abandon(self) -> None:
        """Cancel the application's task if it does not end in time by itself."""
        if self._abandon is None and self._task is not None:
            seconds = self._protocol.config.settings.abandon_after_s
            self._abandon = asyncio.get_running_loop().call_later(seconds, self.cancel)

    def cancel(self) -> None:
        """Cancel the application's task."""
        if self._task is not None:
            self._task.cancel()

    # What the application sees

    async def receive(self) -> dict[str, Any]:
        """ASGI `receive`. Chunks that wait are given as one, and their window is given back.

        What arrived before a disconnect is told before it.
        """
        while self.ending is None:
            if self._chunks:
                body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
                self._chunks.clear()
                self._give_back_unread()
                self._end_was_read = self._request_ended
                return {"type": "http.request", "body": body, "more_body": not self._request_ended}
            if self._request_ended and not self._end_was_read:
                self._end_was_read = True
                return {"type": "http.request", "body": b"", "more_body": False}
            if self.closed:
                break
            await self._arrival.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if self.closed:
            raise StreamGoneError(f"stream {self.stream_id} is gone")
        await self.app_send(message)
        if self.ending is not None:
            self._drop_unread()

    async def _run(self) -> None:
        self._task = asyncio.current_task()
        if self.closed:  # the reset came with the request
            self.abandon()
        cancelled = False
        try:
            await self.app(self.scope, self.receive, self._send, None, None)  # type: ignore[arg-type]
        except asyncio.CancelledError:
            cancelled = True
            raise
        except Exception as error:  # the application's; it ends its own stream and nothing else
            if not _comes_of_disconnect(error):
                where = f"connection {self._protocol.line.facts.id}, stream {self.stream_id}"
                logger.exception("%s %s failed (%s)", self.scope["method"], self.scope["path"], where)
        finally:
            if self._abandon is not None:
                self._abandon.cancel()
            self._task = None
            self._drop_unread()
            answer_begun = self.state is not ASGIHTTPState.REQUEST
            self._protocol.application_ended(self, cancelled=cancelled, answer_begun=answer_begun)

    def _drop_unread(self) -> None:
        self._chunks.clear()
        self._give_back_unread()
        self._arrival.fire()

    def _give_back_unread(self) -> None:
        if self._unread_bytes:
            unread, self._unread_bytes = self._unread_bytes, 0
            self._protocol.give_back(self.stream_id, unread)


def _comes_of_disconnect(error: BaseException) -> bool:
    """Whether `error` is the application's way of saying that its client went away."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        if isinstance(at, StreamGoneError):
            return True
        if isinstance(at, BaseExceptionGroup):
            return all(_comes_of_disconnect(one) for one in at.exceptions)
        seen.add(id(at))
        at = at.__cause__ or at.__context__
    return False
