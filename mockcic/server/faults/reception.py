"""What becomes of an accepted connection that a fault was waiting for: kept out, held, or let in with trouble."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from mockcic.errors import StartError
from mockcic.journal.store import Journal
from mockcic.scenario.faults.connection import SettingsAck, SettingsChange
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.faults.line import Accept, Certificate, Tls
from mockcic.server.clock import Alarm, Clock
from mockcic.server.faults.armed import Armed, Lasting
from mockcic.server.faults.certificates import Contexts
from mockcic.server.faults.client_hello import look_at_hello, refusal
from mockcic.server.faults.doors import HANDSHAKE_S, GoOn, Port
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
from mockcic.server.observer import ConnectionFacts, Observer

if TYPE_CHECKING:
    from mockcic.scenario.model import Scenario
    from mockcic.server.faults.of_device import DeviceFaults

FOREVER_S: Final = 86_400.0
"""For a handshake that stalls without end: until the device has enough (INF)."""

RELAY_ENDS_WITHIN_S: Final = 1.0
"""For the last bytes of a connection that passes a relay (INF)."""


@dataclass(slots=True, eq=False)
class Posted:
    """A fault that stands at the gate: for everybody, or for the device of `faults`."""

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

    @property
    def port(self) -> Port:
        """Which ports it is about."""
        return self.fault.port or "devices"

    @property
    def device(self) -> str:
        """The name of its device; empty where it is everybody's."""
        return "" if self.faults is None else self.faults.device.name


class Tell(Protocol):
    """Writes an entry of a fault."""

    def __call__(
        self, one: Posted, phase: str, detail: str, connection: str = "", *, lasts_s: float | None = None
    ) -> None:
        """`lasts_s` of one that struck."""


class Reception:
    """Does to connections what the faults at the gate want. `end_if_spent` is told when one is through with one."""

    def __init__(
        self,
        *,
        journal: Journal,
        clock: Clock,
        observer: Callable[[], Observer],
        contexts: Mapping[Port, Contexts | None],
        tell: Tell,
        end_if_spent: Callable[[Posted], None],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._observer = observer
        self._contexts = contexts
        self._tell = tell
        self._end_if_spent = end_if_spent

    async def receive(
        self,
        one: Posted,
        accepted: socket.socket,
        context: ssl.SSLContext | None,
        facts: ConnectionFacts,
        go_on: GoOn,
    ) -> None:
        """A fault strikes at this connection; returns when that is over, and the caller closes it."""
        fault = one.fault
        self._tell(one, "struck", fault.act.about(), facts.id, lasts_s=fault.act.lasts_s)
        match fault.act:
            case Accept(stall=float(seconds)):
                with self._lasting(one, facts) as called_off:
                    await first_of(self._clock.sleep(seconds), until_closed(accepted), _wait(called_off))
                await self._try(one, facts, go_on(accepted, context, known=facts))
            case Accept(how="silent" | "deaf") as act:
                with self._lasting(one, facts) as called_off:
                    try:
                        await self._keep_out(act, accepted, facts, fault.label, called_off)
                    finally:
                        self._tell(one, "over", "the connection is no more", facts.id)
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

    @contextmanager
    def _lasting(self, one: Posted, facts: ConnectionFacts) -> Iterator[asyncio.Event]:
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

    async def _keep_out(
        self,
        act: Accept,
        accepted: socket.socket,
        facts: ConnectionFacts,
        label: str,
        called_off: asyncio.Event | None = None,
    ) -> None:
        """Do not serve it; one that is held is reset when that is called off."""
        observer = self._observer()
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
            ends.append(self._clock.sleep(lasts_s))
        await first_of(*ends)
        if lasts_s is not None or called_off.is_set():
            reset_on_close(accepted)

    async def _shake_hands(
        self,
        one: Posted,
        act: Certificate | Tls,
        accepted: socket.socket,
        context: ssl.SSLContext | None,
        facts: ConnectionFacts,
        go_on: GoOn,
    ) -> None:
        """A handshake that is not as ever; then all goes its ordinary way, if the device still wants."""
        contexts = self._contexts[one.port]
        assert contexts is not None
        try:
            other = await asyncio.to_thread(contexts.context, act)
        except StartError as error:
            self._tell(one, "over", f"not done: {error}", facts.id)
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
        one: Posted,
        act: Tls,
        accepted: socket.socket,
        context: ssl.SSLContext | None,
        facts: ConnectionFacts,
        go_on: GoOn,
    ) -> None:
        throttle = Throttle(self._clock, stall_at=act.sent, stall_s=act.stall_s, rate=act.rate)
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

    async def _try(self, one: Posted, facts: ConnectionFacts, serving: Any) -> None:
        """Serve it; one that ends in the handshake is written down as one that came and went by this fault."""
        try:
            await serving
        except OSError as error:
            why = getattr(error, "reason", None) or error.strerror or str(error) or "the device closed the connection"
            self._was_given_up(one, facts, str(why).replace("_", " ").lower())

    def _was_given_up(self, one: Posted, facts: ConnectionFacts, why: str) -> None:
        observer = self._observer()
        observer.connection_opened(facts)
        observer.connection_closed(facts, f"fault {one.fault.label}")
        self._tell(one, "over", f"the handshake was not completed: {why}", facts.id)

    def _was_believed(self, one: Posted, act: Certificate, facts: ConnectionFacts) -> None:
        self._tell(one, "over", "the device took the certificate", facts.id)
        self._journal.add(
            "finding",
            device=one.device,
            connection=facts.id,
            name="tls.certificate",
            # The shipped firmware does not look at the name; an intermediate CA may be known to a device (DEVICES C4).
            severity="warning" if act.kind in ("wrong-name", "no-chain") else "error",
            found=f"the device went on although {act.about()}",
            expected="an alert that ends the handshake, and no request (RFC 8446 4.4.2.4, RFC 9110 4.3.4)",
            mend="let the TLS library verify chain, dates and name against the CA file",
        )


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


__all__ = ["Posted", "Reception"]
