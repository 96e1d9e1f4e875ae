"""What is answered instead of what was due: a status, a captive portal, nothing. Values, no I/O."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from mockcic.cic.message import Refusal
from mockcic.scenario.effects import AnswerRaw, Refuse
from mockcic.scenario.faults.act import Act
from mockcic.scenario.faults.answer import Empty, Portal, Status
from mockcic.wire.encode import Dialect, Encoder, new_boundary

LOGIN: Final = "http://portal.invalid/login"
"""Where a captive portal leads: a name that leads nowhere (RFC 6761 6.4)."""

SAID: Final = {401: "the token is not accepted", 429: "too many requests", 503: "no service at the moment"}

OAUTH: Final = {401: "invalid_client", 403: "access_denied", 429: "slow_down", 500: "server_error"}
"""`error` by status, at the authorization server; above 500 `temporarily_unavailable` (RFC 6749 5.2, 4.1.2.1)."""


def instead(act: Act, stream: str, dialect: Dialect) -> Refuse | AnswerRaw:
    """The answer of `status`, `portal` or `empty`."""
    match act:
        case Status():
            return Refuse(stream, Refusal(act.code, description_of(act), headers=headers_of(act)))
        case Portal():
            return AnswerRaw(stream, act.status, *page(act.status))
        case Empty():
            kind = Encoder(new_boundary(dialect), dialect).content_type
            return AnswerRaw(stream, 200, (("content-type", kind),), b"")
    raise AssertionError(f"{act} is no other answer")


def description_of(act: Status) -> str:
    """What an exception or an OAuth error says."""
    if act.description:
        return act.description
    try:
        return SAID.get(act.code) or HTTPStatus(act.code).phrase
    except ValueError:
        return f"status {act.code}"


def headers_of(act: Status) -> tuple[tuple[str, str], ...]:
    """`retry-after` where it is given, `www-authenticate` with 401 (RFC 9110 11.6.1)."""
    retry = () if act.retry_after is None else (("retry-after", str(act.retry_after)),)
    return (*retry, *((("www-authenticate", "Bearer"),) if act.code == 401 else ()))


def oauth_error_of(status: int) -> str:
    """The `error` of a status; `invalid_request` below 500 where it has none of its own."""
    return OAUTH.get(status, "temporarily_unavailable" if status > 500 else "invalid_request")


def page(status: int) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Headers and body of a captive portal, or of the proxy in front of a cloud that is gone."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    title = "Welcome to our network" if status in (200, 511) else f"{status} {phrase}".strip()
    body = (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n"
        f'<body><h1>{title}</h1><p>Please <a href="{LOGIN}">log in</a>.</p></body></html>\n'
    ).encode()
    location = (("location", LOGIN),) if 300 <= status < 400 else ()
    kind = ("content-type", "text/html; charset=utf-8")
    return (kind, *location, ("content-length", str(len(body)))), body
