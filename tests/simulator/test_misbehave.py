"""Each rule of the guide through the wire: a vice breaks it, the same life without it keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from mockcic.errors import StartError
from mockcic.mock import Bench
from mockcic.simulator.client import ConnectionLostError
from mockcic.simulator.device import Device
from mockcic.simulator.misbehave import MISBEHAVIOURS, read
from mockcic.sound.make import tone
from mockcic.verdict.conformance import RULES, Conformance

pytestmark = pytest.mark.cic(fail_on="none")

IDS = [rule.id for rule in RULES]
HURRIED: Mapping[str, Any] = {"pace_leeway": "off", "audio_gap_s": "off"}
"""Of a microphone that does not run in real time the pace says nothing."""

PATIENT: Mapping[str, float] = {
    "reopen_within_s": 20.0,
    "reconnect_within_s": 20.0,
    "notice_within_s": 20.0,
    "report_within_s": 20.0,
    "alert_within_s": 20.0,
    "stop_within_s": 20.0,
    "ping_every_s": 20.0,
    "audio_gap_s": 20.0,
    "pace_leeway": 0.9,
}
"""With a vice a limit is short, so that a rule is soon seen broken; without one this machine has time to keep it."""

WITHIN_S = 30.0
LOOK_EVERY_S = 0.05

CHAT = """
  - event: [SpeechRecognizer.Recognize, TextRecognizer.Recognize]
    reply: [SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 네, audio: {silence: 200ms}}]
"""
QUESTION = """
  - event: TextRecognizer.Recognize
    in: start
    go: asked
    reply:
      - SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 어디요, audio: {silence: 200ms}}
      - SpeechRecognizer.ExpectSpeech: {expectSpeechId: e1, explicit: true, timeoutInMilliseconds: 5000}
"""
MUSIC = """
  - event: TextRecognizer.Recognize
    reply:
      - AudioPlayer.Play:
          playBehavior: REPLACE_ALL
          source: {name: Mock Music}
          audioItem:
            audioItemId: i1
            type: mock
            titleText: 봄바람
            titleSubText1: 모의 밴드
            stream:
              token: s1
              url: "https://media.example.test/s1.mp3"
              urlPlayable: true
              beginAtInMilliseconds: 0
              durationInMilliseconds: 60000
              progressReport: {progressReportDelayInMilliseconds: 300}
"""
ALARM = """
  - event: TextRecognizer.Recognize
    reply:
      - Alerts.SetAlert: {type: ALARM, token: a1, scheduledTime: "{{ now | plus('1s') | iso('+09:00') }}"}
"""
STALE = """
  - event: TextRecognizer.Recognize
    reply:
      - SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 늦은 답, token: old, audio: {silence: 100ms}}
        dialogRequestId: an-old-dialogue
      - SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 네, token: new, audio: {silence: 100ms}}
"""
UNKNOWN = """
  - event: TextRecognizer.Recognize
    reply:
      - {directive: Clova.Nonsense, payload: {any: thing}}
      - SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 네, audio: {silence: 100ms}}
"""
NO_LONGER = """
  - event: TextRecognizer.Recognize
    exception: {code: 401, description: Unauthorized}
"""
LISTENING = """
  - event: SpeechRecognizer.Recognize
    while_uploading: []
    reply: none
