"""Every shipped scenario is lived through once by the simulated device: the dialogues of PROTOCOL section 7.

Those of trouble are in test_trouble.py."""

from __future__ import annotations

import asyncio
import ssl
import time

import httpx
import pytest

from mockcic.mock import Bench
from mockcic.simulator.device import Device
from mockcic.simulator.inbox import Answer
from mockcic.simulator.lifeline import RefusedError
from mockcic.sound.dtmf import dtmf
from mockcic.sound.make import read_wav, tone
from mockcic.sound.marker import marker
from mockcic.sound.mp3 import seconds
from tests.dialogues.conftest import SCENARIOS, TROUBLE, Speaker
from tests.support.golden import golden

TESTED = {
    "alarm", "by-voice", "connect", "delegation", "device-control", "multi-turn", "music", "push-notification",
    "seed-400", "seed-success", "settings", "slow", "token-life", "token-refused", "weather",
    *TROUBLE,
}  # fmt: skip


def names(answer: Answer) -> list[str]:
    return [each.directive.full_name for each in answer.directives]


async def came(cic: Bench, name: str, *, count: int = 1) -> None:
    """Wait until the server has got an event, and answered it."""
    await cic.wait_async(lambda entry: entry.kind == "answer" and entry.name == name, times=f"{count}..")


def test_every_scenario_of_the_folder_is_tested() -> None:
    assert {path.stem for path in SCENARIOS.glob("*.yaml")} == TESTED


def test_the_folder_is_a_set_from_which_a_device_chooses_by_its_token(cic: Bench) -> None:
    scenarios = cic.load(SCENARIOS)
    assert {each.scenario for each in scenarios.scenarios} == TESTED
    assert scenarios.warnings == ()
    assert [scenarios.for_device(f"{name}-1", "").scenario for name in sorted(TESTED)] == sorted(TESTED)


async def test_connect_settles(cic: Bench, speaker: Speaker) -> None:
    """Hello, alerts and settings asked for, the state asked back (7.1)."""
    async with speaker("connect", settle=True) as device:
        await came(cic, "Alerts.RequestSynchronizeAlert")
        await came(cic, "Settings.RequestVersionSpec")
        await device.wait_for("DeviceControl.ExpectReportState")
        await came(cic, "DeviceControl.ReportState")
        assert {"Alerts.SynchronizeAlert", "Settings.UpdateVersionSpec"} <= {
            each.directive.full_name for each in device.received
        }
    assert cic.findings == ()


async def test_what_was_said_decides_without_a_cloud(cic: Bench, speaker: Speaker) -> None:
    """A known recording, digits, a marker, a transcript; and what nobody knows."""
    question = read_wav((SCENARIOS / "audio" / "question.wav").read_bytes())
    said = [
        (question, "", "오늘은 맑아요"),
        (dtmf("123#"), "", "비밀번호 123#"),
        (marker(7), "", "일곱 번째 질문"),
        (tone(300, 1.0), "내일 날씨 알려줘", "내일 날씨 알려줘: 흐려요"),
        (tone(300, 1.0), "", "잘 못 들었어요"),
    ]
    async with speaker("by-voice", playing_pace=0.0) as device:
        test = cic.device(device.token)
        await test.wait_async("downchannel")
        for sound, text, expected in said:
            if text:
                test.transcript(text)
            answer = await device.say(sound)
            assert answer.directives[-1].directive.payload["text"] == expected
            await device.idle(timeout=30)
    uploads = [entry.data for entry in test.journal if entry.kind == "upload"]
    assert [each["heard"] for each in uploads] == ["weather", None, None, None, None]
    assert cic.findings == ()


