"""2,000 idle downchannels, each on its own TLS connection: memory of each, and one push to all of them."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from typing import cast

from hpack import Encoder
from hyperframe.frame import DataFrame, Frame, HeadersFrame, SettingsFrame, WindowUpdateFrame

from benchmarks.harness import Row, median, server
from mockcic.server.tls import home

DEVICES, PUSHES = 2000, 5
MEMORY_KB, PUSH_MS = 80, 150
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Line(asyncio.Protocol):
    """A device that only listens: counts the DATA frames it got."""

    def __init__(self, number: int, crowd: Crowd) -> None:
        self._number = number
        self._crowd = crowd
        self._buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        line = cast("asyncio.Transport", transport)  # uvloop's are none by class
        self.transport = line
        headers = HeadersFrame(1)
        headers.flags.add("END_HEADERS")
        headers.flags.add("END_STREAM")
        headers.data = Encoder().encode(
            [
                (":method", "GET"),
                (":scheme", "https"),
                (":authority", "localhost"),
                (":path", "/v1/directives"),
                ("authorization", f"Bearer device-{self._number:05d}"),
                ("user-agent", "MockMaker/Bench/1.0.0 (Linux;bench)"),
            ]
        )
        window = WindowUpdateFrame(0, window_increment=1 << 20)
        line.write(PREFACE + SettingsFrame(0).serialize() + window.serialize() + headers.serialize())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 9:
            frame, length = Frame.parse_frame_header(memoryview(self._buffer[:9]))
            if len(self._buffer) < 9 + length:
                return
            self._buffer = self._buffer[9 + length :]
            if isinstance(frame, DataFrame):
                self._crowd.got()


class Crowd:
    """All devices: tells when each of them has got one more DATA frame."""

    def __init__(self) -> None:
        self._left = 0
        self._all = asyncio.Event()

    def expect(self, count: int) -> None:
        self._left, self._all = count, asyncio.Event()

    def got(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._all.set()

    async def all_got_it(self) -> None:
        await asyncio.wait_for(self._all.wait(), 120)


async def measure(which: str) -> tuple[float, list[float]]:
    """KB of each downchannel, and milliseconds of each push to all."""
    crowd = Crowd()
    with server(which, tls=True) as running:
        tls = ssl.create_default_context(cafile=str(home() / "ca.pem"))
        tls.set_alpn_protocols(["h2"])
        loop = asyncio.get_running_loop()

        async def open_one(number: int) -> asyncio.Transport:
            transport, _ = await loop.create_connection(
                lambda: Line(number, crowd), "127.0.0.1", running.port, ssl=tls, server_hostname="localhost"
            )
            return transport

        crowd.expect(1)
        lines = [await open_one(0)]  # what the first one loads belongs to the base
        await crowd.all_got_it()
        before = int(running.ask("memory"))
        crowd.expect(DEVICES)
        for start in range(1, DEVICES + 1, 100):
            lines += await asyncio.gather(*(open_one(n) for n in range(start, min(start + 100, DEVICES + 1))))
        await crowd.all_got_it()
        each = (int(running.ask("memory")) - before) / DEVICES
        times = []
        for _ in range(PUSHES):
            crowd.expect(DEVICES + 1)
            began = time.perf_counter()
            running.say("push")
            await crowd.all_got_it()
            times.append(1000 * (time.perf_counter() - began))
        for line in lines:
            line.abort()
    return each, times


def run() -> list[Row]:
    """Ours, and stock for comparison."""
    from mockcic.server.loop import new_event_loop

    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    rows = []
    for which, wanted in (("ours", True), ("stock", False)):
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            each, times = runner.run(measure(which))
        rows += [
            Row(
                f"memory of an idle TLS downchannel, {which}",
                f"{each:.0f} KB",
                f"<= {MEMORY_KB} KB" if wanted else "",
                each <= MEMORY_KB if wanted else None,
            ),
            Row(
                f"one push to {DEVICES}, {which}",
                f"{median(times):.0f} ms",
                f"<= {PUSH_MS} ms" if wanted else "",
                median(times) <= PUSH_MS if wanted else None,
            ),
        ]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return rows
