"""The faults on connections that are only about to be, and on all connections at once: the way in.

The listener has no gate until such a fault is set. Where one is set for a device, it strikes at the address that this
device, and no other, last came from.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from mockcic.errors import FaultError, StartError
from mockcic.journal.store import Journal
from mockcic.scenario.faults.connection import SettingsAck, SettingsChange
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.faults.line import Accept, Certificate, HangUp, ListenerGone, Tls, is_in
from mockcic.server.clock import Alarm, TurnableClock
from mockcic.server.faults.armed import Armed, Count, Lasting
from mockcic.server.faults.certificates import Contexts
from mockcic.server.faults.client_hello import look_at_hello, refusal, server_name
from mockcic.server.faults.line import (
    FIN_WITHIN_S,
    Throttle,
    drain,
    first_of,
    relay,
    reset_on_close,
    shrink,
    socket_pair,
    until_closed,
)
from mockcic.server.faults.strike import begin_with
from mockcic.server.observer import ConnectionFacts, Observer, new_id, printed

if TYPE_CHECKING:
    from mockcic.scenario.model import Scenario
    from mockcic.server.device import Device
    from mockcic.server.faults.of_device import DeviceFaults
    from mockcic.server.http2 import Http2

HANDSHAKE_S: Final = 60.0
"""For a TLS handshake, besides what a fault makes it take (as the listener gives one)."""

FOREVER_S: Final = 86_400.0
"""For a handshake that stalls without end: until the device has enough (INF)."""

RELAY_ENDS_WITHIN_S: Final = 1.0
"""For the last bytes of a connection that passes a relay (INF)."""


class GoOn(Protocol):
    """Serves a connection as ever, from TLS's handshake to its end. Raises OSError when the handshake fails."""

    async def __call__(
        self,
        accepted: socket.socket,
        context: ssl.SSLContext | None,
        *,
        known: ConnectionFacts | None = None,
        when_open: Callable[[ConnectionFacts], None] | None = None,
        prepare: Callable[[Http2], None] | None = None,
        handshake_s: float = HANDSHAKE_S,
    ) -> None:
        """`known` is what is known of it before, `when_open` is called when the handshake is through.

        `prepare` is called with its HTTP/2 before that says its first word.
        """


Port = Literal["devices", "auth"]


class Ports(Protocol):
    """Who listens on ports, as far as faults open and close them."""

    gate: Gate | None

    def close_listeners(self) -> None:
        """Nobody listens any more; connections that are open stay."""

    def open_listeners(self) -> None:
        """Listen again on the same ports."""


class Doors(Ports, Protocol):
    """The server of devices."""

    @property
    def observer(self) -> Observer:
        """Who is told of connections."""

    def end_all(
        self, how: Literal["rst", "fin", "no-notify", "goaway"], reason: str, *, spared: Collection[str] = ()
    ) -> None:
        """End every connection at once but those of these ids."""