async def test_weather_is_asked_for_by_voice_and_told(cic: Bench, speaker: Speaker) -> None:
    """StopCapture after a second of sound, Speak with an MP3, RenderText, the reports (7.2)."""
    async with speaker("weather", pace=0.1, playing_pace=0.0) as device:
        answer = await device.say(20 * tone(300, 3.0))
        assert answer.status == 200
        assert names(answer) == ["SpeechSynthesizer.Speak", "Clova.RenderText"]
        (sound,) = answer.directives[0].attachments.values()
        assert seconds(sound) == pytest.approx(3.5, abs=0.3)
        stop = await device.wait_for("SpeechRecognizer.StopCapture")
        assert stop.directive.dialog_request_id == answer.directives[0].directive.dialog_request_id
        await device.idle(timeout=30)
        await came(cic, "SpeechSynthesizer.SpeechFinished")
    upload = cic.wait("upload name=SpeechRecognizer.Recognize")
    assert 1.0 <= upload.data["seconds"] < 60.0
    assert cic.findings == ()


async def test_weather_has_a_wrong_turn_and_a_crash(cic: Bench, speaker: Speaker) -> None:
    async with speaker("weather") as device:
        assert (await device.say_text("boom")).exception == (500, "Internal server error")
        answer = await device.say_text("부산")
        assert answer.directives[0].directive.payload == {"text": "부산: 맑음"}
        answer = await device.say(tone(300, 0.3), payload={"lang": "en"})
        assert names(answer) == ["SpeechSynthesizer.Speak"]


async def test_multi_turn_keeps_the_dialogue_and_the_speech_id(cic: Bench, speaker: Speaker) -> None:
    """ExpectSpeech, and its follow-up with the same dialogRequestId, speechId and explicit (7.3)."""
    async with speaker("multi-turn") as device:
        question = await device.say_text("날씨")
        assert names(question) == ["SpeechSynthesizer.Speak", "SpeechRecognizer.ExpectSpeech"]
        asked = question.directives[1].directive
        answer = await device.say_text("서울", follow_up=True)
        assert names(answer) == ["SpeechSynthesizer.Speak", "Clova.RenderText"]
        first, second = (entry for entry in cic.events if entry.name == "TextRecognizer.Recognize")
        assert first.dialogue == second.dialogue == asked.dialog_request_id
        assert second.data["payload"]["speechId"] == asked.payload["expectSpeechId"]
        assert second.data["payload"]["explicit"] is True
    assert cic.findings == ()


async def test_multi_turn_does_not_understand_an_answer_to_no_question(cic: Bench, speaker: Speaker) -> None:
    async with speaker("multi-turn") as device:
        answer = await device.send(
            "TextRecognizer.Recognize", {"text": "서울", "speechId": "never-asked", "explicit": True}, dialogue="d1"
        )
        assert names(answer) == ["SpeechSynthesizer.Speak"]
        assert answer.directives[0].directive.payload["ttsText"] == "잘 못 들었어요"


@pytest.mark.breaks("message.speech-id")
async def test_multi_turn_takes_only_the_speech_id_it_gave(cic: Bench, speaker: Speaker) -> None:
    """The dialogue is the right one, the speechId another (7.3)."""
    async with speaker("multi-turn") as device:
        asked = (await device.say_text("날씨")).directives[1].directive
        wrong = {"text": "서울", "speechId": "another", "explicit": True}
        answer = await device.send("TextRecognizer.Recognize", wrong, dialogue=asked.dialog_request_id)
        assert answer.directives[0].directive.payload["ttsText"] == "잘 못 들었어요"
    assert cic.findings == ()


async def test_an_alarm_is_set_rings_and_is_stopped_by_button(cic: Bench, speaker: Speaker) -> None:
    """7.6."""
    async with speaker("alarm", variables={"rings_in": "1s"}) as device:
        answer = await device.say_text("깨워 줘")
        assert names(answer) == ["Alerts.SetAlert"]
        alarm = {"token": answer.directives[0].directive.payload["token"], "type": "ALARM"}
        await came(cic, "Alerts.AlertStarted")
        stopped = await device.send("Alerts.RequestAlertStop", alarm)
        assert names(stopped) == ["Alerts.StopAlert"]
        await came(cic, "Alerts.AlertStopped")
        deleted = await device.wait_for("Alerts.DeleteAlert")
        assert deleted.directive.payload == alarm
    assert cic.findings == ()


