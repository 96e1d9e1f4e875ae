"""Scenario files that are edited while the server runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from mockcic.errors import Problem, ScenarioError, StartError
from mockcic.scenario.scenario_set import ScenarioSet
from mockcic.scenario.watch import Snapshot, as_loaded, snapshot, watch

logger = logging.getLogger("mockcic.scenario")


class Reloading:
    """Loads a set and takes its edits, all or nothing: a broken edit is reported and the old set stays."""

    def __init__(
        self, paths: Sequence[Path], load: Callable[[], ScenarioSet], tell: Callable[[Sequence[Problem]], None]
    ) -> None:
        self._paths = list(paths)
        self._load = load
        self._tell = tell
        self._known: Snapshot = {}
        self._set: ScenarioSet | None = None

    def load(self) -> ScenarioSet:
        """Load the set, and remember how its files were before that. Raises what loading raises."""
        before, began_ns = snapshot(self._watched()), time.time_ns()
        edition = self._load()
        self._set = edition
        self._known = as_loaded(self._watched(), before, began_ns)
        return edition

    async def follow(self, take: Callable[[ScenarioSet, str], object]) -> None:
        """Give each edition to `take`, with the names of the files that changed, until this is cancelled.

        Whatever goes wrong with an edition, devices are served on.
        """
        while True:
            files = self._files()
            async for changed in watch(self._watched(), self._known):
                names = ", ".join(sorted(path.name for path in changed))
                self._take(names, take)
                if self._files() != files:
                    break  # and watch what this edition is made of

    def _take(self, names: str, take: Callable[[ScenarioSet, str], object]) -> None:
        why = ""
        try:
            edition = self.load()
            self._tell(edition.warnings)
            take(edition, names)
        except ScenarioError as error:
            self._tell(error.problems)
        except StartError as error:
            why = f"{error}; "
        except Exception:
            logger.exception("the scenarios cannot be reloaded (%s)", names)
        else:
            return
        click.secho(f"not reloaded ({names}): {why}the scenarios loaded before stay", fg="red", err=True)

    def _files(self) -> set[Path]:
        return set(self._set.files) if self._set is not None else set()

    def _watched(self) -> list[Path]:
        return [*self._paths, *(self._set.files if self._set is not None else ())]


__all__ = ["Reloading"]
