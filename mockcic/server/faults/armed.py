"""A fault that is set for one device: how often it had an occasion, how often it struck, when it is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from mockcic.scenario.faults.fault import Fault


def each_message(fault: Fault) -> bool:
    """Whether each directive, or on a downchannel each message, is an occasion, and not the stream."""
    act = fault.act
    return act.SHAPES and (act.PER_DIRECTIVE or (fault.role == "downchannel" and not act.IN_THE_HEAD))


class Count:
    """Occasions and strikes of a fault, and its chances. One that a rule names has one for all its events."""

    __slots__ = ("_random", "fault", "occasions", "strikes")

    def __init__(self, fault: Fault, *, occasions: int = 0, strikes: int = 0) -> None:
        self.fault = fault
        self.occasions = occasions
        self.strikes = strikes
        self._random = Random(fault.seed)

    def draws(self) -> bool:
        """There is an occasion: whether the fault takes it."""
        if self.spent:
            return False
        self.occasions += 1
        takes = self.fault.nth is None or self.occasions == self.fault.nth
        if self.fault.chance < 1:  # drawn each time, so that the same seed gives the same at each occasion
            takes = self._random.random() < self.fault.chance and takes
        self.strikes += takes
        return takes

    def missed(self) -> None:
        """It took an occasion and came too late for it: it has not struck."""
        self.strikes -= 1

    @property
    def spent(self) -> bool:
        """Whether it will never strike again."""
        fault = self.fault
        if fault.nth is not None and self.occasions >= fault.nth:
            return True
        return fault.times is not None and self.strikes >= fault.times


@dataclass(frozen=True, slots=True, eq=False)
class Lasting:
    """A lasting effect on a connection, and what ends it."""

    connection: str
    undo: Callable[[], None]


@dataclass(slots=True, eq=False)
class Armed:
    """One fault that is set. `stream` is the event's it is for alone, where a rule or a step has set it."""

    number: int
    count: Count
    by: str
    stream: str = ""
    gone: bool = False
    undo: list[Lasting] = field(default_factory=list)
    """The lasting effects that are still there."""

    @property
    def fault(self) -> Fault:
        """What it is."""
        return self.count.fault
