"""The numbers of the rules, each with who says so; a run may have others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds.

    `reopen_within_s` "at once" (PROTOCOL 2.1; INF: firmware waits one second). `reopen_gap_s` the window of 429
    (2.2; INF). `reopens` in ten minutes (2.6: AVS certification). `ping_every_s` (2.4), with half of it as leeway
    (INF). `reconnect_within_s` after a ping nobody answers (2.4; firmware 15 s, AVS 30 s), `notice_within_s` from the
    beginning of silence on: a ping, and the wait for its answer (2.4; INF). `streams` at once (2.7: AVS).
    `refused_again` requests with a token that got 401 (INF). `pace_leeway` how much faster or slower than the
    microphone sound may come, as a part of its length, and `audio_gap_s` how long it may pause (3.3; INF);
    `preroll_s` of sound may be there at once, for a wake word and its lead are recorded before the request begins
    (INF). `stop_within_s` from StopCapture to the end of the upload (3.4 "at once"; INF). `report_within_s` from a
    directive to its report, `alert_within_s` from an alert's time to AlertStarted (INF). `quietest_dbfs` and
    `clipped_part` of a sound that is worth recognising (INF). `race_s` for what was under way when something
    happened: a device cannot know it yet (INF).
    """

    reopen_within_s: float = 5.0
    reopen_gap_s: float = 0.3
    reopens: float = 50
    ping_every_s: float = 60.0
    reconnect_within_s: float = 30.0
    notice_within_s: float = 90.0
    streams: float = 10
    refused_again: float = 2
    pace_leeway: float = 0.5
    audio_gap_s: float = 1.0
    preroll_s: float = 2.5
    stop_within_s: float = 0.5
    report_within_s: float = 10.0
    alert_within_s: float = 5.0
    quietest_dbfs: float = -60.0
    clipped_part: float = 0.05
    race_s: float = 1.0

    def as_json(self) -> dict[str, float]:
        """All of them by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


class LimitError(ValueError):
    """A limit there is not, or a value that is none; the text says what is expected."""


def read_limits(values: Mapping[str, Any], base: Limits | None = None) -> Limits:
    """The limits with these of other values: numbers, `off` for one that never counts. Raises `LimitError`."""
    base = base or Limits()
    known = base.as_json()
    read: dict[str, float] = {}
    for name, value in values.items():
        if name not in known:
            near = get_close_matches(name, known, 1, 0.6)
            mend = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
            raise LimitError(f"found limit {name!r}, expected one of the rules'{mend}")
        read[name] = _number(name, value)
    return replace(base, **read)


def _number(name: str, value: Any) -> float:
    if value == "off":
        return -math.inf if name == "quietest_dbfs" else math.inf
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise LimitError(f"limit {name}: found {value!r}, expected a number, or off") from None
    if not math.isfinite(number) or (number < 0 and name != "quietest_dbfs"):
        raise LimitError(f"limit {name}: found {value!r}, expected a number from 0 up, or off")
    return number
