"""What the authorization server answers, and the forms an error can have (PROTOCOL 6.6; section 8, row 25)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mockcic.auth.policy import Call, ErrorForm

JSON_TYPE: Final = "application/json; charset=utf-8"

OBJECTS: Final[Mapping[Call, Mapping[str, Any]]] = {
    "authorize": {"code": "string", "state": "string"},
    "grant": {"access_token": "string", "expires_in": "number", "refresh_token": "string", "token_type": "string"},
    "refresh": {"access_token": "string", "expires_in": "number", "refresh_token": "string", "token_type": "string"},
    "delete": {"access_token": "string", "client_id": "string", "expires_in": "number"},
}
"""The "400 sample" of the 2021 edition: the success object filled with type names."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body; of an error `error` and `description` instead. `location` is that of a redirect."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    description: str = ""
    location: str = ""
    html: str = ""
    retry_after: int | None = None

    @property
    def is_good(self) -> bool:
        """Whether the device got what it asked for."""
        return not self.error


def refused(status: int, error: str, description: str) -> Answer:
    """An error (RFC 6749 5.2)."""
    return Answer(status, error=error, description=description)


def encode(answer: Answer, form: ErrorForm, call: Call) -> tuple[str, bytes]:
    """Content type and bytes of an answer."""
    if answer.html:
        return "text/html; charset=utf-8", answer.html.encode()
    body: Mapping[str, Any] = answer.body
    if answer.error:
        if form == "empty":
            return "", b""
        oauth = {"error": answer.error, "error_description": answer.description}
        body = OBJECTS[call] if form == "object" else oauth
    elif not body:
        return "", b""
    return JSON_TYPE, json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
