"""What was issued: codes, access tokens, refresh tokens, and where to find them."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, TypeVar

from mockcic.auth import life
from mockcic.auth.identity import Identity
from mockcic.auth.life import AccessState, CodeState, CodeTurn, RefreshState

KEPT: Final = 100_000
"""Codes, and tokens of each kind, that are remembered; the oldest go first (INF)."""


@dataclass(slots=True)
class Code:
    """A one-time code; `ends_s` None lives for ever."""

    text: str
    identity: Identity
    state: CodeState
    ends_s: float | None
    account: str = ""
    guest: bool = False


@dataclass(slots=True)
class Access:
    """An access token. `key` is its device's; `refresh` the refresh token that came with it; `lives_s` as issued."""

    text: str
    key: str
    identity: Identity | None
    state: AccessState
    begun_s: float
    lives_s: float | None
    refresh: str = ""
    guest: bool = False

    @property
    def ends_s(self) -> float | None:
        """When its life is over."""
        return None if self.lives_s is None else self.begun_s + self.lives_s


@dataclass(slots=True)
class Refresh:
    """A refresh token, and the access token it came with."""

    text: str
    identity: Identity
    state: RefreshState
    ends_s: float | None
    access: str
    guest: bool = False


T = TypeVar("T")


class Issued:
    """Codes and tokens by their texts, access tokens also by their device and by the end of their lives.

    `KEPT` of each kind: an older one is unknown again.
    """

    def __init__(self) -> None:
        self._codes: OrderedDict[str, Code] = OrderedDict()
        self._accesses: OrderedDict[str, Access] = OrderedDict()
        self._refreshes: OrderedDict[str, Refresh] = OrderedDict()
        self._of_device: dict[str, list[str]] = {}
        self._ends: list[tuple[float, str]] = []

    # ------------------------------------------------------------------ codes and refresh tokens

    def keep_code(self, code: Code) -> None:
        """Remember a code."""
        keep(self._codes, code.text, code)

    def code(self, text: str, now: float) -> Code | None:
        """The code as it is now: expired where its time is over."""
        code = self._codes.get(text)
        if code is not None and code.ends_s is not None and code.ends_s <= now:
            code.state = life.CODE.get((code.state, CodeTurn.LAPSE), code.state)
        return code

    def keep_refresh(self, refresh: Refresh) -> None:
        """Remember a refresh token."""
        keep(self._refreshes, refresh.text, refresh)

    def refresh(self, text: str) -> Refresh | None:
        """The refresh token, as it was left."""
        return self._refreshes.get(text)

    def identity_of(self, *, code: str = "", refresh: str = "", access: str = "") -> Identity | None:
        """Whom the first of these that is known was issued to."""
        issued = self._codes.get(code) or self._refreshes.get(refresh) or self._accesses.get(access)
        return None if issued is None else issued.identity

    # ------------------------------------------------------------------ access tokens

    def keep_access(self, access: Access) -> None:
        """Remember an access token."""
        gone = keep(self._accesses, access.text, access)
        if gone is not None:
            self._forget_text(gone)
        self._of_device.setdefault(access.key, []).append(access.text)
        if (ends_s := access.ends_s) is not None:
            heapq.heappush(self._ends, (ends_s, access.text))
            if len(self._ends) > 2 * KEPT:  # of tokens that are forgotten already
                self._ends = [each for each in self._ends if each[1] in self._accesses]
                heapq.heapify(self._ends)

    def access(self, text: str) -> Access | None:
        """The access token, as it was left."""
        return self._accesses.get(text)

    def accesses(self, key: str | None = None) -> list[Access]:
        """The access tokens that are remembered, oldest first; of one device."""
        if key is None:
            return list(self._accesses.values())
        return [self._accesses[text] for text in self._of_device.get(key, ()) if text in self._accesses]

    def forget_access(self, text: str) -> None:
        """Forget an access token; harmless where there is none."""
        access = self._accesses.pop(text, None)
        if access is not None:
            self._forget_text(access)

    @property
    def next_end_s(self) -> float | None:
        """When the next access token's life is over."""
        return self._ends[0][0] if self._ends else None

    def over(self, now: float) -> list[Access]:
        """The access tokens that live, and whose time has come; each is given once."""
        found: list[Access] = []
        while self._ends and self._ends[0][0] <= now:
            _, text = heapq.heappop(self._ends)
            access = self._accesses.get(text)
            if access is not None and access.state is AccessState.LIVE:
                found.append(access)
        return found

    def _forget_text(self, access: Access) -> None:
        texts = self._of_device.get(access.key, [])
        if access.text in texts:
            texts.remove(access.text)
        if not texts:
            self._of_device.pop(access.key, None)


def keep(store: OrderedDict[str, T], key: str, value: T) -> T | None:
    """Put it in; the oldest goes when there are more than `KEPT`, and is returned."""
    store[key] = value
    return store.popitem(last=False)[1] if len(store) > KEPT else None
