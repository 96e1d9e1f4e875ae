"""Sounds that are made: PCM, WAV, and MP3 that is one."""

from __future__ import annotations

import io
import wave

import pytest

from mockcic.sound.make import mp3, read_wav, silence, tone, wav
from mockcic.sound.mp3 import seconds


def wav_of(pcm: bytes, *, rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(pcm)
    return file.getvalue()


@pytest.mark.parametrize("length", [0.5, 1.0, 3.0])
def test_an_mp3_lasts_as_long_as_its_sound(length: float) -> None:
    """By its frame headers; LAME adds the delay of its filters (about 0.08 s)."""
    assert seconds(mp3(tone(440, length))) == pytest.approx(length, abs=0.12)


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_an_mp3_may_have_the_highest_rates(rate: int) -> None:
    """Of a sound at a lower rate: six times as much comes of each piece."""
    assert seconds(mp3(tone(440, 3.0, rate=rate), rate, 320, 48_000)) == pytest.approx(3.0, abs=0.12)


def test_silence_and_tone_have_the_length_asked_for() -> None:
    assert len(silence(1.5)) == 48_000
    assert len(tone(440, 0.25)) == 8_000
    assert silence(0.1) == bytes(3_200)


def test_a_tone_swells_and_fades() -> None:
    """Or loudspeakers click."""
    pcm = tone(440, 0.2)
    samples = [int.from_bytes(pcm[n : n + 2], "little", signed=True) for n in range(0, len(pcm), 2)]
    assert abs(samples[1]) < 100
    assert max(abs(sample) for sample in samples[-3:]) < max(samples) / 4


def test_a_wav_of_the_right_form_is_read_as_it_is() -> None:
    pcm = tone(440, 0.2)
    assert read_wav(wav(pcm)) == pcm


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 1), (8_000, 1), (16_000, 2), (48_000, 2)])
def test_other_rates_and_channels_are_converted(rate: int, channels: int) -> None:
    one = tone(440, 0.5, rate=rate)
    pcm = b"".join(one[n : n + 2] * channels for n in range(0, len(one), 2))
    assert len(read_wav(wav_of(pcm, rate=rate, channels=channels))) == pytest.approx(16_000, abs=4)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"ID3 and so on"])
def test_what_is_no_wav_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a WAV file"):
        read_wav(data)


def test_other_sample_sizes_are_refused_with_what_was_found() -> None:
    with pytest.raises(ValueError, match="samples of 8 bits; expected 16"):
        read_wav(wav_of(bytes(100), width=1))
