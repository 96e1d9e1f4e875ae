"""Problems of scenario files as a person reads them: where, what, the line with the place marked, expected, mend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import click

from mockcic.errors import Problem

WIDEST: Final = 120
"""Columns of a source line that are shown."""

_COLOURS: Final = {"error": "red", "warning": "yellow"}


def print_problems(problems: Iterable[Problem], *, err: bool = False) -> None:
    """Print problems one after another; with colours on a terminal, plain in a pipe."""
    for problem in problems:
        click.echo("\n".join(problem_lines(problem)), err=err)


def problem_lines(problem: Problem) -> Iterator[str]:
    """The lines of one problem, with ANSI colours (`click.echo` takes them away in a pipe)."""
    colour = _COLOURS[problem.severity]
    severity = click.style(f"{problem.severity}:", fg=colour, bold=True)
    yield f"{click.style(problem.where, bold=True)}: {severity} {problem.what}"
    if problem.source.strip():
        text, caret = marked(problem.source, problem.column, problem.width)
        number = str(problem.line).rjust(5)
        yield f"{number} | {text}"
        yield f"{' ' * len(number)} | {click.style(caret, fg=colour)}"
    if problem.expected:
        yield f"   expected  {problem.expected}"
    if problem.mend:
        yield f"   mend      {problem.mend}"


def marked(line: str, column: int, width: int) -> tuple[str, str]:
    """A source line fit for printing, and the carets below it; both counted by display width."""
    from wcwidth import wcswidth, wcwidth  # its tables are not for those who start a server with nothing wrong

    shift = 0
    if wcswidth(line[: column - 1 + width].replace("\t", " ")) > WIDEST:
        shift = max(0, min(column - 1 - WIDEST // 4, len(line)))
    cut = _printable(line[shift:])
    before = cut[: column - 1 - shift]
    inside = cut[column - 1 - shift : column - 1 - shift + width]
    text, room = "", WIDEST
    for sign in cut:
        room -= max(0, wcwidth(sign))
        if room < 0:
            break
        text += sign
    more = "…" if len(text) < len(cut) else ""
    less = "…" if shift else ""
    blanks = " " * (_width(less) + _width(before))
    carets = "^" * max(1, min(_width(inside), WIDEST - _width(before)))
    return less + text.rstrip() + more, blanks + carets


def _width(text: str) -> int:
    from wcwidth import wcwidth

    return sum(max(0, wcwidth(sign)) for sign in text)


def _printable(text: str) -> str:
    """Control characters and tabs as one blank each, so that columns and terminals stay whole."""
    from wcwidth import wcwidth

    return "".join(sign if wcwidth(sign) >= 0 else " " for sign in text)


def count_line(problems: Sequence[Problem], files: int) -> str:
    """`2 errors, 1 warning in 3 files`."""
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    parts = [_count(errors, "error")] if errors or not warnings else []
    if warnings:
        parts.append(_count(warnings, "warning"))
    return f"{', '.join(parts)} in {_count(files, 'file')}"


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def as_json(problem: Problem) -> dict[str, Any]:
    """A problem for machines: the same members as the value, without the source line."""
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "width": problem.width,
        "severity": problem.severity,
        "what": problem.what,
        "expected": problem.expected,
        "mend": problem.mend,
    }


__all__ = ["as_json", "count_line", "marked", "print_problems", "problem_lines"]
