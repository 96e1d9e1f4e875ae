"""The scenario language as typed models: this file is the language. `docs/scenarios.md` explains it."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from mockcic.auth.policy import Policy
from mockcic.cic.catalogue import catalogue
from mockcic.scenario.auth import Auth
from mockcic.scenario.conditions import AnyCondition
from mockcic.scenario.dialects import DialectName
from mockcic.scenario.faults.fault import Faults
from mockcic.scenario.settings import AnyProfile, Part, Settings
from mockcic.scenario.steps import Cue, Steps
from mockcic.scenario.words import Duration, Name, Texts, Values, Word, read_base64, read_list
from mockcic.sound.recognise import Listening

START: str = "start"
"""The state a device begins in, when the scenario names no other."""

_OF_AUDIO: Final = re.compile(r"""\baudio\s*(?:\.\s*(\w+)|\[\s*\\?['"]{1,2}(\w+)\\?['"]{1,2}\s*\])""")
_ANY_OF_AUDIO: Final = re.compile(r"""\{[{%][^{}]*?(?<![\w.'"\[])audio\s*(?:\.\s*get\b|\[\s*[A-Za-z_]|[^\s\w.\[:'"])""")
"""What a text asks about a sound: `audio.dtmf`, `audio["dtmf"]` (also as YAML writes it in quotes); or, by `audio`
alone, `audio.get(...)` and `audio[name]` in a template, whatever there is."""


class ExceptionAnswer(Part):
    """A System.Exception (PROTOCOL section 5). The HTTP status is `status`, or else `code`."""

    code: int = Field(default=500, description="`payload.code`.")
    description: str = Field(default="Internal server error", description="`payload.description`; may be a template.")
    status: int | None = Field(default=None, ge=400, le=599, description="HTTP status; `code` when absent.")
    form: Literal["bare", "wrapped", "plain-json", "empty"] | None = Field(
        default=None, description="Form of this one; the setting `exceptions` otherwise."
    )
    headers: dict[str, str] = Field(default_factory=dict, description="More response headers, such as retry-after.")


class RawAnswer(Part):
    """A status with a body as it stands."""

    status: int = Field(default=200, ge=200, le=599)
    headers: dict[str, str] = Field(default_factory=dict, description="Response headers, such as content-type.")
    body: str = Field(default="", description="The body as text; may be a template.")
    base64_: str | None = Field(default=None, alias="base64", description="The body as base64 instead.")

    @field_validator("base64_")
    @classmethod
    def _is_base64(cls, value: str | None) -> str | None:
        if value is not None:
            read_base64(value)
        return value

    def content(self) -> bytes | None:
        """The body when it was given as base64."""
        return None if self.base64_ is None else read_base64(self.base64_)


def read_reply(value: object) -> object:
    """`reply: none` is an empty list; one step is a list of one."""
    return [] if value == "none" else read_list(value)


Reply = Annotated[Steps, BeforeValidator(read_reply)]


class Answer(Part):
    """What a device gets for an event, and what changes by it. Without reply, exception and raw it is 204."""

    reply: Reply | None = Field(
        default=None, description="Directives in order, with wait, push, use, set, go between them; none for 204."
    )
    exception: ExceptionAnswer | None = Field(default=None, description="A System.Exception instead.")
    raw: RawAnswer | None = Field(default=None, description="A status and a body as they stand instead.")
    delay: Duration = Field(default=0.0, description="Wait so long before the answer.")
    set_: Values = Field(default_factory=dict, alias="set", description="Variables to set when it is given.")
    go: Name | None = Field(default=None, description="State to go to when it is given.")
    fault: Faults = Field(
        default_factory=list, description="What goes wrong on purpose with this event, its answer or its connection."
    )
    afterwards: list[Cue] = Field(
        default_factory=list, description="What happens on the downchannel once the answer has been sent."
    )

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        forms = [key for key in ("reply", "exception", "raw") if getattr(self, key) is not None]
        if len(forms) > 1:
            raise PydanticCustomError(
                "two_answers",
                "{found} in one answer",
                {"found": " and ".join(forms), "expected": "one of reply, exception, raw", "mend": ""},
            )
        return self


class Rule(Answer):
    """An `on:` entry: which event it is about, and what is answered. The first rule that fits wins."""

    name: str | None = Field(default=None, description="What logs call it; its place in the file otherwise.")
    event: Texts = Field(description="Namespace.Name, or several; * and ? stand for any letters.")
    when: dict[str, AnyCondition] = Field(
        default_factory=dict,
        description="Conditions by member: payload.x, header.x, context.Speaker.VolumeState, "
        "request.user-agent, audio.present, audio.seconds, audio.bytes, audio.level, audio.sha256, audio.dtmf, "
        "audio.marker, audio.like, audio.heard, audio.text, vars.x, count.EVENT",
    )
    in_: Texts = Field(default_factory=list, alias="in", description="States in which the rule counts; all without it.")
    times: int | None = Field(default=None, ge=1, description="How often it fits, for each device.")
    while_uploading: list[Cue] | None = Field(
        default=None,
        description="What happens while the sound is still coming in; the setting `stop_capture` without it.",
    )
    in_turn: list[Answer] | None = Field(
        default=None, min_length=1, description="Answers one after another; the last one stays."
    )
    cycle: list[Answer] | None = Field(
        default=None, min_length=1, description="Answers one after another, round and round."
    )

    beside: bool = Field(
        default=False,
        description="It answers nothing: whenever it fits, what it sets and does counts beside the rule that answers.",
    )

    fallback: bool = Field(
        default=False, description="It counts only where no rule without `fallback` fits, wherever it stands."
    )

    _where: str = PrivateAttr(default="")
    _like: dict[str, Any] = PrivateAttr(default_factory=dict)
    """Fingerprints of the files that `audio.like` names."""

    @model_validator(mode="after")
    def _answers_nothing_beside(self) -> Self:
        if not self.beside:
            return self
        keys = ("reply", "exception", "raw", "in_turn", "cycle", "delay", "fault")
        found = [key for key in keys if key in self.model_fields_set]
        if found:
            raise PydanticCustomError(
                "beside",
                "`{found}` in a rule that is `beside`",
                {
                    "found": found[0],
                    "expected": "set, go, while_uploading, afterwards",
                    "mend": "another rule answers; without `beside` this one does",
                },
            )
        if not (self.set_ or self.go or self.while_uploading or self.afterwards):
            raise PydanticCustomError(
                "beside",
                "a rule that is `beside` and does nothing",
                {"expected": "one of set, go, while_uploading, afterwards", "mend": ""},
            )
        return self

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        ways = [key for key in ("reply", "exception", "raw", "in_turn", "cycle") if getattr(self, key) is not None]
        if len(ways) > 1:
            raise PydanticCustomError(
                "two_answers",
                "{found} in one rule",
                {"found": " and ".join(ways), "expected": "one of reply, exception, raw, in_turn, cycle", "mend": ""},
            )
        return self

    def is_about(self, full_name: str) -> bool:
        """Whether an event of this name is what the rule is about."""
        return full_name in self.event or any(fnmatch.fnmatchcase(full_name, pattern) for pattern in self.event)

    def answer(self, turn: int) -> Answer:
        """The answer of the given turn, counted from 0."""
        if self.in_turn is not None:
            return self.in_turn[min(turn, len(self.in_turn) - 1)]
        if self.cycle is not None:
            return self.cycle[turn % len(self.cycle)]
        return self

    @property
    def where(self) -> str:
        """`file:line` of the rule."""
        return self._where

    @property
    def label(self) -> str:
        """Its name, or its place in the file."""
        return self.name or self._where


class Tokens(Part):
    """Which bearer tokens are taken. Wildcards allowed; without `accept` any token is."""

    accept: Texts | None = Field(
        default=None, description="Only these tokens, and those that were issued here; any other gets 401."
    )
    refuse: Texts = Field(default_factory=list, description="These tokens get 401.")

    def take(self, token: str) -> bool:
        """Whether the token is good."""
        if any(fnmatch.fnmatchcase(token, pattern) for pattern in self.refuse):
            return False
        return self.accept is None or any(fnmatch.fnmatchcase(token, pattern) for pattern in self.accept)

    def take_issued(self, token: str) -> bool:
        """Whether a token that the authorization server issued is good while it lives: unless it is refused."""
        return not any(fnmatch.fnmatchcase(token, pattern) for pattern in self.refuse)


class Devices(Part):
    """Which devices a scenario of a set is for."""

    token: Texts = Field(default_factory=list, description="Bearer tokens, wildcards allowed.")
    user_agent: Texts = Field(default_factory=list, description="User-Agents, wildcards allowed.")
    device_id: Texts = Field(
        default_factory=list, description="The `device_id` it gave the authorization server, wildcards allowed."
    )

    def fit(self, token: str, user_agent: str, device_id: str = "") -> bool:
        """Whether a device is meant; `device_id` is empty where its token was not issued here."""
        return any(
            fnmatch.fnmatchcase(text, pattern)
            for text, patterns in ((token, self.token), (user_agent, self.user_agent), (device_id, self.device_id))
            for pattern in patterns
            if text or patterns is not self.device_id
        )


class NamedCue(Part):
    """Something that a person or a test makes happen on a device: `mockcic cue NAME`, `device.cue(NAME)`."""

    about: str = Field(default="", description="What it does, for people.")
    args: dict[Word, Any] = Field(
        default_factory=dict,
        description="What may be given, as `args.NAME` in templates, with defaults (templates allowed); "
        "one without a default must be given.",
    )
    set_: Values = Field(default_factory=dict, alias="set", description="Variables to set, before anything is pushed.")
    go: Name | None = Field(default=None, description="State to go to.")
    push: Steps = Field(default_factory=list, description="Steps whose directives go on the downchannel.")

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not (self.push or self.set_ or self.go):
            raise PydanticCustomError(
                "idle_cue", "a cue that does nothing", {"expected": "one of push, set, go", "mend": ""}
            )
        return self

    @property
    def required(self) -> tuple[str, ...]:
        """The arguments without a default."""
        return tuple(name for name, value in self.args.items() if value is None)


def _read_tokens(value: object) -> object:
    return {"accept": value} if isinstance(value, list) else value


def _read_otherwise(value: object) -> object:
    return {} if value in (204, "none") else value


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules with their numbers: those that answer, and those beside, which only look on."""

    answering: tuple[tuple[int, Rule], ...]
    beside: tuple[tuple[int, Rule], ...]


class Scenario(Part):
    """One file."""

    scenario: Name = Field(description="Its name.")
    about: str = Field(default="", description="What it tells, for people.")
    for_: Devices | None = Field(
        default=None,
        alias="for",
        description="In a set: the devices that get this scenario; the first one without `for` is for the rest.",
    )
    profile: AnyProfile = Field(
        default="2021", description="seed (August 2017) or 2021: chooses defaults (PROTOCOL section 0)."
    )
    dialect: DialectName | None = Field(
        default=None, description="A named bundle of settings (`mockcic dialects`); `settings` of the file win."
    )
    settings: Settings = Field(default_factory=Settings, description="The questions the documents leave open.")
    tokens: Annotated[Tokens, BeforeValidator(_read_tokens)] = Field(
        default_factory=Tokens, description="The bearer tokens taken; any without it."
    )
    auth: Auth = Field(default_factory=Auth, description="The authorization server: tokens, their lives, trouble.")
    include: Texts = Field(
        default_factory=list, description="Files whose rules, replies and variables are added, or builtin/NAME."
    )
    vars: Values = Field(default_factory=dict, description="Variables of each device, with their first values.")
    replies: dict[Name, Steps] = Field(default_factory=dict, description="Named steps for `use`.")
    recordings: dict[Name, str] = Field(
        default_factory=dict, description="WAV files that `audio.heard` knows, by what is said in them."
    )
    start: Name = Field(default=START, description="The state a device begins in.")
    on: list[Rule] = Field(default_factory=list, description="The rules; the first that fits wins.")
    downchannel: list[Cue] = Field(
        default_factory=list, description="What happens on each downchannel, from its opening on."
    )
    fault: Faults = Field(
        default_factory=list, description="What goes wrong on purpose for each device (docs/faults.md)."
    )
    cues: dict[Name, NamedCue] = Field(
        default_factory=dict, description="What a person or a test can make happen, by name."
    )
    otherwise: Annotated[Answer, BeforeValidator(_read_otherwise)] = Field(
        default_factory=Answer, description="The answer when no rule fits: 204 by default. It is a finding either way."
    )

    _path: str = PrivateAttr(default="")
    _is_part: bool = PrivateAttr(default=False)
    _texts: dict[str, str] = PrivateAttr(default_factory=dict)
    _prints: dict[str, Any] = PrivateAttr(default_factory=dict)
    """Fingerprints of `recordings`."""

    @property
    def texts(self) -> Mapping[str, str]:
        """The files it is made of, as they were read, by the name the user gave them."""
        return self._texts

    @property
    def path(self) -> str:
        """The file it was read from, as the user named it; empty for one made in memory."""
        return self._path

    @property
    def states(self) -> list[str]:
        """The states it has: where it starts, where it goes, where its rules count."""
        found = [self.start]
        for rule in self.on:
            found += rule.in_
            found += [answer.go for answer in (rule, *(rule.in_turn or ()), *(rule.cycle or ())) if answer.go]
        found += [cue.go for cue in self.downchannel if cue.go]
        return list(dict.fromkeys(found))

    @property
    def answering_labels(self) -> list[str]:
        """The labels of its rules that answer: those that can be asked for as used."""
        return [rule.label for rule in self.on if not rule.beside]

    @property
    def named_tokens(self) -> set[str]:
        """The tokens that it names; patterns are none."""
        named = [*(self.tokens.accept or ()), *self.tokens.refuse]
        named += self.for_.token if self.for_ is not None else ()
        return {token for token in named if not set(token) & set("*?[")}

    @cached_property
    def effective(self) -> Settings:
        """The settings with what the dialect and the profile decide filled in."""
        return self.settings.in_dialect(self.dialect).for_profile(self.profile)

    @cached_property
    def by_event(self) -> dict[str, Rules]:
        """What `rules_about` has found for events of the catalogue: of many rules few are about one event."""
        return {}

    def rules_about(self, full_name: str) -> Rules:
        """The rules about an event with their numbers, those that answer and those beside, in the file's order."""
        if (known := self.by_event.get(full_name)) is not None:
            return known
        about = [(number, rule) for number, rule in enumerate(self.on) if rule.is_about(full_name)]
        found = Rules(
            tuple(each for each in about if not each[1].beside), tuple(each for each in about if each[1].beside)
        )
        if full_name in catalogue().events:  # a device may make up any number of names
            self.by_event[full_name] = found
        return found

    @cached_property
    def listening(self) -> Listening:
        """What is to be found out about the sound of an upload: only what something in the scenario asks for."""
        asked: set[str] = set()
        for text in self._texts.values() or [repr(self)]:
            asked.update(one or other for one, other in _OF_AUDIO.findall(text))
            if _ANY_OF_AUDIO.search(text):
                asked |= {"dtmf", "marker", "text", "heard"}
        return Listening(
            dtmf="dtmf" in asked,
            marker="marker" in asked,
            text="text" in asked,
            like={name: each for rule in self.on for name, each in rule._like.items()},
            recordings=self._prints if "heard" in asked else {},
        )

    @cached_property
    def auth_policy(self) -> Policy:
        """`auth` as the authorization server takes it."""
        return self.auth.policy(self.profile)

    @cached_property
    def needs_level(self) -> bool:
        """Whether anything asks how loud an upload is; measuring it costs something for each frame."""
        stop = self.effective.stop_capture
        if stop != "never" and stop.silence is not None:
            return True
        for rule in self.on:
            if "audio.level" in rule.when:
                return True
            if any(cue.after is not None and cue.after.silence is not None for cue in rule.while_uploading or ()):
                return True
        return False
