"""A sequence as Mermaid text: nothing that happened can become syntax."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mockcic.trace.dialogue import harmless
from mockcic.trace.mermaid import SAFE, escape, mermaid
from tests.support.entries import Entries, a_life
from tests.support.golden import same_as_golden


def test_a_life_as_a_diagram() -> None:
    """tests/golden/trace/life.mmd, which Mermaid 11 drew as meant; made anew by REWRITE_GOLDEN=1, then drawn again."""
    same_as_golden("trace/life.mmd", mermaid(a_life()))


@given(st.text())
def test_any_text_is_shown_as_it_is(text: str) -> None:
    """Only letters, blanks and harmless signs are left; a reader of `#code;` gets the text back."""
    escaped = escape(text)
    assert all(each.isalnum() or each in SAFE for each in re.sub(r"#\d+;", "", escaped))
    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), escaped) == harmless(text.replace("\n", " "))


def test_a_downchannel_that_began_before_the_trace_is_not_ended() -> None:
    """Mermaid refuses to deactivate what is not active."""
    life = Entries()
    life.add("downchannel", 1.0, "closed", stream="c1.1", reason="gone")
    life.add("downchannel", 2.0, "open", stream="c1.3")
    life.add("downchannel", 3.0, "open", stream="c1.5", replaced=True)
    life.add("downchannel", 3.0, "closed", stream="c1.3", reason="replaced")
    assert re.findall(r"(?:de)?activate p1", mermaid(life)) == ["activate p1", "activate p1", "deactivate p1"]


def test_nothing_is_a_diagram_too() -> None:
    assert mermaid([]) == "sequenceDiagram\n    participant d1 as no device\n"
