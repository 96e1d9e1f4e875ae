"""Prompts are spoken where there is a synthesiser, kept by text, voice and speed, and are tones elsewhere."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mockcic.sound.make import read_pcm, tone, wav
from mockcic.sound.marker import markers_in, prompt_number
from mockcic.sound.speak import Speaker

FAKE = """#!/usr/bin/env python3
import pathlib, shutil, sys
here = pathlib.Path(__file__).parent
args = dict(zip(sys.argv[1::2], sys.argv[2::2]))
with (here / "log").open("a") as log:
    print(args["-v"], args["-s"], pathlib.Path(args["-f"]).read_text(encoding="utf-8"), file=log)
if args["-v"] == "xx":
    sys.exit("no such voice")
shutil.copy(here / "voice.wav", args["-w"])
"""


@pytest.fixture
def synthesiser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of the name of espeak-ng on PATH, that writes down what it was asked; the file it writes into."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "espeak-ng"
    program.write_text(FAKE)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "voice.wav").write_bytes(wav(tone(330, 0.5, rate=22_050), 22_050))
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder / "log"


@pytest.fixture
def no_synthesiser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockcic.sound.speak.PROGRAMS", ())


def test_a_text_is_spoken_once_and_kept_over_servers(synthesiser: Path, tmp_path: Path) -> None:
    speaker = Speaker(lambda: tmp_path / "speech")
    spoken = speaker.speak("오늘은 맑아요", language="ko")
    assert (spoken.by, spoken.rate) == ("espeak-ng", 22_050)
    assert spoken.pcm == tone(330, 0.5, rate=22_050)
    assert speaker.speak(" 오늘은  맑아요 ") is spoken
    assert Speaker(lambda: tmp_path / "speech").speak("오늘은 맑아요") == spoken
    assert synthesiser.read_text() == "ko 160 오늘은 맑아요\n"
    speaker.speak("오늘은 맑아요", speed=200)
    speaker.speak("오늘은 맑아요", language="en")
    assert len(synthesiser.read_text().splitlines()) == 3


def test_a_text_is_never_an_option(synthesiser: Path) -> None:
    Speaker().speak("-w /etc/passwd")
    assert synthesiser.read_text() == "ko 160 -w /etc/passwd\n"


def test_a_synthesiser_that_fails_is_told_once_and_tones_come_instead(
    synthesiser: Path, caplog: pytest.LogCaptureFixture
) -> None:
    speaker = Speaker()
    spoken = [speaker.speak(text, language="xx") for text in ("하나", "둘")]
    assert [each.by for each in spoken] == ["tones", "tones"]
    assert [markers_in(each.pcm) for each in spoken] == [[prompt_number("하나")], [prompt_number("둘")]]
    assert [record.message.partition(" ")[2] for record in caplog.records] == [
        "cannot speak (no such voice); prompts are sent as tones"
    ]


@pytest.mark.usefixtures("no_synthesiser")
def test_without_a_synthesiser_a_prompt_is_its_tone_code() -> None:
    spoken = Speaker().speak("오늘은 맑아요")
    assert spoken.by == "tones"
    assert markers_in(spoken.pcm) == [prompt_number("오늘은 맑아요")]


def test_a_folder_that_cannot_be_written_costs_only_the_keeping(synthesiser: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert Speaker(lambda: tmp_path / "file" / "speech").speak("안녕").by == "espeak-ng"
    assert read_pcm((synthesiser.parent / "voice.wav").read_bytes())[1] == 22_050
