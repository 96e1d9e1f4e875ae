"""Acts on one connection, as raw frames see them; another connection on the same server sees nothing of it."""

from __future__ import annotations

import asyncio
import time

import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, PingFrame, SettingsFrame

from tests.faults.conftest import Stage
from tests.support.raw_h2 import PREFACE, RawClient

GOOD_AFTERWARDS = "the other device sees nothing of it"


async def is_well(client: RawClient) -> bool:
    """Whether a PING is answered with its own data."""
    await client.ping(b"are-you?")
    return client.goaway is None


async def test_goaway_says_what_it_is_told_and_the_connection_goes_on(stage: Stage) -> None:
    bad, good = await stage.bad_client(), await stage.good_client()
    await bad.answer(await bad.ask())
    stage.fault(goaway={"code": "ENHANCE_YOUR_CALM", "last_stream": 0, "debug": "too much"}, times=1)
    goaway = await bad.until(GoAwayFrame)
    assert (goaway.error_code, goaway.last_stream_id, goaway.additional_data) == (11, 0, b"too much")
    assert (await bad.answer(await bad.ask())).ended
    assert await is_well(good), GOOD_AFTERWARDS


@pytest.mark.parametrize("on", ["connection", "answer"])
@pytest.mark.parametrize("close", [None, "fin", "rst"])
async def test_goaway_below_the_running_event_which_is_not_worked_on(stage: Stage, close: str | None, on: str) -> None:
    """With the end of the connection behind it, or without; what has an answer already is read to its end."""
    stage.fault(goaway={"last_stream": "before", "close": close}, on=on, after={"audio": "100ms"}, times=1)
    bad, good = await stage.bad_client(), await stage.good_client()
    line = await bad.open_downchannel()
    await bad.head(line)
    upload = await bad.begin()
    await bad.begin_sound(upload)
    await bad.speak(upload, 0.2)
    goaway = await bad.until(GoAwayFrame)
    assert (goaway.last_stream_id, goaway.error_code) == (upload - 2, 0)
    if close is None:
        await bad.end_sound(upload)
        await asyncio.to_thread(stage.bad.push, "Clova.RenderText", {"text": "the downchannel goes on"})
        while b"goes on" not in bad.of(line).body:
            assert await bad.next_frame() is not None
        await bad.ping()
        assert (bad.of(upload).status, bad.of(upload).over) == (None, False)
    else:
        await bad.end()
    (answer,) = [each for each in stage.cic.journal if each.kind == "answer"]
    assert (answer.data["lost"], answer.data["fault"]) == (True, "goaway")
    assert not [each for each in stage.cic.journal if each.kind == "match"], "no rule has answered it"
    assert await is_well(good), GOOD_AFTERWARDS
    if close is not None:
        assert stage.cic.wait("disconnect").data["reason"] == "fault goaway"


async def test_settings_change_in_mid_stream_and_a_stream_above_the_limit_is_refused(stage: Stage) -> None:
    stage.fault(settings={"max_concurrent_streams": 1, "initial_window_size": 1000}, after={"upload": "began"}, times=1)
    bad, good = await stage.bad_client(), await stage.good_client()
    upload = await bad.begin()
    await bad.begin_sound(upload)
    frame = await bad.until(SettingsFrame, lambda each: "ACK" not in each.flags)
    assert frame.settings == {3: 1, 4: 1000}
    await bad.send(SettingsFrame(0, flags=("ACK",)))
    assert (await bad.answer(await bad.ask())).reset == 7
    await bad.end_sound(upload)
    assert (await bad.answer(upload)).ended
    both = [await good.begin(), await good.ask()]
    assert (await good.answer(both[1])).ended, GOOD_AFTERWARDS


async def test_a_window_that_shrinks_holds_from_its_own_acknowledgement_on_not_from_an_older_one(stage: Stage) -> None:
    """What a device sends before it has heard of it is right (RFC 9113 6.5.3, 6.9.2), as curl does it."""
    stage.fault(settings={"initial_window_size": 0}, after={"audio": "100ms"}, times=1)
    bad, good = await stage.bad_client(greet=False), await stage.good_client()
    await bad.write(PREFACE + SettingsFrame(0).serialize())
    first = await bad.until(SettingsFrame, lambda each: "ACK" not in each.flags)
    upload = await bad.begin()
    await bad.begin_sound(upload)
    await bad.speak(upload, 0.2)
    second = await bad.until(SettingsFrame, lambda each: each.settings == {4: 0})
    await bad.send(SettingsFrame(0, flags=("ACK",)))  # of the first
    await bad.data(upload, bytes(first.settings[4] - 12_000))
    await bad.send(SettingsFrame(0, flags=("ACK",)))
    await bad.ping()
    assert second is not first
    assert bad.goaway is None
    await bad.end_sound(upload)  # more than the window
    assert (await bad.until(GoAwayFrame)).error_code == 3, "now it holds"
    assert await is_well(good), GOOD_AFTERWARDS


@pytest.mark.parametrize(
    "values", [{"header_table_size": 0}, {"header_table_size": 65_536}, {"max_frame_size": 65_536}], ids=str
)
async def test_settings_of_header_table_and_frame_size_may_be_used_at_once(
    stage: Stage, values: dict[str, int]
) -> None:
    """In one piece with their acknowledgement."""
    stage.fault(settings=values, after={"upload": "began"}, times=1)
    bad, good = await stage.bad_client(), await stage.good_client()
    upload = await bad.begin()
    await bad.begin_sound(upload)
    code = {"header_table_size": 1, "max_frame_size": 5}
    told = await bad.until(SettingsFrame, lambda each: "ACK" not in each.flags)
    assert told.settings == {code[name]: value for name, value in values.items()}
    sound = DataFrame(upload, bytes(40_000 if "max_frame_size" in values else 16_384))
    bad._encoder.header_table_size = values.get("header_table_size", 4096)
    await bad.write(SettingsFrame(0, flags=("ACK",)).serialize() + sound.serialize())
    await bad.end_sound(upload)
    assert (await bad.answer(upload)).status == 200
    assert [(await bad.answer(await bad.ask())).status for _ in range(2)] == [200, 200], "headers are understood"
    assert (await good.answer(await good.ask())).status == 200, GOOD_AFTERWARDS
    assert len(good.all(SettingsFrame)) == 2


