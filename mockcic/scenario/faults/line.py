"""Acts below HTTP/2: TCP, TLS, certificates, the listener."""

from __future__ import annotations

import ipaddress
import ssl
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from mockcic.scenario.faults.act import Act, Role
from mockcic.scenario.words import PlainDuration, Size, wrong

COMES_AGAIN: Final = (
    "tries again with a pause of a second and more between attempts, growing (PROTOCOL 2.6; AVS: fifty in ten minutes "
    "at the most)"
)

DEAF_S: Final = 120.0
"""How long nothing is read where nothing else is said: two of a device's PINGs (PROTOCOL 2.4) go unanswered. A FIN
behind what is not read does not arrive, so that the end has to come from here (INF)."""

TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]

VERSIONS: Final[dict[str, str]] = {"1.0": "TLSv1", "1.1": "TLSv1_1", "1.2": "TLSv1_2", "1.3": "TLSv1_3"}
"""What Python's `ssl` calls them."""


_ONE_VERSION: Final[dict[str, Any]] = {"enum": [*VERSIONS, *map(float, VERSIONS)]}
VERSIONS_SCHEMA: Final = WithJsonSchema({"anyOf": [_ONE_VERSION, {"type": "array", "items": _ONE_VERSION}]})


def _wrong(what: str, expected: str, mend: str = "") -> PydanticCustomError:
    return PydanticCustomError("fault", "{what}", {"what": what, "expected": expected, "mend": mend})


def _read_versions(value: object) -> object:
    """`1.2`, which YAML reads as a number, is "1.2"; what the OpenSSL here cannot speak is an error."""
    if value is None:
        return None
    written: list[Any] = value if isinstance(value, list) else [value]
    read = [f"{each:.1f}" if isinstance(each, float) else each for each in written]
    able = [each for each, name in VERSIONS.items() if getattr(ssl, f"HAS_{name}")]
    for said in read:
        if said not in able:
            mend = "run it with another OpenSSL" if said in [*VERSIONS] else "SSL 2 and 3 are in no OpenSSL any more"
            raise wrong(said, f"a TLS version that the OpenSSL here speaks: {', '.join(able)}", mend)
    found = sorted({[*VERSIONS].index(said) for said in read})
    if not found or found != [*range(found[0], found[-1] + 1)]:
        raise wrong(value, "versions without a gap between them, such as [1.0, 1.1]")
    return [[*VERSIONS][number] for number in found]


def _read_network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise wrong(value, "an address or a network, such as 192.168.0.17 or 192.168.0.0/24") from None


Network = Annotated[str, AfterValidator(_read_network)]
"""An IP address or a network of them, as a network."""

Forever = Literal["forever"]
CutHow = Literal["rst", "fin", "no-notify", "silent", "deaf"]


class Accept(Act):
    """What happens to a new connection instead of being served, before anything is known of its device."""

    AIMS: ClassVar[tuple[Role, ...]] = ("accept",)
    SHORT: ClassVar[str] = "how"
    SEES: ClassVar[str] = (
        "refuse: RST right after TCP's handshake, as near to ECONNREFUSED as a counted number of connections comes "
        "(`listener` is the real one); rst: RST as the answer to its first bytes; fin: FIN at once; silent: open, "
        "acknowledged by TCP, and nothing ever comes; deaf: the same, and its send buffer fills; stall: nothing for so "
        "long, then all goes its ordinary way"
    )
    GOOD: ClassVar[str] = f"gives up after its own time-out for connecting (INF: 5 to 30 s), {COMES_AGAIN}"

    how: Literal["refuse", "rst", "fin", "silent", "deaf"] | None = Field(
        default=None,
        description="`refuse`: RST at once; `rst`: RST when its first bytes have come; `fin`: FIN at once; `silent`: "
        "read, never answered; `deaf`: not even read.",
    )
    stall: PlainDuration | None = Field(default=None, description="Nothing for so long instead, then as ever.")
    lasts: PlainDuration | None = Field(
        default=None,
        description="With `silent` and `deaf`: RST after so long. Without it `silent` ends when the device closes, and "
        "`deaf` after 2 minutes: what is not read does not tell.",
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.how is None) == (self.stall is None):
            found = "`accept` with neither how nor stall" if self.how is None else "`accept` with how and stall"
            raise _wrong(found, "one of refuse, rst, fin, silent, deaf, or {stall: 5s}")
        _lasts_if_silent(self.how, self.lasts)
        return self

    def about(self) -> str:
        """As of every act."""
        match self.how:
            case "refuse":
                return "the connection is reset at accept"
            case "rst":
                return "the connection is reset when its first bytes have come"
            case "fin":
                return "the connection is ended with FIN at accept"
            case "silent":
                return f"the connection is accepted, read and never answered{_for(self.lasts)}"
            case "deaf":
                return f"the connection is accepted, and neither read nor answered{_for(self.lasts_s)}"
            case None:
                return f"nothing is said for {self.stall:g} s after the accept"

    @property
    def lasts_s(self) -> float | None:
        """As of every act."""
        return self.stall if self.how is None else _silence_s(self.how, self.lasts)


