"""Rules about reports: what each directive must be followed by, once, in order, about things that were sent (7)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from mockcic.verdict.conformance.limits import Limits
from mockcic.verdict.conformance.reports import (
    DELIVER,
    ENDED,
    PLAY,
    PLAYS,
    SPEAK,
    STARTED,
    STOPS,
    Due,
    dues,
    is_excused,
    is_stale,
    key_of,
    report_of,
)
from mockcic.verdict.conformance.rule import Broken, Case, Kept
from mockcic.verdict.conformance.story import Sent, Story, Told

ONCE: Final[tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...]] = (
    ((STARTED,), (SPEAK,), ("token",)),
    (ENDED, (SPEAK,), ("token",)),
    (("Alerts.SetAlertSucceeded", "Alerts.SetAlertFailed"), ("Alerts.SetAlert",), ("token",)),
    (("Alerts.DeleteAlertSucceeded", "Alerts.DeleteAlertFailed"), ("Alerts.DeleteAlert",), ("token",)),
    (("Clova.ProcessDelegatedEvent",), ("Clova.HandleDelegatedEvent",), ("delegationId",)),
    (("DeviceControl.ActionExecuted", "DeviceControl.ActionFailed"), ("DeviceControl.*",), ("command", "target")),
    (("AudioPlayer.PlaybackQueueCleared",), ("AudioPlayer.ClearQueue",), ()),
)
"""Reports, the directives they are about, and the members by which one is told from another."""

PROGRESS_LEEWAY_S: Final = 2.0
"""How late a progress report may be (INF)."""

LONGEST_WATCH_S: Final = 24 * 3600.0
"""Alerts further off are not waited for (INF)."""


def reported(story: Story, limits: Limits) -> Iterator[Case]:
    """Each directive is followed by the events the catalogue says (`expects`), speech also by its end."""
    for due in dues(story, limits):
        if is_stale(story, due.directive) is not False:
            continue
        report = report_of(story, due)
        if report is None:
            if not is_excused(story, due):
                yield _missing(story, due)
            continue
        took = report.at_s - due.directive.at_s
        if took > due.within_s and story.is_explained(due.directive.at_s, report.at_s):
            continue
        if took > due.within_s:
            found = f"{report.name} {took:.1f} s after {due.directive.name}"
            yield Broken(found, f"within {due.within_s:.1f} s", (due.directive.number, report.number))
            continue
        yield Kept(report.number, f"{report.name} {took:.2f} s after {due.directive.name}", took)
        if due.directive.name == SPEAK and due.directive.sound_s is not None:
            yield from _end_of_speech(story, due.directive, report, limits)


def _missing(story: Story, due: Due) -> Broken:
    names = " or ".join(due.names)
    waited = min(story.ends_s - due.directive.at_s, due.within_s)
    about = ", ".join(f"{name} {value}" for name, value in due.key.items())
    found = f"no {names} in {waited:.1f} s after {due.directive.name}" + (f" ({about})" if about else "")
    return Broken(found, f"{names} (catalogue: expects)", (due.directive.number,))


def _end_of_speech(story: Story, speak: Sent, started: Told, limits: Limits) -> Iterator[Case]:
    within_s = (speak.sound_s or 0.0) + limits.report_within_s
    due = Due(speak, ENDED, key_of(speak), started.at_s - speak.at_s + within_s)
    report = report_of(story, due)
    if report is not None:
        yield Kept(report.number)
    elif not story.left_between(started.at_s, started.at_s + within_s) and not story.is_explained(
        speak.at_s, started.at_s + within_s
    ):
        found = f"no end of speech {within_s:.1f} s after SpeechStarted, of {speak.sound_s:.1f} s of sound"
        yield Broken(found, "SpeechFinished or SpeechStopped", (speak.number, started.number))


def once(story: Story, limits: Limits) -> Iterator[Case]:
    """Nothing is reported more often than it was asked for, nothing begun twice without an end."""
    for reports, asked, members in ONCE:
        orders = Counter(
            tuple(key_of(each).get(member) for member in members)
            for each in story.directives
            if each.name in asked or (asked[0].endswith("*") and each.name.startswith(asked[0][:-1]))
        )
        came: defaultdict[tuple[Any, ...], list[Told]] = defaultdict(list)
        for event in story.events_named(*reports):
            came[_key(event, members)].append(event)
        for key, events in came.items():
            allowed = max(1, orders[key])
            if len(events) > allowed and (
                any(story.may_repeat(each, events[-1].at_s) for each in events)
                or story.is_explained(events[0].at_s, events[-1].at_s)
            ):
                continue  # said again, for it may not have been heard
            if len(events) > allowed:
                names = " and ".join(dict.fromkeys(each.name for each in events))
                about = ", ".join(f"{name} {value}" for name, value in zip(members, key, strict=True))
                often = "once" if allowed == 1 else f"{allowed} times"
                found = f"{names} {len(events)} times" + (f" ({about})" if about else "")
                yield Broken(found, f"{often}, as often as it was asked for", tuple(each.number for each in events[:5]))
            else:
                yield Kept(events[0].number)
    yield from _begun_twice(story)


def _key(event: Told, members: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(_plain(event.payload.get(member)) for member in members)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else repr(value)


def _begun_twice(story: Story) -> Iterator[Case]:
    state: dict[Any, Told] = {}
    for event in story.events_named("Alerts.AlertStarted", "Alerts.AlertStopped"):
        token = _plain(event.payload.get("token"))
        before = state.get(token)
        if before is not None and before.name == event.name and not story.is_explained(before.at_s, event.at_s):
            yield Broken(f"{event.name} twice (token {token})", "once", (before.number, event.number))
        else:
            yield Kept(event.number)
        state[token] = event


def order(story: Story, limits: Limits) -> Iterator[Case]:
    """Reports come in order: nothing ends, pauses or passes a mark that has not begun."""
    yield from _ordered(
        story, (STARTED,), ENDED, {_plain(key_of(each).get("token")) for each in story.directives_named(SPEAK)}
    )
    marks = (
        "AudioPlayer.PlayPaused",
        *STOPS,
        *(f"AudioPlayer.ProgressReport{each}Passed" for each in ("Delay", "Interval")),
    )
    tokens = {_plain(key_of(each).get("token")) for each in story.directives_named(PLAY, DELIVER)}
    yield from _ordered(story, PLAYS, marks, tokens, over=STOPS)
    set_here = {_plain(key_of(each).get("token")) for each in story.directives_named("Alerts.SetAlert")}
    yield from _ordered(story, ("Alerts.AlertStarted",), ("Alerts.AlertStopped",), set_here)


def _ordered(
    story: Story,
    begins: tuple[str, ...],
    follows: tuple[str, ...],
    tokens: set[Any],
    over: tuple[str, ...] | None = None,
) -> Iterator[Case]:
    """Of each token that was sent here, one of `follows` comes only while it is begun; one of `over` ends that."""
    begun: set[Any] = set()
    for event in story.events_named(*begins, *follows):
        token = _plain(event.payload.get("token"))
        if token is None or token not in tokens:
            continue
        if event.name in begins:
            begun.add(token)
        elif token in begun:
            yield Kept(event.number)
            if event.name in (follows if over is None else over):
                begun.discard(token)
        elif not story.is_explained(_sent_at_s(story, token), event.at_s):
            found = f"{event.name} (token {token}) before {begins[0].partition('.')[2]}"
            yield Broken(found, f"{begins[0]} first", (event.number,))


def _sent_at_s(story: Story, token: Any) -> float:
    """When a token was first sent to the device."""
    return next((each.at_s for each in story.directives if _plain(key_of(each).get("token")) == token), 0.0)


# ---------------------------------------------------------------------- foreign reports


def foreign(story: Story, limits: Limits) -> Iterator[Case]:
    """Reports are about what the device was sent (or, of alerts, had already)."""
    if any(each.is_raw for each in story.directives):
        return  # what such a directive was about nobody knows
    known = _known(story)
    for event in story.events:
        for prefix, member in (
            ("SpeechSynthesizer.Speech", "token"),
            ("Alerts.Alert", "token"),
            ("Alerts.SetAlert", "token"),
            ("Alerts.DeleteAlert", "token"),
            ("AudioPlayer.Play", "token"),
            ("AudioPlayer.ProgressReport", "token"),
            ("Clova.ProcessDelegatedEvent", "delegationId"),
            ("DeviceControl.Action", "command"),
        ):
            value = event.payload.get(member)
            if not event.name.startswith(prefix) or not isinstance(value, str) or not value:
                continue
            if value in known[event.name.partition(".")[0]]:
                yield Kept(event.number)
            elif not any(strike.at_s <= event.at_s for strike in story.strikes):  # which may have changed the token
                found = f"{event.name} about {member} {value}, which nobody sent"
                yield Broken(found, f"the {member} of a directive, as it was sent", (event.number,))


def _known(story: Story) -> Mapping[str, set[Any]]:
    known: defaultdict[str, set[Any]] = defaultdict(set)
    for directive in story.directives:
        namespace = directive.name.partition(".")[0]
        known[namespace].update(_plain(value) for value in key_of(directive).values())
        for alert in directive.payload.get("allAlerts") or ():
            if isinstance(alert, Mapping):
                known["Alerts"].add(_plain(alert.get("token")))
    for event in story.events[:1]:  # what it had before
        for contexts in event.contexts.values():
            for member in ("allAlerts", "activeAlerts"):
                listed = contexts.get(member)
                known["Alerts"].update(
                    _plain(each.get("token"))
                    for each in (listed if isinstance(listed, list) else ())
                    if isinstance(each, Mapping)
                )
            stream = contexts.get("stream")
            if isinstance(stream, Mapping):
                known["AudioPlayer"].add(_plain(stream.get("token")))
    return known


# ---------------------------------------------------------------------- what should have happened


def alert_rings(story: Story, limits: Limits) -> Iterator[Case]:
    """An alert rings when its time has come (PROTOCOL 7.6)."""
    wall = {each.number: each.wall_s - each.at_s for each in story.directives}
    alerts: dict[Any, tuple[Sent, float]] = {}
    for directive in story.directives:
        if directive.name == "Alerts.SetAlert" and is_stale(story, directive) is False:
            due_s = _moment(directive.payload.get("scheduledTime"))
            token = _plain(directive.payload.get("token"))
            alerts.pop(token, None)
            if due_s is not None and not directive.by_another_clock:
                alerts[token] = (directive, due_s - wall[directive.number])
    for token, (directive, due_s) in alerts.items():
        if not directive.at_s < due_s <= directive.at_s + LONGEST_WATCH_S:
            continue
        if any(
            each.name in ("Alerts.DeleteAlert", "Alerts.SynchronizeAlert") and directive.at_s < each.at_s <= due_s
            for each in story.directives
        ):
            continue
        rang = next(
            (
                event
                for event in story.events_named("Alerts.AlertStarted")
                if event.payload.get("token") == token and event.at_s > directive.at_s
            ),
            None,
        )
        if rang is not None and rang.at_s <= due_s + limits.alert_within_s:
            yield Kept(rang.number, f"AlertStarted {rang.at_s - due_s:+.2f} s from its time", abs(rang.at_s - due_s))
        elif story.is_explained(directive.at_s) or story.is_explained(due_s, due_s + limits.alert_within_s):
            continue
        elif rang is not None:
            found = f"AlertStarted {rang.at_s - due_s:.1f} s after the alert's time"
            yield Broken(found, f"within {limits.alert_within_s:g} s", (directive.number, rang.number))
        elif not story.left_between(directive.at_s, due_s + limits.alert_within_s) and _was_set(story, token):
            found = f"no AlertStarted {story.ends_s - due_s:.1f} s after the time of alert {token}"
            yield Broken(found, "AlertStarted at its scheduledTime", (directive.number,))


def _was_set(story: Story, token: Any) -> bool:
    failed = story.events_named("Alerts.SetAlertFailed")
    return not any(event.payload.get("token") == token for event in failed)


def _moment(value: object) -> float | None:
    """Seconds since 1970 of an ISO 8601 time with an offset."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if moment is None or moment.tzinfo is None else moment.timestamp()


