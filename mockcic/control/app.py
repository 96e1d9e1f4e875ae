"""The REST API over a desk: each endpoint reads what is asked, asks the desk, and writes what came."""

from __future__ import annotations

import asyncio
import hmac
import json
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Depends, FastAPI, Query, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mockcic.auth.identity import Identity
from mockcic.control import shapes
from mockcic.control.ask import AskError, read_seconds
from mockcic.control.bodies import FORM_TYPE, JSON_TYPE, LIMIT_BYTES, YAML_TYPES, ZIP_TYPE, Unpacked
from mockcic.control.desk import Desk
from mockcic.control.listener import is_loopback
from mockcic.control.live import live
from mockcic.errors import Problem as FileProblem
from mockcic.errors import ScenarioError, StartError
from mockcic.journal.entry import Entry
from mockcic.journal.filter import Filter, FilterError, read_filter
from mockcic.scenario.settings import Profile
from mockcic.scenario.words import suggest
from mockcic.sound.make import wav
from mockcic.sound.measure import RATE
from mockcic.verdict.text import verdict_text
from mockcic.verdict.times import Times, read_times
from mockcic.verdict.verdict import Verdict

if TYPE_CHECKING:
    from mockcic.server.service import Service
    from mockcic.verdict.conformance import Conformance

PROBLEM_TYPE: Final = "application/problem+json"
BROKEN: Final = 409
"""A verification that is not kept: so that `curl --fail` and every HTTP client fail by themselves."""

CANNOT_SAY: Final = 410
"""A verification that would need entries that are gone."""

LONGEST_NUMBER: Final = 16
PAGE: Final = 1000
LONGEST_PAGE: Final = 100_000

_PROBLEM: Final[dict[str, Any]] = {
    "model": shapes.Problem,
    "content": {PROBLEM_TYPE: {}, "text/plain": {"schema": {"type": "string"}}},
}


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    words = {
        400: "A request that cannot be read.",
        401: "A token is needed, and this is none.",
        403: "The request comes from a web page of another origin.",
        404: "There is no such thing.",
        409: "It cannot be done now; of a verification: it is broken.",
        410: "Entries that are needed are gone.",
        413: "The body is too large.",
        415: "The body is of a type that is not read.",
        422: "A member of the request is wrong.",
    }
    return {status: {**_PROBLEM, "description": words[status]} for status in (*statuses, 401, 403)}


SCENARIO_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A scenario: YAML, a mapping of the language as JSON, or a zip of its folder with sounds.",
        "content": {
            YAML_TYPES[0]: {"schema": {"type": "string"}},
            JSON_TYPE: {"schema": {"type": "object"}},
            ZIP_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}

Name = Annotated[
    str, InPath(min_length=1, max_length=8192, description="A short name, with or without its …, or a token.")
]
ScenarioName = Annotated[str, InPath(min_length=1, max_length=200)]
CueName = Annotated[str, InPath(min_length=1, max_length=200, description="The name of a cue of its scenario.")]
OneDevice = Annotated[str | None, Query(min_length=1, max_length=8192, description="Only this device.")]
OnlyAfter = Annotated[int, Query(ge=0, lt=2**53, description="Only entries younger than the one of this number.")]
OfProfile = Annotated[Profile | None, Query(description="This profile, whatever the scenario says.")]
Called = Annotated[
    str | None, Query(min_length=1, max_length=1000, description="What messages call it, instead of <body>.")
]
IsStrict = Annotated[bool, Query(description="Refuse every departure from the documents.")]
FilterQuery = Annotated[str, Query(max_length=10_000, description="A filter (docs/journal.md).")]


Form = Literal["json", "text", "html", "junit"]


