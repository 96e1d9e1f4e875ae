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


@pytest.mark.parametrize(
    ("arguments", "why"),
    [(["x", "-o", "x.ogg"], "expected FILE.wav or FILE.mp3"), ([" ", "-o", "x.wav"], "found no text to say")],
)
def test_what_cannot_be_written_is_said(arguments: list[str], why: str) -> None:
    assert why in str(CliRunner().invoke(say, arguments).exception)


def test_what_is_no_recording_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_text("x")
    result = CliRunner().invoke(listen, [str(tmp_path / "x.wav")])
    assert isinstance(result.exception, StartError)
    assert "not a WAV file of PCM" in str(result.exception)
    assert "cannot read" in str(CliRunner().invoke(listen, [str(tmp_path / "gone.wav")]).exception)
