"""What directives mean: right in form, wrong in sense."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from mockcic.scenario.faults.act import Act, Role
from mockcic.scenario.words import PlainDuration

MESSAGES: Final = {
    "unknown-directive": "a directive whose name no catalogue knows",
    "unknown-namespace": "a directive of a namespace there is not",
    "unknown-member": "a payload with a member that nobody knows",
    "null-member": "a payload whose members are null",
    "wrong-types": "a payload whose members have other types",
    "no-payload": "a directive without payload",
    "no-message-id": "a directive without messageId",
    "same-message-id": "each directive has the messageId of the one before",
}


class Dialogue(Act):
    """Another dialogRequestId: of a dialogue that is over, of none there ever was, or none."""

    NEEDS_WIRE: ClassVar[bool] = False
    PER_DIRECTIVE: ClassVar[bool] = True
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "id"
    SEES: ClassVar[str] = "a directive that belongs to another dialogue, or to none"
    GOOD: ClassVar[str] = "drops one of another dialogue than the current, obeys one without id (PROTOCOL 3.6)"

    id: Literal["stale", "foreign", "missing", "number"] = Field(
        description="`stale`: of the dialogue before; `foreign`: a new one; `missing`: none; `number`: no text."
    )

    def about(self) -> str:
        """As of every act."""
        return f"the dialogRequestId is {'a number' if self.id == 'number' else self.id}"


class Message(Act):
    """Directives with an unknown name, unknown or null members, wrong types."""

    NEEDS_WIRE: ClassVar[bool] = False
    PER_DIRECTIVE: ClassVar[bool] = True
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "how"
    SEES: ClassVar[str] = "JSON that can be read and does not fit"
    GOOD: ClassVar[str] = (
        "ignores what it does not know, members and directives (PROTOCOL 8); drops what it cannot obey; goes on"
    )

    how: Literal[
        "unknown-directive", "unknown-namespace", "unknown-member", "null-member", "wrong-types", "no-payload",
        "no-message-id", "same-message-id",
    ] = Field(description="What is wrong.")  # fmt: skip

    def about(self) -> str:
        """As of every act."""
        return MESSAGES[self.how]


class Mutate(Act):
    """One member of the directive is changed at random, by the catalogue's types; the seed says how."""

    NEEDS_WIRE: ClassVar[bool] = False
    PER_DIRECTIVE: ClassVar[bool] = True
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "seed"
    SEES: ClassVar[str] = "a directive with a member missing, null, of another type, out of range, in a wrong form, ..."
    GOOD: ClassVar[str] = "as of `message`; `mockcic fuzz` looks for the smallest that breaks it"

    seed: int = Field(default=1, ge=0, description="The same seed makes the same changes.")

    def about(self) -> str:
        """As of every act."""
        return f"a directive is changed at random (seed {self.seed})"


class Drop(Act):
    """Directives that never come: StopCapture, Hello, or any other with `directive`."""

    NEEDS_WIRE: ClassVar[bool] = False
    PER_DIRECTIVE: ClassVar[bool] = True
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "all"
    SEES: ClassVar[str] = "nothing"
    GOOD: ClassVar[str] = (
        "ends its upload by itself after a while when StopCapture does not come (PROTOCOL 3.4), opens its downchannel "
        "anew when Hello does not (PROTOCOL 2.1)"
    )

    all: Literal[True] = Field(default=True, description="Nothing else can be said of it.")

    def about(self) -> str:
        """As of every act."""
        return "the directive is not sent"


class Repeat(Act):
    """Directives that come more than once, with the same messageId."""

    NEEDS_WIRE: ClassVar[bool] = False
    PER_DIRECTIVE: ClassVar[bool] = True
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "times"
    SEES: ClassVar[str] = "the same directive again"
    GOOD: ClassVar[str] = "obeys it once where twice would be heard; never crashes (INF)"

    times: Annotated[int, Field(ge=2, le=100)] = Field(default=2, description="How often it comes in all.")

    def about(self) -> str:
        """As of every act."""
        return f"the directive comes {self.times} times"


class Late(Act):
    """Directives that come late, behind others that were said after them."""

    NEEDS_WIRE: ClassVar[bool] = False
    PER_DIRECTIVE: ClassVar[bool] = True
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "by"
    SEES: ClassVar[str] = "the directive on the downchannel, so much later, one of an answer too; others overtake it"
    GOOD: ClassVar[str] = "drops it when its dialogue is over by then (PROTOCOL 3.6)"

    by: PlainDuration = Field(description="So much later.")

    def about(self) -> str:
        """As of every act."""
        return f"the directive comes {self.by:g} s late"


class Order(Act):
    """The directives of an answer in another order."""

    NEEDS_WIRE: ClassVar[bool] = False
    AIMS: ClassVar[tuple[Role, ...]] = ("answer",)
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "how"
    SEES: ClassVar[str] = "the same directives, the last one first"
    GOOD: ClassVar[str] = "obeys them as they come (PROTOCOL 4.6)"

    how: Literal["reversed"] = Field(default="reversed", description="The last one first.")

    def about(self) -> str:
        """As of every act."""
        return "the directives of the answer come in reversed order"


class AttachmentFault(Act):
    """Attachments that come before their directive, never, or under a `cid:` that leads nowhere."""

    NEEDS_WIRE: ClassVar[bool] = False
    PER_DIRECTIVE: ClassVar[bool] = True
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "how"
    SEES: ClassVar[str] = "audio before its directive, no audio, or a `url` that names no part"
    GOOD: ClassVar[str] = (
        "keeps a part until its directive has come; does not wait for ever for one that never does (INF)"
    )

    how: Literal["first", "missing", "nowhere"] = Field(description="What is wrong.")

    def about(self) -> str:
        """As of every act."""
        return {
            "first": "the attachment comes before its directive",
            "missing": "the attachment is missing",
            "nowhere": "`cid:` names no attachment",
        }[self.how]


class AnswerTwice(Act):
    """Two answers to one event: its directives come on the downchannel too."""

    NEEDS_WIRE: ClassVar[bool] = False
    AIMS: ClassVar[tuple[Role, ...]] = ("answer",)
    SHAPES: ClassVar[bool] = True
    SHORT: ClassVar[str] = "pushed"
    SEES: ClassVar[str] = "each directive of the answer once more on the downchannel, with its own messageId"
    GOOD: ClassVar[str] = "says nothing twice (INF)"

    pushed: Literal[True] = Field(default=True, description="Nothing else can be said of it.")

    def about(self) -> str:
        """As of every act."""
        return "the answer comes on the downchannel too"


class TokenTrouble(Act):
    """The device's tokens end: by time, or taken back; in the middle of an upload if the moment says so."""

    NEEDS_WIRE: ClassVar[bool] = False
    AIMS: ClassVar[tuple[Role, ...]] = ("connection",)
    SHORT: ClassVar[str] = "how"
    SEES: ClassVar[str] = "401 from its next request on, and its downchannel ends as the scenario's `auth` says"
    GOOD: ClassVar[str] = "refreshes and goes on (PROTOCOL 2.5, 6.5); logs out when its refresh token is no good either"

    how: Literal["expire", "revoke"] = Field(description="Let them expire, or take them back.")

    def about(self) -> str:
        """As of every act."""
        return f"its tokens {'expired' if self.how == 'expire' else 'were revoked'}"
