"""What `mockcic serve` prints: a line for each thing that happens, a pleasure on a terminal, plain in a pipe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import click

from mockcic import __version__
from mockcic.journal.entry import Entry
from mockcic.trace.dialogue import dialogue_line, verdict_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mockcic.control.listener import Control
    from mockcic.scenario.scenario_set import ScenarioSet
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

    def __init__(self, service: Service, scenarios: ScenarioSet, control: Control | None = None) -> None:
        self._service = service
        self._control = control
        self._scenarios = scenarios

    def ready(self) -> None:
        """The first line says where the server is."""
        service = self._service
        self._line(
            {
                "kind": "ready",
                "url": service.url,
                "h2c_url": service.h2c_url,
                "auth_url": service.auth_url,
                "control_url": None if self._control is None else self._control.url,
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

    def __init__(
        self, service: Service, scenarios: ScenarioSet, addresses: Sequence[str], control: Control | None = None
    ) -> None:
        self._service = service
        self._control = control
        self._scenarios = scenarios
        self._addresses = addresses

    def ready(self) -> None:
        """Where the server is, which CA to give to devices, what is loaded."""
        service = self._service
        head = click.style("mockcic", bold=True) + f" {__version__}"
        click.echo(f"{head}  {click.style(service.url, fg='cyan', bold=True)}  HTTP/2 over TLS")
        if service.h2c_url is not None:
            click.echo(f"  clear text  {service.h2c_url}  HTTP/2 with prior knowledge")
        if service.auth_url != service.url:
            click.echo(f"  tokens      {service.auth_url}  authorization server, HTTP/1.1 and HTTP/2")
        if service.ca_file is not None:
            what = "CA file" if service.listening.certfile is None else "certificate"
            click.echo(f"  {what:<10}  {service.ca_file}  (give it to the device)")
        if self._control is not None:
            needs = "" if self._control.token is None else f"  token {self._control.token}"
            click.echo(f"  control     {self._control.url}{needs}")
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
        """One line, or none where an entry says nothing to a person; why, where a verification was not kept."""
        if entry.kind == "exception":  # its answer, a moment later, says the same
            return
        line = dialogue_line(entry)
        if line is not None:
            click.echo(line)
        for each in verdict_lines(entry):
            click.echo(each)
