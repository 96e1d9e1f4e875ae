"""What the device knows about itself, and the context objects it makes of that (PROTOCOL 3.2, the catalogue)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from mockcic.cic.message import Context

PLACE = {"latitude": "37.5326", "longitude": "127.0246"}
SEOUL = timezone(timedelta(hours=9))


@dataclass(slots=True)
class Alert:
    """An alert stored on the device; `scheduled_time` as it came."""

    token: str
    type: str
    scheduled_time: str
    is_ringing: bool = False

    def as_json(self) -> dict[str, str]:
        """An AlertInfoObject."""
        return {"token": self.token, "type": self.type, "scheduledTime": self.scheduled_time}

    def reference(self) -> dict[str, str]:
        """The payload of all reports about it."""
        return {"token": self.token, "type": self.type}

    def due_in_s(self, now: datetime) -> float | None:
        """Seconds until it rings, 0.0 when that is past; None when its time cannot be read."""
        try:
            due = datetime.fromisoformat(self.scheduled_time)
        except ValueError:
            return None
        return max(0.0, ((due if due.tzinfo else due.replace(tzinfo=UTC)) - now).total_seconds())


@dataclass(slots=True)
class Player:
    """The audio player. `offset_ms` is where it is, or was last."""

    activity: str = "IDLE"
    repeat: str = "NONE"
    offset_ms: int = 0
    stream: dict[str, Any] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """The stream's token."""
        return str(self.stream.get("token", ""))

    @property
    def begin_ms(self) -> int:
        """Where the stream begins; at 0 where that is not said with a number."""
        begin = self.stream.get("beginAtInMilliseconds")
        return int(begin) if isinstance(begin, int | float) else 0

    @property
    def end_ms(self) -> int | None:
        """Where the stream ends, counted like `offset_ms`; None for a radio."""
        duration = self.stream.get("durationInMilliseconds")
        return None if not isinstance(duration, int) else self.begin_ms + duration

    def position(self) -> dict[str, Any]:
        """The payload of all reports about playing."""
        return {"token": self.token, "offsetInMilliseconds": self.offset_ms}

    def as_json(self) -> dict[str, Any]:
        """AudioPlayer.PlaybackState."""
        state: dict[str, Any] = {"playerActivity": self.activity, "repeatMode": self.repeat}
        if self.activity != "IDLE":
            state |= {"offsetInMilliseconds": self.offset_ms, "stream": dict(self.stream)}
            if self.end_ms is not None:
                state["totalInMilliseconds"] = self.end_ms
        return state


@dataclass(slots=True)
class State:
    """All of it. Reactions change it, `contexts` shows it."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    player: Player = field(default_factory=Player)
    speech_token: str = ""
    """Of the last Speak; empty before the first, as the sibling protocol has it (AVS)."""
    speech_activity: str = "FINISHED"
    volume: int = 5
    muted: bool = False
    switches: dict[str, bool] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=lambda: {"VoiceTypeChange": "V001"})
    expected_speech: Mapping[str, Any] | None = None
    """The payload of an ExpectSpeech that nobody has answered yet."""

    def contexts(self, now: datetime) -> tuple[Context, ...]:
        """What the device can report, all of it with every event (since 2019-05). `now` carries its zone."""
        alerts = list(self.alerts.values())
        states: dict[str, dict[str, Any]] = {
            "Alerts.AlertsState": {
                "allAlerts": [alert.as_json() for alert in alerts],
                "activeAlerts": [alert.as_json() for alert in alerts if alert.is_ringing],
            },
            "AudioPlayer.PlaybackState": self.player.as_json(),
            "Clova.Location": {**PLACE, "refreshedAt": "2026-01-20T09:00:00+09:00"},
            "Clova.SavedPlace": {"places": [{"name": "집", **PLACE, "refreshedAt": "2026-01-20T09:00:00+09:00"}]},
            "Device.Audio": {
                "acceptContentType": [{"mimeType": "audio/mpeg", "audioCodec": "MP3", "fileExtension": "MP3"}]
            },
            "Device.DeviceState": self._device_state(now),
            "Device.Display": {"size": "none"},
            "Speaker.VolumeState": {"volume": self.volume, "muted": self.muted},
            "SpeechSynthesizer.SpeechState": {"playerActivity": self.speech_activity, "token": self.speech_token},
        }
        names = ((name.partition("."), payload) for name, payload in states.items())
        return tuple(Context(namespace, name, payload) for (namespace, _, name), payload in names)

    def _device_state(self, now: datetime) -> dict[str, Any]:
        wifi, light, bluetooth = self._switch("wifi", True), self._switch("flashlight"), self._switch("bluetooth", True)
        return {
            "bluetooth": {
                "actions": ["TurnOff", "TurnOn", "BtConnect", "BtDisconnect", "BtStartPairing", "BtStopPairing"],
                "btlist": [],
                "connecting": "off",
                "pairing": self._switch("pairing"),
                "scanlist": [],
                "scanning": "off",
                "state": bluetooth,
            },
            "flashLight": {"actions": ["TurnOff", "TurnOn"], "state": light},
            "localTime": now.isoformat(timespec="seconds"),
            "volume": {
                "actions": ["Decrease", "Increase", "SetValue"],
                "min": 0,
                "max": 15,
                "value": self.volume,
                "warning": 12,
            },
            "wifi": {
                "actions": ["TurnOff", "TurnOn"],
                "networks": [{"name": "sim-net", "connected": wifi == "on"}],
                "state": wifi,
            },
            "power": {
                "actions": ["TurnOff", "TurnOn"],
                "state": "active" if self.switches.get("power", True) else "idle",
            },
        }

    def _switch(self, name: str, default: bool = False) -> str:
        return "on" if self.switches.get(name, default) else "off"
