"""One thing at one time: the steps of a script, the directives they send, and the sounds that go with them."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from mockcic.scenario.faults.fault import Fault, Faults
from mockcic.scenario.mpeg import Mp3
from mockcic.scenario.settings import Heard, Part
from mockcic.scenario.words import (
    DIRECTIVE_KEY,
    Duration,
    Name,
    Rate,
    Size,
    Values,
    Word,
    is_template,
    is_there,
    read_base64,
    read_list,
    real_path,
    said_path,
    shown,
    wrong,
)
from mockcic.sound import make

SAMPLE_RATE: Final = 16_000
"""Of everything we make: the rate devices record at (PROTOCOL 3.3), and one that MP3 knows."""

LONGEST_TEXT: Final = 5000  # INF

LONGEST_MADE_S: Final = 600.0  # INF; made sounds are kept in memory, 32 KB a second as PCM


class Sound(Part):
    """Where the bytes of an attachment come from: a file, inline base64, made silence, a made tone, a spoken text."""

    file: str | None = Field(default=None, description="A file, relative to the scenario's own.")
    base64_: str | None = Field(default=None, alias="base64", description="The bytes themselves, in base64.")
    silence: Duration | None = Field(default=None, description="Silence of this length.")
    tone: float | None = Field(default=None, gt=0, le=8000, description="A tone of this many Hz.")
    say: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_TEXT,
        description="A text, spoken by espeak-ng where that is installed, else as the tone code of the text.",
    )
    lang: str = Field(
        default="ko", pattern=r"^[A-Za-z][A-Za-z0-9_+-]*$", description="The synthesiser's voice for `say`."
    )
    duration: Duration = Field(default=1.0, description="How long the tone is.")
    level: float = Field(default=-12.0, le=0, description="How loud the tone is, in dBFS.")
    as_: Literal["mp3", "wav", "pcm"] = Field(
        default="mp3", alias="as", description="What silence, tones and speech are made as."
    )
    mp3: Mp3 | None = Field(default=None, description="Which MP3 silence, tones and speech become.")
    rate: Rate | None = Field(default=None, description="Send it no faster than so many bytes a second.")
    chunk: Size = Field(default=1024, description="Bytes written at once when there is a rate.")
    content_id: str | None = Field(
        default=None, description="Its Content-Id; a fresh UUID otherwise. May be a template."
    )

    _path: Path | None = PrivateAttr(default=None)
    _bytes: bytes | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _resolve(self, info: ValidationInfo) -> Self:
        sources = [key for key in ("file", "base64_", "silence", "tone", "say") if getattr(self, key) is not None]
        if len(sources) != 1:
            found = " and ".join(key.removesuffix("_") for key in sources) or "none of them"
            raise sound_error(f"a sound with {found}", "exactly one of file, base64, silence, tone, say")
        if self.say is not None and (is_template(self.say) or not self.say.strip()):
            what = "a template to say" if self.say.strip() else "nothing to say"
            raise sound_error(what, "a fixed text: it is spoken when the scenario is loaded")
        if isinstance(self.silence, str) or isinstance(self.duration, str):
            raise sound_error(
                "a template for a made sound", "a fixed duration: sounds are made when the scenario is loaded"
            )
        if (self.silence if isinstance(self.silence, float) else self.duration) > LONGEST_MADE_S:
            raise sound_error("a made sound of more than 10 minutes", "at most 10m", "longer ones come from a file")
        if self.mp3 is not None and (self.as_ != "mp3" or not {"silence", "tone", "say"} & set(sources)):
            what = f"`mp3` with as: {self.as_}" if self.as_ != "mp3" else f"`mp3` with {sources[0].removesuffix('_')}"
            raise sound_error(
                what, "`mp3` where silence, a tone or a text becomes one", "other bytes are sent as they are"
            )
        if self.base64_ is not None:
            self._bytes = read_base64(self.base64_)
        if self.file is not None and isinstance(info.context, SoundFolder):
            self._path = info.context.find(self.file)
        return self

    def content(self) -> bytes:
        """The bytes. A file is read anew each time it is asked for; the loader sees to it that it is there."""
        if self._path is not None:
            return self._path.read_bytes()
        if self._bytes is None:
            self._bytes = self._made()
        return self._bytes

    def _made(self) -> bytes:
        rate = SAMPLE_RATE
        if self.say is not None:
            from mockcic.sound.speak import speaker

            spoken = speaker().speak(self.say, language=self.lang)
            pcm, rate = (spoken.pcm, spoken.rate) if self.as_ != "pcm" else (make.resampled(spoken.pcm, spoken.rate), 0)
        elif isinstance(self.silence, float):
            pcm = make.silence(self.silence, SAMPLE_RATE)
        else:
            assert self.tone is not None
            assert isinstance(self.duration, float)
            pcm = make.tone(self.tone, self.duration, self.level, SAMPLE_RATE)
        if self.as_ == "pcm":
            return pcm
        if self.as_ == "wav":
            return make.wav(pcm, rate)
        form = self.mp3 or Mp3()
        return make.mp3(pcm, rate, form.bitrate, form.rate_for(rate))


def sound_error(what: str, expected: str, mend: str = "") -> PydanticCustomError:
    """Something wrong with a sound, in the words a person reads."""
    return PydanticCustomError("sound", "{what}", {"what": what, "expected": expected, "mend": mend})


class SoundFolder:
    """Finds the sound files of one scenario file and keeps them inside the folder it may read."""

    def __init__(self, beside: Path, root: Path) -> None:
        self.beside = beside
        self.root = root

    def find(self, name: str) -> Path:
        """The file's path. Raises `PydanticCustomError` when it is absent or outside the scenario's folder."""
        path = real_path(self.beside / name)
        if not path.is_relative_to(self.root.resolve()):
            outside = f"{shown(name)} is outside the scenarios' folder"
            raise sound_error(outside, f"a file inside {said_path(self.root.resolve())}", "put it beside the scenario")
        if not is_there(path):
            raise sound_error(
                f"{shown(name)}: there is no such file",
                f"a file at {said_path(path)}",
                "paths are relative to the scenario file",
            )
        return path


def read_sound(value: object) -> object:
    """`audio: file.mp3` is `audio: {file: file.mp3}`."""
    return {"file": value} if isinstance(value, str) else value


AnySound = Annotated[Sound, BeforeValidator(read_sound)]


class Send(Part):
    """A directive: `Namespace.Name`, or `Namespace.Name: {payload}` with what else is to be said of it beside it.

    `audio` in the payload of a directive that takes a sound is the attachment, not a member: its `url` is tied to it.
    """

    directive: str = Field(description="Namespace.Name.")
    payload: Values = Field(default_factory=dict)
    audio: AnySound | None = Field(default=None, description="A sound sent behind the directive, tied to its `url`.")
    attach: dict[Name, AnySound] = Field(
        default_factory=dict, description="More attachments; `{{ cid.NAME }}` in the payload gives their URL."
    )
    dialogue: str | None = Field(
        default=None,
        alias="dialogRequestId",
        description="echo, none, or an id (may be a template). Replies echo, pushes have none (PROTOCOL 3.6).",
    )
    message_id: str | None = Field(
        default=None, alias="messageId", description="Its messageId; a fresh UUID otherwise."
    )


class RawBody(Part):
    """The bytes of a part as they stand: no template is rendered, nothing is filled in, nobody judges them."""

    text: str | None = Field(default=None, description="The bytes as a text, in UTF-8.")
    base64_: str | None = Field(default=None, alias="base64", description="The bytes in base64.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.text is None) is (self.base64_ is None):
            found = "a `raw` with nothing to send" if self.text is None else "a `raw` with text and base64"
            raise PydanticCustomError(
                "raw", "{found}", {"found": found, "expected": "a text, or one of text and base64", "mend": ""}
            )
        self.content()
        return self

    def content(self) -> bytes:
        """The bytes."""
        if self.base64_ is not None:
            return read_base64(self.base64_)
        try:
            return (self.text or "").encode()
        except UnicodeEncodeError:
            raise PydanticCustomError(
                "raw",
                "half a letter (a lone surrogate), which no UTF-8 has",
                {"expected": "a text", "mend": "in JSON write it as an escape, \\ud800; other bytes go under `base64`"},
            ) from None


def read_raw(value: object) -> object:
    """`raw: TEXT` is `raw: {text: TEXT}`."""
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, Mapping | RawBody):
        raise wrong(value, "a text, or {base64: ...}", "put it in quotes")
    return value


class RawStep(Part):
    """A JSON part whose body is sent as it stands, for what `directive:` cannot say: odd headers, broken JSON."""

    raw: Annotated[RawBody, BeforeValidator(read_raw)] = Field(
        description="The body of the part: a text, or {base64: ...}."
    )
    attach: dict[Name, AnySound] = Field(
        default_factory=dict, description="Attachments behind it; the key is the Content-Id unless it says another."
    )


class Wait(Part):
    """Wait; what comes behind it waits too."""

    wait: Duration


class PushStep(Part):
    """Steps whose directives go on the downchannel, in the middle of a reply."""

    push: Steps


class Use(Part):
    """The steps of a named reply."""

    use: str


class Change(Part):
    """Set variables, or go to a state."""

    set_: Values = Field(default_factory=dict, alias="set")
    go: Name | None = None


class Each(Part):
    """A list, the name of its elements in templates, and the steps that are done for each of them."""

    for_: Word = Field(alias="for", description="What templates of the steps call the element.")
    in_: list[Any] | str = Field(alias="in", description="The list: a template that gives one, or the elements.")
    steps: Steps = Field(description="What is done for each element, in order.")

    @field_validator("in_")
    @classmethod
    def _gives_a_list(cls, value: list[Any] | str) -> list[Any] | str:
        if isinstance(value, str) and not is_template(value):
            raise wrong(value, "a list, or a template that gives one", 'write `in: "{{ vars.NAME }}"`')
        return value

    @field_validator("for_")
    @classmethod
    def _is_new(cls, value: str) -> str:
        if value in TEMPLATE_NAMES:
            raise wrong(value, "a name of its own for the element", "every template has that name already")
        return value


class Repeat(Part):
    """Steps that are done once for each element of a list."""

    repeat: Each


class Choice(Part):
    """Steps that are done only if a template says so when their turn has come."""

    if_: bool | str = Field(alias="if", description="A template; what counts as false in Jinja is false.")
    then: Steps = Field(default_factory=list, description="What is done if it is true.")
    else_: Steps = Field(default_factory=list, alias="else", description="What is done if it is not.")

    @field_validator("if_")
    @classmethod
    def _is_known_later(cls, value: bool | str) -> bool | str:
        if isinstance(value, str) and not is_template(value):
            raise wrong(value, "a template, such as {{ vars.count > 1 }}", 'write `if: "{{ ... }}"`')
        return value

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.then or self.else_):
            raise PydanticCustomError(
                "idle_choice", "an `if` that does nothing", {"expected": "`then` or `else` with steps", "mend": ""}
            )
        return self


class FaultStep(Part):
    """What goes wrong on purpose when the step's turn has come, in the answer or on the line it stands in."""

    fault: Faults = Field(description="One fault or several (docs/faults.md); without `after`.")

    @field_validator("fault")
    @classmethod
    def _has_its_moment(cls, value: list[Fault]) -> list[Fault]:
        for fault in value:
            for key in ("after", "every", "event"):
                if key in fault.model_fields_set:
                    raise PydanticCustomError(
                        "fault_step",
                        "`{key}` in a fault that is a step",
                        {
                            "key": key,
                            "expected": "no moment: it strikes when its turn has come",
                            "mend": "a `wait` before it, or the fault at the rule",
                        },
                    )
        return value


