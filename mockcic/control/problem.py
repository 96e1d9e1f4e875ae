"""What is wrong with a request, as a problem document (RFC 9457) or as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from mockcic.control import shapes
from mockcic.control.ask import AskError
from mockcic.control.asked import PROBLEM_TYPE
from mockcic.control.bodies import JSON_TYPE
from mockcic.errors import Problem as FileProblem
from mockcic.errors import ScenarioError, StartError
from mockcic.journal.filter import FilterError


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


def answer_problems(app: FastAPI) -> None:
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
        of_fault = [each for each in error.errors() if each["loc"][:2] == ("body", "fault")]
        if of_fault and isinstance(error.body, Mapping) and "fault" in error.body:
            return _bad_fault(request, error.body["fault"], of_fault)
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


def _bad_fault(request: Request, fault: object, found: Sequence[Mapping[str, Any]]) -> Response:
    """What is wrong with a fault, in the words of a scenario: what was found, what was expected, the mend."""
    from mockcic.scenario.explain import explain_value
    from mockcic.scenario.faults.fault import Fault

    errors = [{**each, "loc": tuple(each["loc"][2:])} for each in found]
    told = explain_value(fault, errors, Fault)
    wrong = [
        {
            "member": ".".join(map(str, ("fault", *way))),
            "what": problem.what,
            "expected": problem.expected,
            "mend": problem.mend,
        }
        for way, problem in told
    ]
    member = wrong[0]["member"]
    return say(request, 422, f"{member}: {told[0][1].said}", member=member, errors=wrong)


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
