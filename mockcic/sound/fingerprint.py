"""Which of a few known recordings a sound is: a picture of its loudness by time and pitch, laid over theirs.

Made for test audio that goes through a device: robust against gain, an offset, some noise, and ends that were cut. It
tells recordings apart, not words: the same sentence of another speaker is another recording. (A library for music,
such as Chromaprint, wants three seconds and more; a question has one.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE: Final = 16_000
HOP: Final = 320
LOOK: Final = 640
BANDS: Final = 24
LOWEST_HZ: Final = 150.0
HIGHEST_HZ: Final = 6500.0

DEPTH_DB: Final = 35.0
"""What is so much below the loudest is all the same: mild noise lies there (INF)."""

ALIKE: Final = 0.72
"""From this on two sounds are the same recording: 1 is the same bytes, two sentences have 0.5 at the most (INF)."""

COVERED: Final = 0.65
"""So much of what is loud in either sound must lie on the other: ends may be cut (INF)."""

LONGEST_S: Final = 30.0
"""More of a sound is not looked at (INF)."""


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """A sound as rows of 20 ms and 24 bands, in decibels over a floor; `loud` says which rows are sound."""

    rows: NDArray[Any]
    loud: NDArray[Any]


def fingerprint(pcm: bytes) -> Fingerprint | None:
    """The fingerprint of 16 kHz PCM; None when there is hardly anything to hear."""
    import numpy as np

    samples = np.frombuffer(pcm[: int(2 * RATE * LONGEST_S)], "<i2", min(len(pcm), int(2 * RATE * LONGEST_S)) // 2)
    if len(samples) < 5 * LOOK:
        return None
    values = samples.astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(values, LOOK)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(LOOK).astype(np.float32), axis=1)) ** 2
    energies = power @ _bands()
    decibels = 10 * np.log10(energies + 1.0)
    top = float(decibels.max())
    if top < 60:  # the noise of an open microphone at -80 dBFS
        return None
    rows = np.maximum(decibels - (top - DEPTH_DB), 0.0).astype(np.float32)
    loud = rows.max(axis=1) > DEPTH_DB * 0.3
    begin, end = int(loud.argmax()), len(loud) - int(loud[::-1].argmax())
    if end - begin < 8:
        return None
    return Fingerprint(rows[begin:end], loud[begin:end])


_BANDS: list[Any] = []  # made once


def _bands() -> NDArray[Any]:
    """Triangles as the ear hears, from 150 to 6,500 Hz."""
    import numpy as np

    if not _BANDS:
        mel = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)
        edges = 700 * (10 ** (mel / 2595) - 1)
        hz = np.arange(LOOK // 2 + 1) * RATE / LOOK
        rising = (hz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - hz[:, None]) / (edges[2:] - edges[1:-1])
        _BANDS.append(np.maximum(0, np.minimum(rising, falling)).astype(np.float32))
    bands: NDArray[Any] = _BANDS[0]
    return bands


def _mel(hz: float) -> float:
    import math

    return 2595 * math.log10(1 + hz / 700)


def likeness(one: Fingerprint, other: Fingerprint) -> float:
    """How alike two sounds are where they lie best on each other: 1 the same, about 0 nothing in common."""
    import numpy as np

    short, long = (one, other) if len(one.rows) <= len(other.rows) else (other, one)
    size, room = len(short.rows), len(long.rows)
    slack = int(size * (1 - COVERED))
    best = 0.0
    padded = np.pad(long.rows, ((slack, slack), (0, 0)))
    loud = np.pad(long.loud, slack)
    total = max(1, int(long.loud.sum()))
    covers = np.convolve(loud, np.ones(size), "valid") / total
    for at in np.flatnonzero(covers >= COVERED):
        first, last = max(0, slack - int(at)), min(size, room + slack - int(at))
        mine, theirs = short.rows[first:last], padded[at + first : at + last]
        if last - first < 8 or short.loud[first:last].sum() < COVERED * short.loud.sum():
            continue
        best = max(best, _correlation(mine, theirs))
    return best


def _correlation(mine: NDArray[Any], theirs: NDArray[Any]) -> float:
    """Of two pictures, each without its mean over all, and where it moves without the mean of each band."""
    whole = _pearson(mine - mine.mean(), theirs - theirs.mean())
    moving_mine, moving_theirs = mine - mine.mean(axis=0), theirs - theirs.mean(axis=0)
    if min(float(moving_mine.var()), float(moving_theirs.var())) < 0.1 * float(mine.var()):
        return whole  # a steady sound has nothing that moves
    return (whole + _pearson(moving_mine, moving_theirs)) / 2


def _pearson(mine: NDArray[Any], theirs: NDArray[Any]) -> float:
    import numpy as np

    power = float(np.vdot(mine, mine)) * float(np.vdot(theirs, theirs))
    return float(np.vdot(mine, theirs)) / power**0.5 if power > 0 else 0.0


def nearest(sound: Fingerprint | None, known: Iterable[tuple[str, Fingerprint]]) -> tuple[str, float]:
    """The name of the recording that a sound is nearest to, and how alike they are; `("", 0.0)` without any."""
    best = ("", 0.0)
    if sound is not None:
        for name, each in known:
            alike = likeness(sound, each)
            if alike > best[1]:
                best = (name, alike)
    return best


__all__ = ["ALIKE", "Fingerprint", "fingerprint", "likeness", "nearest"]