def create_control(desk: Desk, *, token: str | None = None, service: Service | None = None) -> FastAPI:
    """The application. With `token` every request must carry it; without one only requests from this machine are taken.

    `service` says where devices connect; without it (tests of the application alone) that is empty.
    """
    app = FastAPI(
        title="mockcic",
        version=desk.version,
        summary="The control side of a mock CIC: look at devices, change them, ask what happened.",
        description="Errors are problem documents (RFC 9457). Filters, kinds of entries: docs/journal.md.",
        dependencies=[Depends(_guard(token))],
        docs_url=None,  # their pages load scripts from elsewhere; a test machine may be offline
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    unpacked = Unpacked()
    app.state.unpacked = unpacked
    app.add_middleware(Whole)
    _answer_problems(app)
    app.include_router(_about(desk, service))
    app.include_router(_devices(desk, unpacked))
    app.include_router(_tokens(desk))
    app.include_router(_scenarios(desk, unpacked))
    app.include_router(_journal(desk))
    app.include_router(_verification(desk))
    app.include_router(_conformance(desk))
    if token is not None:
        _say_token(app)
    return app


def _say_token(app: FastAPI) -> None:
    """The document says that a token is needed."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        document.setdefault("components", {})["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to change the document


# ---------------------------------------------------------------------- who may ask


def _guard(token: str | None) -> Callable[[Request], Awaitable[None]]:
    async def guard(request: Request) -> None:  # a plain function would cost a thread for each request
        """The token, where there is one; and no web page of another origin may use a browser on this machine."""
        if token is not None and request.url.path != "/healthz":  # those who watch over containers have no token
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
                found = "another token" if given else "no token"
                detail = f"found {found}, expected the header `authorization: Bearer TOKEN` with the control token"
                raise AskError(401, detail, member="authorization")
        host = request.headers.get("host", "")
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise AskError(403, f"a web page of {origin} asks; only pages of this server may", member="origin")
        if token is None and not is_local(host):
            raise AskError(
                403,
                f"the request is for {host}; without a token only names of this machine are answered",
                member="host",
            )
        _check_query(request)

    return guard


def _check_query(request: Request) -> None:
    """A parameter that is mistyped would be as if it were not there: `?chekc=true` would load."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    if dependant is None:
        return
    known = [each.alias for each in dependant.query_params]
    for name in request.query_params:
        if name not in known:
            near = suggest(name, known)
            there = f"there are {', '.join(known)}" if known else "there is none here"
            hint = f"did you mean {near}?" if near else there
            raise AskError(422, f"there is no parameter {name}; {hint}", member=name)


def is_local(host: str) -> bool:
    """Whether a Host header names this machine: a web page elsewhere could give its own name our address."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    return name == "" or is_loopback(name.strip("[]"))


class Whole:
    """Reads a request's body before anything is answered, and refuses one that is too large while it comes.

    Stock Hypercorn closes an HTTP/2 connection when an answer ends before the request has.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _as_json(scope)
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > LIMIT_BYTES:
                await problem(413, f"the body is larger than {LIMIT_BYTES} bytes")(scope, receive, send)
                return
        if trouble := _unsayable(scope, bytes(body)):
            await problem(400, trouble, member="body")(scope, receive, send)
            return
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, replay, send)


