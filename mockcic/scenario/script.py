"""A list of steps on its way: which directive goes where, what is last, how long to wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal, assert_never

from mockcic.scenario.steps import Change, PushStep, Send, Step, Use, Wait

Line = Literal["reply", "downchannel"]


@dataclass(frozen=True, slots=True)
class Item:
    """A step after `use` and `push` are resolved, and the line its directive goes on."""

    step: Send | Wait | Change
    line: Line


@dataclass(slots=True)
class Script:
    """Items still to be done. `replies_left` counts the directives still to be sent in the reply."""

    items: deque[Item]
    replies_left: int = field(init=False)

    def __post_init__(self) -> None:
        self.replies_left = sum(_is_reply(item) for item in self.items)

    def next(self) -> Item | None:
        """The next item, or None when the script is over."""
        if not self.items:
            return None
        item = self.items.popleft()
        self.replies_left -= _is_reply(item)
        return item


def _is_reply(item: Item) -> bool:
    return item.line == "reply" and isinstance(item.step, Send)


def make_script(steps: Sequence[Step], line: Line, replies: Mapping[str, Sequence[Step]]) -> Script:
    """Resolve `use` and `push` of the steps, which go on `line` unless they say otherwise."""
    return Script(deque(_flat(steps, line, replies)))


def _flat(steps: Sequence[Step], line: Line, replies: Mapping[str, Sequence[Step]]) -> Iterable[Item]:
    for step in steps:
        match step:
            case Send() | Wait() | Change():
                yield Item(step, line)
            case PushStep():
                yield from _flat(step.push, "downchannel", replies)
            case Use():
                yield from _flat(replies[step.use], line, replies)
            case _:
                assert_never(step)


def shuffle_replies(script: Script, random: Random) -> Script:
    """The same script with its reply directives in another order (PROTOCOL 8, row 22); the rest stays in place."""
    sends = [item for item in script.items if _is_reply(item)]
    random.shuffle(sends)
    return Script(deque(sends.pop() if _is_reply(item) else item for item in script.items))
