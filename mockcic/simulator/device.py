"""The simulated device: keeps a downchannel, sends events, obeys directives as `reactions` has it."""

from __future__ import annotations

import asyncio
import fnmatch
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from mockcic.cic.message import Context, Event
from mockcic.errors import StartError, WireError
from mockcic.simulator import moments
from mockcic.simulator.client import Connection, ConnectionLostError, Stream, StreamResetError
from mockcic.simulator.inbox import Answer, Inbox, Received, read_exception
from mockcic.simulator.lifeline import Habits, Lifeline, RefusedError, read_directives
from mockcic.simulator.moments import Line, Moment
from mockcic.simulator.reactions import DIALOGUE, IN_DIALOGUE, REACTIONS, Report, settle
from mockcic.simulator.stage import Stage
from mockcic.simulator.state import SEOUL, State
from mockcic.simulator.upload import BLOCK_BYTES, BLOCK_S, Form, blocks

USER_AGENT: Final = "MockMaker/SimDevice/0.1.0 (Linux 6.1;sim)"
SPEECH: Final = "SpeechRecognizer.Recognize"
TEXT: Final = "TextRecognizer.Recognize"
NOW: Final = "now"
"""The track of reactions that act at once."""

KEPT: Final = 10_000
"""Directives that are remembered (INF)."""


