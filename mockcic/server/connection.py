"""One TCP or TLS connection, from the accept to its end: Hypercorn's `TCPServer`, speaking HTTP/2 only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import time
from typing import Any, Final, Literal

from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.events import Closed, Event, RawData
from hypercorn.typing import AppWrapper, ConnectionState, LifespanState
from hypercorn.utils import parse_socket_addr

from mockcic.scenario.faults.line import CutHow
from mockcic.server.engine import EngineConfig
from mockcic.server.faults.line import FIN_WITHIN_S, LOOK_S, Deaf, Mute, is_open, reset_on_close, send_fin, shrink
from mockcic.server.flow import FlowProtocol
from mockcic.server.http2 import Http2
from mockcic.server.observer import ConnectionFacts, new_id, printed
from mockcic.server.preface import Speech, refusal_of_http1, tell_speech

READ_BYTES: Final = 256 * 1024
WRITE_HIGH_WATER_BYTES: Final = 64 * 1024
UNREAD_LIMIT_BYTES: Final = 1024 * 1024  # INF: answers wait elsewhere, only answers to control frames come so far
CLOSE_WITHIN_S: Final = 1.0  # INF: for the last bytes and TLS's close_notify; then TCP's RST
LINGER_S: Final = 1.0  # INF: for a client to read why it is sent away


class Connection(TCPServer):
    """Reads, writes and ends one connection, and owns the tasks of its streams.

    All bytes pass two places: out through `write`, always whole frames, and in through `_received`. What is to act on
    frames stands there.
    """

    config: EngineConfig

    def __init__(
        self,
        app: AppWrapper,
        loop: asyncio.AbstractEventLoop,
        config: EngineConfig,
        context: WorkerContext,
        state: LifespanState,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        known: ConnectionFacts | None = None,
    ) -> None:
        """`known` is what was known of it before, where a fault has been at it: its id, where it really comes from."""
        super().__init__(app, loop, config, context, state, reader, writer)
        self._transport = writer.transport
        flow = self._transport.get_protocol()
        assert isinstance(flow, FlowProtocol)
        self._flow = flow
        self._transport.set_write_buffer_limits(high=WRITE_HIGH_WATER_BYTES)
        self._http2: Http2 | None = None
        self.prepare: Callable[[Http2], None] | None = None
        """Called with its HTTP/2 before that says its first word."""
        self._reason: str | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._last_byte_at = loop.time()
        tls = writer.get_extra_info("ssl_object")
        self.facts = ConnectionFacts(
            id=new_id() if known is None else known.id,
            client=printed(writer.get_extra_info("peername")) if known is None else known.client,
            tls=tls is not None,
            alpn=tls.selected_alpn_protocol() if tls is not None else None,
            opened_at=time() if known is None else known.opened_at,
        )

    # Its life

    async def run(self) -> None:
        """Serve the connection until it ends and its applications have returned."""
        self.config.observer.connection_opened(self.facts)
        try:
            async with TaskGroup(self.loop) as tasks:
                try:
                    self._watch(self.config.settings.preface_timeout_s, self._preface_is_late)
                    await self._serve(tasks)
                except OSError as error:
                    self._because(f"lost: {error.strerror or error}")
                finally:
                    self.close("closed by the client")
                    if self._http2 is not None:
                        self._http2.gone()
        finally:
            try:
                await self._close()
            finally:
                self.config.observer.connection_closed(self.facts, self._reason or "")

    def stop(self) -> None:
        """Take no more requests, and end when the last answer is out."""
        if self._http2 is None:
            self.close("server stopped")
        else:
            self._http2.stop()

    def cut_off(self) -> None:
        """Cancel the applications that still run; the connection ends when they have."""
        if self._http2 is not None:
            self._http2.cut_off()

    async def _serve(self, tasks: TaskGroup) -> None:
        begin = b""
        if self.facts.alpn != "h2":
            begin = await self._read_begin()
            match tell_speech(begin):
                case Speech.HTTP1:
                    await self._refuse_http1()
                    return
                case Speech.NOISE | Speech.UNCLEAR:
                    self._because("closed by the client" if not begin else "spoke neither HTTP/2 nor HTTP/1.1")
                    return
                case Speech.HTTP2:
                    pass
        self._http2 = Http2(
            line=self,
            app=self.app,
            config=self.config,
            context=self.context,
            task_group=tasks,
            state=ConnectionState(self.state),
            client=self._address("peername"),
            server=self._address("sockname"),
        )
        self._flow.when_resumed = self._http2.resumed
        if self.prepare is not None:
            self.prepare(self._http2)
        await self._http2.initiate()
        begin = begin or await self.reader.read(READ_BYTES)
        self._unwatch()
        self._watch(self.config.settings.idle_close_after_s, self._look_for_silence)
        self._received(begin)
        while data := await self.reader.read(READ_BYTES):
            self._received(data)

    async def _read_begin(self) -> bytes:
        begin = b""
        while data := await self.reader.read(READ_BYTES):
            begin += data
            if tell_speech(begin) is not Speech.UNCLEAR:
                break
        return begin

    async def _refuse_http1(self) -> None:
        self.write(refusal_of_http1())
        self.close("HTTP/1.1, answered with 505", linger=True)
        while await self.reader.read(READ_BYTES):
            pass

    def _received(self, data: bytes) -> None:
        """Every byte of the client passes here."""
        self._last_byte_at = self.loop.time()
        assert self._http2 is not None
        self._http2.received(data)
        if self._transport.get_write_buffer_size() > UNREAD_LIMIT_BYTES:
            self.drop("does not read what it asks for")

    # What `Http2` asks of it

    @property
    def paused(self) -> bool:
        """Whether more waits to be written than should, or nothing is written any more.

        Between the client's RST and the turn of the event loop that tells of it, what is written goes nowhere and
        takes no room: who has a lot to send would go on until the client's window is used up, and let nobody else run.
        """
        return self._flow.paused or self._transport.is_closing()

    @property
    def silent(self) -> bool:
        """Whether nothing is said any more (`_hush`)."""
        return isinstance(self._transport, Mute)

    def write(self, data: bytes) -> None:
        """Send `data`. Every byte to the client passes here, in whole frames."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self, reason: str, *, linger: bool = False) -> None:
        """Send what was written, then end the connection, within a second even if the client does not read.

        With `linger` the client has a second to read it and to close: TCP would answer what it still sends with RST,
        which may overtake our last words.
        """
        self._because(reason)
        self._unwatch()
        if linger and not self._transport.is_closing():
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self._watch(LINGER_S, self._end_linger)
        else:
            self._transport.close()
            self._watch(CLOSE_WITHIN_S, self._transport.abort)

    def _end_linger(self) -> None:
        self.close(self._reason or "")

    def abort(self, reason: str, *, rst: bool) -> None:
        """End the connection with TCP's RST now, or with FIN after what was written."""
        if not rst:
            self.close(reason)
            return
        self._because(reason)
        reset_on_close(self._transport.get_extra_info("socket"))
        self._transport.abort()

    def drop(self, reason: str) -> None:
        """End the connection at once, whatever was still to be written."""
        self._because(reason)
        self._transport.abort()

    # Timers: one a connection, and none where no setting asks for it

    def _watch(self, seconds: float | None, look: Callable[[], object]) -> None:
        if seconds is not None:
            self._deadline = self.loop.call_later(seconds, look)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _preface_is_late(self) -> None:
        self.close(f"did not begin to speak HTTP/2 within {self.config.settings.preface_timeout_s:g} s")

    def _look_for_silence(self) -> None:
        limit = self.config.settings.idle_close_after_s
        assert limit is not None
        silent_for = self.loop.time() - self._last_byte_at
        if silent_for < limit:
            self._watch(limit - silent_for, self._look_for_silence)
        else:
            assert self._http2 is not None
            self._http2.goaway(0)
            self.close(f"silent for {limit:g} s")

    # Hypercorn's names

    async def protocol_send(self, event: Event) -> None:
        """What Hypercorn's protocols call to write and to close."""
        if isinstance(event, RawData):
            self.write(event.data)
        elif isinstance(event, Closed):
            self.close("closed by the protocol")

    async def _close(self) -> None:
        self._transport.close()
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self.writer.wait_closed()
        except (OSError, TimeoutError):
            pass
        finally:
            self._unwatch()
            self._transport.abort()

    def _because(self, reason: str) -> None:
        """The first reason counts."""
        if self._reason is None:
            self._reason = reason

    def _address(self, name: str) -> tuple[str, int] | None:
        address = self.writer.get_extra_info(name)
        sock = self.writer.get_extra_info("socket")
        return parse_socket_addr(sock.family, address) if address else None

    # Trouble on purpose

    def cut(self, how: CutHow, reason: str) -> None:
        """End it, or let it fall silent, as a fault of the line wants. One that ends already can only be reset."""
        if self._transport.is_closing() and how != "rst":
            return
        match how:
            case "rst" | "fin":
                self.abort(reason, rst=how == "rst")
            case "no-notify":
                self._because(reason)
                self._hush()
                send_fin(self._transport.get_extra_info("socket"))
                self._watch(FIN_WITHIN_S, self._transport.abort)
            case "silent":
                self._hush()
            case "deaf":
                self._hush()
                shrink(self._transport.get_extra_info("socket"))
                self._look_whether_deaf()

    def hang_up(self, how: Literal["rst", "fin", "no-notify", "goaway"], reason: str) -> None:
        """End it together with others."""
        if how != "goaway":
            self.cut(how, reason)
            return
        if self._http2 is not None:
            self._http2.goaway(0)
        self.close(reason)

    def _hush(self) -> None:
        """From here on nothing is said, and what comes is read and dropped. Its applications know nothing of it.

        Why it ends is said by who ends it: the client that has had enough, or the fault when its time is over.
        """
        self._unwatch()
        if isinstance(self._transport, Mute) or self._transport.is_closing():
            return
        real: Any = self._transport  # asyncio's and uvloop's are `Transport`s by what they can do only
        real.set_protocol(Deaf(self._flow))
        self._transport = Mute(real)

    def _look_whether_deaf(self) -> None:
        """Keep it from being read, and look from time to time whether the client has gone: nobody else would hear."""
        if not isinstance(self._transport, Mute):  # it was closing already
            return
        self._transport.stop_reading()
        if is_open(self._transport.get_extra_info("socket")):
            self._watch(LOOK_S, self._look_whether_deaf)
        else:
            self._transport.abort()
