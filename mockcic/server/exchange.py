"""One `POST /v1/events`: its answer, written as the engine says what to send, also while the upload still runs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from mockcic.cic.ids import new_id
from mockcic.cic.message import Attachment, Directive, Refusal
from mockcic.scenario.effects import AnswerRaw, EndReply, Refuse, ReplyAttachment, ReplyDirective
from mockcic.scenario.settings import Settings
from mockcic.server.answers import Headers, directive_part, encode_headers, refusal_response
from mockcic.server.clock import Clock
from mockcic.server.record import retry_after
from mockcic.server.wire import Wire
from mockcic.wire.crooked import CrookedEncoder
from mockcic.wire.encode import Dialect, Encoder, attachment_part, new_boundary

if TYPE_CHECKING:
    from mockcic.server.faults.trouble import Trouble

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class StepFault:
    """A fault that a step names: it strikes when what stands before the step has been written."""

    strike: Callable[[], None]


Order = ReplyDirective | ReplyAttachment | EndReply | Refuse | AnswerRaw | StepFault

PIECE: Final = 16 * 1024
"""Bytes handed over at once (PROTOCOL 4.6)."""


class Witness(Protocol):
    """Is told what was handed to the connection, once it was."""

    def directive_written(self, directive: Directive, size: int) -> None:
        """A directive; `size` is that of its part."""

    def attachment_written(self, attachment: Attachment) -> None:
        """An attachment, with its last byte."""


class Exchange:
    """The answer to one event.

    The engine's orders come in by `put`. While the upload runs, a task of the stream writes them as they come; when the
    upload has ended its own task does (`hold`, then `write_ready`), so that the ordinary answer costs no task.
    """

    def __init__(
        self,
        stream: str,
        settings: Settings,
        send: Send,
        clock: Clock,
        witness: Witness,
        completed: Callable[[], None],
        *,
        wire: Wire | None = None,
    ) -> None:
        self.stream = stream
        self.dialogue: str | None = None
        """Of the event, once its metadata is there."""
        self.status: int | None = None
        self.retry_after: dict[str, Any] = {}
        """How long a refusal says to wait: a member of the entry, if it does."""
        self.sent_bytes = 0
        self.refusal: Refusal | None = None
        self.exception_sent = False
        self.complete = False
        self.lost = False
        self.stop_upload = False
        self.sender = send
        self.wire = wire
        self.trouble: Trouble | None = None
        """What goes wrong on purpose with this answer; None where nothing does."""
        self._settings = settings
        self._apart = settings.data_frames == "part"
        self._clock = clock
        self._witness = witness
        self._completed = completed
        self._orders: deque[Order] = deque()
        self._encoder: Encoder | None = None
        self._held_bytes = bytearray()
        self._unwritten: list[Callable[[], None]] = []
        self._closed = False
        self._tasks: asyncio.TaskGroup | None = None
        self._writing = False
        self._paced = False
        self._held = False
        self._over: asyncio.Event | None = None
        self.replaced = False
        """Whether a fault answers: what the engine orders is not carried out."""
        self._rewritten = 0

    @property
    def dialect(self) -> Dialect:
        """How it is written."""
        return self._settings.dialect

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """From now on orders are written, by a task of `tasks` if need be."""
        self._tasks = tasks
        if self._orders:  # of a fault that did not wait for the event
            self._write_soon()

    def answer_instead(self, order: Refuse | AnswerRaw) -> bool:
        """Answer so, also while the upload still runs, and not as the engine orders; False when it is too late."""
        if self.status is not None or self.over or self.replaced:
            return False
        self._orders.clear()
        self._rewritten = 0
        self.put(order)
        self.replaced = True
        return True

    def put(self, order: Order) -> None:
        """Take an order of the engine."""
        if self.replaced:
            return
        self._orders.append(order)
        if not self._held:
            self._write_soon()

    def hold(self) -> None:
        """Leave what comes next to `write_ready`."""
        self._held = True

    async def write_ready(self) -> None:
        """Write the orders that are there, and let later ones be written by a task."""
        self._held = False
        if not self._writing:
            self._writing = True
            await self._write()

    def lose(self) -> None:
        """The device is gone: nothing more is written."""
        self.lost = True
        if self._over is not None:
            self._over.set()

    @property
    def over(self) -> bool:
        """Nothing more is to be written."""
        return self.complete or self.lost

    @property
    def writing(self) -> bool:
        """Something waits to be handed over, and not for the pace of a sound."""
        return self._writing and not self._paced and not (self.trouble is not None and self.trouble.waits)

    async def wait(self) -> None:
        """Wait until the answer is complete or the device is lost."""
        if not self.over:
            self._over = asyncio.Event()
            await self._over.wait()

    def _write_soon(self) -> None:
        if not self._writing and self._tasks is not None:
            self._writing = True
            self._tasks.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._orders and not self.over:
                if self.trouble is not None and not await self._rewrite(self.trouble):
                    break
                await self._carry_out(self._orders.popleft())
        except OSError:  # nobody is there any more (ASGI 2.4)
            self.lose()
        finally:
            self._writing = False
        if self.complete and self._over is not None:
            self._over.set()

    async def _rewrite(self, trouble: Trouble) -> bool:
        """See that the next order is one that faults have had their way with; False when nothing is left of them.

        All orders that are there are looked at together: that way the last directive that is sent closes the body, and
        not the last one that was to be. Behind a step that is a fault they are looked at when it has struck.
        """
        if self._rewritten:
            self._rewritten -= 1
            return True
        batch: list[Order] = []
        while self._orders and not self._rewritten:
            while self._orders and not (batch and isinstance(batch[-1], StepFault)):
                batch.append(self._orders.popleft())
            orders = trouble.rewriting.orders(batch)
            self._orders.extendleft(reversed(orders))
            self._rewritten = len(orders)
            batch.clear()
        if self._rewritten:
            self._rewritten -= 1
            return True
        if self._held_bytes:  # they waited for what is not to come
            await self._body(b"", more=True, now=True)
        return bool(self._orders)

    async def _carry_out(self, order: Order) -> None:
        match order:
            case StepFault(strike=strike):
                if self._encoder is not None:
                    await self._body(b"", more=True, now=True)
                strike()
            case ReplyDirective(directive=directive, last=last):
                encoder = await self._begin()
                self._closed = last
                data = encoder.part(directive_part(directive, self._settings.dialect), last=last)
                self._unwritten.append(partial(self._witness.directive_written, directive, len(data)))
                await self._body(data, more=not last)
            case ReplyAttachment(attachment=attachment, last=last):
                encoder = await self._begin()
                self._closed = last
                await self._attachment(encoder, attachment, last=last)
            case EndReply():
                if self._encoder is None:
                    await self.respond(204, [], b"")
                elif not self._closed:
                    await self._body((await self._begin()).closing(), more=False)
            case Refuse(refusal=refusal):
                await self.refuse(refusal)
            case AnswerRaw(status=status, headers=headers, body=body):
                await self.respond(status, encode_headers(headers), body)
        if isinstance(order, EndReply | Refuse | AnswerRaw):
            self.complete = True
            self.stop_upload = order.stop_upload
            self._completed()

    async def _begin(self) -> Encoder:
        if self._encoder is None:
            self._encoder = Encoder(new_boundary(self._settings.dialect), self._settings.dialect)
            await self._start(200, [(b"content-type", self._encoder.content_type.encode())])
        if self.trouble is not None:
            self._encoder = self.trouble.encoder(self._encoder)
        return self._encoder

    async def _attachment(self, encoder: Encoder, attachment: Attachment, *, last: bool) -> None:
        part = attachment_part(f"attachment-{new_id()}", attachment.content_id, attachment.data, self._settings.dialect)
        written = partial(self._witness.attachment_written, attachment)
        if attachment.rate is None and len(part.body) <= PIECE:
            self._unwritten.append(written)
            await self._body(encoder.part(part, last=last), more=not last)
            return
        if isinstance(encoder, CrookedEncoder):
            part = encoder.filled(part)
        await self._body(encoder.part_head(part.headers), more=True)
        step = PIECE if attachment.rate is None else max(1, attachment.chunk)
        began, size = self._clock.now(), len(part.body)
        for start in range(0, size, step):
            if self.lost:
                return
            await self._body(part.body[start : start + step], more=True, now=attachment.rate is not None)
            if attachment.rate is not None:
                due = began + min(start + step, size) / attachment.rate
                self._paced = True
                await self._clock.sleep(max(0.0, due - self._clock.now()))
                self._paced = False
        self._unwritten.append(written)
        await self._body(encoder.delimiter(last=last), more=not last)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with a System.Exception; an answer that has begun is ended as it is (PROTOCOL 4.6, 5.3)."""
        self.refusal = refusal
        if self._encoder is not None:
            if not self._closed:
                await self._body(self._encoder.closing(), more=False)
            return
        assert self._settings.exceptions is not None
        headers, body = refusal_response(
            refusal,
            form=self._settings.exceptions,
            dialect=self._settings.dialect,
            one_text=self._settings.one_text_for_400,
        )
        await self.respond(refusal.status, headers, body)
        self.exception_sent = True

    async def respond(self, status: int, headers: Headers, body: bytes) -> None:
        """A whole answer at once."""
        await self._start(status, headers)
        await self._body(body, more=False)

    async def _start(self, status: int, headers: Headers) -> None:
        self.status = status
        if status >= 400:
            self.retry_after = retry_after(headers)
        await self.sender({"type": "http.response.start", "status": status, "headers": headers})

    async def _body(self, data: bytes, *, more: bool, now: bool = False) -> None:
        """Hand bytes over: together with what is already there to follow, unless they are wanted `now`."""
        self._held_bytes += data
        if more and not now and self._orders and len(self._held_bytes) < PIECE and not self._apart:
            return
        data, self._held_bytes = bytes(self._held_bytes), bytearray()
        self.sent_bytes += len(data)
        await self.sender({"type": "http.response.body", "body": data, "more_body": more})
        for tell in self._unwritten:
            tell()
        self._unwritten.clear()
