"""A device as the server knows it: who holds a token, its engine, its downchannel, its running exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final, assert_never

from h2.errors import ErrorCodes

from mockcic.cic.facts import DeviceReset, DownchannelClosed, DownchannelOpened, Fact, StepDue
from mockcic.cic.message import ENCODE, Attachment, Directive, Pieces
from mockcic.cic.user_agent import judge_user_agent
from mockcic.errors import Finding
from mockcic.journal.store import Journal
from mockcic.scenario.effects import (
    AnswerRaw,
    CallAt,
    CallOff,
    CloseDownchannel,
    Effect,
    EndReply,
    Found,
    Matched,
    Push,
    Refuse,
    ReplyAttachment,
    ReplyDirective,
    SetFault,
    StateChanged,
    StepStrike,
    Unmatched,
    VariablesSet,
)
from mockcic.scenario.engine import Engine
from mockcic.scenario.model import Scenario
from mockcic.scenario.upload import DeviceFacts
from mockcic.server.clock import Alarm, TurnableClock
from mockcic.server.downchannel import Downchannel
from mockcic.server.exchange import Exchange, StepFault
from mockcic.server.faults.armoury import Armoury
from mockcic.server.faults.of_device import DeviceFaults
from mockcic.server.record import Record, record_event_401
from mockcic.server.wire import Wire

AGENTS: Final = 16
"""User-Agents of one device that are remembered as judged; one that has more is judged again (INF)."""


class Device:
    """Tells the engine what happened and carries out what it says, in order."""

    def __init__(
        self,
        facts: DeviceFacts,
        scenario: Scenario,
        journal: Journal,
        clock: TurnableClock,
        armoury: Armoury,
        *,
        key: str = "",
    ) -> None:
        self.facts = facts
        self.key = key or facts.token
        """What all its tokens have in common; the token itself where it was not issued here."""
        self.name = facts.id
        self.engine = Engine(scenario, facts, wall_offset_s=clock.wall() - clock.now())
        self.downchannel: Downchannel | None = None
        self.opened_at: float | None = None
        self.exchanges: dict[str, Exchange] = {}
        self.transcript: str | None = None
        """What is said in the running or the next upload, by somebody who knows."""
        self.wire: Wire | None = None
        """Of its last request, where the server is ours."""
        self.faults: DeviceFaults | None = None
        """What goes wrong on purpose with it; None where nothing ever did."""
        self._dialogues = ("", "")
        self._armoury = armoury
        self._journal = journal
        self._write = partial(journal.add, device=self.name, token=facts.token)
        self._agents: set[str | None] = set()
        self._clock = clock
        self._alarms: dict[int, Alarm] = {}
        self._next_scenario: Scenario | None = None
        self._released: set[Downchannel] = set()
        self._warned_of_401 = False

    @property
    def scenario(self) -> Scenario:
        """The scenario it is in."""
        return self.engine.scenario

    def see(self, user_agent: str | None, tags: tuple[str, ...], stream: str) -> None:
        """A request of it: its User-Agent and tags may be new ones, and what a User-Agent lacks is a finding, once."""
        if user_agent not in self._agents:
            if len(self._agents) >= AGENTS:
                self._agents.clear()
            self._agents.add(user_agent)
            if self.engine.settings.user_agent == "warn":
                finding = judge_user_agent(user_agent, strict=False)
                if finding is not None:
                    self.find(finding, stream)
        if (user_agent or "") != self.facts.user_agent or tags != self.facts.tags:
            self.facts = self.engine.memory.device = replace(self.facts, user_agent=user_agent or "", tags=tags)

    def come_with(self, token: str) -> None:
        """It has another token now, and is the same device (PROTOCOL 2.5)."""
        self.facts = self.engine.memory.device = replace(self.facts, token=token)
        self._write = partial(self._journal.add, device=self.name, token=token)

    def begin_dialogue(self, dialogue: str | None) -> None:
        """One of its events has this dialogRequestId."""
        if dialogue and dialogue != self._dialogues[1]:
            self._dialogues = (self._dialogues[1], dialogue)

    def dialogue_before(self, dialogue: str | None) -> str:
        """The dialogue before this one, or before its newest where it is none; empty where there was none."""
        before, newest = self._dialogues
        return newest if dialogue and dialogue not in (before, newest) else before if before != dialogue else ""

    def event_got_401(self, connection: str, stream: str, why: str) -> None:
        """One of its events was answered with 401: said once, for shipped firmware never comes back from it."""
        if not self._warned_of_401:
            self._warned_of_401 = True
            record_event_401(self._journal, device=self.name, connection=connection, stream=stream, why=why)

    @property
    def idle(self) -> bool:
        """No downchannel and no running event: it can be forgotten when room is needed."""
        return self.downchannel is None and not self.exchanges

    @property
    def has_written(self) -> bool:
        """All that was to be written to it by now was handed to its connections."""
        line = self.downchannel
        return (line is None or not line.writing) and not any(each.writing for each in self.exchanges.values())

    def read_clock(self) -> None:
        """The clock's wall time was changed: templates see the new one."""
        self.engine.memory.wall_offset_s = self._clock.wall() - self._clock.now()

    def tell(self, fact: Fact) -> None:
        """Something happened."""
        for effect in self.engine.handle(fact, self._clock.now()):
            self._carry_out(effect)

    def change_scenario(self, scenario: Scenario) -> None:
        """Go on in another scenario, or in a new edition of the same; what was scheduled is called off.

        A device in the middle of an event changes when that is over.
        """
        if self.exchanges:
            self._next_scenario = scenario
            return
        self._next_scenario = None
        self._cancel_alarms()
        old = self.engine
        self.engine = Engine(scenario, self.facts, wall_offset_s=self._clock.wall() - self._clock.now())
        self.engine.keep_downchannel(old)
        if old.scenario.scenario == scenario.scenario:
            self.engine.take_over(old)
        self._write("scenario", name=scenario.scenario)
        self._renew_faults()

    def reset(self) -> None:
        """Begin anew: state, variables and counters as at the start, running scripts cancelled."""
        self.tell(DeviceReset())
        self.transcript = None
        self._agents.clear()
        self._warned_of_401 = False
        self._write("device", name="reset")
        self._renew_faults()

    def _renew_faults(self) -> None:
        """Begin anew with the faults of its scenario."""
        if self.faults is not None:
            self.faults.clear("the device begins anew", by=("scenario ", "rule", "step"))
        self._armoury.meet(self)

    def take_transcript(self) -> str | None:
        """The text of the upload that ends now, if somebody sent it; the next one has another."""
        text, self.transcript = self.transcript, None
        return text

    def expire(self) -> bool:
        """End its downchannel as if its lifetime were over; False when there is none."""
        if self.downchannel is None:
            return False
        self._write("device", name="expired")
        self.downchannel.end("it was expired by hand")
        return True

    def put(self, *, state: str | None = None, variables: Mapping[str, Any] | None = None) -> None:
        """Put it into a state and give variables new values."""
        for effect in self.engine.put(state=state, variables=variables or {}):
            self._carry_out(effect)

    def forget(self) -> None:
        """The device goes: nothing of it happens any more."""
        self._cancel_alarms()
        if self.faults is not None:
            self.faults.clear("the device was forgotten")

    def _cancel_alarms(self) -> None:
        for alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()

    def finish_exchange(self, exchange: Exchange) -> None:
        """An event and its answer are over."""
        self.exchanges.pop(exchange.stream, None)
        if self.faults is not None:
            self.faults.event_over(exchange.stream)
        if self._next_scenario is not None and not self.exchanges:
            self.change_scenario(self._next_scenario)

    # ------------------------------------------------------------------ downchannel

    def open_downchannel(self, downchannel: Downchannel, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        """Register the new one first, then release the old one, so that no push falls between (PROTOCOL 2.2).

        `headers` are those of its request.
        """
        old, self.downchannel = self.downchannel, downchannel
        self.opened_at = self._clock.real.now()
        self._write(
            "downchannel",
            connection=downchannel.connection,
            stream=downchannel.stream,
            name="open",
            replaced=old is not None,
            request=self._journal.redaction.headers(headers),
        )
        self.tell(DownchannelOpened(downchannel.stream, downchannel.connection, replaced=old is not None))
        if old is not None:
            self._released.add(old)
            self._release(old, elsewhere=old.connection != downchannel.connection)

    def _release(self, old: Downchannel, *, elsewhere: bool) -> None:
        """Let a downchannel go that another has replaced, `elsewhere` on another connection (PROTOCOL 2.2)."""
        how = self.engine.settings.replaced_downchannel
        if how == "silent":
            old.reason = "replaced"
            self.close_downchannel(old, "replaced")
        elif how == "reset" and old.wire is not None:
            old.reason = "replaced"
            old.wire.reset(ErrorCodes.CANCEL)
        else:
            if how == "goaway" and elsewhere and old.wire is not None:  # never where the new one is
                old.wire.goaway()
            old.end("replaced")

    def close_downchannel(self, downchannel: Downchannel, reason: str) -> None:
        """A downchannel is over, for whatever reason; said once, and only of one that was opened here."""
        if self.downchannel is downchannel:
            self.downchannel = None
        elif downchannel not in self._released:
            return
        self._released.discard(downchannel)
        self._write(
            "downchannel",
            connection=downchannel.connection,
            stream=downchannel.stream,
            name="closed",
            reason=reason,
        )
        self.tell(DownchannelClosed(downchannel.stream, reason))

    def push(self, directive: Directive, attachments: tuple[Attachment, ...] = (), why: str = "") -> bool:
        """Queue a directive on the downchannel; False, and an entry, when there is none or it takes no more."""
        line = self.downchannel
        if line is not None and line.put(directive, attachments, why):
            return True
        self._not_pushed(directive, why)
        return False

    def push_as_it_is(self, pieces: Pieces, why: str) -> None:
        """As `push`, for what a fault has made: no other changes it."""
        line = self.downchannel
        if line is not None and line.put_as_it_is(pieces, why):
            return
        for piece in pieces:
            if isinstance(piece, Directive):
                self._not_pushed(piece, why)

    def _not_pushed(self, directive: Directive, why: str) -> None:
        line = self.downchannel
        self._write(
            "directive",
            dialogue=directive.dialog_request_id,
            name=directive.full_name,
            line="downchannel",
            message_id=directive.message_id,
            dropped="no downchannel" if line is None or line.ended else "the device does not read",
            why=why,
        )

    def wrote(self, downchannel: Downchannel, pieces: Pieces, size: int, why: str) -> None:
        """A directive was handed to the connection; `size` is that of its part, without attachments."""
        record = Record(
            self._journal,
            device=self.name,
            token=self.facts.token,
            connection=downchannel.connection,
            stream=downchannel.stream,
            line="downchannel",
        )
        for piece in pieces:
            if isinstance(piece, Directive):
                record.directive_written(piece, size, why)
            else:
                record.attachment_written(piece)

    # ------------------------------------------------------------------ effects

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Push(directive=directive, attachments=attachments, why=why):
                self.push(directive, attachments, why)
            case ReplyDirective() | ReplyAttachment() | EndReply() | Refuse() | AnswerRaw():
                if (exchange := self.exchanges.get(effect.stream)) is not None:
                    exchange.put(effect)
            case SetFault(stream=stream, fault=fault, event=event):
                if (exchange := self.exchanges.get(stream)) is not None:
                    self._armoury.faults_of(self).arm_for_event(fault, exchange, event)
            case StepStrike():
                self._strike_step(effect)
            case CallAt(step=step, when=when):
                self._alarms[step] = self._clock.call_at(when, lambda: self._step_due(step))
                if effect.seconds is not None:
                    self._step("wait", f"{effect.seconds:g} s", effect.stream, effect.why)
            case VariablesSet(values=values, stream=stream):
                self._step("set", ENCODE(values), stream)
            case CallOff(step=step):
                if (alarm := self._alarms.pop(step, None)) is not None:
                    alarm.cancel()
            case CloseDownchannel(reason=reason):
                if self.downchannel is not None:
                    self.downchannel.end(reason)
            case Matched(stream=stream, rule=rule):
                self._write("match", **self._where(stream), name=rule, scenario=self.scenario.scenario)
            case Unmatched(stream=stream, event=event, nearest=nearest):
                near = [{"rule": rule, "misses": [asdict(miss) for miss in misses]} for rule, misses in nearest]
                self._write(
                    "match",
                    **self._where(stream),
                    scenario=self.scenario.scenario,
                    event=event,
                    nearest=near,
                )
            case StateChanged(before=before, after=after):
                self._write("state", name=after, before=before)
            case Found(finding=finding, stream=stream):
                self.find(finding, stream)
            case _:
                assert_never(effect)

    def _strike_step(self, effect: StepStrike) -> None:
        """In its order behind what stands before it: in the answer, or on the downchannel."""
        faults = self._armoury.faults_of(self)
        exchange = self.exchanges.get(effect.stream)
        line = self.downchannel
        order = StepFault(lambda: faults.strike_step(effect.fault, exchange))
        if effect.line == "reply" and exchange is not None:
            exchange.put(order)
        elif line is not None and not line.ended:
            line.interrupt(order)
        else:
            order.strike()

    def _step(self, name: str, detail: str, stream: str, why: str = "") -> None:
        because: dict[str, Any] = {"why": why} if why else {}
        self._write("step", **self._where(stream), name=name, detail=detail, **because)

    def _where(self, stream: str) -> dict[str, Any]:
        """The members that place an entry: a stream's connection, and the dialogue of the event that runs on it."""
        exchange = self.exchanges.get(stream)
        dialogue = None if exchange is None else exchange.dialogue
        return {"connection": stream.rpartition(".")[0], "stream": stream, "dialogue": dialogue}

    def find(self, finding: Finding, stream: str = "") -> None:
        """Write a finding into the journal."""
        self._write(
            "finding",
            **self._where(stream),
            name=finding.code,
            severity=finding.severity,
            found=finding.found,
            expected=finding.expected,
            mend=finding.mend,
        )

    def _step_due(self, step: int) -> None:
        self._alarms.pop(step, None)
        self.tell(StepDue(step))
