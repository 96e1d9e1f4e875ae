"""Faults of a running server: set, seen, removed."""

from __future__ import annotations

import fnmatch
from typing import Final

from mockcic.control.ask import AskError
from mockcic.control.shapes import FaultOrder, FaultShape
from mockcic.errors import FaultError
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.faults.vain import in_vain, unknown_directive
from mockcic.scenario.lint_faults import events_known_to
from mockcic.server.app import Cic
from mockcic.server.faults.armed import Armed, Count
from mockcic.server.faults.calls import not_on_a_plain_wire

SHORT: Final = 4
"""Characters of a token that a short name shows; a longer text is a token."""


class FaultDesk:
    """Sets and removes faults, for the server's own loop. Raises `AskError`."""

    def __init__(self, cic: Cic) -> None:
        self._cic = cic

    def set(self, order: FaultOrder, *, by: str = "control") -> FaultShape:
        """Set a fault for the devices whose name or token fits, those that come later too.

        Without times, nth, every, for and chance it strikes once, unless it is to stay (`always`).
        """
        fault = order.fault
        bounded = {"times", "nth", "every", "for_", "chance"} & fault.model_fields_set
        if not bounded and not order.always:
            fault = fault.model_copy(update={"times": 1})
        devices = self._cic.devices
        name = self._aimed(order.device)
        try:
            number = self._cic.armoury.arm(fault, iter(devices), device=name, by=by)
        except FaultError as error:
            raise AskError(409, str(error)) from None
        gone = Armed(number, Count(fault, occasions=1, strikes=1), by)  # what strikes all at once, once
        found = next((each for each in self.all() if each.number == number), self._shape(gone, self._said(name)))
        warnings = self.warnings(fault)
        if by == "control":  # a test says itself at which port its device asks
            warnings += self._missed_at_auth_port(fault)
        return found.model_copy(update={"warnings": warnings})

    def warnings(self, fault: Fault) -> list[str]:
        """Why it can never strike, or what of it has no effect, in the words of the scenario loader."""
        return [each.said for each in (*in_vain(fault, known=events_in_use(self._cic)), *unknown_directive(fault))]

    def _missed_at_auth_port(self, fault: Fault) -> list[str]:
        gate = self._cic.armoury.gate
        if fault.role != "token" or gate is None or not gate.has_auth_port or not (why := not_on_a_plain_wire(fault)):
            return []
        return [f"it is missed where a device asks at that port: {why}"]

    def all(self, device: str | None = None) -> list[FaultShape]:
        """Those that are set: for names that fit (`device` is the pattern), and those scenarios have set."""
        shapes: dict[int, FaultShape] = {}
        aims: dict[int, str] = {}
        for pattern, armed in self._cic.armoury.coming:
            shape = self._shape(armed, self._said(pattern))
            occasions, strikes = self._cic.armoury.past.get(armed.number, (0, 0))
            shapes[armed.number] = shape.model_copy(update={"occasions": occasions, "strikes": strikes})
            aims[armed.number] = pattern
        for armed in () if self._cic.armoury.gate is None else self._cic.armoury.gate.armed:
            shapes[armed.number] = self._shape(armed, "*")
        for each in self._cic.devices:
            for armed in () if each.faults is None else each.faults.armed:
                if (known := shapes.get(armed.number)) is None:
                    shapes[armed.number] = self._shape(armed, each.name)
                else:
                    shapes[armed.number] = known.model_copy(
                        update={
                            "occasions": known.occasions + armed.count.occasions,
                            "strikes": known.strikes + armed.count.strikes,
                        }
                    )
        found = list(shapes.values())
        if device is None:
            return found
        name = self._aimed(device)
        return [each for each in found if fnmatch.fnmatchcase(name, aims.get(each.number, each.device))]

    def _aimed(self, device: str) -> str:
        """The pattern behind a short name (with or without its …), a token, a `device_id`, or a pattern of them."""
        devices = self._cic.devices
        if _is_pattern(device):
            return device
        key = devices.token_of(device) or devices.token_of(f"…{device}")
        if key is not None:
            return devices.name_of(key)
        return f"…{device}" if len(device) <= SHORT and not device.startswith("…") else device

    def _said(self, pattern: str) -> str:
        """A pattern for people: of a token that nobody came with yet its end."""
        return pattern if _is_pattern(pattern) or pattern.startswith("…") else self._cic.devices.shown(pattern)

    def remove(self, number: int) -> None:
        """Remove one; what it does by lasting ends."""
        if not self._cic.armoury.remove(number, iter(self._cic.devices)):
            raise AskError(
                404,
                f"there is no fault {number}; GET /v1/faults (`mockcic fault --list`) has those that are set",
                member="number",
            )

    def forget(self, device: str) -> None:
        """Remove the faults that were set for this device alone: it goes."""
        for pattern, armed in self._cic.armoury.coming:
            if pattern == device:
                self._cic.armoury.remove(armed.number, iter(self._cic.devices))

    def clear(self) -> int:
        """Remove all that were set from outside, and those of scenarios until these begin anew; how many."""
        numbers = [each.number for each in self.all()]
        for number in numbers:
            self._cic.armoury.remove(number, iter(self._cic.devices))
        return len(numbers)

    @staticmethod
    def _shape(armed: Armed, device: str) -> FaultShape:
        fault: Fault = armed.fault
        return FaultShape(
            number=armed.number,
            device=device,
            name=fault.label,
            act=fault.kind,
            on=fault.role,
            about=fault.act.about(),
            fault=fault.model_dump(mode="json", by_alias=True, exclude_unset=True),
            by=armed.by,
            occasions=armed.count.occasions,
            strikes=armed.count.strikes,
        )


def events_in_use(cic: Cic) -> tuple[str, ...]:
    """The events that the scenarios of a server name, patterns of them too."""
    scenarios = {id(each): each for each in cic.devices.scenarios_in_use}.values()
    return tuple(name for each in scenarios for name in events_known_to(each))


def _is_pattern(text: str) -> bool:
    return any(sign in text for sign in "*?[")
