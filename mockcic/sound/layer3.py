"""MPEG audio Layer III by its frame heads: what rates and bit rates there are (ISO/IEC 11172-3, 13818-3)."""

from __future__ import annotations

from typing import Final

BITRATES_1: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
"""Kilobits a second of MPEG-1."""

BITRATES_2: Final = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""Of MPEG-2, at half the sample rates."""

RATES_1: Final = (44_100, 48_000, 32_000)
RATES_2: Final = (22_050, 24_000, 16_000)

RATES: Final = tuple(sorted((*RATES_1, *RATES_2)))
"""The sample rates that an `AUDIO_MPEG` of PROTOCOL 4.5 may have."""


def bitrates_of(rate: int) -> tuple[int, ...]:
    """The bit rates that there are at a sample rate."""
    return BITRATES_1 if rate in RATES_1 else BITRATES_2


def frame_at(data: bytes, at: int) -> int | None:
    """The size in bytes of the Layer III frame (MPEG-1 or 2) that begins here; None when none does."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version not in (2, 3) or layer != 1 or bitrate in (0, 15) or rate == 3:
        return None
    first = version == 3
    hz = (RATES_1 if first else RATES_2)[rate]
    kbps = (BITRATES_1 if first else BITRATES_2)[bitrate - 1]
    return (144 if first else 72) * kbps * 1000 // hz + (head[2] >> 1 & 1)


__all__ = ["BITRATES_1", "BITRATES_2", "RATES", "bitrates_of", "frame_at"]
