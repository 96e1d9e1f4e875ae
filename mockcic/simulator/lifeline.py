"""The line between device and server: one connection with a downchannel, kept, pinged, made anew when it is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from mockcic.errors import StartError, WireError
from mockcic.simulator import moments
from mockcic.simulator.client import Connection, ConnectionLostError, Headers, Stream, StreamResetError
from mockcic.simulator.dial import connect
from mockcic.simulator.inbox import Inbox, Received, read_exception
from mockcic.simulator.moments import Moment

TOO_MANY: Final = 429


class RefusedError(Exception):
    """The downchannel was refused. `status`, and `description` of the System.Exception."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(f"the downchannel was refused with {status}" + (f": {description}" if description else ""))
        self.status = status
        self.description = description


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How the device lives. Times in seconds.

    `ping` every `ping_every_s` (PROTOCOL 2.4); a lost downchannel is opened again after `reopen_after_s` (2.2: 1 s).
    Without `wait_for_hello` events go out as soon as the downchannel is answered. `settle` asks for alerts and settings
    after each Hello (PROTOCOL 7.1). An answer is waited for `answer_within_s`.
    """

    ping: Literal["frame", "get", "off"] = "frame"
    ping_every_s: float = 60.0
    ping_within_s: float = 15.0
    reopen_after_s: float = 1.0
    wait_for_hello: bool = True
    hello_within_s: float = 10.0
    answer_within_s: float = 60.0
    settle: bool = False
    lang: str = "ko"


class Lifeline:
    """`headers` go with every request; the callbacks hear of every directive of the downchannel, and of readiness."""

    def __init__(
        self,
        url: str,
        *,
        ca_file: Path | str | None,
        authority: str | None,
        habits: Habits,
        headers: Callable[[], Headers],
        now: Callable[[], float],
        tell: Callable[[Moment], None],
        on_hello: Callable[[], None],
        on_directive: Callable[[Received], None],
    ) -> None:
        self.connection: Connection | None = None
        self.was_ready = False
        self._is_ready = False
        self._url, self._ca_file, self._authority = url, ca_file, authority
        self._habits = habits
        self._headers, self._now, self._tell = headers, now, tell
        self._on_hello, self._on_directive = on_hello, on_directive

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Keep the line until cancelled. Raises `StartError` and `RefusedError` before the first Hello only."""
        self._tasks = tasks
        while True:
            try:
                async with connect(self._url, ca_file=self._ca_file, authority=self._authority) as connection:
                    self._tell(moments.Connected(self._now(), self._url))
                    self.connection = connection
                    await self._use(connection)
            except ConnectionLostError as error:
                self._lost("connection", str(error))
            except StartError as error:
                if not self.was_ready:
                    raise
                self._lost("connection", str(error))
            finally:
                self.connection, self._is_ready = None, False
            await asyncio.sleep(self._habits.reopen_after_s)

    async def _use(self, connection: Connection) -> None:
        """Keep a downchannel open on this connection until it is gone."""
        beside = (
            self._tasks.create_task(self._keep_alive(connection)),
            self._tasks.create_task(self._leave_when_told(connection)),
        )
        try:
            while not connection.going_away:
                try:
                    await self._downchannel(connection)
                    self._lost("downchannel", "the server ended it")
                except (StreamResetError, WireError) as error:
                    self._lost("downchannel", str(error))
                except RefusedError as error:
                    self._tell(moments.Refused(self._now(), "downchannel", error.status, error.description))
                    if not self.was_ready and error.status != TOO_MANY:
                        raise
                finally:
                    self._is_ready = False
                if not connection.going_away:
                    await asyncio.sleep(self._habits.reopen_after_s)
        finally:
            for task in beside:
                task.cancel()

    async def _downchannel(self, connection: Connection) -> None:
        stream = await connection.request("GET", "/v1/directives", self._headers())
        status = await stream.head()
        content_type = stream.headers.get("content-type", "")
        if status != 200:
            body = b"".join([chunk async for chunk in stream.chunks()])
            _, description = read_exception(content_type, body) or (None, "")
            raise RefusedError(status, description)
        self._tell(moments.DownchannelOpened(self._now()))
        if not self._habits.wait_for_hello:
            self._become_ready()
        async for received in read_directives(stream, Inbox(content_type, in_order=False), self._notice):
            if received.directive.full_name == "Clova.Hello":
                self._become_ready()
            self._on_directive(received)

    def _become_ready(self) -> None:
        self._is_ready = self.was_ready = True
        self._on_hello()

    def usable(self) -> Connection | None:
        """The connection while events may be sent on it: Hello was parsed (PROTOCOL 2.1), no GOAWAY came."""
        connection = self.connection
        return connection if connection is not None and self._is_ready and connection.is_usable else None

    async def _keep_alive(self, connection: Connection) -> None:
        """Ping; without an answer the connection is given up at once (PROTOCOL 2.4)."""
        while self._habits.ping != "off":
            await asyncio.sleep(self._habits.ping_every_s)
            try:
                await self.ping(connection, self._habits.ping)
            except (TimeoutError, StreamResetError):
                self._lost("ping", f"no answer within {self._habits.ping_within_s:g} s")
                connection.close()
                return
            except ConnectionLostError:
                return

    async def _leave_when_told(self, connection: Connection) -> None:
        """After GOAWAY let the events end, then connect anew (DEVICES C9); firmware does not even wait for them."""
        while connection.is_usable or connection.open_streams > 1:
            await connection.next_change()
        connection.close()

    async def ping(self, connection: Connection, kind: str) -> float:
        """A PING frame, or with `get` a `GET /ping`; gives the seconds its answer took."""
        if kind == "get":
            began = self._now()
            async with asyncio.timeout(self._habits.ping_within_s):
                stream = await connection.request("GET", "/ping", self._headers())
                status = await stream.head()
                body = b"".join([chunk async for chunk in stream.chunks()])
            took = self._now() - began
            if status != 204:
                _, description = read_exception(stream.headers.get("content-type", ""), body) or (None, "")
                self._tell(moments.Refused(self._now(), "ping", status, description))
        else:
            took = await connection.ping(self._habits.ping_within_s)
        self._tell(moments.Pinged(self._now(), kind, took))
        return took

    def _lost(self, what: str, reason: str) -> None:
        self._tell(moments.Lost(self._now(), what, reason))

    def _notice(self, text: str) -> None:
        self._tell(moments.Noticed(self._now(), text))


async def read_directives(stream: Stream, inbox: Inbox, notice: Callable[[str], None]) -> AsyncIterator[Received]:
    """Directives of a body as they become whole; `notice` is told what is odd about it."""
    async for chunk in stream.chunks():
        for received in inbox.feed(chunk):
            yield received
        _tell_troubles(inbox, notice)
    for received in inbox.finish():
        yield received
    _tell_troubles(inbox, notice)


def _tell_troubles(inbox: Inbox, notice: Callable[[str], None]) -> None:
    for trouble in inbox.troubles:
        notice(trouble)
    inbox.troubles.clear()
