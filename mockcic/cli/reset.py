"""`mockcic reset`: devices of a running server begin anew."""

from __future__ import annotations

from pathlib import Path

import click

from mockcic.cli.control import EXITS, asker, fail, options, say_json


@click.command(name="reset", short_help="Let devices of a running server begin anew.", epilog=EXITS)
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@options
def command(
    devices: tuple[str, ...],
    control: str | None,
    control_token: str | None,
    ready_file: Path | None,
    as_json: bool,
) -> None:
    """State, variables and counters as at the start, running scripts cancelled.

    Without DEVICE all of them, and the journal is empty.
    """
    from mockcic.control.client import ControlError

    client = asker(control, control_token, ready_file)
    try:
        with client:
            if devices:
                found = [client.ask("POST", client.device_path(each, "reset")) for each in devices]
                count = len(found)
            else:
                count = client.ask("POST", "/v1/reset")["devices"]
    except ControlError as error:
        fail(error, as_json=as_json)
    if as_json:
        say_json({"devices": count})
    else:
        click.echo(f"{count} device{'' if count == 1 else 's'} reset")
