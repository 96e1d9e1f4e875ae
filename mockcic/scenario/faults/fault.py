"""A fault: one act, what it is aimed at, when it strikes, and how long it is there."""

from __future__ import annotations

import fnmatch
from functools import cached_property
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from mockcic.scenario.faults.act import Act, Role
from mockcic.scenario.faults.answer import ContentLength, ContentType, Empty, Portal, Status
from mockcic.scenario.faults.connection import BadFrame, Goaway, Ping, Pong, SettingsAck, SettingsChange
from mockcic.scenario.faults.form import ContentIdFault, Json, Multipart
from mockcic.scenario.faults.line import Accept, Certificate, Cut, HangUp, ListenerGone, Network, Tls
from mockcic.scenario.faults.meaning import (
    AnswerTwice,
    AttachmentFault,
    Dialogue,
    Drop,
    Late,
    Message,
    Mutate,
    Order,
    Repeat,
    TokenTrouble,
)
from mockcic.scenario.faults.pace import Pace
from mockcic.scenario.faults.stream import End, Frames, Reset, Trailers, Window
from mockcic.scenario.faults.written import WRITTEN
from mockcic.scenario.settings import Part
from mockcic.scenario.words import Name, PlainDuration, Size, Texts, read_duration, read_list, suggest, wrong


