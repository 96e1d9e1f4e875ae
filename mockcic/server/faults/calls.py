"""Faults on the authorization server: what is asked of it, by devices that may never have connected."""

from __future__ import annotations

import fnmatch
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mockcic.auth.identity import identity_of
from mockcic.scenario.faults.act import Act
from mockcic.scenario.faults.answer import Empty, Portal, Status
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.faults.stream import End, Frames, Reset, Trailers
from mockcic.scenario.model import Scenario
from mockcic.server.exchange import Send
from mockcic.server.faults.armed import Armed, Count
from mockcic.server.faults.strike import Target, strike
from mockcic.server.faults.trouble import Trouble
from mockcic.server.plain_wire import PlainWire
from mockcic.server.request import Request

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
        self._running: set[Trouble] = set()
        """Of the answers that are being sent."""

    async def meet(self, request: Request, caller: Caller, send: Send) -> Met:
        """A request is complete, and nothing was done about it yet: let the faults strike whose turn it is."""
        clock = self._armoury.clock
        trouble = Trouble(
            request.wire,
            send,
            lambda armed, _: self._strike_in_its_time(armed, caller, request, trouble),
            per_message=False,
        )
        other: Act | None = None
        for armed in list(self._due(caller, request)):
            act, after = armed.fault.act, armed.fault.after
            behind_head = after is not None and (after.headers or after.sent is not None)
            if behind_head or (isinstance(act, End) and not (after is not None and after.time)):
                trouble.plan(armed)  # an end needs headers before it
                continue
            if not (act.SHAPES or armed.count.draws()):
                continue
            if after is not None and after.time:
                await clock.sleep(after.time)
                if armed.gone:
                    armed.count.missed()
                    continue
            if isinstance(act, Status | Portal | Empty):
                if other is not None:
                    armed.count.missed()
                    continue
                other = act
            if act.SHAPES:
                trouble.shape(armed)
                continue
            if isinstance(act, End):
                trouble.plan(armed, drawn=True)
                continue
            self._strike(armed, caller, request)
            if isinstance(act, Reset):
                return Met(send, gone=True)
        if request.plain_wire is not None and trouble.is_wanted:
            trouble.bear(request.plain_wire.bearing)
        return Met(partial(self._send, trouble, request.plain_wire) if trouble.is_wanted else send, other)

    async def _send(self, trouble: Trouble, plain: PlainWire | None, message: Any) -> None:
        """ASGI `send`; as long as it waits, it hears of the end of its faults and of its connection."""
        self._running.add(trouble)
        if plain is not None:
            plain.watch(trouble.abandon)
        try:
            await trouble.send(message)
        finally:
            self._running.discard(trouble)
            if plain is not None:
                plain.unwatch(trouble.abandon)

    def let_go(self, fault: Armed | int) -> bool:
        """A fault, or all of this number, is removed: what it shapes goes on as ever; False where there is nothing."""
        found = False
        for trouble in list(self._running):
            for armed in list(trouble.shapes):
                if armed is fault or armed.number == fault:
                    trouble.unshape(armed, lets_go=True)
                    found = True
        return found

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

    def _due(self, caller: Caller, request: Request) -> Iterator[Armed]:
        for armed in self._of(caller):
            if armed.gone or armed.fault.role != "token":
                continue
            if request.wire is not None or not armed.fault.act.NEEDS_WIRE:
                yield armed
            elif request.plain_wire is not None:
                if why := not_on_a_plain_wire(armed.fault):
                    self._record(armed, caller, request, "missed", why)
                else:
                    yield armed

    def _strike_in_its_time(self, armed: Armed, caller: Caller, request: Request, trouble: Trouble) -> None:
        """So many bytes are out; `time` is so long after them."""
        after = armed.fault.after
        if after is None or not after.time or armed.fault.act.SHAPES:
            self._strike(armed, caller, request)
            return
        clock = self._armoury.clock

        def due() -> None:
            if trouble.over or armed.gone:
                armed.count.missed()
                self._record(armed, caller, request, "missed", "the answer was over")
            else:
                self._strike(armed, caller, request)

        clock.call_at(clock.now() + after.time, due)

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

    def _strike(self, armed: Armed, caller: Caller, request: Request) -> None:
        after = armed.fault.after
        moment = f" after {after}" if after is not None and str(after) else ""
        self._record(armed, caller, request, "struck", armed.fault.act.about() + moment)
        if not armed.fault.act.SHAPES:
            target = Target(request.wire, None, request.stream, plain_wire=request.plain_wire)
            strike(armed.fault, target, lambda *_: None, self._armoury.clock)
        self._used_up(armed, caller)

    def _used_up(self, armed: Armed, caller: Caller) -> None:
        if not armed.count.spent:
            return
        if caller.device is not None and caller.device.faults is not None:
            caller.device.faults.remove(armed, "it struck as often as it was to", lets_go=False)
        elif not armed.gone:
            armed.gone = True
            self._armoury.used_up_by(armed.number, caller.names)

    def _record(self, armed: Armed, caller: Caller, request: Request, phase: str, detail: str) -> None:
        members: dict[str, Any] = {} if caller.device is None else {"token": caller.device.facts.token}
        self._armoury.journal.add(
            "fault",
            device=caller.name,
            connection=request.connection,
            stream=request.stream,
            name=armed.fault.label,
            phase=phase,
            act=armed.fault.kind,
            on="token",
            detail=detail,
            fault=armed.number,
            by=armed.by,
            **members,
        )


def not_on_a_plain_wire(fault: Fault) -> str:
    """Why an act on `token` cannot be done at the authorization server's own port; empty where it can."""
    act = fault.act
    if isinstance(act, Trailers) or (isinstance(act, Frames) and act.padding is not None):
        what = "trailers" if isinstance(act, Trailers) else "padding"
        return f"{what} at the authorization server's own port: they need the HTTP/2 of the devices' port"
    return ""


def _slot(fault: Fault, number: int, by: str) -> int:
    """Of a fault from outside its number, of a scenario's the fault itself: below zero, so that they never meet."""
    return -id(fault) if by.startswith("scenario ") else number
