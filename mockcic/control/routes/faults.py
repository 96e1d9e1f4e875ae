"""Faults: what goes wrong on purpose."""

from __future__ import annotations

from fastapi import APIRouter

from mockcic.control import shapes
from mockcic.control.asked import FaultNumber, OneDevice, problems
from mockcic.control.desk import Desk


def faults(desk: Desk) -> APIRouter:
    """They are numbered; a number is never used again."""
    router = APIRouter(tags=["faults"])

    @router.get("/v1/faults", summary="The faults that are set", responses=problems(422))
    async def faults(device: OneDevice = None) -> shapes.FaultList:
        return shapes.FaultList(faults=desk.faults.all(device))

    @router.post("/v1/faults", summary="Set a fault", status_code=201, responses=problems(400, 415, 422))
    async def set_fault(asked: shapes.FaultOrder) -> shapes.FaultShape:
        return desk.faults.set(asked)

    @router.delete("/v1/faults", summary="Remove all faults", responses=problems())
    async def clear_faults() -> dict[str, int]:
        return {"removed": desk.faults.clear()}

    @router.delete("/v1/faults/{number}", status_code=204, summary="Remove a fault", responses=problems(404, 422))
    async def remove_fault(number: FaultNumber) -> None:
        desk.faults.remove(number)

    return router
