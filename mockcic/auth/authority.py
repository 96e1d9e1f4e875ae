"""The authorization server itself: what is answered, and what becomes of codes and tokens (PROTOCOL section 6)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal

from mockcic.auth import life, secret
from mockcic.auth.answer import Answer, refused
from mockcic.auth.ask import Ask
from mockcic.auth.happening import Happening, Outcome
from mockcic.auth.identity import Identity, identity_of
from mockcic.auth.issued import Access, Code, Issued, Refresh, keep
from mockcic.auth.life import AccessState, AccessTurn, CodeState, CodeTurn, RefreshState, RefreshTurn
from mockcic.auth.policy import GRANTS, Call, Policy, fits
from mockcic.auth.refusal import (
    RefusedError,
    check_account,
    check_client,
    check_complete,
    check_expected,
    check_owner,
    check_readable,
    turned,
)
from mockcic.auth.terms import Reason, destination, page, page_url
from mockcic.auth.trouble import Troubles

Granted = tuple[Answer, list[Happening]]
"""What is answered to a request that is not refused, and what became of codes and tokens by it."""


class Authority:
    """Issues, trades, ends. The time is an argument, in seconds on a clock that may be turned forward.

    `key_of` and `why_not` are asked for every request of every device: they look up one dict.
    """

    def __init__(self, *, new: Callable[[str], str] = secret.new_secret) -> None:
        self._new = new
        self._issued = Issued()
        self._troubles = Troubles()
        self._agreed: OrderedDict[str, None] = OrderedDict()

    # ------------------------------------------------------------------ who is it, is it good

    def key_of(self, token: str) -> str:
        """The key of the device that an access token belongs to; a token that was not issued here is its own."""
        access = self._issued.access(token)
        return token if access is None else access.key

    def knows(self, token: str) -> bool:
        """Whether an access token was issued here, or a person has ended it here."""
        return self._issued.access(token) is not None

    def why_not(self, token: str, now: float) -> str:
        """Why an access token of ours is not good; empty when it is, and for one that we do not know."""
        access = self._issued.access(token)
        if access is None:
            return "" if identity_of(token) is None else "this names a device, and is no token"
        if access.state is AccessState.REVOKED:
            return "the access token was revoked"
        ends_s = access.ends_s
        if access.state is AccessState.EXPIRED or (ends_s is not None and ends_s <= now):
            return "the access token has expired"
        return ""

    def tokens(self, key: str | None = None) -> list[Access]:
        """The access tokens that are remembered, oldest first; of one device."""
        return self._issued.accesses(key)

    def refresh_of(self, access: Access) -> Refresh | None:
        """The refresh token that came with an access token."""
        return self._issued.refresh(access.refresh)

    # ------------------------------------------------------------------ time

    @property
    def next_end_s(self) -> float | None:
        """When the next access token's life is over."""
        return self._issued.next_end_s

    def lapse(self, now: float) -> list[Happening]:
        """Let the access tokens expire whose time has come."""
        return [_expire(access, "its time was over") for access in self._issued.over(now)]

    # ------------------------------------------------------------------ by hand

    def issue(self, identity: Identity, policy: Policy, now: float) -> tuple[dict[str, Any], list[Happening]]:
        """A token pair without a code: for a test that begins behind all that."""
        return self._pair(identity, "granted", policy, now, grant="by hand")

    def expire_by_hand(self, key: str) -> list[Happening]:
        """Let the access tokens of a device expire now; also the hand-made token that is its own key."""
        self._adopt(key)
        return [_expire(access, "by hand") for access in self.tokens(key) if access.state is AccessState.LIVE]

    def revoke_by_hand(self, key: str) -> list[Happening]:
        """Take all tokens of a device back; also the hand-made token that is its own key."""
        self._adopt(key)
        found: list[Happening] = []
        for access in self.tokens(key):
            refresh = self.refresh_of(access)
            can_refresh = refresh is not None and refresh.state is RefreshState.LIVE
            if access.state is AccessState.LIVE or (access.state is AccessState.EXPIRED and can_refresh):
                found.append(self._revoke(access, "by hand", grant="by hand"))
        return found

    def begin_anew(self, key: str) -> None:
        """Forget how often a device was troubled on purpose, and that a person ended its hand-made token."""
        identity = identity_of(key)
        if identity is None:
            self._issued.forget_access(key)
        else:
            self._troubles.forget(identity.device_id)

    def _adopt(self, key: str) -> None:
        """A hand-made token lives here from when a person first acts on it."""
        if identity_of(key) is None and not self.knows(key):
            self._issued.keep_access(Access(key, key, None, AccessState.LIVE, 0.0, None))

    # ------------------------------------------------------------------ /authorize

    def authorize(self, ask: Ask, policy: Policy, now: float, *, base: str) -> Outcome:
        """`/authorize` (PROTOCOL 6.2): a one-time code. `base` is where our own page of terms is."""
        return self._outcome("authorize", "authorize", ask, policy, lambda: self._authorize(ask, policy, now, base))

    def _authorize(self, ask: Ask, policy: Policy, now: float, base: str) -> Granted:
        self._meet_trouble("authorize", ask, policy)
        needed = ["client_id", "device_id", *(("model_id",) if policy.model_id_required else ())]
        needed += ["response_type", "state", *(("grant_type",) if policy.line_login else ())]
        check_complete(ask, needed)
        check_expected(ask, "response_type", "code")
        if policy.line_login:
            check_expected(ask, "grant_type", "uauth_auth_code_v2")
        check_expected(ask, "request_vu", "Y", "N", "")
        guest = ask.get("request_vu") == "Y"
        check_client(ask, policy)
        check_account(ask, policy, guest=guest)
        account = "" if guest else ask.account
        terms = bool(account) and fits(account, policy.accounts_with_terms) and account not in self._agreed
        code = Code(
            self._new(secret.CODE),
            _identity(ask),
            CodeState.PENDING if terms else CodeState.AGREED,
            None if policy.code_s is None else now + policy.code_s,
            account,
            guest,
        )
        self._issued.keep_code(code)
        issued = Happening.of_code("issued", code, lives_s=policy.code_s, why=CodeState.PENDING.value if terms else "")
        state = ask.get("state")
        body = {"code": code.text, "state": state}
        if not terms:
            return Answer(200, body), [issued]
        url = page_url(base, code.text, state, ask.get("redirect_uri"))
        return Answer(451, {"code": code.text, "redirect_uri": url, "state": state}), [issued]

    # ------------------------------------------------------------------ the page of terms

    def show_terms(self, ask: Ask, now: float) -> Outcome:
        """The page; a code that has none is told so."""
        code = self._issued.code(ask.get("code"), now)
        if code is None or (code.state, CodeTurn.AGREE) not in life.CODE:
            why = "there is no such code" if code is None else life.CODE_NEVER[code.state, CodeTurn.AGREE]
            return Outcome(refused(400, "invalid_request", why))
        return Outcome(Answer(200, html=page(code.text, ask.get("state"), ask.get("redirect_uri"))))

    def decide(self, ask: Ask, now: float) -> Outcome:
        """The user's decision (`decision`: agree or disagree); the answer leads back to the app."""
        code = self._issued.code(ask.get("code"), now)
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
            happenings.append(Happening.of_code("agreed" if turn is CodeTurn.AGREE else "disagreed", code))
            if turn is CodeTurn.DISAGREE:
                reason = "user-disagreement"
                self._agreed.pop(code.account, None)
            elif code.account:
                keep(self._agreed, code.account, None)
        place = destination(ask.get("code"), ask.get("state"), ask.get("redirect_uri"), reason)
        key = "" if code is None else code.identity.key
        return Outcome(Answer(302, location=place), tuple(happenings), ask.findings, key=key)

    # ------------------------------------------------------------------ /token

    def call_of(self, ask: Ask) -> Call | None:
        """Which call of `/token` it is; None for a `grant_type` that there is not."""
        return GRANTS.get(ask.get("grant_type"))

    def device_of(self, ask: Ask) -> Identity | None:
        """Whose a request is, as far as its parameters, its code or its token say; None where they do not."""
        issued_to = self._issued.identity_of(
            code=ask.get("code"), refresh=ask.get("refresh_token"), access=ask.get("access_token")
        )
        if issued_to is not None:
            return issued_to
        return _identity(ask) if ask.get("device_id") else None

    def token(self, ask: Ask, policy: Policy, now: float) -> Outcome:
        """`/token` (PROTOCOL 6.3 to 6.5), by its `grant_type`."""
        return self._outcome(
            self.call_of(ask) or "grant", ask.get("grant_type"), ask, policy, lambda: self._token(ask, policy, now)
        )

    def _token(self, ask: Ask, policy: Policy, now: float) -> Granted:
        check_readable(ask)
        grant = ask.get("grant_type")
        call = self.call_of(ask)
        if not grant:
            raise RefusedError(400, "invalid_request", f"grant_type is missing; expected one of {', '.join(GRANTS)}")
        if call is None:
            text = f"grant_type: found {grant[:100]}, expected one of {', '.join(GRANTS)}"
            raise RefusedError(400, "unsupported_grant_type", text)
        self._meet_trouble(call, ask, policy)
        trade = {"grant": self._grant, "refresh": self._trade_refresh, "delete": self._delete}[call]
        return trade(ask, policy, now)

    def _grant(self, ask: Ask, policy: Policy, now: float) -> Granted:
        check_complete(ask, _needed(policy, "code", "device_id"))
        check_client(ask, policy)
        code = self._issued.code(ask.get("code"), now)
        if code is None:
            raise RefusedError(400, "invalid_grant", "unknown code")
        check_owner(ask, code.identity, "the code")
        code.state = turned(life.CODE, life.CODE_NEVER, code.state, CodeTurn.TRADE)
        body, happenings = self._pair(
            code.identity, "granted", policy, now, grant="authorization_code", guest=code.guest
        )
        return Answer(200, body), happenings

    def _trade_refresh(self, ask: Ask, policy: Policy, now: float) -> Granted:
        check_complete(ask, _needed(policy, "refresh_token"))
        check_client(ask, policy)
        old = self._issued.refresh(ask.get("refresh_token"))
        if old is None:
            return self._trade_unknown(ask, policy, now)
        check_owner(ask, old.identity, "the refresh token")
        if old.ends_s is not None and old.ends_s <= now and (old.state, RefreshTurn.LAPSE) in life.REFRESH:
            old.state = life.REFRESH[old.state, RefreshTurn.LAPSE]
        turn = RefreshTurn.KEEP if policy.old_tokens == "both live" else RefreshTurn.TRADE
        old.state = turned(life.REFRESH, life.REFRESH_NEVER, old.state, turn)
        body, happenings = self._pair(old.identity, "refreshed", policy, now, grant="refresh_token", guest=old.guest)
        if policy.old_tokens == "both die":
            access = self._issued.access(old.access)
            if access is not None and access.state is AccessState.LIVE:
                access.state = life.ACCESS[access.state, AccessTurn.REVOKE]
                happenings.append(Happening.of_access("revoked", access, why="another one was refreshed from it"))
        return Answer(200, body), happenings

    def _trade_unknown(self, ask: Ask, policy: Policy, now: float) -> Granted:
        """Of a refresh token that was not issued here only the policy can say that it is good."""
        if not policy.unknown_refresh_tokens:
            raise RefusedError(400, "invalid_grant", "unknown refresh token")
        if not ask.get("device_id"):
            text = "device_id is missing, and the refresh token was not issued here, so nobody knows whose it is"
            raise RefusedError(400, "invalid_request", text)
        body, happenings = self._pair(_identity(ask), "refreshed", policy, now, grant="refresh_token")
        return Answer(200, body), happenings

    def _delete(self, ask: Ask, policy: Policy, now: float) -> Granted:
        refusal = policy.delete_refusal
        check_complete(ask, _needed(policy, "access_token", "device_id"))
        check_client(ask, policy, status=refusal)
        access = self._issued.access(ask.get("access_token"))
        if access is None or access.identity is None:
            raise RefusedError(400, "invalid_grant", "unknown access token")
        error = "invalid_client" if refusal == 401 else "invalid_grant"
        check_owner(ask, access.identity, "the access token", status=refusal, error=error)
        happening = self._revoke(access, "deleted by the device", grant="delete")
        body = {"access_token": access.text, "client_id": access.identity.client_id}
        return Answer(200, {**body, "expires_in": _whole(access.lives_s)}), [happening]

    # ------------------------------------------------------------------ what they share

    def _pair(
        self,
        identity: Identity,
        name: Literal["granted", "refreshed"],
        policy: Policy,
        now: float,
        *,
        grant: str,
        guest: bool = False,
    ) -> tuple[dict[str, Any], list[Happening]]:
        """An access token and its refresh token: the body that tells them, and what the journal is told."""
        lives_s = policy.access_s if name == "granted" else policy.refreshed_s
        access_text, refresh_text = self._new(secret.ACCESS), self._new(secret.REFRESH)
        access = Access(
            access_text, identity.key, identity, AccessState.LIVE, now, lives_s, refresh=refresh_text, guest=guest
        )
        self._issued.keep_access(access)
        ends_s = None if policy.refresh_s is None else now + policy.refresh_s
        self._issued.keep_refresh(Refresh(refresh_text, identity, RefreshState.LIVE, ends_s, access_text, guest))
        body = {
            "access_token": access_text,
            "expires_in": _whole(lives_s),
            "refresh_token": refresh_text,
            "token_type": "Bearer",
        }
        return body, [Happening.of_access(name, access, grant=grant, lives_s=lives_s)]

    def _revoke(self, access: Access, why: str, *, grant: str) -> Happening:
        access.state = turned(life.ACCESS, life.ACCESS_NEVER, access.state, AccessTurn.REVOKE)
        refresh = self.refresh_of(access)
        if refresh is not None and (refresh.state, RefreshTurn.REVOKE) in life.REFRESH:
            refresh.state = life.REFRESH[refresh.state, RefreshTurn.REVOKE]
        return Happening.of_access("revoked", access, why=why, grant=grant)

    def _meet_trouble(self, call: Call, ask: Ask, policy: Policy) -> None:
        """Raises `RefusedError` where the scenario wants this call to fail."""
        identity = self.device_of(ask)
        self._troubles.meet(call, policy.trouble.get(call), "" if identity is None else identity.device_id)

    def _outcome(self, call: Call, grant: str, ask: Ask, policy: Policy, work: Callable[[], Granted]) -> Outcome:
        """What comes of `work`; a request that it refuses is told so, and is a happening of its own."""
        try:
            answer, happenings = work()
        except RefusedError as error:
            answer, happenings = error.answer, []
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


def _expire(access: Access, why: str) -> Happening:
    access.state = life.ACCESS[access.state, AccessTurn.LAPSE]
    return Happening.of_access("expired", access, why=why)


def _whole(seconds: float | None) -> int:
    """`expires_in` is a whole number (6.3); the largest that a small firmware reads where there is no end (INF)."""
    return 2**31 - 1 if seconds is None else int(seconds)


def _identity(ask: Ask) -> Identity:
    return Identity(ask.get("client_id"), ask.get("device_id"), ask.get("model_id"))


def _needed(policy: Policy, *names: str) -> list[str]:
    return ["client_id", "client_secret", *names, *(("model_id",) if policy.model_id_required else ())]
