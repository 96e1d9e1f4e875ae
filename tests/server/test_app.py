"""The application over the wire: the order of its checks, and the settings that change them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx
import pytest

from mockcic.mock import Bench, TestDevice
from tests.support.golden import golden

pytestmark = pytest.mark.cic(fail_on="none")  # devices that do something wrong are what is tested here

GOOD_AGENT = "MockMaker/TestDevice/1.0.0 (Linux;test)"
STRICT = """scenario: strict
settings: {user_agent: 403, wrong_content_type: 415}
tokens: {refuse: bad*}
on: [{event: "*"}]
"""


@pytest.fixture
def client(cic: Bench) -> Iterator[httpx.Client]:
    tls = ssl.create_default_context(cafile=str(cic.ca_file))
    with httpx.Client(http1=False, http2=True, verify=tls, base_url=cic.url, timeout=30) as client:
        yield client


def headers(device: TestDevice, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {device.token}", "user-agent": GOOD_AGENT, **more}


def test_checks_come_from_cheap_to_dear(cic: Bench, client: httpx.Client) -> None:
    """Path, method, token, User-Agent, downchannel, content type, body (PROTOCOL 1.6): each hides those behind it."""
    cic.load(STRICT)
    bad, good = cic.device("bad-token-1"), cic.device()
    wrong = {"authorization": f"Bearer {bad.token}", "user-agent": "curl", "content-type": "text/plain"}
    statuses = [
        client.put("/nowhere", headers=wrong, content=b"x"),
        client.put("/v1/events", headers=wrong, content=b"x"),
        client.post("/v1/events", headers=wrong, content=b"x"),
        client.post("/v1/events", headers={**wrong, "authorization": f"Bearer {good.token}"}, content=b"x"),
        client.post("/v1/events", headers=headers(good, **{"content-type": "text/plain"}), content=b"x"),
    ]
    assert [each.status_code for each in statuses] == [404, 405, 401, 403, 412]
    cic.load(STRICT.replace("settings: {", "settings: {same_connection: false, "))
    answer = client.post("/v1/events", headers=headers(good, **{"content-type": "text/plain"}), content=b"x")
    assert answer.status_code == 415
    answer = client.post(
        "/v1/events", headers=headers(good, **{"content-type": "multipart/form-data; boundary=b"}), content=b"x"
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("profile", ["seed", "2021"])
def test_the_profile_decides_about_events_without_a_downchannel(cic: Bench, client: httpx.Client, profile: str) -> None:
    """PROTOCOL 2.3 and section 0."""
    cic.load(f"scenario: profile\nprofile: {profile}\non: [{{event: '*'}}]\n")
    message = golden("text_recognize.request")
    answer = client.post("/v1/events", headers=message.headers(cic.token), content=message.body)
    assert answer.status_code == (204 if profile == "seed" else 412)


@pytest.mark.parametrize(
    ("authorization", "status"), [("", 401), ("Bearer", 401), ("Basic abc", 401), ("bearer x1", 204)]
)
def test_only_a_bearer_token_is_a_token(cic: Bench, client: httpx.Client, authorization: str, status: int) -> None:
    assert client.get("/ping", headers={"authorization": authorization}).status_code == status


@pytest.mark.parametrize(("token", "status"), [("weather-1", 204), ("other", 401)])
def test_a_scenario_can_list_the_tokens_it_takes(cic: Bench, client: httpx.Client, token: str, status: int) -> None:
    cic.load("scenario: listed\ntokens: [weather*]\n")
    assert client.get("/ping", headers=headers(cic.device(token))).status_code == status


def test_a_ping_can_be_slow_or_never_answered(cic: Bench, client: httpx.Client) -> None:
    """PROTOCOL 8, row 11."""
    cic.load("scenario: slow-ping\nsettings: {ping: {after: 200ms}}\n")
    answer = client.get("/ping", headers=headers(cic.device()))
    assert answer.status_code == 204
    assert answer.elapsed.total_seconds() >= 0.2
    cic.load("scenario: no-ping\nsettings: {ping: never}\n")
    with pytest.raises(httpx.ReadTimeout):
        client.get("/ping", headers=headers(cic.device()), timeout=0.3)


def test_the_tags_of_a_device_are_known_to_the_scenario(cic: Bench, client: httpx.Client) -> None:
    """`X-Clova-Device-Tags` (PROTOCOL 1.2)."""
    cic.load(
        "scenario: tags\nsettings: {same_connection: false}\n"
        "on:\n  - {event: '*', when: {device.tags: {contains: beta}}, exception: {code: 500, description: beta}}\n"
        "  - {event: '*'}\n"
    )
    message = golden("text_recognize.request")
    tagged = {**message.headers(cic.token), "x-clova-device-tags": "kitchen, beta"}
    assert client.post("/v1/events", headers=tagged, content=message.body).status_code == 500
    untagged = message.headers(cic.device().token)
    assert client.post("/v1/events", headers=untagged, content=message.body).status_code == 204


def test_every_400_can_say_the_one_text_the_documents_know(cic: Bench, client: httpx.Client) -> None:
    """PROTOCOL 5.2."""
    cic.load("scenario: one-text\nsettings: {same_connection: false, one_text_for_400: true}\n")
    message = golden("no_metadata.request")
    answer = client.post("/v1/events", headers=message.headers(cic.token), content=message.body)
    assert '"description":"Could not decode multipart"' in answer.text


def test_an_upload_that_takes_too_long_is_413_and_the_limit_is_named(cic: Bench, client: httpx.Client) -> None:
    """PROTOCOL 8, row 26."""
    cic.load("scenario: hurry\nsettings: {same_connection: false, limits: {upload_time: 100ms}}\n")
    message = golden("recognize.request")
    released: list[bytes] = []

    def body() -> Iterator[bytes]:
        yield message.body[:2000]
        cic.wait("answer")
        released.append(b"")
        yield message.body[2000:]

    answer = client.post("/v1/events", headers=message.headers(cic.token), content=body())
    assert answer.status_code == 413
    assert "limit of 0.1 s" in answer.text
    assert released


def test_an_audio_condition_decides_at_the_end_of_the_upload(cic: Bench, client: httpx.Client) -> None:
    cic.load(
        "scenario: loud\nsettings: {same_connection: false}\non:\n"
        "  - {event: '*', when: {audio.level: {max: -80}}, exception: {code: 500, description: silent}}\n"
        "  - {event: '*', when: {audio.seconds: {min: 0.3}, audio.bytes: 12800}, reply: Clova.Help}\n"
    )
    message = golden("recognize.request")
    answer = client.post("/v1/events", headers=message.headers(cic.token), content=message.body)
    assert answer.status_code == 200
    assert '"name":"Help"' in answer.text


def test_the_time_of_an_upload_is_not_that_of_its_answer(cic: Bench, client: httpx.Client) -> None:
    cic.load(
        "scenario: hurry\nsettings: {same_connection: false, limits: {upload_time: 1s}}\n"
        "on: [{event: '*', delay: 1100ms, reply: [Clova.Help, {wait: 200ms}, Clova.Help]}]\n"
    )
    message = golden("recognize.request")
    answer = client.post("/v1/events", headers=message.headers(cic.token), content=message.body)
    assert answer.status_code == 200
    assert answer.text.count('"name":"Help"') == 2
    assert "limit.upload-time" not in [finding.name for finding in cic.findings]


def say(client: httpx.Client, device: TestDevice, **more: str) -> None:
    message = golden("text_recognize.request")
    given = {**message.headers(device.token), **more}
    assert client.post("/v1/events", headers=given, content=message.body).status_code == 204


def test_each_user_agent_of_a_device_is_judged_once_and_again_when_it_begins_anew(
    cic: Bench, client: httpx.Client
) -> None:
    """A new firmware comes with the old token; a test that resets a device wants to be told again."""
    cic.load("scenario: any\nsettings: {same_connection: false}\non: [{event: '*'}]\n")
    device = cic.device()
    for agent in (GOOD_AGENT, "bad", "bad", GOOD_AGENT):
        say(client, device, **{"user-agent": agent})
    assert [entry.data["found"] for entry in cic.find("finding user-agent.*")] == ['"bad"']
    device.reset()
    say(client, device, **{"user-agent": "bad"})
    assert len(cic.find("finding user-agent.*")) == 2


def test_what_happens_within_an_event_is_found_by_its_dialogue_and_connection(cic: Bench, client: httpx.Client) -> None:
    cic.load(
        "scenario: any\nsettings: {same_connection: false}\nvars: {n: 0}\n"
        "on: [{event: '*', set: {n: 1}, reply: [{wait: 10ms}, {Clova.RenderText: {text: a}}]}]\n"
    )
    message = golden("text_recognize.request")
    headers_of = {**message.headers(cic.token), "user-agent": "bad"}
    assert client.post("/v1/events", headers=headers_of, content=message.body).status_code == 200
    (event,) = cic.events
    within = [entry for entry in cic.journal if entry.kind in ("match", "step", "directive", "answer")]
    assert {entry.kind for entry in within} == {"match", "step", "directive", "answer"}
    assert {(entry.connection, entry.stream, entry.dialogue) for entry in within} == {
        (event.connection, event.stream, event.dialogue)
    }
    (finding,) = cic.findings
    assert (finding.connection, finding.stream) == (event.connection, event.stream)


def test_a_ping_alone_makes_no_device(cic: Bench, client: httpx.Client) -> None:
    """Health checks ping too; of a device that is known it is told as its own."""
    device = cic.device()
    assert client.get("/ping", headers=headers(device)).status_code == 204
    assert (cic.find("device"), len(cic.find("ping name=get"))) == ((), 1)
    with pytest.raises(LookupError, match="not connected yet"):
        device.state  # noqa: B018
