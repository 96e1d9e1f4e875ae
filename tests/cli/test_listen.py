"""`mockcic say` and `mockcic listen`: a text into a file, and out of a recording again."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from mockcic.cli.listen import command as listen
from mockcic.cli.say import command as say
from mockcic.errors import StartError
from mockcic.sound.dtmf import dtmf
from mockcic.sound.make import wav
from mockcic.sound.marker import marker


def test_a_prompt_is_told_from_its_recording(tmp_path: Path) -> None:
    path = tmp_path / "prompt.wav"
    done = CliRunner().invoke(say, ["오늘은 맑아요", "--tones", "-o", str(path)])
    assert done.output == f"{path}  1.04 s, tones\n"
    heard = CliRunner().invoke(listen, [str(path), "--prompt", "오늘은 맑아요"]).output
    assert "(prompt: 오늘은 맑아요)" in heard
    assert "(a prompt)" in CliRunner().invoke(listen, [str(path)]).output
    assert "looks like 16 kHz PCM" in heard
    assert "dtmf       none" in heard


def test_digits_and_markers_are_heard_at_another_rate_too(tmp_path: Path) -> None:
    path = tmp_path / "digits.wav"
    path.write_bytes(wav(dtmf("159#", 22_050) + marker(42, 22_050), 22_050))
    heard = CliRunner().invoke(listen, [str(path)]).output
    assert "dtmf       159#" in heard
    assert "markers    42\n" in heard
    assert "(at 22050 Hz)" in heard


def test_a_text_can_be_an_mp3(tmp_path: Path) -> None:
    path = tmp_path / "prompt.mp3"
    assert CliRunner().invoke(say, ["네", "-o", str(path)]).exit_code == 0
    assert path.read_bytes()[0] == 0xFF


def test_test_audio_with_digits_and_markers_is_made(tmp_path: Path) -> None:
    """What a scenario recognises by `audio.dtmf` and `audio.marker`."""
    path = tmp_path / "said.wav"
    assert CliRunner().invoke(say, ["--dtmf", "12#", "-o", str(path)]).output == f"{path}  0.56 s, digits 12#\n"
    assert "dtmf       12#" in CliRunner().invoke(listen, [str(path)]).output
    assert CliRunner().invoke(say, ["--marker", "7", "-o", str(path)]).exit_code == 0
    assert "markers    7\n" in CliRunner().invoke(listen, [str(path)]).output


def test_an_mp3_has_the_rates_that_are_asked_for(tmp_path: Path) -> None:
    """The third byte of a frame: 128 kilobits and 44.1 kHz of MPEG-1 (ISO/IEC 11172-3 2.4.2.3)."""
    path = tmp_path / "prompt.mp3"
    done = CliRunner().invoke(say, ["네", "--tones", "--rate", "44100", "--bitrate", "128", "-o", str(path)])
    assert done.exit_code == 0
    assert path.read_bytes()[:3][1:] in (b"\xfb\x90", b"\xfb\x92")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["x", "-o", "x.ogg"], "expected FILE.wav or FILE.mp3"),
        ([" ", "-o", "x.wav"], "found nothing to say, expected one of a text, --dtmf, --marker"),
        (["x", "--marker", "1", "-o", "x.wav"], "found a text and --marker"),
        (["--dtmf", "12x", "-o", "x.wav"], "'x' is no DTMF digit"),
        (["--marker", "1000000", "-o", "x.wav"], "1000000 is no marker; there are 0 to 999999"),
        (["x", "--rate", "44100", "-o", "x.wav"], "x.wav with --rate or --bitrate, expected FILE.mp3"),
        (["x", "--rate", "11025", "-o", "x.mp3"], "an MP3 of 11025 samples a second, expected one of 16000, 22050"),
    ],
)
def test_what_cannot_be_written_is_said(arguments: list[str], why: str) -> None:
    assert why in str(CliRunner().invoke(say, arguments).exception)


def test_what_is_no_recording_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_text("x")
    result = CliRunner().invoke(listen, [str(tmp_path / "x.wav")])
    assert isinstance(result.exception, StartError)
    assert "not a WAV file of PCM" in str(result.exception)
    assert "cannot read" in str(CliRunner().invoke(listen, [str(tmp_path / "gone.wav")]).exception)
