"""Whatever goes wrong with one device or one stream: the others get what they always get, every act in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, get_args

import pytest
from hyperframe.frame import DataFrame, PingFrame, SettingsFrame

from mockcic.scenario.faults.fault import ACTS, Fault, act_type
from mockcic.scenario.faults.written import WRITTEN
from mockcic.scenario.source import Source
from tests.faults.conftest import Client, Stage
from tests.faults.parts import names_of
from tests.support.raw_h2 import Answer

EVERYTHING = """
scenario: everything
settings: {same_connection: false, downchannel_window: off, stop_capture: 100ms, stop_grace: 5s}
on:
  - event: "*.Recognize"
    reply: [SpeechSynthesizer.Speak: {audio: {silence: 100ms}}, Clova.RenderText: {text: one}]
"""
DUE = ["Speak", "audio", "RenderText"]

pytestmark = pytest.mark.cic(fail_on="none")  # a device that is in trouble says its part without an answer


def words_of(key: str) -> Iterator[Any]:
    """The words an act can be said with, such as `rst` and `fin` of `cut`."""
    act = act_type(key)
    if act.SHORT:
        kind = act.model_fields[act.SHORT].annotation
        for each in (kind, *get_args(kind)):
            yield from (word for word in get_args(each) if isinstance(word, str | int))


def all_faults() -> Iterator[dict[str, Any]]:
    """Every act as it is documented, and with each of its words, where one device alone can have it."""
    for key in ACTS:
        aims = act_type(key).AIMS
        if not set(aims) & {"answer", "connection"}:
            continue  # of the way in: tests/faults/test_gate.py
        written: list[Any] = [Source("x", text).values for text in WRITTEN[key]]
        for fault in [*written, *({key: word} for word in words_of(key))]:
            if fault.get("on") == "token" or ("StopCapture" in str(fault.get("directive")) and "drop" in fault):
                continue
            fault = {name: value for name, value in fault.items() if name not in ("every", "times", "chance")}
            yield fault if aims[0] != "accept" else {**fault, "on": "connection"}


FAULTS = list({str(fault): fault for fault in all_faults()}.values())
OF_ONE_STREAM = [fault for fault in FAULTS if Fault.model_validate(fault).role == "answer" and "on" not in fault]


async def begin_a_dialogue(client: Client) -> tuple[int, int, int]:
    """A downchannel, a text, a question of a second that is still asked; nothing is read: there may be nothing left."""
    line = client.next_stream
    with suppress(ConnectionError):
        await client.open_downchannel()
        await client.ask()
        await client.begin_sound(await client.begin())
        await client.speak(line + 4, 1.0)
    return line, line + 2, line + 4


def is_as_ever(answer: Answer) -> bool:
    return (answer.status, answer.ended, answer.trailers, names_of(answer)) == (200, True, {}, DUE)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_another_device_sees_nothing_of_it(stage: Stage, fault: dict[str, Any]) -> None:
    await asyncio.to_thread(stage.cic.load, EVERYTHING)
    stage.fault(**fault)
    bad, good = await stage.bad_client(), await stage.good_client()
    await begin_a_dialogue(bad)
    await asyncio.to_thread(stage.bad.wait, "fault phase=struck")
    line, text, question = await begin_a_dialogue(good)
    body = good.of(line).body
    while not (b'"Hello"' in body and b'"StopCapture"' in body and body.endswith(b"\r\n")):
        assert await good.next_frame() is not None
    await good.end_sound(question)
    assert is_as_ever(await good.answer(text))
    assert is_as_ever(await good.answer(question))
    await good.ping()
    assert sorted(names_of(good.of(line), closed=False)) == ["Hello", "StopCapture"]
    assert not good.of(line).over
    assert good.goaway is None
    assert [bool(frame.flags) for frame in good.all(SettingsFrame)] == [False, True]
    assert len(good.all(PingFrame)) == 1
    assert not any(frame.pad_length for frame in good.all(DataFrame))
    assert {each.device for each in stage.struck()} == {stage.bad.name}


@pytest.mark.parametrize("fault", OF_ONE_STREAM, ids=str)
async def test_another_stream_of_the_same_connection_sees_nothing_of_it(stage: Stage, fault: dict[str, Any]) -> None:
    await asyncio.to_thread(stage.cic.load, EVERYTHING)
    stage.fault(**fault, event="SpeechRecognizer.*")
    client = await stage.bad_client(settings={4: 2**30})
    await client.grant(0, 2**30)
    _, text, question = await begin_a_dialogue(client)
    with suppress(ConnectionError):
        await client.end_sound(question)
    await asyncio.to_thread(stage.bad.wait, "fault phase=struck")
    assert is_as_ever(await client.answer(text))
    assert is_as_ever(await client.answer(await client.ask()))
    assert not [frame for frame in client.all(DataFrame) if frame.stream_id == text and frame.pad_length]
    assert {each.stream.rpartition(".")[2] for each in stage.struck()} == {str(question)}
