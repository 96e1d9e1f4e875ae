"""One endpoint of the application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mockcic.server.exchange import Send
from mockcic.server.request import Receive, Scope


class Endpoint:
    """A bound method as an ASGI application: Starlette wraps plain functions into its Request and Response."""

    def __init__(self, method: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._method = method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self._method(scope, receive, send)
