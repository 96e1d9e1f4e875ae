"""What a directive makes a device report, and which event is that report: the catalogue's `expects`, made to match."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mockcic.cic.catalogue import catalogue
from mockcic.verdict.conformance.limits import Limits
from mockcic.verdict.conformance.story import Sent, Story, Told

SPEAK: Final = "SpeechSynthesizer.Speak"
PLAY: Final = "AudioPlayer.Play"
DELIVER: Final = "AudioPlayer.StreamDeliver"
STARTED: Final = "SpeechSynthesizer.SpeechStarted"
ENDED: Final = ("SpeechSynthesizer.SpeechFinished", "SpeechSynthesizer.SpeechStopped")
EXPECT_SPEECH: Final = "SpeechRecognizer.ExpectSpeech"

PLAYS: Final = ("AudioPlayer.PlayStarted", "AudioPlayer.PlayResumed")
PAUSES: Final = ("AudioPlayer.PlayPaused",)
STOPS: Final = ("AudioPlayer.PlayStopped", "AudioPlayer.PlayFinished")

EARLY_S: Final = 0.05
"""A report may be on its way before the journal has written its directive down: both are written by one loop (INF)."""


@dataclass(frozen=True, slots=True)
class Due:
    """One of the events `names` is due because of `directive`, with `key` in its payload, `within_s` after it."""

    directive: Sent
    names: tuple[str, ...]
    key: Mapping[str, Any]
    within_s: float

    def is_met_by(self, event: Told) -> bool:
        """Whether this event is the report."""
        return (
            event.name in self.names
            and event.at_s >= self.directive.at_s - EARLY_S
            and all(event.payload.get(name) == value for name, value in self.key.items())
        )


def key_of(directive: Sent, names: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """What the payload of a directive's report has in common with it."""
    payload = directive.payload
    match directive.name:
        case "AudioPlayer.Play":
            item = payload.get("audioItem")
            stream = item.get("stream") if isinstance(item, Mapping) else None
            return _token_of(stream)
        case "AudioPlayer.StreamDeliver":
            return _token_of(payload.get("audioStream"))
        case "Clova.HandleDelegatedEvent":
            return {"delegationId": payload["delegationId"]} if "delegationId" in payload else {}
    namespace, _, name = directive.name.partition(".")
    if namespace == "DeviceControl" and (not names or "DeviceControl.ActionExecuted" in names):
        target = {"target": payload["target"]} if "target" in payload else {}
        return {"command": name, **target}
    if namespace in ("Alerts", "SpeechSynthesizer"):
        return _token_of(payload)
    return {}


def _token_of(value: object) -> Mapping[str, Any]:
    token = value.get("token") if isinstance(value, Mapping) else None
    return {"token": token} if isinstance(token, str) else {}


def dues(story: Story, limits: Limits) -> Iterator[Due]:
    """What is due because of each directive that a device has to act on."""
    there = catalogue()
    spoken_s = 0.0
    dialogue = ""
    for directive in story.directives:
        spec = there.directives.get(directive.name)
        if directive.dialogue != dialogue and directive.dialogue:
            dialogue, spoken_s = directive.dialogue, 0.0
        if spec is None or directive.is_raw:
            continue
        pause_s = _seconds(directive.payload.get("x-clova-pause-before"))
        if directive.name == SPEAK:
            yield Due(directive, (STARTED,), key_of(directive), limits.report_within_s + spoken_s + pause_s)
            spoken_s += pause_s + (directive.sound_s or 0.0)
            continue
        for names in spec.expects:
            if directive.name != EXPECT_SPEECH and _applies(story, directive):
                asked = _names(story, directive, names)
                if asked:
                    within_s = limits.report_within_s + spoken_s
                    yield Due(directive, asked, _key(directive, asked), within_s)


def _key(directive: Sent, names: tuple[str, ...]) -> Mapping[str, Any]:
    if names == ("AudioPlayer.StreamRequested",):
        item = directive.payload.get("audioItem")
        found = item.get("audioItemId") if isinstance(item, Mapping) else None
        return {"audioItemId": found} if found is not None else {}
    if names == ("DeviceControl.ReportState",):
        return {}
    return key_of(directive, names)


def _names(story: Story, directive: Sent, names: tuple[str, ...]) -> tuple[str, ...]:
    """The events that a directive asks for here: a Play without an address asks for one first (PROTOCOL 7.5)."""
    if directive.name == PLAY and _needs_address(directive):
        return ("AudioPlayer.StreamRequested",)
    return names