@dataclass(slots=True, eq=False)
class _Set:
    """A fault that is set here: for everybody, or for the device of `faults`."""

    armed: Armed
    faults: DeviceFaults | None = None
    scenario: Scenario | None = None
    """Of a fault for everybody in a scenario; None where it is for everybody."""
    since: float = 0.0
    ready: bool = True
    told_of_others: bool = False
    alarms: dict[str, Alarm] = field(default_factory=dict)

    @property
    def fault(self) -> Fault:
        """What it is."""
        return self.armed.fault


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
        self._set: list[_Set] = []
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
            contexts = self._contexts[_port(fault)]
            if contexts is None:
                return f"`{fault.kind}` needs TLS, and the server speaks clear text only"
            return contexts.objection(act)
        return ""

    def arm(self, fault: Fault, *, by: str, number: int) -> Armed:
        """Set a fault for everybody. Raises `FaultError` where it cannot be."""
        if why := self.objection(fault, for_everybody=True):
            raise FaultError(why)
        armed = Armed(number, Count(fault), by)
        one = _Set(armed, scenario=self.scenario if by.startswith("scenario ") else None)
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
        self._add(_Set(armed, faults))

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

    def _add(self, one: _Set) -> None:
        fault = one.fault
        self._set.append(one)
        self._ports(fault).gate = self
        one.since = self._clock.now() + ((fault.after.time or 0.0) if fault.after is not None else 0.0)
        if fault.every is not None and not isinstance(fault.act, ListenerGone | HangUp):
            one.ready = False
            self._ready_in(one, fault.every)

    def _ready_in(self, one: _Set, seconds: float) -> None:
        def due() -> None:
            one.ready = True
            self._ready_in(one, seconds)

        self._call_in(one, "every", seconds, due)

    def _call_in(self, one: _Set, what: str, seconds: float, callback: Callable[[], None]) -> None:
        one.alarms[what] = self._clock.call_at(self._clock.now() + seconds, callback)

    def _remove(self, one: _Set, why: str) -> None:
        if one.armed.gone:
            return
        one.armed.gone = True
        for lasting in one.armed.undo:
            lasting.undo()
        one.armed.undo.clear()
        self._forget(one)
        self._record(one, "gone", why)

    def _forget(self, one: _Set) -> None:
        if one in self._set:
            self._set.remove(one)
        for alarm in one.alarms.values():
            alarm.cancel()
        one.alarms.clear()
        for port, ports in (("devices", self._doors), ("auth", self._auth)):
            if ports is not None and not any(_port(each.fault) == port for each in self._set):
                ports.gate = None

    def _ports(self, fault: Fault) -> Ports:
        return self._auth if fault.port == "auth" and self._auth is not None else self._doors

    @property
    def has_auth_port(self) -> bool:
        """Whether the authorization server has a port of its own."""
        return self._auth is not None

    # ------------------------------------------------------------------ everybody at once

    def _strike_all_in(self, one: _Set, seconds: float) -> None:
        def due() -> None:
            if not one.armed.gone:
                self._strike_all(one)
            if not one.armed.gone and one.fault.every is not None:
                self._strike_all_in(one, one.fault.every)

        self._call_in(one, "every", seconds, due)

    def _strike_all(self, one: _Set) -> None:
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

    def _of_others(self, one: _Set) -> set[str]:
        """The connections of devices that are in other scenarios than the fault is for."""
        if one.scenario is None:
            return set()
        others = [each.wire for each in self._devices() if each.scenario is not one.scenario]
        return {wire.connection.id for wire in others if wire is not None}

    def _listen_again(self, one: _Set) -> None:
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
        asks_names = context is not None and any(
            each.fault.server_name and _port(each.fault) == port for each in self._set
        )
        name = server_name(await look_at_hello(accepted)) if asks_names else None
        one = self._judge(host, name, port, tls=context is not None)
        if one is None:
            await go_on(accepted, context)
            return
        facts = ConnectionFacts(new_id(), client, context is not None, None, self._clock.real.wall())
        fault = one.fault
        self._record(one, "struck", fault.act.about(), facts.id, lasts_s=fault.act.lasts_s)
        match fault.act:
            case Accept(stall=float(seconds)):
                with self._lasting(one, facts) as called_off:
                    await first_of(self._clock.real.sleep(seconds), until_closed(accepted), _wait(called_off))
                await self._try(one, facts, go_on(accepted, context, known=facts))
            case Accept(how="silent" | "deaf") as act:
                with self._lasting(one, facts) as called_off:
                    try:
                        await self._keep_out(act, accepted, facts, fault.label, called_off)
                    finally:
                        self._record(one, "over", "the connection is no more", facts.id)
            case Accept() as act:
                try:
                    await self._keep_out(act, accepted, facts, fault.label)
                finally:
                    self._end_if_spent(one)
            case SettingsChange() | SettingsAck():
                self._end_if_spent(one)
                await go_on(accepted, context, known=facts, prepare=lambda http2: begin_with(fault, http2))
            case Tls() as act if act.stall is not None or act.rate is not None:
                await self._shake_slowly(one, act, accepted, context, facts, go_on)
            case Certificate() | Tls() as act:
                self._end_if_spent(one)
                await self._shake_hands(one, act, accepted, context, facts, go_on)

    def _judge(self, host: str, name: str | None, port: Port, *, tls: bool) -> _Set | None:
        """The first fault that strikes at a connection from there, if any."""
        for one in list(self._set):
            fault = one.fault
            if _port(fault) != port:
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

    def _is_aimed_at(self, one: _Set, host: str, name: str | None) -> bool:
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

    @contextmanager
    def _lasting(self, one: _Set, facts: ConnectionFacts) -> Iterator[asyncio.Event]:
        """It lasts on this connection: the fault is there as long, and the event is set when it is called off."""
        called_off = asyncio.Event()
        lasting = Lasting(facts.id, called_off.set)
        one.armed.undo.append(lasting)
        try:
            yield called_off
        finally:
            if lasting in one.armed.undo:
                one.armed.undo.remove(lasting)
            self._end_if_spent(one)

    def _end_if_spent(self, one: _Set) -> None:
        if not one.armed.count.spent or one.armed.gone or one.armed.undo:
            return
        if one.faults is None:
            self._remove(one, "it struck as often as it was to")
        else:
            one.faults.remove(one.armed, "it struck as often as it was to")

    async def _keep_out(
        self,
        act: Accept,
        accepted: socket.socket,
        facts: ConnectionFacts,
        label: str,
        called_off: asyncio.Event | None = None,
    ) -> None:
        """Do not serve it; one that is held is reset when that is called off."""
        observer = self._doors.observer
        observer.connection_opened(facts)
        try:
            match act.how:
                case "refuse":
                    reset_on_close(accepted)
                case "rst":
                    with suppress(OSError):
                        await asyncio.get_running_loop().sock_recv(accepted, 1)
                    reset_on_close(accepted)
                case "fin":
                    with suppress(OSError):
                        accepted.shutdown(socket.SHUT_WR)
                    await first_of(asyncio.sleep(FIN_WITHIN_S), drain(accepted))
                case "deaf":
                    shrink(accepted)
                    await self._hold(accepted, act.lasts_s, until_closed(accepted), called_off)
                case _:
                    await self._hold(accepted, act.lasts_s, drain(accepted), called_off)
        finally:
            accepted.close()
            observer.connection_closed(facts, f"fault {label}")

    async def _hold(
        self, accepted: socket.socket, lasts_s: float | None, until: Any, called_off: asyncio.Event | None
    ) -> None:
        called_off = called_off or asyncio.Event()
        ends = [until, _wait(called_off)]
        if lasts_s is not None:
            ends.append(self._clock.real.sleep(lasts_s))
        await first_of(*ends)
        if lasts_s is not None or called_off.is_set():
            reset_on_close(accepted)

    async def _shake_hands(
        self,
        one: _Set,
        act: Certificate | Tls,
        accepted: socket.socket,
        context: ssl.SSLContext | None,
        facts: ConnectionFacts,
        go_on: GoOn,
    ) -> None:
        """A handshake that is not as ever; then all goes its ordinary way, if the device still wants."""
        contexts = self._contexts[_port(one.fault)]
        assert contexts is not None
        try:
            other = await asyncio.to_thread(contexts.context, act)
        except StartError as error:
            self._record(one, "over", f"not done: {error}", facts.id)
            other = context
        if other is not None and isinstance(act, Tls) and (alert := refusal(other, await look_at_hello(accepted))):
            with suppress(OSError):
                await asyncio.get_running_loop().sock_sendall(accepted, alert)
                accepted.shutdown(socket.SHUT_WR)
                await first_of(asyncio.sleep(FIN_WITHIN_S), drain(accepted))
            self._was_given_up(one, facts, "no version in common")
            return

        def when_open(found: ConnectionFacts) -> None:
            if isinstance(act, Certificate):
                self._was_believed(one, act, found)

        await self._try(one, facts, go_on(accepted, other, known=facts, when_open=when_open))

    async def _shake_slowly(
        self,
        one: _Set,
        act: Tls,
        accepted: socket.socket,
        context: ssl.SSLContext | None,
        facts: ConnectionFacts,
        go_on: GoOn,
    ) -> None:
        throttle = Throttle(self._clock.real, stall_at=act.sent, stall_s=act.stall_s, rate=act.rate)
        within_s = FOREVER_S if act.rate or act.stall_s is None else HANDSHAKE_S + act.stall_s
        lasting = Lasting(facts.id, throttle.end)
        one.armed.undo.append(lasting)

        def is_through() -> None:
            throttle.end()
            if lasting in one.armed.undo:
                one.armed.undo.remove(lasting)
            self._end_if_spent(one)

        try:
            outer, inner = await socket_pair()
        except BaseException:
            is_through()
            raise
        with outer, inner:
            async with asyncio.TaskGroup() as tasks:
                relaying = tasks.create_task(relay(accepted, outer, throttle))
                try:
                    serving = go_on(inner, context, known=facts, when_open=lambda _: is_through(), handshake_s=within_s)
                    await self._try(one, facts, serving)
                    inner.close()
                    await asyncio.wait((relaying,), timeout=RELAY_ENDS_WITHIN_S)
                finally:
                    is_through()
                    relaying.cancel()

    async def _try(self, one: _Set, facts: ConnectionFacts, serving: Any) -> None:
        """Serve it; one that ends in the handshake is written down as one that came and went by this fault."""
        try:
            await serving
        except OSError as error:
            why = getattr(error, "reason", None) or error.strerror or str(error) or "the device closed the connection"
            self._was_given_up(one, facts, str(why).replace("_", " ").lower())

    def _was_given_up(self, one: _Set, facts: ConnectionFacts, why: str) -> None:
        observer = self._doors.observer
        observer.connection_opened(facts)
        observer.connection_closed(facts, f"fault {one.fault.label}")
        self._record(one, "over", f"the handshake was not completed: {why}", facts.id)

    def _was_believed(self, one: _Set, act: Certificate, facts: ConnectionFacts) -> None:
        self._record(one, "over", "the device took the certificate", facts.id)
        self._journal.add(
            "finding",
            device=self._name(one),
            connection=facts.id,
            name="tls.certificate",
            # The shipped firmware does not look at the name; an intermediate CA may be known to a device (DEVICES C4).
            severity="warning" if act.kind in ("wrong-name", "no-chain") else "error",
            found=f"the device went on although {act.about()}",
            expected="an alert that ends the handshake, and no request (RFC 8446 4.4.2.4, RFC 9110 4.3.4)",
            mend="let the TLS library verify chain, dates and name against the CA file",
        )

    # ------------------------------------------------------------------ what is written down

    @staticmethod
    def _name(one: _Set) -> str:
        return "" if one.faults is None else one.faults.device.name

    def _record(
        self, one: _Set, phase: str, detail: str, connection: str = "", *, lasts_s: float | None = None
    ) -> None:
        members: dict[str, Any] = {} if lasts_s is None else {"lasts_s": lasts_s}
        self._journal.add(
            "fault",
            device=self._name(one),
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


def _port(fault: Fault) -> Port:
    """Which ports it is about."""
    return fault.port or "devices"


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def _host(device: Device) -> str:
    """The address a device last came from; empty where it is not known."""
    if device.wire is None:
        return ""
    return _host_of(device.wire.connection.client)


def _host_of(client: str) -> str:
    return client.rpartition(":")[0].strip("[]")


__all__ = ["Doors", "Gate", "GoOn", "Port", "Ports"]
