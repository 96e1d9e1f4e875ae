"""Faults: what goes wrong on purpose."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body

from mockcic.control import shapes
from mockcic.control.asked import FaultNumber, OneDevice, problems
from mockcic.control.desk import Desk

EXAMPLES: Final[dict[str, Any]] = {
    "cut-answer": {
        "summary": "The next two answers to spoken questions break off behind the 120th byte",
        "value": {
            "device": "4f2a",
            "fault": {
                "name": "cut-answer",
                "reset": "CANCEL",
                "event": "SpeechRecognizer.*",
                "after": {"sent": 120},
                "times": 2,
            },
        },
    },
    "silent-line": {
        "summary": "The connection of each downchannel dies without a word, for two minutes",
        "value": {"fault": {"cut": {"how": "silent", "lasts": "2m"}, "on": "downchannel"}},
    },
    "going-away": {
        "summary": "GOAWAY in the middle of an upload, which was not worked on",
        "value": {
            "device": "4f2a",
            "fault": {"goaway": {"last_stream": "before", "close": "fin"}, "on": "answer", "after": {"audio": "1s"}},
        },
    },
    "busy": {
        "summary": "Every third event or so is refused with 429, until the fault is removed",
        "value": {"fault": {"status": {"code": 429, "retry_after": 5}, "chance": 0.33, "seed": 7}, "always": True},
    },
    "hourly": {
        "summary": "Every connection is ended once an hour",
        "value": {"fault": {"hang_up": "goaway", "every": "1h"}},
    },
}


def faults(desk: Desk) -> APIRouter:
    """They are numbered; a number is never used again."""
    router = APIRouter(tags=["faults"])

    @router.get("/v1/faults", summary="The faults that are set", responses=problems(422))
    async def faults(device: OneDevice = None) -> shapes.FaultList:
        return shapes.FaultList(faults=desk.faults.all(device))

    @router.post("/v1/faults", summary="Set a fault", status_code=201, responses=problems(400, 409, 415, 422))
    async def set_fault(
        asked: Annotated[shapes.FaultOrder, Body(openapi_examples=EXAMPLES)],
    ) -> shapes.FaultShape:
        return desk.faults.set(asked)

    @router.delete("/v1/faults", summary="Remove all faults", responses=problems())
    async def clear_faults() -> dict[str, int]:
        return {"removed": desk.faults.clear()}

    @router.delete("/v1/faults/{number}", status_code=204, summary="Remove a fault", responses=problems(404, 422))
    async def remove_fault(number: FaultNumber) -> None:
        desk.faults.remove(number)

    return router
