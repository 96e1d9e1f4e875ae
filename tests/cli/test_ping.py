"""`mockcic ping`: the healthcheck."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockcic import MockCIC, cli
from mockcic.cli.ping import ping


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockCIC]:
    with MockCIC(home=tmp_path_factory.mktemp("home")) as running:
        yield running


def exit_code(*args: str) -> int:
    with pytest.raises(SystemExit) as exited:
        cli.main(["ping", "--timeout", "60", *args])  # the last one counts
    code = exited.value.code
    assert isinstance(code, int)
    return code


def test_a_server_that_is_up_is_no_trouble(mock: MockCIC, capsys: pytest.CaptureFixture[str]) -> None:
    """GET /ping, 204 (PROTOCOL 1.4)."""
    assert exit_code(mock.url, "--ca", str(mock.ca_file)) == 0
    assert capsys.readouterr().out == f"{mock.url} is up\n"


def test_clear_text_is_spoken_without_asking(mock: MockCIC) -> None:
    """HTTP/2 with prior knowledge (RFC 9113 3.3)."""
    assert mock.h2c_url is not None
    assert ping(mock.h2c_url, None, "t", 60.0) == ""


def test_the_own_ca_is_found_at_home(mock: MockCIC, monkeypatch: pytest.MonkeyPatch) -> None:
    """$MOCKCIC_HOME/ca.pem is where `mockcic serve` puts it."""
    monkeypatch.setenv("MOCKCIC_HOME", str(mock.ca_file.parent))
    assert exit_code(mock.url) == 0


def test_a_certificate_of_a_stranger_is_not_trusted(
    mock: MockCIC, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A healthcheck that trusted anybody would say nothing about the certificate."""
    monkeypatch.setenv("MOCKCIC_HOME", str(tmp_path))
    assert exit_code(mock.url) == 1
    said = capsys.readouterr().err
    assert "is not trusted" in said
    assert "--ca" in said
    assert said.count("\n") == 1


def test_a_server_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, never listening: nobody can answer there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert exit_code(url) == 1
    assert capsys.readouterr().err == f"mockcic: {url} cannot be reached: Connection refused\n"


def test_a_server_that_is_silent_is_not_waited_for_for_ever(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert exit_code(url, "--timeout", "0.05") == 1
    assert capsys.readouterr().err == f"mockcic: {url} did not answer within 0.05 s\n"


def test_a_ca_file_that_cannot_be_read_is_the_operators(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2: the server was not even asked."""
    assert exit_code("--ca", str(tmp_path / "none.pem")) == 2
    assert "cannot read the CA certificate" in capsys.readouterr().err


def test_what_is_no_address_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("localhost:8443") == 1
    assert "write https://HOST:PORT" in capsys.readouterr().err
