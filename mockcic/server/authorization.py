"""The authorization server on the wire: `/authorize`, `/token` and the page of terms (PROTOCOL section 6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from starlette.routing import Route, Router

from mockcic.auth.answer import Answer, encode, refused
from mockcic.auth.ask import BODY_BYTES, Ask, read_ask
from mockcic.auth.authority import Authority
from mockcic.auth.happening import Happening, Outcome
from mockcic.auth.identity import Identity
from mockcic.auth.policy import Call
from mockcic.auth.terms import PATH
from mockcic.journal.redact import shortened
from mockcic.journal.store import Journal
from mockcic.scenario.faults.answer import Empty, Portal, Status
from mockcic.scenario.model import Scenario
from mockcic.server.clock import Alarm, Clock
from mockcic.server.device import Device
from mockcic.server.endpoint import Endpoint
from mockcic.server.exchange import Send
from mockcic.server.faults.armoury import Armoury
from mockcic.server.faults.calls import Caller
from mockcic.server.faults.instead import description_of, oauth_error_of, page
from mockcic.server.registry import Registry
from mockcic.server.request import Receive, Request, Scope

METHODS: Final = ("GET", "POST")


class Authorization:
    """Answers what is asked of it, tells the journal, and closes downchannels that lose their token."""

    def __init__(
        self, devices: Registry, journal: Journal, clock: Clock, authority: Authority, armoury: Armoury
    ) -> None:
        self.authority = authority
        self.clock = clock
        self._devices = devices
        self._journal = journal
        self._armoury = armoury
        self._alarm: tuple[float, Alarm] | None = None
        self._requests = 0
        self.routes = [
            Route("/authorize", Endpoint(self._authorize)),
            Route("/token", Endpoint(self._token)),
            Route(PATH, Endpoint(self._terms)),
        ]

    def app(self, *, default: Endpoint) -> Router:
        """The application of a listener that has nothing else."""
        return Router(self.routes, redirect_slashes=False, default=default)

    # ------------------------------------------------------------------ what the rest of the server asks

    def objection(self, token: str, scenario: Scenario) -> str:
        """Why a request with this token gets 401; empty when it does not.

        A token that was issued here is good while it lives, whatever `tokens.accept` names; `tokens.refuse` counts for
        every token.
        """
        if not token:
            return "no bearer token"
        if (why := self.authority.why_not(token, self.clock.now())) or self.authority.knows(token):
            return why or ("" if scenario.tokens.take_issued(token) else "the token is not accepted")
        if scenario.tokens.accept is None and scenario.auth.unknown_tokens == "refuse":
            return "the token was not issued here"
        return "" if scenario.tokens.take(token) else "the token is not accepted"

    def expire(self, key: str) -> int:
        """Let the tokens of a device expire now; how many did."""
        return self._told(self.authority.expire_by_hand(key))

    def revoke(self, key: str) -> int:
        """Take the tokens of a device back; how many there were."""
        return self._told(self.authority.revoke_by_hand(key))

    def issue(self, identity: Identity) -> dict[str, Any]:
        """A token pair without all the asking, as /token would give it."""
        policy = self._scenario(identity, "").auth_policy
        body, happenings = self.authority.issue(identity, policy, self.clock.now())
        self._told(happenings)
        return body

    # ------------------------------------------------------------------ endpoints

    async def _authorize(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, ask = await self._read(scope, receive)
        scenario = self._scenario(self.authority.device_of(ask), request.user_agent)
        if (met := await self._meet_faults(request, ask, scenario, send)) is None:
            return
        send, outcome = met
        outcome = outcome or self._refusal_of_method(request)
        if outcome is None:
            base = _base(request)
            outcome = self.authority.authorize(ask, scenario.auth_policy, self.clock.now(), base=base)
        await self._answer(request, "authorize", scenario, outcome, send)

    async def _token(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, ask = await self._read(scope, receive)
        scenario = self._scenario(self.authority.device_of(ask), request.user_agent)
        if (met := await self._meet_faults(request, ask, scenario, send)) is None:
            return
        send, outcome = met
        outcome = outcome or self._refusal_of_method(request)
        if outcome is None:
            outcome = self.authority.token(ask, scenario.auth_policy, self.clock.now())
        await self._answer(request, self.authority.call_of(ask) or "grant", scenario, outcome, send)

    async def _meet_faults(
        self, request: Request, ask: Ask, scenario: Scenario, send: Send
    ) -> tuple[Send, Outcome | None] | None:
        """What faults make of a request: how it is sent, and what is answered before it is worked on.

        None where it is not answered at all. Of a device that nobody knows only its own scenario's faults count.
        """
        identity = self.authority.device_of(ask)
        key = "" if identity is None else identity.key
        device = self._devices.get(key) if key else None
        if device is None and not scenario.fault and not self._armoury.coming:
            return send, None
        if device is not None and device.faults is None:
            return send, None
        caller = Caller(key, self._shown(key), device, scenario)
        met = await self._armoury.calls.meet(request, caller, send)
        if met.gone:
            return None
        match met.instead:
            case Status() as act:
                answer = refused(act.code, oauth_error_of(act.code), description_of(act))
                return met.send, Outcome(replace(answer, retry_after=act.retry_after), key=key)
            case Portal() as act:
                headers, body = page(act.status)
                return met.send, Outcome(
                    Answer(act.status, location=dict(headers).get("location", ""), html=body.decode()), key=key
                )
            case Empty():
                return met.send, Outcome(Answer(200), key=key)
        return met.send, None

    async def _terms(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, ask = await self._read(scope, receive)
        scenario = self._scenario(self.authority.device_of(ask), request.user_agent)
        outcome = self._refusal_of_method(request)
        if outcome is None:
            now = self.clock.now()
            decides = request.method == "POST"
            outcome = self.authority.decide(ask, now) if decides else self.authority.show_terms(ask, now)
        await self._answer(request, "authorize", scenario, outcome, send)

    async def _read(self, scope: Scope, receive: Receive) -> tuple[Request, Ask]:
        """The whole request: stock Hypercorn closes an HTTP/2 connection that is answered before it has ended."""
        self._requests += 1
        request = Request(scope, self._requests)
        if request.wire is None:
            request.stream = f"x{self._requests}"
        body = bytearray()
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            size += len(message.get("body", b""))
            if size <= BODY_BYTES:
                body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        if size > BODY_BYTES:
            return request, Ask({}, request.token, (), f"the body is longer than {BODY_BYTES} bytes")
        content_type = request.headers.get("content-type", "")
        return request, read_ask(scope.get("query_string", b""), bytes(body), content_type, request.token)

    @staticmethod
    def _refusal_of_method(request: Request) -> Outcome | None:
        if request.method in METHODS:
            return None
        return Outcome(refused(405, "invalid_request", f"{request.method} is not allowed here"))

    def _scenario(self, identity: Identity | None, user_agent: str) -> Scenario:
        """The scenario of the device that asks: by its device_id, before it has any token."""
        return self._devices.scenario_for("" if identity is None else identity.key, user_agent)

    async def _answer(self, request: Request, call: Call, scenario: Scenario, outcome: Outcome, send: Send) -> None:
        issued = any(each.name == "issued" for each in outcome.happenings)
        device = self._devices.name_of(outcome.key) if issued else self._shown(outcome.key)
        for finding in outcome.findings:
            self._journal.add(
                "finding",
                device=device,
                connection=request.connection,
                stream=request.stream,
                name=finding.code,
                severity=finding.severity,
                found=finding.found,
                expected=finding.expected,
                mend=finding.mend,
            )
        self._told(outcome.happenings, request)
        if outcome.delay_s:
            await self.clock.sleep(outcome.delay_s)
        answer = outcome.answer
        content_type, body = encode(answer, scenario.auth_policy.errors, call)
        headers = [(b"cache-control", b"no-store"), (b"content-length", str(len(body)).encode())]
        if content_type:
            headers.append((b"content-type", content_type.encode()))
        if answer.location:
            headers.append((b"location", answer.location.encode("latin-1", "replace")))
        if answer.retry_after is not None:
            headers.append((b"retry-after", b"%d" % answer.retry_after))
        if answer.status == 405:
            headers.append((b"allow", ", ".join(METHODS).encode()))
        if answer.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})
        self._record_answer(request, device, answer)

    def _record_answer(self, request: Request, device: str, answer: Answer) -> None:
        members: dict[str, Any] = {} if answer.retry_after is None else {"retry_after": answer.retry_after}
        self._journal.add(
            "answer",
            device=device,
            token=request.token,
            connection=request.connection,
            stream=request.stream,
            name=f"{request.method} {request.scope['path']}",
            status=answer.status,
            description=answer.description,
            **members,
        )

    # ------------------------------------------------------------------ what becomes of tokens

    def _told(self, happenings: tuple[Happening, ...] | list[Happening], request: Request | None = None) -> int:
        """Write it down, and close the downchannels that lose their token; how many happenings."""
        for each in happenings:
            self._write(each, request)
            if each.name in ("expired", "revoked") and (device := self._devices.get(each.key)) is not None:
                self._lose(device, each)
        self._wait_for_the_next()
        return len(happenings)

    def _write(self, happening: Happening, request: Request | None) -> None:
        identity = happening.identity
        members: dict[str, Any] = {
            "what": happening.what,
            "short": shortened(happening.token) if happening.token else "",
            "grant": happening.grant,
            "client_id": "" if identity is None else identity.client_id,
            "device_id": "" if identity is None else identity.device_id,
            "model_id": "" if identity is None else identity.model_id,
            "lives_s": happening.lives_s,
            "status": happening.status,
            "error": happening.error,
            "why": happening.why,
            "guest": happening.guest,
        }
        where = {} if request is None else {"connection": request.connection, "stream": request.stream}
        named = happening.name != "refused" and happening.key
        self._journal.add(
            "token",
            device=self._devices.name_of(happening.key) if named else self._shown(happening.key),
            token=happening.token,
            name=happening.name,
            **where,
            **{name: value for name, value in members.items() if value not in ("", None, False)},
        )

    def _shown(self, key: str) -> str:
        return self._devices.shown(key) if key else ""

    def _lose(self, device: Device, happening: Happening) -> None:
        """The downchannel of a device whose token has ended (PROTOCOL 2.5, 6.5; section 8, row 12)."""
        line = device.downchannel
        auth = device.scenario.auth
        if line is None:
            return
        if happening.name == "expired":
            if auth.expiry == 401 or line.token != happening.token:
                return
            if auth.expiry == "goaway" and line.wire is not None:
                line.wire.goaway()
            line.end("its token has expired")
        elif auth.deleted == "close" and happening.grant in ("delete", "by hand"):
            line.end("its token was revoked")

    def _wait_for_the_next(self) -> None:
        """One alarm for the token whose life ends first."""
        ends_s = self.authority.next_end_s
        if ends_s is None or (self._alarm is not None and self._alarm[0] <= ends_s):
            return
        if self._alarm is not None:
            self._alarm[1].cancel()
        self._alarm = (ends_s, self.clock.call_at(ends_s, self._end_has_come))

    def _end_has_come(self) -> None:
        self._alarm = None
        self._told(self.authority.lapse(self.clock.now()))


def _base(request: Request) -> str:
    """`https://host:port` as the client called us; our own address for one that did not say (DEVICES C1)."""
    scheme = request.scope.get("scheme", "https")
    host = request.headers.get("host", "")
    if not host:
        server = request.scope.get("server") or ("localhost", None)
        name = f"[{server[0]}]" if ":" in str(server[0]) else str(server[0])
        host = name if server[1] is None else f"{name}:{server[1]}"
    return f"{scheme}://{host}"
