"""Writes what the documentation takes from elsewhere: the table of settings, the editor's schema, whole examples;
and the catalogue as the package reads it.

Run `python docs/generate.py`; a test holds all of them to where they are from.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import ValidationError

from mockcic.cic.catalogue import MessageSpec, catalogue
from mockcic.scenario.auth import Auth, AuthAccounts, AuthClient, AuthTrouble
from mockcic.scenario.behaviour import answers, senders
from mockcic.scenario.dialects import DIALECTS
from mockcic.scenario.directives import MINTED
from mockcic.scenario.faults.act import Act
from mockcic.scenario.faults.fault import ACTS, Fault, Moment, act_type
from mockcic.scenario.faults.written import WRITTEN
from mockcic.scenario.keys import keys_of
from mockcic.scenario.load import load
from mockcic.scenario.schema import scenario_schema
from mockcic.scenario.settings import PROFILES, STRICT, Settings
from mockcic.simulator.misbehave import MISBEHAVIOURS
from mockcic.verdict.conformance import RULES

DOCS = Path(__file__).parent
CATALOGUE = DOCS.parent / "mockcic" / "cic"
DIALECTS_HEAD = """# Dialects

The documents leave open how answers are written, and shipped clients lean on this and that. A dialect is a bundle of
[settings](scenarios.md#settings) as one source has them: a firmware that runs with each leans on none.

`mockcic serve --dialect g18`, or `dialect: g18` in a scenario (so that some devices of a set get it, by `for`).
What the `settings` of a file say wins over its dialect. This page is made from `mockcic/scenario/dialects.py`.

"""
INTERFACES_HEAD = """# Interfaces

Every message of the catalogue (`mockcic interfaces NAME` shows one with its payload). The mock checks each event and
its contexts by it: what is missing, of another type, outside its list or range, required on a condition, in another
form; a departure is a finding, with `--strict` a 400. Payloads are open: a member that the guide does not name is a
finding only where it is nearly one that it names, and never a 400. What a scenario sends is checked when it is loaded,
and what the protocol fixes is filled in. The last column is what [built-in behaviour](builtin.md) does; without it an
event gets what its scenario says, else 204. This page is made by `docs/generate.py`.
"""
EXAMPLE = re.compile(r"<!-- example: (?P<file>\S+) -->\n```(?P<language>\w+)\n.*?^```\n", re.DOTALL | re.MULTILINE)


def with_table(name: str, word: str, table: str) -> str:
    """A page of this folder with a table between its two marks, as it is now."""
    begin, end = f"<!-- {word}: generated -->\n", f"<!-- {word}: end -->\n"
    before, _, rest = (DOCS / f"{name}.md").read_text().partition(begin)
    return f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"


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
    return with_table("scenarios", "settings", settings_table())


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
    return with_table("conformance", "rules", rules_table())


def misbehaviours_table() -> str:
    """Markdown: each rule, what `--misbehave` does against it, when that shows."""
    lines = ["| rule | the device | shows |", "|---|---|---|"]
    for rule, each in MISBEHAVIOURS.items():
        cells = (f"`{rule}`", each.does, each.shows)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def simulated_device_page() -> str:
    """docs/simulated-device.md with the table as it is now."""
    return with_table("simulated-device", "misbehaviours", misbehaviours_table())


def auth_table() -> str:
    """Markdown: the members of `auth:`, and of the mappings in it."""
    lines = []
    for title, model in (
        ("`auth`", Auth),
        ("a client", AuthClient),
        ("`accounts`", AuthAccounts),
        ("`authorize`, `grant`, `refresh`, `delete`", AuthTrouble),
    ):
        lines += [f"| {title} | default | |", "|---|---|---|"]
        for name, member in model.model_fields.items():
            value = member.get_default(call_default_factory=True)
            plain = None if hasattr(value, "model_dump") or value in ([], "") or member.is_required() else value
            default = "" if plain is None else f"`{said(plain)}`"
            text = (member.description or "").replace("|", "\\|")
            lines.append(f"| `{name}` | {default} | {text} |")
        lines.append("")
    return "\n".join(lines)


def auth_page() -> str:
    """docs/auth.md with the tables as they are now."""
    return with_table("auth", "settings", auth_table().rstrip("\n") + "\n")


def cell(text: str) -> str:
    """A text as a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def fault_keys_table() -> str:
    """Markdown: what stands beside the act of a fault."""
    lines = ["| key | |", "|---|---|"]
    for name, member in Fault.model_fields.items():
        if name not in ACTS.values():
            lines.append(f"| `{member.alias or name}` | {cell(member.description or '')} |")
    return "\n".join(lines) + "\n"


def moments_table() -> str:
    """Markdown: the moments of a fault."""
    written = {
        "request": "`request`", "headers": "`headers`", "sent": "`{sent: 120}`", "audio": "`{audio: 1s}`",
        "bytes": "`{bytes: 6400}`", "upload": "`{upload: began}`, `{upload: ended}`",
        "time": "`2s`, or `{audio: 1s, time: 200ms}`",
    }  # fmt: skip
    lines = ["| moment | |", "|---|---|"]
    lines += [f"| {written[name]} | {cell(each.description or '')} |" for name, each in Moment.model_fields.items()]
    return "\n".join(lines) + "\n"


FAMILIES = {
    "stream": "One stream", "connection": "One connection", "line": "Below HTTP/2", "pace": "Pace",
    "answer": "Another answer", "form": "Form", "meaning": "Meaning",
}  # fmt: skip


def acts_table() -> str:
    """Markdown: a table a family, each act with its members, its roles, what a device sees and should do."""
    lines: list[str] = []
    family = ""
    for key in ACTS:
        act = act_type(key)
        own = act.__module__.rpartition(".")[2]
        if own != family:
            family = own
            lines += ["", f"### {FAMILIES[family]}", ""]
            lines += ["| act | how to write it | roles | the device sees | a good device |", "|---|---|---|---|---|"]
        examples = "<br>".join(f"`{each}`" for each in WRITTEN[key])
        members = [f"`{name}`: {text}" for name in keys_of(act) if (text := said_member(act, name)) != SAYS_NOTHING]
        roles = ", ".join(act.AIMS)
        cells = (f"**`{key}`** {act.__doc__}", "<br>".join([examples, *members]), roles, act.SEES, act.GOOD)
        lines.append("| " + " | ".join(cell(each) for each in cells) + " |")
    return "\n".join(lines).strip("\n") + "\n"


SAYS_NOTHING = "Nothing else can be said of it."


def said_member(act: type[Act], name: str) -> str:
    """What a member of an act is; its words where it has some."""
    info = next(each for key, each in act.model_fields.items() if name in (key, each.alias))
    words = [word for kind in (info.annotation, *get_args(info.annotation)) for word in words_of(kind)]
    told = {word: about_of(act, name, word) for word in words}
    text = info.description or ""
    if text == SAYS_NOTHING or (words and all(f"`{word}`" in text for word in words)):
        return text
    if len(set(told.values())) > 1 and all(told.values()) and act.SHORT in (name, f"{name}_"):
        return text + " " + "; ".join(f"`{word}`: {about}" for word, about in told.items())
    missing = [str(word) for word in words if str(word) not in text and word is not True]
    return f"{text} {', '.join(f'`{word}`' for word in missing)}".strip()


def words_of(kind: Any) -> list[Any]:
    """The words of a literal type."""
    return [word for word in get_args(kind) if word is not None] if get_origin(kind) is Literal else []


def about_of(act: type[Act], name: str, word: Any) -> str:
    """What an act with this word does; empty where it needs more."""
    try:
        return act.model_validate({name: word}).about()
    except ValidationError:
        return ""


STORIES = ("captive-portal", "hourly-hang-up", "silent-line", "lost-in-upload", "token-theatre", "day-in-the-life")


def stories_table() -> str:
    """Markdown: the shipped scenarios of trouble."""
    lines = ["| scenario | what happens |", "|---|---|"]
    for name in STORIES:
        about = load([DOCS.parent / "scenarios" / f"{name}.yaml"]).scenarios[0].about
        lines.append(f"| [{name}](../scenarios/{name}.yaml) | {cell(about)} |")
    return "\n".join(lines) + "\n"


def faults_page() -> str:
    """docs/faults.md with its tables as they are now."""
    page = (DOCS / "faults.md").read_text()
    for word, table in (
        ("keys", fault_keys_table()),
        ("moments", moments_table()),
        ("acts", acts_table()),
        ("stories", stories_table()),
    ):
        begin, end = f"<!-- {word}: generated -->\n", f"<!-- {word}: end -->\n"
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"
    return page


def other_languages_page() -> str:
    """docs/other-languages.md with the examples as they are now, each behind its `<!-- example: FILE -->`."""
    page = (DOCS / "other-languages.md").read_text()

    def whole(found: re.Match[str]) -> str:
        text = (DOCS / "examples" / found["file"]).read_text()
        return f"<!-- example: {found['file']} -->\n```{found['language']}\n{text}```\n"

    return EXAMPLE.sub(whole, page)


def dialects_page() -> str:
    """docs/dialects.md."""
    lines = ["| dialect | what it is | settings | source |", "|---|---|---|---|"]
    for name, each in DIALECTS.items():
        lines.append(f"| `{name}` | {each.about} | `{json.dumps(each.settings, ensure_ascii=False)}` | {each.source} |")
    return DIALECTS_HEAD + "\n".join(lines) + "\n"


def interfaces_page() -> str:
    """docs/interfaces.md: one line about each message."""
    cic = catalogue()
    lines = [
        INTERFACES_HEAD,
        "## Events\n",
        "| event | what it is | checked | what the mock does by itself |",
        "|---|---|---|---|",
    ]
    for name, spec in cic.events.items():
        checked = ", ".join(spec.fields) or "no members"
        lines.append(f"| `{name}` | {spec.about} | {checked}{key_contexts(spec)} | {by_itself(name)} |")
    lines += ["\n## Directives\n", "| directive | what it is | filled in | sent by itself |", "|---|---|---|---|"]
    for name, spec in cic.directives.items():
        mark = " (unpublished)" if spec.audience == "unpublished" else ""
        parts = ", ".join(f"`{part}`" for part in senders(name))
        lines.append(f"| `{name}`{mark} | {spec.about} | {filled(spec)} | {parts} |")
    lines += ["\n## Contexts\n", "| context | what it is | kept |", "|---|---|---|"]
    kept = {
        "Alerts.AlertsState": "`alerts_ringing` of `alerts`",
        "Device.DeviceState": "`device_state` of `device-control`",
    }
    lines += [f"| `{name}` | {spec.about} | {kept.get(name, '')} |" for name, spec in cic.contexts.items()]
    lines += ["\n## Content templates of Clova.RenderTemplate\n", "| template | group | what it is |", "|---|---|---|"]
    lines += [f"| `{name}` | {each.group} | {each.about} |" for name, each in cic.templates.items()]
    return "\n".join(lines) + "\n"


def key_contexts(spec: MessageSpec) -> str:
    """The contexts that count above all."""
    return f"; {' and '.join(spec.context_key)}" if spec.context_key else ""


def by_itself(event: str) -> str:
    """What the built-in behaviour answers."""
    said = [f"`{each.part}`: {each.said}" for each in answers(event)]
    return "; ".join(said) or "204"


def filled(spec: MessageSpec) -> str:
    """The members that the mock fills in."""
    names = [*catalogue().fixed_members(spec), *([MINTED[spec.full_name]] if spec.full_name in MINTED else [])]
    names += ["url"] if spec.attachment else []
    return ", ".join(f"`{name}`" for name in names)


def schema_file() -> str:
    """docs/scenario.schema.json."""
    return json.dumps(scenario_schema(), ensure_ascii=False, indent=1) + "\n"


def catalogue_file() -> str:
    """The catalogue as the package reads it: interfaces.yaml as JSON."""
    raw = yaml.safe_load((CATALOGUE / "interfaces.yaml").read_bytes())
    return json.dumps(raw, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    (CATALOGUE / "interfaces.json").write_text(catalogue_file())
    catalogue.cache_clear()
    (DOCS / "scenarios.md").write_text(scenarios_page())
    (DOCS / "conformance.md").write_text(conformance_page())
    (DOCS / "simulated-device.md").write_text(simulated_device_page())
    (DOCS / "faults.md").write_text(faults_page())
    (DOCS / "auth.md").write_text(auth_page())
    (DOCS / "other-languages.md").write_text(other_languages_page())
    (DOCS / "dialects.md").write_text(dialects_page())
    (DOCS / "interfaces.md").write_text(interfaces_page())
    (DOCS / "scenario.schema.json").write_text(schema_file())
