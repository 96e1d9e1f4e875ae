"""What `--misbehave RULE` does: for each rule of the conformance check, how the device breaks it and when that shows.

The acts themselves are in `vices` (messages, sound, directives), `bad_form` (bodies), `bad_script` (reports) and
`unruly` (the line).
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from mockcic.errors import StartError


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """`does` is what goes wrong, `shows` what must happen for a server to see it."""

    does: str
    shows: str


_AT_ONCE: Final = "at once, after the first Hello"
_ANY_EVENT: Final = "with any event"
_TWO_EVENTS: Final = "with the second event"
_SOUND: Final = "with a voice request"

MISBEHAVIOURS: Final[Mapping[str, Misbehaviour]] = {
    # ---- connection
    "connection.hello-awaited": Misbehaviour(
        "sends Settings.RequestVersionSpec right behind the request for the downchannel, and all others without Hello",
        "surely where Hello is late (settings: {hello: {after: 500ms}}); without that it is a race",
    ),
    "connection.downchannel-first": Misbehaviour(
        "begins each connection with an event, before it asks for the downchannel", "at once, with each connection"
    ),
    "connection.one-downchannel": Misbehaviour(
        "asks for a second downchannel on the same connection while the first one is alive",
        "0.5 s after the first Hello",
    ),
    "connection.same-connection": Misbehaviour(
        "opens the downchannel anew on another connection, and sends its events on the first one on", _ANY_EVENT
    ),
    "connection.reopened": Misbehaviour("never opens a lost downchannel again", "when the downchannel ends or is lost"),
    "connection.reopen-storm": Misbehaviour(
        "asks for a lost downchannel six times within 0.2 s, giving each up", "when the downchannel ends or is lost"
    ),
    "connection.ping": Misbehaviour("never pings", "after a minute and a half, or the limit of the run"),
    "connection.ping-unanswered": Misbehaviour(
        "stays on the connection after a GET /ping without an answer",
        "where pings are not answered (settings: {ping: never})",
    ),
    "connection.streams": Misbehaviour("sends 12 events at once and holds them open for 0.3 s", _AT_ONCE),
    # ---- headers
    "headers.token": Misbehaviour("sends one event without authorization, which is refused with 401", _AT_ONCE),
    "headers.user-agent": Misbehaviour("sends no User-Agent", "with any request"),
    "headers.user-agent-same": Misbehaviour(
        "sends another version in its User-Agent each time", "with any two requests"
    ),
    "headers.content-type": Misbehaviour("sends one event as application/json, which is refused with 400", _AT_ONCE),
    "headers.tags": Misbehaviour("sends x-clova-device-tags with an empty item", "with any request"),
    "token.refused-again": Misbehaviour(
        "uses a token on that was refused with 401: six times for the downchannel, for events for ever",
        "where a token is refused (tokens, or an exception with code 401)",
    ),
    # ---- multipart
    "multipart.names": Misbehaviour("calls the parts request and audio.wav", _ANY_EVENT),
    "multipart.order": Misbehaviour("sends the sound before the metadata, which is refused with 400", _SOUND),
    "multipart.types": Misbehaviour("says text/plain of the metadata and audio/l16 of the sound", _ANY_EVENT),
    "multipart.delimiters": Misbehaviour(
        "sends one event without the blank line behind the part headers, which is refused with 400", _AT_ONCE
    ),
    "multipart.last-delimiter": Misbehaviour("ends the stream without --boundary--", _ANY_EVENT),
    "multipart.line-ends": Misbehaviour("ends lines with LF", _ANY_EVENT),
    "multipart.one-audio-part": Misbehaviour("puts each 200 ms of sound into a part of its own", _SOUND),
    # ---- messages
    "message.json": Misbehaviour("sends one event whose metadata breaks off, which is refused with 400", _AT_ONCE),
    "message.envelope": Misbehaviour("sends one event without namespace, which is refused with 400", _AT_ONCE),
    "message.id-unique": Misbehaviour("uses each messageId twice", _TWO_EVENTS),
    "message.known": Misbehaviour("sends MockMaker.SelfTest", _AT_ONCE),
    "message.payload": Misbehaviour("sends one Settings.Report with a number for a setting", _AT_ONCE),
    "message.context": Misbehaviour("sends the latitude of Clova.Location as a number", _ANY_EVENT),
    "message.context-complete": Misbehaviour("sends Speaker.VolumeState alone from its second event on", _TWO_EVENTS),
    "message.context-true": Misbehaviour(
        "sends contexts in which nothing was ever played or set", "after speech, music or an alert was reported"
    ),
    "message.dialogue-required": Misbehaviour("sends Recognize without dialogRequestId", "with any Recognize"),
    "message.dialogue-new": Misbehaviour("uses one dialogRequestId for all it says", "with the second utterance"),
    "message.dialogue-kept": Misbehaviour("answers ExpectSpeech under a new dialogRequestId", "when it is asked back"),
    "message.speech-id": Misbehaviour("answers ExpectSpeech without speechId and explicit", "when it is asked back"),
    # ---- audio
    "audio.present": Misbehaviour(
        "sends SpeechRecognizer.Recognize without a sound, which is refused with 400", _SOUND
    ),
    "audio.format": Misbehaviour("sends big-endian samples, and calls them sound of 8 kHz", _SOUND),
    "audio.pace": Misbehaviour("sends its sound all at once", _SOUND),
    "audio.stop-capture": Misbehaviour("records on for 2 s after StopCapture", "with a voice request that is stopped"),
    "audio.wake-word": Misbehaviour(
        "says that the wake word begins with the first sample, with nothing before it",
        "when it speaks after a wake word",
    ),
    "audio.level": Misbehaviour("sends silence", _SOUND),
    # ---- expectations
    "expect.reported": Misbehaviour(
        "reports no speech, action, state, setting, delegation, command, nor that an alert was set or deleted",
        "with any directive that expects such a report",
    ),
    "expect.once": Misbehaviour(
        "reports the end of speech and alerts, actions, alerts that were set or deleted, and delegations twice",
        "with any directive that expects such a report",
    ),
    "expect.order": Misbehaviour("reports SpeechFinished before SpeechStarted", "with Speak"),
    "expect.foreign": Misbehaviour("sends Clova.ProcessDelegatedEvent for a delegation nobody handed to it", _AT_ONCE),
    "expect.alert-rings": Misbehaviour("stores alerts and never rings", "when the time of an alert passes"),
    "expect.progress": Misbehaviour("sends no progress reports", "with Play that asks for them"),
    # ---- dialogue
    "dialogue.stale-dropped": Misbehaviour("obeys directives of an old dialogue", "when one comes"),
    "dialogue.idless-obeyed": Misbehaviour(
        "ignores directives without dialogRequestId, but for Hello", "when one comes"
    ),
    "dialogue.current-obeyed": Misbehaviour(
        "ignores all directives of a dialogue after one that it does not know",
        "when an unknown directive comes before others",
    ),
    # ---- recovery
    "recovery.reconnected": Misbehaviour(
        "never opens a downchannel again once one was lost", "when a fault ends the downchannel or its connection"
    ),
    "recovery.storm": Misbehaviour(
        "tries again eight times without a pause", "when a fault ends the downchannel, and the next ones too"
    ),
    "recovery.back-off": Misbehaviour(
        "makes the same pause before each attempt", "when a fault ends four downchannels in a row"
    ),
    "recovery.retry-after": Misbehaviour(
        "asks for a refused downchannel again without waiting as `retry-after` says",
        "when a downchannel is refused with `retry-after` (a fault: {status: {code: 503, retry_after: 2}, "
        "on: downchannel})",
    ),
    "recovery.events-wait": Misbehaviour(
        "sends events on its connection while there is no downchannel", "when a fault ends the downchannel alone"
    ),
    "recovery.event-repeated": Misbehaviour(
        "sends its last event again, with its messageId, when the downchannel is back",
        "when a fault ends the downchannel after an event was answered",
    ),
    "recovery.event-lost": Misbehaviour(
        "does not repeat a report that had no answer", "when a fault cuts the answer to a report"
    ),
    "recovery.silence-noticed": Misbehaviour(
        "stays on a connection whose pings are not answered", "when a fault makes the connection silent"
    ),
    "recovery.goaway-obeyed": Misbehaviour("stays on its connection after GOAWAY", "when a fault sends GOAWAY"),
}


def read(rules: Collection[str]) -> frozenset[str]:
    """The rules to break. Raises `StartError` for one that is none."""
    for rule in rules:
        if rule not in MISBEHAVIOURS:
            near = difflib.get_close_matches(rule, MISBEHAVIOURS, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise StartError(f"{rule!r} is no rule to break; {hint}`mockcic device --misbehave list` shows them all")
    return frozenset(rules)
