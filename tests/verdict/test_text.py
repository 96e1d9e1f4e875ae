"""A verdict as people read it: nothing is cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from mockcic.journal.entry import Entry
from mockcic.journal.filter import read_filter
from mockcic.verdict.judge import all_rules_used, never, no_findings, no_unmatched, verify, verify_order
from mockcic.verdict.text import LINES, LONG, keep_value, verdict_text, written
from mockcic.verdict.times import at_least, between, exactly
from mockcic.verdict.verdict import VerificationError
from tests.support.golden import same_as_golden


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
    with pytest.raises(VerificationError) as problem:
        verdict.raise_if_broken()
    named = Path(str(problem.value).partition("got a text of 9999 characters, whole in ")[2].splitlines()[0])
    assert named.read_text() == "x" * 9999
    named.unlink()


def test_the_texts_people_read() -> None:
    """tests/golden/verdict; made anew by REWRITE_GOLDEN=1."""
    life = [
        Entry(1, "downchannel", 0.1, 0.0, "…4f2a", "c1", "c1.1", name="open"),
        Entry(2, "directive", 0.2, 0.0, "…4f2a", "c1", "c1.1", name="Clova.Hello", data={"payload": {}}),
        event(3, text="불 켜", lang="ko", room={"이름": "거실", "n": 2}),
        event(4, text="오늘 날씨 어때", lang="ja"),
        Entry(5, "match", 0.5, 0.0, "…4f2a", "c1", "c1.4", data={
            "event": "Clova.Ask",
            "nearest": [{"rule": "불", "misses": [{"member": "payload.lang", "expected": '"ko"', "got": '"ja"'}]}],
        }),
        Entry(6, "finding", 0.6, 0.0, "…4f2a", "c1", "c1.4", name="multipart.last-delimiter", data={
            "found": "END_STREAM", "expected": "CRLF --boundary-- (PROTOCOL 3.1)",
        }),
        Entry(7, "answer", 0.7, 0.0, "…4f2a", "c1", "c1.4", name="Clova.Ask", data={"status": 204}),
    ]  # fmt: skip
    lamp = read_filter(
        {"name": "Clova.Ask", "payload": {"text": "불 꺼", "room": {"이름": "거실"}, "volume": {"min": 3}}}
    )
    for name, verdict in {
        "nearest": verify(life, lamp, at_least(1)),
        "too-many": verify(life, read_filter("Clova.Ask"), exactly(1)),
        "nothing": verify([], read_filter('event "불"'), at_least(1)),
        "gone": verify(life, read_filter("Clova.Ask"), at_least(3), gone=True),
        "never": never(life, read_filter("answer status>=200"), for_s=1.5),
        "order": verify_order(life, [read_filter("Clova.Ask"), read_filter("Clova.Hello")]),
        "unmatched": no_unmatched(life),
        "findings": no_findings(life, allow=["upload.*"]),
        "rules": all_rules_used(life, [("집", "불"), ("집", "날씨")]),
        "kept": verify(life, read_filter("Clova.Ask"), between(1, 2)),
    }.items():
        same_as_golden(f"verdict/{name}.txt", verdict_text(verdict) + "\n")


def test_what_was_asked_goes_to_a_file_too_when_it_is_long(tmp_path: Path) -> None:
    kept: dict[str, str] = {}

    def keep(member: str, text: str) -> Path:
        kept[member] = text
        return tmp_path / member

    long = verify(
        [event(1, text="b")], read_filter({"name": "Clova.Ask", "payload.text": "가" * (LONG + 1)}), at_least(1)
    )
    text = verdict_text(long, keep=keep)
    assert f"expected a text of {LONG + 1} characters, whole in {tmp_path}/payload.text-expected" in text
    assert kept["payload.text-expected"] == "가" * (LONG + 1)


@pytest.mark.parametrize(
    ("text", "whole"),
    [("x" * (LONG - 2), True), ("x" * (LONG + 1), False), ("x\n" * (LINES - 1), True), ("x\n" * LINES, False),
     ("\\n" * LINES, True)],
)  # fmt: skip
def test_a_value_is_long_above_2000_characters_and_20_lines(text: str, whole: bool) -> None:
    """A backslash before an n is no line."""
    assert (written(text, "payload.text", lambda *_: Path("file")) == json.dumps(text)) is whole


def test_the_same_long_value_is_one_file() -> None:
    """Who asks again and again does not fill the disk."""
    paths = {keep_value("payload.text", "같은 값" * LONG) for _ in range(3)}
    other = keep_value("payload.text", "다른 값" * LONG)
    assert len(paths) == 1
    assert other not in paths
    for path in (*paths, other):
        path.unlink()


def test_half_a_letter_can_be_written_to_a_file_and_to_a_terminal() -> None:
    """JSON may have a lone surrogate."""
    path = keep_value("payload.text", "\ud800" * 3)
    assert path.read_bytes() == b"\\ud800" * 3
    path.unlink()
    verdict = verify([event(1, text="\ud800")], read_filter("Clova.Ask payload.text=a"), at_least(1))
    assert '"\\ud800"' in verdict_text(verdict).encode().decode()


@given(st.text(max_size=8), st.text(max_size=8))
def test_nothing_a_device_sends_moves_the_cursor_or_makes_a_line(name: str, sent: str) -> None:
    found = event(1, text=sent)._replace(name=name, device=name)
    asked = read_filter({"kind": "event", "payload": {"text": {"not": sent}}})
    text = verdict_text(verify([found], asked, at_least(1)))
    assert len(text.split("\n")) == len(text.splitlines()) == 7
    assert all(each.isprintable() or each.isspace() for each in text.replace("\n", ""))
    assert not set(text) & set("\x1b\x9b\r\u202e\u2028")


@given(st.lists(st.sampled_from(["n", "text", "이름", "긴이름의멤버", "a_b"]), min_size=1, max_size=4, unique=True))
def test_what_was_expected_stands_in_one_column(members: list[str]) -> None:
    asked = read_filter({"kind": "event", "payload": dict.fromkeys(members, "값")})
    text = verdict_text(verify([event(1, other=1)], asked, at_least(1)))
    compared = [line for line in text.splitlines() if "  expected " in line]
    assert len(compared) == len(members) + 1
    assert len({wcswidth(line.partition("  expected ")[0]) for line in compared}) == 1
    assert len({wcswidth(line.partition("  got ")[0]) for line in compared if "  got " in line}) == 1
