"""Stock Hypercorn, as the control side and the authorization server want it on their own listeners."""

from __future__ import annotations

import logging
from typing import Final

from hypercorn.config import Config

STOP_WITHIN_S: Final = 1.0
"""For answers that are being written when the server stops (INF)."""

KEEP_ALIVE_S: Final = 60.0


def stock_config(logger: logging.Logger) -> Config:
    """Says nothing of itself on the wire, keeps connections; what goes wrong is told to `logger`."""
    config = Config()
    config.accesslog = None
    config.errorlog = logger
    config.graceful_timeout = STOP_WITHIN_S
    config.include_server_header = False
    config.keep_alive_timeout = KEEP_ALIVE_S
    config.keep_alive_max_requests = 10**9  # Hypercorn would end an HTTP/2 connection at the request above it
    return config
