"""What the device does about each directive: the whole behaviour of the simulated device, in one table, without I/O.

A reaction is a generator over steps: report an event, let time pass, end what another reaction does. Whoever runs it
sends the reports and waits; a test simply looks at the steps. Reactions run on tracks, one after another on each:
speech and questions of a dialogue on `dialogue`, music on `player`, alarms each on its own. A wait that is cut short
throws `Cut` into the generator, with the seconds that have passed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mockcic.cic.message import Payload
from mockcic.simulator.inbox import Received
from mockcic.simulator.state import Alert, State
from mockcic.sound import mp3

DIALOGUE: Final = "dialogue"
ASIDE: Final = "aside"
"""Speech without a dialogue id: it waits for no dialogue, and none cuts it short (PROTOCOL 3.6, 4)."""

NOW: Final = "now"
"""Reactions that act at once."""

PLAYER: Final = "player"
LONGEST_MS: Final = 2**53
"""A number beyond is none that a device could count with (INF)."""

HLS_S: Final = 2.0
"""How long speech plays whose sound is elsewhere: we do not fetch it (INF)."""


@dataclass(frozen=True, slots=True)
class Report:
    """Send this event. Its answer does not hold the reaction up."""

    name: str
    payload: Payload
    dialogue: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Let so many seconds pass; None is until cut. `idle` says that meanwhile the device has nothing to do."""

    seconds: float | None
    idle: bool = False


@dataclass(frozen=True, slots=True)
class CutOff:
    """Cut the wait of what runs on this track and tell it `why`; what waits behind it is forgotten, or kept."""

    track: str
    why: str
    forget: bool = True


@dataclass(frozen=True, slots=True)
class Begin:
    """Start another script on this track, behind what is there."""

    track: str
    script: Script


class Cut(Exception):  # noqa: N818 - a signal to a script, as GeneratorExit is
    """A wait was cut short after `after_s` seconds (of the device's time), because of `why`."""

    def __init__(self, why: str, after_s: float) -> None:
        super().__init__(why)
        self.why = why
        self.after_s = after_s


Step = Report | Wait | CutOff | Begin
Script = Generator[Step, None, None]
Reaction = Callable[[State, Received, datetime], Script]


# ---------------------------------------------------------------------- speech


def speak(state: State, received: Received, now: datetime) -> Script:
    """Play speech and report its beginning and end (PROTOCOL 7.2)."""
    payload = received.directive.payload
    report = {"token": str(payload.get("token", ""))}
    pause_s = max(0, _ms(payload.get("x-clova-pause-before"))) / 1000
    sound = next(iter(received.attachments.values()), None)
    if pause_s:
        yield Wait(pause_s)
    token = report["token"]
    state.speech_token, state.speech_activity = token, "PLAYING"
    yield Report("SpeechSynthesizer.SpeechStarted", report)
    try:
        yield Wait(HLS_S if sound is None else mp3.seconds(sound))
    except Cut:
        state.speech_token, state.speech_activity = token, "STOPPED"
        yield Report("SpeechSynthesizer.SpeechStopped", report)
        return
    state.speech_token, state.speech_activity = token, "FINISHED"
    yield Report("SpeechSynthesizer.SpeechFinished", report)


def expect_speech(state: State, received: Received, now: datetime) -> Script:
    """Open the microphone for an answer, after the question was played (PROTOCOL 7.3). Nothing is reported."""
    state.expected_speech = dict(received.directive.payload)
    yield from ()


# ---------------------------------------------------------------------- music


def play(state: State, received: Received, now: datetime) -> Script:
    """Play an item now or behind the others; ask for its address first where it has none (PROTOCOL 7.5)."""
    payload = received.directive.payload
    item = _object(payload.get("audioItem"))
    stream = dict(_object(item.get("stream")))
    if payload.get("playBehavior") != "ENQUEUE":
        yield CutOff(PLAYER, "replaced")
    yield Begin(PLAYER, _play_item(state, str(item.get("audioItemId", "")), stream))


