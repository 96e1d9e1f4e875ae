"""Text to speech offline: by espeak-ng where it is installed, else as the tone code that says which prompt it is.

Nothing is spoken before it is wanted; what was spoken once is kept in memory and in a folder, by text, voice and speed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from mockcic.sound.make import read_pcm, wav
from mockcic.sound.marker import prompt

PROGRAMS: Final = ("espeak-ng", "espeak")
"""What is looked for on PATH, in this order."""

SPEED: Final = 160
"""Words a minute, as espeak-ng counts them; its own 175 is hurried (INF)."""

LANGUAGE: Final = "ko"
"""The voice where none is said: devices of this protocol speak Korean first (PROTOCOL 7)."""

WITHIN_S: Final = 20.0
"""A synthesiser that takes longer is given up (INF)."""

KEPT_BYTES: Final = 32 * 1024 * 1024
LONGEST_TEXT: Final = 5000
"""Letters; the rest is not spoken (INF)."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spoken:
    """16-bit mono PCM at `rate`, and who made it: the synthesiser's name, or `tones`."""

    pcm: bytes
    rate: int
    by: str


class Speaker:
    """Speaks texts, from any thread. `folder` says where spoken texts are kept; None, or one that raises, for nowhere.

    It is asked when something is first spoken.
    """

    def __init__(self, folder: Callable[[], Path] | None = None) -> None:
        self._folder = folder
        self._kept: OrderedDict[str, Spoken] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()
        self._failed = False

    @staticmethod
    def program() -> str | None:
        """The path of the synthesiser; None when there is none."""
        return next((found for name in PROGRAMS if (found := shutil.which(name))), None)

    def speak(self, text: str, *, language: str = LANGUAGE, speed: int = SPEED, rate: int = 16_000) -> Spoken:
        """The text as sound. `rate` is that of the tone code; a synthesiser has its own."""
        text = " ".join(text.split())[:LONGEST_TEXT]
        program = self.program()
        voice = language or LANGUAGE
        by = "tones" if program is None else Path(program).name
        key = sha256(
            "\0".join((by, voice, str(speed), str(rate) if program is None else "", text)).encode()
        ).hexdigest()
        with self._lock:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return known
        if program is None or not text:
            spoken = Spoken(prompt(text, rate), rate, "tones")
        else:
            spoken = self._read(key, by) or self._say(program, by, key, text, voice, speed, rate)
        self._keep(key, spoken)
        return spoken

    def _say(self, program: str, by: str, key: str, text: str, voice: str, speed: int, rate: int) -> Spoken:
        try:
            data = run(program, text, voice, speed)
            pcm, found = read_pcm(data)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            if not self._failed:
                self._failed = True
                logger.warning("%s cannot speak (%s); prompts are sent as tones", program, error)
            return Spoken(prompt(text, rate), rate, "tones")
        self._write(key, data)
        return Spoken(pcm, found, by)

    def _keep(self, key: str, spoken: Spoken) -> None:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = spoken
                self._kept_bytes += len(spoken.pcm)
            while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
                _, gone = self._kept.popitem(last=False)
                self._kept_bytes -= len(gone.pcm)

    # ------------------------------------------------------------------ on disk

    def _path(self, key: str) -> Path | None:
        if self._folder is None:
            return None
        try:
            return self._folder() / f"{key}.wav"
        except Exception:  # noqa: BLE001  a user without a home: then nothing is kept
            return None

    def _read(self, key: str, by: str) -> Spoken | None:
        path = self._path(key)
        if path is None:
            return None
        try:
            pcm, rate = read_pcm(path.read_bytes())
        except (OSError, ValueError):
            return None
        return Spoken(pcm, rate, by)

    def _write(self, key: str, data: bytes) -> None:
        path = self._path(key)
        if path is None:
            return
        whole = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        with contextlib.suppress(OSError):  # it is spoken again the next time
            path.parent.mkdir(parents=True, exist_ok=True)
            whole.write_bytes(data)
            whole.replace(path)


def run(program: str, text: str, voice: str, speed: int) -> bytes:
    """A WAV of espeak-ng. Raises `OSError`, `SubprocessError` and `ValueError` when it does not speak."""
    with tempfile.TemporaryDirectory(prefix="mockcic-speech-") as name:
        words, out = Path(name) / "text", Path(name) / "out.wav"
        words.write_text(text, encoding="utf-8")
        command = [program, "-v", voice, "-s", str(speed), "-b", "1", "-w", str(out), "-f", str(words)]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=WITHIN_S, check=False, text=True
        )
        if done.returncode or not out.is_file():
            raise ValueError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}")
        return out.read_bytes()


@cache
def speaker() -> Speaker:
    """The one that everybody shares: what is spoken once is kept in $MOCKCIC_HOME/speech, or ~/.mockcic/speech."""

    def folder() -> Path:
        chosen = os.environ.get("MOCKCIC_HOME")
        return (Path(chosen) if chosen else Path.home() / ".mockcic") / "speech"

    return Speaker(folder)


def as_wav(spoken: Spoken) -> bytes:
    """A WAV file of it."""
    return wav(spoken.pcm, spoken.rate)


__all__ = ["LANGUAGE", "SPEED", "Speaker", "Spoken", "as_wav", "speaker"]
