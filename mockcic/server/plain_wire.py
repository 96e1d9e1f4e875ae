"""What a request at the authorization server's own port offers to faults: the end of its connection, no more.

That port speaks HTTP/1.1 and stock HTTP/2, whose streams are out of reach: what ends one ends its connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from h11 import LocalProtocolError

from mockcic.server.faults.line import reset_on_close
from mockcic.server.flow import FlowProtocol

PLAIN_WIRE: Final = "mockcic.plain-wire"
"""The name among the extensions of a scope."""

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class PlainWire:
    """The connection under a request; each method acts at once and is harmless when it is gone."""

    __slots__ = ("_protocol", "_transport", "_watchers")

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._watchers: set[Callable[[], None]] = set()
        self._protocol = transport.get_protocol()
        assert isinstance(self._protocol, FlowProtocol)
        self._protocol.when_over = self._is_gone

    @property
    def is_open(self) -> bool:
        """Whether it is still there; stock Hypercorn sends nothing more to a client that has ended its side."""
        assert isinstance(self._protocol, FlowProtocol)
        return not (self._protocol.over or self._transport.is_closing())

    def watch(self, tell: Callable[[], None]) -> None:
        """Call it when the connection is no more; at once where it is none already."""
        self._watchers.add(tell)
        if not self.is_open:
            tell()

    def unwatch(self, tell: Callable[[], None]) -> None:
        """Do not: a connection is kept for many requests."""
        self._watchers.discard(tell)

    def _is_gone(self) -> None:
        for tell in list(self._watchers):
            tell()

    def abort(self) -> None:
        """End it now, whatever is still to be sent."""
        self._transport.abort()

    def reset(self) -> None:
        """End it with TCP's RST."""
        reset_on_close(self._transport.get_extra_info("socket"))
        self._transport.abort()

    def end(self) -> None:
        """End it behind what was sent, as if that were all."""
        self._transport.close()

    def bearing(self, send: Send) -> Send:
        """`send` for an answer whose content-length lies: HTTP/1.1 ends the connection where body and header part."""

        async def bear(message: MutableMapping[str, Any]) -> None:
            try:
                await send(message)
            except LocalProtocolError:
                self.end()

        return bear


__all__ = ["PLAIN_WIRE", "PlainWire"]
