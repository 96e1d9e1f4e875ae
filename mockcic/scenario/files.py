"""Files that may be scenarios, and a file as it was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mockcic.scenario.model import Scenario
from mockcic.scenario.source import Source

BUILTIN: Final = Path(__file__).parent / "builtin"
ENDINGS: Final = (".yaml", ".yml")


def builtin_names() -> list[str]:
    """The names of what comes with mockcic."""
    return sorted(path.stem for path in BUILTIN.glob("*.yaml"))


def scenario_files(folder: Path) -> list[Path]:
    """The files of a folder that may be scenarios, sorted; hidden ones (an editor's) are left out."""
    return sorted(path for path in folder.iterdir() if is_scenario_file(path) and path.is_file())


def is_scenario_file(path: Path) -> bool:
    """Whether a folder's file may be a scenario, by its name."""
    return path.suffix in ENDINGS and not path.name.startswith(".")


@dataclass(slots=True, eq=False)
class ScenarioFile:
    """One file as read: its model is None when its shape is wrong. `path` is None for a text."""

    source: Source
    path: Path | None
    folder: Path
    root: Path
    model: Scenario | None = None
    is_part: bool = False
    included: list[ScenarioFile] = field(default_factory=list)

    def all_included(self) -> Iterator[ScenarioFile]:
        """What it includes, and what that includes, each once, behind what names it first."""
        seen: set[ScenarioFile] = set()
        ways = [iter(self.included)]
        while ways:
            part = next(ways[-1], None)
            if part is None:
                ways.pop()
            elif part not in seen:
                seen.add(part)
                yield part
                ways.append(iter(part.included))
