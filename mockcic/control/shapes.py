"""The JSON of the control API: what is asked, what is answered. The OpenAPI document is made from these models."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.settings import Profile
from mockcic.server.clock import FASTEST

WAIT_S: Final = 5.0
"""How long a wait waits unless told otherwise (INF)."""

LONGEST_WAIT_S = 3600.0

Within = Annotated[float, Field(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait at the most.")]
After = Annotated[int, Field(ge=0, description="Only entries younger than the one of this number.")]
FilterText = Annotated[
    str, Field(max_length=10_000, description="A filter as docs/journal.md has it, or a mapping of members.")
]
AskedFilter = FilterText | dict[str, Any]
TimesText = int | str | None


class Shape(BaseModel):
    """A JSON object without unknown members."""

    model_config = ConfigDict(extra="forbid")


class DeviceShape(BaseModel):
    """A device as it is now."""

    device: str = Field(description="Its short name: the last four characters of its token.")
    scenario: str = Field(description="The scenario it is in.")
    announced: bool = Field(description="Whether somebody announced its token, so that it is a test's.")
    assigned: bool = Field(description="Whether it was given that scenario, whatever the set says.")
    state: str = Field(description="The scenario's state it is in.")
    vars: dict[str, Any] = Field(description="Its variables.")
    downchannel: bool = Field(description="Whether its downchannel is open.")
    connection: str | None = Field(description="The connection of its downchannel.")
    events: int = Field(description="How many of its events are being answered now.")
    counts: dict[str, int] = Field(description="How many events of each name it sent in this scenario.")
    user_agent: str = Field(description="Its User-Agent.")
    tags: list[str] = Field(description="Its tags (x-clova-device-tags).")
    device_id: str = Field(
        default="", description="What it calls itself to the authorization server; empty for a hand-made token."
    )


class DeviceList(BaseModel):
    """All devices that have been seen."""

    devices: list[DeviceShape]


class Announcement(Shape):
    """A token that a device will come with."""

    token: str = Field(min_length=1, max_length=8192, description="The bearer token of the device.")


class Announced(BaseModel):
    """The name it will have in the journal."""

    device: str


class DeviceChange(Shape):
    """What to change of a device; what is left out stays."""

    state: str | None = Field(default=None, min_length=1, description="A state of its scenario.")
    vars: dict[str, Any] = Field(default_factory=dict, description="Variables of its scenario, with new values.")


class CueShape(BaseModel):
    """Something that can be made to happen on a device."""

    cue: str
    about: str
    args: dict[str, Any] = Field(description="What may be given, with defaults; null must be given.")


class CueList(BaseModel):
    """The named cues of a device's scenario."""

    cues: list[CueShape]


class CueArgs(Shape):
    """What a cue is given."""

    args: dict[str, Any] = Field(default_factory=dict, description="By name; the defaults of the scenario without.")


class Transcript(Shape):
    """What is said in the running or the next upload of a device."""

    text: str = Field(max_length=10_000, description="The text, as `audio.text` sees it.")


FAULT_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A fault as in a scenario: one act, its aim, moment and span (docs/faults.md; its schema is in "
    "that of scenarios).",
    "examples": [
        {"reset": "CANCEL", "on": "answer", "after": {"sent": 120}, "times": 2},
        {"pace": {"rate": "4KB/s"}, "event": "SpeechRecognizer.*"},
        {"goaway": {"code": "NO_ERROR", "close": "fin"}, "after": {"audio": "1s"}},
    ],
}


class FaultOrder(Shape):
    """A fault that is to be set."""

    fault: Annotated[Fault, WithJsonSchema(FAULT_SCHEMA)]
    device: str = Field(
        default="*",
        min_length=1,
        max_length=8192,
        description="A short name, a token, or a pattern of short names; those that come later too.",
    )
    always: bool = Field(
        default=False,
        description="It stays until it is removed; without it and times, nth, for and chance it strikes once.",
    )


class FaultShape(BaseModel):
    """A fault that is set."""

    number: int
    device: str = Field(description="Whose it is: a short name, or a pattern.")
    name: str
    act: str = Field(description="The key of its act, such as reset.")
    on: str = Field(description="What it is aimed at: its role.")
    about: str = Field(description="What happens, for people.")
    fault: dict[str, Any] = Field(description="As it was written.")
    by: str = Field(description="Who set it: control, a scenario, a rule, a step, a chaos file.")
    occasions: int = Field(description="How often it could have struck.")
    strikes: int = Field(description="How often it did.")
    warnings: list[str] = Field(
        default_factory=list,
        description="Why it can never strike, or what of it has no effect; told when it is set.",
    )


class FaultList(BaseModel):
    """The faults that are set."""

    faults: list[FaultShape]


class TokenShape(BaseModel):
    """An access token that was issued here, or a hand-made one that a person has ended."""

    device: str = Field(description="Whose it is: a short name.")
    client_id: str
    device_id: str
    model_id: str
    token: str = Field(description="Its last four characters.")
    state: Literal["live", "expired", "revoked"]
    left_s: float | None = Field(description="Seconds it still lives; null for one that has ended, or never ends.")
    refresh_token: Literal["live", "spent", "expired", "revoked"] | None = Field(
        description="How the refresh token is that came with it."
    )
    guest: bool = Field(description="Whether it is a guest's.")


