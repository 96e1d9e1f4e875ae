"""The ASGI application: routes, and the checks of a request in the order of PROTOCOL 1.6, from cheap to dear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Route, Router

from mockcic.auth.authority import Authority
from mockcic.cic.facts import Pinged
from mockcic.cic.message import Refusal
from mockcic.cic.user_agent import judge_user_agent
from mockcic.errors import WireError
from mockcic.journal.store import Journal
from mockcic.scenario.effects import AnswerRaw, Refuse
from mockcic.scenario.model import Scenario
from mockcic.scenario.settings import PingAfter, Settings
from mockcic.scenario.words import read_duration
from mockcic.server.answers import encode_headers, refusal_response
from mockcic.server.authorization import Authorization
from mockcic.server.clock import Clock, LoopClock, TurnableClock
from mockcic.server.device import Device
from mockcic.server.downchannel import Downchannel
from mockcic.server.endpoint import Endpoint
from mockcic.server.event_stream import EventStream
from mockcic.server.exchange import Send
from mockcic.server.faults.armoury import Armoury
from mockcic.server.framing import in_dialect
from mockcic.server.recogniser import Recogniser
from mockcic.server.record import record_event_401, record_exception, retry_after
from mockcic.server.registry import Registry, Scenarios
from mockcic.server.request import Receive, Request, Scope, disconnect, drain
from mockcic.server.turning import Turning
from mockcic.wire.decode import boundary_of

if TYPE_CHECKING:
    from mockcic.server.chaos import ChaosPlayer

WARNED: Final = 1000
"""Strangers of whom it is remembered that they were warned of (INF)."""


class Cic:
    """The mock CIC as an ASGI application. Everything it knows lives in the object: two of them never meet.

    `real` is real time. What scenarios do and how long tokens live goes by `clock`, which can be turned; what devices
    do, and the pace of sound, goes by the real one.
    """

    def __init__(
        self,
        scenarios: Scenarios,
        *,
        real: Clock | None = None,
        journal: Journal | None = None,
        on_start: Callable[[], None] | None = None,
        recogniser: Recogniser | None = None,
    ) -> None:
        self.real: Clock = real or LoopClock()
        self.clock = TurnableClock(self.real)
        self.journal = Journal(self.real.now, self.real.wall) if journal is None else journal
        authority = Authority()
        self.armoury = Armoury(self.journal, self.clock)
        self.devices = Registry(scenarios, self.journal, self.clock, authority.key_of, self.armoury)
        self.authorization = Authorization(self.devices, self.journal, self.clock, authority, self.armoury)
        self.armoury.tokens = self.authorization
        self.turning = Turning(self.clock, self.journal, self.devices)
        self.stopping = False
        self._chaos: ChaosPlayer | None = None
        self._users: dict[str, set[str]] = {}
        self._on_start = on_start
        self._recogniser = recogniser
        self._requests = 0
        self._warned_of_401: set[str] = set()
        not_found = Endpoint(self._not_found)
        self.auth_app = self.authorization.app(default=not_found)
        """The authorization server alone, for a listener of its own."""
        self._router = Router(
            [
                Route("/v1/events", Endpoint(self._events)),
                Route("/v1/directives", Endpoint(self._directives)),
                Route("/ping", Endpoint(self._ping)),
                *self.authorization.routes,
            ],
            redirect_slashes=False,
            default=not_found,
            lifespan=self._lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI scope: a request, or the lifespan."""
        await self._router(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Any) -> AsyncIterator[None]:
        if self._on_start is not None:
            self._on_start()
        yield
        await self.stop()
        self.journal.spool.close()

    @property
    def chaos(self) -> ChaosPlayer:
        """Plays chaos files; made when the first is asked for."""
        if self._chaos is None:
            from mockcic.server.chaos import ChaosPlayer

            self._chaos = ChaosPlayer(self.armoury, self.devices, self.turning, self.journal, self.clock)
        return self._chaos

    async def stop(self) -> None:
        """No new downchannels; the open ones are ended properly (PROTOCOL 2.6)."""
        self.stopping = True
        self.turning.end()
        if self._chaos is not None:
            self._chaos.stop("the server stops")
        lines = [device.downchannel for device in self.devices if device.downchannel is not None]
        for line in lines:
            line.end("the server stops")
        await asyncio.gather(*(line.over() for line in lines))

    def connection_closed(self, connection: str) -> set[str]:
        """Forget a connection; the devices that used it."""
        users = self._users.pop(connection, set())
        for name in users:
            device = self.devices.named(name)
            if device is not None and device.faults is not None:
                device.faults.connection_over(connection)
        return users

    def ping_received(self, connection: str) -> None:
        """A PING frame came on a connection: the devices whose downchannel is there sent it."""
        devices = [each for each in self.devices if each.downchannel and each.downchannel.connection == connection]
        for device in devices:
            device.tell(Pinged("frame"))
        name = devices[0].name if len(devices) == 1 else ""
        self.journal.add("ping", device=name, connection=connection, name="frame")

    # ------------------------------------------------------------------ checks

    def _request(self, scope: Scope) -> Request:
        self._requests += 1
        return Request(scope, self._requests)

    def _settings(self, request: Request) -> tuple[Scenario, Settings]:
        device = self.devices.get(request.token)
        if device is not None:
            return device.scenario, device.engine.settings
        scenario = self.devices.scenario_for(request.token, request.user_agent)
        return scenario, scenario.effective

    def _objection(self, request: Request, method: str) -> Refusal | None:
        """Method, token, User-Agent: the checks every endpoint begins with."""
        if request.method != method:
            return Refusal(405, f"{request.method} is not allowed here", headers=(("allow", method),))
        if self.stopping:
            return Refusal(503, "the server stops", headers=(("retry-after", "1"),))
        scenario, settings = self._settings(request)
        if why := self.authorization.objection(request.token, scenario):
            return Refusal(401, why, headers=(("www-authenticate", "Bearer"),))
        if settings.user_agent in (400, 403):
            assert isinstance(settings.user_agent, int)
            finding = judge_user_agent(request.headers.get("user-agent"), strict=True)
            if finding is not None:
                return Refusal(settings.user_agent, f"User-Agent: found {finding.found}, expected {finding.expected}")
        return None

    async def _refuse(self, request: Request, refusal: Refusal, send: Send, *, why: str = "") -> None:
        _, settings = self._settings(request)
        assert settings.exceptions is not None
        headers, body = refusal_response(
            refusal, form=settings.exceptions, dialect=settings.dialect, one_text=settings.one_text_for_400
        )
        await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        device = self.devices.shown(request.token)
        name = f"{request.method} {request.scope['path']}"
        record_exception(
            self.journal,
            refusal,
            device=device,
            token=request.token,
            connection=request.connection,
            stream=request.stream,
            dialogue=None,
            event=name,
        )
        self.journal.add(
            "answer",
            device=device,
            token=request.token,
            connection=request.connection,
            stream=request.stream,
            name=name,
            status=refusal.status,
            description=refusal.description,
            **retry_after(refusal.headers),
            detail=why,
            request=self.journal.redaction.headers(request.headers),
        )

    async def _answer_instead(self, request: Request, order: Refuse | AnswerRaw, send: Send) -> None:
        """A downchannel that a fault does not let open."""
        if isinstance(order, Refuse):
            await self._refuse(request, order.refusal, send, why="a fault answers so")
            return
        headers = encode_headers(order.headers)
        await send({"type": "http.response.start", "status": order.status, "headers": headers})
        await send({"type": "http.response.body", "body": order.body, "more_body": False})
        self.journal.add(
            "answer",
            device=self.devices.shown(request.token),
            token=request.token,
            connection=request.connection,
            stream=request.stream,
            name=f"{request.method} {request.scope['path']}",
            status=order.status,
            **retry_after(order.headers),
            detail="a fault answers so",
            request=self.journal.redaction.headers(request.headers),
        )

    async def _not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = self._request(scope)
        await self._refuse(request, Refusal(404, f"there is nothing at {scope['path']}"), send)
        await drain(receive)

    # ------------------------------------------------------------------ endpoints

    async def _ping(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`GET /ping`: 204 (PROTOCOL 2.4)."""
        request = self._request(scope)
        send = in_dialect(send, self._settings(request)[1], request.wire)
        if (refusal := self._objection(request, "GET")) is not None:
            await self._refuse(request, refusal, send)
            return
        if self.devices.get(request.token) is not None:
            self._device(request).tell(Pinged("get"))
        answer = self._settings(request)[1].ping
        unanswered: dict[str, Any] = {"unanswered": True} if answer == "never" else {}
        self.journal.add(
            "ping",
            device=self.devices.shown(request.token),  # a ping alone makes no device: health checks ping too
            token=request.token,
            connection=request.connection,
            stream=request.stream,
            name="get",
            request=self.journal.redaction.headers(request.headers),
            **unanswered,
        )
        match answer:
            case "never":
                await disconnect(receive)
                return
            case PingAfter(after=after):
                await self.clock.sleep(after if isinstance(after, float) else float(read_duration(after)))
            case _:
                pass
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _directives(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`GET /v1/directives`: the downchannel, until one side has enough (PROTOCOL section 2)."""
        request = self._request(scope)
        send = in_dialect(send, self._settings(request)[1], request.wire)
        if (refusal := self._objection(request, "GET")) is not None:
            await self._refuse(request, refusal, send)
            return
        device = self._device(request)
        settings = device.engine.settings
        if self._too_soon(device, settings):
            refusal = Refusal(429, "a downchannel was opened a moment ago", headers=(("retry-after", "1"),))
            await self._refuse(request, refusal, send)
            return
        line = Downchannel(request.stream, request.connection, settings, send, device.wrote)
        line.token = request.token
        line.wire = request.wire
        if device.faults is not None:
            device.faults.downchannel_opens(line)
            if line.instead is not None:
                await self._answer_instead(request, line.instead, line.sender)
                return
        device.opened_at = self.real.now()
        reason = "the server failed"
        try:
            async with asyncio.TaskGroup() as tasks:
                await line.open(tasks)
                device.open_downchannel(line, request.headers)
                await disconnect(receive)  # by the device, or because we have ended the answer
                reason = line.reason or "the device ended it"
                line.abandon(reason)
        except asyncio.CancelledError:
            reason = "connection lost"
            raise
        finally:
            line.abandon(line.reason or reason)
            device.close_downchannel(line, line.reason)

    def _too_soon(self, device: Device, settings: Settings) -> bool:
        """Two requests at once or within a very short time (PROTOCOL 2.2; row 6)."""
        window = settings.downchannel_window
        if device.opened_at is None or window == "off":
            return False
        return self.real.now() - device.opened_at < (
            window if isinstance(window, float) else float(read_duration(window))
        )

    async def _events(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`POST /v1/events`: one event (PROTOCOL section 3)."""
        request = self._request(scope)
        _, settings = self._settings(request)
        send = in_dialect(send, settings, request.wire)
        refusal = self._objection(request, "POST") or self._event_objection(request)
        if refusal is None:
            try:
                boundary = boundary_of(request.headers.get("content-type", ""), subtype="form-data")
            except WireError as error:
                refusal = Refusal(settings.wrong_content_type, error.description)
            else:
                stream = EventStream(
                    request, self._device(request), boundary, self.journal, self.real, self._recogniser
                )
                await stream.run(receive, send)
                return
        await self._refuse(request, refusal, send)
        if refusal.status == 401:
            self._warn_of_401(request, refusal.description)
        await drain(receive)

    def _warn_of_401(self, request: Request, why: str) -> None:
        """Once for each device, also for one that has never been let in."""
        if (device := self.devices.get(request.token)) is not None:
            device.event_got_401(request.connection, request.stream, why)
            return
        name = self.devices.shown(request.token)
        if name not in self._warned_of_401:
            if len(self._warned_of_401) >= WARNED:
                self._warned_of_401.clear()
            self._warned_of_401.add(name)
            record_event_401(self.journal, device=name, connection=request.connection, stream=request.stream, why=why)

    def _event_objection(self, request: Request) -> Refusal | None:
        """Downchannel and connection (PROTOCOL 2.3)."""
        _, settings = self._settings(request)
        if not settings.same_connection:
            return None
        device = self.devices.get(request.token)
        line = None if device is None else device.downchannel
        if line is None:
            return Refusal(412, "there is no downchannel; open GET /v1/directives first")
        if line.connection != request.connection:
            return Refusal(412, "the downchannel is on another connection")
        return None

    def _device(self, request: Request) -> Device:
        """The device of the request."""
        if request.wire is not None:  # only our own server says when the connection is closed
            self._users.setdefault(request.connection, set()).add(self.devices.name_of(request.token))
        device = self.devices.find(request.token, request.user_agent, request.tags, request.connection)
        device.see(request.headers.get("user-agent"), request.tags, request.stream)
        device.wire = request.wire
        if device.faults is not None:
            device.faults.request_on(request.wire)
        return device
