"""The settings of a scenario: every question the documents leave open, with our default (PROTOCOL section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from mockcic.scenario.dialects import DIALECTS, DialectName
from mockcic.scenario.words import Duration, Size
from mockcic.wire.decode import Limits, Tolerance
from mockcic.wire.encode import Dialect

Profile = Literal["seed", "2021"]


class Part(BaseModel):
    """A mapping of the language: closed, and never changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


class AnswerForm(Part):
    """How a multipart answer is announced (row 2)."""

    subtype: Literal["related", "form-data"] = "related"
    semicolon: bool = Field(default=True, description="A semicolon behind the boundary (DEVICES R3).")
    type_parameter: bool = Field(default=False, description='`type="application/json"`, as RFC 2387 wants.')
    boundary: Literal["plain", "hyphens", "long", "quoted"] = Field(
        default="plain", description="Letters and digits; with hyphens; 70 characters; in quotes (RFC 2046 5.1.1)."
    )
    preamble: bool = Field(default=False, description="A CRLF before the first delimiter (PROTOCOL 4.7).")
    end: Literal["crlf", "bare", "epilogue"] = Field(
        default="crlf", description="Behind the last delimiter: a CRLF, nothing, or two."
    )


class PartForm(Part):
    """How the parts of an answer are headed (PROTOCOL 4.2, 4.3)."""

    names: Literal["named", "metadata", "random"] = Field(
        default="named", description="`speakDirective-<uuid>`; `metadata` and `audio`; random."
    )
    header_case: Literal["as written", "lower"] = Field(
        default="as written", description="`Content-Type`, or `content-type` (DEVICES R7)."
    )
    header_order: Literal["disposition first", "type first"] = "disposition first"
    charset: Literal["utf-8", "UTF-8", "none"] = Field(
        default="utf-8", description="Of JSON parts, as it is spelt (DEVICES R8)."
    )


class ContentId(Part):
    """How an attachment's id is written (row 3)."""

    name: Literal["Content-Id", "Content-ID"] = "Content-Id"
    brackets: bool = Field(default=False, description="`<id>`, which the AVS family needs (DEVICES R10).")


class SizeLimits(Part):
    """What an upload may be at the most (row 26)."""

    part_headers: Size = Field(default=16 * 1024, description="The headers of one part; over it 400.")
    json_: Size = Field(default=1024 * 1024, alias="json", description="The metadata part; over it 413.")
    body: Size = Field(default=10 * 1024 * 1024, description="The whole upload; over it 413.")
    upload_time: Duration | None = Field(
        default=None, description="How long an upload may take; over it 413. None: no limit."
    )


class Heard(Part):
    """A moment of an upload: so much sound, so many bytes, a silence, or its end."""

    audio: Duration | None = Field(default=None, description="After so much sound was received.")
    bytes: Size | None = Field(default=None, description="After so many bytes of sound were received.")
    silence: Duration | None = Field(
        default=None, description="When it has been silent for so long, after something louder than `silence_level`."
    )
    upload: Literal["ended"] | None = Field(default=None, description="When the upload is complete.")

    def __bool__(self) -> bool:
        return bool(self.model_fields_set)


def _read_stop_capture(value: object) -> object:
    if isinstance(value, str) and value != "never":
        return {"audio": value}
    if value is False:
        return "never"
    return value


def _read_hello(value: object) -> object:
    if isinstance(value, str) and value not in ("at once", "never", "twice"):
        return {"after": value}
    return value


def _read_profile(value: object) -> object:
    return "2021" if value == 2021 else value


class HelloAfter(Part):
    """`Clova.Hello` some time after the downchannel was opened."""

    after: Duration = Field(description="A duration with its unit, such as 2s.")


class PingAfter(Part):
    """A slow answer to `GET /ping`."""

    after: Duration = Field(description="A duration with its unit, such as 2s.")


AnyProfile = Annotated[Profile, BeforeValidator(_read_profile)]


