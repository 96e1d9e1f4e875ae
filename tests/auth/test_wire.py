"""The authorization server through the wire: httpx on the devices' port, curl in HTTP/1.1 on its own."""

from __future__ import annotations

import json
import ssl
import subprocess
from typing import Any

import httpx
import pytest

from mockcic.mock import Bench
from tests.support.programs import need

WHOSE = {"client_id": "acme", "client_secret": "a-secret-of-acme", "device_id": "kitchen-4f2a", "model_id": "one"}
LENIENT = "scenario: lenient\nsettings: {same_connection: false}\ninclude: [builtin/default]\n"


def curl(cic: Bench, *words: str) -> str:
    wanted = [need("curl"), "-sS", "--max-time", "30", "--cacert", str(cic.ca_file), *words]
    return subprocess.run(wanted, capture_output=True, timeout=60, check=True, text=True).stdout


def client(cic: Bench) -> httpx.Client:
    context = ssl.create_default_context(cafile=str(cic.ca_file))
    return httpx.Client(base_url=cic.url, verify=context, http2=True, http1=False, timeout=30)


def test_the_way_of_the_docs_in_http_1_and_2(cic: Bench) -> None:
    device = cic.device(device_id="kitchen-4f2a", client_id="acme", model_id="one")
    whose = "client_id=acme&client_secret=s&device_id=kitchen-4f2a&model_id=one"
    for version in ("--http1.1", "--http2"):
        asked = f"{cic.auth_url}/authorize?{whose}&response_type=code&state=a%2Fb"
        said = json.loads(curl(cic, version, "-H", "authorization: Bearer account-1", asked))
        assert said["state"] == "a/b"
        url = f"{cic.auth_url}/token?grant_type="
        first = json.loads(curl(cic, version, f"{url}authorization_code", "-d", f"{whose}&code={said['code']}"))
        refreshed = f"{whose}&refresh_token={first['refresh_token']}"
        second = json.loads(curl(cic, version, f"{url}refresh_token&{refreshed}"))
        assert second["expires_in"] == 12_960_000
        gone = json.loads(curl(cic, version, f"{url}delete", "-d", f"{whose}&access_token={second['access_token']}"))
        assert gone["client_id"] == "acme"
    names = [entry.name for entry in cic.find("token")]
    assert names == ["issued", "granted", "refreshed", "revoked"] * 2
    assert {entry.device for entry in cic.find("token")} == {device.name}


def test_the_page_of_terms_works_with_curl(cic: Bench) -> None:
    cic.load("scenario: t\nauth: {accounts: {terms: [new]}}\n")
    cic.device(device_id="kitchen-4f2a", client_id="acme", model_id="one")
    asked = {**WHOSE, "response_type": "code", "state": "s"}
    with client(cic) as http:
        answer = http.get("/authorize", params=asked, headers={"authorization": "Bearer new"})
        assert answer.status_code == 451
        said: dict[str, Any] = answer.json()
        assert '<button name="decision" value="agree">' in curl(cic, said["redirect_uri"])
        refused = http.post("/token", data={**WHOSE, "grant_type": "authorization_code", "code": said["code"]})
        assert refused.json()["error_description"] == "the terms of use are not agreed to"
        assert "location: clova://agreement-success" in curl(cic, "-i", "-d", "decision=agree", said["redirect_uri"])
        granted = http.post("/token", data={**WHOSE, "grant_type": "authorization_code", "code": said["code"]})
        assert granted.status_code == 200


def test_a_deleted_token_loses_its_downchannel_and_nothing_shows_it(cic: Bench) -> None:
    cic.load(LENIENT)
    device = cic.device(device_id="kitchen-4f2a", client_id="acme", model_id="one")
    pair = device.issue_token()
    with client(cic) as http, http.stream("GET", "/v1/directives", headers=device.headers) as line:
        assert line.status_code == 200
        device.wait("Clova.Hello")
        said = {**WHOSE, "grant_type": "delete", "access_token": pair.access_token}
        with client(cic) as other:
            assert other.post("/token", data=said).status_code == 200
            assert other.get("/ping", headers=device.headers).status_code == 401
        assert b"Hello" in line.read()
    assert device.wait("downchannel name=closed").data["reason"] == "its token was revoked"
    shown = "".join(entry.text() for entry in cic.journal)
    assert pair.access_token not in shown
    assert WHOSE["client_secret"] not in shown


@pytest.mark.parametrize(("expiry", "closes"), [("401", False), ("close", True), ("goaway", True)])
def test_an_expired_token_and_its_downchannel(cic: Bench, expiry: str, closes: bool) -> None:
    """PROTOCOL 8, row 12."""
    cic.load(f"{LENIENT}auth: {{expiry: {expiry}}}\n")
    device = cic.device(device_id="kitchen-4f2a")
    device.issue_token()
    with client(cic) as http, http.stream("GET", "/v1/directives", headers=device.headers):
        device.wait("Clova.Hello")
        assert cic.advance("5d").expired >= 1
        device.wait("token name=expired")
        if closes:
            device.wait("downchannel name=closed")
        else:
            assert device.connected


def test_a_401_to_an_event_is_warned_of_once_a_device(cic: Bench) -> None:
    """PROTOCOL 2.5; a hand-made token can be ended, too."""
    cic.load(LENIENT)
    device = cic.device()
    device.expire_token()
    with client(cic) as http:
        for _ in range(2):
            assert http.post("/v1/events", headers=device.headers).status_code == 401
    (warning,) = cic.find("token name=event-401")
    assert "unbinds the account" in warning.data["mend"]


@pytest.mark.parametrize(("form", "body"), [("empty", ""), ("object", '{"access_token": "string"'), ("oauth", '{"err')])
def test_errors_have_three_forms(cic: Bench, form: str, body: str) -> None:
    """PROTOCOL 8, row 25."""
    cic.load(f"{LENIENT}auth: {{errors: {form}}}\n")
    cic.device(device_id="kitchen-4f2a", client_id="acme", model_id="one")
    with client(cic) as http:
        answer = http.get("/token", params={**WHOSE, "grant_type": "authorization_code", "code": "x"})
    assert answer.status_code == 400
    assert answer.text.startswith(body)
    assert bool(answer.text) is bool(body)


def test_unknown_tokens_are_refused_where_the_scenario_says_so(cic: Bench) -> None:
    cic.load(f"{LENIENT}auth: {{unknown_tokens: refuse}}\n")
    with client(cic) as http:
        assert http.get("/ping", headers=cic.device().headers).status_code == 401
        issued = cic.device(device_id="kitchen-4f2a")
        issued.issue_token()
        assert http.get("/ping", headers=issued.headers).status_code == 204
        assert http.put("/token").status_code == 405
