"""docs/builtin.md against the parts themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockcic.scenario.files import builtin_names
from mockcic.scenario.load import load_text

PAGE = (Path(__file__).parents[2] / "docs" / "builtin.md").read_text()
ROWS = {row.split("|")[1].strip(" `"): row for row in PAGE.splitlines() if row.startswith("| `")}


def test_every_part_has_its_row() -> None:
    assert sorted(ROWS) == builtin_names()


@pytest.mark.parametrize("name", [name for name in builtin_names() if name not in ("all", "default")])
def test_a_row_names_the_variables_and_cues_of_its_part(name: str) -> None:
    scenario = load_text(f"scenario: s\ninclude: [builtin/{name}]\n").scenarios[0]
    own = {each for each in scenario.vars if each.startswith(prefix(name)) or name == "settle"}
    variables, cues = (set(re.findall(r"`([^`]+)`", cell)) for cell in ROWS[name].split("|")[4:6])
    assert own - variables == (set() if name != "settings" else {"settings_client"})
    assert variables <= set(scenario.vars)
    assert cues == set(scenario.cues)


def prefix(name: str) -> str:
    return {"device-control": "device_", "delegation": "delegations"}.get(name, name.replace("-", "_"))
