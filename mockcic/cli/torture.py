"""`mockcic torture`: a message cut at every byte; a table of positions against device still fine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from mockcic.cli import trial
from mockcic.cli.control import Seconds

if TYPE_CHECKING:
    from mockcic.trial.torture import Result, Table, Way

STRIP: Final = 100
"""Cells of a heat strip."""

CELLS: Final = {"fine": "·", "once of two": "▒", "not fine": "█"}
COLOURS: Final = {"fine": "green", "once of two": "yellow", "not fine": "red"}


@click.command(
    name="torture",
    short_help="Cut a message at every byte; where a device cannot bear it.",
    epilog="Exit codes: 0 the device bears every cut; 1 it does not; 2 it cannot be run: no device, no server.",
)
@click.option("--directive", metavar="NAME", help="What is cut.  [SpeechSynthesizer.Speak, or else the probe]")
@click.option(
    "--cuts", default="all", show_default=True, metavar="WHERE", help="all, delimiters, or positions: 1..20,77"
)
@click.option(
    "--padding", is_flag=False, flag_value=8, default=0, type=click.IntRange(0, 255), metavar="BYTES",
    help="Cut once more at each position, with padding in the frames.  [8 where no number is given]",
)  # fmt: skip
@click.option(
    "--on",
    "line",
    type=click.Choice(["downchannel", "answer"]),
    default="downchannel",
    show_default=True,
    help="Where it is sent: pushed, or in the answer to the event that the probe asks for.",
)
@click.option("--gap", type=Seconds(), default=0.0, help="Wait so long between the two frames.  [0]")
@click.option("--no-dribble", is_flag=True, help="Not byte by byte at the end.")
@trial.options
def command(**given: Any) -> None:
    """Push a directive that a device obeys, cut into two DATA frames at each byte, and ask whether it is still fine.

    \b
      mockcic torture --device-command "mockcic device --from-env"
      mockcic torture --to 4f2a --cuts delimiters --padding
    """
    table = run(given)
    if given["as_json"]:
        trial.say_json(table.as_json())
    else:
        show(table)
    if not table.ok:
        raise SystemExit(1)


def run(given: dict[str, Any]) -> Table:
    """Try each position."""
    from mockcic.bench.loading import parcel
    from mockcic.errors import StartError
    from mockcic.fuzz.anatomy import read_cuts
    from mockcic.trial.health import find_probe, read_probe
    from mockcic.trial.torture import SPEAK, Torture, answering, message_of

    if given["line"] == "answer" and not trial.is_ours(given):
        raise click.UsageError(
            "--on answer needs a scenario of its own; let a server be started: --device-command or --attach"
        )
    wanted = None if given["directive"] is None else read_probe(given["directive"])
    with trial.subject(given) as (subject, probe, limits):
        obeyed = find_probe(subject, [wanted.name if wanted else SPEAK], limits.within_s)
        directive = obeyed or wanted or probe or read_probe(SPEAK)
        message = message_of(directive, given["line"])
        try:
            cuts = read_cuts(given["cuts"], message.regions)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--cuts") from None
        torture = Torture(
            subject,
            directive,
            probe,
            limits,
            line=given["line"],
            obeyed=obeyed is not None or directive == probe,
            gap_s=given["gap"],
            padding=given["padding"],
            told=lambda result: None if given["as_json"] else tick(result, message.size),
        )
        if not given["as_json"]:
            click.echo(
                f"{directive.name}, {message.size} bytes, {len(cuts)} cuts, {given['line']}, device {subject.name}"
            )
            click.echo(trial.about_probe(probe))
        if given["line"] == "answer":
            if probe is None:
                raise StartError("--on answer needs a device that answers a probe: its event is what is answered")
            subject.place.load(parcel(answering(directive, probe, trial.SETTINGS)))
        torture.check(message)
        return torture.run(message, cuts, dribble=not given["no_dribble"])


def tick(result: Result, size: int) -> None:
    """A line that is written over, where a person looks on."""
    if sys.stderr.isatty():
        click.echo(f"\r{result.cut:>6} of {size} {result.verdict:<12}", nl=False, err=True)


def show(table: Table) -> None:
    """The table, a strip for each way, and the sum."""
    from mockcic.trace.dialogue import harmless

    ways = table.ways
    rows = table.rows()
    places = [f"{row.from_} to {row.where}" if row.from_ else row.where for row in rows]
    width = max(map(len, places), default=0)
    for row, where in zip(rows, places, strict=True):
        span = f"{row.begin}..{row.end}" if row.end > row.begin else f"{row.begin}"
        said = [row.says[way] for way in ways if way in row.says]
        words = said[0] if len(set(said)) == 1 else "  ".join(f"{way}: {each}" for way, each in row.says.items())
        click.secho(f"{span:>11}  {where:<{width}}  {harmless(words)}", fg=None if row.is_fine else "red")
    if (dribble := table.dribble) is not None:
        colour = None if dribble.health.is_fine else "red"
        click.secho(f"{'each byte':>11}  {'one frame for each':<{width}}  {harmless(dribble.says)}", fg=colour)
    for way in ways:
        click.echo(f"{way:>11}  {strip(table, way)}")
    click.echo(f"{'':>11}  {legend(table)}  h headers  j JSON  a attachment  d delimiter")
    if table.stopped:
        click.secho(f"stopped: {table.stopped}", fg="yellow")
    bad_cuts = len({each.cut for each in table.results if each.cut and not each.health.is_fine})
    tried = len({each.cut for each in table.results if each.cut})
    if table.ok:
        click.secho(f"{tried} cuts, the device bears them all", fg="green", bold=True)
    else:
        click.secho(f"{tried} cuts, {bad_cuts} that the device does not bear", fg="red", bold=True)


def strip(table: Table, way: Way) -> str:
    """The message from its first byte to its last as a line: the worst of the cuts in each cell, blank for none."""
    size = table.message.size
    cells: list[str | None] = [None] * min(STRIP, size)
    order = list(CELLS)
    for each in table.results:
        if each.way == way and each.cut:
            cell = (each.cut - 1) * len(cells) // size
            known = cells[cell]
            cells[cell] = each.verdict if known is None else max(known, each.verdict, key=order.index)
    return "".join(" " if cell is None else click.style(CELLS[cell], fg=COLOURS[cell]) for cell in cells)


def legend(table: Table) -> str:
    """What stands under each cell of a strip: the framing before the content, for there is less of it."""
    size = table.message.size
    count = min(STRIP, size)
    cells = [" "] * count
    for region in table.message.regions:
        letter = letter_of(region.what)
        for cell in range(region.begin * count // size, (region.end - 1) * count // size + 1):
            if cells[cell] == " " or letter == "d":
                cells[cell] = letter
    return "".join(cells)


def letter_of(what: str) -> str:
    """One for a region."""
    if what in ("JSON", "attachment"):
        return what[0].lower()
    return "d" if "delimiter" in what or what in ("boundary", "hyphens that close") else "h"


__all__ = ["command"]
