"""Two tones at once, for DTMF and for our own code: made, and found again in a sound."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE: Final = 16_000
HOP_S: Final = 0.005
LOOK_S: Final = 0.025
"""Long enough to tell DTMF's nearest frequencies, 73 Hz apart, from each other."""

LEVEL_DBFS: Final = -15.0
FADE_S: Final = 0.004

FLOOR_DBFS: Final = -55.0
"""A quieter look holds no tones (INF)."""


def pair(low_hz: float, high_hz: float, seconds: float, rate: int = RATE) -> array[int]:
    """Two sines at once, equally loud, with short fades; samples of 16 bit."""
    count = round(seconds * rate)
    peak = 32767 * 10 ** (LEVEL_DBFS / 20)
    fade = max(1, round(FADE_S * rate))
    low, high = 2 * math.pi * low_hz / rate, 2 * math.pi * high_hz / rate
    return array(
        "h",
        (
            round(peak * min(1.0, n / fade, (count - n) / fade) * (math.sin(low * n) + math.sin(high * n)))
            for n in range(count)
        ),
    )


def pcm_of(parts: Sequence[array[int]]) -> bytes:
    """The parts one after another, as little-endian PCM."""
    samples = array("h")
    for part in parts:
        samples.extend(part)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def pause(seconds: float, rate: int = RATE) -> array[int]:
    """Silence."""
    return array("h", bytes(2 * round(seconds * rate)))


@dataclass(frozen=True, slots=True)
class Looks:
    """A sound looked at every 5 ms: the share of its power that each frequency has, and whether it is loud at all.

    `shares` has a row a look and a column a frequency; a pure tone's is 1.
    """

    shares: NDArray[Any]
    loud: NDArray[Any]


def look(pcm: bytes, frequencies: Sequence[float], *, look_s: float = LOOK_S) -> Looks | None:
    """Look for frequencies in 16 kHz PCM; None when it is shorter than one look."""
    import numpy as np

    samples = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float32)
    size, hop = round(look_s * RATE), round(HOP_S * RATE)
    if len(samples) < size:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    window = np.hanning(size).astype(np.float32)
    phases = 2 * np.pi * np.outer(np.arange(size), np.asarray(frequencies)) / RATE
    basis = (np.exp(-1j * phases) * window[:, None]).astype(np.complex64)
    shares = np.empty((len(frames), len(frequencies)), np.float32)
    loud = np.empty(len(frames), bool)
    floor = size * (32768.0 * 10 ** (FLOOR_DBFS / 20)) ** 2
    for start in range(0, len(frames), 1000):  # five seconds at once, so that a long sound takes little memory
        some = frames[start : start + 1000]
        total = np.einsum("ij,ij->i", some, some)
        power = np.abs(some @ basis) ** 2
        loud[start : start + 1000] = total >= floor
        # a sine of amplitude a: total a²·size/2, and its line (a/2·sum of the window)²
        shares[start : start + 1000] = power / (total[:, None] + 1e-3) * (2.0 * size / float(window.sum()) ** 2)
    return Looks(shares, loud)


__all__ = ["HOP_S", "RATE", "Looks", "look", "pair", "pause", "pcm_of"]
