"""The meter: how it is cut means nothing; levels and silences are what they should be."""

from __future__ import annotations

import hashlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockcic.sound.make import silence, tone
from mockcic.sound.measure import Meter

SPEECH = tone(440, 0.5) + silence(0.3)


def measured(pcm: bytes, *cuts: int, **how: bool | float) -> Meter:
    meter = Meter(**how)  # type: ignore[arg-type]  # passed on as the test gave it
    start = 0
    for end in (*sorted(cuts), len(pcm)):
        meter.feed(pcm[start:end])
        start = end
    return meter


@given(cuts=st.lists(st.integers(0, len(SPEECH)), max_size=20))
def test_a_cut_changes_nothing_even_between_the_bytes_of_a_sample(cuts: list[int]) -> None:
    cut, whole = measured(SPEECH, *cuts), measured(SPEECH)
    assert (cut.size, cut.sha256, cut.level_dbfs, cut.peak_dbfs, cut.silent_for_s) == (
        whole.size,
        whole.sha256,
        whole.level_dbfs,
        whole.peak_dbfs,
        whole.silent_for_s,
    )


def test_seconds_bytes_and_digest_are_those_of_the_sound() -> None:
    """16-bit, 16 kHz, mono: 32,000 bytes a second (PROTOCOL 3.3)."""
    meter = measured(SPEECH)
    assert meter.seconds == pytest.approx(0.8)
    assert meter.size == len(SPEECH)
    assert meter.sha256 == hashlib.sha256(SPEECH).hexdigest()


@pytest.mark.parametrize("level", [-6.0, -12.0, -40.0])
def test_a_tone_has_the_level_it_was_made_with(level: float) -> None:
    assert measured(tone(440, 2.0, level)).level_dbfs == pytest.approx(level, abs=0.2)


def test_silence_counts_only_after_something_louder() -> None:
    assert measured(silence(1.0)).silent_for_s is None
    assert measured(SPEECH).silent_for_s == pytest.approx(0.3, abs=0.021)
    assert measured(SPEECH + tone(440, 0.1)).silent_for_s == 0.0


def test_the_threshold_decides_what_is_silent() -> None:
    quiet = tone(440, 0.5, -20) + tone(440, 0.5, -50)
    assert measured(quiet, threshold_dbfs=-45.0).silent_for_s == pytest.approx(0.5, abs=0.05)
    assert measured(quiet, threshold_dbfs=-60.0).silent_for_s == 0.0


def test_only_the_level_of_the_whole_is_estimated_when_nobody_asks_for_more() -> None:
    """One sample in 32 is looked at: cheap enough for every upload."""
    meter = measured(SPEECH, levels=False)
    exact = measured(SPEECH).level_dbfs
    assert meter.level_dbfs is not None
    assert exact is not None
    assert abs(meter.level_dbfs - exact) < 1
    assert (meter.peak_dbfs, meter.silent_for_s) == (None, None)
    assert meter.seconds == pytest.approx(0.8)


def test_silence_has_the_lowest_level_and_no_sound_has_none() -> None:
    assert measured(silence(0.1)).level_dbfs == -96.0
    assert measured(b"").level_dbfs is None


@given(st.lists(st.integers(-32768, 32767), min_size=320, max_size=320))
def test_level_and_peak_are_those_of_the_samples(samples: list[int]) -> None:
    """The definition, summed exactly; -32768 is full scale."""
    meter = measured(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))
    squares, peak = sum(sample * sample for sample in samples), max(abs(sample) for sample in samples)
    assert meter.level_dbfs == pytest.approx(max(-96.0, 10 * math.log10(squares / 320 / 32768**2)) if squares else -96)
    assert meter.peak_dbfs == pytest.approx(max(-96.0, 20 * math.log10(peak / 32768)) if peak else -96)
