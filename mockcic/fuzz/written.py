"""What was found, as a scenario: it loads with `mockcic check` and sends the very bytes again when it is played."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

AFTER: Final = "1s"
"""So long after the downchannel was opened it is sent: a device has said what it has to say then (INF)."""


def scenario_text(
    name: str, about: Sequence[str], step: Mapping[str, Any], probe: Mapping[str, Any] | None = None
) -> str:
    """A scenario that sends `step` once a device, and the `probe` 2 s later; the cue `again` sends both again."""
    import yaml

    probing = [] if probe is None else [{"wait": "2s"}, dict(probe)]
    whole: dict[str, Any] = {
        "scenario": name,
        "about": " ".join(about),
        "vars": {"tried": False},
        "replies": {"smallest": [dict(step), *probing]},
        "on": [{"event": "*"}],
        "downchannel": [
            {
                "after": AFTER,
                "push": [{"if": "{{ not vars.tried }}", "then": [{"set": {"tried": True}}, {"use": "smallest"}]}],
            }
        ],
        "cues": {"again": {"about": "Send it again.", "push": [{"use": "smallest"}]}},
    }
    comment = textwrap.fill(
        "Written by mockcic fuzz. `mockcic serve` this file and let the device connect: it is sent a second after the "
        "downchannel was opened, once; `mockcic cue again` sends it again, `mockcic reset` lets it begin anew.",
        width=110,
        initial_indent="# ",
        subsequent_indent="# ",
    )
    return f"{comment}\n{yaml.safe_dump(whole, allow_unicode=True, sort_keys=False, width=10**9)}"


__all__ = ["scenario_text"]