def stream_deliver(state: State, received: Received, now: datetime) -> Script:
    """Merge what came into the stream of the item, members that are not null winning, and play it (PROTOCOL 7.5)."""
    payload = received.directive.payload
    item_id = str(payload.get("audioItemId", ""))
    stream = state.player.items.pop(item_id, None) or {"beginAtInMilliseconds": 0, "urlPlayable": True}
    stream |= {name: value for name, value in _object(payload.get("audioStream")).items() if value is not None}
    yield Begin(PLAYER, _play_stream(state, stream))


def _play_item(state: State, item_id: str, stream: dict[str, Any]) -> Script:
    if stream.get("urlPlayable") is False:
        state.player.items = {item_id: stream}
        yield Report("AudioPlayer.StreamRequested", {"audioItemId": item_id, "audioStream": dict(stream)})
    else:
        yield from _play_stream(state, stream)


def _play_stream(state: State, stream: dict[str, Any]) -> Script:
    player = state.player
    player.stream, player.offset_ms = stream, _ms(stream.get("beginAtInMilliseconds"))
    yield from _play_on(state)


def _play_on(state: State) -> Script:
    """Play from where the player is, through pauses, to the end or until stopped."""
    player = state.player
    report = "AudioPlayer.PlayStarted"
    while True:
        player.activity = "PLAYING"
        yield Report(report, player.position())
        try:
            yield from _play_to_end(state)
        except Cut as cut:
            player.offset_ms += round(1000 * cut.after_s)
            if cut.why != "paused":
                break
        else:
            player.activity = "STOPPED"
            yield Report("AudioPlayer.PlayFinished", player.position())
            return
        player.activity = "PAUSED"
        yield Report("AudioPlayer.PlayPaused", player.position())
        try:
            yield Wait(None, idle=True)
        except Cut as cut:
            if cut.why != "resumed":
                break
        report = "AudioPlayer.PlayResumed"
    player.activity = "STOPPED"
    yield Report("AudioPlayer.PlayStopped", player.position())


def _play_to_end(state: State) -> Script:
    """Let the stream play, reporting as its `progressReport` asks."""
    player = state.player
    while (due := _next_mark(player.stream, player.offset_ms, player.end_ms)) is not None:
        at_ms, names = due
        yield Wait((at_ms - player.offset_ms) / 1000)
        player.offset_ms = at_ms
        if not names:
            return
        for name in names:
            yield Report(f"AudioPlayer.ProgressReport{name}Passed", player.position())
    yield Wait(None, idle=True)  # a radio plays until someone stops it


