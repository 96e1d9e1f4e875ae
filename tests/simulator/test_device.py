"""The simulated device against the mock, and against a server that misbehaves."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from mockcic.errors import StartError
from mockcic.mock import Bench
from mockcic.simulator import moments
from mockcic.simulator.client import ConnectionLostError, StreamResetError
from mockcic.simulator.device import Device, RefusedError
from mockcic.simulator.moments import Moment
from mockcic.sound import make
from tests.support.h2_peer import Peer, peer_serving

pytestmark = pytest.mark.cic(fail_on="findings")  # the scenarios here have no rules for what the device reports

TEXT = "TextRecognizer.Recognize"
SPEECH = "SpeechRecognizer.Recognize"
QUESTION = """
on:
  - event: TextRecognizer.Recognize
    when: {payload.speechId: {present: true}}
    reply: [Clova.RenderText: {text: thanks}]
  - event: TextRecognizer.Recognize
    reply:
      - SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 몇 시에요, audio: {silence: 1s}}
      - SpeechRecognizer.ExpectSpeech: {expectSpeechId: e1, explicit: true, timeoutInMilliseconds: 6000}
"""
SPOKEN = """
on:
  - event: TextRecognizer.Recognize
    reply: [SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 네, audio: {silence: 5s}}]
"""


@pytest.fixture(autouse=True)
async def _no_task_is_left() -> AsyncIterator[None]:
    """Every task has an owner that ends it."""
    yield
    assert asyncio.all_tasks() <= {asyncio.current_task()}


@asynccontextmanager
async def living(cic: Bench, scenario: str | None = None, **options: Any) -> AsyncIterator[Device]:
    """A device of this test in a scenario, as fast as possible."""
    if scenario is not None:
        cic.load(f"scenario: test\n{scenario}", strict=True)
    token = cic.device().token
    assert cic.h2c_url is not None
    async with asyncio.timeout(60), Device(cic.h2c_url, token=token, **{"pace": 0.0, **options}) as device:
        yield device


def names(cic: Bench) -> list[str]:
    return [entry.name for entry in cic.events]


# ---------------------------------------------------------------------- connection and downchannel


async def test_a_text_is_said_and_answered_over_tls_without_a_finding(cic: Bench) -> None:
    """PROTOCOL 7.2, in the strict profile of 2021: the simulated device keeps to the documents."""
    cic.load("scenario: test\non:\n  - event: '*'\n    reply: [Clova.RenderText: {text: 안녕}]", strict=True)
    async with Device(cic.url, ca_file=cic.ca_file, token=cic.token, pace=0.0) as device:
        answer = await device.say_text("안녕")
        assert answer.status == 200
        assert [each.directive.full_name for each in answer.directives] == ["Clova.RenderText"]
        assert answer.headers["content-type"].startswith("multipart/related")
        await device.say(make.tone(440, 0.3))
    assert names(cic) == [TEXT, SPEECH]
    assert cic.findings == ()


async def test_no_event_is_sent_before_hello_was_parsed(cic: Bench) -> None:
    """PROTOCOL 2.1."""
    async with living(cic, "settings: {hello: {after: 100ms}}") as device:
        await device.say_text("안녕")
    kinds = [entry.name for entry in cic.journal if entry.kind in ("event", "directive")]
    assert kinds == ["Clova.Hello", TEXT]


async def test_without_hello_entering_fails_unless_the_device_does_not_wait(cic: Bench) -> None:
    """PROTOCOL 8, row 8."""
    never = "settings: {hello: never}"
    with pytest.raises(TimeoutError, match=r"no Clova\.Hello within 0\.05 s"):
        async with living(cic, never, hello_within_s=0.05):
            pass
    async with living(cic, never, wait_for_hello=False) as device:
        assert (await device.say_text("안녕")).status == 204


async def test_a_refused_token_is_told_when_entering(cic: Bench) -> None:
    """PROTOCOL 1.4: 401 to the downchannel."""
    seen: list[Moment] = []
    with pytest.raises(RefusedError) as caught:
        async with living(cic, "tokens: {refuse: ['*']}", on_moment=seen.append):
            pass
    assert caught.value.status == 401
    assert caught.value.description
    assert isinstance(seen[-1], moments.Refused)


async def test_no_server_is_told_when_entering() -> None:
    """One sentence for the operator."""
    with pytest.raises(StartError, match="connection refused"):
        async with Device("https://127.0.0.1:1"):
            pass


async def test_a_downchannel_that_ends_is_opened_again(cic: Bench) -> None:
    """PROTOCOL 2.1, 5."""
    lifetime = "settings: {downchannel_lifetime: 50ms, downchannel_window: off}"
    seen: list[Moment] = []
    async with living(cic, lifetime, reopen_after_s=0.0, on_moment=seen.append) as device:
        await device.wait_for("Clova.Hello", count=3)
    assert sum(isinstance(moment, moments.Lost) and moment.what == "downchannel" for moment in seen) >= 2
    assert sum(isinstance(moment, moments.Connected) for moment in seen) == 1


async def test_a_lost_connection_is_made_again_and_events_wait_for_it(cic: Bench) -> None:
    """PROTOCOL 2.6."""
    async with living(cic, "settings: {downchannel_window: off}", reopen_after_s=0.0) as device:
        device.drop_connection()
        assert (await device.say_text("안녕")).status == 204
        assert len(device.directives) == 2


async def test_a_downchannel_refused_with_429_is_asked_for_again() -> None:
    """PROTOCOL 2.2: DEV waits a second and tries again."""

    async def act(peer: Peer) -> None:
        await peer.request(1)
        peer.answer(1, 429, end=True)
        await peer.request(3)
        hello(peer, 3)

    seen: list[Moment] = []
    async with peer_serving(act) as url, Device(url, reopen_after_s=0.0, on_moment=seen.append):
        pass
    assert [moment.status for moment in seen if isinstance(moment, moments.Refused)] == [429]


async def test_the_request_for_the_downchannel_carries_token_and_user_agent() -> None:
    """PROTOCOL 1.2, 1.3."""
    headers: dict[str, str] = {}

    async def act(peer: Peer) -> None:
        headers.update((await peer.request(1)).headers)
        hello(peer, 1)

    async with peer_serving(act) as url, Device(url, token="t-1", headers=[("x-clova-device-tags", "a,b")]):
        pass
    assert headers["authorization"] == "Bearer t-1"
    assert headers["user-agent"] == "MockMaker/SimDevice/0.1.0 (Linux 6.1;sim)"
    assert headers["x-clova-device-tags"] == "a,b"


async def test_goaway_makes_the_device_connect_anew_once_its_events_are_answered() -> None:
    """PROTOCOL 2.6; DEVICES C9."""
    connections: list[Peer] = []

    async def act(peer: Peer) -> None:
        connections.append(peer)
        await peer.request(1)
        hello(peer, 1)
        if len(connections) == 1:
            await peer.request(3)
            peer.go_away()
            peer.answer(3, 204, end=True)

    async with peer_serving(act) as url, Device(url, reopen_after_s=0.0) as device:
        assert (await device.say_text("안녕")).status == 204
        await device.wait_for("Clova.Hello", count=2)
    assert len(connections) == 2


async def test_events_wait_for_the_hello_of_a_new_downchannel() -> None:
    """PROTOCOL 2.1: also on a connection that lives on."""
    before_hello: list[str] = []

    async def act(peer: Peer) -> None:
        await peer.request(1)
        hello(peer, 1)
        peer.data(1, b"--\r\n", end=True)
        await peer.request(3)
        for _ in range(3):
            await peer.ping()
        before_hello.extend(request.headers[":path"] for request in peer.requests.values())
        hello(peer, 3)
        await peer.request(5)
        peer.answer(5, 204, end=True)

    def notice(moment: Moment) -> None:
        if isinstance(moment, moments.Lost) and moment.what == "downchannel":
            lost.set()

    lost = asyncio.Event()
    async with peer_serving(act) as url, Device(url, reopen_after_s=0.0, pace=0.0, on_moment=notice) as device:
        await lost.wait()
        assert (await device.say_text("안녕")).status == 204
    assert before_hello == ["/v1/directives", "/v1/directives"]


async def test_settling_asks_for_alerts_and_settings_after_hello(cic: Bench) -> None:
    """PROTOCOL 7.1."""
    async with living(cic, "about: nothing", settle=True) as device:
        await device.idle()
    assert names(cic) == ["Alerts.RequestSynchronizeAlert", "Settings.RequestVersionSpec"]


# ---------------------------------------------------------------------- keep-alive


@pytest.mark.parametrize("kind", ["frame", "get"])
async def test_the_device_pings_as_often_as_told(cic: Bench, kind: str) -> None:
    """PROTOCOL 2.4."""
    seen: list[Moment] = []
    async with living(cic, ping=kind, ping_every_s=0.02, on_moment=seen.append) as device:
        await until(device, lambda: sum(isinstance(moment, moments.Pinged) for moment in seen) >= 2)
        assert await device.ping() >= 0
    assert {moment.kind for moment in seen if isinstance(moment, moments.Pinged)} == {kind}


async def test_a_ping_without_answer_makes_the_device_connect_anew(cic: Bench) -> None:
    """PROTOCOL 2.4: at once."""
    how: dict[str, Any] = {"ping": "get", "ping_every_s": 0.02, "ping_within_s": 0.05, "reopen_after_s": 0.0}
    async with living(cic, "settings: {ping: never, downchannel_window: off}", **how) as device:
        await device.wait_for("Clova.Hello", count=2)


# ---------------------------------------------------------------------- events


async def test_sound_is_sent_until_stop_capture(cic: Bench) -> None:
    """PROTOCOL 3.4: the upload ends properly at once."""
    seen: list[Moment] = []
    async with living(cic, "settings: {stop_capture: {audio: 1s}}", pace=0.05, on_moment=seen.append) as device:
        assert (await device.say(make.silence(300.0))).status == 204
        stop = await device.wait_for("SpeechRecognizer.StopCapture")
        assert stop.directive.dialog_request_id == device.dialogue
    ended = next(moment for moment in seen if isinstance(moment, moments.UploadEnded))
    assert ended.stopped
    assert 1.0 <= ended.seconds < 300
    assert cic.findings == ()


async def test_sound_is_sent_to_its_end_byte_by_byte(cic: Bench) -> None:
    """PROTOCOL 3.1: what arrives is what was recorded."""
    sound = make.tone(440, 1.23)
    digest = hashlib.sha256(sound).hexdigest()
    scenario = f"""
