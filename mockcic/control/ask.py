"""What is asked of the control side that cannot be done."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any, Final

LONGEST_TURN_S: Final = 100 * 365.25 * 86_400
"""How far a clock can be turned at once: a century (INF)."""


ZONE: Final = timezone(timedelta(hours=9))
"""Of a time of day that names none: Korea's and Japan's, where these devices live (INF)."""


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


def seconds_until(said: str, now_wall_s: float) -> float:
    """How long until an ISO 8601 time, or until it is next so late in the day (`07:00`, `07:00+01:00`).

    What names no zone is in `ZONE`. Raises `AskError`, also for a time that has been.
    """
    now = datetime.fromtimestamp(now_wall_s, tz=UTC)
    try:
        moment = _next(time.fromisoformat(said), now) if "-" not in said[:5] else datetime.fromisoformat(said)
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=ZONE)) - now).total_seconds()
    except (ValueError, OverflowError):
        expected = "a time such as 07:00 or 2026-03-02T07:00:00+09:00"
        raise AskError(422, f"found {said!r}, expected {expected}", member="to") from None
    if seconds < 0:
        raise AskError(422, f"{said} has been; the clock shows {now.isoformat(timespec='seconds')}", member="to")
    if seconds > LONGEST_TURN_S:
        raise AskError(422, f"{said} is too far: a clock is turned by a century at most", member="to")
    return seconds


def _next(of_day: time, now: datetime) -> datetime:
    """The first moment, from `now` on, when it is so late in the day."""
    here = now.astimezone(of_day.tzinfo or ZONE)
    moment = datetime.combine(here.date(), of_day, tzinfo=here.tzinfo)
    return moment if moment >= here else moment + timedelta(days=1)
