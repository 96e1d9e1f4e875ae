"""Commands that ask a running server, run in the test's own thread."""

from __future__ import annotations

from collections.abc import Callable

from click.testing import CliRunner, Result

from mockcic import MockCIC
from mockcic.cli import group

Run = Callable[..., Result]
"""Words of the command, and the exit `code` that is expected: 0 without it."""


def commands_on(mock: MockCIC, *before: str) -> Run:
    """Runs `mockcic BEFORE... WORDS... --control URL` on this server."""

    def run(*words: str, code: int = 0) -> Result:
        assert mock.control_url is not None
        result = CliRunner().invoke(group, [*before, *words, "--control", mock.control_url])
        assert result.exit_code == code, result.output
        return result

    return run
