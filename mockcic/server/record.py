"""What the journal is told of one stream: an event with its answer, or a downchannel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

from mockcic.cic.facts import Sound
from mockcic.cic.message import Attachment, Directive, Event, Refusal
from mockcic.cic.upload import ReadPart
from mockcic.journal.store import Journal
from mockcic.scenario.match import header_of
from mockcic.sound import mp3
from mockcic.wire.encode import BINARY_TYPE

SOUNDS: Final = 64
"""Sounds whose playing time is remembered: the same few are sent again and again (INF)."""

RAW_SHOWN_BYTES: Final = 4000
"""So much of a part that was sent as it stood is written down (INF)."""


class Record:
    """Writes entries of one stream of one device. `line` is `reply` or `downchannel`."""

    __slots__ = ("_dialogue", "connection", "device", "journal", "line", "stream", "token")

    def __init__(
        self,
        journal: Journal,
        *,
        device: str,
        token: str,
        connection: str,
        stream: str,
        line: Literal["reply", "downchannel"],
    ) -> None:
        self.journal = journal
        self.device = device
        self.token = token
        self.connection = connection
        self.stream = stream
        self.line = line
        self._dialogue: str | None = None

    def event(self, event: Event, headers: Mapping[str, str], part: ReadPart, metadata: bytes) -> None:
        """The metadata part is complete."""
        self.journal.add(
            "event",
            device=self.device,
            token=self.token,
            connection=self.connection,
            stream=self.stream,
            dialogue=event.dialog_request_id,
            name=event.full_name,
            message_id=event.message_id,
            header=header_of(event),
            payload=event.payload,
            contexts={each.full_name: each.payload for each in event.contexts},
            request=self.journal.redaction.headers(headers),
            parts=({**_part(part), "text": self._text(metadata)},),
        )

    def _text(self, metadata: bytes) -> str:
        return self.journal.redaction.written(metadata.decode("utf-8", "replace"), self.token)

    def upload(
        self, event: Event | None, sound: Sound | None, parts: Sequence[ReadPart], measured: Mapping[str, Any]
    ) -> None:
        """The upload has ended, and there was more to it than metadata. `measured` are members of its sound."""
        heard: dict[str, Any] = {}
        if sound is not None:
            level = sound.level_dbfs
            heard = {
                "bytes": sound.size,
                "seconds": round(sound.seconds, 3),
                "sha256": sound.sha256,
                "level_dbfs": None if level is None else round(level, 1),
                **measured,
            }
        self.journal.add(
            "upload",
            device=self.device,
            token=self.token,
            connection=self.connection,
            stream=self.stream,
            dialogue=None if event is None else event.dialog_request_id,
            name="" if event is None else event.full_name,
            **heard,
            parts=tuple(_part(part) for part in parts),
        )

    def directive_written(self, directive: Directive, size: int, why: str = "") -> None:
        """The bytes of a directive's part were handed to the connection."""
        self._dialogue = directive.dialog_request_id
        self.journal.add(
            "directive",
            device=self.device,
            token=self.token,
            connection=self.connection,
            stream=self.stream,
            dialogue=directive.dialog_request_id,
            name=directive.full_name,
            line=self.line,
            bytes=size,
            payload=directive.payload,
            message_id=directive.message_id,
            **({"why": why} if why else {}),
            **({} if directive.raw is None else {"raw": self._shown(directive.raw)}),
        )

    def _shown(self, raw: bytes) -> str:
        """What was sent as it stood, the beginning of it, as a text that any JSON can hold."""
        text = raw[:RAW_SHOWN_BYTES].decode("utf-8", "backslashreplace")
        return self.journal.redaction.written(text + ("..." if len(raw) > RAW_SHOWN_BYTES else ""), self.token)

    def attachment_written(self, attachment: Attachment) -> None:
        """The last byte of an attachment was handed to the connection; it belongs to the directive before it."""
        playing_s = _playing_s(attachment.data)
        self.journal.add(
            "attachment",
            device=self.device,
            token=self.token,
            connection=self.connection,
            stream=self.stream,
            dialogue=self._dialogue,
            name=attachment.content_id,
            line=self.line,
            bytes=len(attachment.data),
            sha256=self.journal.spool.keep(attachment.data),
            type=BINARY_TYPE,
            **({"seconds": playing_s} if playing_s else {}),
        )


@lru_cache(maxsize=SOUNDS)
def _playing_s(data: bytes) -> float:
    """How long an MP3 plays, in seconds; 0.0 for what is none."""
    return round(mp3.seconds(data), 3)


def _part(part: ReadPart) -> dict[str, Any]:
    return {"name": part.name, "headers": {name.lower(): value for name, value in part.headers}, "bytes": part.size}


def retry_after(headers: Iterable[tuple[str | bytes, str | bytes]]) -> dict[str, Any]:
    """`retry_after` in seconds as a member of an entry; none where the headers do not say it in seconds."""
    for name, value in headers:
        said = value.decode("latin-1") if isinstance(value, bytes) else value
        if (
            name in ("retry-after", b"retry-after", "Retry-After")
            and (seconds := said.strip()).isdecimal()
            and len(seconds) < 10
        ):
            return {"retry_after": int(seconds)}
    return {}


def record_exception(
    journal: Journal,
    refusal: Refusal,
    *,
    device: str,
    token: str,
    connection: str,
    stream: str,
    dialogue: str | None,
    event: str,
) -> None:
    """A System.Exception was handed to the connection (PROTOCOL section 5)."""
    journal.add(
        "exception",
        device=device,
        token=token,
        connection=connection,
        stream=stream,
        dialogue=dialogue,
        name="System.Exception",
        status=refusal.status,
        code=refusal.status if refusal.code is None else refusal.code,
        description=refusal.description,
        event=event,
    )


EVENT_401 = "shipped firmware unbinds the account for good on 401 to an event (PROTOCOL 2.5)"


def record_event_401(journal: Journal, *, device: str, connection: str, stream: str, why: str) -> None:
    """An event was answered with 401: a warning for whoever tests with a shipped device."""
    journal.add(
        "token",
        device=device,
        connection=connection,
        stream=stream,
        name="event-401",
        why=why,
        severity="warning",
        mend=EVENT_401,
    )
