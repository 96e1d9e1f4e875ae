"""Scenarios: list, load, remove."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from mockcic.control import shapes
from mockcic.control.asked import SCENARIO_BODY, Called, IsStrict, OfProfile, ScenarioName, problems
from mockcic.control.bodies import Unpacked
from mockcic.control.desk import Desk
from mockcic.control.problem import shape_of


def scenarios(desk: Desk, unpacked: Unpacked) -> APIRouter:
    router = APIRouter(tags=["scenarios"])

    @router.get("/v1/scenarios", summary="The set", responses=problems())
    async def scenarios() -> shapes.ScenarioList:
        return shapes.ScenarioList(scenarios=desk.scenarios.all())

    @router.post(
        "/v1/scenarios",
        summary="Load one more; it replaces one of its name",
        openapi_extra=SCENARIO_BODY,
        responses=problems(400, 413, 415, 422),
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
            desk.scenarios.load(loaded, default=default)
        warnings = [shapes.ProblemShape(**shape_of(each)) for each in loaded.warnings]
        return shapes.Loaded(scenarios=[each.scenario for each in loaded.scenarios], warnings=warnings)

    @router.post("/v1/scenarios/reload", summary="Read the files again", responses=problems(409, 422))
    async def reload() -> shapes.ScenarioList:
        desk.scenarios.reload()
        return shapes.ScenarioList(scenarios=desk.scenarios.all())

    @router.get("/v1/scenarios/{scenario}", summary="One of the set", responses=problems(404, 422))
    async def scenario_of(scenario: ScenarioName) -> shapes.ScenarioShape:
        return desk.scenarios.look(scenario)

    @router.delete(
        "/v1/scenarios/{scenario}", status_code=204, summary="Take a loaded one out", responses=problems(404, 409, 422)
    )
    async def remove(scenario: ScenarioName) -> None:
        desk.scenarios.remove(scenario)

    return router
