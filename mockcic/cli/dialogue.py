"""What `mockcic serve` prints: a line for each thing that happens, a pleasure on a terminal, plain in a pipe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import click

from mockcic import __version__
from mockcic.journal.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mockcic.scenario.load import ScenarioSet
    from mockcic.server.service import Service


class Printer(Protocol):
    """Prints the journal as it grows."""

    def ready(self) -> None:
        """Connections are accepted."""

    def entry(self, entry: Entry) -> None:
        """Something happened."""

    def stopped(self) -> None:
        """The server has ended."""


class JsonPrinter:
    """One JSON object a line."""

    def __init__(self, service: Service, scenarios: ScenarioSet) -> None:
        self._service = service
        self._scenarios = scenarios

    def ready(self) -> None:
        """The first line says where the server is."""
        service = self._service
        self._line(
            {
                "kind": "ready",
                "url": service.url,
                "h2c_url": service.h2c_url,
                "ca_file": None if service.ca_file is None else str(service.ca_file),
                "scenarios": [each.scenario for each in self._scenarios.scenarios],
                "version": __version__,
            }
        )

    def entry(self, entry: Entry) -> None:
        """An entry of the journal as it is."""
        self._line(entry.as_json())

    def stopped(self) -> None:
        """The last line."""
        self._line({"kind": "stopped"})

    @staticmethod
    def _line(value: dict[str, Any]) -> None:
        click.echo(json.dumps(value, ensure_ascii=False))


class TextPrinter:
    """Lines for people: seconds since the start, device, what happened."""

    def __init__(self, service: Service, scenarios: ScenarioSet, addresses: Sequence[str]) -> None:
        self._service = service
        self._scenarios = scenarios
        self._addresses = addresses
        self._began = service.clock.now()

    def ready(self) -> None:
        """Where the server is, which CA to give to devices, what is loaded."""
        service = self._service
        head = click.style("mockcic", bold=True) + f" {__version__}"
        click.echo(f"{head}  {click.style(service.url, fg='cyan', bold=True)}  HTTP/2 over TLS")
        if service.h2c_url is not None:
            click.echo(f"  clear text  {service.h2c_url}  HTTP/2 with prior knowledge")
        if service.ca_file is not None:
            what = "CA file" if service.listening.certfile is None else "certificate"
            click.echo(f"  {what:<10}  {service.ca_file}  (give it to the device)")
        self._print_scenarios()
        if self._addresses:
            port = service.url.rpartition(":")[2]
            click.echo(f"  on the LAN  {'  '.join(f'https://{address}:{port}' for address in self._addresses)}")
        elif service.listening.host.startswith("127."):
            click.echo(click.style("  only this machine can connect; --host 0.0.0.0 opens it to the LAN", dim=True))
        click.echo(click.style("  Ctrl-C ends it", dim=True))

    def _print_scenarios(self) -> None:
        scenarios = self._scenarios.scenarios
        first = self._scenarios.for_device("", "")
        names = ", ".join(each.scenario for each in scenarios)
        click.echo(f"  {'scenario' if len(scenarios) == 1 else 'scenarios':<10}  {names}")
        if len(scenarios) > 1:
            click.echo(f"              devices that no `for` names get {first.scenario} (--default NAME chooses)")

    def stopped(self) -> None:
        """The last line."""
        click.echo("stopped")

    def entry(self, entry: Entry) -> None:
        """One line, or none where an entry says nothing to a person."""
        text = describe(entry)
        if text is not None:
            who = harmless(entry.device or entry.connection)
            device = click.style(f"{who:<8}", fg="cyan" if entry.device else None, dim=not entry.device)
            click.echo(f"{entry.at_s - self._began:+9.3f}  {device} {text}")


def harmless(value: Any) -> Any:
    """What a device sent, for a terminal: control characters, which could rewrite the screen, become �."""
    if isinstance(value, str):
        return value if value.isprintable() else "".join(each if each.isprintable() else "�" for each in value)
    if isinstance(value, dict):
        return {key: harmless(member) if isinstance(member, str | list) else member for key, member in value.items()}
    if isinstance(value, list):
        return [harmless(member) for member in value]
    return value


def describe(entry: Entry) -> str | None:
    """The text of an entry, with colour where there is trouble; None when it says nothing to a person."""
    entry = Entry(*(harmless(member) for member in entry))
    data = entry.data
    dialogue = f" {_short(entry.dialogue)}" if entry.dialogue else ""
    match entry.kind:
        case "connect":
            how = "TLS" if data.get("tls") else "clear text"
            return click.style(f"connect  {entry.name}  {how}", dim=True)
        case "disconnect":
            return click.style(f"disconnect  {data.get('reason', '')}", dim=True)
        case "downchannel":
            if entry.name == "open":
                return click.style("downchannel open", bold=True) + (
                    " (replaces the old one)" if data.get("replaced") else ""
                )
            return f"downchannel closed: {data.get('reason', '')}"
        case "event":
            return f"{click.style(entry.name, bold=True)}{dialogue}{_gist(data.get('payload'))}"
        case "upload":
            return f"  {data['seconds']:.2f} s of sound, {data['bytes']} bytes{dialogue}"
        case "match":
            return _match(entry)
        case "directive":
            return _directive(entry, dialogue)
        case "answer":
            return _answer(entry)
        case "ping":
            return click.style(f"ping ({'GET /ping' if entry.name == 'get' else 'frame'})", dim=True)
        case "state":
            return f"  state {data.get('before')} → {entry.name}"
        case "finding":
            colour = "red" if data.get("severity") == "error" else "yellow"
            mend = f"; {data['mend']}" if data.get("mend") else ""
            return click.style(f"! {entry.name}: {data['found']}; expected {data['expected']}{mend}", fg=colour)
        case "scenario":
            changed = f" ({data['changed']} changed)" if data.get("changed") else ""
            return click.style(f"scenario {entry.name}{changed}", fg="green")


def _short(dialogue: str) -> str:
    return click.style(dialogue if len(dialogue) <= 8 else dialogue[:8], dim=True)


def _gist(payload: Any) -> str:
    """What a payload says, where one member says it all."""
    if isinstance(payload, dict):
        for member in ("text", "ttsText"):
            if isinstance(payload.get(member), str):
                return f"  “{harmless(payload[member][:60])}”"
    return ""


def _match(entry: Entry) -> str | None:
    if entry.name:
        return click.style(f"  rule: {entry.name}", dim=True)
    lines = [click.style(f"! no rule fits {entry.data['event']}", fg="yellow")]
    lines += [
        click.style(f"{'':20}nearest: {near['rule']}: {'; '.join(near['misses'])}", fg="yellow")
        for near in entry.data.get("nearest", ())
    ]
    return "\n".join(lines)


def _directive(entry: Entry, dialogue: str) -> str:
    data = entry.data
    if data.get("dropped"):
        return click.style(f"! {entry.name} dropped: {data['dropped']}", fg="yellow")
    arrow = "⇒" if data.get("line") == "reply" else "⇓"
    where = "" if data.get("line") == "reply" else click.style("  downchannel", dim=True)
    return f"  {click.style(f'{arrow} {entry.name}', fg='green')}{dialogue}{_gist(data.get('payload'))}{where}"


def _answer(entry: Entry) -> str:
    data = entry.data
    status = data.get("status")
    if data.get("lost"):
        return click.style(f"  {entry.name}: given up by the device", fg="yellow")
    text = f"  {status} {entry.name}"
    if isinstance(status, int) and status >= 400:
        return click.style(f"{text}: {data.get('description', '')}", fg="red")
    size = f", {data['bytes']} bytes" if data.get("bytes") else ""
    took = 1000 * data.get("seconds", 0.0)
    return text + click.style(f"  {took:.0f} ms{size}", dim=True)
