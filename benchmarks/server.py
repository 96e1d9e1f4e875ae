"""The server under measurement, in a process of its own: `python -m benchmarks.server WHICH --port N [--tls]`.

WHICH is `ours`, `silent` or `stock` (Hypercorn as it is). `silent` is ours with a journal that writes nothing down and
keeps no sound; `unchecked` is ours with `event_check` off.

It prints `ready` and then obeys lines on standard input: `push` to every downchannel, `memory` (PSS in KB),
`lateness` (of scripted pushes, in ms), `journal` (entries, estimated bytes, dropped), `quit`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import sys
from collections import deque
from pathlib import Path
from typing import Any

from mockcic.cic.message import Directive
from mockcic.journal.entry import Entry, Kind
from mockcic.journal.spool import Recording, Spool
from mockcic.journal.store import Journal
from mockcic.scenario.load import load_text
from mockcic.scenario.scenario_set import ScenarioSet
from mockcic.server.app import Cic
from mockcic.server.loop import collect_rarely, keep_memory_small, new_event_loop
from mockcic.server.service import LOCAL_NAMES, Listening, Service
from mockcic.server.tls import Authority, home

SCENARIO = """
scenario: benchmark
settings: {same_connection: false, downchannel_window: off}
on:
  - event: SpeechRecognizer.Recognize
    reply:
      - SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 안녕하세요, audio: {base64: SOUND}}
      - Clova.RenderText: {text: 안녕하세요}
  - event: TextRecognizer.Recognize
    reply: none
    afterwards:
      - after: 200ms
        push: Notifier.ClearIndicator
"""


def scenario(*, checked: bool = True) -> ScenarioSet:
    """An answer of about 9 KB; a push 200 ms after a written question."""
    text = SCENARIO if checked else SCENARIO.replace("settings: {", 'settings: {event_check: "off", ')
    return load_text(text.replace("SOUND", base64.b64encode(os.urandom(8192)).decode()))


def memory_kb() -> int:
    """PSS of this process."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel tells no PSS")


def push_to_all(cic: Cic) -> None:
    """A directive of about 500 bytes on the wire to every device."""
    cic.devices.push(Directive("Clova", "RenderText", "m", {"text": "x" * 100}))


class Lateness:
    """Listens to the journal: how late each push scripted for 200 ms after an answer was handed to its connection."""

    def __init__(self) -> None:
        self.ms: deque[float] = deque(maxlen=20_000)
        self._answered: dict[str, float] = {}

    def hear(self, entry: Entry) -> None:
        """An answer begins the delay, the push ends it."""
        if entry.kind == "answer":
            self._answered[entry.device] = entry.at_s
        elif entry.kind == "directive" and entry.name == "Notifier.ClearIndicator":
            self.ms.append(1000 * (entry.at_s - self._answered[entry.device] - 0.2))


async def obey(cic: Cic) -> None:
    """Read commands until `quit`."""
    lateness = Lateness()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).strip():
        if line == b"push":
            push_to_all(cic)
        elif line == b"listen":
            cic.journal.listen(lateness.hear)
        elif line == b"memory":
            print(memory_kb(), flush=True)
        elif line == b"journal":
            journal = cic.journal
            print(json.dumps([len(journal), journal.bytes, journal.dropped]), flush=True)
        elif line == b"lateness":
            print(json.dumps(list(lateness.ms)), flush=True)
        elif line == b"quit":
            return


class Nothing(Recording):
    """A sound that is not kept."""

    def feed(self, data: bytes) -> None:
        """Forget it."""

    def finish(self, digest: str) -> None:
        """It is forgotten."""


class NoSpool(Spool):
    """Keeps nothing."""

    def keep(self, data: bytes) -> str:
        """Not even a digest."""
        return ""

    def begin(self) -> Recording:
        """A sound that is not kept."""
        return Nothing(self)


class FreshSpool(Spool):
    """Takes each upload for one that never came before: h2load sends the same one each time, devices do not."""

    def begin(self) -> Recording:
        """One that gets a digest of its own."""
        return Fresh(self)


class Fresh(Recording):
    """An upload that never came before."""

    def finish(self, digest: str) -> None:
        """Its own digest."""
        super().finish(f"{digest}-{id(self)}-{len(self._spool)}")


class Silent(Journal):
    """A journal that writes nothing down."""

    NOTHING = Entry(0, "ping", 0.0, 0.0)

    def add(self, kind: Kind, **_: Any) -> Entry:
        """Nothing happened."""
        return self.NOTHING


async def ours(port: int, tls: bool, *, silent: bool = False, checked: bool = True) -> None:
    """`mockcic serve` without its command line."""
    service = Service(scenario(checked=checked), Listening(port=port, tls=tls, h2c_port=None if tls else port))
    if silent:
        real = service.cic.real
        service.journal = Silent(real.now, real.wall, spool=NoSpool())
        service.cic = Cic(scenario(), real=real, journal=service.journal)
    else:
        service.journal.spool = FreshSpool()
    service.bind()
    await service.start()
    print("ready", flush=True)
    await obey(service.cic)
    await service.stop()


async def stock(port: int, tls: bool) -> None:
    """The same application under stock Hypercorn, with the settings that let it live longest."""
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    cic = Cic(scenario())
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_max_requests = 10**9
    config.max_app_queue_size = 0
    config.backlog = 4096
    config.accesslog = config.errorlog = None
    if tls:
        authority = Authority.open(home())
        authority.server_context(LOCAL_NAMES)
        config.certfile = config.keyfile = str(authority.folder / "server.pem")
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(cic, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type]  # ASGI types of Hypercorn
        await asyncio.sleep(0.5)  # it does not say when it listens
        print("ready", flush=True)
        await obey(cic)
        await cic.stop()
        stop.set()


def main() -> None:
    """Run one of the two."""
    parser = argparse.ArgumentParser()
    parser.add_argument("which", choices=["ours", "silent", "unchecked", "stock"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--core", type=int)
    given = parser.parse_args()
    if given.core is not None:
        os.sched_setaffinity(0, {given.core})
    if given.which != "stock":
        keep_memory_small()  # as `mockcic serve` does
        collect_rarely()
    with asyncio.Runner(loop_factory=None if given.which == "stock" else new_event_loop) as runner:
        if given.which == "stock":
            runner.run(stock(given.port, given.tls))
        else:
            silent, checked = given.which == "silent", given.which != "unchecked"
            runner.run(ours(given.port, given.tls, silent=silent, checked=checked))


if __name__ == "__main__":
    main()
