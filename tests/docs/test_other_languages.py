"""The examples of docs/other-languages.md: run as they stand, and with a wrong expectation."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from mockcic import MockCIC
from mockcic.trace.file import read_trace
from tests.docs.test_docs import generate
from tests.support.programs import need

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
WRONG = "✗ payload.text  expected 물"

__all__ = ["generate"]


def run(*command: str | Path, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run an example with the `mockcic` of this Python, and see that it leaves no file behind."""
    scripts = str(Path(sys.executable).parent)
    folder = tmp_path / "tmp"
    folder.mkdir()
    env: Mapping[str, str] = {
        **os.environ,
        "PATH": os.pathsep.join([scripts, os.environ["PATH"]]),
        "TMPDIR": str(folder),
        **environment,
    }
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env=env, timeout=240, check=False
    )
    assert list(folder.iterdir()) == []
    return done


def test_the_page_has_the_examples_as_they_are(generate: ModuleType) -> None:
    page = EXAMPLES.parent / "other-languages.md"
    assert page.read_text() == generate.other_languages_page(), "run: python docs/generate.py"


def test_the_shell_script(tmp_path: Path) -> None:
    need("curl")
    done = run("sh", EXAMPLES / "test-device.sh", tmp_path=tmp_path, TRACE=str(tmp_path / "run.cictrace"), WITHIN="120")
    assert (done.stdout, done.returncode) == ("ok\n", 0), done.stderr
    assert "DeviceControl.TurnOn" in [entry.name for entry in read_trace(tmp_path / "run.cictrace").entries]


def test_the_shell_script_says_why_it_fails(tmp_path: Path) -> None:
    need("curl")
    done = run("sh", EXAMPLES / "test-device.sh", tmp_path=tmp_path, EXPECTED="물", WITHIN="120")
    assert (done.stdout, done.returncode) == ("", 1)
    assert WRONG in done.stderr


def test_node(tmp_path: Path) -> None:
    done = run(need("node"), EXAMPLES / "test-device.mjs", tmp_path=tmp_path, WITHIN="120")
    assert (done.stdout, done.returncode) == ("ok\n", 0), done.stderr


def test_node_says_why_it_fails(tmp_path: Path) -> None:
    done = run(need("node"), EXAMPLES / "test-device.mjs", tmp_path=tmp_path, EXPECTED="물", WITHIN="1")
    assert (done.stdout, done.returncode) == ("", 1)
    assert WRONG in done.stderr


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The C example, compiled without a warning."""
    need("curl-config")
    program = tmp_path / "test-device"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-o", str(program)]
    done = subprocess.run(
        [need("cc"), *flags, str(EXAMPLES / "test-device.c"), "-lcurl"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.parametrize(("expected", "code"), [("SpeechRecognizer.Recognize", 0), ("Clova.Never", 1)])
def test_c(program: Path, tmp_path: Path, expected: str, code: int) -> None:
    with MockCIC(control_port=0) as mock:
        where = (mock.url, str(mock.ca_file), mock.control_url or "", EXAMPLES / "lamp.yaml", expected)
        done = run(program, *where, tmp_path=tmp_path)
    assert (done.stdout, done.returncode) == ("" if code else "ok\n", code), done.stderr
    assert ("✗ name  expected Clova.Never" in done.stderr) is bool(code)
