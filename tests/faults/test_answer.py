"""Another answer than was due, as raw frames see it; another device on the same server gets what was due."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.faults.conftest import Stage
from tests.faults.parts import body_of, names_of, parts_of

DUE = ["Speak", "audio"]

ANSWERS: list[tuple[dict[str, Any], int, dict[str, str]]] = [
    ({"status": 401}, 401, {"www-authenticate": "Bearer"}),
    ({"status": 403}, 403, {}),
    ({"status": {"code": 429, "retry_after": 7}}, 429, {"retry-after": "7"}),
    ({"status": 503}, 503, {}),
    ({"portal": 200}, 200, {"content-type": "text/html; charset=utf-8"}),
    ({"portal": 502}, 502, {"content-type": "text/html; charset=utf-8"}),
    ({"portal": 302}, 302, {"location": "http://portal.invalid/login"}),
]


@pytest.mark.parametrize(("fault", "status", "headers"), ANSWERS)
@pytest.mark.parametrize("on", ["answer", "downchannel"])
async def test_a_request_is_answered_otherwise_and_nobody_elses_is(
    stage: Stage, on: str, fault: dict[str, Any], status: int, headers: dict[str, str]
) -> None:
    stage.fault(**fault, on=on, times=1)
    bad, good = await stage.bad_client(), await stage.good_client()
    answer = await bad.answer(await (bad.ask() if on == "answer" else bad.open_downchannel()))
    assert answer.status == status
    assert headers.items() <= answer.headers.items()
    if "portal" in fault:
        assert b"<html>" in answer.body
    else:
        (part,) = parts_of(answer)
        assert json.loads(body_of(part))["directive"]["payload"]["code"] == status
    assert names_of(await good.answer(await good.ask())) == DUE
    line = await good.open_downchannel()
    assert (await good.head(line)).status == 200
    assert names_of(await bad.answer(await bad.ask())) == DUE, "it is used up"
    line = await bad.open_downchannel()
    assert (await bad.head(line)).status == 200, "a refused downchannel is not one that was opened a moment ago"
    (struck,) = stage.struck()
    assert (struck.device, struck.data["on"]) == (stage.bad.name, on)


@pytest.mark.cic(fail_on="unmatched")
async def test_an_upload_that_still_runs_is_answered_and_may_go_on(stage: Stage) -> None:
    """401 in the middle: the token was taken back (PROTOCOL 1.6, 2.5)."""
    stage.fault(status=401, after={"audio": "100ms"}, times=1)
    bad = await stage.bad_client()
    upload = await bad.begin()
    await bad.begin_sound(upload)
    await bad.speak(upload, 0.05)
    await bad.ping()
    assert bad.of(upload).status is None
    await bad.speak(upload, 0.1)
    assert (await bad.answer(upload)).status == 401
    await bad.end_sound(upload)
    assert names_of(await bad.answer(await bad.ask())) == DUE
    assert stage.bad.wait("token name=event-401").data["severity"] == "warning"
    assert not [each for each in stage.cic.journal if each.kind == "match" and each.stream.endswith(f".{upload}")]


async def test_a_refusal_comes_before_a_byte_of_the_body_has(stage: Stage) -> None:
    """As soon as the headers are there (PROTOCOL 1.6)."""
    stage.fault(status=503, times=1)
    bad = await stage.bad_client()
    stream = bad.next_stream
    bad.next_stream += 2
    head = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/v1/events"),
        (":authority", "localhost"),
        ("authorization", f"Bearer {bad.token}"),
        ("user-agent", "HomeRobot/NAVER/1.0.0 (Android;x1)"),
        ("content-type", "multipart/form-data; boundary=device"),
    ]
    await bad.send(bad.headers_frame(stream, head))
    assert (await bad.answer(stream)).status == 503


async def test_an_answer_that_has_begun_cannot_be_another_one_and_the_fault_waits_for_the_next(stage: Stage) -> None:
    stage.cic.load(
        "scenario: slow\non:\n  - event: TextRecognizer.Recognize\n"
        "    reply: [Clova.RenderText: {text: a}, wait: 80ms, Clova.RenderText: {text: b}]\n"
        "settings: {same_connection: false}\n"
    )
    stage.fault(status=503, after="30ms", times=1)
    bad = await stage.bad_client()
    stage.cic.set_time_factor(0)
    stream = await bad.ask()
    await bad.head(stream)
    await stage.cic.advance_async("80ms")
    assert names_of(await bad.answer(stream)) == ["RenderText", "RenderText"]
    assert not stage.struck()


async def test_a_body_without_a_byte_of_the_right_type(stage: Stage) -> None:
    stage.fault(empty=True, times=1)
    bad, good = await stage.bad_client(), await stage.good_client()
    answer = await bad.answer(await bad.ask())
    assert (answer.status, bytes(answer.body), answer.ended) == (200, b"", True)
    assert answer.headers["content-type"].startswith("multipart/related; boundary=")
    assert names_of(await good.answer(await good.ask())) == DUE


@pytest.mark.parametrize("value", ["text/html", "multipart/mixed; boundary=other", ""])
async def test_a_content_type_that_is_not_the_bodys(stage: Stage, value: str) -> None:
    stage.fault(content_type=value, times=1)
    bad, good = await stage.bad_client(), await stage.good_client()
    answer = await bad.answer(await bad.ask())
    assert answer.headers.get("content-type", "") == value
    assert answer.body.startswith(b"--")
    assert answer.body.endswith(b"--\r\n")
    assert names_of(await good.answer(await good.ask())) == DUE


@pytest.mark.parametrize("size", [0, 10, 10**9])
async def test_a_content_length_that_lies_and_the_body_is_whole(stage: Stage, size: int) -> None:
    stage.fault(content_length=size, times=1)
    bad, good = await stage.bad_client(), await stage.good_client()
    answer = await bad.answer(await bad.ask())
    assert answer.headers["content-length"] == str(size)
    assert answer.ended
    assert len(answer.body) != size
    assert names_of(answer) == DUE
    other = await good.answer(await good.ask())
    assert "content-length" not in other.headers


async def test_a_downchannel_of_another_content_type(stage: Stage) -> None:
    stage.fault(content_type="text/plain", on="downchannel", times=1)
    bad = await stage.bad_client()
    assert (await bad.head(await bad.open_downchannel())).headers["content-type"] == "text/plain"


AT_RULES = """
scenario: at-rules
settings: {same_connection: false, downchannel_window: off, stop_capture: never}
on:
  - event: TextRecognizer.Recognize
    when: {payload.text: rule}
    fault: {portal: 502, times: 1}
    reply: [Clova.RenderText: {text: rule}]
  - event: TextRecognizer.Recognize
    when: {payload.text: step}
    reply: [fault: {status: 503, times: 1}, Clova.RenderText: {text: step}]
  - event: SpeechRecognizer.Recognize
    fault: {status: 429, after: {audio: 100ms}, times: 1}
    reply: [Clova.RenderText: {text: heard}]
"""


async def test_a_rule_and_a_step_answer_otherwise_as_often_as_they_say(stage: Stage) -> None:
    await asyncio.to_thread(stage.cic.load, AT_RULES)
    bad, good = await stage.bad_client(), await stage.good_client()
    asked = [(await bad.answer(await bad.ask(text))).status for text in ("rule", "step", "rule", "step")]
    assert asked == [502, 503, 200, 200]
    for status in (429, 200):
        upload = await bad.begin()
        await bad.begin_sound(upload)
        await bad.speak(upload, 0.2)
        await bad.ping()
        await bad.end_sound(upload)
        assert (await bad.answer(upload)).status == status
    assert (await good.answer(await good.ask("step"))).status == 503, "each device has its own count"


async def test_an_event_that_was_answered_otherwise_meets_no_rule(stage: Stage) -> None:
    stage.fault(status=503, times=3)
    bad = await stage.bad_client()
    for _ in range(3):
        upload = await bad.begin()
        await bad.begin_sound(upload)
        await bad.end_sound(upload)
        assert (await bad.answer(upload)).status == 503
    await bad.answer(await bad.ask())
    (match,) = [each for each in stage.cic.journal if each.kind == "match"]
    assert match.stream.endswith(".7")
