"""How slowly an answer comes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from mockcic.scenario.faults.act import Act, Role
from mockcic.scenario.settings import Part
from mockcic.scenario.words import PlainDuration, Rate, Size


class Pause(Part):
    """Silence in the middle."""

    for_: PlainDuration = Field(alias="for", description="So long.")
    at: Literal["boundary"] | Annotated[int, Field(ge=0)] = Field(
        default="boundary",
        description="In the middle of the next delimiter, or behind so many bytes of the answer (of each message on a "
        "downchannel).",
    )


class Pace(Act):
    """Slow: a late first byte, a rate, jitter, byte by byte, a pause in the middle of a boundary."""

    NEEDS_WIRE: ClassVar[bool] = False
    AIMS: ClassVar[tuple[Role, ...]] = ("answer", "downchannel", "token")
    SHAPES: ClassVar[bool] = True
    SEES: ClassVar[str] = "the right bytes, late or in dribs and drabs"
    GOOD: ClassVar[str] = (
        "takes what is there as it comes: plays speech before the answer is whole, waits no more than its time-out, "
        "and goes on answering PINGs meanwhile (PROTOCOL 4.6, INF)"
    )

    first_byte: PlainDuration = Field(default=0.0, description="Wait so long before the headers.")
    rate: Rate | None = Field(default=None, gt=0, description="Bytes a second.")
    dribble: Size | None = Field(default=None, ge=1, description="Write so many bytes at a time; 1 is byte by byte.")
    jitter: PlainDuration = Field(default=0.0, description="Wait up to so long, by chance, before each write.")
    pause: Pause | None = Field(default=None, description="{for: 2s, at: boundary | BYTES}.")

    @model_validator(mode="after")
    def _slows_something(self) -> Pace:
        if not self.model_fields_set:
            raise PydanticCustomError(
                "pace",
                "a pace that is as ever",
                {"expected": f"one of {', '.join(type(self).model_fields)}", "mend": ""},
            )
        return self

    def about(self) -> str:
        """As of every act."""
        said = [
            f"first byte after {self.first_byte:g} s" if self.first_byte else "",
            f"{self.rate:g} bytes a second" if self.rate else "",
            f"{self.dribble} bytes at a time" if self.dribble else "",
            f"jitter of up to {self.jitter:g} s" if self.jitter else "",
            f"a pause of {self.pause.for_:g} s" if self.pause else "",
        ]
        return ", ".join(each for each in said if each) or "no pace"
