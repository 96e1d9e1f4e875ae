"""`mockcic check`: read scenario files and say everything that is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from mockcic.cli.problems import as_json, count_line, print_problems
from mockcic.errors import Problem, ScenarioError
from mockcic.scenario.files import scenario_files
from mockcic.scenario.load import load


def read_variables(pairs: Sequence[str]) -> dict[str, str]:
    """`--var name=value`, any number of them. Raises click's usage error for one without `=`."""
    variables: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise click.UsageError(f"--var {pair}: write NAME=VALUE")
        variables[name] = value
    return variables


@click.command(name="check", short_help="Say everything that is wrong with scenario files.")
@click.argument("paths", nargs=-1, required=True, metavar="FILE|FOLDER...", type=click.Path(path_type=Path))
@click.option("--var", "pairs", multiple=True, metavar="NAME=VALUE", help="Override a variable of the scenarios.")
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.option("--json", "for_machines", is_flag=True, help="Print a JSON list of objects.")
def command(paths: tuple[Path, ...], pairs: tuple[str, ...], strict: bool, for_machines: bool) -> None:
    """Read scenario files and folders and say everything that is wrong, each with its place and how to mend it.

    Exits with 1 when there are errors, with 2 when a file does not exist.
    """
    problems: Sequence[Problem]
    try:
        problems = load(paths, variables=read_variables(pairs)).warnings
    except ScenarioError as error:
        problems = error.problems
    if strict:
        problems = [replace(problem, severity="error") for problem in problems]
    if for_machines:
        click.echo(json.dumps([as_json(problem) for problem in problems], ensure_ascii=False, indent=2))
    else:
        print_problems(problems)
        files = sum(len(scenario_files(path)) if path.is_dir() else 1 for path in paths)
        click.echo(count_line(problems, files))
    if any(problem.severity == "error" for problem in problems):
        raise SystemExit(1)


__all__ = ["command", "read_variables"]
