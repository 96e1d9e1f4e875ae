"""A port that a test gives back and takes again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_port() -> Iterator[int]:
    """A free port of 127.0.0.1 that nobody else is given while no server listens there.

    The socket that keeps it is bound and never listens: who connects meanwhile is refused, and a server with
    SO_REUSEADDR may listen beside it.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]