TEMPLATE_NAMES: Final = frozenset(
    {"event", "request", "audio", "vars", "state", "count", "device", "uuid", "now", "random", "cid", "args"}
)
"""What templates see (docs/scenarios.md, Templates); `repeat` adds the name of its elements."""

SEND_OPTIONS: Final = ("audio", "attach", "dialogRequestId", "messageId")
STEP_KEYS: Final = ("wait", "push", "use", "set", "go", "repeat", "if", "fault", "raw")
A_STEP: Final = (
    "a directive (Namespace.Name, or Namespace.Name: {payload}), "
    "or one of wait, push, use, set, go, repeat, if, fault, raw"
)


def read_step(value: object) -> object:
    """Bring the short forms of a directive into the shape of `Send`."""
    if isinstance(value, str):
        return {"directive": value}
    if not isinstance(value, Mapping):
        return value
    names = [key for key in value if isinstance(key, str) and DIRECTIVE_KEY.fullmatch(key)]
    if len(names) != 1:
        return value
    payload = value[names[0]]
    rest = {key: member for key, member in value.items() if key != names[0]}
    if isinstance(payload, Mapping) and "audio" in payload and "audio" not in rest:
        rest["audio"] = payload["audio"]
        payload = {key: member for key, member in payload.items() if key != "audio"}
    return {"directive": names[0], "payload": {} if payload is None else payload, **rest}


