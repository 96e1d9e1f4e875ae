"""Fresh ids in the form of UUIDs (PROTOCOL 3.2: opaque texts, UUIDs in practice)."""

from __future__ import annotations

from random import Random
from typing import Final

_RANDOM: Final = Random()


def new_id(random: Random = _RANDOM) -> str:
    """A version 4 UUID as text. Not secret: an answer needs eight of them, and the system's generator would be slow."""
    digits = f"{random.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
