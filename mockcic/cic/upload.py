"""The parts of an upload become an event and its sound (PROTOCOL 3.1, 3.2, 3.3)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from mockcic.cic.message import Context, Event
from mockcic.errors import Finding, WireError
from mockcic.wire.decode import Decoder, Finished, Limits, PartBegan, PartData, PartEnded, Tolerance

MISSING_METADATA: Final = "metadata part is missing"
METADATA_NOT_FIRST: Final = "metadata must be the first part"
TWO_METADATA: Final = "more than one metadata part"
NOT_UTF8: Final = "metadata is not valid UTF-8"
NOT_JSON: Final = "metadata is not valid JSON"


@dataclass(frozen=True, slots=True)
class EventRead:
    """The metadata part is complete: this is the event."""

    event: Event


@dataclass(frozen=True, slots=True)
class SoundRead:
    """Bytes of an audio part; several audio parts are joined (PROTOCOL 3.3)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class UploadOver:
    """The upload is complete. `has_sound`: it had an audio part, be it an empty one."""

    has_sound: bool


@dataclass(slots=True)
class ReadPart:
    """A part as it came: its headers in their order, and how many bytes of it there are by now."""

    name: str
    headers: tuple[tuple[str, str], ...]
    size: int = 0


UploadPiece = EventRead | SoundRead | UploadOver | Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Strictness:
    """What is refused although its meaning is clear (PROTOCOL 5.3; section 8, rows 17 and 18)."""

    metadata_first: bool = True
    one_audio_part: bool = False
    envelope: bool = False


