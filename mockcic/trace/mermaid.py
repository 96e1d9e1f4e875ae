"""A sequence as text of Mermaid, which code forges and wikis draw."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, assert_never

from mockcic.journal.entry import Entry
from mockcic.trace.dialogue import harmless
from mockcic.trace.sequence import Arrow, Item, Mark, MarkSort, Place, Sequence, sequence
from mockcic.trace.width import cut

SAFE: Final = frozenset(" .,-_/()=+…→“”·")
"""Punctuation that Mermaid takes for text wherever we put it. All else becomes `#code;`."""

LABEL_LETTERS: Final = 64
"""Mermaid makes a picture as wide as its longest line (INF)."""

MOST_CHARACTERS: Final = 50_000
"""Mermaid's own limit unless its `maxTextSize` is raised."""

SYMBOLS: Final[dict[MarkSort, str]] = {
    "connect": "●",
    "disconnect": "○",
    "open": "▼",
    "closed": "▲",
    "ping": "◦",
    "finding": "⚠",
    "fault": "↯",
    "unmatched": "?",
    "error": "✕",
    "timeout": "◔",
    "device": "◆",
    "token": "⚿",
    "clock": "◷",
    "verdict": "✕",
}

_PLACES: Final[tuple[Place, ...]] = ("downchannel", "device", "events")
_LETTERS: Final[dict[Place, str]] = {"downchannel": "p", "device": "d", "events": "e"}


def mermaid(entries: Iterable[Entry]) -> str:
    """The text of a `sequenceDiagram`: a box a device, times in front of what happened."""
    drawn = sequence(entries)
    lines = ["sequenceDiagram"]
    for number, device in enumerate(drawn.devices, 1):
        lines.append(f"    box transparent {escape(device)}")
        for place in _PLACES:
            label = device if place == "device" else place
            lines.append(f"        participant {_LETTERS[place]}{number} as {escape(label)}")
        lines.append("    end")
    if not drawn.devices:
        lines.append("    participant d1 as no device")
    numbers = {device: number for number, device in enumerate(drawn.devices, 1)}
    open_lines: dict[str, int] = {}
    for item in drawn.items:
        lines += _item(item, drawn, numbers, open_lines)
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """A text that Mermaid shows as it is: what it treats specially becomes a character's number."""
    return "".join(
        each if each.isalnum() or each in SAFE else f"#{ord(each)};" for each in str(harmless(text.replace("\n", " ")))
    )


def _item(item: Item, drawn: Sequence, numbers: dict[str, int], open_lines: dict[str, int]) -> list[str]:
    time = f"{item.at_s:+.3f}"
    match item:
        case Arrow():
            number = numbers[item.device]
            device, other = f"d{number}", f"{_LETTERS[item.place]}{number}"
            ends = f"{device}->>{other}" if item.up else f"{other}{'-->>' if item.sort == 'answer' else '->>'}{device}"
            dialogue = f"{item.dialogue[:8]}" if item.up else ""
            return [f"    {ends}: {_text(time, item.label, dialogue, _behind(item.detail))}"]
        case Mark():
            count = f"×{item.count}" if item.count > 1 else ""
            text = _text(time, SYMBOLS[item.sort], item.label, count, _behind(item.detail))
            if item.device not in numbers:
                over = f"p1,e{len(numbers)}" if numbers else "d1"
                return [f"    Note over {over}: {text}"]
            number = numbers[item.device]
            lines = [f"    Note over {_LETTERS[item.place]}{number}: {text}"]
            return lines + _activation(item, f"p{number}", open_lines)
        case _:
            assert_never(item)


def _activation(mark: Mark, line: str, open_lines: dict[str, int]) -> list[str]:
    """A downchannel is drawn as long as it is open; Mermaid refuses to end what has not begun."""
    if mark.sort == "open":
        open_lines[line] = open_lines.get(line, 0) + 1
        return [f"    activate {line}"]
    if mark.sort == "closed" and open_lines.get(line, 0):
        open_lines[line] -= 1
        return [f"    deactivate {line}"]
    return []


def _behind(detail: str) -> str:
    return f"· {cut(detail, LABEL_LETTERS)}" if detail else ""


def _text(time: str, *words: str) -> str:
    return " ".join([time, *(escape(cut(word, LABEL_LETTERS)) for word in words if word)])


__all__ = ["MOST_CHARACTERS", "escape", "mermaid"]
