"""A verdict as people read it: nothing is cut."""

from __future__ import annotations

from pathlib import Path

from mockcic.journal.entry import Entry
from mockcic.journal.filter import read_filter
from mockcic.verdict.judge import verify
from mockcic.verdict.text import LONG, verdict_text
from mockcic.verdict.times import at_least, exactly
from mockcic.verdict.verdict import VerificationError


def event(number: int, **payload: object) -> Entry:
    return Entry(
        number, "event", number / 10, 0.0, "…4f2a", "c1", f"c1.{number}", name="Clova.Ask", data={"payload": payload}
    )


def test_what_was_asked_what_came_and_each_field() -> None:
    verdict = verify([event(1, text="불 켜", n=3)], read_filter("Clova.Ask payload.text=물 payload.n>2"), at_least(1))
    assert verdict_text(verdict).splitlines() == [
        "broken: Clova.Ask payload.text=물 payload.n>2 at least once",
        "  it did not come",
        '  nearest: #1 +0.100 …4f2a c1.1 event Clova.Ask {"text": "불 켜", "n": 3}',
        "      kind          expected event or directive",
        "      name          expected Clova.Ask",
        '    ✗ payload.text  expected 물                  got "불 켜"',
        "      payload.n     expected > 2",
        "  what came at all:",
        "        1 × event Clova.Ask",
    ]


def test_too_many_are_listed() -> None:
    verdict = verify([event(1, n=1), event(2, n=2)], read_filter("Clova.Ask"), exactly(1))
    assert verdict_text(verdict).splitlines() == [
        "broken: Clova.Ask exactly once",
        "  it came 2 times",
        "  what fits:",
        '    #1 +0.100 …4f2a c1.1 event Clova.Ask {"n": 1}',
        '    #2 +0.200 …4f2a c1.2 event Clova.Ask {"n": 2}',
    ]


def test_what_is_absent_is_told() -> None:
    verdict = verify([event(1)], read_filter("Clova.Ask payload.text=물"), at_least(1))
    assert "    ✗ payload.text  expected 물                  got nothing: it is absent" in verdict_text(verdict)


def test_a_kept_one_is_short() -> None:
    assert verdict_text(verify([event(1)], read_filter("Clova.Ask"), at_least(1))) == (
        "kept: Clova.Ask at least once\n  it came once"
    )


def test_a_long_value_goes_whole_to_a_file_that_is_named(tmp_path: Path) -> None:
    long = "긴 글 " * LONG

    def keep(member: str, text: str) -> Path:
        path = tmp_path / f"{member}.txt"
        path.write_text(text)
        return path

    verdict = verify([event(1, text=long)], read_filter("Clova.Ask payload.text=물"), at_least(1))
    text = verdict_text(verdict, keep=keep)
    assert f"got a text of {len(long)} characters, whole in {tmp_path}/payload.text.txt" in text
    assert (tmp_path / "payload.text.txt").read_text() == long
    assert long not in text


def test_by_itself_a_long_value_goes_to_a_temporary_file() -> None:
    verdict = verify([event(1, text="x" * 9999)], read_filter("Clova.Ask payload.text=물"), at_least(1))
    try:
        verdict.raise_if_broken()
    except VerificationError as error:
        named = Path(str(error).partition("got a text of 9999 characters, whole in ")[2].splitlines()[0])
    assert named.read_text() == "x" * 9999
    named.unlink()
