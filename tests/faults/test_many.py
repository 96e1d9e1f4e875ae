"""Faults that overlap, come again, come too late, or are removed: what is left behind is as it was before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, SettingsFrame

from mockcic.mock import MockCIC
from mockcic.server.device import Device
from tests.faults.conftest import TURN, Client, Stage

TEXT = "TextRecognizer.Recognize"


async def test_a_fault_that_struck_a_connection_twice_and_is_removed_leaves_it_as_it_was(stage: Stage) -> None:
    pong = stage.bad.fault(pong="never", event=TEXT, always=True)
    few = stage.bad.fault(settings={"max_concurrent_streams": 5}, on="answer", always=True)
    bad = await stage.bad_client()
    for _ in range(2):
        await bad.answer(await bad.ask())
    pong.remove()
    few.remove()
    await bad.ping()
    assert bad.all(SettingsFrame)[-1].settings[3] > 5


async def test_windows_that_are_shut_twice_open_when_the_last_one_is_over(stage: Stage) -> None:
    bad = await stage.bad_client()
    await bad.head(await bad.open_downchannel())
    stage.fault(window="150ms", on="connection", every="100ms", times=2)
    await stage.cic.advance_async("400ms")
    await bad.ping()
    said = [frame.settings[4] for frame in bad.all(SettingsFrame) if 4 in frame.settings]
    assert 0 in said
    assert said[-1] == said[0]


@pytest.mark.cic(fail_on="none")  # two clients of one device use the same ids
async def test_each_connection_of_a_device_is_one_occasion(stage: Stage) -> None:
    stage.fault(ping="60s")
    one, two = await stage.bad_client(), await stage.bad_client()
    for _ in range(3):
        await one.answer(await one.ask())
        await two.answer(await two.ask())
    for client in (one, two):
        await client.ping()
        assert len([each for each in client.all(PingFrame) if "ACK" not in each.flags]) == 1


async def test_a_fault_strikes_the_new_connection_while_the_old_downchannel_is_still_known(stage: Stage) -> None:
    stage.fault(goaway="NO_ERROR")
    for _ in range(2):
        client = await stage.bad_client()
        await client.head(await client.open_downchannel())
        await client.ping()
        assert client.goaway is not None


async def test_bytes_and_a_time_after_them(stage: Stage) -> None:
    stage.fault(reset="CANCEL", on="downchannel", after={"sent": 20, "time": "150ms"}, times=1)
    bad = await stage.bad_client()
    began = asyncio.get_running_loop().time()
    await bad.answer(await bad.open_downchannel())
    assert asyncio.get_running_loop().time() - began > 0.14


async def test_a_time_that_comes_when_the_answer_is_out_is_missed_and_the_fault_is_there_still(stage: Stage) -> None:
    stage.cic.set_time_factor(0)
    stage.fault(reset="CANCEL", after="60ms", times=1)
    bad = await stage.bad_client()
    assert (await bad.answer(await bad.ask())).ended
    await stage.cic.advance_async("60ms")
    stage.bad.wait("fault phase=missed")
    assert stage.struck() == []
    stage.fault(pace={"first_byte": "60s"}, times=1)
    slow = await bad.ask()
    stage.bad.wait("match", times=2)
    await stage.cic.advance_async("60ms")
    assert (await bad.answer(slow)).reset == 8


async def test_an_early_end_comes_behind_the_headers(stage: Stage) -> None:
    stage.fault(end="early", times=1)
    stage.fault(end="early", on="downchannel", times=1)
    bad = await stage.bad_client()
    for stream in (await bad.ask(), await bad.open_downchannel()):
        assert (await bad.answer(stream)).status == 200
        assert isinstance(next(frame for frame in bad.seen if frame.stream_id == stream), HeadersFrame)


async def test_data_on_a_closed_stream_is_not_on_an_open_one(stage: Stage) -> None:
    bad = await stage.bad_client()
    line = await bad.open_downchannel()
    await bad.head(line)
    closed = await bad.ask()
    await bad.answer(closed)
    stage.fault(bad_frame="data-on-closed", times=1)
    late = await bad.until(DataFrame, lambda frame: frame.data == b"late")
    assert late.stream_id == closed


@pytest.mark.parametrize("cut", ["silent", "rst"])
async def test_a_ping_that_could_not_be_answered_is_no_finding(stage: Stage, cut: str) -> None:
    bad = await stage.bad_client()
    await bad.head(await bad.open_downchannel())
    stage.fault(ping="60ms", times=1)
    stage.fault(cut=cut, times=1)
    await asyncio.sleep(0.15)
    assert not [each for each in stage.cic.journal if each.kind == "finding"]


async def test_padding_that_is_larger_than_the_window_stalls_nothing(stage: Stage) -> None:
    stage.fault(frames={"every": 1, "padding": 255})
    bad = await stage.bad_client(settings={4: 200})
    stream = await bad.ask()
    await bad.body(stream, 1)


async def test_a_first_byte_that_is_waited_for_comes_when_the_fault_is_removed(stage: Stage) -> None:
    bad = await stage.bad_client()
    with stage.bad.fault(pace={"first_byte": "60s"}, always=True):
        stream = await bad.ask()
        await bad.ping()
    assert (await bad.answer(stream)).ended


async def test_settings_at_accept_are_obeyed_by_the_server_too(stage: Stage) -> None:
    stage.fault_for_all(settings={"max_frame_size": 65_536}, on="accept")
    bad = await stage.bad_client()
    upload = await bad.begin()
    await bad.begin_sound(upload)
    await bad.send(DataFrame(upload, bytes(40_000)))
    await bad.end_sound(upload)
    assert (await bad.answer(upload)).ended


RULES: dict[str, Any] = {
    "window": {"window": "10ms"},
    "settings": {"settings": {"max_concurrent_streams": 50}},
    "drop on the line": {"drop": True, "on": "downchannel", "directive": "Clova.Hello"},
    "accept": {"accept": "refuse", "times": 1},
}


@pytest.mark.parametrize("fault", RULES)
async def test_faults_of_rules_leave_nothing_behind(fault: str) -> None:
    """On a server of its own, which can be looked into."""
    import json

    scenario = TURN.replace(f"  - event: {TEXT}\n", f"  - event: {TEXT}\n    fault: {json.dumps(RULES[fault])}\n")
    with MockCIC(scenario) as mock:
        port = int((mock.h2c_url or "").rpartition(":")[2])
        client = await Client.connect(port)
        client.token = "leak-1"
        await client.head(await client.open_downchannel())
        for _ in range(5):
            await client.answer(await client.ask())
        found = mock.service.cic.devices.named("leak-1")
        assert isinstance(found, Device)
        assert found.faults is not None
        line = found.downchannel
        assert line is None or line.trouble is None or len(line.trouble.shapes) <= 1
        await client.vanish()
        mock.wait("disconnect")
        mock.call(found.reset)
        assert found.faults.armed == []


async def test_a_step_on_the_downchannel_strikes_that_line_and_no_later_one(stage: Stage) -> None:
    step = "{fault: {end: early, on: downchannel}}"
    stage.cic.load(TURN + f"downchannel: [{{after: 20ms, push: [Clova.RenderText: {{text: hi}}, {step}]}}]\n")
    stage.cic.set_time_factor(0)
    bad = await stage.bad_client()
    first = await bad.open_downchannel()
    await bad.head(first)
    await stage.cic.advance_async("20ms")
    assert (await bad.answer(first)).ended
    second = await bad.open_downchannel()
    await bad.head(second)
    await bad.ping()
    assert not bad.of(second).over
