"""HTTP/2 between a connection's bytes and its streams: Hypercorn's `H2Protocol`, without its priority tree and tasks.

What comes in is dealt with at once and never waits for an application; what goes out is gathered and written once a
turn of the event loop.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Final, Literal

from h2.config import H2Configuration
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    PingAckReceived,
    PingReceived,
    PriorityUpdated,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.events import Event as H2Event
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.events import Body, EndBody, InformationalResponse, Response, Trailers
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.typing import AppWrapper, ConnectionState, TaskGroup, WorkerContext
from hyperframe.frame import GoAwayFrame, RstStreamFrame

from mockcic.scenario.faults.line import CutHow
from mockcic.server.engine import EngineConfig
from mockcic.server.faults.connection import ConnectionTrouble
from mockcic.server.head import Headers, read_request_head, write_headers
from mockcic.server.line import Line
from mockcic.server.stream import END_STREAM, Ending, Stream, StreamGoneError, Turn
from mockcic.server.tolerance import TolerantConnection, make_small
from mockcic.server.wire import WIRE, Wire

HIGH_WATER_BYTES: Final = 64 * 1024  # an application that is so far ahead of its client waits in `send`
LOW_WATER_BYTES: Final = 16 * 1024  # and goes on when no more than a frame is left
WRITE_BYTES: Final = 64 * 1024  # of one stream at a time
DEFAULT_WINDOW_BYTES: Final = 65_535  # RFC 9113 6.9.2; the connection's starts with it whatever SETTINGS say
NO_LIMIT: Final = 2**31 - 1


_BYTES: Final = re.compile(r"""\s*b(['"]).*\1""", re.DOTALL)


class Http2(H2Protocol):
    """One connection's HTTP/2: `received` takes the client's bytes, `stream_send` what the applications say."""

    config: EngineConfig
    connection: TolerantConnection

    def __init__(
        self,
        *,
        line: Line,
        app: AppWrapper,
        config: EngineConfig,
        context: WorkerContext,
        task_group: TaskGroup,
        state: ConnectionState,
        client: tuple[str, int] | None,
        server: tuple[str, int] | None,
    ) -> None:
        super().__init__(app, config, context, task_group, state, line.facts.tls, client, server, self._told)
        settings = config.settings
        self.line = line
        self.connection = TolerantConnection(
            # Outbound checks are left out: `write_headers` does in one pass what is needed of them.
            H2Configuration(
                client_side=False,
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.connection.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: settings.max_concurrent_streams,
                SettingCodes.MAX_HEADER_LIST_SIZE: settings.max_header_list_bytes,
                SettingCodes.INITIAL_WINDOW_SIZE: settings.initial_window_bytes,
            },
        )
        self.connection.decoder.max_header_list_size = settings.max_header_list_bytes
        self._loop = asyncio.get_running_loop()
        self._open: dict[int, Stream] = {}  # until DONE
        self._running: set[Stream] = set()  # until the application has returned
        self._dirty: dict[Stream, None] = {}  # to be looked at by the next tick, in this order
        self._tick_is_due = False
        self._unwritten_bytes = 0
        self._stopping = False
        self._client_leaves = False
        self.trouble: ConnectionTrouble | None = None
        self.when_gone: list[Callable[[], None]] | None = None
        """Who wants to hear that the connection is no more."""

    @property
    def idle(self) -> bool:
        """Whether no answer is under way."""
        return not any(stream.answering for stream in self._open.values())

    # Going

    async def initiate(self, headers: Headers | None = None, settings: bytes | None = None) -> None:
        """Say our half of the preface. (The arguments belong to Hypercorn's Upgrade from HTTP/1.1, not used here.)"""
        connection, limits = self.connection, self.config.settings
        connection.initiate_connection()
        # Announced above, but kept by `_request_arrived`: h2 would end the connection for one stream too many.
        connection.local_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = NO_LIMIT
        connection.local_settings.acknowledge()
        make_small(connection.local_settings)
        make_small(connection.remote_settings)
        if (more := limits.connection_window_bytes - DEFAULT_WINDOW_BYTES) > 0:
            connection.increment_flow_control_window(more)
        self._write_out()

    def stop(self) -> None:
        """Take no more requests: GOAWAY(NO_ERROR), and the end when the last answer is out."""
        if not self._stopping and not self.closed:
            self._stopping = True
            self.goaway(ErrorCodes.NO_ERROR)
            self._end_if_due()

    def cut_off(self) -> None:
        """Wait no longer for applications: cancel them. Their streams end with RST_STREAM(CANCEL)."""
        for stream in list(self._running):
            stream.cancel()

    def gone(self) -> None:
        """The connection is no more: tell the applications."""
        self.closed = True
        for stream in list(self._open.values()):
            self._was_reset(stream)
        if self.when_gone is not None:
            told, self.when_gone = self.when_gone, None
            for tell in told:
                tell()

    # What Hypercorn's classes call

    async def handle(self, event: Event) -> None:
        """Take bytes from the client (`RawData`), or its end (`Closed`)."""
        if isinstance(event, RawData):
            self.received(event.data)
        elif isinstance(event, Closed):
            self.gone()

    async def stream_send(self, event: StreamEvent) -> None:
        """Take from a stream what its application sent; returns when the client keeps up. Raises StreamGoneError."""
        stream = self._open.get(event.stream_id)
        if stream is None or stream.closed or stream.ending is not None:
            return
        if isinstance(event, Body):
            await self._send_body(stream, event.data)
        elif isinstance(event, Response | InformationalResponse):
            self.connection.send_headers(stream.stream_id, self._answer_head(event.status_code, event.headers))
            self._tick_soon()
        elif isinstance(event, Trailers):
            stream.ending = Ending(trailers=write_headers(event.headers, []))
            self._wake(stream)
        elif isinstance(event, EndBody):
            stream.ending = END_STREAM
            self._wake(stream)

    # In

    def received(self, data: bytes) -> None:
        """Take bytes from the client. Never waits. What comes after its error is dropped."""
        if self.closed:
            return
        try:
            events = self.connection.receive_data(data)
        except ProtocolError as error:
            self._write_out()  # the GOAWAY that h2 has written
            what = _BYTES.sub("", str(error))  # h2 shows a header's value, which may be a token
            self.line.close(f"protocol error of the client: {what}", linger=True)
            self.gone()
            return
        for event in events:
            self._take(event)
        if not self._tick_is_due:
            self._write_out()

    def _take(self, event: H2Event) -> None:
        match event:
            case DataReceived():
                if stream := self._open.get(event.stream_id):
                    stream.data_arrived(event.data, event.flow_controlled_length)
                else:  # refused or reset by an event before it among the same bytes
                    self.give_back(event.stream_id, event.flow_controlled_length)
            case RequestReceived():
                self._request_arrived(event)
            case StreamEnded():
                if stream := self._open.get(event.stream_id):
                    stream.request_ended()
                    self._forget_if_done(stream)
            case StreamReset():
                if stream := self._open.get(event.stream_id):
                    self._was_reset(stream)
            case WindowUpdated():
                woken = self._open.get(event.stream_id)
                self._wake_all([woken] if woken else [] if event.stream_id else list(self._open.values()))
            case RemoteSettingsChanged():
                self._wake_all(list(self._open.values()))
            case PingReceived():
                self.config.observer.ping_received(self.line.facts)
            case PingAckReceived():
                if self.trouble is not None:
                    self.trouble.acknowledged(event.ping_data)
            case PriorityUpdated():
                if event.stream_id is not None and event.depends_on == event.stream_id:
                    self._reset_self_dependent(event.stream_id)
            case ConnectionTerminated():
                self._client_leaves = True
                if event.error_code == ErrorCodes.NO_ERROR:
                    self._end_if_due()
                else:
                    self.line.close(f"the client sent GOAWAY({getattr(event.error_code, 'name', event.error_code)})")
                    self.gone()

    def _request_arrived(self, event: RequestReceived) -> None:
        if self._stopping or not self._there_is_room():
            self.connection.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
            return
        stream = Stream(self, event.stream_id)
        self._open[event.stream_id] = stream
        self._running.add(stream)
        stream.begin(read_request_head(event.headers), {WIRE: Wire(self, stream)})

    def _there_is_room(self) -> bool:
        """Whether one more stream may be open. An answered one whose client never ends its side makes room: such
        clients exist (DEVICES C11), and what they might still send is of no use."""
        limit = self.config.settings.max_concurrent_streams
        if self.trouble is not None and self.trouble.max_streams is not None:
            limit = self.trouble.max_streams
        if len(self._open) < limit:
            return True
        for stream in self._open.values():
            if stream.answered_early:
                self._reset(stream, ErrorCodes.NO_ERROR)
                return True
        return False

    def _reset_self_dependent(self, stream_id: int) -> None:
        """RFC 7540 5.3.1. The stream may be idle still: then h2 knows none to reset."""
        if stream := self._open.get(stream_id):
            self._reset(stream, ErrorCodes.PROTOCOL_ERROR)
        else:
            self._write_out()
            self.line.write(RstStreamFrame(stream_id, error_code=ErrorCodes.PROTOCOL_ERROR).serialize())

    def give_back(self, stream_id: int, window_bytes: int) -> None:
        """So much of what the stream received needs no memory any more: let the client send as much again."""
        if self.closed or (self.trouble is not None and self.trouble.holds_back(stream_id, window_bytes)):
            return
        self.connection.acknowledge_received_data(window_bytes, stream_id)
        self._tick_soon()

    def open_window(self, stream_id: int, window_bytes: int, *, whole: bool) -> None:
        """Give back what a fault held back: of the stream, and where `whole` of the connection too."""
        if window_bytes and not self.closed:
            if whole:
                self.connection.acknowledge_received_data(window_bytes, stream_id)
            elif stream_id in self._open:
                self.connection.increment_flow_control_window(window_bytes, stream_id)
            self._tick_soon()

    # Out

    async def _send_body(self, stream: Stream, data: bytes) -> None:
        stream.buffer += data
        self._wake(stream)
        if len(stream.buffer) >= HIGH_WATER_BYTES:
            self._tick()
            while len(stream.buffer) >= HIGH_WATER_BYTES and not stream.closed:
                await stream.room.wait()
        if stream.closed:
            raise StreamGoneError(f"stream {stream.stream_id} is gone")

    def _answer_head(self, status: int, headers: Headers) -> Headers:
        return [(b":status", b"%d" % status), *write_headers(headers, self.config.response_headers("h2"))]

    def _wake(self, stream: Stream) -> None:
        """Something is to be sent on `stream`: look at it before this turn of the event loop is over."""
        self._dirty[stream] = None
        self._tick_soon()

    def resumed(self) -> None:
        """The client reads again."""
        self._wake_all(list(self._open.values()))

    def _wake_all(self, streams: list[Stream]) -> None:
        self._dirty.update((stream, None) for stream in streams if stream.buffer or stream.ending)
        self._tick_soon()

    def _tick_soon(self) -> None:
        if not self._tick_is_due:
            self._tick_is_due = True
            self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        self._tick_is_due = False
        if self.closed:
            return
        dirty, self._dirty = self._dirty, {}
        for stream in dirty:
            if stream.answering:
                self._pump(stream)
        self._write_out()

    def _write_out(self) -> None:
        self._unwritten_bytes = 0
        if data := self.connection.data_to_send():
            self.line.write(data if self.trouble is None else self.trouble.passed(data))

    def _pump(self, stream: Stream) -> None:
        """Hand over to h2 what the windows allow, and the end of the answer when it is reached."""
        try:
            ended = self._pump_data(stream) or (not stream.buffer and self._pump_ending(stream))
        except ProtocolError:  # the client's half of the connection is in ruins; its end will follow
            self._was_reset(stream)
            return
        if len(stream.buffer) < LOW_WATER_BYTES:
            stream.room.fire()
        if ended:
            stream.take_turn(Turn.RESPONSE_END)
            if stream.reset_when_sent is not None and stream.answered_early:
                self._reset(stream, stream.reset_when_sent)
            else:
                self._forget_if_done(stream)

    def _pump_data(self, stream: Stream) -> bool:
        """True when END_STREAM was sent."""
        connection, stream_id, buffer = self.connection, stream.stream_id, stream.buffer
        while buffer and not self.line.paused:
            size = min(connection.local_flow_control_window(stream_id), connection.max_outbound_frame_size)
            padding = stream.padding
            if padding is not None:
                padding = min(padding, size - 2) if size > 1 else None  # a window may be smaller than the padding
                size -= 0 if padding is None else padding + 1
            if size <= 0:
                return False
            data = bytes(memoryview(buffer)[:size])
            del buffer[:size]
            last = not buffer and stream.ending is END_STREAM
            connection.send_data(stream_id, data, end_stream=last, pad_length=padding)
            if last:
                return True
            self._unwritten_bytes += size
            if self._unwritten_bytes >= WRITE_BYTES:  # so that the line can say that it is enough
                self._write_out()
        return False

    def _pump_ending(self, stream: Stream) -> bool:
        """True when END_STREAM was sent."""
        ending = stream.ending
        if ending is None:
            return False
        if ending.reset is not None:
            self._reset(stream, ending.reset)
            return False
        if ending.trailers is not None:
            self.connection.send_headers(stream.stream_id, ending.trailers, end_stream=True)
        else:
            self.connection.end_stream(stream.stream_id)
        return True

    # The ends of streams

    def application_ended(self, stream: Stream, *, cancelled: bool, answer_begun: bool) -> None:
        """The application has returned, failed, or was cancelled. An answer that it left open is ended for it."""
        self._running.discard(stream)
        if stream.closed or stream.ending is not None:
            return
        if cancelled:
            self.reset(stream, ErrorCodes.CANCEL)
            return
        if answer_begun:
            stream.ending = Ending(reset=ErrorCodes.INTERNAL_ERROR)
        else:
            self.connection.send_headers(stream.stream_id, self._answer_head(500, [(b"content-length", b"0")]))
            stream.ending = END_STREAM
        self._wake(stream)

    def reset(self, stream: Stream, code: int) -> None:
        """Send RST_STREAM, after what may still be sent (`Wire.reset`)."""
        if self.closed or stream.done:
            return
        if stream.answering:
            self._pump(stream)
        if not stream.done:  # the pump may have found its end
            self._reset(stream, code)
        self._write_out()

    def end_early(self, stream: Stream, trailers: Headers | None) -> None:
        """End the answer behind what was sent so far (`Wire.end`)."""
        if not self.closed and stream.answering and stream.has_head and stream.ending is None:
            stream.ending = END_STREAM if trailers is None else Ending(trailers=write_headers(trailers, []))
            self._wake(stream)
            self._tick()

    def is_open(self, stream_id: int) -> bool:
        """Whether one side of a stream has something to say still."""
        return stream_id in self._open

    def flush(self) -> None:
        """Write what waits, as far as the windows allow, now (`Wire.flush`)."""
        self._tick()

    def reset_when_sent(self, stream: Stream, code: int) -> None:
        """Send RST_STREAM after END_STREAM, if the request is open then (`Wire.reset_when_sent`)."""
        stream.reset_when_sent = code
        if stream.answered_early:
            self.reset(stream, code)

    def _reset(self, stream: Stream, code: int) -> None:
        self.connection.reset_stream(stream.stream_id, code)
        self._was_reset(stream)

    def _was_reset(self, stream: Stream) -> None:
        stream.take_turn(Turn.RESET)
        stream.abandon()
        self._forget_if_done(stream)

    def _forget_if_done(self, stream: Stream) -> None:
        if stream.done:
            del self._open[stream.stream_id]
            stream.buffer.clear()
            stream.end_for_application()
        self._end_if_due()

    # The end of the connection

    def goaway(self, code: int, *, last_stream_id: int | None = None, debug: bytes = b"") -> None:
        """Send GOAWAY and go on (`Wire.goaway`). Written by hand: h2's `close_connection` ends its streams."""
        if not self.closed:
            if last_stream_id is None:
                last_stream_id = self.connection.highest_inbound_stream_id
            self._tick()
            self.line.write(GoAwayFrame(0, last_stream_id, code, debug).serialize())

    def give_up_above(self, stream_id: int) -> None:
        """Forget requests (`Wire.give_up_above`): what still comes of them is read and dropped (RFC 9113 6.8)."""
        for stream in list(self._open.values()):
            if stream.stream_id > stream_id and not stream.has_head:
                self._was_reset(stream)

    def abort(self, how: Literal["rst", "fin"], *, reason: str) -> None:
        """End the connection without a word (`Wire.abort`)."""
        if not self.closed:
            self._tick()
            self.line.abort(reason, rst=how == "rst")

    def cut(self, how: CutHow, *, reason: str) -> None:
        """Let the line be cut, or fall silent (`Wire.cut`)."""
        if not self.closed:
            self._tick()
            self.line.cut(how, reason)

    def _end_if_due(self) -> None:
        if (self._stopping or self._client_leaves) and self.idle and not self.closed:
            self._loop.call_soon(self._end)

    def _end(self) -> None:
        self._tick()
        self.line.close("server stopped" if self._stopping else "closed by the client")

    async def _told(self, event: Event) -> None:
        """What `H2Protocol` would send to Hypercorn's own connection; nothing of ours does."""
