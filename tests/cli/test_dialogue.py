"""Lines for people: what a device sends cannot rewrite the terminal."""

from __future__ import annotations

from typing import Any

import click
import pytest

from mockcic.cli.dialogue import describe
from mockcic.journal.entry import Entry, Kind

EVIL = "\x1b[2J\x07\r\nbad"


def entry(kind: Kind, **members: Any) -> Entry:
    known = {key: members.pop(key) for key in ("name", "device", "dialogue", "connection") if key in members}
    return Entry(1, kind, 0.0, 0.0, **known, data=members)


@pytest.mark.parametrize(
    "one",
    [
        entry("event", name=EVIL, dialogue=EVIL, payload={"text": EVIL}),
        entry("answer", name=EVIL, status=400, description=EVIL),
        entry("finding", name="x", severity="error", found=EVIL, expected="y", mend=EVIL),
        entry("match", event=EVIL, nearest=[{"rule": EVIL, "misses": [EVIL]}]),
        entry("directive", name="Clova.RenderText", line="reply", payload={"text": EVIL}),
        entry("disconnect", reason=EVIL),
    ],
)
def test_control_characters_of_a_device_do_not_reach_the_terminal(one: Entry) -> None:
    text = click.unstyle(describe(one) or "")
    assert "bad" in text
    assert not any(each in text for each in "\x1b\x07\r")


def test_korean_stays_as_it_is() -> None:
    assert "안녕하세요" in (
        describe(entry("event", name="TextRecognizer.Recognize", payload={"text": "안녕하세요"})) or ""
    )


def test_where_no_rule_fits_the_nearest_are_named_with_what_they_missed() -> None:
    one = entry("match", event="A.B", nearest=[{"rule": "near", "misses": ["state: expected a, got b"]}])
    assert "nearest: near: state: expected a, got b" in click.unstyle(describe(one) or "")
