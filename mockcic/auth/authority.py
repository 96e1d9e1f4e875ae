"""The authorization server itself: codes, access tokens, refresh tokens, and what is answered (PROTOCOL section 6)."""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from mockcic.auth import life, secret
from mockcic.auth.answer import Answer, refused
from mockcic.auth.ask import Ask
from mockcic.auth.happening import Happening, Outcome
from mockcic.auth.identity import Identity, identity_of
from mockcic.auth.life import AccessState, AccessTurn, CodeState, CodeTurn, RefreshState, RefreshTurn
from mockcic.auth.policy import Call, Client, Policy, Trouble, fits
from mockcic.auth.terms import Reason, destination, page, page_url

KEPT: Final = 100_000
"""Codes, and tokens of each kind, that are remembered; the oldest go first (INF)."""

LONGEST: Final = 8192
"""Characters of a parameter; no device needs more (INF)."""

GRANTS: Final[dict[str, Call]] = {"authorization_code": "grant", "refresh_token": "refresh", "delete": "delete"}
"""`grant_type` of `/token`."""

TROUBLE_ERRORS: Final = {400: "invalid_grant", 401: "invalid_client", 403: "invalid_token", 423: "access_denied"}
"""What trouble on purpose is called unless the scenario names it."""


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


class Authority:
    """Issues, trades, ends. The time is an argument, in seconds on a clock that may be turned forward.

    `key_of` and `why_not` are asked for every request of every device: they look up one dict.
    """

    def __init__(self, *, new: Callable[[str], str] = secret.new_secret) -> None:
        self._new = new
        self._codes: OrderedDict[str, Code] = OrderedDict()
        self._access: OrderedDict[str, Access] = OrderedDict()
        self._refresh: OrderedDict[str, Refresh] = OrderedDict()
        self._of_device: dict[str, list[str]] = {}
        self._ends: list[tuple[float, str]] = []
        self._troubled: Counter[tuple[Call, str]] = Counter()
        self._agreed: OrderedDict[str, None] = OrderedDict()

    # ------------------------------------------------------------------ who is it, is it good

    def key_of(self, token: str) -> str:
        """The key of the device that an access token belongs to; a token that was not issued here is its own."""
        access = self._access.get(token)
        return token if access is None else access.key

    def knows(self, token: str) -> bool:
        """Whether an access token was issued here, or a person has ended it here."""
        return token in self._access

    def why_not(self, token: str, now: float) -> str:
        """Why an access token of ours is not good; empty when it is, and for one that we do not know."""
        access = self._access.get(token)
        if access is None:
            return "" if identity_of(token) is None else "this names a device, and is no token"
        if access.state is AccessState.REVOKED:
            return "the access token was revoked"
        ends_s = access.ends_s
        if access.state is AccessState.EXPIRED or (ends_s is not None and ends_s <= now):
            return "the access token has expired"
        return ""

    def tokens(self, key: str | None = None) -> Iterator[Access]:
        """The access tokens that are remembered, oldest first; of one device."""
        if key is None:
            yield from list(self._access.values())
        else:
            yield from [self._access[text] for text in self._of_device.get(key, ()) if text in self._access]

    def refresh_of(self, access: Access) -> Refresh | None:
        """The refresh token that came with an access token."""
        return self._refresh.get(access.refresh)

    # ------------------------------------------------------------------ time

    @property
    def next_end_s(self) -> float | None:
        """When the next access token's life is over."""
        return self._ends[0][0] if self._ends else None

    def lapse(self, now: float) -> list[Happening]:
        """Let the access tokens expire whose time has come."""
        found: list[Happening] = []
        while self._ends and self._ends[0][0] <= now:
            _, text = heapq.heappop(self._ends)
            access = self._access.get(text)
            if access is not None and access.state is AccessState.LIVE:
                found.append(self._expire(access, "its time was over"))
        return found

    def _expire(self, access: Access, why: str) -> Happening:
        access.state = life.ACCESS[access.state, AccessTurn.LAPSE]
        return _of_access("expired", access, why=why)

    # ------------------------------------------------------------------ by hand

    def issue(self, identity: Identity, policy: Policy, now: float) -> tuple[dict[str, Any], list[Happening]]:
        """A token pair without a code: for a test that begins behind all that."""
        return self._pair(identity, "by hand", "granted", policy.access_s, policy, now)

    def expire_by_hand(self, key: str) -> list[Happening]:
        """Let the access tokens of a device expire now; also the hand-made token that is its own key."""
        self._adopt(key)
        live = [access for access in self.tokens(key) if access.state is AccessState.LIVE]
        return [self._expire(access, "by hand") for access in live]

    def revoke_by_hand(self, key: str) -> list[Happening]:
        """Take all tokens of a device back; also the hand-made token that is its own key."""
        self._adopt(key)
        found: list[Happening] = []
        for access in self.tokens(key):
            refresh = self.refresh_of(access)
            can_refresh = refresh is not None and refresh.state is RefreshState.LIVE
            if access.state is AccessState.LIVE or (access.state is AccessState.EXPIRED and can_refresh):
                found += self._revoke(access, "by hand", "by hand")
        return found

    def begin_anew(self, key: str) -> None:
        """Forget how often a device was troubled on purpose, and that a person ended its hand-made token."""
        identity = identity_of(key)
        if identity is None:
            self._drop(key)
            return
        for call in ("authorize", *GRANTS.values()):
            self._troubled.pop((call, identity.device_id), None)

    def _adopt(self, key: str) -> None:
        """A hand-made token lives here from when a person first acts on it."""
        if identity_of(key) is None and key not in self._access:
            self._keep_access(Access(key, key, None, AccessState.LIVE, 0.0, None))

    def _drop(self, token: str) -> None:
        access = self._access.pop(token, None)
        if access is not None:
            self._forget_text(access)

    # ------------------------------------------------------------------ /authorize

    def authorize(self, ask: Ask, policy: Policy, now: float, *, base: str) -> Outcome:
        """`/authorize` (PROTOCOL 6.2): a one-time code. `base` is where our own page of terms is."""
        found = self._authorize(ask, policy, now, base)
        return self._outcome("authorize", "authorize", ask, policy, found)

    def _authorize(self, ask: Ask, policy: Policy, now: float, base: str) -> Answer | tuple[Answer, list[Happening]]:
        if (trouble := self._trouble("authorize", ask, policy)) is not None:
            return trouble
        needed = ["client_id", "device_id", *(("model_id",) if policy.model_id_required else ())]
        needed += ["response_type", "state", *(("grant_type",) if policy.line_login else ())]
        if (answer := _incomplete(ask, needed)) is not None:
            return answer
        if ask.get("response_type") != "code":
            return refused(400, "invalid_request", f"response_type: found {ask.get('response_type')}, expected code")
        if policy.line_login and ask.get("grant_type") != "uauth_auth_code_v2":
            text = f"grant_type: found {ask.get('grant_type')}, expected uauth_auth_code_v2"
            return refused(400, "invalid_request", text)
        guest = ask.get("request_vu") or "N"
        if guest not in ("Y", "N"):
            return refused(400, "invalid_request", f"request_vu: found {guest}, expected Y or N")
        if (answer := self._stranger(ask, policy, 400)) is not None:
            return answer
        if (answer := _account_trouble(ask, policy, guest == "Y")) is not None:
            return answer
        account = "" if guest == "Y" else ask.account
        terms = bool(account) and fits(account, policy.accounts_with_terms) and account not in self._agreed
        code = Code(
            self._new(secret.CODE),
            _identity(ask),
            CodeState.PENDING if terms else CodeState.AGREED,
            None if policy.code_s is None else now + policy.code_s,
            account,
            guest == "Y",
        )
        _keep(self._codes, code.text, code)
        issued = _of_code("issued", code, lives_s=policy.code_s, why=CodeState.PENDING.value if terms else "")
        state = ask.get("state")
        body = {"code": code.text, "state": state}
        if not terms:
            return Answer(200, body), [issued]
        url = page_url(base, code.text, state, ask.get("redirect_uri"))
        return Answer(451, {"code": code.text, "redirect_uri": url, "state": state}), [issued]

    # ------------------------------------------------------------------ the page of terms

    def show_terms(self, ask: Ask, now: float) -> Outcome:
        """The page; a code that has none is told so."""
        code = self._code(ask.get("code"), now)
        if code is None or (code.state, CodeTurn.AGREE) not in life.CODE:
            why = "there is no such code" if code is None else life.CODE_NEVER[code.state, CodeTurn.AGREE]
            return Outcome(refused(400, "invalid_request", why))
        return Outcome(Answer(200, html=page(code.text, ask.get("state"), ask.get("redirect_uri"))))

    def decide(self, ask: Ask, now: float) -> Outcome:
        """The user's decision (`decision`: agree or disagree); the answer leads back to the app."""
        code = self._code(ask.get("code"), now)
        decision = ask.get("decision")
        turn = {"agree": CodeTurn.AGREE, "disagree": CodeTurn.DISAGREE}.get(decision)
        reason: Reason | None = None
        happenings: list[Happening] = []
        if code is None or (code.state, CodeTurn.AGREE) not in life.CODE:
            reason = "server_error"
        elif turn is None:
            reason = "terms_not_agreed"
        else:
            code.state = life.CODE[code.state, turn]
            happenings.append(_of_code("agreed" if turn is CodeTurn.AGREE else "disagreed", code))
            if turn is CodeTurn.DISAGREE:
                reason = "user-disagreement"
                self._agreed.pop(code.account, None)
            elif code.account:
                _keep(self._agreed, code.account, None)
        place = destination(ask.get("code"), ask.get("state"), ask.get("redirect_uri"), reason)
        key = "" if code is None else code.identity.key
        return Outcome(Answer(302, location=place), tuple(happenings), ask.findings, key=key)

    # ------------------------------------------------------------------ /token

    def call_of(self, ask: Ask) -> Call | None:
        """Which call of `/token` it is; None for a `grant_type` that there is not."""
        return GRANTS.get(ask.get("grant_type"))

    def device_of(self, ask: Ask) -> Identity | None:
        """Whose a request is, as far as its parameters, its code or its token say; None where they do not."""
        issued = self._codes.get(ask.get("code")) or self._refresh.get(ask.get("refresh_token"))
        if issued is not None:
            return issued.identity
        access = self._access.get(ask.get("access_token"))
        if access is not None and access.identity is not None:
            return access.identity
        return _identity(ask) if ask.get("device_id") else None

    def token(self, ask: Ask, policy: Policy, now: float) -> Outcome:
        """`/token` (PROTOCOL 6.3 to 6.5), by its `grant_type`."""
        grant = ask.get("grant_type")
        call = self.call_of(ask)
        found: Answer | tuple[Answer, list[Happening]]
        if ask.broken:
            found = refused(400, "invalid_request", ask.broken)
        elif not grant:
            found = refused(400, "invalid_request", f"grant_type is missing; expected one of {', '.join(GRANTS)}")
        elif call is None:
            text = f"grant_type: found {grant[:100]}, expected one of {', '.join(GRANTS)}"
            found = refused(400, "unsupported_grant_type", text)
        elif (trouble := self._trouble(call, ask, policy)) is not None:
            found = trouble
        else:
            trade = {"grant": self._grant, "refresh": self._trade_refresh, "delete": self._delete}[call]
            found = trade(ask, policy, now)
        return self._outcome(call or "grant", grant, ask, policy, found)

    def _grant(self, ask: Ask, policy: Policy, now: float) -> Answer | tuple[Answer, list[Happening]]:
        if (answer := _incomplete(ask, _needed(policy, "code", "device_id"))) is not None:
            return answer
        if (answer := self._stranger(ask, policy, 400)) is not None:
            return answer
        code = self._code(ask.get("code"), now)
        if code is None:
            return refused(400, "invalid_grant", "unknown code")
        if (why := _foreign(ask, code.identity, "the code")) is not None:
            return refused(400, "invalid_grant", why)
        if (never := life.CODE_NEVER.get((code.state, CodeTurn.TRADE))) is not None:
            return refused(400, "invalid_grant", never)
        code.state = life.CODE[code.state, CodeTurn.TRADE]
        body, happenings = self._pair(
            code.identity, "authorization_code", "granted", policy.access_s, policy, now, guest=code.guest
        )
        return Answer(200, body), happenings

    def _trade_refresh(self, ask: Ask, policy: Policy, now: float) -> Answer | tuple[Answer, list[Happening]]:
        if (answer := _incomplete(ask, _needed(policy, "refresh_token"))) is not None:
            return answer
        if (answer := self._stranger(ask, policy, 400)) is not None:
            return answer
        old = self._refresh.get(ask.get("refresh_token"))
        guest = False
        if old is None:
            if not policy.unknown_refresh_tokens:
                return refused(400, "invalid_grant", "unknown refresh token")
            if not ask.get("device_id"):
                text = "device_id is missing, and the refresh token was not issued here, so nobody knows whose it is"
                return refused(400, "invalid_request", text)
            identity = _identity(ask)
        else:
            identity, guest = old.identity, old.guest
            if (why := _foreign(ask, identity, "the refresh token")) is not None:
                return refused(400, "invalid_grant", why)
            if old.ends_s is not None and old.ends_s <= now and (old.state, RefreshTurn.LAPSE) in life.REFRESH:
                old.state = life.REFRESH[old.state, RefreshTurn.LAPSE]
            turn = RefreshTurn.KEEP if policy.old_tokens == "both live" else RefreshTurn.TRADE
            if (never := life.REFRESH_NEVER.get((old.state, turn))) is not None:
                return refused(400, "invalid_grant", never)
            old.state = life.REFRESH[old.state, turn]
        body, happenings = self._pair(
            identity, "refresh_token", "refreshed", policy.refreshed_s, policy, now, guest=guest
        )
        if old is not None and policy.old_tokens == "both die":
            access = self._access.get(old.access)
            if access is not None and access.state is AccessState.LIVE:
                access.state = life.ACCESS[access.state, AccessTurn.REVOKE]
                happenings.append(_of_access("revoked", access, why="another one was refreshed from it"))
        return Answer(200, body), happenings

    def _delete(self, ask: Ask, policy: Policy, now: float) -> Answer | tuple[Answer, list[Happening]]:
        if (answer := _incomplete(ask, _needed(policy, "access_token", "device_id"))) is not None:
            return answer
        if (answer := self._stranger(ask, policy, policy.delete_refusal)) is not None:
            return answer
        access = self._access.get(ask.get("access_token"))
        if access is None or access.identity is None:
            return refused(400, "invalid_grant", "unknown access token")
        if (why := _foreign(ask, access.identity, "the access token")) is not None:
            error = "invalid_client" if policy.delete_refusal == 401 else "invalid_grant"
            return refused(policy.delete_refusal, error, why)
        if (never := life.ACCESS_NEVER.get((access.state, AccessTurn.REVOKE))) is not None:
            return refused(400, "invalid_grant", never)
        happenings = self._revoke(access, "deleted by the device", "delete")
        body = {"access_token": access.text, "client_id": access.identity.client_id}
        return Answer(200, {**body, "expires_in": _whole(access.lives_s)}), happenings

    # ------------------------------------------------------------------ what they share

    def _pair(
        self,
        identity: Identity,
        grant: str,
        name: Literal["granted", "refreshed"],
        lives_s: float | None,
        policy: Policy,
        now: float,
        *,
        guest: bool = False,
    ) -> tuple[dict[str, Any], list[Happening]]:
        access_text, refresh_text = self._new(secret.ACCESS), self._new(secret.REFRESH)
        access = Access(
            access_text, identity.key, identity, AccessState.LIVE, now, lives_s, refresh=refresh_text, guest=guest
        )
        self._keep_access(access)
        ends_s = None if policy.refresh_s is None else now + policy.refresh_s
        refresh = Refresh(refresh_text, identity, RefreshState.LIVE, ends_s, access_text, guest)
        _keep(self._refresh, refresh_text, refresh)
        body = {
            "access_token": access_text,
            "expires_in": _whole(lives_s),
            "refresh_token": refresh_text,
            "token_type": "Bearer",
        }
        return body, [_of_access(name, access, grant=grant, lives_s=lives_s)]

    def _keep_access(self, access: Access) -> None:
        gone = _keep(self._access, access.text, access)
        if gone is not None:
            self._forget_text(gone)
        texts = self._of_device.setdefault(access.key, [])
        texts.append(access.text)
        if (ends_s := access.ends_s) is not None:
            heapq.heappush(self._ends, (ends_s, access.text))
            if len(self._ends) > 2 * KEPT:  # of tokens that are forgotten already
                self._ends = [each for each in self._ends if each[1] in self._access]
                heapq.heapify(self._ends)

    def _forget_text(self, access: Access) -> None:
        texts = self._of_device.get(access.key, [])
        if access.text in texts:
            texts.remove(access.text)
        if not texts:
            self._of_device.pop(access.key, None)

    def _revoke(self, access: Access, why: str, grant: str = "") -> list[Happening]:
        access.state = life.ACCESS[access.state, AccessTurn.REVOKE]
        refresh = self._refresh.get(access.refresh)
        if refresh is not None and (refresh.state, RefreshTurn.REVOKE) in life.REFRESH:
            refresh.state = life.REFRESH[refresh.state, RefreshTurn.REVOKE]
        return [_of_access("revoked", access, why=why, grant=grant)]

    def _code(self, text: str, now: float) -> Code | None:
        """The code as it is now."""
        code = self._codes.get(text)
        if code is not None and code.ends_s is not None and code.ends_s <= now:
            code.state = life.CODE.get((code.state, CodeTurn.LAPSE), code.state)
        return code

    def _stranger(self, ask: Ask, policy: Policy, status: int) -> Answer | None:
        """What is wrong with the client; `/authorize` asks for no secret."""
        client = policy.client(ask.get("client_id"))
        if client is None:
            return refused(status, "invalid_client", "unknown client_id")
        if "grant_type" in ask.parameters and ask.get("grant_type") in GRANTS and not _has_secret(ask, client):
            return refused(status, "invalid_client", "wrong client_secret")
        if client.models and ask.get("model_id") and not fits(ask.get("model_id"), client.models):
            return refused(status, "invalid_request", f"model_id: {ask.get('model_id')} is none of the client's")
        return None

    def _trouble(self, call: Call, ask: Ask, policy: Policy) -> Answer | None:
        """Trouble on purpose: the first so many calls of each device."""
        trouble = policy.trouble.get(call)
        if trouble is None or trouble.fail == 0:
            return None
        identity = self.device_of(ask)
        key = (call, "" if identity is None else identity.device_id)
        if trouble.fail is not None and self._troubled[key] >= trouble.fail:
            return None
        if len(self._troubled) >= KEPT:
            self._troubled.clear()
        self._troubled[key] += 1
        which = "each time" if trouble.fail is None else f"{self._troubled[key]} of {trouble.fail}"
        return refused(trouble.status, _error_of(trouble), f"the scenario wants it: {which}")

    def _outcome(
        self, call: Call, grant: str, ask: Ask, policy: Policy, found: Answer | tuple[Answer, list[Happening]]
    ) -> Outcome:
        answer, happenings = (found, []) if isinstance(found, Answer) else found
        identity = self.device_of(ask)
        key = "" if identity is None else identity.key
        if happenings:
            key = happenings[0].key
        if not answer.is_good:
            happenings = [
                Happening(
                    name="refused",
                    key=key,
                    identity=identity,
                    grant=grant[:100],
                    why=answer.description,
                    error=answer.error,
                    status=answer.status,
                )
            ]
        delay_s = policy.trouble[call].delay_s if call in policy.trouble else 0.0
        return Outcome(answer, tuple(happenings), ask.findings, delay_s, key)


