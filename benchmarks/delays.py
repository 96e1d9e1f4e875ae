"""How late a push scripted for 200 ms after an answer is handed to its connection, with 100 devices at it.

Each device asks, waits for the push, and asks again after up to a second: a hundred people at a hundred speakers.
"""

from __future__ import annotations

import asyncio
import json
import os
import random

from benchmarks.harness import Process, Row, quantile, server
from mockcic.server.loop import new_event_loop
from mockcic.simulator.device import Device

DEVICES, ROUNDS = 100, 12
PAUSE_S = 1.0
WARM_UP = 2 * DEVICES
"""The first pushes are left out: then a hundred devices connect, and the server is busy with their handshakes."""

LATE_MS = 5.0


async def one(url: str, number: int) -> None:
    """Ask, wait for the push, ask again."""
    async with Device(url, token=f"device-{number:05d}", pace=0) as device:
        for turn in range(ROUNDS):
            await device.say_text("안녕")
            await device.wait_for("Notifier.ClearIndicator", count=turn + 1, timeout=20)
            await asyncio.sleep(random.uniform(0, PAUSE_S))


async def drive(running: Process) -> None:
    """All devices at once."""
    async with asyncio.TaskGroup() as tasks:
        for number in range(DEVICES):
            tasks.create_task(one(f"http://127.0.0.1:{running.port}", number))


def run() -> list[Row]:
    """The 99th percentile, by the server's own clock."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    with server("ours", tls=False) as running, asyncio.Runner(loop_factory=new_event_loop) as runner:
        running.say("listen")
        runner.run(drive(running))
        late = json.loads(running.ask("lateness"))[WARM_UP:]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    p50, p99 = quantile(late, 0.5), quantile(late, 0.99)
    return [
        Row(f"a delay of 200 ms, {DEVICES} devices, {len(late)} times, p50", f"{p50:+.1f} ms", ""),
        Row("  p99", f"{p99:+.1f} ms", f"within {LATE_MS:.0f} ms", p99 <= LATE_MS),
    ]
