"""The control API through its own listener."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mockcic import MockCIC, __version__
from mockcic.control.bodies import MAIN
from mockcic.server.service import Journaling
from mockcic.simulator.device import Device
from mockcic.simulator.lifeline import RefusedError
from mockcic.sound.make import tone
from mockcic.trace.file import read_trace
from tests.control.conftest import SCENARIO, TOKEN

PROBLEM = "application/problem+json"


@pytest.fixture
async def device(mock: MockCIC) -> AsyncIterator[Device]:
    """It said something, and has reported what it made of the answer: by itself it does nothing more."""
    async with Device(mock.url, ca_file=mock.ca_file, token=TOKEN, pace=0) as device:
        await device.say_text("불 켜")
        await device.idle()
        yield device


@pytest.fixture
async def asker(mock: MockCIC) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=mock.control_url or "") as client:
        yield client


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document of an answer (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    value: dict[str, Any] = answer.json()
    assert (value["status"], bool(value["title"]), bool(value["detail"])) == (status, True, True)
    return value


# ---------------------------------------------------------------------- about


def test_health_readiness_version_and_numbers(client: httpx.Client, mock: MockCIC) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz").json()
    assert (ready["status"], ready["url"], ready["h2c_url"]) == ("ready", mock.url, mock.h2c_url)
    assert ready["ca"].startswith("-----BEGIN CERTIFICATE-----\n")
    assert "PRIVATE" not in ready["ca"]
    assert client.get("/v1/version").json()["mockcic"] == __version__
    numbers = client.get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(numbers.text)}
    assert {"mockcic_entries", "mockcic_devices", "mockcic_downchannels", "mockcic_journal_bytes"} <= set(families)


def test_what_is_not_there_is_a_problem_document(refused: httpx.Client) -> None:
    assert problem(refused.get("/nowhere"), 404)["detail"].startswith("GET /nowhere: Not Found; /openapi.json")
    assert refused.put("/v1/devices").status_code == 405
    problem(refused.put("/v1/devices"), 405)


# ---------------------------------------------------------------------- devices


async def test_a_device_is_shown_by_its_name_with_and_without_its_mark_and_by_its_token(
    asker: httpx.AsyncClient, device: Device
) -> None:
    (one,) = (await asker.get("/v1/devices")).json()["devices"]
    assert (one["device"], one["scenario"], one["state"], one["vars"]) == ("…4f2a", "lamp", "bright", {"lit": 1})
    assert (one["downchannel"], one["announced"], one["assigned"]) == (True, False, False)
    for name in ("…4f2a", "4f2a", TOKEN):
        assert (await asker.get(f"/v1/devices/{name}")).json()["device"] == "…4f2a"
    unknown = problem(await asker.get("/v1/devices/4f2b"), 404)
    assert unknown["detail"] == "there is no device 4f2b; did you mean …4f2a?"
    assert unknown["member"] == "device"


async def test_state_and_variables_can_be_changed_and_only_those_there_are(
    asker: httpx.AsyncClient, device: Device
) -> None:
    changed = (await asker.patch("/v1/devices/4f2a", json={"state": "start", "vars": {"lit": 5}})).json()
    assert (changed["state"], changed["vars"]) == ("start", {"lit": 5})
    wrong = problem(await asker.patch("/v1/devices/4f2a", json={"state": "brigt"}), 404)
    assert wrong["detail"] == "there is no state brigt; did you mean bright?"
    assert problem(await asker.patch("/v1/devices/4f2a", json={"vars": {"lid": 1}}), 404)["member"] == "variable"
    unknown = problem(await asker.patch("/v1/devices/4f2a", json={"stat": "x"}), 422)
    assert unknown["member"] == "stat"


async def test_a_device_is_reset_expired_and_forgotten(asker: httpx.AsyncClient, mock: MockCIC) -> None:
    async with Device(mock.url, ca_file=mock.ca_file, token=TOKEN, pace=0, reopen_after_s=3600):  # else it comes back
        assert (await asker.post("/v1/devices/4f2a/reset")).json()["state"] == "start"
        assert (await asker.post("/v1/devices/4f2a/expire")).status_code == 200
        await mock.wait_async("downchannel name=closed", reason="it was expired by hand")
        assert [entry.name for entry in mock.find("device")] == ["new", "reset", "expired"]
        assert (await asker.delete("/v1/devices/4f2a")).status_code == 204
        problem(await asker.get("/v1/devices/4f2a"), 404)


async def test_a_device_without_downchannel_cannot_be_expired(asker: httpx.AsyncClient) -> None:
    name = (await asker.post("/v1/devices", json={"token": "to-come-1234"})).json()["device"]
    assert name == "…1234"
    problem(await asker.post(f"/v1/devices/{name}/expire"), 404)


# ---------------------------------------------------------------------- scenarios

OTHER = (
    "scenario: other\nsettings: {same_connection: false}\non: [{event: '*', reply: {Clova.RenderText: {text: hi}}}]\n"
)


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return packed.getvalue()


WITH_SOUND = zipped(
    **{MAIN: b"main.yaml"},
    main_dot_yaml=b"scenario: packed\ninclude: [part.yaml]\n"
    b"on: [{event: 'Clova.*', reply: {SpeechSynthesizer.Speak: {audio: s/x.mp3}}}]\n",
    part_dot_yaml=b"on: [{event: 'Settings.*'}]\n",
    s__x_dot_mp3=b"\xff\xfb" * 8,
)


@pytest.mark.parametrize(
    ("body", "content_type", "name"),
    [
        (OTHER.encode(), "application/yaml", "other"),
        (json.dumps({"scenario": "as-json", "on": [{"event": "*"}]}).encode(), "application/json", "as-json"),
        (WITH_SOUND, "application/zip", "packed"),
    ],
)
def test_a_scenario_comes_as_yaml_as_json_or_as_a_zip_of_its_folder(
    client: httpx.Client, body: bytes, content_type: str, name: str
) -> None:
    headers = {"content-type": content_type}
    assert client.post("/v1/scenarios?check=true", content=body, headers=headers).json()["scenarios"] == [name]
    problem(client.get(f"/v1/scenarios/{name}"), 404)
    assert client.post("/v1/scenarios", content=body, headers=headers).json() == {"scenarios": [name], "warnings": []}
    found = client.get(f"/v1/scenarios/{name}").json()
    assert (found["loaded"], found["default"]) == (True, False)
    client.post("/v1/scenarios?default=true", content=body, headers=headers)
    assert [each["scenario"] for each in client.get("/v1/scenarios").json()["scenarios"] if each["default"]] == [name]
    assert client.put("/v1/devices/token-to-come/scenario", content=body, headers=headers).json() == {"device": "…come"}
    assert client.put(f"/v1/devices/…come/scenario?name={name}").status_code == 200
    assert client.delete("/v1/devices/…come/scenario").status_code == 204
    assert client.delete(f"/v1/scenarios/{name}").status_code == 204
    assert [each["scenario"] for each in client.get("/v1/scenarios").json()["scenarios"]] == ["lamp"]
    problem(client.delete("/v1/scenarios/lamp"), 409)


def test_a_scenario_with_errors_changes_nothing_and_says_every_place(refused: httpx.Client) -> None:
    body = "scenario: bad\non:\n  - event: '*'\n    repply: none\n  - evnt: x\n"
    answer = problem(refused.post("/v1/scenarios", content=body, headers={"content-type": "application/yaml"}), 422)
    places = [(each["line"], each["column"]) for each in answer["problems"]]
    assert places[0] == (4, 5)
    assert len(places) >= 2
    assert len(refused.get("/v1/scenarios").json()["scenarios"]) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"scenario: x", "image/png", 415),
        (b"\xff\xfe", "application/yaml", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"PK no zip", "application/zip", 400),
        (zipped(a_dot_yaml=b"scenario: a", b_dot_yaml=b"scenario: b"), "application/zip", 422),
        (zipped(**{"..__evil_dot_yaml": b"scenario: evil"}), "application/zip", 422),
        (zipped(**{MAIN: b"nowhere.yaml"}), "application/zip", 422),
        (b"", "application/yaml", 422),
    ],
)
def test_a_body_that_is_no_scenario_is_refused(
    refused: httpx.Client, body: bytes, content_type: str, status: int
) -> None:
    problem(refused.post("/v1/scenarios", content=body, headers={"content-type": content_type}), status)
    assert len(refused.get("/v1/scenarios").json()["scenarios"]) == 1


def test_a_scenario_in_a_body_reads_no_file_of_the_server(refused: httpx.Client, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp3"
    secret.write_bytes(b"secret")
    body = f"scenario: spy\non: [{{event: '*', reply: {{SpeechSynthesizer.Speak: {{audio: {secret}}}}}}}]\n"
    answer = problem(refused.post("/v1/scenarios", content=body, headers={"content-type": "application/yaml"}), 422)
    assert "outside the scenarios' folder" in answer["problems"][0]["what"]


async def test_an_assigned_scenario_answers_that_device_only(asker: httpx.AsyncClient, mock: MockCIC) -> None:
    await asker.put("/v1/devices/own-token-1/scenario", content=OTHER, headers={"content-type": "application/yaml"})
    async with (
        Device(mock.url, ca_file=mock.ca_file, token="own-token-1", pace=0) as one,
        Device(mock.url, ca_file=mock.ca_file, token="own-token-2", pace=0) as two,
    ):
        assert [each.directive.name for each in (await one.say_text("불")).directives] == ["RenderText"]
        assert [each.directive.name for each in (await two.say_text("불")).directives] == ["TurnOn"]


# ---------------------------------------------------------------------- push


async def test_a_push_says_who_got_it_and_when(asker: httpx.AsyncClient, mock: MockCIC, device: Device) -> None:
    asked = {"directive": "Clova.RenderText", "payload": {"text": "{{ vars.lit }}"}, "to": {"device": "4f2a"}}
    answer = (await asker.post("/v1/push", json=asked)).json()
    assert answer["count"] == 1
    (delivered,) = answer["delivered"]
    entry = next(entry for entry in mock.journal if entry.number == delivered["number"])
    assert (entry.kind, entry.name, entry.data["message_id"]) == (
        "directive",
        "Clova.RenderText",
        delivered["message_id"],
    )
    assert (await device.wait_for("Clova.RenderText")).directive.payload == {"text": 1}


async def test_a_push_reaches_a_group_by_tag_or_user_agent(asker: httpx.AsyncClient, mock: MockCIC) -> None:
    async with (
        Device(mock.url, ca_file=mock.ca_file, token="red-1", pace=0, user_agent="A/b/1.0.0 (Linux;x)"),
        Device(mock.url, ca_file=mock.ca_file, token="blue-1", pace=0),
    ):
        await mock.wait_async("downchannel name=open", times="2..")
        by_agent = {"directive": "Clova.Help", "to": {"user_agent": "A/b/*"}}
        assert [each["device"] for each in (await asker.post("/v1/push", json=by_agent)).json()["delivered"]] == [
            "…ed-1"
        ]
        assert (await asker.post("/v1/push", json={"directive": "Clova.Help"})).json()["count"] == 2
        assert (await asker.post("/v1/push", json={"directive": "Clova.Help", "to": {"tag": "x"}})).json()["count"] == 0


async def test_a_device_without_downchannel_misses_a_push(asker: httpx.AsyncClient, mock: MockCIC) -> None:
    async with httpx.AsyncClient(http1=False, http2=True) as http:
        form = {"authorization": "Bearer lonely-1", "content-type": "multipart/form-data; boundary=b"}
        await http.post(f"{mock.h2c_url}/v1/events", headers=form, content=b"--b--")
    answer = (await asker.post("/v1/push", json={"directive": "Clova.Help", "to": {"device": "ly-1"}})).json()
    assert (answer["count"], answer["missed"]) == (0, [{"device": "…ly-1", "why": "no downchannel"}])


@pytest.mark.parametrize(
    ("asked", "status", "member"),
    [
        ({"directive": "Clova.Halp"}, 404, "directive"),
        ({}, 422, "body"),
        ({"directive": "Clova.Help", "step": {"Clova.Help": {}}}, 422, "body"),
        ({"directive": "Clova.Help", "payload": 1}, 422, "payload"),
        ({"step": {"wait": 3}}, 422, "step.directive"),
        ({"directive": "SpeechSynthesizer.Speak", "audio": {"file": "/etc/passwd"}}, 422, "audio"),
        ({"directive": "SpeechSynthesizer.Speak", "audio": {"base64": "?"}}, 422, "audio"),
        ({"directive": "Clova.Help", "to": {"device": "nobody"}}, 404, "device"),
        ({"directive": "Clova.Help", "within": -1}, 422, "within"),
    ],
)
def test_a_push_that_cannot_be_is_refused_and_names_the_member(
    refused: httpx.Client, asked: dict[str, Any], status: int, member: str
) -> None:
    assert problem(refused.post("/v1/push", json=asked), status)["member"] == member


# ---------------------------------------------------------------------- journal


async def test_the_journal_is_asked_with_filters(asker: httpx.AsyncClient, device: Device) -> None:
    page = (await asker.get("/v1/journal", params={"filter": "TextRecognizer.*", "device": "4f2a"})).json()
    (event,) = page["entries"]
    assert (event["payload"], event["header"]["name"]) == ({"text": "불 켜"}, "Recognize")
    assert event["parts"][0]["headers"]["content-type"].startswith("application/json")
    assert json.loads(event["parts"][0]["text"])["event"]["payload"] == {"text": "불 켜"}
    later = (await asker.get("/v1/journal", params={"after": page["last"]})).json()
    assert (later["entries"], later["gone"], later["dropped"]) == ([], False, 0)
    assert len((await asker.get("/v1/journal", params={"limit": 2})).json()["entries"]) == 2
    assert (await asker.delete("/v1/journal")).status_code == 204
    assert (await asker.get("/v1/journal")).json()["entries"] == []


async def test_no_token_is_in_any_answer(asker: httpx.AsyncClient, mock: MockCIC, device: Device) -> None:
    scenario = SCENARIO + f"tokens: [{TOKEN}]\n"
    await asker.put(f"/v1/devices/{TOKEN}/scenario", content=scenario, headers={"content-type": "application/yaml"})
    await device.say_text(f"불 {TOKEN}")
    await device.say_text(f"no rule fits {TOKEN}")
    with contextlib.suppress(RefusedError):
        await device.send(f"{TOKEN}.Unknown", {TOKEN: TOKEN})
    async with httpx.AsyncClient(http1=False, http2=True, verify=False) as http:
        headers = {"authorization": f"Bearer {TOKEN}", "user-agent": TOKEN, "x-clova-device-tags": TOKEN}
        await http.get(f"{mock.url}/{TOKEN}", headers=headers)
        await http.post(f"{mock.url}/v1/events", headers={**headers, "content-type": TOKEN}, content=b"x")
    await asker.post("/v1/push", json={"directive": "Clova.RenderText", "payload": {"text": "{{ device.token }}"}})
    for path in ("/v1/journal?limit=100000", "/v1/devices", "/v1/scenarios", "/metrics"):
        assert TOKEN not in (await asker.get(path)).text
    archive = zipfile.ZipFile(io.BytesIO((await asker.get("/v1/trace")).content))
    for name in archive.namelist():
        assert TOKEN.encode() not in archive.read(name)
    assert "Bearer …4f2a" in (await asker.get("/v1/journal?filter=event")).text


async def test_the_live_journal_goes_on_behind_the_entry_a_client_had_last(
    asker: httpx.AsyncClient, device: Device
) -> None:
    async def first(count: int, **how: Any) -> list[dict[str, Any]]:
        async with asker.stream("GET", "/v1/journal/live", **how) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            return await read_events(answer, count)

    old = await first(3, params={"after": 0})
    assert [entry["kind"] for entry in old] == ["connect", "device", "downchannel"]
    (fourth,) = await first(1, headers={"last-event-id": str(old[-1]["number"])})
    assert fourth["number"] == old[-1]["number"] + 1


async def test_the_live_journal_tells_what_happens_from_the_request_on(
    asker: httpx.AsyncClient, device: Device
) -> None:
    async with asker.stream("GET", "/v1/journal/live", params={"filter": "directive Clova.Help"}) as answer:
        await asker.post("/v1/push", json={"directive": "Clova.Help"})
        (entry,) = await read_events(answer, 1)
    assert entry["name"] == "Clova.Help"


async def read_events(answer: httpx.Response, count: int) -> list[dict[str, Any]]:
    """So many server-sent events; each has its entry's number as its id, and its kind as its type."""
    found: list[dict[str, Any]] = []
    said: dict[str, str] = {}
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        said[name] = value
        if name == "data":
            entry = json.loads(value)
            assert (said["id"], said["event"]) == (str(entry["number"]), entry["kind"])
            found.append(entry)
            if len(found) == count:
                break
    return found


