"""Hearing from the event loop whether the kernel takes more bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class FlowProtocol(asyncio.StreamReaderProtocol):
    """asyncio's protocol of readers and writers, which also says so when writing may go on."""

    def __init__(self, reader: asyncio.StreamReader, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(reader, loop=loop)
        self.paused = False
        self.when_resumed: Callable[[], None] | None = None

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
