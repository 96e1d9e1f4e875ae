"""What `mockcic fuzz` and `mockcic torture` share: where the device is, and how long it is waited for."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from mockcic.cli.control import Seconds, say_json

if TYPE_CHECKING:
    from mockcic.trial.health import Limits, Probe
    from mockcic.trial.subject import Subject

F = TypeVar("F", bound=Callable[..., Any])

SETTINGS: Final = "{event_check: 'off', user_agent: 'off', downchannel_window: 0}"
SCENARIO: Final = f"scenario: trial\nsettings: {SETTINGS}\non: [{{event: '*'}}]\n"
"""Every event is answered with 204: what the device says is listened to, and that is all."""

LONGEST_S: Final = 86_400.0
"""A device that a command starts is told that it may stay so long."""


def options(command: F) -> F:
    """The options of both."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="JSON instead of lines for people."),
        click.option("--wait", type=Seconds(), default=60.0, help="With --attach: how long to wait for it.  [60s]"),
        click.option("--port", default=0, show_default=True, help="The port of that server; 0 is any free one."),
        click.option("--host", default="127.0.0.1", show_default=True, help="Where that server listens."),
        click.option("--strict", is_flag=True, help="A line that was lost is a failure even if it was opened anew."),
        click.option(
            "--recover", type=Seconds(), default=30.0, help="How long a device that failed may take to be back.  [30s]"
        ),
        click.option(
            "--within", type=Seconds(), default=3.0, help="How long a report, or a line, may take to come.  [3s]"
        ),
        click.option(
            "--probe", metavar="NAME", help="The directive it is asked with.  [the first that it answers of a few]"
        ),
        click.option("--to", "device", metavar="DEVICE", help="On a running server: a short name or token."),
        click.option(
            "--ready-file",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Take address and token of the control API from the server's ready file.",
        ),
        click.option("--control-token", metavar="TOKEN", help="Its token.  [default: $MOCKCIC_CONTROL_TOKEN]"),
        click.option(
            "--control", metavar="URL", help="The control API of a running server.  [default: as `mockcic push`]"
        ),
        click.option("--attach", is_flag=True, help="Start a server for a device that connects by itself."),
        click.option(
            "--device-command",
            metavar="COMMAND",
            help="Start a server, and the device by this command, anew when it ends; as `mockcic certify` does.",
        ),
    ):
        command = option(command)
    return command


@contextmanager
def subject(given: dict[str, Any]) -> Iterator[tuple[Subject, Probe | None, Limits]]:
    """The device, ready for trials, and what it is asked with. Raises `StartError`."""
    from mockcic.trial.fuzz import begin
    from mockcic.trial.health import PROBES, Limits, find_probe, read_probe

    if given["probe"] is not None:
        read_probe(given["probe"])
    if given["device_command"] is not None and given["attach"]:
        raise click.UsageError("--device-command starts the device, --attach waits for one; give one of them")
    limits = Limits(given["within"], given["recover"], given["strict"])
    with ExitStack() as stack:
        found = stack.enter_context(_of_ours(given, stack) if is_ours(given) else _elsewhere(given, stack))
        begin(found, limits)
        names = (given["probe"],) if given["probe"] is not None else PROBES
        yield found, find_probe(found, names, limits.within_s), limits


def is_ours(given: dict[str, Any]) -> bool:
    """Whether a server is started for it."""
    return bool(given["attach"] or given["device_command"] is not None)


def _of_ours(given: dict[str, Any], stack: ExitStack) -> Subject:
    from mockcic.bench.local import LocalPlace
    from mockcic.certify import Command, Place, Step
    from mockcic.mock import MockCIC
    from mockcic.trial.subject import Started, Subject, first_device

    command = None if given["device_command"] is None else Command(given["device_command"])
    mock = stack.enter_context(MockCIC(SCENARIO, host=given["host"], port=given["port"], h2c_port=None))
    place = LocalPlace(mock)
    if not given["as_json"]:
        click.echo(f"server    {mock.url}  CA {mock.ca_file}")
    if command is None:
        return Subject(place, first_device(place, given["wait"]))
    token = f"trial-{uuid.uuid4().hex}"
    where = Place(mock.url, mock.ca_file, token, Step(name="trial", scenario="-", ask="connect", seconds=LONGEST_S))
    return Subject(place, place.announce(token), Started(lambda: command.start(where)))


def _elsewhere(given: dict[str, Any], stack: ExitStack) -> Subject:
    from mockcic.bench.remote import RemotePlace
    from mockcic.cli.control import READY_WITHIN_S, await_file
    from mockcic.control.client import from_ready
    from mockcic.trial.subject import Subject, only_device

    url, token = given["control"], given["control_token"]
    if given["ready_file"] is not None:
        await_file(given["ready_file"], READY_WITHIN_S)
        url, token = from_ready(given["ready_file"])
    place = RemotePlace(url, token)
    stack.callback(place.close)
    return Subject(place, only_device(place, given["device"] or ""))


def about_probe(probe: Probe | None) -> str:
    """What the device is asked with, for people."""
    if probe is None:
        return "probe     none: the device answered none, so only its line and its process are looked at"
    return f"probe     {probe.name}, answered with {probe.expects}"


__all__ = ["about_probe", "options", "say_json", "subject"]
