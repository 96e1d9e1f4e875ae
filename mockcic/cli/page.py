"""Text laid out for a terminal: headings, paragraphs and tables, as wide as there is room, counted by display width."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Final

import click
from wcwidth import wcswidth

WIDEST: Final = 120
"""Columns, however wide the terminal is: longer lines are hard to read."""
NARROWEST: Final = 40
GAP: Final = "  "
LEAST_LAST: Final = 36
"""Columns that the last column of a table needs; with less it goes below the others."""


def display_width(text: str) -> int:
    """Columns a text takes, without its ANSI colours; Korean letters take two."""
    plain = click.unstyle(text)
    width = wcswidth(plain)
    return width if width >= 0 else len(plain)


def wrap(text: str, width: int) -> list[str]:
    """The words of a text in lines of at most `width` columns; a longer word has a line of its own."""
    lines: list[str] = []
    for word in text.split():
        if lines and display_width(lines[-1]) + 1 + display_width(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines or [""]


def terminal_width() -> int:
    """Columns there are, 100 where nobody says (a pipe)."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((100, 24)).columns))


class Page:
    """Lines put together one block after another; `str()` is the whole text."""

    def __init__(self, width: int | None = None) -> None:
        self.width = terminal_width() if width is None else width
        self._lines: list[str] = []

    def __str__(self) -> str:
        return "\n".join(self._lines)

    def title(self, name: str, about: str) -> None:
        """What the page is about."""
        self._lines.append(f"{click.style(name, bold=True)}{GAP}{click.style(about, dim=True)}".rstrip())

    def heading(self, text: str) -> None:
        """The name of a part, after an empty line."""
        self._lines += ["", click.style(text, fg="cyan", bold=True)]

    def blank(self) -> None:
        """An empty line."""
        self._lines.append("")

    def text(self, text: str, indent: str = "") -> None:
        """A paragraph."""
        self._lines += [f"{indent}{line}" for line in wrap(text, self.width - len(indent))]

    def literal(self, text: str, indent: str = GAP) -> None:
        """Lines as they are, to be copied."""
        self._lines += [f"{indent}{line}".rstrip() for line in text.splitlines()]

    def table(self, rows: Sequence[Sequence[str]], *, bold: bool = True, least: int = LEAST_LAST) -> None:
        """Rows whose first column is a name and whose last one is wrapped.

        Where the last column would have less than `least` columns it stands below the others.
        """
        if not rows:
            return
        widths = [max(display_width(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
        before = sum(widths) + len(GAP) * (len(widths) + 1)
        beside = self.width - before >= least
        for row in rows:
            cells = [cell + " " * (width - display_width(cell)) for cell, width in zip(row, widths, strict=False)]
            cells[0] = click.style(cells[0], bold=True) if bold else cells[0]
            head = GAP + GAP.join(cells)
            if beside:
                first, *others = wrap(row[-1], self.width - before)
                self._lines.append(f"{head}{GAP}{first}".rstrip())
                self._lines += [" " * before + line for line in others]
            else:
                head = GAP.join([click.style(row[0], bold=True) if bold else row[0], *row[1:-1]])
                self._lines.append(f"{GAP}{head}".rstrip())
                if row[-1]:
                    self.text(row[-1], GAP * 3)


__all__ = ["Page", "display_width", "terminal_width", "wrap"]
