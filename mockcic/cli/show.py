"""`mockcic show`: a trace file as a dialogue, as JSON lines, or as a picture."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockcic.errors import StartError

if TYPE_CHECKING:
    from mockcic.journal.entry import Entry
    from mockcic.trace.file import Trace


@click.command(name="show", short_help="Print a trace file as a dialogue, or draw it.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--mermaid", "form", flag_value="mermaid", help="Print a Mermaid sequence diagram.")
@click.option("--svg", "form", flag_value="svg", help="Print a picture as SVG.")
@click.option("--json", "form", flag_value="json", help="Print a JSON object a line: the trace, then its entries.")
@click.option("--filter", "asked", metavar="FILTER", default="", help="Only entries that fit, such as 'kind=finding'.")
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file instead.")
@click.option("--audio", type=click.Path(path_type=Path, file_okay=False), help="Save the sounds to this folder.")
def command(file: Path, form: str | None, asked: str, out: Path | None, audio: Path | None) -> None:
    """Print what happened in a trace file (.cictrace), oldest first.

    Exits with 2 when the file cannot be read.
    """
    from mockcic.trace.file import read_trace

    trace = read_trace(file)
    entries = _filtered(trace.entries, asked)
    text = "\n".join(_text(file, trace, entries, form))
    if out is None:
        click.echo(text.rstrip("\n"))
    else:
        _write(out, (click.unstyle(text).rstrip("\n") + "\n").encode(errors="replace"))
    if audio is not None:
        _save_sounds(trace, entries, audio)


def _filtered(entries: Sequence[Entry], asked: str) -> Sequence[Entry]:
    if not asked:
        return entries
    from mockcic.journal.filter import FilterError, read_filter

    try:
        filter_ = read_filter(asked)
    except FilterError as error:
        raise click.BadParameter(str(error), param_hint="--filter") from None
    return [entry for entry in entries if filter_.fits(entry)]


def _text(file: Path, trace: Trace, entries: Sequence[Entry], form: str | None) -> Iterator[str]:
    match form:
        case "svg":
            from mockcic.trace.svg import svg

            yield svg(entries, title=trace.title or file.name)
        case "mermaid":
            from mockcic.trace.mermaid import MOST_CHARACTERS, mermaid

            text = mermaid(entries)
            if len(text) > MOST_CHARACTERS:
                click.echo(
                    f"mockcic: {len(text)} characters, of which Mermaid draws {MOST_CHARACTERS} unless its maxTextSize "
                    "is raised; --filter makes it less",
                    err=True,
                )
            yield text
        case "json":
            yield json.dumps(_head(trace, entries))
            for entry in entries:
                yield json.dumps(entry.as_json(), ensure_ascii=True)
        case _:
            from mockcic.trace.dialogue import dialogue_lines

            yield from _header(file, trace, entries)
            yield from dialogue_lines(entries)


def _head(trace: Trace, entries: Sequence[Entry]) -> dict[str, object]:
    return {
        "kind": "trace",
        "title": trace.title,
        "created": trace.created,
        "version": trace.version,
        "devices": list(trace.devices),
        "scenarios": sorted(trace.scenarios),
        "rules": [{"scenario": each.scenario, "rule": each.rule, "uses": each.uses} for each in trace.rules],
        "entries": len(entries),
        "dropped": trace.dropped,
    }


def _header(file: Path, trace: Trace, entries: Sequence[Entry]) -> Iterator[str]:
    """What the trace is of, and whether anything is missing in it."""
    from mockcic.trace.dialogue import said

    head = click.style(said(trace.title or file.name), bold=True)
    yield f"{head}  {said(trace.created)}  mockcic {said(trace.version)}"
    yield f"  devices    {', '.join(map(said, trace.devices)) or 'none'}"
    if trace.scenarios:
        yield f"  scenarios  {', '.join(map(said, sorted(trace.scenarios)))}"
    unused = [said(rule.rule) for rule in trace.rules if not rule.uses]
    if trace.rules:
        not_used = f"; not used: {', '.join(unused)}" if unused else ""
        yield f"  rules      {len(trace.rules) - len(unused)} of {len(trace.rules)} used{not_used}"
    some = f"{len(entries)} of " if len(entries) != len(trace.entries) else ""
    yield f"  entries    {some}{len(trace.entries)}"
    if trace.dropped:
        yield click.style(f"  dropped    {trace.dropped} older entries are missing", fg="yellow")
    yield ""


def _save_sounds(trace: Trace, entries: Sequence[Entry], folder: Path) -> None:
    """Uploads as WAV, what devices were sent as it was; says how many, and how many were not kept."""
    from mockcic.sound.make import wav

    saved = missing = 0
    for entry in entries:
        digest = entry.data.get("sha256")
        if entry.kind not in ("upload", "attachment") or not isinstance(digest, str):
            continue
        data = trace.blob(digest)
        if data is None:
            missing += 1
            continue
        if entry.kind == "upload":
            suffix, data = "wav", wav(data)
        else:
            suffix = "mp3" if data.startswith((b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")) else "bin"
        _write(folder / f"{entry.number:06}{_file_part(entry.device)}{_file_part(entry.name)}.{suffix}", data)
        saved += 1
    gone = f", {missing} were not kept" if missing else ""
    click.echo(f"{saved} sound{'' if saved == 1 else 's'} in {folder}{gone}", err=True)


def _file_part(text: str) -> str:
    """A part of a file name of any system, whatever a device sent."""
    plain = re.sub(r"[^A-Za-z0-9._]+", "", text)[:48].strip(".")
    return f"-{plain}" if plain else ""


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise StartError(f"cannot write {path}: {error.strerror}") from None


__all__ = ["command"]
