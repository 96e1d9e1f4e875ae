"""What the built-in behaviour does by itself, by message: for `mockcic interfaces` and docs/interfaces.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from mockcic.scenario.files import builtin_names
from mockcic.scenario.load import load_text, read_part
from mockcic.scenario.model import Rule, Scenario
from mockcic.scenario.steps import Send, Step, Use
from mockcic.scenario.walk import cues_of, flat_steps, steps_of
from mockcic.scenario.words import is_template

COLLECTIONS: Final = frozenset({"all", "default", "greeting"})
"""Parts that have no behaviour of their own."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a part does about an event, in words."""

    part: str
    said: str


@cache
def _parts() -> dict[str, Scenario]:
    """The behaviours, each with what it includes."""
    found: dict[str, Scenario] = {}
    for name in builtin_names():
        if name not in COLLECTIONS:
            found[name] = load_text(f"scenario: s\ninclude: [builtin/{name}]\n").scenarios[0]
    return found


def answers(event: str) -> list[Reaction]:
    """What the parts do about an event, besides 204."""
    found: list[Reaction] = []
    for part, scenario in _parts().items():
        here = [rule for rule in scenario.on if rule.where.startswith(f"builtin/{part}:") and rule.is_about(event)]
        said = [words for rule in here if rule.event != ["*"] and (words := _said(rule, scenario))]
        pushes = [
            f"afterwards ⇓ {', '.join(dict.fromkeys(_names(placed.cue.push, scenario)))}"
            for placed in cues_of(scenario)
            if placed.block == "downchannel" and placed.cue.after is not None and placed.cue.after.event == event
        ]
        said += pushes
        if said:
            found.append(Reaction(part, "; ".join(dict.fromkeys(said))))
    return found


def _said(rule: Rule, scenario: Scenario) -> str:
    sent = ", ".join(dict.fromkeys(_names(rule.reply or [], scenario)))
    after = ", ".join(name for cue in rule.afterwards for name in _names(cue.push, scenario))
    during = ", ".join(name for cue in rule.while_uploading or () for name in _names(cue.push, scenario))
    words = []
    if rule.exception is not None:
        words.append(f"{rule.exception.code}")
    if sent:
        words.append(f"⇒ {sent}")
    if during:
        words.append(f"⇓ {during} while uploading")
    if after:
        words.append(f"then ⇓ {after}")
    if rule.set_ and not sent:
        words.append(f"keeps {', '.join(f'`{name}`' for name in rule.set_)}")
    if not words:
        return ""
    return f"{' '.join(words)} ({rule.name})" if sent or rule.exception or during else " ".join(words)


def _names(steps: Sequence[Step], scenario: Scenario) -> Iterator[str]:
    """The directives of steps, those of named replies too."""
    for placed in flat_steps((), steps, "either"):
        if isinstance(placed.step, Send) and not is_template(placed.step.directive):
            yield placed.step.directive
        elif isinstance(placed.step, Use):
            yield from _names(scenario.replies[placed.step.use], scenario)


def senders(directive: str) -> list[str]:
    """The parts that send a directive themselves: by a rule, or by a cue."""
    return [name for name in _parts() if directive in _sent(name)]


@cache
def _sent(part: str) -> frozenset[str]:
    """The directives in the part's own file."""
    own = read_part(part)
    return frozenset(placed.step.directive for placed in steps_of(own) if isinstance(placed.step, Send))


__all__ = ["Reaction", "answers", "senders"]
