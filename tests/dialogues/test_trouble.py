"""Every shipped scenario of trouble is lived through by the simulated device as its `about` says (docs/faults.md)."""

from __future__ import annotations

from typing import Any

import pytest

from mockcic.mock import Bench
from mockcic.simulator.client import ConnectionLostError, StreamResetError
from mockcic.simulator.device import Device
from mockcic.sound.make import tone
from tests.dialogues.conftest import Speaker

QUICK: dict[str, Any] = {"reopen_after_s": 0.05, "ping_every_s": 0.2, "ping_within_s": 0.3, "answer_within_s": 5.0}
"""A device that does at once what others take their time for."""

CUT = (ConnectionLostError, StreamResetError)


def struck(cic: Bench) -> list[str]:
    """The names of the faults that struck, in order."""
    return [entry.name for entry in cic.find("kind=fault phase=struck")]


async def back(cic: Bench, device: Device, *, count: int) -> None:
    """Until the downchannel was opened so often in all, and the device may send."""
    await cic.wait_async("downchannel name=open", times=f"{count}..", within=10)
    await device.wait_for("Clova.Hello", count=count, timeout=10)


async def test_lost_in_upload_loses_three_questions_each_in_another_way(cic: Bench, speaker: Speaker) -> None:
    async with speaker("lost-in-upload", **QUICK) as device:
        for lines in (1, 2, 3):
            with pytest.raises(CUT):
                await device.say(tone(300, 1.0))
            await back(cic, device, count=lines)
        answer = await device.say(tone(300, 1.0))
        assert [each.directive.full_name for each in answer.directives] == ["SpeechSynthesizer.Speak"]
    assert struck(cic) == ["stream-reset", "going-away", "broken-line"]


async def test_silent_line_is_found_out_by_ping(cic: Bench, speaker: Speaker) -> None:
    async with speaker("silent-line", hurry={"20s": "50ms"}, **QUICK) as device:
        await back(cic, device, count=2)
        assert (await device.say_text("들려")).status == 200
    assert struck(cic) == ["silence"]
    (recovery,) = cic.recoveries()
    assert recovery.outcome == "back"
    assert recovery.noticed_s is not None


async def test_hourly_hang_up_is_followed_by_a_new_connection_each_time(cic: Bench, speaker: Speaker) -> None:
    async with speaker("hourly-hang-up", hurry={"every: 1h": "every: 300ms"}, **QUICK) as device:
        for count in (1, 2, 3):
            await back(cic, device, count=count)
            assert (await device.say_text("아직")).status == 200
    assert set(struck(cic)) == {"hourly"}


async def test_a_captive_portal_is_waited_out(cic: Bench, speaker: Speaker) -> None:
    async with speaker("captive-portal", hurry={"after: 5s": "after: 300ms"}, **QUICK) as device:
        assert (await device.say_text("몇 시")).status == 200
        await back(cic, device, count=2)
        page = await device.say_text("체크인")
        assert page.directives == []
        assert (await device.say_text("체크인")).status == 200
    assert struck(cic) == ["carried-away", "redirect", "page", "please-agree", "stale-page"]
