"""`mockcic token`: the tokens that a running server has issued."""

from __future__ import annotations

from typing import Any

import click

from mockcic.cli.control import EXITS, Word, ask, options


@click.group(name="token", short_help="The tokens a running server has issued: list, expire, revoke, issue.")
def command() -> None:
    """Look at tokens, end them. To let days pass for them: `mockcic clock advance 5d`.

    \b
      mockcic token list
      mockcic token expire kitchen-speaker
      mockcic token issue kitchen-speaker
    """


@command.command(name="list", short_help="The access tokens, oldest first.", epilog=EXITS)
@click.argument("device", required=False, type=Word())
@options
def list_tokens(device: str | None, **given: Any) -> None:
    """The access tokens that were issued, each with its state; of one DEVICE (a short name, or its device_id)."""
    ask(given, "GET", "/v1/auth/tokens", _table, params={} if device is None else {"device": device})


@command.command(name="expire", short_help="Let a device's tokens expire now.", epilog=EXITS)
@click.argument("device", type=Word())
@options
def expire(device: str, **given: Any) -> None:
    """What DEVICE asks next gets 401; it can refresh. A hand-made token expires, too.

    Take care: shipped firmware answers 401 to an event by unbinding the account for good.
    """
    ask(given, "POST", "/v1/auth/expire", _table, json={"device": device})


@command.command(name="revoke", short_help="Take a device's tokens back.", epilog=EXITS)
@click.argument("device", type=Word())
@options
def revoke(device: str, **given: Any) -> None:
    """As if DEVICE had been logged out elsewhere: 401, no refresh, and its downchannel ends."""
    ask(given, "POST", "/v1/auth/revoke", _table, json={"device": device})


@command.command(name="issue", short_help="Make a token pair for a device.", epilog=EXITS)
@click.argument("device_id", metavar="DEVICE_ID")
@click.option("--client-id", default="mock-client", show_default=True, help="The client it is for.")
@click.option("--model-id", default="mock-model", show_default=True, help="The model it is for.")
@options
def issue(device_id: str, client_id: str, model_id: str, **given: Any) -> None:
    """A pair as /token would give it, printed whole, without /authorize."""
    asked = {"client_id": client_id, "device_id": device_id, "model_id": model_id}
    ask(given, "POST", "/v1/auth/issue", _pair, json=asked)


def _table(found: dict[str, Any]) -> None:
    from mockcic.trace.dialogue import harmless, span

    if not found["tokens"]:
        click.echo("no token has been issued yet")
        return
    rows = [("DEVICE", "TOKEN", "STATE", "LIVES", "REFRESH", "CLIENT", "DEVICE_ID", "MODEL")]
    rows += [
        (
            each["device"],
            each["token"],
            each["state"],
            "-" if each["left_s"] is None else span(round(each["left_s"])),
            each["refresh_token"] or "-",
            harmless(each["client_id"]) or "-",
            harmless(each["device_id"]) or "-",
            harmless(each["model_id"]) or "-",
        )
        for each in found["tokens"]
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(click.style(line, bold=number == 0))


def _pair(found: dict[str, Any]) -> None:
    for name, value in found.items():
        click.echo(f"{name:<14} {value}")


__all__ = ["command"]
