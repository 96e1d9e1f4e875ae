"""The sounds that a scenario wants to know again: `recordings`, and `audio.like` of its rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import PydanticCustomError

from mockcic.errors import Problem
from mockcic.scenario.model import Scenario
from mockcic.scenario.source import Source
from mockcic.scenario.steps import SoundFolder
from mockcic.scenario.walk import Loc
from mockcic.scenario.words import shown


@dataclass(slots=True)
class Heard:
    """Which files were read, and what is wrong with those that could not be."""

    problems: list[Problem] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def read_recordings(source: Source, model: Scenario, folder: SoundFolder) -> Heard:
    """Read the sounds of a file, and keep their fingerprints with its model."""
    heard = Heard()
    for name, path in model.recordings.items():
        if (known := _read(source, ("recordings", name), path, folder, heard)) is not None:
            model._prints[name] = known
    for index, rule in enumerate(model.on):
        condition = rule.when.get("audio.like")
        for path in [] if condition is None else condition.values():
            if (known := _read(source, ("on", index, "when", "audio.like"), path, folder, heard)) is not None:
                rule._like[path] = known
    return heard


def _read(source: Source, loc: Loc, name: object, folder: SoundFolder, heard: Heard) -> Any:
    from mockcic.sound.recognise import read_recording

    place = source.position(loc)
    expected = "a WAV file (16 bit) beside the scenario"
    try:
        if not isinstance(name, str):
            raise ValueError("no name of a file")
        path = folder.find(name)
        known = read_recording(path.read_bytes())
    except PydanticCustomError as error:
        context = error.context or {}
        what = error.message()
        heard.problems.append(source.problem(place, what, str(context["expected"]), str(context["mend"])))
        return None
    except (ValueError, OSError) as error:
        heard.problems.append(source.problem(place, f"{shown(name)}: {error}", expected))
        return None
    heard.files.append(path)
    return known