def progress(story: Story, limits: Limits) -> Iterator[Case]:
    """While a stream plays its progress reports come (PROTOCOL 7.5)."""
    for wanted, directive in _progress_wanted(story):
        token = key_of(directive).get("token")
        for event in story.events:
            if (
                event.name != "AudioPlayer.PlayStarted"
                or event.payload.get("token") != token
                or event.at_s < directive.at_s
            ):
                continue
            until = next(
                (
                    each.at_s
                    for each in story.events
                    if each.number > event.number
                    and each.name in (*STOPS, "AudioPlayer.PlayPaused", "AudioPlayer.PlayStarted")
                ),
                story.ends_s,
            )
            for kind, after_s in wanted:
                name = f"AudioPlayer.ProgressReport{kind}Passed"
                came = next(
                    (
                        each
                        for each in story.events_named(name)
                        if event.at_s <= each.at_s <= until and each.payload.get("token") == token
                    ),
                    None,
                )
                if came is not None:
                    yield Kept(came.number)
                elif (
                    event.at_s + after_s + PROGRESS_LEEWAY_S < until
                    and not story.left_between(event.at_s, event.at_s + after_s + PROGRESS_LEEWAY_S)
                    and not story.is_explained(directive.at_s, event.at_s + after_s + PROGRESS_LEEWAY_S)
                ):
                    found = f"no {name} although it played for {until - event.at_s:.1f} s"
                    yield Broken(found, f"one after {after_s:g} s (progressReport)", (directive.number, event.number))
            break


def _progress_wanted(story: Story) -> Iterator[tuple[list[tuple[str, float]], Sent]]:
    for directive in story.directives_named(PLAY, DELIVER):
        item = directive.payload.get("audioItem")
        stream = item.get("stream") if isinstance(item, Mapping) else directive.payload.get("audioStream")
        asked = stream.get("progressReport") if isinstance(stream, Mapping) else None
        wanted = []
        for kind in ("Delay", "Interval"):
            value = asked.get(f"progressReport{kind}InMilliseconds") if isinstance(asked, Mapping) else None
            if isinstance(value, int | float) and value > 0:
                wanted.append((kind, value / 1000))
        if wanted:
            yield wanted, directive
