"""What the journal has of the faults of one device: entries of kind `fault`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockcic.journal.store import Journal
from mockcic.server.faults.armed import Armed
from mockcic.server.faults.strike import Target

if TYPE_CHECKING:
    from mockcic.server.device import Device


class Chronicle:
    """Writes down what became of a fault, with the connection, stream and dialogue that it was about."""

    def __init__(self, device: Device, journal: Journal) -> None:
        self._device = device
        self._journal = journal

    def add(self, armed: Armed, phase: str, detail: str, target: Target | None = None) -> None:
        """An entry; `phase` is armed, struck, missed, over or gone."""
        stream = "" if target is None else target.stream
        connection = "" if target is None or target.wire is None else target.wire.connection.id
        exchange = self._device.exchanges.get(stream)
        lasts = armed.fault.act.lasts_s
        members: dict[str, Any] = {"lasts_s": lasts} if lasts is not None and phase == "struck" else {}
        self._journal.add(
            "fault",
            device=self._device.name,
            token=self._device.facts.token,
            connection=connection,
            stream=stream,
            dialogue=None if exchange is None else exchange.dialogue,
            name=armed.fault.label,
            phase=phase,
            act=armed.fault.kind,
            on=armed.fault.role,
            detail=detail,
            fault=armed.number,
            by=armed.by,
            **members,
        )

    def struck(self, armed: Armed, target: Target, about: str = "") -> None:
        """It strikes; `about` says more of what it hits."""
        after = armed.fault.after
        moment = f" after {after}" if after is not None and str(after) else ""
        what = f"{about}: " if about else ""
        self.add(armed, "struck", what + armed.fault.act.about() + moment, target)


__all__ = ["Chronicle"]
