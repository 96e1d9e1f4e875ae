"""What is known of a request before its body is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from mockcic.server.plain_wire import PLAIN_WIRE, PlainWire

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

WIRE: Final = "mockcic.wire"
"""The scope extension of our own server: the connection's identity, and resets."""


class Request:
    """What is asked of a request before its body: headers, token, the connection it is on."""

    __slots__ = ("connection", "headers", "method", "plain_wire", "scope", "stream", "token", "user_agent", "wire")

    def __init__(self, scope: Scope, number: int) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.headers: dict[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        extensions = scope.get("extensions", {})
        self.wire = extensions.get(WIRE)
        self.plain_wire: PlainWire | None = extensions.get(PLAIN_WIRE)
        if self.wire is not None:
            self.connection: str = self.wire.connection.id
            self.stream: str = f"{self.connection}.{self.wire.stream_id}"
        else:
            client = scope.get("client")
            self.connection = "" if client is None else f"{client[0]}:{client[1]}"
            self.stream = f"r{number}"
        self.user_agent = self.headers.get("user-agent", "")
        self.token = bearer_token(self.headers.get("authorization", ""))

    @property
    def tags(self) -> tuple[str, ...]:
        """`x-clova-device-tags`, recorded (PROTOCOL 1.2)."""
        return tuple(tag.strip() for tag in self.headers.get("x-clova-device-tags", "").split(",") if tag.strip())


def bearer_token(authorization: str) -> str:
    """The token of `Bearer TOKEN`; empty when there is none."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def disconnect(receive: Receive) -> None:
    """Wait until the device is gone; bytes it sends meanwhile are ignored (DEVICES C11)."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def drain(receive: Receive) -> None:
    """Read and drop the rest of an upload that has been answered: safer with small clients (PROTOCOL 1.6)."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
