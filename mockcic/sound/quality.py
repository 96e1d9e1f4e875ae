"""How good an uploaded sound is: levels, clipping, gaps, and what its bytes look like when they are not as they should.

A device uploads 16-bit PCM, 16 kHz, mono, little endian (PROTOCOL 3.3). All thresholds are our own (INF);
`docs/sound.md` lists them. Measuring needs numpy, which is imported with the first sound, never before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final, Literal

from mockcic.sound.layer3 import frame_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]
    Floats = NDArray[np.float32]

RATE: Final = 16_000
WINDOW: Final = 320
"""Samples of one look at the level: 20 ms."""

BLOCK_BYTES: Final = 128_000
"""Four seconds are measured at once: less than a millisecond, so that a long upload never holds up others."""

FULL_SCALE: Final = 32768.0
GAP_SAMPLES: Final = RATE // 10
"""A shorter run of one value is no gap: 100 ms."""

MOST_GAPS: Final = 20

ACTIVE_DBFS: Final = -50.0
"""What a sound is suspected of is judged by its windows above this."""

LOOKS: Final = 12
"""So many looks of 20 and 32 ms are taken into what is loud, spread over the first four seconds that have sound."""

ACTIVE_WINDOWS: Final = 15
"""So many of them are needed, 0.3 s: less says nothing for sure."""

Suspicion = Literal["big-endian", "8 kHz", "44.1 kHz", "48 kHz", "stereo", "8-bit", "wav-header", "mp3", "odd-bytes"]
SUSPICIONS: Final[tuple[Suspicion, ...]] = (
    "big-endian",
    "8 kHz",
    "44.1 kHz",
    "48 kHz",
    "stereo",
    "8-bit",
    "wav-header",
    "mp3",
    "odd-bytes",
)


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured of a whole sound.

    `silent_s`: how long it was below the threshold. `clipped`: the fraction of samples at full scale. `gaps`: start and
    length in seconds of runs of one value inside sound. `dc`: the mean, as a fraction of full scale.
    """

    level_dbfs: float | None = None
    peak_dbfs: float | None = None
    silent_s: float = 0.0
    clipped: float = 0.0
    gaps: tuple[tuple[float, float], ...] = ()
    dc: float = 0.0
    suspicions: tuple[Suspicion, ...] = ()