settings: {{stop_capture: never}}
on:
  - event: SpeechRecognizer.Recognize
    when: {{audio.sha256: {digest}}}
    reply: [Clova.RenderText: {{text: heard}}]
"""
    async with living(cic, scenario) as device:
        assert (await device.say(sound)).status == 200
    assert cic.findings == ()


async def test_the_microphone_takes_as_long_as_the_sound(cic: Bench) -> None:
    """PROTOCOL 3.3: a block every 200 ms, here ten times as fast."""
    loop = asyncio.get_running_loop()
    async with living(cic, "settings: {stop_capture: never}", pace=0.1) as device:
        began = loop.time()
        await device.say(make.silence(2.0))
        assert loop.time() - began >= 0.2


async def test_an_answer_before_the_end_of_the_upload_ends_the_recording(cic: Bench) -> None:
    """PROTOCOL 3.4: legal, and fast devices meet it."""
    scenario = """
on:
  - event: SpeechRecognizer.Recognize
    while_uploading: [{after: {audio: 400ms}, answer: now}]
    reply: [Clova.RenderText: {text: early}]
"""
    seen: list[Moment] = []
    async with living(cic, scenario, pace=0.05, on_moment=seen.append) as device:
        answer = await device.say(make.silence(300.0))
    assert [each.directive.payload for each in answer.directives] == [{"text": "early"}]
    assert next(moment for moment in seen if isinstance(moment, moments.UploadEnded)).seconds < 300


async def test_each_utterance_is_a_new_dialogue(cic: Bench) -> None:
    """PROTOCOL 3.6, 1."""
    async with living(cic) as device:
        await device.say_text("하나", follow_up=False)
        first = device.dialogue
        await device.say_text("둘", follow_up=False)
        assert first != device.dialogue


async def test_a_question_is_answered_after_it_was_played_in_its_own_dialogue(cic: Bench) -> None:
    """PROTOCOL 7.3: the same dialogRequestId, speechId and explicit."""
    async with living(cic, QUESTION) as device:
        await device.say_text("알람 맞춰줘")
        first = device.dialogue
        answer = await device.say_text("일곱 시")
        assert [each.directive.payload for each in answer.directives] == [{"text": "thanks"}]
        assert device.dialogue == first
    assert names(cic) == [TEXT, "SpeechSynthesizer.SpeechStarted", "SpeechSynthesizer.SpeechFinished", TEXT]
    assert cic.events[-1].data["payload"] == {"text": "일곱 시", "speechId": "e1", "explicit": True}
    assert cic.events[-1].dialogue == cic.events[0].dialogue


async def test_a_question_can_be_ignored_and_is_forgotten_then(cic: Bench) -> None:
    """PROTOCOL 7.3, 5."""
    async with living(cic, QUESTION) as device:
        await device.say_text("알람 맞춰줘")
        await device.say_text("아니야", follow_up=False)
        assert "speechId" not in cic.events[-1].data["payload"]
    async with living(cic, "about: no question") as device:
        with pytest.raises(ValueError, match="no ExpectSpeech"):
            await device.say_text("네", follow_up=True)


@pytest.mark.cic(allow=["event.unknown"])
async def test_any_event_can_be_sent(cic: Bench) -> None:
    """Also one the catalogue does not know."""
    async with living(cic) as device:
        assert (await device.send("Settings.Report", {"configuration": {"a": "b"}})).status == 204
        assert (await device.send("Mock.Unknown")).status == 204
        with pytest.raises(ValueError, match="no name of an event"):
            await device.send("Recognize")
    assert cic.events[0].data["payload"] == {"configuration": {"a": "b"}}


async def test_an_exception_comes_with_its_code_and_description(cic: Bench) -> None:
    """PROTOCOL 5."""
    refusal = "on: [{event: '*', exception: {code: 503, description: busy}}]"
    seen: list[Moment] = []
    async with living(cic, refusal, on_moment=seen.append) as device:
        answer = await device.say_text("안녕")
    assert (answer.status, answer.exception, answer.directives) == (503, (503, "busy"), ())
    refused = next(moment for moment in seen if isinstance(moment, moments.Refused))
    assert (refused.what, refused.status, refused.description) == (TEXT, 503, "busy")


async def test_an_answer_that_breaks_off_is_raised_and_the_device_lives_on() -> None:
    """PROTOCOL 4.6: the only signal is the stream reset."""

    async def act(peer: Peer) -> None:
        await peer.request(1)
        hello(peer, 1)
        await peer.request(3)
        peer.answer(3, 200, ("content-type", "multipart/related; boundary=B;"))
        peer.data(3, b"--B\r\nContent-")
        peer.reset(3, 2)
        await peer.request(5)
        peer.answer(5, 204, end=True)

    async with peer_serving(act) as url, Device(url, pace=0.0) as device:
        with pytest.raises(StreamResetError):
            await device.say_text("하나")
        assert (await device.say_text("둘")).status == 204


async def test_an_event_without_answer_is_given_up_after_its_time() -> None:
    """INF: a minute unless told otherwise; the stream is reset."""
    resets: list[int] = []

    async def act(peer: Peer) -> None:
        await peer.request(1)
        hello(peer, 1)
        await peer.until(lambda peer: peer.resets)
        resets.extend(peer.resets)

    async with peer_serving(act) as url, Device(url) as device:
        with pytest.raises(TimeoutError, match=r"no answer to TextRecognizer\.Recognize within 0\.05 s"):
            await device.say_text("안녕", timeout=0.05)
        await device.ping()
    assert resets == [3]


# ---------------------------------------------------------------------- directives


async def test_speech_is_played_and_reported(cic: Bench) -> None:
    """PROTOCOL 7.2: the token of the directive."""
    async with living(cic, SPOKEN) as device:
        answer = await device.say_text("안녕")
        await device.idle()
    token = answer.directives[0].directive.payload["token"]
    reports = [(entry.name, entry.data["payload"]) for entry in cic.events[1:]]
    assert reports == [(f"SpeechSynthesizer.Speech{what}", {"token": token}) for what in ("Started", "Finished")]
    (sound,) = answer.directives[0].attachments.values()
    assert sound == make.mp3(make.silence(5.0))


async def test_speech_takes_as_long_as_its_sound(cic: Bench) -> None:
    """By the headers of its frames; here twenty times as fast."""
    seen: list[Moment] = []
    async with living(cic, SPOKEN, playing_pace=0.05, on_moment=seen.append) as device:
        await device.say_text("안녕")
        await device.idle()
    started, finished = (moment.at_s for moment in seen if isinstance(moment, moments.EventSent) and _is_report(moment))
    assert finished - started >= 0.25


async def test_a_new_utterance_stops_the_speech_of_the_old_one(cic: Bench) -> None:
    """PROTOCOL 3.6, 3."""
    async with living(cic, SPOKEN, playing_pace=1.0) as device:
        await device.say_text("하나")
        await cic.wait_async("SpeechSynthesizer.SpeechStarted")
        await device.say_text("둘")
        await cic.wait_async("SpeechSynthesizer.SpeechStopped")


async def test_a_directive_of_another_dialogue_is_dropped_with_its_sound(cic: Bench) -> None:
    """PROTOCOL 3.6, 4."""
    stale = """