def _needs_address(directive: Sent) -> bool:
    item = directive.payload.get("audioItem")
    stream = item.get("stream") if isinstance(item, Mapping) else None
    return isinstance(stream, Mapping) and stream.get("urlPlayable") is False


def _applies(story: Story, directive: Sent) -> bool:
    """Whether a directive has anything to act on: nothing is paused that does not play."""
    player = player_at(story, directive.at_s)
    match directive.name:
        case "PlaybackController.Pause":
            return player == "playing"
        case "PlaybackController.Resume":
            return player == "paused"
        case "PlaybackController.Stop":
            return player in ("playing", "paused")
        case "Alerts.StopAlert":
            return _rings(story, directive)
        case "AudioPlayer.Play":
            return directive.payload.get("playBehavior") != "ENQUEUE" or player not in ("playing", "paused")
    return True


def player_at(story: Story, at_s: float) -> str:
    """What the player does by its reports: `playing`, `paused`, or nothing."""
    state = ""
    for event in story.events_named(*PLAYS, *PAUSES, *STOPS):
        if event.at_s > at_s:
            break
        state = "playing" if event.name in PLAYS else "paused" if event.name in PAUSES else ""
    return state


def _rings(story: Story, directive: Sent) -> bool:
    token = directive.payload.get("token")
    state = False
    for event in story.events_named("Alerts.AlertStarted", "Alerts.AlertStopped"):
        if event.at_s > directive.at_s:
            break
        if event.payload.get("token") == token:
            state = event.name == "Alerts.AlertStarted"
    return state


def is_stale(story: Story, directive: Sent) -> bool | None:
    """Whether a directive belongs to an old dialogue; None where both answers are right (PROTOCOL 3.6, no 2 to 4).

    An id that no utterance had is old, too. Not known is it while a newer utterance is still being sent.
    """
    if not directive.dialogue:
        return False
    of_it = [each for each in story.utterances_of.get(directive.dialogue, ()) if each.at_s <= directive.at_s + EARLY_S]
    if not of_it:
        return None if directive.dialogue in story.dialogues or not story.is_whole else True
    for event in story.utterances_after(of_it[-1].at_s):
        if event.began_s > directive.at_s:
            break
        if event.dialogue != directive.dialogue:
            if not event.is_answered and story.is_explained(event.began_s):
                return None  # an utterance that trouble cut may not have become the dialogue
            whole_s = event.at_s if event.upload_at_s is None else event.upload_at_s
            return True if whole_s <= directive.at_s else None
    return False


def report_of(story: Story, due: Due) -> Told | None:
    """The event that is the report, if it came."""
    found = []
    for name in due.names:
        events = story.events_named(name)
        begin = bisect.bisect_left(events, due.directive.at_s - EARLY_S, key=lambda each: each.at_s)
        found += [next((event for event in itertools.islice(events, begin, None) if due.is_met_by(event)), None)]
    return min((event for event in found if event is not None), key=lambda event: event.number, default=None)


def is_excused(story: Story, due: Due) -> bool:
    """Whether a report that did not come need not have: too early to say, the device went, or something else came."""
    directive = due.directive
    if story.left_between(directive.at_s, directive.at_s + due.within_s):
        return True
    if story.is_explained(directive.at_s, directive.at_s + due.within_s):
        return True
    later_words = story.utterances_after(directive.at_s - EARLY_S)
    if directive.dialogue and any(each.dialogue != directive.dialogue for each in later_words):
        return True
    later = [each for each in story.directives if each.number > directive.number]
    if directive.name in (PLAY, DELIVER):
        ends = ("PlaybackController.Stop", "AudioPlayer.ClearQueue", PLAY, "PlaybackController.Pause")
        return any(each.name in ends and each.at_s <= directive.at_s + due.within_s for each in later) or _is_again(
            story, directive
        )
    if directive.name == "Alerts.SetAlert":
        return any(each.name == "Alerts.SynchronizeAlert" for each in later)
    return False


def _is_again(story: Story, directive: Sent) -> bool:
    """A Play of an item that was played before may be taken for a repetition (interfaces.yaml: audioItemId)."""
    item = directive.payload.get("audioItem")
    wanted = item.get("audioItemId") if isinstance(item, Mapping) else None
    return any(
        each.name == PLAY
        and each.number < directive.number
        and isinstance(each.payload.get("audioItem"), Mapping)
        and each.payload["audioItem"].get("audioItemId") == wanted
        for each in story.directives
    )


def _seconds(milliseconds: object) -> float:
    try:
        return max(0.0, float(milliseconds) / 1000) if isinstance(milliseconds, int | float | str) else 0.0
    except ValueError:
        return 0.0