def kind_of_step(value: object) -> str | None:
    """The tag of a step in the union, or None when it is none."""
    if isinstance(value, Part):
        return _TAGS.get(type(value))
    if not isinstance(value, Mapping):
        return None
    if "directive" in value:
        return "send"
    return next((tag for key, tag in _TAG_OF_KEY.items() if key in value), None)


_TAGS: Final[dict[type[Part], str]] = {
    Send: "send",
    RawStep: "raw",
    Wait: "wait",
    PushStep: "push",
    Use: "use",
    Change: "change",
    Repeat: "repeat",
    Choice: "choice",
    FaultStep: "fault",
}
_TAG_OF_KEY: Final = {
    "wait": "wait", "push": "push", "use": "use", "set": "change", "go": "change", "repeat": "repeat", "if": "choice",
    "raw": "raw",
    "fault": "fault",
}  # fmt: skip


Step = Annotated[
    Annotated[
        Annotated[Send, Tag("send")]
        | Annotated[RawStep, Tag("raw")]
        | Annotated[Wait, Tag("wait")]
        | Annotated[PushStep, Tag("push")]
        | Annotated[Use, Tag("use")]
        | Annotated[Change, Tag("change")]
        | Annotated[Repeat, Tag("repeat")]
        | Annotated[Choice, Tag("choice")]
        | Annotated[FaultStep, Tag("fault")],
        Discriminator(
            kind_of_step,
            custom_error_type="step",
            custom_error_message="not a step",
        ),
    ],
    BeforeValidator(read_step),
]

