"""What the device does about directives, looked at as steps: no socket, no clock."""

from __future__ import annotations

from typing import Any

import pytest

from mockcic.cic.catalogue import catalogue
from mockcic.simulator.reactions import IN_DIALOGUE, REACTIONS, Begin, Cut, CutOff, Report, Step, Wait, settle
from mockcic.simulator.state import State
from mockcic.sound import make, mp3
from tests.support.simulator import FOREVER, NOON, begun, came, react, until_wait, walk

STREAM: dict[str, Any] = {
    "beginAtInMilliseconds": 0,
    "durationInMilliseconds": 10_000,
    "token": "strm-1",
    "url": "https://media.example.test/1.mp3",
    "urlPlayable": True,
}
ALARM = {"token": "a1", "type": "ALARM", "scheduledTime": "2026-03-02T12:01:30+00:00"}


def play(**stream: Any) -> dict[str, Any]:
    item = {"audioItemId": "item-1", "type": "mock", "stream": STREAM | stream}
    return {"audioItem": item, "playBehavior": "REPLACE_ALL", "source": {"name": "Mock"}}


def position(name: str, ms: int) -> Report:
    return Report(f"AudioPlayer.{name}", {"token": "strm-1", "offsetInMilliseconds": ms})


@pytest.fixture
def state() -> State:
    return State()


# ---------------------------------------------------------------------- speech


def test_speech_is_reported_begun_and_finished_with_the_playing_time_of_its_sound_between(state: State) -> None:
    """PROTOCOL 7.2; the token is that of the directive."""
    sound = make.mp3(make.tone(440, 1.0))
    steps = react(state, "SpeechSynthesizer.Speak", {"token": "t1", "url": "cid:x"}, attachments={"x": sound})
    started, finished = (Report(f"SpeechSynthesizer.Speech{what}", {"token": "t1"}) for what in ("Started", "Finished"))
    assert steps == [started, Wait(mp3.seconds(sound)), finished]
    assert (state.speech_token, state.speech_activity) == ("t1", "FINISHED")


def test_speech_cut_short_is_reported_stopped(state: State) -> None:
    """PROTOCOL 7.2: SpeechStopped when interrupted."""
    script = REACTIONS["SpeechSynthesizer.Speak"](state, came("SpeechSynthesizer.Speak", {"token": "t1"}), NOON)
    until_wait(script)
    assert until_wait(script, Cut("new dialogue", 0.5)) == [Report("SpeechSynthesizer.SpeechStopped", {"token": "t1"})]
    assert state.speech_activity == "STOPPED"


def test_silence_before_speech_is_kept(state: State) -> None:
    """`x-clova-pause-before` of the catalogue, in milliseconds."""
    steps = react(state, "SpeechSynthesizer.Speak", {"token": "t1", "x-clova-pause-before": 1500})
    assert steps[0] == Wait(1.5)


def test_a_question_opens_the_microphone_and_reports_nothing(state: State) -> None:
    """PROTOCOL 7.3."""
    asked = {"expectSpeechId": "e1", "explicit": True, "timeoutInMilliseconds": 6000}
    assert react(state, "SpeechRecognizer.ExpectSpeech", asked) == []
    assert state.expected_speech == asked


# ---------------------------------------------------------------------- music


def test_music_is_reported_as_its_progress_report_asks(state: State) -> None:
    """PROTOCOL 7.5: once after the delay, at each interval, on passing the position; the end is PlayFinished."""
    wanted = {
        "progressReportDelayInMilliseconds": 1000,
        "progressReportIntervalInMilliseconds": 4000,
        "progressReportPositionInMilliseconds": 5000,
    }
    assert react(state, "AudioPlayer.Play", play(progressReport=wanted)) == [
        CutOff("player", "replaced"),
        position("PlayStarted", 0),
        Wait(1.0),
        position("ProgressReportDelayPassed", 1000),
        Wait(3.0),
        position("ProgressReportIntervalPassed", 4000),
        Wait(1.0),
        position("ProgressReportPositionPassed", 5000),
        Wait(3.0),
        position("ProgressReportIntervalPassed", 8000),
        Wait(2.0),
        position("PlayFinished", 10_000),
    ]


