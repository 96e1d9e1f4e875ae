"""Rules about what events say: the envelope, ids, payloads, dialogues (PROTOCOL 3.2, 3.6)."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from mockcic.cic.catalogue import Catalogue, catalogue
from mockcic.cic.issue import Issue
from mockcic.cic.message import Context, Event
from mockcic.verdict.conformance.limits import Limits
from mockcic.verdict.conformance.multipart import noticed
from mockcic.verdict.conformance.rule import Broken, Case, Kept
from mockcic.verdict.conformance.story import Sent, Story, Told

EXPECT_SPEECH: Final = "SpeechRecognizer.ExpectSpeech"

json: Final = noticed("message.json", "message.utf-8")
envelope: Final = noticed("message.shape", "message.envelope", "message.payload", "message.context")


def id_unique(story: Story, limits: Limits) -> Iterator[Case]:
    """No messageId comes twice (PROTOCOL 3.2)."""
    seen: dict[str, Told] = {}
    for event in story.events:
        if not event.message_id:
            continue
        if (first := seen.get(event.message_id)) is not None:
            if story.may_repeat(first, event.began_s):
                continue  # it cannot know whether it was heard
            found = f"messageId {event.message_id} of {first.name} again in {event.name}"
            yield Broken(found, "an id of its own for each message", (first.number, event.number))
        else:
            seen[event.message_id] = event
            yield Kept(event.number)


def known(story: Story, limits: Limits) -> Iterator[Case]:
    """Events are those of the catalogue."""
    there = catalogue()
    told: set[str] = set()
    for event in story.events:
        if event.name in there.events:
            yield Kept(event.number)
        elif event.name not in told:
            told.add(event.name)
            near = there.suggest("event", event.name)
            yield Broken(
                event.name, "an event of the catalogue", (event.number,), f"did you mean {near[0]}?" if near else ""
            )


def payload(story: Story, limits: Limits) -> Iterator[Case]:
    """Payloads are as the catalogue has them; what it only advises is no break."""
    yield from _judged(story, lambda path: path[0] == "payload")


def context(story: Story, limits: Limits) -> Iterator[Case]:
    """Contexts are as the catalogue has them."""
    yield from _judged(story, lambda path: path[0] == "context")


def dialogue_required(story: Story, limits: Limits) -> Iterator[Case]:
    """A dialogRequestId where the catalogue requires one (PROTOCOL 3.2)."""
    there = catalogue()
    for event in story.events:
        spec = there.events.get(event.name)
        if spec is None or spec.dialog_request_id != "required":
            continue
        if event.dialogue:
            yield Kept(event.number)
        else:
            yield Broken(f"{event.name} without dialogRequestId", "an id of the dialogue it begins", (event.number,))


def _judged(story: Story, concerns: Callable[[tuple[str | int, ...]], bool]) -> Iterator[Case]:
    """What the catalogue has against events, each thing once for each kind of event."""
    there = catalogue()
    told: set[tuple[object, ...]] = set()
    for event in story.events:
        if event.name not in there.events:
            continue
        errors = [each for each in _issues(there, event) if each.severity == "error" and concerns(each.path)]
        if not errors:
            yield Kept(event.number)
        for issue in errors:
            key = (event.name, *issue.path, issue.code)
            if key not in told:
                told.add(key)
                where = ".".join(map(str, issue.path))
                yield Broken(f"{event.name} {where}: {issue.found}", issue.expected, (event.number,), issue.mend)


def _issues(there: Catalogue, event: Told) -> list[Issue]:
    namespace, _, name = event.name.partition(".")
    contexts = tuple(_context(full_name, payload) for full_name, payload in event.contexts.items())
    dialogue = event.dialogue or None
    return there.judge_event(Event(namespace, name, event.message_id, dict(event.payload), dialogue, contexts))


def _context(full_name: str, payload: Mapping[str, Any]) -> Context:
    namespace, _, name = full_name.partition(".")
    return Context(namespace, name, dict(payload))


# ---------------------------------------------------------------------- dialogues


def _question_for(story: Story, event: Told) -> Sent | None:
    """The ExpectSpeech that this utterance answers: the youngest since the utterance before, of the last dialogue.

    An utterance that begins a new dialogue answers none: the user need not answer (PROTOCOL 7.3).
    """
    place = bisect.bisect_left(story.utterances, event.number, key=lambda each: each.number)
    since = story.utterances[place - 1].at_s if place else 0.0
    asked = [each for each in story.directives_named(EXPECT_SPEECH) if since <= each.at_s <= event.began_s]
    return asked[-1] if asked else None


def _is_follow_up(event: Told) -> bool:
    return bool(event.payload.get("speechId")) or "explicit" in event.payload


def dialogue_new(story: Story, limits: Limits) -> Iterator[Case]:
    """A new utterance has a new dialogRequestId (PROTOCOL 3.6, no 1)."""
    seen: dict[str, Told] = {}
    for event in story.utterances:
        if not event.dialogue:
            continue
        first = seen.setdefault(event.dialogue, event)
        if first is event:
            yield Kept(event.number)
        elif story.may_repeat(first, event.began_s):
            continue  # said again, for it may not have been heard
        elif _question_for(story, event) is None and event.message_id != first.message_id:
            found = f"dialogRequestId {event.dialogue} again in a {event.name} that answers no ExpectSpeech"
            yield Broken(found, "a new id for a new utterance", (first.number, event.number))


def dialogue_kept(story: Story, limits: Limits) -> Iterator[Case]:
    """The answer to ExpectSpeech keeps the dialogRequestId (PROTOCOL 3.6, no 5)."""
    for event in story.utterances:
        question = _question_for(story, event)
        if question is None or not question.dialogue:
            continue
        if event.dialogue == question.dialogue:
            yield Kept(event.number)
        elif _is_follow_up(event) and not story.is_explained(question.at_s, event.began_s):
            found = f"the answer to ExpectSpeech with dialogRequestId {event.dialogue or 'none'}"
            yield Broken(found, f"{question.dialogue}, as the question had", (question.number, event.number))


def speech_id(story: Story, limits: Limits) -> Iterator[Case]:
    """It carries `speechId` and `explicit` of the ExpectSpeech (PROTOCOL 3.6, no 5)."""
    for event in story.utterances:
        question = _question_for(story, event)
        if question is None or event.dialogue != question.dialogue:
            continue
        wanted = {
            mine: question.payload[theirs]
            for mine, theirs in (("speechId", "expectSpeechId"), ("explicit", "explicit"))
            if theirs in question.payload
        }
        wrong = {name: event.payload.get(name) for name, value in wanted.items() if event.payload.get(name) != value}
        if wrong and not story.is_explained(question.at_s, event.began_s):
            found = ", ".join(f"{name} {'absent' if value is None else repr(value)}" for name, value in wrong.items())
            expected = ", ".join(f"{name} {wanted[name]!r}" for name in wrong)
            yield Broken(
                f"the answer to ExpectSpeech with {found}",
                f"{expected}, as in the question",
                (question.number, event.number),
            )
        elif wanted and not wrong:
            yield Kept(event.number)
