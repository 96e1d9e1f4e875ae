"""Rules about the states a device sends along: all of them, and none against what it said before (PROTOCOL 3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mockcic.cic.catalogue import catalogue
from mockcic.verdict.conformance.limits import Limits
from mockcic.verdict.conformance.rule import Broken, Case, Kept
from mockcic.verdict.conformance.story import Story, Told

PLAYER: Final = "AudioPlayer.PlaybackState"
SPEAKER: Final = "SpeechSynthesizer.SpeechState"
ALERTS: Final = "Alerts.AlertsState"

PLAYER_AFTER: Final[Mapping[str, tuple[str, ...]]] = {
    "AudioPlayer.PlayStarted": ("PLAYING",),
    "AudioPlayer.PlayResumed": ("PLAYING",),
    "AudioPlayer.PlayPaused": ("PAUSED",),
    "AudioPlayer.PlayStopped": ("STOPPED", "IDLE"),
    "AudioPlayer.PlayFinished": ("STOPPED", "IDLE"),
}
"""What `playerActivity` is after a report; IDLE is INF: nothing to play is left."""

SPEAKER_AFTER: Final[Mapping[str, tuple[str, ...]]] = {
    "SpeechSynthesizer.SpeechStarted": ("PLAYING",),
    "SpeechSynthesizer.SpeechFinished": ("FINISHED", "STOPPED"),
    "SpeechSynthesizer.SpeechStopped": ("STOPPED", "FINISHED"),
}

SYNCHRONIZE: Final = ("Alerts.SynchronizeAlert", "System.SynchronizeState")

CellState = Literal["sent", "missing", "contradicts", "absent"]


def complete(story: Story, limits: Limits) -> Iterator[Case]:
    """The contexts an event insists on, and all that the device has sent before (PROTOCOL 3.2; LOG 2019-05)."""
    told: set[tuple[str, str]] = set()
    sent_before: dict[str, int] = {}
    for event in story.events:
        missing = [name for name in _lacking(event, sent_before) if (event.name, name) not in told]
        for name in missing:
            told.add((event.name, name))
            first = sent_before.get(name, 0)
            why = "which it sent before" if first else f"without which {event.name} says nothing"
            evidence = (first, event.number) if first else (event.number,)
            yield Broken(f"{event.name} without {name}, {why}", "every state the device can report", evidence)
        if not missing:
            yield Kept(event.number)
        for name in event.contexts:
            sent_before.setdefault(name, event.number)


def _lacking(event: Told, sent_before: Mapping[str, int]) -> list[str]:
    spec = catalogue().events.get(event.name)
    if spec is None:
        return []
    wanted = [*spec.context_key, *(name for name in sent_before if name in spec.contexts)]
    return [name for name in dict.fromkeys(wanted) if name not in event.contexts]


# ---------------------------------------------------------------------- contradictions


def true(story: Story, limits: Limits) -> Iterator[Case]:
    """Contexts agree with what the device has reported (INF)."""
    for contradiction in contradictions(story, limits):
        yield contradiction.as_case()


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A context held against the report before it; `found` is empty where they agree."""

    event: Told
    context: str
    report: Told
    found: str = ""
    expected: str = ""

    def as_case(self) -> Case:
        """What the rule says of it."""
        if not self.found:
            return Kept(self.event.number)
        where = f"{self.context} of {self.event.name}"
        return Broken(f"{where}: {self.found}", self.expected, (self.report.number, self.event.number))


def contradictions(story: Story, limits: Limits) -> Iterator[Contradiction]:
    """Each context that can be held against an earlier report of its interface, agreeing ones too.

    Between them reports may have been lost in trouble.
    """
    found = (
        *_activity(story, limits, PLAYER, PLAYER_AFTER),
        *_activity(story, limits, SPEAKER, SPEAKER_AFTER),
        *_active_alerts(story, limits),
    )
    for each in found:
        if each.found and (story.is_explained(each.report.at_s, each.event.began_s) or _is_late(story, each.report)):
            continue
        yield each


def _is_late(story: Story, report: Told) -> bool:
    """Whether a report repeats one that had no answer: what it tells may be over by now."""
    return any(
        each.number < report.number and each.payload == report.payload and story.may_repeat(each, report.began_s)
        for each in story.events_named(report.name)
    )


def _activity(
    story: Story, limits: Limits, context: str, after: Mapping[str, tuple[str, ...]]
) -> Iterator[Contradiction]:
    """`playerActivity` of a context against the last report before it.

    A report under way explains another value: the device changes its state, then tells it.
    """
    reports = [event for event in story.events if event.name in after]
    last: Told | None = None
    for event in story.events:
        if event.name in after:
            last = event
            continue
        value = _activity_of(event, context)
        if value is None or last is None or event.began_s - last.at_s < limits.race_s / 10:
            continue
        if value in after[last.name]:
            yield Contradiction(event, context, last)
        elif not _is_explained(event, value, reports, after, limits):
            expected = f"{' or '.join(after[last.name])} after {last.name}"
            yield Contradiction(event, context, last, f"playerActivity {value}", expected)