def _unsayable(scope: Scope, body: bytes) -> str:
    """What is wrong with a body that Python takes for JSON and that cannot be said in JSON again; empty otherwise."""
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"").lower()
    if not body or JSON_TYPE.encode() not in kind or scope["path"].endswith(("/scenario", "/scenarios")):
        return ""
    try:
        json.dumps(json.loads(body), ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return "the body has half of a surrogate pair (RFC 8259 8.2)"
    except ValueError as error:
        return "" if isinstance(error, json.JSONDecodeError) else f"the body is not JSON: {error}"
    except RecursionError:
        return "the body is nested too deep"
    return ""


def _as_json(scope: Scope) -> Scope:
    """What curl sends with `-d` alone is JSON, whatever curl calls it; scenarios have their own ways."""
    if scope["path"].endswith(("/scenario", "/scenarios")):
        return scope
    form, as_json = (b"content-type", FORM_TYPE.encode()), (b"content-type", JSON_TYPE.encode())
    return {**scope, "headers": [as_json if tuple(each) == form else each for each in scope["headers"]]}


# ---------------------------------------------------------------------- problems


class Said(JSONResponse):
    """JSON that can always be said: what a template made of a device's words, too."""

    def render(self, content: Any) -> bytes:
        """In UTF-8; in ASCII where that cannot be."""
        try:
            return super().render(content)
        except ValueError:
            return json.dumps(content, default=str).encode()


def problem(status: int, detail: str, *, member: str = "", **more: Any) -> JSONResponse:
    """A problem document (RFC 9457)."""
    from http import HTTPStatus

    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if member:
        body["member"] = member
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    return Said({**body, **more}, status_code=status, media_type=PROBLEM_TYPE, headers=headers)


def say(request: Request, status: int, detail: str, *, member: str = "", **more: Any) -> Response:
    """The problem document, or its text for who asks for one: a shell has no JSON parser."""
    answer = problem(status, detail, member=member, **more)
    if "text/plain" not in request.headers.get("accept", ""):
        return answer
    headers = {name: value for name, value in answer.headers.items() if name == "www-authenticate"}
    return PlainTextResponse(f"{detail}\n", status_code=status, headers=headers)


def _answer_problems(app: FastAPI) -> None:
    @app.exception_handler(AskError)
    async def _(request: Request, error: AskError) -> Response:
        return say(request, error.status, error.detail, member=error.member, **error.more)

    @app.exception_handler(ScenarioError)
    async def _(request: Request, error: ScenarioError) -> Response:
        return say(request, 422, str(error), member="body", problems=[shape_of(each) for each in error.problems])

    @app.exception_handler(StartError)
    async def _(request: Request, error: StartError) -> Response:
        return say(request, 422, str(error), member="body")

    @app.exception_handler(FilterError)
    async def _(request: Request, error: FilterError) -> Response:
        place: dict[str, Any] = {"column": error.column} if error.column else {}
        return say(request, 422, str(error), member="filter", **place)

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = [str(each) for each in first["loc"]]
        member = ".".join(where[1:]) or where[0]
        if first["type"] == "json_invalid":
            return say(request, 400, f"the body is not JSON: {first['ctx']['error']}", member="body")
        if first["type"] == "model_attributes_type" and len(where) == 1:
            kind = request.headers.get("content-type", "no content-type")
            return say(request, 415, f"content-type: found {kind}, expected {JSON_TYPE}", member="content-type")
        wrong = [
            {"member": ".".join(map(str, each["loc"][1:])) or str(each["loc"][0]), "what": _what(each)}
            for each in error.errors()
        ]
        return say(request, 422, f"{member}: {wrong[0]['what']}", member=member, errors=wrong)

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> Response:
        hint = "; /openapi.json says what there is" if error.status_code == 404 else ""
        answer = say(request, error.status_code, f"{request.method} {request.url.path}: {error.detail}{hint}")
        answer.headers.update(error.headers or {})
        return answer


def _what(error: Mapping[str, Any]) -> str:
    """What pydantic says, in our words where its own help nobody."""
    match error["type"]:
        case "extra_forbidden":
            return "there is no such member"
        case "missing":
            return "it is missing"
        case "model_attributes_type" | "model_type" | "dict_type":
            return f"found {json.dumps(error.get('input'), ensure_ascii=False, default=str)[:60]}, expected an object"
        case _:
            return str(error["msg"]).removeprefix("Value error, ")


def shape_of(each: FileProblem) -> dict[str, Any]:
    """A problem of a scenario file as JSON."""
    return shapes.ProblemShape(
        path=each.path,
        line=each.line,
        column=each.column,
        what=each.what,
        expected=each.expected,
        mend=each.mend,
        severity=each.severity,
    ).model_dump()


# ---------------------------------------------------------------------- about


def _about(desk: Desk, service: Service | None) -> APIRouter:
    router = APIRouter(tags=["about"], responses=_problems())

    @router.get("/healthz", summary="Whether it lives")
    async def healthz() -> shapes.Health:
        return shapes.Health()

    @router.get("/readyz", summary="Whether devices can connect, and where")
    async def readyz() -> shapes.Readiness:
        devices = desk.devices()
        ca = None if service is None or service.ca_file is None else certificate(service.ca_file)
        return shapes.Readiness(
            url="" if service is None else service.url,
            h2c_url=None if service is None else service.h2c_url,
            auth_url="" if service is None else service.auth_url,
            ca=ca,
            devices=len(devices),
            downchannels=sum(device.downchannel for device in devices),
        )

    @router.get("/v1/version", summary="Which mockcic this is")
    async def version() -> shapes.Version:
        return shapes.Version(mockcic=desk.version, python=platform.python_version())

    @router.get(
        "/metrics",
        summary="Numbers for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Numbers."}},
    )
    async def metrics() -> Response:
        from mockcic.control.metrics import page

        body, content_type = page(desk)
        return Response(body, media_type=content_type)

    return router


