"""The line of a device that misbehaves: a `Lifeline` that breaks the rules of connections."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any, Final

from mockcic.cic.message import Event
from mockcic.simulator.client import Connection, ConnectionLostError, Headers, Stream, StreamResetError
from mockcic.simulator.inbox import Inbox
from mockcic.simulator.lifeline import Lifeline, read_directives
from mockcic.simulator.state import SEOUL, State
from mockcic.simulator.upload import Form
from mockcic.simulator.vices import Vices

STORM: Final = 6
"""Attempts in a storm."""

STORM_PAUSE_S: Final = 0.03
HURRY: Final = 8
"""Attempts without a pause after a loss."""
SECOND_AFTER_S: Final = 0.5
"""Longer than the window in which a server refuses a second request for the downchannel (PROTOCOL 2.2)."""

HELD_OPEN_S: Final = 0.3
REFUSED_TOKEN_TRIES: Final = 6


class UnrulyLifeline(Lifeline):
    """Breaks the rules of `vices`, each in one of the methods that `Lifeline` leaves open for it."""

    def __init__(self, *of: Any, vices: Vices, **how: Any) -> None:
        super().__init__(*of, **how)
        self.vices = vices
        self._second: Stream | None = None
        self._asked_twice = False
        self._began_with_event: Connection | None = None
        self._events_on: Connection | None = None
        self._refused = 0
        self._hurried = 0

    async def _ask(self, connection: Connection) -> Stream:
        rules = self.vices.rules
        if self._second is not None:
            second, self._second = self._second, None
            return second
        if "connection.downchannel-first" in rules and connection is not self._began_with_event:
            self._began_with_event = connection
            await self._post_too_early(connection)
        stream = await super()._ask(connection)
        if "connection.hello-awaited" in rules:
            self._become_ready()
        if "connection.one-downchannel" in rules and not self._asked_twice:
            self._asked_twice = True
            self._tasks.create_task(self._ask_again(connection))
        return stream

    async def _post_too_early(self, connection: Connection) -> None:
        """An event although there is no downchannel yet; its answer is not looked at."""
        contexts = State().contexts(datetime.now(SEOUL))
        event = Event("Settings", "RequestVersionSpec", str(uuid.uuid4()), {}, None, contexts)
        form = Form()
        headers = [*self._headers(), ("content-type", form.content_type)]
        stream = await connection.request("POST", "/v1/events", headers, end=False)
        with suppress(StreamResetError):
            await stream.send(form.whole(event), end=True)
            await stream.head()

    async def _ask_again(self, connection: Connection) -> None:
        """A second downchannel beside the first; when the server ends the first, it is read on."""
        await asyncio.sleep(SECOND_AFTER_S)
        with suppress(ConnectionLostError):
            self._second = await super()._ask(connection)

    # ------------------------------------------------------------------ after a loss

    async def _pause(self) -> None:
        if self._second is not None:
            return
        rules = self.vices.rules
        if self.was_ready and ("connection.reopened" in rules or "recovery.reconnected" in rules):
            await asyncio.Event().wait()
        if "recovery.storm" in rules and self.was_ready and self._hurried < HURRY:
            self._hurried += 1
            return
        if "recovery.retry-after" in rules:
            self._not_before = 0.0
        if "recovery.back-off" in rules:
            await asyncio.sleep(self._habits.reopen_after_s)
            return
        if "connection.reopen-storm" in self.vices.rules and self.was_ready and self.connection is not None:
            await self._storm(self.connection)
        await super()._pause()

    async def _storm(self, connection: Connection) -> None:
        """Ask again and again, and give each attempt up."""
        for _ in range(STORM):
            with suppress(ConnectionLostError, StreamResetError):
                stream = await super()._ask(connection)
                await asyncio.sleep(STORM_PAUSE_S)
                await stream.reset()

    async def _may_try_again(self, status: int) -> bool:
        if self.vices.keeps_refused_token():
            self._refused += 1
            return self._refused < REFUSED_TOKEN_TRIES
        return await super()._may_try_again(status)

    # ------------------------------------------------------------------ pings

    async def _keep_alive(self, connection: Connection) -> None:
        if "connection.ping" not in self.vices.rules:
            await super()._keep_alive(connection)

    def _ping_failed(self, connection: Connection) -> None:
        if not {"connection.ping-unanswered", "recovery.silence-noticed"} & self.vices.rules:
            super()._ping_failed(connection)

    # ------------------------------------------------------------------ after trouble

    async def _leave_when_told(self, connection: Connection) -> None:
        if "recovery.goaway-obeyed" not in self.vices.rules:
            await super()._leave_when_told(connection)
            return
        while True:
            connection.going_away = False
            await connection.next_change()

    def _become_ready(self) -> None:
        is_again = self.was_ready and not self._is_ready
        super()._become_ready()
        if is_again and self.vices.answered is not None and self.connection is not None:
            self._tasks.create_task(self._say_again(self.connection, self.vices.answered))

    async def _say_again(self, connection: Connection, event: Event) -> None:
        """What was answered already; its answer is not looked at."""
        form = Form()
        headers = [*self._headers(), ("content-type", form.content_type)]
        with suppress(ConnectionLostError, StreamResetError):
            stream = await connection.request("POST", "/v1/events", headers, end=False)
            await stream.send(form.whole(event), end=True)
            await stream.head()

    # ------------------------------------------------------------------ two connections

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """As ever, perhaps with a connection for events beside."""
        if "connection.same-connection" not in self.vices.rules:
            await super().run(tasks)
            return
        async with self._connection_for_events() as connection:
            self._events_on = connection
            await asyncio.sleep(self._habits.reopen_after_s)
            await super().run(tasks)

    @asynccontextmanager
    async def _connection_for_events(self) -> AsyncIterator[Connection]:
        """One with a downchannel that is given up after its Hello, so that nothing else about it is wrong."""
        async with self._connect() as connection:
            stream = await super()._ask(connection)
            await stream.head()
            inbox = Inbox(stream.headers.get("content-type", ""), in_order=False)
            async for _ in read_directives(stream, inbox, self._notice):
                break
            await stream.reset()
            yield connection

    def usable(self) -> Connection | None:
        """For events: the other connection."""
        usable, other = super().usable(), self._events_on
        if usable is None and "recovery.events-wait" in self.vices.rules and self.was_ready:
            usable = self.connection if self.connection is not None and self.connection.is_usable else None
        return other if usable is not None and other is not None and other.is_usable else usable


def lifeline_for(vices: Vices) -> Callable[..., Lifeline]:
    """What makes the line of a device with these vices."""
    return partial(UnrulyLifeline, vices=vices) if vices.rules else Lifeline


async def crowd(connection: Connection, size: int, headers: Headers, event: Callable[[], Event]) -> None:
    """Send so many events at once, and hold them open for a while."""
    connection.most_streams = 2 * size
    waiting: list[tuple[Stream, Form]] = []
    for _ in range(size):
        form = Form()
        content_type = ("content-type", form.content_type)
        waiting.append((await connection.request("POST", "/v1/events", [*headers, content_type], end=False), form))
    await asyncio.sleep(HELD_OPEN_S)
    for stream, form in waiting:
        with suppress(StreamResetError):
            await stream.send(form.whole(event()), end=True)
            await stream.head()
