"""A list of steps on its way: which directive goes where, what is last, how long to wait.

`repeat` and `if` are opened when their turn has come, not before: what they ask may change until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Any, Final, Literal, assert_never

from mockcic.scenario.steps import Change, Choice, FaultStep, PushStep, RawStep, Repeat, Send, Step, Use, Wait
from mockcic.scenario.template import RenderError

Line = Literal["reply", "downchannel"]
Locals = Mapping[str, Any]
"""Names that templates of some steps see besides the common ones: `args` of a cue, the element of a `repeat`."""

Fill = Callable[[Any, Locals], Any]
"""Renders the templates of a value."""

NONE: Final[Locals] = MappingProxyType({})

MOST: Final = 1000
"""Elements of one `repeat` (INF)."""


@dataclass(frozen=True, slots=True)
class Item:
    """A step after `use` and `push` are resolved, the line its directive goes on, and the names around it."""

    step: Send | RawStep | Wait | Change | Repeat | Choice | FaultStep
    line: Line
    names: Locals


@dataclass(slots=True)
class Script:
    """Items still to be done."""

    items: list[Item]
    replies: Mapping[str, Sequence[Step]] = field(default_factory=dict)

    def next(self, fill: Fill) -> Item | None:
        """The next item, or None when the script is over. Raises `RenderError`."""
        while self.items and isinstance(self.items[0].step, Repeat | Choice):
            self.items[:1] = self._open(self.items[0], fill)
        return self.items.pop(0) if self.items else None

    def has_reply(self, fill: Fill) -> bool:
        """Whether a directive of the reply is still to come; True also where that cannot be known yet.

        What stands behind no `wait`, `set` or `go` is opened to see. Raises `RenderError`.
        """
        number, later = 0, False
        while number < len(self.items):
            item = self.items[number]
            if isinstance(item.step, Repeat | Choice):
                if not later:
                    self.items[number : number + 1] = self._open(item, fill)
                    continue
                if item.line == "reply":
                    return True
            elif _is_reply(item) or (item.line == "reply" and isinstance(item.step, FaultStep)):
                return True  # the body is open still when a fault's turn comes
            later = later or isinstance(item.step, Wait | Change)
            number += 1
        return False

    def _open(self, item: Item, fill: Fill) -> list[Item]:
        match item.step:
            case Choice() as choice:
                chosen = choice.then if fill(choice.if_, item.names) else choice.else_
                return list(_flat(chosen, item.line, self.replies, item.names))
            case Repeat(repeat=each):
                elements = fill(each.in_, item.names)
                if not isinstance(elements, list | tuple):
                    raise RenderError(str(each.in_), f"found {type(elements).__name__}, expected a list to repeat for")
                if len(elements) > MOST:
                    raise RenderError(str(each.in_), f"found {len(elements)} elements, expected at most {MOST}")
                return [
                    inner
                    for element in elements
                    for inner in _flat(each.steps, item.line, self.replies, {**item.names, each.for_: element})
                ]
        return [item]


def _is_reply(item: Item) -> bool:
    return item.line == "reply" and isinstance(item.step, Send | RawStep)


def make_script(
    steps: Sequence[Step], line: Line, replies: Mapping[str, Sequence[Step]], names: Locals = NONE
) -> Script:
    """Resolve `use` and `push` of the steps, which go on `line` unless they say otherwise."""
    return Script(list(_flat(steps, line, replies, names)), replies)


def _flat(steps: Sequence[Step], line: Line, replies: Mapping[str, Sequence[Step]], names: Locals) -> Iterator[Item]:
    for step in steps:
        match step:
            case Send() | RawStep() | Wait() | Change() | Repeat() | Choice() | FaultStep():
                yield Item(step, line, names)
            case PushStep():
                yield from _flat(step.push, "downchannel", replies, names)
            case Use():
                yield from _flat(replies[step.use], line, replies, names)
            case _:
                assert_never(step)


def shuffle_replies(script: Script, random: Random) -> Script:
    """The same script with its reply directives in another order (PROTOCOL 8, row 22); the rest stays in place."""
    sends = [item for item in script.items if _is_reply(item)]
    random.shuffle(sends)
    items: Iterable[Item] = (sends.pop() if _is_reply(item) else item for item in script.items)
    return Script(list(items), script.replies)
