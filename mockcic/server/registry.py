"""All devices of a server, by token; and which scenario each of them is in.

A device is its key: the token, or what the tokens that were issued for it have in common (`mockcic.auth.identity`).
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from mockcic.auth.identity import identity_of
from mockcic.cic.message import Attachment, Directive
from mockcic.journal.redact import shortened
from mockcic.journal.store import Journal
from mockcic.scenario.model import Scenario
from mockcic.scenario.upload import DeviceFacts
from mockcic.server.clock import TurnableClock
from mockcic.server.device import Device
from mockcic.server.faults.armoury import Armoury

KNOWN: Final = 20_000
"""Devices that are remembered; above it those without a connection are forgotten, oldest first (INF)."""

NAMES: Final = 1000
"""Forgotten devices whose names are kept for them; then another may get that name (INF)."""


class Scenarios(Protocol):
    """A set of scenarios: says which one a device gets."""

    def for_device(self, token: str, user_agent: str, device_id: str = "") -> Scenario:
        """The scenario of a device that shows this token and User-Agent, and gave the authorization server this id."""


class Registry:
    """Finds a device by its token, or makes it (PROTOCOL 2.2: keyed on the token).

    `key_of` says which device a token belongs to that was issued here; every other token is its own key. Wherever a
    token is asked for, a key will do.
    """

    def __init__(
        self,
        scenarios: Scenarios,
        journal: Journal,
        clock: TurnableClock,
        key_of: Callable[[str], str] = str,
        armoury: Armoury | None = None,
    ) -> None:
        self.scenarios = scenarios
        self.key_of = key_of
        self._journal = journal
        self._clock = clock
        self._armoury = armoury or Armoury(journal, clock)
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
        return self._devices.get(self.key_of(token))

    def named(self, name: str) -> Device | None:
        """The device of a short name, or of a token."""
        return self._devices.get(self.key_of(name)) or self._devices.get(self._tokens.get(name, ""))

    def token_of(self, name: str) -> str | None:
        """The key behind a short name or a token, of a device that was seen or announced; a key is its own."""
        key: str | None = self.key_of(name)
        if key not in self._names:
            key = self._tokens.get(name)
        return None if key in self._forgotten else key

    def assigned(self, token: str) -> Scenario | None:
        """The scenario that was given to this token whatever the set says, if any."""
        return self._assigned.get(self.key_of(token))

    @property
    def scenarios_in_use(self) -> Iterator[Scenario]:
        """Those that devices are in, or were given before they came, and that of newcomers; some more than once."""
        yield self.scenario_for("", "")
        yield from self._assigned.values()
        yield from (device.scenario for device in self._devices.values())

    def unassign(self, token: str) -> None:
        """Back to the scenario that the set has for the device."""
        key = self.key_of(token)
        self._assigned.pop(key, None)
        if (device := self._devices.get(key)) is not None:
            device.change_scenario(self._of_set(key, device.facts.user_agent))

    def scenario_for(self, token: str, user_agent: str) -> Scenario:
        """The scenario a device of this token is in, or would be in."""
        key = self.key_of(token)
        known = self._devices.get(key)
        if known is not None:
            return known.scenario
        return self._assigned.get(key) or self._of_set(key, user_agent)

    def _of_set(self, key: str, user_agent: str) -> Scenario:
        identity = identity_of(key)
        device_id = "" if identity is None else identity.device_id
        return self.scenarios.for_device(key if identity is None else "", user_agent, device_id)

    def find(self, token: str, user_agent: str, tags: tuple[str, ...], connection: str = "") -> Device:
        """The device of a token; a new one begins in its scenario."""
        key = self.key_of(token)
        device = self._devices.get(key)
        if device is None:
            if len(self._devices) >= KNOWN:
                self._make_room()
            facts = DeviceFacts(id=self.name_of(key), token=token, user_agent=user_agent, tags=tags)
            device = self._devices[key] = Device(
                facts, self.scenario_for(key, user_agent), self._journal, self._clock, self._armoury, key=key
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
            self._armoury.meet(device)
        elif token != device.facts.token:
            device.come_with(token)
        return device

    def name_of(self, token: str) -> str:
        """A short name that is no other device's: the last four characters of the token, or of the `device_id`."""
        key = self.key_of(token)
        name = self._names.get(key)
        self._forgotten.pop(key, None)
        if name is None:
            short = _short(key)
            number = self._namesakes.get(short, 0) + 1
            self._namesakes[short] = number
            name = self._names[key] = short if number == 1 else f"{short}#{number}"
            self._tokens[name] = key
        return name

    def shown(self, token: str) -> str:
        """The name of a token for people, without remembering one that is no device's."""
        key = self.key_of(token)
        name = self._names.get(key) or (_short(key) if key else "")
        return f"{name}?" if name in self._tokens and self._tokens[name] != key else name

    def keys_of_id(self, device_id: str) -> list[str]:
        """The keys of devices that gave the authorization server this `device_id`."""
        found = ((key, identity_of(key)) for key in self._names)
        return [key for key, identity in found if identity is not None and identity.device_id == device_id]

    def assign(self, token: str, scenario: Scenario) -> None:
        """Put a device into a scenario of its own, whatever the set says; also before it is first seen."""
        key = self.key_of(token)
        self._assigned[key] = scenario
        if (device := self._devices.get(key)) is not None:
            device.change_scenario(scenario)

    def forget(self, token: str) -> None:
        """Forget a device and what was assigned to it; it has its name again when it comes back soon."""
        key = self.key_of(token)
        self._assigned.pop(key, None)
        if key in self._names:
            self._forgotten[key] = None
        while len(self._forgotten) > NAMES:
            gone, _ = self._forgotten.popitem(last=False)
            self._tokens.pop(self._names.pop(gone, ""), None)
        if (device := self._devices.pop(key, None)) is not None:
            device.forget()
            self._journal.add("device", device=device.name, name="forgotten")

    def reload(self, scenarios: Scenarios) -> None:
        """Take a new edition of the set: each device goes on in the scenario it gets now."""
        self.scenarios = scenarios
        if self._armoury.gate is not None:
            self._armoury.stand_at(self._armoury.gate, self.scenario_for("", ""))
        for key, device in self._devices.items():
            if key in self._assigned:
                continue
            scenario = self._of_set(key, device.facts.user_agent)
            if scenario is not device.scenario:
                device.change_scenario(scenario)

    def push(self, directive: Directive, attachments: tuple[Attachment, ...] = ()) -> int:
        """Push to every device that has a downchannel; how many took it."""
        return sum(device.push(directive, attachments) for device in self if device.downchannel is not None)

    def _make_room(self) -> None:
        for key in [key for key, device in self._devices.items() if device.idle][: KNOWN // 10]:
            self.forget(key)
        taken = Counter(map(_short, self._names))
        self._namesakes = {short: max(count, self._namesakes[short]) for short, count in taken.items()}


def _short(key: str) -> str:
    identity = identity_of(key)
    return shortened(key) if identity is None else identity.short
