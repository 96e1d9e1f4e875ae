"""When a cue is due in an upload, and how the journal says why it was."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Literal

from mockcic.cic.facts import Sound
from mockcic.scenario.compose import STOP_CAPTURE
from mockcic.scenario.settings import Heard
from mockcic.scenario.steps import Cue, Moment, Send
from mockcic.sound.measure import BYTES_A_SECOND

STOP: Final = Send(directive=STOP_CAPTURE)

Seconds = Callable[[float | str], float]
"""Reads a duration of a scenario, which may be a template."""


@lru_cache(maxsize=64)
def stop_cue(heard: Heard | Literal["never"]) -> Cue | None:
    """The cue that pushes StopCapture by itself, as the setting `stop_capture` has it."""
    if heard == "never":
        return None
    moment = Moment.model_construct(**{name: getattr(heard, name) for name in Heard.model_fields})
    return Cue.model_construct(after=moment, push=[STOP])


def waits_for_sound(cue: Cue) -> bool:
    """Whether it is due at a moment of the upload's sound, or at its end."""
    return cue.after is not None and any((cue.after.audio, cue.after.bytes, cue.after.silence, cue.after.upload))


def heard_at_s(cue: Cue, seconds: Seconds) -> float:
    """Seconds of sound after which a cue is due; what waits for silence comes last."""
    after = cue.after
    assert after is not None
    if after.audio is not None:
        return seconds(after.audio)
    return math.inf if after.bytes is None else after.bytes / BYTES_A_SECOND


def is_heard(cue: Cue, sound: Sound, seconds: Seconds) -> bool:
    """Whether a cue is due when so much of the sound has come."""
    after = cue.after
    assert after is not None
    if after.audio is not None:
        return sound.seconds >= seconds(after.audio) - 1e-9
    if after.bytes is not None:
        return sound.size >= after.bytes
    if after.silence is not None:
        return sound.silent_for_s is not None and sound.silent_for_s >= seconds(after.silence) - 1e-9
    return False


def why(cue: Cue) -> str:
    """Why a cue came, for the journal."""
    match cue.after:
        case Moment(audio=float(seconds)):
            return f"after {seconds:g} s of sound"
        case Moment(bytes=int(size)):
            return f"after {size} bytes of sound"
        case Moment(silence=float(seconds)):
            return f"after {seconds:g} s of silence"
        case Moment(upload="ended"):
            return "at the end of the upload"
        case Moment(event=str(name)):
            return f"after {name}"
        case Moment(time=float(seconds)):
            return f"after {seconds:g} s"
    return "" if cue.every is None else f"every {cue.every:g} s" if isinstance(cue.every, float) else ""