async def test_a_ping_is_acknowledged_with_other_data_then_late_then_never(stage: Stage) -> None:
    bad, good = await stage.bad_client(), await stage.good_client()
    await bad.answer(await bad.ask())
    with stage.bad.fault(pong="wrong"):
        await bad.send(PingFrame(0, b"12345678"))
        wrong = await bad.until(PingFrame)
        assert wrong.opaque_data == bytes(each ^ 0xFF for each in b"12345678")
    with stage.bad.fault(pong={"late": "50ms"}):
        began = time.perf_counter()
        await bad.send(PingFrame(0, b"latelate"))
        await bad.answer(await bad.ask())
        while b"latelate" not in [each.opaque_data for each in bad.all(PingFrame)]:
            assert await bad.next_frame() is not None
        assert time.perf_counter() - began > 0.045
    with stage.bad.fault(pong="never"):
        await bad.send(PingFrame(0, b"neverrrr"))
        await bad.answer(await bad.ask())
        assert await is_well(good), GOOD_AFTERWARDS
    await bad.ping(b"andagain")
    assert b"neverrrr" not in [each.opaque_data for each in bad.all(PingFrame)]


async def test_settings_are_not_acknowledged(stage: Stage) -> None:
    bad = await stage.bad_client()
    await bad.answer(await bad.ask())
    stage.fault(settings_ack="never", on="connection", times=1)
    mine = SettingsFrame(0)
    mine.settings = {4: 70_000}
    seen = len(bad.all(SettingsFrame))
    await bad.send(mine)
    await bad.ping()
    assert len(bad.all(SettingsFrame)) == seen


async def test_a_connection_begins_with_other_settings_and_with_none_acknowledged(stage: Stage) -> None:
    """Aimed at an address: nothing is known of a device yet."""
    stage.fault_for_all(
        on="accept", settings={"max_concurrent_streams": 1, "initial_window_size": 70_000}, client="127.0.0.2"
    )
    stage.fault_for_all(settings_ack="never", on="accept", client="127.0.0.3")
    bad = await stage.connect(stage.bad.token, source="127.0.0.2")
    first = bad.all(SettingsFrame)[0]
    assert (first.settings[3], first.settings[4]) == (1, 70_000)
    line = await bad.open_downchannel()
    await bad.head(line)
    assert (await bad.answer(await bad.ask())).reset == 7, "one stream too many"
    silent = await stage.connect(stage.bad.token, source="127.0.0.3", greet=False)
    await silent.write(PREFACE + SettingsFrame(0).serialize())
    await silent.ping()
    assert [frame.flags for frame in silent.all(SettingsFrame) if "ACK" in frame.flags] == []
    good = await stage.good_client()
    assert good.all(SettingsFrame)[0].settings[3] > 1
    assert (await good.answer(await good.ask())).ended, GOOD_AFTERWARDS


@pytest.mark.cic(fail_on="unmatched")
async def test_pings_of_the_server_have_to_be_answered(stage: Stage) -> None:
    bad = await stage.bad_client()
    await bad.answer(await bad.ask())
    stage.fault(ping="60s", times=1)
    asked = await bad.until(PingFrame)
    await bad.send(PingFrame(0, asked.opaque_data, flags=("ACK",)))
    over = stage.bad.wait("fault phase=over")
    assert "was acknowledged after" in over.data["detail"]
    stage.fault(ping="30ms", times=1)
    finding = stage.bad.wait("finding")
    assert finding.name == "connection.ping-of-server"


BAD = {
    "unknown-type": 0x4D,
    "unknown-setting": 4,
    "ping-length": 6,
    "settings-length": 4,
    "too-large": 0,
    "bad-hpack": 1,
    "padding": 0,
    "data-on-closed": 0,
    "data-on-idle": 0,
    "push-promise": 5,
    "window-overflow": 8,
    "window-zero": 8,
    "continuation": 9,
    "huge-headers": 9,
}


@pytest.mark.parametrize("frame", BAD)
async def test_a_frame_that_breaks_the_rules_is_written_as_it_is(stage: Stage, frame: str) -> None:
    bad, good = await stage.bad_client(), await stage.good_client()
    await bad.answer(await bad.ask())
    await bad.ping()  # what came behind the answer came before this
    stage.fault(bad_frame=frame, times=1)
    head = await bad.reader.readexactly(9)
    kinds = [head[3]]
    size = int.from_bytes(head[:3], "big")
    await bad.reader.readexactly(size)
    if frame == "huge-headers":
        assert kinds == [1]
        while not head[4] & 4:
            head = await bad.reader.readexactly(9)
            size += len(await bad.reader.readexactly(int.from_bytes(head[:3], "big")))
        kinds.append(head[3])
        assert size > 1_000_000
    assert kinds[-1] == BAD[frame]
    assert await is_well(good), GOOD_AFTERWARDS


async def test_bytes_as_they_stand(stage: Stage) -> None:
    bad = await stage.bad_client()
    await bad.answer(await bad.ask())
    await bad.ping()
    stage.fault(bad_frame={"base64": "bm8gZnJhbWU="}, times=1)
    assert await bad.reader.readexactly(8) == b"no frame"
