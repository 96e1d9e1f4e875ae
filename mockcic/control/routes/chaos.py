"""Chaos: the faults of a day, from a file."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from mockcic.control import shapes
from mockcic.control.ask import AskError
from mockcic.control.asked import problems
from mockcic.control.bodies import FORM_TYPE, JSON_TYPE, YAML_TYPES
from mockcic.control.desk import Desk

LIMIT_BYTES: Final = 1024 * 1024
"""Of a chaos file (INF)."""

BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A chaos file (docs/chaos.md): YAML, or the same as JSON.",
        "content": {YAML_TYPES[0]: {"schema": {"type": "string"}}, JSON_TYPE: {"schema": {"type": "object"}}},
    }
}


def chaos(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["faults"])

    @router.get("/v1/chaos", summary="The chaos that plays, with its plan", responses=problems(404))
    async def chaos() -> shapes.ChaosShape:
        return desk.chaos.look()

    @router.post(
        "/v1/chaos",
        summary="Play a chaos file from its beginning",
        openapi_extra=BODY,
        responses=problems(400, 409, 413, 415, 422),
    )
    async def play(
        request: Request,
        called: Annotated[str | None, Query(max_length=1000, description="What messages call the file.")] = None,
    ) -> shapes.ChaosShape:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (*YAML_TYPES, JSON_TYPE, FORM_TYPE, ""):
            expected = ", ".join((*YAML_TYPES, JSON_TYPE))
            raise AskError(415, f"content-type {kind}; expected one of {expected}", member="content-type")
        body = await request.body()
        if len(body) > LIMIT_BYTES:
            raise AskError(413, f"a body of {len(body)} bytes; expected at most {LIMIT_BYTES}")
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise AskError(400, f"the body is not UTF-8: {error}") from None
        return await desk.chaos.play(text, called or "<body>")

    @router.delete("/v1/chaos", summary="Stop it: its faults are gone", responses=problems(409))
    async def stop() -> shapes.ChaosShape:
        return desk.chaos.stop()

    return router