def test_two_reports_due_at_once_are_both_sent(state: State) -> None:
    """PROTOCOL 7.5."""
    wanted = {"progressReportDelayInMilliseconds": 5000, "progressReportPositionInMilliseconds": 5000}
    steps = react(state, "AudioPlayer.Play", play(progressReport=wanted))
    assert steps[3:5] == [position("ProgressReportDelayPassed", 5000), position("ProgressReportPositionPassed", 5000)]


def test_music_begins_where_its_stream_says(state: State) -> None:
    """`durationInMilliseconds` counts from `beginAtInMilliseconds` (catalogue)."""
    steps = react(state, "AudioPlayer.Play", play(beginAtInMilliseconds=2000))
    assert steps[1:] == [position("PlayStarted", 2000), Wait(10.0), position("PlayFinished", 12_000)]


def test_a_radio_plays_until_somebody_stops_it(state: State) -> None:
    """Without a duration nothing says when it ends."""
    assert react(state, "AudioPlayer.Play", play(durationInMilliseconds=None))[-1] == FOREVER


def test_music_enqueued_leaves_what_plays_alone(state: State) -> None:
    """`playBehavior` of the catalogue."""
    steps = list(REACTIONS["AudioPlayer.Play"](state, came("x.y", play() | {"playBehavior": "ENQUEUE"}), NOON))
    assert [type(step) for step in steps] == [Begin]


def test_an_item_without_an_address_is_asked_for_and_what_comes_is_merged(state: State) -> None:
    """PROTOCOL 7.5: StreamRequested with the stream unchanged; members that are not null win."""
    stream = STREAM | {"url": "clova:1", "urlPlayable": False}
    steps = react(state, "AudioPlayer.Play", play(url="clova:1", urlPlayable=False))
    assert steps[1:] == [Report("AudioPlayer.StreamRequested", {"audioItemId": "item-1", "audioStream": stream})]
    delivered = {"url": "https://media.example.test/2.mp3", "urlPlayable": True, "durationInMilliseconds": None}
    steps = react(state, "AudioPlayer.StreamDeliver", {"audioItemId": "item-1", "audioStream": delivered})
    assert steps == [position("PlayStarted", 0), Wait(10.0), position("PlayFinished", 10_000)]
    assert state.player.stream["url"] == "https://media.example.test/2.mp3"


def test_music_pauses_goes_on_and_stops_where_it_is(state: State) -> None:
    """PROTOCOL 7.5, 6.: each report carries the position."""
    script = begun(state, "AudioPlayer.Play", play())
    assert until_wait(script) == [position("PlayStarted", 0), Wait(10.0)]
    assert react(state, "PlaybackController.Pause") == [CutOff("player", "paused", forget=False)]
    assert until_wait(script, Cut("paused", 2.5)) == [position("PlayPaused", 2500), FOREVER]
    assert state.player.activity == "PAUSED"
    assert react(state, "PlaybackController.Resume") == [CutOff("player", "resumed", forget=False)]
    assert until_wait(script, Cut("resumed", 60.0)) == [position("PlayResumed", 2500), Wait(7.5)]
    assert react(state, "PlaybackController.Stop") == [CutOff("player", "stopped")]
    assert until_wait(script, Cut("stopped", 1.0)) == [position("PlayStopped", 3500)]
    assert state.player.activity == "STOPPED"


def test_music_that_is_paused_can_be_stopped(state: State) -> None:
    """PROTOCOL 7.5."""
    script = begun(state, "AudioPlayer.Play", play())
    until_wait(script)
    until_wait(script, Cut("paused", 2.0))
    assert until_wait(script, Cut("stopped", 9.0)) == [position("PlayStopped", 2000)]


@pytest.mark.parametrize("name", ["PlaybackController.Pause", "PlaybackController.Resume"])
def test_pause_and_resume_do_nothing_where_nothing_plays(state: State, name: str) -> None:
    """INF."""
    assert react(state, name) == []