class Gauge:
    """Feed it chunks of any cut; the cuts mean nothing to what is measured.

    `feed` keeps the bytes of a block and measures it when it is whole; nothing is imported by making one.
    """

    __slots__ = (
        "_clipped",
        "_energies",
        "_head",
        "_held",
        "_held_bytes",
        "_highest",
        "_lowest",
        "_runs",
        "_samples",
        "_squares",
        "_sum",
        "_suspected",
        "_threshold_dbfs",
        "roughness",
        "size",
    )

    def __init__(self, *, threshold_dbfs: float = -45.0) -> None:
        self.size = 0
        self.roughness: float | None = None
        """How high the sound is, by the steps between its samples; None before there was any."""
        self._threshold_dbfs = threshold_dbfs
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._head = b""
        self._samples = 0
        self._sum = 0
        self._squares = 0.0
        self._highest = 0
        self._lowest = 0
        self._clipped = 0
        self._energies: list[Floats] = []
        self._runs: list[tuple[int, int]] = []
        self._suspected: tuple[Suspicion, ...] | None = None

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        self.size += len(data)
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes >= BLOCK_BYTES:
            self._measure_whole_blocks()

    def _measure_whole_blocks(self) -> None:
        data = b"".join(self._held)
        whole = len(data) - len(data) % BLOCK_BYTES
        for start in range(0, whole, BLOCK_BYTES):
            self._measure(data[start : start + BLOCK_BYTES])
        self._held = [data[whole:]]
        self._held_bytes = len(data) - whole

    def finish(self) -> Quality:
        """What was measured; nothing may be fed afterwards."""
        rest = b"".join(self._held)
        self._held.clear()
        if len(rest) >= 2 or (rest and not self._head):
            self._measure(rest)
        suspicions = [*_of_the_head(self._head), *(self._suspected or ())]
        if self.size % 2:
            suspicions.append("odd-bytes")
        if not self._samples:
            return Quality(suspicions=tuple(suspicions))
        silent, first, last = self._silence()
        gaps = [
            (round(start / RATE, 3), round(length / RATE, 3))
            for start, length in self._runs
            if length >= GAP_SAMPLES and first <= start and start + length <= last
        ]
        return Quality(
            level_dbfs=_dbfs(math.sqrt(self._squares / self._samples)),
            peak_dbfs=_dbfs(max(self._highest, -self._lowest)),
            silent_s=silent,
            clipped=self._clipped / self._samples,
            gaps=tuple(gaps[:MOST_GAPS]),
            dc=self._sum / self._samples / FULL_SCALE,
            suspicions=tuple(suspicions),
        )

    def _silence(self) -> tuple[float, int, int]:
        """Seconds below the threshold, and the samples between which there is sound."""
        import numpy as np

        if not self._energies:
            return 0.0, 0, 0
        energies = np.concatenate(self._energies) if len(self._energies) > 1 else self._energies[0]
        loud = np.flatnonzero(energies >= WINDOW * (FULL_SCALE * 10 ** (self._threshold_dbfs / 20)) ** 2)
        silent = (len(energies) - len(loud)) * WINDOW / RATE
        return (silent, int(loud[0]) * WINDOW, int(loud[-1] + 1) * WINDOW) if len(loud) else (silent, 0, 0)

    def _measure(self, data: bytes) -> None:
        import numpy as np

        if not self._head:
            self._head = data[:4096]
        samples: Samples = np.frombuffer(data, "<i2", len(data) // 2).astype(np.int16, copy=False)
        if not len(samples):
            return
        begin = self._samples
        self._samples += len(samples)
        highest, lowest = int(samples.max()), int(samples.min())
        self._highest, self._lowest = max(self._highest, highest), min(self._lowest, lowest)
        if highest == 32767 or lowest <= -32767:
            self._clipped += int(np.count_nonzero((samples == 32767) | (samples <= -32767)))
        values = samples.astype(np.float32)
        self._sum += int(samples.sum(dtype=np.int64))
        whole = len(samples) - len(samples) % WINDOW
        windows = values[:whole].reshape(-1, WINDOW)
        energies: Floats = np.einsum("ij,ij->i", windows, windows)
        rest = values[whole:]
        self._squares += float(energies.sum(dtype=np.float64)) + float(rest @ rest)
        if len(energies):
            self._energies.append(energies)
        self._find_runs(samples, begin)
        if self._suspected is None:
            self._suspected = _suspected(samples, values, windows, energies)
            if self._suspected is not None:
                steps = np.diff(values)
                self.roughness = float(steps @ steps) / max(1.0, float(values @ values))

    def _find_runs(self, samples: Samples, begin: int) -> None:
        """Runs of one value; one that goes over the border of two blocks is put together again."""
        import numpy as np

        looks = samples[: len(samples) - len(samples) % WINDOW].reshape(-1, WINDOW)
        still = (looks[:, 60::60] == looks[:, :1]).all(axis=1)
        if not still.any():
            return
        ends = np.flatnonzero(samples[1:] != samples[:-1])
        borders = np.concatenate(([-1], ends, [len(samples) - 1]))
        lengths = np.diff(borders)
        for index in np.flatnonzero(lengths >= WINDOW):
            start, length = begin + int(borders[index]) + 1, int(lengths[index])
            if self._runs and sum(self._runs[-1]) == start:
                before, had = self._runs.pop()
                self._runs.append((before, had + length))
            elif len(self._runs) < 50 * MOST_GAPS:
                self._runs.append((start, length))


def quality_of(pcm: bytes, *, threshold_dbfs: float = -45.0) -> Quality:
    """What can be measured of a whole sound."""
    gauge = Gauge(threshold_dbfs=threshold_dbfs)
    gauge.feed(pcm)
    return gauge.finish()


# ---------------------------------------------------------------------- suspicions


def _of_the_head(head: bytes) -> list[Suspicion]:
    """Files of another kind tell themselves by their first bytes."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return ["wav-header"]
    if head[:3] == b"ID3" and len(head) > 10 and max(head[6:10]) < 0x80:
        return ["mp3"]
    at = 0
    for _ in range(3):  # three heads, each where the one before says
        size = frame_at(head, at)
        if size is None:
            return []
        at += size
    return ["mp3"]


def _suspected(samples: Samples, values: Floats, windows: Floats, energies: Floats) -> tuple[Suspicion, ...] | None:
    """What a block of sound looks like; None when there is too little in it to say."""
    import numpy as np

    active = np.flatnonzero(energies >= WINDOW * (FULL_SCALE * 10 ** (ACTIVE_DBFS / 20)) ** 2)
    if len(active) < ACTIVE_WINDOWS:
        return None
    some = active[:: max(1, len(active) // LOOKS)]
    looks = windows[some]
    as_sent = samples[: windows.size].reshape(-1, WINDOW)[some]
    if float(energies.min()) >= WINDOW * 15000.0**2 and _is_8_bit(as_sent.ravel()):
        return ("8-bit",)
    steps = looks[:, 1:] - looks[:, :-1]
    roughness = _roughness(looks, steps)
    rough = median(roughness.tolist())  # of a dozen: numpy's takes ten times as long
    if rough > 1.0:
        swapped = as_sent.byteswap().astype(np.float32)
        smooth = _roughness(swapped, swapped[:, 1:] - swapped[:, :-1])
        if np.count_nonzero((smooth < 0.8) & (smooth < 0.35 * roughness)) >= 0.25 * len(some):
            return ("big-endian",)
    two_channels = _is_stereo(looks, steps)
    if rough > 1.0 and not two_channels:
        return ()  # as much above 4 kHz as below: nothing breaks off
    spectrum = _spectrum(values, some)
    if two_channels and not 3000 < float(spectrum.argmax()) * HZ < 5000:
        return ("stereo",)  # a tone near 4 kHz falls the same way on every other sample
    edge = _edge(spectrum)
    return () if edge is None else (edge,)


def _roughness(looks: Floats, steps: Floats) -> Floats:
    """Of each look the power of the steps between samples in that of the samples: 2 for noise, 0 for what is lowest."""
    import numpy as np

    power = np.einsum("ij,ij->i", looks, looks) - looks.sum(axis=1) ** 2 / looks.shape[1]
    rough: Floats = np.einsum("ij,ij->i", steps, steps) / np.maximum(power, 1.0)
    return rough


def _is_8_bit(samples: Samples) -> bool:
    """Unsigned 8-bit PCM rests at 128: read as 16-bit it is never quiet, and both bytes of a sample go together."""
    import numpy as np

    halves = samples.view(np.uint8).astype(np.float32) - 128.0
    if np.count_nonzero(np.abs(halves) < 64) < 0.95 * len(halves):
        return False
    first, second = halves[0::2], halves[1::2]
    spread = float(first.std() * second.std())
    if spread < 4.0:
        return True
    return float(np.mean((first - first.mean()) * (second - second.mean()))) / spread > 0.6


def _is_stereo(looks: Floats, steps: Floats) -> bool:
    """Two channels in turn: a sample is much nearer to its neighbour on the other channel than to the next one, or one
    of the channels is all but silent.
    """
    import numpy as np

    left, right = looks[:, 0::2], looks[:, 1::2]
    within, across = steps[:, 0::2], steps[:, 1::2]
    powers = [np.einsum("ij,ij->i", each, each) for each in (left, right, within, across)]
    alike = powers[2] < 0.2 * powers[3]
    one = (powers[0] < 0.01 * powers[1]) | (powers[1] < 0.01 * powers[0])
    return bool(np.count_nonzero(alike | one) >= 0.9 * len(looks))


def _spectrum(values: Floats, windows: NDArray[Any]) -> NDArray[Any]:
    """The power by frequency (31.25 Hz each), of looks into what is loud."""
    import numpy as np

    begins = windows * WINDOW
    begins = begins[begins + 512 <= len(values)]
    looks = values[begins[:, None] + np.arange(512)]
    if not _HANN:
        _HANN.append(np.hanning(512).astype(np.float32))
    spectrum = np.fft.rfft(looks * _HANN[0], axis=1)
    power: NDArray[Any] = (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    return power / max(1, len(begins))


_HANN: list[Floats] = []  # the window of the spectrum, made once

HZ: Final = RATE / 512
EDGES: Final[tuple[tuple[Suspicion, float, float], ...]] = (
    ("8 kHz", 3650, 4150),
    ("44.1 kHz", 2800, 3020),
    ("48 kHz", 2480, 2780),
)
"""Where the spectrum breaks off. A sound of 8 kHz that was blown up has nothing above 4 kHz. One of 44.1 or 48 kHz that
is taken for 16 kHz is a third as high: what speech has up to 8 kHz ends at 2.9 or 2.67 kHz."""

CLIFF_DB: Final = 40.0
FLATNESS: Final = 0.2


def _edge(spectrum: NDArray[Any]) -> Suspicion | None:
    """What a spectrum that breaks off says: broad sound up to an edge, all but nothing above it."""
    import numpy as np

    decibels = 10 * np.log10(spectrum + 1e-3)
    edge = 76 + int((decibels[74:136] - decibels[79:141]).argmax())  # where it falls most within 150 Hz
    below, above = decibels[edge - 18 : edge - 1], float(decibels[edge + 8 : 250].max())
    if float(below.mean()) - above < CLIFF_DB or float(below.min()) - above < CLIFF_DB / 2:
        return None
    flat = 10 ** (float(below.mean()) / 10) / float(spectrum[edge - 18 : edge - 1].mean())
    if flat < FLATNESS:
        return None
    return next((suspicion for suspicion, low, high in EDGES if low <= edge * HZ <= high), None)


PACES: Final[tuple[tuple[Suspicion, float], ...]] = (("8 kHz", 0.5), ("44.1 kHz", 2.75625), ("48 kHz", 3.0))
"""Sound comes in so many times as fast as 32,000 bytes a second when a microphone of another rate runs in real time."""

PACE_WITHIN: Final = 0.015
PACE_S: Final = 2.0
PACE_LOOKS: Final = 8
LOW: Final = 0.01


def suspected_by_pace(arrived: Sequence[tuple[int, int]], roughness: float | None) -> Suspicion | None:
    """Another sample rate, by how fast the sound came: steadily, over two seconds, and within 1.5 % of such a rate.

    `arrived` are milliseconds and bytes so far; `roughness` is that of the sound: what is really of 44.1 or 48 kHz is a
    third as high as it should be, and so hardly rough; sound of 16 kHz that is only sent faster mostly is.
    """
    if len(arrived) < PACE_LOOKS or arrived[-1][0] - arrived[0][0] < 1000 * PACE_S:
        return None
    (begin, had), (end, size) = arrived[0], arrived[-1]
    pace = (size - had) / (end - begin) / 32
    worst = max(abs((each - had) - pace * 32 * (at - begin)) for at, each in arrived)
    if worst > 0.25 * 32_000 * pace:  # a quarter of a second's worth: a burst, or a stall
        return None
    for suspicion, times in PACES:
        if abs(pace / times - 1) <= PACE_WITHIN and (times < 1 or (roughness is not None and roughness < LOW)):
            return suspicion
    return None


def _dbfs(value: float) -> float:
    return max(-96.0, 20 * math.log10(value / FULL_SCALE)) if value > 0 else -96.0


__all__ = ["SUSPICIONS", "Gauge", "Quality", "Suspicion", "quality_of", "suspected_by_pace"]
