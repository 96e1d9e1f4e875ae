"""Make sounds: silence, tones, WAV and real MP3 (through LAME)."""

from __future__ import annotations

import io
import math
import sys
import wave
from array import array
from functools import lru_cache
from itertools import chain, islice, repeat
from typing import Final

RATE: Final = 16_000
FADE_S: Final = 0.005
"""Tones swell and fade so long, or loudspeakers click."""

PIECE: Final = 2 * 1152
"""Bytes of PCM given to LAME at once: a frame. The room it has for what comes of more is too small at high rates."""


def silence(seconds: float, rate: int = RATE) -> bytes:
    """16-bit PCM of nothing."""
    return bytes(2 * round(seconds * rate))


def tone(hz: float, seconds: float, level_dbfs: float = -12.0, rate: int = RATE) -> bytes:
    """A sine of this RMS level, with short fades, as 16-bit little-endian PCM."""
    count = round(seconds * rate)
    peak = 32767 * min(1.0, math.sqrt(2) * 10 ** (level_dbfs / 20))
    fade = max(1, min(round(FADE_S * rate), count // 2))
    step = 2 * math.pi * hz / rate
    samples = array(
        "h", (round(peak * min(1.0, n / fade, (count - n) / fade) * math.sin(step * n)) for n in range(count))
    )
    return _little(samples)


def wav(pcm: bytes, rate: int = RATE) -> bytes:
    """A WAV file of 16-bit mono PCM."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(pcm)
    return file.getvalue()


@lru_cache(maxsize=64)
def mp3(pcm: bytes, rate: int = RATE, bitrate_kbps: int = 32, out_rate: int | None = None) -> bytes:
    """An MP3 of 16-bit mono PCM: MPEG-1/2 Layer III, as directives announce with AUDIO_MPEG (PROTOCOL 4.5).

    `rate` is the PCM's, `out_rate` the MP3's where that is another (LAME converts).
    """
    import lameenc

    encoder = lameenc.Encoder()
    encoder.set_bit_rate(bitrate_kbps)
    encoder.set_in_sample_rate(rate)
    encoder.set_out_sample_rate(out_rate or rate)
    encoder.set_channels(1)
    encoder.set_quality(7)
    if hasattr(encoder, "silence"):
        encoder.silence()
    pieces = (encoder.encode(pcm[begin : begin + PIECE]) for begin in range(0, len(pcm), PIECE))
    return b"".join(map(bytes, pieces)) + bytes(encoder.flush())


def read_pcm(data: bytes) -> tuple[bytes, int]:
    """The sound of a WAV file as 16-bit mono PCM, and its sample rate. Raises `ValueError` that says what was found."""
    try:
        with wave.open(io.BytesIO(data)) as reader:
            channels, width, rate = reader.getnchannels(), reader.getsampwidth(), reader.getframerate()
            frames: bytes = reader.readframes(reader.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"not a WAV file of PCM: {error}") from None
    if width != 2:
        raise ValueError(f"samples of {8 * width} bits; expected 16")
    if channels == 1:
        return frames, rate
    samples = array("h", frames)
    if sys.byteorder == "big":
        samples.byteswap()
    samples = array("h", (sum(group) // channels for group in zip(*([iter(samples)] * channels), strict=False)))
    return _little(samples), rate


def read_wav(data: bytes) -> bytes:
    """The sound of a WAV file as devices upload it: 16-bit, 16 kHz, mono (PROTOCOL 3.3).

    Other rates and channels are converted, simply. Raises `ValueError` that says what was found where that cannot be.
    """
    pcm, rate = read_pcm(data)
    return resampled(pcm, rate)


def resampled(pcm: bytes, rate: int) -> bytes:
    """16-bit mono PCM at 16 kHz."""
    if rate == RATE:
        return pcm
    samples = array("h", pcm[: len(pcm) & ~1])
    if sys.byteorder == "big":
        samples.byteswap()
    return _little(_resampled(samples, rate))


def _resampled(samples: array[int], rate: int) -> array[int]:
    """Linear interpolation: good enough for a test device's microphone."""
    count = len(samples) * RATE // rate
    following = list(chain(islice(samples, 1, None), repeat(samples[-1] if samples else 0, 1)))
    result = array("h")
    for n in range(count):
        at, rest = divmod(n * rate, RATE)
        result.append(round(samples[at] + (following[at] - samples[at]) * rest / RATE))
    return result


def _little(samples: array[int]) -> bytes:
    if sys.byteorder == "big":
        samples = array("h", samples)
        samples.byteswap()
    return samples.tobytes()
