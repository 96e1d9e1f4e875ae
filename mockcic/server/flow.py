"""Hearing from the event loop whether the kernel takes more bytes, and that the client has no more to say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class FlowProtocol(asyncio.StreamReaderProtocol):
    """asyncio's protocol of readers and writers, which also says when writing may go on, and reading not."""

    def __init__(self, reader: asyncio.StreamReader, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(reader, loop=loop)
        self.paused = False
        self.when_resumed: Callable[[], None] | None = None
        self.over = False
        """Whether nothing more is read: after FIN, or when the connection is lost."""
        self.when_over: Callable[[], None] | None = None

    def pause_writing(self) -> None:
        """More waits to be written than should. Called by the loop."""
        super().pause_writing()
        self.paused = True

    def resume_writing(self) -> None:
        """Most of it is out. Called by the loop."""
        super().resume_writing()
        self.paused = False
        if self.when_resumed is not None:
            self.when_resumed()

    def eof_received(self) -> bool | None:
        """FIN, or TLS's close_notify. Called by the loop."""
        self._is_over()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        super().connection_lost(exc)
        self._is_over()

    def _is_over(self) -> None:
        if not self.over:
            self.over = True
            if self.when_over is not None:
                self.when_over()
