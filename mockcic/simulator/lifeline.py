"""The line between device and server: one connection with a downchannel, kept, pinged, made anew when it is lost."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from mockcic.errors import StartError, WireError
from mockcic.simulator import moments
from mockcic.simulator.backoff import TRIES, Try, pause_s
from mockcic.simulator.client import Connection, ConnectionLostError, Headers, Stream, StreamResetError
from mockcic.simulator.dial import connect
from mockcic.simulator.inbox import Inbox, Received, read_exception
from mockcic.simulator.moments import Moment

UNAUTHORIZED: Final = 401
TOO_MANY: Final = 429
UNAVAILABLE: Final = 503


class RefusedError(Exception):
    """The downchannel was refused. `status`, and `description` of the System.Exception."""

    def __init__(self, status: int, description: str, retry_after_s: float = 0.0) -> None:
        super().__init__(f"the downchannel was refused with {status}" + (f": {description}" if description else ""))
        self.status = status
        self.retry_after_s = retry_after_s
        self.description = description


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How the device lives. Times in seconds.

    `ping` every `ping_every_s` (PROTOCOL 2.4); a lost downchannel is opened again after `reopen_after_s` (2.2: 1 s),
    later and later where that does not help (`backoff`). Without `wait_for_hello` events go out as soon as the
    downchannel is answered. `settle` asks for alerts and settings after each Hello (PROTOCOL 7.1). An answer is waited
    for `answer_within_s`.
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
    """`headers` go with every request; the callbacks hear of every directive of the downchannel, and of readiness.

    `on_refused_token` says whether there is another token to try with after a 401.
    """

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
        on_refused_token: Callable[[], Awaitable[bool]],
    ) -> None:
        self.connection: Connection | None = None
        self.was_ready = False
        self.is_given_up = False
        self._is_ready = False
        self._tries: deque[Try] = deque(maxlen=TRIES)
        self._not_before = 0.0
        self._url, self._ca_file, self._authority = url, ca_file, authority
        self._habits = habits
        self._headers, self._now, self._tell = headers, now, tell
        self._on_hello, self._on_directive = on_hello, on_directive
        self._on_refused_token = on_refused_token

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Keep the line until it is given up. Raises `StartError` and `RefusedError` before the first Hello only."""
        self._tasks = tasks
        while not self.is_given_up:
            began = self._now()
            try:
                async with self._connect() as connection:
                    self.connection = connection
                    await self._use(connection)
            except ConnectionLostError as error:
                self._lost("connection", str(error))
            except StartError as error:
                if not self.was_ready:
                    raise
                self._tries.append(Try(began, self._now() - began))
                self._lost("connection", str(error))
            finally:
                self.connection, self._is_ready = None, False
            await self._pause()

    def give_up(self) -> None:
        """Close the connection and make none again."""
        self.is_given_up = True
        if self.connection is not None:
            self.connection.close()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Connection]:
        async with connect(self._url, ca_file=self._ca_file, authority=self._authority) as connection:
            self._tell(moments.Connected(self._now(), self._url))
            yield connection

    async def _use(self, connection: Connection) -> None:
        """Keep a downchannel open on this connection until it is gone."""
        beside = (
            self._tasks.create_task(self._keep_alive(connection)),
            self._tasks.create_task(self._leave_when_told(connection)),
        )
        try:
            while not connection.going_away:
                began = self._now()
                try:
                    await self._downchannel(connection, await self._ask(connection))
                    self._lost("downchannel", "the server ended it")
                except (StreamResetError, WireError) as error:
                    self._lost("downchannel", str(error))
                except RefusedError as error:
                    self._tell(moments.Refused(self._now(), "downchannel", error.status, error.description))
                    self._not_before = self._now() + error.retry_after_s
                    if not await self._may_try_again(error.status):
                        raise
                finally:
                    self._is_ready = False
                    self._tries.append(Try(began, self._now() - began))
                if not connection.going_away:
                    await self._pause()
        finally:
            for task in beside:
                task.cancel()

    async def _may_try_again(self, status: int) -> bool:
        """Whether to ask for the downchannel again after a refusal; a refused token is not shown again (2.5)."""
        if status == UNAUTHORIZED:
            return await self._on_refused_token()
        return self.was_ready or status in (TOO_MANY, UNAVAILABLE)

    async def _pause(self) -> None:
        """Before the next attempt; a server that refused one may have said how long (RFC 9110 10.2.3)."""
        now = self._now()
        await asyncio.sleep(max(pause_s(self._tries, now, self._habits.reopen_after_s), self._not_before - now))

    async def _ask(self, connection: Connection) -> Stream:
        """Ask for the downchannel: the first request of a connection (PROTOCOL 2.1)."""
        return await connection.request("GET", "/v1/directives", self._headers())

    async def _downchannel(self, connection: Connection, stream: Stream) -> None:
        """Read it to its end."""
        status = await stream.head()
        content_type = stream.headers.get("content-type", "")
        if status != 200:
            body = b"".join([chunk async for chunk in stream.chunks()])
            _, description = read_exception(content_type, body) or (None, "")
            told = stream.headers.get("retry-after", "").strip()
            raise RefusedError(status, description, float(told) if told.isdecimal() else 0.0)
        self._tell(moments.DownchannelOpened(self._now()))
        if not self._habits.wait_for_hello:
            self._become_ready()
        async for received in read_directives(stream, Inbox(content_type, in_order=False), self._notice):
            if received.directive.full_name == "Clova.Hello":
                self._become_ready()
            self._on_directive(received)

    def _become_ready(self) -> None:
        if not self._is_ready:  # a second Hello changes nothing
            self._is_ready = self.was_ready = True
            self._on_hello()

    def usable(self) -> Connection | None:
        """The connection while events may be sent on it: Hello was parsed (PROTOCOL 2.1), no GOAWAY came."""
        connection = self.connection
        return connection if connection is not None and self._is_ready and connection.is_usable else None

    async def _keep_alive(self, connection: Connection) -> None:
        """Ping as long as the connection lasts."""
        while self._habits.ping != "off":
            await asyncio.sleep(self._habits.ping_every_s)
            try:
                await self.ping(connection, self._habits.ping)
            except (TimeoutError, StreamResetError):
                pass
            except ConnectionLostError:
                return

    async def _leave_when_told(self, connection: Connection) -> None:
        """After GOAWAY let the events end, then connect anew (DEVICES C9); firmware does not even wait for them."""
        while connection.is_usable or connection.open_streams > 1:
            await connection.next_change()
        connection.close()

    async def ping(self, connection: Connection, kind: str) -> float:
        """A PING frame, or with `get` a `GET /ping`; gives the seconds its answer took.

        Without an answer the connection is given up at once (PROTOCOL 2.4), and it raises `TimeoutError`.
        """
        try:
            if kind == "get":
                took = await self._get_ping(connection)
            else:
                took = await connection.ping(self._habits.ping_within_s)
        except (TimeoutError, StreamResetError):
            self._lost("ping", f"no answer within {self._habits.ping_within_s:g} s")
            self._ping_failed(connection)
            raise
        self._tell(moments.Pinged(self._now(), kind, took))
        return took

    async def _get_ping(self, connection: Connection) -> float:
        began = self._now()
        async with asyncio.timeout(self._habits.ping_within_s):
            stream = await connection.request("GET", "/ping", self._headers())
            status = await stream.head()
            body = b"".join([chunk async for chunk in stream.chunks()])
        if status != 204:
            _, description = read_exception(stream.headers.get("content-type", ""), body) or (None, "")
            self._tell(moments.Refused(self._now(), "ping", status, description))
            if status == UNAUTHORIZED:
                await self._on_refused_token()
        return self._now() - began

    def _ping_failed(self, connection: Connection) -> None:
        connection.close()

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
