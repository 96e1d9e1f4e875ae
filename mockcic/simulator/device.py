"""The simulated device: keeps a downchannel, sends events, obeys directives as `reactions` has it."""

from __future__ import annotations

import asyncio
import fnmatch
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from mockcic.cic.message import Context, Directive, Event
from mockcic.errors import StartError, WireError
from mockcic.simulator import moments
from mockcic.simulator.client import Connection, ConnectionLostError, Stream, StreamResetError
from mockcic.simulator.inbox import Answer, Inbox, Received, read_exception
from mockcic.simulator.lifeline import UNAUTHORIZED, Habits, RefusedError, read_directives
from mockcic.simulator.moments import Line, Moment
from mockcic.simulator.reactions import ASIDE, DIALOGUE, NOW, REACTIONS, Report, settle, track_of
from mockcic.simulator.stage import Stage
from mockcic.simulator.state import SEOUL, State
from mockcic.simulator.unruly import crowd, lifeline_for
from mockcic.simulator.upload import BLOCK_BYTES, BLOCK_S, Form
from mockcic.simulator.vices import Extra, Vices
from mockcic.simulator.wake_word import initiator, with_wake_word

USER_AGENT: Final = "MockMaker/SimDevice/0.1.0 (Linux 6.1;sim)"
SPEECH: Final = "SpeechRecognizer.Recognize"
TEXT: Final = "TextRecognizer.Recognize"

NO_ANSWER: Final = (ConnectionLostError, StreamResetError, TimeoutError, WireError)

KEPT: Final = 10_000
"""Directives that are remembered (INF)."""


