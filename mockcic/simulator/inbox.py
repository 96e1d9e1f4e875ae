"""What comes from the server, as values: parts of an answer or of the downchannel, tied together by `cid:`."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mockcic.cic.message import Directive
from mockcic.errors import Finding, WireError
from mockcic.wire.decode import Decoder, Finished, Limits, PartBegan, PartData, PartEnded, Piece, boundary_of

UNCLAIMED: Final = 16
"""Attachments that no directive has asked for yet; more are forgotten, the oldest first (INF)."""

DEEPEST: Final = 100
"""Objects and lists in each other; more are no directive (INF)."""

BODY_BYTES: Final = 1 << 40
"""A downchannel is endless (PROTOCOL 2.1)."""


@dataclass(frozen=True, slots=True)
class Received:
    """A directive as it came. `attachments` are those it names by `cid:`, by id; `headers` are those of its part.

    `obeyed` is False for a directive of another dialogue, which the device drops (PROTOCOL 3.6).
    """

    directive: Directive
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    obeyed: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an event. `exception` is code and description of a System.Exception."""

    status: int
    directives: tuple[Received, ...] = ()
    exception: tuple[int | None, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Inbox:
    """Feed it a multipart body; it gives directives as soon as all their attachments are there.

    In a reply directives keep their order, so one that waits holds the others up (`in_order`). On a downchannel nothing
    waits for another. Raises `WireError` where the body cannot be read. Broken JSON and other trouble is in `troubles`.
    """

    def __init__(self, content_type: str, *, in_order: bool = True) -> None:
        self.troubles: list[str] = []
        self._boundary = boundary_of(content_type, subtype=None)
        self._in_order = in_order
        self._decoder: Decoder | None = self._new_decoder()
        self._is_empty = True
        self._part: PartBegan | None = None
        self._body = bytearray()
        self._waiting: deque[tuple[Directive, Mapping[str, str]]] = deque()
        self._attachments: dict[str, bytes] = {}

    def feed(self, data: bytes) -> list[Received]:
        """The next bytes."""
        self._is_empty &= not data
        if self._decoder is None:
            if not data.strip():
                return []
            self._decoder = self._new_decoder()  # a closing delimiter behind each message is an option (DEVICES R6)
        return self._pieces(self._decoder.feed(data))

    def finish(self) -> list[Received]:
        """The body has ended; directives whose attachments never came are given without them.

        A body without a byte is an answer without directives: whoever sent it had nothing to say (INF).
        """
        received = []
        if self._decoder is not None and not self._is_empty:
            received = self._pieces(self._decoder.finish())
        received.extend(self._complete(directive, headers) for directive, headers in self._waiting)
        self._waiting.clear()
        return received

    def _new_decoder(self) -> Decoder:
        return Decoder(self._boundary, limits=Limits(body_bytes=BODY_BYTES))

    def _pieces(self, pieces: list[Piece]) -> list[Received]:
        for piece in pieces:
            match piece:
                case PartBegan():
                    self._part = piece
                    self._body.clear()
                case PartData(data):
                    self._body += data
                case PartEnded():
                    self._end_part()
                case Finding():
                    self.troubles.append(str(piece))
                case Finished():
                    self._decoder = None
        return list(self._ready())

    def _end_part(self) -> None:
        part, body = self._part, bytes(self._body)
        self._part = None
        if part is None or (not part.headers and not body):
            return  # only precedes a closing delimiter
        if part.content_id is not None:
            self._attachments[part.content_id] = body
            while len(self._attachments) > UNCLAIMED + len(self._waiting):
                del self._attachments[next(iter(self._attachments))]
            return
        try:
            self._waiting.append((read_directive(body), dict(part.headers)))
        except ValueError as error:
            self.troubles.append(f"a part that is no directive: {error}")

    def _ready(self) -> Iterator[Received]:
        """Those whose attachments are all there."""
        for directive, headers in tuple(self._waiting):
            if cids(directive.payload) <= self._attachments.keys():
                self._waiting.remove((directive, headers))
                yield self._complete(directive, headers)
            elif self._in_order:
                return

    def _complete(self, directive: Directive, headers: Mapping[str, str]) -> Received:
        wanted = {cid: self._attachments[cid] for cid in cids(directive.payload) if cid in self._attachments}
        return Received(directive, wanted, headers)


def cids(payload: object) -> frozenset[str]:
    """The ids of all `cid:` addresses anywhere in a payload (PROTOCOL 4.4)."""
    match payload:
        case str() if payload.startswith("cid:"):
            return frozenset({payload.removeprefix("cid:")})
        case Mapping():
            return frozenset[str]().union(*map(cids, payload.values()))
        case list() | tuple():
            return frozenset[str]().union(*map(cids, payload))
        case _:
            return frozenset()


def read_directive(data: bytes) -> Directive:
    """A directive from its JSON, wrapped in `directive` or, as one edition has exceptions, bare (PROTOCOL 5.1).

    Half letters in it become U+FFFD, which can be said again. Raises `ValueError` that says what is missing, or too
    much: a number that JSON or a device does not have, a nesting of more than `DEEPEST`.
    """
    whole = _read_json(data)
    message = whole.get("directive", whole) if isinstance(whole, dict) else None
    if not isinstance(message, dict) or not isinstance(header := message.get("header"), dict):
        raise ValueError("neither `directive` nor `header` in it")
    members: dict[str, str] = {}
    for member in ("namespace", "name", "messageId"):
        if not isinstance(value := header.get(member), str):
            raise ValueError(f"no `{member}` in its header")
        members[member] = value
    payload = message.get("payload")
    dialogue = header.get("dialogRequestId")
    return Directive(
        namespace=members["namespace"],
        name=members["name"],
        message_id=members["messageId"],
        payload=payload if isinstance(payload, dict) else {},
        dialog_request_id=dialogue if isinstance(dialogue, str) else None,
    )


def _read_json(data: bytes) -> Any:
    try:
        whole = json.loads(data.decode(), parse_constant=_no_number, parse_float=_number)
    except RecursionError:
        raise ValueError(f"nested deeper than {DEEPEST}") from None
    level, depth = [whole], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST}")
        depth += 1
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return json.loads(text) if (text := _mended(whole)) else whole


def _mended(whole: object) -> str:
    """The JSON with U+FFFD for half letters; empty where there are none."""
    text = json.dumps(whole, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return ""


def _number(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def read_exception(content_type: str, body: bytes) -> tuple[int | None, str] | None:
    """Code and description of a System.Exception, in any of the forms of PROTOCOL 5.1; None when there is none."""
    try:
        if content_type.startswith("multipart/"):
            inbox = Inbox(content_type)
            found = [each.directive for each in (*inbox.feed(body), *inbox.finish())]
        else:
            found = [read_directive(body)]
    except (ValueError, WireError):
        return None
    for directive in found:
        if directive.full_name == "System.Exception":
            code = directive.payload.get("code")
            return code if isinstance(code, int) else None, str(directive.payload.get("description", ""))
    return None
