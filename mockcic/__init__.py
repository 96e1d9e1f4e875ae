"""A mock CIC server for testing voice devices: script it in YAML, talk to it over HTTP/2."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockcic.bench import Bench, TestDevice
    from mockcic.control.ask import AskError
    from mockcic.errors import FaultError, ScenarioError, StartError
    from mockcic.journal.entry import Entry
    from mockcic.mock import MockCIC
    from mockcic.verdict.verdict import Verdict, VerificationError

__all__ = [
    "AskError",
    "Bench",
    "Entry",
    "FaultError",
    "MockCIC",
    "ScenarioError",
    "StartError",
    "TestDevice",
    "Verdict",
    "VerificationError",
    "__version__",
]
__version__ = "0.1.0"

_PLACES = {
    "AskError": "mockcic.control.ask",
    "Bench": "mockcic.bench",
    "Entry": "mockcic.journal.entry",
    "MockCIC": "mockcic.mock",
    "FaultError": "mockcic.errors",
    "ScenarioError": "mockcic.errors",
    "StartError": "mockcic.errors",
    "TestDevice": "mockcic.bench",
    "Verdict": "mockcic.verdict.verdict",
    "VerificationError": "mockcic.verdict.verdict",
}


def __getattr__(name: str) -> object:
    """Import what is asked for on first use, so that the command line does not pay for what it does not run."""
    if name in _PLACES:
        from importlib import import_module

        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
