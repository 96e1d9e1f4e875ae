"""Every directive that the catalogue wants reported is reported by the device, as the catalogue has the report."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from mockcic.cic.catalogue import catalogue
from mockcic.mock import Bench
from mockcic.simulator.device import Device

pytestmark = pytest.mark.cic(fail_on="none")
"""The catalogue's open lists of commands and targets lack some that its directives have: advice, no break."""

EXPECTING: Final = {name: spec for name, spec in catalogue().directives.items() if spec.expects}

ALARM: Final = {"type": "ALARM", "token": "a1", "scheduledTime": "2026-03-02T07:00:00+09:00"}
ITEM: Final = {
    "audioItemId": "i1",
    "type": "mock",
    "titleText": "봄바람",
    "titleSubText1": "모의 밴드",
    "stream": {
        "token": "s1",
        "url": "https://media.example.test/s1.mp3",
        "urlPlayable": True,
        "beginAtInMilliseconds": 0,
        "durationInMilliseconds": 600_000,
    },
}
PLAY: Final = {"AudioPlayer.Play": {"playBehavior": "REPLACE_ALL", "source": {"name": "Mock Music"}, "audioItem": ITEM}}
PAUSE: Final = {"PlaybackController.Pause": {"target": {"namespace": "AudioPlayer"}}}
RINGS: Final = {"Alerts.SetAlert": ALARM}

PAYLOADS: Final[Mapping[str, Mapping[str, Any]]] = {
    "SpeechSynthesizer.Speak": {"ttsLang": "ko", "ttsText": "네", "audio": {"silence": "100ms"}},
    "Alerts.SetAlert": ALARM,
    "Alerts.StopAlert": {"token": "a1", "type": "ALARM"},
    "Alerts.DeleteAlert": {"token": "a1", "type": "ALARM"},
    **PLAY,
    **PAUSE,
}
"""Instead of the catalogue's example: what has to do with what came before."""

BEFORE: Final[Mapping[str, tuple[tuple[Mapping[str, Any], str], ...]]] = {
    "Alerts.StopAlert": ((RINGS, "Alerts.AlertStarted"),),
    "Alerts.DeleteAlert": ((RINGS, "Alerts.AlertStarted"),),
    "PlaybackController.Pause": ((PLAY, "AudioPlayer.PlayStarted"),),
    "PlaybackController.Stop": ((PLAY, "AudioPlayer.PlayStarted"),),
    "PlaybackController.Resume": ((PLAY, "AudioPlayer.PlayStarted"), (PAUSE, "AudioPlayer.PlayPaused")),
    "TemplateRuntime.ExpectRequestPlayerInfo": ((PLAY, "AudioPlayer.PlayStarted"),),
}
"""What a directive needs to act on, and the report that says it is there."""


def plain(value: Any) -> Any:
    """The catalogue's frozen values as JSON has them."""
    return json.loads(json.dumps(value, default=lambda each: dict(each) if isinstance(each, Mapping) else list(each)))


@pytest.mark.parametrize("name", sorted(EXPECTING))
async def test_what_the_catalogue_expects_is_reported(cic: Bench, name: str) -> None:
    """With a payload and contexts that the catalogue takes; no rule at all is broken."""
    cic.load("scenario: expects\ninclude: [builtin/settle, builtin/reports]\non: [{event: '*', reply: none}]")
    token = cic.device().token
    assert cic.h2c_url is not None
    async with asyncio.timeout(60), Device(cic.h2c_url, token=token, pace=0.0, playing_pace=1.0) as device:
        for before, report in BEFORE.get(name, ()):
            assert cic.push(before) == 1
            await cic.wait_async(report)
        payload = PAYLOADS.get(name) or plain(EXPECTING[name].example) or {}
        cic.clear()
        assert cic.push({name: payload}) == 1
        if name == "SpeechRecognizer.ExpectSpeech":
            await device.wait_for(name)
            await device.say_text("네", follow_up=True)
        for reports in EXPECTING[name].expects:
            await cic.wait_async(lambda entry, any_of=reports: entry.kind == "answer" and entry.name in any_of)
        judged = cic.conformance(check=False)
    assert judged.broken == (), judged.text()