async def test_an_alarm_is_stopped_by_voice(cic: Bench, speaker: Speaker) -> None:
    async with speaker("alarm", variables={"rings_in": "1s"}) as device:
        await device.say_text("깨워 줘")
        await came(cic, "Alerts.AlertStarted")
        assert names(await device.say_text("그만")) == ["Alerts.StopAlert", "SpeechSynthesizer.Speak"]
        await device.wait_for("Alerts.DeleteAlert")


async def test_while_an_alarm_is_armed_the_user_is_not_left_without_an_answer(cic: Bench, speaker: Speaker) -> None:
    async with speaker("alarm", playing_pace=1.0) as device:
        await device.say_text("깨워 줘")
        await came(cic, "Alerts.SetAlertSucceeded")
        assert names(await device.say_text("뭐라고")) == ["SpeechSynthesizer.Speak"]


async def test_music_asks_for_its_address_reports_and_is_paused_by_the_app(cic: Bench, speaker: Speaker) -> None:
    """StreamRequested, PlayStarted, progress, ExpectPauseCommand, PauseCommandIssued, Pause, PlayPaused (7.5)."""
    async with speaker("music", playing_pace=0.02) as device:
        answer = await device.say_text("음악 틀어 줘")
        assert names(answer) == ["SpeechSynthesizer.Speak", "AudioPlayer.Play"]
        await came(cic, "AudioPlayer.StreamRequested")
        await came(cic, "AudioPlayer.PlayStarted")
        await came(cic, "AudioPlayer.ProgressReportDelayPassed")
        delivered = await device.wait_for("AudioPlayer.StreamDeliver")
        assert delivered.directive.payload["audioStream"]["urlPlayable"] is True
        device_entry = cic.wait("AudioPlayer.ProgressReportDelayPassed")
        assert device_entry.data["payload"]["token"] == "stream-0007"
        await came(cic, "AudioPlayer.PlayFinished")
    assert cic.findings == ()


async def test_music_is_paused_by_the_app(cic: Bench, speaker: Speaker) -> None:
    """The scenario's own cue: half a second (here) after the first progress the app presses pause."""
    async with speaker("music", hurry={"time: 5s": "time: 500ms"}, playing_pace=0.3) as device:
        await device.say_text("음악 틀어 줘")
        await device.wait_for("PlaybackController.ExpectPauseCommand", timeout=15)
        await came(cic, "PlaybackController.PauseCommandIssued")
        await device.wait_for("PlaybackController.Pause")
        await came(cic, "AudioPlayer.PlayPaused")
    assert cic.findings == ()


async def test_a_notification_comes_is_told_and_is_cleared_in_this_order(cic: Bench, speaker: Speaker) -> None:
    """7.11: nothing comes back."""
    times = {"first": "50ms", "told": "100ms", "read": "150ms"}
    async with speaker("push-notification", variables=times) as device:
        await device.wait_for("Notifier.ClearIndicator")
        assert [each.directive.full_name for each in device.directives] == [
            "Clova.Hello",
            "Notifier.SetIndicator",
            "Notifier.Notify",
            "Notifier.ClearIndicator",
        ]
        assert all(each.directive.dialog_request_id is None for each in device.directives)
    assert cic.events == ()


async def test_devices_are_controlled_by_voice_and_by_the_app(cic: Bench, speaker: Speaker) -> None:
    """7.7."""
    async with speaker("device-control") as device:
        assert names(await device.send("DeviceControl.RequestDeviceList", {})) == ["DeviceControl.RenderDeviceList"]
        answer = await device.say_text("거실 불 켜 줘")
        assert names(answer) == ["DeviceControl.TurnOn", "SpeechSynthesizer.Speak"]
        answer = await device.say_text("더 크게")
        assert names(answer) == ["DeviceControl.SetValue"]
        await came(cic, "DeviceControl.ActionExecuted")
        target = {"deviceId": "48a9a73a-6ca6-4c81-9cf2-6637564176f4"}
        assert (await device.send("DeviceControl.RequestStateSynchronization", target)).status == 204
        await device.wait_for("DeviceControl.ExpectReportState")
        await came(cic, "DeviceControl.ReportState")
    assert cic.findings == ()


