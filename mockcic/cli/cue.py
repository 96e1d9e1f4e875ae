"""`mockcic cue`: make a named cue of a scenario happen on a device of a running server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockcic.cli.control import EXITS, Word, asker, fail, options, say_json
from mockcic.errors import StartError

if TYPE_CHECKING:
    from mockcic.control.client import ControlClient


@click.command(name="cue", short_help="Make a named cue of a scenario happen on a device.", epilog=EXITS)
@click.argument("name", required=False)
@click.argument("args", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--device", type=Word(), metavar="DEVICE", help="A short name or token.  [default: the only one there is]"
)
@options
def command(
    name: str | None,
    args: tuple[str, ...],
    device: str | None,
    control: str | None,
    control_token: str | None,
    ready_file: Path | None,
    as_json: bool,
) -> None:
    """Make something happen that the scenario has under `cues`. Without NAME they are listed.

    \b
      mockcic cue
      mockcic cue set-alarm at=2026-03-02T07:00:00+09:00 label=알람 --device 4f2a
    """
    from mockcic.control.client import ControlError

    values = dict(map(_argument, args))
    client = asker(control, control_token, ready_file)
    try:
        with client:
            path = client.device_path(device or _only(client))
            if name is None:
                _list(client.ask("GET", f"{path}/cues")["cues"], as_json=as_json)
                return
            from urllib.parse import quote

            found = client.ask("POST", f"{path}/cues/{quote(name, safe='')}", json={"args": values})
    except ControlError as error:
        fail(error, as_json=as_json)
    if as_json:
        say_json(found)
    else:
        click.echo(f"{found['device']}  {name}")


def _only(client: ControlClient) -> str:
    devices = [each["device"] for each in client.devices() if each["downchannel"]]
    if len(devices) != 1:
        there_are = f"there are {', '.join(devices)}" if devices else "no device is connected"
        raise StartError(f"say which device with --device; {there_are}")
    return str(devices[0])


def _argument(text: str) -> tuple[str, Any]:
    from mockcic.scenario.load import read_variable

    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="KEY=VALUE")
    return key, read_variable(value)


def _list(cues: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        say_json(cues)
        return
    if not cues:
        click.echo("the scenario of this device has no cues")
    for each in cues:
        args = "  ".join(
            name if value is None else f"[{name}={json.dumps(value, ensure_ascii=False)}]"
            for name, value in each["args"].items()
        )
        click.echo(f"{click.style(each['cue'], bold=True)}  {args}".rstrip())
        if each["about"]:
            click.echo(f"    {each['about']}")