def _activity_of(event: Told, context: str) -> str | None:
    value = event.contexts.get(context, {}).get("playerActivity")
    return value if isinstance(value, str) else None


def _is_explained(
    event: Told, value: str, reports: list[Told], after: Mapping[str, tuple[str, ...]], limits: Limits
) -> bool:
    return any(
        value in after[report.name] and event.at_s <= report.at_s <= event.at_s + limits.race_s for report in reports
    )


def _active_alerts(story: Story, limits: Limits) -> Iterator[Contradiction]:
    """`activeAlerts` has the alerts that have started and not stopped, `allAlerts` those that were set (7.6)."""
    reports: tuple[tuple[str, str, str], ...] = (
        ("activeAlerts", "Alerts.AlertStarted", "Alerts.AlertStopped"),
        ("allAlerts", "Alerts.SetAlertSucceeded", "Alerts.DeleteAlertSucceeded"),
    )
    for member, begin, end in reports:
        last: dict[str, Told] = {}
        names = (begin, end)
        coming = story.events_named(*names)
        for event in story.events:
            listed = _listed(event, member)
            if listed is not None and event.name not in names:
                for token, report in last.items():
                    if event.began_s - report.at_s < limits.race_s / 10 or _was_synchronized(
                        story, report, event, limits
                    ):
                        continue
                    should = report.name == begin
                    if (token in listed) == should:
                        yield Contradiction(event, ALERTS, report)
                    elif not any(_turns(each, token, event, limits) for each in coming):
                        found = f"{member} {'without' if should else 'with'} {token}"
                        expected = f"{'it' if should else 'not'} in the list after {report.name}"
                        yield Contradiction(event, ALERTS, report, found, expected)
            if event.name in names and (token := _token(event)):
                last[token] = event


def _was_synchronized(story: Story, report: Told, event: Told, limits: Limits) -> bool:
    """Whether the server replaced all alerts in between, or while it was reported: nobody reports that (7.1)."""
    begin_s = report.at_s - limits.race_s
    return any(begin_s <= each.at_s <= event.at_s for each in story.directives_named(*SYNCHRONIZE))


def _turns(report: Told, token: str, event: Told, limits: Limits) -> bool:
    """Whether a report right behind the event says what its context knew already."""
    return _token(report) == token and event.at_s <= report.at_s <= event.at_s + limits.race_s


def _token(event: Told) -> str:
    value = event.payload.get("token")
    return value if isinstance(value, str) else ""


def _listed(event: Told, member: str) -> set[Any] | None:
    value = event.contexts.get(ALERTS, {}).get(member)
    if not isinstance(value, list | tuple):
        return None
    return {each.get("token") for each in value if isinstance(each, Mapping) and isinstance(each.get("token"), str)}


# ---------------------------------------------------------------------- the map


@dataclass(frozen=True, slots=True)
class ContextMap:
    """Events by contexts: of each pair how often the context was sent, missing, against a report, or absent.

    Absent: the catalogue lists it for the event and the device never sent it at all; it may have none (no GPS, no
    Clova.Location).
    """

    contexts: tuple[str, ...]
    rows: Mapping[str, Mapping[str, Mapping[CellState, int]]]

    def as_json(self) -> dict[str, Any]:
        """One JSON object: contexts, and event to context to counts."""
        rows = {event: {name: dict(cell) for name, cell in row.items()} for event, row in self.rows.items()}
        return {"contexts": list(self.contexts), "events": rows}


def context_map(story: Story, limits: Limits) -> ContextMap:
    """What a device sent along with each kind of event."""
    there = catalogue()
    wrong = {(each.event.number, each.context) for each in contradictions(story, limits) if each.found}
    rows: dict[str, dict[str, dict[CellState, int]]] = {}
    sent_before: dict[str, int] = {}
    unknown: dict[str, None] = {}
    for event in story.events:
        spec = there.events.get(event.name)
        row = rows.setdefault(event.name, {})
        lacking = set(_lacking(event, sent_before))
        for name in dict.fromkeys([*(spec.contexts if spec is not None else ()), *event.contexts]):
            state: CellState = "absent"
            if name in event.contexts:
                state = "contradicts" if (event.number, name) in wrong else "sent"
            elif name in lacking:
                state = "missing"
            cell = row.setdefault(name, {})
            cell[state] = cell.get(state, 0) + 1
            if name not in there.contexts:
                unknown[name] = None
        for name in event.contexts:
            sent_before.setdefault(name, event.number)
    used = {name for row in rows.values() for name in row}
    return ContextMap((*(name for name in there.contexts if name in used), *unknown), rows)


def read_context_map(value: Mapping[str, Any]) -> ContextMap:
    """The map of a JSON object. Raises `KeyError`, `TypeError`, `ValueError`, `AttributeError`."""
    return ContextMap(tuple(value["contexts"]), {name: dict(row) for name, row in value["events"].items()})
