"""What an engine remembers of its device: state, variables, counters, and what templates see of all that."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mockcic.errors import Finding
from mockcic.scenario.compose import Composer
from mockcic.scenario.effects import Effect, Found, StateChanged, VariablesSet
from mockcic.scenario.match import header_of, sound_members
from mockcic.scenario.model import Scenario
from mockcic.scenario.script import NONE, Locals
from mockcic.scenario.template import Names, RenderError, render
from mockcic.scenario.upload import DeviceFacts, Upload
from mockcic.scenario.words import read_duration

LONGEST_S: Final = 366 * 86400.0
"""No step waits longer (INF)."""

LONGEST_NAME: Final = 200

COUNTED: Final = 1000
"""Event names that are counted for each device; a device may make up any number of them (INF)."""


class Memory:
    """Of one device in one scenario. `wall_offset_s` turns the monotonic `now` into the time that templates see."""

    __slots__ = (
        "_composer",
        "_scenario",
        "counts",
        "device",
        "state",
        "uses",
        "vars",
        "wall_offset_s",
    )  # one for each of thousands of devices

    def __init__(self, scenario: Scenario, device: DeviceFacts, composer: Composer, wall_offset_s: float) -> None:
        self.device = device
        self.wall_offset_s = wall_offset_s
        self._scenario = scenario
        self._composer = composer
        self.begin_anew()

    def begin_anew(self) -> None:
        """As when the device first came."""
        self.state: str = self._scenario.start
        self.vars: dict[str, Any] = copy.deepcopy(self._scenario.vars)
        self.counts: Counter[str] = Counter()
        self.uses: Counter[int] = Counter()
        """How often each rule has answered, by its number."""

    def take_over(self, other: Memory) -> None:
        """Go on with the state, the variables and the counters of another, as far as both know them."""
        if any(other.state in (rule.in_ or [other.state]) for rule in self._scenario.on):
            self.state = other.state
        self.vars.update({name: value for name, value in other.vars.items() if name in self.vars})
        self.counts.update(other.counts)

    def count(self, name: str) -> None:
        """An event of this name came."""
        if name in self.counts or (len(self.counts) < COUNTED and len(name) <= LONGEST_NAME):
            self.counts[name] += 1

    def put(self, *, state: str | None, variables: Mapping[str, Any]) -> list[Effect]:
        """Somebody outside wants this state, and these values."""
        effects: list[Effect] = []
        if variables:
            self.vars.update(variables)
            effects.append(VariablesSet(variables))
        effects += self._go(state)
        return effects

    def change(
        self, values: Mapping[str, Any], state: str | None, upload: Upload | None, now: float, names: Locals = NONE
    ) -> list[Effect]:
        """What `set` and `go` of a scenario say. A value that cannot be made is a finding; the state changes anyway."""
        effects: list[Effect] = []
        stream = upload.stream if upload else ""
        try:
            for name, value in values.items():
                self.vars[name] = render(value, self.names(upload, now, names))
            if values:
                effects.append(VariablesSet({name: self.vars[name] for name in values}, stream))
        except RenderError as problem:
            effects.append(Found(template_finding(problem, self._scenario.scenario), stream))
        effects += self._go(state)
        return effects

    def _go(self, state: str | None) -> list[Effect]:
        if state is None or state == self.state:
            return []
        was, self.state = self.state, state
        return [StateChanged(was, state)]

    def names(self, upload: Upload | None, now: float, more: Locals = NONE) -> Names:
        """The names that templates see (docs/scenarios.md, Templates), and those of a cue or a `repeat`."""
        return Names(lambda: {**more, **self._all_names(upload, now)})

    def _all_names(self, upload: Upload | None, now: float) -> dict[str, Any]:
        names: dict[str, Any] = {
            "vars": self.vars,
            "state": self.state,
            "count": self.counts,
            "device": self.device_members(),
            "uuid": self._composer.uuid,
            "random": self._composer.random,
            "now": datetime.fromtimestamp(now + self.wall_offset_s, tz=UTC),
        }
        if upload is not None:
            event = upload.event
            names["event"] = {
                "name": event.full_name,
                "header": header_of(event),
                "payload": event.payload,
                "context": {context.full_name: context.payload for context in event.contexts},
            }
            names["request"] = upload.began.headers
            names["audio"] = sound_members(upload.sound)
        return names

    def device_members(self) -> dict[str, Any]:
        """`device` of templates and conditions."""
        device = self.device
        return {"id": device.id, "token": device.token, "user_agent": device.user_agent, "tags": list(device.tags)}

    def seconds(self, value: float | str, now: float, upload: Upload | None = None, names: Locals = NONE) -> float:
        """A duration of the scenario in seconds; a template is rendered and read. Raises `RenderError`."""
        if isinstance(value, float | int):
            return float(value)
        rendered = render(value, self.names(upload, now, names))
        try:
            seconds = float(rendered) if isinstance(rendered, float | int) else float(read_duration(rendered))
        except (ValueError, OverflowError) as error:
            raise RenderError(value, str(error)) from None
        return min(max(0.0, seconds), LONGEST_S)


def template_finding(problem: Exception, where: str) -> Finding:
    """A template of the scenario could not be rendered; `where` names the scenario, or the rule."""
    return Finding(
        "scenario.template", f"{where}: {problem}", "a value that can be made when the step is due", severity="error"
    )
