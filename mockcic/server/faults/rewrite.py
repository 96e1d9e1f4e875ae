"""What a directive and its attachments become when something is wrong with them: pure functions, one an act.

Each gives None where there is nothing that it could make wrong, so that this is no occasion for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mockcic.cic.catalogue import catalogue
from mockcic.cic.ids import new_id
from mockcic.cic.message import ENCODE, Attachment, Directive, Pieces
from mockcic.cic.raw import raw_directive
from mockcic.scenario.faults.act import Act
from mockcic.scenario.faults.form import ContentIdFault, Json
from mockcic.scenario.faults.meaning import AttachmentFault, Dialogue, Message, Mutate

DEPTH: Final = 10_000
"""Arrays in each other: beyond what recursive parsers bear (INF)."""

HUGE_BYTES: Final = 4 * 1024 * 1024
"""Of a member: beyond what a device keeps for a message (INF)."""

HANGUL: Final = '"안녕하세요"'
"""In EUC-KR no UTF-8: its second byte cannot begin a letter there."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when a directive is written: the dialogue before this one, and the messageId before this one."""

    stale: str = ""
    message_before: str = ""
    turn: int = 0
    """How often the fault has struck before."""


def rewritten(act: Act, pieces: Pieces, known: Known) -> Pieces | None:
    """The pieces with the act done to them, None where it has no occasion."""
    directive = next((piece for piece in pieces if isinstance(piece, Directive)), None)
    match act:
        case ContentIdFault(how=how):
            return _with_content_ids(how, pieces)
        case AttachmentFault(how="first"):
            attachments = tuple(piece for piece in pieces if isinstance(piece, Attachment))
            return (*attachments, directive) if attachments and directive is not None else None
        case AttachmentFault(how="missing"):
            kept = tuple(piece for piece in pieces if isinstance(piece, Directive))
            return kept if len(kept) < len(pieces) else None
    if directive is None:
        return None
    match act:
        case AttachmentFault(how="nowhere"):
            return _replaced(pieces, directive, _to_nowhere(directive))
        case Dialogue(id=which):
            return _replaced(pieces, directive, _with_dialogue(which, directive, known))
        case Message(how=what):
            return _replaced(pieces, directive, _with_message(what, directive, known))
        case Json(how=form):
            return _replaced(pieces, directive, _with_json(form, directive))
        case Mutate(seed=seed):
            return _mutated(pieces, directive, seed, known.turn)
    raise AssertionError(f"{act} rewrites no directive")


