"""Rules about the microphone's sound: what it is, how fast it comes, when it ends (PROTOCOL 3.3, 3.4)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mockcic.sound.measure import BYTES_A_SECOND, RATE
from mockcic.verdict.conformance.limits import Limits
from mockcic.verdict.conformance.rule import Broken, Case, Kept
from mockcic.verdict.conformance.story import SPEECH, Sent, Story, Told

FORMAT: Final = "AUDIO_L16_RATE_16000_CHANNELS_1"
STOP_CAPTURE: Final = "SpeechRecognizer.StopCapture"
CONFIRM_WAKE_UP: Final = "SpeechRecognizer.ConfirmWakeUp"
LEAD_SAMPLES: Final = 4_800
"""300 ms before the wake word (PROTOCOL 3.3)."""

SHORT_S: Final = 0.6
"""Of a shorter sound the pace cannot be told: three blocks of 200 ms (INF)."""


def _sound(event: Told) -> Mapping[str, Any]:
    """The members of the upload when there was sound in it."""
    upload = event.upload or {}
    return upload if upload.get("bytes") else {}


def present(story: Story, limits: Limits) -> Iterator[Case]:
    """A Recognize has sound (PROTOCOL 3.5)."""
    for event in story.events_named(SPEECH):
        if _sound(event):
            yield Kept(event.number)
        elif event.answered_s is not None and not event.lost and not story.is_struck(event.stream):
            parts = (event.upload or {}).get("parts")
            found = "an audio part without a byte" if parts else "no audio part"
            yield Broken(f"{SPEECH} with {found}", "the sound of the request", (event.number,))


def format(story: Story, limits: Limits) -> Iterator[Case]:
    """16-bit PCM, 16 kHz, mono, little endian, and `format` says so (PROTOCOL 3.3)."""
    for event in story.events_named(SPEECH):
        sound = _sound(event)
        if not sound or (event.lost and story.is_struck(event.stream)):
            continue
        said = event.payload.get("format", FORMAT)
        looks: Sequence[str] = sound.get("suspicions") or ()
        if said != FORMAT:
            yield Broken(f"format {said!r}", FORMAT, (event.number,))
        elif looks:
            found = f"sound that looks like {', '.join(map(str, looks))}"
            yield Broken(found, "16-bit PCM, 16 kHz, mono, little endian", (event.upload_number,))
        else:
            yield Kept(event.upload_number)


def pace(story: Story, limits: Limits) -> Iterator[Case]:
    """Sound comes as the microphone records it, a block each 200 ms (PROTOCOL 3.3)."""
    for event in story.events_named(SPEECH):
        arrived = [(ms / 1000, size / BYTES_A_SECOND) for ms, size in _pairs(_sound(event).get("arrived"))]
        if len(arrived) < 2:
            if arrived and arrived[0][1] > limits.preroll_s:
                found = f"{arrived[0][1]:.1f} s of sound at once"
                yield Broken(found, "a block each 200 ms", (event.upload_number,))
            continue
        (first_s, at_once_s), (last_s, heard_s) = arrived[0], arrived[-1]
        took, later = last_s - first_s, heard_s - at_once_s
        gap, since = max((after - before, before) for (before, _), (after, _) in itertools.pairwise(arrived))
        if heard_s < SHORT_S or story.is_explained(event.began_s, event.upload_at_s):
            continue
        if gap > limits.audio_gap_s:
            found = f"nothing for {gap:.2f} s, {since - first_s:.1f} s after the sound began"
            yield Broken(found, f"a block each 200 ms, no pause over {limits.audio_gap_s:g} s", (event.upload_number,))
        elif heard_s > limits.preroll_s + took * (1 + limits.pace_leeway):
            found = f"{heard_s:.1f} s of sound within {took:.1f} s"
            yield Broken(found, "sound as fast as it is recorded", (event.upload_number,))
        elif took > later * (1 + limits.pace_leeway) + limits.audio_gap_s:
            found = f"{heard_s:.1f} s of sound in {took:.1f} s"
            yield Broken(found, "sound as fast as it is recorded", (event.upload_number,))
        else:
            yield Kept(event.upload_number, f"{heard_s:.1f} s of sound in {took:.1f} s, no pause over {gap:.2f} s", gap)


def _pairs(value: Any) -> Iterator[tuple[float, float]]:
    for pair in value if isinstance(value, list | tuple) else ():
        if isinstance(pair, list | tuple) and len(pair) == 2:
            yield float(pair[0]), float(pair[1])


def stop_capture(story: Story, limits: Limits) -> Iterator[Case]:
    """At StopCapture the upload ends (PROTOCOL 3.4); how much still came is measured."""
    for event in story.events_named(SPEECH):
        stop = _stop_of(story, event)
        if stop is None or (event.upload_at_s is not None and event.upload_at_s < stop.at_s):
            continue
        if event.upload_at_s is None:
            if (
                event.answered_s is None
                and not story.is_explained(event.began_s, story.ends_s)
                and story.ends_s - stop.at_s > limits.stop_within_s
                and not story.is_away_at(stop.at_s)
            ):
                found = f"still uploading {story.ends_s - stop.at_s:.1f} s after StopCapture"
                yield Broken(found, "the end of the upload at once", (stop.number, event.number))
            continue
        took = event.upload_at_s - stop.at_s
        after = _after(event, stop.at_s)
        much = "" if after is None else f", {after / BYTES_A_SECOND:.2f} s of sound came after it"
        if took > limits.stop_within_s and story.is_explained(stop.at_s, event.upload_at_s):
            continue
        if took > limits.stop_within_s:
            found = f"the upload ended {took:.2f} s after StopCapture{much}"
            yield Broken(found, f"its end within {limits.stop_within_s:g} s", (stop.number, event.upload_number))
        else:
            yield Kept(event.upload_number, f"ended {1000 * took:.0f} ms after StopCapture{much}", took)


def _stop_of(story: Story, event: Told) -> Sent | None:
    """The StopCapture of an utterance."""
    stops = story.directives_named(STOP_CAPTURE)
    return next((each for each in stops if each.dialogue == event.dialogue and event.at_s <= each.at_s), None)


def _after(event: Told, at_s: float) -> int | None:
    """Bytes of sound that came after this time; None where it was not measured."""
    arrived = list(_pairs(_sound(event).get("arrived")))
    if not arrived:
        return None
    before = [size for ms, size in arrived if event.at_s + ms / 1000 <= at_s]
    return round(arrived[-1][1] - (before[-1] if before else 0.0))


def wake_word(story: Story, limits: Limits) -> Iterator[Case]:
    """With a wake word the sound holds it, and 300 ms before it; `indices` say where (PROTOCOL 3.3)."""
    for event in story.events_named(SPEECH):
        initiator = event.payload.get("initiator")
        if not isinstance(initiator, Mapping) or initiator.get("type") != "WAKEWORD":
            continue
        indices = _indices(initiator)
        samples = int(_sound(event).get("bytes") or 0) // 2
        if indices is None:
            expected = "wakeWord.indices with startIndexInSamples and endIndexInSamples"
            yield Broken("initiator WAKEWORD without indices", expected, (event.number,))
            continue
        start, end = indices
        if samples == 0:
            continue
        if end > samples and start < end and (_was_stopped(story, event) or story.is_struck(event.stream)):
            continue  # the mock did not want to hear the rest, or cut it
        if not 0 <= start < end <= samples:
            found = f"the wake word at samples {start} to {end} of a sound of {samples}"
            yield Broken(found, "indices inside the sound, counted from its first sample", (event.number,))
        elif start < LEAD_SAMPLES:
            found = f"{1000 * start / RATE:.0f} ms of sound before the wake word"
            yield Broken(found, "300 ms (4,800 samples)", (event.number,))
        else:
            yield Kept(event.number, f"{1000 * start / RATE:.0f} ms of sound before the wake word")


def _was_stopped(story: Story, event: Told) -> bool:
    """Whether the upload was ended because it was told to."""
    ended = story.ends_s if event.upload_at_s is None else event.upload_at_s
    return any(
        event.at_s <= each.at_s <= ended
        and each.dialogue == event.dialogue
        and (each.name == STOP_CAPTURE or each.payload.get("success") is False)
        for each in story.directives_named(STOP_CAPTURE, CONFIRM_WAKE_UP)
    )


def _indices(initiator: Mapping[str, Any]) -> tuple[int, int] | None:
    value: Any = initiator
    for member in ("payload", "wakeWord", "indices"):
        value = value.get(member) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping):
        return None
    start, end = value.get("startIndexInSamples"), value.get("endIndexInSamples")
    return (start, end) if isinstance(start, int) and isinstance(end, int) else None


def level(story: Story, limits: Limits) -> Iterator[Case]:
    """The sound can be recognised: not silent, not clipped (INF)."""
    for event in story.events_named(SPEECH):
        sound = _sound(event)
        loud = sound.get("level_dbfs")
        clipped = sound.get("clipped") or 0.0
        if not sound or (loud is None and "clipped" not in sound) or (event.lost and story.is_struck(event.stream)):
            continue
        if clipped > limits.clipped_part:
            found = f"{100 * clipped:.0f} % of the samples at full scale"
            yield Broken(found, f"at most {100 * limits.clipped_part:g} %", (event.upload_number,))
        elif loud is not None and loud < limits.quietest_dbfs:
            yield Broken(f"a level of {loud:g} dBFS", f"at least {limits.quietest_dbfs:g} dBFS", (event.upload_number,))
        else:
            yield Kept(event.upload_number)
