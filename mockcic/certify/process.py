"""A device under test as a process: started by a command, ended with all it has started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Final

from mockcic.errors import StartError

END_WITHIN_S: Final = 5.0
"""How long a command may take to end when it is told to (INF)."""

OUTPUT_BYTES: Final = 1024 * 1024
"""Of what a command prints, the last so many are kept (INF)."""


class Process:
    """A command that runs. Raises `StartError` when it cannot be started. `variables` are added to its environment."""

    def __init__(self, words: Sequence[str], variables: Mapping[str, str]) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        try:
            self._process = subprocess.Popen(
                words,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self._output.close()
            raise StartError(f"cannot start {words[0]}: {error.strerror or error}") from None

    def wait(self, within_s: float) -> int | None:
        """Its exit code, if it ends within the time."""
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None

    @property
    def exit_code(self) -> int | None:
        """The code it ended with, None while it runs."""
        return self._process.poll()

    def close(self) -> str:
        """End it and all it has started: SIGTERM, then SIGKILL; what it printed."""
        if self._output.closed:
            return ""
        self._end()
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - OUTPUT_BYTES))
        text = self._output.read().decode("utf-8", "replace")
        self._output.close()
        return text

    def _end(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_WITHIN_S)
                if number == signal.SIGKILL or not _lives(self._process.pid):
                    return


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