class UploadReader:
    """Reads one upload, however its bytes are cut. Raises `WireError` at the byte from which it can only be refused."""

    def __init__(
        self,
        boundary: bytes,
        *,
        limits: Limits | None = None,
        tolerance: Tolerance | None = None,
        strictness: Strictness | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._strict = strictness or Strictness()
        self._decoder = Decoder(boundary, limits=self._limits, tolerance=tolerance or Tolerance())
        self._metadata: bytearray | None = None
        self._event: Event | None = None
        self._in_sound = False
        self._sound_parts = 0
        self._early_sound = bytearray()
        self._out: list[UploadPiece] = []
        self.parts: list[ReadPart] = []
        """The parts so far, in their order on the wire."""
        self.metadata_part: ReadPart | None = None
        self.metadata: bytes | None = None
        """The metadata part as received, once it is complete."""

    def feed(self, data: bytes) -> list[UploadPiece]:
        """The next bytes of the body; returns what became certain, in the order of the wire."""
        return self._read(self._decoder.feed(data))

    def finish(self) -> list[UploadPiece]:
        """The body has ended."""
        return self._read(self._decoder.finish())

    def tolerate_missing_last_delimiter(self) -> None:
        """Take an upload that ends without its last delimiter, whatever was said before."""
        self._decoder.tolerance = replace(self._decoder.tolerance, missing_last_delimiter=True)

    def _read(self, pieces: list[Any]) -> list[UploadPiece]:
        for piece in pieces:
            match piece:
                case PartData():
                    self._take(piece.data)
                case PartBegan():
                    self._begin(piece)
                case PartEnded():
                    self._end()
                case Finished():
                    self._finish()
                case Finding():
                    self._out.append(piece)
        result, self._out = self._out, []
        return result

    def _begin(self, part: PartBegan) -> None:
        self.parts.append(ReadPart(part.name or "", part.headers))
        if is_metadata(part):
            if self._event is not None:
                raise WireError(TWO_METADATA, code="multipart.metadata-twice")
            if self._sound_parts and self._strict.metadata_first:
                raise WireError(METADATA_NOT_FIRST, code="multipart.metadata-first")
            if self._sound_parts:
                self._find(
                    "multipart.metadata-first", "the audio before the metadata", "the metadata first (PROTOCOL 3.1)"
                )
            if part.name != "metadata":
                self._find("multipart.part-name", f'the JSON part named "{part.name}"', '"metadata" (PROTOCOL 3.1)')
            self._metadata = bytearray()
        elif is_sound(part):
            self._sound_parts += 1
            self._in_sound = True
            if self._sound_parts > 1:
                if self._strict.one_audio_part:
                    raise WireError("more than one audio part", code="multipart.audio-parts")
                if self._sound_parts == 2:
                    self._find("multipart.audio-parts", "a second audio part", "one audio part (PROTOCOL 3.3)")
        else:
            self._find(
                "multipart.part-unknown",
                f'a part named "{part.name}" of type {part.content_type or "unknown"}',
                "metadata, then audio (PROTOCOL 3.1)",
            )

    def _take(self, data: bytes) -> None:
        self.parts[-1].size += len(data)
        if self._metadata is not None:
            if len(self._metadata) + len(data) > self._limits.json_bytes:
                raise WireError(
                    f"metadata part is over the limit of {self._limits.json_bytes} bytes", status=413, code="limit.json"
                )
            self._metadata += data
        elif self._in_sound and self._event is not None:
            self._out.append(SoundRead(data))
        elif self._in_sound and not self._strict.metadata_first:
            self._early_sound += data

    def _end(self) -> None:
        if self._metadata is not None:
            self.metadata, self.metadata_part = bytes(self._metadata), self.parts[-1]
            event, findings = read_event(self.metadata, strict=self._strict.envelope)
            self._metadata = None
            self._event = event
            self._out.extend(findings)
            self._out.append(EventRead(event))
            if self._early_sound:
                self._out.append(SoundRead(bytes(self._early_sound)))
                self._early_sound.clear()
        self._in_sound = False

    def _finish(self) -> None:
        if self._event is None:
            raise WireError(MISSING_METADATA, code="multipart.metadata")
        self._out.append(UploadOver(self._sound_parts > 0))

    def _find(self, code: str, found: str, expected: str) -> None:
        self._out.append(Finding(code, found, expected))


def is_metadata(part: PartBegan) -> bool:
    """The JSON part: named `metadata`, or JSON by its type (DEVICES Q6: `request`, `application/json;`)."""
    if part.name == "metadata":
        return True
    return _media_type(part) == "application/json"


def is_sound(part: PartBegan) -> bool:
    """An audio part: named `audio` or `audio.wav`, or binary by its type (DEVICES Q6)."""
    name = part.name or ""
    return (
        name.startswith("audio")
        or _media_type(part) == "application/octet-stream"
        or _media_type(part).startswith("audio/")
    )


def _media_type(part: PartBegan) -> str:
    return (part.content_type or "").partition(";")[0].strip().lower()


def _finite(text: str) -> float:
    """JSON has no word for infinity, but 1e999 is one (RFC 8259 6 leaves its range to us)."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def read_event(data: bytes, *, strict: bool = False) -> tuple[Event, list[Finding]]:
    """The event of a metadata part, with findings about its envelope. Raises `WireError` where it cannot be used."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WireError(NOT_UTF8, offset=error.start, code="message.utf-8", detail=f"{NOT_UTF8}: {error}") from None
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise WireError(NOT_JSON, code="message.json", detail=f"{NOT_JSON}: {error}") from None
    if "\\ud" in text.lower() and not _is_unicode(value):
        raise WireError(NOT_JSON, code="message.json", detail=f"{NOT_JSON}: half of a surrogate pair (RFC 8259 8.2)")
    if not isinstance(value, dict):
        raise _shape("the metadata", "an object", value)
    findings: list[Finding] = []
    body = value.get("event")
    if body is None and "header" in value and not strict:
        findings.append(
            Finding("message.envelope", "header and payload at top level", "them inside `event` (PROTOCOL 3.2)")
        )
        body = value
    if not isinstance(body, dict):
        raise _shape("event", "an object", body)
    header = body.get("header")
    if not isinstance(header, dict):
        raise _shape("event.header", "an object", header)
    payload = body.get("payload")
    if payload is None and not strict:
        findings.append(Finding("message.payload", "no event.payload", "an object, {} when empty (PROTOCOL 3.2)"))
        payload = {}
    if not isinstance(payload, dict):
        raise _shape("event.payload", "an object", payload)
    dialogue = header.get("dialogRequestId")
    if dialogue is not None and not isinstance(dialogue, str):
        raise _shape("event.header.dialogRequestId", "a string", dialogue)
    event = Event(
        namespace=_text(header, "namespace"),
        name=_text(header, "name"),
        message_id=_text(header, "messageId"),
        payload=payload,
        dialog_request_id=dialogue,
        contexts=_contexts(value.get("context"), findings, strict=strict),
    )
    return event, findings


def _is_unicode(value: object) -> bool:
    """Whether every text in it can be written as UTF-8: JSON can escape what Unicode does not have."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _contexts(value: object, findings: list[Finding], *, strict: bool) -> tuple[Context, ...]:
    if value is None and not strict:
        findings.append(Finding("message.context", "no `context`", "an array, may be empty (PROTOCOL 3.2)"))
        return ()
    if not isinstance(value, list):
        raise _shape("context", "an array", value)
    contexts = []
    for number, element in enumerate(value):
        context = _context(element)
        if context is not None:
            contexts.append(context)
        elif strict:
            raise _shape(f"context[{number}]", "an object with header.namespace, header.name and payload", element)
        else:
            findings.append(
                Finding("message.context", f"context[{number}] without header or payload", "both (PROTOCOL 3.2)")
            )
    return tuple(contexts)


def _context(element: object) -> Context | None:
    """One element of the array, None when its shape is wrong."""
    if isinstance(element, dict):
        header, payload = element.get("header"), element.get("payload")
        if isinstance(header, dict) and isinstance(payload, dict):
            namespace, name = header.get("namespace"), header.get("name")
            if isinstance(namespace, str) and isinstance(name, str):
                return Context(namespace, name, payload)
    return None


def _text(header: Mapping[str, Any], name: str) -> str:
    value = header.get(name)
    if not isinstance(value, str):
        raise _shape(f"event.header.{name}", "a string", value)
    return value


def _shape(member: str, expected: str, found: object) -> WireError:
    what = "nothing" if found is None else json.dumps(found, ensure_ascii=False)[:60]
    return WireError(f"metadata: {member} must be {expected}", code="message.shape", detail=f"{member}: found {what}")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
