"""When a fault strikes, how often, and when it is gone."""

from __future__ import annotations

import asyncio

import pytest

from mockcic.scenario.faults.fault import Fault
from mockcic.server.faults.armed import Count
from tests.faults.conftest import Stage


def drawn(fault: dict[str, object], occasions: int = 200) -> list[bool]:
    """What a fault draws at each occasion."""
    count = Count(Fault.model_validate({"reset": "CANCEL", **fault}))
    return [count.draws() for _ in range(occasions)]


def test_the_same_seed_draws_the_same_chances_and_another_seed_others() -> None:
    first, again, other = (drawn({"chance": 0.3, "seed": seed}) for seed in (7, 7, 8))
    assert first == again != other
    assert 30 < sum(first) < 90


def test_it_strikes_at_the_nth_occasion_alone() -> None:
    assert [number for number, strikes in enumerate(drawn({"nth": 3}), 1) if strikes] == [3]


def test_it_is_gone_after_so_many_strikes() -> None:
    assert sum(drawn({"times": 5})) == 5
    assert sum(drawn({"times": 5, "chance": 0.5})) == 5


async def answers(stage: Stage, number: int) -> list[int | None]:
    """The reset codes of so many answers."""
    bad = stage.clients[0] if stage.clients else await stage.bad_client()
    return [(await bad.answer(await bad.ask())).reset for _ in range(number)]


async def test_the_third_event_and_no_other(stage: Stage) -> None:
    stage.fault(reset="CANCEL", nth=3)
    assert await answers(stage, 5) == [None, None, 8, None, None]


async def test_only_the_event_that_is_named(stage: Stage) -> None:
    stage.fault(reset="CANCEL", event="SpeechRecognizer.*")
    assert await answers(stage, 1) == [None]
    stage.fault(reset="REFUSED_STREAM", event="Text*.Recognize")
    assert await answers(stage, 1) == [7]


async def test_a_fault_is_gone_after_its_time(stage: Stage) -> None:
    stage.fault(**{"reset": "CANCEL", "for": "1h"})
    assert await answers(stage, 1) == [8]
    await stage.cic.advance_async("1h")
    stage.bad.wait("fault phase=gone")
    assert await answers(stage, 1) == [None]


async def test_a_fault_that_is_removed_strikes_no_more(stage: Stage) -> None:
    with stage.bad.fault(reset="CANCEL", always=True) as fault:
        assert await answers(stage, 2) == [8, 8]
        assert fault.strikes == 2
    assert await answers(stage, 1) == [None]


async def test_again_and_again_at_a_distance(stage: Stage) -> None:
    bad = await stage.bad_client()
    await bad.answer(await bad.ask())
    stage.fault(goaway="NO_ERROR", every="30ms", times=3)
    stage.bad.wait("fault phase=gone")
    await bad.ping()
    goaways = [frame for frame in bad.seen if type(frame).__name__ == "GoAwayFrame"]
    assert len(goaways) == 3


async def test_a_time_after_a_moment_of_the_upload(stage: Stage) -> None:
    stage.cic.set_time_factor(0)
    stage.fault(reset="CANCEL", after={"upload": "began", "time": "50ms"}, times=1)
    bad = await stage.bad_client()
    upload = await bad.begin()
    await bad.begin_sound(upload)
    stage.bad.wait("event")
    await stage.cic.advance_async("49ms")
    await bad.ping()
    assert bad.of(upload).reset is None
    await stage.cic.advance_async("2ms")
    assert (await bad.answer(upload)).reset == 8


RULES = """
scenario: rules
settings: {same_connection: false, downchannel_window: off, stop_capture: never}
on:
  - event: TextRecognizer.Recognize
    when: {payload.text: cut}
    fault: {reset: CANCEL, after: {sent: 30}, times: 1}
    reply: [SpeechSynthesizer.Speak: {audio: {silence: 100ms}}]
  - event: TextRecognizer.Recognize
    when: {payload.text: step}
    reply:
      - Clova.RenderText: {text: one}
      - fault: {end: early}
      - Clova.RenderText: {text: two}
  - event: TextRecognizer.Recognize
    when: {payload.text: line}
    reply:
      - fault: {reset: INTERNAL_ERROR, on: downchannel}
      - Clova.RenderText: {text: one}
  - event: TextRecognizer.Recognize
    in_turn:
      - {reply: [Clova.RenderText: {text: fine}]}
      - {reply: [Clova.RenderText: {text: late}], fault: {reset: REFUSED_STREAM}}
"""


