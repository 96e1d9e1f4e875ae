"""What codes and tokens look like that were issued here: so that none of them is ever shown whole by accident."""

from __future__ import annotations

import re
import secrets
from typing import Final

CODE: Final = "mock-code-"
ACCESS: Final = "mock-access-token-"
REFRESH: Final = "mock-refresh-token-"

MARK: Final = "mock-"
"""In each of them."""

ISSUED: Final = re.compile(r"mock-(?:code|access-token|refresh-token)-[0-9a-f]{32}")


def new_secret(prefix: str) -> str:
    """A fresh one that nobody can guess."""
    return prefix + secrets.token_hex(16)
