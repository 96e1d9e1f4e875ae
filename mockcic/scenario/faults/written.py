"""How each act is written, as YAML: what messages, the table of `mockcic fault --acts` and docs/faults.md show."""

from __future__ import annotations

from typing import Final

WRITTEN: Final[dict[str, tuple[str, ...]]] = {
    "reset": (
        "{reset: CANCEL}",
        "{reset: REFUSED_STREAM, after: request, times: 3}",
        "{reset: 0x99, after: {sent: 120}}",
    ),
    "end": ("{end: early, after: {sent: 120}}",),
    "trailers": ("{trailers: {x-mock: trailer}}",),
    "window": ("{window: 5s}", "{window: 500ms, after: {bytes: 6400}}", "{window: 5s, on: connection}"),
    "frames": ("{frames: {at: [1, 40, 41]}}", "{frames: {every: 1, padding: 255, gap: 1ms}}"),
    "goaway": (
        "{goaway: NO_ERROR}",
        "{goaway: {code: ENHANCE_YOUR_CALM, last_stream: before, debug: too many pings, close: fin}}",
        "{goaway: {last_stream: before}, on: answer, after: {audio: 1s}}",
    ),
    "settings": (
        "{settings: {max_concurrent_streams: 1}}",
        "{settings: {initial_window_size: 0}, on: answer, after: {upload: began}}",
    ),
    "settings_ack": ("{settings_ack: never}",),
    "pong": ("{pong: never}", "{pong: wrong}", "{pong: {late: 2s}}"),
    "ping": ("{ping: 5s}", "{ping: 5s, every: 30s}"),
    "bad_frame": ("{bad_frame: unknown-type}", "{bad_frame: {base64: AAAEAQAAAAAB}}"),
    "accept": ("{accept: refuse, times: 2}", "{accept: {how: silent, lasts: 30s}}", "{accept: {stall: 5s}}"),
    "certificate": ("{certificate: expired, times: 1}",),
    "tls": (
        "{tls: {only: 1.2}}",
        "{tls: {only: [1.0, 1.1]}}",
        "{tls: {alpn: none}}",
        "{tls: {stall: 5s, sent: 100}}",
        "{tls: {rate: 100}}",
    ),
    "listener": ("{listener: 30s}", "{listener: 30s, after: 10s}"),
    "cut": ("{cut: rst}", "{cut: fin, on: answer, after: {sent: 120}}", "{cut: {how: silent, lasts: 90s}}"),
    "hang_up": ("{hang_up: goaway}", "{hang_up: fin, every: 1h}"),
    "pace": (
        "{pace: {first_byte: 3s}}",
        "{pace: {rate: 4KB/s, jitter: 20ms}}",
        "{pace: {dribble: 1}}",
        "{pace: {pause: {for: 2s, at: boundary}}}",
    ),
    "status": ("{status: 503}", "{status: {code: 429, retry_after: 5}, times: 2}", "{status: 503, on: token}"),
    "portal": ("{portal: 200}", "{portal: 302, for: 2m}"),
    "empty": ("{empty: true}",),
    "content_type": ("{content_type: text/plain}", '{content_type: ""}'),
    "content_length": ("{content_length: 10}",),
    "multipart": ("{multipart: no-end}",),
    "content_id": ("{content_id: wrong}",),
    "json": ("{json: cut}", "{json: bom, directive: SpeechSynthesizer.Speak}"),
    "dialogue": ("{dialogue: stale}",),
    "message": ("{message: unknown-member}",),
    "mutate": ("{mutate: 1}", "{mutate: 7, directive: SpeechSynthesizer.Speak, chance: 0.5}"),
    "drop": ("{drop: true, on: downchannel, directive: SpeechRecognizer.StopCapture}",),
    "repeat": ("{repeat: 2}", "{repeat: 2, on: downchannel, directive: SpeechRecognizer.StopCapture}"),
    "late": ("{late: 2s}", "{late: 2s, directive: Clova.Hello}"),
    "order": ("{order: reversed}",),
    "attachment": ("{attachment: missing}",),
    "answer_twice": ("{answer_twice: true}",),
    "token": ("{token: expire}", "{token: revoke, event: SpeechRecognizer.Recognize, after: {audio: 1s}}"),
}
"""The first of each is the shortest."""
