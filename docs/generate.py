"""Writes what the documentation takes from elsewhere: the table of settings, the editor's schema, whole examples.

Run `python docs/generate.py`; a test holds all of them to where they are from.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mockcic.scenario.schema import scenario_schema
from mockcic.scenario.settings import PROFILES, STRICT, Settings
from mockcic.verdict.conformance import RULES

DOCS = Path(__file__).parent
EXAMPLE = re.compile(r"<!-- example: (?P<file>\S+) -->\n```(?P<language>\w+)\n.*?^```\n", re.DOTALL | re.MULTILINE)
BEGIN, END = "<!-- settings: generated -->\n", "<!-- settings: end -->\n"
RULES_BEGIN, RULES_END = "<!-- rules: generated -->\n", "<!-- rules: end -->\n"


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


def rules_table() -> str:
    """Markdown: each conformance rule with its basis, whether it counts, and how to mend a break."""
    lines = ["| rule | a device | basis | source | a break | mend |", "|---|---|---|---|---|---|"]
    for rule in RULES:
        counts = "counts" if rule.severity == "error" else "is advice"
        counts += "" if rule.seed else "; not asked of the seed"
        cells = (f"`{rule.id}`", rule.says, rule.basis, rule.source, counts, rule.mend)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def conformance_page() -> str:
    """docs/conformance.md with the table as it is now."""
    page = (DOCS / "conformance.md").read_text()
    before, _, rest = page.partition(RULES_BEGIN)
    after = rest.partition(RULES_END)[2]
    return before + RULES_BEGIN + "\n" + rules_table() + "\n" + RULES_END + after


def other_languages_page() -> str:
    """docs/other-languages.md with the examples as they are now, each behind its `<!-- example: FILE -->`."""
    page = (DOCS / "other-languages.md").read_text()

    def whole(found: re.Match[str]) -> str:
        text = (DOCS / "examples" / found["file"]).read_text()
        return f"<!-- example: {found['file']} -->\n```{found['language']}\n{text}```\n"

    return EXAMPLE.sub(whole, page)


def schema_file() -> str:
    """docs/scenario.schema.json."""
    return json.dumps(scenario_schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    (DOCS / "scenarios.md").write_text(scenarios_page())
    (DOCS / "conformance.md").write_text(conformance_page())
    (DOCS / "other-languages.md").write_text(other_languages_page())
    (DOCS / "scenario.schema.json").write_text(schema_file())
