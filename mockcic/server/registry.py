"""All devices of a server, by token; and which scenario each of them is in."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from typing import Final, Protocol

from mockcic.cic.message import Attachment, Directive
from mockcic.journal.redact import shortened
from mockcic.journal.store import Journal
from mockcic.scenario.engine import DeviceFacts
from mockcic.scenario.model import Scenario
from mockcic.server.clock import Clock
from mockcic.server.device import Device

KNOWN: Final = 20_000
"""Devices that are remembered; above it those without a connection are forgotten, oldest first (INF)."""

NAMES: Final = 1000
"""Forgotten devices whose names are kept for them; then another may get that name (INF)."""


class Scenarios(Protocol):
    """A set of scenarios: says which one a device gets."""

    def for_device(self, token: str, user_agent: str) -> Scenario:
        """The scenario of a device that shows this token and User-Agent."""


class Registry:
    """Finds a device by its token, or makes it (PROTOCOL 2.2: keyed on the token)."""

    def __init__(self, scenarios: Scenarios, journal: Journal, clock: Clock) -> None:
        self.scenarios = scenarios
        self._journal = journal
        self._clock = clock
        self._devices: dict[str, Device] = {}
        self._assigned: dict[str, Scenario] = {}
        self._names: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self._namesakes: dict[str, int] = {}
        self._forgotten: OrderedDict[str, None] = OrderedDict()

    def __iter__(self) -> Iterator[Device]:
        return iter(list(self._devices.values()))

    def __len__(self) -> int:
        return len(self._devices)

    def get(self, token: str) -> Device | None:
        """The device of a token, if it has been seen."""
        return self._devices.get(token)

    def named(self, name: str) -> Device | None:
        """The device of a short name, or of a token."""
        return self._devices.get(name) or self._devices.get(self._tokens.get(name, ""))

    def token_of(self, name: str) -> str | None:
        """The token behind a short name, of a device that was seen or announced; a token is its own."""
        token = name if name in self._names else self._tokens.get(name)
        return None if token in self._forgotten else token

    def assigned(self, token: str) -> Scenario | None:
        """The scenario that was given to this token whatever the set says, if any."""
        return self._assigned.get(token)

    def unassign(self, token: str) -> None:
        """Back to the scenario that the set has for the device."""
        self._assigned.pop(token, None)
        if (device := self._devices.get(token)) is not None:
            device.change_scenario(self.scenarios.for_device(token, device.facts.user_agent))

    def scenario_for(self, token: str, user_agent: str) -> Scenario:
        """The scenario a device of this token is in, or would be in."""
        known = self._devices.get(token)
        if known is not None:
            return known.scenario
        return self._assigned.get(token) or self.scenarios.for_device(token, user_agent)

    def find(self, token: str, user_agent: str, tags: tuple[str, ...], connection: str = "") -> Device:
        """The device of a token; a new one begins in its scenario."""
        device = self._devices.get(token)
        if device is None:
            if len(self._devices) >= KNOWN:
                self._make_room()
            facts = DeviceFacts(id=self.name_of(token), token=token, user_agent=user_agent, tags=tags)
            device = self._devices[token] = Device(
                facts, self.scenario_for(token, user_agent), self._journal, self._clock
            )
            self._journal.add(
                "device",
                device=device.name,
                token=token,
                connection=connection,
                name="new",
                user_agent=user_agent,
                tags=list(tags),
            )
        return device

    def name_of(self, token: str) -> str:
        """A short name that shows no more than the token's last four characters, and is no other device's."""
        name = self._names.get(token)
        self._forgotten.pop(token, None)
        if name is None:
            short = shortened(token)
            number = self._namesakes.get(short, 0) + 1
            self._namesakes[short] = number
            name = self._names[token] = short if number == 1 else f"{short}#{number}"
            self._tokens[name] = token
        return name

    def shown(self, token: str) -> str:
        """The name of a token for people, without remembering one that is no device's."""
        name = self._names.get(token) or (shortened(token) if token else "")
        return f"{name}?" if name in self._tokens and self._tokens[name] != token else name

    def assign(self, token: str, scenario: Scenario) -> None:
        """Put a device into a scenario of its own, whatever the set says; also before it is first seen."""
        self._assigned[token] = scenario
        if (device := self._devices.get(token)) is not None:
            device.change_scenario(scenario)

    def forget(self, token: str) -> None:
        """Forget a device and what was assigned to it; it has its name again when it comes back soon."""
        self._assigned.pop(token, None)
        if token in self._names:
            self._forgotten[token] = None
        while len(self._forgotten) > NAMES:
            gone, _ = self._forgotten.popitem(last=False)
            self._tokens.pop(self._names.pop(gone, ""), None)
        if (device := self._devices.pop(token, None)) is not None:
            device.forget()
            self._journal.add("device", device=device.name, name="forgotten")

    def reload(self, scenarios: Scenarios) -> None:
        """Take a new edition of the set: each device goes on in the scenario it gets now."""
        self.scenarios = scenarios
        for token, device in self._devices.items():
            if token in self._assigned:
                continue
            scenario = scenarios.for_device(token, device.facts.user_agent)
            if scenario is not device.scenario:
                device.change_scenario(scenario)

    def push(self, directive: Directive, attachments: tuple[Attachment, ...] = ()) -> int:
        """Push to every device that has a downchannel; how many took it."""
        return sum(device.push(directive, attachments) for device in self if device.downchannel is not None)

    def _make_room(self) -> None:
        for token in [token for token, device in self._devices.items() if device.idle][: KNOWN // 10]:
            self.forget(token)
        taken = Counter(shortened(token) for token in self._names)
        self._namesakes = {short: max(count, self._namesakes[short]) for short, count in taken.items()}
