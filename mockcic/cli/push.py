"""`mockcic push`: a directive on the downchannels of a running server."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import click

from mockcic.cli.control import EXIT_NOT_KEPT, EXITS, Seconds, Word, asker, fail, options, say_json


@click.command(name="push", short_help="Push a directive to devices of a running server.", epilog=EXITS)
@click.argument("name", required=False, metavar="[NAMESPACE.NAME]")
@click.option("-p", "members", multiple=True, metavar="MEMBER=VALUE", help="A member of the payload, as YAML reads it.")
@click.option("--payload", metavar="JSON", help="The payload, or more of it.")
@click.option("--dialogue", metavar="ID", help="Its dialogRequestId.  [default: none]")
@click.option("--audio", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A sound for its `url`.")
@click.option(
    "--attach",
    "attached",
    multiple=True,
    metavar="KEY=FILE",
    help="An attachment; {{ cid.KEY }} in the payload names it.",
)
@click.option("--step", metavar="YAML", help="Instead of all that: a step as a scenario has it, {Namespace.Name: ...}.")
@click.option(
    "--to",
    "devices",
    type=Word(),
    multiple=True,
    metavar="DEVICE",
    help="A short name or token; all devices without it.",
)
@click.option("--tag", help="Only devices with this tag (wildcards allowed).")
@click.option("--user-agent", help="Only devices with this User-Agent (wildcards allowed).")
@click.option(
    "--within", type=Seconds(), default=5.0, show_default=True, help="How long to wait for devices to take it."
)
@options
def command(
    name: str | None, control: str | None, control_token: str | None, ready_file: Path | None, **given: Any
) -> None:
    """Push a directive and say who got it, and when its bytes were handed to the connection.

    \b
      mockcic push Clova.RenderText -p text=안녕 --to 4f2a
      mockcic push SpeechSynthesizer.Speak --audio hello.mp3
      mockcic push --step '{AudioPlayer.StopCapture: {}}'
    """
    from mockcic.control.client import ControlError

    asked = request(name, given)
    client = asker(control, control_token, ready_file)
    try:
        with client:
            delivery = client.ask("POST", "/v1/push", json=asked, wait_s=given["within"])
    except ControlError as error:
        fail(error, as_json=given["as_json"])
    if given["as_json"]:
        say_json(delivery)
    else:
        say(delivery, name or next(iter(asked["step"])))
    if not delivery["count"]:
        raise SystemExit(EXIT_NOT_KEPT)


def request(name: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """The body of the request."""
    if (name is None) is (given["step"] is None):
        raise click.UsageError("say what to push: a Namespace.Name, or --step")
    asked: dict[str, Any] = {"within": given["within"]}
    if given["step"] is not None:
        asked["step"] = _step(given["step"])
    else:
        asked |= {"directive": name, "payload": _payload(given), "dialogue": given["dialogue"]}
        asked["audio"] = None if given["audio"] is None else _sound(given["audio"])
        asked["attach"] = dict(_attachment(each) for each in given["attached"])
    asked["to"] = {
        "device": list(given["devices"]) or None,
        "tag": given["tag"],
        "user_agent": given["user_agent"],
    }
    return asked


def _payload(given: dict[str, Any]) -> dict[str, Any]:
    from mockcic.scenario.load import read_variable

    try:
        payload = json.loads(given["payload"] or "{}")
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--payload") from None
    if not isinstance(payload, dict):
        raise click.BadParameter("expected a JSON object", param_hint="--payload")
    for each in given["members"]:
        member, equals, value = each.partition("=")
        if not equals or not member:
            raise click.BadParameter(f"{each!r} is not MEMBER=VALUE", param_hint="-p")
        *way, last = member.split(".")
        place = payload
        for step in way:
            place = place.setdefault(step, {})
        place[last] = read_variable(value)
    return payload


def _step(text: str) -> dict[str, Any]:
    import yaml

    try:
        step = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise click.BadParameter(f"not YAML: {error}", param_hint="--step") from None
    if isinstance(step, str):
        return {step: {}}
    if not isinstance(step, dict):
        raise click.BadParameter("expected {Namespace.Name: {...}}", param_hint="--step")
    return step


def _sound(path: Path) -> dict[str, str]:
    return {"base64": base64.b64encode(path.read_bytes()).decode()}


def _attachment(text: str) -> tuple[str, dict[str, str]]:
    key, equals, path = text.partition("=")
    if not equals or not key:
        raise click.BadParameter(f"{text!r} is not KEY=FILE", param_hint="--attach")
    try:
        return key, _sound(Path(path))
    except OSError as error:
        raise click.BadParameter(f"cannot read {path}: {error.strerror}", param_hint="--attach") from None


def say(delivery: dict[str, Any], name: str) -> None:
    """Who got it, who did not, and what is odd about it."""
    for warning in delivery["warnings"]:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    for each in delivery["delivered"]:
        click.echo(
            f"{each['device']}  {name} on the wire at +{each['at']:.3f}, {each['bytes']} bytes,"
            f" message {each['message_id']}"
        )
    for each in delivery["missed"]:
        click.secho(f"{each['device']}  missed it: {each['why']}", fg="yellow")
    if not delivery["delivered"] and not delivery["missed"]:
        click.secho("no device is meant; `mockcic devices` lists those there are", fg="yellow")