CertificateKind = Literal["expired", "not-yet-valid", "wrong-name", "unknown-issuer", "no-chain", "self-signed"]

ABOUT: Final[dict[CertificateKind, str]] = {
    "expired": "the certificate has expired",
    "not-yet-valid": "the certificate is not valid yet",
    "wrong-name": "the certificate has another name",
    "unknown-issuer": "the certificate is from an unknown issuer",
    "no-chain": "the certificate's intermediate CA is not sent",
    "self-signed": "the certificate is self-signed",
}


class Certificate(Act):
    """A certificate that is wrong in one way, and right in all others."""

    AIMS: ClassVar[tuple[Role, ...]] = ("accept",)
    SHORT: ClassVar[str] = "kind"
    SEES: ClassVar[str] = (
        "a certificate valid until 2020, or from 2048 on; of the trusted CA for `wrong-name.invalid`; of a CA that "
        "nobody knows; of an intermediate CA that is not sent along; signed by itself"
    )
    GOOD: ClassVar[str] = (
        "ends the handshake with an alert (RFC 8446 6.2: certificate_expired, bad_certificate, unknown_ca), sends no "
        "token, tries again later; a finding where it goes on. Shipped firmware does not look at the name (DEVICES C4)"
    )

    kind: CertificateKind = Field(description="What is wrong with it.")

    def about(self) -> str:
        """As of every act."""
        return ABOUT[self.kind]


class Tls(Act):
    """A TLS handshake that is not as ever: some versions only, another protocol by ALPN, a stall, or very slow."""

    AIMS: ClassVar[tuple[Role, ...]] = ("accept",)
    SEES: ClassVar[str] = (
        "only: the alert protocol_version unless it speaks one of them; alpn: http/1.1 or nothing negotiated; stall: "
        "silence after its ClientHello, or after so many bytes of the server; rate: the handshake byte by byte"
    )
    GOOD: ClassVar[str] = (
        "speaks TLS 1.2 or 1.3 and refuses 1.0 and 1.1 (RFC 8996); speaks HTTP/2 without ALPN (DEVICES C2) or leaves, "
        "never HTTP/1.1 (PROTOCOL 1.1); has a time-out for the handshake as a whole, and comes again with pauses"
    )

    only: Annotated[list[TlsVersion] | None, BeforeValidator(_read_versions), VERSIONS_SCHEMA] = Field(
        default=None, description="The only version that is spoken, or a list of them: `[1.0, 1.1]` for old ones alone."
    )
    alpn: Literal["none", "http/1.1"] | None = Field(
        default=None, description="What ALPN negotiates instead of h2; http/1.1 only where the device offers it."
    )
    stall: PlainDuration | Forever | None = Field(
        default=None, description="Say nothing for so long in mid-handshake, then go on; `forever`: never."
    )
    sent: Size = Field(
        default=0, description="With `stall`: when so many bytes of the handshake are out; 0 after the ClientHello."
    )
    rate: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Bytes a second in which the handshake is sent, one by one."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        found = [key for key in ("only", "alpn", "stall", "rate") if getattr(self, key) is not None]
        if len(found) != 1:
            raise _wrong(
                f"`tls` with {' and '.join(found) or 'none of them'}", "exactly one of only, alpn, stall, rate"
            )
        if self.sent and self.stall is None:
            raise _wrong("`sent` without `stall`", "stall beside it", "{stall: 5s, sent: 100}")
        return self

    def about(self) -> str:
        """As of every act."""
        if self.only is not None:
            return f"only TLS {' and '.join(self.only)} is spoken"
        if self.alpn is not None:
            return "no protocol is negotiated by ALPN" if self.alpn == "none" else "ALPN knows http/1.1 only"
        if self.rate is not None:
            return f"the handshake is sent at {self.rate} bytes a second"
        where = f"after {self.sent} bytes of the server" if self.sent else "after the ClientHello"
        return f"the handshake stalls {where} " + (
            "without end" if self.stall_s is None else f"for {self.stall_s:g} s, then it goes on"
        )

    @property
    def stall_s(self) -> float | None:
        """Seconds of the stall, None for one without end."""
        return self.stall if isinstance(self.stall, float) else None

    @property
    def lasts_s(self) -> float | None:
        """As of every act."""
        return self.stall_s


