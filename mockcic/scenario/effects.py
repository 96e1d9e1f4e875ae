"""What is to be done, as values: all that a scenario's engine ever says. The ring of I/O carries them out in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mockcic.cic.message import Attachment, Directive, Refusal
from mockcic.errors import Finding
from mockcic.scenario.faults.fault import Fault


@dataclass(frozen=True, slots=True)
class Push:
    """Send a directive on the device's downchannel, its delimiter in the same write (DEVICES R4).

    Without a downchannel it is dropped, and the journal says so. `why` is for people: what made it due.
    """

    directive: Directive
    attachments: tuple[Attachment, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class CloseDownchannel:
    """End the device's downchannel properly: closing delimiter, END_STREAM."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReplyDirective:
    """Send a directive in the answer to the event on `stream`; the first begins the 200. `last`: nothing follows."""

    stream: str
    directive: Directive
    last: bool = False


@dataclass(frozen=True, slots=True)
class ReplyAttachment:
    """Send an attachment in the answer to the event on `stream`."""

    stream: str
    attachment: Attachment
    last: bool = False


@dataclass(frozen=True, slots=True)
class EndReply:
    """End the answer on `stream`. A 200 that was never begun becomes 204.

    `stop_upload`: the device is still uploading; reset the stream with NO_ERROR behind the answer (PROTOCOL 3.4).
    """

    stream: str
    stop_upload: bool = False


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer the event on `stream` with a System.Exception."""

    stream: str
    refusal: Refusal
    stop_upload: bool = False


@dataclass(frozen=True, slots=True)
class AnswerRaw:
    """Answer the event on `stream` with a status and bytes as they stand."""

    stream: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    stop_upload: bool = False


@dataclass(frozen=True, slots=True)
class SetFault:
    """A fault of the rule that fits the event on `stream`: it is there until that is over."""

    stream: str
    fault: Fault
    event: str


@dataclass(frozen=True, slots=True)
class StepStrike:
    """The turn of a step that is a fault has come: behind what was said before it on its line."""

    stream: str
    fault: Fault
    line: Literal["reply", "downchannel"]


@dataclass(frozen=True, slots=True)
class CallAt:
    """Tell the engine `StepDue(step)` at `when` (seconds, monotonic).

    The others are for the journal: `seconds` a script waits (None where it is no step of a script), and why it runs.
    """

    step: int
    when: float
    stream: str = field(default="", compare=False)
    seconds: float | None = field(default=None, compare=False)
    why: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class CallOff:
    """`StepDue(step)` is no longer wanted."""

    step: int


@dataclass(frozen=True, slots=True)
class Miss:
    """One condition of a rule that did not hold."""

    member: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.member}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True, slots=True)
class Matched:
    """For the journal: the rule that answers the event on `stream`."""

    stream: str
    rule: str


@dataclass(frozen=True, slots=True)
class Unmatched:
    """For the journal: no rule fits the event on `stream`; the nearest ones with each condition that failed."""

    stream: str
    event: str
    nearest: tuple[tuple[str, tuple[Miss, ...]], ...]


@dataclass(frozen=True, slots=True)
class VariablesSet:
    """For the journal: a step or an answer gave variables these values."""

    values: Mapping[str, Any]
    stream: str = ""


@dataclass(frozen=True, slots=True)
class StateChanged:
    """For the journal: the device went from one state to another."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Found:
    """For the journal: a departure of the device, or of the scenario while it ran."""

    finding: Finding
    stream: str = ""


Effect = (
    Push
    | CloseDownchannel
    | ReplyDirective
    | ReplyAttachment
    | EndReply
    | Refuse
    | AnswerRaw
    | SetFault
    | StepStrike
    | CallAt
    | CallOff
    | Matched
    | Unmatched
    | StateChanged
    | VariablesSet
    | Found
)