def certificate(path: Path) -> str | None:
    """The certificates of a PEM file, without a key that may stand beside them."""
    marks = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        return None
    pieces = [piece.partition(marks[1])[0] for piece in text.split(marks[0])[1:]]
    return "".join(f"{marks[0]}{piece}{marks[1]}\n" for piece in pieces) or None


# ---------------------------------------------------------------------- devices


def _devices(desk: Desk, unpacked: Unpacked) -> APIRouter:
    """A device is a `path`: tokens are often base64, which has slashes; what has more behind it stands first."""
    router = APIRouter(tags=["devices"])

    @router.get("/v1/devices", summary="All devices that have been seen", responses=_problems())
    async def devices() -> shapes.DeviceList:
        return shapes.DeviceList(devices=desk.devices())

    @router.post("/v1/devices", summary="Announce a token before its device comes", responses=_problems(400, 415, 422))
    async def announce(asked: shapes.Announcement) -> shapes.Announced:
        return shapes.Announced(device=desk.announce(asked.token))

    @router.get(
        "/v1/devices/{device:path}/cues", summary="What can be made to happen on it", responses=_problems(404, 422)
    )
    async def cues(device: Name) -> shapes.CueList:
        return shapes.CueList(cues=desk.cues(device))

    @router.post(
        "/v1/devices/{device:path}/cues/{cue}",
        summary="Make a named cue of its scenario happen",
        responses=_problems(400, 404, 409, 415, 422),
    )
    async def play_cue(device: Name, cue: CueName, asked: shapes.CueArgs) -> shapes.DeviceShape:
        return desk.play_cue(device, cue, asked.args)

    @router.post(
        "/v1/devices/{device:path}/transcript",
        summary="Say what is said in its running or next upload",
        responses=_problems(400, 404, 415, 422),
    )
    async def transcribe(device: Name, asked: shapes.Transcript) -> shapes.DeviceShape:
        return desk.transcribe(device, asked.text)

    @router.get("/v1/devices/{device:path}", summary="One device", responses=_problems(404, 422))
    async def device_of(device: Name) -> shapes.DeviceShape:
        return desk.device(device)

    @router.patch(
        "/v1/devices/{device:path}", summary="Change its state and variables", responses=_problems(400, 404, 415, 422)
    )
    async def change(device: Name, asked: shapes.DeviceChange) -> shapes.DeviceShape:
        return desk.change(device, asked)

    @router.post("/v1/devices/{device:path}/reset", summary="Let it begin anew", responses=_problems(404, 422))
    async def reset(device: Name) -> shapes.DeviceShape:
        return desk.reset(device)

    @router.post(
        "/v1/devices/{device:path}/claim",
        summary="Make it a test's: nobody else claims it",
        responses=_problems(404, 409, 422),
    )
    async def claim(device: Name) -> shapes.Announced:
        if not desk.claim(device):
            raise AskError(409, f"{desk.name_of(device)} is somebody's already", member="device")
        return shapes.Announced(device=desk.name_of(device))

    @router.post(
        "/v1/devices/{device:path}/release",
        status_code=204,
        summary="Give it back: it begins anew in the set's scenario",
        responses=_problems(422),
    )
    async def release(device: Name) -> None:
        desk.release(device)

    @router.post("/v1/devices/{device:path}/expire", summary="End its downchannel", responses=_problems(404, 409, 422))
    async def expire(device: Name) -> shapes.DeviceShape:
        return desk.expire(device)

    @router.put(
        "/v1/devices/{device:path}/scenario",
        summary="Give it a scenario of its own: one of the set by `name`, or the one in the body",
        openapi_extra={"requestBody": {**SCENARIO_BODY["requestBody"], "required": False}},
        responses=_problems(400, 404, 413, 415, 422),
    )
    async def assign(
        device: Name,
        request: Request,
        name: Annotated[str | None, Query(min_length=1, max_length=200, description="A scenario of the set.")] = None,
        profile: OfProfile = None,
        strict: IsStrict = False,
        called: Called = None,
    ) -> shapes.Announced:
        body = await request.body()
        if (name is None) is (not body):
            raise AskError(422, "expected either ?name=SCENARIO or a scenario in the body", member="name")
        if name is not None:
            scenario = desk.scenario(name)
        else:
            kind = request.headers.get("content-type", "")
            loaded = unpacked.read(body, kind, profile=profile, strict=strict, called=called)
            scenario = loaded.scenarios[0]
        return shapes.Announced(device=desk.assign(device, scenario))

    @router.delete(
        "/v1/devices/{device:path}/scenario",
        status_code=204,
        summary="Give it back to the set",
        responses=_problems(404, 422),
    )
    async def unassign(device: Name) -> None:
        desk.unassign(device)

    @router.delete("/v1/devices/{device:path}", status_code=204, summary="Forget it", responses=_problems(404, 422))
    async def forget(device: Name) -> None:
        desk.forget(device)

    @router.post("/v1/push", summary="Push a directive", responses=_problems(400, 404, 415, 422))
    async def push(asked: shapes.Push) -> shapes.Delivery:
        return await desk.push(asked)

    @router.post("/v1/reset", summary="Let every device begin anew, with an empty journal", responses=_problems())
    async def reset_all() -> dict[str, int]:
        return {"devices": desk.reset_all()}

    return router


