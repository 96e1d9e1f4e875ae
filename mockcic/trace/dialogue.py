"""The journal as lines for people: what `mockcic serve` and `mockcic show` print, and what a failed test reports.

The texts have ANSI colours; `click.echo` drops them where there is no terminal, `click.unstyle` anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, assert_never

import click

from mockcic.journal.entry import Entry
from mockcic.verdict.text import Keep, keep_value, verdict_text
from mockcic.verdict.verdict import verdict_of

STRUCK: Final = "struck"
"""The phase of a fault in which it does something."""

GIST: Final = 60
"""Characters of what a payload says that a line shows (INF)."""


def dialogue_lines(entries: Iterable[Entry], *, verdicts: bool = True) -> Iterator[str]:
    """A text for each entry that says something: seconds since the journal began, device, what happened.

    A refusal is told once: by its answer, where that is among the entries. `verdicts`: under a verification that was
    not kept stands why, field by field.
    """
    entries = list(entries)
    answered = {(entry.connection, entry.stream) for entry in entries if entry.kind == "answer"}
    for entry in entries:
        if entry.kind == "exception" and (entry.connection, entry.stream) in answered:
            continue
        line = dialogue_line(entry)
        if line is not None:
            yield line
        if verdicts:
            yield from verdict_lines(entry)


def dialogue_line(entry: Entry) -> str | None:
    """The text of one entry with its time and device; None when it says nothing to a person."""
    text = describe(entry)
    if text is None:
        return None
    who = harmless(entry.device or entry.connection)
    device = click.style(f"{who:<8}", fg="cyan" if entry.device else None, dim=None if entry.device else True)
    return f"{entry.at_s:+9.3f}  {device} {text}"


def verdict_lines(entry: Entry) -> Iterator[str]:
    """Why a verification was not kept, field by field, to stand under its line."""
    if entry.kind == "verdict":
        _, *rest = why_text(entry).split("\n")
        yield from (f"{'':22}{line}" for line in rest)


def why_text(entry: Entry, *, keep: Keep | None = keep_value) -> str:
    """Why a verification came out as it did: one line, or all that its entry has (`keep`: see `verdict_text`)."""
    if "nearest" not in entry.data:
        return said(entry.data.get("why"))
    _, *lines = verdict_text(verdict_of(entry), keep=keep).split("\n")
    return "\n".join(line.removeprefix("  ") for line in lines)


def harmless(value: Any) -> Any:
    """What a device sent, for a terminal: control characters, which could rewrite the screen, become �."""
    if isinstance(value, str):
        return value if value.isprintable() else "".join(each if each.isprintable() else "�" for each in value)
    if isinstance(value, Mapping):
        return {harmless(key): harmless(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [harmless(member) for member in value]
    return value


def said(value: object) -> str:
    """A value of an entry within a line: a text as it is, all else as JSON; nothing of None."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return str(harmless(text))


