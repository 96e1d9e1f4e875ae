"""Hypercorn's settings as we need them, and what all connections of one server share."""

from __future__ import annotations

import logging
from time import time
from typing import Any
from wsgiref.handlers import format_date_time

from hypercorn.config import Config
from hypercorn.logging import Logger

from mockcic.server.observer import ConnectionFacts, Observer
from mockcic.server.settings import ServerSettings

logger = logging.getLogger("mockcic.server")


class QuietObserver:
    """Hears everything and says nothing."""

    def connection_opened(self, facts: ConnectionFacts) -> None:
        """Nothing."""

    def connection_closed(self, facts: ConnectionFacts, reason: str) -> None:
        """Nothing."""

    def ping_received(self, facts: ConnectionFacts) -> None:
        """Nothing."""


class EngineLogger(Logger):
    """Hypercorn's logger, speaking through ours; requests are not logged here (the journal knows more of them)."""

    def __init__(self, config: Config) -> None:
        self.access_log_format = config.access_log_format
        self.access_logger = None
        self.error_logger = logger

    async def access(self, request: Any, response: Any, request_time: float) -> None:
        """Nothing."""


class EngineConfig(Config):
    """One server's settings, carried through Hypercorn's classes under the name `config`."""

    logger_class = EngineLogger

    def __init__(self, *, settings: ServerSettings, observer: Observer) -> None:
        super().__init__()
        self.settings = settings
        self.observer = observer
        self._second = 0
        self._date: list[tuple[bytes, bytes]] = []

    def response_headers(self, protocol: str) -> list[tuple[bytes, bytes]]:
        """`date`, and no `server` (PROTOCOL 1.5); made once a second."""
        now = int(time())
        if now != self._second:
            self._second = now
            self._date = [(b"date", format_date_time(now).encode("ascii"))]
        return self._date