class TokenList(BaseModel):
    """Access tokens, oldest first."""

    tokens: list[TokenShape]


class TokenOf(Shape):
    """A device whose tokens are meant."""

    device: str = Field(min_length=1, max_length=8192, description="A short name, a token, or a device_id.")


class Issue(Shape):
    """A device that is to have a token pair, without /authorize and /token."""

    client_id: str = Field(default="mock-client", min_length=1, max_length=1000)
    device_id: str = Field(min_length=1, max_length=1000)
    model_id: str = Field(default="mock-model", max_length=1000)


class TokenPair(BaseModel):
    """What /token would answer, and the short name of its device."""

    device: str
    access_token: str
    expires_in: int
    refresh_token: str
    token_type: str


class Advance(Shape):
    """How far to turn the server's clock: one of the two."""

    by: str | float | None = Field(default=None, description="A duration: 8h, 5d, 90s, or seconds.", examples=["8h"])
    to: str | None = Field(
        default=None,
        max_length=100,
        description="A time: 2026-03-02T07:00:00+09:00, or 07:00, the next one; +09:00 where no zone is said.",
    )


class Factor(Shape):
    """How fast the server's clock runs."""

    factor: float = Field(ge=0, le=FASTEST, description="Seconds by it in a real one; 0: it stands.", examples=[60])


class ClockShape(BaseModel):
    """The server's clock."""

    time: str = Field(description="What it shows, ISO 8601.")
    factor: float = Field(description="How many times as fast as real time it goes.")
    ahead_s: float = Field(description="By how much it is ahead of real time.")
    turned_s: float = Field(description="By how much it was turned in all.")
    next_s: float | None = Field(description="By it, how long until something is due; null where nothing is.")


class ClockTurned(ClockShape):
    """The clock when it has been turned; how much came due on the way, how many tokens expired."""

    due: int
    expired: int


class PlannedShape(BaseModel):
    """One coming of an entry of a chaos file."""

    at_s: float = Field(description="So long after the beginning, by the server's clock.")
    time: str = Field(description="When, by the server's clock.")
    entry: str
    devices: list[str]
    faults: list[str] = Field(description="What goes wrong, for people.")
    for_s: float | None = Field(description="For how long; null where its faults say so themselves.")


class ChaosShape(BaseModel):
    """A chaos that plays, or has played."""

    chaos: str
    about: str
    seed: int
    playing: bool
    began: str = Field(description="When it began, by the server's clock.")
    ends: str = Field(description="When it is over by itself.")
    played: int = Field(description="How many of the plan have come.")
    warnings: list[str] = Field(
        default_factory=list, description="Why faults of it can never strike, or what of them has no effect."
    )
    plan: list[PlannedShape]


class ScenarioShape(BaseModel):
    """A scenario of the set."""

    scenario: str
    about: str
    path: str = Field(description="The file it is from; empty for one that was loaded through this API.")
    loaded: bool = Field(description="Whether it was loaded through this API.")
    default: bool = Field(description="Whether devices that no `for` fits get it.")
    states: list[str]
    rules: list[str]
    vars: dict[str, Any]
    devices: list[str] = Field(description="The devices that are in it.")


class ScenarioList(BaseModel):
    """The set."""

    scenarios: list[ScenarioShape]


class ProblemShape(BaseModel):
    """Something wrong in a scenario."""

    path: str
    line: int
    column: int
    what: str
    expected: str
    mend: str
    severity: Literal["error", "warning"]


class Loaded(BaseModel):
    """Scenarios that were loaded."""

    scenarios: list[str]
    warnings: list[ProblemShape]


class Target(Shape):
    """Which devices are meant. All that is said must hold; nothing said means all devices."""

    device: list[str] | str | None = Field(default=None, description="Short names or tokens.")
    tag: str | None = Field(default=None, description="Devices with this tag; * and ? stand for any letters.")
    user_agent: str | None = Field(default=None, description="Devices with this User-Agent; * and ? as above.")


class Push(Shape):
    """A directive to push on downchannels: its name and payload, or a step as a scenario has it."""

    directive: str | None = Field(default=None, description="Namespace.Name.", examples=["Clova.RenderText"])
    payload: dict[str, Any] | None = Field(default=None, description="Its payload.")
    dialogue: str | None = Field(default=None, description="Its dialogRequestId; none without it.")
    audio: dict[str, Any] | None = Field(
        default=None, description="A sound as a scenario has it: {base64: ...}, {tone: 440}, {silence: 1s}."
    )
    attach: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="More attachments; `{{ cid.KEY }}` in the payload names them."
    )
    step: dict[str, Any] | None = Field(
        default=None, description="Instead of all that: a step, {Namespace.Name: {...}}."
    )
    to: Target = Field(default_factory=Target)
    within: Within = WAIT_S

    @model_validator(mode="after")
    def _is_one(self) -> Push:
        if (self.directive is None) is (self.step is None):
            raise ValueError("expected either `directive` or `step`")
        return self


