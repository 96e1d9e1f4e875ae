"""Measure a microphone's sound while it flows in: 16-bit PCM, 16 kHz, mono, little endian (PROTOCOL 3.3)."""

from __future__ import annotations

import hashlib
import math
import sys
from array import array
from typing import Final

RATE: Final = 16_000
BYTES_A_SECOND: Final = 2 * RATE
SAMPLED: Final = 32
"""Of so many samples one is looked at where only the level of the whole is wanted (INF: within a decibel of speech)."""

WINDOW: Final = 320
"""Samples of one look at the level: 20 ms (INF)."""

FULL_SCALE: Final = 32768.0


class Meter:
    """Feed it chunks of any cut; an odd byte waits for its other half.

    Size, digest and the level of the whole are always kept. Exact levels cost about as much as a frame's way through
    the server, so they are measured only when `levels` is true; otherwise one sample in 32 tells `level_dbfs`, and
    the other two level members stay None.
    """

    __slots__ = (
        "_heard",
        "_levels",
        "_odd",
        "_peak",
        "_sampled",
        "_sha",
        "_silent",
        "_squares",
        "_threshold",
        "_window",
        "_windows",
        "size",
    )

    def __init__(self, *, levels: bool = True, threshold_dbfs: float = -45.0) -> None:
        self.size = 0
        self._levels = levels
        self._threshold = WINDOW * (FULL_SCALE * 10 ** (threshold_dbfs / 20)) ** 2
        self._sha = hashlib.sha256()
        self._odd = b""
        self._window = array("h")
        self._squares = 0.0
        self._peak = 0
        self._heard = False
        self._silent = 0
        self._windows = 0
        self._sampled = 0

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        self.size += len(data)
        self._sha.update(data)
        if self._levels:
            self._measure(data)
        else:
            self._sample(data)

    @property
    def seconds(self) -> float:
        """How much sound that is."""
        return self.size / BYTES_A_SECOND

    @property
    def sha256(self) -> str:
        """The digest of everything fed, in hex."""
        return self._sha.hexdigest()

    @property
    def level_dbfs(self) -> float | None:
        """RMS of all whole windows of 20 ms, or of one sample in 32; -96 for silence, None before the first."""
        measured = self._windows * WINDOW if self._levels else self._sampled
        return _dbfs(math.sqrt(self._squares / measured)) if measured else None

    @property
    def peak_dbfs(self) -> float | None:
        """The loudest sample."""
        return _dbfs(self._peak) if self._windows else None

    @property
    def silent_for_s(self) -> float | None:
        """How long the windows at the end have been below the threshold; None before anything louder was heard."""
        return self._silent * WINDOW / RATE if self._heard else None

    def _samples(self, data: bytes) -> array[int]:
        if self._odd:
            data = self._odd + data
        self._odd = data[len(data) & ~1 :]
        samples = array("h", data[: len(data) & ~1])
        if sys.byteorder == "big":
            samples.byteswap()
        return samples

    def _sample(self, data: bytes) -> None:
        looked_at = self._samples(data)[::SAMPLED]
        self._squares += math.hypot(*looked_at) ** 2
        self._sampled += len(looked_at)

    def _measure(self, data: bytes) -> None:
        self._window.extend(self._samples(data))
        start = 0
        while len(self._window) - start >= WINDOW:
            self._look(self._window[start : start + WINDOW])
            start += WINDOW
        if start:
            del self._window[:start]

    def _look(self, window: array[int]) -> None:
        samples = window.tolist()  # one object a sample instead of one each time it is looked at
        squares = math.hypot(*samples) ** 2  # the sum of squares, added up in C
        self._windows += 1
        self._squares += squares
        self._peak = max(self._peak, max(samples), -min(samples))
        if squares >= self._threshold:
            self._heard, self._silent = True, 0
        else:
            self._silent += 1


def _dbfs(value: float) -> float:
    return max(-96.0, 20 * math.log10(value / FULL_SCALE)) if value > 0 else -96.0
