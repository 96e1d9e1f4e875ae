"""`mockcic clock`: the clock of a running server, turned forward or run at another pace."""

from __future__ import annotations

from typing import Any

import click

from mockcic.cli.control import EXITS, ask, options


@click.group(name="clock", short_help="The clock of a running server: turn it forward, run it faster.")
def command() -> None:
    """Let hours pass in a second: scripts, `every`, tokens and lifetimes of downchannels go by the server's clock.

    \b
      mockcic clock show
      mockcic clock advance 8h
      mockcic clock advance --to 07:00
      mockcic clock factor 60

    What devices do by themselves takes its time: docs/clock.md.
    """


@command.command(name="show", short_help="What it shows, and how it goes.", epilog=EXITS)
@options
def show(**given: Any) -> None:
    """Its time, how far it is ahead of real time, and how long until something is due."""
    ask(given, "GET", "/v1/clock", _show)


@command.command(name="advance", short_help="Turn it forward.", epilog=EXITS)
@click.argument("by", metavar="[DURATION]", required=False)
@click.option("--to", metavar="TIME", help="To a time: 07:00 (+09:00), 07:00+01:00, 2026-03-02T07:00:00Z.")
@options
def advance(by: str | None, to: str | None, **given: Any) -> None:
    """Turn it by DURATION (8h, 5d, 90s); what would have happened meanwhile happens now, in its order."""
    from mockcic.control.client import TURN_S

    if (by is None) is (to is None):
        raise click.UsageError("give a DURATION such as 8h, or --to TIME")
    asked = {"by": by} if by is not None else {"to": to}
    ask(given, "POST", "/v1/clock/advance", _show, wait_s=TURN_S, json=asked)


@command.command(name="factor", short_help="Let it go faster or slower.", epilog=EXITS)
@click.argument("factor", type=click.FloatRange(min=0.0))
@options
def factor(factor: float, **given: Any) -> None:
    """Let so many seconds pass by it in a real one: 60 an hour in a minute; 0 lets it stand, 1 goes as real time."""
    ask(given, "PATCH", "/v1/clock", _show, json={"factor": factor})


@command.command(name="reset", short_help="Let it show real time again.", epilog=EXITS)
@options
def reset(**given: Any) -> None:
    """Let it show real time, and go as that does. What has happened stays so."""
    ask(given, "POST", "/v1/clock/reset", _show)


def _show(found: dict[str, Any]) -> None:
    from mockcic.trace.dialogue import span

    parts = [found["time"], f"{span(round(found['ahead_s'], 1))} ahead of real time"]
    if found["factor"] != 1:
        parts.append("it stands" if not found["factor"] else f"{found['factor']:g} times as fast")
    if "due" in found:
        count = found["expired"]
        tokens = f", {count} token{'' if count == 1 else 's'} expired" if count else ""
        parts.append(f"{found['due']} thing{'' if found['due'] == 1 else 's'} came due{tokens}")
    if found["next_s"] is not None:
        parts.append(f"next in {span(round(found['next_s'], 1))}")
    click.echo("  ".join(parts))


__all__ = ["command"]
