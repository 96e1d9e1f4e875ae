"""Documents cannot lie: what they take from the code is compared, what they show is run."""

from __future__ import annotations

import importlib.util
import re
import shlex
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import click
import pytest

from mockcic.cli.device_asks import ASKS
from mockcic.cli.fault import read_fault
from mockcic.scenario.faults.fault import ACTS, Fault
from mockcic.scenario.load import load_text
from mockcic.scenario.source import Source
from mockcic.simulator.device import Habits
from mockcic.verdict.conformance import Limits
from tests.dialogues.conftest import TROUBLE

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture
def generate() -> ModuleType:
    """docs/generate.py."""
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_settings_is_that_of_the_code(generate: ModuleType) -> None:
    assert (ROOT / "docs" / "scenarios.md").read_text() == generate.scenarios_page(), "run: python docs/generate.py"


def test_the_table_of_conformance_rules_is_that_of_the_code(generate: ModuleType) -> None:
    page = (ROOT / "docs" / "conformance.md").read_text()
    assert page == generate.conformance_page(), "run: python docs/generate.py"


def test_the_table_of_misbehaviours_is_that_of_the_code(generate: ModuleType) -> None:
    assert (ROOT / "docs" / "simulated-device.md").read_text() == generate.simulated_device_page()


def test_habits_and_asks_of_the_simulated_device_are_told_as_they_are() -> None:
    page = (ROOT / "docs" / "simulated-device.md").read_text()
    asks = page.partition("| ask | |")[2].partition("\n\n")[0]
    assert dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", asks, re.MULTILINE)) == ASKS
    table = page.partition("### Habits")[2].partition("## Mis")[0]
    said: dict[str, str] = {}
    for names, values in re.findall(r"^\| (`.*?) \| (.*?) \|", table, re.MULTILINE):
        said |= dict(zip(re.findall(r"`(\w+)`", names), values.split(", "), strict=True))
    defaults = {each.name: each.default for each in fields(Habits)}
    assert said == {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in defaults.items()}


def test_every_limit_of_the_rules_is_explained() -> None:
    table = (ROOT / "docs" / "conformance.md").read_text().partition("## Limits")[2].partition("## Rules")[0]
    said: dict[str, float] = {}
    for line in table.splitlines():
        names = re.findall(r"`(\w+)`", line)
        if names:
            said |= dict(zip(names, map(float, line.split("|")[2].split(",")), strict=True))
    assert said == Limits().as_json()


@pytest.mark.parametrize("name", ["dialects", "interfaces"])
def test_a_page_that_is_made_whole_is_that_of_the_code(generate: ModuleType, name: str) -> None:
    assert (ROOT / "docs" / f"{name}.md").read_text() == getattr(generate, f"{name}_page")()


def test_the_editor_schema_is_that_of_the_code(generate: ModuleType) -> None:
    assert (ROOT / "docs" / "scenario.schema.json").read_text() == generate.schema_file(), (
        "run: python docs/generate.py"
    )


def test_the_catalogue_that_is_read_is_that_of_interfaces_yaml(generate: ModuleType) -> None:
    assert (ROOT / "mockcic/cic/interfaces.json").read_text() == generate.catalogue_file(), (
        "run: python docs/generate.py"
    )


def _whole_scenarios() -> list[tuple[str, str]]:
    blocks = []
    for page in PAGES:
        for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            if re.search(r"^scenario:", block, re.MULTILINE):
                blocks.append((page.name, block))
    return blocks


@pytest.mark.parametrize(("page", "text"), _whole_scenarios())
def test_a_scenario_that_a_page_shows_loads_without_a_word(page: str, text: str) -> None:
    assert load_text(text).warnings == ()


def _links() -> list[tuple[str, str]]:
    return [
        (page.name, target)
        for page in PAGES
        if page.name != "protocol.md"  # its regular expressions look like links
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    ]


@pytest.mark.parametrize(("page", "target"), _links())
def test_a_link_leads_somewhere(page: str, target: str) -> None:
    folder = ROOT if page == "README.md" else ROOT / "docs"
    assert (folder / target).exists()


def test_every_command_is_in_the_readme() -> None:
    from mockcic.cli import COMMANDS

    text = (ROOT / "README.md").read_text()
    assert [name for name in COMMANDS if f"mockcic {name}" not in text] == []


def _options() -> set[str]:
    """Of every command and those in it, and of the pytest plugin."""
    from mockcic import pytest_plugin
    from mockcic.cli import COMMANDS, group

    context = click.Context(group)
    commands = [group.get_command(context, name) for name in COMMANDS]
    commands += [inner for each in commands if isinstance(each, click.Group) for inner in each.commands.values()]
    ours = {name for command in commands if command for parameter in command.params for name in parameter.opts}
    parser = pytest.Parser(_ispytest=True)
    pytest_plugin.pytest_addoption(parser)
    return ours | {name for group in parser._groups for option in group.options for name in option.names()}


OF_OTHERS = {"--build", "--exit-code-from", "--cacert", "--http2", "--http2-prior-knowledge", "--fail-with-body"}
OF_OTHERS |= {"--data-binary", "--junit-xml", "--do", "--minutes", "--devices"}
BOUNDARIES = {"--boundary", "--boundary--", "--b1", "--abcdefg123456"}


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "protocol.md"], ids=lambda page: page.name)
def test_every_option_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", page.read_text()))
    assert named - _options() - OF_OTHERS - BOUNDARIES == set()


class TestFaults:
    """docs/faults.md: every act, as it is in the code, and what it shows loads."""

    def test_its_tables_are_those_of_the_code(self, generate: ModuleType) -> None:
        assert (ROOT / "docs" / "faults.md").read_text() == generate.faults_page(), "run: python docs/generate.py"

    def test_every_act_every_key_and_every_story_is_in_it(self) -> None:
        page = (ROOT / "docs" / "faults.md").read_text()
        for key in ACTS:
            assert f"| **`{key}`** " in page
        for name, member in Fault.model_fields.items():
            assert name in ACTS.values() or f"| `{member.alias or name}` |" in page
        for name in TROUBLE:
            assert f"(../scenarios/{name}.yaml)" in page

    def test_every_fault_it_shows_is_one(self) -> None:
        page = (ROOT / "docs" / "faults.md").read_text() + (ROOT / "README.md").read_text()
        acts = tuple(f"{{{key}: " for key in ACTS)
        shown = [text for text in re.findall(r"`(\{[^`]*\})`", page) if text.startswith(acts)]
        assert len(shown) >= len(ACTS)
        for text in shown:
            Fault.model_validate(Source("x", text).values)

    def test_every_command_it_shows_is_understood(self) -> None:
        page = (ROOT / "docs" / "faults.md").read_text() + (ROOT / "README.md").read_text()
        shown = re.findall(r"\$ mockcic fault ((?:[a-z]|').*)", page)
        assert len(shown) >= 4
        for line in shown:
            words = shlex.split(line, comments=True)
            options = [number for number, word in enumerate(words) if word.startswith("--")]
            Fault.model_validate(read_fault(words[: options[0]] if options else words))
