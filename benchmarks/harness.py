"""Starting servers, finding ports, printing a table: what the benchmarks share."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what, what was measured, what is wanted, and whether it is reached."""

    what: str
    measured: str
    wanted: str
    reached: bool | None = None


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A server that obeys lines."""

    def __init__(self, which: str, *, tls: bool, core: int | None = 0) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "benchmarks.server", which, "--port", str(self.port)]
        command += ["--tls"] if tls else []
        command += ["--core", str(core)] if core is not None else []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{which} did not start")

    def say(self, line: str) -> None:
        """Give a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, line: str) -> str:
        """Give a command and read its answer."""
        self.say(line)
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextmanager
def server(which: str, *, tls: bool, core: int | None = 0) -> Iterator[Process]:
    """A server while the block runs."""
    running = Process(which, tls=tls, core=core)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of all are."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def print_table(rows: Sequence[Row]) -> None:
    """Columns, aligned."""
    cells = [
        (row.what, row.measured, row.wanted, {None: "", True: "reached", False: "MISSED"}[row.reached]) for row in rows
    ]
    widths = [max(len(line[n]) for line in cells) for n in range(4)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def cores() -> int:
    """How many there are."""
    return os.cpu_count() or 1