class Moment(Part):
    """When a fault strikes; `time` is so long after the rest, or after the beginning."""

    request: bool = Field(default=False, description="When the request is there, before any header of the answer.")
    headers: bool = Field(default=False, description="Between the headers of the answer and its body.")
    sent: Size | None = Field(default=None, description="When so many bytes of the answer's body are out.")
    audio: PlainDuration | None = Field(default=None, description="When so much sound of an upload was received.")
    bytes: Size | None = Field(default=None, description="When so many bytes of sound of an upload were received.")
    upload: Literal["began", "ended"] | None = Field(
        default=None, description="When an upload's metadata is there, or its end."
    )
    time: PlainDuration | None = Field(
        default=None, description="So long after that, after the stream began, or after the fault was set."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Moment:
        found = self.found
        if len(found) > 1 or not self.model_fields_set:
            raise PydanticCustomError(
                "moment",
                "{found} in one moment",
                {
                    "found": " and ".join(found) or "nothing",
                    "expected": "one of request, headers, sent, audio, bytes, upload, or a duration",
                    "mend": "",
                },
            )
        return self

    @property
    def found(self) -> tuple[str, ...]:
        """The key it is about, besides `time`; never more than one."""
        return tuple(
            key
            for key in ("request", "headers", "sent", "audio", "bytes", "upload")
            if (value := getattr(self, key)) is not None and value is not False
        )

    @property
    def of_upload(self) -> bool:
        """Whether it is a moment of an upload."""
        return self.audio is not None or self.bytes is not None or self.upload is not None

    def __str__(self) -> str:
        if self.audio is not None:
            what = f"{self.audio:g} s of audio"
        elif self.bytes is not None:
            what = f"{self.bytes} bytes of audio"
        elif self.sent is not None:
            what = f"{self.sent} bytes of the answer"
        elif self.upload is not None:
            what = f"the upload {self.upload}"
        else:
            what = "the headers" if self.headers else ""
        late = "" if self.time is None else f"{self.time:g} s"
        return " and ".join(each for each in (what, late) if each)


def _read_moment(value: object) -> object:
    if isinstance(value, str) and value in ("request", "headers"):
        return {value: True}
    if isinstance(value, dict | Moment):
        return value
    try:
        read_duration(value)
    except PydanticCustomError:
        near = suggest(str(value), ("request", "headers"))
        number = isinstance(value, int | float) and not isinstance(value, bool)
        mend = f"write {value}s or {value}ms" if number else f"write {near}" if near else ""
        raise wrong(
            value, "a duration such as 300ms or 2s, request, headers, or a mapping such as {sent: 120}", mend
        ) from None
    return {"time": value}


AnyMoment = Annotated[Moment, BeforeValidator(_read_moment)]


class Fault(Part):
    """One thing that goes wrong on purpose: exactly one act, and beside it its aim, its moment and its span."""

    name: Name | None = Field(default=None, description="What the journal calls it; its act without it.")
    on: Role | None = Field(
        default=None,
        description="What it is aimed at: the answer to an event, the downchannel, the connection, the authorization "
        "server (token), or a new connection (accept). Each act has its own default; acts on directives that are only "
        "pushed, such as Clova.Hello, the downchannel.",
    )
    event: Texts = Field(
        default_factory=list, description="Only at these events, wildcards allowed; at all without it."
    )
    directive: Texts = Field(
        default_factory=list, description="Only these directives (acts on directives), wildcards allowed."
    )
    client: Annotated[list[Network], BeforeValidator(read_list)] = Field(
        default_factory=list,
        description="Only new connections from these addresses or networks (accept), such as 192.168.0.17.",
    )
    server_name: Texts = Field(
        default_factory=list, description="Only TLS clients that ask for these names (accept), wildcards allowed."
    )
    port: Literal["devices", "auth"] | None = Field(
        default=None,
        description="Only new connections to the devices' ports (as without it), or to the authorization server's own "
        "(`auth`: `--auth-port`; accept).",
    )
    after: AnyMoment | None = Field(
        default=None,
        description="A duration, or request, headers, {sent: BYTES}, {audio: 1s}, {bytes: 6400}, {upload: began | "
        "ended}, with `time` for so long after it. As soon as it can be without it.",
    )
    nth: int | None = Field(default=None, ge=1, description="Only at the nth occasion.")
    every: PlainDuration | None = Field(
        default=None, gt=0, description="Again and again at this distance (downchannel, connection, accept)."
    )
    chance: float = Field(default=1.0, gt=0, le=1, description="How likely it is at each occasion.")
    seed: int = Field(default=0, ge=0, description="The same seed draws the same chances.")
    times: int | None = Field(default=None, ge=1, description="After so many strikes it is gone.")
    for_: PlainDuration | None = Field(
        default=None, alias="for", gt=0, description="After so long it is gone; what it does by lasting ends then too."
    )

    # Streams
    reset: Reset | None = None
    end: End | None = None
    trailers: Trailers | None = None
    window: Window | None = None
    frames: Frames | None = None
    # Connections
    goaway: Goaway | None = None
    settings: SettingsChange | None = None
    settings_ack: SettingsAck | None = None
    pong: Pong | None = None
    ping: Ping | None = None
    bad_frame: BadFrame | None = None
    # Below HTTP/2
    accept: Accept | None = None
    certificate: Certificate | None = None
    tls: Tls | None = None
    listener: ListenerGone | None = None
    cut: Cut | None = None
    hang_up: HangUp | None = None
    # Pace
    pace: Pace | None = None
    # Another answer
    status: Status | None = None
    portal: Portal | None = None
    empty: Empty | None = None
    content_type: ContentType | None = None
    content_length: ContentLength | None = None
    # Form
    multipart: Multipart | None = None
    content_id: ContentIdFault | None = None
    json_: Json | None = Field(default=None, alias="json")
    # Meaning
    dialogue: Dialogue | None = None
    message: Message | None = None
    mutate: Mutate | None = None
    drop: Drop | None = None
    repeat: Repeat | None = None
    late: Late | None = None
    order: Order | None = None
    attachment: AttachmentFault | None = None
    answer_twice: AnswerTwice | None = None
    token: TokenTrouble | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Fault:
        found = [key for key, field in ACTS.items() if getattr(self, field) is not None]
        if empty := [key for key, field in ACTS.items() if field in self.model_fields_set and key not in found]:
            raise PydanticCustomError(
                "fault",
                "`{found}` without a value",
                {"found": empty[0], "expected": how_to_write(empty[0]), "mend": "", "at": empty[0]},
            )
        if len(found) != 1:
            raise PydanticCustomError(
                "fault",
                "a fault with {found}",
                {
                    "found": " and ".join(found) or "no act",
                    "expected": f"exactly one of {', '.join(ACTS)}",
                    "mend": "write several faults as a list" if found else "",
                },
            )
        act = self.act
        if self.on is not None and self.on not in act.AIMS:
            raise PydanticCustomError(
                "fault_aim",
                "`{act}` aimed at {found}",
                {
                    "act": found[0],
                    "found": self.on,
                    "expected": f"`on:` {' or '.join(act.AIMS)}",
                    "mend": "" if len(act.AIMS) > 1 else "leave `on` out",
                    "at": "on",
                },
            )
        if (why := _impossible(self)) is not None:
            keys = ("every", "client", "server_name", "port", "event")
            said = next((key for key in keys if f"`{key}" in why[0]), "after")
            raise PydanticCustomError(
                "fault_moment", "{found}", {"found": why[0], "expected": why[1], "mend": why[2], "at": said}
            )
        return self

    @cached_property
    def kind(self) -> str:
        """The key of its act."""
        return next(key for key, field in ACTS.items() if getattr(self, field) is not None)

    @cached_property
    def act(self) -> Act:
        """Its act."""
        act = getattr(self, ACTS[next(key for key, field in ACTS.items() if getattr(self, field) is not None)])
        assert isinstance(act, Act)
        return act

    @property
    def role(self) -> Role:
        """What it is aimed at."""
        if self.on is None and self.act.PER_DIRECTIVE and self.directive and PUSHED.issuperset(self.directive):
            return "downchannel"
        return self.on or self.act.AIMS[0]

    @property
    def label(self) -> str:
        """Its name, or its act's."""
        return self.name or self.kind

    def is_about_event(self, full_name: str) -> bool:
        """Whether an event of this name is aimed at."""
        return not self.event or any(fnmatch.fnmatchcase(full_name, pattern) for pattern in self.event)

    def is_about_name(self, server_name: str | None) -> bool:
        """Whether a TLS client that asks for this name is aimed at."""
        return not self.server_name or any(fnmatch.fnmatchcase(server_name or "", each) for each in self.server_name)

    def is_about_directive(self, full_name: str) -> bool:
        """Whether a directive of this name is aimed at."""
        return not self.directive or any(fnmatch.fnmatchcase(full_name, pattern) for pattern in self.directive)


PUSHED: Final = frozenset({"Clova.Hello", "SpeechRecognizer.StopCapture", "SpeechRecognizer.ConfirmWakeUp"})
"""Directives that never answer an event: a fault that is about these alone is aimed at the downchannel."""

ACTS: Final[dict[str, str]] = {
    field.alias or name: name
    for name, field in Fault.model_fields.items()
    if any(isinstance(kind, type) and issubclass(kind, Act) for kind in getattr(field.annotation, "__args__", ()))
}
"""The acts: their keys, and the fields of `Fault` that hold them."""


def act_type(key: str) -> type[Act]:
    """The type of an act."""
    kinds = getattr(Fault.model_fields[ACTS[key]].annotation, "__args__", ())
    return next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Act))


