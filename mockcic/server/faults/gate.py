"""The faults on connections that are only about to be, and on all connections at once: the way in.

The listener has no gate until such a fault is set. Where one is set for a device, it strikes at the address that this
device, and no other, last came from.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from mockcic.errors import FaultError
from mockcic.journal.store import Journal
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.faults.line import Certificate, HangUp, ListenerGone, Tls, is_in
from mockcic.server.clock import TurnableClock
from mockcic.server.faults.armed import Armed, Count, Lasting
from mockcic.server.faults.certificates import Contexts
from mockcic.server.faults.client_hello import look_at_hello, server_name
from mockcic.server.faults.doors import Doors, GoOn, Port, Ports
from mockcic.server.faults.reception import Posted, Reception
from mockcic.server.observer import ConnectionFacts, new_id, printed

if TYPE_CHECKING:
    from mockcic.scenario.model import Scenario
    from mockcic.server.device import Device
    from mockcic.server.faults.of_device import DeviceFaults


class Gate:
    """All faults of one server on the way in."""

    def __init__(
        self,
        *,
        journal: Journal,
        clock: TurnableClock,
        doors: Doors,
        contexts: Contexts | None,
        devices: Callable[[], Iterable[Device]],
        auth: Ports | None = None,
        auth_contexts: Contexts | None = None,
    ) -> None:
        """`auth` is the authorization server's own port, None where it has none; contexts are None without TLS."""
        self._journal = journal
        self._clock = clock
        self._doors = doors
        self._contexts: dict[Port, Contexts | None] = {"devices": contexts, "auth": auth_contexts}
        self._auth = auth
        self._devices = devices
        self._reception = Reception(
            journal=journal,
            clock=clock.real,
            observer=lambda: doors.observer,
            contexts=self._contexts,
            tell=self._record,
            end_if_spent=self._end_if_spent,
        )
        self._set: list[Posted] = []
        self.scenario: Scenario | None = None
        """Whose faults are set here for everybody in it: that of newcomers."""

    # ------------------------------------------------------------------ set and removed

    @property
    def armed(self) -> tuple[Armed, ...]:
        """The faults that are set for everybody."""
        return tuple(each.armed for each in self._set if each.faults is None)

    def objection(self, fault: Fault, *, for_everybody: bool) -> str:
        """Why a fault cannot be set here; empty where it can."""
        act = fault.act
        if fault.port == "auth" and self._auth is None:
            return "`port: auth`: the authorization server has no port of its own; give it one with --auth-port"
        if isinstance(act, ListenerGone) and not for_everybody:
            return "`listener` of one device: nobody listens, or somebody does, for all of them; set it for all devices"
        if isinstance(act, Certificate | Tls):
            contexts = self._contexts[fault.port or "devices"]
            if contexts is None:
                return f"`{fault.kind}` needs TLS, and the server speaks clear text only"
            return contexts.objection(act)
        return ""

    def arm(self, fault: Fault, *, by: str, number: int) -> Armed:
        """Set a fault for everybody. Raises `FaultError` where it cannot be."""
        if why := self.objection(fault, for_everybody=True):
            raise FaultError(why)
        armed = Armed(number, Count(fault), by)
        one = Posted(armed, scenario=self.scenario if by.startswith("scenario ") else None)
        self._add(one)
        self._record(one, "armed", fault.act.about())
        if fault.for_ is not None:
            self._call_in(one, "for", fault.for_, lambda: self._remove(one, "its time is over"))
        if isinstance(fault.act, ListenerGone | HangUp):
            first = fault.every or (fault.after.time if fault.after is not None else None)
            if first is None:
                self._strike_all(one)
            else:
                self._strike_all_in(one, first)
        return armed

    def add(self, armed: Armed, faults: DeviceFaults) -> None:
        """A fault was set for one device. Raises `FaultError` where it cannot be."""
        if why := self.objection(armed.fault, for_everybody=False):
            raise FaultError(why)
        self._add(Posted(armed, faults))

    def discard(self, armed: Armed) -> None:
        """A device has lost a fault."""
        for one in [each for each in self._set if each.armed is armed]:
            self._forget(one)

    def remove_number(self, number: int) -> bool:
        """Remove the fault of this number that is set for everybody; False when there is none."""
        found = [each for each in self._set if each.faults is None and each.armed.number == number]
        for one in found:
            self._remove(one, "it was removed")
        return bool(found)

    def clear(self, why: str, *, by: str = "") -> None:
        """Remove all faults that are set for everybody, or those that were set by `by`."""
        for one in [each for each in self._set if each.faults is None and each.armed.by.startswith(by)]:
            self._remove(one, why)

    def _add(self, one: Posted) -> None:
        fault = one.fault
        self._set.append(one)
        self._ports(fault).gate = self
        one.since = self._clock.now() + ((fault.after.time or 0.0) if fault.after is not None else 0.0)
        if fault.every is not None and not isinstance(fault.act, ListenerGone | HangUp):
            one.ready = False
            self._ready_in(one, fault.every)

    def _ready_in(self, one: Posted, seconds: float) -> None:
        def due() -> None:
            one.ready = True
            self._ready_in(one, seconds)

        self._call_in(one, "every", seconds, due)

    def _call_in(self, one: Posted, what: str, seconds: float, callback: Callable[[], None]) -> None:
        one.alarms[what] = self._clock.call_at(self._clock.now() + seconds, callback)

    def _remove(self, one: Posted, why: str) -> None:
        if one.armed.gone:
            return
        one.armed.gone = True
        for lasting in one.armed.undo:
            lasting.undo()
        one.armed.undo.clear()
        self._forget(one)
        self._record(one, "gone", why)

    def _forget(self, one: Posted) -> None:
        if one in self._set:
            self._set.remove(one)
        for alarm in one.alarms.values():
            alarm.cancel()
        one.alarms.clear()
        for port, ports in (("devices", self._doors), ("auth", self._auth)):
            if ports is not None and not any(each.port == port for each in self._set):
                ports.gate = None

    def _ports(self, fault: Fault) -> Ports:
        return self._auth if fault.port == "auth" and self._auth is not None else self._doors

    @property
    def has_auth_port(self) -> bool:
        """Whether the authorization server has a port of its own."""
        return self._auth is not None

    # ------------------------------------------------------------------ everybody at once

    def _strike_all_in(self, one: Posted, seconds: float) -> None:
        def due() -> None:
            if not one.armed.gone:
                self._strike_all(one)
            if not one.armed.gone and one.fault.every is not None:
                self._strike_all_in(one, one.fault.every)

        self._call_in(one, "every", seconds, due)

    def _strike_all(self, one: Posted) -> None:
        if isinstance(one.fault.act, ListenerGone) and one.armed.undo:
            return  # nobody listens already: no occasion
        if not one.armed.count.draws():
            if one.armed.count.spent:
                self._remove(one, "it had its occasions")
            return
        fault = one.fault
        match fault.act:
            case HangUp(how=how):
                self._record(one, "struck", fault.act.about())
                self._doors.end_all(how, f"fault {fault.label}", spared=self._of_others(one))
            case ListenerGone(gone=seconds) if not one.armed.undo:
                self._record(one, "struck", fault.act.about(), lasts_s=seconds)
                ports = self._ports(fault)
                ports.close_listeners()
                one.armed.undo.append(Lasting("", ports.open_listeners))
                self._call_in(one, "over", seconds, lambda: self._listen_again(one))
        if one.armed.count.spent and not one.armed.undo:
            self._remove(one, "it struck as often as it was to")

    def _of_others(self, one: Posted) -> set[str]:
        """The connections of devices that are in other scenarios than the fault is for."""
        if one.scenario is None:
            return set()
        others = [each.wire for each in self._devices() if each.scenario is not one.scenario]
        return {wire.connection.id for wire in others if wire is not None}

    def _listen_again(self, one: Posted) -> None:
        if one.armed.gone:
            return
        for lasting in one.armed.undo:
            lasting.undo()
        one.armed.undo.clear()
        self._record(one, "over", "somebody listens again")
        if one.armed.count.spent or one.fault.every is None:
            self._remove(one, "it struck as often as it was to")

    # ------------------------------------------------------------------ a connection is accepted

    async def admit(
        self,
        accepted: socket.socket,
        address: Any,
        context: ssl.SSLContext | None,
        go_on: GoOn,
        *,
        port: Port = "devices",
    ) -> None:
        """Let a connection in, or do to it what a fault wants; returns when it is over, and the caller closes it."""
        client = printed(address)
        host = _host_of(client)
        asks_names = context is not None and any(each.fault.server_name and each.port == port for each in self._set)
        name = server_name(await look_at_hello(accepted)) if asks_names else None
        one = self._judge(host, name, port, tls=context is not None)
        if one is None:
            await go_on(accepted, context)
            return
        now = self._clock.real.wall()
        facts = ConnectionFacts(new_id(), client, context is not None, None, now, at_auth_port=port == "auth")
        await self._reception.receive(one, accepted, context, facts, go_on)

    def _judge(self, host: str, name: str | None, port: Port, *, tls: bool) -> Posted | None:
        """The first fault that strikes at a connection from there, if any."""
        for one in list(self._set):
            fault = one.fault
            if one.port != port:
                continue
            if isinstance(fault.act, ListenerGone | HangUp) or (isinstance(fault.act, Certificate | Tls) and not tls):
                continue
            if not one.ready or self._clock.now() < one.since or not self._is_aimed_at(one, host, name):
                continue
            if one.armed.count.draws():
                one.ready = fault.every is None
                return one
            self._end_if_spent(one)
        return None

    def _is_aimed_at(self, one: Posted, host: str, name: str | None) -> bool:
        fault = one.fault
        if fault.client and not any(is_in(host, each) for each in fault.client):
            return False
        if not fault.is_about_name(name):
            return False
        if one.faults is None and one.scenario is None:
            return True
        there = [each for each in self._devices() if _host(each) == host]
        if one.scenario is not None:
            return all(each.scenario is one.scenario for each in there)
        if not any(each.faults is one.faults for each in there):
            return False
        others = [each.name for each in there if each.faults is not one.faults]
        if others and not one.told_of_others:
            one.told_of_others = True
            named = f"{', '.join(others[:3])}{f' and {len(others) - 3} more' if len(others) > 3 else ''}"
            self._record(one, "missed", f"not struck: {named} came from {host} too; aim with `client`")
        return not others

    def _end_if_spent(self, one: Posted) -> None:
        if not one.armed.count.spent or one.armed.gone or one.armed.undo:
            return
        if one.faults is None:
            self._remove(one, "it struck as often as it was to")
        else:
            one.faults.remove(one.armed, "it struck as often as it was to")

    # ------------------------------------------------------------------ what is written down

    def _record(
        self, one: Posted, phase: str, detail: str, connection: str = "", *, lasts_s: float | None = None
    ) -> None:
        members: dict[str, Any] = {} if lasts_s is None else {"lasts_s": lasts_s}
        self._journal.add(
            "fault",
            device=one.device,
            connection=connection,
            name=one.fault.label,
            phase=phase,
            act=one.fault.kind,
            on=one.fault.role,
            detail=detail,
            fault=one.armed.number,
            by=one.armed.by,
            **members,
        )


def _host(device: Device) -> str:
    """The address a device last came from; empty where it is not known."""
    if device.wire is None:
        return ""
    return _host_of(device.wire.connection.client)


def _host_of(client: str) -> str:
    return client.rpartition(":")[0].strip("[]")


__all__ = ["Gate"]
