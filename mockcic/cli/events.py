"""`mockcic events`: what happened on a running server, or happens."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockcic.cli.control import EXITS, Word, asker, fail, joined, options, say_json

if TYPE_CHECKING:
    from mockcic.control.client import ControlClient


@click.command(name="events", short_help="Show what happened on a running server, or what happens.", epilog=EXITS)
@click.argument("words", nargs=-1, metavar="[FILTER]...")
@click.option("--device", type=Word(), metavar="DEVICE", help="Only this device: a short name or a token.")
@click.option("--after", type=click.IntRange(min=0), metavar="NUMBER", help="Only entries younger than this one.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="The youngest so many.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@options
def command(
    words: tuple[str, ...], control: str | None, control_token: str | None, ready_file: Path | None, **given: Any
) -> None:
    """Show entries of the journal, as `mockcic serve` prints them. Filters: docs/journal.md.

    \b
      mockcic events event --device 4f2a
      mockcic events --follow SpeechRecognizer.Recognize
      mockcic events finding --json
    """
    from mockcic.control.client import ControlError

    client = asker(control, control_token, ready_file)
    try:
        with client:
            asked = {"filter": joined(words)} | ({"device": given["device"]} if given["device"] else {})
            show(client, asked, given)
    except ControlError as error:
        fail(error, as_json=given["as_json"])


def show(client: ControlClient, asked: dict[str, Any], given: dict[str, Any]) -> None:
    """What happened; then, with --follow, what happens."""
    after = given["after"] or 0
    page = client.journal(**asked, after=after, limit=given["limit"], newest=True)
    if page["gone"] and not given["as_json"]:
        click.secho(f"{page['dropped']} older entries were dropped", fg="yellow", err=True)
    _print(page["entries"], as_json=given["as_json"])
    if given["follow"]:
        with client.stream("/v1/journal/live", params={**asked, "after": page["last"]}) as entries:
            for entry in entries:
                if entry is not None:
                    _print([entry], as_json=given["as_json"])
        click.secho("the server has ended", fg="yellow", err=True)


def _print(entries: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for each in entries:
            say_json(each)
        return
    from mockcic.journal.entry import entry_from_json
    from mockcic.trace.dialogue import dialogue_lines

    for line in dialogue_lines([entry_from_json(each) for each in entries]):
        click.echo(line)