class DeliveredTo(BaseModel):
    """A directive that was handed to the connection of a device."""

    device: str
    message_id: str
    number: int = Field(description="Its entry in the journal.")
    at: float = Field(description="When, in seconds since the journal began.")
    time: str = Field(description="When, by the wall clock.")
    bytes: int


class MissedBy(BaseModel):
    """A device that did not get it."""

    device: str
    why: str


class Delivery(BaseModel):
    """Who got it, and when."""

    count: int
    delivered: list[DeliveredTo]
    missed: list[MissedBy]
    warnings: list[str] = Field(
        default_factory=list, description="What the catalogue says of it; it was sent as it is."
    )


class Scope(Shape):
    """Which part of the journal counts."""

    device: str | None = Field(default=None, min_length=1, description="Only this device: a short name or a token.")
    after: After = 0


class Verify(Scope):
    """How often something came."""

    filter: AskedFilter
    times: TimesText = Field(default=None, description='3, "1..3", "2..", "at most 1"; at least once without it.')


class Wait(Verify):
    """Wait until something came so often."""

    within: Within = WAIT_S


class Never(Scope):
    """Something does not come, for a while."""

    filter: AskedFilter
    for_: Within = Field(default=0.0, alias="for", description="Seconds to look on.")


class Order(Scope):
    """Things come one after another; others may come between."""

    filters: list[AskedFilter] = Field(min_length=1, max_length=1000)


class Findings(Scope):
    """No departures from the documents."""

    allow: list[str] = Field(default_factory=list, description="Codes that do not count; * and ? as wildcards.")


class Conform(Scope):
    """The devices keep the guide (docs/conformance.md)."""

    allow: list[str] = Field(default_factory=list, description="Ids of rules that are not judged; wildcards allowed.")
    limits: dict[str, float | str] = Field(default_factory=dict, description="Other numbers for the rules, or off.")
    profile: Profile | None = Field(default=None, description="This profile, whatever the scenarios say.")
    strict: bool = Field(default=False, description="Broken advice counts, too.")


class RulesUsed(Scope):
    """Every rule of a scenario answered at least once."""

    scenario: str | None = Field(
        default=None, description="Only of this scenario; of all that devices are in without it."
    )


class VerdictShape(BaseModel):
    """What came of a verification."""

    model_config = ConfigDict(extra="allow")

    asked: str
    status: Literal["kept", "broken", "error"]
    why: str
    text: str = Field(description="All of it for people, field by field.")


class ConformanceShape(BaseModel):
    """What each device keeps and breaks; of a rule `verdict` is kept, broken or not seen."""

    model_config = ConfigDict(extra="allow")

    ok: bool
    limits: dict[str, float | str]
    devices: list[dict[str, Any]]


class RecoveryShape(BaseModel):
    """What a device made of one trouble (docs/recovery.md). Times in seconds; events are numbers of entries."""

    model_config = ConfigDict(extra="allow")

    device: str
    number: int = Field(description="The entry it begins with.")
    at_s: float
    outcome: Literal["unharmed", "back", "not back", "left"]
    faults: list[str] = Field(description="Names of the faults that struck; none where a line ended without one.")
    back_s: float | None = Field(description="Until the downchannel was there again.")
    attempts: int
    spacing: list[float] = Field(description="Pauses between attempts.")
    lost: list[int]
    doubled: list[int]
    refused: int = Field(default=0, description="Events that were refused untouched (REFUSED_STREAM).")
    retried: int = Field(default=0, description="How many of these were sent again.")


class RecoveryPage(BaseModel):
    """One for each trouble, oldest first."""

    recoveries: list[RecoveryShape]


class EntryShape(BaseModel):
    """An entry; its other members are in docs/journal.md."""

    model_config = ConfigDict(extra="allow")

    number: int
    time: str
    at: float
    kind: str


class JournalPage(BaseModel):
    """Entries, oldest first."""

    entries: list[EntryShape]
    last: int = Field(description="The number of the youngest entry there is: what to give as `after` later.")
    dropped: int = Field(description="How many entries went because newer ones came.")
    gone: bool = Field(description="Whether entries that might have fitted are among them.")
    began: str = Field(description="When the journal began: that of a server started anew began later.")


class Health(BaseModel):
    """The server lives."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Where the server takes devices."""

    status: Literal["ready"] = "ready"
    url: str
    h2c_url: str | None
    auth_url: str = Field(description="Where the authorization server is.")
    ca: str | None = Field(description="The certificate to trust, PEM.")
    devices: int
    downchannels: int


class Version(BaseModel):
    """Which mockcic this is."""

    mockcic: str
    python: str


class Problem(BaseModel):
    """What is wrong with a request (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    member: str | None = Field(default=None, description="The member of the request at fault.")
    problems: list[ProblemShape] | None = Field(default=None, description="What is wrong in a scenario.")
    verdict: VerdictShape | None = Field(default=None, description="What came of a verification that was not kept.")
