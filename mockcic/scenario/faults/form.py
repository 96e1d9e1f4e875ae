"""The form of a multipart answer: what is not as RFC 2046 and PROTOCOL section 4 have it."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from pydantic import Field

from mockcic.scenario.faults.act import Act

MULTIPARTS: Final = {
    "wrong-boundary": "another boundary in the header than in the body",
    "no-end": "the last delimiter is missing",
    "double-end": "the last delimiter comes twice",
    "lf": "line ends of LF alone",
    "preamble": "a text before the first delimiter",
    "epilogue": "a text behind the last delimiter",
    "no-blank-line": "no empty line between the headers of a part and its body",
    "no-headers": "parts without headers",
    "boundary-in-body": "a part that holds what looks like the delimiter",
}
CONTENT_IDS: Final = {
    "wrong": "a Content-Id that no `cid:` names",
    "double": "two attachments with one Content-Id",
    "missing": "an attachment without Content-Id",
}
JSONS: Final = {
    "cut": "the JSON of a directive ends in the middle",
    "not-utf-8": "JSON in EUC-KR where UTF-8 was said, with bytes that are no UTF-8",
    "bom": "JSON behind a byte order mark",
    "deep": "JSON with a member that is 10,000 arrays deep",
    "huge": "JSON with a member of 4 MiB",
    "empty": "a part of JSON without a byte",
    "array": "JSON that is a list of directives",
}


class Multipart(Act):
    """Multipart that is not quite: delimiters, line ends, boundary."""

    NEEDS_WIRE: ClassVar[bool] = False
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "how"
    SEES: ClassVar[str] = "the answer in a wrong form"
    GOOD: ClassVar[str] = (
        "ignores preamble and epilogue (RFC 2046 5.1.1), drops what it cannot read, keeps the connection and the other "
        "parts; opens a downchannel anew that it cannot read any more"
    )

    how: Literal[
        "wrong-boundary", "no-end", "double-end", "lf", "preamble", "epilogue", "no-blank-line", "no-headers",
        "boundary-in-body",
    ] = Field(description="What is wrong.")  # fmt: skip

    def about(self) -> str:
        """As of every act."""
        return MULTIPARTS[self.how]


class ContentIdFault(Act):
    """Attachments whose Content-Id is wrong, doubled or missing."""

    NEEDS_WIRE: ClassVar[bool] = False
    PER_DIRECTIVE: ClassVar[bool] = True
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "how"
    SEES: ClassVar[str] = "a directive whose `cid:` leads to no attachment, or to two"
    GOOD: ClassVar[str] = "plays nothing and drops it; does not wait for ever (INF)"

    how: Literal["wrong", "double", "missing"] = Field(description="What is wrong.")

    def about(self) -> str:
        """As of every act."""
        return CONTENT_IDS[self.how]


class Json(Act):
    """JSON of a directive that cannot be read, or hardly."""

    NEEDS_WIRE: ClassVar[bool] = False
    PER_DIRECTIVE: ClassVar[bool] = True
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "how"
    SEES: ClassVar[str] = "a part of JSON that is cut, in another charset, behind a BOM, deep or huge"
    GOOD: ClassVar[str] = "drops that part alone, obeys the next directive; never crashes (RFC 8259 8.1 and 9)"

    how: Literal["cut", "not-utf-8", "bom", "deep", "huge", "empty", "array"] = Field(description="What is wrong.")

    def about(self) -> str:
        """As of every act."""
        return JSONS[self.how]
