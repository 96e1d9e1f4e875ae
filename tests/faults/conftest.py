"""An independent client on a mock that makes trouble: raw frames of HTTP/2, no code of the product."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from mockcic.bench.faults import order
from mockcic.mock import Bench
from tests.support.raw_h2 import RawClient

TURN = """
scenario: turn
settings: {same_connection: false, downchannel_window: off, stop_capture: never}
on:
  - event: TextRecognizer.Recognize
    reply: [SpeechSynthesizer.Speak: {audio: {silence: 100ms}}]
  - {event: SpeechRecognizer.Recognize, reply: [Clova.RenderText: {text: heard}]}
"""
"""A short dialogue in text or sound; what is wrong with it is added."""

BOUNDARY = "device"


class Client(RawClient):
    """A device of raw frames: it opens its downchannel, asks, uploads, and shows every frame that comes."""

    token = ""
    next_stream = 1

    def _number(self) -> int:
        number, self.next_stream = self.next_stream, self.next_stream + 2
        return number

    def _head(self, method: str, path: str) -> list[tuple[str, str]]:
        return [
            (":method", method),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
            ("authorization", f"Bearer {self.token}"),
            ("user-agent", "HomeRobot/NAVER/1.0.0 (Android;x1)"),
        ]

    async def open_downchannel(self) -> int:
        """`GET /v1/directives`; its stream."""
        stream = self._number()
        await self.send(self.headers_frame(stream, self._head("GET", "/v1/directives"), end=True))
        return stream

    async def ask(self, text: str = "hello") -> int:
        """A whole event in text; its stream."""
        stream = await self.begin("TextRecognizer.Recognize", {"text": text})
        await self.data(stream, f"\r\n--{BOUNDARY}--\r\n".encode(), end=True)
        return stream

    async def begin(self, name: str = "SpeechRecognizer.Recognize", payload: Mapping[str, Any] | None = None) -> int:
        """The headers and the metadata of an event; its stream."""
        stream = self._number()
        head = [*self._head("POST", "/v1/events"), ("content-type", f"multipart/form-data; boundary={BOUNDARY}")]
        await self.send(self.headers_frame(stream, head))
        namespace, _, short = name.partition(".")
        event = {
            "context": [],
            "event": {
                "header": {
                    "namespace": namespace,
                    "name": short,
                    "messageId": f"m{stream}",
                    "dialogRequestId": f"d{stream}",
                },
                "payload": dict(payload if payload is not None else {"lang": "ko", "profile": "CLOSE_TALK"}),
            },
        }
        part = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="metadata"\r\n'
            f"Content-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps(event)}"
        )
        await self.data(stream, part.encode())
        return stream

    async def begin_sound(self, stream: int) -> None:
        """The headers of the part with the sound."""
        head = (
            f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="audio"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        await self.data(stream, head.encode())

    async def speak(self, stream: int, seconds: float) -> None:
        """So much silence."""
        await self.data(stream, bytes(int(32_000 * seconds)))

    async def end_sound(self, stream: int) -> None:
        """The end of the upload."""
        await self.data(stream, f"\r\n--{BOUNDARY}--\r\n".encode(), end=True)


class Stage:
    """A mock, and the clients that a test connects to it."""

    def __init__(self, cic: Bench) -> None:
        self.cic = cic
        self.port = int((cic.h2c_url or "").rpartition(":")[2])
        self.clients: list[Client] = []
        self.for_all: list[int] = []
        cic.load(TURN)
        self.bad = cic.device()
        self.good = cic.device()

    def fault(self, **fault: Any) -> int:
        """Set a fault for the device `bad` alone; its number."""
        return self.bad.fault(always="times" not in fault, **fault).number

    def fault_for_all(self, **fault: Any) -> None:
        """Set a fault for whoever comes."""
        place = self.cic._place
        self.for_all.append(place.fault(order("*", None, fault, always=True)).number)

    async def connect(self, token: str, **how: Any) -> Client:
        """A client that shows this token."""
        client = await Client.connect(self.port, **how)
        client.token = token
        self.clients.append(client)
        return client

    async def bad_client(self, **how: Any) -> Client:
        """The device that has trouble."""
        return await self.connect(self.bad.token, **how)

    async def good_client(self, **how: Any) -> Client:
        """A device that must see nothing of it."""
        return await self.connect(self.good.token, **how)

    def struck(self) -> list[Any]:
        """The entries of faults that struck."""
        return [each for each in self.cic.journal if each.kind == "fault" and each.data["phase"] == "struck"]


@pytest.fixture
async def stage(cic: Bench) -> AsyncIterator[Stage]:
    """See `Stage`."""
    stage = await asyncio.to_thread(Stage, cic)
    yield stage
    for client in stage.clients:
        await client.vanish()
    for number in stage.for_all:
        stage.cic._place.remove_fault(number)
