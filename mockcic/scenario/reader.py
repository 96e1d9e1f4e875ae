"""Files become models, each read once, and every problem of all of them is collected on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from mockcic.errors import Problem, StartError
from mockcic.scenario.explain import explain
from mockcic.scenario.files import BUILTIN, ScenarioFile, builtin_names, scenario_files
from mockcic.scenario.lint import lint_file, lint_whole
from mockcic.scenario.model import Scenario
from mockcic.scenario.node import Place
from mockcic.scenario.recordings import read_recordings
from mockcic.scenario.salvage import salvage
from mockcic.scenario.source import Source, read_source
from mockcic.scenario.steps import SoundFolder
from mockcic.scenario.walk import sounds_of
from mockcic.scenario.whole import Whole, put_together
from mockcic.scenario.words import did_you_mean, is_there, real_path, said_path, shown

OF_A_PART: Final = frozenset(
    {"about", "include", "vars", "replies", "recordings", "on", "cues", "downchannel", "settings"}
)
"""The keys that count in a file without `scenario`."""

DEEPEST: Final = 50
"""How many includes may lead from a file to another that is read for it; INF, far below what the stack bears."""


@dataclass(slots=True)
class Reader:
    """Reads each file once and collects every problem."""

    main: list[ScenarioFile] = field(default_factory=list)
    parts: list[ScenarioFile] = field(default_factory=list)
    known: dict[Path, ScenarioFile | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    trusts: bool = False
    """What comes with mockcic was linted by its tests; a start need not wait for that again."""

    def read_folder(self, paths: Sequence[Path], root: Path) -> None:
        """Read scenarios; files without `scenario` wait for somebody to include them."""
        for path in paths:
            file = self.read(path, str(path), root)
            if file is not None and file not in self.main:
                (self.parts if file.is_part else self.main).append(file)

    def read_named(self, path: Path) -> None:
        """Read a file the user named: it must be a scenario."""
        self.read_file(path, str(path), path.parent)

    def read_file(self, path: Path, called: str, root: Path) -> None:
        """Read a file that must be a scenario."""
        file = self.read(path, called, root)
        if file is not None and file not in self.main:
            self._must_be_a_scenario(file)
            self.main.append(file)

    def read_text(self, text: str, name: str, folder: Path) -> None:
        """Read a text that must be a scenario."""
        file = ScenarioFile(Source(name, text), None, folder, folder)
        self._understand(file, ())
        self._must_be_a_scenario(file)
        self.main.append(file)

    def read(self, path: Path, called: str, root: Path, way: tuple[Path, ...] = ()) -> ScenarioFile | None:
        """Read a file and what it includes; None when it is no YAML. `way` leads here through includes."""
        real = path.resolve()
        if real in self.known:
            return self.known[real]
        self.files.append(real)
        self.order.append(called)
        try:
            source = read_source(path, called)
        except OSError as error:
            raise StartError(f"cannot read {called}: {error.strerror}") from None
        if isinstance(source, Problem):
            self.problems.append(source)
            self.known[real] = None
            return None
        file = self.known[real] = ScenarioFile(source, real, real.parent, root.resolve())
        self._understand(file, (*way, real))
        return file

    def _must_be_a_scenario(self, file: ScenarioFile) -> None:
        if file.is_part and file.source.root is not None and file.source.root.members is not None:
            stem = file.path.stem if file.path is not None else "NAME"
            self.problems.append(
                file.source.problem(
                    file.source.position(()),
                    '"scenario" is missing',
                    "the name of the scenario",
                    f"write `scenario: {stem}` at the top",
                )
            )

    def _understand(self, file: ScenarioFile, way: tuple[Path, ...]) -> None:
        source = file.source
        self.problems += source.problems
        if source.root is None:
            return
        values = source.values
        if isinstance(values, dict) and "scenario" not in values:
            file.is_part = True
            values = {"scenario": "part", **values}
            self.problems += _without_effect(source, values)
        folder = SoundFolder(file.folder, file.root)
        try:
            file.model = Scenario.model_validate(values, context=folder)
        except ValidationError as error:
            self.problems += explain(source, error)
            left = salvage(source, error, folder)
            self.problems += lint_file(source, left) if left is not None else ()
            return
        self._mark(file)
        heard = read_recordings(source, file.model, folder)
        self.problems += heard.problems
        self._count(heard.files)
        self.problems += () if self.trusts else lint_file(source, file.model)
        for index, name in enumerate(file.model.include):
            included = self._include(file, index, name, way)
            if included is not None:
                file.included.append(included)

    def _mark(self, file: ScenarioFile) -> None:
        assert file.model is not None
        file.model._path = file.source.path
        file.model._is_part = file.is_part
        for index, rule in enumerate(file.model.on):
            rule._where = f"{file.source.path}:{file.source.position(('on', index)).line}"
        for sound in sounds_of(file.model):
            if sound._path is not None:
                self._count([sound._path])
            if sound.say is not None:
                sound.content()  # a synthesiser takes its time: not while a device waits

    def _count(self, paths: Iterable[Path]) -> None:
        """These files were read, too."""
        for path in paths:
            if path not in self.files:
                self.files.append(path)

    def _include(self, file: ScenarioFile, index: int, name: str, way: tuple[Path, ...]) -> ScenarioFile | None:
        place = file.source.position(("include", index))
        comes_with_us = name.partition("/")[0] == "builtin"
        found = _find_builtin(file, place, name) if comes_with_us else _find_beside(file, place, name)
        if not isinstance(found, Problem) and real_path(found.path) in way:
            found = file.source.problem(
                place,
                f"{shown(name)} includes this file again",
                "no circle of includes",
                "move what both need into a third file",
            )
        elif not isinstance(found, Problem) and len(way) > DEEPEST:
            found = file.source.problem(
                place,
                f"{shown(name)} is included over more than {DEEPEST} files",
                f"at most {DEEPEST} includes one behind the other",
                "include it in a file that is nearer to the scenario",
            )
        if isinstance(found, Problem):
            self.problems.append(found)
            return None
        return self.read(found.path, found.called, found.root, way)

    def wholes(self) -> list[Whole]:
        """The scenarios with what they include; what is wrong with all of them together is among `problems` then."""
        wholes = [whole for file in self.main if (whole := put_together(file)) is not None]
        for whole in () if self.trusts else wholes:
            self.problems += lint_whole(whole)
        self._check_names()
        self._check_parts()
        return wholes

    def sorted_problems(self) -> list[Problem]:
        """All problems, each once, in the order of files and lines."""
        order = {name: number for number, name in enumerate(self.order)}
        unique = dict.fromkeys(self.problems)
        return sorted(unique, key=lambda problem: (order.get(problem.path, len(order)), problem.line, problem.column))

    def _check_names(self) -> None:
        seen: dict[str, ScenarioFile] = {}
        for file in self.main:
            if file.model is None or file.is_part:
                continue
            name = file.model.scenario
            if name in seen:
                other = seen[name].source
                place = other.position(("scenario",))
                self.problems.append(
                    file.source.problem(
                        file.source.position(("scenario",)),
                        f"a second scenario {shown(name)}",
                        f"a name of its own; the first is at {other.path}:{place.line}",
                        "rename one",
                    )
                )
            seen.setdefault(name, file)

    def _check_parts(self) -> None:
        used = {part for file in self.main + self.parts for part in file.all_included()}
        for file in self.parts:
            if file not in used:
                assert file.path is not None
                self.problems.append(
                    file.source.problem(
                        file.source.position(()),
                        "nobody includes this file, and it is no scenario",
                        "`scenario: NAME` at the top, or a scenario with `include`",
                        f"write `scenario: {file.path.stem}` at the top",
                        severity="warning",
                    )
                )


def _without_effect(source: Source, values: Iterable[str]) -> Iterator[Problem]:
    """Keys of a scenario that say nothing in a part."""
    for key in values:
        if key not in OF_A_PART and key in Scenario.model_fields | {"for": None} and key != "scenario":
            yield source.problem(
                source.position((key,), key=True),
                f'"{key}" has no effect in a file without `scenario`',
                "include, vars, replies, recordings, on, cues, downchannel, settings",
                "put it into the file that includes this one, or add `scenario: NAME` at the top",
                severity="warning",
            )


@dataclass(frozen=True, slots=True)
class _Include:
    """Where an included file is, the folder that it stays in, and what messages call it."""

    path: Path
    root: Path
    called: str


def _find_builtin(file: ScenarioFile, place: Place, name: str) -> _Include | Problem:
    """`builtin/NAME`."""
    part = name.partition("/")[2]
    path = BUILTIN / f"{part.removesuffix('.yaml')}.yaml"
    if path.parent == BUILTIN and is_there(path):
        return _Include(path, BUILTIN, name)
    hint = did_you_mean(part, builtin_names(), before="builtin/")
    names = ", ".join(f"builtin/{each}" for each in builtin_names())
    return file.source.problem(
        place, f"there is no {name}", f"a part that comes with mockcic{hint}", f"there are {names}"
    )


def _find_beside(file: ScenarioFile, place: Place, name: str) -> _Include | Problem:
    """A path from the folder of this file, not out of the scenarios' folder."""
    path = real_path(file.folder / name)
    if not path.is_relative_to(file.root):
        return file.source.problem(
            place,
            f"{shown(name)} is outside the scenarios' folder",
            f"a file inside {said_path(file.root)}",
            "name the folder above instead of the file, or move it",
        )
    if not is_there(path):
        here = [each.name for each in scenario_files(path.parent)] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, here)
        return file.source.problem(
            place,
            f"{shown(name)}: there is no such file",
            f"a file at {said_path(path)}{hint}",
            "paths are relative to this file",
        )
    called = str(Path(file.source.path).parent / name) if file.path is not None else name
    return _Include(path, file.root, called)
