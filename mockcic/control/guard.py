"""Who may ask, and how."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request

from mockcic.control.ask import AskError
from mockcic.control.listener import is_loopback
from mockcic.scenario.words import suggest


def guard(token: str | None) -> Callable[[Request], Awaitable[None]]:
    async def guard(request: Request) -> None:  # a plain function would cost a thread for each request
        """The token, where there is one; and no web page of another origin may use a browser on this machine."""
        if token is not None and request.url.path != "/healthz":  # those who watch over containers have no token
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
                found = "another token" if given else "no token"
                detail = f"found {found}, expected the header `authorization: Bearer TOKEN` with the control token"
                raise AskError(401, detail, member="authorization")
        host = request.headers.get("host", "")
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise AskError(403, f"a web page of {origin} asks; only pages of this server may", member="origin")
        if token is None and not is_local(host):
            raise AskError(
                403,
                f"the request is for {host}; without a token only names of this machine are answered",
                member="host",
            )
        _check_query(request)

    return guard


def _check_query(request: Request) -> None:
    """A parameter that is mistyped would be as if it were not there: `?chekc=true` would load."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    if dependant is None:
        return
    known = [each.alias for each in dependant.query_params]
    for name in request.query_params:
        if name not in known:
            near = suggest(name, known)
            there = f"there are {', '.join(known)}" if known else "there is none here"
            hint = f"did you mean {near}?" if near else there
            raise AskError(422, f"there is no parameter {name}; {hint}", member=name)


def is_local(host: str) -> bool:
    """Whether a Host header names this machine: a web page elsewhere could give its own name our address."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    return name == "" or is_loopback(name.strip("[]"))


def say_token(app: FastAPI) -> None:
    """The document says that a token is needed."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        document.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to change the document
