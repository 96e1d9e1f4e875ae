"""A device that does well, through real faults, is blamed for none; what it did about them is told in numbers."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from mockcic.bench.device import TestDevice
from mockcic.errors import WireError
from mockcic.mock import Bench, MockCIC
from mockcic.scenario.faults.fault import Fault
from mockcic.simulator.client import ConnectionLostError, StreamResetError
from mockcic.simulator.device import Device
from mockcic.sound.make import tone

pytestmark = pytest.mark.cic(fail_on="none")

SOON: dict[str, object] = {"after": "150ms", "times": 1}
ON_LINE: dict[str, object] = {"on": "downchannel"}
FAULTS: dict[str, dict[str, object]] = {
    "reset-answer": {"reset": "CANCEL", "on": "answer", "after": {"sent": 100}, "times": 1},
    "reset-upload": {"reset": "CANCEL", "event": "SpeechRecognizer.*", "after": {"upload": "began"}, "times": 1},
    "reset-reports": {"reset": "INTERNAL_ERROR", "event": "SpeechSynthesizer.*", "times": 1},
    "reset-line": {"reset": "CANCEL", **ON_LINE, **SOON},
    "end-line": {"end": "early", **ON_LINE, **SOON},
    "refused-line": {"reset": "REFUSED_STREAM", **ON_LINE, "after": "20ms", "times": 3},
    "window": {"window": "200ms", "times": 1},
    "goaway": {"goaway": "NO_ERROR", **SOON},
    "goaway-close": {"goaway": {"code": "NO_ERROR", "close": "fin"}, **SOON},
    "goaway-error": {"goaway": {"code": "ENHANCE_YOUR_CALM", "last_stream": 0}, **SOON},
    "frame-size": {"settings": {"max_frame_size": 20_000}, "times": 1},
    "pong": {"pong": "never", "times": 1},
    "bad-frame": {"bad_frame": "too-large", **SOON},
    "pace": {"pace": {"first_byte": "100ms", "dribble": 200}},
    "status": {"status": 503, **ON_LINE, "times": 1},
    "portal": {"portal": 200, "times": 1},
    "boundary": {"multipart": "wrong-boundary", "times": 1},
}
"""Of all the families, each for a device of its own."""

SCENARIO = """
scenario: trouble
include: [builtin/settle, builtin/reports]
settings: {downchannel_window: off}  # else a quick device is refused once more by a 429 of the protocol's own
on:
  - event: [SpeechRecognizer.Recognize, TextRecognizer.Recognize]
    reply: [SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 네, audio: {silence: 100ms}}]