def _keep(store: OrderedDict[str, T], key: str, value: T) -> T | None:
    """Put it in; the oldest goes when there is no room, and is returned."""
    store[key] = value
    return store.popitem(last=False)[1] if len(store) > KEPT else None


def _whole(seconds: float | None) -> int:
    """`expires_in` is a whole number (6.3); the largest that a small firmware reads where there is no end (INF)."""
    return 2**31 - 1 if seconds is None else int(seconds)


def _identity(ask: Ask) -> Identity:
    return Identity(ask.get("client_id"), ask.get("device_id"), ask.get("model_id"))


def _needed(policy: Policy, *names: str) -> list[str]:
    return ["client_id", "client_secret", *names, *(("model_id",) if policy.model_id_required else ())]


def _incomplete(ask: Ask, needed: list[str]) -> Answer | None:
    if ask.broken:
        return refused(400, "invalid_request", ask.broken)
    missing = ask.missing(needed)
    if missing:
        return refused(400, "invalid_request", f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    long = next((name for name, value in ask.parameters.items() if len(value) > LONGEST), None)
    if long is not None:
        return refused(400, "invalid_request", f"{long[:100]} is longer than {LONGEST} characters")
    return None


def _account_trouble(ask: Ask, policy: Policy, guest: bool) -> Answer | None:
    """What is wrong with the account (PROTOCOL 6.2)."""
    if guest:
        return None if policy.guests else refused(403, "access_denied", "this server takes no guests")
    if not ask.account:
        text = "no account token: expected `Authorization: Bearer TOKEN`, or request_vu=Y for a guest"
        return refused(400, "invalid_request", text)
    if fits(ask.account, policy.accounts_left):
        return refused(423, "access_denied", "the account left less than a month ago")
    if not policy.takes_account(ask.account):
        return refused(403, "invalid_token", "the account token is not accepted")
    return None


def _has_secret(ask: Ask, client: Client) -> bool:
    return client.secret is None or ask.get("client_secret") == client.secret


def _foreign(ask: Ask, identity: Identity, what: str) -> str | None:
    """Why a request may not use what was issued for another client or device; None when it may."""
    for name, own in (
        ("client_id", identity.client_id),
        ("device_id", identity.device_id),
        ("model_id", identity.model_id),
    ):
        if ask.get(name) and ask.get(name) != own and own:
            return f"{what} was issued for another {name}"
    return None


def _error_of(trouble: Trouble) -> str:
    if trouble.error:
        return trouble.error
    return TROUBLE_ERRORS.get(trouble.status, "server_error" if trouble.status >= 500 else "invalid_request")


def _of_code(name: Any, code: Code, *, lives_s: float | None = None, why: str = "") -> Happening:
    return Happening(
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


def _of_access(name: Any, access: Access, *, why: str = "", grant: str = "", lives_s: float | None = None) -> Happening:
    return Happening(
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


__all__ = ["KEPT", "Access", "Authority", "Code", "Refresh"]
