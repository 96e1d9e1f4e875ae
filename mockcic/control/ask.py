"""What is asked of the control side that cannot be done."""

from __future__ import annotations

from typing import Any


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
