"""docs/trace.md: what it shows is what one sees."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from mockcic.cli import group
from mockcic.cli.diff import command as diff_command
from mockcic.cli.show import command as show_command
from mockcic.journal.entry import Entry
from mockcic.trace.file import RuleUse, Trace, write_trace
from tests.support.entries import Entries, a_life

PAGE = (Path(__file__).parents[2] / "docs" / "trace.md").read_text(encoding="utf-8")


def _shown() -> list[tuple[str, str]]:
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return [
        (line, output) for block in blocks for line, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)
    ]


def _with_short_ids(life: Entries) -> tuple[Entry, ...]:
    names = {life[3].dialogue: "d1", life[9].name: "speech"}
    return tuple(
        entry._replace(dialogue=names.get(entry.dialogue, entry.dialogue), name=names.get(entry.name, entry.name))
        for entry in life
    )


@pytest.mark.parametrize(("line", "output"), _shown())
def test_a_command_prints_what_the_page_shows(
    line: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("yesterday", "맑아요"), ("today", "흐려요")):
        trace = Trace(
            _with_short_ids(a_life(text=text)),
            title="kitchen speaker",
            created="2026-03-02T03:01:15+00:00",
            version="0.1.0",
            rules=(RuleUse("weather", "weather", 1), RuleUse("weather", "never asked", 0)),
            scenarios={"weather": "scenario: weather\n"},
        )
        write_trace(Path(f"{name}.cictrace"), trace)
    program, *words = shlex.split(line)
    assert program == "mockcic"
    result = CliRunner().invoke(group, words)
    assert result.output == output
    assert result.exit_code == (1 if words[0] == "diff" else 0)


def test_every_option_is_on_the_page() -> None:
    options = {option for each in (show_command, diff_command) for one in each.params for option in one.opts}
    assert [option for option in options if option.startswith("-") and f"`{option}" not in PAGE] == []
