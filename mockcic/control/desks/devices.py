"""Devices of a running server: looked at, changed, given a scenario, awaited and forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockcic.auth.identity import identity_of
from mockcic.cic.facts import CueWanted
from mockcic.control.ask import AskError, not_found
from mockcic.control.desks.faults import FaultDesk
from mockcic.control.desks.names import Names
from mockcic.control.shapes import CueShape, DeviceChange, DeviceShape
from mockcic.scenario.model import Scenario
from mockcic.server.app import Cic
from mockcic.server.device import Device


class DeviceDesk:
    """For the server's own loop. A device is named as `Names` has it. Raises `AskError`."""

    def __init__(self, cic: Cic, names: Names, faults: FaultDesk) -> None:
        self._cic = cic
        self._names = names
        self._faults = faults
        self._announced: set[str] = set()

    def all(self) -> list[DeviceShape]:
        """All devices that have been seen, in the order of their coming."""
        return [self._shape(device) for device in self._cic.devices]

    def look(self, name: str) -> DeviceShape:
        """One device."""
        return self._shape(self._names.find(name))

    # ------------------------------------------------------------------ whose it is

    def announce(self, token: str) -> str:
        """The name that the device of a token has, or will have."""
        self._announced.add(self._cic.devices.key_of(token))
        return self._cic.devices.name_of(token)

    def awaited(self, name: str) -> str:
        """The short name of a device; one that nobody knows may still come, by its token."""
        try:
            return self._names.name_of(name)
        except AskError:
            if name.startswith("…"):
                raise
            return self.announce(name)

    def claim(self, name: str) -> bool:
        """Take a device that has come with a token of its own; False when it is somebody's already."""
        key = self._names.known_key_of(name)
        if key in self._announced:
            return False
        self._announced.add(key)
        return True

    def release(self, name: str) -> None:
        """Give a device back: it is nobody's, and begins anew in the set's scenario. Harmless when it is unknown."""
        registry = self._cic.devices
        key = self._names.key_of(name) or name
        self._announced.discard(key)
        if registry.token_of(key) is not None:
            self._faults.forget(registry.shown(key))
        registry.unassign(key)
        if (device := registry.get(key)) is not None:
            device.reset()

    def forget(self, name: str) -> None:
        """Forget a device, and the scenario it was given."""
        self.drop(self._names.known_key_of(name))

    def drop(self, token: str) -> None:
        """Forget what there is of a token; harmless when there is nothing."""
        registry = self._cic.devices
        device = registry.get(token)
        if device is not None and device.downchannel is not None:
            device.downchannel.end("the device was forgotten by hand")
        key = registry.key_of(token)
        if registry.token_of(key) is not None:
            self._faults.forget(registry.shown(key))
        registry.forget(key)
        self._cic.authorization.authority.begin_anew(key)
        self._announced.discard(key)

    # ------------------------------------------------------------------ what it is in

    def assign(self, name: str, scenario: Scenario) -> str:
        """Give a device a scenario of its own, also before it is first seen; its short name."""
        token = self._names.key_of(name) or name
        if token.startswith("…"):
            raise self._names.unknown(name)
        short = self._cic.devices.name_of(token)
        self._cic.devices.assign(token, scenario)
        return short

    def unassign(self, name: str) -> None:
        """Give a device back to the set."""
        self._cic.devices.unassign(self._names.known_key_of(name))

    def change(self, name: str, change: DeviceChange) -> DeviceShape:
        """Put a device into a state, give its variables values."""
        device = self._names.find(name)
        known = device.scenario.vars
        for variable in change.vars:
            if variable not in known:
                raise not_found("variable", variable, sorted(known))
        states = device.scenario.states
        if change.state is not None and change.state not in states:
            raise not_found("state", change.state, states)
        device.put(state=change.state, variables=change.vars)
        return self._shape(device)

    def cues(self, name: str) -> list[CueShape]:
        """What can be made to happen on a device: the named cues of its scenario."""
        cues = self._names.find(name).scenario.cues
        return [CueShape(cue=each, about=cue.about, args=cue.args) for each, cue in cues.items()]

    def play_cue(self, name: str, cue: str, args: Mapping[str, Any]) -> DeviceShape:
        """Make a named cue of its scenario happen on a device; the device as it is then."""
        device = self._names.find(name)
        cues = device.scenario.cues
        if cue not in cues:
            raise not_found("cue", cue, sorted(cues))
        wanted = cues[cue]
        for each in args:
            if each not in wanted.args:
                there_are = f"it takes {', '.join(wanted.args)}" if wanted.args else "it takes none"
                raise AskError(422, f"the cue {cue} has no argument {each}; {there_are}", member="args")
        missing = [each for each in wanted.required if args.get(each) is None]
        if missing:
            raise AskError(422, f"the cue {cue} needs {' and '.join(missing)}", member="args")
        if wanted.push and device.downchannel is None:
            raise AskError(409, f"{device.name} has no downchannel for the cue {cue}", member="device")
        device.tell(CueWanted(cue, dict(args)))
        return self._shape(device)

    def transcribe(self, name: str, text: str) -> DeviceShape:
        """Say what is said in the running or the next upload of a device."""
        device = self._names.find(name)
        device.transcript = text
        return self._shape(device)

    def expire(self, name: str) -> DeviceShape:
        """End a device's downchannel, as if its lifetime were over."""
        device = self._names.find(name)
        if not device.expire():
            raise AskError(409, f"{device.name} has no downchannel to expire", member="device")
        return self._shape(device)

    def reset(self, name: str) -> DeviceShape:
        """A device begins anew."""
        device = self._names.find(name)
        self._begin_anew(device)
        return self._shape(device)

    def reset_all(self) -> int:
        """Every device begins anew; how many."""
        for device in self._cic.devices:
            self._begin_anew(device)
        return len(self._cic.devices)

    def _begin_anew(self, device: Device) -> None:
        device.reset()
        self._cic.authorization.authority.begin_anew(device.key)

    def _shape(self, device: Device) -> DeviceShape:
        token, redaction = device.facts.token, self._cic.journal.redaction
        line = device.downchannel
        identity = identity_of(device.key)
        return DeviceShape(
            device=device.name,
            scenario=device.scenario.scenario,
            announced=device.key in self._announced,
            assigned=self._cic.devices.assigned(device.key) is not None,
            state=redaction.text(device.engine.memory.state, token),
            vars=redaction.value(device.engine.memory.vars, token),
            downchannel=line is not None,
            connection=None if line is None else line.connection,
            events=len(device.exchanges),
            counts=redaction.value(dict(device.engine.memory.counts), token),
            user_agent=redaction.text(device.facts.user_agent, token),
            tags=redaction.value(list(device.facts.tags), token),
            device_id="" if identity is None else identity.device_id,
        )
