"""How soon people are told: a wait after its entry, in Python and over the control API; a push by API on the wire."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime

from benchmarks.harness import Row, quantile
from mockcic import MockCIC
from mockcic.control.client import ControlClient
from mockcic.server.loop import new_event_loop
from mockcic.simulator.device import Device

SCENARIO = "scenario: asking\nsettings: {same_connection: false}\non: [{event: '*'}]\n"
DEVICES, TIMES = 100, 300
WAKE_MS, PUSH_MS = 5.0, 10.0


class Devices:
    """Simulated devices in a process of their own; `say` lets one of them send an event."""

    def __init__(self, url: str, count: int) -> None:
        command = [sys.executable, "-m", "benchmarks.asking", url, str(count)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "ready":
            raise RuntimeError("the devices did not connect")

    def say(self, text: str) -> None:
        """The first device asks something in writing; returns at once."""
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """All go."""
        self._process.communicate()


async def live(url: str, count: int) -> None:
    """What that process does: connect, then say each line."""
    devices = [Device(url, token=f"device-{number:05d}", pace=0) for number in range(count)]
    for device in devices:
        await device.__aenter__()
    print("ready", flush=True)
    while text := await asyncio.to_thread(sys.stdin.readline):
        await devices[0].say_text(text.strip())
    for device in devices:
        await device.__aexit__(None, None, None)


def wakes(which: str, wait: Callable[[str], float], devices: Devices) -> list[float]:
    """How many ms after an entry was written its waiter went on; `wait` gives the wall time of the entry."""
    late: list[float] = []
    for number in range(TIMES):
        text = f"{which} {number}"
        timer = threading.Timer(0.005, devices.say, [text])
        timer.start()
        written = wait(text)
        late.append(1000 * (time.time() - written))
        timer.join()
    return late


def run() -> list[Row]:
    """100 devices are connected all the while."""
    with MockCIC(SCENARIO, control_port=0) as cic:
        assert cic.h2c_url is not None
        devices = Devices(cic.h2c_url, DEVICES)
        with ControlClient(cic.control_url) as client:
            client.devices()

            def in_python(text: str) -> float:
                return cic.wait("TextRecognizer.Recognize", payload={"text": text}).wall_s

            def over_the_api(text: str) -> float:
                asked = {"filter": {"kind": "event", "payload.text": text}, "within": 5}
                number = client.ask("POST", "/v1/wait", json=asked, wait_s=5)["came"][0]["number"]
                now = time.time()
                entry = next(each for each in cic.journal if each.number == number)
                return entry.wall_s + (time.time() - now)

            inside = wakes("inside", in_python, devices)
            outside = wakes("outside", over_the_api, devices)
            pushes = [_push(client) for _ in range(TIMES)]
        devices.end()
    rows = []
    for what, values, wanted in (
        ("a wait in Python, after its entry", inside, WAKE_MS),
        ("a wait over the API, after its entry", outside, WAKE_MS),
        (f"a push by API, {DEVICES} devices, until handed to the socket", pushes, PUSH_MS),
    ):
        p50, p99 = quantile(values, 0.5), quantile(values, 0.99)
        rows.append(Row(f"{what}, p50", f"{p50:.1f} ms", ""))
        rows.append(Row("  p99", f"{p99:.1f} ms", f"<= {wanted:.0f} ms", p99 <= wanted))
    return rows


def _push(client: ControlClient) -> float:
    began = time.time()
    asked = {"directive": "Clova.RenderText", "payload": {"text": "x"}, "to": {"device": "device-00007"}}
    delivered = client.ask("POST", "/v1/push", json=asked)["delivered"][0]
    return 1000 * (datetime.fromisoformat(delivered["time"]).timestamp() - began)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(live(sys.argv[1], int(sys.argv[2])))