"""

Act = Callable[[Bench, Device], Awaitable[None]]


async def talk(cic: Bench, device: Device) -> None:
    """Something in writing, something by voice, and an event that shows the contexts after it."""
    await device.say_text("안녕")
    await device.finish_speaking()
    await device.say(tone(440, 0.8))
    await device.finish_speaking()
    await device.send("Settings.RequestVersionSpec")


async def converse(cic: Bench, device: Device) -> None:
    await device.say_text("날씨")
    await device.say_text("서울", follow_up=True)
    await device.finish_speaking()


async def text(cic: Bench, device: Device) -> None:
    await device.say_text("안녕")
    await device.finish_speaking()


async def text_and_later_more(cic: Bench, device: Device) -> None:
    await device.say_text("음악")
    await cic.wait_async("AudioPlayer.PlayStarted")
    await asyncio.sleep(0.15)  # what is under way is no contradiction; see the limit race_s
    await device.send("Settings.RequestVersionSpec")


async def text_again_and_again(cic: Bench, device: Device) -> None:
    for _ in range(5):
        with suppress(ConnectionLostError):  # a device that is logged out
            await device.say_text("안녕")


async def long_speech(cic: Bench, device: Device) -> None:
    await device.say(tone(440, 3.0))


async def speech_after_a_wake_word(cic: Bench, device: Device) -> None:
    await device.say(tone(440, 0.5), wake_word="hey_clova")


async def pushed(cic: Bench, device: Device) -> None:
    """A directive in a dialogue and one in none."""
    await device.say_text("안녕")
    await device.finish_speaking()
    cic.push("DeviceControl.TurnOn", {"target": "flashlight"})


async def text_after_the_cut(cic: Bench, device: Device) -> None:
    """Say something while the downchannel is away, and again when it is back."""
    await cic.wait_async({"kind": "downchannel", "name": "closed"})
    await asyncio.sleep(0.25)
    with suppress(ConnectionLostError):
        await device.say_text("안녕")


async def text_after_goaway(cic: Bench, device: Device) -> None:
    await cic.wait_async("fault phase=struck")
    await asyncio.sleep(0.25)
    await device.say_text("안녕")
    await device.finish_speaking()


async def nothing(cic: Bench, device: Device) -> None:
    pass


@dataclass(frozen=True)
class Scene:
    """A life in which a rule shows: the rules of the scenario, other settings, the device's habits, what is done."""

    on: str = CHAT
    act: Act = talk
    settings: str = "{}"
    fault: str = "[]"
    habits: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)


TALK = Scene(habits={"tags": ("kitchen", "blue")})
ASKED = Scene(on=QUESTION + CHAT, act=converse)
REPORTS = Scene(act=pushed, limits={"report_within_s": 1.0})
ENDED = Scene(
    act=nothing,
    settings="{downchannel_lifetime: 600ms}",
    habits={"reopen_after_s": 0.4},
    limits={"reopen_within_s": 1.5},
)
CUT_LINE = "{reset: CANCEL, on: downchannel, after: 300ms, times: 1}"
REPORT_CUT = """
  - event: SpeechSynthesizer.SpeechFinished
    fault: {reset: CANCEL, times: 1}
"""
STRUGGLE = Scene(
    act=nothing,
    fault="{reset: CANCEL, on: downchannel, after: 50ms, times: 6}",
    settings="{downchannel_window: off}",
    habits={"reopen_after_s": 0.1},
    limits={"reopen_gap_s": 0.08, "reopen_within_s": 3.0},
)
OTHER: Mapping[str, Scene] = {
    "connection.hello-awaited": Scene(act=text, settings="{hello: {after: 1s}}"),
    "connection.reopened": ENDED,
    "connection.reopen-storm": ENDED,
    "connection.ping": Scene(act=nothing, habits={"ping_every_s": 0.3}, limits={"ping_every_s": 1.0}),
    "connection.ping-unanswered": Scene(
        act=nothing,
        settings="{ping: never}",
        habits={"ping": "get", "ping_every_s": 0.3, "ping_within_s": 0.3, "reopen_after_s": 0.1},
        limits={"reconnect_within_s": 2.0},
    ),
    "token.refused-again": Scene(on=NO_LONGER, act=text_again_and_again),
    "message.dialogue-kept": ASKED,
    "message.speech-id": ASKED,
    "message.context-true": Scene(on=MUSIC, act=text_and_later_more, habits={"playing_pace": 1.0}),
    "audio.pace": Scene(
        on=LISTENING,
        act=long_speech,
        habits={"pace": 1.0},
        limits={"pace_leeway": 0.5, "audio_gap_s": 1.0, "preroll_s": 1.0},
    ),
    "audio.stop-capture": Scene(act=long_speech, habits={"pace": 0.2}, limits={"stop_within_s": 0.25}),
    "audio.wake-word": Scene(act=speech_after_a_wake_word),
    "expect.reported": REPORTS,
    "expect.once": REPORTS,
    "expect.order": REPORTS,
    "expect.alert-rings": Scene(
        on=ALARM, act=text, habits={"playing_pace": 1.0}, limits={"alert_within_s": 1.0, "report_within_s": 1.0}
    ),
    "expect.progress": Scene(on=MUSIC, act=text, habits={"playing_pace": 1.0}),
    "dialogue.stale-dropped": Scene(on=STALE, act=text, limits={"report_within_s": 0.5}),
    "dialogue.idless-obeyed": REPORTS,
    "dialogue.current-obeyed": Scene(on=UNKNOWN, act=text, limits={"report_within_s": 1.0}),
    "recovery.reconnected": Scene(
        act=nothing, fault=CUT_LINE, habits={"reopen_after_s": 0.1}, limits={"reopen_within_s": 0.6}
    ),
    "recovery.storm": STRUGGLE,
    "recovery.back-off": STRUGGLE,
    "recovery.retry-after": Scene(
        act=nothing,
        fault="[{cut: rst, after: 200ms, times: 1}, {status: {code: 503, retry_after: 1}, on: downchannel, nth: 2}]",
        habits={"reopen_after_s": 0.1},
    ),
    "recovery.events-wait": Scene(
        act=text_after_the_cut,
        fault=CUT_LINE,
        settings="{same_connection: true}",
        habits={"reopen_after_s": 1.0},
        limits={"race_s": 0.1, "reopen_within_s": 4.0},
    ),
    "recovery.event-repeated": Scene(
        on=REPORT_CUT + CHAT,
        act=text,
        fault="{reset: CANCEL, on: downchannel, after: 2s, times: 1}",
        habits={"reopen_after_s": 0.1},
        limits={"race_s": 0.05, "report_within_s": 1.0},
    ),
    "recovery.event-lost": Scene(on=REPORT_CUT + CHAT, act=text, limits={"report_within_s": 0.5}),
    "recovery.silence-noticed": Scene(
        act=nothing,
        fault="{pong: never, times: 1}",
        habits={"ping_every_s": 0.3, "ping_within_s": 0.3, "reopen_after_s": 0.1},
        limits={"reconnect_within_s": 1.0},
    ),
    "recovery.goaway-obeyed": Scene(
        act=text_after_goaway,
        fault="{goaway: NO_ERROR, on: connection, after: 200ms, times: 1}",
        habits={"reopen_after_s": 0.1},
        limits={"race_s": 0.1},
    ),
}
"""Rules that do not show in `TALK`."""