on:
  - event: TextRecognizer.Recognize
    reply:
      - SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 어제, audio: {silence: 1s}}
        dialogRequestId: yesterday
      - Clova.RenderText: {text: 오늘}
"""
    async with living(cic, stale) as device:
        answer = await device.say_text("안녕")
        await device.idle()
    assert [each.obeyed for each in answer.directives] == [False, True]
    assert names(cic) == [TEXT]


@pytest.mark.parametrize(
    ("directive", "payload", "event"),
    [
        ("DeviceControl.ExpectReportState", {}, "DeviceControl.ReportState"),
        ("DeviceControl.TurnOn", {"target": "flashlight"}, "DeviceControl.ActionExecuted"),
        ("Settings.ExpectReport", {}, "Settings.Report"),
        ("Clova.HandleDelegatedEvent", {"delegationId": "g"}, "Clova.ProcessDelegatedEvent"),
        ("AudioPlayer.ExpectReportPlaybackState", {}, "AudioPlayer.ReportPlaybackState"),
        ("PlaybackController.ExpectPauseCommand", {}, "PlaybackController.PauseCommandIssued"),
        (
            "SpeechSynthesizer.Speak",
            {"ttsLang": "ko", "audio": {"silence": "100ms"}},
            "SpeechSynthesizer.SpeechFinished",
        ),
    ],
)
async def test_a_push_is_obeyed_at_once(cic: Bench, directive: str, payload: dict[str, Any], event: str) -> None:
    """PROTOCOL 3.6, 4.: without a dialogue id."""
    async with living(cic) as device:
        cic.push(directive, payload)
        await cic.wait_async(event)
        assert [each.directive.full_name for each in device.directives] == ["Clova.Hello", directive]
    assert cic.findings == ()


async def test_music_pauses_goes_on_and_stops_by_pushes(cic: Bench) -> None:
    """PROTOCOL 7.5, in real time."""
    stream = {"token": "s", "url": "https://x.test/1", "urlPlayable": True, "beginAtInMilliseconds": 0}
    item = {"audioItemId": "i", "type": "m", "titleText": "t", "titleSubText1": "a", "stream": stream}
    play = {"audioItem": item, "playBehavior": "REPLACE_ALL", "source": {"name": "Mock"}}
    async with living(cic, playing_pace=1.0) as device:
        for directive, payload, event in (
            ("AudioPlayer.Play", play, "PlayStarted"),
            ("PlaybackController.Pause", {}, "PlayPaused"),
            ("PlaybackController.Resume", {}, "PlayResumed"),
            ("PlaybackController.Stop", {}, "PlayStopped"),
        ):
            cic.push(directive, payload)
            await cic.wait_async(f"AudioPlayer.{event}")
            await device.idle()
    assert cic.findings == ()


async def test_an_alert_rings_and_is_stopped_by_pushes(cic: Bench) -> None:
    """PROTOCOL 7.6; its time is scaled away."""
    alarm = {"type": "ALARM", "token": "a1", "scheduledTime": "2999-01-01T00:00:00+09:00"}
    async with living(cic):
        cic.push("Alerts.SetAlert", alarm)
        await cic.wait_async("Alerts.AlertStarted")
        cic.push("Alerts.StopAlert", {"type": "ALARM", "token": "a1"})
        await cic.wait_async("Alerts.AlertStopped")
    assert names(cic) == ["Alerts.SetAlertSucceeded", "Alerts.AlertStarted", "Alerts.AlertStopped"]


async def test_a_closing_delimiter_behind_each_push_is_understood(cic: Bench) -> None:
    """DEVICES R6."""
    async with living(cic, "settings: {downchannel_delimiter: close}") as device:
        cic.push("Clova.RenderText", {"text": "하나"})
        await device.wait_for("Clova.RenderText")


# ---------------------------------------------------------------------- watching


async def test_waiting_says_what_came_instead(cic: Bench) -> None:
    """So that a red test explains itself."""
    async with living(cic) as device:
        with pytest.raises(TimeoutError, match=r"waited 0\.01 s for Clova\.Help 2 times; what came: Clova\.Hello"):
            await device.wait_for("Clova.Help", timeout=0.01, count=2)
        assert (await device.wait_for("*.Hello")).directive.name == "Hello"


async def test_moments_come_in_order_with_their_times_and_cannot_be_changed(cic: Bench) -> None:
    """What the command line prints."""
    seen: list[Moment] = []
    async with living(cic, on_moment=seen.append, playing_pace=1.0) as device:
        await device.say_text("안녕")
        kinds = [type(moment).__name__ for moment in seen[:5]]
    assert kinds == ["Connected", "DownchannelOpened", "DirectiveCame", "EventSent", "DirectiveCame"]
    assert [moment.at_s for moment in seen] == sorted(moment.at_s for moment in seen)
    with pytest.raises(FrozenInstanceError):
        seen[0].at_s = 0.0  # type: ignore[misc]


# ---------------------------------------------------------------------- the end


async def test_an_error_of_the_block_is_raised_as_it_is(cic: Bench) -> None:
    """Not in a group, whatever runs at that time."""

    async def live() -> None:
        async with living(cic, SPOKEN, playing_pace=1.0) as device:
            await device.say_text("안녕")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await live()


async def test_a_device_that_is_cancelled_ends_all_it_does(cic: Bench) -> None:
    """Cancellation is an ordinary path."""
    speaking = asyncio.Event()

    async def live() -> None:
        async with living(cic, "settings: {stop_capture: never}", pace=1.0, on_moment=notice) as device:
            await device.say(make.silence(60.0))

    def notice(moment: Moment) -> None:
        if isinstance(moment, moments.EventSent):
            speaking.set()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(live())
        await speaking.wait()
        task.cancel()
    assert task.cancelled()


async def test_a_device_that_was_left_says_so(cic: Bench) -> None:
    """Instead of waiting for ever."""
    async with living(cic) as device:
        pass
    with pytest.raises(ConnectionLostError, match="switched off"):
        await device.say_text("안녕")
    with pytest.raises(ConnectionLostError, match="switched off"):
        await Device("http://127.0.0.1:1").ping()


async def test_who_waits_for_the_line_learns_that_the_device_was_left(cic: Bench) -> None:
    """A drop without a new connection, and an event that waits for one."""
    async with asyncio.TaskGroup() as tasks, living(cic, reopen_after_s=60.0) as device:
        device.drop_connection()
        waiting = tasks.create_task(saying(device))
        await asyncio.sleep(0)
    assert await waiting == "the device is switched off; use it inside its `async with` block"


async def saying(device: Device) -> str:
    """Why nothing could be said."""
    try:
        await device.say_text("안녕", timeout=5.0)
    except ConnectionLostError as error:
        return str(error)
    return ""


# ---------------------------------------------------------------------- helpers


def hello(peer: Peer, stream_id: int) -> None:
    """Open the downchannel as PROTOCOL 2.1 has it."""
    header = {"namespace": "Clova", "name": "Hello", "messageId": "m"}
    text = json.dumps({"directive": {"header": header, "payload": {}}}).encode()
    peer.answer(stream_id, 200, ("content-type", "multipart/related; boundary=B;"))
    peer.data(stream_id, b"--B\r\nContent-Type: application/json; charset=utf-8\r\n\r\n" + text + b"\r\n--B\r\n")


async def until(device: Device, fits: Any) -> None:
    """Pings wake nobody: look again with each of them."""
    while not fits():
        await device.ping()


def _is_report(moment: moments.EventSent) -> bool:
    return moment.event.namespace == "SpeechSynthesizer"
