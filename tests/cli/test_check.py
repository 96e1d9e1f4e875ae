"""`mockcic check`: everything that is wrong with scenario files, as a person or a machine reads it."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from mockcic.cli import group
from mockcic.cli.problems import count_line, marked, problem_lines
from mockcic.errors import Problem

GOLDEN = Path(__file__).parents[1] / "golden" / "check"
SCENARIOS = Path(__file__).parents[2] / "scenarios"


def check(*arguments: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(group, ["check", *map(str, arguments)])


@pytest.mark.parametrize(
    ("name", "path"),
    [("shapes", "shapes.yaml"), ("sense", "sense.yaml"), ("broken", "broken.yaml"), ("set", "set")],
)
def test_what_is_printed_is_what_a_person_was_shown(name: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where, found, expected, mend. Made anew in tests/golden/check with `mockcic check PATH > NAME.txt`, then read."""
    monkeypatch.chdir(GOLDEN)
    result = check(path)
    assert result.output == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert result.exit_code == 1


def test_the_shipped_scenarios_are_without_a_finding() -> None:
    """Warnings too."""
    result = check(SCENARIOS)
    assert result.output == f"no errors in {len(list(SCENARIOS.glob('*.yaml')))} files\n"
    assert result.exit_code == 0


def test_warnings_alone_are_no_failure_unless_strict(tmp_path: Path) -> None:
    """`--strict` takes them for errors."""
    path = tmp_path / "a.yaml"
    path.write_text("scenario: a\non:\n  - event: Vendor.Secret\n")
    assert check(path).exit_code == 0
    strict = check(path, "--strict")
    assert strict.exit_code == 1
    assert ": error: unknown event" in strict.output
    assert strict.output.endswith("1 error in 1 file\n")


def test_a_file_that_does_not_exist_is_told_to_the_operator(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, exit code 2."""
    from mockcic.cli import main

    with pytest.raises(SystemExit) as caught:
        main(["check", "nowhere.yaml"])
    assert caught.value.code == 2
    assert capsys.readouterr().err == "mockcic: there is no scenario file or folder nowhere.yaml\n"


def test_variables_are_overridden_and_checked(tmp_path: Path) -> None:
    """`--var NAME=VALUE`."""
    path = tmp_path / "a.yaml"
    path.write_text("scenario: a\nvars: {city: x}\n")
    assert check(path, "--var", "city=서울").exit_code == 0
    wrong = check(path, "--var", "ctiy=서울")
    assert wrong.output == (
        '--var ctiy: error: unknown variable "ctiy"\n'
        "   expected  one of the scenarios' `vars`; did you mean city?\n"
        "   mend      there are city\n"
        "1 error in 1 file\n"
    )
    assert check(path, "--var", "city").exit_code == 2


def test_json_has_every_finding_for_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of objects; Korean as it is."""
    monkeypatch.chdir(GOLDEN)
    result = check("--json", "shapes.yaml")
    findings = json.loads(result.output)
    assert result.exit_code == 1
    assert findings[0] == {
        "path": "shapes.yaml",
        "line": 1,
        "column": 11,
        "width": 2,
        "severity": "error",
        "what": '"scenario" cannot be "날씨"',
        "expected": "a name: a letter first, then letters, digits, _ and -",
        "mend": "",
    }
    assert "날씨" in result.output
    assert check("--json", SCENARIOS).output == "[]\n"


def test_colours_are_for_terminals() -> None:
    """Red for errors, yellow for warnings; plain in a pipe."""
    problem = Problem("a.yaml", 1, 1, "x", severity="warning", source="abc", width=3)
    styled = "\n".join(problem_lines(problem))
    assert "\x1b[33m" in styled
    assert click.unstyle(styled) == "a.yaml:1:1: warning: x\n    1 | abc\n      | ^^^"


@pytest.mark.parametrize(
    ("line", "column", "width", "text", "carets"),
    [
        ("a: bc", 4, 2, "a: bc", "   ^^"),
        ("가나: 다라", 5, 2, "가나: 다라", "      ^^^^"),
        ("가: x", 4, 1, "가: x", "    ^"),
        ("a\tb", 3, 1, "a b", "  ^"),
        ("e\u0301: x", 5, 1, "e\u0301: x", "   ^"),
        ("abc", 4, 1, "abc", "   ^"),
        ("", 1, 1, "", "^"),
        ("x" * 300, 1, 300, "x" * 120 + "…", "^" * 120),
        ("x" * 300 + "y" + "z" * 10, 301, 1, "…" + "x" * 30 + "y" + "z" * 10, " " * 31 + "^"),
        ("k: " + "가" * 100, 4, 100, "k: " + "가" * 58 + "…", " " * 3 + "^" * 117),
    ],
)
def test_carets_stand_under_what_they_mean(line: str, column: int, width: int, text: str, carets: str) -> None:
    """Columns count characters, carets display width; long lines are cut around the place."""
    assert marked(line, column, width) == (text, carets)


@pytest.mark.parametrize(
    ("errors", "warnings", "files", "said"),
    [
        (2, 1, 3, "2 errors, 1 warning in 3 files"),
        (1, 0, 1, "1 error in 1 file"),
        (0, 2, 1, "2 warnings in 1 file"),
        (0, 0, 2, "no errors in 2 files"),
    ],
)
def test_the_last_line_counts(errors: int, warnings: int, files: int, said: str) -> None:
    """For a glance."""
    problems = [Problem("a", 1, 1, "x")] * errors + [Problem("a", 1, 1, "x", severity="warning")] * warnings
    assert count_line(problems, files) == said