# ---------------------------------------------------------------------- tokens


def _tokens(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["tokens"])

    @router.get("/v1/auth/tokens", summary="The access tokens that were issued here", responses=_problems(404, 422))
    async def tokens(device: OneDevice = None) -> shapes.TokenList:
        return shapes.TokenList(tokens=desk.tokens(device))

    @router.post("/v1/auth/issue", summary="A token pair for a device", responses=_problems(400, 415, 422))
    async def issue(asked: shapes.Issue) -> shapes.TokenPair:
        return desk.issue(Identity(asked.client_id, asked.device_id, asked.model_id))

    @router.post(
        "/v1/auth/expire", summary="Let a device's tokens expire now", responses=_problems(400, 404, 409, 415, 422)
    )
    async def expire_token(asked: shapes.TokenOf) -> shapes.TokenList:
        return shapes.TokenList(tokens=desk.expire_token(asked.device))

    @router.post("/v1/auth/revoke", summary="Take a device's tokens back", responses=_problems(400, 404, 409, 415, 422))
    async def revoke_token(asked: shapes.TokenOf) -> shapes.TokenList:
        return shapes.TokenList(tokens=desk.revoke_token(asked.device))

    @router.post(
        "/v1/auth/advance", summary="Turn the clock of tokens forward", responses=_problems(400, 409, 415, 422)
    )
    async def advance(asked: shapes.Advance) -> shapes.Advanced:
        expired = desk.turn_tokens(read_seconds(asked.by))
        return shapes.Advanced(turned_s=desk.turned_s(), expired=expired)

    return router


# ---------------------------------------------------------------------- scenarios


def _scenarios(desk: Desk, unpacked: Unpacked) -> APIRouter:
    router = APIRouter(tags=["scenarios"])

    @router.get("/v1/scenarios", summary="The set", responses=_problems())
    async def scenarios() -> shapes.ScenarioList:
        return shapes.ScenarioList(scenarios=desk.scenario_list())

    @router.post(
        "/v1/scenarios",
        summary="Load one more; it replaces one of its name",
        openapi_extra=SCENARIO_BODY,
        responses=_problems(400, 413, 415, 422),
    )
    async def load(
        request: Request,
        default: Annotated[bool, Query(description="Give it to devices that no `for` fits.")] = False,
        check: Annotated[bool, Query(description="Only say what is wrong with it.")] = False,
        profile: OfProfile = None,
        strict: IsStrict = False,
        called: Called = None,
    ) -> shapes.Loaded:
        kind = request.headers.get("content-type", "")
        loaded = unpacked.read(await request.body(), kind, profile=profile, strict=strict, called=called)
        if not check:
            desk.load(loaded, default=default)
        warnings = [shapes.ProblemShape(**shape_of(each)) for each in loaded.warnings]
        return shapes.Loaded(scenarios=[each.scenario for each in loaded.scenarios], warnings=warnings)

    @router.post("/v1/scenarios/reload", summary="Read the files again", responses=_problems(409, 422))
    async def reload() -> shapes.ScenarioList:
        desk.reload()
        return shapes.ScenarioList(scenarios=desk.scenario_list())

    @router.get("/v1/scenarios/{scenario}", summary="One of the set", responses=_problems(404, 422))
    async def scenario_of(scenario: ScenarioName) -> shapes.ScenarioShape:
        desk.scenario(scenario)
        return next(each for each in desk.scenario_list() if each.scenario == scenario)

    @router.delete(
        "/v1/scenarios/{scenario}", status_code=204, summary="Take a loaded one out", responses=_problems(404, 409, 422)
    )
    async def remove(scenario: ScenarioName) -> None:
        desk.remove(scenario)

    return router


