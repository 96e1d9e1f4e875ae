"""The faults of one device: told what happens to it, they strike at the moments they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mockcic.cic.facts import EventLost, Sound
from mockcic.errors import Finding
from mockcic.scenario.faults.answer import Empty, Portal, Status
from mockcic.scenario.faults.connection import Goaway, Pong, SettingsAck, SettingsChange
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.faults.line import Cut, HangUp, ListenerGone
from mockcic.scenario.faults.meaning import TokenTrouble
from mockcic.scenario.faults.pace import Pace
from mockcic.scenario.faults.stream import End, Frames, Reset
from mockcic.server.clock import Alarm
from mockcic.server.faults.armed import Armed, Count, Lasting, each_message
from mockcic.server.faults.aside import Aside
from mockcic.server.faults.chronicle import Chronicle
from mockcic.server.faults.strike import Target, last_stream_of, strike
from mockcic.server.faults.targets import Targets
from mockcic.server.faults.trouble import Trouble
from mockcic.server.wire import Wire

if TYPE_CHECKING:
    from mockcic.server.device import Device
    from mockcic.server.downchannel import Downchannel
    from mockcic.server.exchange import Exchange
    from mockcic.server.faults.armoury import Armoury


@dataclass(slots=True)
class _Event:
    """An event that is on its way, and the faults that wait for a moment of its upload."""

    exchange: Exchange
    name: str = ""
    waiting: list[Armed] = field(default_factory=list)
    seen: set[Armed] = field(default_factory=set)


class DeviceFaults:
    """The faults of one device: told what happens, it strikes at the moments they name."""

    def __init__(self, device: Device, armoury: Armoury) -> None:
        self.armed: list[Armed] = []
        self.had: set[int] = set()
        """Numbers of those from outside that it was given: one that is used up does not come again."""
        self.ended: dict[str, str] = {}
        """Events that run, and the fault that has ended their answers."""
        self._device = device
        self._armoury = armoury
        self._events: dict[str, _Event] = {}
        self._counts: dict[int, Count] = {}
        self._alarms: dict[Armed, list[Alarm]] = {}
        self._connections: set[str] = set()
        """Those that were an occasion."""
        self._aside = Aside(device, armoury.journal, armoury.clock)
        self._targets = Targets(device, self._aside, self._begins, self._is_through)
        self._chronicle = Chronicle(device, armoury.journal)

    @property
    def device(self) -> Device:
        """Whose they are."""
        return self._device

    # ------------------------------------------------------------------ set and removed

    def arm(self, fault: Fault, *, by: str, number: int, stream: str = "") -> Armed:
        """Set a fault. Where it can strike now and names no moment, it does."""
        count = self._counts.setdefault(id(fault), Count(fault)) if stream else Count(fault)
        armed = Armed(number, count, by, stream)
        if count.spent:
            armed.gone = True
            return armed
        self.armed.append(armed)
        if not stream:
            self.had.add(number)
            self._chronicle.add(armed, "armed", fault.act.about())
        if fault.for_ is not None:
            self._call_in(armed, fault.for_, lambda: self.remove(armed, "its time is over"))
        if fault.role == "accept":
            self._stand_at_gate(armed)
        elif fault.every is not None:
            self._strike_again(armed, fault.every)
        elif not stream and not self._is_of_events(fault):
            if fault.role == "connection" and (target := self._targets.connection()) is not None and target.is_there:
                assert target.wire is not None
                self._connections.add(target.wire.connection.id)
                self._occasion(armed, target)
            elif fault.role == "downchannel" and self._device.downchannel is not None and not fault.act.IN_THE_HEAD:
                self._occasion(armed, self._targets.downchannel())
        return armed

    def arm_for_event(self, fault: Fault, exchange: Exchange, name: str) -> None:
        """Set a fault of a rule for the event `name` that is on its way."""
        if fault.role == "accept":
            self._arm_for_the_next(fault, "rule")
            return
        event = self._events.setdefault(exchange.stream, _Event(exchange, name))
        armed = self.arm(fault, by="rule", number=self._armoury.number(), stream=exchange.stream)
        if armed.gone:
            return
        event.seen.add(armed)
        self._consider(armed, event)
        self._moment(event, lambda each: each is armed and _began(each))

    def strike_step(self, fault: Fault, exchange: Exchange | None) -> None:
        """The turn of a step has come: aimed at the answer it stands in, or at what it names."""
        if fault.role == "accept":
            self._arm_for_the_next(fault, "step")
            return
        number = self._armoury.number()
        armed = Armed(number, self._counts.setdefault(id(fault), Count(fault)), "step")
        target = self._targets.of(armed, exchange)
        if target is None:
            return
        armed.stream = target.stream or ("step" if target.wire is None else f"{target.wire.connection.id}.")
        self.armed.append(armed)
        self._occasion(armed, target)
        if not fault.act.SHAPES and self._is_done(armed):
            self.remove(armed, "it struck as often as it was to")

    def _arm_for_the_next(self, fault: Fault, by: str) -> None:
        """Set it for the connections the device opens next; once, however often its rule fits meanwhile."""
        gate = self._armoury.gate
        if isinstance(fault.act, ListenerGone) and gate is not None:
            gate.arm(fault, by=by, number=self._armoury.number())
        elif not any(each.fault is fault for each in self.armed):
            self.arm(fault, by=by, number=self._armoury.number())

    def _stand_at_gate(self, armed: Armed) -> None:
        gate = self._armoury.gate
        why = "the listener is not ours here" if gate is None else gate.objection(armed.fault, for_everybody=False)
        if gate is None or why:
            self.remove(armed, why)
        else:
            gate.add(armed, self)

    def remove(self, armed: Armed, why: str, *, lets_go: bool = True) -> None:
        """Remove a fault; what it does by lasting ends. What it shapes it lets go, unless that was its last strike."""
        if armed.gone:
            return
        if armed.fault.act.SHAPES and (lets_go or each_message(armed.fault)):
            for trouble in self._troubles():
                trouble.unshape(armed, lets_go=lets_go)
            if armed.fault.role == "token":
                self._armoury.calls.let_go(armed)
        if self._armoury.gate is not None and armed.fault.role == "accept":
            self._armoury.gate.discard(armed)
        armed.gone = True
        self.armed.remove(armed)
        for alarm in self._alarms.pop(armed, ()):
            alarm.cancel()
        for each in armed.undo:
            each.undo()
        armed.undo.clear()
        if not armed.stream:
            self._chronicle.add(armed, "gone", why)
            self._armoury.used_up(armed, self._device)

    def _troubles(self) -> Iterator[Trouble]:
        """Those of the streams that run."""
        line = self._device.downchannel
        for each in (line, *(event.exchange for event in self._events.values())):
            if each is not None and each.trouble is not None:
                yield each.trouble

    def remove_number(self, number: int) -> bool:
        """Remove the fault of this number; False when there is none."""
        found = [armed for armed in self.armed if armed.number == number]
        for armed in found:
            self.remove(armed, "it was removed")
        return bool(found)

    def clear(self, why: str, *, by: str | tuple[str, ...] = "") -> None:
        """Remove all faults, or those that were set by `by`; what was to be late does not come."""
        self._aside.clear()
        self._counts.clear()  # those of rules begin anew
        for armed in list(self.armed):
            if armed.by.startswith(by):
                self.remove(armed, why)

    # ------------------------------------------------------------------ what happens

    def request_on(self, wire: Wire | None) -> None:
        """A request of the device came on this connection."""
        if wire is None or wire.connection.id in self._connections:
            return
        self._connections.add(wire.connection.id)
        for armed in list(self.armed):
            fault = armed.fault
            if armed.stream or fault.role != "connection" or fault.every is not None or self._is_of_events(fault):
                continue
            self._occasion(armed, Target(wire, None, ""))

    def downchannel_opens(self, line: Downchannel) -> None:
        """A downchannel is accepted, and nothing was sent yet."""
        for armed in list(self.armed):
            fault = armed.fault
            if armed.stream or fault.role != "downchannel" or fault.every is not None:
                continue
            if not self._is_of_events(fault):
                self._occasion(armed, self._targets.line(line))

    def connection_over(self, connection: str) -> None:
        """A connection of the device is no more: nothing that was to end on it has to be ended."""
        self._connections.discard(connection)
        for armed in list(self.armed):
            armed.undo = [each for each in armed.undo if each.connection != connection]
            shapes = armed.fault.act.SHAPES and armed.stream.rpartition(".")[0] != connection
            if self._is_done(armed) and not shapes and not self._waits(armed):
                self.remove(armed, "its connection is over")

    def _is_done(self, armed: Armed) -> bool:
        """Whether nothing of it lasts and it strikes no more: one for an event or a step alone ends with that."""
        return not armed.undo and (armed.count.spent or (bool(armed.stream) and armed.stream not in self._events))

    def _waits(self, armed: Armed) -> bool:
        """Whether it is still to strike, later."""
        return bool(self._alarms.get(armed)) or any(armed in event.waiting for event in self._events.values())

    def event_arrives(self, exchange: Exchange) -> None:
        """A request for an event is there; its name is not known yet."""
        event = self._events[exchange.stream] = _Event(exchange)
        for armed in list(self.armed):
            fault = armed.fault
            at_once = fault.after is None or (fault.after.request and fault.after.time is None)
            if at_once and fault.role == "answer" and not fault.event and not armed.stream and _strikes_stream(fault):
                self._consider(armed, event)

    def event_began(self, stream: str, name: str) -> None:
        """The metadata of an event is there."""
        if (event := self._events.get(stream)) is None:
            return
        event.name = name
        for armed in list(self.armed):
            if not armed.stream and armed not in event.seen:
                self._consider(armed, event)
        self._moment(event, _began)

    def heard(self, stream: str, sound: Sound) -> None:
        """So much sound of an upload is there."""

        def is_due(armed: Armed) -> bool:
            after = armed.fault.after
            assert after is not None
            if after.audio is not None:
                return sound.seconds >= after.audio - 1e-9
            return after.bytes is not None and sound.size >= after.bytes

        if (event := self._events.get(stream)) is not None and event.waiting:
            self._moment(event, is_due)

    def upload_ended(self, stream: str) -> None:
        """An upload is complete."""
        if (event := self._events.get(stream)) is not None and event.waiting:
            self._moment(event, lambda armed: armed.fault.after is not None and armed.fault.after.upload == "ended")

    def event_over(self, stream: str) -> None:
        """An event and its answer are over, and so are the faults for it alone."""
        event = self._events.pop(stream, None)
        self.ended.pop(stream, None)
        shapes = [] if event is None or event.exchange.trouble is None else event.exchange.trouble.shapes
        self._leave_the_line(event)
        for armed in list(self.armed):
            spent = armed in shapes and armed.count.spent and not self._is_taken(armed)
            if not armed.undo and (armed.stream == stream or spent):
                self.remove(armed, "it struck as often as it was to")

    def _leave_the_line(self, event: _Event | None) -> None:
        """A fault that is about this event changes the downchannel no more, unless another such event still runs."""
        line = self._device.downchannel
        if event is None or line is None or line.trouble is None:
            return
        for armed in event.seen:
            running = any(armed in other.seen for other in self._events.values())
            if self._is_of_events(armed.fault) and not running:
                line.trouble.unshape(armed)

    # ------------------------------------------------------------------ occasions

    @staticmethod
    def _is_of_events(fault: Fault) -> bool:
        """Whether it looks at events: those it names, or a moment of their uploads."""
        return bool(fault.event) or (fault.after is not None and fault.after.of_upload)

    def _consider(self, armed: Armed, event: _Event) -> None:
        """An event is there: whether a fault is about it, and when it strikes."""
        fault = armed.fault
        if fault.every is not None or fault.role in ("accept", "token") or not fault.is_about_event(event.name):
            return
        if fault.role != "answer" and not self._is_of_events(fault) and not armed.stream:
            return
        event.seen.add(armed)
        if fault.after is not None and fault.after.of_upload:
            event.waiting.append(armed)
            return
        self._occasion(armed, self._targets.of(armed, event.exchange))

    def _moment(self, event: _Event, is_due: Callable[[Armed], bool]) -> None:
        """A moment of an upload has come."""
        for armed in [each for each in event.waiting if is_due(each)]:
            event.waiting.remove(armed)
            target = self._targets.of(armed, event.exchange)
            after = armed.fault.after
            if target is None or not (armed.fault.act.SHAPES or armed.count.draws()):
                continue
            if after is not None and after.time:
                self._later(armed, after.time, target)
            else:
                self._fire(armed, target)

    def _occasion(self, armed: Armed, target: Target | None) -> None:
        """A fault could strike at this target: whether it does, and when."""
        after = armed.fault.after
        if target is None or armed.gone:
            return
        behind_head = after is not None and (after.headers or after.sent is not None)
        # An END_STREAM needs headers before it, where there are none yet.
        behind_head |= isinstance(armed.fault.act, End) and armed.by != "step" and (after is None or after.request)
        if behind_head and target.trouble is not None:
            target.trouble().plan(armed)
        elif not (armed.fault.act.SHAPES or armed.count.draws()):
            return
        elif after is not None and after.time:
            self._later(armed, after.time, target)
        else:
            self._fire(armed, target)

    def _later(self, armed: Armed, seconds: float, target: Target) -> None:
        def due() -> None:
            line = self._device.downchannel
            replaced = armed.fault.role == "downchannel" and (line is None or line.stream != target.stream)
            over = armed.fault.role == "answer" and target.stream not in self._events
            if (replaced or over or target.is_over) and not armed.fault.act.SHAPES:
                armed.count.missed()
                self._chronicle.add(armed, "missed", "there was nothing left of what it was aimed at", target)
            else:
                self._fire(armed, target)

        self._call_in(armed, seconds, due)

    def _call_in(self, armed: Armed, seconds: float, do: Callable[[], None]) -> None:
        """Do something of a fault when its time has come, unless that is gone by then."""
        if armed.gone:
            return
        clock = self._armoury.clock
        alarms = self._alarms.setdefault(armed, [])

        def due() -> None:
            alarms.remove(alarm)
            do()

        alarm = clock.call_at(clock.now() + seconds, due)
        alarms.append(alarm)

    def _strike_again(self, armed: Armed, seconds: float) -> None:
        def due() -> None:
            role = armed.fault.role
            target = self._targets.connection() if role == "connection" else self._targets.downchannel()
            if target is not None and target.is_there and not target.is_silent and armed.count.draws():
                self._fire(armed, target)
            if armed.count.spent and not armed.undo:
                self.remove(armed, "it had its occasions")
            elif not armed.gone:
                self._call_in(armed, seconds, due)

        self._call_in(armed, seconds, due)

    def _begins(self, armed: Armed, target: Target, about: str) -> None:
        """The place in a stream has come at which it is to strike."""
        after = armed.fault.after
        if after is not None and after.found and after.time and not armed.fault.act.SHAPES:
            self._later(armed, after.time, target)  # so long after those bytes
        else:
            self._fire(armed, target, about)

    # ------------------------------------------------------------------ strikes

    def _fire(self, armed: Armed, target: Target, about: str = "") -> None:
        """Strike now, and write it down."""
        if armed.gone:
            return
        act = armed.fault.act
        if isinstance(act, TokenTrouble):
            tokens = self._armoury.tokens
            if tokens is not None:
                (tokens.expire if act.how == "expire" else tokens.revoke)(self._device.key)
            self._chronicle.struck(armed, target)
            if armed.count.spent:
                self.remove(armed, "it struck as often as it was to")
            return
        if isinstance(act, Status | Portal | Empty):
            self._answer_instead(armed, target)
            return
        if act.SHAPES and target.trouble is not None:
            target.trouble().shape(armed)  # which says when it takes something
            return
        self._chronicle.struck(armed, target, about)  # before what it leads to
        self._note_ends(armed.fault, target)
        if not act.SHAPES:
            undo = strike(
                armed.fault,
                target,
                lambda detail, ok: self._answered(armed, target, detail, ok=ok),
                self._armoury.clock.real,
            )
            if undo is not None:
                self._lasts(armed, target, undo)
        if armed.count.spent and not armed.undo and not self._is_under_way(armed, target):
            self.remove(armed, "it struck as often as it was to", lets_go=False)

    def _is_under_way(self, armed: Armed, target: Target) -> bool:
        """Whether it goes on taking its time now that it has struck: until then it is there, to be called back."""
        line = self._device.downchannel
        here = target.stream in self._events or (line is not None and line.stream == target.stream)
        return here and isinstance(armed.fault.act, Pace | Frames)

    def _is_through(self, armed: Armed) -> None:
        """A message is written that it made slow."""
        if armed.count.spent and not armed.undo and not self._is_taken(armed):
            self.remove(armed, "it struck as often as it was to", lets_go=False)

    def _is_taken(self, armed: Armed) -> bool:
        """Whether it shapes a stream that still runs."""
        return any(trouble.has_taken(armed) for trouble in self._troubles())

    def _note_ends(self, fault: Fault, target: Target) -> None:
        """Of which running events it ends the answers: the stream's alone, or all of the connection."""
        act = fault.act
        if isinstance(act, Reset | End):
            if target.stream in self._events:
                self.ended[target.stream] = fault.label
        elif target.wire is not None and (
            isinstance(act, Cut | HangUp) or (isinstance(act, Goaway) and act.close is not None)
        ):
            on_it = f"{target.wire.connection.id}."
            self.ended.update((stream, fault.label) for stream in self._events if stream.startswith(on_it))
        elif target.wire is not None and isinstance(act, Goaway):
            last = last_stream_of(act, target.wire)
            for stream, event in self._events.items():
                wire = event.exchange.wire
                if last is not None and wire is not None and wire.connection is target.wire.connection:
                    self.ended |= {stream: fault.label} if wire.stream_id > last else {}

    def _answer_instead(self, armed: Armed, target: Target) -> None:
        """Another answer than was due: the event is not worked on. An answer that has begun is none to replace."""
        if target.instead is None or not target.instead(armed.fault.act):
            armed.count.missed()
            self._chronicle.add(armed, "missed", "the answer had begun, or was over", target)
            return
        self._chronicle.struck(armed, target)
        if target.exchange is not None:
            self._device.tell(EventLost(target.stream, f"fault {armed.fault.label}"))
        if armed.count.spent:
            self.remove(armed, "it struck as often as it was to")

    def _lasts(self, armed: Armed, target: Target, undo: Callable[[], None]) -> None:
        seconds = armed.fault.act.lasts_s

        def over() -> None:
            if lasting in armed.undo:
                armed.undo.remove(lasting)
                undo()
                self._chronicle.add(armed, "over", armed.fault.act.about(), target)
                if self._is_done(armed):
                    self.remove(armed, "it struck as often as it was to")

        if isinstance(armed.fault.act, Pong | SettingsAck | SettingsChange) and target.wire is not None:
            for each in [one for one in armed.undo if one.connection == target.wire.connection.id]:
                armed.undo.remove(each)
                each.undo()  # the newer one lies above it: nothing changes
        lasting = Lasting("" if target.wire is None else target.wire.connection.id, undo)
        armed.undo.append(lasting)
        if isinstance(armed.fault.act, Cut) and target.wire is not None:
            target.wire.when_gone(over)  # the device has noticed the silence
        if seconds is not None:
            self._call_in(armed, seconds, over)

    def _answered(self, armed: Armed, target: Target, detail: str, *, ok: bool) -> None:
        self._chronicle.add(armed, "over", detail, target)
        if not ok:
            self._device.find(_unanswered(armed, detail), target.stream)


def _strikes_stream(fault: Fault) -> bool:
    """Whether it needs to know nothing of the event."""
    return not fault.act.SHAPES and not isinstance(fault.act, TokenTrouble)


def _began(armed: Armed) -> bool:
    return armed.fault.after is not None and armed.fault.after.upload == "began"


def _unanswered(armed: Armed, detail: str) -> Finding:
    return Finding(
        "connection.ping-of-server",
        detail,
        "PING with ACK and the same data at once (RFC 9113 6.7)",
        "let the HTTP/2 library answer PINGs, also while an upload or a playback runs",
        severity="error",
    )
