"""Bodies that break a rule of multipart or of the envelope, each in the one way its rule says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from mockcic.cic.message import Event
from mockcic.simulator.upload import Form


@dataclass(frozen=True, slots=True)
class BadForm(Form):
    """A body that breaks `rules`; without any it is as `Form` has it."""

    rules: frozenset[str] = field(default_factory=frozenset)

    @property
    def content_type(self) -> str:
        """A type that is none for a form."""
        if "headers.content-type" in self.rules:
            return "application/json"
        return super(BadForm, self).content_type  # named, for `slots` makes the class anew

    def metadata(self, event: Event) -> bytes:
        """Under another name or type, without a blank line, with LF, or no JSON."""
        delimiter_and_head, _, text = Form.metadata(self, event).partition(b"\r\n\r\n")
        head = self._head(
            delimiter_and_head, b"metadata", b"request", b"application/json; charset=UTF-8", b"text/plain"
        )
        if "message.json" in self.rules:
            text = text[: len(text) // 2]
        if "message.envelope" in self.rules:
            text = _without_namespace(event)
        gap = b"\r\n" if "multipart.delimiters" in self.rules else b"\r\n\r\n"
        return self._lines(head + gap) + text

    def audio_head(self) -> bytes:
        """Under another name or type, with LF."""
        head = Form.audio_head(self)
        return self._lines(self._head(head, b"audio", b"audio.wav", b"application/octet-stream", b"audio/l16"))

    def closing(self) -> bytes:
        """Nothing, or with LF."""
        return b"" if "multipart.last-delimiter" in self.rules else self._lines(Form.closing(self))

    def opening(self, event: Event) -> bytes:
        """The sound first."""
        if "multipart.order" in self.rules:
            return self.audio_head().removeprefix(self._lines(b"\r\n"))
        return Form.opening(self, event)

    def block(self, pcm: bytes, number: int) -> bytes:
        """In a part of its own."""
        if "multipart.one-audio-part" in self.rules and number > 1:
            return self.audio_head() + pcm
        return pcm

    def ending(self, event: Event) -> bytes:
        """The metadata last."""
        late = self._lines(b"\r\n") + self.metadata(event) if "multipart.order" in self.rules else b""
        return late + self.closing()

    def _head(self, head: bytes, name: bytes, other_name: bytes, kind: bytes, other_kind: bytes) -> bytes:
        if "multipart.names" in self.rules:
            head = head.replace(b'name="' + name + b'"', b'name="' + other_name + b'"')
        return head.replace(kind, other_kind) if "multipart.types" in self.rules else head

    def _lines(self, data: bytes) -> bytes:
        return data.replace(b"\r\n", b"\n") if "multipart.line-ends" in self.rules else data


def _without_namespace(event: Event) -> bytes:
    message = event.as_json()
    del message["event"]["header"]["namespace"]
    return json.dumps(message, ensure_ascii=False).encode()
