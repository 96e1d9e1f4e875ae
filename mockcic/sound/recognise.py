"""What was said in a sound, without a cloud: digits, a marker, which of some known recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mockcic.sound.dtmf import digits_in
from mockcic.sound.fingerprint import ALIKE, Fingerprint, fingerprint, nearest
from mockcic.sound.make import read_wav
from mockcic.sound.marker import markers_in

HEARD_BYTES: Final = 32_000 * 60
"""More of a sound is not listened to: a minute (INF)."""


@dataclass(frozen=True, slots=True, eq=False)
class Listening:
    """What is to be found out; nothing else is worked out. Recordings by name."""

    dtmf: bool = False
    marker: bool = False
    text: bool = False
    like: Mapping[str, Fingerprint] = field(default_factory=dict)
    recordings: Mapping[str, Fingerprint] = field(default_factory=dict)

    @property
    def to_the_sound(self) -> bool:
        """Whether the sound itself is needed, whoever tells the text."""
        return bool(self.dtmf or self.marker or self.like or self.recordings)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was found; None for what was not. `why` says, by member, what there was instead."""

    dtmf: str | None = None
    marker: int | None = None
    like: str | None = None
    heard: str | None = None
    text: str | None = None
    why: Mapping[str, str] = field(default_factory=dict)


def recognise(pcm: bytes, listening: Listening) -> Recognised:
    """Listen to 16 kHz PCM. It takes some milliseconds for each second of sound: not for the server's loop."""
    why: dict[str, str] = {}
    digits = digits_in(pcm) if listening.dtmf else ""
    if listening.dtmf and not digits:
        why["dtmf"] = "no digit"
    markers = markers_in(pcm) if listening.marker else []
    if listening.marker and not markers:
        why["marker"] = "no marker"
    printed = fingerprint(pcm) if listening.like or listening.recordings else None
    found: dict[str, str | None] = {"like": None, "heard": None}
    for member, known in (("like", listening.like), ("heard", listening.recordings)):
        if not known:
            continue
        name, alike = nearest(printed, known.items())
        if alike >= ALIKE:
            found[member] = name
        elif printed is None:
            why[member] = "hardly a sound"
        else:
            close = f"; nearest is {name} with {alike:.2f}" if name else ""
            why[member] = f"none of the recordings{close} ({ALIKE:g} are needed)"
    return Recognised(digits or None, markers[0] if markers else None, found["like"], found["heard"], why=why)


def read_recording(data: bytes) -> Fingerprint:
    """The fingerprint of a WAV file. Raises `ValueError` that says what was found where there is none."""
    printed = fingerprint(read_wav(data))
    if printed is None:
        raise ValueError("hardly a sound: nothing to know it by")
    return printed


__all__ = ["HEARD_BYTES", "Listening", "Recognised", "read_recording", "recognise"]
