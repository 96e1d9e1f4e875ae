"""A verdict for people: what was asked, what came, and field by field how the nearest entries differ. Never cut."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

from mockcic.journal.entry import Entry
from mockcic.scenario.conditions import MISSING
from mockcic.verdict.verdict import Near, Verdict

LONG: Final = 2000
"""Characters of a value that are written into the text; a longer one goes to a file, whole (INF)."""

LINES: Final = 20
"""Lines of a value that are written into the text; one of more goes to a file (INF)."""

SHOWN: Final = 20
"""Entries that fitted which are listed, the youngest ones (INF)."""

_ESCAPE: Final = re.compile(r"\\(.)")

Keep = Callable[[str, str], Path]


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="mockcic-values-"))


def keep_value(member: str, text: str) -> Path:
    """Write a long value into this process's folder for them; it stays, for the message names it.

    Its name has its digest: a verification that is made again and again names the same file.
    """
    safe = "".join(each if each.isalnum() or each in "-_." else "_" for each in member)[:60]
    content = text.encode("utf-8", "backslashreplace")
    path = _folder() / f"{safe}-{hashlib.sha256(content).hexdigest()[:12]}.txt"
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)  # those who clean up temporary folders may have been there
        path.write_bytes(content)
    return path


def verdict_text(verdict: Verdict, *, keep: Keep | None = keep_value) -> str:
    """Several lines. `keep(member, text)` writes a long value to a file and says which; without it all stands here.

    What a device sent cannot move the cursor or end a line: other letters than printable ones are written as in JSON.
    """
    return "\n".join(map(printable, _lines(verdict, keep)))


def _lines(verdict: Verdict, keep: Keep | None) -> Iterator[str]:
    yield f"{verdict.status}: {verdict.asked}"
    yield f"  {verdict.why}"
    if verdict.kept:
        return
    if verdict.came:
        yield "  what fits:"
        if len(verdict.came) > SHOWN:
            yield f"    ... {len(verdict.came) - SHOWN} before"
        for entry in verdict.came[-SHOWN:]:
            yield f"    {said(entry, keep)}"
            yield from _rules_that_nearly_fit(entry)
    for near in verdict.nearest:
        yield f"  nearest: {said(near.entry, keep)}"
        yield from _compared(near, keep)
    if verdict.others:
        yield "  what came at all:"
        yield from (f"    {number:>5} × {what}" for number, what in verdict.others)
    elif not verdict.came and not verdict.nearest and verdict.status == "broken" and " rule" not in verdict.asked:
        yield "  nothing came at all"


def said(entry: Entry, keep: Keep | None) -> str:
    """An entry in one line: when, who, what."""
    where = " ".join(each for each in (entry.device, entry.stream or entry.connection) if each)
    text = f"#{entry.number} {entry.at_s:+.3f} {where} {entry.kind} {entry.name}".rstrip()
    if entry.kind == "finding":
        text += f": found {entry.data.get('found')}; expected {entry.data.get('expected')}"
    elif entry.kind == "match" and not entry.name:
        text += f" no rule fits {entry.data.get('event')}"
    elif entry.data.get("payload"):
        text += f" {written(entry.data['payload'], 'payload', keep)}"
    return text


def _rules_that_nearly_fit(entry: Entry) -> Iterator[str]:
    if entry.kind == "match" and not entry.name:
        for near in entry.data.get("nearest", ()):
            misses = (f"{miss['member']}: expected {miss['expected']}, got {miss['got']}" for miss in near["misses"])
            yield f"      nearest rule {near['rule']}: {'; '.join(misses)}"


def _compared(near: Near, keep: Keep | None) -> Iterator[str]:
    rows = [
        (
            printable(each.member),
            printable(shortened(each.expected, f"{each.member}-expected", keep)),
            printable(written(each.got, each.member, keep)),
            each.holds,
        )
        for each in near.comparisons
    ]
    widths = [max(map(wcswidth_of, column)) for column in list(zip(*rows, strict=True))[:2]]
    for member, expected, got, holds in rows:
        mark = " " if holds else "✗"
        tail = "" if holds else f"  got {got}"
        yield f"    {mark} {padded(member, widths[0])}  expected {padded(expected, min(widths[1], 60))}{tail}".rstrip()


def wcswidth_of(text: str) -> int:
    """How many columns a text takes on a terminal; Korean letters take two."""
    from wcwidth import wcswidth  # its tables are not for those who start a server

    return max(wcswidth(text), 0)


def padded(text: str, width: int) -> str:
    """The text with blanks behind it up to a width."""
    return text + " " * max(0, width - wcswidth_of(text))


def printable(text: str) -> str:
    """The text with control characters, halves of letters and marks that turn the direction as escapes of JSON."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or unicodedata.category(each) == "Zs" else json.dumps(each)[1:-1] for each in text
    )


def shortened(text: str, member: str, keep: Keep | None) -> str:
    """The text, or where it is long the name of the file that it was written to."""
    if keep is None or (len(text) <= LONG and text.count("\n") < LINES):
        return text
    return f"a text of {len(text)} characters, whole in {keep(member, text)}"


def written(value: object, member: str, keep: Keep | None) -> str:
    """A value as JSON, whole; a long one as the name of the file it was written to."""
    if value is MISSING:
        return "nothing: it is absent"
    if isinstance(value, Entry):
        value = value.as_json()
    text = json.dumps(value, ensure_ascii=False, default=str)
    if keep is None or (len(text) <= LONG and _ESCAPE.findall(text).count("n") < LINES):
        return text
    if isinstance(value, str):
        return f"a text of {len(value)} characters, whole in {keep(member, value)}"
    path = keep(member, json.dumps(value, ensure_ascii=False, indent=2, default=str))
    return f"{len(text)} characters of JSON, whole in {path}"
