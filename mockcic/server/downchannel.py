"""One `GET /v1/directives` that stays open: directives are queued by the device, written by the stream's own task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mockcic.cic.message import Attachment, Directive, Pieces
from mockcic.scenario.effects import AnswerRaw, Refuse
from mockcic.scenario.settings import Settings
from mockcic.server.answers import directive_part
from mockcic.server.exchange import Send, StepFault
from mockcic.server.wire import Wire
from mockcic.wire.encode import Encoder, attachment_part, new_boundary

if TYPE_CHECKING:
    from mockcic.server.faults.trouble import Trouble

QUEUED: Final = 1000
"""Directives that may wait for a device that does not read (INF)."""

Queued = tuple[Directive, tuple[Attachment, ...], str]
Written = Callable[["Downchannel", Pieces, int, str], None]


@dataclass(frozen=True, slots=True)
class AsItIs:
    """A message that a fault has made: no other changes it."""

    pieces: Pieces
    why: str


class Downchannel:
    """The open stream of one device. `put` queues, a task of the stream writes; an idle one has no task but its own.

    Thousands of them are idle: so a list and no deque (700 bytes), and no `asyncio.Event` before somebody waits.
    """

    def __init__(self, stream: str, connection: str, settings: Settings, send: Send, written: Written) -> None:
        self.stream = stream
        self.connection = connection
        self.ended = False
        self.reason = ""
        self.token = ""
        """The token it was opened with."""
        self._encoder = Encoder(new_boundary(settings.dialect), settings.dialect, settings.downchannel_delimiter)
        self.sender = send
        self.wire: Wire | None = None
        """The stream and its connection, where the server is ours."""
        self.trouble: Trouble | None = None
        """What goes wrong on purpose with it; None where nothing does."""
        self.instead: Refuse | AnswerRaw | None = None
        """What it is answered with instead of being opened."""
        self._written = written
        self._queue: list[Queued | AsItIs | StepFault] = []
        self._tasks: asyncio.TaskGroup | None = None
        self._writing = False
        self.dialect = settings.dialect
        self._apart = settings.data_frames == "part"
        self._closed = False
        self._over: asyncio.Event | None = None

    async def open(self, tasks: asyncio.TaskGroup) -> None:
        """Send the 200 and, unless the delimiter comes with each message, the first delimiter."""
        content_type = self._encoder.content_type.encode()
        await self.sender({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type)]})
        self._tasks = tasks

    def put(self, directive: Directive, attachments: tuple[Attachment, ...] = (), why: str = "") -> bool:
        """Queue a directive; False when it cannot be taken any more. `why` is for the journal."""
        if self.ended or len(self._queue) >= QUEUED:
            return False
        self._queue.append((directive, attachments, why))
        self._write_soon()
        return True

    def put_as_it_is(self, pieces: Pieces, why: str) -> bool:
        """As `put`, for what a fault has made."""
        if self.ended or len(self._queue) >= QUEUED:
            return False
        self._queue.append(AsItIs(pieces, why))
        self._write_soon()
        return True

    def answer_instead(self, order: Refuse | AnswerRaw) -> bool:
        """Let it be answered so and not be opened; False when it is too late for that."""
        if self._tasks is not None or self.instead is not None:
            return False
        self.instead = order
        return True

    def interrupt(self, fault: StepFault) -> None:
        """Let a fault strike behind what is queued."""
        self._queue.append(fault)
        self._write_soon()

    def end(self, reason: str) -> None:
        """End the stream properly once what is queued has been written: closing delimiter, END_STREAM."""
        if not self.ended:
            self.ended, self.reason = True, reason
            self._write_soon()

    def abandon(self, reason: str) -> None:
        """Forget the stream: the device is gone, or the old one is left open without a word."""
        self.ended, self.reason = True, reason
        self._queue.clear()
        self._is_over()

    @property
    def writing(self) -> bool:
        """Something waits to be handed over, and not for the pace of a fault."""
        return self._writing and not (self.trouble is not None and self.trouble.waits)

    async def over(self) -> None:
        """Wait until the last byte has been handed over."""
        if not self._closed:
            self._over = asyncio.Event()
            await self._over.wait()

    def _is_over(self) -> None:
        self._closed = True
        if self._over is not None:
            self._over.set()

    def _write_soon(self) -> None:
        if not self._writing and self._tasks is not None:
            self._writing = True
            self._tasks.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._queue:
                queued = self._queue.pop(0)
                if isinstance(queued, StepFault):
                    queued.strike()
                else:
                    await self._write_one(queued)
            if self.ended and not self._closed:
                if self.trouble is not None:
                    self._encoder = self.trouble.encoder(self._encoder, ends=True)
                await self._body(self._encoder.closing(), more=False)
                self._is_over()
        except OSError:
            self.abandon(self.reason or "the device is gone")
        finally:
            self._writing = False

    async def _write_one(self, queued: Queued | AsItIs) -> None:
        if isinstance(queued, AsItIs):
            await self._write_message(queued.pieces, queued.why)
            return
        directive, attachments, why = queued
        if self.trouble is None:
            await self._write_message((directive, *attachments), why)
            return
        for pieces in self.trouble.rewriting.messages(directive, attachments, why):
            await self._write_message(pieces, why)

    async def _write_message(self, pieces: Pieces, why: str) -> None:
        """A directive with its attachments in one go."""
        if self.trouble is not None:
            self._encoder = self.trouble.encoder(self._encoder)
        data, size = b"", 0
        for piece in pieces:
            if isinstance(piece, Directive):
                encoded = self._encoder.part(directive_part(piece, self.dialect))
                size = len(encoded)
            else:
                name = f"attachment-{piece.content_id}"
                encoded = self._encoder.part(attachment_part(name, piece.content_id, piece.data, self.dialect))
            data += encoded
            if self._apart:
                await self._body(data, more=True)
                data = b""
        if data:
            await self._body(data, more=True)
        self._written(self, pieces, size, why)

    async def _body(self, data: bytes, *, more: bool) -> None:
        await self.sender({"type": "http.response.body", "body": data, "more_body": more})
