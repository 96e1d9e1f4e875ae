"""`mockcic fuzz`: wrong directives, trial after trial; what a device cannot bear, made small and written down."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mockcic.cli import trial
from mockcic.errors import StartError

if TYPE_CHECKING:
    from mockcic.fuzz.case import Case
    from mockcic.trial.fuzz import Found, Outcome
    from mockcic.trial.health import Health, Probe

SHOWN_LETTERS: Final = 300
"""Of a directive in the table."""


@click.command(
    name="fuzz",
    short_help="Send a device wrong directives; the smallest that breaks it.",
    epilog="Exit codes: 0 it was fine after each trial; 1 it was not; 2 it cannot be run: no device, no server.",
)
@click.option(
    "--directive",
    "patterns",
    multiple=True,
    metavar="NAME",
    help="Only these; wildcards, and ! for all but these. May be repeated.",
)
@click.option("--seed", default=1, show_default=True, help="Another seed, other trials; the same, the same everywhere.")
@click.option("--trials", default=200, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--only", multiple=True, type=click.IntRange(1), metavar="N", help="This trial alone. May be repeated.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what was found as a scenario; a second failure as FILE-2, and so on.",
)
@click.option(
    "--shrink", default=200, show_default=True, type=click.IntRange(0), help="Tries to make one failure small."
)
@click.option("--most", default=10, show_default=True, type=click.IntRange(1), help="Stop after so many failures.")
@click.option("--list", "listing", is_flag=True, help="Print what would be sent, and end.")
@trial.options
def command(**given: Any) -> None:
    """Send a device directives that are wrong in some way, and ask after each whether it is still fine.

    \b
      mockcic fuzz --device-command "mockcic device --from-env" -o found.yaml
      mockcic fuzz --attach --host 0.0.0.0 --port 8443 --directive 'SpeechSynthesizer.*'
      mockcic fuzz --to 4f2a --seed 7 --only 17
    """
    from mockcic.cic.catalogue import catalogue
    from mockcic.fuzz.case import choose, make_case

    names = choose(given["patterns"], catalogue())
    numbers: Sequence[int] = given["only"] or range(1, given["trials"] + 1)

    def cases() -> Iterator[Case]:
        for number in numbers:
            yield make_case(given["seed"], number, names, catalogue())

    if given["listing"]:
        for case in cases():
            click.echo(f"{case.number:>4} {case.directive}: {case.about}, {len(case.draft.body())} bytes")
        return
    outcome = run(cases(), len(numbers), given, names)
    if not outcome.ok:
        raise SystemExit(1)


def run(cases: Iterator[Case], count: int, given: dict[str, Any], names: Sequence[str]) -> Outcome:
    """Try, tell, write."""
    from mockcic.trial.fuzz import Fuzz, summary

    as_json = given["as_json"]
    with trial.subject(given) as (subject, probe, limits):
        if not as_json:
            trials = "1 trial" if count == 1 else f"{count} trials"
            kinds = names[0] if len(names) == 1 else f"{len(names)} directives"
            click.echo(f"seed {given['seed']}, {trials} with {kinds}, device {subject.name}")
            click.echo(trial.about_probe(probe))
        teller = Teller(given["out"], probe, quiet=as_json)
        fuzz = Fuzz(
            subject,
            probe,
            limits,
            most_tries=given["shrink"],
            most_found=given["most"],
            told=teller.tell,
            tried=teller.tick,
        )
        outcome = fuzz.run(cases)
    if as_json:
        trial.say_json({"seed": given["seed"], **summary(outcome), "written": teller.written})
    else:
        finish(outcome)
    return outcome


class Teller:
    """Tells of each failure when it is known, and writes it down. Raises `StartError` where that cannot be."""

    def __init__(self, out: Path | None, probe: Probe | None, *, quiet: bool) -> None:
        self.written: list[str] = []
        self._out = out
        self._probe = probe
        self._quiet = quiet

    def tick(self, case: Case, health: Health) -> None:
        """A trial was made: one line that is written over, where a person looks on."""
        if not self._quiet and sys.stderr.isatty():
            click.echo(f"\r{case.number:>6} {case.directive:<40}", nl=False, err=True)

    def tell(self, found: Found) -> None:
        """A failure, with its smallest directive."""
        path = self._write(found) if found.same_as is None else None
        if self._quiet:
            return
        from mockcic.trace.dialogue import harmless

        case = found.case
        click.secho(f"trial {case.number:<4} {case.directive}: {harmless(case.about)}", fg="red")
        click.echo(f"  {found.health.trouble:<9} {harmless(found.health.detail)}; {again(found)}")
        if found.same_as is not None:
            click.echo(f"  the same  as trial {found.same_as}")
            return
        if found.shrunk is not None:
            tries = f"{found.shrunk.tries} tries" + (
                "" if found.shrunk.whole else ", then they were used up (--shrink)"
            )
            click.echo(f"  needed    {harmless(found.about) or 'nothing of that'}")
            click.echo(f"  smallest  {len(found.smallest.body())} bytes{attached(found)}, {tries}")
        click.echo(f"            {harmless(shortened(found.smallest.body()))}")
        if path is not None:
            click.echo(f"  written   {path}")

    def _write(self, found: Found) -> Path | None:
        if self._out is None:
            return None
        path = self._out
        if self.written:
            path = path.with_stem(f"{path.stem}-{len(self.written) + 1}")
        try:
            path.write_text(found.scenario(self._probe), encoding="utf-8")
        except OSError as error:
            raise StartError(f"cannot write {path}: {error.strerror or error}") from None
        self.written.append(str(path))
        return path


def again(found: Found) -> str:
    """How often it happened again, for people."""
    from mockcic.trial.fuzz import CONFIRM

    if not found.again:
        return "not again alone: by chance, or because of trials before it"
    return f"again {found.again} of {CONFIRM}"


def attached(found: Found) -> str:
    """The attachments, for people."""
    count = len(found.smallest.sounds)
    return f" and {count} attachment{'s' * (count > 1)}" if count else ""


def shortened(body: bytes) -> str:
    """A directive as a line."""
    text = body.decode("utf-8", "backslashreplace")
    return text if len(text) <= SHOWN_LETTERS else f"{text[:SHOWN_LETTERS]}... ({len(body)} bytes)"


def finish(outcome: Outcome) -> None:
    """The sum."""
    counts = f"{outcome.trials} trial{'s' * (outcome.trials != 1)}"
    reopened = f", the line lost and opened anew after {outcome.reopened}" if outcome.reopened else ""
    if outcome.stopped:
        click.secho(f"stopped   {outcome.stopped}", fg="yellow")
    if outcome.ok:
        click.secho(f"{counts}, the device was fine after each{reopened}", fg="green", bold=True)
        return
    different = len(outcome.different)
    failed = f"{len(outcome.found)} failed, {different} different" if outcome.found else "none failed"
    click.secho(f"{counts}, {failed}{reopened}", fg="red", bold=True)


__all__ = ["command"]
