"""Rules about the body of an event as multipart/form-data (PROTOCOL 3.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mockcic.verdict.conformance.limits import Limits
from mockcic.verdict.conformance.rule import Broken, Case, Judge, Kept
from mockcic.verdict.conformance.story import SPEECH, Noticed, Story, Told

UNDECODABLE: Final = (
    "multipart.part-header", "multipart.boundary", "multipart.type", "multipart.preamble", "multipart.delimiter",
)  # fmt: skip
"""Findings that say the body is not what its Content-Type announced."""


def noticed(*codes: str) -> Judge:
    """A rule that an event breaks when the server noticed one of these things about it."""

    def judge(story: Story, limits: Limits) -> Iterator[Case]:
        same: dict[tuple[str, str], list[Noticed]] = {}
        for finding in story.findings:
            if finding.code in codes:
                same.setdefault((finding.code, finding.found), []).append(finding)
        for findings in same.values():
            yield broken_by(findings)
        bad = {finding.stream for findings in same.values() for finding in findings}
        for event in story.events:
            if event.stream not in bad:
                yield Kept(event.number)

    return judge


def broken_by(findings: Sequence[Noticed]) -> Broken:
    """The break that a finding tells, which came as often as there are of it."""
    first = findings[0]
    often = f", {len(findings)} times" if len(findings) > 1 else ""
    return Broken(first.found + often, first.expected, tuple(each.number for each in findings[:5]), first.mend)


decodable: Final = noticed(*UNDECODABLE)
last_delimiter: Final = noticed("multipart.last-delimiter")
line_ends: Final = noticed("multipart.line-ends")
order: Final = noticed("multipart.metadata-first", "multipart.metadata-twice")


NAMED: Final = noticed("multipart.metadata", "multipart.part-name", "multipart.part-unknown")


def names(story: Story, limits: Limits) -> Iterator[Case]:
    """The parts are named metadata and audio (PROTOCOL 3.1)."""
    yield from NAMED(story, limits)
    for event in story.events:
        for which, part in _each_part(event):
            if which == "audio" and part.get("name") != which:
                yield Broken(f'the audio part of {event.name} named "{part.get("name")}"', '"audio"', (event.number,))


def types(story: Story, limits: Limits) -> Iterator[Case]:
    """The metadata is application/json, the sound application/octet-stream (PROTOCOL 3.1)."""
    wanted = {"metadata": "application/json", "audio": "application/octet-stream"}

    def content_type(part: Mapping[str, Any]) -> str:
        headers = part.get("headers")
        return str(headers.get("content-type", "")) if isinstance(headers, Mapping) else ""

    for event in story.events:
        for which, part in _each_part(event):
            found = content_type(part)
            if found.partition(";")[0].strip().lower() == wanted[which]:
                yield Kept(event.number)
            else:
                said = (
                    f"the {which} part of {event.name} of type {found}" if found else f"the {which} part without a type"
                )
                yield Broken(said, wanted[which], (event.number,))


def _each_part(event: Told) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for part in event.parts:
        yield "metadata", part
    others: Sequence[Mapping[str, Any]] = (event.upload or {}).get("parts") or ()
    for part in others:
        yield "audio", part


def one_audio_part(story: Story, limits: Limits) -> Iterator[Case]:
    """All sound of an utterance is in one part (PROTOCOL 3.3)."""
    for event in story.events_named(SPEECH):
        count = len((event.upload or {}).get("parts") or ())
        if count > 1:
            yield Broken(f"{count} audio parts", "one part with all of the sound", (event.number,))
        elif count:
            yield Kept(event.number)
