"""How an authorization server behaves towards a device: a scenario's `auth:`, as values."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

Call = Literal["authorize", "grant", "refresh", "delete"]
"""`/authorize`, and `/token` with `authorization_code`, `refresh_token`, `delete`."""

GRANTS: Final[Mapping[str, Call]] = {"authorization_code": "grant", "refresh_token": "refresh", "delete": "delete"}
"""`grant_type` of `/token`."""

OldTokens = Literal["access lives", "both die", "both live"]
ErrorForm = Literal["oauth", "empty", "object"]


@dataclass(frozen=True, slots=True)
class Client:
    """A client that is known. `secret` None takes any; `models` are patterns, none of them takes any."""

    id: str
    secret: str | None = None
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """The first `fail` calls of each device get `status` (None: all of them), each after `delay_s`."""

    fail: int | None = 0
    status: int = 500
    error: str = ""
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is taken, how long it lives, how trouble is told. Seconds throughout; None lives without an end.

    Defaults are those of PROTOCOL 8, rows 12, 13, 24, 25.
    """

    clients: tuple[Client, ...] | None = None
    accounts: tuple[str, ...] | None = None
    """Account tokens that are good, as patterns; any without it."""
    accounts_refused: tuple[str, ...] = ()
    accounts_left: tuple[str, ...] = ()
    accounts_with_terms: tuple[str, ...] = ()
    guests: bool = True
    line_login: bool = False
    """Japan: the bearer is a LINE authorization code, `grant_type` says so (6.1)."""
    model_id_required: bool = True
    code_s: float | None = 600.0
    access_s: float | None = 332_000.0
    refreshed_s: float | None = 12_960_000.0
    refresh_s: float | None = None
    old_tokens: OldTokens = "access lives"
    errors: ErrorForm = "oauth"
    delete_refusal: Literal[401, 400] = 401
    unknown_refresh_tokens: bool = False
    trouble: Mapping[Call, Trouble] = field(default_factory=dict)

    def client(self, client_id: str) -> Client | None:
        """The client of this id; None for one that is not known."""
        if self.clients is None:
            return Client(client_id)
        return next((each for each in self.clients if each.id == client_id), None)

    def takes_account(self, token: str) -> bool:
        """Whether an account token is good."""
        return not fits(token, self.accounts_refused) and (self.accounts is None or fits(token, self.accounts))


def fits(text: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns (`*` and `?` stand for any letters) fits."""
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)
