"""Who opens and closes the ports that faults stand at: what they ask of the server."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final, Literal, Protocol

from mockcic.server.observer import ConnectionFacts, Observer

if TYPE_CHECKING:
    from mockcic.server.faults.gate import Gate
    from mockcic.server.http2 import Http2

HANDSHAKE_S: Final = 60.0
"""For a TLS handshake, besides what a fault makes it take (INF)."""


class GoOn(Protocol):
    """Serves a connection as ever, from TLS's handshake to its end. Raises OSError when the handshake fails."""

    async def __call__(
        self,
        accepted: socket.socket,
        context: ssl.SSLContext | None,
        *,
        known: ConnectionFacts | None = None,
        when_open: Callable[[ConnectionFacts], None] | None = None,
        prepare: Callable[[Http2], None] | None = None,
        handshake_s: float = HANDSHAKE_S,
    ) -> None:
        """`known` is what is known of it before, `when_open` is called when the handshake is through.

        `prepare` is called with its HTTP/2 before that says its first word.
        """


Port = Literal["devices", "auth"]


class Ports(Protocol):
    """Who listens on ports, as far as faults open and close them."""

    gate: Gate | None

    def close_listeners(self) -> None:
        """Nobody listens any more; connections that are open stay."""

    def open_listeners(self) -> None:
        """Listen again on the same ports."""


class Doors(Ports, Protocol):
    """The server of devices."""

    @property
    def observer(self) -> Observer:
        """Who is told of connections."""

    def end_all(
        self, how: Literal["rst", "fin", "no-notify", "goaway"], reason: str, *, spared: Collection[str] = ()
    ) -> None:
        """End every connection at once but those of these ids."""


__all__ = ["HANDSHAKE_S", "Doors", "GoOn", "Port", "Ports"]
