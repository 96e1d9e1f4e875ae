"""A MockCIC in a process of its own that can be looked into: `python -m benchmarks.watched`.

It prints where it is as a line of JSON and then obeys lines on standard input: `look` (what it holds: `Look`),
`strikes` (the last faults that struck), `troubles` (what its log had to say, each with the faults before it), `quit`.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import logging
import os
import sys
import threading
import time
import traceback
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from benchmarks.server import memory_kb
from mockcic import MockCIC
from mockcic.journal.entry import Entry
from mockcic.server.loop import keep_memory_small
from mockcic.server.service import Journaling

SCENARIO = """
scenario: soak
settings: {same_connection: false, downchannel_window: off}
on:
  - event: [SpeechRecognizer.Recognize, TextRecognizer.Recognize]
    reply:
      - SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 네, audio: {silence: 500ms}}
      - Clova.RenderText: {text: 네}
    afterwards: [{after: 100ms, push: Notifier.ClearIndicator}]
  - {event: "*", reply: none}
"""

ENTRIES: Final = 20_000
BEFORE: Final = 12
"""The last faults that are named with each trouble."""

HELD: Final = ("mockcic.server.", "mockcic.wire.", "hypercorn.", "h2.", "hpack.")
"""Modules whose objects are counted: connections, streams, exchanges, downchannels, and what hangs on them."""


MADE_ONCE: Final = ("server.tls", "faults.certificates")
"""Not those: certificates are made when they are wanted first, one of a kind."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the process holds. All of it is counted by kind; `memory_kb` is PSS.

    `malloc_kb` and `blocks` are what of it is in use: of malloc's, and the pieces of up to 512 bytes that Python has
    given out of its own. What PSS grows by and they do not is room that the allocators keep.
    """

    tasks: dict[str, int]
    files: dict[str, int]
    objects: dict[str, int]
    threads: int
    memory_kb: int
    malloc_kb: int
    blocks: int


class Mallinfo(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_: ClassVar = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def malloc_kb() -> int:
    """What malloc has given out, in its heaps and as mappings; 0 where it does not tell."""
    ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if ask is None:
        return 0
    ask.restype = Mallinfo
    told = ask()
    return int(told.uordblks + told.hblkhd) // 1024


@dataclass(slots=True)
class Strikes:
    """The last faults, and how many there were of each act."""

    last: deque[str] = field(default_factory=lambda: deque(maxlen=BEFORE))
    count: Counter[str] = field(default_factory=Counter)

    def hear(self, entry: Entry) -> None:
        """An entry of the journal."""
        if entry.kind == "fault" and entry.data["phase"] == "struck":
            self.count[entry.data["act"]] += 1
            where = entry.stream or entry.connection
            self.last.append(
                f"{entry.at_s:9.3f} s  {entry.device}  {entry.data['act']} on {entry.data['on']} {where}: "
                f"{entry.data['detail']}"
            )


class Log(logging.Handler):
    """Keeps every record that tells of an exception or of something that should not be."""

    def __init__(self, strikes: Strikes) -> None:
        super().__init__(logging.WARNING)
        self.troubles: list[dict[str, Any]] = []
        self._strikes = strikes

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it with the faults before it."""
        said = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            said += "\n" + "".join(traceback.format_exception(*record.exc_info))
        self.troubles.append({"at": time.time(), "said": f"{record.name}: {said}", "before": list(self._strikes.last)})


def look(mock: MockCIC) -> Look:
    """Look at everything, garbage removed; and the journal emptied, which keeps on purpose what it is told."""
    mock.call(mock.service.journal.clear)
    tasks = mock.call(lambda: [task for task in asyncio.all_tasks() if task is not asyncio.current_task()])
    names = Counter(getattr(task.get_coro(), "__qualname__", "?") for task in tasks)
    del tasks
    for _ in range(3):
        gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    in_use = malloc_kb(), sys.getallocatedblocks()  # before the names of all objects are made
    kinds = Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in map(type, gc.get_objects())
        if str(kind.__module__).startswith(HELD) and not str(kind.__module__).endswith(MADE_ONCE)
    )
    return Look(dict(names), dict(_files()), dict(kinds), threading.active_count(), memory_kb(), *in_use)


def _files() -> Counter[str]:
    files: Counter[str] = Counter()
    for each in Path("/proc/self/fd").iterdir():
        try:
            where = str(each.readlink())
        except OSError:  # the folder's own
            continue
        if where.endswith(".pcm"):  # the journal's for sounds, which stays open
            continue
        files["socket" if where.startswith("socket:") else "pipe" if where.startswith("pipe:") else where] += 1
    del files[f"/proc/{os.getpid()}/fd"]
    return files


def main() -> None:
    """Serve until `quit`."""
    keep_memory_small()  # as `mockcic serve` does
    strikes = Strikes()
    log = Log(strikes)
    logging.basicConfig(level=logging.WARNING, handlers=[log])
    logging.captureWarnings(True)
    with MockCIC(SCENARIO, control_port=0, auth_port=0, journaling=Journaling(entries=ENTRIES)) as mock:
        mock.call(lambda: mock.service.journal.listen(strikes.hear))
        mock.close()  # the bench, which keeps its own record of all entries; the server runs on
        where = {"url": mock.url, "ca_file": str(mock.ca_file), "control": mock.control_url, "auth": mock.auth_url}
        print(json.dumps(where), flush=True)
        for line in sys.stdin:
            match line.strip():
                case "look":
                    print(json.dumps(asdict(look(mock))), flush=True)
                case "strikes":
                    print(json.dumps({"last": list(strikes.last), "count": dict(strikes.count)}), flush=True)
                case "troubles":
                    print(json.dumps(log.troubles), flush=True)
                case "quit":
                    break


if __name__ == "__main__":
    main()
