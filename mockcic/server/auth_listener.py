"""The authorization server's own listener: apps and libcurl ask it in HTTP/1.1, which devices' listener refuses."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from mockcic.errors import StartError
from mockcic.server.listener import bind

STOP_WITHIN_S: Final = 1.0
"""For answers that are being written when the server stops (INF)."""

ALPN: Final = ("h2", "http/1.1")


class AuthListener:
    """Stock Hypercorn on a port of its own: HTTP/1.1 and HTTP/2, over the same certificate where there is TLS.

    It serves from when somebody first connects: who needs no authorization server does not wait for its imports.
    """

    def __init__(self, app: Any, *, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None
        self._tls: ssl.SSLContext | None = None
        self._stop = asyncio.Event()
        self._wanted = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    @property
    def bound(self) -> socket.socket | None:
        """Its listening socket."""
        return self._socket

    def bind(self, make_context: Callable[[], ssl.SSLContext] | None) -> None:
        """Take the port; who connects waits to be served. Without a context it is clear text. Raises `StartError`."""
        try:
            self._socket = bind(self._host, self._port)
        except StartError as error:
            raise StartError(str(error).replace("--port", "--auth-port")) from None
        if make_context is not None:
            self._tls = make_context()
            self._tls.set_alpn_protocols(list(ALPN))

    def close(self) -> None:
        """Give the port back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def start(self) -> None:
        """Serve, in a task that `stop` waits for."""
        self._serving = asyncio.get_running_loop().create_task(self._serve(), name="mockcic authorization server")

    async def stop(self) -> None:
        """Finish what is written."""
        self._stop.set()
        self._wanted.set()
        if self._serving is not None:
            await asyncio.wait([self._serving])
            self._serving = None
        self.close()

    async def _serve(self) -> None:
        sock = self._socket
        assert sock is not None
        loop = asyncio.get_running_loop()
        loop.add_reader(sock, self._wanted.set)
        try:
            await self._wanted.wait()
        finally:
            loop.remove_reader(sock)
        if self._stop.is_set():
            return
        from hypercorn.asyncio import serve

        config = _config(self._tls)
        config.bind = [f"fd://{os.dup(sock.fileno())}"]  # Hypercorn closes what it is given
        await serve(self._app, config, shutdown_trigger=self._stop.wait)


def _config(tls: ssl.SSLContext | None) -> Any:
    from hypercorn.config import Config

    class WithContext(Config):
        """Hypercorn reads certificates from files only; ours is read already."""

        @property
        def ssl_enabled(self) -> bool:
            return tls is not None

        def create_ssl_context(self) -> ssl.SSLContext | None:
            return tls

    config = WithContext()
    config.accesslog = None
    config.errorlog = logging.getLogger("mockcic.auth")
    config.graceful_timeout = STOP_WITHIN_S
    config.include_server_header = False
    config.keep_alive_timeout = 60.0
    config.keep_alive_max_requests = 10**9  # Hypercorn would end an HTTP/2 connection at the request above it
    return config
