"""What became of codes and tokens, as values: the journal and the downchannels are told of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from mockcic.auth.answer import Answer
from mockcic.auth.identity import Identity
from mockcic.auth.issued import Access, Code
from mockcic.errors import Finding

Name = Literal["issued", "agreed", "disagreed", "granted", "refreshed", "revoked", "expired", "refused"]

NAMES: Final[tuple[Name, ...]] = (
    "issued", "agreed", "disagreed", "granted", "refreshed", "revoked", "expired", "refused",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One turn in the life of a code or a token.

    `token` is the one it is about, whole: whoever shows it shortens it. `what` says what kind of secret that is. `key`
    is that of the device (see `Identity`), or a hand-made token that is its own; empty when nobody knows whose it is.
    `why` and `error` are of what was refused, `why` also of what ended; `lives_s` of what begins to live.
    """

    name: Name
    what: Literal["code", "access token", "refresh token", ""] = ""
    key: str = ""
    identity: Identity | None = None
    grant: str = ""
    token: str = ""
    why: str = ""
    error: str = ""
    status: int | None = None
    lives_s: float | None = None
    guest: bool = False

    @classmethod
    def of_code(cls, name: Name, code: Code, *, lives_s: float | None = None, why: str = "") -> Happening:
        """A turn in the life of a code."""
        return cls(
            name=name,
            what="code",
            key=code.identity.key,
            identity=code.identity,
            grant="authorize",
            token=code.text,
            why=why,
            lives_s=lives_s,
            guest=code.guest,
        )

    @classmethod
    def of_access(
        cls, name: Name, access: Access, *, why: str = "", grant: str = "", lives_s: float | None = None
    ) -> Happening:
        """A turn in the life of an access token."""
        return cls(
            name=name,
            what="access token",
            key=access.key,
            identity=access.identity,
            grant=grant,
            token=access.text,
            why=why,
            lives_s=lives_s,
            guest=access.guest,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is answered, after how long, and what became of codes and tokens by it."""

    answer: Answer
    happenings: tuple[Happening, ...] = ()
    findings: tuple[Finding, ...] = ()
    delay_s: float = 0.0
    key: str = ""
