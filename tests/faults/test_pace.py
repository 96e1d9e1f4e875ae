"""Slow answers, as raw frames see them: the right bytes, late or in dribs and drabs."""

from __future__ import annotations

import asyncio
import re

from hyperframe.frame import DataFrame

from tests.faults.conftest import Stage


async def test_the_first_byte_comes_late_and_nobody_else_waits(stage: Stage) -> None:
    stage.fault(pace={"first_byte": "150ms"}, times=1)
    bad, good = await stage.bad_client(), await stage.good_client()
    began = asyncio.get_running_loop().time()
    stream = await bad.ask()
    assert (await good.answer(await good.ask())).ended
    assert bad.of(stream).status is None
    assert (await bad.answer(stream)).ended
    assert asyncio.get_running_loop().time() - began > 0.14


async def test_an_answer_dribbles_byte_by_byte(stage: Stage) -> None:
    stage.fault(pace={"dribble": 1}, event="TextRecognizer.*", times=1)
    bad = await stage.bad_client()
    stream = await bad.ask()
    answer = await bad.answer(stream)
    sizes = {len(each.data) for each in bad.all(DataFrame) if each.stream_id == stream and each.data}
    assert sizes == {1}
    assert answer.body.endswith(b"--\r\n")


async def test_an_answer_keeps_a_rate(stage: Stage) -> None:
    stage.fault(pace={"rate": "20KB/s", "jitter": "1ms"}, times=1)
    bad = await stage.bad_client()
    began = asyncio.get_running_loop().time()
    answer = await bad.answer(await bad.ask())
    took = asyncio.get_running_loop().time() - began
    assert took >= len(answer.body) / 20_000 * 0.95


async def test_a_pause_in_the_middle_of_a_boundary(stage: Stage) -> None:
    stage.fault(pace={"pause": {"for": "100ms", "at": "boundary"}}, times=1)
    bad = await stage.bad_client()
    stream = await bad.ask()
    await bad.body(stream, 100)
    await asyncio.sleep(0.02)
    before = bytes(bad.of(stream).body)
    boundary = re.search(rb"boundary=([^;]+)", bad.of(stream).headers["content-type"].encode())
    assert boundary is not None
    tail = before[before.rindex(b"\r\n--") :]
    assert (b"\r\n--" + boundary[1]).startswith(tail), "what came last is the beginning of a delimiter"
    assert len(tail) < len(boundary[1])
    assert (await bad.answer(stream)).ended


async def test_a_message_of_the_downchannel_is_paused_behind_so_many_bytes(stage: Stage) -> None:
    stage.fault(pace={"pause": {"for": "50ms", "at": 20}}, on="downchannel", times=1)
    bad = await stage.bad_client()
    line = await bad.open_downchannel()
    await bad.head(line)
    hello = await bad.until(DataFrame)
    assert len(hello.data) == 20
    await bad.body(line, 200)
