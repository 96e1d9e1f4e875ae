"""`mockcic load`: the scenarios of a running server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockcic.cli.control import EXITS, Word, asker, fail, options, say_json

if TYPE_CHECKING:
    from mockcic.control.client import ControlClient


@click.command(
    name="load", short_help="Load a scenario into a running server; list, remove, reload them.", epilog=EXITS
)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--default", is_flag=True, help="Give it to devices that no `for` names.")
@click.option(
    "--device",
    type=Word(),
    metavar="DEVICE",
    help="Give it to this device only: a short name, or a token, also one to come.",
)
@click.option("--profile", type=click.Choice(["seed", "2021"]), help="Use this profile, whatever the scenario says.")
@click.option("--strict", is_flag=True, help="Refuse every departure from the documents.")
@click.option("--list", "listed", is_flag=True, help="List the set.")
@click.option("--remove", metavar="NAME", help="Take a loaded scenario out of the set.")
@click.option("--reload", is_flag=True, help="Let the server read its own files again.")
@options
def command(
    file: Path | None, control: str | None, control_token: str | None, ready_file: Path | None, **given: Any
) -> None:
    """Load a scenario file, with the sounds and files it names; it replaces one of the same name.

    \b
      mockcic load weather.yaml --default
      mockcic load weather.yaml --device my-token
      mockcic load --list
    """
    from mockcic.control.client import ControlError

    if sum((file is not None, given["listed"], given["remove"] is not None, given["reload"])) != 1:
        raise click.UsageError("one of: a FILE, --list, --remove NAME, --reload")
    client = asker(control, control_token, ready_file)
    try:
        with client:
            if file is not None:
                load(client, file, given)
            elif given["remove"] is not None:
                from urllib.parse import quote

                client.ask("DELETE", f"/v1/scenarios/{quote(given['remove'], safe='')}")
                if given["as_json"]:
                    say_json({"removed": given["remove"]})
                else:
                    click.echo(f"removed {given['remove']}")
            else:
                way = ("POST", "/v1/scenarios/reload") if given["reload"] else ("GET", "/v1/scenarios")
                show(client.ask(*way, wait_s=30)["scenarios"], as_json=given["as_json"])
    except ControlError as error:
        fail(error, as_json=given["as_json"])


def load(client: ControlClient, file: Path, given: dict[str, Any]) -> None:
    """Send a file to the set, or to one device."""
    how = {name: given[name] for name in ("profile", "strict") if given[name]}
    if given["device"] is not None:
        answer = send(client, "PUT", client.device_path(given["device"], "scenario"), file, **how)
        said = f"{answer['device']} has {file}"
    else:
        answer = send(client, "POST", "/v1/scenarios", file, default=given["default"], **how)
        said = f"loaded {', '.join(answer['scenarios'])}" + (", the default now" if given["default"] else "")
    if given["as_json"]:
        say_json(answer)
    else:
        click.echo(said)


def send(client: ControlClient, method: str, path: str, file: Path, **query: Any) -> Any:
    """Send a scenario file with what it names. What is wrong in it is told here, with its places."""
    from mockcic.control.bodies import ZIP_TYPE, packed
    from mockcic.scenario.load import load as read

    found = read([file])
    headers = {"content-type": ZIP_TYPE}
    return client.ask(method, path, content=packed(file, found.files), params=query, headers=headers, wait_s=30)


def show(scenarios: list[dict[str, Any]], *, as_json: bool) -> None:
    """The set."""
    if as_json:
        say_json(scenarios)
        return
    for each in scenarios:
        marks = ", ".join(mark for mark in ("default", "loaded") if each[mark])
        devices = f"  {', '.join(each['devices'])}" if each["devices"] else ""
        name = click.style(each["scenario"], bold=True)
        click.echo(f"{name}{f' ({marks})' if marks else ''}  {each['path']}{devices}".rstrip())