"""
LINES = {
    "reset-line": 2, "end-line": 2, "refused-line": 4, "goaway": 2, "goaway-close": 2, "goaway-error": 2, "pong": 2,
    "bad-frame": 2,
}  # fmt: skip
"""Those that cost the downchannel, and how many there are in all."""

LIMITS = {
    "pace_leeway": "off",
    "audio_gap_s": "off",
    "reopen_gap_s": 0.05,
    "reopen_within_s": 60.0,
    "stop_within_s": 60.0,
    "report_within_s": 60.0,
}
"""Neither the device's hurry nor the machine's is what is looked at."""
NO_ANSWER = (ConnectionLostError, StreamResetError, TimeoutError, WireError)


async def live(url: str, mine: TestDevice, lines: int, *, pings: bool) -> None:
    """Say something in writing and by voice, whatever becomes of it, and be there until the line is."""
    habits = {"reopen_after_s": 0.2, "answer_within_s": 60.0}
    if pings:  # else it may give up a server that is only slow
        habits |= {"ping_every_s": 0.3, "ping_within_s": 1.0}
    async with Device(url, token=mine.token, pace=0.1, **habits) as device:  # type: ignore[arg-type]
        for said in (device.say_text("안녕"), device.say(tone(440, 0.6))):
            with suppress(*NO_ANSWER):
                await said
                await device.finish_speaking()
        await mine.wait_async({"kind": "downchannel", "name": "open"}, times=f"{lines}..", within=60)
        await device.send("Settings.RequestVersionSpec")
        await device.finish_speaking()


async def test_no_fault_is_held_against_a_device_that_copes_with_it(cic: Bench) -> None:
    """Not even as advice; and each that cost the downchannel is told with how it came back."""
    cic.load(SCENARIO)
    devices = {name: cic.device() for name in FAULTS}
    for name, fault in FAULTS.items():
        devices[name].fault(fault)
    assert cic.h2c_url is not None
    async with asyncio.timeout(80), asyncio.TaskGroup() as tasks:
        for name, device in devices.items():
            tasks.create_task(live(cic.h2c_url, device, LINES.get(name, 1), pings=name == "pong"))
    verdict = cic.conformance(limits=LIMITS, check=False)
    assert verdict.broken == (), verdict.text()
    assert len(verdict.devices) == len(FAULTS)
    found = {name: device.recoveries(limits=LIMITS) for name, device in devices.items()}
    assert [name for name, recoveries in found.items() if not recoveries] == []
    back = {name: (found[name][0].outcome, found[name][0].attempts > 0) for name in LINES}
    assert back == dict.fromkeys(LINES, ("back", True))
    assert found["refused-line"][0].attempts == 3
    assert found["pong"][0].noticed_s is not None
    reports = found["reset-reports"]
    assert [sum(len(each.cut) for each in reports), sum(len(each.repeated) for each in reports)] == [1, 1]


async def test_an_empty_answer_is_borne(cic: Bench) -> None:
    """A 200 without a part: an answer without directives, and the next is as ever."""
    cic.load(SCENARIO)
    mine = cic.device()
    mine.fault(empty=True, event="TextRecognizer.*", times=1)
    assert cic.h2c_url is not None
    async with asyncio.timeout(20), Device(cic.h2c_url, token=mine.token) as device:
        answers = [await device.say_text("안녕") for _ in range(2)]
        await device.finish_speaking()
    assert [(each.status, len(each.directives)) for each in answers] == [(200, 0), (200, 1)]
    assert cic.conformance(limits=LIMITS, check=False).broken == ()


async def test_connections_that_are_struck_before_anybody_spoke_are_attempts() -> None:
    """They are the device's by the fault that was set for it; no other has come from its address to this server."""
    with MockCIC(SCENARIO, port=0, h2c_port=0) as mock:
        mine = mock.device()
        assert mock.h2c_url is not None
        async with asyncio.timeout(60), Device(mock.h2c_url, token=mine.token, reopen_after_s=0.2) as device:
            mine.fault(accept="fin", times=3)
            mine.fault(cut="rst", times=1)
            await device.wait_for("Clova.Hello", count=2, timeout=60)
            await device.send("Settings.RequestVersionSpec")
        (found,) = mine.recoveries()
        assert (found.outcome, found.strikes, found.attempts, found.guessed, found.unclear) == ("back", 4, 4, 0, 0)
        assert found.acts == ("cut", "accept")
        assert found.grows
        assert mock.conformance(limits=LIMITS, check=False).broken == ()


async def test_while_nobody_listens_attempts_are_not_seen() -> None:
    """A device is back when somebody does, and is not blamed for the time between. On a server of its own."""
    with MockCIC(port=0, h2c_port=0) as mock:
        mine = mock.device()
        assert mock.h2c_url is not None
        async with asyncio.timeout(60), Device(mock.h2c_url, token=mine.token, reopen_after_s=0.1) as device:
            armoury = mock.service.cic.armoury
            away = Fault.model_validate({"listener": "1h", "times": 1})
            mock.call(lambda: armoury.arm(away, mock.service.cic.devices))
            mine.fault(cut="fin", times=1)
            await mock.wait_async("disconnect")
            await asyncio.sleep(0.3)  # in which it tries
            await mock.advance_async("1h")
            await device.wait_for("Clova.Hello", count=2, timeout=60)
            await device.send("Settings.RequestVersionSpec")
        (found,) = mine.recoveries()
        assert (found.outcome, sorted(found.acts), found.attempts) == ("back", ["cut", "listener"], 1)
        assert (found.back_s or 0.0) > 0.29
        assert mock.conformance(limits=LIMITS, check=False).broken == ()
