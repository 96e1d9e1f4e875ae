"""Another answer than was due."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mockcic.scenario.faults.act import Act, Role
from mockcic.scenario.faults.stream import FieldValue


class Status(Act):
    """A status instead of the answer: the token is refused in mid-session, too many requests, no service."""

    NEEDS_WIRE: ClassVar[bool] = False
    IN_THE_HEAD: ClassVar[bool] = True
    AIMS: ClassVar[tuple[Role, ...]] = ("answer", "downchannel", "token")
    SHORT: ClassVar[str] = "code"
    SEES: ClassVar[str] = "the status, with `retry-after` where it is given, and a System.Exception or an OAuth error"
    GOOD: ClassVar[str] = (
        "401: refreshes its token and asks again, once (PROTOCOL 2.5); 429, 503: waits as `retry-after` says, else "
        "with growing pauses; 403: gives up and tells the user"
    )

    code: Annotated[int, Field(ge=400, le=599)] = Field(description="401, 403, 429, 503 or any other from 400 on.")
    retry_after: int | None = Field(
        default=None, ge=0, le=31_536_000, description="Seconds, as the header of that name."
    )
    description: str = Field(default="", description="What the exception says; what fits the status without it.")

    def about(self) -> str:
        """As of every act."""
        after = "" if self.retry_after is None else f", retry after {self.retry_after} s"
        return f"answered with {self.code}{after}"


class Portal(Act):
    """A captive portal: HTML where multipart was due, or a redirect to it."""

    NEEDS_WIRE: ClassVar[bool] = False
    IN_THE_HEAD: ClassVar[bool] = True
    AIMS: ClassVar[tuple[Role, ...]] = ("answer", "downchannel", "token")
    SHORT: ClassVar[str] = "status"
    SEES: ClassVar[str] = "a page of HTML with 200, 502 or another status, or 302 with a location"
    GOOD: ClassVar[str] = (
        "sees by the content type that this is not CIC, drops it, tries again later with growing pauses (INF)"
    )

    status: Literal[200, 302, 307, 502, 503, 504, 511] = Field(default=200, description="Its status.")

    def about(self) -> str:
        """As of every act."""
        return f"HTML with {self.status} as of a captive portal"


class Empty(Act):
    """A 200 of multipart without a byte in it."""

    NEEDS_WIRE: ClassVar[bool] = False
    AIMS: ClassVar[tuple[Role, ...]] = ("answer", "token")
    SHORT: ClassVar[str] = "body"
    SEES: ClassVar[str] = "200, the right content type, END_STREAM; no byte"
    GOOD: ClassVar[str] = "takes it as an answer without directives"

    body: Literal[True] = Field(default=True, description="Nothing else can be said of it.")

    def about(self) -> str:
        """As of every act."""
        return "the body is empty"


class ContentType(Act):
    """Another content type than the body has; empty for none."""

    NEEDS_WIRE: ClassVar[bool] = False
    IN_THE_HEAD: ClassVar[bool] = True
    AIMS: ClassVar[tuple[Role, ...]] = ("answer", "downchannel", "token")
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "value"
    SEES: ClassVar[str] = "the right body under a wrong content type"
    GOOD: ClassVar[str] = "does not parse what is not multipart, and does not crash"

    value: FieldValue = Field(max_length=1000, description="The whole value; empty for no such header.")

    def about(self) -> str:
        """As of every act."""
        return f"content-type: {self.value}" if self.value else "no content-type"


class ContentLength(Act):
    """A content-length that lies."""

    NEEDS_WIRE: ClassVar[bool] = False
    IN_THE_HEAD: ClassVar[bool] = True
    AIMS: ClassVar[tuple[Role, ...]] = ("answer", "token")
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "bytes"
    SEES: ClassVar[str] = "content-length with a number that is not the body's length"
    GOOD: ClassVar[str] = (
        "takes it as malformed (RFC 9113 8.1.1): drops it with PROTOCOL_ERROR on the stream, not on others"
    )

    bytes: Annotated[int, Field(ge=0, le=10**12)] = Field(description="What it says.")

    def about(self) -> str:
        """As of every act."""
        return f"content-length {self.bytes}"
