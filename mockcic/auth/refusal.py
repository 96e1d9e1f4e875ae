"""Why a request is refused: what is asked, held against what a policy takes (PROTOCOL 6.2 to 6.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeVar

from mockcic.auth.answer import Answer, refused
from mockcic.auth.ask import Ask
from mockcic.auth.identity import Identity
from mockcic.auth.policy import GRANTS, Policy, fits

LONGEST: Final = 8192
"""Characters of a parameter; no device needs more (INF)."""

State = TypeVar("State", bound=StrEnum)
Turn = TypeVar("Turn", bound=StrEnum)


class RefusedError(Exception):
    """A request that is not granted; `answer` is what the device is told."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.answer: Answer = refused(status, error, description)


def check_readable(ask: Ask) -> None:
    """Raises `RefusedError` for a request whose parameters cannot be read."""
    if ask.broken:
        raise RefusedError(400, "invalid_request", ask.broken)


def check_complete(ask: Ask, needed: Sequence[str]) -> None:
    """Raises `RefusedError` where one of these parameters is missing, or any is too long."""
    check_readable(ask)
    missing = ask.missing(needed)
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise RefusedError(400, "invalid_request", f"{', '.join(missing)} {are} missing")
    long = next((name for name, value in ask.parameters.items() if len(value) > LONGEST), None)
    if long is not None:
        raise RefusedError(400, "invalid_request", f"{long[:100]} is longer than {LONGEST} characters")


def check_client(ask: Ask, policy: Policy, *, status: int = 400) -> None:
    """Raises `RefusedError` with this status where the client is not known; `/authorize` asks for no secret."""
    client = policy.client(ask.get("client_id"))
    if client is None:
        raise RefusedError(status, "invalid_client", "unknown client_id")
    has_secret = client.secret is None or ask.get("client_secret") == client.secret
    if ask.get("grant_type") in GRANTS and not has_secret:
        raise RefusedError(status, "invalid_client", "wrong client_secret")
    model_id = ask.get("model_id")
    if client.models and model_id and not fits(model_id, client.models):
        raise RefusedError(status, "invalid_request", f"model_id: {model_id} is none of the client's")


def check_account(ask: Ask, policy: Policy, *, guest: bool) -> None:
    """Raises `RefusedError` where the account does not get a code (PROTOCOL 6.2)."""
    if guest:
        if not policy.guests:
            raise RefusedError(403, "access_denied", "this server takes no guests")
        return
    if not ask.account:
        text = "no account token: expected `Authorization: Bearer TOKEN`, or request_vu=Y for a guest"
        raise RefusedError(400, "invalid_request", text)
    if fits(ask.account, policy.accounts_left):
        raise RefusedError(423, "access_denied", "the account left less than a month ago")
    if not policy.takes_account(ask.account):
        raise RefusedError(403, "invalid_token", "the account token is not accepted")


def check_expected(ask: Ask, name: str, *expected: str) -> None:
    """Raises `RefusedError` where a parameter has another value than these; empty is a value as well."""
    found = ask.get(name)
    if found not in expected:
        said = " or ".join(each for each in expected if each)
        raise RefusedError(400, "invalid_request", f"{name}: found {found}, expected {said}")


def check_owner(ask: Ask, identity: Identity, what: str, *, status: int = 400, error: str = "invalid_grant") -> None:
    """Raises `RefusedError` where a request uses `what` was issued for another client, device or model."""
    for name, own in (
        ("client_id", identity.client_id),
        ("device_id", identity.device_id),
        ("model_id", identity.model_id),
    ):
        if ask.get(name) and ask.get(name) != own and own:
            raise RefusedError(status, error, f"{what} was issued for another {name}")


def turned(
    table: Mapping[tuple[State, Turn], State], never: Mapping[tuple[State, Turn], str], state: State, turn: Turn
) -> State:
    """The state that a turn leads to, by the tables of `life`. Raises `RefusedError` with the reason of `never`."""
    if (why := never.get((state, turn))) is not None:
        raise RefusedError(400, "invalid_grant", why)
    return table[state, turn]
