"""A mock CIC server for testing voice devices: script it in YAML, talk to it over HTTP/2."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockcic.mock import MockCIC

__all__ = ["MockCIC", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import `MockCIC` on first use, so that the command line does not pay for what it does not run."""
    if name == "MockCIC":
        from mockcic.mock import MockCIC

        return MockCIC
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
