"""The seams where a device that misbehaves differs: each takes what is right and gives what the device does.

With no rules to break every seam gives back what it got.
"""

from __future__ import annotations

import uuid
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import cycle
from typing import Any, Final

from mockcic.cic.message import Context, Event
from mockcic.simulator.bad_form import BadForm
from mockcic.simulator.bad_script import spoiled
from mockcic.simulator.inbox import Received
from mockcic.simulator.misbehave import read
from mockcic.simulator.reactions import Script
from mockcic.simulator.state import SEOUL, State
from mockcic.simulator.upload import Form, blocks

RECOGNIZE: Final = ("SpeechRecognizer.Recognize", "TextRecognizer.Recognize")
SPEECH_STATE: Final = {"SpeechStarted": "PLAYING", "SpeechFinished": "FINISHED", "SpeechStopped": "STOPPED"}
OVERTIME_BLOCKS: Final = 10
"""Sound after StopCapture: 2 s, less than servers usually wait (PROTOCOL 3.4)."""

ONCE: Final = frozenset(
    {"headers.token", "headers.content-type", "multipart.delimiters", "message.json", "message.envelope"}
)
"""Broken by one event of their own: it is refused, and all else would be too."""


@dataclass(frozen=True, slots=True)
class Extra:
    """An event that a device sends of itself when it is ready, to break a rule; `crowd` of them at a time."""

    name: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    crowd: int = 0


_SPEC: Final = "Settings.RequestVersionSpec"
EXTRAS: Final[Mapping[str, Extra]] = {
    **{rule: Extra(_SPEC) for rule in sorted(ONCE)},
    "connection.hello-awaited": Extra(_SPEC),
    "connection.streams": Extra(_SPEC, crowd=12),
    "message.known": Extra("MockMaker.SelfTest"),
    "message.payload": Extra("Settings.Report", {"configuration": {"VoiceTypeChange": 7}}),
    "expect.foreign": Extra("Clova.ProcessDelegatedEvent", {"delegationId": "8d0cf2b5-0000-4000-8000-nobodys"}),
}


