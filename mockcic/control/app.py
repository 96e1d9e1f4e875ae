"""The REST API over a desk: each endpoint reads what is asked, asks the desk, and writes what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import Depends, FastAPI

from mockcic.control.bodies import Unpacked
from mockcic.control.desk import Desk
from mockcic.control.guard import guard, say_token
from mockcic.control.problem import answer_problems
from mockcic.control.routes.about import about
from mockcic.control.routes.chaos import chaos
from mockcic.control.routes.clock import clock
from mockcic.control.routes.conformance import conformance
from mockcic.control.routes.devices import devices, tokens
from mockcic.control.routes.faults import faults
from mockcic.control.routes.journal import journal
from mockcic.control.routes.scenarios import scenarios
from mockcic.control.routes.verification import verification
from mockcic.control.whole import Whole

if TYPE_CHECKING:
    from mockcic.server.service import Service


def create_control(desk: Desk, *, token: str | None = None, service: Service | None = None) -> FastAPI:
    """The application. With `token` every request must carry it; without one only requests from this machine are taken.

    `service` says where devices connect; without it (tests of the application alone) that is empty.
    """
    app = FastAPI(
        title="mockcic",
        version=desk.version,
        summary="The control side of a mock CIC: look at devices, change them, ask what happened.",
        description="Errors are problem documents (RFC 9457). Filters, kinds of entries: docs/journal.md.",
        dependencies=[Depends(guard(token))],
        docs_url=None,  # their pages load scripts from elsewhere; a test machine may be offline
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    unpacked = Unpacked()
    app.state.unpacked = unpacked
    app.add_middleware(Whole)
    answer_problems(app)
    app.include_router(about(desk, service))
    app.include_router(devices(desk, unpacked))
    app.include_router(tokens(desk))
    app.include_router(clock(desk))
    app.include_router(chaos(desk))
    app.include_router(scenarios(desk, unpacked))
    app.include_router(faults(desk))
    app.include_router(journal(desk))
    app.include_router(verification(desk))
    app.include_router(conformance(desk))
    if token is not None:
        say_token(app)
    _say_once(app, (desk.version, token is not None))
    return app


_DOCUMENTS: Final[dict[tuple[str, bool], dict[str, Any]]] = {}
"""What the API says of itself, by version and by whether a token is needed: the same for every server of a process."""


def _say_once(app: FastAPI, key: tuple[str, bool]) -> None:
    """The document takes a third of a second to make; a process of many servers (tests) makes it once."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if key not in _DOCUMENTS:
            _DOCUMENTS[key] = made()
        return _DOCUMENTS[key]

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to change the document


__all__ = ["create_control"]
