"""`mockcic devices`: the devices of a running server, and what can be done with one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockcic.cli.control import EXITS, Word, asker, fail, options, say_json

if TYPE_CHECKING:
    from mockcic.control.client import ControlClient


@click.command(name="devices", short_help="List the devices of a running server; look at one, change it.", epilog=EXITS)
@click.argument("device", required=False, type=Word())
@click.option("--state", metavar="STATE", help="Put it into this state of its scenario.")
@click.option(
    "--var", "variables", multiple=True, metavar="NAME=VALUE", help="Give a variable a value, as YAML reads it."
)
@click.option("--scenario", metavar="NAME|FILE", help="Give it a scenario of its own: one of the set, or a file.")
@click.option("--expire", is_flag=True, help="End its downchannel, as if its lifetime were over.")
@click.option("--forget", is_flag=True, help="Forget it, and what it was given.")
@options
def command(
    device: str | None, control: str | None, control_token: str | None, ready_file: Path | None, **given: Any
) -> None:
    """List the devices, or look at one: a short name (…4f2a or 4f2a) or a token.

    \b
      mockcic devices
      mockcic devices 4f2a --state asked --var n=3
      mockcic devices my-own-token --scenario weather.yaml
    """
    from mockcic.control.client import ControlError

    changes = [name for name in ("state", "variables", "scenario", "expire", "forget") if given[name]]
    if device is None and changes:
        raise click.UsageError("say which device")
    client = asker(control, control_token, ready_file)
    try:
        with client:
            if device is None:
                show_all(client.devices(), as_json=given["as_json"])
            else:
                change(client, device, given)
                if not given["forget"] and (found := look(client, device, changes)) is not None:
                    show(found, as_json=given["as_json"])
    except ControlError as error:
        fail(error, as_json=given["as_json"])


def look(client: ControlClient, device: str, changes: list[str]) -> dict[str, Any] | None:
    """The device as it is now; a token that was given a scenario need not have come yet."""
    from mockcic.control.client import ControlError

    try:
        found: dict[str, Any] = client.ask("GET", client.device_path(device))
    except ControlError as error:
        if error.status == 404 and changes == ["scenario"]:
            return None
        raise
    return found


def change(client: ControlClient, device: str, given: dict[str, Any]) -> None:
    """What was asked for, in an order that makes sense."""
    from mockcic.cli.load import send
    from mockcic.cli.serve import read_variable as named
    from mockcic.scenario.load import read_variable

    path = client.device_path(device)
    if given["scenario"] is not None:
        if Path(given["scenario"]).is_file():
            send(client, "PUT", f"{path}/scenario", Path(given["scenario"]))
        else:
            client.ask("PUT", f"{path}/scenario", params={"name": given["scenario"]})
    values = {name: read_variable(value) for name, value in map(named, given["variables"])}
    if given["state"] is not None or values:
        client.ask("PATCH", path, json={"state": given["state"], "vars": values})
    if given["expire"]:
        client.ask("POST", f"{path}/expire")
    if given["forget"]:
        client.ask("DELETE", path)
        if given["as_json"]:
            say_json({"forgotten": device})
        else:
            click.echo(f"{device} is forgotten")


def show_all(devices: list[dict[str, Any]], *, as_json: bool) -> None:
    """A table."""
    from mockcic.trace.dialogue import harmless

    if as_json:
        say_json(devices)
        return
    if not devices:
        click.echo("no device has come yet")
        return
    rows = [("DEVICE", "DOWNCHANNEL", "SCENARIO", "STATE", "USER-AGENT")]
    rows += [
        (each["device"], each["connection"] or "-", each["scenario"], each["state"], harmless(each["user_agent"]))
        for each in devices
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(click.style(line, bold=number == 0))


def show(device: dict[str, Any], *, as_json: bool) -> None:
    """One device, whole."""
    import json

    from mockcic.trace.dialogue import harmless

    if as_json:
        say_json(device)
        return
    for name, value in device.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        click.echo(f"{name:<12} {harmless(text)}")
