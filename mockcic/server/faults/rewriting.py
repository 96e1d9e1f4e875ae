"""What faults make of the directives of one stream, before they are written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, Protocol

from mockcic.cic.ids import new_id
from mockcic.cic.message import Attachment, Directive, Pieces
from mockcic.scenario.effects import ReplyAttachment, ReplyDirective
from mockcic.scenario.faults.act import Act
from mockcic.scenario.faults.form import ContentIdFault, Json
from mockcic.scenario.faults.meaning import (
    AnswerTwice,
    AttachmentFault,
    Dialogue,
    Drop,
    Late,
    Message,
    Mutate,
    Repeat,
)
from mockcic.scenario.faults.meaning import Order as Reversed
from mockcic.server.exchange import Order, StepFault
from mockcic.server.faults.armed import Armed
from mockcic.server.faults.rewrite import Known, content_ids_of, rewritten

Shapes = Callable[..., Iterator[Armed]]
"""The faults of these kinds that are there, in the order in which they were set."""

Takes = Callable[[Armed, str], bool]
"""Whether a fault takes this occasion, which is about this directive; then it has struck."""

IN_TURN: Final[tuple[type[Act], ...]] = (Mutate, Message, Dialogue, AttachmentFault, ContentIdFault, Json)
"""What changes a directive, from its meaning to its bytes: what comes later can be done to what came before."""

STOP_CAPTURE: Final = "SpeechRecognizer.StopCapture"


class Elsewhere(Protocol):
    """What a stream does not know: the rest of the device."""

    message_before: str
    """The messageId of the directive before, on any stream that has trouble."""

    def dialogue_before(self, dialogue: str | None) -> str:
        """The dialogue before this one; empty where there was none."""

    def send_late(self, pieces: Pieces, seconds: float, why: str) -> None:
        """Send it on the downchannel, so much later."""

    def send_again(self, directive: Directive, attachments: tuple[Attachment, ...], why: str) -> None:
        """Send it on the downchannel as well."""

    def not_sent(self, directive: Directive, line: str, stream: str, why: str) -> None:
        """It is not sent at all."""

    def stop_capture_lost(self, dialogue: str | None) -> None:
        """The device was not told to stop, although the scenario thinks so."""


class Rewriting:
    """Takes the directives of one stream in order, and gives what is written instead.

    `line` is `reply` or `downchannel`. Directives that are no occasion for a fault pass as they are.
    """

    def __init__(self, line: str, stream: str, shapes: Shapes, takes: Takes, elsewhere: Elsewhere) -> None:
        self._line = line
        self._stream = stream
        self._shapes = shapes
        self._takes = takes
        self._elsewhere = elsewhere
        self._owners: dict[str, str] = {}
        self._held: list[list[Order]] = []
        self._wants_last = False

    # ------------------------------------------------------------------ a directive

    def messages(self, directive: Directive, attachments: tuple[Attachment, ...], why: str = "") -> list[Pieces]:
        """What is written for a directive and its attachments: nothing, one message, or several."""
        name = directive.full_name
        found = self._made_of(name, directive, attachments, why)
        if self._line == "downchannel" and name == STOP_CAPTURE and not any(directive in each for each in found):
            self._elsewhere.stop_capture_lost(directive.dialog_request_id)
        return found

    def _made_of(self, name: str, directive: Directive, attachments: tuple[Attachment, ...], why: str) -> list[Pieces]:
        for armed in self._about(name, Drop):
            if self._takes(armed, name):
                self._elsewhere.not_sent(directive, self._line, self._stream, f"fault {armed.fault.label}")
                return []
        for armed in self._shapes(AnswerTwice):
            again = replace(directive, message_id=new_id())
            self._elsewhere.send_again(again, attachments, f"fault {armed.fault.label}")
        pieces = self._changed(name, (directive, *attachments), directive.dialog_request_id)
        sent = next(piece for piece in pieces if isinstance(piece, Directive))
        self._elsewhere.message_before = sent.message_id
        for armed in self._about(name, Late):
            act = armed.fault.act
            if isinstance(act, Late) and self._takes(armed, name):
                self._elsewhere.send_late(pieces, act.by, why or f"fault {armed.fault.label}")
                return []
        times = 1
        for armed in self._about(name, Repeat):
            act = armed.fault.act
            if isinstance(act, Repeat) and self._takes(armed, name):
                times = max(times, act.times)
        return [pieces] * times

    def _changed(self, name: str, pieces: Pieces, dialogue: str | None) -> Pieces:
        for kind in IN_TURN:
            for armed in self._about(name, kind):
                known = Known(
                    self._elsewhere.dialogue_before(dialogue), self._elsewhere.message_before, armed.count.strikes
                )
                made = rewritten(armed.fault.act, pieces, known)
                if made is not None and self._takes(armed, name):
                    pieces = made
        return pieces

    def _about(self, name: str, kind: type[Act]) -> Iterator[Armed]:
        return (armed for armed in self._shapes(kind) if armed.fault.is_about_directive(name))

    # ------------------------------------------------------------------ an answer

    def orders(self, batch: list[Order]) -> list[Order]:
        """The next orders of an answer, those that are there by now, as faults want them.

        What closed the body still does: the last that is left of a batch, or the end of the answer.
        """
        out: list[Order] = []
        waiting = deque(batch)
        while waiting:
            order = waiting.popleft()
            match order:
                case ReplyDirective(stream=stream, directive=directive):
                    attachments, last = self._taken_along(directive, waiting)
                    self._wants_last |= order.last or last
                    for content_id in content_ids_of(directive):
                        self._owners[content_id] = directive.full_name
                    group = [each for pieces in self.messages(directive, attachments) for each in pieces]
                    self._say([_order(stream, piece) for piece in group], out)
                case ReplyAttachment(stream=stream, attachment=attachment):
                    self._wants_last |= order.last
                    name = self._owners.get(attachment.content_id, "")
                    self._say([_order(stream, piece) for piece in self._changed(name, (attachment,), None)], out)
                case StepFault():
                    out.append(order)
                case _:
                    for held in reversed(self._held):
                        out.extend(held)
                    self._held.clear()
                    out.append(order)
        self._close(out)
        return out

    @staticmethod
    def _taken_along(directive: Directive, waiting: deque[Order]) -> tuple[tuple[Attachment, ...], bool]:
        """The attachments that a directive names and that come right behind it, and whether these are the last."""
        named, found, last = content_ids_of(directive), [], False
        while waiting and isinstance(order := waiting[0], ReplyAttachment) and order.attachment.content_id in named:
            waiting.popleft()
            found.append(order.attachment)
            last |= order.last
        return tuple(found), last

    def _say(self, group: list[Order], out: list[Order]) -> None:
        if any(True for _ in self._shapes(Reversed)):
            self._held.append(group)
        else:
            out.extend(group)

    def _close(self, out: list[Order]) -> None:
        if not self._wants_last or self._held:
            return
        for place in range(len(out) - 1, -1, -1):
            if isinstance(order := out[place], ReplyDirective | ReplyAttachment):
                out[place] = replace(order, last=True)
                self._wants_last = False
                return


def _order(stream: str, piece: Directive | Attachment) -> Order:
    return ReplyDirective(stream, piece) if isinstance(piece, Directive) else ReplyAttachment(stream, piece)
