"""docs/fuzz.md against the fuzzer."""

from __future__ import annotations

import re
from pathlib import Path

from mockcic.fuzz.mutations import MUTATIONS
from mockcic.trial.health import PROBES

PAGE = (Path(__file__).parents[2] / "docs" / "fuzz.md").read_text()


def test_every_kind_of_wrong_is_told_in_its_own_words() -> None:
    table = PAGE.partition("<!-- kinds -->")[2].partition("<!-- kinds end -->")[0]
    told = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", table, re.MULTILINE))
    said = {name: (kind.__doc__ or "").strip().rstrip(".") for name, kind in MUTATIONS.items()}
    assert told == {name: text[:1].lower() + text[1:] for name, text in said.items()}


def test_the_probes_are_named_in_their_order() -> None:
    section = PAGE.partition("## Still fine")[2].partition("| word |")[0]
    assert [name for name in re.findall(r"`([A-Z]\w+\.\w+)`", section) if name in PROBES] == list(PROBES)
