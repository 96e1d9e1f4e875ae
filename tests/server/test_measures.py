"""What the journal says of an uploaded sound, through the wire."""

from __future__ import annotations

from typing import Any

import pytest

from mockcic.mock import Bench
from mockcic.server.measures import wake_word
from mockcic.simulator.device import Device
from mockcic.sound.make import tone

SCENARIO = "scenario: any\nsettings: {stop_capture: never}\non: [{event: '*'}]\n"


def woken(start: int, end: int) -> dict[str, Any]:
    indices = {"startIndexInSamples": start, "endIndexInSamples": end}
    word = {"deviceUUID": "1f0e9a52-6c5b-4b8e-9d70-3f1f2a4c8e11", "wakeWord": {"confidence": 0.8, "indices": indices}}
    return {"initiator": {"type": "WAKEWORD", "inputSource": "SELF", "payload": word}}


async def uploaded(cic: Bench, sound: bytes, payload: dict[str, Any], *, pace: float) -> dict[str, Any]:
    """The members of the `upload` entry."""
    cic.load(SCENARIO)
    device = cic.device()
    async with Device(cic.url, ca_file=cic.ca_file, token=device.token, pace=pace) as simulated:
        await simulated.say(sound, payload=payload)
        return dict((await device.wait_async("upload")).data)


@pytest.mark.parametrize("pace", [0.0, 1.0])
async def test_an_upload_is_measured(cic: Bench, pace: float) -> None:
    seconds = 2.0 if pace else 1.0
    data = await uploaded(cic, tone(440, seconds), woken(4800, 12_000), pace=pace)
    assert data["suspicions"] == []
    assert (data["clipped"], data["gaps"]) == (0, [])
    assert data["wake_word"] == {"start_s": 0.3, "end_s": 0.75, "lead_s": 0.3, "inside": True}
    assert -20 < data["level_dbfs"] < data["peak_dbfs"] < 0
    assert data["silent_s"] < 0.1
    assert abs(data["dc"]) < 0.001
    (first_ms, _), *_, (last_ms, size) = data["arrived"] if len(data["arrived"]) > 1 else data["arrived"] * 2
    assert size == data["bytes"] == 32_000 * seconds
    if pace:
        assert last_ms - first_ms >= 600  # blocks of 200 ms, the last 1.8 s behind the first; some may be read at once
        assert len(data["arrived"]) >= 4


async def test_what_is_wrong_with_a_sound_is_told(cic: Bench) -> None:
    sound = bytearray(tone(440, 1.0))
    sound[16_000:20_000] = bytes(4000)
    data = await uploaded(cic, b"RIFF\0\0\0\0WAVE" + bytes(sound) + b"\0", {}, pace=0.0)
    assert data["suspicions"] == ["wav-header", "odd-bytes"]
    assert [(round(at, 2), round(length, 2)) for at, length in data["gaps"]] == [(0.5, 0.12)]
    assert "wake_word" not in data


def test_a_wake_word_is_read_only_where_indices_are_numbers() -> None:
    assert wake_word(woken(100, 90_000), 32_000) == {
        "start_s": 0.0063,
        "end_s": 5.625,
        "lead_s": 0.0063,
        "inside": False,
    }
    assert wake_word(woken(True, 2), 32_000) is None
    assert wake_word({"initiator": {"type": "TAP", "payload": {}}}, 32_000) is None
    assert wake_word({"initiator": {"type": "WAKEWORD", "payload": []}}, 32_000) is None