# ---------------------------------------------------------------------- journal


def _journal(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["journal"])

    @router.get(
        "/v1/journal",
        summary="What happened",
        responses={200: {"model": shapes.JournalPage, "description": "What happened."}, **_problems(404, 422)},
    )
    async def journal(
        filter: FilterQuery = "",
        after: OnlyAfter = 0,
        device: OneDevice = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="The oldest so many.")] = PAGE,
        newest: Annotated[bool, Query(description="The youngest so many instead.")] = False,
    ) -> Response:
        found = desk.entries(after=after, device=device, asked=read_filter(filter))
        page = {
            "entries": [entry.as_json() for entry in (found[-limit:] if newest else found[:limit])],
            "last": desk.journal.last_number,
            "dropped": desk.journal.dropped,
            "gone": desk.gone(after=after, device=device),
            "began": datetime.fromtimestamp(desk.journal.began_wall_s, tz=UTC).isoformat(),
        }
        return Said(page)  # as it is: 100,000 entries need not be checked against their own shape

    @router.delete("/v1/journal", status_code=204, summary="Forget what happened", responses=_problems())
    async def clear() -> None:
        desk.journal.clear()

    @router.get(
        "/v1/journal/live",
        summary="What happens, as server-sent events",
        response_class=StreamingResponse,
        responses={
            200: {
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
                "description": "One event an entry.",
            },
            **_problems(404, 422),
        },
    )
    async def journal_live(
        request: Request,
        filter: FilterQuery = "",
        after: Annotated[
            int | None, Query(ge=0, lt=2**53, description="Begin behind this entry; with what comes next without it.")
        ] = None,
        device: OneDevice = None,
    ) -> Response:
        last = request.headers.get("last-event-id", "")
        begin = (
            int(last)
            if last.isdecimal() and len(last) < LONGEST_NUMBER
            else desk.journal.last_number
            if after is None
            else after
        )
        if begin > desk.journal.last_number:  # an entry of a server before this one: all of ours are news
            begin = 0
        asked = read_filter(filter)
        name = None if device is None else desk.awaited(device)
        return StreamingResponse(
            _as_text(live(desk, asked, begin, name)),
            media_type="text/event-stream",
            headers={"cache-control": "no-store"},
        )

    @router.get(
        "/v1/trace",
        summary="A trace file: journal, sounds, scenarios",
        response_class=Response,
        responses={
            200: {
                "content": {ZIP_TYPE: {"schema": {"type": "string", "format": "binary"}}},
                "description": "A .cictrace.",
            },
            **_problems(404, 422),
        },
    )
    async def trace(device: OneDevice = None, after: OnlyAfter = 0) -> Response:
        import io

        from mockcic.trace.file import write_trace

        target = io.BytesIO()
        await asyncio.to_thread(write_trace, target, desk.trace(after=after, device=device))  # devices go on meanwhile
        name = (device or "all").strip("…") if (device or "all").strip("…").isascii() else "device"
        safe = "".join(each if each.isalnum() or each in "-_." else "_" for each in name)
        disposition = {"content-disposition": f'attachment; filename="{safe}.cictrace"'}
        return Response(target.getvalue(), media_type=ZIP_TYPE, headers=disposition)

    @router.get(
        "/v1/sounds/{sha256}",
        summary="A sound that was uploaded (as WAV) or sent (as it is)",
        response_class=Response,
        responses={
            200: {
                "content": {
                    "audio/wav": {"schema": {"type": "string", "format": "binary"}},
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                },
                "description": "The sound.",
            },
            **_problems(404, 422),
        },
    )
    async def sound(
        sha256: Annotated[str, InPath(pattern="^[0-9a-f]{64}$", description="The digest in an entry.")],
        raw: Annotated[bool, Query(description="The bytes as they are, without a WAV header.")] = False,
    ) -> Response:
        data = desk.journal.spool.get(sha256)
        if data is None:
            raise AskError(
                404, f"there is no sound {sha256}; it was never kept, or went for younger ones", member="sha256"
            )
        uploaded = any(entry.kind == "upload" and entry.data.get("sha256") == sha256 for entry in desk.journal)
        if raw or not uploaded:
            return Response(data, media_type="application/octet-stream")
        return Response(wav(data, RATE), media_type="audio/wav")

    return router


