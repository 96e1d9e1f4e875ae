"""The symbols of marks in a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree as ET

from mockcic.trace.sequence import MarkSort

_CIRCLE: Final = "M-6,0a6,6 0 1,0 12,0a6,6 0 1,0 -12,0z"

SYMBOLS: Final[Mapping[MarkSort, tuple[str, str, str]]] = {
    "connect": ("good", _CIRCLE, ""),
    "disconnect": ("plain hollow", _CIRCLE, "M-4,4L4,-4"),
    "open": ("good", "M-6,-4H6L0,6z", ""),
    "closed": ("plain", "M-6,5H6L0,-5z", ""),
    "ping": ("plain hollow", "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z", ""),
    "finding": ("warn hollow", "M0,-7L7.5,6H-7.5z", "M0,-2.5V1.5M0,3.5V4.5"),
    "fault": ("trouble", "M2,-9L-6,2H-1L-3,9L6,-3H1z", ""),
    "unmatched": ("warn hollow", "M0,-8L8,0L0,8L-8,0z", "M-2.5,-1.5a2.5,2.5 0 1,1 2.5,2.5V2M0,3.8V4.8"),
    "error": ("bad hollow", "M-7,0a7,7 0 1,0 14,0a7,7 0 1,0 -14,0z", "M-3,-3L3,3M-3,3L3,-3"),
    "timeout": ("bad hollow", "M-7,0a7,7 0 1,0 14,0a7,7 0 1,0 -14,0z", "M0,-4.5V0L3,2"),
    "device": ("plain", "M0,-6L6,0L0,6L-6,0z", ""),
    "token": ("plain hollow", "M-7,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z", "M1,0H8M6,0V3.5M3.5,0V2.5"),
    "clock": ("plain hollow", "M-7,0a7,7 0 1,0 14,0a7,7 0 1,0 -14,0z", "M-3,0H0V-4.5"),
    "verdict": ("bad", "M-6,-6H6V6H-6z", ""),
}
"""Colour, outline, and what is drawn inside, around the middle."""


def symbol(parent: ET.Element, sort: MarkSort, x: float, y: float) -> str:
    """Draw it; returns its colour's class."""
    colour, outline, inside = SYMBOLS[sort]
    place = {"transform": f"translate({x:g} {y:g})", "stroke-width": "1.6"}
    ET.SubElement(parent, "path", {"class": colour, "d": outline} | place)
    tone = colour.partition(" ")[0]
    if inside:
        ET.SubElement(parent, "path", {"class": f"{tone} inside", "d": inside, "stroke-linecap": "round"} | place)
    return tone


__all__ = ["SYMBOLS", "symbol"]