def describe(entry: Entry) -> str | None:
    """What happened, with colour where there is trouble; None when it says nothing to a person."""
    data = entry.data
    name = said(entry.name)
    dialogue = f" {_short(entry.dialogue)}" if entry.dialogue else ""
    match entry.kind:
        case "connect":
            return click.style(f"connect  {name}  {'TLS' if data.get('tls') else 'clear text'}", dim=True)
        case "disconnect":
            return click.style(f"disconnect  {said(data.get('reason'))}", dim=True)
        case "device":
            tags = f"  ({', '.join(map(said, data['tags']))})" if data.get("tags") else ""
            return click.style(f"device {name}  {said(data.get('user_agent'))}".rstrip() + tags, dim=True)
        case "downchannel":
            return _downchannel(entry)
        case "event":
            return f"{click.style(name, bold=True)}{dialogue}{_gist(data.get('payload'))}"
        case "upload":
            return _upload(data) + dialogue
        case "match":
            return _match(entry)
        case "step":
            why = f"  ({said(data['why'])})" if data.get("why") else ""
            return click.style(f"  {name} {said(data.get('detail'))}{why}", dim=True)
        case "directive":
            return _directive(entry, dialogue)
        case "attachment":
            arrow = _arrow(data)
            return (
                f"  {click.style(f'{arrow} + {name}', fg='green')}{dialogue}  "
                f"{said(data.get('bytes'))} bytes  {said(data.get('type'))}"
            ).rstrip()
        case "exception":
            of = f"  ({said(data['event'])})" if data.get("event") else ""
            code = said(data.get("code"))
            status = said(data.get("status"))
            both = status if code in (status, "") else f"{status} {code}"
            return click.style(f"  {name} {both}: {said(data.get('description'))}{of}", fg="red")
        case "answer":
            return _answer(entry)
        case "ping":
            return click.style(f"ping ({'GET /ping' if name == 'get' else 'frame'})", dim=True)
        case "state":
            return f"  state {said(data.get('before'))} → {name}"
        case "finding":
            colour = "red" if data.get("severity") == "error" else "yellow"
            mend = f"; {said(data['mend'])}" if data.get("mend") else ""
            text = f"! {name}: {said(data.get('found'))}; expected {said(data.get('expected'))}{mend}"
            return click.style(text, fg=colour)
        case "fault":
            return _fault(entry)
        case "token":
            return _token(entry)
        case "scenario":
            changed = f" ({said(data['changed'])} changed)" if data.get("changed") else ""
            return click.style(f"scenario {name}{changed}", fg="green")
        case "chaos":
            what = f"{said(data['entry'])}: " if data.get("entry") else f"{name}: " if name else ""
            whose = f"  for {', '.join(map(said, data['devices']))}" if data.get("devices") else ""
            return click.style(
                f"chaos {said(data.get('chaos'))}: {what}{said(data.get('detail'))}{whose}", fg="magenta"
            )
        case "clock":
            return click.style(f"clock {_clock(entry)}", fg="magenta")
        case "verdict":
            status = said(data.get("status"))
            if status == "kept":
                return click.style(f"{status}: {name}", fg="green")
            why = f": {said(data['why'])}" if data.get("why") else ""
            return click.style(f"! {status}: {name}{why}", fg="red")
        case _:
            assert_never(entry.kind)


def _clock(entry: Entry) -> str:
    data, name = entry.data, said(entry.name)
    if name == "turned":
        by = f" by {span(round(data['by_s'], 3))}" if isinstance(data.get("by_s"), int | float) else ""
        return f"turned{by}, to {said(data.get('to'))}"
    if name == "factor":
        return f"goes {said(data.get('factor'))} times as fast as real time"
    return "shows the real time again" if name == "right" else name


def _short(dialogue: str) -> str:
    return click.style(said(dialogue[:8]), dim=True)


def _arrow(data: Mapping[str, Any]) -> str:
    return "⇒" if data.get("line") == "reply" else "⇓"


def gist(payload: object) -> str:
    """What a payload says, where one member says it all; cut, for it stands in a line."""
    if isinstance(payload, Mapping):
        for member in ("text", "ttsText"):
            if isinstance(payload.get(member), str):
                text = payload[member]
                return said(text if len(text) <= GIST else text[: GIST - 1] + "…")
    return ""


def _gist(payload: object) -> str:
    text = gist(payload)
    return f"  “{text}”" if text else ""


def _fault(entry: Entry) -> str:
    """Trouble on purpose: loud when it strikes, quiet when it is set, over or gone."""
    data, phase = entry.data, said(entry.data.get("phase"))
    detail = f": {said(data['detail'])}" if data.get("detail") else ""
    lasts = f", for {span(data['lasts_s'])}" if isinstance(data.get("lasts_s"), int | float) else ""
    where = " ".join(filter(None, (said(data.get("on")), _short(entry.dialogue) if entry.dialogue else "")))
    text = f"↯ fault {said(entry.name)} {phase}{detail}{lasts}"
    return f"{click.style(text, fg='magenta', bold=True) if phase == STRUCK else click.style(text, dim=True)}" + (
        click.style(f"  {where}", dim=True) if where else ""
    )


