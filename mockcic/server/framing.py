"""How a dialect has answers cut into DATA frames, and whether they say a date (PROTOCOL 1.5, RFC 9113 6.1)."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from mockcic.scenario.settings import Settings
from mockcic.server.exchange import Send
from mockcic.server.head import NO_DATE
from mockcic.server.wire import Wire


def in_dialect(send: Send, settings: Settings, wire: Wire | None) -> Send:
    """`send` as the settings want answers written: itself where they want nothing, or where the server is not ours.

    A device whose window is shut gets what has gathered meanwhile in larger frames, once it opens.
    """
    if wire is None or (settings.date and settings.data_frames == "joined"):
        return send
    size = settings.data_frames if isinstance(settings.data_frames, int) else None
    apart = settings.data_frames != "joined"

    async def framed(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            await send(message if settings.date else {**message, "headers": [*message["headers"], NO_DATE]})
            return
        if not apart:
            await send(message)
            return
        data, more = message["body"], message["more_body"]
        step = size or max(1, len(data))
        for start in range(0, len(data), step) or (0,):
            last = start + step >= len(data)
            await send({**message, "body": data[start : start + step], "more_body": more or not last})
            wire.flush()

    return framed


__all__ = ["in_dialect"]
