"""The command line: a file a subcommand, imported only when that subcommand runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final, NoReturn

import click

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "serve": ("mockcic.cli.serve:command", "Serve scenarios to devices."),
    "check": ("mockcic.cli.check:command", "Say everything that is wrong with scenario files."),
    "device": ("mockcic.cli.device:command", "Be a simulated device: connect, speak, print the dialogue."),
    "push": ("mockcic.cli.push:command", "Push a directive to devices of a running server."),
    "cue": ("mockcic.cli.cue:command", "Make a named cue of a scenario happen on a device."),
    "fault": ("mockcic.cli.fault:command", "Make something go wrong for devices of a running server, on purpose."),
    "events": ("mockcic.cli.events:command", "Show what happened on a running server, or what happens."),
    "wait": ("mockcic.cli.wait:command", "Wait until something came, or until a server is up."),
    "verify": ("mockcic.cli.verify:command", "Verify what happened on a running server."),
    "devices": ("mockcic.cli.devices:command", "List the devices of a running server; look at one, change it."),
    "token": ("mockcic.cli.token:command", "The tokens a running server has issued: list, expire, revoke, issue."),
    "clock": ("mockcic.cli.clock:command", "The clock of a running server: turn it forward, run it faster."),
    "chaos": ("mockcic.cli.chaos:command", "The faults of a day, from a file: show its plan, play it, stop it."),
    "load": ("mockcic.cli.load:command", "Load a scenario into a running server; list, remove, reload them."),
    "reset": ("mockcic.cli.reset:command", "Let devices of a running server begin anew."),
    "trace": ("mockcic.cli.trace:command", "Write what happened on a running server into a file."),
    "show": ("mockcic.cli.show:command", "Print a trace file as a dialogue, or draw it."),
    "diff": ("mockcic.cli.diff:command", "Say what differs between two trace files."),
    "report": ("mockcic.cli.report:command", "Judge a run, for people and for CI systems."),
    "certify": ("mockcic.cli.certify:command", "Walk a device through a suite; one report, evidence, an exit code."),
    "fuzz": ("mockcic.cli.fuzz:command", "Send a device wrong directives; the smallest that breaks it."),
    "torture": ("mockcic.cli.torture:command", "Cut a message at every byte; where a device cannot bear it."),
    "interfaces": ("mockcic.cli.interfaces:command", "Browse the events, directives and contexts of CIC."),
    "dialects": ("mockcic.cli.dialects:command", "List the dialects that `serve --dialect` knows."),
    "say": ("mockcic.cli.say:command", "Speak a text, digits or a marker into a sound file."),
    "listen": ("mockcic.cli.listen:command", "Say what is in a recording, as of an upload."),
    "ca": ("mockcic.cli.ca:command", "Say where the certificate authority is, print it, make it anew."),
    "schema": ("mockcic.cli.schema:command", "Print the JSON Schema of scenario files, for editors."),
    "ping": ("mockcic.cli.ping:command", "Ask a server whether it is up; the healthcheck of containers."),
}
"""Subcommand to where its click command is, and what `mockcic --help` says of it: the command's own short help."""

EXIT_TROUBLE: Final = 2
EXIT_INTERRUPTED: Final = 130  # 128 + SIGINT, as shells report it


class LazyGroup(click.Group):
    """A group that imports a subcommand only to run it: `--help` and a mistyped name import none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The subcommands, in the order of the table: what one needs first stands first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand itself, imported."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of `--help`, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short_help) for name, (_, short_help) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with a word about what was probably meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            mend = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}"
            ctx.fail(f'no such command "{args[0]}"; {mend}')
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from mockcic import __version__

    click.echo(f"mockcic {__version__}")
    ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def group() -> None:
    """A mock CIC server for testing voice devices: script it in YAML, talk to it over HTTP/2."""


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 found something wrong, 2 cannot be done as asked, 130 interrupted.

    `args` are the words after the program's name, by default those of the process. A `StartError` becomes one sentence
    on stderr; a `ScenarioError` that a subcommand let pass, all its problems.
    """
    try:
        code = group.main(args=None if args is None else list(args), prog_name="mockcic", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(EXIT_INTERRUPTED)
    except _troubles() as error:
        _tell(error, as_json="--json" in (sys.argv[1:] if args is None else args))
        sys.exit(EXIT_TROUBLE)
    sys.exit(code if isinstance(code, int) else 0)  # click gives what `ctx.exit` was called with


def _troubles() -> tuple[type[Exception], ...]:
    """What the operator or the author can mend; asked for only when something was raised."""
    from mockcic.errors import ScenarioError, StartError

    return StartError, ScenarioError


def _tell(error: Exception, *, as_json: bool = False) -> None:
    """One sentence; before it the problems of the scenarios, where a subcommand let them pass."""
    from mockcic.errors import ScenarioError

    if as_json:
        import json
        from dataclasses import asdict

        problems = {"problems": [asdict(each) for each in error.problems]} if isinstance(error, ScenarioError) else {}
        click.echo(json.dumps({"detail": str(error), **problems}, ensure_ascii=False))
        return
    if isinstance(error, ScenarioError):
        from mockcic.cli.problems import print_problems

        print_problems(error.problems, err=True)
        click.echo("mockcic: the scenarios have errors", err=True)
    else:
        from mockcic.errors import printable

        click.echo(f"mockcic: {printable(str(error))}", err=True)


__all__ = ["COMMANDS", "LazyGroup", "group", "main"]
