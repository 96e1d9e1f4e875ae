"""`mockcic show`: a trace file for people, for machines, and as a picture."""

from __future__ import annotations

import json
import wave
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from mockcic.cli import group
from mockcic.errors import StartError
from mockcic.trace.file import RuleUse, Trace, write_trace
from tests.support.entries import SOUND, a_life
from tests.support.golden import same_as_golden

SPEECH = b"\xff\xf3" + b"mp3" * 100


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A trace with the sound of its upload; one of its two attachments is gone."""
    digests = {6: SOUND, 10: SPEECH}
    life = [
        entry._replace(data={**entry.data, "sha256": sha256(digests[entry.number]).hexdigest()})
        if entry.number in digests
        else entry
        for entry in a_life()
    ]
    life.append(life[9]._replace(number=26, data={**life[9].data, "sha256": "0" * 64}))
    trace = Trace(
        entries=tuple(life),
        title="kitchen speaker",
        created="2026-03-02T03:01:15+00:00",
        version="0.1.0",
        dropped=7,
        rules=(RuleUse("weather", "weather", 1), RuleUse("weather", "never asked", 0)),
        scenarios={"weather": "scenario: weather\n"},
        blobs={sha256(data).hexdigest(): data for data in digests.values()},
    )
    write_trace(tmp_path / "a.cictrace", trace)
    return tmp_path / "a.cictrace"


def show(*args: object) -> Result:
    return CliRunner().invoke(group, ["show", *map(str, args)], catch_exceptions=True)


def test_it_prints_what_the_trace_is_and_the_dialogue(file: Path) -> None:
    """tests/golden/trace/show.txt, made anew by REWRITE_GOLDEN=1 and then read."""
    result = show(file)
    assert result.exit_code == 0
    same_as_golden("trace/show.txt", result.output)


def test_a_filter_leaves_what_fits(file: Path) -> None:
    lines = show(file, "--filter", "kind=finding").output.splitlines()
    assert "  entries    1 of 33" in lines
    assert [line for line in lines if line.startswith("   +") or "! " in line][-1].endswith("expected an event; ask")


def test_a_filter_that_cannot_be_read_says_where(file: Path) -> None:
    """Exit code 2, as of any wrong option."""
    result = show(file, "--filter", "kind=find")
    assert result.exit_code == 2
    assert "there is no kind find; expected finding?" in result.output


def test_json_lines_begin_with_the_trace_itself(file: Path) -> None:
    first, *entries = [json.loads(line) for line in show(file, "--json").output.splitlines()]
    assert (first["kind"], first["dropped"], first["devices"], first["entries"]) == ("trace", 7, ["…4f2a"], 33)
    assert entries[:32] == [
        entry.as_json() | ({"sha256": entries[entry.number - 1]["sha256"]} if entry.number in (6, 10) else {})
        for entry in a_life()
    ]


def test_a_picture_goes_to_a_file(file: Path, tmp_path: Path) -> None:
    """Its folder is made."""
    out = tmp_path / "report" / "a.svg"
    assert show(file, "--svg", "-o", out).output == ""
    root = ET.parse(out).getroot()
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "kitchen speaker"


def test_a_diagram_is_mermaid(file: Path) -> None:
    assert show(file, "--mermaid").output.startswith("sequenceDiagram\n    box transparent …4f2a\n")


def test_a_diagram_that_mermaid_would_not_draw_is_told(tmp_path: Path) -> None:
    """More than 50,000 characters, unless its own setting is raised."""
    write_trace(tmp_path / "a.cictrace", Trace(tuple(a_life()) * 60))
    result = show(tmp_path / "a.cictrace", "--mermaid")
    assert "of which Mermaid draws 50000 unless its maxTextSize is raised" in result.stderr
    assert result.stdout.startswith("sequenceDiagram")


def test_the_dialogue_in_a_file_has_no_colours(file: Path, tmp_path: Path) -> None:
    show(file, "-o", tmp_path / "a.txt")
    text = (tmp_path / "a.txt").read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert text == show(file).output


def test_sounds_are_saved_as_files_that_play(file: Path, tmp_path: Path) -> None:
    """An upload as WAV; what the device was sent as it was, when it was kept."""
    result = show(file, "--audio", tmp_path / "sounds")
    assert f"2 sounds in {tmp_path / 'sounds'}, 1 were not kept" in result.stderr
    upload, speech = sorted((tmp_path / "sounds").iterdir())
    assert upload.name == "000006-4f2a-SpeechRecognizer.Recognize.wav"
    assert speech.name == "000010-4f2a-11111111bbbb4bbb8bbb111111111111.mp3"
    with wave.open(str(upload)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (16_000, 1, len(SOUND) // 2)
    assert speech.read_bytes() == SPEECH


def test_a_sound_stays_in_its_folder_whatever_it_is_called(tmp_path: Path) -> None:
    """The name of an attachment comes from a scenario, that of a device from its token."""
    entry = a_life()[9]._replace(name="../../x", device="../y", data={"sha256": sha256(SPEECH).hexdigest()})
    trace = Trace((entry,), blobs={sha256(SPEECH).hexdigest(): SPEECH})
    write_trace(tmp_path / "a.cictrace", trace)
    show(tmp_path / "a.cictrace", "--audio", tmp_path / "sounds")
    assert [each.name for each in (tmp_path / "sounds").iterdir()] == ["000010-y-x.mp3"]


def test_what_is_no_trace_is_one_sentence(tmp_path: Path) -> None:
    """Exit code 2."""
    (tmp_path / "a.cictrace").write_text("hello")
    result = show(tmp_path / "a.cictrace")
    assert isinstance(result.exception, StartError)
    assert "found no zip file" in str(result.exception)


def test_a_place_it_cannot_write_is_told(file: Path) -> None:
    result = show(file, "-o", file / "x.txt")
    assert isinstance(result.exception, StartError)
    assert "cannot write" in str(result.exception)
