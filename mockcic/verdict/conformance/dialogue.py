"""Rules about dialogue ids: old ones dropped, none obeyed at once, unknown directives passed over (PROTOCOL 3.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockcic.cic.catalogue import catalogue
from mockcic.verdict.conformance.limits import Limits
from mockcic.verdict.conformance.reports import Due, dues, is_excused, is_stale, report_of
from mockcic.verdict.conformance.rule import Broken, Case, Kept
from mockcic.verdict.conformance.story import Story

ASKING: Final = ("dialogue", "late")
"""Acts that make old directives, to see whether a device drops them."""


def stale_dropped(story: Story, limits: Limits) -> Iterator[Case]:
    """A directive of an old dialogue is dropped: nothing is reported about it (PROTOCOL 3.6, no 4)."""
    everything = list(dues(story, limits))
    fresh = [due for due in everything if is_stale(story, due.directive) is not True]
    for due in everything:
        if is_stale(story, due.directive) is not True or not due.key:
            continue
        if any(other.names == due.names and other.key == due.key for other in fresh):
            continue  # a report would be of the other
        report = report_of(story, due)
        if report is not None and story.is_explained(due.directive.at_s, report.at_s, but=ASKING):
            continue
        if report is not None:
            found = f"{report.name} about a {due.directive.name} of the old dialogue {due.directive.dialogue}"
            yield Broken(found, "nothing: it is dropped with its attachments", (due.directive.number, report.number))
        elif story.ends_s - due.directive.at_s >= min(limits.race_s, limits.report_within_s):
            yield Kept(due.directive.number)


def idless_obeyed(story: Story, limits: Limits) -> Iterator[Case]:
    """A directive without dialogRequestId is acted on at once (PROTOCOL 3.6, no 4)."""
    for due in dues(story, limits):
        if due.directive.dialogue:
            continue
        report = report_of(story, due)
        if report is not None:
            yield Kept(report.number)
        elif not is_excused(story, due) and _obeys_others(story, limits):
            yield _ignored(due, "without dialogRequestId")


def current_obeyed(story: Story, limits: Limits) -> Iterator[Case]:
    """A directive of the current dialogue is acted on, whatever unknown ones stand beside it (PROTOCOL 3.6; G)."""
    there = catalogue()
    beside = {each.stream for each in story.directives if each.name not in there.directives}
    for due in dues(story, limits):
        if not due.directive.dialogue or is_stale(story, due.directive) is not False:
            continue
        report = report_of(story, due)
        if report is not None:
            yield Kept(report.number)
        elif due.directive.stream in beside and not is_excused(story, due):
            yield _ignored(due, "beside an unknown directive")


def _obeys_others(story: Story, limits: Limits) -> bool:
    """Whether directives with an id are obeyed: otherwise reports are missing for another reason."""
    return any(due.directive.dialogue and report_of(story, due) is not None for due in dues(story, limits))


def _ignored(due: Due, how: str) -> Broken:
    found = f"no {' or '.join(due.names)} after a {due.directive.name} {how}"
    return Broken(found, "it is acted on", (due.directive.number,))
