"""Digits, markers and recordings are found again after what a device does to them, and not where there are none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockcic.sound.dtmf import digits_in, dtmf
from mockcic.sound.fingerprint import ALIKE, Fingerprint, fingerprint, likeness, nearest
from mockcic.sound.make import silence, tone
from mockcic.sound.marker import HIGHEST, PROMPTS, marker, markers_in, prompt, prompt_number
from tests.support.signals import pcm, speech, through_a_device, with_noise

RECORDINGS = [speech(seed=seed, seconds=1.2 + seed % 5 * 0.4, pitch=100 + 30 * (seed % 4)) for seed in range(16)]


def known(samples: object) -> Fingerprint:
    found = fingerprint(bytes(memoryview(samples)))  # type: ignore[arg-type]
    assert found is not None
    return found


@settings(max_examples=20, deadline=None)
@given(st.text("0123456789*#ABCD", max_size=12))
def test_digits_are_heard_as_they_were_made(digits: str) -> None:
    assert digits_in(dtmf(digits)) == digits


@settings(max_examples=20, deadline=None)
@given(st.integers(0, HIGHEST), st.integers(0, 4800))
def test_a_marker_is_heard_as_it_was_made(number: int, offset: int) -> None:
    assert markers_in(bytes(2 * offset) + marker(number)) == [number]


def test_digits_and_markers_are_heard_quiet_and_with_noise() -> None:
    assert digits_in(with_noise(dtmf("159#"), gain=0.1, noise=60)) == "159#"
    assert markers_in(with_noise(marker(4711), gain=0.1, noise=100)) == [4711]


def test_several_markers_are_heard_one_after_another() -> None:
    assert markers_in(marker(7) + speech(seconds=1.0).tobytes() + marker(8)) == [7, 8]


def test_neither_is_heard_in_speech_and_noise_nor_one_for_the_other() -> None:
    noise = pcm(np.random.default_rng(1).standard_normal(32_000) * 3000)
    for sound in (*RECORDINGS, noise):
        assert (digits_in(sound.tobytes()), markers_in(sound.tobytes())) == ("", [])
    assert digits_in(marker(123_456)) == ""
    assert markers_in(dtmf("123456")) == []
    assert (digits_in(b""), markers_in(silence(0.01)), digits_in(silence(1.0))) == ("", [], "")


def test_a_broken_marker_is_none() -> None:
    """Its check would have to be right by chance."""
    assert markers_in(marker(1)[:25_000]) == []


def test_what_cannot_be_said_in_tones_is_refused() -> None:
    with pytest.raises(ValueError, match="'E' is no DTMF digit"):
        dtmf("12E")
    with pytest.raises(ValueError, match="there are 0 to 999999"):
        marker(1_000_000)


def test_a_prompt_says_which_text_it_is() -> None:
    assert markers_in(prompt("오늘은 맑아요")) == [prompt_number("오늘은 맑아요")]
    assert prompt_number(" 오늘은   맑아요\n") == prompt_number("오늘은 맑아요") >= PROMPTS
    assert prompt_number("오늘은 흐려요") != prompt_number("오늘은 맑아요")


@pytest.mark.parametrize("which", range(len(RECORDINGS)))
def test_a_recording_is_known_again_through_a_device(which: int) -> None:
    """Other gain, 300 ms of offset, noise 20 dB below, ends cut."""
    heard = fingerprint(through_a_device(RECORDINGS[which], seed=which).tobytes())
    name, alike = nearest(heard, [(str(n), known(each)) for n, each in enumerate(RECORDINGS)])
    assert name == str(which)
    assert alike > ALIKE + 0.1


def test_other_recordings_are_not_alike() -> None:
    prints = [known(each) for each in RECORDINGS]
    worst = max(likeness(prints[one], prints[other]) for one in range(len(prints)) for other in range(one))
    assert worst < ALIKE - 0.1


def test_tones_and_noise_are_told_apart_too() -> None:
    low, high = (fingerprint(tone(hz, 1.0)) for hz in (440, 880))
    assert low is not None
    assert high is not None
    assert likeness(low, low) > 0.99
    assert likeness(low, high) < 0.5


def test_silence_has_no_fingerprint() -> None:
    assert fingerprint(silence(2.0)) is None
    assert fingerprint(b"") is None
    assert nearest(None, [("a", known(RECORDINGS[0]))]) == ("", 0.0)