async def test_a_trace_can_be_downloaded(asker: httpx.AsyncClient, device: Device, tmp_path: Path) -> None:
    answer = await asker.get("/v1/trace", params={"device": "4f2a"})
    assert answer.headers["content-disposition"] == 'attachment; filename="4f2a.cictrace"'
    file = tmp_path / "a.cictrace"
    file.write_bytes(answer.content)
    trace = read_trace(file)
    assert trace.devices == ("…4f2a",)
    assert [(rule.rule, rule.uses) for rule in trace.rules] == [("light", 1), ("report", 1)]
    assert "scenario: lamp" in next(iter(trace.scenarios.values()))
    problem(await asker.get("/v1/trace", params={"device": "nobody"}), 404)


async def test_a_sound_comes_back_as_wav(asker: httpx.AsyncClient, mock: MockCIC, device: Device) -> None:
    pcm = tone(440, 0.5)
    await device.say(pcm)
    upload = await mock.wait_async("upload")
    answer = await asker.get(f"/v1/sounds/{upload.data['sha256']}")
    assert (answer.headers["content-type"], answer.content[:4]) == ("audio/wav", b"RIFF")
    raw = await asker.get(f"/v1/sounds/{upload.data['sha256']}", params={"raw": True})
    assert raw.content == pcm[: upload.data["bytes"]]
    problem(await asker.get(f"/v1/sounds/{'0' * 64}"), 404)
    problem(await asker.get("/v1/sounds/../../etc/passwd"), 404)
    problem(await asker.get("/v1/sounds/abc"), 422)


