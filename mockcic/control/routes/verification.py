"""Was it right: verifications of what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request

from mockcic.control import shapes
from mockcic.control.ask import AskError
from mockcic.control.asked import BROKEN, CANNOT_SAY, problems
from mockcic.control.desk import Desk
from mockcic.journal.filter import Filter, FilterError, read_filter
from mockcic.verdict.text import verdict_text
from mockcic.verdict.times import Times, read_times
from mockcic.verdict.verdict import Verdict


def verification(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["verification"], responses=problems(400, 404, 409, 410, 415, 422))

    @router.post("/v1/verify", summary="How often something came")
    async def verify(asked: shapes.Verify) -> shapes.VerdictShape:
        return say_verdict(
            desk.verdicts.verify(read_filter(asked.filter), _times(asked.times), after=asked.after, device=asked.device)
        )

    @router.post("/v1/wait", summary="Wait until something came so often")
    async def wait(asked: shapes.Wait, request: Request) -> shapes.VerdictShape:
        return await _while_asked(
            request,
            desk.verdicts.wait(
                read_filter(asked.filter),
                _times(asked.times),
                within_s=asked.within,
                after=asked.after,
                device=asked.device,
            ),
        )

    @router.post("/v1/verify/never", summary="Look on whether something stays away")
    async def never(asked: shapes.Never, request: Request) -> shapes.VerdictShape:
        return await _while_asked(
            request,
            desk.verdicts.never(read_filter(asked.filter), for_s=asked.for_, after=asked.after, device=asked.device),
        )

    @router.post("/v1/verify/order", summary="Whether things came one after another")
    async def order(asked: shapes.Order) -> shapes.VerdictShape:
        filters: list[Filter] = []
        for number, each in enumerate(asked.filters):
            try:
                filters.append(read_filter(each))
            except FilterError as error:
                raise AskError(422, str(error), member=f"filters.{number}") from None
        return say_verdict(desk.verdicts.verify_order(filters, after=asked.after, device=asked.device))

    @router.post("/v1/verify/no-unmatched", summary="Whether every event found a rule")
    async def no_unmatched(asked: Annotated[shapes.Scope, Body(default_factory=shapes.Scope)]) -> shapes.VerdictShape:
        return say_verdict(desk.verdicts.no_unmatched(after=asked.after, device=asked.device))

    @router.post("/v1/verify/no-findings", summary="Whether no device departed from the documents")
    async def no_findings(
        asked: Annotated[shapes.Findings, Body(default_factory=shapes.Findings)],
    ) -> shapes.VerdictShape:
        return say_verdict(desk.verdicts.no_findings(after=asked.after, device=asked.device, allow=asked.allow))

    @router.post("/v1/verify/all-rules-used", summary="Whether every rule answered at least once")
    async def all_rules_used(
        asked: Annotated[shapes.RulesUsed, Body(default_factory=shapes.RulesUsed)],
    ) -> shapes.VerdictShape:
        return say_verdict(
            desk.verdicts.all_rules_used(scenario=asked.scenario, after=asked.after, device=asked.device)
        )

    return router


def _times(asked: shapes.TimesText) -> Times:
    try:
        return read_times(asked)
    except ValueError as error:
        raise AskError(422, f"times: {error}", member="times") from None


async def _while_asked(request: Request, judging: Coroutine[Any, Any, Verdict]) -> shapes.VerdictShape:
    """What comes of a wait; a client that goes away ends it, and nothing is said of it."""

    async def judge() -> Verdict | AskError:
        try:
            return await judging
        except AskError as error:  # as a value: a group of tasks would wrap it
            return error

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    async with asyncio.TaskGroup() as tasks:
        work, watch = tasks.create_task(judge()), tasks.create_task(gone())
        await asyncio.wait((work, watch), return_when=asyncio.FIRST_COMPLETED)
        ended = work.done()
        work.cancel()
        watch.cancel()
    if not ended:
        raise AskError(409, "the client has gone")
    verdict = work.result()
    if isinstance(verdict, AskError):
        raise verdict
    return say_verdict(verdict)


def say_verdict(verdict: Verdict, more: str = "") -> shapes.VerdictShape:
    """The verdict; as a problem where it is not kept, so that a client that looks at the status only fails too.

    `more` is text for people that the verdict itself does not have.
    """
    said = {**verdict.as_json(), "text": f"{verdict_text(verdict)}\n{more}".strip()}
    if verdict.status != "kept":
        status = BROKEN if verdict.status == "broken" else CANNOT_SAY
        raise AskError(status, said["text"], verdict=said)
    return shapes.VerdictShape(**said)
