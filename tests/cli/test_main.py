"""The entry point: what it imports, what it says, how it exits."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from mockcic import __version__, cli
from mockcic.errors import Problem, ScenarioError, StartError


def exit_code(*args: str) -> int:
    """What `mockcic` exits with."""
    with pytest.raises(SystemExit) as exited:
        cli.main(args)
    code = exited.value.code
    assert isinstance(code, int)
    return code


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """A subcommand `ping` that raises what a test puts in."""
    errors: list[BaseException] = []

    @click.command()
    def command() -> None:
        raise errors[0]

    monkeypatch.setattr("mockcic.cli.ping.command", command)
    return errors


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_help_of_the_program_says_what_each_command_says_of_itself(name: str) -> None:
    """The table holds the texts so that `--help` need not import the commands."""
    target, short_help = cli.COMMANDS[name]
    module, _, attribute = target.partition(":")
    command = getattr(import_module(module), attribute)
    assert (command.name, command.get_short_help_str(100)) == (name, short_help)


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of the table: what one needs first stands first."""
    assert exit_code("--help") == 0
    text = capsys.readouterr().out
    places = [text.index(f"\n  {name} ") for name in cli.COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize("statement", ["import mockcic.cli", "from mockcic.cli import main; main(['--help'])"])
def test_neither_the_import_nor_the_help_pay_for_a_command(statement: str) -> None:
    """The command line must not import what it does not use."""
    program = f"import sys, atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); {statement}"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = set(done.stderr.split())
    assert {name for name in loaded if name.partition(".")[0] == "mockcic"} == {"mockcic", "mockcic.cli"}
    assert not loaded & {"yaml", "pydantic", "hypercorn", "h2", "httpx", "asyncio", "jinja2", "trustme"}


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--version") == 0
    assert capsys.readouterr().out == f"mockcic {__version__}\n"


def test_the_package_runs_as_a_module() -> None:
    """Where the script is not on the path."""
    done = subprocess.run([sys.executable, "-m", "mockcic", "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == f"mockcic {__version__}\n"


def test_a_mistyped_command_is_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("sevre") == 2
    assert 'no such command "sevre"; did you mean serve?' in capsys.readouterr().err


def test_what_the_operator_can_mend_is_one_sentence(
    raising: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, no traceback."""
    raising.append(StartError("cannot listen on 127.0.0.1:8443: address already in use"))
    assert exit_code("ping") == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "mockcic: cannot listen on 127.0.0.1:8443: address already in use\n")


def test_problems_that_a_command_let_pass_are_all_shown(
    raising: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2: the author mends the files."""
    raising.append(ScenarioError([Problem("a.yaml", 3, 5, "unknown key"), Problem("a.yaml", 9, 1, "no rules")]))
    assert exit_code("ping") == 2
    said = capsys.readouterr().err
    assert "a.yaml:3:5: error: unknown key" in said
    assert "a.yaml:9:1: error: no rules" in said


def test_an_interrupt_exits_as_shells_expect(raising: list[BaseException]) -> None:
    """128 and the number of SIGINT."""
    raising.append(KeyboardInterrupt())
    assert exit_code("ping") == 130


def test_what_is_our_own_fault_keeps_its_traceback(raising: list[BaseException]) -> None:
    raising.append(ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        cli.main(["ping"])


def test_a_command_exits_with_its_own_code(tmp_path: Path) -> None:
    """`mockcic check` of a file with an error: 1."""
    path = tmp_path / "wrong.yaml"
    path.write_text("scenario: wrong\non: 7\n")
    assert exit_code("check", str(path)) == 1
