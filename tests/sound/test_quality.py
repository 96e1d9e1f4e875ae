"""What is measured of an upload, and what it is suspected of: never without reason."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockcic.sound.make import mp3, silence, tone, wav
from mockcic.sound.quality import SUSPICIONS, Gauge, Quality, quality_of, suspected_by_pace
from tests.support.signals import pcm, resampled, speech

SPEECH = speech()
MIXED = tone(440, 0.5) + silence(0.3) + speech(seconds=5.0, seed=4).tobytes() + b"\1"


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, len(MIXED)), max_size=20))
def test_a_cut_changes_nothing_even_between_the_bytes_of_a_sample(cuts: list[int]) -> None:
    gauge, start = Gauge(), 0
    for end in (*sorted(cuts), len(MIXED)):
        gauge.feed(MIXED[start:end])
        start = end
    assert gauge.finish() == quality_of(MIXED)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-32768, 32767), min_size=320, max_size=1000))
def test_peak_clipping_and_offset_are_those_of_the_samples(samples: list[int]) -> None:
    found = quality_of(np.array(samples, "<i2").tobytes())
    full = sum(each == 32767 or each <= -32767 for each in samples)
    assert found.clipped == pytest.approx(full / len(samples))
    assert found.dc == pytest.approx(sum(samples) / len(samples) / 32768)
    peak = max(abs(each) for each in samples)
    assert found.peak_dbfs == pytest.approx(20 * np.log10(peak / 32768) if peak else -96.0)


def test_a_tone_has_the_level_it_was_made_with_and_silence_the_lowest() -> None:
    assert quality_of(tone(440, 2.0, -20)).level_dbfs == pytest.approx(-20, abs=0.2)
    assert quality_of(silence(0.5)).level_dbfs == -96.0
    assert quality_of(b"") == Quality()


def test_silence_is_what_is_below_the_threshold() -> None:
    sound = tone(440, 1.0, -20) + silence(0.6) + tone(440, 0.4, -50)
    assert quality_of(sound).silent_s == pytest.approx(1.0, abs=0.03)
    assert quality_of(sound, threshold_dbfs=-60).silent_s == pytest.approx(0.6, abs=0.03)


def test_a_gap_is_a_run_of_one_value_inside_sound() -> None:
    """A hundred milliseconds of it, in the middle; silence before and behind is none."""
    torn = SPEECH.copy()
    torn[16_000:18_400] = 0
    assert quality_of(silence(0.5) + torn.tobytes() + silence(0.5)).gaps == ((1.5, 0.15),)
    torn[16_000:18_400] = 77  # a driver that repeats its last sample
    assert quality_of(torn.tobytes()).gaps == ((1.0, 0.15),)
    torn[17_000] = 5  # 62 and 87 ms
    assert quality_of(torn.tobytes()).gaps == ()


def test_a_gap_over_the_border_of_two_blocks_is_one_gap() -> None:
    long = speech(seconds=6.0)
    long[63_000:66_000] = 0
    assert quality_of(long.tobytes()).gaps == ((3.938, 0.188),)


def test_twenty_gaps_are_told() -> None:
    pieces = (tone(440, 0.1) + silence(0.15)) * 30 + tone(440, 0.1)
    assert len(quality_of(pieces).gaps) == 20


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("pitch", [90, 130, 180, 250])
def test_speech_is_suspected_of_nothing(seed: int, pitch: float) -> None:
    found = quality_of(speech(seed=seed, pitch=pitch).tobytes())
    assert (found.suspicions, found.gaps, found.clipped) == ((), (), 0.0)


@pytest.mark.parametrize("hz", [50, 100, 440, 1000, 2600, 2900, 3999, 4000, 4100, 5000, 7900])
@pytest.mark.parametrize("level", [-3, -12, -40])
def test_a_tone_is_suspected_of_nothing(hz: float, level: float) -> None:
    assert quality_of(tone(hz, 1.0, level)).suspicions == ()


@pytest.mark.parametrize("loud", [1, 2, 30, 200, 3000, 12_000])
def test_noise_is_suspected_of_nothing(loud: float) -> None:
    noise = np.random.default_rng(1).standard_normal(32_000) * loud
    assert quality_of(pcm(noise).tobytes()).suspicions == ()


def test_silence_and_rubbish_are_suspected_of_nothing() -> None:
    assert quality_of(silence(2.0)).suspicions == ()
    assert all(quality_of(os.urandom(32_000)).suspicions == () for _ in range(20))
    assert quality_of(b"\1").suspicions == ("odd-bytes",)


def interleaved(left: np.ndarray, right: np.ndarray) -> bytes:  # type: ignore[type-arg]
    return bytes(np.stack([left, right], 1).reshape(-1).tobytes())


WRONG = {
    "big-endian": SPEECH.byteswap().tobytes(),
    "8 kHz": resampled(speech(8000), 8000, 16_000).tobytes(),
    "44.1 kHz": resampled(SPEECH, 16_000, 44_100).tobytes(),
    "48 kHz": resampled(SPEECH, 16_000, 48_000).tobytes(),
    "stereo": interleaved(SPEECH, pcm(SPEECH * 0.8)),
    "8-bit": ((SPEECH >> 8).astype(int) + 128).astype("u1").tobytes(),
    "wav-header": wav(SPEECH.tobytes()),
    "mp3": mp3(SPEECH.tobytes()),
    "odd-bytes": SPEECH.tobytes() + b"\0",
}


@pytest.mark.parametrize("wrong", SUSPICIONS)
def test_what_the_bytes_really_are_is_told(wrong: str) -> None:
    assert quality_of(WRONG[wrong]).suspicions == (wrong,)


@pytest.mark.parametrize("seed", range(2, 7))
def test_other_rates_and_orders_are_told_of_other_speech_too(seed: int) -> None:
    other = speech(seed=seed, pitch=170, seconds=2.0)
    assert quality_of(other.byteswap().tobytes()).suspicions == ("big-endian",)
    assert quality_of(interleaved(other, other)).suspicions == ("stereo",)
    assert quality_of(interleaved(other, other * 0)).suspicions == ("stereo",)
    assert quality_of(resampled(speech(8000, seed=seed, seconds=2.0), 8000, 16_000).tobytes()).suspicions == ("8 kHz",)


def arriving(times: float, *, seconds: float = 4.0, jitter_ms: int = 0) -> list[tuple[int, int]]:
    dice = np.random.default_rng(1)
    blocks = int(seconds * 5)
    return [(200 * n + int(dice.integers(0, jitter_ms + 1)), int(6400 * times) * (n + 1)) for n in range(blocks)]


@pytest.mark.parametrize(("times", "told"), [(0.5, "8 kHz"), (44.1 / 16, "44.1 kHz"), (3.0, "48 kHz")])
def test_another_rate_is_told_by_a_steady_pace(times: float, told: str) -> None:
    assert suspected_by_pace(arriving(times, jitter_ms=15), roughness=0.005) == told


def test_the_pace_says_nothing_of_real_time_of_bursts_and_of_sound_that_has_heights() -> None:
    assert suspected_by_pace(arriving(1.0, jitter_ms=30), 0.0) is None
    assert suspected_by_pace(arriving(2.9), 0.0) is None
    assert suspected_by_pace(arriving(3.0, seconds=1.0), 0.0) is None
    assert suspected_by_pace(arriving(3.0), roughness=0.05) is None
    assert suspected_by_pace([(0, 6400), (10, 300_000), (20, 300_320), (4000, 384_000)] * 3, 0.0) is None