class Vices:
    """What a device does wrong, and what it has to remember for that. Raises `StartError` for a rule that is none."""

    def __init__(self, rules: Collection[str] = ()) -> None:
        self.rules = read(rules)
        self.answered: Event | None = None
        """What is to be said again after a loss."""
        self._forms = self.rules - ONCE
        self._requests = 0
        self._message_id: str | None = None
        self._has_sent = False
        self._dialogue: str | None = None
        self._deaf_to: set[str | None] = set()
        self._speech: tuple[str, str] | None = None

    def extras(self) -> list[Extra]:
        """What it sends of itself once it is ready."""
        return [extra for rule, extra in EXTRAS.items() if rule in self.rules]

    def rude(self) -> Vices:
        """For those: all that is wrong with such an event."""
        rude = Vices(self.rules)
        rude._forms = self.rules
        return rude

    # ------------------------------------------------------------------ requests

    def form(self) -> Form:
        """The body of an event."""
        return BadForm(rules=self._forms) if self._forms else Form()

    def headers(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of any request."""
        if not self.rules:
            return headers
        self._requests += 1
        changed = [(name, self._header(name, value)) for name, value in headers]
        if "headers.tags" in self.rules:
            changed.append(("x-clova-device-tags", "kitchen,,blue"))
        return [each for each in changed if each[0] != "user-agent" or "headers.user-agent" not in self.rules]

    def for_event(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of an event."""
        return [each for each in headers if each[0] != "authorization" or "headers.token" not in self._forms]

    def _header(self, name: str, value: str) -> str:
        if name == "user-agent" and "headers.user-agent-same" in self.rules:
            return value.replace("/0.1.0", f"/0.1.{self._requests}")
        return value

    def keeps_refused_token(self) -> bool:
        """Whether a 401 changes nothing."""
        return "token.refused-again" in self.rules

    # ------------------------------------------------------------------ after trouble

    def repeats_what_was_cut(self) -> bool:
        """Whether a report without an answer is sent again."""
        return "recovery.event-lost" not in self.rules

    def was_answered(self, event: Event) -> None:
        """An event had its answer: perhaps it is said again later."""
        if "recovery.event-repeated" in self.rules:
            self.answered = event

    # ------------------------------------------------------------------ messages

    def event(self, event: Event) -> Event:
        """An event before it is written."""
        if not self.rules:
            return event
        event = self._with_ids(event)
        if event.full_name in RECOGNIZE:
            event = self._recognize(event)
        event = replace(event, contexts=self._contexts(event))
        self._has_sent = True
        return event

    def _with_ids(self, event: Event) -> Event:
        if "message.id-unique" not in self.rules:
            return event
        used, self._message_id = self._message_id, event.message_id if self._message_id is None else None
        return event if used is None else replace(event, message_id=used)

    def _recognize(self, event: Event) -> Event:
        rules, payload, dialogue = self.rules, dict(event.payload), event.dialog_request_id
        is_follow_up = "speechId" in payload
        if "message.dialogue-new" in rules and not is_follow_up:
            dialogue = self._dialogue = self._dialogue or dialogue
        if "message.dialogue-kept" in rules and is_follow_up:
            dialogue = str(uuid.uuid4())
        if "message.dialogue-required" in rules:
            dialogue = None
        if "message.speech-id" in rules:
            payload = {name: value for name, value in payload.items() if name not in ("speechId", "explicit")}
        if "audio.format" in rules and "format" in payload:
            payload["format"] = "AUDIO_L16_RATE_8000_CHANNELS_1"
        if "audio.wake-word" in rules and "wakeWord" in (initiated := payload.get("initiator", {}).get("payload", {})):
            word = initiated["wakeWord"] | {"indices": {"startIndexInSamples": 0, "endIndexInSamples": 9_600}}
            payload["initiator"] = payload["initiator"] | {"payload": initiated | {"wakeWord": word}}
        return replace(event, payload=payload, dialog_request_id=dialogue)

    def _contexts(self, event: Event) -> tuple[Context, ...]:
        contexts = event.contexts
        if "message.context-true" in self.rules:
            contexts = State().contexts(datetime.now(SEOUL))
        if "message.context-complete" in self.rules and self._has_sent:
            contexts = tuple(each for each in contexts if each.full_name == "Speaker.VolumeState")
        if "message.context" in self.rules:
            contexts = tuple(
                replace(each, payload={**each.payload, "latitude": 37.5})
                if each.full_name == "Clova.Location" else each for each in contexts
            )  # fmt: skip
        if "expect.order" in self.rules:
            contexts = self._as_reported(event, contexts)
        return contexts

    def _as_reported(self, event: Event, contexts: tuple[Context, ...]) -> tuple[Context, ...]:
        """Speech as the reports have it, so that only their order is wrong."""
        if event.namespace == "SpeechSynthesizer" and event.name in SPEECH_STATE:
            self._speech = (SPEECH_STATE[event.name], event.payload["token"])
        if self._speech is None:
            return contexts
        told = {"playerActivity": self._speech[0], "token": self._speech[1]}
        return tuple(replace(each, payload=told) if each.name == "SpeechState" else each for each in contexts)

    # ------------------------------------------------------------------ sound

    def sound(self, pcm: bytes) -> bytes | None:
        """The sound of an utterance; None for an event without."""
        if "audio.present" in self.rules:
            return None
        if "audio.level" in self.rules:
            pcm = bytes(len(pcm))
        if "audio.format" in self.rules:
            samples = array("h", pcm)
            samples.byteswap()
            pcm = samples.tobytes()
        return pcm

    def recorded(self, pcm: bytes, is_stopped: Callable[[], bool]) -> Iterator[bytes]:
        """The blocks that are recorded: the sound, or what is heard until long after StopCapture."""
        whole = blocks(pcm)
        if self.heeds_stop():
            yield from whole
            return
        overtime = 0
        for number, block in enumerate(cycle(whole)):
            overtime += is_stopped()
            if overtime > OVERTIME_BLOCKS or (number >= len(whole) and not overtime):
                return
            yield block

    def heeds_stop(self) -> bool:
        """Whether StopCapture ends the recording."""
        return "audio.stop-capture" not in self.rules

    def haste(self) -> float:
        """A factor of the time the microphone takes."""
        return 0.0 if "audio.pace" in self.rules else 1.0

    # ------------------------------------------------------------------ directives

    def script(self, track: str, script: Script) -> Script:
        """A reaction as it is performed."""
        return spoiled(self.rules, track, script) if self.rules else script

    def judged(self, received: Received) -> Received:
        """A directive, and whether it is obeyed."""
        if not self.rules:
            return received
        directive = received.directive
        dialogue = directive.dialog_request_id
        obeyed = received.obeyed or "dialogue.stale-dropped" in self.rules
        if "dialogue.idless-obeyed" in self.rules and dialogue is None:
            obeyed = directive.full_name == "Clova.Hello"
        if "dialogue.current-obeyed" in self.rules and dialogue is not None:
            obeyed &= dialogue not in self._deaf_to
            if not is_known(directive.full_name):
                self._deaf_to.add(dialogue)
        return replace(received, obeyed=obeyed)


def is_known(name: str) -> bool:
    """Whether the catalogue has this directive."""
    from mockcic.cic.catalogue import catalogue  # only who misbehaves so needs it

    return name in catalogue().directives