# ---------------------------------------------------------------------- verification


async def test_verifications_are_kept_or_broken_with_a_text(asker: httpx.AsyncClient, device: Device) -> None:
    kept = (await asker.post("/v1/verify", json={"filter": "TextRecognizer.Recognize", "times": 1})).json()
    assert (kept["status"], kept["came"][0]["name"]) == ("kept", "TextRecognizer.Recognize")
    answer = await asker.post("/v1/verify", json={"filter": {"name": "TextRecognizer.*", "payload.text": "물"}})
    broken = problem(answer, 409)
    assert broken["verdict"]["status"] == "broken"
    near = broken["verdict"]["nearest"][0]
    assert near["entry"]["payload"] == {"text": "불 켜"}
    assert {each["member"]: each["holds"] for each in near["comparisons"]} == {
        "kind": True,
        "name": True,
        "payload.text": False,
    }
    assert "✗ payload.text  expected 물" in broken["detail"]
    for path in ("no-unmatched", "no-findings"):
        assert (await asker.post(f"/v1/verify/{path}")).json()["status"] == "kept"
    order = {"filters": ["TextRecognizer.*", "DeviceControl.TurnOn"]}
    assert (await asker.post("/v1/verify/order", json=order)).json()["status"] == "kept"
    problem(await asker.post("/v1/verify/order", json={"filters": order["filters"][::-1]}), 409)
    assert (await asker.post("/v1/verify/never", json={"filter": "Clova.Never", "for": 0.01})).json()[
        "status"
    ] == "kept"
    problem(await asker.post("/v1/verify/never", json={"filter": "TextRecognizer.*"}), 409)
    used = {"scenario": "lamp", "device": "4f2a"}
    assert (await asker.post("/v1/verify/all-rules-used", json=used)).json()["status"] == "kept"


