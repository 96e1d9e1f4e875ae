"""Scenario files, folders and texts become a `ScenarioSet`, or a `ScenarioError` with every problem of all of them.

A folder is its *.yaml and *.yml files at the top level, sorted. A file without the key `scenario` is a part: it has
only what others `include`, and a folder passes over it. All files of one path stay inside its folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from mockcic.errors import Problem, ScenarioError, StartError
from mockcic.scenario.dialects import DialectName
from mockcic.scenario.explain import explain
from mockcic.scenario.lint import Entry, Whole, lint_file, lint_whole
from mockcic.scenario.model import Scenario
from mockcic.scenario.node import resolve
from mockcic.scenario.salvage import salvage
from mockcic.scenario.settings import Profile
from mockcic.scenario.source import Source, read_source
from mockcic.scenario.steps import SoundFolder
from mockcic.scenario.walk import sounds_of
from mockcic.scenario.words import is_there, real_path, said_path, shown, suggest

BUILTIN: Final = Path(__file__).parent / "builtin"
ENDINGS: Final = (".yaml", ".yml")
OF_A_PART: Final = frozenset(
    {"about", "include", "vars", "replies", "recordings", "on", "cues", "downchannel", "settings"}
)
"""The keys that count in a file without `scenario`."""


@dataclass(frozen=True, slots=True)
class ScenarioSet:
    """Scenarios that are good to run.

    `files` is everything that was read, sounds too: what to watch for edits.
    """

    scenarios: tuple[Scenario, ...]
    warnings: tuple[Problem, ...] = ()
    files: tuple[Path, ...] = ()
    default: Scenario | None = None

    def adding(self, other: ScenarioSet, *, default: bool = False) -> ScenarioSet:
        """This set and the scenarios of another, which come first and replace those of the same name.

        With `default` the first of the other ones is for devices that no `for` fits.
        """
        names = {each.scenario for each in other.scenarios}
        kept = tuple(each for each in self.scenarios if each.scenario not in names)
        was = self.default or self.scenarios[0]
        first = (
            other.scenarios[0]
            if default
            else next((each for each in other.scenarios if each.scenario == was.scenario), was)
        )
        return ScenarioSet(
            (*other.scenarios, *kept),
            (*self.warnings, *other.warnings),
            self.files,
            first,
        )

    def for_device(self, token: str, user_agent: str, device_id: str = "") -> Scenario:
        """The first scenario whose `for` fits the device; the default one when there is none."""
        fitting = (
            each for each in self.scenarios if each.for_ is not None and each.for_.fit(token, user_agent, device_id)
        )
        return next(fitting, self.default or self.scenarios[0])

    def named(self, name: str) -> Scenario | None:
        """The scenario of this name."""
        return next((each for each in self.scenarios if each.scenario == name), None)


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
    reader = _Reader()
    for path in paths:
        if path.is_dir():
            files = scenario_files(path)
            reader.read_folder(files, path)
        elif path.is_file():
            reader.read_named(path)
        else:
            raise StartError(f"there is no scenario file or folder {path}")
    called = ", ".join(map(str, paths))
    return reader.finish(variables or {}, profile, strict, default, called=called, dialect=dialect)


def load_unpacked(
    folder: Path, main: str, *, called: str, profile: Profile | None = None, strict: bool = False
) -> ScenarioSet:
    """Read the scenario file `main` of a folder that nobody is to see: places are said relative to it.

    `called` is what messages call the file itself.
    """
    reader = _Reader()
    reader.read_file(folder / main, called, folder)
    return reader.finish({}, profile, strict, None, called=called)


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
    reader = _Reader()
    reader.read_text(text, name, (folder or Path.cwd()).resolve())
    return reader.finish(variables or {}, profile, strict, None, called=name)


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
    reader = _Reader(trusts=True)
    reader.read_file(path, f"builtin/{name}", BUILTIN)
    return reader.finish({}, profile, strict, None, called=f"builtin/{name}", dialect=dialect)


def read_part(name: str) -> Scenario:
    """The file of a part that comes with mockcic, without what it includes."""
    file = _Reader().read(BUILTIN / f"{name}.yaml", f"builtin/{name}", BUILTIN)
    assert file is not None
    assert file.model is not None
    return file.model


def builtin_names() -> list[str]:
    """The names of what comes with mockcic."""
    return sorted(path.stem for path in BUILTIN.glob("*.yaml"))


def scenario_files(folder: Path) -> list[Path]:
    """The files of a folder that may be scenarios, sorted; hidden ones (an editor's) are left out."""
    return sorted(path for path in folder.iterdir() if is_scenario_file(path) and path.is_file())


def is_scenario_file(path: Path) -> bool:
    """Whether a folder's file may be a scenario, by its name."""
    return path.suffix in ENDINGS and not path.name.startswith(".")


def read_variable(text: str) -> Any:
    """The value of a `--var` as YAML reads a plain value: 3 is a number, true a truth value, "3" a text."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        quoted = Source("--var", text)
        return text if quoted.problems else quoted.values
    return resolve(text)


@dataclass(slots=True, eq=False)
class _File:
    """One file as read: its model is None when its shape is wrong."""

    source: Source
    path: Path | None
    folder: Path
    root: Path
    model: Scenario | None = None
    is_part: bool = False
    included: list[_File] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """Reads each file once and collects every problem."""

    main: list[_File] = field(default_factory=list)
    parts: list[_File] = field(default_factory=list)
    known: dict[Path, _File | None] = field(default_factory=dict)
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
        file = _File(Source(name, text), None, folder, folder)
        self._understand(file, ())
        self._must_be_a_scenario(file)
        self.main.append(file)

    def read(self, path: Path, called: str, root: Path, way: tuple[Path, ...] = ()) -> _File | None:
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
        file = self.known[real] = _File(source, real, real.parent, root.resolve())
        self._understand(file, (*way, real))
        return file

    def _must_be_a_scenario(self, file: _File) -> None:
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

    def _understand(self, file: _File, way: tuple[Path, ...]) -> None:
        source = file.source
        self.problems += source.problems
        if source.root is None:
            return
        values = source.values
        if isinstance(values, dict) and "scenario" not in values:
            file.is_part = True
            values = {"scenario": "part", **values}
            for key in values:
                if key not in OF_A_PART and key in Scenario.model_fields | {"for": None} and key != "scenario":
                    place = source.position((key,), key=True)
                    mend = "put it into the file that includes this one, or add `scenario: NAME` at the top"
                    self.problems.append(
                        source.problem(
                            place,
                            f'"{key}" has no effect in a file without `scenario`',
                            "include, vars, replies, recordings, on, cues, downchannel, settings",
                            mend,
                            severity="warning",
                        )
                    )
        folder = SoundFolder(file.folder, file.root)
        try:
            file.model = Scenario.model_validate(values, context=folder)
        except ValidationError as error:
            self.problems += explain(source, error)
            left = salvage(source, error, folder)
            self.problems += lint_file(source, left) if left is not None else ()
            return
        self._mark(file)
        self._read_recordings(file, folder)
        self.problems += () if self.trusts else lint_file(source, file.model)
        for index, name in enumerate(file.model.include):
            included = self._include(file, index, name, way)
            if included is not None:
                file.included.append(included)

    def _mark(self, file: _File) -> None:
        assert file.model is not None
        file.model._path = file.source.path
        file.model._is_part = file.is_part
        for index, rule in enumerate(file.model.on):
            rule._where = f"{file.source.path}:{file.source.position(('on', index)).line}"
        for sound in sounds_of(file.model):
            if sound._path is not None and sound._path not in self.files:
                self.files.append(sound._path)
            if sound.say is not None:
                sound.content()  # a synthesiser takes its time: not while a device waits

    def _read_recordings(self, file: _File, folder: SoundFolder) -> None:
        """The fingerprints of the sounds that the file wants to know again."""
        model = file.model
        assert model is not None
        for name, path in model.recordings.items():
            if (known := self._recording(file, folder, ("recordings", name), path)) is not None:
                model._prints[name] = known
        for index, rule in enumerate(model.on):
            condition = rule.when.get("audio.like")
            for path in [] if condition is None else condition.values():
                if (known := self._recording(file, folder, ("on", index, "when", "audio.like"), path)) is not None:
                    rule._like[path] = known

    def _recording(self, file: _File, folder: SoundFolder, loc: tuple[int | str, ...], name: object) -> Any:
        from mockcic.sound.recognise import read_recording

        place = file.source.position(loc)
        expected = "a WAV file (16 bit) beside the scenario"
        try:
            if not isinstance(name, str):
                raise ValueError("no name of a file")
            path = folder.find(name)
            known = read_recording(path.read_bytes())
        except PydanticCustomError as error:
            context = error.context or {}
            what = error.message()
            self.problems.append(file.source.problem(place, what, str(context["expected"]), str(context["mend"])))
            return None
        except (ValueError, OSError) as error:
            self.problems.append(file.source.problem(place, f"{shown(name)}: {error}", expected))
            return None
        if path not in self.files:
            self.files.append(path)
        return known

    def _include(self, file: _File, index: int, name: str, way: tuple[Path, ...]) -> _File | None:
        source = file.source
        place = source.position(("include", index))
        first, _, rest = name.partition("/")
        if first == "builtin":
            path, root, called = BUILTIN / f"{rest.removesuffix('.yaml')}.yaml", BUILTIN, name
            if path.parent != BUILTIN or not is_there(path):
                near = suggest(rest, builtin_names())
                hint = f"; did you mean builtin/{near}?" if near else ""
                names = ", ".join(f"builtin/{each}" for each in builtin_names())
                self.problems.append(
                    source.problem(
                        place, f"there is no {name}", f"a part that comes with mockcic{hint}", f"there are {names}"
                    )
                )
                return None
        else:
            path, root = real_path(file.folder / name), file.root
            called = str(Path(source.path).parent / name) if file.path is not None else name
            if not path.is_relative_to(root):
                self.problems.append(
                    source.problem(
                        place,
                        f"{shown(name)} is outside the scenarios' folder",
                        f"a file inside {said_path(root)}",
                        "name the folder above instead of the file, or move it",
                    )
                )
                return None
            if not is_there(path):
                here = [each.name for each in scenario_files(path.parent)] if path.parent.is_dir() else []
                near = suggest(path.name, here)
                hint = f"; did you mean {near}?" if near else ""
                self.problems.append(
                    source.problem(
                        place,
                        f"{shown(name)}: there is no such file",
                        f"a file at {said_path(path)}{hint}",
                        "paths are relative to this file",
                    )
                )
                return None
        if real_path(path) in way:
            self.problems.append(
                source.problem(
                    place,
                    f"{shown(name)} includes this file again",
                    "no circle of includes",
                    "move what both need into a third file",
                )
            )
            return None
        return self.read(path, called, root, way)

    def finish(
        self,
        variables: Mapping[str, Any],
        profile: Profile | None,
        strict: bool,
        default: str | None,
        *,
        called: str,
        dialect: DialectName | None = None,
    ) -> ScenarioSet:
        """Put the files together and judge the whole; raise when there is an error anywhere."""
        wholes = [whole for file in self.main if (whole := _put_together(file)) is not None]
        for whole in () if self.trusts else wholes:
            self.problems += lint_whole(whole)
        self._check_names()
        self._check_parts()
        scenarios = [whole.scenario for whole in wholes]
        scenarios = self._override(scenarios, variables)
        problems = self._sorted()
        if any(problem.severity == "error" for problem in problems):
            raise ScenarioError(problems)
        if not scenarios:
            raise StartError(f"no scenario in {called}: a scenario is a .yaml file with `scenario: NAME` at the top")
        changes: dict[str, Any] = {} if profile is None else {"profile": profile}
        changes |= {} if dialect is None else {"dialect": dialect}
        scenarios = [
            _with(each, changes | ({"settings": each.settings.strict()} if strict else {})) for each in scenarios
        ]
        for whole, scenario in zip(wholes, scenarios, strict=True):
            scenario._texts = {source.path: source.text for source, _ in whole.files}
        return ScenarioSet(tuple(scenarios), tuple(problems), tuple(self.files), _default(scenarios, default))

    def _check_names(self) -> None:
        seen: dict[str, _File] = {}
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
        used = {part for file in self.main + self.parts for part in _all_included(file)}
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

    def _override(self, scenarios: list[Scenario], variables: Mapping[str, Any]) -> list[Scenario]:
        names = {name for each in scenarios for name in each.vars}
        for name in variables:
            if name not in names and len(scenarios) == len(self.main):
                near = suggest(name, names)
                hint = f"; did you mean {near}?" if near else ""
                there_are = f"there are {', '.join(sorted(names))}" if names else "no scenario has `vars`"
                self.problems.append(
                    Problem(
                        f"--var {name}",
                        0,
                        0,
                        f"unknown variable {shown(name)}",
                        f"one of the scenarios' `vars`{hint}",
                        there_are,
                    )
                )
        values = {name: read_variable(value) if isinstance(value, str) else value for name, value in variables.items()}
        return [
            _with(each, {"vars": {**each.vars, **{n: v for n, v in values.items() if n in each.vars}}})
            for each in scenarios
        ]

    def _sorted(self) -> list[Problem]:
        order = {name: number for number, name in enumerate(self.order)}
        unique = dict.fromkeys(self.problems)
        return sorted(unique, key=lambda problem: (order.get(problem.path, len(order)), problem.line, problem.column))


def _all_included(file: _File) -> Iterator[_File]:
    for part in file.included:
        yield part
        yield from _all_included(part)


def _put_together(file: _File) -> Whole | None:
    """The scenario with what it includes, or None when some of it could not be read."""
    if file.model is None:
        return None
    parts = list(dict.fromkeys([file, *_all_included(file)]))
    if any(part.model is None for part in parts):
        return None
    rules: list[Entry] = []
    replies: dict[str, Any] = {}
    reply_entries: dict[str, Entry] = {}
    variables: dict[str, Any] = {}
    cues: dict[str, Any] = {}
    downchannel: list[Any] = []
    recordings: dict[str, str] = {}
    prints: dict[str, Any] = {}
    settings = file.model.settings
    for part in parts:
        model, source = part.model, part.source
        assert model is not None
        cues = {**model.cues, **cues}
        recordings = {**model.recordings, **recordings}
        prints = {**model._prints, **prints}
        if part is file or part.is_part:
            downchannel += model.downchannel
            settings = settings.with_defaults(model.settings)
        rules += [Entry(source, ("on", index), rule) for index, rule in enumerate(model.on)]
        for name, steps in model.replies.items():
            if name not in replies:
                replies[name] = steps
                reply_entries[name] = Entry(source, ("replies", name), steps)
        variables = {**model.vars, **variables}
    rules.sort(key=lambda entry: entry.value.fallback)  # those behind all others; else the order stays
    changes: dict[str, Any] = {
        "on": [entry.value for entry in rules],
        "replies": replies,
        "vars": variables,
        "cues": cues,
        "downchannel": downchannel,
        "settings": settings,
        "recordings": recordings,
    }
    scenario = _with(file.model, changes)
    scenario._prints = prints
    files = tuple((part.source, part.model) for part in parts if part.model is not None)
    return Whole(scenario, file.source, files, tuple(rules), reply_entries)


def _with(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    if not changes:
        return scenario
    changed = scenario.model_copy(update=dict(changes))
    # A copy would keep what was worked out from the old values.
    for name in ("effective", "needs_level", "beside", "listening", "auth_policy"):
        changed.__dict__.pop(name, None)
    return changed


def _default(scenarios: Sequence[Scenario], name: str | None) -> Scenario:
    if name is not None:
        found = next((each for each in scenarios if each.scenario == name), None)
        if found is None:
            near = suggest(name, [each.scenario for each in scenarios])
            raise StartError(f"there is no scenario {name}" + (f"; did you mean {near}?" if near else ""))
        return found
    return next((each for each in scenarios if each.for_ is None), scenarios[0])


__all__ = [
    "BUILTIN",
    "OF_A_PART",
    "ScenarioSet",
    "builtin",
    "builtin_names",
    "is_scenario_file",
    "load",
    "load_text",
    "load_unpacked",
    "read_part",
    "scenario_files",
]
