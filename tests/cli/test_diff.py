"""`mockcic diff`: two trace files, and an exit code for a CI job."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mockcic.cli import group, main
from mockcic.trace.file import Trace, write_trace
from tests.support.entries import Entries, a_life


def written(path: Path, entries: Entries, dropped: int = 0) -> Path:
    write_trace(path, Trace(tuple(entries), dropped=dropped))
    return path


@pytest.fixture
def a(tmp_path: Path) -> Path:
    """A life."""
    return written(tmp_path / "a.cictrace", a_life("1"))


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The same life with another answer, 0.4 s later."""
    return written(tmp_path / "b.cictrace", a_life("2", text="흐려요", late_s=0.4))


def run(*args: object) -> Result:
    return CliRunner().invoke(group, ["diff", *map(str, args)])


def test_two_runs_of_the_same_exit_with_0(a: Path, tmp_path: Path) -> None:
    result = run(a, written(tmp_path / "b.cictrace", a_life("2")))
    assert (result.exit_code, result.output) == (0, "no difference\n")


def test_a_difference_exits_with_1_and_says_where(a: Path, other: Path) -> None:
    result = run(a, other)
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "…4f2a SpeechRecognizer.Recognize: directive SpeechSynthesizer.Speak: payload.ttsText  (entries 9 and 9)",
        '  A  "맑아요"',
        '  B  "흐려요"',
        "1 difference",
    ]


def test_the_band_says_how_far_times_may_be_off(a: Path, other: Path) -> None:
    result = run(a, other, "--band", "300ms")
    assert "directive SpeechSynthesizer.Speak: at  (entries 9 and 9)\n  A  1.3\n  B  1.7\n" in result.output
    assert result.output.endswith("2 differences\n")


@pytest.mark.parametrize("band", ["5", "soon", "{{ x }}"])
def test_a_band_is_a_duration(a: Path, band: str) -> None:
    result = run(a, a, "--band", band)
    assert result.exit_code == 2
    assert "--band" in result.output


def test_for_machines_it_is_a_list(a: Path, other: Path) -> None:
    result = run(a, other, "--json")
    assert result.exit_code == 1
    assert [(each["member"], each["a"], each["b"]) for each in json.loads(result.output)] == [
        ("payload.ttsText", "맑아요", "흐려요")
    ]
    assert json.loads(run(a, a, "--json").output) == []


def test_what_a_trace_lacks_is_said(a: Path, tmp_path: Path) -> None:
    """No difference in what is there is not the same as no difference."""
    result = run(a, written(tmp_path / "b.cictrace", a_life("2"), dropped=7))
    assert result.exit_code == 0
    assert "b.cictrace lacks 7 older entries; what they held is not compared" in result.stderr


def test_what_cannot_be_read_exits_with_2(a: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as exited:
        main(["diff", str(a), str(tmp_path / "nowhere")])
    assert exited.value.code == 2
