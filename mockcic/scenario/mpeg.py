"""Which MP3 a made sound becomes: its sample rate and bit rate."""

from __future__ import annotations

from typing import Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from mockcic.scenario.settings import Part
from mockcic.sound.layer3 import RATES, bitrates_of

USUAL_KBPS: Final = 32
"""Enough for speech, and the lowest that every sample rate has (INF: no document gives one, PROTOCOL 4.5)."""


class Mp3(Part):
    """Layer III of MPEG-1 or MPEG-2, mono: devices take what AUDIO_MPEG may be (PROTOCOL 4.5)."""

    rate: int | None = Field(
        default=None, description="Samples a second, of the MP3; without it the nearest to what was made."
    )
    bitrate: int = Field(default=USUAL_KBPS, description="Kilobits a second.")

    @model_validator(mode="after")
    def _is_layer_3(self) -> Self:
        if self.rate is not None and self.rate not in RATES:
            raise mp3_error(
                f"an MP3 of {self.rate} samples a second", f"one of {words(RATES)} (ISO/IEC 11172-3, 13818-3)"
            )
        if self.rate is not None and self.bitrate not in bitrates_of(self.rate):
            what = f"{self.bitrate} kilobits a second at {self.rate} samples a second"
            raise mp3_error(what, f"one of {words(bitrates_of(self.rate))} (ISO/IEC 11172-3, 13818-3)")
        every = tuple(sorted({each for rate in RATES for each in bitrates_of(rate)}))
        if self.bitrate not in every:
            raise mp3_error(f"{self.bitrate} kilobits a second", f"one of {words(every)} (ISO/IEC 11172-3, 13818-3)")
        return self

    def rate_for(self, made: int) -> int:
        """The MP3's sample rate for a sound made at `made` samples a second.

        Without a `rate` the lowest that loses nothing and knows the bit rate.
        """
        if self.rate is not None:
            return self.rate
        fit = [each for each in RATES if self.bitrate in bitrates_of(each)]
        return min(fit, key=lambda each: (each < made, abs(each - made)))


def words(numbers: tuple[int, ...]) -> str:
    """As a person lists them."""
    return ", ".join(map(str, numbers))


def mp3_error(what: str, expected: str) -> PydanticCustomError:
    """Something wrong with it, in the words a person reads."""
    return PydanticCustomError("sound", "{what}", {"what": what, "expected": expected, "mend": ""})


__all__ = ["USUAL_KBPS", "Mp3"]
