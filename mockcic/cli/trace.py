"""`mockcic trace`: what happened on a running server, as a file."""

from __future__ import annotations

from pathlib import Path

import click

from mockcic.cli.control import EXITS, Word, asker, fail, options, say_json
from mockcic.errors import StartError


@click.command(name="trace", short_help="Write what happened on a running server into a file.", epilog=EXITS)
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("mockcic.cictrace"),
    show_default=True,
    help="The file.",
)
@click.option("--device", type=Word(), metavar="DEVICE", help="Only this device: a short name or a token.")
@click.option(
    "--after", type=click.IntRange(min=0), default=0, metavar="NUMBER", help="Only entries younger than this."
)
@options
def command(
    target: Path,
    device: str | None,
    after: int,
    control: str | None,
    control_token: str | None,
    ready_file: Path | None,
    as_json: bool,
) -> None:
    """Write the journal with its sounds and scenarios into a .cictrace; `mockcic show` prints it."""
    from mockcic.control.client import ControlError

    query = {"after": str(after)} | ({"device": device} if device else {})
    client = asker(control, control_token, ready_file)
    try:
        with client:
            data = client.send("GET", "/v1/trace", params=query, wait_s=60).content
    except ControlError as error:
        fail(error, as_json=as_json)
    try:
        target.write_bytes(data)
    except OSError as error:
        raise StartError(f"cannot write {target}: {error.strerror}") from None
    if as_json:
        say_json({"file": str(target), "bytes": len(data)})
    else:
        click.echo(f"{target}  {len(data)} bytes; `mockcic show {target}` prints it")
