"""What happened, as values: all that a scenario's engine is ever told.

`stream` names one HTTP/2 stream of one connection, unique within the process. Times are not in the facts: the engine is
told `now` beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mockcic.cic.message import Event
from mockcic.errors import Finding


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound of an upload as heard so far (16-bit PCM, 16 kHz, mono, little endian: PROTOCOL 3.3).

    `seconds` of sound in `size` bytes; `level_dbfs` is the RMS level of all of it (None before the first sample or
    when nobody asked for it); `silent_for_s` is how long the level has been below the threshold at the end of what
    was heard, after something louder was heard (None before that). `sha256` is known when the upload has ended, and so
    is what was said: `dtmf` digits, the first `marker`, the recording it is `like` (of those a condition names) and
    that was `heard` (of the scenario's), the `text`; None for what nobody asked for, or what was not found. `why` says,
    by member, what there was instead, for people.
    """

    size: int = 0
    seconds: float = 0.0
    level_dbfs: float | None = None
    silent_for_s: float | None = None
    sha256: str | None = None
    dtmf: str | None = None
    marker: int | None = None
    like: str | None = None
    heard: str | None = None
    text: str | None = None
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DownchannelOpened:
    """`GET /v1/directives` was accepted; `replaced` when another one of the device was released for it."""

    stream: str
    connection: str
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class DownchannelClosed:
    """The downchannel ended. `reason` is for people: `replaced`, `device reset the stream`, `connection lost`, ..."""

    stream: str
    reason: str


@dataclass(frozen=True, slots=True)
class EventBegan:
    """The metadata part of an upload is complete and understood; sound may follow.

    `headers` are those of the request, names in lower case.
    """

    stream: str
    event: Event
    headers: Mapping[str, str]
    connection: str = ""


@dataclass(frozen=True, slots=True)
class AudioHeard:
    """More sound of the upload came; `sound` says how much there is by now."""

    stream: str
    sound: Sound


@dataclass(frozen=True, slots=True)
class EventEnded:
    """The upload is complete. `sound` is None when it had no audio part."""

    stream: str
    sound: Sound | None = None


@dataclass(frozen=True, slots=True)
class EventLost:
    """The device gave the stream up (RST_STREAM, or the connection is gone), before or during the answer."""

    stream: str
    reason: str


@dataclass(frozen=True, slots=True)
class AnswerSent:
    """The last byte of the answer was handed to the connection."""

    stream: str


@dataclass(frozen=True, slots=True)
class StopCaptureLost:
    """A fault took the StopCapture of this dialogue away, or made it one that the device need not obey."""

    dialogue: str | None


@dataclass(frozen=True, slots=True)
class Pinged:
    """A keep-alive: `kind` is `frame` (HTTP/2 PING) or `get` (`GET /ping`)."""

    kind: str


@dataclass(frozen=True, slots=True)
class StepDue:
    """A time asked for with the effect `CallAt` has come."""

    step: int


@dataclass(frozen=True, slots=True)
class DeviceReset:
    """The device is to begin anew: state, variables and counters as at the start, running scripts cancelled."""


@dataclass(frozen=True, slots=True)
class CueWanted:
    """Somebody outside makes a named cue of the scenario happen."""

    name: str
    args: Mapping[str, Any]


Fact = (
    DownchannelOpened
    | DownchannelClosed
    | EventBegan
    | AudioHeard
    | EventEnded
    | EventLost
    | AnswerSent
    | StopCaptureLost
    | Pinged
    | StepDue
    | DeviceReset
    | CueWanted
)

__all__ = [
    "AnswerSent",
    "AudioHeard",
    "CueWanted",
    "DeviceReset",
    "DownchannelClosed",
    "DownchannelOpened",
    "EventBegan",
    "EventEnded",
    "EventLost",
    "Fact",
    "Finding",
    "Pinged",
    "Sound",
    "StepDue",
    "StopCaptureLost",
]
