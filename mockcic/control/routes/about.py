"""The server itself: health, readiness, version, numbers, its CA."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from mockcic.control import shapes
from mockcic.control.asked import problems
from mockcic.control.desk import Desk

if TYPE_CHECKING:
    from mockcic.server.service import Service


def about(desk: Desk, service: Service | None) -> APIRouter:
    router = APIRouter(tags=["about"], responses=problems())

    @router.get("/healthz", summary="Whether it lives")
    async def healthz() -> shapes.Health:
        return shapes.Health()

    @router.get("/readyz", summary="Whether devices can connect, and where")
    async def readyz() -> shapes.Readiness:
        devices = desk.devices.all()
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
