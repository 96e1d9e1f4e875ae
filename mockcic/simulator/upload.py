"""Events as devices write them (PROTOCOL 3.1), deliberately not with the server's own encoder."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Final

from mockcic.cic.message import Event

BLOCK_S: Final = 0.2
BLOCK_BYTES: Final = 6_400
"""200 ms of 16-bit PCM at 16 kHz (PROTOCOL 3.3)."""


@dataclass(frozen=True, slots=True)
class Form:
    """One `multipart/form-data` body: `whole`, or with sound `opening`, each `block`, `ending`.

    These are made of `metadata`, `audio_head` and `closing`.
    """

    boundary: str = field(default_factory=lambda: f"sim-{uuid.uuid4().hex}")

    @property
    def content_type(self) -> str:
        """The Content-Type of the request."""
        return f"multipart/form-data; boundary={self.boundary}"

    def whole(self, event: Event) -> bytes:
        """The body of an event without sound."""
        return self.metadata(event) + self.closing()

    def opening(self, event: Event) -> bytes:
        """What stands before the first sample."""
        return self.metadata(event) + self.audio_head()

    def block(self, pcm: bytes, number: int) -> bytes:
        """A block of sound, counted from 1."""
        return pcm

    def ending(self, event: Event) -> bytes:
        """What stands behind the last sample."""
        return self.closing()

    def metadata(self, event: Event) -> bytes:
        """The first part, without the line end in front of the next delimiter."""
        head = 'Content-Disposition: form-data; name="metadata"\r\nContent-Type: application/json; charset=UTF-8\r\n'
        text = json.dumps(event.as_json(), ensure_ascii=False)
        return f"--{self.boundary}\r\n{head}\r\n{text}".encode()

    def audio_head(self) -> bytes:
        """What stands between the metadata and the first sample."""
        head = 'Content-Disposition: form-data; name="audio"\r\nContent-Type: application/octet-stream\r\n'
        return f"\r\n--{self.boundary}\r\n{head}\r\n".encode()

    def closing(self) -> bytes:
        """The last delimiter, with the line end that belongs to it."""
        return f"\r\n--{self.boundary}--\r\n".encode()


def blocks(pcm: bytes) -> list[bytes]:
    """The sound in blocks of 200 ms; the last may be shorter."""
    return [pcm[at : at + BLOCK_BYTES] for at in range(0, len(pcm), BLOCK_BYTES)]
