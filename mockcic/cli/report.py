"""`mockcic report`: what a CI job archives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mockcic.cli.control import asker, fail, options, say_json
from mockcic.errors import StartError

if TYPE_CHECKING:
    from mockcic.control.client import ControlClient
    from mockcic.scenario.settings import Profile
    from mockcic.trace.conformance import ConformanceReport
    from mockcic.trace.file import Trace
    from mockcic.trace.report import Report

WHATS: Final = ("verdicts", "unmatched", "errors", "warnings", "unused")
FAIL_ON: Final = "verdicts,unmatched,errors"


@click.command(
    name="report",
    short_help="Judge a run, for people and for CI systems.",
    epilog="Exit codes: 0 ok; 1 not ok; 2 it cannot be made: no such file, no trace, no server.",
)
@click.argument("traces", nargs=-1, type=click.Path(path_type=Path), metavar="[TRACE]...")
@click.option("--junit", "junit_file", type=click.Path(path_type=Path), metavar="FILE", help="JUnit XML; - for stdout.")
@click.option(
    "--html", "html_file", type=click.Path(path_type=Path), metavar="FILE", help="One HTML page; - is stdout."
)
@click.option(
    "--fail-on",
    default=FAIL_ON,
    show_default=True,
    metavar="WHAT,...",
    help=f"What makes it not ok: any of {', '.join(WHATS)}; none for nothing.",
)
@click.option("--conformance", is_flag=True, help="Judge the devices by the rules of the guide instead.")
@click.option(
    "--allow", multiple=True, metavar="RULE", help="With --conformance: do not judge this rule; wildcards allowed."
)
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=VALUE", help="With --conformance: another number for the rules."
)
@click.option("--profile", type=click.Choice(["seed", "2021"]), help="With --conformance: what may be asked.")
@click.option("--strict", is_flag=True, help="With --conformance: broken advice makes it not ok, too.")
@click.option("--all", "every", is_flag=True, help="With --conformance: also list rules that are kept or not seen.")
@options
def command(
    traces: tuple[Path, ...],
    junit_file: Path | None,
    html_file: Path | None,
    fail_on: str,
    conformance: bool,
    allow: tuple[str, ...],
    limits: tuple[str, ...],
    profile: Profile | None,
    strict: bool,
    every: bool,
    control: str | None,
    control_token: str | None,
    ready_file: Path | None,
    as_json: bool,
) -> None:
    """Judge trace files, or without one a running server.

    What was verified, which events found no rule, what devices did wrong, which rules were never used.

    \b
      mockcic report run.cictrace --junit junit.xml --html report.html
      mockcic report --ready-file ready.json --html report.html
      mockcic report --conformance run.cictrace --html conformance.html
    """
    from mockcic.trace.report import make_report

    wanted = read_whats(fail_on)
    if not conformance and (allow or limits or profile or strict or every):
        raise click.UsageError("--allow, --limit, --profile, --strict and --all go with --conformance")
    to_stdout = Path("-") in (junit_file, html_file)
    if as_json + (junit_file == Path("-")) + (html_file == Path("-")) > 1:
        raise click.UsageError("one document at a time goes to stdout: --json, --junit - or --html -")
    if traces:
        from mockcic.trace.file import read_trace

        found = [read_trace(path) for path in traces]
    else:
        found = [of_server(asker(control, control_token, ready_file), as_json=as_json)]
    if conformance:
        verdict = judge(found, allow, limits, profile, strict=strict)
        say_conformance(verdict, junit_file, html_file, as_json=as_json, quiet=to_stdout, every=every)
        return
    report = make_report(found, fail_on=wanted)
    if junit_file is not None:
        from mockcic.trace.junit import junit

        write(junit_file, junit(report))
    if html_file is not None:
        from mockcic.trace.html import html

        write(html_file, html(report))
    if as_json:
        say_json(report.as_json())
    elif not to_stdout:
        say(report)
    if not report.ok:
        raise SystemExit(1)


def judge(
    traces: Sequence[Trace], allow: Sequence[str], limits: Sequence[str], profile: Profile | None, *, strict: bool
) -> ConformanceReport:
    """The verdict on the devices of each trace."""
    from mockcic.trace.conformance import ConformanceReport, judge_trace
    from mockcic.verdict.conformance import LimitError, read_limits, rules_but

    try:
        rules = rules_but(allow)
    except LimitError as error:
        raise click.BadParameter(str(error), param_hint="--allow") from None
    try:
        numbers = read_limits(dict(each.partition("=")[::2] for each in limits))
    except LimitError as error:
        raise click.BadParameter(str(error), param_hint="--limit") from None
    judged = (judge_trace(each, numbers, rules=rules, profile=profile or "2021") for each in traces)
    return ConformanceReport(tuple(judged), strict=strict)


def say_conformance(
    report: ConformanceReport,
    junit_file: Path | None,
    html_file: Path | None,
    *,
    as_json: bool,
    quiet: bool,
    every: bool,
) -> None:
    """Write the documents, print the table; exit code 1 when it is not ok."""
    from mockcic.trace.conformance import conformance_html, conformance_junit, conformance_lines
    from mockcic.trace.dialogue import harmless

    if junit_file is not None:
        write(junit_file, conformance_junit(report))
    if html_file is not None:
        write(html_file, conformance_html(report))
    if as_json:
        say_json(report.as_json())
    elif not quiet:

        def style(text: str, **how: Any) -> str:
            return click.style(harmless(text), **how)

        for line in conformance_lines(report, every=every, style=style):
            click.echo(line)
    if not report.ok:
        raise SystemExit(1)


def read_whats(text: str) -> tuple[str, ...]:
    """The words of --fail-on."""
    words = tuple(word.strip() for word in text.split(","))
    for word in words:
        if word not in (*WHATS, "none"):
            raise click.BadParameter(f"{word!r} is none of {', '.join(WHATS)}", param_hint="--fail-on")
    return () if "none" in words else words


def of_server(client: ControlClient, *, as_json: bool) -> Trace:
    """The trace of a running server."""
    import tempfile

    from mockcic.control.client import ControlError
    from mockcic.trace.file import read_trace

    try:
        with client:
            data = client.send("GET", "/v1/trace", wait_s=60).content
    except ControlError as error:
        fail(error, as_json=as_json)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.cictrace"
        path.write_bytes(data)
        return read_trace(path)


def write(path: Path, text: str) -> None:
    """Into a file, or onto stdout."""
    if path == Path("-"):
        click.echo(text, nl=False)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StartError(f"cannot write {path}: {error.strerror}") from None


def say(report: Report) -> None:
    """A line a check, and why those that are not kept are not."""
    from mockcic.trace.dialogue import harmless

    colours = {"kept": "green", "broken": "red", "error": "yellow"}
    for trace in report.traces:
        click.secho(harmless(trace.title) or "trace", bold=True)
        devices = ", ".join(harmless(device.name) for device in trace.devices) or "no device"
        used = sum(1 for rule in trace.rules if rule.uses)
        click.echo(f"  {devices}; {used} of {len(trace.rules)} rules used; {len(trace.findings)} findings")
        for check in trace.checks:
            status = click.style(f"{check.status:<7}", fg=colours[check.status] if check.counts else None)
            quiet = "" if check.counts or check.status == "kept" else "  (does not count)"
            click.echo(f"  {status} {harmless(check.name)}{quiet}")
            if check.status != "kept":
                for line in check.text.splitlines():
                    click.echo(f"            {harmless(line)}")
    click.secho("ok" if report.ok else "not ok", fg="green" if report.ok else "red", bold=True)
