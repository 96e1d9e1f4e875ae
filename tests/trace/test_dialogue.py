"""Lines for people: each kind has its own, and what a device sends cannot rewrite the terminal."""

from __future__ import annotations

from typing import Any

import click
import pytest

from mockcic.journal.entry import KINDS, Entry, Kind
from mockcic.journal.filter import DATA_MEMBERS, read_filter
from mockcic.trace.dialogue import describe, dialogue_line, dialogue_lines
from mockcic.verdict.judge import verify
from mockcic.verdict.text import verdict_text
from mockcic.verdict.times import exactly
from tests.support.entries import a_life
from tests.support.golden import same_as_golden

EVIL = "\x1b[2J\x07\r\nbad\x9b"


def entry(kind: Kind, **members: Any) -> Entry:
    known = {key: members.pop(key) for key in ("name", "device", "dialogue", "connection") if key in members}
    return Entry(1, kind, 0.0, 0.0, **known, data=members)


def test_a_life_reads_as_a_dialogue() -> None:
    """Every kind; tests/golden/trace/life.txt, made anew by REWRITE_GOLDEN=1 and then read."""
    same_as_golden("trace/life.txt", "".join(click.unstyle(line) + "\n" for line in dialogue_lines(a_life())))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("evil", [EVIL, [EVIL], {EVIL: EVIL}])
def test_control_characters_of_a_device_do_not_reach_the_terminal(kind: Kind, evil: object) -> None:
    """Wherever they stand."""
    members = {member: evil for member in DATA_MEMBERS if member not in ("dropped", "lost", "nearest", "tags")}
    hostile = Entry(1, kind, 0.0, 0.0, EVIL, EVIL, EVIL, EVIL, EVIL, members | {"payload": {"text": EVIL}})
    text = click.unstyle(dialogue_line(hostile) or "")
    assert "bad" in text
    assert not any(each in text for each in "\x1b\x07\r\n\x9b")


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_that_lacks_its_members_is_told_all_the_same(kind: Kind) -> None:
    """A trace may come from anywhere."""
    assert describe(entry(kind)) is not None


def test_korean_stays_as_it_is() -> None:
    assert "안녕하세요" in (
        describe(entry("event", name="TextRecognizer.Recognize", payload={"text": "안녕하세요"})) or ""
    )


def test_where_no_rule_fits_the_nearest_are_named_with_what_they_missed() -> None:
    misses = [{"member": "state", "expected": "a", "got": {"is": EVIL}}]
    text = click.unstyle(describe(entry("match", event="A.B", nearest=[{"rule": "near", "misses": misses}])) or "")
    assert 'nearest: near: state: expected a, got {"is": "' in text
    assert "\x9b" not in text


def test_why_a_verification_was_not_kept_stands_under_it_unless_it_is_told_elsewhere() -> None:
    """The very text that the exception has; a test's failure report has it already."""
    verdict = verify(a_life(), read_filter("TextRecognizer.Recognize payload.text=물"), exactly(1))
    told = entry("verdict", name=verdict.asked, **verdict.members())
    lines = [click.unstyle(line) for line in dialogue_lines([told])]
    assert lines[0].endswith(f"! broken: {verdict.asked}: it did not come")
    assert [line.strip() for line in lines[1:]] == [line.strip() for line in verdict_text(verdict).split("\n")[2:]]
    assert len(list(dialogue_lines([told], verdicts=False))) == 1


def test_a_refusal_is_told_once() -> None:
    """By its answer; without one among the entries, by itself."""
    refusals = [each for each in a_life() if each.kind in ("exception", "answer") and each.data.get("status") == 400]
    assert [click.unstyle(line).split()[2:4] for line in dialogue_lines(refusals)] == [["400", "Foo.Bar:"]]
    alone = [click.unstyle(line).split()[2:] for line in dialogue_lines(refusals[:1])]
    assert alone == [["System.Exception", "400:", "no", "such", "event", "(Foo.Bar)"]]
