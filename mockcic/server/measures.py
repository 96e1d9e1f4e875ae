"""What the journal says of an upload's sound: its measures as members of an entry, and where the wake word lies."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, TypeGuard

from mockcic.cic.message import Event
from mockcic.sound.quality import RATE, Quality, Suspicion

_LOADED: list[bool] = []


def numpy_is_there() -> bool:
    """Whether measuring imports nothing any more."""
    return bool(_LOADED)


def load_numpy() -> asyncio.Future[object]:
    """Import what measuring needs in a thread, a tenth of a second; done when the future is."""

    def load() -> None:
        import_module("numpy.fft")
        _LOADED.append(True)

    return asyncio.get_running_loop().run_in_executor(None, load)


def measures(
    quality: Quality,
    suspicions: Sequence[Suspicion],
    arrived: Sequence[tuple[int, int]],
    event: Event | None,
    size: int,
) -> dict[str, Any]:
    """The members of an `upload` entry (docs/journal.md). `size` is that of the sound in bytes."""
    peak = quality.peak_dbfs
    found: dict[str, Any] = {
        "peak_dbfs": None if peak is None else round(peak, 1),
        "silent_s": round(quality.silent_s, 2),
        "clipped": round(quality.clipped, 6),
        "gaps": [list(gap) for gap in quality.gaps],
        "dc": round(quality.dc, 5),
        "suspicions": list(suspicions),
        "arrived": [list(look) for look in arrived],
    }
    word = None if event is None else wake_word(event.payload, size)
    return found if word is None else {**found, "wake_word": word}


def wake_word(payload: Mapping[str, Any], size: int) -> dict[str, Any] | None:
    """Where a device says the wake word is, in seconds of its sound; None when it says nothing that can be read.

    `lead_s` is how much sound there is before it (300 ms are asked for), `inside` whether it begins before it ends and
    ends within the sound (PROTOCOL 3.3: indices count samples from the start of the stream).
    """
    initiator = payload.get("initiator")
    if not isinstance(initiator, Mapping) or initiator.get("type") != "WAKEWORD":
        return None
    at: Any = initiator
    for member in ("payload", "wakeWord", "indices"):
        at = at.get(member) if isinstance(at, Mapping) else None
    if not isinstance(at, Mapping):
        return None
    start, end = at.get("startIndexInSamples"), at.get("endIndexInSamples")
    if not _is_index(start) or not _is_index(end):
        return None
    start_s, end_s = round(start / RATE, 4), round(end / RATE, 4)
    return {"start_s": start_s, "end_s": end_s, "lead_s": start_s, "inside": 0 <= start < end <= size // 2}


def _is_index(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**12


__all__ = ["load_numpy", "measures", "numpy_is_there", "wake_word"]
