"""Chance that is the same for the same seed, on every machine and in every version of Python."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Throws of one trial. All of them come from `Random.random()`, the only method whose sequence Python promises."""

    def __init__(self, seed: int, number: int) -> None:
        self._random = Random(f"mockcic {seed} {number}")

    def below(self, end: int) -> int:
        """A whole number from 0 on, below `end`."""
        return int(self._random.random() * end)

    def pick(self, choices: Sequence[T]) -> T:
        """One of them."""
        return choices[self.below(len(choices))]

    def chance(self, probability: float) -> bool:
        """Whether it happens."""
        return self._random.random() < probability

    def uuid(self) -> str:
        """An id in the form of a UUID (version 4)."""
        return str(uuid.UUID(bytes=bytes(self.below(256) for _ in range(16)), version=4))
