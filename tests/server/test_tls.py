"""TLS: a CA made once and kept, a certificate for the names asked for, clear sentences for what cannot be used."""

from __future__ import annotations

import multiprocessing
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trustme

from mockcic.errors import StartError
from mockcic.server.service import LOCAL_NAMES
from mockcic.server.tls import Authority, home, own_context


def shake_hands(server: ssl.SSLContext, ca_file: Path, name: str, alpn: list[str] | None = None) -> str | None:
    """A handshake over a pair of sockets; the protocol that ALPN chose."""
    client = ssl.create_default_context(cafile=str(ca_file))
    if alpn:
        client.set_alpn_protocols(alpn)
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def serve() -> None:
            try:
                with server.wrap_socket(theirs, server_side=True) as line:
                    line.recv(1)
            except OSError:
                pass  # the client's complaint is what is looked at

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with client.wrap_socket(ours, server_hostname=name) as line:
                return line.selected_alpn_protocol()
        finally:
            ours.close()
            thread.join()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "prod-ni-cic.clova.ai", "speaker.test"])
def test_the_certificate_is_good_for_each_of_its_names(tmp_path: Path, name: str) -> None:
    """DEVICES C4."""
    authority = Authority.open(tmp_path)
    context = authority.server_context((*LOCAL_NAMES, "speaker.test"))
    assert shake_hands(context, authority.ca_file, name, ["h2"]) == "h2"


