"""Events a second: 32 KB of sound up, 9 KB of answer down, TLS, connections kept; ours against stock Hypercorn."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness import Row, cores, median, server
from mockcic.cic.catalogue import catalogue

EVENTS, CONNECTIONS, ROUNDS = 3000, 16, 3
WANTED = 1.4
CHECK_COSTS = 0.15
"""Of the events a second, what judging them by the catalogue may cost."""

TOKEN = "0f6c1e9a7d3b4f2a"
"""Of the device; no word of the scenario, which the journal would have to take it out of."""


def whole_upload() -> bytes:
    """One with all that devices send along: every context, every member, as the catalogue's examples are."""
    spec = catalogue().events["SpeechRecognizer.Recognize"]
    header = {"namespace": spec.namespace, "name": spec.name, "messageId": "m", "dialogRequestId": "d"}
    contexts = [(name.partition("."), catalogue().contexts[name].example) for name in spec.contexts]
    context = [{"header": {"namespace": ns, "name": name}, "payload": dict(of)} for (ns, _, name), of in contexts]
    return body_of({"context": context, "event": {"header": header, "payload": dict(spec.example)}})


def upload() -> bytes:
    """One SpeechRecognizer.Recognize with a second of sound."""
    header = {"namespace": "SpeechRecognizer", "name": "Recognize", "messageId": "m", "dialogRequestId": "d"}
    volume = {"header": {"namespace": "Speaker", "name": "VolumeState"}, "payload": {"volume": 7, "muted": False}}
    return body_of({"context": [volume], "event": {"header": header, "payload": {"lang": "ko"}}})


def body_of(event: dict[str, Any]) -> bytes:
    """The multipart body of an event with a second of sound."""
    return (
        b'--b\r\nContent-Disposition: form-data; name="metadata"\r\nContent-Type: application/json\r\n\r\n'
        + json.dumps(event).encode()
        + b'\r\n--b\r\nContent-Disposition: form-data; name="audio"\r\nContent-Type: application/octet-stream\r\n\r\n'
        + os.urandom(32_000)
        + b"\r\n--b--\r\n"
    )


def rate(which: str, body: Path) -> float:
    """Events a second of one server, by h2load on another core."""
    with server(which, tls=True) as running:
        return rate_of(send(running.port, body, EVENTS))


def rate_of(done: subprocess.CompletedProcess[str]) -> float:
    """Events a second, as h2load says."""
    found = re.search(r"([\d.]+) req/s", done.stdout)
    assert found is not None
    return float(found[1])


def send(port: int, body: Path, count: int) -> subprocess.CompletedProcess[str]:
    """Send an event so often."""
    command = ["h2load", "-n", str(count), "-c", str(CONNECTIONS), "-m", "1", "-d", str(body)]
    command += ["-H", f"authorization: Bearer {TOKEN}", "-H", "content-type: multipart/form-data; boundary=b"]
    pinned = ["taskset", "-c", "1"] if cores() > 1 else []
    done = subprocess.run(
        [*pinned, *command, f"https://127.0.0.1:{port}/v1/events"], capture_output=True, text=True, check=True
    )
    if f"{count} succeeded" not in done.stdout:
        raise RuntimeError(f"not every event was answered:\n{done.stdout}")
    return done


def run() -> list[Row]:
    """Rounds of both, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "body"
        body.write_bytes(upload())
        rates: dict[str, list[float]] = {"ours": [], "stock": []}
        for number in range(ROUNDS):
            for which in ("ours", "stock") if number % 2 == 0 else ("stock", "ours"):
                rates[which].append(rate(which, body))
    ratio = median(rates["ours"]) / median(rates["stock"])
    return [
        Row("events a second, TLS, ours", f"{median(rates['ours']):.0f}", ""),
        Row("events a second, TLS, stock Hypercorn", f"{median(rates['stock']):.0f}", ""),
        Row("  ratio", f"{ratio:.2f}", f">= {WANTED}", ratio >= WANTED),
    ]


def check() -> list[Row]:
    """Events with every context, judged by the catalogue and not (the setting `event_check`), in turn."""
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "body"
        body.write_bytes(whole_upload())
        rates: dict[str, list[float]] = {"ours": [], "unchecked": []}
        for number in range(2 * ROUNDS):
            for which in ("ours", "unchecked") if number % 2 == 0 else ("unchecked", "ours"):
                rates[which].append(rate(which, body))
    cost = 1 - median(rates["ours"]) / median(rates["unchecked"])
    return [
        Row("events a second, all contexts, checked", f"{median(rates['ours']):.0f}", ""),
        Row("events a second, all contexts, event_check off", f"{median(rates['unchecked']):.0f}", ""),
        Row("  the check costs", f"{cost:.1%}", f"<= {CHECK_COSTS:.0%}", cost <= CHECK_COSTS),
    ]
