"""`mockcic dialects`: the named dialects, each with what it sets and who says so."""

from __future__ import annotations

import json

import click


@click.command(name="dialects", short_help="List the dialects that `serve --dialect` knows.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of lines for people.")
def command(as_json: bool) -> None:
    """Ways to write what the documents leave open. A firmware that runs with each leans on none.

    \b
      mockcic serve --dialect g18 weather.yaml
    """
    from mockcic.scenario.dialects import DIALECTS

    if as_json:
        shown = {
            name: {"about": each.about, "source": each.source, "settings": each.settings}
            for name, each in DIALECTS.items()
        }
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for name, each in DIALECTS.items():
        click.echo(f"{click.style(name, bold=True)}  {each.about}")
        click.echo(f"    {json.dumps(each.settings, ensure_ascii=False)}  ({each.source})")
