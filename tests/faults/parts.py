"""Multipart and JSON as Python's own library reads them: no code of the product."""

from __future__ import annotations

import email
import email.policy
import json
from email.message import Message
from typing import Any

from tests.support.raw_h2 import Answer


def boundary_of(answer: Answer) -> bytes:
    """What the header says, cut out by hand as devices do."""
    return answer.headers["content-type"].split("boundary=")[1].split(";")[0].encode()


def parts_of(answer: Answer, *, closed: bool = True) -> list[Message]:
    """The parts of an answer, or of what has come of a downchannel by now."""
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    body = bytes(answer.body) if closed else bytes(answer.body).removesuffix(b"--" + boundary_of(answer) + b"\r\n")
    found: Any = email.message_from_bytes(head + body, policy=email.policy.compat32).get_payload()
    return found if isinstance(found, list) else []


def body_of(part: Message) -> bytes:
    """The bytes of a part."""
    found: Any = part.get_payload(decode=True)
    return bytes(found)


def directives_of(answer: Answer, *, closed: bool = True) -> list[dict[str, Any]]:
    """The directives of an answer, in order."""
    parts = [part for part in parts_of(answer, closed=closed) if part.get_content_type() == "application/json"]
    return [json.loads(body_of(part))["directive"] for part in parts]


def names_of(answer: Answer, *, closed: bool = True) -> list[str]:
    """`Speak`, `audio`, ... in the order of the wire."""
    found = []
    for part in parts_of(answer, closed=closed):
        if part.get_content_type() == "application/json":
            found.append(json.loads(body_of(part))["directive"]["header"]["name"])
        else:
            found.append("audio")
    return found
