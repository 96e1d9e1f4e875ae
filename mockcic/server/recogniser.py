"""Somebody else who hears what was said: a function, or a program, that is given a WAV and gives the text."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mockcic.errors import Finding, StartError
from mockcic.sound.make import wav

Recogniser = Callable[[bytes], str]
"""Takes a WAV file (16 bit, 16 kHz, mono), gives the text. It is called in a thread, several at once."""

WITHIN_S: Final = 10.0
"""A recogniser that takes longer is given up (INF)."""


def by_command(command: str) -> Recogniser:
    """A program with the path of the WAV as its last argument, which prints the text. Raises `StartError`."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise StartError(f"--recogniser {command!r}: {error}") from None
    if not words:
        raise StartError("--recogniser: found nothing, expected a command")
    if shutil.which(words[0]) is None:
        raise StartError(
            f"--recogniser: found no program {words[0]}, expected one on PATH, or the path of one that runs"
        )

    def recognise(data: bytes) -> str:
        with tempfile.TemporaryDirectory(prefix="mockcic-heard-") as folder:
            path = Path(folder) / "upload.wav"
            path.write_bytes(data)
            done = subprocess.run(
                [*words, str(path)], stdin=subprocess.DEVNULL, capture_output=True, timeout=WITHIN_S, check=False
            )
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise RuntimeError(f"exit {done.returncode}" + (f": {said[-1]}" if said else ""))
        return done.stdout.decode("utf-8", "replace").strip()

    return recognise


async def text_of(pcm: bytes, recogniser: Recogniser, within_s: float = WITHIN_S) -> tuple[str | None, Finding | None]:
    """The text of 16 kHz PCM, or what was wrong with the recogniser."""
    try:
        async with asyncio.timeout(within_s):
            text = await asyncio.to_thread(recogniser, wav(pcm))
        if not isinstance(text, str):
            raise TypeError(f"it gave {type(text).__name__}")
    except TimeoutError:
        problem = f"no text within {within_s:g} s"
    except Exception as error:  # noqa: BLE001  whatever a recogniser of the user's does must not end the upload
        problem = f"{type(error).__name__}: {error}"
    else:
        return text, None
    finding = Finding(
        "audio.recogniser",
        f"the recogniser failed: {problem}",
        "the text of the upload",
        "mend the recogniser, or send the text beside: device.transcript(...)",
        severity="error",
    )
    return None, finding


__all__ = ["WITHIN_S", "Recogniser", "by_command", "text_of"]
