"""Scenarios that stand side by side: each device is in one of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mockcic.errors import Problem
from mockcic.scenario.model import Scenario


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
