"""Texts within a width, counted as a terminal does: Korean letters take two."""

from __future__ import annotations

from wcwidth import wcwidth


def cut(text: str, letters: int) -> str:
    """At most so many letters' width, with … where something is missing."""
    width = 0
    for index, each in enumerate(text):
        width += max(0, wcwidth(each))
        if width > letters:
            return text[: max(0, index - 1)] + "…"
    return text


__all__ = ["cut"]
