"""From a step to a directive and its attachments: what the author wrote, and what the protocol fixes filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from mockcic.cic.catalogue import catalogue
from mockcic.cic.ids import new_id
from mockcic.cic.message import Attachment, Directive
from mockcic.cic.raw import raw_directive
from mockcic.scenario.directives import MINTED
from mockcic.scenario.steps import RawStep, Send, Sound
from mockcic.scenario.template import render

OF_THE_UPLOAD: Final = frozenset(
    f"SpeechRecognizer.{name}" for name in ("StopCapture", "KeepRecording", "ShowRecognizedText", "ConfirmWakeUp")
)
"""Pushes that belong to the running upload and carry its dialogue (PROTOCOL 3.6); all others carry none."""

STOP_CAPTURE: Final = "SpeechRecognizer.StopCapture"


_SHARED: Final = Random()  # a generator of its own would cost each of thousands of devices 2.5 KB


class Composer:
    """Makes the directives of one device, with ids from one source so that a seed gives the same ones again."""

    def __init__(self, seed: int | None) -> None:
        self.random = _SHARED if seed is None else Random(seed)

    def uuid(self) -> str:
        """A fresh UUID; from the seed when there is one."""
        return new_id(self.random)

    def compose(
        self, step: Send, names: Mapping[str, Any], dialogue: str | None
    ) -> tuple[Directive, tuple[Attachment, ...]]:
        """The directive of a step and its attachments, in the order of the step.

        `dialogue` is the id to echo, None for none. Raises `RenderError`, and `OSError` for a lost
        sound file.
        """
        attachments: list[Attachment] = []
        cids: dict[str, str] = {}
        if step.audio is not None:
            attachments.append(self._attachment(step.audio, names))
        for key, sound in step.attach.items():
            attachments.append(self._attachment(sound, names))
            cids[key] = f"cid:{attachments[-1].content_id}"
        payload = dict(render(step.payload, {**names, "cid": cids} if cids else names))
        self._complete(step.directive, payload, attachments[0].content_id if step.audio is not None else None)
        namespace, _, name = step.directive.partition(".")
        return (
            Directive(
                namespace=namespace,
                name=name,
                message_id=self.uuid() if step.message_id is None else str(render(step.message_id, names)),
                payload=payload,
                dialog_request_id=_dialogue(step.dialogue, dialogue, lambda text: str(render(text, names))),
            ),
            tuple(attachments),
        )

    def compose_raw(self, step: RawStep, names: Mapping[str, Any]) -> tuple[Directive, tuple[Attachment, ...]]:
        """As `compose`, of a part that is sent as it stands."""
        attachments = tuple(self._attachment(sound, names, key) for key, sound in step.attach.items())
        return raw_directive(step.raw.content(), self.uuid()), attachments

    def _attachment(self, sound: Sound, names: Mapping[str, Any], called: str | None = None) -> Attachment:
        content_id = called or self.uuid() if sound.content_id is None else str(render(sound.content_id, names))
        return Attachment(content_id=content_id, data=sound.content(), rate=sound.rate, chunk=sound.chunk)

    def _complete(self, name: str, payload: dict[str, Any], content_id: str | None) -> None:
        """Fill in what the protocol fixes and the author left out (PROTOCOL 4.4, 4.5; the catalogue)."""
        if content_id is not None:
            payload.setdefault("url", f"cid:{content_id}")
        if name in MINTED:
            payload.setdefault(MINTED[name], self.uuid())
        spec = catalogue().directives.get(name)
        if spec is not None:
            for member, value in catalogue().fixed_members(spec).items():
                payload.setdefault(member, value)


def _dialogue(wanted: str | None, echo: str | None, fill: Callable[[str], str]) -> str | None:
    """The dialogue id of a directive: what the author wants, or the one to echo."""
    match wanted:
        case None | "echo":
            return echo
        case "none":
            return None
        case _:
            return fill(wanted)
