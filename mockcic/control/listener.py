"""The control side's own listener: stock Hypercorn (HTTP/1.1 and HTTP/2), no device reaches it, no fault hits it."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import secrets
import socket
from typing import TYPE_CHECKING, Any, Final

from mockcic.errors import StartError
from mockcic.server.listener import bind

if TYPE_CHECKING:
    from mockcic.control.desk import Desk
    from mockcic.server.service import Service

PORT: Final = 8444
"""Beside the devices' 8443 (INF)."""

START_AFTER_S: Final = 1.0
"""The imports of the application take a third of a second of one core; the first devices come before them (INF)."""


class Control:
    """Binds, serves and stops. `token` is None where only this machine can connect."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = PORT, token: str | None = None) -> None:
        self.host = host
        self.port = port
        self.token = token or (None if is_loopback(host) else secrets.token_urlsafe(18))
        self._socket: socket.socket | None = None
        self._desk: Desk | None = None
        self._stop = asyncio.Event()
        self._wanted = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:8444`, or empty before `bind`."""
        if self._socket is None:
            return ""
        name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(
            self.host, f"[{self.host}]" if ":" in self.host else self.host
        )
        return f"http://{name}:{self.port}"

    def bind(self) -> None:
        """Take the port: from now on who connects waits to be served. Raises `StartError`."""
        try:
            self._socket = bind(self.host, self.port)
        except StartError as error:
            raise StartError(
                str(error).replace("--port", "--control-port").replace("--host", "--control-host")
            ) from None
        self.port = self._socket.getsockname()[1]

    def close(self) -> None:
        """Give the port back; for one that was bound and never started."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def start(self, tasks: asyncio.TaskGroup, desk: Desk, service: Service) -> None:
        """Serve, in a task of `tasks`. The application is made aside: devices need not wait for its imports."""
        self._desk = desk
        self._serving = tasks.create_task(self._serve(desk, service))

    async def stop(self) -> None:
        """End what waits, finish what is written."""
        if self._desk is not None:
            self._desk.end()
        self._stop.set()
        self._wanted.set()
        if self._serving is not None:
            await asyncio.wait([self._serving])
        self.close()

    async def _serve(self, desk: Desk, service: Service) -> None:
        from hypercorn.asyncio import serve

        from mockcic.server.stock import stock_config

        assert self._socket is not None
        await self._first_connection()
        if self._stop.is_set():
            return
        app: Any = await asyncio.to_thread(_make, desk, self.token, service)
        config = stock_config(logging.getLogger("mockcic.control"))
        config.bind = [f"fd://{os.dup(self._socket.fileno())}"]  # Hypercorn closes what it is given
        try:
            await serve(app, config, shutdown_trigger=self._stop.wait)
        finally:
            app.state.unpacked.close()

    async def _first_connection(self) -> None:
        """Wait until somebody connects, or until the devices' listener has had its start to itself."""
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._wanted.set)
        try:
            async with asyncio.timeout(START_AFTER_S):
                await self._wanted.wait()
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(self._socket)


def _make(desk: Desk, token: str | None, service: Service) -> Any:
    from mockcic.control.app import create_control

    app = create_control(desk, token=token, service=service)
    app.openapi()  # made once, here, and not in the event loop when it is first asked for
    return app


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to a listener on this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
