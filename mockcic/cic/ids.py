"""Fresh ids in the form of UUIDs (PROTOCOL 3.2: opaque texts, UUIDs in practice)."""

from __future__ import annotations

from random import Random
from typing import Final

_RANDOM: Final = Random()


def new_id(random: Random = _RANDOM) -> str:
    """A version 4 UUID as text. Not secret: an answer needs eight of them, and the system's generator would be slow."""
    bits = random.getrandbits(122)
    return (
        f"{bits >> 90:08x}-{bits >> 74 & 0xFFFF:04x}-4{bits >> 62 & 0xFFF:03x}-"
        f"{bits >> 48 & 0x3FFF | 0x8000:04x}-{bits & 0xFFFFFFFFFFFF:012x}"
    )
