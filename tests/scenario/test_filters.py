"""The filters of the language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mockcic.scenario.template import RenderError, render

NAMES: dict[str, Any] = {
    "now": datetime(2026, 3, 2, 9, 4, 30, tzinfo=UTC),
    "vars": {"list": [{"token": "x", "n": 1}, {"token": "y"}], "map": {"a": 1}},
}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ('vars.list | with({"token": "x", "n": 2}, by="token")', [{"token": "x", "n": 2}, {"token": "y"}]),
        ('vars.list | with({"token": "z"}, by="token") | length', 3),
        ("[1] | with(1)", [1, 1]),
        ('vars.list | without("token", "x")', [{"token": "y"}]),
        ("[1, 2, 1] | without(1)", [2]),
        ('vars.list | find("token", "y")', {"token": "y"}),
        ('vars.list | find("token", "z")', None),
        ('vars.list | find("token", "z", 7)', 7),
        ('vars.map | with({"b": 2})', {"a": 1, "b": 2}),
        ('vars.map | without("a", "c")', {}),
        ('"3분 뒤에" | matched("([0-9]+)분") | int', 3),
        ('"곧" | matched("([0-9]+)분")', None),
        ('"곧" | matched("곧")', "곧"),
        ('now | plus("8h") | iso("+09:00")', "2026-03-03T02:04:30+09:00"),
        ('"2026-03-02T18:04:30+09:00" | plus("24h") | iso', "2026-03-03T09:04:30Z"),
        ('"2026-03-02T18:04:30+09:00" | time == now', True),
        ('now | until("2026-03-02T18:05:00+09:00")', 30.0),
        ('now | until(now | minus("1m"))', -60.0),
    ],
)
def test_a_filter_gives_its_value(template: str, value: Any) -> None:
    assert render(f"{{{{ {template} }}}}", NAMES) == value


@pytest.mark.parametrize(
    "template", ['3 | find("a", 1)', '"x" | time', "3 | with(1)", "vars.map | with(1)", "3 | without(1)"]
)
def test_what_a_filter_cannot_take_is_said(template: str) -> None:
    with pytest.raises(RenderError, match=r"found .*, expected"):
        render(f"{{{{ {template} }}}}", NAMES)
