"""One `POST /v1/events` from its first body byte on: reads the upload, tells the engine, sees the answer out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from mockcic.cic.facts import AnswerSent, AudioHeard, EventBegan, EventEnded, EventLost, Sound
from mockcic.cic.message import Event, Refusal
from mockcic.cic.upload import EventRead, SoundRead, Strictness, UploadOver, UploadPiece, UploadReader
from mockcic.errors import Finding, WireError
from mockcic.journal.spool import Recording
from mockcic.journal.store import Journal
from mockcic.scenario.effects import Refuse
from mockcic.server.clock import Clock
from mockcic.server.device import Device
from mockcic.server.exchange import Exchange, Send
from mockcic.server.measures import load_numpy, measures, numpy_is_there
from mockcic.server.recogniser import Recogniser, text_of
from mockcic.server.record import Record, record_exception
from mockcic.server.request import Receive, Request, disconnect
from mockcic.sound.measure import Meter
from mockcic.sound.pace import Pace
from mockcic.sound.quality import BLOCK_BYTES, Gauge, Quality, suspected_by_pace
from mockcic.sound.recognise import HEARD_BYTES, Recognised, recognise


class EventStream:
    """The life of one event on the wire."""

    def __init__(
        self,
        request: Request,
        device: Device,
        boundary: bytes,
        journal: Journal,
        clock: Clock,
        recogniser: Recogniser | None = None,
    ) -> None:
        self._request = request
        self._device = device
        self._journal = journal
        self._record = Record(
            journal,
            device=device.name,
            token=device.facts.token,
            connection=request.connection,
            stream=request.stream,
            line="reply",
        )
        self._clock = clock
        self._began = clock.now()
        self._settings = settings = device.engine.settings
        self._reader = UploadReader(
            boundary,
            limits=settings.wire_limits,
            tolerance=settings.tolerance,
            strictness=Strictness(
                metadata_first=settings.metadata_order == "strict",
                one_audio_part=settings.audio_parts == 400,
                envelope=settings.event_check == 400,
            ),
        )
        self._meter: Meter | None = None
        self._gauge: Gauge | None = None
        self._pace = Pace()
        self._metadata_at = self._began
        self._recording: Recording | None = None
        self._loading: asyncio.Future[object] | None = None
        self._event: Event | None = None
        self._ended = False
        self._recogniser = recogniser
        self._listening = device.scenario.listening
        self._heard: bytearray | None = None
        if self._listening.to_the_sound or (self._listening.text and recogniser is not None):
            self._heard = bytearray()
        self._recognised = Recognised()
        self._is_over = False

    async def run(self, receive: Receive, send: Send) -> None:
        """Read, answer, and leave nothing behind."""
        exchange = Exchange(
            self._request.stream,
            self._settings,
            send,
            self._clock,
            self._record,
            lambda: self._completed(exchange),
            wire=self._request.wire,
        )
        self._device.exchanges[exchange.stream] = exchange
        if self._device.faults is not None:
            self._device.faults.event_arrives(exchange)
        try:
            async with asyncio.TaskGroup() as tasks:
                exchange.begin(tasks)
                await self._read(receive, exchange)
                if not exchange.over:
                    watch = tasks.create_task(self._watch(receive, exchange))
                    await exchange.wait()
                    watch.cancel()
        finally:
            self._finish(exchange)

    # ------------------------------------------------------------------ the upload

    async def _read(self, receive: Receive, exchange: Exchange) -> None:
        """Read the upload within its time, then write what is ready; the answer has all the time it takes."""
        limit = self._settings.wire_limits.duration_s
        try:
            async with asyncio.timeout(limit) if limit is not None else nullcontext():
                await self._read_all(receive, exchange)
        except TimeoutError:
            self._refuse(
                exchange,
                WireError(
                    f"the upload took longer than the limit of {limit:g} s", status=413, code="limit.upload-time"
                ),
            )
        await exchange.write_ready()

    async def _read_all(self, receive: Receive, exchange: Exchange) -> None:
        refused = False
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                if exchange.complete:
                    self._end_early()
                else:
                    self._lose(exchange, "the device gave it up")
                return
            more = message.get("more_body", False)
            if not more:
                exchange.hold()
            if not refused:
                try:
                    pieces = self._reader.feed(message["body"])
                    await self._may_measure(pieces, ends=not more)
                    self._take(pieces)
                    if not more:
                        self._take(self._finish_reading())
                    if self._is_over:
                        await self._recognise()
                except WireError as error:
                    refused = True
                    self._refuse(exchange, error)
            if not more:
                return

    async def _may_measure(self, pieces: Sequence[UploadPiece], *, ends: bool) -> None:
        """Of a server's first sound: import numpy beside it, and wait for that only when there is to be measured."""
        if numpy_is_there():
            return
        if self._loading is None and any(isinstance(piece, SoundRead) for piece in pieces):
            self._loading = load_numpy()
        size = 0 if self._gauge is None else self._gauge.size
        size += sum(len(piece.data) for piece in pieces if isinstance(piece, SoundRead))
        over = ends or any(isinstance(piece, UploadOver) for piece in pieces)
        if self._loading is not None and (over or size >= BLOCK_BYTES):
            await self._loading

    def _finish_reading(self) -> list[UploadPiece]:
        """The end of the body; without last delimiter it is taken when StopCapture is out (PROTOCOL 8, row 16)."""
        if self._device.engine.has_stopped(self._request.stream):
            self._reader.tolerate_missing_last_delimiter()
        return self._reader.finish()

    def _take(self, pieces: list[UploadPiece]) -> None:
        heard = False
        for piece in pieces:
            match piece:
                case EventRead(event=event):
                    self._begin(event)
                case SoundRead(data=data):
                    if self._meter is None:
                        self._meter = self._new_meter()
                        self._gauge = Gauge(threshold_dbfs=self._settings.silence_level)
                        self._recording = self._journal.spool.begin()
                    self._meter.feed(data)
                    if self._gauge is not None:
                        self._gauge.feed(data)
                    if self._recording is not None:
                        self._recording.feed(data)
                    heard = True
                    self._note_pace(self._meter.size)
                    if self._heard is not None and len(self._heard) < HEARD_BYTES:
                        self._heard += data
                case UploadOver(has_sound=has_sound):
                    if heard and self._meter is not None and self._device.faults is not None:
                        self._device.faults.heard(self._request.stream, self._sound(self._meter))
                    heard = False
                    if has_sound and self._heard:
                        self._is_over = True  # it ends when it is known what was said
                    else:
                        self._end(has_sound=has_sound)
                case Finding():
                    self._device.find(piece, self._request.stream)
        if heard and self._meter is not None:
            sound = self._sound(self._meter)
            self._device.tell(AudioHeard(self._request.stream, sound))
            if self._device.faults is not None:
                self._device.faults.heard(self._request.stream, sound)

    async def _recognise(self) -> None:
        """Find out what was said, in a thread, and end the upload."""
        self._is_over = False
        pcm = bytes(self._heard or b"")
        pcm = pcm[: len(pcm) & ~1]
        if self._listening.to_the_sound:
            self._recognised = await asyncio.to_thread(recognise, pcm, self._listening)
        if self._listening.text and self._recogniser is not None and self._device.transcript is None:
            text, finding = await text_of(pcm, self._recogniser)
            self._recognised = replace(self._recognised, text=text)
            if finding is not None:
                self._device.find(finding, self._request.stream)
        if not self._ended:
            self._end(has_sound=True)

    def _said(self) -> dict[str, Any]:
        """What was said, as members of the sound; a text sent beside counts before that of a recogniser."""
        found = self._recognised
        if (text := self._device.take_transcript()) is not None:
            found = replace(found, text=text)
        why = dict(found.why)
        if self._listening.text and found.text is None:
            why["text"] = "no transcript, and no recogniser" if self._recogniser is None else "the recogniser failed"
        return {
            "dtmf": found.dtmf,
            "marker": found.marker,
            "like": found.like,
            "heard": found.heard,
            "text": found.text,
            "why": why,
        }

    def _new_meter(self) -> Meter:
        return Meter(levels=self._device.scenario.needs_level, threshold_dbfs=self._settings.silence_level)

    @staticmethod
    def _sound(meter: Meter, *, sha256: str | None = None) -> Sound:
        return Sound(
            size=meter.size,
            seconds=meter.seconds,
            level_dbfs=meter.level_dbfs,
            silent_for_s=meter.silent_for_s,
            sha256=sha256,
        )

    def _note_pace(self, size: int) -> None:
        self._pace.note(round(1000 * (self._clock.now() - self._metadata_at)), size)

    def _measures(self, quality: Quality) -> dict[str, Any]:
        """What the journal says of the sound; of one with an empty part what there is to say of nothing."""
        arrived = self._pace.looks
        suspicions = list(quality.suspicions)
        if not suspicions and self._gauge is not None:
            rate = suspected_by_pace(arrived, self._gauge.roughness)
            suspicions += [rate] if rate is not None else []
        return measures(quality, suspicions, arrived, self._event, 0 if self._gauge is None else self._gauge.size)

    def _begin(self, event: Event) -> None:
        self._event = event
        self._metadata_at = self._clock.now()
        request = self._request
        exchange = self._device.exchanges[request.stream]
        exchange.dialogue = event.dialog_request_id
        self._device.begin_dialogue(event.dialog_request_id)
        reader = self._reader
        assert reader.metadata is not None
        assert reader.metadata_part is not None
        self._record.event(event, request.headers, reader.metadata_part, reader.metadata)
        if self._device.faults is not None:
            self._device.faults.event_began(request.stream, event.full_name)
        if not exchange.replaced:
            self._device.tell(EventBegan(request.stream, event, request.headers, request.connection))

    def _end(self, *, has_sound: bool) -> None:
        self._ended = True
        sound: Sound | None = None
        measured: dict[str, Any] = {}
        if has_sound:
            meter = self._meter or self._new_meter()
            quality = Quality() if self._gauge is None else self._gauge.finish()
            sound = replace(self._sound(meter, sha256=meter.sha256), level_dbfs=quality.level_dbfs, **self._said())
            measured = {**self._measures(quality), **self._said_in_journal(sound)}
            if self._recording is not None:
                self._recording.finish(meter.sha256)
        others = [part for part in self._reader.parts if part is not self._reader.metadata_part]
        if others:
            self._record.upload(self._event, sound, others, measured)
        if (faults := self._device.faults) is not None:
            if sound is not None:  # what came with the end was not told before
                faults.heard(self._request.stream, sound)
            faults.upload_ended(self._request.stream)
        self._device.tell(EventEnded(self._request.stream, sound))

    def _said_in_journal(self, sound: Sound) -> dict[str, Any]:
        """What was worked out of it: null where nothing was found."""
        asked = self._listening
        wanted = {
            "dtmf": asked.dtmf,
            "marker": asked.marker,
            "like": bool(asked.like),
            "heard": bool(asked.recordings),
            "text": asked.text or sound.text is not None,
        }
        return {name: getattr(sound, name) for name, is_wanted in wanted.items() if is_wanted}

    def _end_early(self) -> None:
        """The answer is complete before the upload is; what still comes of it is dropped (PROTOCOL 3.4)."""
        if self._event is not None and not self._ended:
            self._end(has_sound=self._meter is not None)

    # ------------------------------------------------------------------ trouble

    def _refuse(self, exchange: Exchange, error: WireError) -> None:
        """The body is bad: 400 or 413; an answer that has begun is finished as it is (PROTOCOL 5.3)."""
        self._device.find(
            Finding(error.code, error.detail, "a body that can be decoded (PROTOCOL 3.1)", severity="error"),
            self._request.stream,
        )
        if exchange.status is None:
            self._device.tell(EventLost(self._request.stream, error.description))
            exchange.put(Refuse(exchange.stream, Refusal(error.status, error.description)))
        elif not self._ended:
            self._ended = True
            self._device.tell(EventEnded(self._request.stream, None))

    async def _watch(self, receive: Receive, exchange: Exchange) -> None:
        await disconnect(receive)
        self._lose(exchange, "the device did not wait for the answer")

    def _lose(self, exchange: Exchange, reason: str) -> None:
        if not exchange.complete:
            exchange.lose()
        self._device.tell(EventLost(self._request.stream, reason))

    # ------------------------------------------------------------------ the end

    def _lost_by(self, exchange: Exchange) -> dict[str, Any]:
        """The fault that has ended an answer, as a member of its entry."""
        faults = self._device.faults
        name = faults.ended.get(exchange.stream, "") if faults is not None and exchange.lost else ""
        return {"fault": name} if name else {}

    def _completed(self, exchange: Exchange) -> None:
        """The last byte of the answer was handed over."""
        self._record_answer(exchange)
        if exchange.stop_upload and self._request.wire is not None:
            self._request.wire.reset_when_sent()
        self._device.tell(AnswerSent(exchange.stream))

    def _finish(self, exchange: Exchange) -> None:
        if not exchange.complete:
            self._record_answer(exchange)
            self._device.tell(EventLost(exchange.stream, "nobody waits" if exchange.lost else "the server failed"))
        if self._recording is not None:
            self._recording.drop()
        self._device.finish_exchange(exchange)

    def _record_answer(self, exchange: Exchange) -> None:
        event = self._event
        refusal = exchange.refusal
        if refusal is not None and exchange.exception_sent:
            record_exception(
                self._journal,
                refusal,
                device=self._device.name,
                token=self._device.facts.token,
                connection=self._request.connection,
                stream=self._request.stream,
                dialogue=None if event is None else event.dialog_request_id,
                event="" if event is None else event.full_name,
            )
        self._journal.add(
            "answer",
            device=self._device.name,
            token=self._device.facts.token,
            connection=self._request.connection,
            stream=self._request.stream,
            dialogue=None if event is None else event.dialog_request_id,
            name="POST /v1/events" if event is None else event.full_name,
            status=exchange.status,
            bytes=exchange.sent_bytes,
            seconds=round(self._clock.now() - self._began, 4),
            lost=exchange.lost,
            **self._lost_by(exchange),
            **exchange.retry_after,
            description="" if refusal is None else refusal.description,
        )
        if exchange.status == 401:
            why = "the scenario answers so" if refusal is None else refusal.description
            self._device.event_got_401(self._request.connection, self._request.stream, why)
