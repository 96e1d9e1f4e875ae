"""`mockcic fault`: make something go wrong for devices of a running server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockcic.cli.control import EXITS, Word, asker, fail, options, say_json

if TYPE_CHECKING:
    from mockcic.control.client import ControlClient, ControlError


@click.command(
    name="fault", short_help="Make something go wrong for devices of a running server, on purpose.", epilog=EXITS
)
@click.argument("words", nargs=-1, metavar="[ACT [VALUE]] [KEY=VALUE]... | [YAML]")
@click.option(
    "--device", type=Word(), metavar="DEVICE", help="A short name, a token, or a pattern; all devices without it."
)
@click.option("--times", type=click.IntRange(min=1), help="Gone after so many strikes, at each device.  [default: 1]")
@click.option("--always", is_flag=True, help="It stays until it is removed, however often it strikes.")
@click.option("--list", "listed", is_flag=True, help="List the faults that are set, those of scenarios too.")
@click.option("--remove", metavar="NUMBER|all", help="Remove a fault, or all.")
@click.option("--acts", is_flag=True, help="List all that can go wrong, and how to write it. Asks no server.")
@options
def command(
    words: tuple[str, ...],
    device: str | None,
    times: int | None,
    always: bool,
    listed: bool,
    remove: str | None,
    acts: bool,
    control: str | None,
    control_token: str | None,
    ready_file: Path | None,
    as_json: bool,
) -> None:
    """Set a fault as a scenario has it (docs/faults.md). It strikes each device once, unless it says how often.

    \b
      mockcic fault reset CANCEL after.sent=120 --device 4f2a
      mockcic fault status 503 event='SpeechRecognizer.*' --times 3
      mockcic fault pace rate=400 jitter=20ms --always
      mockcic fault '{cut: silent, on: downchannel, for: 2m}'
      mockcic fault --acts
    """
    ways = [bool(words), listed, remove is not None, acts]
    if sum(ways) > 1:
        raise click.UsageError("found several things to do; expected one of: a fault, --list, --remove, --acts")
    if acts:
        _acts(as_json=as_json)
        return
    if not any(ways):
        raise click.UsageError("say what is to go wrong (--acts lists all that can), or --list, or --remove")
    fault = read_fault(words) if words else {}
    if times is not None:
        fault["times"] = times
    from mockcic.control.client import ControlError

    client = asker(control, control_token, ready_file)
    try:
        with client:
            if listed:
                query = {} if device is None else {"device": device}
                _list(client.ask("GET", "/v1/faults", params=query)["faults"], as_json=as_json)
            elif remove is not None:
                _remove(client, remove, device, as_json=as_json)
            else:
                asked = {"fault": fault, "device": device or "*", "always": always}
                _say(client.ask("POST", "/v1/faults", json=asked), as_json=as_json)
    except ControlError as error:
        if not as_json:
            _tell_more(error)
        fail(error, as_json=as_json)


def read_fault(words: Sequence[str]) -> dict[str, Any]:
    """A fault of words (`reset CANCEL after.sent=120`), or of one word that is YAML."""
    if len(words) == 1 and words[0].lstrip().startswith("{"):
        return dict(_read_yaml(words[0]))
    fault: dict[str, Any] = {}
    plain = [word for word in words if "=" not in word or not word.partition("=")[0]]
    if len(plain) > 2:
        raise click.UsageError(
            f'found "{" ".join(plain)}", expected one act with its value, then KEY=VALUE; several faults are several '
            "commands"
        )
    if plain:
        fault[plain[0]] = _read_value(plain[1]) if len(plain) == 2 else {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            continue
        *way, last = key.split(".")
        if plain and _is_of_act(plain[0], key.partition(".")[0]):
            way = [plain[0], *way]
        place = fault
        for step in way:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                raise click.UsageError(f"found {word} beside {step}={inner}; expected one of them")
            place = inner
        place[last] = _read_value(value)
    return fault


def _is_of_act(act: str, key: str) -> bool:
    """Whether a key is one of the act and none of faults: `pace rate=400` is `pace.rate=400`."""
    from mockcic.scenario.faults.fault import ACTS, Fault, act_type

    if act not in ACTS or any(key == (field.alias or name) for name, field in Fault.model_fields.items()):
        return False
    return any(key == (field.alias or name) for name, field in act_type(act).model_fields.items())


def _read_value(text: str) -> Any:
    """A value as YAML has it: a plain one, or a list or mapping in brackets."""
    from mockcic.scenario.load import read_variable

    return _read_yaml(text) if text[:1] in ("[", "{") else read_variable(text)


def _read_yaml(text: str) -> Any:
    from mockcic.scenario.source import Source

    source = Source("<fault>", text)
    if source.problems:
        raise click.UsageError(f"the fault is not YAML: {source.problems[0].said}")
    return source.values


def _tell_more(error: ControlError) -> None:
    """What is wrong besides the first; that one is in the sentence."""
    for each in error.problem.get("errors", ())[1:]:
        if each.get("expected"):
            mend = f"; {each['mend']}" if each["mend"] else ""
            click.echo(f"mockcic: {each['member']}: {each['what']}; expected {each['expected']}{mend}", err=True)


def _say(shape: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(shape)
        return
    for said in shape.get("warnings", ()):
        click.echo(f"mockcic: warning: {said}", err=True)
    click.echo(
        f"{shape['number']}  {_whose(shape['device'])}  {shape['name']}  {shape['about']}  {_when(shape)}".rstrip()
    )


def _whose(device: str) -> str:
    return "all devices" if device == "*" else device


def _when(shape: Mapping[str, Any]) -> str:
    """What is said of its aim, its moment and its span, as it was written."""
    fault = shape["fault"]
    said = [f"on {shape['on']}"]
    said += [
        f"{key} {_plain(fault[key])}"
        for key in ("event", "directive", "after", "nth", "every", "chance")
        if key in fault
    ]
    said += [f"{key} {_plain(fault[key])}" for key in ("times", "for") if key in fault]
    return ", ".join(said)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(member)}" for key, member in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return "yes" if value is True else str(value)


def _list(faults: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        say_json(faults)
        return
    if not faults:
        click.echo("no fault is set")
        return
    rows = [
        (
            str(each["number"]),
            _whose(each["device"]),
            each["name"],
            f"{each['strikes']} of {each['occasions']}",
            each["by"],
            f"{each['about']}, {_when(each)}",
        )
        for each in faults
    ]
    for line in _columns([("NUMBER", "DEVICE", "NAME", "STRUCK", "SET BY", "WHAT"), *rows]):
        click.echo(line)


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()


def _remove(client: ControlClient, which: str, device: str | None, *, as_json: bool) -> None:
    if which == "all" and device is not None:  # those of this device; what is set for everybody stays
        found = client.ask("GET", "/v1/faults", params={"device": device})["faults"]
        of_it = [each["number"] for each in found if each["device"] != "*"]
        for number in of_it:
            client.ask("DELETE", f"/v1/faults/{number}")
        removed = len(of_it)
    elif which == "all":
        removed = client.ask("DELETE", "/v1/faults")["removed"]
    elif which.isdecimal():
        client.ask("DELETE", f"/v1/faults/{which}")
        removed = 1
    else:
        raise click.BadParameter(f"{which!r} is neither a number nor all; --list shows them", param_hint="--remove")
    if as_json:
        say_json({"removed": removed})
    else:
        click.echo(f"removed {removed} fault{'' if removed == 1 else 's'}" if removed else "no fault was set")


def _acts(*, as_json: bool) -> None:
    """Every act: what it is, what it is aimed at, how it is written."""
    from mockcic.scenario.faults.fault import ACTS, act_type
    from mockcic.scenario.faults.written import WRITTEN

    if as_json:
        say_json(
            [
                {
                    "act": key,
                    "about": act_type(key).__doc__,
                    "roles": list(act_type(key).AIMS),
                    "examples": list(WRITTEN[key]),
                    "sees": act_type(key).SEES,
                    "good": act_type(key).GOOD,
                }
                for key in ACTS
            ]
        )
        return
    for key in ACTS:
        act = act_type(key)
        about = " ".join((act.__doc__ or "").split())
        click.echo(f"{click.style(key, bold=True)}  on {', '.join(act.AIMS)}")
        click.echo(f"    {about}")
        for example in WRITTEN[key]:
            click.echo(f"    {example}")
    click.echo(
        "\nBeside the act: on, event, directive, after, nth, every, chance, seed, times, for, name (docs/faults.md)"
    )
