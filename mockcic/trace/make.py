"""A trace made of what a server, or a test, has of entries, sounds and scenarios."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from mockcic.journal.entry import Entry
from mockcic.journal.redact import Redaction
from mockcic.scenario.model import Scenario
from mockcic.trace.file import Blobs, RuleUse, Trace

SOUNDING: Final = ("upload", "attachment")
"""Kinds of entries that name a sound."""


def make_trace(
    entries: Sequence[Entry],
    *,
    scenarios: Iterable[Scenario],
    texts: Mapping[str, str],
    sound: Callable[[str], bytes | None],
    dropped: int,
    title: str,
    version: str,
) -> Trace:
    """A trace of these entries; `sound` gives the bytes of a digest."""
    digests = {entry.data["sha256"] for entry in entries if entry.kind in SOUNDING and entry.data.get("sha256")}
    used = Counter((entry.data.get("scenario", ""), entry.name) for entry in entries if entry.kind == "match")
    rules = dict.fromkeys((each.scenario, rule) for each in scenarios for rule in each.answering_labels)
    return Trace(
        entries=tuple(entries),
        title=title,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=version,
        dropped=dropped,
        rules=tuple(RuleUse(scenario, rule, used[scenario, rule]) for scenario, rule in rules),
        scenarios=dict(texts),
        blobs=Blobs(digests, sound),
    )


def without_tokens(texts: Mapping[str, str], tokens: Iterable[str], redaction: Redaction) -> dict[str, str]:
    """The texts of scenarios without these tokens, the longest first."""
    found = dict(texts)
    for token in sorted(tokens, key=len, reverse=True):
        found = {name: redaction.text(text, token) for name, text in found.items()}
    return found
