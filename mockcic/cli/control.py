"""What the commands that ask a running server share: where it is, how trouble is told, how long things take."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import click

from mockcic.errors import StartError

if TYPE_CHECKING:
    from mockcic.control.client import ControlClient, ControlError

READY_WITHIN_S: Final = 10.0
LOOK_EVERY_S: Final = 0.05

EXIT_NOT_KEPT: Final = 1
EXIT_CANNOT: Final = 2
EXITS: Final = (
    "Exit codes: 0 done, or kept; 1 not kept, or nobody got it; 2 it cannot be done as asked, or cannot be judged; "
    "130 interrupted."
)

F = TypeVar("F", bound=Callable[..., Any])


def options(command: F) -> F:
    """The options of every command that asks a server."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="JSON instead of lines for people."),
        click.option(
            "--ready-file",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Take address and token from the server's ready file; waits for it up to 10 s.",
        ),
        click.option("--control-token", metavar="TOKEN", help="Its token.  [default: $MOCKCIC_CONTROL_TOKEN]"),
        click.option(
            "--control",
            metavar="URL",
            help="The control API of the server.  [default: $MOCKCIC_CONTROL or http://127.0.0.1:8444]",
        ),
    ):
        command = option(command)
    return command


def asker(control: str | None, control_token: str | None, ready_file: Path | None) -> ControlClient:
    """The client that the options name. Raises `StartError`."""
    from mockcic.control.client import ControlClient

    if ready_file is None:
        return ControlClient(control, control_token)
    if control is not None:
        raise click.UsageError("--ready-file says where the server is; give it or --control")
    await_file(ready_file, READY_WITHIN_S)
    return ControlClient.from_ready_file(ready_file)


def await_file(path: Path, within_s: float) -> None:
    """Wait until a ready file is there: it is written whole. Raises `StartError`."""
    until = time.perf_counter() + within_s
    while not path.exists():
        if time.perf_counter() > until:
            raise StartError(f"there is no ready file {path} after {within_s:g} s; does the server start?")
        time.sleep(LOOK_EVERY_S)


def say_json(value: Any) -> None:
    """One JSON value on a line of its own."""
    click.echo(json.dumps(value, ensure_ascii=False))


def ask(given: dict[str, Any], method: str, path: str, show: Callable[[Any], None], **how: Any) -> None:
    """Ask the server that `options` name, and show what came; `how` is for `ControlClient.ask`."""
    from mockcic.control.client import ControlError

    as_json = given.pop("as_json")
    client = asker(**given)
    try:
        with client:
            found = client.ask(method, path, **how)
    except ControlError as error:
        fail(error, as_json=as_json)
    if as_json:
        say_json(found)
    else:
        show(found)


def fail(error: ControlError, *, as_json: bool) -> NoReturn:
    """What the server refused, on stderr; exit code 2."""
    if as_json:
        say_json(error.problem)
    else:
        click.echo(f"mockcic: {error}", err=True)
        tell_problems(error)
    raise SystemExit(EXIT_CANNOT)


def tell_problems(error: ControlError) -> None:
    """What is wrong in a scenario, place by place."""
    if problems := error.problem.get("problems"):
        from mockcic.cli.problems import print_problems
        from mockcic.errors import Problem

        print_problems([Problem(**each) for each in problems], err=True)


def say_verdict(verdict: dict[str, Any], *, as_json: bool) -> NoReturn:
    """What came of a verification; exit code 0 kept, 1 broken, 2 cannot be judged."""
    if as_json:
        say_json(verdict)
    else:
        from mockcic.trace.dialogue import harmless

        colour = {"kept": "green", "broken": "red"}.get(verdict["status"], "yellow")
        first, *rest = verdict["text"].splitlines()
        click.secho(harmless(first), fg=colour)
        for line in rest:
            click.echo(harmless(line))
    sys.exit({"kept": 0, "broken": EXIT_NOT_KEPT}.get(verdict["status"], EXIT_CANNOT))


def judge(client: ControlClient, path: str, asked: dict[str, Any], *, as_json: bool, wait_s: float = 0.0) -> NoReturn:
    """Ask for a verdict and end with it."""
    from mockcic.control.client import ControlError

    said = {name: value for name, value in asked.items() if value is not None}
    try:
        with client:
            verdict = client.ask("POST", path, json=said, wait_s=wait_s)
    except ControlError as error:
        if error.verdict is None:
            fail(error, as_json=as_json)
        verdict = error.verdict
    say_verdict(verdict, as_json=as_json)


class Word(click.ParamType[str]):
    """A device, never an empty text: a variable that is not set would mean all of them."""

    name = "device"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word."""
        if not str(value).strip():
            self.fail("found an empty text; expected a short name or a token", param, ctx)
        return str(value)


class Seconds(click.ParamType[float]):
    """A duration: seconds, or with a unit as scenarios have it (500ms, 2s, 1m30s)."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        from pydantic_core import PydanticCustomError

        from mockcic.scenario.words import read_duration

        if isinstance(value, float | int):
            return float(value)
        try:
            return float(value) if value.replace(".", "", 1).isdecimal() else float(read_duration(value))
        except (ValueError, PydanticCustomError):
            self.fail(f"{value!r} is no duration; write seconds, or 500ms, 2s, 1m30s", param, ctx)


def joined(words: tuple[str, ...]) -> str:
    """The words of a filter as one text; what the shell took the quotes from gets them back.

    A single word is the whole filter as it stands. `payload.text=오늘 날씨` of several is `payload.text="오늘 날씨"`.
    """
    if len(words) <= 1:
        return "".join(words)
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    if '"' in word or not any(letter.isspace() for letter in word):
        return word
    for place, letter in enumerate(word):
        if letter in "=~<>":
            if word[place + 1 : place + 2] == "/":
                return word
            return f'{word[: place + 1]}"{word[place + 1 :]}"'
    return f'"{word}"'