async def test_a_wait_ends_with_the_entry(asker: httpx.AsyncClient, device: Device) -> None:
    waiting = asker.post("/v1/wait", json={"filter": "TextRecognizer.*", "times": "2..", "within": 60})
    answer, _ = await asyncio.gather(waiting, device.say_text("불 꺼"))
    assert [entry["payload"]["text"] for entry in answer.json()["came"]] == ["불 켜", "불 꺼"]
    late = problem(await asker.post("/v1/wait", json={"filter": "Clova.Never", "within": 0.01}), 409)
    assert late["verdict"]["asked"] == "Clova.Never at least once within 0.01 s"


def test_what_would_need_dropped_entries_cannot_be_judged() -> None:
    with MockCIC(SCENARIO, control_port=0, journaling=Journaling(entries=3)) as mock:
        with httpx.Client(http1=False, http2=True) as http:
            for _ in range(5):
                http.get(f"{mock.h2c_url}/ping", headers={"authorization": "Bearer pinging-1"})
        with httpx.Client(base_url=mock.control_url or "") as client:
            answer = problem(client.post("/v1/verify", json={"filter": "ping", "times": 5}), 410)
            assert answer["verdict"]["status"] == "error"
            assert client.post("/v1/verify", json={"filter": "ping", "times": "1.."}).status_code == 200
            problem(client.post("/v1/verify/no-findings"), 410)
            assert client.get("/v1/journal").json()["gone"]


