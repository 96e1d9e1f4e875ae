"""Each behaviour that comes with mockcic is lived through by the simulated device, alone and with all the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mockcic.cic.message import Context
from mockcic.mock import Bench, TestDevice
from mockcic.scenario.files import builtin_names
from mockcic.scenario.load import load_text
from mockcic.simulator.device import Device
from mockcic.simulator.inbox import Answer
from mockcic.sound.make import tone

Live = Callable[..., tuple[TestDevice, Device]]

LONG = 20 * tone(300, 3.0)
"""A minute: whoever does not tell the device to stop has a test that hangs."""


@pytest.fixture(params=["alone", "with all"])
def live(cic: Bench, request: pytest.FixtureRequest) -> Live:
    """A device in a scenario that includes a behaviour, or all of them; what the test sees and the device itself."""

    def make(name: str, *, text: str = "", **how: Any) -> tuple[TestDevice, Device]:
        chosen = name if request.param == "alone" else "all"
        cic.load(f"scenario: s\ninclude: [builtin/{chosen}]\n{text}")
        device = cic.device()
        return device, Device(cic.url, ca_file=cic.ca_file, token=device.token, **{"pace": 0.0, **how})

    return make


def names(answer: Answer) -> list[str]:
    return [each.directive.full_name for each in answer.directives]


def payload(answer: Answer, number: int = 0) -> dict[str, Any]:
    return dict(answer.directives[number].directive.payload)


async def cue(device: TestDevice, name: str, **args: Any) -> None:
    await asyncio.to_thread(lambda: device.cue(name, **args))


async def came(device: TestDevice, name: str, *, count: int = 1) -> None:
    """Wait until the server has got an event, and answered it."""
    await device.wait_async(lambda entry: entry.kind == "answer" and entry.name == name, times=f"{count}..")


# ---------------------------------------------------------------------- alarms


async def test_an_alarm_set_on_demand_rings_is_stopped_by_button_and_is_gone(cic: Bench, live: Live) -> None:
    """7.6."""
    test, speaker = live("alerts")
    async with speaker as device:
        await cue(test, "set-alarm", after="1s", token="t1")
        await came(test, "Alerts.SetAlertSucceeded")
        listed = payload(await device.send("Alerts.RequestSynchronizeAlert", {}))["allAlerts"]
        assert [(each["token"], each["type"], each["label"]) for each in listed] == [("t1", "ALARM", "알람")]
        await came(test, "Alerts.AlertStarted", count=1)
        stopped = await device.send("Alerts.RequestAlertStop", {"token": "t1", "type": "ALARM"})
        assert names(stopped) == ["Alerts.StopAlert"]
        await came(test, "Alerts.AlertStopped")
        await came(test, "Alerts.DeleteAlertSucceeded")
        assert payload(await device.send("Alerts.RequestSynchronizeAlert", {})) == {"allAlerts": []}
        assert (test.vars["alerts"], test.vars["alerts_ringing"]) == ([], [])
    assert cic.findings == ()


@pytest.mark.breaks("expect.once", "expect.order")  # its end is said by hand, for a time that has not come
async def test_an_alarm_that_repeats_is_set_for_its_next_time(cic: Bench, live: Live) -> None:
    test, speaker = live("alerts", playing_pace=0.0)
    async with speaker as device:
        await cue(test, "set-alarm", at="2030-03-02T07:00:00+09:00", repeat="24h", token="t1")
        await came(test, "Alerts.AlertStarted")
        device.state.alerts["t1"].scheduled_time = "2030-03-02T07:00:00+09:00"
        answer = await device.send("Alerts.AlertStopped", {"token": "t1", "type": "ALARM"})
        assert names(answer) == ["Alerts.SetAlert"]
        assert payload(answer)["scheduledTime"] == "2030-03-03T07:00:00+09:00"
        assert [each["scheduledTime"] for each in test.vars["alerts"]] == ["2030-03-03T07:00:00+09:00"]
    assert cic.findings == ()


async def test_an_alarm_is_set_in_writing_and_stopped_in_writing(cic: Bench, live: Live) -> None:
    test, speaker = live("alerts", playing_pace=0.01)
    async with speaker as device:
        answer = await device.say_text("3분 뒤에 깨워 줘")
        assert names(answer) == ["Alerts.SetAlert"]
        await came(test, "Alerts.AlertStarted")
        assert names(await device.say_text("그만")) == ["Alerts.StopAlert"]
        await came(test, "Alerts.DeleteAlertSucceeded")
        assert test.vars["alerts"] == []
    assert cic.findings == ()


async def test_alarms_are_deleted_in_the_app_and_by_button(cic: Bench, live: Live) -> None:
    test, speaker = live("alerts", playing_pace=1.0)
    async with speaker as device:
        for token in ("t1", "t2", "t3"):
            await cue(test, "set-alarm", after="8h", token=token)
        await came(test, "Alerts.SetAlertSucceeded", count=3)
        await cue(test, "delete-alarms", token="t2")
        await came(test, "Alerts.DeleteAlertSucceeded")
        assert [each["token"] for each in test.vars["alerts"]] == ["t1", "t3"]
        answer = await device.send("Alerts.RequestDeleteAlert", {"token": "t1", "type": "ALARM"})
        assert names(answer) == ["Alerts.DeleteAlert"]
        await came(test, "Alerts.DeleteAlertSucceeded", count=2)
        assert [each["token"] for each in test.vars["alerts"]] == ["t3"]
        await cue(test, "delete-alarms")
        await came(test, "Alerts.DeleteAlertSucceeded", count=3)
        assert test.vars["alerts"] == []
        assert device.state.alerts == {}
    assert cic.findings == ()


async def test_what_rings_is_known_from_the_context_of_any_event(cic: Bench, live: Live) -> None:
    """`activeAlerts` is filled in every context while something rings (7.6)."""
    test, speaker = live("alerts")
    alert = {"token": "t9", "type": "TIMER", "scheduledTime": "2026-03-02T07:00:00+09:00"}
    context = Context("Alerts", "AlertsState", {"allAlerts": [alert], "activeAlerts": [alert]})
    async with speaker as device:
        await device.send("Alerts.RequestSynchronizeAlert", {}, contexts=[context])
        assert test.vars["alerts_ringing"] == [alert]
        await cue(test, "stop-alarms")
        stop = await device.wait_for("Alerts.StopAlert")
        assert stop.directive.payload == {"token": "t9", "type": "TIMER"}
        await came(test, "Alerts.AlertStopped")
    assert cic.findings == ()


# ---------------------------------------------------------------------- playback


async def test_music_plays_through_its_queue_by_itself(cic: Bench, live: Live) -> None:
    """StreamRequested ⇒ StreamDeliver, PlayFinished ⇒ the next item, 204 after the last (7.5)."""
    test, speaker = live("playback")
    async with speaker as device:
        assert names(await device.say_text("음악 틀어 줘")) == ["AudioPlayer.Play"]
        await came(test, "AudioPlayer.PlayFinished", count=3)
        played = [each.directive.payload["audioItem"]["audioItemId"] for each in await plays(device, 3)]
        assert played == ["song-1", "song-2", "song-3"]
        assert (test.vars["playback_index"], test.vars["playback_positions"]) == (2, {})
    assert cic.findings == ()


async def plays(device: Device, count: int) -> list[Any]:
    await device.wait_for("AudioPlayer.Play", count=count)
    return [each for each in device.received if each.directive.full_name == "AudioPlayer.Play"]


async def test_the_buttons_of_a_player_work_and_its_position_is_remembered(cic: Bench, live: Live) -> None:
    test, speaker = live("playback", playing_pace=1.0)
    async with speaker as device:
        await cue(test, "play", index=1)
        await came(test, "AudioPlayer.PlayStarted")
        await cue(test, "pause")
        await came(test, "AudioPlayer.PlayPaused")
        assert test.vars["playback_activity"] == "PAUSED"
        assert list(test.vars["playback_positions"]) == ["song-2"]
        assert names(await device.send("PlaybackController.ResumeCommandIssued", {})) == ["PlaybackController.Resume"]
        await came(test, "AudioPlayer.PlayResumed")
        assert names(await device.send("PlaybackController.StopCommandIssued", {})) == ["PlaybackController.Stop"]
        await came(test, "AudioPlayer.PlayStopped")
        position = test.vars["playback_positions"]["song-2"]
        answer = await device.send("PlaybackController.ResumeCommandIssued", {})
        assert names(answer) == ["AudioPlayer.Play"]
        assert payload(answer)["audioItem"]["stream"]["beginAtInMilliseconds"] == position
        for button, item in (("Next", "song-3"), ("Next", "song-1"), ("Previous", "song-3")):
            answer = await device.send(f"PlaybackController.{button}CommandIssued", {})
            assert payload(answer)["audioItem"]["audioItemId"] == item
        answer = await device.send("PlaybackController.PlayCommandIssued", {"token": "song-2"})
        assert payload(answer)["audioItem"]["audioItemId"] == "song-2"
        answer = await device.send("PlaybackController.SetRepeatModeCommandIssued", {"repeatMode": "REPEAT_ONE"})
        assert payload(answer) == {"repeatMode": "REPEAT_ONE"}
    assert cic.findings == ()


# ---------------------------------------------------------------------- settings, device control


async def test_settings_are_offered_changed_and_kept(cic: Bench, live: Live) -> None:
    """7.8; another list of voices is another version."""
    test, speaker = live("settings")
    async with speaker as device:
        first = payload(await device.send("Settings.RequestVersionSpec", {}))
        assert (first["specVersion"], len(first["spec"]["voiceType"]["list"])) == ("20260101000000", 2)
        await cue(test, "change-setting", value="V002")
        await came(test, "Settings.Report")
        assert test.vars["settings_values"] == {"VoiceTypeChange": "V002"}
        await cue(test, "ask-settings")
        await came(test, "Settings.Report", count=2)
        await cue(test, "offer-voices", voices=[{"key": "V009", "name": "새 목소리"}])
        second = payload(await device.send("Settings.RequestVersionSpec", {}))
        assert second["specVersion"] > first["specVersion"]
        assert second["spec"]["voiceType"]["default"] == {"key": "V009", "name": "새 목소리"}
    assert cic.findings == ()


async def test_device_control_keeps_the_state_and_tells_the_app(cic: Bench, live: Live) -> None:
    """7.7."""
    test, speaker = live("device-control")
    async with speaker as device:
        listed = payload(await device.send("DeviceControl.RequestDeviceList", {}))["deviceList"]
        assert [each["deviceId"] for each in listed] == [test.vars["device_id"]]
        assert names(await device.say_text("소리 크게")) == ["DeviceControl.Increase"]
        await came(test, "DeviceControl.ActionExecuted")
        assert test.vars["device_state"]["volume"]["value"] == 6
        await cue(test, "set-value", value=3)
        await came(test, "DeviceControl.ActionExecuted", count=2)
        assert (await device.send("DeviceControl.RequestStateSynchronization", {})).status == 204
        told = await device.wait_for("DeviceControl.SynchronizeState")
        assert told.directive.payload["deviceState"]["volume"]["value"] == 3
        assert told.directive.dialog_request_id is None
    assert cic.findings == ()


async def test_a_device_that_has_settled_is_asked_for_its_state_once(cic: Bench, live: Live) -> None:
    """7.1, step 5."""
    test, speaker = live("device-control", text="on: [{event: Settings.RequestVersionSpec, reply: none}]\n")
    async with speaker as device:
        for _ in range(2):
            await device.send("Settings.RequestVersionSpec", {})
        await came(test, "DeviceControl.ReportState")
        await device.send("Settings.RequestVersionSpec", {})
    assert len([each for each in test.directives if each.name == "DeviceControl.ExpectReportState"]) == 1
    assert cic.findings == ()


# ---------------------------------------------------------------------- the others


@pytest.mark.breaks("expect.once")  # said again by hand, to see what the mock makes of it
async def test_a_request_is_delegated_and_its_result_fetched_once(cic: Bench, live: Live) -> None:
    """7.9: no message carries a dialogue id."""
    test, speaker = live("delegation")
    async with speaker as device:
        await cue(test, "delegate", text="노래예요", id="g1")
        shown = await device.wait_for("Clova.RenderText")
        assert (shown.directive.payload, shown.directive.dialog_request_id) == ({"text": "노래예요"}, None)
        await came(test, "Clova.ProcessDelegatedEvent")
        again = await device.send("Clova.ProcessDelegatedEvent", {"delegationId": "g1"})
        assert again.exception == (400, "unknown delegationId")
        await device.idle(timeout=30)


async def test_a_notification_is_told_and_cleared(cic: Bench, live: Live) -> None:
    """7.11."""
    test, speaker = live("notifications")
    async with speaker as device:
        await cue(test, "notify")
        await device.wait_for("Notifier.Notify")
        assert test.vars["notifications"] == 1
        await cue(test, "clear-notifications")
        await device.wait_for("Notifier.ClearIndicator")
        assert test.vars["notifications"] == 0
    assert cic.findings == ()


async def test_a_question_back_is_answered_in_its_dialogue(cic: Bench, live: Live) -> None:
    """7.3."""
    test, speaker = live("follow-ups")
    async with speaker as device:
        question = await device.say_text("예약해 줘")
        assert names(question) == ["SpeechSynthesizer.Speak", "SpeechRecognizer.ExpectSpeech"]
        answer = await device.say_text("내일", follow_up=True)
        assert payload(answer, 1) == {"text": "내일"}
        asked, answered = (each for each in test.events if each.name == "TextRecognizer.Recognize")
        assert asked.dialogue == answered.dialogue
        late = await device.send("TextRecognizer.Recognize", {"text": "내일", "speechId": "x", "explicit": True})
        assert payload(late)["ttsText"] == "잘 못 들었어요"
        await device.idle(timeout=30)
    assert cic.findings == ()


WAKE = {
    "initiator": {
        "type": "WAKEWORD",
        "inputSource": "SELF",
        "payload": {
            "deviceUUID": "fc94e539-670a-4fdf-96f9-78e231f54207",
            "wakeWord": {"name": "hey_clova", "indices": {"startIndexInSamples": 4800, "endIndexInSamples": 12000}},
        },
    }
}


@pytest.mark.parametrize("confirmed", [True, False])
async def test_a_wake_word_is_confirmed_or_a_false_alarm(cic: Bench, live: Live, confirmed: bool) -> None:
    """7.4: on the downchannel, during the upload, under its dialogue; a false alarm ends with 204."""
    # A false alarm is ended well before a second of sound, after which StopCapture would come.
    test, speaker = live("wake-word", text=HEARD, pace=0.1 if confirmed else 1.0)
    async with speaker as device:
        await cue(test, "confirm-wake-word" if confirmed else "refuse-wake-word")
        answer = await device.say(LONG, payload=WAKE)
        pushed = [each for each in test.directives if each.name.startswith("SpeechRecognizer")]
        wanted = ["SpeechRecognizer.ConfirmWakeUp", *(["SpeechRecognizer.StopCapture"] if confirmed else [])]
        assert [each.name for each in pushed] == wanted
        assert {each.dialogue for each in pushed} == {test.events[-1].dialogue}
        assert pushed[0].data["payload"] == {"success": confirmed}
        assert (answer.status, names(answer)) == ((200, ["Clova.RenderText"]) if confirmed else (204, []))
        await device.say(tone(300, 0.4))
    assert len([each for each in test.directives if each.name == "SpeechRecognizer.ConfirmWakeUp"]) == 1
    assert cic.findings == ()


HEARD = "on: [{event: SpeechRecognizer.Recognize, fallback: true, reply: {Clova.RenderText: {text: 네}}}]\n"


# ---------------------------------------------------------------------- the built-in scenario


async def test_the_default_sends_a_device_nothing_it_did_not_ask_for(cic: Bench) -> None:
    """Hello, and after settling ExpectReportState (7.1); no ConfirmWakeUp, which is unpublished (7.4)."""
    cic.load("scenario: s\nsettings: {same_connection: false}\ninclude: [builtin/default]\n")
    async with Device(cic.url, ca_file=cic.ca_file, token=cic.token, pace=0.1, playing_pace=0.0, settle=True) as device:
        await device.wait_for("DeviceControl.ExpectReportState")
        answer = await device.say(LONG, payload=WAKE)
        assert names(answer) == ["SpeechSynthesizer.Speak", "Clova.RenderText"]
        await device.idle(timeout=30)
    pushed = [each.name for each in cic.directives if each.data["line"] == "downchannel"]
    asked_for = {"Clova.Hello", "DeviceControl.ExpectReportState", "SpeechRecognizer.StopCapture"}
    assert set(pushed) == asked_for
    assert cic.findings == ()


@pytest.mark.parametrize("name", builtin_names())
def test_each_loads_alone_without_a_word(name: str) -> None:
    assert load_text(f"scenario: s\ninclude: [builtin/{name}]\n").warnings == ()


def test_the_order_of_includes_does_not_matter(cic: Bench) -> None:
    """`reports` first: its 204 is a fallback, so a behaviour that has an answer gives it."""
    text = (
        "scenario: s\ninclude: [builtin/reports, builtin/greeting, builtin/settle, builtin/alerts, builtin/playback]\n"
    )
    rules = load_text(text).scenarios[0].on
    about = [rule.label for rule in rules if rule.is_about("AudioPlayer.PlayFinished") and not rule.beside]
    assert about == ["the next item by itself", "report", "everything else", "a report about playing"]


async def test_a_rule_of_the_file_wins_over_a_behaviour(cic: Bench) -> None:
    cic.load("scenario: s\ninclude: [builtin/all]\non: [{event: Alerts.RequestAlertStop, exception: {code: 500}}]\n")
    async with Device(cic.url, ca_file=cic.ca_file, token=cic.token, pace=0.0) as device:
        answer = await device.send("Alerts.RequestAlertStop", {"token": "t", "type": "ALARM"})
        assert answer.status == 500
