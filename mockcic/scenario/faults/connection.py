"""Acts on one HTTP/2 connection. What ends it below HTTP/2 is in `line`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from h2.errors import ErrorCodes
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from mockcic.scenario.faults.act import Act, Role
from mockcic.scenario.faults.stream import Code, say_code
from mockcic.scenario.settings import Part
from mockcic.scenario.words import PlainDuration, read_base64, wrong

DEBUG_BYTES: Final = 16_000
"""Of debug data: a frame holds 16,384 bytes (RFC 9113 4.2) with its codes."""


class Goaway(Act):
    """GOAWAY, and the connection closes after it or goes on."""

    AIMS: ClassVar[tuple[Role, ...]] = ("connection", "answer", "downchannel")
    SHORT: ClassVar[str] = "code"
    SEES: ClassVar[str] = (
        "GOAWAY with the code, the last stream and the debug data; an event above the last stream that has no answer "
        "yet gets none; FIN or RST where `close` says so"
    )
    GOOD: ClassVar[str] = (
        "no new stream on this connection (RFC 9113 6.8), a new one at once; an event above the last stream id was not "
        "worked on and may be sent again; running answers below it are read to their end"
    )

    code: Code = Field(default=ErrorCodes.NO_ERROR, description="A name of RFC 9113 7, or a number.")
    last_stream: Literal["newest", "before"] | Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        default="newest",
        description="The last stream worked on: the newest, the one `before` the running event, or a number.",
    )
    debug: str = Field(default="", description="Debug data; of at most 16,000 bytes, so that one frame holds it.")
    close: Literal["fin", "rst"] | None = Field(default=None, description="End the connection after it.")

    @field_validator("debug")
    @classmethod
    def _fits_into_a_frame(cls, value: str) -> str:
        if (size := len(value.encode())) > DEBUG_BYTES:
            raise wrong(f"{size} bytes", f"at most {DEBUG_BYTES} bytes of UTF-8")
        return value

    def about(self) -> str:
        """As of every act."""
        after = f", then {self.close.upper()}" if self.close else ""
        return f"GOAWAY {say_code(self.code)}, last stream {self.last_stream}{after}"


class SettingsChange(Act):
    """SETTINGS with other values, in the middle of a connection or from its beginning."""

    AIMS: ClassVar[tuple[Role, ...]] = ("connection", "accept", "answer", "downchannel")
    SEES: ClassVar[str] = "SETTINGS with these values, to be acknowledged; streams above the limit get REFUSED_STREAM"
    GOOD: ClassVar[str] = "acknowledges and obeys from then on, open streams too (RFC 9113 6.5.3, 6.9.2)"

    header_table_size: Annotated[int, Field(ge=0, le=65_536)] | None = Field(default=None, description="Bytes.")
    enable_push: Literal[0] | None = Field(default=None, description="A server may only say 0 (RFC 9113 6.5.2).")
    max_concurrent_streams: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="Streams of the device at a time; 1 leaves none for an event beside a downchannel."
    )
    initial_window_size: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        default=None, description="Bytes; 0 stops every upload, running ones too."
    )
    max_frame_size: Annotated[int, Field(ge=16_384, le=2**24 - 1)] | None = Field(default=None, description="Bytes.")
    max_header_list_size: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(default=None, description="Bytes.")

    @model_validator(mode="after")
    def _changes_something(self) -> SettingsChange:
        if not self.model_fields_set:
            raise PydanticCustomError(
                "settings",
                "settings without a value",
                {"expected": f"one of {', '.join(type(self).model_fields)}", "mend": ""},
            )
        return self

    def values(self) -> dict[str, int]:
        """Those that are given, by their names in capitals as RFC 9113 6.5.2 has them."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return {name.upper(): value for name, value in given.items() if value is not None}

    def about(self) -> str:
        """As of every act."""
        return "SETTINGS " + ", ".join(f"{name} {value}" for name, value in self.values().items())


class SettingsAck(Act):
    """The device's SETTINGS are never acknowledged."""

    AIMS: ClassVar[tuple[Role, ...]] = ("accept", "connection")
    SHORT: ClassVar[str] = "how"
    SEES: ClassVar[str] = "no SETTINGS with ACK"
    GOOD: ClassVar[str] = "may end the connection with SETTINGS_TIMEOUT after a while (RFC 9113 6.5.3), and comes again"

    how: Literal["never"] = Field(default="never", description="Nothing else can be said of it.")

    def about(self) -> str:
        """As of every act."""
        return "SETTINGS are not acknowledged"


class Late(Part):
    """So much later."""

    late: PlainDuration


