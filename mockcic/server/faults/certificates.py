"""TLS as it should not be: wrong certificates made by the CA on demand, old versions, other protocols.

trustme and cryptography are imported when the first wrong certificate is made, never before.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, assert_never

from mockcic.errors import StartError
from mockcic.scenario.faults.line import VERSIONS, Certificate, CertificateKind, Tls
from mockcic.server.tls import NOT_AFTER, NOT_BEFORE, Authority, base_context

if TYPE_CHECKING:
    import trustme

# Dates that are wrong for every clock that is set; naive UTC, as trustme wants them.
EXPIRED: Final = datetime(2020, 1, 1)  # noqa: DTZ001
NOT_YET: Final = datetime(2048, 1, 1)  # noqa: DTZ001
WRONG_NAME: Final = "wrong-name.invalid"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a context is to be like. `certificate` None is the right one, `only` empty every version as always."""

    certificate: CertificateKind | None = None
    only: tuple[str, ...] = ()
    alpn: str = "h2"


class Contexts:
    """Makes TLS contexts by recipe and keeps them: the same one for the same fault.

    `ordinary` makes one with the right certificate; `authority` is the CA that devices trust, None where the user
    brought a certificate. `alpn` is what the port speaks.
    """

    def __init__(
        self,
        ordinary: Callable[[], ssl.SSLContext],
        authority: Authority | None,
        names: Sequence[str],
        *,
        alpn: Sequence[str] = ("h2",),
    ) -> None:
        self._ordinary = ordinary
        self._authority = authority
        self._names = tuple(names)
        self._alpn = tuple(alpn)
        self._made: dict[Recipe, ssl.SSLContext] = {}

    def objection(self, act: Certificate | Tls) -> str:
        """Why an act cannot be done here; empty where it can."""
        needs_ca = ("expired", "not-yet-valid", "wrong-name", "no-chain")
        if isinstance(act, Certificate) and act.kind in needs_ca and self._authority is None:
            return f"certificate {act.kind} needs the CA of mockcic, and the server has a certificate of the user"
        return ""

    def context(self, act: Certificate | Tls) -> ssl.SSLContext | None:
        """The context of an act, None for the ordinary one. Takes a moment the first time; any thread may ask.

        Raises `StartError` when the CA cannot be used.
        """
        recipe = recipe_of(act)
        if recipe == Recipe():
            return None
        if recipe not in self._made:
            self._made[recipe] = self._make(recipe)
        return self._made[recipe]

    def _make(self, recipe: Recipe) -> ssl.SSLContext:
        if recipe.certificate is None:
            context = self._ordinary()
        else:
            context = base_context()
            self._leaf(recipe.certificate).configure_cert(context)
        if recipe.only:
            _speak_only(context, recipe.only)
        if recipe.alpn != "h2":
            context.set_alpn_protocols([] if recipe.alpn == "none" else [recipe.alpn])
        elif self._alpn != ("h2",):
            context.set_alpn_protocols(list(self._alpn))
        return context

    def _leaf(self, kind: CertificateKind) -> trustme.LeafCert:
        import trustme

        match kind:
            case "expired":
                return self._issue(not_before=NOT_BEFORE, not_after=EXPIRED)
            case "not-yet-valid":
                return self._issue(not_before=NOT_YET, not_after=NOT_AFTER)
            case "wrong-name":
                return self._issue((WRONG_NAME,))
            case "unknown-issuer":
                return trustme.CA(organization_name="mockcic", organization_unit_name="unknown CA").issue_cert(
                    *self._names
                )
            case "no-chain":
                leaf = self._trusted().create_child_ca().issue_cert(*self._names)
                return trustme.LeafCert(leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes(), [])
            case "self-signed":
                return _self_signed(self._names)
            case _:
                assert_never(kind)

    def _issue(
        self, names: Sequence[str] = (), *, not_before: datetime = NOT_BEFORE, not_after: datetime = NOT_AFTER
    ) -> trustme.LeafCert:
        return self._trusted().issue_cert(
            *(names or self._names), organization_name="mockcic", not_before=not_before, not_after=not_after
        )

    def _trusted(self) -> trustme.CA:
        if self._authority is None:
            raise StartError("the CA of mockcic is needed, and the server has a certificate of the user")
        return self._authority.issuer()


def recipe_of(act: Certificate | Tls) -> Recipe:
    """The recipe of an act."""
    if isinstance(act, Certificate):
        return Recipe(certificate=act.kind)
    return Recipe(only=tuple(act.only or ()), alpn=act.alpn or "h2")


def _speak_only(context: ssl.SSLContext, versions: Sequence[str]) -> None:
    """From the first of these to the last.

    OpenSSL 3 keeps 1.0 and 1.1 for security level 0: their signatures are of SHA-1.
    """
    import warnings

    if versions[0] in ("1.0", "1.1"):
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of what is asked for here
        # The lower bound may not pass the upper one on the way.
        context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
        context.minimum_version = ssl.TLSVersion[VERSIONS[versions[0]]]
        context.maximum_version = ssl.TLSVersion[VERSIONS[versions[-1]]]


def _self_signed(names: Sequence[str]) -> trustme.LeafCert:
    import ipaddress

    import trustme
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def general(name: str) -> x509.GeneralName:
        try:
            return x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            return x509.DNSName(name)

    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "mockcic self-signed")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .add_extension(x509.SubjectAlternativeName([general(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return trustme.LeafCert(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        certificate.public_bytes(serialization.Encoding.PEM),
        [],
    )
