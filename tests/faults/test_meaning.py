"""What directives mean is wrong: read from raw frames; another device gets everything as it is meant."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.conftest import Client, Stage
from tests.faults.parts import directives_of, names_of, parts_of
from tests.support.raw_h2 import Answer

THREE = """
scenario: three
settings: {same_connection: false, downchannel_window: off, stop_capture: never}
on:
  - event: TextRecognizer.Recognize
    reply:
      - SpeechSynthesizer.Speak: {audio: {silence: 100ms}}
      - Clova.RenderText: {text: one}
      - Clova.RenderText: {text: two}
"""
NAMES = ["Speak", "audio", "RenderText", "RenderText"]
TEXT = {"directive": "Clova.RenderText"}

Looks = Callable[[Answer], Any]


def header_of(answer: Answer, number: int = 1) -> dict[str, Any]:
    """Of a directive of the answer; 1 is the first RenderText."""
    found: dict[str, Any] = directives_of(answer)[number]["header"]
    return found


def payload_of(answer: Answer, number: int = 1) -> Any:
    return directives_of(answer)[number].get("payload", "none")


def texts_of(answer: Answer) -> list[str]:
    return [each["payload"]["text"] for each in directives_of(answer) if each["header"]["name"] == "RenderText"]


def is_well_closed(answer: Answer) -> bool:
    """No part of nothing behind the last one."""
    return answer.body.endswith(b"--\r\n") and all(part.get_payload() for part in parts_of(answer))


MEANINGS: list[tuple[dict[str, Any], Looks]] = [
    ({"dialogue": "foreign", **TEXT}, lambda a: header_of(a)["dialogRequestId"] not in ("d1", "d3")),
    ({"dialogue": "stale", **TEXT}, lambda a: header_of(a)["dialogRequestId"] == "d1"),
    ({"dialogue": "missing", **TEXT}, lambda a: "dialogRequestId" not in header_of(a)),
    ({"dialogue": "number", **TEXT}, lambda a: header_of(a)["dialogRequestId"] == 4711),
    ({"message": "unknown-directive", **TEXT}, lambda a: header_of(a)["name"] == "MockUnknown"),
    ({"message": "unknown-namespace", **TEXT}, lambda a: header_of(a)["namespace"] == "MockUnknown"),
    ({"message": "unknown-member", **TEXT}, lambda a: set(payload_of(a)) == {"text", "mockUnknown"}),
    ({"message": "null-member", **TEXT}, lambda a: payload_of(a) == {"text": None}),
    ({"message": "wrong-types", **TEXT}, lambda a: payload_of(a) == {"text": 4711}),
    ({"message": "no-payload", **TEXT}, lambda a: payload_of(a) == "none"),
    ({"message": "no-message-id", **TEXT}, lambda a: "messageId" not in header_of(a)),
    (
        {"message": "same-message-id", **TEXT, "nth": 2},
        lambda a: header_of(a, 2)["messageId"] == header_of(a, 1)["messageId"],
    ),
    ({"drop": True, **TEXT}, lambda a: names_of(a) == ["Speak", "audio", "RenderText"] and texts_of(a) == ["two"]),
    ({"drop": True, **TEXT, "nth": 2}, lambda a: texts_of(a) == ["one"] and is_well_closed(a)),
    ({"repeat": 3, **TEXT}, lambda a: texts_of(a) == ["one", "one", "one", "two"] and is_well_closed(a)),
    ({"repeat": 2, **TEXT, "nth": 2}, lambda a: texts_of(a) == ["one", "two", "two"] and is_well_closed(a)),
    (
        {"repeat": 2, "directive": "*.Speak"},
        lambda a: names_of(a) == ["Speak", "audio", "Speak", "audio", "RenderText", "RenderText"],
    ),
    (
        {"order": "reversed"},
        lambda a: (
            names_of(a) == ["RenderText", "RenderText", "Speak", "audio"]
            and texts_of(a) == ["two", "one"]
            and is_well_closed(a)
        ),
    ),
]


@pytest.mark.parametrize(("fault", "looks"), MEANINGS, ids=[str(next(iter(fault.items()))) for fault, _ in MEANINGS])
async def test_the_answer_means_this_and_no_other_answer_does(
    stage: Stage, fault: dict[str, Any], looks: Looks
) -> None:
    await asyncio.to_thread(stage.cic.load, THREE)
    bad, good = await stage.bad_client(), await stage.good_client()
    await bad.answer(await bad.ask())
    stage.fault(**fault, **({} if "nth" in fault else {"times": 1}))
    answer = await bad.answer(await bad.ask())
    assert (answer.status, answer.ended) == (200, True)
    assert looks(answer), answer.body
    assert names_of(await good.answer(await good.ask())) == NAMES
    again = await bad.answer(await bad.ask())
    assert (names_of(again), texts_of(again)) == (NAMES, ["one", "two"]), "it is used up"
    (struck,) = stage.struck()
    assert struck.data["detail"].startswith("Clova.RenderText: " if "RenderText" in str(fault) else "")


async def until(client: Client, stream: int, text: str) -> Answer:
    """Read on until a text has come on a downchannel, and the delimiter behind it."""
    while text.encode() not in client.of(stream).body or not client.of(stream).body.endswith(b"\r\n"):
        assert await client.next_frame() is not None
    return client.of(stream)


async def test_all_is_dropped_and_the_answer_is_204_without_a_body(stage: Stage) -> None:
    await asyncio.to_thread(stage.cic.load, THREE)
    stage.fault(drop=True)
    bad = await stage.bad_client()
    answer = await bad.answer(await bad.ask())
    assert (answer.status, bytes(answer.body)) == (204, b"")
    dropped = [each for each in stage.cic.journal if each.kind == "directive"]
    assert {each.data["dropped"] for each in dropped} == {"fault drop"}
    assert len(dropped) == len(stage.struck()) == 3


async def test_a_script_that_waits_keeps_its_pace_when_something_is_dropped(stage: Stage) -> None:
    """What was said before the wait does not lie about until something comes behind it."""
    scenario = (
        "scenario: waits\nsettings: {same_connection: false}\non:\n  - event: TextRecognizer.Recognize\n"
        "    reply: [Clova.RenderText: {text: one}, Clova.Hello, wait: 1h, Clova.RenderText: {text: two}]\n"
    )
    await asyncio.to_thread(stage.cic.load, scenario)
    stage.fault(drop=True, on="answer", directive="Clova.Hello")
    bad = await stage.bad_client()
    stream = await bad.ask()
    while b"one" not in bad.of(stream).body:
        await bad.next_frame()
    assert not bad.of(stream).ended


async def test_a_step_changes_what_comes_behind_it_alone(stage: Stage) -> None:
    scenario = (
        "scenario: step\nsettings: {same_connection: false}\non:\n  - event: TextRecognizer.Recognize\n    reply:\n"
        "      - Clova.RenderText: {text: one}\n      - fault: {repeat: 2, times: 1}\n"
        "      - Clova.RenderText: {text: two}\n      - Clova.RenderText: {text: three}\n"
    )
    await asyncio.to_thread(stage.cic.load, scenario)
    bad = await stage.bad_client()
    assert texts_of(await bad.answer(await bad.ask())) == ["one", "two", "two", "three"]


async def test_a_directive_of_an_answer_comes_late_on_the_downchannel_in_its_own_dialogue(stage: Stage) -> None:
    await asyncio.to_thread(stage.cic.load, THREE)
    stage.fault(late="30ms", **TEXT, times=1)
    bad, good = await stage.bad_client(), await stage.good_client()
    line, other = await bad.open_downchannel(), await good.open_downchannel()
    await bad.head(line)
    stream = await bad.ask()
    assert texts_of(await bad.answer(stream)) == ["two"]
    await until(bad, line, "one")
    (_, late) = directives_of(bad.of(line), closed=False)
    assert (late["payload"]["text"], late["header"]["dialogRequestId"]) == ("one", f"d{stream}")
    assert texts_of(await good.answer(await good.ask())) == ["one", "two"]
    assert names_of(await until(good, other, "Hello"), closed=False) == ["Hello"]
    sent = stage.cic.wait("directive Clova.RenderText line=downchannel")
    assert sent.data["why"] == "fault late"


async def test_an_answer_comes_twice_each_time_with_ids_of_its_own(stage: Stage) -> None:
    await asyncio.to_thread(stage.cic.load, THREE)
    stage.fault(answer_twice=True, times=1)
    bad, good = await stage.bad_client(), await stage.good_client()
    line, other = await bad.open_downchannel(), await good.open_downchannel()
    await bad.head(line)
    answer = await bad.answer(await bad.ask())
    await until(bad, line, "two")
    assert names_of(bad.of(line), closed=False) == ["Hello", *NAMES]
    first = [each["header"]["messageId"] for each in directives_of(answer)]
    second = [each["header"]["messageId"] for each in directives_of(bad.of(line), closed=False)[1:]]
    assert len({*first, *second}) == 6
    await good.answer(await good.ask())
    assert names_of(await until(good, other, "Hello"), closed=False) == ["Hello"]


HELLOS: list[tuple[dict[str, Any], list[str]]] = [
    ({"drop": True}, ["RenderText"]),
    ({"repeat": 2}, ["Hello", "Hello", "RenderText"]),
    ({"late": "30ms"}, ["RenderText", "Hello"]),
]


@pytest.mark.parametrize(("fault", "names"), HELLOS)
async def test_hello_never_comes_or_twice_or_late(stage: Stage, fault: dict[str, Any], names: list[str]) -> None:
    """It is never an answer: so the downchannel is meant (PROTOCOL 2.1)."""
    stage.cic.set_time_factor(0)
    stage.fault(**fault, directive="Clova.Hello", times=1)
    bad, good = await stage.bad_client(), await stage.good_client()
    line, other = await bad.open_downchannel(), await good.open_downchannel()
    await bad.head(line)
    await asyncio.to_thread(stage.bad.push, "Clova.RenderText", {"text": "known"})
    await stage.cic.advance_async("30ms")
    await until(bad, line, "Hello" if names[-1] == "Hello" else "known")
    assert names_of(bad.of(line), closed=False) == names
    assert names_of(await until(good, other, "Hello"), closed=False) == ["Hello"]


VOICE = """
scenario: voice
settings: {same_connection: false, downchannel_window: off, stop_capture: 100ms, stop_grace: 40ms}
on:
  - {event: SpeechRecognizer.Recognize, reply: [Clova.RenderText: {text: heard}]}
