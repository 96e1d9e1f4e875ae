"""`mockcic diff`: what differs between two trace files."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(name="diff", short_help="Say what differs between two trace files.")
@click.argument("a", metavar="A", type=click.Path(path_type=Path))
@click.argument("b", metavar="B", type=click.Path(path_type=Path))
@click.option("--band", metavar="DURATION", default="500ms", show_default=True, help="How far times may be off.")
@click.option("--json", "for_machines", is_flag=True, help="Print a JSON list of objects.")
def command(a: Path, b: Path, band: str, for_machines: bool) -> None:
    """Align two traces by dialogue and say what differs: events, directives, members, sounds, times within a dialogue.

    Ids, boundaries, addresses, tokens and the names of devices do not count. Exits with 1 when there is a difference,
    with 2 when a file cannot be read.
    """
    from mockcic.trace.diff import diff
    from mockcic.trace.file import read_trace

    band_s = _band(band)
    traces = read_trace(a), read_trace(b)
    for path, trace in zip((a, b), traces, strict=True):
        if trace.dropped:
            click.echo(f"mockcic: {path} lacks {trace.dropped} older entries; what they held is not compared", err=True)
    differences = diff(traces[0].entries, traces[1].entries, band_s=band_s)
    if for_machines:
        click.echo(json.dumps([each.as_json() for each in differences], indent=1))
    elif differences:
        for each in differences:
            click.echo(str(each))
        click.echo(f"{len(differences)} difference{'' if len(differences) == 1 else 's'}")
    else:
        click.echo("no difference")
    if differences:
        raise SystemExit(1)


def _band(text: str) -> float:
    from mockcic.scenario.words import is_template, read_duration

    try:
        seconds = read_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--band") from None
    if is_template(text) or not isinstance(seconds, float):
        raise click.BadParameter(f"found {text}, expected a duration such as 500ms", param_hint="--band")
    return seconds


__all__ = ["command"]