def _next_mark(stream: Mapping[str, Any], at_ms: int, end_ms: int | None) -> tuple[int, list[str]] | None:
    """The next position at which something is to be reported, and what; nothing at the end. None: no end to come."""
    wanted = _object(stream.get("progressReport"))
    begin_ms = _ms(stream.get("beginAtInMilliseconds"))
    marks: dict[int, list[str]] = {}
    if (delay := wanted.get("progressReportDelayInMilliseconds")) is not None:
        marks.setdefault(begin_ms + _ms(delay), []).append("Delay")
    if (interval := _ms(wanted.get("progressReportIntervalInMilliseconds"))) > 0:
        marks.setdefault(begin_ms + ((at_ms - begin_ms) // interval + 1) * interval, []).append("Interval")
    if (position := wanted.get("progressReportPositionInMilliseconds")) is not None:
        marks.setdefault(_ms(position), []).append("Position")
    coming = sorted(mark for mark in marks if mark > at_ms and (end_ms is None or mark < end_ms))
    if coming:
        return coming[0], marks[coming[0]]
    return None if end_ms is None else (max(end_ms, at_ms), [])


def pause(state: State, received: Received, now: datetime) -> Script:
    """Pause; the player reports PlayPaused with its position."""
    if state.player.activity == "PLAYING":
        yield CutOff(PLAYER, "paused", forget=False)


def resume(state: State, received: Received, now: datetime) -> Script:
    """Play on after a pause; the player reports PlayResumed."""
    if state.player.activity == "PAUSED":
        yield CutOff(PLAYER, "resumed", forget=False)


def stop(state: State, received: Received, now: datetime) -> Script:
    """Stop; the player reports PlayStopped with its position. An item whose address was asked for is forgotten."""
    state.player.items.clear()
    yield CutOff(PLAYER, "stopped")


def clear_queue(state: State, received: Received, now: datetime) -> Script:
    """Empty the queue; with CLEAR_ALL also stop what plays."""
    behaviour = str(received.directive.payload.get("clearBehavior", "CLEAR_ALL"))
    if behaviour == "CLEAR_ALL":
        yield CutOff(PLAYER, "stopped")
    yield Report("AudioPlayer.PlaybackQueueCleared", {"clearBehavior": behaviour})


def report_playback_state(state: State, received: Received, now: datetime) -> Script:
    """Say what the player is doing."""
    token = {"token": state.player.token} if state.player.activity != "IDLE" else {}
    yield Report("AudioPlayer.ReportPlaybackState", state.player.as_json() | token)


def next_item(state: State, received: Received, now: datetime) -> Script:
    """Stop what plays; what waits behind it begins."""
    yield CutOff(PLAYER, "skipped", forget=False)


def set_repeat_mode(state: State, received: Received, now: datetime) -> Script:
    """Keep the repeat mode; the next context shows it."""
    modes = {"TurnOnRepeatMode": "REPEAT_ONE", "TurnOffRepeatMode": "NONE"}
    mode = modes.get(received.directive.name) or received.directive.payload.get("repeatMode", "NONE")
    state.player.repeat = str(mode)
    yield from ()


def turn_volume(state: State, received: Received, now: datetime) -> Script:
    """`Mute`, `Unmute`, `VolumeUp`, `VolumeDown`: nothing is reported; the next context shows it."""
    match received.directive.name:
        case "Mute" | "Unmute" as name:
            state.muted = name == "Mute"
        case name:
            state.volume = min(15, max(0, state.volume + (1 if name == "VolumeUp" else -1)))
    yield from ()


def request_player_info(state: State, received: Received, now: datetime) -> Script:
    """Ask for what a player shows around the item that plays, or was played last."""
    yield Report("TemplateRuntime.RequestPlayerInfo", {"token": state.player.token})


def issue_command(state: State, received: Received, now: datetime) -> Script:
    """`ExpectXCommand`: act as if the button had been pressed, with the target as `source` (PROTOCOL 7.5)."""
    payload = received.directive.payload
    name = received.directive.name.removeprefix("Expect")
    members: dict[str, Any] = {member: payload[member] for member in ("token", "handover") if member in payload}
    if target := payload.get("target"):
        members["source"] = target
    yield Report(f"PlaybackController.{name}Issued", members)


# ---------------------------------------------------------------------- alerts


def set_alert(state: State, received: Received, now: datetime) -> Script:
    """Store an alert and wait for its time (PROTOCOL 7.6); one whose time cannot be read fails."""
    alert = _read_alert(received.directive.payload)
    if alert.due_in_s(now) is None:
        yield Report("Alerts.SetAlertFailed", alert.reference())
        return
    if (known := state.alerts.get(alert.token)) is not None:
        yield from _silence(known)
    state.alerts[alert.token] = alert
    yield CutOff(f"alert {alert.token}", "changed")
    yield Report("Alerts.SetAlertSucceeded", alert.reference())
    yield Begin(f"alert {alert.token}", _ring(state, alert, now))


def synchronize_alert(state: State, received: Received, now: datetime) -> Script:
    """Replace all alerts by the list that came; those that stay as they were wait or ring on.

    Nothing is reported, but the end of one that rang.
    """
    listed = received.directive.payload.get("allAlerts")
    listed = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    wanted = {alert.token: alert for alert in map(_read_alert, listed) if alert.token}
    for token, alert in list(state.alerts.items()):
        if token in wanted and wanted[token].as_json() == alert.as_json():
            del wanted[token]
        else:
            yield from _silence(alert)
            state.alerts.pop(token, None)
            yield CutOff(f"alert {token}", "changed")
    for token, alert in wanted.items():
        state.alerts[token] = alert
        yield Begin(f"alert {token}", _ring(state, alert, now))


def _read_alert(payload: Mapping[str, Any]) -> Alert:
    token, kind, time = (str(payload.get(member, "")) for member in ("token", "type", "scheduledTime"))
    return Alert(token, kind, time)


def _silence(alert: Alert) -> Script:
    """An alert that is changed or deleted does not ring on: its contexts would contradict what was reported."""
    if alert.is_ringing:
        alert.is_ringing = False
        yield Report("Alerts.AlertStopped", alert.reference())


def _ring(state: State, alert: Alert, now: datetime) -> Script:
    """Wait, then ring until stopped."""
    due_in_s = alert.due_in_s(now)
    try:
        yield Wait(due_in_s, idle=True)
        alert.is_ringing = True
        yield Report("Alerts.AlertStarted", alert.reference())
        yield Wait(None, idle=True)
    except Cut as cut:
        alert.is_ringing = False
        if cut.why == "stopped":
            yield Report("Alerts.AlertStopped", alert.reference())


def stop_alert(state: State, received: Received, now: datetime) -> Script:
    """Stop one that rings; AlertStopped is reported in any case, since the catalogue expects it."""
    payload = received.directive.payload
    alert = state.alerts.get(str(payload.get("token")))
    if alert is None or not alert.is_ringing:
        yield Report("Alerts.AlertStopped", _alert_reference(payload))
    else:
        yield CutOff(f"alert {alert.token}", "stopped")


def delete_alert(state: State, received: Received, now: datetime) -> Script:
    """Forget one."""
    payload = received.directive.payload
    alert = state.alerts.get(str(payload.get("token")))
    if alert is None:
        yield Report("Alerts.DeleteAlertFailed", _alert_reference(payload))
        return
    yield from _silence(alert)
    state.alerts.pop(alert.token, None)
    yield CutOff(f"alert {alert.token}", "deleted")
    yield Report("Alerts.DeleteAlertSucceeded", alert.reference())


def _alert_reference(payload: Payload) -> dict[str, str]:
    return {"token": str(payload.get("token", "")), "type": str(payload.get("type", "ALARM"))}


# ---------------------------------------------------------------------- the device itself


def act(state: State, received: Received, now: datetime) -> Script:
    """Carry out a DeviceControl directive and report it (PROTOCOL 7.7)."""
    directive = received.directive
    target = str(directive.payload.get("target", "bluetooth"))
    value = str(directive.payload.get("value", ""))
    amount = int(value) if value.isascii() and value.isdigit() else None
    if target == "volume":
        steps = {"Increase": amount or 1, "Decrease": -(amount or 1)}
        wanted = amount if directive.name == "SetValue" else state.volume + steps.get(directive.name, 0)
        if wanted is None:
            yield Report("DeviceControl.ActionFailed", {"target": target, "command": directive.name})
            return
        state.volume = min(15, max(0, wanted))
    elif directive.name in ("TurnOn", "TurnOff"):
        state.switches[target] = directive.name == "TurnOn"
    elif directive.name in ("BtStartPairing", "BtStopPairing"):
        state.switches["pairing"] = directive.name == "BtStartPairing"
    yield Report("DeviceControl.ActionExecuted", {"target": target, "command": directive.name})
    if directive.name in ("BtConnect", "BtConnectByPINCode"):
        yield Report("DeviceControl.ReportState", {})


def report_state(state: State, received: Received, now: datetime) -> Script:
    """Report at once and, when asked, again at intervals."""
    payload = received.directive.payload
    duration, interval = (_ms(payload.get(name)) for name in ("durationInSeconds", "intervalInSeconds"))
    yield CutOff("report", "replaced")
    yield Report("DeviceControl.ReportState", {})
    if interval > 0:
        yield Begin("report", _repeat_report(duration // interval, interval))


def _repeat_report(times: int, interval_s: int) -> Script:
    try:
        for _ in range(times):
            yield Wait(interval_s)
            yield Report("DeviceControl.ReportState", {})
    except Cut:
        return


def report_settings(state: State, received: Received, now: datetime) -> Script:
    """`ExpectReport`, and `Update` after taking its settings over (PROTOCOL 7.8)."""
    changed = received.directive.payload.get("configuration")
    if isinstance(changed, Mapping):
        state.settings |= {str(name): str(value) for name, value in changed.items()}
    yield Report("Settings.Report", {"configuration": dict(state.settings)})


def process_delegated(state: State, received: Received, now: datetime) -> Script:
    """Fetch the result of a request that was handed over (PROTOCOL 7.9)."""
    delegation = received.directive.payload.get("delegationId", "")
    yield Report("Clova.ProcessDelegatedEvent", {"delegationId": delegation})


def _ms(value: object) -> int:
    return int(value) if isinstance(value, int | float) and abs(value) <= LONGEST_MS else 0


def _object(value: object) -> Mapping[str, Any]:
    """A member that should be an object; what is none says nothing."""
    return value if isinstance(value, Mapping) else {}


def settle() -> Script:
    """Ask for alerts and settings after Hello (PROTOCOL 7.1)."""
    yield Report("Alerts.RequestSynchronizeAlert", {})
    yield Report("Settings.RequestVersionSpec", {})


_ACTIONS: Final = (
    *("BtConnect", "BtConnectByPINCode", "BtDelete", "BtDisconnect", "BtPlay", "BtRescan", "BtStartPairing"),
    *("BtStopPairing", "Decrease", "Increase", "Open", "OpenScreen", "SetValue", "TurnOff", "TurnOn"),
)
_REPEAT_MODES: Final = ("SetRepeatMode", "TurnOnRepeatMode", "TurnOffRepeatMode")
_COMMANDS: Final = ("Next", "Pause", "Play", "Previous", "Resume", "Stop")

REACTIONS: Final[Mapping[str, Reaction]] = {
    "SpeechSynthesizer.Speak": speak,
    "SpeechRecognizer.ExpectSpeech": expect_speech,
    "AudioPlayer.Play": play,
    "AudioPlayer.StreamDeliver": stream_deliver,
    "AudioPlayer.ClearQueue": clear_queue,
    "AudioPlayer.ExpectReportPlaybackState": report_playback_state,
    "PlaybackController.Pause": pause,
    "PlaybackController.Resume": resume,
    "PlaybackController.Stop": stop,
    "PlaybackController.Next": next_item,
    **{f"PlaybackController.{name}": set_repeat_mode for name in _REPEAT_MODES},
    **{f"PlaybackController.{name}": turn_volume for name in ("Mute", "Unmute", "VolumeUp", "VolumeDown")},
    **{f"PlaybackController.Expect{command}Command": issue_command for command in _COMMANDS},
    "Alerts.SetAlert": set_alert,
    "Alerts.StopAlert": stop_alert,
    "Alerts.DeleteAlert": delete_alert,
    "Alerts.SynchronizeAlert": synchronize_alert,
    "System.SynchronizeState": synchronize_alert,
    "TemplateRuntime.ExpectRequestPlayerInfo": request_player_info,
    **{f"DeviceControl.{action}": act for action in _ACTIONS},
    "DeviceControl.ExpectReportState": report_state,
    "Settings.ExpectReport": report_settings,
    "Settings.Update": report_settings,
    "Clova.HandleDelegatedEvent": process_delegated,
}
"""Directives without an entry are shown and otherwise ignored, as the guide asks (PROTOCOL 3.6)."""

IN_DIALOGUE: Final = frozenset({"SpeechSynthesizer.Speak", "SpeechRecognizer.ExpectSpeech"})
"""These queue on the dialogue's track; all others act at once."""


def track_of(received: Received) -> str:
    """The track of the reaction to a directive."""
    directive = received.directive
    if directive.full_name not in IN_DIALOGUE:
        return NOW
    return ASIDE if directive.dialog_request_id is None else DIALOGUE
