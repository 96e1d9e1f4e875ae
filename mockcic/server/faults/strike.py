"""What each act does when its moment has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mockcic.scenario.faults.act import Act
from mockcic.scenario.faults.connection import BadFrame, Goaway, Late, Ping, Pong, SettingsAck, SettingsChange
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.faults.line import Cut, HangUp
from mockcic.scenario.faults.stream import End, Reset, Window
from mockcic.scenario.words import read_base64
from mockcic.server.clock import Clock
from mockcic.server.faults.connection import BAD, ConnectionTrouble, huge_headers
from mockcic.server.plain_wire import PlainWire
from mockcic.server.wire import Wire

if TYPE_CHECKING:
    from mockcic.server.exchange import Exchange
    from mockcic.server.faults.trouble import Trouble
    from mockcic.server.http2 import Http2

Undo = Callable[[], None]
Tell = Callable[[str, bool], None]
"""Is told how something that the device had to answer ended: a sentence, and whether it was right."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a fault is aimed at: a stream with its connection, or a connection alone (`stream` is empty then).

    `trouble` gives what shapes the stream; None where nothing of it can be shaped.
    """

    wire: Wire | None
    trouble: Callable[[], Trouble] | None
    stream: str
    exchange: Exchange | None = None
    instead: Callable[[Act], bool] | None = None
    """Answers with the act and not as was due; False when it is too late for that."""
    plain_wire: PlainWire | None = None
    """At the authorization server's own port, in the place of `wire`."""

    @property
    def is_there(self) -> bool:
        """Whether its connection is."""
        return self.wire is not None and self.wire.is_open

    @property
    def is_silent(self) -> bool:
        """Whether nothing is said on its connection any more."""
        return self.wire is not None and self.wire.is_silent

    @property
    def is_over(self) -> bool:
        """Whether its connection is gone, or the answer is out."""
        if self.exchange is not None and self.trouble is not None and self.exchange.over:
            return True
        return self.wire is not None and not self.wire.is_open


def strike(fault: Fault, target: Target, tell: Tell, clock: Clock) -> Undo | None:
    """Do it; returns what ends it where it lasts. Harmless where the stream or the connection is gone."""
    wire = target.wire
    if wire is None:
        match target.plain_wire, fault.act:
            case PlainWire() as plain, Reset():
                plain.reset()
            case PlainWire() as plain, End():
                plain.end()
        return None
    match fault.act:
        case Reset(code=code):
            wire.reset(code)
        case End():
            wire.end()
        case Window():
            return wire.trouble.shut(0 if fault.role == "connection" else wire.stream_id)
        case Goaway() as act:
            _goaway(act, fault, wire)
        case SettingsChange() as act:
            return wire.trouble.settings(act.values())
        case SettingsAck():
            return _set(wire.trouble, "settings_ack", value=False)
        case Pong(how=how):
            return _set(wire.trouble, "pong", value=how.late if isinstance(how, Late) else how)
        case Ping(within=within):
            _ping(within, wire, tell, clock)
        case Cut() as act:
            return _cut(act, fault, wire)
        case HangUp(how="goaway"):
            wire.goaway()
            wire.abort("fin", reason=f"fault {fault.label}")
        case HangUp(how=how) if how != "goaway":
            wire.cut(how, reason=f"fault {fault.label}")
        case BadFrame() as act:
            wire.trouble.raw(_bad_frame(act, wire))
    return None


def begin_with(fault: Fault, http2: Http2) -> None:
    """Let a connection that says its first word now begin with other SETTINGS, or acknowledge none."""
    trouble = http2.trouble = ConnectionTrouble(http2)
    match fault.act:
        case SettingsChange() as act:
            trouble.announce(act.values())
        case SettingsAck():
            trouble.settings_ack = False


def _goaway(act: Goaway, fault: Fault, wire: Wire) -> None:
    last = last_stream_of(act, wire)
    wire.goaway(act.code, last_stream_id=last, debug=act.debug.encode())
    if act.close is not None:
        wire.abort(act.close, reason=f"fault {fault.label}")
    elif last is not None:
        wire.give_up_above(last)


def last_stream_of(act: Goaway, wire: Wire) -> int | None:
    """The last stream that GOAWAY names; None for the newest."""
    match act.last_stream:
        case "newest":
            return None
        case "before":
            return max(0, wire.stream_id - 2)
        case number:
            return number


def _cut(act: Cut, fault: Fault, wire: Wire) -> Undo | None:
    """What ends a silence is a reset, where the device has not closed before."""
    reason = f"fault {fault.label}"
    wire.cut(act.how, reason=reason)
    return (lambda: wire.cut("rst", reason=reason)) if act.how in ("silent", "deaf") else None


def _set(trouble: ConnectionTrouble, name: str, *, value: Any) -> Undo:
    away = trouble.lay(name, value, getattr(trouble, name))
    setattr(trouble, name, value)
    return lambda: setattr(trouble, name, away())


def _ping(within: float, wire: Wire, tell: Tell, clock: Clock) -> None:
    began = clock.now()

    def acknowledged() -> None:
        alarm.cancel()
        tell(f"PING was acknowledged after {1000 * (clock.now() - began):.0f} ms", True)

    def late() -> None:
        wire.trouble.give_up(data)
        if wire.is_open and not wire.is_silent:  # else it could not have been
            tell(f"PING was not acknowledged within {within:g} s", False)

    alarm = clock.call_at(began + within, late)
    data = wire.trouble.ping(acknowledged)


def _bad_frame(act: BadFrame, wire: Wire) -> bytes:
    if act.base64_ is not None:
        return read_base64(act.base64_)
    assert act.frame is not None
    if act.frame == "huge-headers":
        return huge_headers(wire.stream_id)
    if act.frame == "data-on-closed":
        return BAD[act.frame](wire.a_closed_stream(), wire.frame_limit)
    return BAD[act.frame](wire.stream_id, wire.frame_limit)