class Device:
    """One simulated device: an asynchronous context manager.

    Entering connects, opens the downchannel and waits for Hello. Raises `StartError` when there is no connection,
    `RefusedError` when the downchannel is refused, `TimeoutError` when Hello does not come. `pace` scales the
    microphone, `playing_pace` all that the device plays or waits for (None: as `pace`): 1 is real time, 0 as fast as
    possible. An ExpectSpeech stays open until it is answered or another dialogue begins: its timeout is not kept.
    `habits` are keyword arguments of `Habits`.
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
        authority: str | None = None,
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
        self._more_headers = tuple(headers)
        self._pace = pace
        self._playing_pace = pace if playing_pace is None else playing_pace
        self._on_moment = on_moment
        self._device_uuid = str(uuid.uuid4())
        self._came: deque[tuple[Received, Line]] = deque(maxlen=KEPT)
        self._uploads: dict[str, asyncio.Event] = {}
        self._life: asyncio.Task[None] | None = None
        self._first: asyncio.Future[None] | None = None
        self._was_asked = False
        self._posting = 0
        self._changed = asyncio.Event()
        self._line = Lifeline(
            url,
            ca_file=ca_file,
            authority=authority,
            habits=self.habits,
            headers=self._headers,
            now=self._now,
            tell=self._tell,
            on_hello=self._become_ready,
            on_directive=self._take_push,
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
        follow_up: bool | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Say something: 16-bit PCM, 16 kHz, mono, in blocks of 200 ms to its end or StopCapture (PROTOCOL 3.3, 3.4).

        `payload` is merged over the usual one.
        """
        usual = {
            "lang": self.habits.lang,
            "profile": "CLOSE_TALK",
            "format": "AUDIO_L16_RATE_16000_CHANNELS_1",
            "initiator": {"type": "TAP", "inputSource": "SELF", "payload": {"deviceUUID": self._device_uuid}},
        }
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
        `ConnectionLostError`, `StreamResetError`, `TimeoutError`.
        """
        namespace, dot, short = name.partition(".")
        if not dot:
            raise ValueError(f"{name!r} is no name of an event; it should read Namespace.Name")
        if dialogue is None and name in (SPEECH, TEXT):
            dialogue = str(uuid.uuid4())
        known = self.state.contexts(datetime.now(SEOUL)) if contexts is None else tuple(contexts)
        event = Event(namespace, short, str(uuid.uuid4()), dict(payload or {}), dialogue, known)
        limit_s = self.habits.answer_within_s if timeout is None else timeout
        limit = asyncio.timeout(limit_s)
        try:
            async with limit:
                stream = await self._upload(event, sound)
                if on_sent is not None:
                    on_sent()
                return await self._finish(event, stream)
        except TimeoutError:
            if limit.expired():
                raise TimeoutError(f"no answer to {name} within {limit_s:g} s") from None
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
        while self._posting or not self._stage.is_quiet(DIALOGUE):
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
            self._stage = Stage(tasks, self._report, self._playing_pace, self._wake)
            try:
                await self._line.run(tasks)
            except (StartError, RefusedError) as error:  # only before the first Hello
                first.set_exception(error)

    def _become_ready(self) -> None:
        if self._first is not None and not self._first.done():
            self._first.set_result(None)
        if self.habits.settle:
            self._stage.begin(NOW, settle())
        self._wake()

    async def _ready(self) -> Connection:
        """The connection, once Hello was parsed (PROTOCOL 2.1)."""
        while (connection := self._line.usable()) is None:
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
        """Send a reaction's event; its answer is waited for elsewhere."""
        self._posting += 1
        self._tasks.create_task(self._send_report(report, sent := asyncio.Event()))
        await sent.wait()

    async def _send_report(self, report: Report, sent: asyncio.Event) -> None:
        try:
            await self.send(report.name, report.payload, on_sent=sent.set)
        except (ConnectionLostError, StreamResetError, TimeoutError, WireError) as error:
            self._tell(moments.Lost(self._now(), report.name, str(error)))
        finally:
            sent.set()
            self._posting -= 1
            self._wake()

    async def _upload(self, event: Event, sound: bytes | None) -> Stream:
        connection = await self._ready()
        form = Form()
        dialogue = event.dialog_request_id
        headers = [*self._headers(), ("content-type", form.content_type)]
        stream = await connection.request("POST", "/v1/events", headers, end=False)
        try:
            self._tell(moments.EventSent(self._now(), event))
            if sound is None:
                await stream.send(form.metadata(event) + form.closing(), end=True)
            else:
                await self._speak_into(stream, form, event, sound)
        except BaseException:
            await stream.reset()
            raise
        if dialogue is not None and event.full_name in (SPEECH, TEXT) and dialogue != self.dialogue:
            self._replace_dialogue(dialogue)
        return stream

    async def _speak_into(self, stream: Stream, form: Form, event: Event, sound: bytes) -> None:
        """Upload the sound as it is recorded: a block is there when its 200 ms have passed."""
        stop = asyncio.Event()
        key = event.dialog_request_id or event.message_id
        self._uploads[key] = stop
        loop = asyncio.get_running_loop()
        began, size = loop.time(), 0
        try:
            await stream.send(form.metadata(event) + form.audio_head())
            for count, block in enumerate(blocks(sound), 1):
                if await _passes(stop, began + count * BLOCK_S * self._pace) or stream.is_answered:
                    break
                if not await stream.send(block):
                    break
                size += len(block)
        finally:
            del self._uploads[key]
        seconds = size / BLOCK_BYTES * BLOCK_S
        self._tell(moments.UploadEnded(self._now(), event, seconds, size, stop.is_set()))
        await stream.send(form.closing(), end=True)

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
        self._tell(moments.Answered(self._now(), event, answer))
        return answer

    def _take(self, received: Received, line: Line) -> Received:
        """Obey a directive, or drop it when it belongs to another dialogue (PROTOCOL 3.6)."""
        directive = received.directive
        dialogue = directive.dialog_request_id
        if dialogue is not None and dialogue != self.dialogue and dialogue not in self._uploads:
            received = replace(received, obeyed=False)
        self._came.append((received, line))
        self._tell(moments.DirectiveCame(self._now(), received, line))
        if received.obeyed:
            if directive.full_name == "SpeechRecognizer.StopCapture":
                self._stop_capture(dialogue)
            self._was_asked |= directive.full_name == "SpeechRecognizer.ExpectSpeech"
            if (reaction := REACTIONS.get(directive.full_name)) is not None:
                track = DIALOGUE if directive.full_name in IN_DIALOGUE else NOW
                self._stage.begin(track, reaction(self.state, received, datetime.now(SEOUL)))
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
        return [("authorization", f"Bearer {self.token}"), *agent, *self._more_headers]

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


def _fits(received: Received, name: str) -> bool:
    return fnmatch.fnmatchcase(received.directive.full_name, name)


__all__ = ["SPEECH", "TEXT", "USER_AGENT", "Device", "Habits", "RefusedError"]
