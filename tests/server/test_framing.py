"""How the settings have an answer cut into DATA frames, and whether it says a date, as a raw client sees it."""

from __future__ import annotations

import json

import pytest
from hyperframe.frame import DataFrame

from mockcic import MockCIC
from tests.support.raw_h2 import RawClient

SCENARIO = """
scenario: s
settings: {{same_connection: false, {}}}
on:
  - event: "*"
    reply:
      - SpeechSynthesizer.Speak: {{ttsLang: ko, ttsText: 안녕, audio: {{base64: AAECAw==}}}}
      - Clova.RenderText: {{text: 안녕}}
"""
HEAD = (("authorization", "Bearer raw-1"), ("user-agent", "Acme/Desk/1.2.3 (Linux;x)"))
HEADER = {"namespace": "TextRecognizer", "name": "Recognize", "messageId": "m1", "dialogRequestId": "d1"}
EVENT = json.dumps({"context": [], "event": {"header": HEADER, "payload": {"text": "안녕"}}}).encode()
BODY = (
    b'--B\r\nContent-Disposition: form-data; name="metadata"\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n'
    + EVENT
    + b"\r\n--B--\r\n"
)


async def asked(client: RawClient, stream: int) -> list[bytes]:
    """An event; the DATA frames of its answer."""
    headers = (*HEAD, ("content-type", "multipart/form-data; boundary=B"))
    await client.request(stream, "/v1/events", method="POST", end=False, headers=headers)
    await client.data(stream, BODY, end=True)
    await client.answer(stream)
    return [bytes(each.data) for each in client.all(DataFrame) if each.stream_id == stream]


@pytest.mark.parametrize("setting", ["data_frames: joined", "data_frames: part", "data_frames: 100", "date: false"])
async def test_answers_and_pushes_are_framed_as_the_settings_say(setting: str) -> None:
    with MockCIC(SCENARIO.format(setting)) as cic:
        assert cic.h2c_url is not None
        async with await RawClient.connect(int(cic.h2c_url.rpartition(":")[2])) as client:
            await client.request(1, "/v1/directives", headers=HEAD)
            while b"Hello" not in client.of(1).body or not client.of(1).body.endswith(b"\r\n"):
                await client.next_frame()
            hello = [bytes(each.data) for each in client.all(DataFrame) if each.stream_id == 1]
            frames = [each for each in await asked(client, 3) if each]
            for stream in (1, 3):
                assert ("date" in client.of(stream).headers) is (setting != "date: false")
            await client.request(5, "/ping", headers=HEAD)
            assert ("date" in (await client.answer(5)).headers) is (setting != "date: false")
    match setting:
        case "data_frames: part":
            assert [each.endswith((b"\r\n", b"--\r\n")) for each in frames] == [True] * 3
            assert [word in each for word, each in zip((b"Speak", b"octet", b"Render"), frames, strict=True)] == [
                True
            ] * 3
            assert len(hello) == 1
        case "data_frames: 100":
            assert {len(each) for each in frames[:-1]} - set(range(100)) == {100}
            assert max(map(len, [*frames, *hello])) == 100
        case _:
            assert (len(frames), len(hello)) == (1, 1)
