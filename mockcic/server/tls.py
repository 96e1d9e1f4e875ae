"""TLS with a certificate authority of its own, made once and kept; or the user's own certificate.

trustme makes the certificates. It is imported only when one has to be made: reading those that are there is what almost
every start does, and costs a millisecond.
"""

from __future__ import annotations

import hashlib
import json
import os
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from mockcic.errors import StartError

if TYPE_CHECKING:
    import trustme

CA_FILE: Final = "ca.pem"
CA_KEY_FILE: Final = "ca-key.pem"
SERVER_FILE: Final = "server.pem"
MADE_FOR_FILE: Final = "server.json"

NOT_BEFORE: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - trustme takes naive UTC; a device without a clock boots in the past
NOT_AFTER: Final = datetime(2049, 12, 31)  # noqa: DTZ001 - the last year that every firmware's date parser reads


def home() -> Path:
    """Where the CA lives: $MOCKCIC_HOME, or ~/.mockcic. Raises `StartError` for a user without a home."""
    chosen = os.environ.get("MOCKCIC_HOME")
    if chosen:
        return Path(chosen)
    try:
        return Path.home() / ".mockcic"
    except RuntimeError:  # a container that runs under a number nobody has
        raise StartError("this user has no home folder for the CA; choose one with --home or MOCKCIC_HOME") from None


class Authority:
    """The CA of one folder. `ca_file` is what devices are given; its key never leaves the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca_file = folder / CA_FILE

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The CA of a folder, made when there is none. Raises `StartError`.

        A certificate that has lost its key is kept, since devices trust it; only `renew` replaces it.
        """
        authority = cls(folder)
        with authority._alone():
            if not authority.ca_file.exists():
                authority._make()
        return authority

    def renew(self) -> None:
        """Make the CA anew; devices need the new `ca_file`, and the server's certificate follows by itself."""
        with self._alone():
            self._make()

    def server_context(self, names: Sequence[str]) -> ssl.SSLContext:
        """TLS for a server of these names and addresses; the certificate is made anew when they or the CA change."""
        certificate = self.folder / SERVER_FILE
        with self._alone():
            made_for = {"names": list(names), "ca": hashlib.sha256(self._read(CA_FILE)).hexdigest()}
            if not certificate.exists() or self._made_for() != made_for:
                self._issue(names)
                self._write(MADE_FOR_FILE, json.dumps(made_for).encode())
            try:
                return own_context(certificate, certificate)
            except StartError:  # a file of ours that something has spoilt is made anew
                self._issue(names)
        return own_context(certificate, certificate)

    def issuer(self) -> trustme.CA:
        """The CA with its key, for certificates of all kinds. Raises `StartError`."""
        import trustme

        self._check_pair()
        try:
            return trustme.CA.from_pem(self._read(CA_FILE), self._read(CA_KEY_FILE))
        except ValueError as error:
            raise StartError(
                f"the CA in {self.folder} cannot be read ({error}); make it anew with `mockcic ca --renew`"
            ) from None

    # ------------------------------------------------------------------

    def _make(self) -> None:
        import trustme

        authority = trustme.CA(organization_name="mockcic", organization_unit_name="mockcic test CA")
        self._write(CA_KEY_FILE, authority.private_key_pem.bytes(), mode=0o600)
        self._write(CA_FILE, authority.cert_pem.bytes())

    def _issue(self, names: Sequence[str]) -> None:
        authority = self.issuer()
        try:
            leaf = authority.issue_cert(*names, organization_name="mockcic", not_before=NOT_BEFORE, not_after=NOT_AFTER)
        except ValueError as error:
            raise StartError(f"no certificate can be made for {', '.join(names)}: {error}") from None
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        self._write(SERVER_FILE, leaf.private_key_pem.bytes() + chain, mode=0o600)

    def _check_pair(self) -> None:
        """The CA's certificate and key must belong together: OpenSSL looks when it loads them."""
        if not (self.folder / CA_KEY_FILE).exists():
            raise StartError(
                f"the CA in {self.folder} has lost its key {CA_KEY_FILE}, without which it makes no certificate;"
                " put it back, or make the CA anew with `mockcic ca --renew`"
            )
        for name in (CA_FILE, CA_KEY_FILE):
            self._read(name)  # what may not be read is not broken, and says so
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.ca_file, self.folder / CA_KEY_FILE)
        except (ssl.SSLError, OSError):
            raise StartError(
                f"the CA in {self.folder} cannot be used, its certificate and key are broken or do not belong together;"
                " make it anew with `mockcic ca --renew`"
            ) from None

    def _made_for(self) -> object:
        try:
            return json.loads(self._read(MADE_FOR_FILE))
        except (StartError, ValueError):
            return None

    def _read(self, name: str) -> bytes:
        path = self.folder / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise StartError(
                f"cannot read {path}: {error.strerror}; make it readable for this user, or choose another folder with"
                " --home or MOCKCIC_HOME"
            ) from None

    def _write(self, name: str, data: bytes, *, mode: int = 0o644) -> None:
        """Whole or not at all, and never readable by others before it is there."""
        path = self.folder / name
        try:
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=f".{name}.")
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).chmod(mode)
            Path(temporary).replace(path)
        except OSError as error:
            raise StartError(
                f"cannot write {path}: {error.strerror}; choose another folder with --home or MOCKCIC_HOME"
            ) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time: two that start at once must end up with one CA."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.folder / ".lock").open("w")
        except OSError as error:
            # os.path, not Path.exists, which raises for a folder that may not be entered
            if os.path.exists(self.ca_file) and os.path.exists(self.folder / SERVER_FILE):  # noqa: PTH110
                yield  # a folder that is only read, as a container's volume may be
                return
            raise StartError(
                f"cannot write {self.folder}: {error.strerror}; choose another folder with --home or MOCKCIC_HOME"
            ) from None
        with lock:
            _lock(lock.fileno())
            yield


def base_context() -> ssl.SSLContext:
    """TLS as the server speaks it, without a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION
    # h2 and nothing else: a client that offers only http/1.1, or nothing, is served or told so by its first bytes (C2).
    context.set_alpn_protocols(["h2"])
    return context


def own_context(certfile: Path, keyfile: Path) -> ssl.SSLContext:
    """TLS with a certificate chain and a key in PEM files. Raises `StartError` in one sentence."""
    context = base_context()
    for path in dict.fromkeys((certfile, keyfile)):
        try:
            path.read_bytes()
        except OSError as error:
            raise StartError(f"cannot read the certificate or key {path}: {error.strerror}") from None
    try:
        context.load_cert_chain(certfile, keyfile, password=lambda: b"")
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error)
        raise StartError(
            f"the certificate {certfile} and the key {keyfile} cannot be used: {str(reason).replace('_', ' ').lower()};"
            " expected PEM files that belong together, the key without a password"
        ) from None
    return context


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: the worst is a CA that is made twice
        return
    fcntl.flock(handle, fcntl.LOCK_EX)
