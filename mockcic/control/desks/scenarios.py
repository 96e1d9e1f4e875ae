"""The scenarios of a running server: the set from files, and what was loaded since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockcic.control.ask import AskError, not_found
from mockcic.control.shapes import ScenarioShape
from mockcic.errors import StartError
from mockcic.scenario.model import Scenario
from mockcic.scenario.scenario_set import ScenarioSet
from mockcic.server.app import Cic


class ScenarioDesk:
    """For the server's own loop; `scenarios` is the set from files, `reread` reads these again. Raises `AskError`."""

    def __init__(self, cic: Cic, scenarios: ScenarioSet, reread: Callable[[], ScenarioSet] | None = None) -> None:
        self._cic = cic
        self._from_files = scenarios
        self._reread = reread
        self._loaded: dict[str, tuple[ScenarioSet, bool]] = {}

    @property
    def chosen_from(self) -> ScenarioSet:
        """The set that devices choose from: that of the files, and what was loaded."""
        found = self._from_files
        for each, default in self._loaded.values():
            found = found.adding(each, default=default)
        return found

    @property
    def in_use(self) -> list[Scenario]:
        """The scenarios that devices are in; the whole set where there is no device."""
        found = {id(device.scenario): device.scenario for device in self._cic.devices}
        return list(found.values()) or list(self.chosen_from.scenarios)

    def all(self) -> list[ScenarioShape]:
        """The set, with who is in which."""
        scenarios = self.chosen_from
        first = scenarios.for_device("", "")
        loaded = {each.scenario for found, _ in self._loaded.values() for each in found.scenarios}
        return [
            ScenarioShape(
                scenario=each.scenario,
                about=each.about,
                path=each.path if each.scenario not in loaded else "",
                loaded=each.scenario in loaded,
                default=each is first,
                states=each.states,
                rules=[rule.label for rule in each.on],
                vars=each.vars,
                devices=[device.name for device in self._cic.devices if device.scenario is each],
            )
            for each in scenarios.scenarios
        ]

    def look(self, name: str) -> ScenarioShape:
        """One of the set, with who is in it."""
        self.named(name)
        return next(each for each in self.all() if each.scenario == name)

    def named(self, name: str) -> Scenario:
        """The scenario of a name."""
        scenarios = self.chosen_from
        found = scenarios.named(name)
        if found is None:
            raise not_found("scenario", name, [each.scenario for each in scenarios.scenarios])
        return found

    def load(self, scenarios: ScenarioSet, *, default: bool = False) -> None:
        """Add scenarios to the set; those of the same name are replaced."""
        for each in scenarios.scenarios:
            self._loaded.pop(each.scenario, None)
        self._loaded[scenarios.scenarios[0].scenario] = (scenarios, default)
        self._take(_names_of(scenarios))

    def remove(self, name: str) -> None:
        """Take a scenario that was loaded out of the set; one of a file that it replaced is back."""
        self.named(name)
        if self._loaded.pop(name, None) is None:
            raise AskError(409, f"{name} is from a file; only loaded scenarios can be removed", member="scenario")
        self._take(f"without {name}")

    def reload(self) -> None:
        """Read the files again, all or nothing. Raises `ScenarioError`."""
        if self._reread is not None:
            try:
                self.take_files(self._reread(), "by hand")
            except StartError as error:
                raise AskError(409, str(error)) from None

    def replace(self, scenarios: ScenarioSet) -> None:
        """These are the set now; what was loaded goes too."""
        self._loaded.clear()
        self._from_files = scenarios
        self._take(_names_of(scenarios))

    def take_files(self, scenarios: ScenarioSet, changed: str) -> None:
        """The files have been read again; `changed` says why, for the journal."""
        self._from_files = scenarios
        self._take(_names_of(scenarios), changed)

    def _take(self, names: str, changed: str = "") -> None:
        self._cic.devices.reload(self.chosen_from)
        more: dict[str, Any] = {"changed": changed} if changed else {}
        self._cic.journal.add("scenario", name=names, **more)


def _names_of(scenarios: ScenarioSet) -> str:
    return ", ".join(each.scenario for each in scenarios.scenarios)
