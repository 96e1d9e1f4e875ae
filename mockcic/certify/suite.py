"""A suite: steps, each a scenario, what the device is to do meanwhile, and the rules it can show there."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mockcic.errors import StartError
from mockcic.verdict.conformance import RULES, LimitError, read_limits

GUIDE: Final = Path(str(files("mockcic.certify").joinpath("guide")))
"""The suite that is there."""

SUITE_FILE: Final = "suite.yaml"
LONGEST_S: Final = 86_400.0


class Step(BaseModel):
    """One step. `ask` is told to the device's command, `say` to a person who holds the device.

    It is over when the command ends, or after `seconds`. `shows` are rules (wildcards, `!` for all but) that the device
    must have been seen to keep here: one that is not seen fails the step, for silence proves nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    scenario: str
    ask: str = "connect"
    say: str = ""
    seconds: Annotated[float, Field(gt=0, le=LONGEST_S)] = 20.0
    shows: tuple[str, ...] = ()
    limits: dict[str, float | str] = Field(default_factory=dict)

    @field_validator("limits")
    @classmethod
    def _are_limits(cls, value: dict[str, float | str]) -> dict[str, float | str]:
        try:
            read_limits(value)
        except LimitError as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("shows")
    @classmethod
    def _are_rules(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            if not any(fnmatch.fnmatchcase(rule.id, pattern.removeprefix("!")) for rule in RULES):
                raise ValueError(f"found rule {pattern!r}, expected the id of one (docs/conformance.md)")
        return value

    def shown(self) -> tuple[str, ...]:
        """The ids of the rules it shows."""
        no = [pattern[1:] for pattern in self.shows if pattern.startswith("!")]
        yes = [pattern for pattern in self.shows if not pattern.startswith("!")]
        return tuple(
            rule.id
            for rule in RULES
            if any(fnmatch.fnmatchcase(rule.id, pattern) for pattern in yes)
            and not any(fnmatch.fnmatchcase(rule.id, pattern) for pattern in no)
        )


class Suite(BaseModel):
    """Steps in their order; `folder` is where their scenarios are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: str
    about: str = ""
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    folder: Path = Path()

    def only(self, names: Sequence[str], without: Sequence[str] = ()) -> Suite:
        """The steps of these names, wildcards allowed, without others. Raises `StartError` for one there is not."""
        known = [step.name for step in self.steps]
        for name in (*names, *without):
            if not fnmatch.filter(known, name):
                raise StartError(f"suite {self.suite}: there is no step {name}; there are {', '.join(known)}")
        steps = tuple(
            step
            for step in self.steps
            if (not names or any(fnmatch.fnmatchcase(step.name, name) for name in names))
            and not any(fnmatch.fnmatchcase(step.name, name) for name in without)
        )
        if not steps:
            raise StartError(f"suite {self.suite}: no step is left")
        return self.model_copy(update={"steps": steps})

    def scenario_file(self, step: Step) -> Path:
        """Where a step's scenario is."""
        return self.folder / step.scenario


def read_suite(path: Path | None = None) -> Suite:
    """The suite of a file, or of `suite.yaml` in a folder; the one that is there without. Raises `StartError`."""
    path = GUIDE if path is None else path
    file = path / SUITE_FILE if path.is_dir() else path
    try:
        value = yaml.safe_load(file.read_text(encoding="utf-8"))
        suite = Suite.model_validate({**value, "folder": file.parent} if isinstance(value, dict) else value)
    except OSError as error:
        raise StartError(f"cannot read the suite {file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StartError(f"{file}: found no YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise StartError(f"{file}: {where}: {first['msg']}; expected a suite (docs/certify.md)") from None
    names = [step.name for step in suite.steps]
    if len(set(names)) < len(names):
        raise StartError(f"{file}: steps: two of one name; each step has its own, for it names its trace")
    for step in suite.steps:
        if not suite.scenario_file(step).is_file():
            raise StartError(f"{file}: step {step.name}: there is no scenario {suite.scenario_file(step)}")
    return suite
