"""Rules about request headers (PROTOCOL 1.2, 1.3) and about tokens that were refused (2.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mockcic.cic.user_agent import judge_user_agent
from mockcic.verdict.conformance.limits import Limits
from mockcic.verdict.conformance.rule import Broken, Case, Kept
from mockcic.verdict.conformance.story import Asked, Story

FORM_DATA: Final = re.compile(r'multipart/form-data\s*;.*\bboundary=("[^"]+"|[^\s;"]+)', re.IGNORECASE)
BEARER: Final = re.compile(r"bearer\s+\S", re.IGNORECASE)


def token(story: Story, limits: Limits) -> Iterator[Case]:
    """`authorization: Bearer TOKEN` on every request (PROTOCOL 1.2)."""
    for asked in story.requests:
        value = asked.headers.get("authorization", "")
        if BEARER.match(value):
            yield Kept(asked.number)
        else:
            found = f"{asked.what} without authorization" if not value else f"{asked.what} with authorization: {value}"
            yield Broken(found, "authorization: Bearer TOKEN", (asked.number,))


def user_agent(story: Story, limits: Limits) -> Iterator[Case]:
    """A User-Agent in the grammar of PROTOCOL 1.3 on every request; each wrong one is told once."""
    told: set[str | None] = set()
    for asked in story.requests:
        value = asked.headers.get("user-agent")
        if value in told:
            continue
        finding = judge_user_agent(value, strict=False)
        if finding is None:
            yield Kept(asked.number)
        else:
            told.add(value)
            yield Broken(f"{asked.what}: {finding.found}", finding.expected, (asked.number,), finding.mend)


def user_agent_same(story: Story, limits: Limits) -> Iterator[Case]:
    """One device has one User-Agent."""
    first: Asked | None = None
    told: set[str] = set()
    for asked in story.requests:
        value = asked.headers.get("user-agent")
        if value is None:
            continue
        if first is None:
            first = asked
        known = first.headers["user-agent"]
        if value == known:
            yield Kept(asked.number)
        elif value not in told:
            told.add(value)
            yield Broken(f"{asked.what} with {value}", f"{known}, as before", (first.number, asked.number))


def content_type(story: Story, limits: Limits) -> Iterator[Case]:
    """`multipart/form-data; boundary=...` on every event (PROTOCOL 1.2)."""
    for asked in story.requests:
        if asked.what != "POST /v1/events":
            continue
        value = asked.headers.get("content-type", "")
        if FORM_DATA.match(value):
            yield Kept(asked.number)
        else:
            found = f"content-type: {value}" if value else "no content-type"
            yield Broken(found, "multipart/form-data; boundary=BOUNDARY", (asked.number,))


def tags(story: Story, limits: Limits) -> Iterator[Case]:
    """`x-clova-device-tags` is a list with commas, no item of it empty (PROTOCOL 1.2)."""
    told: set[str] = set()
    for asked in story.requests:
        value = asked.headers.get("x-clova-device-tags")
        if value is None or value in told:
            continue
        if all(item.strip() for item in value.split(",")):
            yield Kept(asked.number)
        else:
            told.add(value)
            yield Broken(f'x-clova-device-tags: "{value}"', "items with a comma between them", (asked.number,))


def refused_again(story: Story, limits: Limits) -> Iterator[Case]:
    """A token that got 401 is not used on and on: the device refreshes it (PROTOCOL 2.5, 7.10)."""
    refusals: dict[str, list[int]] = {}
    answered = [(each.at_s, each.request, each.number) for each in story.refused if each.status == 401]
    answered += [(each.at_s, each.request, each.number) for each in story.events if each.status == 401]
    for _, headers, number in sorted(answered, key=lambda each: each[0]):
        if BEARER.match(value := headers.get("authorization", "")):
            refusals.setdefault(value, []).append(number)
    for value, numbers in refusals.items():
        again = len(numbers) - 1
        if again > limits.refused_again:
            found = f"{value} {again} times more after it had been refused"
            yield Broken(found, "a new token after the first 401", tuple(numbers[:5]))
        else:
            yield Kept(numbers[0])
