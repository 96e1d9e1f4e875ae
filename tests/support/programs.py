"""Programs that tests drive beside Python clients; .ci/programs installs them."""

from __future__ import annotations

import os
import shutil

import pytest


def need(program: str) -> str:
    """The program's path. Where it is not installed the test is skipped, but in CI it fails."""
    path = shutil.which(program)
    if path is not None:
        return path
    if os.environ.get("CI"):
        pytest.fail(f"{program} is not installed; .ci/programs should have done it")
    pytest.skip(f"{program} is not installed")
