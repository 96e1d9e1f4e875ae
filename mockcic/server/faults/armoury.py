"""The faults that are set: for devices that are known, for devices that are still to come, for all at once.

A device without faults has no `DeviceFaults` at all; what asks for one asks nothing more.
"""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from mockcic.auth.identity import identity_of
from mockcic.errors import FaultError
from mockcic.journal.store import Journal
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.faults.line import HangUp
from mockcic.server.clock import TurnableClock
from mockcic.server.faults.armed import Armed, Count
from mockcic.server.faults.calls import Calls
from mockcic.server.faults.gate import Gate
from mockcic.server.faults.of_device import DeviceFaults

if TYPE_CHECKING:
    from mockcic.scenario.model import Scenario
    from mockcic.server.device import Device


class Tokens(Protocol):
    """What ends the tokens of a device."""

    def expire(self, key: str) -> int:
        """Now, as if their time were over; how many did."""

    def revoke(self, key: str) -> int:
        """Take them back; how many there were."""


class Armoury:
    """Sets and removes the faults of all devices of one server."""

    def __init__(self, journal: Journal, clock: TurnableClock) -> None:
        self.journal = journal
        self.clock = clock
        self.tokens: Tokens | None = None
        self.gate: Gate | None = None
        """Where new connections come in, on a server of our own that runs."""
        self._numbers = itertools.count(1)
        self._coming: list[tuple[str, Armed]] = []
        self.past: dict[int, tuple[int, int]] = {}
        """Occasions and strikes of faults for several devices, at those that they are gone from."""
        self._calls: Calls | None = None

    @property
    def coming(self) -> tuple[tuple[str, Armed], ...]:
        """The faults for devices by their names, wildcards allowed, which those get that come later too."""
        return tuple(self._coming)

    @property
    def calls(self) -> Calls:
        """The faults on the authorization server."""
        if self._calls is None:
            self._calls = Calls(self)
        return self._calls

    def number(self) -> int:
        """Of the next fault that is set."""
        return next(self._numbers)

    def arm(
        self, fault: Fault, devices: Mapping[str, Device] | Iterator[Device], *, device: str = "*", by: str = "api"
    ) -> int:
        """Set a fault for the devices whose name fits, those that come later too; its number.

        What is at the gate, or ends everybody's connections, is set once where it is for all devices. Raises
        `FaultError` for what cannot be set.
        """
        number = self.number()
        if device == "*" and is_of_gate(fault):
            self._gate(fault).arm(fault, by=by, number=number)
            return number
        if fault.role == "accept" and (why := self._gate(fault).objection(fault, for_everybody=False)):
            raise FaultError(why)
        self._coming.append((device, Armed(number, Count(fault), by)))
        if fault.for_ is not None:
            self.clock.call_at(self.clock.now() + fault.for_, lambda: self._is_over(number))
        known = devices.values() if isinstance(devices, Mapping) else devices
        for each in list(known):
            if _fits(each, device):
                self.faults_of(each).arm(fault, by=by, number=number)
        return number

    def objection(self, fault: Fault, *, device: str = "*") -> str:
        """Why `arm` would refuse a fault; empty where it would not."""
        if not is_of_gate(fault):
            return ""
        try:
            return self._gate(fault).objection(fault, for_everybody=device == "*")
        except FaultError as error:
            return str(error)

    def used_up(self, armed: Armed, device: Device) -> None:
        """A fault is gone from a device: from all, if it was set for that one alone; else what it did is remembered."""
        self.used_up_by(armed.number, _names(device))
        if any(each.number == armed.number for _, each in self._coming):
            occasions, strikes = self.past.get(armed.number, (0, 0))
            self.past[armed.number] = (occasions + armed.count.occasions, strikes + armed.count.strikes)

    def used_up_by(self, number: int, names: Collection[str]) -> None:
        """A fault is gone from who has these names: it is no more, if it was set for that one alone."""
        if any(each.number == number and pattern in names for pattern, each in self._coming):
            self._forget(number)

    def _forget(self, number: int) -> None:
        self.past.pop(number, None)
        self._coming = [each for each in self._coming if each[1].number != number]

    def _is_over(self, number: int) -> None:
        """The time of a fault."""
        self._forget(number)
        if self._calls is not None:
            self._calls.let_go(number)

    def remove(self, number: int, devices: Iterator[Device]) -> bool:
        """Remove a fault from all devices; False when there is none of this number."""
        before = len(self._coming)
        self._forget(number)
        found = len(self._coming) < before
        found = (self._calls is not None and self._calls.let_go(number)) or found
        found = (self.gate is not None and self.gate.remove_number(number)) or found
        for each in list(devices):
            if each.faults is not None:
                found = each.faults.remove_number(number) or found
        return found

    def stand_at(self, gate: Gate, scenario: Scenario) -> None:
        """The server runs, or has other scenarios: set for its gate what the scenario of newcomers has for it."""
        self.gate = gate
        gate.clear("there is another scenario", by="scenario ")
        gate.scenario = scenario
        for fault in scenario.fault:
            if is_of_gate(fault):
                gate.arm(fault, by=f"scenario {scenario.scenario}", number=self.number())

    def _gate(self, fault: Fault) -> Gate:
        if self.gate is None:
            raise FaultError(f"`{fault.kind}` needs mockcic's own server, running: the listener is not ours here")
        return self.gate

    def faults_of(self, device: Device) -> DeviceFaults:
        """The faults of a device; from now on it has some."""
        if device.faults is None:
            device.faults = DeviceFaults(device, self)
        return device.faults

    def meet(self, device: Device) -> None:
        """A device comes for the first time, or anew in another scenario: it gets what is set for it."""
        for fault in device.scenario.fault:
            if self.gate is not None and self.gate.scenario is device.scenario and is_of_gate(fault):
                continue  # set for everybody in that scenario
            self.faults_of(device).arm(fault, by=f"scenario {device.scenario.scenario}", number=self.number())
        for pattern, armed in self._coming:
            if _fits(device, pattern):
                faults = self.faults_of(device)
                if armed.number not in faults.had:
                    faults.arm(armed.fault, by=armed.by, number=armed.number)
        if self._calls is not None:
            self._calls.inherit(device)


def is_of_gate(fault: Fault) -> bool:
    """Whether it is set once for all devices, where it is for all devices."""
    return fault.role == "accept" or isinstance(fault.act, HangUp)


def _fits(device: Device, pattern: str) -> bool:
    """Whether a device is meant: by its short name, its token, or the `device_id` it gave the authorization server."""
    return any(fnmatch.fnmatchcase(name, pattern) for name in _names(device))


def _names(device: Device) -> tuple[str, ...]:
    identity = identity_of(device.key)
    names = (device.name, device.facts.token, "" if identity is None else identity.device_id)
    return tuple(name for name in names if name)
