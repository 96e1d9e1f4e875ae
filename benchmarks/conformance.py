"""How long the verdict on a device takes: 10,000 entries judged and written as HTML and JUnit XML."""

from __future__ import annotations

import time

from benchmarks.harness import Row
from mockcic.journal.entry import Entry
from mockcic.journal.packed import packed_or_plain
from mockcic.trace.conformance import ConformanceReport, conformance_html, conformance_junit, judge_trace
from mockcic.trace.file import Trace
from tests.support.story import SPEECH, Life

ENTRIES = 10_000
FORMAT = {"lang": "ko", "profile": "CLOSE_TALK", "format": "AUDIO_L16_RATE_16000_CHANNELS_1"}
CONTEXTS = {"Speaker.VolumeState": {"volume": 3, "muted": False}, "Device.DeviceState": {}}


def dialogues() -> tuple[Entry, ...]:
    """Voice requests with a spoken answer, one after another, as a journal keeps them."""
    life = Life().connect().open()
    number = 0
    while len(life) < ENTRIES:
        number += 1
        at, dialogue, token = 5.0 * number, f"d{number}", {"token": f"t{number}"}
        life.event(at, SPEECH, FORMAT, dialogue=dialogue, contexts=CONTEXTS)
        life.push(at + 1, "SpeechRecognizer.StopCapture", dialogue=dialogue).sound(at + 1.1)
        life.reply(at + 1.2, "SpeechSynthesizer.Speak", token).attachment(at + 1.2, 2.0).answer(at + 1.2, 200)
        life.tell(at + 1.3, "SpeechSynthesizer.SpeechStarted", token, contexts=CONTEXTS)
        life.tell(at + 3.3, "SpeechSynthesizer.SpeechFinished", token, contexts=CONTEXTS).ping(at + 4)
    return tuple(entry._replace(data=packed_or_plain(dict(entry.data))) for entry in life)


def run() -> list[Row]:
    """One row: wanted are 2 s."""
    trace = Trace(entries=dialogues())
    began = time.perf_counter()
    report = ConformanceReport((judge_trace(trace),))
    conformance_html(report)
    conformance_junit(report)
    took = time.perf_counter() - began
    return [Row(f"conformance report of {len(trace.entries)} entries", f"{took:.2f} s", "< 2 s", took < 2)]
