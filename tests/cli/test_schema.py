"""`mockcic schema`: the language for editors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mockcic.cli import group
from mockcic.errors import StartError


def test_it_prints_a_json_schema() -> None:
    """On stdout, for a pipe."""
    result = CliRunner().invoke(group, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.output)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_it_writes_a_file(tmp_path: Path) -> None:
    """The same, to the byte."""
    path = tmp_path / "scenario.schema.json"
    assert CliRunner().invoke(group, ["schema", "--out", str(path)]).output == ""
    assert path.read_text(encoding="utf-8") == CliRunner().invoke(group, ["schema"]).output


def test_a_place_it_cannot_write_is_told_to_the_operator(tmp_path: Path) -> None:
    """One sentence, exit code 2."""
    result = CliRunner().invoke(group, ["schema", "--out", str(tmp_path / "nowhere" / "x.json")])
    assert isinstance(result.exception, StartError)
    assert str(result.exception).endswith("x.json: No such file or directory")


def test_help_shows_the_line_for_editors() -> None:
    """As it is copied into a scenario file."""
    help_text = CliRunner().invoke(group, ["schema", "--help"]).output
    assert "# yaml-language-server: $schema=scenario.schema.json" in help_text


@pytest.mark.parametrize("command", ["check", "schema"])
def test_the_short_help_is_that_of_the_table(command: str) -> None:
    """`mockcic --help` imports no subcommand, so it has its own copy."""
    from mockcic.cli import COMMANDS

    found = group.get_command(None, command)  # type: ignore[arg-type]
    assert found is not None
    assert found.short_help == COMMANDS[command][1]
