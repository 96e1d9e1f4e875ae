"""How long an MP3 plays."""

from __future__ import annotations

import pytest

from mockcic.sound import make, mp3


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100, 8_000])
@pytest.mark.parametrize("bitrate_kbps", [32, 64])
def test_real_mp3_is_as_long_as_its_sound_but_for_the_encoder_s_padding(rate: int, bitrate_kbps: int) -> None:
    """LAME adds up to three frames around the sound; ISO/IEC 11172-3 2.4.1.3, 13818-3 for MPEG-2 and 2.5."""
    sound = make.mp3(make.tone(440, 2.0, rate=rate), rate, bitrate_kbps)
    assert 2.0 <= mp3.seconds(sound) <= 2.0 + 3 * 1152 / rate


def test_a_tag_in_front_and_rubbish_between_do_not_count() -> None:
    """An ID3v2 tag says its own size in four times seven bits."""
    sound = make.mp3(make.silence(1.0))
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 1, 2]) + b"\xff\xfb\x90\x00" + bytes(126)
    assert mp3.seconds(tag + sound) == pytest.approx(mp3.seconds(sound))
    assert mp3.seconds(b"no sound" + sound) == pytest.approx(mp3.seconds(sound))


@pytest.mark.parametrize("data", [b"", b"\xff", b"ID3", b"RIFF....WAVE", bytes(1000), b"\xff" * 1000])
def test_what_is_no_mp3_has_no_length(data: bytes) -> None:
    """INF: the device plays nothing then."""
    assert mp3.seconds(data) == 0.0
