"""How long an MP3 plays, by the headers of its frames (ISO/IEC 11172-3 2.4.1.3, 13818-3 2.4.2.3)."""

from __future__ import annotations

from typing import Final

_KBPS_1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES: Final = (44_100, 48_000, 32_000)
_DIVISOR: Final = {3: 1, 2: 2, 0: 4}
"""Of the sample rate, by the version bits: MPEG-1, MPEG-2, MPEG-2.5."""


def seconds(data: bytes) -> float:
    """The playing time of all Layer III frames in `data`; 0.0 where there is none. Rubbish is stepped over."""
    at, total = _after_id3(data), 0.0
    while at + 4 <= len(data):
        frame = _frame(data[at : at + 4])
        if frame is None:
            at = data.find(b"\xff", at + 1)
            if at < 0:
                break
        else:
            size, length = frame
            total += length
            at += size
    return total


def _after_id3(data: bytes) -> int:
    """Where an ID3v2 tag ends."""
    if not data.startswith(b"ID3") or len(data) < 10:
        return 0
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _frame(head: bytes) -> tuple[int, float] | None:
    """Bytes and seconds of the frame with this head; None when it is none."""
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or layer != 1 or version not in _DIVISOR:
        return None
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if bitrate in (0, 15) or rate == 3:
        return None
    hz = _RATES[rate] // _DIVISOR[version]
    samples = 1152 if version == 3 else 576
    kbps = (_KBPS_1 if version == 3 else _KBPS_2)[bitrate]
    size = samples // 8 * kbps * 1000 // hz + (head[2] >> 1 & 1)
    return size, samples / hz
