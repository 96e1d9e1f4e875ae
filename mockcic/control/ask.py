"""What is asked of the control side that cannot be done."""

from __future__ import annotations

from typing import Any, Final

LONGEST_TURN_S: Final = 100 * 365.25 * 86_400
"""How far a clock can be turned at once: a century (INF)."""


class AskError(Exception):
    """A request that cannot be carried out: `status` as HTTP has it, `detail` for people, `member` at fault.

    `more` is added to the problem document (RFC 9457 3.2).
    """

    def __init__(self, status: int, detail: str, *, member: str = "", **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.member = member
        self.more = more


def not_found(what: str, name: str, there_are: list[str]) -> AskError:
    """404, with what there is, and what was probably meant."""
    from difflib import get_close_matches

    near = get_close_matches(name, there_are, 1)
    listed = ", ".join(there_are[:20]) + (", ..." if len(there_are) > 20 else "")
    hint = f"did you mean {near[0]}?" if near else f"there are {listed}" if there_are else "there is none yet"
    return AskError(404, f"there is no {what} {name}; {hint}", member=what)


def read_seconds(said: str | float) -> float:
    """Seconds of a number, or of a duration as scenarios have it (`5d`). Raises `AskError`."""
    from pydantic_core import PydanticCustomError

    from mockcic.scenario.words import read_duration

    try:
        seconds = float(read_duration(said)) if isinstance(said, str) else float(said)
    except (ValueError, PydanticCustomError):
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_TURN_S:
        raise AskError(422, f"found {said!r}, expected a duration such as 90s, 12h, 5d, or seconds", member="by")
    return seconds
