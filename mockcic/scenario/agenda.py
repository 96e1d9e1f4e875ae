"""What an engine has put off: scripts that wait, cues that are due later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mockcic.scenario.effects import CallAt, CallOff

Block = str
"""Who owns running scripts and pending cues: a stream (an upload, a downchannel), or AFTERWARDS."""

AFTERWARDS: Final[Block] = "afterwards"

Then = Callable[[float], None]
"""What is done when the time has come, told the time."""


class Agenda:
    """Numbers each thing that is put off, so that a `StepDue` finds it again."""

    __slots__ = ("_due", "_given")  # one for each of thousands of devices

    def __init__(self) -> None:
        self._given = 0
        self._due: dict[int, tuple[Block, Then]] = {}

    def __len__(self) -> int:
        return len(self._due)

    def put(
        self, when: float, block: Block, then: Then, *, waits: tuple[str, float | None, str] = ("", None, "")
    ) -> CallAt:
        """Put `then` off until `when`. `waits`, for the journal: stream, seconds and reason of a script's step."""
        self._given += 1
        self._due[self._given] = (block, then)
        return CallAt(self._given, when, *waits)

    def take(self, step: int) -> Then | None:
        """What is to be done now; None where it was called off."""
        found = self._due.pop(step, None)
        return None if found is None else found[1]

    def has_any_of(self, block: Block) -> bool:
        """Whether something of this block is put off."""
        return any(owner == block for owner, _ in self._due.values())

    def call_off(self, block: Block) -> list[CallOff]:
        """Nothing of this block comes any more."""
        return [self._forget(step) for step in [step for step, (owner, _) in self._due.items() if owner == block]]

    def call_off_all(self) -> list[CallOff]:
        """Nothing comes any more."""
        return [self._forget(step) for step in list(self._due)]

    def _forget(self, step: int) -> CallOff:
        del self._due[step]
        return CallOff(step)