async def _as_text(entries: AsyncIterator[dict[str, Any] | None]) -> AsyncIterator[str]:
    """Server-sent events: `id` is the entry's number, so that a client that lost its line goes on behind it."""
    yield ": the journal of a mock CIC\n\n"
    async for entry in entries:
        if entry is None:
            yield ": still here\n\n"
        else:
            yield f"id: {entry['number']}\nevent: {entry['kind']}\ndata: {json.dumps(entry, ensure_ascii=False)}\n\n"


# ---------------------------------------------------------------------- verification


def _verification(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["verification"], responses=_problems(400, 404, 409, 410, 415, 422))

    @router.post("/v1/verify", summary="How often something came")
    async def verify(asked: shapes.Verify) -> shapes.VerdictShape:
        return _say_verdict(
            desk.verify(read_filter(asked.filter), _times(asked.times), after=asked.after, device=asked.device)
        )

    @router.post("/v1/wait", summary="Wait until something came so often")
    async def wait(asked: shapes.Wait, request: Request) -> shapes.VerdictShape:
        return await _while_asked(
            request,
            desk.wait(
                read_filter(asked.filter),
                _times(asked.times),
                within_s=asked.within,
                after=asked.after,
                device=asked.device,
            ),
        )

    @router.post("/v1/verify/never", summary="Look on whether something stays away")
    async def never(asked: shapes.Never, request: Request) -> shapes.VerdictShape:
        return await _while_asked(
            request,
            desk.never(read_filter(asked.filter), for_s=asked.for_, after=asked.after, device=asked.device),
        )

    @router.post("/v1/verify/order", summary="Whether things came one after another")
    async def order(asked: shapes.Order) -> shapes.VerdictShape:
        filters: list[Filter] = []
        for number, each in enumerate(asked.filters):
            try:
                filters.append(read_filter(each))
            except FilterError as error:
                raise AskError(422, str(error), member=f"filters.{number}") from None
        return _say_verdict(desk.verify_order(filters, after=asked.after, device=asked.device))

    @router.post("/v1/verify/no-unmatched", summary="Whether every event found a rule")
    async def no_unmatched(asked: Annotated[shapes.Scope, Body(default_factory=shapes.Scope)]) -> shapes.VerdictShape:
        return _say_verdict(desk.no_unmatched(after=asked.after, device=asked.device))

    @router.post("/v1/verify/no-findings", summary="Whether no device departed from the documents")
    async def no_findings(
        asked: Annotated[shapes.Findings, Body(default_factory=shapes.Findings)],
    ) -> shapes.VerdictShape:
        return _say_verdict(desk.no_findings(after=asked.after, device=asked.device, allow=asked.allow))

    @router.post("/v1/verify/all-rules-used", summary="Whether every rule answered at least once")
    async def all_rules_used(
        asked: Annotated[shapes.RulesUsed, Body(default_factory=shapes.RulesUsed)],
    ) -> shapes.VerdictShape:
        return _say_verdict(desk.all_rules_used(scenario=asked.scenario, after=asked.after, device=asked.device))

    return router


