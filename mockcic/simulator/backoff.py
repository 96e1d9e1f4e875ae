"""How long to pause before the next attempt at a downchannel: a pure function of the attempts so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

STEADY_S: Final = 10.0
"""A downchannel that lasted so long was no failure (INF)."""

MOST_S: Final = 4.0
"""The pause grows to this: a lost downchannel is to be opened anew at once (PROTOCOL 2.1)."""

TRIES: Final = 45
WITHIN_S: Final = 600.0
"""No more than so many attempts in ten minutes; the sibling protocol forbids 50 (PROTOCOL 2.6, AVS)."""


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt: when it began, and how long it and what it opened lasted, in seconds."""

    at_s: float
    lasted_s: float


def pause_s(tries: Sequence[Try], now_s: float, base_s: float) -> float:
    """Seconds to wait: `base_s`, twice that after each further attempt in a row that did not last, up to `MOST_S`."""
    failures = 0
    for each in reversed(tries):
        if each.lasted_s >= STEADY_S:
            break
        failures += 1
    pause = min(base_s * 2.0 ** min(max(0, failures - 1), 16), max(base_s, MOST_S))
    if len(tries) >= TRIES:
        pause = max(pause, tries[-TRIES].at_s + WITHIN_S - now_s)
    return pause