def test_the_queue_is_cleared_and_that_is_reported(state: State) -> None:
    """`expects` of AudioPlayer.ClearQueue in the catalogue."""
    cleared = Report("AudioPlayer.PlaybackQueueCleared", {"clearBehavior": "CLEAR_ALL"})
    assert react(state, "AudioPlayer.ClearQueue", {"clearBehavior": "CLEAR_ALL"}) == [
        CutOff("player", "stopped"),
        cleared,
    ]


@pytest.mark.parametrize("command", ["Next", "Pause", "Play", "Previous", "Resume", "Stop"])
def test_a_remote_button_is_pressed_with_the_target_as_its_source(state: State, command: str) -> None:
    """PROTOCOL 7.5, 6.; the catalogue's note on `target`."""
    steps = react(state, f"PlaybackController.Expect{command}Command", {"target": {"namespace": "AudioPlayer"}})
    assert steps == [Report(f"PlaybackController.{command}CommandIssued", {"source": {"namespace": "AudioPlayer"}})]


# ---------------------------------------------------------------------- alerts


def test_an_alert_is_stored_and_rings_when_its_time_comes(state: State) -> None:
    """PROTOCOL 7.6; from then on it is among the active ones."""
    assert react(state, "Alerts.SetAlert", ALARM) == [
        CutOff("alert a1", "changed"),
        Report("Alerts.SetAlertSucceeded", {"token": "a1", "type": "ALARM"}),
        Wait(90.0, idle=True),
        Report("Alerts.AlertStarted", {"token": "a1", "type": "ALARM"}),
        FOREVER,
    ]
    assert state.alerts["a1"].is_ringing


def test_an_alert_that_rings_is_stopped_and_that_is_reported(state: State) -> None:
    """PROTOCOL 7.6."""
    script = begun(state, "Alerts.SetAlert", ALARM)
    until_wait(script)
    until_wait(script)
    assert react(state, "Alerts.StopAlert", ALARM) == [CutOff("alert a1", "stopped")]
    reported = [Report("Alerts.AlertStopped", {"token": "a1", "type": "ALARM"})]
    assert until_wait(script, Cut("stopped", 1.0)) == reported
    assert not state.alerts["a1"].is_ringing


def test_an_alert_is_deleted_or_cannot_be(state: State) -> None:
    """PROTOCOL 7.6."""
    until_wait(begun(state, "Alerts.SetAlert", ALARM))
    reference = {"token": "a1", "type": "ALARM"}
    deleted = Report("Alerts.DeleteAlertSucceeded", reference)
    assert react(state, "Alerts.DeleteAlert", reference) == [CutOff("alert a1", "deleted"), deleted]
    assert react(state, "Alerts.DeleteAlert", reference) == [Report("Alerts.DeleteAlertFailed", reference)]


def test_an_alert_that_rings_is_silent_before_it_is_deleted(state: State) -> None:
    """Or contexts would contradict what was reported: it would ring no more, and AlertStopped never came."""
    script = begun(state, "Alerts.SetAlert", ALARM)
    until_wait(script)
    until_wait(script)
    reports = [each for each in react(state, "Alerts.DeleteAlert", ALARM) if isinstance(each, Report)]
    assert [each.name for each in reports] == ["Alerts.AlertStopped", "Alerts.DeleteAlertSucceeded"]


def test_alerts_of_the_account_replace_those_of_the_device(state: State) -> None:
    """PROTOCOL 7.1."""
    react(state, "Alerts.SetAlert", ALARM)
    react(state, "Alerts.SynchronizeAlert", {"allAlerts": [ALARM | {"token": "a2"}]})
    assert list(state.alerts) == ["a2"]


# ---------------------------------------------------------------------- the device itself


@pytest.mark.parametrize(
    ("name", "payload", "volume"),
    [
        ("SetValue", {"value": "9"}, 9),
        ("Increase", {}, 6),
        ("Increase", {"value": "20"}, 15),
        ("Decrease", {"value": "2"}, 3),
    ],
)
def test_the_volume_changes_and_that_is_reported(state: State, name: str, payload: dict[str, str], volume: int) -> None:
    """PROTOCOL 7.7: target and the directive's own name."""
    steps = react(state, f"DeviceControl.{name}", {"target": "volume", **payload})
    assert steps == [Report("DeviceControl.ActionExecuted", {"target": "volume", "command": name})]
    assert state.volume == volume