@pytest.mark.parametrize(
    ("asked", "member"),
    [
        ({"filter": "evnt"}, "filter"),
        ({"filter": {"paylod.x": 1}}, "filter"),
        ({"filter": "event", "times": "often"}, "times"),
        ({"filter": "event", "after": -1}, "after"),
        ({"filter": 3}, "filter"),
        ({}, "filter"),
    ],
)
def test_a_question_that_cannot_be_read_names_the_member(
    refused: httpx.Client, asked: dict[str, Any], member: str
) -> None:
    assert problem(refused.post("/v1/verify", json=asked), 422)["member"].split(".")[0] == member


def test_a_body_that_is_not_json_is_400(refused: httpx.Client) -> None:
    problem(refused.post("/v1/verify", content=b"{", headers={"content-type": "application/json"}), 400)


async def test_a_reset_begins_anew(asker: httpx.AsyncClient, device: Device) -> None:
    assert (await asker.post("/v1/reset")).json() == {"devices": 1}
    assert (await asker.get("/v1/devices/4f2a")).json()["state"] == "start"
    assert [each["kind"] for each in (await asker.get("/v1/journal")).json()["entries"]] == ["device"]


async def test_a_device_that_nobody_knows_is_no_reason_to_say_kept(asker: httpx.AsyncClient, device: Device) -> None:
    """A name that is mistyped; only who waits may name a token that has not come yet."""
    for path, asked in (
        ("/v1/verify", {"filter": "event"}),
        ("/v1/verify/never", {"filter": "Clova.Never"}),
        ("/v1/verify/order", {"filters": ["event"]}),
        ("/v1/verify/no-findings", {}),
        ("/v1/verify/no-unmatched", {}),
    ):
        unknown = problem(await asker.post(path, json={**asked, "device": "4f2b"}), 404)
        assert (unknown["member"], unknown["detail"]) == (
            "device",
            "there is no device 4f2b; did you mean …4f2a?",
        )
    problem(await asker.get("/v1/journal?device=4f2b"), 404)
    late = {"filter": "event", "device": "a-token-to-come", "within": 0.01}
    problem(await asker.post("/v1/wait", json=late), 409)


