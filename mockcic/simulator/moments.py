"""What happens at the device, as values with their times: for printing, for tests that watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mockcic.cic.message import Event
from mockcic.simulator.inbox import Answer, Received

Line = Literal["reply", "downchannel"]


@dataclass(frozen=True, slots=True)
class Connected:
    """An HTTP/2 connection is up."""

    at_s: float
    url: str


@dataclass(frozen=True, slots=True)
class DownchannelOpened:
    """`GET /v1/directives` was answered with 200."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A request was refused: `what` is `downchannel`, `ping` or the name of an event."""

    at_s: float
    what: str
    status: int
    description: str


@dataclass(frozen=True, slots=True)
class EventSent:
    """The metadata of an event was written; sound may follow."""

    at_s: float
    event: Event


@dataclass(frozen=True, slots=True)
class UploadEnded:
    """The sound of an event was written; `stopped` when a StopCapture ended it."""

    at_s: float
    event: Event
    seconds: float
    size: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class DirectiveCame:
    """A directive came; `line` says where."""

    at_s: float
    received: Received
    line: Line


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to an event is complete."""

    at_s: float
    event: Event
    answer: Answer


@dataclass(frozen=True, slots=True)
class Pinged:
    """A keep-alive was answered after `seconds`; `kind` is `frame` or `get`."""

    at_s: float
    kind: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """The downchannel, the connection, or an event's stream is gone; `what` says which."""

    at_s: float
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something about what came that a developer wants to know."""

    at_s: float
    text: str


Moment = (
    Connected
    | DownchannelOpened
    | Refused
    | EventSent
    | UploadEnded
    | DirectiveCame
    | Answered
    | Pinged
    | Lost
    | Noticed
)
