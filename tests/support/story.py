"""Lives of a device made of entries by hand, as the conformance rules see them: only what a rule looks at."""

from __future__ import annotations

import itertools
from typing import Any, Self

from mockcic.journal.entry import Entry, Kind
from tests.support.entries import WALL_S

AGENT = "AcmeAudio/DeskBuddy/1.4.2 (FreeRTOS 10.4;ESP32-S3)"
HEADERS = {"authorization": "Bearer …4f2a", "user-agent": AGENT}
FORM = {"content-type": "multipart/form-data; boundary=b1"}
JSON_PART = {"name": "metadata", "headers": {"content-type": "application/json; charset=UTF-8"}}
AUDIO_PART = {"name": "audio", "headers": {"content-type": "application/octet-stream"}}
SPEECH = "SpeechRecognizer.Recognize"
TEXT = "TextRecognizer.Recognize"


class Life(list[Entry]):
    """One device on connections it names; each call adds what the server would have written at `at` seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._streams = itertools.count(1, 2)
        self._messages = itertools.count(1)
        self.stream = ""

    def add(self, kind: Kind, at: float, name: str = "", *, device: str = "…4f2a", **members: Any) -> Entry:
        own = {key: members.pop(key) for key in ("connection", "stream", "dialogue") if key in members}
        entry = Entry(len(self) + 1, kind, at, WALL_S + at, device=device, name=name, data=members, **own)
        self.append(entry)
        return entry

    def connect(self, at: float = 0.0, connection: str = "c1", *, address: str = "127.0.0.1:50001") -> Self:
        self.add("connect", at, address, device="", connection=connection)
        return self

    def disconnect(self, at: float, reason: str = "closed by the client", *, connection: str = "c1") -> Self:
        self.add("disconnect", at, "127.0.0.1:50001", device="", connection=connection, reason=reason)
        return self

    def fault(self, at: float, act: str, *, on: str = "connection", phase: str = "struck", **members: Any) -> Self:
        """Trouble on purpose, at c1 unless told otherwise; `name` is that of the act."""
        where = {"connection": "c1", **members}
        self.add(
            "fault", at, where.pop("name", act), act=act, on=on, phase=phase, **{"detail": f"{act} of a test", **where}
        )
        return self

    def hung_up(self, at: float, name: str = "hang_up", *, connection: str = "c1") -> Self:
        """A fault ends the connection under the downchannel."""
        self.fault(at, name, connection=connection).close(at, "connection lost", connection=connection)
        return self.disconnect(at, f"fault {name}", connection=connection)

    def back(self, at: float, connection: str = "c2") -> Self:
        """The device connects and opens a downchannel."""
        return self.connect(at, connection).open(at + 0.01, connection=connection)

    def open(self, at: float = 0.1, *, connection: str = "c1", hello: float | None = 0.0, **members: Any) -> Self:
        """A downchannel, and Hello so long after it."""
        self.line = f"{connection}.{next(self._streams)}"
        request = members.pop("request", HEADERS)
        where = {"connection": connection, "stream": self.line}
        self.add("downchannel", at, "open", request=request, **where, **{"replaced": False, **members})
        if hello is not None:
            self.push(at + hello, "Clova.Hello", connection=connection)
        return self

    def close(self, at: float, reason: str, *, connection: str = "c1", line: str = "") -> Self:
        """The end of the youngest downchannel, or of one by its stream."""
        self.add("downchannel", at, "closed", connection=connection, stream=line or self.line, reason=reason)
        return self

    def push(self, at: float, name: str, payload: Any = None, *, dialogue: str = "", connection: str = "c1") -> Self:
        where = {"connection": connection, "stream": self.line, "dialogue": dialogue}
        self.add("directive", at, name, line="downchannel", payload=payload or {}, **where)
        return self

    def event(
        self,
        at: float,
        name: str,
        payload: Any = None,
        *,
        dialogue: str = "",
        connection: str = "c1",
        contexts: Any = None,
        message_id: str | None = None,
        request: Any = None,
        parts: Any = None,
    ) -> Self:
        """An event whose metadata is complete; `answer` or `say` goes on with it."""
        self.stream = f"{connection}.{next(self._streams)}"
        self._last = {"connection": connection, "stream": self.stream, "dialogue": dialogue}
        self._name = name
        self.add(
            "event",
            at,
            name,
            payload=payload or {},
            contexts=contexts or {},
            message_id=message_id or f"m{next(self._messages)}",
            request={**HEADERS, **FORM} if request is None else request,
            parts=[JSON_PART] if parts is None else parts,
            **self._last,
        )
        return self

    def sound(self, at: float, **members: Any) -> Self:
        """The end of its upload, with a second of sound that came in real time unless told otherwise."""
        usual = {
            "bytes": 32_000,
            "seconds": 1.0,
            "level_dbfs": -20.0,
            "clipped": 0.0,
            "parts": [AUDIO_PART],
            "arrived": [[200 * n, 6400 * n] for n in range(1, 6)],
        }
        self.add("upload", at, self._name, **self._last, **{**usual, **members})
        return self

    def reply(self, at: float, name: str, payload: Any = None, *, dialogue: str | None = None) -> Self:
        where = {**self._last, **({} if dialogue is None else {"dialogue": dialogue})}
        self.add("directive", at, name, line="reply", payload=payload or {}, **where)
        return self

    def attachment(self, at: float, seconds: float) -> Self:
        self.add("attachment", at, "cid-1", line="reply", bytes=1, seconds=seconds, **self._last)
        return self

    def answer(self, at: float, status: int = 204, *, took: float = 0.001) -> Self:
        self.add("answer", at, self._name, status=status, seconds=took, lost=False, **self._last)
        return self

    def cut(self, at: float) -> Self:
        """The stream of an event ends before its answer."""
        self.add("answer", at, self._name, status=None, seconds=0.001, lost=True, **self._last)
        return self

    def tell(self, at: float, name: str, payload: Any = None, **members: Any) -> Self:
        """An event with its answer."""
        return self.event(at, name, payload, **members).answer(at + 0.001)

    def refused(
        self, at: float, what: str, status: int, description: str = "", *, connection: str = "c1", **members: Any
    ) -> Self:
        request = members.pop("request", HEADERS)
        self.add(
            "answer",
            at,
            what,
            connection=connection,
            status=status,
            description=description,
            request=request,
            **members,
        )
        return self

    def ping(self, at: float, kind: str = "frame", *, connection: str = "c1", **members: Any) -> Self:
        self.add("ping", at, kind, connection=connection, **members)
        return self

    def finding(self, at: float, code: str, found: str = "it") -> Self:
        said = {"severity": "warning", "found": found, "expected": "that", "mend": ""}
        self.add("finding", at, code, connection="c1", stream=self.stream, **said)
        return self

    def idle(self, at: float) -> Self:
        """Nothing more happens until then."""
        self.add("scenario", at, "any", device="")
        return self
