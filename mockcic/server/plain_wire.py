"""What a request at the authorization server's own port offers to faults: the end of its connection, no more.

That port speaks HTTP/1.1 and stock HTTP/2, whose streams are out of reach: what ends one ends its connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from h11 import LocalProtocolError

from mockcic.server.faults.line import reset_on_close

PLAIN_WIRE: Final = "mockcic.plain-wire"
"""The name among the extensions of a scope."""

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class PlainWire:
    """The connection under a request; each method acts at once and is harmless when it is gone."""

    __slots__ = ("_transport",)

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    @property
    def is_open(self) -> bool:
        """Whether it is still there."""
        return not self._transport.is_closing()

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
