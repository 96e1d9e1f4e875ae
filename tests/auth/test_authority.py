"""Codes and tokens, without a socket: every row of PROTOCOL 6.1, good and bad."""

from __future__ import annotations

from typing import Any

import pytest

from mockcic.auth import life
from mockcic.auth.ask import Ask, read_ask
from mockcic.auth.authority import Authority
from mockcic.auth.identity import Identity, identity_of
from mockcic.auth.life import AccessState, AccessTurn, CodeState, CodeTurn, RefreshState, RefreshTurn
from mockcic.auth.policy import Client, Policy, Trouble

WHOSE = {"client_id": "acme", "client_secret": "s", "device_id": "kitchen-4f2a", "model_id": "one"}
ASKED = {"response_type": "code", "state": "a/b=="}
POLICY = Policy()


def authorize(
    authority: Authority, policy: Policy = POLICY, account: str = "good", now: float = 0.0, **more: str
) -> Any:
    ask = Ask({name: value for name, value in {**WHOSE, **ASKED, **more}.items() if value}, account)
    return authority.authorize(ask, policy, now, base="https://here:1").answer


def token(authority: Authority, grant: str, policy: Policy = POLICY, now: float = 0.0, **more: str) -> Any:
    said = {"grant_type": grant, **WHOSE, **more}
    return authority.token(Ask({name: value for name, value in said.items() if value}), policy, now).answer


def pair(authority: Authority, policy: Policy = POLICY, now: float = 0.0) -> dict[str, Any]:
    code = authorize(authority, policy, now=now).body["code"]
    return dict(token(authority, "authorization_code", policy, now, code=code).body)


@pytest.mark.parametrize(
    ("table", "never", "states", "turns"),
    [
        (life.CODE, life.CODE_NEVER, CodeState, CodeTurn),
        (life.ACCESS, life.ACCESS_NEVER, AccessState, AccessTurn),
        (life.REFRESH, life.REFRESH_NEVER, RefreshState, RefreshTurn),
    ],
)
def test_every_pair_of_state_and_turn_leads_somewhere_or_has_a_reason(
    table: Any, never: Any, states: Any, turns: Any
) -> None:
    pairs = {(state, turn) for state in states for turn in turns}
    assert set(table) | set(never) == pairs
    assert not set(table) & set(never)


def test_a_code_is_traded_for_a_pair_that_is_refreshed_and_deleted() -> None:
    authority = Authority()
    first = pair(authority)
    assert (first["expires_in"], first["token_type"]) == (332_000, "Bearer")
    second = token(authority, "refresh_token", refresh_token=first["refresh_token"]).body
    assert second["expires_in"] == 12_960_000
    assert authority.key_of(first["access_token"]) == authority.key_of(second["access_token"])
    deleted = token(authority, "delete", access_token=second["access_token"])
    assert deleted.body == {"access_token": second["access_token"], "client_id": "acme", "expires_in": 12_960_000}
    assert authority.why_not(second["access_token"], 0.0) == "the access token was revoked"
    assert token(authority, "refresh_token", refresh_token=second["refresh_token"]).status == 400


@pytest.mark.parametrize("missing", ["client_id", "device_id", "model_id", "response_type", "state"])
def test_what_authorize_lacks_is_400_and_named(missing: str) -> None:
    answer = authorize(Authority(), **{missing: ""})
    assert (answer.status, answer.error) == (400, "invalid_request")
    assert missing in answer.description


@pytest.mark.parametrize(
    ("policy", "account", "more", "status"),
    [
        (POLICY, "", {}, 400),
        (POLICY, "", {"request_vu": "Y"}, 200),
        (POLICY, "", {"request_vu": "x"}, 400),
        (POLICY, "good", {"response_type": "token"}, 400),
        (Policy(guests=False), "", {"request_vu": "Y"}, 403),
        (Policy(accounts=("a*",)), "good", {}, 403),
        (Policy(accounts_refused=("g*",)), "good", {}, 403),
        (Policy(accounts_left=("g*",)), "good", {}, 423),
        (Policy(accounts_with_terms=("g*",)), "good", {}, 451),
        (Policy(trouble={"authorize": Trouble(1)}), "good", {}, 500),
        (Policy(clients=(Client("other"),)), "good", {}, 400),
        (Policy(line_login=True), "good", {}, 400),
        (Policy(line_login=True), "good", {"grant_type": "uauth_auth_code_v2"}, 200),
        (Policy(model_id_required=False), "good", {"model_id": ""}, 200),
    ],
)
def test_authorize_answers_as_the_table_says(policy: Policy, account: str, more: dict[str, str], status: int) -> None:
    assert authorize(Authority(), policy, account, **more).status == status


