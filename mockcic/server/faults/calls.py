"""Faults on the authorization server: what is asked of it, by devices that may never have connected."""

from __future__ import annotations

import fnmatch
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mockcic.auth.identity import identity_of
from mockcic.scenario.faults.act import Act
from mockcic.scenario.faults.answer import Empty, Portal, Status
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.faults.stream import Reset
from mockcic.scenario.model import Scenario
from mockcic.server.exchange import Send
from mockcic.server.faults.armed import Armed, Count
from mockcic.server.faults.strike import Target, strike
from mockcic.server.faults.trouble import Trouble
from mockcic.server.wire import Wire

if TYPE_CHECKING:
    from mockcic.server.device import Device
    from mockcic.server.faults.armoury import Armoury

KEPT: Final = 1000
"""Callers without a device of whom it is kept how often faults struck them (INF)."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: its key and name, its device where it has one, and its scenario."""

    key: str
    name: str
    device: Device | None
    scenario: Scenario

    @property
    def names(self) -> tuple[str, ...]:
        """What a fault may call it: its short name, and the `device_id` that it gave."""
        identity = identity_of(self.key)
        return (self.name, "" if identity is None else identity.device_id)


@dataclass(frozen=True, slots=True)
class Met:
    """What faults make of a request: it is answered through `send`, with `instead` and not worked on, or not at all."""

    send: Send
    instead: Act | None = None
    gone: bool = False


class Calls:
    """Of the armoury: the faults on role `token`."""

    def __init__(self, armoury: Armoury) -> None:
        self._armoury = armoury
        self._strangers: OrderedDict[str, dict[int, Armed]] = OrderedDict()

    async def meet(self, caller: Caller, wire: Wire | None, stream: str, send: Send) -> Met:
        """A request is complete, and nothing was done about it yet: let the faults strike whose turn it is."""
        clock = self._armoury.clock
        trouble = Trouble(
            wire,
            send,
            lambda armed, _: self._strike(armed, caller, wire, stream),
            per_message=False,
        )
        other: Act | None = None
        for armed in list(self._due(caller, wire)):
            act, after = armed.fault.act, armed.fault.after
            if after is not None and (after.headers or after.sent is not None):
                trouble.plan(armed)
                continue
            if not (act.SHAPES or armed.count.draws()):
                continue
            if after is not None and after.time:
                await clock.sleep(after.time)
            if isinstance(act, Status | Portal | Empty):
                if other is not None:
                    armed.count.missed()
                    continue
                other = act
            if act.SHAPES:
                trouble.shape(armed)
                continue
            self._strike(armed, caller, wire, stream)
            if isinstance(act, Reset):
                return Met(send, gone=True)
        return Met(trouble.send if trouble.is_wanted else send, other)

    def inherit(self, device: Device) -> None:
        """A caller has become a device: what struck the one has struck the other."""
        known = self._strangers.pop(device.key, None)
        if known is None or device.faults is None:
            return
        for armed in list(device.faults.armed):
            before = known.get(_slot(armed.fault, armed.number, armed.by))
            if before is not None:
                armed.count = before.count
                if armed.count.spent:
                    device.faults.remove(armed, "it struck as often as it was to")

    def _due(self, caller: Caller, wire: Wire | None) -> Iterator[Armed]:
        for armed in self._of(caller):
            if not armed.gone and armed.fault.role == "token" and (wire is not None or not armed.fault.act.NEEDS_WIRE):
                yield armed

    def _of(self, caller: Caller) -> list[Armed]:
        if caller.device is not None:
            return [] if caller.device.faults is None else caller.device.faults.armed
        wanted: list[tuple[Fault, int, str]] = [(fault, 0, "scenario ") for fault in caller.scenario.fault]
        for pattern, armed in self._armoury.coming:
            if any(fnmatch.fnmatchcase(name, pattern) for name in caller.names if name):
                wanted.append((armed.fault, armed.number, armed.by))
        if not any(fault.role == "token" for fault, _, _ in wanted):
            return []
        known = self._strangers.setdefault(caller.key, {})
        self._strangers.move_to_end(caller.key)
        while len(self._strangers) > KEPT:
            self._strangers.popitem(last=False)
        found = []
        for fault, number, by in wanted:
            slot = _slot(fault, number, by)
            if slot not in known:
                known[slot] = Armed(number or self._armoury.number(), Count(fault), by)
            found.append(known[slot])
        return found

    def _strike(self, armed: Armed, caller: Caller, wire: Wire | None, stream: str) -> None:
        self._record(armed, caller, wire, stream)
        if not armed.fault.act.SHAPES:
            strike(armed.fault, Target(wire, None, stream), lambda *_: None, self._armoury.clock)
        self._used_up(armed, caller)

    def _used_up(self, armed: Armed, caller: Caller) -> None:
        if not armed.count.spent:
            return
        if caller.device is not None and caller.device.faults is not None:
            caller.device.faults.remove(armed, "it struck as often as it was to")
        elif not armed.gone:
            armed.gone = True
            self._armoury.used_up_by(armed.number, caller.names)

    def _record(self, armed: Armed, caller: Caller, wire: Wire | None, stream: str) -> None:
        after = armed.fault.after
        moment = f" after {after}" if after is not None and str(after) else ""
        members: dict[str, Any] = {} if caller.device is None else {"token": caller.device.facts.token}
        self._armoury.journal.add(
            "fault",
            device=caller.name,
            connection="" if wire is None else wire.connection.id,
            stream=stream,
            name=armed.fault.label,
            phase="struck",
            act=armed.fault.kind,
            on="token",
            detail=armed.fault.act.about() + moment,
            fault=armed.number,
            by=armed.by,
            **members,
        )


def _slot(fault: Fault, number: int, by: str) -> int:
    """Of a fault from outside its number, of a scenario's the fault itself: below zero, so that they never meet."""
    return -id(fault) if by.startswith("scenario ") else number