def content_ids_of(directive: Directive) -> frozenset[str]:
    """The attachments that a directive names, by Content-Id (PROTOCOL 4.4)."""
    return frozenset(text[4:] for text in _texts(directive.payload) if text.startswith("cid:"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _replaced(pieces: Pieces, old: Directive, new: Directive | None) -> Pieces | None:
    return None if new is None else tuple(new if piece is old else piece for piece in pieces)


# ---------------------------------------------------------------------- attachments


def _with_content_ids(how: str, pieces: Pieces) -> Pieces | None:
    attachments = [piece for piece in pieces if isinstance(piece, Attachment)]
    if not attachments:
        return None
    if how == "double" and len(attachments) == 1:
        return (*pieces, attachments[0])
    first = attachments[0].content_id

    def other(attachment: Attachment) -> Attachment:
        return replace(attachment, content_id={"wrong": new_id(), "double": first, "missing": ""}[how])

    return tuple(other(piece) if isinstance(piece, Attachment) else piece for piece in pieces)


def _to_nowhere(directive: Directive) -> Directive | None:
    if directive.raw is not None or not content_ids_of(directive):
        return None

    def elsewhere(value: Any) -> Any:
        if isinstance(value, str):
            return f"cid:{new_id()}" if value.startswith("cid:") else value
        if isinstance(value, Mapping):
            return {key: elsewhere(inner) for key, inner in value.items()}
        return [elsewhere(inner) for inner in value] if isinstance(value, list | tuple) else value

    return replace(directive, payload=elsewhere(directive.payload))


# ---------------------------------------------------------------------- messages


def _with_dialogue(how: str, directive: Directive, known: Known) -> Directive | None:
    if directive.raw is not None:
        return None
    if how == "number":
        return _edited(directive, lambda message: message["header"].update(dialogRequestId=4711))
    ids = {"stale": known.stale or new_id(), "foreign": new_id(), "missing": None}
    changed = replace(directive, dialog_request_id=ids[how])
    return None if changed == directive else changed


def _with_message(how: str, directive: Directive, known: Known) -> Directive | None:
    if directive.raw is not None:
        return None
    payload = directive.payload
    match how:
        case "unknown-directive":
            return replace(directive, name="MockUnknown")
        case "unknown-namespace":
            return replace(directive, namespace="MockUnknown")
        case "unknown-member":
            return replace(directive, payload={**payload, "mockUnknown": {"of": [1, None, "nobody"]}})
        case "null-member":
            return replace(directive, payload=dict.fromkeys(payload) or {"mockUnknown": None})
        case "wrong-types" if payload:
            return replace(directive, payload={key: _of_another_type(value) for key, value in payload.items()})
        case "wrong-types":
            return _edited(directive, lambda message: message.update(payload=[]))
        case "no-payload":
            return _edited(directive, lambda message: message.pop("payload"))
        case "no-message-id":
            return _edited(directive, lambda message: message["header"].pop("messageId"))
        case "same-message-id" if known.message_before:
            return replace(directive, message_id=known.message_before)
    return None


def _of_another_type(value: Any) -> Any:
    match value:
        case bool():
            return "true"
        case str():
            return 4711
        case int() | float():
            return str(value)
        case Mapping():
            return []
        case list() | tuple():
            return {}
    return 4711


def _edited(directive: Directive, edit: Callable[[dict[str, Any]], object]) -> Directive:
    """With JSON that no `Directive` can hold; of the payload is kept what a reader would find."""
    whole = directive.as_json()
    edit(whole["directive"])
    return _raw(directive, ENCODE(whole).encode())


def _raw(directive: Directive, raw: bytes) -> Directive:
    """Of these bytes; the journal goes on calling it by its name, and says of the rest what can be read."""
    read = raw_directive(raw, directive.message_id)
    return replace(read, namespace=directive.namespace, name=directive.name)


# ---------------------------------------------------------------------- JSON


def _with_json(how: str, directive: Directive) -> Directive | None:
    data = directive.encode()
    if how in ("not-utf-8", "deep", "huge") and not data.startswith(b"{"):
        return None
    match how:
        case "cut":
            data = data[: len(data) // 2]
        case "bom":
            data = b"\xef\xbb\xbf" + data
        case "empty":
            data = b""
        case "array":
            data = b"[" + data + b"]"
        case "not-utf-8":
            data = _with_member(data.decode(), HANGUL).encode("euc-kr", "replace")
        case "deep":
            data = _with_member(data.decode(), "[" * DEPTH + "]" * DEPTH).encode()
        case "huge":
            data = _with_member(data.decode(), '"' + "a" * HUGE_BYTES + '"').encode()
    return replace(_raw(directive, data), dialog_request_id=directive.dialog_request_id)


def _with_member(text: str, value: str) -> str:
    """JSON with one member more, in front of the others so that a reader has to come past it."""
    return f'{{"mockUnknown":{value},{text[1:]}'


# ---------------------------------------------------------------------- by chance


def _mutated(pieces: Pieces, directive: Directive, seed: int, turn: int) -> Pieces | None:
    from mockcic.fuzz.dice import Dice  # a heavy room that most servers never need
    from mockcic.fuzz.draft import ground_of
    from mockcic.fuzz.mutations import MUTATIONS

    spec = catalogue().directives.get(directive.full_name)
    if spec is None or directive.raw is not None:
        return None
    dice = Dice(seed, turn)
    base = ground_of(directive.as_json(), spec, catalogue())
    for _ in range(100):
        mutation = dice.pick(tuple(MUTATIONS.values()))(base, dice)
        if mutation is None:
            continue
        if any(edit.what == "silence" for edit in mutation.edits):
            return (directive,) if len(pieces) > 1 else None
        draft = mutation.apply(base.draft)
        if draft != base.draft:
            return _replaced(pieces, directive, _raw(directive, draft.body()))
    return None