@pytest.mark.cic(fail_on="unmatched")
async def test_faults_of_a_rule_of_a_step_and_of_one_answer_of_several(stage: Stage) -> None:
    stage.cic.load(RULES)
    bad = await stage.bad_client()

    async def ask(text: str) -> tuple[int, int | None]:
        answer = await bad.answer(await bad.ask(text))
        return len(answer.body), answer.reset

    assert await ask("cut") == (30, 8)
    assert (await ask("cut"))[1] is None, "once"
    stream = await bad.ask("step")
    answer = await bad.answer(stream)
    assert answer.ended
    assert b"one" in answer.body
    assert b"two" not in answer.body
    line = await bad.open_downchannel()
    await bad.head(line)
    assert (await ask("line"))[1] is None
    assert (await bad.answer(line)).reset == 2
    assert (await ask("turn"))[1] is None
    assert (await ask("turn"))[1] == 7


async def test_a_fault_at_the_top_is_for_each_device_of_the_scenario(stage: Stage) -> None:
    stage.cic.load(RULES + "fault: {reset: CANCEL, nth: 2}\n")
    bad, good = await stage.bad_client(), await stage.good_client()
    for client in (bad, good):
        assert [(await client.answer(await client.ask("turn"))).reset for _ in range(2)] == [None, 8]
    stage.bad.reset()
    assert [(await bad.answer(await bad.ask("turn"))).reset for _ in range(2)] == [None, 8], "it begins anew"


REPORT = "SpeechSynthesizer.SpeechFinished"


@pytest.mark.cic(fail_on="none")
@pytest.mark.parametrize(
    "fault",
    [
        {"reset": "CANCEL", "after": {"sent": 120}},
        {"pace": {"dribble": 400}},
        {"frames": {"every": 300}},
        {"multipart": "no-end"},
        {"trailers": {"x-mock": "1"}},
        {"content_type": "text/plain"},
    ],
    ids=lambda fault: next(iter(fault)),
)
async def test_an_answer_that_has_nothing_of_it_is_no_occasion(stage: Stage, fault: dict[str, object]) -> None:
    """A report gets a 204: the one strike that a fault has is left for an answer with a body."""
    stage.cic.load(RULES)
    stage.fault(**fault, times=1)
    bad = await stage.bad_client()
    report = await bad.begin(REPORT, {"token": "t"})
    await bad.end_sound(report)
    assert (await bad.answer(report)).status == 204
    assert stage.struck() == []
    for _ in range(2):
        await bad.answer(await bad.ask("turn"))
        stage.bad.reset()
    assert len(stage.struck()) == 1


@pytest.mark.parametrize("pace", [{"first_byte": "1h"}, {"rate": 1}, {"pause": {"for": "1h", "at": 20}}])
async def test_a_pace_that_has_struck_for_the_last_time_can_be_called_back_while_it_is_under_way(
    stage: Stage, pace: dict[str, object]
) -> None:
    """Of two answers it made slow both flow at once, and what comes then is as ever."""
    fault = stage.bad.fault(pace=pace, times=2)
    first, second = await stage.bad_client(), await stage.bad_client()
    second.next_stream = 101
    streams = [await first.ask("turn"), await second.ask("turn")]
    await asyncio.to_thread(stage.cic.wait, "kind=fault phase=struck", times=2)
    assert [each.number for each in stage.cic.faults] == [fault.number]
    await asyncio.to_thread(fault.remove)
    for client, stream in zip((first, second), streams, strict=True):
        assert (await client.answer(stream)).ended
    assert (await first.answer(await first.ask("turn"))).ended
    assert len(stage.struck()) == 2


async def test_an_answer_that_is_out_leaves_the_pace_of_another(stage: Stage) -> None:
    """The fault is gone with the last of those it made slow, not with the first."""
    stage.bad.fault(pace={"pause": {"for": "1h", "at": 20}}, times=2)
    first, second = await stage.bad_client(), await stage.bad_client()
    second.next_stream = 101
    slow = await first.ask("turn")
    other = await second.ask("turn")
    await first.body(slow, 20)
    await second.body(other, 20)
    await second.vanish()
    await asyncio.to_thread(stage.cic.wait, "disconnect")
    assert len(stage.cic.faults) == 1
    assert not first.of(slow).ended


async def test_a_paused_message_of_the_downchannel_flows_on_when_the_fault_is_removed(stage: Stage) -> None:
    fault = stage.bad.fault(pace={"pause": {"for": "1h", "at": 20}}, on="downchannel", times=1)
    bad = await stage.bad_client()
    line = await bad.open_downchannel()
    await bad.body(line, 20)
    assert len(stage.cic.faults) == 1
    await asyncio.to_thread(fault.remove)
    await bad.body(line, 200)
    assert stage.cic.faults == ()


async def test_a_fault_that_is_removed_lets_a_running_answer_go(stage: Stage) -> None:
    bad = await stage.bad_client()
    with stage.bad.fault(pace={"dribble": 1, "jitter": "40ms"}, always=True):
        stream = await bad.ask()
        await bad.body(stream, 3)
    assert (await bad.answer(stream)).ended, "a thousand bytes at that pace take longer than a test waits"
