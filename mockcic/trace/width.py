"""Texts within a width, counted as a terminal does: Korean letters take two."""

from __future__ import annotations


def cut(text: str, letters: int) -> str:
    """At most so many letters' width, with … where something is missing."""
    from wcwidth import wcwidth  # its tables are not for those who start a server

    width = 0
    for index, each in enumerate(text):
        width += max(0, wcwidth(each))
        if width > letters:
            return text[: max(0, index - 1)] + "…"
    return text


__all__ = ["cut"]
