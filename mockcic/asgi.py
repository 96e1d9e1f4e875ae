"""The ASGI application for a stock server: `hypercorn mockcic.asgi:app`.

The environment chooses the scenarios: MOCKCIC_SCENARIOS is a list of files and folders, separated as PATH is.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mockcic.errors import Problem, ScenarioError
from mockcic.scenario.load import builtin, load
from mockcic.scenario.walk import faults_of
from mockcic.server.app import Cic
from mockcic.server.exchange import Send
from mockcic.server.request import Receive, Scope

if TYPE_CHECKING:
    from mockcic.scenario.scenario_set import ScenarioSet

LOST: Final = (
    "mockcic runs under a stock ASGI server. Lost there: HTTP/2 PING frames in the journal; the reset of an upload that"
    " does not stop; with stock Hypercorn also early answers (an answer before the end of the upload closes the"
    " connection), back-pressure, requests without :authority and Host, more than 1,000 requests on a connection, and a"
    " clean stop with open downchannels. `mockcic serve` has all of them."
)


def create_app(scenarios: ScenarioSet | Sequence[str | Path] | None = None) -> Cic:
    """The application with these scenarios, files or folders; without any, the built-in one.

    Raises `ScenarioError`. It is for servers other than ours: when it starts it says what is lost there.
    """
    if scenarios is None:
        chosen = builtin()
    elif isinstance(scenarios, Sequence):
        chosen = load([Path(path) for path in scenarios])
    else:
        chosen = scenarios
    _refuse_faults(chosen)
    return Cic(chosen, on_start=lambda: logging.getLogger("mockcic").warning(LOST))


def _refuse_faults(scenarios: ScenarioSet) -> None:
    """Faults below ASGI are an error here and now, not a surprise when they should strike. Raises `ScenarioError`."""
    problems = [
        Problem(
            scenario.path or scenario.scenario,
            0,
            0,
            f"{'.'.join(map(str, placed.loc))}: the fault {placed.fault.kind} acts below ASGI",
            "a fault that any ASGI server can carry out, such as pace, status or json",
            "`mockcic serve` has all of them",
        )
        for scenario in scenarios.scenarios
        for placed in faults_of(scenario)
        if placed.fault.act.NEEDS_WIRE
    ]
    if problems:
        raise ScenarioError(problems)


class FromEnvironment:
    """The application with the scenarios of MOCKCIC_SCENARIOS, made when the server first calls it."""

    def __init__(self) -> None:
        self._made: Cic | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI scope."""
        if self._made is None:
            paths = [path for path in os.environ.get("MOCKCIC_SCENARIOS", "").split(os.pathsep) if path]
            self._made = create_app(paths or None)
        await self._made(scope, receive, send)


app: Final = FromEnvironment()
