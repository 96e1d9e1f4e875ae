"""Writes what the documentation takes from the code: the table of settings and the editor's schema.

Run `python docs/generate.py`; a test holds both to the code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mockcic.scenario.schema import scenario_schema
from mockcic.scenario.settings import PROFILES, STRICT, Settings

DOCS = Path(__file__).parent
BEGIN, END = "<!-- settings: generated -->\n", "<!-- settings: end -->\n"


def settings_table() -> str:
    """Markdown: name, default, what it is, whether `--strict` changes it."""
    lines = ["| setting | default | |", "|---|---|---|"]
    for name, member in Settings.model_fields.items():
        default = f"`{said(member.get_default(call_default_factory=True))}`"
        if name in PROFILES["seed"]:
            default = "; ".join(f"{profile}: `{said(values[name])}`" for profile, values in PROFILES.items())
        text = (member.description or "").replace("|", "\\|")
        strict = f" *strict*: `{said(STRICT[name])}`" if name in STRICT else ""
        lines.append(f"| `{name}` | {default} | {text}{strict} |")
    return "\n".join(lines) + "\n"


def said(value: Any) -> str:
    """A value as YAML would have it, on one line."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(by_alias=True, exclude_none=True)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {said(member)}" for key, member in value.items()) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None else f"{value:g} s" if isinstance(value, float) and value > 0 else f"{value}"


def scenarios_page() -> str:
    """docs/scenarios.md with the table as it is now."""
    page = (DOCS / "scenarios.md").read_text()
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return before + BEGIN + "\n" + settings_table() + "\n" + END + after


def schema_file() -> str:
    """docs/scenario.schema.json."""
    return json.dumps(scenario_schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    (DOCS / "scenarios.md").write_text(scenarios_page())
    (DOCS / "scenario.schema.json").write_text(schema_file())
