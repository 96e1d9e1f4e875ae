"""Acts on one HTTP/2 stream."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Final, Literal

from h2.errors import ErrorCodes
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from mockcic.scenario.faults.act import Act, Role
from mockcic.scenario.words import PlainDuration, Size, suggest, wrong

NAMES: Final = tuple(code.name for code in ErrorCodes)
FIELD_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+")
"""A token of RFC 9110 5.6.2, in lower case: no pseudo field has such a name."""
OF_THE_CONNECTION: Final = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
"""Not in HTTP/2 (RFC 9113 8.2.2)."""
HEXADECIMAL: Final = re.compile(r"0x[0-9A-Fa-f]{1,8}")


def read_code(value: object) -> int:
    """The number of an error code of RFC 9113 7: `CANCEL` is 8; any other number is taken as it is."""
    if isinstance(value, str) and value in NAMES:
        return int(ErrorCodes[value])
    if isinstance(value, str) and HEXADECIMAL.fullmatch(value):
        return int(value, 16)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32:
        return value
    near = suggest(str(value), NAMES)
    raise wrong(value, f"an error code of RFC 9113: {', '.join(NAMES)}, or a number", f"write {near}" if near else "")


def say_code(code: int) -> str:
    """`CANCEL` of 8; the number of one that has no name."""
    try:
        return ErrorCodes(code).name
    except ValueError:
        return f"{code:#x}"


Code = Annotated[
    int,
    BeforeValidator(read_code),
    WithJsonSchema(
        {"anyOf": [{"enum": list(NAMES)}, {"type": "integer", "minimum": 0}, {"pattern": "^0x[0-9A-Fa-f]{1,8}$"}]}
    ),
]


def _read_field_name(name: str) -> str:
    if FIELD_NAME.fullmatch(name) and name not in OF_THE_CONNECTION:
        return name
    lower = name.lower()
    mend = f"write {lower}" if name != lower and FIELD_NAME.fullmatch(lower) else ""
    raise wrong(name, "a field name in lower case that HTTP/2 allows (RFC 9113 8.2)", mend)


def _read_field_value(value: str) -> str:
    if not value.isascii() or not (value.isprintable() or not value) or value != value.strip():
        raise wrong(value, "printable ASCII without blanks at its ends")
    return value


FieldName = Annotated[str, AfterValidator(_read_field_name)]
FieldValue = Annotated[str, AfterValidator(_read_field_value)]


class Reset(Act):
    """RST_STREAM, with any code: before the headers, behind them, or in the middle of a part."""

    AIMS: ClassVar[tuple[Role, ...]] = ("answer", "downchannel", "token")
    SHORT: ClassVar[str] = "code"
    SEES: ClassVar[str] = "RST_STREAM with the code; of the answer what was sent before"
    GOOD: ClassVar[str] = (
        "the event is lost and told to the user, the connection goes on; REFUSED_STREAM is safe to send again "
        "(RFC 9113 8.7); a reset downchannel is opened anew at once (PROTOCOL 2.2)"
    )

    code: Code = Field(default=ErrorCodes.CANCEL, description="A name of RFC 9113 7, or a number.")

    def about(self) -> str:
        """As of every act."""
        return f"RST_STREAM {say_code(self.code)}"


class End(Act):
    """END_STREAM too early: the answer stops in the middle as if it were whole."""

    SEES: ClassVar[str] = "END_STREAM behind the bytes sent so far; the closing delimiter never comes"
    GOOD: ClassVar[str] = "takes the parts that came whole, drops the broken one; a downchannel is opened anew at once"
    AIMS: ClassVar[tuple[Role, ...]] = ("answer", "downchannel", "token")
    SHORT: ClassVar[str] = "how"

    how: Literal["early"] = Field(default="early", description="Before the answer is whole.")

    def about(self) -> str:
        """As of every act."""
        return "END_STREAM before the answer was whole"


class Trailers(Act):
    """Header fields behind the answer."""

    AIMS: ClassVar[tuple[Role, ...]] = ("answer", "token")
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "fields"
    SHORT_MAPPING: ClassVar[bool] = True
    SEES: ClassVar[str] = "the whole answer, then HEADERS with END_STREAM"
    GOOD: ClassVar[str] = "takes the answer and does not mind the trailers (RFC 9113 8.1)"

    fields: dict[FieldName, FieldValue] = Field(
        default_factory=lambda: {"x-mock": "trailer"}, description="Names, lower case, and values."
    )

    def about(self) -> str:
        """As of every act."""
        return f"trailers {', '.join(self.fields)}"


class Window(Act):
    """The window stays shut: what the device uploads is not acknowledged with WINDOW_UPDATE."""

    AIMS: ClassVar[tuple[Role, ...]] = ("answer", "connection")
    SHORT: ClassVar[str] = "shut"
    SEES: ClassVar[str] = (
        "no WINDOW_UPDATE: the upload stops when the window is used up (of a connection: at once, by "
        "SETTINGS_INITIAL_WINDOW_SIZE 0)"
    )
    GOOD: ClassVar[str] = "waits and goes on when it opens; gives up by its own time-out, and says so (RFC 9113 5.2)"

    shut: PlainDuration = Field(default=5.0, description="For so long.")

    @property
    def lasts_s(self) -> float | None:
        """As of every act."""
        return float(self.shut)

    def about(self) -> str:
        """As of every act."""
        return f"the window is shut for {self.shut:g} s"


class Frames(Act):
    """The answer is cut into DATA frames, each written by itself."""

    AIMS: ClassVar[tuple[Role, ...]] = ("answer", "downchannel", "token")
    SHAPES: ClassVar[bool] = True
    SEES: ClassVar[str] = "the same bytes in other frames: cut in a delimiter, in a header, in a letter; with padding"
    GOOD: ClassVar[str] = "reads as ever: neither delimiters nor directives end where frames do (RFC 9113 6.1)"

    at: list[Annotated[int, Field(ge=1)]] = Field(
        default_factory=list,
        description="Cut behind these bytes of the answer; of each message on a downchannel.",
    )
    every: Size | None = Field(default=None, ge=1, description="Cut behind each so many bytes.")
    padding: Annotated[int, Field(ge=0, le=255)] | None = Field(
        default=None, description="PADDED, with so many bytes of padding in each frame."
    )
    gap: PlainDuration = Field(default=0.0, description="Wait so long between two frames.")

    @model_validator(mode="after")
    def _cuts(self) -> Frames:
        if not (self.at or self.every or self.padding is not None):
            raise PydanticCustomError(
                "frames", "frames that are as ever", {"expected": "at, every or padding", "mend": ""}
            )
        return self

    def about(self) -> str:
        """As of every act."""
        cuts = [f"each {self.every} bytes" if self.every else "", f"at {self.at}" if self.at else ""]
        padding = "" if self.padding is None else f", padding {self.padding}"
        return f"DATA cut {' and '.join(cut for cut in cuts if cut) or 'as ever'}{padding}"
