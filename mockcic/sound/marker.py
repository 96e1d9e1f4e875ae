"""The tone code: a number as a short melody that a program hears again. One code for both directions.

In test audio it says which question this is (`audio.marker: 7`); where no synthesiser is installed it stands for a
prompt, so that a test can tell which prompt a device played. The code, an invention of ours (`docs/sound.md`):

    preamble   1050 + 1650 Hz for 160 ms, 40 ms of silence
    8 digits   60 ms each, 20 ms of silence behind it: 6 hexadecimal digits of the number, highest first, 2 of its check
    a digit    one of 1850, 2050, 2250, 2450 Hz (digit / 4) together with one of 2750, 2950, 3150, 3350 Hz (digit % 4)
    check      CRC-32 of the number's three bytes, highest first; its lowest 8 bits

Numbers up to 999,999 are yours; those from 8,388,608 on are prompts, by the CRC-32 of their text.
"""

from __future__ import annotations

import zlib
from typing import Final

from mockcic.sound.tones import HOP_S, LOOK_S, RATE, look, pair, pause, pcm_of

PREAMBLE: Final = (1050.0, 1650.0)
LOW: Final = (1850.0, 2050.0, 2250.0, 2450.0)
HIGH: Final = (2750.0, 2950.0, 3150.0, 3350.0)

PREAMBLE_S: Final = 0.16
AFTER_PREAMBLE_S: Final = 0.04
TONE_S: Final = 0.06
PAUSE_S: Final = 0.02
DIGITS: Final = 6
CHECKS: Final = 2

HIGHEST: Final = 999_999
PROMPTS: Final = 0x800000

SHARE: Final = 0.4
"""So much of the power is in the two tones of a look (INF): a prompt may be played beside some noise."""


def marker(number: int, rate: int = RATE) -> bytes:
    """The melody of a number as 16-bit PCM: 1.04 s with 100 ms of silence around it. Raises `ValueError`."""
    if not (0 <= number <= HIGHEST or PROMPTS <= number <= 0xFFFFFF):
        raise ValueError(f"{number} is no marker; there are 0 to {HIGHEST}")
    parts = [pause(0.1, rate), pair(*PREAMBLE, PREAMBLE_S, rate), pause(AFTER_PREAMBLE_S, rate)]
    for digit in _digits(number):
        parts += [pair(LOW[digit // 4], HIGH[digit % 4], TONE_S, rate), pause(PAUSE_S, rate)]
    return pcm_of([*parts, pause(0.1, rate)])


def prompt_number(text: str) -> int:
    """The number of a prompt: the same for the same text; blanks around it and runs of them do not count."""
    return PROMPTS | zlib.crc32(" ".join(text.split()).encode()) & (PROMPTS - 1)


def prompt(text: str, rate: int = RATE) -> bytes:
    """The melody that stands for a prompt, as 16-bit PCM."""
    return marker(prompt_number(text), rate)


def markers_in(pcm: bytes) -> list[int]:
    """The numbers in 16 kHz PCM, in order; only those whose check is right."""
    import numpy as np

    looks = look(pcm, (*PREAMBLE, *LOW, *HIGH))
    if looks is None:
        return []
    shares = looks.shares
    is_preamble = looks.loud & (shares[:, :2].sum(axis=1) > SHARE) & (shares[:, :2].min(axis=1) > SHARE / 8)
    found = []
    at, needed = 0, round(0.6 * PREAMBLE_S / HOP_S)
    while at < len(shares):
        begins = np.flatnonzero(is_preamble[at:])
        if not len(begins):
            break
        begin = at + int(begins[0])
        ends = np.flatnonzero(~is_preamble[begin:])
        end = begin + (int(ends[0]) if len(ends) else len(shares) - begin)
        if end - begin >= needed:
            # the looks of a tone are centred on it: its middle is half a preamble and so on behind the looks' middle
            middle = (begin + end - 1) / 2 * HOP_S + LOOK_S / 2
            number = _read(shares, middle + PREAMBLE_S / 2 + AFTER_PREAMBLE_S + TONE_S / 2)
            if number is not None:
                found.append(number)
        at = end + 1
    return found


def _read(shares: object, first_s: float) -> int | None:
    """The number whose first digit has its middle there; None when a digit or the check is not right."""
    import numpy as np

    assert isinstance(shares, np.ndarray)
    digits = []
    for index in range(DIGITS + CHECKS):
        at = round((first_s + index * (TONE_S + PAUSE_S) - LOOK_S / 2) / HOP_S)
        if at + 1 >= len(shares):
            return None
        tones = shares[at - 1 : at + 2].mean(axis=0)
        low, high = tones[2:6], tones[6:10]
        if float(low.max() + high.max()) < SHARE:
            return None
        digits.append(int(low.argmax()) * 4 + int(high.argmax()))
    number = 0
    for digit in digits[:DIGITS]:
        number = number << 4 | digit
    return number if _digits(number) == digits else None


def _digits(number: int) -> list[int]:
    """The hexadecimal digits of a number and its check."""
    check = zlib.crc32(number.to_bytes(3, "big")) & 0xFF
    whole = number << 8 | check
    return [whole >> shift & 0xF for shift in range(4 * (DIGITS + CHECKS - 1), -1, -4)]


__all__ = ["HIGHEST", "PROMPTS", "marker", "markers_in", "prompt", "prompt_number"]