@pytest.mark.parametrize("other", [{"client_id": "x"}, {"device_id": "x"}, {"model_id": "x"}, {"code": "x"}])
def test_a_code_is_of_one_client_device_and_model(other: dict[str, str]) -> None:
    authority = Authority()
    code = authorize(authority).body["code"]
    assert token(authority, "authorization_code", **{"code": code, **other}).status == 400


def test_a_code_counts_once_and_ten_minutes() -> None:
    authority = Authority()
    code, other = authorize(authority).body["code"], authorize(authority).body["code"]
    assert token(authority, "authorization_code", now=599.0, code=code).status == 200
    again = token(authority, "authorization_code", now=599.0, code=code)
    assert (again.error, again.description) == ("invalid_grant", "the code was used before")
    assert token(authority, "authorization_code", now=600.0, code=other).description == "the code has expired"


def test_a_code_with_terms_counts_when_they_are_agreed_to() -> None:
    authority, policy = Authority(), Policy(accounts_with_terms=("*",))
    answer = authorize(authority, policy)
    code = answer.body["code"]
    assert answer.body["redirect_uri"] == f"https://here:1/agree?code={code}&grant_type=code&state=a%2Fb%3D%3D"
    assert token(authority, "authorization_code", policy, code=code).status == 400
    no = authority.decide(Ask({"code": code, "decision": "disagree"}), 0.0).answer.location
    assert no == "clova://agreement-failure?error=user-disagreement"
    assert token(authority, "authorization_code", policy, code=code).status == 400
    yes = Ask({"code": code, "decision": "agree", "state": "a/b", "redirect_uri": "app.test/x"})
    assert authority.decide(yes, 0.0).answer.location == f"https://app.test/x?code={code}&state=a%2Fb"
    assert token(authority, "authorization_code", policy, code=code).status == 200
    assert authorize(authority, policy).status == 200


@pytest.mark.parametrize(
    ("rule", "old_access", "old_refresh"),
    [("access lives", "", 400), ("both die", "the access token was revoked", 400), ("both live", "", 200)],
)
def test_old_tokens_after_a_refresh(rule: Any, old_access: str, old_refresh: int) -> None:
    """PROTOCOL 8, row 13."""
    authority, policy = Authority(), Policy(old_tokens=rule)
    first = pair(authority, policy)
    assert token(authority, "refresh_token", policy, refresh_token=first["refresh_token"]).status == 200
    assert authority.why_not(first["access_token"], 0.0) == old_access
    assert token(authority, "refresh_token", policy, refresh_token=first["refresh_token"]).status == old_refresh


def test_a_refresh_fails_as_often_as_the_scenario_wants() -> None:
    authority, policy = Authority(), Policy(trouble={"refresh": Trouble(2, 503, delay_s=3.0)})
    refresh = pair(authority, policy)["refresh_token"]
    statuses = [token(authority, "refresh_token", policy, refresh_token=refresh).status for _ in range(3)]
    assert statuses == [503, 503, 200]


def test_a_delete_with_wrong_data_is_401() -> None:
    authority = Authority()
    access = pair(authority)["access_token"]
    assert token(authority, "delete", access_token=access, device_id="x").status == 401
    strict = Policy(clients=(Client("acme", "other"),))
    assert token(authority, "delete", strict, access_token=access).status == 401
    assert token(authority, "delete", access_token="x").status == 400
    assert token(authority, "delete").status == 400


def test_an_access_token_expires_when_its_time_is_over() -> None:
    authority = Authority()
    access = pair(authority)["access_token"]
    assert authority.lapse(331_999.0) == []
    assert [each.name for each in authority.lapse(332_000.0)] == ["expired"]
    assert authority.why_not(access, 0.0) == "the access token has expired"


def test_the_second_question_mark_is_cut_with_a_finding() -> None:
    """PROTOCOL 6: a slip of the documents' samples."""
    ask = read_ask(b"grant_type=refresh_token?client_id=acme&model_id=one")
    assert dict(ask.parameters) == {"grant_type": "refresh_token", "client_id": "acme", "model_id": "one"}
    assert [(each.code, each.severity) for each in ask.findings] == [("auth.second-question-mark", "warning")]


def test_query_and_form_are_one() -> None:
    ask = read_ask(b"grant_type=delete&a=1", b"b=2&a=1", "application/x-www-form-urlencoded; charset=utf-8")
    assert (dict(ask.parameters), ask.findings) == ({"grant_type": "delete", "a": "1", "b": "2"}, ())
    assert read_ask(b"", b"a=%ff", "application/x-www-form-urlencoded").broken


@pytest.mark.parametrize("grant", ["", "password"])
def test_an_unknown_grant_type_is_400(grant: str) -> None:
    assert token(Authority(), grant).status == 400


def test_a_key_says_whose_it_is() -> None:
    identity = Identity("a/b", "00:11:22:33:44:55", "")
    assert identity_of(identity.key) == identity
    assert identity.short == "…4455"
    assert identity_of("a-token") is None