Steps = Annotated[list[Step], BeforeValidator(read_list)]


class Moment(Heard):
    """When a cue is due: a moment of the upload, an answered event, or the block's beginning; and `time` after it."""

    time: Duration | None = Field(default=None, description="So long after that moment, or after the block began.")
    event: str | None = Field(
        default=None, description="Whenever an event of this name (wildcards allowed) has been answered."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        found = [key for key in ("audio", "bytes", "silence", "upload", "event") if getattr(self, key) is not None]
        if len(found) > 1 or not self.model_fields_set:
            raise PydanticCustomError(
                "moment",
                "{found} in one moment",
                {
                    "found": " and ".join(found) or "nothing",
                    "expected": "one of audio, bytes, silence, upload, event, or a duration",
                    "mend": "",
                },
            )
        return self

    def is_about(self, full_name: str) -> bool:
        """Whether an event of this name makes it due."""
        return self.event is not None and fnmatch.fnmatchcase(full_name, self.event)


def read_moment(value: object) -> object:
    """`after: 30s` is `after: {time: 30s}`."""
    return value if isinstance(value, Mapping) else {"time": value}


class Cue(Part):
    """Something to do at a moment. Without `after` and `every` it is done at once when its block begins."""

    after: Annotated[Moment, BeforeValidator(read_moment)] | None = Field(
        default=None,
        description="A duration from the beginning of the block; in an upload also {audio: 1.0s}, {bytes: 6400}, "
        "{silence: 600ms}, {upload: ended}; on the downchannel also {event: NAME}.",
    )
    every: Duration | None = Field(default=None, description="Again and again at this distance, from `after` on.")
    times: int | None = Field(
        default=None, ge=1, description="How often at the most, with `every` or `after: {event: NAME}`."
    )
    push: Steps = Field(default_factory=list, description="Steps whose directives go on the downchannel.")
    answer: Literal["now"] | None = Field(
        default=None, description="Answer the upload before it has ended (PROTOCOL 3.4)."
    )
    set_: Values = Field(default_factory=dict, alias="set", description="Variables to set.")
    go: Name | None = Field(default=None, description="State to go to.")

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not (self.push or self.answer or self.set_ or self.go):
            raise PydanticCustomError(
                "idle_cue", "a cue that does nothing", {"expected": "one of push, answer, set, go", "mend": ""}
            )
        if self.times is not None and self.every is None and (self.after is None or self.after.event is None):
            raise PydanticCustomError(
                "times_alone",
                "`times` without `every`",
                {"expected": "`every: DURATION` or `after: {event: NAME}` beside it", "mend": ""},
            )
        return self


PushStep.model_rebuild()
Each.model_rebuild()
Repeat.model_rebuild()
Choice.model_rebuild()
Cue.model_rebuild()

__all__ = [
    "SEND_OPTIONS",
    "STEP_KEYS",
    "TEMPLATE_NAMES",
    "Change",
    "Choice",
    "Cue",
    "Each",
    "FaultStep",
    "Moment",
    "PushStep",
    "RawBody",
    "RawStep",
    "Repeat",
    "Send",
    "Sound",
    "SoundFolder",
    "Step",
    "Steps",
    "Use",
    "Wait",
]
