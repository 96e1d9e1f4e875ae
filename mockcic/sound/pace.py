"""How fast a sound came in: looks at its size, a hundred milliseconds apart, and never more than a bounded number."""

from __future__ import annotations

from typing import Final

EVERY_MS: Final = 100
MOST: Final = 600
"""A minute at 100 ms; of a longer sound every second look is let go, and later ones are twice as far apart."""


class Pace:
    """Tell it how much there is whenever more has come."""

    __slots__ = ("_every", "_last", "_looks")

    def __init__(self) -> None:
        self._every = EVERY_MS
        self._looks: list[tuple[int, int]] = []
        self._last: tuple[int, int] | None = None

    def note(self, ms: int, size: int) -> None:
        """So many bytes are there at so many milliseconds."""
        looks = self._looks
        if looks and ms < looks[-1][0] + self._every:
            self._last = (ms, size)
            return
        self._last = None
        looks.append((ms, size))
        if len(looks) >= MOST:
            self._every *= 2
            self._looks = looks[::2]
            self._last = looks[-1]

    @property
    def looks(self) -> tuple[tuple[int, int], ...]:
        """Milliseconds and bytes so far, the first and the last always."""
        last = () if self._last is None or self._last == self._looks[-1] else (self._last,)
        return (*self._looks, *last)


__all__ = ["Pace"]
