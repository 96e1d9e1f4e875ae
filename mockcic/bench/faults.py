"""Faults that a test sets."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from mockcic.control.shapes import FaultOrder, FaultShape
from mockcic.errors import FaultError

if TYPE_CHECKING:
    from mockcic.bench.place import Place


class SetFault:
    """A fault that is set for one device or several: a context manager, which removes it at its end.

    It goes with its test in any case.
    """

    def __init__(self, place: Place, *shapes: FaultShape) -> None:
        self._place = place
        self._numbers = [shape.number for shape in shapes]
        self._names = [shape.name for shape in shapes]
        self.warnings = tuple(dict.fromkeys(said for shape in shapes for said in shape.warnings))
        """Why it can never strike, or what of it has no effect; each is a Python warning, too."""
        self.removed = False
        """Whether it was taken away: devices that come later do not get it."""

    def __repr__(self) -> str:
        return f"<fault {self.name}{''.join(f' {number}' for number in self._numbers)}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    @property
    def number(self) -> int:
        """Its number on the server; of one that is set for several devices the first, 0 before there is any."""
        return next(iter(self._numbers), 0)

    @property
    def numbers(self) -> tuple[int, ...]:
        """One for each device it is set for."""
        return tuple(self._numbers)

    @property
    def name(self) -> str:
        """What the journal calls it."""
        return next(iter(self._names), "")

    @property
    def strikes(self) -> int:
        """How often it has struck, over all its devices; those that are gone do not count."""
        return sum(each.strikes for each in self._place.faults() if each.number in self._numbers)

    def remove(self) -> None:
        """Remove it; what it does by lasting ends. Harmless when it is gone."""
        self.removed = True
        for number in self._numbers:
            self._place.remove_fault(number)

    def add(self, shape: FaultShape) -> None:
        """It is set for one more device."""
        self._numbers.append(shape.number)
        self._names.append(shape.name)


def order(device: str, fault: object, members: Mapping[str, Any], *, always: bool) -> FaultOrder:
    """What a test wrote as an order: a mapping as in a scenario, or its members as arguments (`for_` is `for`).

    Raises `FaultError` with all that is wrong, in the words of a scenario.
    """
    if fault is not None and not isinstance(fault, Mapping):
        expected = "a mapping such as {'reset': 'CANCEL'}; several faults are several calls"
        raise FaultError(f"found {fault!r}, expected {expected}")
    whole: dict[str, Any] = {**(fault or {}), **{key.rstrip("_"): value for key, value in members.items()}}
    try:
        return FaultOrder.model_validate({"device": device, "always": always, "fault": whole})
    except ValidationError as error:
        from mockcic.scenario.explain import explain_value
        from mockcic.scenario.faults.fault import Fault

        errors = [
            {**each, "loc": each["loc"][1:]} for each in error.errors(include_url=False) if each["loc"][0] == "fault"
        ]
        if not errors:
            raise FaultError(str(error)) from None
        raise FaultError("\n".join(problem.said for _, problem in explain_value(whole, errors, Fault))) from None
