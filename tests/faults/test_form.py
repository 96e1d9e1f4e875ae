"""The form of what is sent, byte for byte as raw frames bring it; another device gets everything in order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.conftest import Stage
from tests.faults.parts import body_of, boundary_of, directives_of, names_of, parts_of
from tests.support.raw_h2 import Answer

TWO = """
scenario: two
settings: {same_connection: false, downchannel_window: off, stop_capture: never}
on:
  - event: TextRecognizer.Recognize
    reply: [SpeechSynthesizer.Speak: {audio: {silence: 100ms}}, Clova.RenderText: {text: 안녕}]
"""
NAMES = ["Speak", "audio", "RenderText"]

Looks = Callable[[Answer], bool]


def has_another_boundary(answer: Answer) -> bool:
    said = boundary_of(answer)
    lines = [line for line in bytes(answer.body).split(b"\r\n") if line.startswith(b"--")]
    return len(lines) == 4 and all(line.removesuffix(b"--")[2:] != said for line in lines) and len({*lines}) == 2


def has_no_end(answer: Answer) -> bool:
    return b"--" + boundary_of(answer) + b"--" not in answer.body and answer.body.endswith(b"}}")


def has_two_ends(answer: Answer) -> bool:
    end = b"--" + boundary_of(answer) + b"--\r\n"
    return answer.body.endswith(b"\r\n" + end + end)


def has_line_feeds_alone(answer: Answer) -> bool:
    text = bytes(answer.body)
    sound = text[text.index(b"octet-stream\n\n") :].split(b"\n--" + boundary_of(answer))[0]
    return b"\r\n" not in text.replace(sound, b"") and names_of(answer) == NAMES


def has_a_preamble(answer: Answer) -> bool:
    return answer.body.startswith(b"This is a multipart message in MIME format.\r\n--") and names_of(answer) == NAMES


def has_an_epilogue(answer: Answer) -> bool:
    end = b"--" + boundary_of(answer) + b"--\r\n"
    return answer.body.endswith(end + b"This is the epilogue. It is to be ignored.\r\n") and names_of(answer) == NAMES


def has_no_blank_line(answer: Answer) -> bool:
    return b'charset=utf-8\r\n{"directive"' in answer.body and b"\r\n\r\n" not in answer.body


def has_no_headers(answer: Answer) -> bool:
    delimiter = b"--" + boundary_of(answer) + b"\r\n\r\n"
    return b"Content-" not in answer.body and answer.body.count(delimiter) == 3


def holds_its_boundary(answer: Answer) -> bool:
    inside = b"--" + boundary_of(answer) + b"--"
    parts = parts_of(answer)
    return len(parts) == 3 and all(inside in body_of(part) for part in parts) and names_of(answer) == NAMES


MULTIPARTS: dict[str, Looks] = {
    "wrong-boundary": has_another_boundary,
    "no-end": has_no_end,
    "double-end": has_two_ends,
    "lf": has_line_feeds_alone,
    "preamble": has_a_preamble,
    "epilogue": has_an_epilogue,
    "no-blank-line": has_no_blank_line,
    "no-headers": has_no_headers,
    "boundary-in-body": holds_its_boundary,
}


def first_json(answer: Answer) -> bytes:
    return body_of(parts_of(answer)[0])


def is_cut(answer: Answer) -> bool:
    data = first_json(answer)
    return data.startswith(b'{"directive"') and not data.endswith(b"}}")


def is_no_utf_8(answer: Answer) -> bool:
    data = first_json(answer)
    with pytest.raises(UnicodeDecodeError):
        data.decode()
    return json.loads(data.decode("euc-kr"))["mockUnknown"] == "안녕하세요"


def has_a_bom(answer: Answer) -> bool:
    return first_json(answer).startswith(b'\xef\xbb\xbf{"directive"')


def is_deep(answer: Answer) -> bool:
    return first_json(answer).count(b"[") == 10_000 and b'"SpeechSynthesizer"' in first_json(answer)


def is_huge(answer: Answer) -> bool:
    return len(json.loads(first_json(answer))["mockUnknown"]) == 4 * 1024 * 1024


def is_empty(answer: Answer) -> bool:
    return first_json(answer) == b""


def is_a_list(answer: Answer) -> bool:
    (message,) = json.loads(first_json(answer))
    return bool(message["directive"]["header"]["name"] == "Speak")


JSONS: dict[str, Looks] = {
    "cut": is_cut,
    "not-utf-8": is_no_utf_8,
    "bom": has_a_bom,
    "deep": is_deep,
    "huge": is_huge,
    "empty": is_empty,
    "array": is_a_list,
}


def ids_of(answer: Answer) -> tuple[str, list[str | None]]:
    """What the directive names, and the Content-Ids there are."""
    (speak, *_) = directives_of(answer)
    sounds = [part for part in parts_of(answer) if part.get_content_type() == "application/octet-stream"]
    return speak["payload"]["url"].removeprefix("cid:"), [part["Content-Id"] for part in sounds]


def names_nothing(answer: Answer) -> bool:
    named, there = ids_of(answer)
    return len(there) == 1 and there != [named]


def comes_twice(answer: Answer) -> bool:
    named, there = ids_of(answer)
    return there == [named, named]


def has_no_id(answer: Answer) -> bool:
    return ids_of(answer)[1] == [None]


CONTENT_IDS: dict[str, Looks] = {"wrong": names_nothing, "double": comes_twice, "missing": has_no_id}

ATTACHMENTS: dict[str, Looks] = {
    "first": lambda answer: names_of(answer) == ["audio", "Speak", "RenderText"],
    "missing": lambda answer: names_of(answer) == ["Speak", "RenderText"],
    "nowhere": names_nothing,
}

SPEAK = {"directive": "SpeechSynthesizer.Speak"}

FORMS: list[tuple[dict[str, Any], Looks]] = [
    *(({"multipart": how}, looks) for how, looks in MULTIPARTS.items()),
    *(({"json": how, **SPEAK}, looks) for how, looks in JSONS.items()),
    *(({"content_id": how}, looks) for how, looks in CONTENT_IDS.items()),
    *(({"attachment": how}, looks) for how, looks in ATTACHMENTS.items()),
]


@pytest.mark.parametrize(("fault", "looks"), FORMS, ids=[str(next(iter(fault.items()))) for fault, _ in FORMS])
async def test_the_answer_has_this_form_and_no_other_answer_has(
    stage: Stage, fault: dict[str, Any], looks: Looks
) -> None:
    await asyncio.to_thread(stage.cic.load, TWO)
    stage.fault(**fault, times=1)
    bad, good = await stage.bad_client(settings={4: 8 * 1024 * 1024}), await stage.good_client()
    await bad.grant(0, 8 * 1024 * 1024)
    answer = await bad.answer(await bad.ask())
    assert (answer.status, answer.ended) == (200, True)
    assert looks(answer), bytes(answer.body[:2000])
    assert names_of(await good.answer(await good.ask())) == NAMES
    assert names_of(await bad.answer(await bad.ask())) == NAMES, "it is used up"
    (struck,) = stage.struck()
    assert struck.stream.endswith(".1")
    assert struck.stream == next(each.stream for each in stage.cic.journal if each.kind == "directive")


async def test_a_message_of_the_downchannel_has_another_boundary_and_the_next_has_not(stage: Stage) -> None:
    stage.fault(multipart="wrong-boundary", on="downchannel", nth=2)
    bad, good = await stage.bad_client(), await stage.good_client()
    line, other = await bad.open_downchannel(), await good.open_downchannel()
    await bad.head(line)
    boundary = b"--" + boundary_of(bad.of(line))
    for text in ("one", "two"):
        await asyncio.to_thread(stage.bad.push, "Clova.RenderText", {"text": text})
        await asyncio.to_thread(stage.good.push, "Clova.RenderText", {"text": text})
    while b"two" not in bad.of(line).body or not bad.of(line).body.endswith(b"\r\n"):
        await bad.next_frame()
    delimiters = [each for each in bytes(bad.of(line).body).split(b"\r\n") if each.startswith(b"--")]
    assert [each == boundary for each in delimiters] == [True, True, False, True]
    while b"two" not in good.of(other).body or not good.of(other).body.endswith(b"\r\n"):
        await good.next_frame()
    assert names_of(good.of(other), closed=False) == ["Hello", "RenderText", "RenderText"]


async def test_a_downchannel_ends_without_its_last_delimiter(stage: Stage) -> None:
    stage.fault(multipart="no-end", on="downchannel")
    bad = await stage.bad_client()
    line = await bad.open_downchannel()
    await bad.until(type(bad.headers_frame(1, [])), lambda frame: frame.stream_id == line)
    await asyncio.to_thread(stage.cic.wait, "directive Clova.Hello")
    await asyncio.to_thread(stage.bad.expire)
    answer = await bad.answer(line)
    assert answer.ended
    assert b"--" + boundary_of(answer) + b"--" not in answer.body


async def test_the_journal_shows_the_bytes_of_json_that_cannot_be_read(stage: Stage) -> None:
    await asyncio.to_thread(stage.cic.load, TWO)
    stage.fault(json="cut", **SPEAK, times=1)
    bad = await stage.bad_client()
    sent = first_json(await bad.answer(await bad.ask()))
    (speak,) = [each for each in stage.cic.journal if each.name == "SpeechSynthesizer.Speak"]
    assert speak.data["raw"] == sent.decode()
    assert speak.data["payload"] == {}
