"""Which device is meant when somebody names one."""

from __future__ import annotations

from mockcic.control.ask import AskError, not_found
from mockcic.journal.store import Journal
from mockcic.server.device import Device
from mockcic.server.registry import Registry


class Names:
    """Finds devices by a short name (with or without its …), a token, or a `device_id`. Raises `AskError`."""

    def __init__(self, registry: Registry, journal: Journal) -> None:
        self._registry = registry
        self._journal = journal

    def find(self, name: str) -> Device:
        """The device of a name; it has come."""
        registry = self._registry
        found = registry.named(name) or registry.named(f"…{name}") or registry.named(self._by_id(name))
        if found is None:
            key = self.key_of(name)
            if key is not None:
                raise AskError(404, f"{registry.name_of(key)} is awaited, but has not come yet", member="device")
            raise self.unknown(name)
        return found

    def key_of(self, name: str) -> str | None:
        """The key of a device that has come or is awaited; None where nobody knows it."""
        registry = self._registry
        return registry.token_of(name) or registry.token_of(f"…{name}") or registry.token_of(self._by_id(name))

    def known_key_of(self, name: str) -> str:
        """As `key_of`, of one that is known."""
        key = self.key_of(name)
        if key is None:
            raise self.unknown(name)
        return key

    def name_of(self, name: str) -> str:
        """The short name of a device: of one that is known, or of which there are entries."""
        if (key := self.key_of(name)) is not None:
            return self._registry.name_of(key)
        names = (name, f"…{name}", self._registry.shown(name))
        found = next((entry.device for entry in self._journal if entry.device in names), None)
        if found is None:
            raise self.unknown(name)
        return found

    def unknown(self, name: str) -> AskError:
        """What is said of a name that nobody knows."""
        return not_found("device", name, [device.name for device in self._registry])

    def _by_id(self, device_id: str) -> str:
        """The key of the device of a `device_id`; empty where there is none. Raises where there are more."""
        keys = self._registry.keys_of_id(device_id)
        if len(keys) > 1:
            names = ", ".join(map(self._registry.name_of, keys))
            raise AskError(422, f"{device_id} is the device_id of {names}; say which", member="device")
        return keys[0] if keys else ""
