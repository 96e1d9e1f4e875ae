"""A scenario put together with what it includes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mockcic.scenario.files import ScenarioFile
from mockcic.scenario.model import Scenario
from mockcic.scenario.source import Source
from mockcic.scenario.walk import Loc


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule or a named reply, and the file and place it comes from."""

    source: Source
    loc: Loc
    value: Any


@dataclass(frozen=True, slots=True)
class Whole:
    """A scenario put together with what it includes."""

    scenario: Scenario
    source: Source
    files: tuple[tuple[Source, Scenario], ...]
    rules: tuple[Entry, ...]
    replies: Mapping[str, Entry]


def put_together(file: ScenarioFile) -> Whole | None:
    """The scenario with what it includes, or None when some of it could not be read."""
    if file.model is None:
        return None
    parts = [file, *file.all_included()]
    if any(part.model is None for part in parts):
        return None
    rules: list[Entry] = []
    replies: dict[str, Any] = {}
    reply_entries: dict[str, Entry] = {}
    variables: dict[str, Any] = {}
    cues: dict[str, Any] = {}
    downchannel: list[Any] = []
    recordings: dict[str, str] = {}
    prints: dict[str, Any] = {}
    settings = file.model.settings
    for part in parts:
        model, source = part.model, part.source
        assert model is not None
        cues = {**model.cues, **cues}
        recordings = {**model.recordings, **recordings}
        prints = {**model._prints, **prints}
        if part is file or part.is_part:
            downchannel += model.downchannel
            settings = settings.with_defaults(model.settings)
        rules += [Entry(source, ("on", index), rule) for index, rule in enumerate(model.on)]
        for name, steps in model.replies.items():
            if name not in replies:
                replies[name] = steps
                reply_entries[name] = Entry(source, ("replies", name), steps)
        variables = {**model.vars, **variables}
    rules.sort(key=lambda entry: entry.value.fallback)  # those behind all others; else the order stays
    changes: dict[str, Any] = {
        "on": [entry.value for entry in rules],
        "replies": replies,
        "vars": variables,
        "cues": cues,
        "downchannel": downchannel,
        "settings": settings,
        "recordings": recordings,
    }
    scenario = with_changes(file.model, changes)
    scenario._prints = prints
    files = tuple((part.source, part.model) for part in parts if part.model is not None)
    return Whole(scenario, file.source, files, tuple(rules), reply_entries)


def with_changes(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """The scenario with other values of these fields; what was worked out from the old ones is worked out anew."""
    changed = scenario.model_copy(update=dict(changes))
    for name, member in vars(Scenario).items():
        if isinstance(member, cached_property):
            changed.__dict__.pop(name, None)
    return changed
