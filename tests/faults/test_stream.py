"""Acts on one stream, as raw frames see them; another device on the same server sees nothing of it."""

from __future__ import annotations

from hyperframe.frame import DataFrame, WindowUpdateFrame

from tests.faults.conftest import Stage


async def test_a_reset_before_the_headers_is_all_that_the_device_gets_and_nobody_else_gets_it(stage: Stage) -> None:
    stage.fault(reset="CANCEL", times=1)
    bad, good = await stage.bad_client(), await stage.good_client()
    answer = await bad.answer(await bad.ask())
    assert (answer.status, answer.reset) == (None, 8)
    assert (await good.answer(await good.ask())).ended
    again = await bad.answer(await bad.ask())
    assert (again.status, again.ended) == (200, True), "it is used up"
    (struck,) = stage.struck()
    assert (struck.name, struck.data["act"], struck.device) == ("reset", "reset", stage.bad.name)


async def test_a_reset_between_headers_and_body(stage: Stage) -> None:
    stage.fault(reset="INTERNAL_ERROR", after="headers")
    bad = await stage.bad_client()
    answer = await bad.answer(await bad.ask())
    assert (answer.status, bytes(answer.body), answer.reset) == (200, b"", 2)


async def test_a_reset_in_the_middle_of_a_part(stage: Stage) -> None:
    stage.fault(reset=0x4D, after={"sent": 120})
    bad = await stage.bad_client()
    answer = await bad.answer(await bad.ask())
    assert (answer.status, len(answer.body), answer.reset) == (200, 120, 0x4D)


async def test_the_downchannel_is_reset_only_while_an_upload_runs(stage: Stage) -> None:
    stage.fault(reset="CANCEL", on="downchannel", after={"audio": "500ms"}, times=1)
    bad = await stage.bad_client()
    line = await bad.open_downchannel()
    await bad.head(line)
    assert (await bad.answer(await bad.ask())).ended
    assert bad.of(line).reset is None, "a text is no upload of sound"
    upload = await bad.begin()
    await bad.begin_sound(upload)
    await bad.speak(upload, 0.6)
    assert (await bad.answer(line)).reset == 8
    await bad.end_sound(upload)
    assert (await bad.answer(upload)).ended, "the upload itself goes on"


async def test_an_answer_ends_too_early(stage: Stage) -> None:
    stage.fault(end="early", after={"sent": 50})
    bad = await stage.bad_client()
    answer = await bad.answer(await bad.ask())
    assert (answer.status, len(answer.body), answer.ended) == (200, 50, True)


async def test_trailers_come_behind_the_answer(stage: Stage) -> None:
    stage.fault(trailers={"x-checksum": "abc"})
    bad = await stage.bad_client()
    answer = await bad.answer(await bad.ask())
    assert answer.trailers == {"x-checksum": "abc"}
    assert answer.body.endswith(b"--\r\n")


async def test_data_is_cut_where_it_was_asked_for(stage: Stage) -> None:
    stage.fault(frames={"at": [1, 3, 60], "padding": 7})
    bad, good = await stage.bad_client(), await stage.good_client()
    stream = await bad.ask()
    answer = await bad.answer(stream)
    frames = [each for each in bad.all(DataFrame) if each.stream_id == stream and each.data]
    assert [len(each.data) for each in frames[:3]] == [1, 2, 57]
    assert {each.pad_length for each in frames} == {7}
    assert answer.body.endswith(b"--\r\n")
    other = await good.ask()
    await good.answer(other)
    assert {each.pad_length for each in good.all(DataFrame)} == {0}


async def test_a_message_of_the_downchannel_is_cut_and_the_next_is_not(stage: Stage) -> None:
    stage.fault(frames={"every": 100}, on="downchannel", times=1)
    bad = await stage.bad_client()
    line = await bad.open_downchannel()
    await bad.head(line)
    hello = await bad.until(DataFrame)
    assert len(hello.data) == 100


async def test_the_window_of_one_upload_stays_shut_and_opens_again(stage: Stage) -> None:
    stage.fault(window="1h", times=1)
    bad = await stage.bad_client()
    upload = await bad.begin()
    await bad.begin_sound(upload)
    await bad.speak(upload, 5.0)
    await bad.ping()
    assert not [each for each in bad.all(WindowUpdateFrame) if each.stream_id == upload], "it is shut"
    await stage.cic.advance_async("1h")
    opened = await bad.until(WindowUpdateFrame, lambda frame: frame.stream_id == upload)
    assert opened.window_increment > 160_000
    await bad.end_sound(upload)
    assert (await bad.answer(upload)).ended
    phases = [each.data["phase"] for each in stage.cic.journal if each.kind == "fault"]
    assert phases == ["armed", "struck", "over", "gone"]
