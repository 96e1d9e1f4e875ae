"""A connection's lower half, as HTTP/2 sees it."""

from __future__ import annotations

from typing import Protocol

from mockcic.scenario.faults.line import CutHow
from mockcic.server.observer import ConnectionFacts


class Line(Protocol):
    """What carries the bytes: `Connection`, or a fake in a test."""

    facts: ConnectionFacts

    @property
    def silent(self) -> bool:
        """Whether nothing is said on it any more, for a fault wants it so."""

    @property
    def paused(self) -> bool:
        """Whether the client reads so slowly that the kernel takes no more; when it does, `Http2.resumed` is called.

        So it is also when nothing is written any more, for the connection is about to be gone.
        """

    def write(self, data: bytes) -> None:
        """Send whole frames."""

    def close(self, reason: str, *, linger: bool = False) -> None:
        """Send what was written, then end the connection; with `linger`, read on for a moment before."""

    def abort(self, reason: str, *, rst: bool) -> None:
        """End the connection at once."""

    def cut(self, how: CutHow, reason: str) -> None:
        """End it, or let it fall silent, as a fault of the line wants."""