def test_another_name_is_not_in_it(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(authority.server_context(LOCAL_NAMES), authority.ca_file, "elsewhere.test")


@pytest.mark.parametrize("alpn", [None, ["http/1.1"]])
def test_a_client_without_h2_in_alpn_is_let_in_and_judged_by_what_it_says(
    tmp_path: Path, alpn: list[str] | None
) -> None:
    """DEVICES C2."""
    authority = Authority.open(tmp_path)
    assert shake_hands(authority.server_context(LOCAL_NAMES), authority.ca_file, "localhost", alpn) is None


def test_the_ca_is_made_once_and_its_key_is_nobody_elses(tmp_path: Path) -> None:
    first = Authority.open(tmp_path / "home").ca_file.read_bytes()
    assert Authority.open(tmp_path / "home").ca_file.read_bytes() == first
    assert (tmp_path / "home" / "ca-key.pem").stat().st_mode & 0o077 == 0


def test_a_renewed_ca_brings_a_new_certificate(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    authority.server_context(LOCAL_NAMES)
    old = tmp_path / "old.pem"
    old.write_bytes(authority.ca_file.read_bytes())
    authority.renew()
    context = authority.server_context(LOCAL_NAMES)
    shake_hands(context, authority.ca_file, "localhost")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context, old, "localhost")


def test_the_certificate_is_made_anew_only_when_its_names_change(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    authority.server_context(("localhost",))
    first = (tmp_path / "server.pem").read_bytes()
    authority.server_context(("localhost",))
    assert (tmp_path / "server.pem").read_bytes() == first
    authority.server_context(("localhost", "more.test"))
    assert (tmp_path / "server.pem").read_bytes() != first


def _ca_of(folder: Path) -> bytes:
    return Authority.open(folder).ca_file.read_bytes()


def test_two_that_start_at_once_end_up_with_one_ca(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert len(set(pool.map(_ca_of, [tmp_path / "home"] * 6))) == 1


def test_reading_what_is_there_does_not_import_what_makes_it(tmp_path: Path) -> None:
    """Start-up: cryptography alone takes 70 ms."""
    Authority.open(tmp_path).server_context(LOCAL_NAMES)
    program = (
        "import sys; from pathlib import Path; from mockcic.server.tls import Authority;"
        f"Authority.open(Path({str(tmp_path)!r})).server_context({LOCAL_NAMES!r});"
        "sys.exit('cryptography' in sys.modules or 'trustme' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_openssl_finds_nothing_to_complain_about(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    authority.server_context(LOCAL_NAMES)
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(authority.ca_file)]
    done = subprocess.run([*command, str(tmp_path / "server.pem")], capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("OK"), done.stderr


def test_the_users_own_certificate_is_used(tmp_path: Path) -> None:
    ca = trustme.CA()
    leaf = ca.issue_cert("own.test")
    ca.cert_pem.write_to_path(str(tmp_path / "own-ca.pem"))
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "own.pem"))
    leaf.private_key_pem.write_to_path(str(tmp_path / "own.key"))
    context = own_context(tmp_path / "own.pem", tmp_path / "own.key")
    shake_hands(context, tmp_path / "own-ca.pem", "own.test")


@pytest.mark.parametrize("what", ["missing", "rubbish", "mismatch", "folder"])
def test_what_cannot_be_used_is_one_sentence_with_its_path(tmp_path: Path, what: str) -> None:
    one, other = trustme.CA().issue_cert("a.test"), trustme.CA().issue_cert("a.test")
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    one.cert_chain_pems[0].write_to_path(str(certificate))
    (other if what == "mismatch" else one).private_key_pem.write_to_path(str(key))
    if what == "missing":
        key.unlink()
    elif what == "rubbish":
        certificate.write_text("no certificate")
    elif what == "folder":
        key.unlink()
        key.mkdir()
    with pytest.raises(StartError) as caught:
        own_context(certificate, key)
    assert str(key if what in ("missing", "folder") else certificate) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="--home or MOCKCIC_HOME"):
        Authority.open(tmp_path / "file" / "home")


def test_a_broken_ca_says_how_to_mend_it(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    (tmp_path / "ca-key.pem").write_text("rubbish")
    with pytest.raises(StartError, match="mockcic ca --renew"):
        authority.server_context(LOCAL_NAMES)


def test_a_certificate_and_a_key_of_two_cas_are_noticed(tmp_path: Path) -> None:
    one, other = Authority.open(tmp_path / "one"), Authority.open(tmp_path / "other")
    (tmp_path / "one" / "ca-key.pem").write_bytes((tmp_path / "other" / "ca-key.pem").read_bytes())
    with pytest.raises(StartError, match="do not belong together"):
        one.server_context(LOCAL_NAMES)
    shake_hands(other.server_context(LOCAL_NAMES), other.ca_file, "localhost")


def test_a_ca_that_has_lost_its_key_stays_the_one_that_devices_trust(tmp_path: Path) -> None:
    """What was issued goes on; what would need the key says so. Only `renew` replaces a CA."""
    authority = Authority.open(tmp_path)
    authority.server_context(LOCAL_NAMES)
    given_to_devices = authority.ca_file.read_bytes()
    (tmp_path / "ca-key.pem").unlink()
    again = Authority.open(tmp_path)
    assert again.ca_file.read_bytes() == given_to_devices
    shake_hands(again.server_context(LOCAL_NAMES), again.ca_file, "localhost")
    with pytest.raises(StartError, match=r"lost its key ca-key\.pem.*mockcic ca --renew"):
        again.server_context(("more.test",))
    again.renew()
    shake_hands(again.server_context(LOCAL_NAMES), again.ca_file, "localhost")


def test_a_key_that_may_not_be_read_is_not_called_broken(tmp_path: Path) -> None:
    """A folder stands in for what another user owns: root may read every file."""
    authority = Authority.open(tmp_path)
    (tmp_path / "ca-key.pem").unlink()
    (tmp_path / "ca-key.pem").mkdir()
    with pytest.raises(StartError, match=r"cannot read .*ca-key\.pem.*--home or MOCKCIC_HOME"):
        authority.server_context(LOCAL_NAMES)


def test_a_folder_that_may_not_be_entered_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may enter every folder, so the system's refusal is put in its place."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(StartError, match=r"cannot write .*Permission denied.*--home or MOCKCIC_HOME"):
        Authority.open(tmp_path)


def test_a_user_without_a_home_folder_is_told_to_choose_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers may run under a number that no user has."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("MOCKCIC_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(StartError, match="--home or MOCKCIC_HOME"):
        home()


def test_a_spoilt_server_certificate_is_made_anew(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    authority.server_context(LOCAL_NAMES)
    (tmp_path / "server.pem").write_text("spoilt")
    shake_hands(authority.server_context(LOCAL_NAMES), authority.ca_file, "localhost")


def test_the_folder_of_the_ca_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOCKCIC_HOME", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.delenv("MOCKCIC_HOME")
    assert home() == Path.home() / ".mockcic"
