"""CIC messages as frozen values: events in, directives out.

JSON becomes one of these at one edge and JSON again at the other, once each. Members the documents do not name are kept
in `payload` as received: payloads are open on both sides (the catalogue's own words).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Payload = Mapping[str, Any]

ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""JSON as the mock writes it: compact, Korean as it is."""


@dataclass(frozen=True, slots=True)
class Context:
    """One element of an event's `context` array: a state the device sends along."""

    namespace: str
    name: str
    payload: Payload

    @property
    def full_name(self) -> str:
        """`Namespace.Name`, the key of the catalogue."""
        return f"{self.namespace}.{self.name}"


@dataclass(frozen=True, slots=True)
class Event:
    """A message from the device (PROTOCOL 3.2). `dialog_request_id` is None where the header has none."""

    namespace: str
    name: str
    message_id: str
    payload: Payload
    dialog_request_id: str | None = None
    contexts: tuple[Context, ...] = ()

    @property
    def full_name(self) -> str:
        """`Namespace.Name`, as scenarios write it."""
        return f"{self.namespace}.{self.name}"

    def as_json(self) -> dict[str, Any]:
        """The JSON object of the metadata part: `{"context": [...], "event": {...}}`."""
        header: dict[str, Any] = {"namespace": self.namespace, "name": self.name, "messageId": self.message_id}
        if self.dialog_request_id is not None:
            header["dialogRequestId"] = self.dialog_request_id
        contexts = [
            {"header": {"namespace": context.namespace, "name": context.name}, "payload": dict(context.payload)}
            for context in self.contexts
        ]
        return {"context": contexts, "event": {"header": header, "payload": dict(self.payload)}}


@dataclass(frozen=True, slots=True)
class Directive:
    """A message to the device (PROTOCOL 4.1). Without `dialog_request_id` the member is left out (DEVICES R12)."""

    namespace: str
    name: str
    message_id: str
    payload: Payload = field(default_factory=dict)
    dialog_request_id: str | None = None
    raw: bytes | None = None
    """What is sent instead, as it stands; the other members then only say what can be read of it."""

    @property
    def full_name(self) -> str:
        """`Namespace.Name`, as scenarios write it."""
        return f"{self.namespace}.{self.name}"

    def as_json(self) -> dict[str, Any]:
        """`{"directive": {"header": ..., "payload": ...}}`, `payload` always there (DEVICES R13)."""
        header: dict[str, Any] = {"namespace": self.namespace, "name": self.name, "messageId": self.message_id}
        if self.dialog_request_id is not None:
            header["dialogRequestId"] = self.dialog_request_id
        return {"directive": {"header": header, "payload": dict(self.payload)}}

    def encode(self) -> bytes:
        """The JSON text in UTF-8, without escapes for Korean, compact."""
        return ENCODE(self.as_json()).encode() if self.raw is None else self.raw


@dataclass(frozen=True, slots=True)
class Attachment:
    """A binary part tied to a directive by `cid:` (PROTOCOL 4.4); without `content_id` it has no such header.

    `rate` is how many bytes a second are handed to the connection, None for as fast as the device reads; `chunk` is how
    many bytes are written at once when a rate is set.
    """

    content_id: str
    data: bytes
    rate: float | None = None
    chunk: int = 1024


Pieces = tuple[Directive | Attachment, ...]
"""A directive and its attachments, in the order in which they are written."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A System.Exception as an answer (PROTOCOL section 5): HTTP status, `code` and `description` of the payload.

    `form` is one of `bare`, `wrapped`, `plain-json`, `empty`, or None for the scenario's setting.
    """

    status: int
    description: str
    code: int | None = None
    form: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
