"""What `mockcic device` prints: a line for each moment of the device's life, for people or for programs."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mockcic.simulator.inbox import Received
    from mockcic.simulator.moments import Moment


class JsonLines:
    """A moment as a JSON object: `at_s`, `kind`, and what the moment has."""

    def show(self, moment: Moment) -> None:
        """Print it."""
        members = {each.name: plain(getattr(moment, each.name)) for each in fields(moment)}
        head = {"at_s": round(members.pop("at_s"), 6), "kind": type(moment).__name__}
        click.echo(json.dumps(head | members, ensure_ascii=False))


def plain(value: Any) -> Any:
    """A value as JSON has it; messages as on the wire, sound as its size."""
    from mockcic.cic.message import Directive, Event

    if isinstance(value, Event | Directive):
        return value.as_json()
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return len(value) if isinstance(value, bytes) else value


class TextLines:
    """Lines for people: seconds since the start, who speaks, what is said; dialogues are called d1, d2, ..."""

    def __init__(self) -> None:
        self._dialogues: dict[str, str] = {}
        self._last = ""

    def show(self, moment: Moment) -> None:
        """Print it, unless it only repeats the line before, as each vain attempt to connect anew would."""
        from mockcic.simulator.moments import Lost

        text = self.describe(moment)
        if text != self._last or not isinstance(moment, Lost):
            click.echo(f"{moment.at_s:+9.3f}  {text}")
        self._last = text

    def describe(self, moment: Moment) -> str:
        """The line without its time."""
        from mockcic.simulator import moments

        match moment:
            case moments.Connected(_, url):
                return click.style(f"connected  {url}", dim=True)
            case moments.DownchannelOpened():
                return click.style("downchannel open", bold=True)
            case moments.Refused(_, what, status, description):
                return click.style(f"! {what}: {status} {description}".rstrip(), fg="red")
            case moments.EventSent(_, event):
                name = click.style(event.full_name, bold=True)
                return f"→ {name}{self._dialogue(event.dialog_request_id)}{gist(event.payload)}"
            case moments.UploadEnded(_, event, seconds, size, stopped):
                why = ", ended by StopCapture" if stopped else ""
                return f"  {seconds:.2f} s of sound, {human(size)}{why}{self._dialogue(event.dialog_request_id)}"
            case moments.DirectiveCame(_, received, line):
                return self._directive(received, line)
            case moments.Answered(_, event, answer):
                return click.style(f"  {answer.status} {event.full_name}", dim=answer.status < 400)
            case moments.Pinged(_, kind, seconds):
                what = "GET /ping" if kind == "get" else "PING frame"
                return click.style(f"{what} answered  {1000 * seconds:.1f} ms", dim=True)
            case moments.Lost(_, what, reason):
                return click.style(f"! {what} lost: {reason}", fg="yellow")
            case moments.Noticed(_, text):
                return click.style(f"! {text}", fg="yellow")

    def _directive(self, received: Received, line: str) -> str:
        directive = received.directive
        arrow = "  ⇐" if line == "reply" else "⇓"
        size = sum(map(len, received.attachments.values()))
        sound = f" + {human(size)}" if received.attachments else ""
        text = f"{directive.full_name}{sound}"
        rest = f"{self._dialogue(directive.dialog_request_id)}{gist(directive.payload)}"
        if not received.obeyed:
            return click.style(f"{arrow} {text}{rest}  dropped: another dialogue", fg="yellow")
        return f"{arrow} {click.style(text, fg='green')}{rest}"

    def _dialogue(self, dialogue: str | None) -> str:
        if dialogue is None:
            return ""
        return " " + click.style(self._dialogues.setdefault(dialogue, f"d{len(self._dialogues) + 1}"), fg="cyan")


def gist(payload: Any) -> str:
    """What a payload says, where one member says it all."""
    for member in ("text", "ttsText", "recognizedText", "target", "command"):
        if isinstance(payload.get(member), str):
            return f"  “{payload[member][:60]}”"
    return ""


def human(size: int) -> str:
    """`640 B`, `8.9 KB`."""
    return f"{size} B" if size < 1000 else f"{size / 1000:.1f} KB"