async def test_a_verification_of_a_device_is_in_its_trace(asker: httpx.AsyncClient, device: Device) -> None:
    await asker.post("/v1/verify", json={"filter": "TextRecognizer.Recognize", "device": "4f2a"})
    page = (await asker.get("/v1/journal?device=4f2a&filter=verdict")).json()
    assert [(entry["device"], entry["status"]) for entry in page["entries"]] == [("…4f2a", "kept")]


async def test_an_awaited_device_is_said_to_be_one(asker: httpx.AsyncClient) -> None:
    name = (await asker.post("/v1/devices", json={"token": "token-to-come-77"})).json()["device"]
    missing = problem(await asker.get(f"/v1/devices/{name}"), 404)
    assert missing["detail"] == "…e-77 is awaited, but has not come yet"


async def test_a_forgotten_device_has_its_name_again(asker: httpx.AsyncClient, mock: MockCIC, device: Device) -> None:
    await asker.delete("/v1/devices/4f2a")
    async with Device(mock.url, ca_file=mock.ca_file, token=TOKEN, pace=0) as again:
        await again.say_text("불 켜")
        assert (await asker.get("/v1/devices/4f2a")).json()["device"] == "…4f2a"


def test_what_curl_sends_by_itself_is_read(client: httpx.Client) -> None:
    """`curl -d '{...}'` calls it a form; so does `curl --data-binary @lamp.yaml`."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    announced = client.post("/v1/devices", headers=form, content='{"token": "desk-token-1234"}')
    assert announced.json() == {"device": "…1234"}
    assert client.post("/v1/scenarios", headers=form, content=SCENARIO).json()["scenarios"] == ["lamp"]
    wrong = problem(client.post("/v1/devices", headers={"content-type": "text/csv"}, content='{"token": "x"}'), 415)
    assert (wrong["member"], wrong["detail"]) == (
        "content-type",
        "content-type: found text/csv, expected application/json",
    )


def test_a_slip_is_named_with_what_was_meant(refused: httpx.Client) -> None:
    slip = problem(refused.post("/v1/scenarios?chekc=true", content="scenario: x\n"), 422)
    assert (slip["member"], slip["detail"]) == ("chekc", "there is no parameter chekc; did you mean check?")
    slip = problem(refused.post("/v1/devices", json={"token": "x", "tokn": "y"}), 422)
    assert (slip["member"], slip["detail"]) == ("tokn", "tokn: there is no such member")
    slip = problem(refused.post("/v1/push", json={"directive": "Clova.Help", "to": "4f2a"}), 422)
    assert (slip["member"], slip["detail"]) == ("to", 'to: found "4f2a", expected an object')
    slip = problem(refused.post("/v1/verify/order", json={"filters": ["event", "evnt"]}), 422)
    assert slip["member"] == "filters.1"


def test_a_text_that_names_files_is_told_how_to_send_them(refused: httpx.Client) -> None:
    text = "scenario: s\non: [{event: '*', reply: {SpeechSynthesizer.Speak: {audio: sunny.mp3}}}]\n"
    wrong = problem(refused.post("/v1/scenarios", content=text, headers={"content-type": "application/yaml"}), 422)
    (one,) = wrong["problems"]
    assert "mockcic-scenarios" not in wrong["detail"] + one["expected"] + one["what"]
    assert "send a zip" in one["mend"]


def test_what_cannot_be_said_in_json_again_is_refused(refused: httpx.Client) -> None:
    for body in (
        '{"directive": "Clova.RenderText", "payload": {"text": "\\ud800"}}',
        '{"directive": "Clova.RenderText", "payload": {"n": NaN}}',
        '{"directive": "Clova.RenderText", "payload": {"n": 1e999}}',
    ):
        wrong = problem(refused.post("/v1/push", content=body, headers={"content-type": "application/json"}), 400)
        assert wrong["member"] == "body"
    assert refused.get("/v1/journal").status_code == 200


@pytest.mark.parametrize("path", ["/v1/verify/never", "/v1/verify", "/v1/wait"])
def test_no_device_is_not_every_device(refused: httpx.Client, path: str) -> None:
    """A variable that is not set."""
    assert problem(refused.post(path, json={"filter": "event", "device": ""}), 422)["member"] == "device"


async def test_who_goes_away_waits_no_longer_and_leaves_no_verdict(mock: MockCIC) -> None:
    listeners = len(mock.service.journal._listeners)

    async def listen(count: int) -> None:
        """Wait until so many do; they are in another thread, and nothing tells of them."""
        while len(mock.service.journal._listeners) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async with httpx.AsyncClient(base_url=mock.control_url or "") as client, asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(client.post("/v1/wait", json={"filter": "Clova.Never", "within": 3600}))
        await listen(listeners + 1)
        asking.cancel()
    await listen(listeners)
    assert mock.find("verdict") == ()


@pytest.mark.parametrize(
    "filter",
    ["name=/a{99999999999999999999}/", {"name": {"matches": "a{99999999999999999999}"}}, {"parts": {"9" * 5000: 1}}],
)
def test_a_filter_that_python_chokes_on_is_refused(refused: httpx.Client, filter: object) -> None:
    assert problem(refused.post("/v1/verify", json={"filter": filter}), 422)["member"] == "filter"


def test_a_damaged_zip_is_a_problem(refused: httpx.Client) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.yaml", "scenario: a\n" * 100)
    data = bytearray(file.getvalue())
    data[40:60] = b"\xff" * 20
    problem(refused.post("/v1/scenarios", content=bytes(data), headers={"content-type": "application/zip"}), 400)


def test_a_token_with_slashes_is_a_device_too(client: httpx.Client) -> None:
    """Base64 has some."""
    path = "/v1/devices/aB%2FcD%2Bsecret%2Ftok%3D%3D"
    assert client.put(f"{path}/scenario?name=lamp").json() == {"device": "…ok=="}
    assert problem(client.get(path), 404)["detail"] == "…ok== is awaited, but has not come yet"
    assert client.delete(f"{path}/scenario").status_code == 204
    assert client.delete(path).status_code == 204


async def test_what_devices_made_of_trouble_is_there_in_numbers(asker: httpx.AsyncClient, device: Device) -> None:
    assert (await asker.get("/v1/recoveries")).json() == {"recoveries": []}
    await asker.post("/v1/devices/4f2a/expire")
    await device.wait_for("Clova.Hello", count=2)
    found = (await asker.get("/v1/recoveries", params={"device": "4f2a"})).json()["recoveries"]
    assert (found[0]["device"], found[0]["outcome"], found[0]["faults"], found[0]["attempts"]) == (
        "…4f2a",
        "back",
        [],
        1,
    )
    wrong = problem(await asker.get("/v1/recoveries", params={"limit": "stop=1"}), 422)
    assert wrong["member"] == "limits"
    problem(await asker.get("/v1/recoveries", params={"device": "nobody"}), 404)


async def test_the_verdict_on_a_device_is_there_while_it_runs(asker: httpx.AsyncClient, device: Device) -> None:
    await device.send("TextRecognizer.Recognize", {"text": 5})
    look = await asker.get("/v1/conformance", params={"device": "4f2a"})
    (judged,) = look.json()["devices"]
    broken = [rule["id"] for rule in judged["rules"] if rule["verdict"] == "broken"]
    assert (look.json()["ok"], judged["device"], broken) == (False, "…4f2a", ["message.payload"])
    forms = {"text": "text/plain", "html": "text/html", "junit": "application/xml"}
    for form, kind in forms.items():
        said = await asker.get("/v1/conformance", params={"as": form})
        assert said.headers["content-type"].startswith(kind)
        assert "message.payload" in said.text
    verdict = problem(await asker.post("/v1/verify/conformance", json={"device": "4f2a"}), 409)["verdict"]
    assert verdict["why"].startswith("message.payload: ")
    assert "mend" in verdict["text"]
    allowed = await asker.post("/v1/verify/conformance", json={"allow": ["message.payload"]})
    assert allowed.json()["status"] == "kept"
    wrong = problem(await asker.post("/v1/verify/conformance", json={"allow": ["message.payloads"]}), 422)
    assert (wrong["member"], "did you mean message.payload?" in wrong["detail"]) == ("allow", True)
    limits = problem(await asker.get("/v1/conformance", params={"limit": "stop=1"}), 422)
    assert limits["member"] == "limits"
    problem(await asker.get("/v1/conformance", params={"device": "nobody"}), 404)
