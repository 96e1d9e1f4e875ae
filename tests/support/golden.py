"""The golden messages of tests/golden/wire: bodies with their sidecars; and golden texts."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "golden" / "wire"


@dataclass(frozen=True, slots=True)
class Golden:
    """One message: its bytes, and what its sidecar says of them."""

    path: Path
    body: bytes
    side: dict[str, Any]

    def headers(self, token: str) -> dict[str, str]:
        """The request headers, with another token."""
        return {**self.side["headers"], "authorization": f"Bearer {token}"}


def golden(name: str) -> Golden:
    """A message by its file name."""
    path = FOLDER / name
    return Golden(path, path.read_bytes(), json.loads(path.with_name(name + ".json").read_text()))


def golden_names(kind: str) -> list[str]:
    """All `request` or `response` files."""
    return sorted(path.name for path in FOLDER.glob(f"*.{kind}"))


def same_as_golden(name: str, text: str) -> None:
    """A text that people read is that of tests/golden/NAME. REWRITE_GOLDEN=1 makes it anew: then read it."""
    path = FOLDER.parent / name
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
