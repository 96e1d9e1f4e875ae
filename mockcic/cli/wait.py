"""`mockcic wait`: until something came to a running server, or until the server is up."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from mockcic.cli.control import (
    EXIT_CANNOT,
    EXITS,
    LOOK_EVERY_S,
    Seconds,
    Word,
    asker,
    await_file,
    joined,
    judge,
    options,
    say_json,
)
from mockcic.errors import StartError

READY_S: Final = 30.0
FILTER_S: Final = 5.0


@click.command(name="wait", short_help="Wait until something came, or until a server is up.", epilog=EXITS)
@click.argument("words", nargs=-1, metavar="[FILTER]...")
@click.option("--ready", is_flag=True, help="Wait until the server is up, and say where.")
@click.option("--times", metavar="TIMES", help='How often: 2, "1..3", "2..", "at most 1".  [default: at least once]')
@click.option("--within", type=Seconds(), metavar="TIME", help="How long: 500ms, 2s.  [default: 5s; with --ready 30s]")
@click.option("--device", type=Word(), metavar="DEVICE", help="Only this device: a short name or a token.")
@click.option("--after", type=click.IntRange(min=0), metavar="NUMBER", help="Only entries younger than this one.")
@options
def command(
    words: tuple[str, ...], control: str | None, control_token: str | None, ready_file: Path | None, **given: Any
) -> None:
    """Wait until entries that fit FILTER came (docs/journal.md); what came before counts. Says why when they do not.

    \b
      mockcic wait --ready && mockcic wait SpeechRecognizer.Recognize --within 10s --device 4f2a
    """
    if given["ready"]:
        if words:
            raise click.UsageError("--ready waits for the server; wait for a filter behind it")
        wait_for_server(control, control_token, ready_file, given["within"] or READY_S, as_json=given["as_json"])
        return
    if not words:
        raise click.UsageError("say what to wait for: a filter, or --ready")
    within = FILTER_S if given["within"] is None else given["within"]
    client = asker(control, control_token, ready_file)
    asked = {"filter": joined(words), "within": within}
    asked |= {name: given[name] for name in ("times", "device", "after")}
    judge(client, "/v1/wait", asked, as_json=given["as_json"], wait_s=within)


def wait_for_server(
    control: str | None, token: str | None, ready_file: Path | None, within_s: float, *, as_json: bool
) -> None:
    """Ask again and again until the server says that it is ready."""
    until = time.perf_counter() + within_s
    if ready_file is not None:
        await_file(ready_file, within_s)
    while (ready := _ask(control, token, ready_file, until, within_s)) is None:
        time.sleep(LOOK_EVERY_S)
    if as_json:
        say_json(ready)
    else:
        click.echo(f"ready  {ready['url']}")


def _ask(
    control: str | None, token: str | None, ready_file: Path | None, until: float, within_s: float
) -> dict[str, Any] | None:
    """What the server says of itself; None when it does not answer yet."""
    from mockcic.control.client import ControlError

    try:
        with asker(control, token, ready_file) as client:
            ready: dict[str, Any] = client.ask("GET", "/readyz")
            return ready
    except StartError as error:
        if time.perf_counter() > until:
            _give_up(f"not ready after {within_s:g} s: {error}")
    except ControlError as error:
        _give_up(str(error))
    return None


def _give_up(why: str) -> NoReturn:
    click.echo(f"mockcic: {why}", err=True)
    raise SystemExit(EXIT_CANNOT)