async def test_a_setting_is_changed_in_the_app_and_reported(cic: Bench, speaker: Speaker) -> None:
    """7.8."""
    async with speaker("settings", hurry={"after: 1s": "after: 50ms", "after: 3s": "after: 300ms"}) as device:
        await came(cic, "Settings.Report")
        await device.wait_for("Settings.Update")
        await came(cic, "Settings.Report", count=2)
    reports = [entry for entry in cic.events if entry.name == "Settings.Report"]
    assert reports[-1].data["payload"]["configuration"]["VoiceTypeChange"] == "V002"
    assert cic.findings == ()


@pytest.mark.breaks("expect.foreign")
async def test_a_request_is_delegated_and_taken_over_without_a_dialogue(cic: Bench, speaker: Speaker) -> None:
    """7.9."""
    async with speaker("delegation") as device:
        await device.wait_for("Clova.HandleDelegatedEvent")
        speak = await device.wait_for("SpeechSynthesizer.Speak")
        assert speak.directive.dialog_request_id is None
        wrong = await device.send("Clova.ProcessDelegatedEvent", {"delegationId": "nobody's"})
        assert wrong.exception == (400, "unknown delegationId")
    assert cic.findings == ()


async def test_a_refused_token_is_401_and_a_fresh_one_is_taken(cic: Bench, speaker: Speaker) -> None:
    """7.10; the device is told to come with another token."""
    with pytest.raises(RefusedError) as caught:
        async with speaker("token-refused", token="token-refused-old"):
            pass
    assert caught.value.status == 401
    async with speaker("token-refused", token="token-refused-fresh") as device:
        assert names(await device.say_text("안녕")) == ["Clova.RenderText"]


@pytest.mark.cic(allow=["event.missing"])  # the seed's own sample lacks what the guide requires later
async def test_the_seeds_success_needs_no_downchannel_and_has_its_parts(cic: Bench, speaker: Speaker) -> None:
    """The sample of the first chapter: Speak, its sound, RenderText (tests/golden/wire/speak_render.response)."""
    speaker("seed-success")
    message = golden("recognize.request")
    tls = ssl.create_default_context(cafile=str(cic.ca_file))
    async with httpx.AsyncClient(http1=False, http2=True, verify=tls, timeout=30) as client:
        answer = await client.post(f"{cic.url}/v1/events", headers=message.headers(cic.token), content=message.body)
    assert answer.status_code == 200
    heads = [
        part.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        for part in answer.content.split(b"--" + answer.content[2:62])[1:-1]
    ]
    assert [[line.split(b":")[0] for line in head] for head in heads] == [
        [b"Content-Disposition", b"Content-Type"],
        [b"Content-Disposition", b"Content-Id", b"Content-Type"],
        [b"Content-Disposition", b"Content-Type"],
    ]


async def test_the_seeds_400_has_its_text_and_its_bare_form(cic: Bench, speaker: Speaker) -> None:
    """PROTOCOL 5.1."""
    speaker("seed-400")
    message = golden("text_recognize.request")
    tls = ssl.create_default_context(cafile=str(cic.ca_file))
    async with httpx.AsyncClient(http1=False, http2=True, verify=tls, timeout=30) as client:
        answer = await client.post(f"{cic.url}/v1/events", headers=message.headers(cic.token), content=message.body)
    assert answer.status_code == 400
    assert '{"header":{"namespace":"System","name":"Exception"' in answer.text
    assert '"description":"Could not decode multipart"' in answer.text