async def lived(cic: Bench, rule: str, status: str, misbehave: frozenset[str]) -> Conformance:
    """Live the scene of a rule; gives the verdict as soon as it says `status`, or after some seconds."""
    scene = OTHER.get(rule, TALK)
    on = f"include: [builtin/settle, builtin/reports]\nsettings: {scene.settings}\nfault: {scene.fault}\non:{scene.on}"
    cic.load(f"scenario: {rule.replace('.', '-')}\n{on}")
    habits = {"pace": 0.0, **scene.habits}
    limits = {**HURRIED, **scene.limits}
    if not misbehave:
        limits |= {name: at_least for name, at_least in PATIENT.items() if limits.get(name) != "off"}
    token = cic.device().token
    assert cic.h2c_url is not None
    async with (
        asyncio.timeout(80),
        Device(cic.h2c_url, token=token, misbehave=misbehave, answer_within_s=5.0, **habits) as device,
    ):
        await scene.act(cic, device)
        loop = asyncio.get_running_loop()
        until_s = loop.time() + WITHIN_S
        while True:
            judged = cic.conformance(limits=limits, check=False)
            if judged.rule(rule).status == status or loop.time() > until_s:
                return judged
            await asyncio.sleep(LOOK_EVERY_S)  # a rule may be about what does not happen for a while


@pytest.mark.parametrize("rule", IDS)
async def test_a_device_with_the_vice_breaks_the_rule(cic: Bench, rule: str) -> None:
    judged = await lived(cic, rule, "broken", frozenset({rule}))
    assert judged.rule(rule).status == "broken", judged.text()


@pytest.mark.parametrize("rule", IDS)
async def test_the_same_device_without_the_vice_keeps_the_rule(cic: Bench, rule: str) -> None:
    """And every other rule that counts."""
    judged = await lived(cic, rule, "kept", frozenset())
    assert judged.rule(rule).status == "kept", judged.text(every=True)
    assert judged.ok, judged.text()


def test_there_is_a_vice_for_every_rule_and_no_other() -> None:
    assert list(MISBEHAVIOURS) == IDS


def test_a_rule_that_is_none_is_told_with_the_nearest() -> None:
    with pytest.raises(StartError, match=r"'connection\.pings' is no rule to break; did you mean connection\.ping\?"):
        read(["connection.pings"])
    with pytest.raises(StartError, match=r"--misbehave list"):
        read(["politeness"])
