"""`mockcic ca`: where the certificate authority is."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mockcic import cli


def printed(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    with pytest.raises(SystemExit) as exited:
        cli.main(["ca", *args])
    assert exited.value.code == 0
    return capsys.readouterr().out


def test_the_ca_is_made_when_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So that a device can be prepared before the first start of the server; the key is nobody else's."""
    folder = tmp_path / "home"
    assert printed(capsys, "--home", str(folder)) == f"{folder / 'ca.pem'}\n"
    assert (folder / "ca.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert stat.S_IMODE((folder / "ca-key.pem").stat().st_mode) == 0o600


def test_the_ca_stays_the_same_until_it_is_renewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Devices keep what they were given once."""
    home = ("--home", str(tmp_path))
    first = printed(capsys, *home, "--print")
    assert first == (tmp_path / "ca.pem").read_text()
    assert printed(capsys, *home, "--print") == first
    assert printed(capsys, *home, "--print", "--renew") != first


def test_the_folder_is_that_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """$MOCKCIC_HOME, as for `mockcic serve`."""
    monkeypatch.setenv("MOCKCIC_HOME", str(tmp_path))
    assert printed(capsys) == f"{tmp_path / 'ca.pem'}\n"
