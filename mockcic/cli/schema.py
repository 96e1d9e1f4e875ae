"""`mockcic schema`: the language of scenarios as JSON Schema, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mockcic.errors import StartError


def schema_text(*, chaos: bool = False) -> str:
    """The schema as it is printed, and as docs/scenario.schema.json has it; `chaos`: that of chaos files."""
    from mockcic.scenario.schema import chaos_schema, scenario_schema

    schema = chaos_schema() if chaos else scenario_schema()
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


@click.command(name="schema", short_help="Print the JSON Schema of scenario files, for editors.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file instead.")
@click.option("--chaos", is_flag=True, help="That of chaos files (docs/chaos.md).")
def command(out: Path | None, chaos: bool) -> None:
    """Print the JSON Schema of scenario files: every key, every directive with its payload, every event.

    Write it beside your scenarios and begin each with

    \b
    # yaml-language-server: $schema=scenario.schema.json

    and an editor that knows the YAML language server completes and checks while you type.
    """
    if out is None:
        click.echo(schema_text(chaos=chaos), nl=False)
        return
    try:
        out.write_text(schema_text(chaos=chaos), encoding="utf-8")
    except OSError as error:
        raise StartError(f"cannot write {out}: {error.strerror}") from None


__all__ = ["command", "schema_text"]
