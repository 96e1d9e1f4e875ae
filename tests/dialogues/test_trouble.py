"""Every shipped scenario of trouble is lived through by the simulated device as its `about` says (docs/faults.md)."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import pytest

from mockcic.errors import WireError
from mockcic.mock import Bench
from mockcic.simulator.client import ConnectionLostError, StreamResetError
from mockcic.simulator.device import Device
from mockcic.sound.make import tone
from tests.dialogues.conftest import SCENARIOS, Speaker

QUICK: dict[str, Any] = {"reopen_after_s": 0.05, "answer_within_s": 30.0}
"""A device that does at once what others take their time for."""

PINGS: dict[str, Any] = {"ping_every_s": 0.2, "ping_within_s": 1.5}
"""And finds out soon that nobody is there: only where that is the trouble, for a busy server may be so slow, too."""

CUT = (ConnectionLostError, StreamResetError)


def struck(cic: Bench) -> list[str]:
    """The names of the faults that struck, in order."""
    return [entry.name for entry in cic.find("kind=fault phase=struck")]


async def back(cic: Bench, device: Device, *, count: int) -> None:
    """Until the downchannel was opened so often in all, and the device may send."""
    await cic.wait_async("downchannel name=open", times=f"{count}..", within=30)
    await device.wait_for("Clova.Hello", count=count, timeout=30)


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
    async with speaker("silent-line", hurry={"20s": "50ms"}, **QUICK, **PINGS) as device:
        await back(cic, device, count=2)
        assert (await device.say_text("들려")).status == 200
    assert struck(cic) == ["silence"]
    (recovery,) = cic.recoveries()
    assert (recovery.outcome, recovery.lost) == ("back", ())
    assert recovery.noticed_s is not None


async def test_hourly_hang_up_is_followed_by_a_new_connection_each_time(cic: Bench, speaker: Speaker) -> None:
    # It takes its time: twenty hang-ups of one turn are one for it, not some that struck its attempts.
    async with speaker("hourly-hang-up", **{**QUICK, "reopen_after_s": 0.4}) as device:
        for line, turn in enumerate(("1h", "1h", "21h", "30m"), start=2):
            assert (await device.say_text("아직")).status == 200
            await cic.advance_async(turn)
            await back(cic, device, count=line)
    assert struck(cic)[-1] == "daily"
    assert set(struck(cic)[:-1]) == {"hourly"}
    assert [recovery.outcome for recovery in cic.recoveries()] == ["back"] * len(cic.recoveries())


async def test_captive_portal_is_waited_out(cic: Bench, speaker: Speaker) -> None:
    async with speaker(
        "captive-portal", hurry={"after: 5s": "after: 300ms"}, **{**QUICK, "reopen_after_s": 0.25}
    ) as device:
        assert (await device.say_text("몇 시")).status == 200
        await back(cic, device, count=2)
        with pytest.raises(WireError, match="text/html"):
            await device.say_text("체크인")
        assert (await device.say_text("체크인")).status == 200
    assert struck(cic) == ["carried-away", "redirect", "page", "please-agree", "stale-page"]


async def test_token_theatre_is_played_to_its_end(cic: Bench) -> None:
    cic.load(SCENARIOS / "token-theatre.yaml")
    whose = {"client_id": "acme", "client_secret": "acme-secret", "device_id": "token-theatre-1", "model_id": "one"}
    of_test = cic.device(device_id="token-theatre-1", client_id="acme", model_id="one")
    pair = of_test.issue_token()
    statuses: list[int] = []
    tls = ssl.create_default_context(cafile=str(cic.ca_file))
    async with httpx.AsyncClient(base_url=cic.auth_url, verify=tls, http2=True, timeout=30) as client:

        async def refresh() -> str:
            """Ask until it is given."""
            while True:
                asked = {**whose, "refresh_token": pair.refresh_token}
                answer = await client.post("/token?grant_type=refresh_token", data=asked)
                statuses.append(answer.status_code)
                if answer.status_code != 503:
                    return str(answer.json()["access_token"])

        async with Device(
            cic.url, ca_file=cic.ca_file, token=pair.access_token, pace=0.0, renew=refresh, **QUICK
        ) as device:
            await device.say(tone(300, 1.0))
            await cic.wait_async("downchannel name=open", times="2..", within=30)
            assert statuses == [503, 503, 200]
            await device.wait_for("Clova.Hello", count=2)
            asked = [(await device.say_text("뭐라고")).status for _ in range(3)]
            assert asked == [200, 429, 200]
            await device.say_text("그만")
            await cic.wait_async("kind=fault phase=struck name=revoked")
    assert struck(cic) == ["expires", "too-many", "revoked"]


async def test_a_day_in_the_life_has_its_hours_and_its_breakfast(cic: Bench, speaker: Speaker) -> None:
    short = {"rings_in: 8h": "rings_in: 3h", "every: 210m": "every: 90m"}
    async with speaker("day-in-the-life", hurry=short, **QUICK, **PINGS) as device:
        (alarm,) = (await device.say_text("일곱 시에 깨워 줘")).directives
        lines = 1
        for hour in (1, 2, 3):
            await cic.advance_async("30m")
            if hour == 2:  # half past one: silence, until its ping tells
                lines += 1
                await back(cic, device, count=lines)
            await cic.advance_async("30m")
            lines += 1
            await back(cic, device, count=lines)
            device.turn(3600)
        await cic.wait_async("Alerts.AlertStarted", within=30)
        ringing = {"token": alarm.directive.payload["token"], "type": "ALARM"}
        await device.send("Alerts.RequestAlertStop", ringing)
        await device.wait_for("Alerts.DeleteAlert")
        assert (await device.say_text("날씨")).status == 200
        with pytest.raises(StreamResetError):
            await device.say_text("날씨")
        assert (await device.say_text("날씨")).status == 200
    assert struck(cic) == ["hourly", "dead-of-night", "hourly", "hourly", "slow", "broken-off"]
