"""`mockcic chaos`: the faults of a day, from a file: its plan, played on a running server, stopped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from mockcic.cli.control import EXITS, ask, options, say_json


@click.group(name="chaos", short_help="The faults of a day, from a file: show its plan, play it, stop it.")
def command() -> None:
    """A chaos file says what goes wrong when, for whom, how long; the same file gives the same trouble tomorrow.

    \b
      mockcic chaos show day.yaml
      mockcic chaos play day.yaml
      mockcic chaos stop

    What such a file says: docs/chaos.md.
    """


@command.command(name="show", short_help="The plan of a file, or of what plays.", epilog=EXITS)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@options
def show(file: Path | None, **given: Any) -> None:
    """All that comes, with its time, drawn by the file's seed; no server is asked. Without FILE what a server plays.

    A file without `begins` is shown as if it were played now.
    """
    if file is None:
        from mockcic.control.client import TURN_S

        ask(given, "GET", "/v1/chaos", _show, wait_s=TURN_S)
        return
    from mockcic.control.desks.chaos import planned_shape
    from mockcic.scenario.chaos import in_vain_of, load_chaos, plan

    chaos = load_chaos(file)
    wall_s = time.time()
    wall_s += chaos.begins_in_s(wall_s)
    planned = plan(chaos, chaos.time_of_day(wall_s) if chaos.begins is None else chaos.begins)
    found = {
        "chaos": chaos.chaos,
        "about": chaos.about,
        "seed": chaos.seed,
        "warnings": list(in_vain_of(chaos)),
        "plan": [planned_shape(each, wall_s).model_dump() for each in planned],
    }
    if given["as_json"]:
        say_json(found)
    else:
        _show(found, chaos.zone)


@command.command(name="play", short_help="Play a file on a running server.", epilog=EXITS)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options
def play(file: Path, **given: Any) -> None:
    """Play FILE from its beginning, instead of one that plays; its plan is printed.

    Where it says when it `begins`, the server's clock is turned forward to that time first.
    """
    from mockcic.control.client import TURN_S
    from mockcic.scenario.chaos import load_chaos

    load_chaos(file)  # its problems are told here, with their places
    headers = {"content-type": "application/yaml"}
    said = {"content": file.read_bytes(), "params": {"called": str(file)}, "headers": headers}
    ask(given, "POST", "/v1/chaos", _show, wait_s=TURN_S, **said)


@command.command(name="stop", short_help="Stop what plays.", epilog=EXITS)
@options
def stop(**given: Any) -> None:
    """Stop it: its faults are gone, and the server's clock goes as before."""
    from mockcic.control.client import TURN_S

    ask(given, "DELETE", "/v1/chaos", _show, wait_s=TURN_S)


def _show(found: dict[str, Any], zone: str = "+09:00") -> None:
    """The plan as a table: when, how long, what, for whom."""
    from datetime import datetime

    from mockcic.trace.dialogue import harmless, span

    for said in found.get("warnings", ()):
        click.echo(f"mockcic: warning: {harmless(said)}", err=True)
    state = ""
    if "playing" in found:
        state = f", {'plays' if found['playing'] else 'is over'}, {found['played']} of {len(found['plan'])} have come"
    click.echo(f"chaos {found['chaos']}, seed {found['seed']}{state}")
    if not found["plan"]:
        click.echo("nothing comes: chances were against it, or its times are past the end")
        return
    utc = "+00:00" if zone == "Z" else zone
    offset = datetime.fromisoformat(f"2000-01-01T00:00:00{utc}").tzinfo
    rows = [("AT", "AFTER", "FOR", "DEVICES", "ENTRY", "WHAT")]
    for each in found["plan"]:
        at = datetime.fromisoformat(each["time"]).astimezone(offset)
        after = round(each["at_s"])
        rows.append(
            (
                at.strftime("%H:%M:%S"),
                f"{after // 3600}:{after // 60 % 60:02}:{after % 60:02}",
                "-" if each["for_s"] is None else span(round(each["for_s"], 3)),
                harmless(" ".join(each["devices"])),
                each["entry"],
                "; ".join(each["faults"]),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(click.style(line, bold=number == 0))


__all__ = ["command"]