class Device:
    """One simulated device: an asynchronous context manager.

    Entering connects, opens the downchannel and waits for Hello. Raises `StartError` when there is no connection,
    `RefusedError` when the downchannel is refused, `TimeoutError` when Hello does not come. `pace` scales the
    microphone, `playing_pace` all that the device plays or waits for (None: as `pace`): 1 is real time, 0 as fast as
    possible. An ExpectSpeech stays open until it is answered or another dialogue begins: its timeout is not kept.
    `wake_word` goes before all that is said, unless it answers a question. `renew` gives a new token in place of one
    that was refused with 401; without it the device logs itself out then. `misbehave` names rules that it breaks
    (`mockcic.simulator.misbehave`). `habits` are keyword arguments of `Habits`.
    """

    def __init__(
        self,
        url: str,
        *,
        ca_file: Path | str | None = None,
        token: str = "sim-token",
        user_agent: str | None = USER_AGENT,
        pace: float = 1.0,
        playing_pace: float | None = None,
        headers: Sequence[tuple[str, str]] = (),
        tags: Sequence[str] = (),
        authority: str | None = None,
        wake_word: str | None = None,
        renew: Callable[[], Awaitable[str]] | None = None,
        misbehave: Collection[str] = (),
        on_moment: Callable[[Moment], None] | None = None,
        **habits: Any,
    ) -> None:
        self.url = url
        self.token = token
        self.user_agent = user_agent
        self.habits = Habits(**habits)
        self.state = State()
        self.dialogue: str | None = None
        """The last dialogue id (PROTOCOL 3.6)."""
        self.wake_word = wake_word
        self._more_headers = (*headers, *((("x-clova-device-tags", ",".join(tags)),) if tags else ()))
        self._renew = renew
        self._renewing = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._vices = Vices(misbehave)
        self._pace = pace
        self._playing_pace = pace if playing_pace is None else playing_pace
        self._on_moment = on_moment
        self._turned_s = 0.0
        self._device_uuid = str(uuid.uuid4())
        self._came: deque[tuple[Received, Line]] = deque(maxlen=KEPT)
        self._uploads: dict[str, asyncio.Event] = {}
        self._life: asyncio.Task[None] | None = None
        self._first: asyncio.Future[None] | None = None
        self._was_asked = False
        self._posting = 0
        self._changed = asyncio.Event()
        self._line = lifeline_for(self._vices)(
            url,
            ca_file=ca_file,
            authority=authority,
            habits=self.habits,
            headers=self._headers,
            now=self._now,
            tell=self._tell,
            on_hello=self._become_ready,
            on_directive=self._take_push,
            on_refused_token=self._has_another_token,
        )

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        self._first = loop.create_future()
        self._group = await asyncio.TaskGroup().__aenter__()
        self._life = self._group.create_task(self._live(self._first))
        limit = asyncio.timeout(self.habits.hello_within_s)
        try:
            async with limit:
                await self._first
        except TimeoutError as error:
            await self._leave(error)
            if limit.expired():
                raise TimeoutError(f"no Clova.Hello within {self.habits.hello_within_s:g} s") from None
            raise
        except BaseException as error:
            await self._leave(error)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave(error)

    async def _leave(self, error: BaseException | None) -> None:
        """End the one task that owns all others. Its group is told of cancellations only: it would wrap all else."""
        if self._life is not None:
            self._life.cancel()
        told = error if isinstance(error, asyncio.CancelledError) else None
        try:
            await self._group.__aexit__(None if told is None else type(told), told, None)
        finally:
            self._wake()  # whoever still waits for the line learns that it is gone

    # ------------------------------------------------------------------ what a caller does

    @property
    def directives(self) -> tuple[Received, ...]:
        """All that came on the downchannel, oldest first."""
        return tuple(received for received, line in self._came if line == "downchannel")

    @property
    def received(self) -> tuple[Received, ...]:
        """All that came, in replies too, oldest first."""
        return tuple(received for received, _ in self._came)

    async def say_text(self, text: str, *, follow_up: bool | None = None, timeout: float | None = None) -> Answer:
        """Say something in writing. It answers an ExpectSpeech when there is one, or as `follow_up` says."""
        return await self._say(TEXT, {"text": text}, None, follow_up, timeout)

    async def say(
        self,
        pcm: bytes,
        *,
        payload: Mapping[str, Any] | None = None,
        wake_word: str | None = None,
        follow_up: bool | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Say something: 16-bit PCM, 16 kHz, mono, in blocks of 200 ms to its end or StopCapture (PROTOCOL 3.3, 3.4).

        A `wake_word` (default: the device's) is put in front of it, with the 300 ms before it. `payload` is merged over
        the usual one.
        """
        word = wake_word or self.wake_word
        if word is not None and follow_up is not False and self._was_asked:
            word = None  # who was asked answers without calling the device
        usual = {
            "lang": self.habits.lang,
            "profile": "CLOSE_TALK",
            "format": "AUDIO_L16_RATE_16000_CHANNELS_1",
            "initiator": initiator(self._device_uuid, word),
        }
        if word is not None:
            pcm = with_wake_word(pcm)
        return await self._say(SPEECH, {**usual, **(payload or {})}, pcm, follow_up, timeout)

    async def send(
        self,
        name: str,
        payload: Mapping[str, Any] | None = None,
        *,
        dialogue: str | None = None,
        contexts: Sequence[Context] | None = None,
        sound: bytes | None = None,
        timeout: float | None = None,
        on_sent: Callable[[], None] | None = None,
    ) -> Answer:
        """Send any event, `Namespace.Name`, and wait for the whole answer, whose directives are obeyed.

        A Recognize without `dialogue` gets a new one. `contexts` None is what the device knows of itself. Raises
        `ConnectionLostError`, `StreamResetError`, `TimeoutError`. An event refused with 401 is repeated with a new
        token, if the device can get one (PROTOCOL 7.10).
        """
        event = self._event(name, payload, dialogue=dialogue, contexts=contexts)
        answer = await self._send(event, sound, timeout, on_sent)
        if answer.status == UNAUTHORIZED and await self._has_another_token() and self._renew is not None:
            answer = await self._send(self._renamed(event), sound, timeout, None)
        return answer

    def _event(
        self,
        name: str,
        payload: Mapping[str, Any] | None,
        *,
        dialogue: str | None = None,
        contexts: Sequence[Context] | None = None,
    ) -> Event:
        namespace, dot, short = name.partition(".")
        if not dot:
            raise ValueError(f"{name!r} is no name of an event; it should read Namespace.Name")
        if dialogue is None and name in (SPEECH, TEXT):
            dialogue = str(uuid.uuid4())
        known = self.state.contexts(self._wall()) if contexts is None else tuple(contexts)
        return self._vices.event(Event(namespace, short, str(uuid.uuid4()), dict(payload or {}), dialogue, known))

    @staticmethod
    def _renamed(event: Event) -> Event:
        return replace(event, message_id=str(uuid.uuid4()))

    async def _send(
        self, event: Event, sound: bytes | None, timeout: float | None, on_sent: Callable[[], None] | None
    ) -> Answer:
        """Send an event in its turn, and wait for the whole answer."""
        limit_s = self.habits.answer_within_s if timeout is None else timeout
        limit = asyncio.timeout(limit_s)
        try:
            async with limit:
                stream = await self._upload(event, sound, self._vices)
                if on_sent is not None:
                    on_sent()
                return await self._finish(event, stream)
        except TimeoutError:
            if limit.expired():
                raise TimeoutError(f"no answer to {event.full_name} within {limit_s:g} s") from None
            raise

    async def wait_for(self, name: str, *, timeout: float = 5.0, count: int = 1) -> Received:
        """The `count`th directive with this name (wildcards allowed), in a reply or on the downchannel.

        Raises `TimeoutError` that says what came.
        """
        try:
            async with asyncio.timeout(timeout):
                while len(found := [each for each in self.received if _fits(each, name)]) < count:
                    await self._change()
                return found[count - 1]
        except TimeoutError:
            came = ", ".join(each.directive.full_name for each in self.received) or "nothing"
            times = "" if count == 1 else f" {count} times"
            raise TimeoutError(f"waited {timeout:g} s for {name}{times}; what came: {came}") from None

    async def idle(self, *, timeout: float | None = None) -> None:
        """Wait until all reactions have run to their end and their reports are answered.

        Music without an end, a pause, and alerts that wait or ring do not count. Raises `TimeoutError`.
        """
        async with asyncio.timeout(timeout):
            while self._posting or not self._stage.is_idle:
                await self._change()

    async def finish_speaking(self) -> None:
        """Wait until the speech of the last dialogue was played and all reports are answered; music may play on."""
        while self._posting or not (self._stage.is_quiet(DIALOGUE) and self._stage.is_quiet(ASIDE)):
            await self._change()

    async def ping(self, kind: Literal["frame", "get"] | None = None) -> float:
        """Send a keep-alive and wait for its answer; gives the seconds it took."""
        kind = kind or ("get" if self.habits.ping == "get" else "frame")
        return await self._line.ping(await self._ready(), kind)

    def drop_connection(self) -> None:
        """Lose the connection, as by a pulled plug; the device connects again."""
        if self._line.connection is not None:
            self._line.connection.close()

    # ------------------------------------------------------------------ life

    async def _live(self, first: asyncio.Future[None]) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._stage = Stage(tasks, self._report, self._playing_pace, self._wake, self._vices.script)
            try:
                await self._line.run(tasks)
            except (StartError, RefusedError) as error:
                if not first.done():
                    first.set_exception(error)
            self._wake()

    def _become_ready(self) -> None:
        if self._first is not None and not self._first.done():
            self._first.set_result(None)
            for extra in self._vices.extras():
                self._tasks.create_task(self._send_extra(extra))
        if self.habits.settle:
            self._stage.begin(NOW, settle())
        self._wake()

    async def _ready(self) -> Connection:
        """The connection, once Hello was parsed (PROTOCOL 2.1)."""
        while (connection := self._line.usable()) is None:
            if self._line.is_given_up:
                raise ConnectionLostError("the token was refused with 401; the device is logged out")
            if self._life is None or self._life.done():
                raise ConnectionLostError("the device is switched off; use it inside its `async with` block")
            await self._change()
        return connection

    # ------------------------------------------------------------------ events out

    async def _say(
        self, name: str, payload: dict[str, Any], pcm: bytes | None, follow_up: bool | None, timeout: float | None
    ) -> Answer:
        dialogue = None
        if follow_up is not False and self._was_asked:
            await self._stage.quiet(DIALOGUE)  # the question first (PROTOCOL 7.3)
        expected = self.state.expected_speech
        if follow_up and expected is None:
            raise ValueError("there is no ExpectSpeech to answer")
        if follow_up is not False and expected is not None:
            dialogue = self.dialogue
            payload |= {"speechId": expected.get("expectSpeechId"), "explicit": expected.get("explicit")}
        self.state.expected_speech, self._was_asked = None, False
        return await self.send(name, payload, dialogue=dialogue, sound=pcm, timeout=timeout)

    async def _report(self, report: Report) -> None:
        """Send a reaction's event; its answer is waited for elsewhere.

        The event is made, and its turn taken, before anything else can happen: contexts tell what reports told.
        """
        self._posting += 1
        event = self._event(report.name, report.payload)
        try:
            async with asyncio.timeout(self.habits.answer_within_s):
                stream = await self._upload(event, None, self._vices)
        except NO_ANSWER as error:
            self._tell(moments.Lost(self._now(), event.full_name, str(error)))
            self._repeat_if_cut(event, error)
            self._posting -= 1
            self._wake()
        else:
            self._tasks.create_task(self._finish_report(event, stream))

    async def _finish_report(self, event: Event, stream: Stream) -> None:
        try:
            async with asyncio.timeout(self.habits.answer_within_s):
                answer = await self._finish(event, stream)
            if answer.status == UNAUTHORIZED and await self._has_another_token() and self._renew is not None:
                await self._send(self._renamed(event), None, None, None)
        except NO_ANSWER as error:
            self._tell(moments.Lost(self._now(), event.full_name, str(error)))
            self._repeat_if_cut(event, error)
        finally:
            self._posting -= 1
            self._wake()

    def _repeat_if_cut(self, event: Event, error: Exception) -> None:
        """A report whose stream or connection ended before its answer is sent once more, on the next line (INF)."""
        if isinstance(error, ConnectionLostError | StreamResetError) and self._vices.repeats_what_was_cut():
            self._posting += 1
            self._tasks.create_task(self._repeat(event))

    async def _repeat(self, event: Event) -> None:
        """Say it again, as a new message with the contexts of now."""
        try:
            await self._send(self._event(event.full_name, event.payload), None, None, None)
        except NO_ANSWER as error:
            self._tell(moments.Lost(self._now(), event.full_name, str(error)))
        finally:
            self._posting -= 1
            self._wake()

    async def _has_another_token(self) -> bool:
        """After a 401: get a new token, or log the device out (PROTOCOL 2.5). The vice goes on with the old one."""
        if self._vices.keeps_refused_token():
            return True
        if self._renew is None:
            self._line.give_up()
            self._wake()
            return False
        refused = self.token
        async with self._renewing:
            if self.token == refused:  # nobody else has renewed it meanwhile
                self.token = await self._renew()
        return True

    async def _send_extra(self, extra: Extra) -> None:
        """What a vice does once, of itself, when the device is ready."""
        if extra.crowd:
            with suppress(ConnectionLostError):
                await crowd(await self._ready(), extra.crowd, self._headers(), lambda: self._event(extra.name, {}))
            return
        event = self._event(extra.name, extra.payload)
        try:
            await self._finish(event, await self._upload(event, None, self._vices.rude()))
        except NO_ANSWER as error:
            self._tell(moments.Lost(self._now(), event.full_name, str(error)))

    async def _upload(self, event: Event, sound: bytes | None, vices: Vices) -> Stream:
        """Write an event. One begins when the metadata of the one before is written."""
        form = vices.form()
        sound = None if sound is None else vices.sound(sound)
        async with self._turn:
            connection = await self._ready()
            headers = vices.for_event([*self._headers(), ("content-type", form.content_type)])
            stream = await connection.request("POST", "/v1/events", headers, end=False)
            try:
                self._tell(moments.EventSent(self._now(), event))
                whole = form.whole(event) if sound is None else form.opening(event)
                await stream.send(whole, end=sound is None)
            except BaseException:
                await stream.reset()
                raise
        if sound is not None:
            try:
                await self._speak_into(stream, form, event, sound)
            except BaseException:
                await stream.reset()
                raise
        dialogue = event.dialog_request_id
        if dialogue is not None and event.full_name in (SPEECH, TEXT) and dialogue != self.dialogue:
            self._replace_dialogue(dialogue)
        return stream

    async def _speak_into(self, stream: Stream, form: Form, event: Event, sound: bytes) -> None:
        """Upload the sound as it is recorded: a block is there when its 200 ms have passed."""
        stop = asyncio.Event()
        key = event.dialog_request_id or event.message_id
        self._uploads[key] = stop
        heeded = stop if self._vices.heeds_stop() else asyncio.Event()
        loop = asyncio.get_running_loop()
        began, size = loop.time(), 0
        try:
            for number, block in enumerate(self._vices.recorded(sound, stop.is_set), 1):
                due = began + number * BLOCK_S * self._pace * self._vices.haste()
                if await _passes(heeded, due) or stream.is_answered:
                    break
                if not await stream.send(form.block(block, number)):
                    break
                size += len(block)
        finally:
            del self._uploads[key]
        seconds = size / BLOCK_BYTES * BLOCK_S
        self._tell(moments.UploadEnded(self._now(), event, seconds, size, stop.is_set()))
        await stream.send(form.ending(event), end=True)

    def _replace_dialogue(self, dialogue: str) -> None:
        """What is played for the old dialogue stops; its queue is emptied (PROTOCOL 3.6). Music plays on (7.5)."""
        self.dialogue = dialogue
        self.state.expected_speech, self._was_asked = None, False
        self._stage.cut(DIALOGUE, "new dialogue")

    # ------------------------------------------------------------------ directives in

    async def _finish(self, event: Event, stream: Stream) -> Answer:
        """Read the answer, obey it; give the stream up where that goes wrong."""
        try:
            return await self._answer(event, stream)
        except BaseException:
            await stream.reset()
            raise

    async def _answer(self, event: Event, stream: Stream) -> Answer:
        status = await stream.head()
        content_type = stream.headers.get("content-type", "")
        if status != 200:
            body = b"".join([chunk async for chunk in stream.chunks()])
            answer = Answer(status, (), read_exception(content_type, body), dict(stream.headers))
            if status >= 400:
                description = answer.exception[1] if answer.exception else ""
                self._tell(moments.Refused(self._now(), event.full_name, status, description))
        else:
            coming = read_directives(stream, Inbox(content_type), self._notice)
            received = [self._take(each, "reply") async for each in coming]
            answer = Answer(status, tuple(received), None, dict(stream.headers))
        self._vices.was_answered(event)
        self._tell(moments.Answered(self._now(), event, answer))
        return answer

    def _take(self, received: Received, line: Line) -> Received:
        """Obey a directive, or drop it when it belongs to another dialogue (PROTOCOL 3.6)."""
        directive = received.directive
        dialogue = directive.dialog_request_id
        if dialogue is not None and dialogue != self.dialogue and dialogue not in self._uploads:
            received = replace(received, obeyed=False)
        received = self._vices.judged(received)
        self._came.append((received, line))
        self._tell(moments.DirectiveCame(self._now(), received, line))
        if received.obeyed:
            if is_end_of_recording(directive):
                self._stop_capture(dialogue)
            self._was_asked |= directive.full_name == "SpeechRecognizer.ExpectSpeech"
            if (reaction := REACTIONS.get(directive.full_name)) is not None:
                self._stage.begin(track_of(received), reaction(self.state, received, self._wall()))
        self._wake()
        return received

    def _take_push(self, received: Received) -> None:
        self._take(received, "downchannel")

    def _notice(self, text: str) -> None:
        self._tell(moments.Noticed(self._now(), text))

    def _stop_capture(self, dialogue: str | None) -> None:
        """Without an id it concerns whatever is recorded."""
        for key, stop in self._uploads.items():
            if dialogue in (None, key):
                stop.set()

    # ------------------------------------------------------------------

    def _headers(self) -> list[tuple[str, str]]:
        agent = [] if self.user_agent is None else [("user-agent", self.user_agent)]
        return self._vices.headers([("authorization", f"Bearer {self.token}"), *agent, *self._more_headers])

    def turn(self, seconds: float) -> None:
        """Turn its own clock forward: what it plays and waits for, alerts above all, has had so much more time."""
        self._turned_s += seconds
        self._stage.turn(seconds)

    def _wall(self) -> datetime:
        return datetime.now(SEOUL) + timedelta(seconds=self._turned_s)

    def _now(self) -> float:
        return asyncio.get_running_loop().time() - self._began

    def _tell(self, moment: Moment) -> None:
        if self._on_moment is not None:
            self._on_moment(moment)

    def _wake(self) -> None:
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


async def _passes(stop: asyncio.Event, until: float) -> bool:
    """Wait for a time of the loop; True when `stop` came first."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0)
    if loop.time() < until and not stop.is_set():
        try:
            async with asyncio.timeout_at(until):
                await stop.wait()
        except TimeoutError:
            pass
    return stop.is_set()


def is_end_of_recording(directive: Directive) -> bool:
    """StopCapture (PROTOCOL 3.4), or ConfirmWakeUp that says it was no wake word (7.4)."""
    if directive.full_name == "SpeechRecognizer.ConfirmWakeUp":
        return directive.payload.get("success") is False
    return directive.full_name == "SpeechRecognizer.StopCapture"


def _fits(received: Received, name: str) -> bool:
    return fnmatch.fnmatchcase(received.directive.full_name, name)


__all__ = ["SPEECH", "TEXT", "USER_AGENT", "Device", "Habits", "RefusedError"]