"""

STOPS: list[tuple[dict[str, Any], list[str], bool]] = [
    ({"drop": True}, [], True),
    ({"repeat": 2}, ["own", "own"], False),
    ({"dialogue": "foreign"}, ["other"], True),
    ({"late": "60ms"}, ["own"], True),
]


@pytest.mark.parametrize(("fault", "stops", "lost"), STOPS)
@pytest.mark.cic(fail_on="unmatched")
async def test_stop_capture_never_comes_or_twice_or_late_or_for_another_dialogue(
    stage: Stage, fault: dict[str, Any], stops: list[str], lost: bool
) -> None:
    """A device that was not told to stop is not blamed for going on, and its upload is not ended (PROTOCOL 3.4)."""
    await asyncio.to_thread(stage.cic.load, VOICE)
    stage.fault(**fault, directive="SpeechRecognizer.StopCapture", times=1)
    bad = await stage.bad_client()
    line = await bad.open_downchannel()
    await until(bad, line, "Hello")
    upload = await bad.begin()
    await bad.begin_sound(upload)
    await bad.speak(upload, 0.2)
    if lost:
        await asyncio.to_thread(stage.cic.wait, "fault phase=struck")
        await stage.cic.advance_async("80ms")  # twice the time that a device has to stop
        await bad.end_sound(upload)
    assert texts_of(await bad.answer(upload)) == ["heard"]
    while bytes(bad.of(line).body).count(b'"StopCapture"') < len(stops):
        assert await bad.next_frame() is not None
    found = [each["header"] for each in directives_of(bad.of(line), closed=False)[1:]]
    assert ["own" if each["dialogRequestId"] == f"d{upload}" else "other" for each in found] == stops
    blamed = [each for each in stage.cic.findings if each.name == "audio.stop-capture"]
    assert bool(blamed) is not lost


async def test_a_fault_at_some_events_changes_the_downchannel_only_while_they_run(stage: Stage) -> None:
    await asyncio.to_thread(stage.cic.load, VOICE.replace("100ms", "10s"))
    stage.fault(repeat=2, on="downchannel", event="SpeechRecognizer.*", after={"upload": "began"})
    bad = await stage.bad_client()
    line = await bad.open_downchannel()
    await until(bad, line, "Hello")
    await asyncio.to_thread(stage.bad.push, "Clova.RenderText", {"text": "before"})
    await until(bad, line, "before")
    upload = await bad.begin()
    await bad.begin_sound(upload)
    await bad.speak(upload, 0.1)
    await bad.ping()
    await asyncio.to_thread(stage.bad.push, "Clova.RenderText", {"text": "while"})
    await bad.end_sound(upload)
    await bad.answer(upload)
    await asyncio.to_thread(stage.bad.push, "Clova.RenderText", {"text": "behind"})
    await until(bad, line, "behind")
    assert texts_of_line(bad.of(line)) == ["before", "while", "while", "behind"]


def texts_of_line(answer: Answer) -> list[str]:
    return [each["payload"]["text"] for each in directives_of(answer, closed=False)[1:]]


async def test_the_same_seed_makes_the_same_changes(stage: Stage) -> None:
    await asyncio.to_thread(stage.cic.load, THREE)
    bad, good = await stage.bad_client(settings={4: 2**31 - 1}), await stage.good_client()
    await bad.grant(0, 2**30)  # there are long texts among them

    async def mutated(seed: int) -> list[bytes]:
        with stage.bad.fault(mutate=seed, **TEXT, always=True):
            bodies = [bytes((await bad.answer(await bad.ask())).body) for _ in range(4)]
        return [body.split(b"charset=utf-8\r\n\r\n")[2].split(b"\r\n--")[0] for body in bodies]

    def without_ids(made: list[bytes]) -> list[bytes]:
        return [re.sub(rb'[0-9a-f]{8}-[0-9a-f-]{27}|"d[0-9]+"', b"#", each) for each in made]

    first, again = await mutated(5), await mutated(5)
    assert without_ids(first) == without_ids(again)
    assert len({*without_ids(first)}) > 1
    assert texts_of(await good.answer(await good.ask())) == ["one", "two"]
    assert {each.data["raw"] for each in stage.cic.journal if "raw" in each.data} >= {
        each.decode() for each in first if len(each) < 4000
    }
