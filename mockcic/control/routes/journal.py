"""What happened: entries, live ones, traces, sounds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse

from mockcic.control import shapes
from mockcic.control.ask import AskError
from mockcic.control.asked import LONGEST_NUMBER, LONGEST_PAGE, PAGE, FilterQuery, OneDevice, OnlyAfter, problems
from mockcic.control.bodies import ZIP_TYPE
from mockcic.control.desk import Desk
from mockcic.control.live import live
from mockcic.control.problem import Said
from mockcic.journal.filter import read_filter
from mockcic.sound.make import wav
from mockcic.sound.measure import RATE


def journal(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["journal"])

    @router.get(
        "/v1/journal",
        summary="What happened",
        responses={200: {"model": shapes.JournalPage, "description": "What happened."}, **problems(404, 422)},
    )
    async def journal(
        filter: FilterQuery = "",
        after: OnlyAfter = 0,
        device: OneDevice = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="The oldest so many.")] = PAGE,
        newest: Annotated[bool, Query(description="The youngest so many instead.")] = False,
    ) -> Response:
        found = desk.journal.entries(after=after, device=device, asked=read_filter(filter))
        page = {
            "entries": [entry.as_json() for entry in (found[-limit:] if newest else found[:limit])],
            "last": desk.cic.journal.last_number,
            "dropped": desk.cic.journal.dropped,
            "gone": desk.journal.gone(after=after, device=device),
            "began": datetime.fromtimestamp(desk.cic.journal.began_wall_s, tz=UTC).isoformat(),
        }
        return Said(page)  # as it is: 100,000 entries need not be checked against their own shape

    @router.delete("/v1/journal", status_code=204, summary="Forget what happened", responses=problems())
    async def clear() -> None:
        desk.cic.journal.clear()

    @router.get(
        "/v1/journal/live",
        summary="What happens, as server-sent events",
        response_class=StreamingResponse,
        responses={
            200: {
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
                "description": "One event an entry.",
            },
            **problems(404, 422),
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
            else desk.cic.journal.last_number
            if after is None
            else after
        )
        if begin > desk.cic.journal.last_number:  # an entry of a server before this one: all of ours are news
            begin = 0
        asked = read_filter(filter)
        name = None if device is None else desk.devices.awaited(device)
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
            **problems(404, 422),
        },
    )
    async def trace(device: OneDevice = None, after: OnlyAfter = 0) -> Response:
        import io

        from mockcic.trace.file import write_trace

        target = io.BytesIO()
        await asyncio.to_thread(
            write_trace, target, desk.journal.trace(after=after, device=device)
        )  # devices go on meanwhile
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
            **problems(404, 422),
        },
    )
    async def sound(
        sha256: Annotated[str, InPath(pattern="^[0-9a-f]{64}$", description="The digest in an entry.")],
        raw: Annotated[bool, Query(description="The bytes as they are, without a WAV header.")] = False,
    ) -> Response:
        data = desk.cic.journal.spool.get(sha256)
        if data is None:
            raise AskError(
                404, f"there is no sound {sha256}; it was never kept, or went for younger ones", member="sha256"
            )
        uploaded = any(entry.kind == "upload" and entry.data.get("sha256") == sha256 for entry in desk.cic.journal)
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
