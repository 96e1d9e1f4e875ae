"""The evidence of a run as one zip: report, traces, what the device printed, and a manifest signed by the CA."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mockcic import __version__
from mockcic.certify.run import Outcome
from mockcic.errors import StartError
from mockcic.server.tls import CA_KEY_FILE
from mockcic.trace.conformance import conformance_html, conformance_junit, conformance_lines
from mockcic.trace.file import write_trace

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
CERTIFICATE: Final = "ca.pem"
LIMIT_BYTES: Final = 1024 * 1024 * 1024


def write_evidence(path: Path, outcome: Outcome, ca_file: Path) -> None:
    """Write the zip. The manifest has a digest of every file, and is signed with the key of the CA in `ca_file`.

    Who trusts that CA can tell with `check_evidence` that nothing was changed since. Raises `StartError`.
    """
    report = outcome.report()
    files: dict[str, bytes] = {
        "report.html": conformance_html(report).encode(),
        "report.xml": conformance_junit(report).encode(),
        "report.json": _json(report.as_json()),
        "report.txt": ("\n".join(conformance_lines(report, every=True, style=_plain)) + "\n").encode(),
    }
    with tempfile.TemporaryDirectory() as folder:
        for result in outcome.steps:
            trace = Path(folder) / f"{result.step.name}.cictrace"
            write_trace(trace, result.trace)
            files[f"traces/{trace.name}"] = trace.read_bytes()
            if result.output:
                files[f"output/{result.step.name}.txt"] = result.output.encode("utf-8", "replace")
    manifest = _json(_manifest(outcome, files))
    files = {MANIFEST: manifest, SIGNATURE: _sign(manifest, ca_file), CERTIFICATE: ca_file.read_bytes(), **files}
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    except OSError as error:
        raise StartError(f"cannot write {path}: {error.strerror or error}") from None


def _plain(text: str, **_: object) -> str:
    return text


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _manifest(outcome: Outcome, files: dict[str, bytes]) -> dict[str, Any]:
    return {
        "mockcic": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "suite": outcome.suite,
        "ok": outcome.ok,
        "strict": outcome.strict,
        "allowed": list(outcome.allowed),
        "limits": {name: value if value != float("inf") else "off" for name, value in outcome.limits.items()},
        "user_agents": sorted({each.user_agent for step in outcome.steps for each in step.verdict.devices}),
        "steps": [
            {
                "name": each.step.name,
                "ok": each.ok,
                "seconds": round(each.seconds, 1),
                "broken": [rule.rule.id for rule in each.verdict.broken],
                "unseen": list(each.unseen),
            }
            for each in outcome.steps
        ],
        "rules": {id_: verdict.status for id_, verdict in outcome.rules().items()},
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }


def _sign(data: bytes, ca_file: Path) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key((ca_file.parent / CA_KEY_FILE).read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise StartError(f"cannot sign: the key of {ca_file} cannot be read: {error}") from None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hashes.SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    raise StartError(f"cannot sign: the key of {ca_file} is neither ECDSA nor RSA")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a zip says of itself, and the SHA-256 of the CA's certificate by which it was signed."""

    manifest: dict[str, Any]
    fingerprint: str

    @property
    def ok(self) -> bool:
        """Whether the device passed."""
        return self.manifest.get("ok") is True


def check_evidence(path: Path, ca_file: Path | None = None) -> Evidence:
    """Whether a zip is as it was written: signature, digests, no other files. With `ca_file` signed by that CA.

    Raises `StartError` that says what is wrong.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > LIMIT_BYTES:
                raise StartError(f"{path}: unpacks to more than {LIMIT_BYTES} bytes")
            files = {info.filename: archive.read(info) for info in archive.infolist()}
    except OSError as error:
        raise StartError(f"cannot read {path}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise StartError(f"{path}: found no zip that can be read ({error}), expected evidence of certify") from None
    try:
        manifest, signature, certificate = files.pop(MANIFEST), files.pop(SIGNATURE), files.pop(CERTIFICATE)
    except KeyError as error:
        raise StartError(f"{path}: {error.args[0]} is missing; expected evidence of certify") from None
    if ca_file is not None and ca_file.read_bytes() != certificate:
        raise StartError(f"{path}: it was signed by another CA than {ca_file}")
    fingerprint = _verify(path, manifest, signature, certificate)
    said = json.loads(manifest)
    found = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    for name in sorted(found.keys() | said["files"].keys()):
        if found.get(name) != said["files"].get(name):
            state = "is missing" if name not in found else "was added" if name not in said["files"] else "was changed"
            raise StartError(f"{path}: {name} {state} after it was signed")
    return Evidence(said, fingerprint)


def _verify(path: Path, manifest: bytes, signature: bytes, certificate: bytes) -> str:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    try:
        parsed = x509.load_pem_x509_certificate(certificate)
        key = parsed.public_key()
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, manifest, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, manifest, padding.PKCS1v15(), hashes.SHA256())
        else:
            raise StartError(f"{path}: its certificate is neither ECDSA nor RSA")
    except (ValueError, InvalidSignature):
        raise StartError(f"{path}: {MANIFEST} was changed after it was signed, or its signature is broken") from None
    return parsed.fingerprint(hashes.SHA256()).hex()
