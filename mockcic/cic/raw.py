"""What can be read of a part that is sent as it stands, for the journal: it may be anything, also no JSON at all."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from mockcic.cic.message import Directive

NAMESPACE: Final = "raw"
NAME: Final = "part"
"""What such a part is called where its own name cannot be read."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
"""What may stand in the header of a part as its name."""

LONGEST_BYTES: Final = 64 * 1024
"""A payload that is longer is not kept as such (INF)."""


def raw_directive(raw: bytes, message_id: str) -> Directive:
    """A directive of these very bytes. `message_id` is what the journal calls it where it has none of its own."""
    message = _message(raw)
    header = message.get("header")
    header = header if isinstance(header, dict) else {}
    namespace, name = header.get("namespace"), header.get("name")
    known = _is_name(namespace) and _is_name(name)
    own_id, dialogue, payload = header.get("messageId"), header.get("dialogRequestId"), message.get("payload")
    return Directive(
        namespace=str(namespace) if known else NAMESPACE,
        name=str(name) if known else NAME,
        message_id=own_id if isinstance(own_id, str) and own_id else message_id,
        payload=payload if isinstance(payload, dict) else {},
        dialog_request_id=dialogue if isinstance(dialogue, str) else None,
        raw=raw,
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _message(raw: bytes) -> dict[str, Any]:
    """What is in `directive`, if that can be read and written down again."""
    if len(raw) > LONGEST_BYTES:
        return {}
    try:
        whole = json.loads(raw, parse_constant=_no_number)
        json.dumps(whole, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):  # also a lone surrogate, which no UTF-8 can hold, and 1e999
        return {}
    message = whole.get("directive") if isinstance(whole, dict) else None
    return message if isinstance(message, dict) else {}


def _no_number(text: str) -> float:
    return math.nan


__all__ = ["NAME", "NAMESPACE", "raw_directive"]