async def test_a_slow_server_takes_its_time_everywhere(cic: Bench, speaker: Speaker) -> None:
    """Hello after 2 s, the answer after 2 s, its sound no faster than 4 KB a second, GET /ping after 3 s."""
    began = time.perf_counter()
    async with speaker("slow") as device:
        assert time.perf_counter() - began >= 2.0
        asked = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            pong = tasks.create_task(device.ping("get"))
            answer = await device.say_text("천천히")
            took = time.perf_counter() - asked
        (sound,) = answer.directives[0].attachments.values()
        assert took >= 2.0 + len(sound) / 4000
        assert names(answer) == ["SpeechSynthesizer.Speak", "Clova.RenderText"]
        assert pong.result() >= 3.0
    assert cic.findings == ()


async def test_the_built_in_scenario_answers_both_ways_of_asking(cic: Bench) -> None:
    """Hello, StopCapture after a second, Speak with sound and RenderText; 204 for the rest."""
    async with Device(cic.url, ca_file=cic.ca_file, token=cic.token, pace=0.1, playing_pace=0.0) as device:
        for answer in (await device.say_text("안녕"), await device.say(20 * tone(300, 3.0))):
            assert names(answer) == ["SpeechSynthesizer.Speak", "Clova.RenderText"]
            assert next(iter(answer.directives[0].attachments.values()))
        await device.wait_for("SpeechRecognizer.StopCapture")
        assert names(await device.send("Alerts.RequestSynchronizeAlert", {})) == ["Alerts.SynchronizeAlert"]
        assert (await device.send("TemplateRuntime.RequestPlayerInfo", {"token": "t", "range": {}})).status == 204
        await device.idle(timeout=30)
    assert cic.findings == ()


async def test_a_token_lives_is_refreshed_and_is_taken_back(cic: Bench) -> None:
    """Code, token, 401 after its hour, one refresh that fails and one that does not, the end (6, 7.10)."""
    cic.load(SCENARIOS / "token-life.yaml")
    device = cic.device(device_id="token-life-1", client_id="acme", model_id="one")
    whose = {"client_id": "acme", "client_secret": "acme-secret", "device_id": "token-life-1", "model_id": "one"}
    tls = ssl.create_default_context(cafile=str(cic.ca_file))
    async with httpx.AsyncClient(base_url=cic.auth_url, verify=tls, http2=True, timeout=30) as client:

        async def token(grant: str, **more: str) -> httpx.Response:
            return await client.post(f"/token?grant_type={grant}", data={**whose, **more})

        asked = {**whose, "response_type": "code", "state": "s"}
        bearer = {"authorization": "Bearer account-of-a-user"}
        code = (await client.get("/authorize", params=asked, headers=bearer)).json()["code"]
        first = (await token("authorization_code", code=code)).json()
        assert first["expires_in"] == 3600
        async with Device(cic.url, ca_file=cic.ca_file, token=first["access_token"], pace=0.0) as speaker:
            assert names(await speaker.say_text("안녕")) == ["Clova.RenderText"]
            assert (await cic.advance_async("1h")).expired == 1
            assert (await speaker.say_text("안녕")).status == 401
        assert (await token("refresh_token", refresh_token=first["refresh_token"])).status_code == 500
        second = (await token("refresh_token", refresh_token=first["refresh_token"])).json()
        assert second["expires_in"] == 7200
        async with Device(cic.url, ca_file=cic.ca_file, token=second["access_token"], pace=0.0) as speaker:
            assert names(await speaker.say_text("안녕")) == ["Clova.RenderText"]
            device.revoke_token()
            await cic.wait_async("downchannel name=closed reason~revoked")
        assert (await token("refresh_token", refresh_token=second["refresh_token"])).status_code == 400
    assert {entry.device for entry in cic.events} == {device.name}
    assert len(cic.find("token name=event-401")) == 1
    secrets = (code, first["access_token"], first["refresh_token"], second["access_token"], "account-of-a-user")
    assert not any(secret in entry.text() for entry in cic.journal for secret in secrets)
