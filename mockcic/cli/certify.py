"""`mockcic certify`: walk a suite with a device, write evidence, judge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockcic.errors import StartError

if TYPE_CHECKING:
    from mockcic.certify import Driver, Outcome, StepResult, Suite


@click.command(
    name="certify",
    short_help="Walk a device through a suite; one report, evidence, an exit code.",
    epilog="Exit codes: 0 it passes; 1 a rule is broken, or was not shown; 2 it cannot be run: no suite, no command, "
    "no device; of --check: the evidence is not as it was signed.",
)
@click.option(
    "--device-command",
    metavar="COMMAND",
    help="Starts the device for each step. MOCKCIC_URL, _CA, _TOKEN, _STEP, _ASK and _SECONDS are in its environment; "
    "{url}, {host}, {port}, {ca}, {token}, {step}, {ask}, {seconds} in its words.",
)
@click.option("--attach", is_flag=True, help="Instead: a device that connects by itself; says what to do with it.")
@click.option("--suite", "path", type=click.Path(path_type=Path), metavar="FILE", help="Another suite.")
@click.option("--only", multiple=True, metavar="STEP", help="Only this step; wildcards allowed. May be repeated.")
@click.option("--skip", multiple=True, metavar="STEP", help="All but this step; wildcards allowed. May be repeated.")
@click.option("--list", "listing", is_flag=True, help="Print the steps and end.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="The evidence, a zip.")
@click.option("--html", "html_file", type=click.Path(path_type=Path), metavar="FILE", help="The report as a page.")
@click.option("--junit", "junit_file", type=click.Path(path_type=Path), metavar="FILE", help="The report as JUnit XML.")
@click.option("--allow", multiple=True, metavar="RULE", help="Do not judge this rule; wildcards allowed.")
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", help="Another number for the rules.")
@click.option("--profile", type=click.Choice(["seed", "2021"]), help="Of all scenarios, whatever they say.")
@click.option("--dialect", metavar="NAME", help="Write all answers in this dialect (mockcic dialects).")
@click.option("--strict", is_flag=True, help="Broken advice counts, too.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the server listens.")
@click.option("--port", default=0, show_default=True, help="Its port; 0 is any free one.")
@click.option("--name", "host_names", multiple=True, metavar="NAME", help="One more name in the certificate.")
@click.option(
    "--wait", default=60.0, show_default=True, metavar="SECONDS", help="With --attach: how long to wait for the device."
)
@click.option(
    "--check",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Run nothing: whether this evidence is as it was signed (by --ca, if given).",
)
@click.option("--ca", "ca_file", type=click.Path(exists=True, path_type=Path), metavar="FILE", help="With --check.")
def command(**options: Any) -> None:
    """Walk a device through a suite of scenarios, and judge it by the rules of the guide.

    \b
      mockcic certify --device-command "mockcic device --from-env" -o evidence.zip
      mockcic certify --attach --host 0.0.0.0 --port 8443 -o evidence.zip
      mockcic certify --check evidence.zip
    """
    if options["check"] is not None:
        check(options["check"], options["ca_file"])
        return
    from mockcic.certify import read_suite

    suite = read_suite(options["path"]).only(options["only"], options["skip"])
    if options["listing"]:
        show(suite)
        return
    if (options["device_command"] is None) == (not options["attach"]):
        raise click.UsageError("a device is needed: --device-command COMMAND, or --attach")
    outcome = run(suite, options)
    if not outcome.ok:
        raise SystemExit(1)


def check(path: Path, ca_file: Path | None) -> None:
    """Say what an evidence is, or what is wrong with it."""
    from mockcic.certify import check_evidence

    evidence = check_evidence(path, ca_file)
    said = evidence.manifest
    click.echo(f"{path}: as it was signed by CA {evidence.fingerprint[:16]}… on {said['created']}")
    agents = ", ".join(said["user_agents"]) or "no User-Agent"
    click.echo(f"suite {said['suite']}, mockcic {said['mockcic']}, {agents}")
    click.secho("passed" if evidence.ok else "not passed", fg="green" if evidence.ok else "red", bold=True)


def show(suite: Suite) -> None:
    """The steps, for --list."""
    for step in suite.steps:
        click.echo(f"{step.name:<14} {step.seconds:>4g} s  ask {step.ask:<10} {step.say}")


def run(suite: Suite, options: dict[str, Any]) -> Outcome:
    """Start a server, walk, write what was asked for."""
    from mockcic.certify import Attached, Command, certify, write_evidence
    from mockcic.mock import MockCIC
    from mockcic.scenario.dialects import DIALECTS
    from mockcic.verdict.conformance import LimitError

    dialect = options["dialect"]
    if dialect is not None and dialect not in DIALECTS:
        raise click.BadParameter(f"{dialect!r} is none of {', '.join(DIALECTS)}", param_hint="--dialect")
    driver: Driver = Attached(wait_s=options["wait"]) if options["attach"] else Command(options["device_command"])
    steps = iter(suite.steps)
    with MockCIC(host=options["host"], port=options["port"], h2c_port=None, host_names=options["host_names"]) as mock:
        click.echo(f"suite {suite.suite}, {len(suite.steps)} steps, at {mock.url}  CA {mock.ca_file}")
        announce(next(steps, None))

        def done(result: StepResult) -> None:
            tell(result)
            announce(next(steps, None))

        try:
            outcome = certify(
                mock,
                suite,
                driver,
                allow=options["allow"],
                limits=dict(each.partition("=")[::2] for each in options["limits"]),
                strict=options["strict"],
                profile=options["profile"],
                dialect=dialect,
                say=lambda text: click.secho(f"  >>> {text}", bold=True),
                done=done,
            )
        except LimitError as error:
            raise click.UsageError(str(error)) from None
        if options["output"] is not None:
            write_evidence(options["output"], outcome, mock.ca_file)
    finish(outcome, options)
    return outcome


def announce(step: Any) -> None:
    """A line for the step that begins: it may take minutes."""
    if step is not None:
        click.echo(f"{step.name}: up to {step.seconds:g} s")


def tell(result: StepResult) -> None:
    """A step's result, with what is broken and why."""
    from mockcic.trace.dialogue import harmless

    word = "ok" if result.ok else "no device came" if not result.came else "not ok"
    click.secho(f"  {word:<7} {result.seconds:.1f} s", fg="green" if result.ok else "red")
    for each in result.verdict.broken:
        click.echo(f"  broken    {each.rule.id}: {each.rule.says}")
        for line in each.text().splitlines():
            click.echo(f"              {harmless(line)}")
    for id_ in result.unseen:
        click.echo(f"  not shown {id_}")
    if not result.came and result.output:
        for line in result.output.splitlines()[-8:]:
            click.echo(f"  | {harmless(line)}")


def finish(outcome: Outcome, options: dict[str, Any]) -> None:
    """Write the documents, print the sum."""
    from collections import Counter

    from mockcic.trace.conformance import conformance_html, conformance_junit

    for path, make in ((options["html_file"], conformance_html), (options["junit_file"], conformance_junit)):
        if path is not None:
            try:
                path.write_text(make(outcome.report()), encoding="utf-8")
            except OSError as error:
                raise StartError(f"cannot write {path}: {error.strerror}") from None
    counts = Counter(verdict.status for verdict in outcome.rules().values())
    click.echo(f"{counts['kept']} rules kept, {counts['broken']} broken, {counts['not seen']} not seen")
    if options["output"] is not None:
        click.echo(f"evidence  {options['output']}")
    click.secho("passed" if outcome.ok else "not passed", fg="green" if outcome.ok else "red", bold=True)


__all__ = ["command"]