def _conformance(desk: Desk) -> APIRouter:
    """Whether devices keep the guide. Its rules are imported when somebody asks."""
    router = APIRouter(tags=["verification"])

    @router.get(
        "/v1/conformance",
        summary="What each device keeps and breaks of the guide, until now",
        response_class=Response,
        responses={
            200: {
                "content": {
                    JSON_TYPE: {"schema": {"$ref": "#/components/schemas/ConformanceShape"}},
                    "text/plain": {"schema": {"type": "string"}},
                    "text/html": {"schema": {"type": "string"}},
                    "application/xml": {"schema": {"type": "string"}},
                },
                "model": shapes.ConformanceShape,
                "description": "The verdict; 200 whatever it is.",
            },
            **_problems(404, 422),
        },
    )
    async def look(
        device: OneDevice = None,
        after: OnlyAfter = 0,
        allow: Annotated[list[str], Query(description="Ids of rules that are not judged.")] = [],  # noqa: B006
        limit: Annotated[list[str], Query(description="NAME=VALUE of a rule's limit.")] = [],  # noqa: B006
        profile: OfProfile = None,
        strict: Annotated[bool, Query(description="Broken advice counts, too.")] = False,
        as_: Annotated[
            Literal["json", "text", "html", "junit"], Query(alias="as", description="In which form.")
        ] = "json",
    ) -> Response:
        from mockcic.trace.conformance import (
            ConformanceReport,
            JudgedTrace,
            conformance_html,
            conformance_junit,
            conformance_lines,
            evidence_of,
        )

        limits = dict(each.partition("=")[::2] for each in limit)
        verdict, entries = await _judge(desk, device, after, allow, limits, profile)
        if as_ == "json":
            return JSONResponse({**verdict.as_json(), "ok": verdict.ok and not (strict and verdict.broken)})
        judged = JudgedTrace(
            title=device or "",
            verdict=verdict,
            evidence=evidence_of(verdict, entries),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            version=desk.version,
            seconds=desk.journal.age_s,
            dropped=desk.journal.dropped,
        )
        report = ConformanceReport((judged,), strict=strict)
        if as_ == "html":
            return Response(await asyncio.to_thread(conformance_html, report), media_type="text/html")
        if as_ == "junit":
            return Response(conformance_junit(report), media_type="application/xml")
        lines = conformance_lines(report, every=True, style=lambda text, **_: text)
        return PlainTextResponse("\n".join(lines) + "\n")

    @router.post(
        "/v1/verify/conformance",
        summary="Whether devices keep every rule of the guide",
        responses=_problems(400, 404, 409, 410, 415, 422),
    )
    async def verify(
        asked: Annotated[shapes.Conform, Body(default_factory=shapes.Conform)],
    ) -> shapes.VerdictShape:
        judged, _ = await _judge(desk, asked.device, asked.after, asked.allow, asked.limits, asked.profile)
        verdict = desk.judged(judged.verdict(warnings=asked.strict), asked.device)
        return _say_verdict(verdict, judged.text())

    return router


async def _judge(
    desk: Desk,
    device: str | None,
    after: int,
    allow: Sequence[str],
    limits: Mapping[str, float | str],
    profile: Profile | None,
) -> tuple[Conformance, list[Entry]]:
    from mockcic.verdict.conformance import LimitError, read_limits, rules_but

    try:
        numbers, rules = read_limits(limits), rules_but(allow)
    except LimitError as error:
        raise AskError(422, str(error), member="allow" if "rule" in str(error)[:12] else "limits") from None
    return await desk.conformance(after=after, device=device, limits=numbers, rules=rules, profile=profile)


def _times(asked: shapes.TimesText) -> Times:
    try:
        return read_times(asked)
    except ValueError as error:
        raise AskError(422, f"times: {error}", member="times") from None


async def _while_asked(request: Request, judging: Coroutine[Any, Any, Verdict]) -> shapes.VerdictShape:
    """What comes of a wait; a client that goes away ends it, and nothing is said of it."""

    async def judge() -> Verdict | AskError:
        try:
            return await judging
        except AskError as error:  # as a value: a group of tasks would wrap it
            return error

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    async with asyncio.TaskGroup() as tasks:
        work, watch = tasks.create_task(judge()), tasks.create_task(gone())
        await asyncio.wait((work, watch), return_when=asyncio.FIRST_COMPLETED)
        ended = work.done()
        work.cancel()
        watch.cancel()
    if not ended:
        raise AskError(409, "the client has gone")
    verdict = work.result()
    if isinstance(verdict, AskError):
        raise verdict
    return _say_verdict(verdict)


def _say_verdict(verdict: Verdict, more: str = "") -> shapes.VerdictShape:
    """The verdict; as a problem where it is not kept, so that a client that looks at the status only fails too.

    `more` is text for people that the verdict itself does not have.
    """
    said = {**verdict.as_json(), "text": f"{verdict_text(verdict)}\n{more}".strip()}
    if verdict.status != "kept":
        status = BROKEN if verdict.status == "broken" else CANNOT_SAY
        raise AskError(status, said["text"], verdict=said)
    return shapes.VerdictShape(**said)


__all__ = ["create_control", "is_local", "problem"]
