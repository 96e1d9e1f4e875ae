"""What an engine knows of its device and of each event that is on its way."""

from __future__ import annotations

from dataclasses import dataclass, field

from mockcic.cic.facts import EventBegan, Sound
from mockcic.cic.message import Attachment, Event
from mockcic.scenario.model import Answer, Rule
from mockcic.scenario.steps import Cue


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """What is known of a device from its requests: shown to templates and conditions as `device`."""

    id: str = "device"
    token: str = ""
    user_agent: str = ""
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Upload:
    """An event from its metadata on, until its answer has been sent and the upload has ended."""

    began: EventBegan
    sound: Sound | None = None
    cues: list[Cue] = field(default_factory=list)
    ended: bool = False
    answered: bool = False
    sent: bool = False
    stop_pushed: bool = False
    answer: Answer | None = None
    rule: Answer | None = None
    beside: list[Rule] = field(default_factory=list)
    unsent: list[Attachment] = field(default_factory=list)
    faulty: list[Answer] = field(default_factory=list)
    """The rule or answer whose faults were set for it."""

    @property
    def stream(self) -> str:
        return self.began.stream

    @property
    def event(self) -> Event:
        return self.began.event

    @property
    def dialogue(self) -> str | None:
        return self.began.event.dialog_request_id
