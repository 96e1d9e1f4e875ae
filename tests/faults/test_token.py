"""Trouble with tokens: at the authorization server, and in the middle of an upload; other devices have none of it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import Any
from urllib.parse import urlencode

import pytest
from hyperframe.frame import DataFrame

from mockcic.bench.device import TestDevice
from tests.faults.conftest import Client, Stage
from tests.faults.parts import names_of
from tests.support.programs import need
from tests.support.raw_h2 import Answer


def parameters_of(device: TestDevice, token: str) -> dict[str, str]:
    """Of a refresh."""
    assert device.identity is not None
    return {
        "grant_type": "refresh_token",
        "client_id": device.identity.client_id,
        "client_secret": "secret",
        "device_id": device.identity.device_id,
        "model_id": device.identity.model_id,
        "refresh_token": token,
    }


async def refresh(client: Client, device: TestDevice, token: str) -> Answer:
    """`/token` with a refresh token, as raw frames."""
    stream, client.next_stream = client.next_stream, client.next_stream + 2
    await client.request(stream, f"/token?{urlencode(parameters_of(device, token))}")
    return await client.answer(stream)


class Pair:
    """Two devices that asked the authorization server for tokens; only of `bad` there is trouble."""

    def __init__(self, stage: Stage) -> None:
        self.cic = stage.cic
        self.bad = stage.cic.device(device_id="bad-device-0001")
        self.good = stage.cic.device(device_id="good-device-0002")
        self.first = self.bad.issue_token().refresh_token
        self.other = self.good.issue_token().refresh_token


@pytest.fixture
async def pair(stage: Stage) -> Pair:
    return await asyncio.to_thread(Pair, stage)


ANSWERS: list[tuple[dict[str, Any], int, dict[str, str], str]] = [
    ({"status": 401}, 401, {"www-authenticate": "Bearer"}, "invalid_client"),
    ({"status": 403}, 403, {}, "access_denied"),
    ({"status": {"code": 429, "retry_after": 3}}, 429, {"retry-after": "3"}, "slow_down"),
    ({"status": 503}, 503, {}, "temporarily_unavailable"),
    ({"portal": 200}, 200, {"content-type": "text/html; charset=utf-8"}, ""),
    ({"portal": 302}, 302, {"location": "http://portal.invalid/login"}, ""),
    ({"empty": True}, 200, {"content-length": "0"}, ""),
]


@pytest.mark.parametrize(("fault", "status", "headers", "error"), ANSWERS)
async def test_a_refresh_is_refused_twice_and_its_token_is_as_good_as_before(
    stage: Stage, pair: Pair, fault: dict[str, Any], status: int, headers: dict[str, str], error: str
) -> None:
    """What is answered otherwise was not worked on: the third attempt goes through."""
    pair.bad.fault(**fault, on="token", times=2)
    client = await stage.connect("")
    for _ in range(2):
        answer = await refresh(client, pair.bad, pair.first)
        assert answer.status == status
        assert headers.items() <= answer.headers.items()
        assert not error or json.loads(answer.body)["error"] == error
        assert "portal" not in fault or b"<html>" in answer.body
        assert "access_token" in json.loads((await refresh(client, pair.good, pair.other)).body)
        pair.other = json.loads(client.of(client.next_stream - 2).body)["refresh_token"]
    assert "access_token" in json.loads((await refresh(client, pair.bad, pair.first)).body)
    assert [(each.device, each.data["on"]) for each in stage.struck()] == [(pair.bad.name, "token")] * 2


async def test_the_same_fault_counts_on_when_the_device_connects(stage: Stage, pair: Pair) -> None:
    pair.bad.fault(status=503, on="token", nth=2)
    client = await stage.connect(pair.bad.token)
    assert (await refresh(client, pair.bad, pair.first)).status == 200
    first = json.loads(client.of(client.next_stream - 2).body)
    client.token = first["access_token"]
    await client.answer(await client.ask())
    assert (await refresh(client, pair.bad, first["refresh_token"])).status == 503
    assert (await refresh(client, pair.bad, first["refresh_token"])).status == 200


async def test_a_scenario_says_it_for_all_its_devices_and_each_has_its_own_count(stage: Stage) -> None:
    def prepare() -> Pair:
        stage.cic.load("scenario: outage\nfault: {status: 503, on: token, times: 1}\non: []\n")
        return Pair(stage)

    pair = await asyncio.to_thread(prepare)
    client = await stage.connect("")
    assert [(await refresh(client, pair.bad, pair.first)).status for _ in range(2)] == [503, 200]
    assert [(await refresh(client, pair.good, pair.other)).status for _ in range(2)] == [503, 200]


async def test_a_refresh_that_is_reset_was_not_worked_on(stage: Stage, pair: Pair) -> None:
    pair.bad.fault(reset="REFUSED_STREAM", on="token")
    client = await stage.connect("")
    answer = await refresh(client, pair.bad, pair.first)
    assert (answer.status, answer.reset) == (None, 7)
    assert (await refresh(client, pair.bad, pair.first)).status == 200


async def test_a_refresh_whose_answer_is_lost_has_used_its_token_up(stage: Stage, pair: Pair) -> None:
    pair.bad.fault(reset="CANCEL", on="token", after={"sent": 10})
    client = await stage.connect("")
    answer = await refresh(client, pair.bad, pair.first)
    assert (answer.status, len(answer.body), answer.reset) == (200, 10, 8)
    assert (await refresh(client, pair.bad, pair.first)).status == 400


async def test_a_slow_refresh_in_frames_of_a_byte_under_a_wrong_content_type(stage: Stage, pair: Pair) -> None:
    pair.bad.fault(pace={"first_byte": "40ms"}, on="token")
    pair.bad.fault(frames={"every": 1, "padding": 3}, on="token")
    pair.bad.fault(content_type="text/plain", on="token")
    pair.bad.fault(content_length=3, on="token")
    client = await stage.connect("")
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await refresh(client, pair.bad, pair.first)
    assert loop.time() - began >= 0.04
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["content-length"] == "3"
    assert "access_token" in json.loads(answer.body)
    frames = [each for each in client.all(DataFrame) if each.data]
    assert {len(each.data) for each in frames} == {1}
    assert {each.pad_length for each in frames} == {3}
    quick = await refresh(client, pair.good, pair.other)
    assert quick.headers["content-type"] == "application/json; charset=utf-8"


async def test_curl_waits_as_retry_after_says_and_gets_its_token(stage: Stage, pair: Pair) -> None:
    """`--retry` takes 429 and 503 as what may be tried again, after `retry-after`."""
    pair.bad.fault(status={"code": 429, "retry_after": 1}, on="token", times=1)
    url = f"{stage.cic.url}/token?{urlencode(parameters_of(pair.bad, pair.first))}"
    command = [need("curl"), "-sS", "--http2", "--cacert", str(stage.cic.ca_file), "--retry", "2", url]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True, timeout=60)
    assert '"access_token"' in done.stdout
    assert len(stage.struck()) == 1


@pytest.mark.parametrize("how", ["expire", "revoke"])
async def test_a_token_ends_in_the_middle_of_an_upload_which_is_answered_and_the_next_is_not(
    stage: Stage, pair: Pair, how: str
) -> None:
    """A request is judged by its token when it begins (PROTOCOL 2.5); 401 to the next event is warned of."""
    pair.bad.fault(token=how, event="SpeechRecognizer.*", after={"audio": "100ms"}, times=1)
    bad, good = await stage.connect(pair.bad.token), await stage.good_client()
    upload = await bad.begin()
    await bad.begin_sound(upload)
    await bad.speak(upload, 0.2)
    await asyncio.to_thread(stage.cic.wait, f"token name={how}d" if how == "expire" else "token name=revoked")
    await bad.end_sound(upload)
    assert (await bad.answer(upload)).status == 200
    assert (await bad.answer(await bad.ask())).status == 401
    assert (await asyncio.to_thread(pair.bad.wait, "token name=event-401")).data["severity"] == "warning"
    assert names_of(await good.answer(await good.ask())) == ["Speak", "audio"]
    again = await refresh(bad, pair.bad, pair.first)
    assert again.status == (200 if how == "expire" else 400)


async def test_a_reset_so_long_after_so_many_bytes(stage: Stage, pair: Pair) -> None:
    """While the answer is on its way; of one that was over by then nothing is left to reset."""
    pair.bad.fault(pace={"pause": {"for": "1h", "at": 20}}, on="token", times=1)
    pair.bad.fault(reset="CANCEL", on="token", after={"sent": 20, "time": "30s"}, times=2)
    client = await stage.connect("")
    stream, client.next_stream = client.next_stream, client.next_stream + 2
    await client.request(stream, f"/token?{urlencode(parameters_of(pair.bad, pair.first))}")
    await client.body(stream, 20)
    assert not client.of(stream).ended
    await stage.cic.advance_async("30s")
    assert (await client.answer(stream)).reset == 8
    await refresh(client, pair.bad, pair.first)
    await stage.cic.advance_async("30s")
    phases = [each.data["phase"] for each in stage.cic.find("fault name=reset")]
    assert phases[-2:] == ["struck", "missed"]