class Pong(Act):
    """The device's PINGs are never acknowledged, late, or with other data than they had."""

    AIMS: ClassVar[tuple[Role, ...]] = ("connection",)
    SHORT: ClassVar[str] = "how"
    SHORT_MAPPING: ClassVar[bool] = True
    SEES: ClassVar[str] = "no PING with ACK, a late one, or one with foreign data"
    GOOD: ClassVar[str] = (
        "an unanswered PING means a dead line: a new connection (PROTOCOL 2.4); wrong data is no answer"
    )

    how: Literal["never", "wrong"] | Late = Field(default="never", description="never, wrong, or {late: 2s}.")

    def about(self) -> str:
        """As of every act."""
        late = f"{self.how.late:g} s late" if isinstance(self.how, Late) else self.how
        return f"PING is acknowledged {late}" if late != "wrong" else "PING is acknowledged with other data"


class Ping(Act):
    """PINGs of the server, which have to be answered."""

    AIMS: ClassVar[tuple[Role, ...]] = ("connection",)
    SHORT: ClassVar[str] = "within"
    SEES: ClassVar[str] = "PING"
    GOOD: ClassVar[str] = "acknowledges it at once, with its data (RFC 9113 6.7); a missing answer is a finding"

    within: PlainDuration = Field(default=5.0, description="A finding when it is not acknowledged within this.")

    def about(self) -> str:
        """As of every act."""
        return f"PING, to be acknowledged within {self.within:g} s"


BAD_FRAMES: Final = {
    "unknown-type": "a frame of a type there is not, which has to be ignored (RFC 9113 4.1)",
    "unknown-setting": "a SETTINGS value there is not, which has to be ignored (RFC 9113 6.5.2)",
    "ping-length": "PING of 7 bytes: FRAME_SIZE_ERROR (RFC 9113 6.7)",
    "settings-length": "SETTINGS of 5 bytes: FRAME_SIZE_ERROR (RFC 9113 6.5)",
    "too-large": "a DATA frame larger than SETTINGS_MAX_FRAME_SIZE: FRAME_SIZE_ERROR (RFC 9113 4.2)",
    "huge-headers": "a header block larger than any device takes, in CONTINUATION frames",
    "bad-hpack": "a header block that cannot be decoded: COMPRESSION_ERROR (RFC 9113 4.3)",
    "padding": "DATA with more padding than it has bytes: PROTOCOL_ERROR (RFC 9113 6.1)",
    "data-on-closed": "DATA on a stream that is closed: STREAM_CLOSED (RFC 9113 5.1)",
    "data-on-idle": "DATA on a stream that never was: PROTOCOL_ERROR (RFC 9113 5.1)",
    "push-promise": "PUSH_PROMISE to a device that may have forbidden it: PROTOCOL_ERROR (RFC 9113 8.4)",
    "window-overflow": "WINDOW_UPDATE beyond 2^31-1: FLOW_CONTROL_ERROR (RFC 9113 6.9.1)",
    "window-zero": "WINDOW_UPDATE of 0: PROTOCOL_ERROR (RFC 9113 6.9)",
    "continuation": "CONTINUATION without HEADERS before it: PROTOCOL_ERROR (RFC 9113 6.10)",
    "garbage": "bytes that are no frame at all",
}
"""Frames that break the rules, or bend them."""


class BadFrame(Act):
    """A frame that breaks the rules of HTTP/2, or bytes as they stand."""

    AIMS: ClassVar[tuple[Role, ...]] = ("connection", "answer", "downchannel")
    SHORT: ClassVar[str] = "frame"
    SEES: ClassVar[str] = "the frame"
    GOOD: ClassVar[str] = (
        "ignores what has to be ignored; else ends the stream or the connection with the code that RFC 9113 names, and "
        "connects anew; never hangs or crashes"
    )

    frame: Literal[
        "unknown-type", "unknown-setting", "ping-length", "settings-length", "too-large", "huge-headers", "bad-hpack",
        "padding", "data-on-closed", "data-on-idle", "push-promise", "window-overflow", "window-zero", "continuation",
        "garbage",
    ] | None = Field(default=None, description="Which one.")  # fmt: skip
    base64_: str | None = Field(default=None, alias="base64", description="The bytes themselves instead, in base64.")

    @model_validator(mode="after")
    def _is_one(self) -> BadFrame:
        if (self.frame is None) == (self.base64_ is None):
            raise wrong("both or none", "one of frame and base64")
        if self.base64_ is not None:
            read_base64(self.base64_)
        return self

    def about(self) -> str:
        """As of every act."""
        return BAD_FRAMES[self.frame] if self.frame else "bytes as they stand"
