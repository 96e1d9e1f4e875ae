"""Whether devices keep the guide."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Body, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from mockcic.control import shapes
from mockcic.control.ask import AskError
from mockcic.control.asked import (
    OfProfile,
    OneDevice,
    OnlyAfter,
    problems,
)
from mockcic.control.bodies import JSON_TYPE
from mockcic.control.desk import Desk
from mockcic.control.routes.verification import say_verdict
from mockcic.journal.entry import Entry
from mockcic.scenario.settings import Profile

if TYPE_CHECKING:
    from mockcic.verdict.conformance import Conformance, Limits

OfLimits = Annotated[Sequence[str], Query(description="NAME=VALUE of a rule's limit.")]


def conformance(desk: Desk) -> APIRouter:
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
            **problems(404, 422),
        },
    )
    async def look(
        device: OneDevice = None,
        after: OnlyAfter = 0,
        allow: Annotated[Sequence[str], Query(description="Ids of rules that are not judged.")] = (),
        limit: OfLimits = (),
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
            seconds=desk.cic.journal.age_s,
            dropped=desk.cic.journal.dropped,
        )
        report = ConformanceReport((judged,), strict=strict)
        if as_ == "html":
            return Response(await asyncio.to_thread(conformance_html, report), media_type="text/html")
        if as_ == "junit":
            return Response(conformance_junit(report), media_type="application/xml")
        lines = conformance_lines(report, every=True, style=lambda text, **_: text)
        return PlainTextResponse("\n".join(lines) + "\n")

    @router.get(
        "/v1/recoveries",
        summary="What devices made of each trouble until now, in numbers",
        responses=problems(404, 422),
    )
    async def recovered(
        device: OneDevice = None,
        after: OnlyAfter = 0,
        limit: OfLimits = (),
    ) -> shapes.RecoveryPage:
        numbers = _limits(dict(each.partition("=")[::2] for each in limit))
        found = await desk.verdicts.recoveries(after=after, device=device, limits=numbers)
        return shapes.RecoveryPage.model_validate({"recoveries": [each.as_json() for each in found]})

    @router.post(
        "/v1/verify/conformance",
        summary="Whether devices keep every rule of the guide",
        responses=problems(400, 404, 409, 410, 415, 422),
    )
    async def verify(
        asked: Annotated[shapes.Conform, Body(default_factory=shapes.Conform)],
    ) -> shapes.VerdictShape:
        judged, _ = await _judge(desk, asked.device, asked.after, asked.allow, asked.limits, asked.profile)
        verdict = desk.verdicts.write(judged.verdict(warnings=asked.strict), asked.device)
        return say_verdict(verdict, judged.text())

    return router


def _limits(values: Mapping[str, float | str]) -> Limits:
    from mockcic.verdict.conformance import LimitError, read_limits

    try:
        return read_limits(values)
    except LimitError as error:
        raise AskError(422, str(error), member="limits") from None


async def _judge(
    desk: Desk,
    device: str | None,
    after: int,
    allow: Sequence[str],
    limits: Mapping[str, float | str],
    profile: Profile | None,
) -> tuple[Conformance, list[Entry]]:
    from mockcic.verdict.conformance import LimitError, rules_but

    numbers = _limits(limits)
    try:
        rules = rules_but(allow)
    except LimitError as error:
        raise AskError(422, str(error), member="allow") from None
    return await desk.verdicts.conformance(after=after, device=device, limits=numbers, rules=rules, profile=profile)
