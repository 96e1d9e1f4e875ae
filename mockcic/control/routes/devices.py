"""Devices: look, change, push, cues, and their tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from mockcic.auth.identity import Identity
from mockcic.control import shapes
from mockcic.control.ask import AskError
from mockcic.control.asked import SCENARIO_BODY, Called, CueName, IsStrict, Name, OfProfile, OneDevice, problems
from mockcic.control.bodies import Unpacked
from mockcic.control.desk import Desk


def devices(desk: Desk, unpacked: Unpacked) -> APIRouter:
    """A device is a `path`: tokens are often base64, which has slashes; what has more behind it stands first."""
    router = APIRouter(tags=["devices"])

    @router.get("/v1/devices", summary="All devices that have been seen", responses=problems())
    async def devices() -> shapes.DeviceList:
        return shapes.DeviceList(devices=desk.devices.all())

    @router.post("/v1/devices", summary="Announce a token before its device comes", responses=problems(400, 415, 422))
    async def announce(asked: shapes.Announcement) -> shapes.Announced:
        return shapes.Announced(device=desk.devices.announce(asked.token))

    @router.get(
        "/v1/devices/{device:path}/cues", summary="What can be made to happen on it", responses=problems(404, 422)
    )
    async def cues(device: Name) -> shapes.CueList:
        return shapes.CueList(cues=desk.devices.cues(device))

    @router.post(
        "/v1/devices/{device:path}/cues/{cue}",
        summary="Make a named cue of its scenario happen",
        responses=problems(400, 404, 409, 415, 422),
    )
    async def play_cue(device: Name, cue: CueName, asked: shapes.CueArgs) -> shapes.DeviceShape:
        return desk.devices.play_cue(device, cue, asked.args)

    @router.post(
        "/v1/devices/{device:path}/transcript",
        summary="Say what is said in its running or next upload",
        responses=problems(400, 404, 415, 422),
    )
    async def transcribe(device: Name, asked: shapes.Transcript) -> shapes.DeviceShape:
        return desk.devices.transcribe(device, asked.text)

    @router.get("/v1/devices/{device:path}", summary="One device", responses=problems(404, 422))
    async def device_of(device: Name) -> shapes.DeviceShape:
        return desk.devices.look(device)

    @router.patch(
        "/v1/devices/{device:path}", summary="Change its state and variables", responses=problems(400, 404, 415, 422)
    )
    async def change(device: Name, asked: shapes.DeviceChange) -> shapes.DeviceShape:
        return desk.devices.change(device, asked)

    @router.post("/v1/devices/{device:path}/reset", summary="Let it begin anew", responses=problems(404, 422))
    async def reset(device: Name) -> shapes.DeviceShape:
        return desk.devices.reset(device)

    @router.post(
        "/v1/devices/{device:path}/claim",
        summary="Make it a test's: nobody else claims it",
        responses=problems(404, 409, 422),
    )
    async def claim(device: Name) -> shapes.Announced:
        if not desk.devices.claim(device):
            raise AskError(409, f"{desk.names.name_of(device)} is somebody's already", member="device")
        return shapes.Announced(device=desk.names.name_of(device))

    @router.post(
        "/v1/devices/{device:path}/release",
        status_code=204,
        summary="Give it back: it begins anew in the set's scenario",
        responses=problems(422),
    )
    async def release(device: Name) -> None:
        desk.devices.release(device)

    @router.post("/v1/devices/{device:path}/expire", summary="End its downchannel", responses=problems(404, 409, 422))
    async def expire(device: Name) -> shapes.DeviceShape:
        return desk.devices.expire(device)

    @router.put(
        "/v1/devices/{device:path}/scenario",
        summary="Give it a scenario of its own: one of the set by `name`, or the one in the body",
        openapi_extra={"requestBody": {**SCENARIO_BODY["requestBody"], "required": False}},
        responses=problems(400, 404, 413, 415, 422),
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
            scenario = desk.scenarios.named(name)
        else:
            kind = request.headers.get("content-type", "")
            loaded = unpacked.read(body, kind, profile=profile, strict=strict, called=called)
            scenario = loaded.scenarios[0]
        return shapes.Announced(device=desk.devices.assign(device, scenario))

    @router.delete(
        "/v1/devices/{device:path}/scenario",
        status_code=204,
        summary="Give it back to the set",
        responses=problems(404, 422),
    )
    async def unassign(device: Name) -> None:
        desk.devices.unassign(device)

    @router.delete("/v1/devices/{device:path}", status_code=204, summary="Forget it", responses=problems(404, 422))
    async def forget(device: Name) -> None:
        desk.devices.forget(device)

    @router.post("/v1/push", summary="Push a directive", responses=problems(400, 404, 415, 422))
    async def push(asked: shapes.Push) -> shapes.Delivery:
        return await desk.pushes.push(asked)

    @router.post("/v1/reset", summary="Let every device begin anew, with an empty journal", responses=problems())
    async def reset_all() -> dict[str, int]:
        return {"devices": desk.reset_all()}

    return router


def tokens(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["tokens"])

    @router.get("/v1/auth/tokens", summary="The access tokens that were issued here", responses=problems(404, 422))
    async def tokens(device: OneDevice = None) -> shapes.TokenList:
        return shapes.TokenList(tokens=desk.tokens.all(device))

    @router.post("/v1/auth/issue", summary="A token pair for a device", responses=problems(400, 415, 422))
    async def issue(asked: shapes.Issue) -> shapes.TokenPair:
        return desk.tokens.issue(Identity(asked.client_id, asked.device_id, asked.model_id))

    @router.post(
        "/v1/auth/expire", summary="Let a device's tokens expire now", responses=problems(400, 404, 409, 415, 422)
    )
    async def expire_token(asked: shapes.TokenOf) -> shapes.TokenList:
        return shapes.TokenList(tokens=desk.tokens.expire(asked.device))

    @router.post("/v1/auth/revoke", summary="Take a device's tokens back", responses=problems(400, 404, 409, 415, 422))
    async def revoke_token(asked: shapes.TokenOf) -> shapes.TokenList:
        return shapes.TokenList(tokens=desk.tokens.revoke(asked.device))

    return router
