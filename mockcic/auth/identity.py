"""Whose a token is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

PREFIX: Final = "device:"


@dataclass(frozen=True, slots=True)
class Identity:
    """The device that a token was issued for. `model_id` is empty where none was given (before 2019-06)."""

    client_id: str
    device_id: str
    model_id: str = ""

    @property
    def key(self) -> str:
        """One text for it, the same through all its tokens: `device:CLIENT/DEVICE/MODEL`, each percent-encoded."""
        return PREFIX + "/".join(quote(each, safe=":") for each in (self.client_id, self.device_id, self.model_id))

    @property
    def short(self) -> str:
        """A short name: the last four letters and digits of `device_id`, as a token's are its last four characters."""
        plain = "".join(each for each in self.device_id if each.isalnum())
        return "…" + (plain or self.device_id)[-4:]


def identity_of(key: str) -> Identity | None:
    """The identity of a key; None for a text that is none, such as a hand-made token."""
    if not key.startswith(PREFIX):
        return None
    parts = [unquote(each) for each in key.removeprefix(PREFIX).split("/")]
    return Identity(*parts) if len(parts) == 3 and parts[1] else None