def _impossible(fault: Fault) -> tuple[str, str, str] | None:
    """What no engine can do: found, expected, mend."""
    after, role, kind = fault.after, fault.role, fault.kind
    if after is not None and not after.of_upload:
        if (after.sent is not None or after.headers) and fault.act.SHAPES and kind not in ("pace", "frames"):
            return f"`{kind}` from the middle of an answer on", "no `sent` or `headers` beside it", ""
        if (after.sent is not None or after.headers) and role in ("connection", "accept"):
            return f"`after: {after}` of a fault on {role}", "a duration, or a moment of an upload", "aim it at answer"
        if (after.headers or after.sent is not None) and (fault.act.IN_THE_HEAD or kind == "empty"):
            return f"`{kind}` after the headers", "no `headers` or `sent` beside it", "it is in the headers"
    if after is not None and after.time and (after.sent is not None or after.headers) and fault.act.SHAPES:
        return f"`time` beside `{after.found[0]}` of `{kind}`", "one of the two", "it changes what comes from then on"
    if after is not None and role == "accept" and after.found:
        return f"`after: {after}` of a fault on accept", "a duration", "no device is known yet"
    if after is not None and after.of_upload and role == "token":
        return "a moment of an upload for the authorization server", "request, headers, {sent: BYTES}", ""
    if fault.every is not None and fault.act.SHAPES | fault.act.IN_THE_HEAD:
        return (
            f"`every` beside `{kind}`",
            "`nth`, `chance` or `times`",
            "each directive, message or answer is an occasion",
        )
    if role == "downchannel" and fault.act.IN_THE_HEAD:
        if after is not None and (after.time or after.of_upload):
            return f"`{kind}` of a downchannel after {after}", "no `after`", "it answers the request for a downchannel"
        if fault.event:
            return f"`event` beside `{kind}` of a downchannel", "none", "it answers the request for a downchannel"
    if fault.client or fault.server_name:
        key = "client" if fault.client else "server_name"
        if isinstance(fault.act, ListenerGone):
            return f"`{key}` beside `{kind}`", f"no `{key}`", "the port is closed to everybody; `accept: refuse` is not"
        if role != "accept":
            return f"`{key}` beside `{kind}`", "it beside what is aimed at accept", "aim others with `on` and `event`"
    if fault.port is not None and role != "accept":
        return f"`port` beside `{kind}`", "it beside what is aimed at accept", "aim others with `on` and `event`"
    if fault.port == "auth" and isinstance(fault.act, SettingsChange | SettingsAck):
        return f"`port: auth` beside `{kind}`", "the devices' ports", "the HTTP/2 of that port is out of reach"
    if role == "accept" and fault.event:
        return f"`event` beside `{kind}` on accept", "client or server_name", "no event is known yet"
    if fault.every is not None and role in ("answer", "token"):
        return f"`every` of a fault on {role}", "`nth`, `chance` or `times`", "it comes with each request anyway"
    return None


def how_to_write(key: str) -> str:
    """An act with a value it can have, as YAML."""
    return f"`{WRITTEN[key][0]}`" if key in WRITTEN else f"a value for `{key}`"


Faults = Annotated[list[Fault], BeforeValidator(read_list)]
"""One fault, or a list."""
