"""Builders for the simulated device's tests: directives as they come, and the steps of a reaction without a device."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mockcic.cic.message import Directive
from mockcic.simulator.inbox import Received
from mockcic.simulator.reactions import REACTIONS, Begin, Cut, Script, Step, Wait
from mockcic.simulator.state import State

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FOREVER = Wait(None, idle=True)


def came(
    name: str,
    payload: Mapping[str, Any] | None = None,
    *,
    dialogue: str | None = None,
    attachments: Mapping[str, bytes] | None = None,
) -> Received:
    """A directive that came."""
    namespace, _, short = name.partition(".")
    return Received(Directive(namespace, short, "m1", payload or {}, dialogue), attachments or {})


def react(state: State, name: str, payload: Mapping[str, Any] | None = None, **how: Any) -> list[Step]:
    """All steps of the reaction to a directive, scripts it begins included, until one waits for the world."""
    script = REACTIONS[name](state, came(name, payload, **how), NOON)
    return walk(script)


def walk(script: Script) -> list[Step]:
    """All steps of a script, those of scripts it begins in place of `Begin`; it is left where it waits for ever."""
    steps: list[Step] = []
    for step in script:
        if isinstance(step, Begin):
            steps += walk(step.script)
        else:
            steps.append(step)
            if step == FOREVER:
                break
    return steps


def begun(state: State, name: str, payload: Mapping[str, Any] | None = None) -> Script:
    """The script that a reaction begins on another track."""
    steps = list(REACTIONS[name](state, came(name, payload), NOON))
    return next(step.script for step in steps if isinstance(step, Begin))


def until_wait(script: Script, signal: Cut | None = None) -> list[Step]:
    """The steps up to the next wait, itself included, after the last wait was cut short by `signal`."""
    steps: list[Step] = []
    try:
        step = next(script) if signal is None else script.throw(signal)
        while True:
            steps.append(step)
            if isinstance(step, Wait):
                break
            step = next(script)
    except StopIteration:
        pass
    return steps
