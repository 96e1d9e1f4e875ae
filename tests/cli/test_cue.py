"""A named cue made to happen: by the command line, over REST, in Python."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from mockcic import MockCIC
from mockcic.control.ask import AskError
from mockcic.mock import Bench
from mockcic.simulator.device import Device
from tests.support.commands import Run, commands_on

SCENARIO = """
scenario: s
vars: {said: none}
cues:
  say:
    about: Something is shown.
    args: {text: null, more: "!"}
    set: {said: "{{ args.text }}"}
    push: [Clova.RenderText: {text: "{{ args.text }}{{ args.more }}"}]
  quiet: {set: {said: nothing}}
"""
TOKEN = "desk-token-4f2a"


@pytest.fixture
def mock() -> Iterator[MockCIC]:
    with MockCIC(SCENARIO, control_port=0) as mock:
        yield mock


@pytest.fixture
def run(mock: MockCIC) -> Run:
    return commands_on(mock)


async def test_a_cue_happens_by_command_and_over_rest(mock: MockCIC, run: Run) -> None:
    assert mock.control_url is not None
    async with Device(mock.url, ca_file=mock.ca_file, token=TOKEN, pace=0) as device:
        await mock.wait_async("downchannel")
        listed = (await asyncio.to_thread(run, "cue")).output
        assert listed == 'say  text  [more="!"]\n    Something is shown.\nquiet  [said]\n'.replace("  [said]", "")
        assert (await asyncio.to_thread(run, "cue", "say", "text=안녕", "more=?")).output == "…4f2a  say\n"
        assert (await device.wait_for("Clova.RenderText")).directive.payload == {"text": "안녕?"}
        async with httpx.AsyncClient(base_url=mock.control_url) as client:
            answer = await client.post("/v1/devices/4f2a/cues/say", json={"args": {"text": "또"}})
            assert (answer.status_code, answer.json()["vars"]) == (200, {"said": "또"})
            assert (await device.wait_for("Clova.RenderText", count=2)).directive.payload == {"text": "또!"}
            cues = (await client.get("/v1/devices/4f2a/cues")).json()["cues"]
            assert [each["cue"] for each in cues] == ["say", "quiet"]
            for path, body, status, said in (
                ("sey", {"text": "a"}, 404, "did you mean say?"),
                ("say", {}, 422, "the cue say needs text"),
                ("say", {"text": "a", "mor": 1}, 422, "no argument mor; it takes text, more"),
            ):
                answer = await client.post(f"/v1/devices/4f2a/cues/{path}", json={"args": body})
                assert answer.status_code == status
                assert said in answer.json()["detail"]


async def test_a_test_makes_a_cue_happen(cic: Bench) -> None:
    cic.load(SCENARIO)
    device = cic.device()
    async with Device(cic.url, ca_file=cic.ca_file, token=device.token, pace=0) as simulated:
        await asyncio.to_thread(device.cue, "say", text="안녕")
        assert (await simulated.wait_for("Clova.RenderText")).directive.payload == {"text": "안녕!"}
        await asyncio.to_thread(device.cue, "quiet")
        assert device.vars == {"said": "nothing"}
        with pytest.raises(AskError, match="there is no cue sigh"):
            await asyncio.to_thread(device.cue, "sigh")


async def test_a_cue_that_pushes_wants_a_downchannel(cic: Bench) -> None:
    cic.load(SCENARIO)
    device = cic.device()
    async with Device(cic.url, ca_file=cic.ca_file, token=device.token, pace=0):
        pass
    await cic.wait_async("downchannel name=closed")
    with pytest.raises(AskError, match="no downchannel for the cue say"):
        await asyncio.to_thread(device.cue, "say", text="a")
