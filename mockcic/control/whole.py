"""Bodies are read whole, and such as cannot be read are refused, before an endpoint hears of them."""

from __future__ import annotations

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mockcic.control.bodies import FORM_TYPE, JSON_TYPE, LIMIT_BYTES
from mockcic.control.problem import problem


class Whole:
    """Reads a request's body before anything is answered, and refuses one that is too large while it comes.

    Stock Hypercorn closes an HTTP/2 connection when an answer ends before the request has.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _as_json(scope)
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > LIMIT_BYTES:
                await problem(413, f"the body is larger than {LIMIT_BYTES} bytes")(scope, receive, send)
                return
        if trouble := _unsayable(scope, bytes(body)):
            await problem(400, trouble, member="body")(scope, receive, send)
            return
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, replay, send)


def _unsayable(scope: Scope, body: bytes) -> str:
    """What is wrong with a body that Python takes for JSON and that cannot be said in JSON again; empty otherwise."""
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"").lower()
    if not body or JSON_TYPE.encode() not in kind or scope["path"].endswith(("/scenario", "/scenarios")):
        return ""
    try:
        json.dumps(json.loads(body), ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return "the body has half of a surrogate pair (RFC 8259 8.2)"
    except ValueError as error:
        return "" if isinstance(error, json.JSONDecodeError) else f"the body is not JSON: {error}"
    except RecursionError:
        return "the body is nested too deep"
    return ""


def _as_json(scope: Scope) -> Scope:
    """What curl sends with `-d` alone is JSON, whatever curl calls it; scenarios have their own ways."""
    if scope["path"].endswith(("/scenario", "/scenarios")):
        return scope
    form, as_json = (b"content-type", FORM_TYPE.encode()), (b"content-type", JSON_TYPE.encode())
    return {**scope, "headers": [as_json if tuple(each) == form else each for each in scope["headers"]]}
