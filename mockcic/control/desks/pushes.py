"""Directives pushed by hand to the devices of a running server."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from mockcic.cic.catalogue import catalogue
from mockcic.cic.message import Attachment, Directive
from mockcic.control.ask import AskError, not_found
from mockcic.control.desks.ending import Ending
from mockcic.control.desks.names import Names
from mockcic.control.shapes import DeliveredTo, Delivery, MissedBy, Push, Target
from mockcic.journal.entry import Entry
from mockcic.scenario.steps import RawStep, Send, read_step
from mockcic.scenario.template import RenderError
from mockcic.server.app import Cic
from mockcic.server.device import Device


class PushDesk:
    """For the server's own loop. Raises `AskError`."""

    def __init__(self, cic: Cic, names: Names, ending: Ending) -> None:
        self._cic = cic
        self._names = names
        self._ending = ending

    async def push(self, asked: Push) -> Delivery:
        """Push a directive; returns when its bytes were handed to every connection, or `within` is over."""
        return await self._deliver(read_push(asked), self._targets(asked.to), within_s=asked.within)

    def _targets(self, target: Target) -> list[Device]:
        """The devices that are meant."""
        if target.device is not None:
            names = [target.device] if isinstance(target.device, str) else target.device
            found = [self._names.find(name) for name in names]
        else:
            found = list(self._cic.devices)
        return [
            device
            for device in found
            if (target.tag is None or any(fnmatch.fnmatchcase(tag, target.tag) for tag in device.facts.tags))
            and (target.user_agent is None or fnmatch.fnmatchcase(device.facts.user_agent, target.user_agent))
        ]

    async def _deliver(self, send: Send | RawStep, devices: Iterable[Device], *, within_s: float) -> Delivery:
        waiting: dict[tuple[str, str], Entry | None] = {}
        out = 0
        missed: list[MissedBy] = []
        warnings: list[str] = []
        all_out = asyncio.Event()

        def hear(entry: Entry) -> None:
            nonlocal out
            if entry.kind == "directive" and "dropped" not in entry.data:
                key = (entry.device, entry.data["message_id"])
                if waiting.get(key, entry) is None:
                    waiting[key] = entry
                    out += 1
                    if out == len(waiting):
                        all_out.set()

        end = self._cic.journal.listen(hear)
        try:
            for device in devices:
                directive, attachments = self._compose(device, send)
                warnings = warnings or objections(directive)
                key = (device.name, directive.message_id)
                if device.downchannel is None:
                    device.push(directive, attachments, "by hand")
                    missed.append(MissedBy(device=device.name, why="no downchannel"))
                    continue
                waiting[key] = None
                if not device.push(directive, attachments, "by hand"):
                    del waiting[key]
                    missed.append(MissedBy(device=device.name, why="the device does not read"))
            if out < len(waiting):
                await self._ending.or_set(all_out, within_s=within_s)
        finally:
            end()
        delivered = [_delivered(entry) for entry in waiting.values() if entry is not None]
        missed += [
            MissedBy(device=name, why="its downchannel ended, or it does not read")
            for (name, _), entry in waiting.items()
            if entry is None
        ]
        return Delivery(count=len(delivered), delivered=delivered, missed=missed, warnings=warnings)

    def _compose(self, device: Device, send: Send | RawStep) -> tuple[Directive, tuple[Attachment, ...]]:
        try:
            return device.engine.compose(send, self._cic.clock.now())
        except RenderError as error:
            raise AskError(422, f"for {device.name}: {error}", member="payload") from None


def read_push(asked: Push) -> Send | RawStep:
    """The step that is to be pushed. A name that the catalogue lacks is refused unless it is a whole `step`."""
    from pydantic import ValidationError

    if asked.step is not None:
        said: Any = read_step(asked.step)
        place = "step"
    else:
        name = asked.directive or ""
        if name not in catalogue().directives:
            raise not_found("directive", name, list(catalogue().directives))
        said = {"directive": name, "payload": asked.payload or {}, "attach": asked.attach}
        said |= {"audio": asked.audio} if asked.audio is not None else {}
        said |= {"dialogRequestId": asked.dialogue} if asked.dialogue is not None else {}
        place = "directive"
    try:
        send = (RawStep if "raw" in said else Send).model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        expected = first.get("ctx", {}).get("expected")
        member = ".".join(str(each) for each in (place, *first["loc"])) if place == "step" else str(first["loc"][0])
        raise AskError(422, first["msg"] + (f"; expected {expected}" if expected else ""), member=member) from None
    audio = send.audio if isinstance(send, Send) else None
    sounds = [sound for sound in (audio, *send.attach.values()) if sound is not None]
    if any(sound.file is not None for sound in sounds):
        raise AskError(
            422, "a file of the server's machine; expected its bytes as base64, or a tone, or silence", member="audio"
        )
    return send


def objections(directive: Directive) -> list[str]:
    """What the catalogue has against a directive; it is sent all the same, for devices are tested with worse."""
    if directive.raw is not None:
        return []
    known = catalogue()
    spec = known.directives.get(directive.full_name)
    if spec is None:
        return [f"{directive.full_name} is no directive of the catalogue"]
    issues = (each for each in known.judge(spec, directive.payload) if each.code != "deprecated")
    return [
        f"{'.'.join(map(str, ('payload', *each.path)))}: found {each.found}, expected {each.expected}"
        for each in issues
    ]


def _delivered(entry: Entry) -> DeliveredTo:
    return DeliveredTo(
        device=entry.device,
        message_id=entry.data["message_id"],
        number=entry.number,
        at=entry.at_s,
        time=datetime.fromtimestamp(entry.wall_s, tz=UTC).isoformat(timespec="milliseconds"),
        bytes=entry.data.get("bytes", 0),
    )
