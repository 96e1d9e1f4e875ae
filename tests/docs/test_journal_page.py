"""The page about the journal has every kind, every member, and true examples."""

from __future__ import annotations

import re
from pathlib import Path

from mockcic.journal.entry import KINDS
from mockcic.journal.filter import DATA_MEMBERS, OWN_MEMBERS, read_filter

PAGE = (Path(__file__).parents[2] / "docs" / "journal.md").read_text()


def test_every_kind_has_its_row() -> None:
    assert tuple(re.findall(r"^\| `(\w+)` \|[^|]*\|[^|]*\|[^|]*\|$", PAGE, re.MULTILINE)) == KINDS


def test_every_member_has_its_row_and_its_meaning() -> None:
    members = PAGE[PAGE.index("| member | what it is |") :]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", members, re.MULTILINE)
    assert dict(rows) == {**OWN_MEMBERS, **DATA_MEMBERS}


def test_the_examples_can_be_read() -> None:
    for line in PAGE.partition("```\n")[2].partition("```")[0].splitlines():
        assert read_filter(line).terms