class Settings(Part):
    """Every member has a default; three of them follow the profile."""

    exceptions: Literal["bare", "wrapped", "plain-json", "empty"] | None = Field(
        default=None,
        description="Form of System.Exception: bare in profile seed, wrapped (inside `directive`) in 2021 (row 1).",
    )
    multipart: AnswerForm = Field(default=AnswerForm(), description="How multipart answers are announced (row 2).")
    content_id: ContentId = Field(default=ContentId(), description="How attachments are named (row 3).")
    parts: PartForm = Field(default=PartForm(), description="How parts are headed (PROTOCOL 4.2, 4.3).")
    data_frames: Literal["joined", "part"] | Annotated[Size, Field(ge=1)] = Field(
        default="joined",
        description="DATA frames: what is ready together, up to 16 KiB; each part with its delimiter in one of its own "
        "(DEVICES R5); or so many bytes in each.",
    )
    date: bool = Field(default=True, description="A `date` in answers, as all samples have it (PROTOCOL 1.5).")
    user_agent: Literal["off", "warn", 400, 403] = Field(
        default="warn", description="A missing or wrong User-Agent: ignore, warn, or refuse (row 4)."
    )
    same_connection: bool | None = Field(
        default=None,
        description="412 for events without a downchannel or on another connection: off in seed, on in 2021 (row 5).",
    )
    downchannel_window: Duration | Literal["off"] = Field(
        default=0.3, description="429 for a downchannel asked for this soon after the last one (row 6)."
    )
    replaced_downchannel: Literal["close", "reset", "goaway", "silent"] = Field(
        default="close",
        description="The old downchannel when a new one comes: ended properly, by RST_STREAM(CANCEL), or behind a "
        "GOAWAY where the new one is on another connection; or left open without a word (row 7).",
    )
    hello: Annotated[Literal["at once", "never", "twice"] | HelloAfter, BeforeValidator(_read_hello)] = Field(
        default="at once", description="Clova.Hello: at once, never, twice, or after a duration (row 8)."
    )
    hello_dialogue: bool = Field(
        default=False, description="Clova.Hello with a dialogRequestId, which no document shows (PROTOCOL 2.1)."
    )
    downchannel_delimiter: Literal["after", "close", "before"] = Field(
        default="after",
        description="The delimiter after each directive (documents), a closing one (DEVICES R6), or only before "
        "the next (row 9).",
    )
    downchannel_lifetime: Duration | Literal["endless"] = Field(
        default="endless", description="After so long the downchannel is ended properly (row 10)."
    )
    ping: Literal[204, "never"] | PingAfter = Field(
        default=204, description="Answer to GET /ping: 204, never, or {after: 6s} (row 11)."
    )
    stop_capture: Annotated[Heard | Literal["never"], BeforeValidator(_read_stop_capture)] = Field(
        default=Heard(audio="1s"),
        description="When StopCapture is pushed by itself, for rules without `while_uploading`: 1.0s, {bytes: 6400}, "
        "{silence: 600ms}, never (row 15).",
    )
    stop_grace: Duration = Field(
        default=5.0,
        description="How long after StopCapture a device may upload before it is answered anyway (PROTOCOL 3.4).",
    )
    silence_level: float = Field(default=-45.0, le=0, description="dBFS below which the upload counts as silent.")
    closing_delimiter: Literal["lenient", "strict"] = Field(
        default="lenient", description="An upload without its last delimiter: taken with a finding, or 400 (row 16)."
    )
    line_ends: Literal["lenient", "strict"] = Field(
        default="lenient", description="LF instead of CRLF in an upload: taken with a finding, or 400 (DEVICES Q5)."
    )
    audio_parts: Literal["join", 400] = Field(default="join", description="Several audio parts in one upload (row 17).")
    metadata_order: Literal["strict", "lenient"] = Field(
        default="strict", description="Metadata behind the audio: 400, or taken with a finding (row 18)."
    )
    recognize_without_audio: Literal["accept", 400] = Field(
        default=400, description="SpeechRecognizer.Recognize without an audio part (PROTOCOL 3.5)."
    )
    event_check: Literal["off", "warn", 400] = Field(
        default="warn", description="Events against the catalogue: payload, contexts, dialogRequestId (row 19)."
    )
    unknown_event: Literal[204, 400, 404] = Field(
        default=204, description="An event the catalogue does not know and no rule fits (row 20)."
    )
    duplicate_message_id: Literal["warn", 400] = Field(default="warn", description="A messageId seen before (row 21).")
    wrong_content_type: Literal[400, 415] = Field(
        default=400, description="Status for an event whose content type is not multipart/form-data (PROTOCOL 1.4)."
    )
    one_text_for_400: bool = Field(
        default=False,
        description='Every 400 says "Could not decode multipart", the only text the documents show (PROTOCOL 5.2).',
    )
    directive_order: Literal["as written", "shuffled"] = Field(
        default="as written", description="Directives of a reply (row 22)."
    )
    attachments: Literal["inline", "last", "reversed"] = Field(
        default="inline",
        description="Attachments behind their directive, behind all directives, or that in reverse (PROTOCOL 4.4).",
    )
    limits: SizeLimits = Field(default=SizeLimits(), description="What an upload may be at the most (row 26).")
    seed: int | None = Field(
        default=None, description="Seed of `random` and `uuid()` in templates; without it they differ each run."
    )

    def for_profile(self, profile: Profile) -> Settings:
        """The same with the members that follow the profile filled in (PROTOCOL section 0)."""
        of_profile: dict[str, Any] = PROFILES[profile]
        unset = {key: value for key, value in of_profile.items() if getattr(self, key) is None}
        return self._changed(unset)

    def in_dialect(self, name: DialectName | None) -> Settings:
        """The same, and for what it does not say what the dialect says."""
        return self if name is None else self.with_defaults(Settings.model_validate(dict(DIALECTS[name].settings)))

    def strict(self) -> Settings:
        """The same, with every departure from the documents refused (`mockcic serve --strict`)."""
        return self._changed(STRICT)

    def with_defaults(self, other: Settings) -> Settings:
        """The same, and for what it does not say what `other` says."""
        more = other.model_fields_set - self.model_fields_set
        return self._changed({name: getattr(other, name) for name in more}) if more else self

    def _changed(self, values: Mapping[str, Any]) -> Settings:
        changed = self.model_copy(update=values)
        for name in (
            "wire_limits",
            "tolerance",
            "dialect",
        ):  # a copy would keep what was worked out from the old values
            changed.__dict__.pop(name, None)
        return changed

    @cached_property
    def wire_limits(self) -> Limits:
        """The limits of the decoder."""
        upload_time = self.limits.upload_time
        return Limits(
            part_headers_bytes=self.limits.part_headers,
            json_bytes=self.limits.json_,
            body_bytes=self.limits.body,
            duration_s=upload_time if isinstance(upload_time, float) else None,
        )

    @cached_property
    def tolerance(self) -> Tolerance:
        """What the decoder takes although it is wrong."""
        return Tolerance(
            missing_last_delimiter=self.closing_delimiter == "lenient", lf_line_ends=self.line_ends == "lenient"
        )

    @cached_property
    def dialect(self) -> Dialect:
        """How answers are written."""
        return Dialect(
            content_id_name=self.content_id.name,
            content_id_brackets=self.content_id.brackets,
            subtype=self.multipart.subtype,
            semicolon=self.multipart.semicolon,
            type_parameter=self.multipart.type_parameter,
            boundary=self.multipart.boundary,
            preamble=self.multipart.preamble,
            end=self.multipart.end,
            names=self.parts.names,
            lower_case=self.parts.header_case == "lower",
            type_first=self.parts.header_order == "type first",
            charset="" if self.parts.charset == "none" else self.parts.charset,
        )


PROFILES: Final[dict[Profile, dict[str, Any]]] = {
    "seed": {"exceptions": "bare", "same_connection": False},
    "2021": {"exceptions": "wrapped", "same_connection": True},
}
"""The members of `Settings` whose default is the profile's (PROTOCOL sections 0, 2.3, 5.1)."""

STRICT: Final[dict[str, Any]] = {
    "user_agent": 400,
    "same_connection": True,
    "closing_delimiter": "strict",
    "line_ends": "strict",
    "audio_parts": 400,
    "metadata_order": "strict",
    "recognize_without_audio": 400,
    "event_check": 400,
    "unknown_event": 400,
    "duplicate_message_id": 400,
}

__all__ = ["PROFILES", "STRICT", "AnyProfile", "Heard", "Part", "Profile", "Settings"]