def test_a_volume_that_is_no_number_is_reported_failed(state: State) -> None:
    """PROTOCOL 7.7."""
    steps = react(state, "DeviceControl.SetValue", {"target": "volume", "value": "loud"})
    assert steps == [Report("DeviceControl.ActionFailed", {"target": "volume", "command": "SetValue"})]


def test_the_state_is_reported_at_once_and_as_often_as_asked(state: State) -> None:
    """PROTOCOL 7.7, 3.: `intervalInSeconds` for `durationInSeconds`."""
    report = Report("DeviceControl.ReportState", {})
    steps = react(state, "DeviceControl.ExpectReportState", {"durationInSeconds": 60, "intervalInSeconds": 30})
    assert steps[1:] == [report, Wait(30), report, Wait(30), report]
    assert react(state, "DeviceControl.ExpectReportState")[1:] == [report]


def test_settings_are_taken_over_and_reported_whole(state: State) -> None:
    """PROTOCOL 7.8; all values are strings."""
    steps = react(state, "Settings.Update", {"configuration": {"NightMode": "on"}})
    assert steps == [Report("Settings.Report", {"configuration": {"VoiceTypeChange": "V001", "NightMode": "on"}})]
    assert react(state, "Settings.ExpectReport") == steps


def test_a_delegated_request_is_fetched(state: State) -> None:
    """PROTOCOL 7.9: the same delegationId."""
    steps = react(state, "Clova.HandleDelegatedEvent", {"delegationId": "g1"})
    assert steps == [Report("Clova.ProcessDelegatedEvent", {"delegationId": "g1"})]


# ---------------------------------------------------------------------- all of them against the catalogue


BY_THE_USER = {"SpeechRecognizer.ExpectSpeech", *(f"PlaybackController.{what}" for what in ("Pause", "Resume", "Stop"))}
"""What is reported depends on what the user says next, or on what plays."""


def examples() -> list[str]:
    return [name for name in REACTIONS if name in catalogue().directives]


def reports_of(name: str) -> list[Report]:
    state = State()
    react(state, "Alerts.SetAlert", dict(catalogue().directives["Alerts.StopAlert"].example) | {"scheduledTime": "x"})
    return [step for step in _steps(state, name) if isinstance(step, Report)]


def _steps(state: State, name: str) -> list[Step]:
    return react(state, name, catalogue().directives[name].example)


def test_every_reaction_is_to_a_directive_of_the_catalogue() -> None:
    """The catalogue knows all there are."""
    assert examples() == list(REACTIONS)
    assert set(REACTIONS) >= IN_DIALOGUE


@pytest.mark.parametrize("name", examples())
def test_reports_are_events_that_the_catalogue_finds_right(name: str) -> None:
    """Each reaction is run on the catalogue's own example. Its list of commands is open, and lacks some."""
    for report in reports_of(name):
        issues = catalogue().judge(catalogue().events[report.name], dict(report.payload))
        assert [issue for issue in issues if issue.severity == "error"] == []


@pytest.mark.parametrize("name", [name for name in examples() if name not in BY_THE_USER])
def test_what_the_catalogue_expects_of_a_directive_is_reported(name: str) -> None:
    """`expects`: in order; one of a list. What the user or the state decides is left out."""
    reported = [report.name for report in reports_of(name)]
    for expected in catalogue().directives[name].expects:
        assert set(expected if not isinstance(expected, str) else [expected]) & set(reported)


def test_settling_asks_for_alerts_and_settings() -> None:
    """PROTOCOL 7.1, 3. and 4."""
    reports = [step.name for step in walk(settle()) if isinstance(step, Report)]
    assert reports == ["Alerts.RequestSynchronizeAlert", "Settings.RequestVersionSpec"]
