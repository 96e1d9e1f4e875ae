"""A small device with a hand-made parser, in a thread of its own; it can be told what it cannot bear."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from hyperframe.frame import DataFrame, Frame

from tests.support.raw_h2 import RawClient

Fate = Literal["die", "leave", "hang", "reconnect"] | None
LARGE = 2**30


class NaiveDevice:
    """See `Runner` of mockcic.trial. `bears` says what becomes of it by a message.

    It dies, hangs up and stays away, stops answering, or hangs up and connects anew. With `in_one_chunk` it sees a
    delimiter only where it comes in one DATA frame.
    """

    def __init__(
        self,
        port: int,
        token: str,
        *,
        bears: Callable[[bytes, Any], Fate] = lambda body, message: None,
        in_one_chunk: bool = False,
    ) -> None:
        self.starts = 0
        self._port, self._token = port, token
        self._bears = bears
        self._in_one_chunk = in_one_chunk
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._life: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------ as a runner

    def start(self) -> None:
        self.stop()
        self.starts += 1
        begun = threading.Event()

        async def live() -> None:
            self._loop, self._life = asyncio.get_running_loop(), asyncio.current_task()
            begun.set()
            with suppress(asyncio.CancelledError):
                while await Life(self._port, self._token, self._bears, self._in_one_chunk).run() == "reconnect":
                    pass

        self._thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
        self._thread.start()
        begun.wait()

    def ended(self, within_s: float) -> str:
        if self._thread is None:
            return ""
        self._thread.join(within_s)
        return "" if self._thread.is_alive() else "exit code 1"

    def stop(self) -> str:
        if self._thread is not None and self._loop is not None and self._life is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._life.cancel)
            self._thread.join()
            self._thread = None
        return ""


class Life:
    """From a connection to its end."""

    def __init__(self, port: int, token: str, bears: Callable[[bytes, Any], Fate], in_one_chunk: bool) -> None:
        self._port, self._token, self._bears, self._in_one_chunk = port, token, bears, in_one_chunk
        self._buffers: dict[int, bytes] = {}
        self._stream = 1
        self._hangs = False

    async def run(self) -> Fate:
        async with await RawClient.connect(self._port, settings={4: LARGE}) as client:
            await client.grant(0, LARGE)
            await client.request(1, "/v1/directives", headers=[("authorization", f"Bearer {self._token}")])
            while True:
                frame = await self._next(client)
                if frame is None:
                    return "die"
                if isinstance(frame, DataFrame):
                    fate = await self._feed(client, frame)
                    if fate == "leave":
                        await client.vanish()
                        await asyncio.Event().wait()
                    if fate in ("die", "reconnect"):
                        return fate
                    self._hangs |= fate == "hang"

    async def _next(self, client: RawClient) -> Frame | None:
        while True:
            with suppress(TimeoutError):  # nothing is to be said for a while
                return await client.next_frame()

    async def _feed(self, client: RawClient, frame: DataFrame) -> Fate:
        boundary = client.of(frame.stream_id).headers.get("content-type", "").partition("boundary=")[2].rstrip(";")
        if not frame.data or not boundary:
            return None  # a 204
        delimiter = f"\r\n--{boundary}".encode()
        buffer = self._buffers.get(frame.stream_id, b"\r\n")
        begin = len(buffer) if self._in_one_chunk and buffer != b"\r\n" else 0
        parts, buffer = [], buffer + frame.data
        while (at := buffer.find(delimiter, begin)) >= 0:
            parts.append(buffer[:at])
            buffer, begin = buffer[at + len(delimiter) :], 0
        self._buffers[frame.stream_id] = buffer
        for part in parts:
            head, _, body = part.partition(b"\r\n\r\n")
            if b"application/json" in head and (fate := await self._take(client, body)):
                return fate
        return None

    async def _take(self, client: RawClient, body: bytes) -> Fate:
        try:
            message = json.loads(body)
            json.dumps(message, allow_nan=False, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            message = None
        if fate := self._bears(body, message):
            return fate
        directive = message.get("directive") if isinstance(message, dict) else None
        header = directive.get("header") if isinstance(directive, dict) else None
        payload = directive.get("payload") if isinstance(directive, dict) else None
        if not isinstance(header, dict) or not isinstance(payload, dict) or self._hangs:
            return None
        match header.get("name"):
            case "HandleDelegatedEvent":
                await self._say(client, "Clova", "ProcessDelegatedEvent", "delegationId", payload)
            case "Speak":
                await self._say(client, "SpeechSynthesizer", "SpeechStarted", "token", payload)
        return None

    async def _say(self, client: RawClient, namespace: str, name: str, member: str, payload: dict[str, Any]) -> None:
        self._stream += 2
        header = {"namespace": namespace, "name": name, "messageId": f"m{self._stream}"}
        said = {member: str(payload.get(member))[:100]}
        event = json.dumps({"context": [], "event": {"header": header, "payload": said}})
        kind = "Content-Type: application/json; charset=UTF-8"
        form = f'--b\r\nContent-Disposition: form-data; name="metadata"\r\n{kind}\r\n\r\n{event}\r\n--b--\r\n'
        headers = [("authorization", f"Bearer {self._token}"), ("content-type", "multipart/form-data; boundary=b")]
        await client.request(self._stream, "/v1/events", method="POST", end=False, headers=headers)
        await client.data(self._stream, form.encode(), end=True)