class Cut(Act):
    """The end of one running connection without a word of HTTP/2, or its silence."""

    AIMS: ClassVar[tuple[Role, ...]] = ("connection", "answer", "downchannel")
    SHORT: ClassVar[str] = "how"
    SEES: ClassVar[str] = (
        "rst: TCP's RST in the middle of everything; fin: TLS's close_notify and FIN, neither GOAWAY nor END_STREAM; "
        "no-notify: FIN without close_notify, as somebody on the way would send it; silent: the connection is half "
        "open, TCP acknowledges what it sends and nothing comes any more; deaf: the same, and its send buffer fills"
    )
    GOOD: ClassVar[str] = (
        "takes an answer that was not whole for lost, says again no more than that event, opens connection and "
        "downchannel at once, then with pauses (PROTOCOL 2.6); notices silence by its PING of every minute (PROTOCOL "
        "2.4), also when the PING cannot be written"
    )

    how: CutHow = Field(
        description="`rst`: TCP's RST; `fin`: close_notify and FIN; `no-notify`: FIN alone; `silent`: read and never "
        "answered again; `deaf`: not even read.",
    )
    lasts: PlainDuration | None = Field(
        default=None,
        description="With `silent` and `deaf`: RST after so long. Without it `silent` ends when the device closes, and "
        "`deaf` after 2 minutes: what is not read does not tell.",
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        _lasts_if_silent(self.how, self.lasts)
        return self

    def about(self) -> str:
        """As of every act."""
        match self.how:
            case "rst":
                return "the connection is reset"
            case "fin":
                return "the connection is ended with FIN, without GOAWAY"
            case "no-notify":
                return "the connection is ended with FIN, without TLS's close_notify"
            case "silent":
                return f"the connection is read and never answered any more{_for(self.lasts)}"
            case "deaf":
                return f"the connection is neither read nor answered any more{_for(self.lasts_s)}"

    @property
    def lasts_s(self) -> float | None:
        """As of every act."""
        return _silence_s(self.how, self.lasts)


class ListenerGone(Act):
    """Nobody listens on the devices' ports for a while. It is everybody's; connections that are open stay."""

    AIMS: ClassVar[tuple[Role, ...]] = ("accept",)
    SHORT: ClassVar[str] = "gone"
    SEES: ClassVar[str] = "ECONNREFUSED; what is connected stays so"
    GOOD: ClassVar[str] = f"does not mind while it is connected; else {COMES_AGAIN}, for as long as it takes"

    gone: PlainDuration = Field(gt=0, description="How long the ports are closed; then they are taken again.")

    def about(self) -> str:
        """As of every act."""
        return f"nobody listens for {self.gone:g} s"

    @property
    def lasts_s(self) -> float | None:
        """As of every act."""
        return self.gone


class HangUp(Act):
    """Every connection is ended at once: of all devices where it is set for all, else of the one it is set for."""

    AIMS: ClassVar[tuple[Role, ...]] = ("connection",)
    SHORT: ClassVar[str] = "how"
    SEES: ClassVar[str] = "rst, fin, no-notify as of `cut`; goaway: GOAWAY(NO_ERROR), close_notify, FIN"
    GOOD: ClassVar[str] = (
        "comes back at once as after `cut` and GOAWAY (DEVICES C9), then with pauses; a fleet that was sent away "
        "together spreads its attempts at random (INF)"
    )

    how: Literal["rst", "fin", "no-notify", "goaway"] = Field(
        description="`goaway`: GOAWAY(NO_ERROR) and the end; the others as of `cut`."
    )

    def about(self) -> str:
        """As of every act."""
        how = {"rst": "RST", "fin": "FIN", "no-notify": "FIN and no close_notify", "goaway": "GOAWAY"}[self.how]
        return f"every connection is ended at once with {how}"


"""Acts on connections that are only about to be: the gate does them, not a device."""


def is_in(host: str, network: str) -> bool:
    """Whether an address is in a network of `Network`."""
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network)
    except ValueError:
        return False


def _lasts_if_silent(how: str | None, lasts: Any) -> None:
    if lasts is not None and how not in ("silent", "deaf"):
        raise _wrong(f"`lasts` with {how or 'stall'}", "`lasts` with silent or deaf", "the others are over at once")


def _silence_s(how: str, lasts: float | None) -> float | None:
    return DEAF_S if lasts is None and how == "deaf" else lasts


def _for(lasts: float | None) -> str:
    return "" if lasts is None else f" for {lasts:g} s, then reset"
