"""The `auth:` of a scenario: which tokens the authorization server gives, what goes wrong with them (docs/auth.md)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from mockcic.auth.policy import Call, Client, Policy, Trouble
from mockcic.scenario.settings import Part, Profile
from mockcic.scenario.words import PlainDuration, Texts


def _read_client(value: object) -> object:
    return {"id": value} if isinstance(value, str) else value


def _read_accounts(value: object) -> object:
    return {"accept": value} if isinstance(value, list) else value


class AuthClient(Part):
    """A client of the authorization server; a text alone is its id."""

    id: str = Field(min_length=1, description="Its `client_id`.")
    secret: str | None = Field(default=None, description="Its `client_secret`; any without it.")
    models: Texts = Field(default_factory=list, description="Its `model_id`s, wildcards allowed; any without it.")


class AuthAccounts(Part):
    """What account tokens (the bearer of /authorize) lead to; wildcards allowed."""

    accept: Texts | None = Field(default=None, description="Only these are good, any other gets 403; all without it.")
    refuse: Texts = Field(default_factory=list, description="These get 403.")
    left: Texts = Field(default_factory=list, description="Left less than a month ago: 423.")
    terms: Texts = Field(default_factory=list, description="Have to agree to the terms of use first: 451.")


class AuthTrouble(Part):
    """Trouble on purpose with one call."""

    fail: Annotated[int, Field(ge=0)] | Literal["always"] = Field(
        default=0, description="How many calls of each device fail before it works, or `always`."
    )
    status: int = Field(default=500, ge=400, le=599, description="The status of those that fail.")
    error: str = Field(
        default="",
        description="Its `error`; without it what fits the status. Shipped firmware logs out on invalid_grant and "
        "unauthorized_client (PROTOCOL 6.6).",
    )
    delay: PlainDuration = Field(default=0.0, description="Every call is answered so much later.")


class Auth(Part):
    """The authorization server, as the devices of a scenario find it. Rows are those of PROTOCOL section 8."""

    clients: list[Annotated[AuthClient, BeforeValidator(_read_client)]] | None = Field(
        default=None, description="The clients that are known: ids, or `{id, secret, models}`; any without it."
    )
    accounts: Annotated[AuthAccounts, BeforeValidator(_read_accounts)] = Field(
        default_factory=AuthAccounts,
        description="Account tokens: a list of good ones, or `{accept, refuse, left, terms}`; all are good without it.",
    )
    guests: bool = Field(default=True, description="Whether `request_vu=Y` gets a code without an account (6.2).")
    login: Literal["naver", "line"] = Field(
        default="naver", description="`line`: Japan's, where /authorize needs grant_type=uauth_auth_code_v2 (6.1)."
    )
    model_id: Literal["required", "optional"] | None = Field(
        default=None, description="Whether `model_id` is needed: optional in profile seed, required in 2021 (6.1)."
    )
    code_lifetime: PlainDuration | Literal["endless"] = Field(
        default=600.0, description="How long a code can be traded (row 24)."
    )
    token_lifetime: PlainDuration | Literal["endless"] = Field(
        default=332_000.0, description="How long a new access token lives, `expires_in` (row 24)."
    )
    refreshed_lifetime: PlainDuration | Literal["endless"] = Field(
        default=12_960_000.0, description="How long a refreshed access token lives (row 24, PROTOCOL 6.3)."
    )
    refresh_lifetime: PlainDuration | Literal["endless"] = Field(
        default="endless", description="How long a refresh token lives (row 24)."
    )
    old_tokens: Literal["access lives", "both die", "both live"] = Field(
        default="access lives",
        description="The old pair after a refresh: the refresh token dies and the access token lives on, both die, "
        "both live (row 13).",
    )
    expiry: Literal[401, "close", "goaway"] = Field(
        default=401,
        description="An expired token's open downchannel: stays, and later requests get 401; is closed; GOAWAY and "
        "closed (row 12).",
    )
    deleted: Literal["close", "stay"] = Field(
        default="close", description="The downchannel of a device whose token was deleted or revoked (6.5)."
    )
    delete_refusal: Literal[401, 400] = Field(
        default=401, description="Status for a delete with wrong client or device data: 401 in G18 and G20 (6.5)."
    )
    errors: Literal["oauth", "empty", "object"] = Field(
        default="oauth", description="Body of an error: RFC 6749's, none, or G21's sample (row 25)."
    )
    unknown_tokens: Literal["accept", "refuse"] = Field(
        default="accept",
        description="Access tokens that were not issued here: taken as `tokens` says, or 401 unless `tokens.accept` "
        "names them.",
    )
    unknown_refresh_tokens: Literal["accept", "refuse"] = Field(
        default="refuse",
        description="Refresh tokens that were not issued here: 400 invalid_grant, or traded for a pair of ours.",
    )
    authorize: AuthTrouble = Field(default_factory=AuthTrouble, description="Trouble with /authorize.")
    grant: AuthTrouble = Field(
        default_factory=AuthTrouble, description="Trouble with /token?grant_type=authorization_code."
    )
    refresh: AuthTrouble = Field(
        default_factory=AuthTrouble,
        description="Trouble with /token?grant_type=refresh_token: {fail: 2, status: 500, delay: 3s}.",
    )
    delete: AuthTrouble = Field(default_factory=AuthTrouble, description="Trouble with /token?grant_type=delete.")

    def policy(self, profile: Profile) -> Policy:
        """The same as values, with what the profile decides filled in."""
        required = profile != "seed" if self.model_id is None else self.model_id == "required"
        clients = self.clients
        return Policy(
            clients=None
            if clients is None
            else tuple(Client(each.id, each.secret, tuple(each.models)) for each in clients),
            accounts=None if self.accounts.accept is None else tuple(self.accounts.accept),
            accounts_refused=tuple(self.accounts.refuse),
            accounts_left=tuple(self.accounts.left),
            accounts_with_terms=tuple(self.accounts.terms),
            guests=self.guests,
            line_login=self.login == "line",
            model_id_required=required,
            code_s=_seconds(self.code_lifetime),
            access_s=_seconds(self.token_lifetime),
            refreshed_s=_seconds(self.refreshed_lifetime),
            refresh_s=_seconds(self.refresh_lifetime),
            old_tokens=self.old_tokens,
            errors=self.errors,
            delete_refusal=self.delete_refusal,
            unknown_refresh_tokens=self.unknown_refresh_tokens == "accept",
            trouble={call: _trouble(getattr(self, call)) for call in CALLS if getattr(self, call).model_fields_set},
        )


CALLS: Final[tuple[Call, ...]] = ("authorize", "grant", "refresh", "delete")


def _seconds(value: float | str) -> float | None:
    return None if isinstance(value, str) else value


def _trouble(said: AuthTrouble) -> Trouble:
    fail = None if said.fail == "always" else said.fail
    return Trouble(fail, said.status, said.error, _seconds(said.delay) or 0.0)


__all__ = ["Auth", "AuthAccounts", "AuthClient", "AuthTrouble"]
