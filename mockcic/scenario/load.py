"""Scenario files, folders and texts become a `ScenarioSet`, or a `ScenarioError` with every problem of all of them.

A folder is its *.yaml and *.yml files at the top level, sorted. A file without the key `scenario` is a part: it has
only what others `include`, and a folder passes over it. All files of one path stay inside its folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mockcic.errors import Problem, ScenarioError, StartError
from mockcic.scenario.dialects import DialectName
from mockcic.scenario.files import BUILTIN, builtin_names, scenario_files
from mockcic.scenario.model import Scenario
from mockcic.scenario.node import resolve
from mockcic.scenario.reader import Reader
from mockcic.scenario.scenario_set import ScenarioSet
from mockcic.scenario.settings import Profile
from mockcic.scenario.source import Source
from mockcic.scenario.whole import with_changes
from mockcic.scenario.words import did_you_mean, shown


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is said beside the files and wins over what they say: see `load`."""

    variables: Mapping[str, Any] = field(default_factory=dict)
    profile: Profile | None = None
    dialect: DialectName | None = None
    strict: bool = False
    default: str | None = None

    def unknown(self, names: set[str]) -> Iterator[Problem]:
        """Variables that are none of these."""
        for name in self.variables:
            if name not in names:
                hint = did_you_mean(name, names)
                there_are = f"there are {', '.join(sorted(names))}" if names else "no scenario has `vars`"
                yield Problem(
                    f"--var {name}",
                    0,
                    0,
                    f"unknown variable {shown(name)}",
                    f"one of the scenarios' `vars`{hint}",
                    there_are,
                )

    def over(self, scenario: Scenario) -> Scenario:
        """The scenario as these want it."""
        said = {name: value for name, value in self.variables.items() if name in scenario.vars}
        values = {name: read_variable(value) if isinstance(value, str) else value for name, value in said.items()}
        changes: dict[str, Any] = {"vars": {**scenario.vars, **values}}
        changes |= {} if self.profile is None else {"profile": self.profile}
        changes |= {} if self.dialect is None else {"dialect": self.dialect}
        changes |= {"settings": scenario.settings.strict()} if self.strict else {}
        return with_changes(scenario, changes)

    def default_of(self, scenarios: Sequence[Scenario]) -> Scenario:
        """The scenario of devices that no `for` fits. Raises `StartError` where there is none of the name."""
        if self.default is None:
            return next((each for each in scenarios if each.for_ is None), scenarios[0])
        found = next((each for each in scenarios if each.scenario == self.default), None)
        if found is None:
            hint = did_you_mean(self.default, [each.scenario for each in scenarios])
            raise StartError(f"there is no scenario {self.default}{hint}")
        return found


def load(
    paths: Sequence[Path],
    *,
    variables: Mapping[str, Any] | None = None,
    profile: Profile | None = None,
    dialect: DialectName | None = None,
    strict: bool = False,
    default: str | None = None,
) -> ScenarioSet:
    """Read files and folders.

    `variables` override `vars` of every scenario that has them; a text among them is read as YAML would read it.
    `profile`, `dialect` and `strict` override what the files say. `default` names the scenario of devices that no `for`
    fits; without it that is the first one without `for`. Raises ScenarioError with all problems, and StartError when a
    path does not exist, cannot be read, or holds no scenario.
    """
    reader = Reader()
    for path in paths:
        try:
            files = scenario_files(path) if path.is_dir() else None
            is_file = files is None and path.is_file()
        except OSError as error:
            raise StartError(f"cannot read {path}: {error.strerror}") from None
        if files is not None:
            reader.read_folder(files, path)
        elif is_file:
            reader.read_named(path)
        else:
            raise StartError(f"there is no scenario file or folder {path}")
    called = ", ".join(map(str, paths))
    overrides = Overrides(variables or {}, profile, dialect, strict, default)
    return _finish(reader, overrides, called=called)


def load_unpacked(
    folder: Path, main: str, *, called: str, profile: Profile | None = None, strict: bool = False
) -> ScenarioSet:
    """Read the scenario file `main` of a folder that nobody is to see: places are said relative to it.

    `called` is what messages call the file itself.
    """
    reader = Reader()
    reader.read_file(folder / main, called, folder)
    return _finish(reader, Overrides(profile=profile, strict=strict), called=called)


def load_text(
    text: str,
    name: str = "<text>",
    folder: Path | None = None,
    *,
    variables: Mapping[str, Any] | None = None,
    profile: Profile | None = None,
    strict: bool = False,
) -> ScenarioSet:
    """Read one scenario from a text; files it names are sought in `folder` (the current one without it)."""
    reader = Reader()
    reader.read_text(text, name, (folder or Path.cwd()).resolve())
    return _finish(reader, Overrides(variables or {}, profile, strict=strict), called=name)


def builtin(
    name: str = "default",
    *,
    profile: Profile | None = None,
    dialect: DialectName | None = None,
    strict: bool = False,
) -> ScenarioSet:
    """A scenario that comes with mockcic. Raises StartError when there is none of this name."""
    path = BUILTIN / f"{name}.yaml"
    if not path.is_file():
        raise StartError(f"there is no built-in scenario {name}; there are {', '.join(builtin_names())}")
    reader = Reader(trusts=True)
    reader.read_file(path, f"builtin/{name}", BUILTIN)
    return _finish(reader, Overrides(profile=profile, dialect=dialect, strict=strict), called=f"builtin/{name}")


def read_part(name: str) -> Scenario:
    """The file of a part that comes with mockcic, without what it includes."""
    file = Reader().read(BUILTIN / f"{name}.yaml", f"builtin/{name}", BUILTIN)
    assert file is not None
    assert file.model is not None
    return file.model


def read_variable(text: str) -> Any:
    """The value of a `--var` as YAML reads a plain value: 3 is a number, true a truth value, "3" a text."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        quoted = Source("--var", text)
        return text if quoted.problems else quoted.values
    return resolve(text)


def _finish(reader: Reader, overrides: Overrides, *, called: str) -> ScenarioSet:
    """Put the files together and judge the whole; raise when there is an error anywhere."""
    wholes = reader.wholes()
    if len(wholes) == len(reader.main):  # else a variable may be of what could not be read
        reader.problems += overrides.unknown({name for whole in wholes for name in whole.scenario.vars})
    problems = reader.sorted_problems()
    if any(problem.severity == "error" for problem in problems):
        raise ScenarioError(problems)
    if not wholes:
        raise StartError(f"no scenario in {called}: a scenario is a .yaml file with `scenario: NAME` at the top")
    scenarios = [overrides.over(whole.scenario) for whole in wholes]
    for whole, scenario in zip(wholes, scenarios, strict=True):
        scenario._texts = {source.path: source.text for source, _ in whole.files}
    return ScenarioSet(tuple(scenarios), tuple(problems), tuple(reader.files), overrides.default_of(scenarios))
