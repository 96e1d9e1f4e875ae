"""DTMF (ITU-T Q.23): the digits in a test's sound, and sounds with such digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mockcic.sound.tones import HOP_S, RATE, look, pair, pause, pcm_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOW: Final = (697.0, 770.0, 852.0, 941.0)
HIGH: Final = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS: Final = ("123A", "456B", "789C", "*0#D")

TONE_S: Final = 0.08
PAUSE_S: Final = 0.08

SHORTEST_S: Final = 0.04
"""A digit lasts at least so long (Q.24: 40 ms are to be taken, 23 ms are not)."""

SHARE: Final = 0.7
"""So much of the power is in the two tones (INF): speech has it only for moments."""

TWIST: Final = 8.0
"""One tone has at most so many times the power of the other (INF; Q.24 has 4 to 8)."""


def dtmf(digits: str, rate: int = RATE) -> bytes:
    """The digits as 16-bit PCM. Raises `ValueError` for what is no digit."""
    parts = [pause(PAUSE_S, rate)]
    for digit in digits:
        row = next((index for index, keys in enumerate(KEYS) if digit in keys), None)
        if row is None:
            raise ValueError(f"{digit!r} is no DTMF digit; there are 0 to 9, *, #, A to D")
        parts += [pair(LOW[row], HIGH[KEYS[row].index(digit)], TONE_S, rate), pause(PAUSE_S, rate)]
    return pcm_of(parts)


def digits_in(pcm: bytes) -> str:
    """The digits in 16 kHz PCM, in order; empty when there are none."""
    looks = look(pcm, (*LOW, *HIGH))
    if looks is None:
        return ""
    found, last, length = [], "", 0
    needed = round((SHORTEST_S - 0.01) / HOP_S)  # a look sees a tone wholly only in its middle
    for digit in [*_digits(looks.shares, looks.loud), ""]:
        if digit == last:
            length += 1
            continue
        if last and length >= needed:
            found.append(last)
        last, length = digit, 1
    return "".join(found)


def _digits(shares: NDArray[Any], loud: NDArray[Any]) -> list[str]:
    """The digit of each look, empty where there is none."""
    import numpy as np

    low, high = shares[:, :4], shares[:, 4:]
    row, column = low.argmax(axis=1), high.argmax(axis=1)
    at = np.arange(len(shares))
    first, second = low[at, row], high[at, column]
    is_digit = loud & (first + second > SHARE) & (first < TWIST * second) & (second < TWIST * first)
    return [KEYS[row[each]][column[each]] if is_digit[each] else "" for each in range(len(shares))]


__all__ = ["digits_in", "dtmf"]
