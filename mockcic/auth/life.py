"""The lives of a code, an access token, a refresh token as tables: state and turn lead to a state, or to a reason."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class CodeState(StrEnum):
    """Where a one-time code is."""

    PENDING = "pending terms"
    AGREED = "agreed"
    USED = "used"
    EXPIRED = "expired"


class CodeTurn(StrEnum):
    """What can happen to a code."""

    AGREE = "agree"
    DISAGREE = "disagree"
    TRADE = "trade"
    LAPSE = "lapse"


class AccessState(StrEnum):
    """Where an access token is."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


class AccessTurn(StrEnum):
    """What can happen to an access token."""

    LAPSE = "lapse"
    REVOKE = "revoke"


class RefreshState(StrEnum):
    """Where a refresh token is."""

    LIVE = "live"
    SPENT = "spent"
    EXPIRED = "expired"
    REVOKED = "revoked"


class RefreshTurn(StrEnum):
    """What can happen to a refresh token; `KEEP` is a trade where old tokens go on to live (PROTOCOL 8, row 13)."""

    TRADE = "trade"
    KEEP = "keep"
    LAPSE = "lapse"
    REVOKE = "revoke"


CODE: Final[Mapping[tuple[CodeState, CodeTurn], CodeState]] = {
    (CodeState.PENDING, CodeTurn.AGREE): CodeState.AGREED,
    (CodeState.PENDING, CodeTurn.DISAGREE): CodeState.PENDING,  # the user may think again until it expires
    (CodeState.PENDING, CodeTurn.LAPSE): CodeState.EXPIRED,
    (CodeState.AGREED, CodeTurn.AGREE): CodeState.AGREED,
    (CodeState.AGREED, CodeTurn.DISAGREE): CodeState.PENDING,
    (CodeState.AGREED, CodeTurn.TRADE): CodeState.USED,
    (CodeState.AGREED, CodeTurn.LAPSE): CodeState.EXPIRED,
}

CODE_NEVER: Final[Mapping[tuple[CodeState, CodeTurn], str]] = {
    (CodeState.PENDING, CodeTurn.TRADE): "the terms of use are not agreed to",
    **{(CodeState.USED, turn): "the code was used before" for turn in CodeTurn},
    **{(CodeState.EXPIRED, turn): "the code has expired" for turn in CodeTurn},
}
"""What a code cannot do, and why: the reason is what the device is told."""

ACCESS: Final[Mapping[tuple[AccessState, AccessTurn], AccessState]] = {
    (AccessState.LIVE, AccessTurn.LAPSE): AccessState.EXPIRED,
    (AccessState.LIVE, AccessTurn.REVOKE): AccessState.REVOKED,
    (AccessState.EXPIRED, AccessTurn.REVOKE): AccessState.REVOKED,  # a device that logs out after a long sleep
}

ACCESS_NEVER: Final[Mapping[tuple[AccessState, AccessTurn], str]] = {
    (AccessState.EXPIRED, AccessTurn.LAPSE): "the access token has expired",
    **{(AccessState.REVOKED, turn): "the access token was revoked" for turn in AccessTurn},
}

REFRESH: Final[Mapping[tuple[RefreshState, RefreshTurn], RefreshState]] = {
    (RefreshState.LIVE, RefreshTurn.TRADE): RefreshState.SPENT,
    (RefreshState.LIVE, RefreshTurn.KEEP): RefreshState.LIVE,
    (RefreshState.LIVE, RefreshTurn.LAPSE): RefreshState.EXPIRED,
    (RefreshState.LIVE, RefreshTurn.REVOKE): RefreshState.REVOKED,
}

REFRESH_NEVER: Final[Mapping[tuple[RefreshState, RefreshTurn], str]] = {
    **{(RefreshState.SPENT, turn): "the refresh token was used before" for turn in RefreshTurn},
    **{(RefreshState.EXPIRED, turn): "the refresh token has expired" for turn in RefreshTurn},
    **{(RefreshState.REVOKED, turn): "the refresh token was revoked" for turn in RefreshTurn},
}
