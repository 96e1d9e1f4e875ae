"""The server's clock: what it shows, how it is turned and how fast it goes."""

from __future__ import annotations

from fastapi import APIRouter

from mockcic.control import shapes
from mockcic.control.asked import problems
from mockcic.control.desk import Desk


def clock(desk: Desk) -> APIRouter:
    """Waiting and looking on (`within`, `for`) go by real time all the same."""
    router = APIRouter(tags=["clock"])

    @router.get("/v1/clock", summary="What the server's clock shows, and how it goes", responses=problems())
    async def clock() -> shapes.ClockShape:
        return desk.clock.look()

    @router.patch("/v1/clock", summary="Let it go faster or slower", responses=problems(400, 415, 422))
    async def set_factor(asked: shapes.Factor) -> shapes.ClockShape:
        return desk.clock.set_factor(asked.factor)

    @router.post("/v1/clock/advance", summary="Turn it forward", responses=problems(400, 415, 422))
    async def advance(asked: shapes.Advance) -> shapes.ClockTurned:
        return await desk.clock.advance(by=asked.by, to=asked.to)

    @router.post("/v1/clock/reset", summary="Let it show real time again", responses=problems())
    async def put_right() -> shapes.ClockShape:
        return desk.clock.put_right()

    return router
