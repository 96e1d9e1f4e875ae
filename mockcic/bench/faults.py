"""Faults that a test sets."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mockcic.control.shapes import FaultOrder, FaultShape

if TYPE_CHECKING:
    from mockcic.bench.place import Place


class SetFault:
    """A fault that is set: a context manager, which removes it at its end; it goes with its device in any case."""

    def __init__(self, place: Place, shape: FaultShape) -> None:
        self._place = place
        self.number = shape.number
        self.name = shape.name

    def __repr__(self) -> str:
        return f"<fault {self.number} {self.name}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    @property
    def strikes(self) -> int:
        """How often it has struck; 0 when it is gone."""
        return sum(each.strikes for each in self._place.faults() if each.number == self.number)

    def remove(self) -> None:
        """Remove it; what it does by lasting ends. Harmless when it is gone."""
        self._place.remove_fault(self.number)


def order(device: str, fault: Mapping[str, Any] | None, members: Mapping[str, Any], *, always: bool) -> FaultOrder:
    """What a test wrote as an order: a mapping as in a scenario, or its members as arguments (`for_` is `for`).

    Raises pydantic's `ValidationError`.
    """
    named = {key.rstrip("_"): value for key, value in members.items()}
    return FaultOrder.model_validate({"device": device, "always": always, "fault": {**(fault or {}), **named}})
