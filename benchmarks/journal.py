"""What the journal costs: events a second with it on and with it off; memory while a million events go by."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.events import TOKEN, rate_of, send, upload
from benchmarks.harness import Row, median, server
from mockcic.journal.store import BYTES

ROUNDS = 15
TURN = 1000
"""Events of one server before it is the other's turn."""

WANTED = 0.9

FULL = 7000
"""After so many events the journal is full, as it is in the long run: each new entry lets an old one go."""

EVENTS = 1_000_000
LOOKS = 20
ROOM_MB = 96
"""What a process with an empty journal takes, and what memory fragments (INF); above it everything is the journal's."""


def run() -> list[Row]:
    """Two servers, warm and full, that answer in turn: what the machine does in the meantime meets both alike."""
    rates: dict[str, list[float]] = {"ours": [], "silent": []}
    with (
        tempfile.TemporaryDirectory() as folder,
        server("ours", tls=True) as ours,
        server("silent", tls=True) as silent,
    ):
        body = Path(folder) / "body"
        body.write_bytes(upload())
        running = {"ours": ours, "silent": silent}
        for each in running.values():
            send(each.port, body, FULL)
        for number in range(ROUNDS):
            for which in ("ours", "silent") if number % 2 == 0 else ("silent", "ours"):
                rates[which].append(rate_of(send(running[which].port, body, TURN)))
    ratios = [on / off for on, off in zip(rates["ours"], rates["silent"], strict=True)]
    ratio = median(ratios)
    return [
        Row("events a second, TLS, with the journal", f"{median(rates['ours']):.0f}", ""),
        Row("events a second, TLS, without it", f"{median(rates['silent']):.0f}", ""),
        Row(
            f"  ratio ({min(ratios):.2f} to {max(ratios):.2f} in {ROUNDS})",
            f"{ratio:.2f}",
            f">= {WANTED}",
            ratio >= WANTED,
        ),
    ]


def question() -> bytes:
    """One TextRecognizer.Recognize with two contexts."""
    header = {"namespace": "TextRecognizer", "name": "Recognize", "messageId": "m", "dialogRequestId": "d"}
    contexts = [
        {"header": {"namespace": "Speaker", "name": "VolumeState"}, "payload": {"volume": 7, "muted": False}},
        {"header": {"namespace": "Alerts", "name": "AlertsState"}, "payload": {"allAlerts": [], "activeAlerts": []}},
    ]
    event = {"context": contexts, "event": {"header": header, "payload": {"text": "오늘 날씨 어때"}}}
    return (
        b'--b\r\nContent-Disposition: form-data; name="metadata"\r\nContent-Type: application/json\r\n\r\n'
        + json.dumps(event).encode()
        + b"\r\n--b--\r\n"
    )


def memory() -> list[Row]:
    """A million events, with a look at the memory after each twentieth: the curve is printed as it comes."""
    peak = 0
    with tempfile.TemporaryDirectory() as folder, server("ours", tls=False) as running:
        body = Path(folder) / "body"
        body.write_bytes(question())
        print(f"{'events':>10}  {'memory':>8}  {'entries':>8}  {'dropped':>9}", file=sys.stderr)
        for count in range(EVENTS // LOOKS, EVENTS + 1, EVENTS // LOOKS):
            _send(running.port, body, EVENTS // LOOKS)
            used = int(running.ask("memory")) // 1024
            entries, _, dropped = json.loads(running.ask("journal"))
            peak = max(peak, used)
            bar = "#" * (used // 4)
            print(f"{count:>10}  {used:>5} MB  {entries:>8}  {dropped:>9}  {bar}", file=sys.stderr)
    cap = (BYTES >> 20) + ROOM_MB
    return [Row(f"memory, at the most, while {EVENTS} events go by", f"{peak} MB", f"<= {cap} MB", peak <= cap)]


def _send(port: int, body: Path, count: int) -> None:
    command = ["h2load", "-n", str(count), "-c", "8", "-m", "4", "-d", str(body)]
    command += ["-H", f"authorization: Bearer {TOKEN}", "-H", "content-type: multipart/form-data; boundary=b"]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}/v1/events"], capture_output=True, text=True, check=True)
    if f"{count} succeeded" not in done.stdout:
        raise RuntimeError(f"not every event was answered:\n{done.stdout}")
