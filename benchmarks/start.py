"""From `mockcic serve` to the first answered request, and what the fixture costs a test."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Row, free_port, median
from mockcic.mock import MockCIC

ROUNDS = 7
START_S, FIXTURE_MS = 0.6, 5.0
PING = bytes.fromhex("000000040000000000")  # an empty SETTINGS frame behind the preface


def start_once(home: Path) -> float:
    """Seconds from the command to the server's first bytes of HTTP/2 over TLS."""
    port = free_port()
    environment = {"MOCKCIC_HOME": str(home), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "mockcic", "serve", "--port", str(port)]
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        return ask_until_answered(port, home, began)
    finally:
        process.terminate()
        process.wait()


def ask_until_answered(port: int, home: Path, began: float) -> float:
    """Ask for /ping until it is answered."""
    from hpack import Encoder

    block = Encoder().encode(
        [(":method", "GET"), (":scheme", "https"), (":path", "/ping"), ("authorization", "Bearer benchmark")]
    )
    request = len(block).to_bytes(3, "big") + b"\x01\x05\x00\x00\x00\x01" + block
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
                tls = ssl.create_default_context(cafile=str(home / "ca.pem"))
                tls.set_alpn_protocols(["h2"])
                with tls.wrap_socket(plain, server_hostname="localhost") as line:
                    line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + PING + request)
                    seen = b""
                    while b"\x01\x05\x00\x00\x00\x01" not in seen and b"\x01\x04\x00\x00\x00\x01" not in seen:
                        seen += line.recv(4096)
                    return time.perf_counter() - began
        except ConnectionRefusedError:
            if time.perf_counter() - began > 10:
                raise
            time.sleep(0.002)


def fixture_costs() -> list[float]:
    """Milliseconds of a bench, a device and their end on a server that runs."""
    times = []
    with MockCIC() as mock:
        for _ in range(200):
            began = time.perf_counter()
            bench = mock.bench()
            bench.device()
            bench.close()
            times.append(1000 * (time.perf_counter() - began))
    return times


def run() -> list[Row]:
    """Both."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        start_once(home)  # makes the CA and warms the file cache
        starts = [start_once(home) for _ in range(ROUNDS)]
    costs = fixture_costs()
    return [
        Row(
            "serve to first answer",
            f"{1000 * median(starts):.0f} ms",
            f"<= {1000 * START_S:.0f} ms",
            median(starts) <= START_S,
        ),
        Row("fixture, each test", f"{median(costs):.2f} ms", f"<= {FIXTURE_MS:.0f} ms", median(costs) <= FIXTURE_MS),
    ]