def _token(entry: Entry) -> str:
    """A turn in the life of a code or a token."""
    data, name = entry.data, said(entry.name)
    if name == "event-401":
        return click.style(f"! 401 to an event: {said(data.get('why'))}; {said(data.get('mend'))}", fg="yellow")
    what = " ".join(filter(None, (said(data.get("what")), said(data.get("short")))))
    client = "/".join(filter(None, (said(data.get(each)) for each in ("client_id", "device_id", "model_id"))))
    lives = f", lives {span(data['lives_s'])}" if isinstance(data.get("lives_s"), int | float) else ""
    guest = " for a guest" if data.get("guest") else ""
    why = f": {said(data['why'])}" if data.get("why") else ""
    if name == "refused":
        status = " ".join(filter(None, (said(data.get("status")), said(data.get("error")))))
        return click.style(f"! {said(data.get('grant'))} refused: {status}{why}  {client}".rstrip(), fg="red")
    colour = {"expired": "yellow", "revoked": "yellow"}.get(name, "green")
    return f"{click.style(f'{what} {name}'.strip(), fg=colour)}{guest}{lives}{why}" + click.style(
        f"  {client}".rstrip(), dim=True
    )


def span(seconds: float) -> str:
    """A duration as a person says it: `3.8 d`, `10 min`, `90 s`."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length or seconds == length:
            return f"{round(seconds / length, 1):g} {unit}"
    return f"{seconds:g} s"


def _downchannel(entry: Entry) -> str:
    if entry.name == "open":
        return click.style("downchannel open", bold=True) + (
            " (replaces the old one)" if entry.data.get("replaced") else ""
        )
    return f"downchannel closed: {said(entry.data.get('reason'))}"


def _upload(data: Mapping[str, Any]) -> str:
    seconds = data.get("seconds")
    sound = f"{seconds:.2f} s of sound, " if isinstance(seconds, int | float) else ""
    return f"  {sound}{said(data.get('bytes'))} bytes"


def _match(entry: Entry) -> str:
    if entry.name:
        return click.style(f"  rule: {said(entry.name)}", dim=True)
    lines = [f"! no rule fits {said(entry.data.get('event'))}"]
    lines += [
        f"{'':20}nearest: {said(near.get('rule'))}: {'; '.join(map(miss_text, near.get('misses', ())))}"
        for near in entry.data.get("nearest", ())
    ]
    return "\n".join(click.style(line, fg="yellow") for line in lines)


def miss_text(miss: Mapping[str, Any]) -> str:
    """One condition that did not hold, of a match without a rule."""
    return f"{said(miss.get('member'))}: expected {said(miss.get('expected'))}, got {said(miss.get('got'))}"


def _directive(entry: Entry, dialogue: str) -> str:
    data, name = entry.data, said(entry.name)
    if data.get("dropped"):
        return click.style(f"! {name} dropped: {said(data['dropped'])}", fg="yellow")
    where = "" if data.get("line") == "reply" else click.style("  downchannel", dim=True)
    return f"  {click.style(f'{_arrow(data)} {name}', fg='green')}{dialogue}{_gist(data.get('payload'))}{where}"


def _answer(entry: Entry) -> str:
    data, name = entry.data, said(entry.name)
    status, seconds = data.get("status"), data.get("seconds")
    if data.get("lost"):
        by = f"ended by fault {said(data['fault'])}" if data.get("fault") else "given up by the device"
        return click.style(f"  {name}: {by}", fg="yellow")
    text = f"  {said(status)} {name}"
    if isinstance(status, int) and status >= 400:
        return click.style(f"{text}: {said(data.get('description'))}", fg="red")
    took = f"  {1000 * seconds:.0f} ms" if isinstance(seconds, int | float) else "  "
    size = f", {said(data['bytes'])} bytes" if data.get("bytes") else ""
    return text + click.style(took + size, dim=True)


__all__ = [
    "describe",
    "dialogue_line",
    "dialogue_lines",
    "gist",
    "harmless",
    "miss_text",
    "said",
    "verdict_lines",
    "why_text",
]
