"""Trouble below HTTP/2, as a scenario writes it: TCP, TLS, certificates, the listener (docs/faults.md).

Each type is one act. `ROLES` are what it may be aimed at, `DEFAULT_ROLE` is meant where nothing is said, `ROWS` are its
rows in docs/faults.md: how it is written, what the device sees, what a good device does.
"""

from __future__ import annotations

import ssl
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from mockcic.scenario.settings import Part
from mockcic.scenario.words import Duration, Size, is_template, wrong

TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]

VERSIONS: Final[dict[TlsVersion, str]] = {"1.0": "TLSv1", "1.1": "TLSv1_1", "1.2": "TLSv1_2", "1.3": "TLSv1_3"}
"""What Python's `ssl` calls them."""


class Row(NamedTuple):
    """A row of docs/faults.md."""

    written: str
    seen: str
    good: str


def read_pause(value: object) -> object:
    """A duration that is known when the file is read."""
    if is_template(value):
        raise wrong(value, "a duration with its unit, such as 5s: here no device is known yet", "write it out")
    return value


def read_tls_version(value: object) -> object:
    """`1.2`, which YAML reads as a number, is "1.2"; what the OpenSSL here cannot speak is an error."""
    said = f"{value:.1f}" if isinstance(value, float) else value
    if said in VERSIONS and not getattr(ssl, f"HAS_{VERSIONS[said]}"):
        able = ", ".join(each for each, name in VERSIONS.items() if getattr(ssl, f"HAS_{name}"))
        raise wrong(value, f"a TLS version that the OpenSSL here speaks: {able}", "run it with another OpenSSL")
    if said not in VERSIONS:
        raise wrong(value, "a TLS version: 1.0, 1.1, 1.2 or 1.3", "SSL 2 and 3 are in no OpenSSL any more")
    return said


def wrong_act(what: str, expected: str, mend: str = "") -> PydanticCustomError:
    """Members that do not go together."""
    return PydanticCustomError("fault", "{what}", {"what": what, "expected": expected, "mend": mend})


Pause = Annotated[Duration, BeforeValidator(read_pause)]
Forever = Literal["forever"]


class Accept(Part):
    """What happens to a new connection instead of being served; a word alone is `how`.

    Nothing is known of its device yet. One aimed at a device strikes at the address that it, and nobody else, last
    came from.
    """

    ROLES: ClassVar = ("accept",)
    DEFAULT_ROLE: ClassVar = "accept"
    ROWS: ClassVar = (
        Row(
            "{accept: refuse}",
            "the TCP handshake, then RST at once, before a byte was exchanged: as near to ECONNREFUSED as a counted "
            "number of connections comes (`listener` is the real one)",
            "tries again, a second and more between attempts (PROTOCOL 2.6, AVS: exponential, 50 in ten minutes)",
        ),
        Row("{accept: rst}", "RST as answer to its first bytes (TLS's ClientHello, HTTP/2's preface)", "as above"),
        Row("{accept: fin}", "FIN at once: end of stream where ServerHello was due", "as above"),
        Row(
            "{accept: silent}",
            "the connection is open, what it sends is acknowledged by TCP, and nothing ever comes",
            "gives up after its own time-out for connecting (INF: 5 to 30 s) and closes, then as above",
        ),
        Row(
            "{accept: {how: silent, lasts: 20s}}",
            "the same for 20 s, then RST",
            "has given up before",
        ),
        Row(
            "{accept: deaf}",
            "the same, and what it sends is not read either: its send buffer fills",
            "gives up after its time-out although it cannot write",
        ),
        Row("{accept: {stall: 5s}}", "nothing for 5 s, then all goes its ordinary way", "waits, or tries again"),
    )

    how: Literal["refuse", "rst", "fin", "silent", "deaf"] | None = Field(
        default=None,
        description="`refuse`: RST at once; `rst`: RST when its first bytes have come; `fin`: FIN at once; `silent`: "
        "read, never answered; `deaf`: not even read.",
    )
    stall: Pause | None = Field(default=None, description="Nothing for so long, then go on as always.")
    lasts: Pause | None = Field(
        default=None, description="With `silent` and `deaf`: RST after so long; without it until the device closes."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: object) -> object:
        return {"how": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.how is None) == (self.stall is None):
            found = "neither how nor stall" if self.how is None else "how and stall"
            raise wrong_act(found, "one of refuse, rst, fin, silent, deaf, or {stall: 5s}")
        _only_lasts_if_silent(self.how, self.lasts)
        return self

    def about(self) -> str:
        """What it does, for the journal."""
        match self.how:
            case "refuse":
                return "the connection is reset at accept"
            case "rst":
                return "the connection is reset when its first bytes have come"
            case "fin":
                return "the connection is ended with FIN at accept"
            case "silent":
                return f"the connection is accepted, read, and never answered{_for(self.lasts)}"
            case "deaf":
                return f"the connection is accepted, and neither read nor answered{_for(self.lasts)}"
            case None:
                return f"nothing is said for {_said(self.stall)} after the accept"

    @property
    def lasts_s(self) -> float | None:
        """Seconds of its effect, None where it is over at once or has no end."""
        return _seconds(self.stall) if self.how is None else _seconds(self.lasts)


CertificateKind = Literal["expired", "not-yet-valid", "wrong-name", "unknown-issuer", "no-chain", "self-signed"]


class Certificate(Part):
    """A certificate that is wrong in one way, and the right one in all others; a word alone is `kind`."""

    ROLES: ClassVar = ("accept",)
    DEFAULT_ROLE: ClassVar = "accept"
    ROWS: ClassVar = (
        Row(
            "{certificate: expired}",
            "names and issuer as always, valid until 2020-01-01",
            "ends the handshake with an alert (RFC 8446 4.4.2.4, 6.2: certificate_expired), sends no request and no "
            "token, and tries again later",
        ),
        Row("{certificate: not-yet-valid}", "valid from 2048-01-01", "the same (bad_certificate)"),
        Row(
            "{certificate: wrong-name}",
            "issued by the CA it trusts, for `wrong-name.invalid`",
            "the same (RFC 9110 4.3.4); shipped firmware does not look at the name (DEVICES C4)",
        ),
        Row("{certificate: unknown-issuer}", "the right names, issued by a CA nobody knows", "the same (unknown_ca)"),
        Row(
            "{certificate: no-chain}",
            "issued by an intermediate CA whose own certificate is not sent (RFC 8446 4.4.2)",
            "the same (unknown_ca), unless it knows the intermediate",
        ),
        Row("{certificate: self-signed}", "issued by itself", "the same (unknown_ca)"),
    )

    kind: CertificateKind = Field(description="What is wrong with it.")

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: object) -> object:
        return {"kind": value} if isinstance(value, str) else value

    def about(self) -> str:
        """What it does, for the journal."""
        match self.kind:
            case "expired":
                return "the certificate has expired"
            case "not-yet-valid":
                return "the certificate is not valid yet"
            case "wrong-name":
                return "the certificate has another name"
            case "unknown-issuer":
                return "the certificate is from an unknown issuer"
            case "no-chain":
                return "the certificate's intermediate CA is not sent"
            case "self-signed":
                return "the certificate is self-signed"


class Tls(Part):
    """A TLS handshake that is not as it should be: one of `only`, `alpn`, `stall`, `rate`."""

    ROLES: ClassVar = ("accept",)
    DEFAULT_ROLE: ClassVar = "accept"
    ROWS: ClassVar = (
        Row(
            "{tls: {only: 1.3}}",
            "the alert protocol_version unless it speaks that version (1.2, 1.3; 1.0 and 1.1 where OpenSSL does)",
            "speaks TLS 1.2 or 1.3, refuses 1.0 and 1.1 (RFC 8996), and tries again later when it cannot agree",
        ),
        Row(
            "{tls: {alpn: none}}",
            "no protocol was negotiated",
            "speaks HTTP/2 all the same, as old firmware does (DEVICES C2), or closes and tries again",
        ),
        Row(
            "{tls: {alpn: http/1.1}}",
            "`http/1.1` was negotiated where it offered it, nothing where it did not",
            "does not speak HTTP/1.1: CIC is HTTP/2 only (PROTOCOL 1.1), and the answer would be 505",
        ),
        Row(
            "{tls: {stall: 5s}}",
            "no ServerHello for 5 s after its ClientHello, then all goes its ordinary way; `forever` without end",
            "waits as long as its time-out for connecting allows, then tries again with a pause",
        ),
        Row(
            "{tls: {stall: forever, sent: 100}}",
            "the handshake stops after 100 bytes of the server",
            "the same: a handshake has a time-out as a whole",
        ),
        Row(
            "{tls: {rate: 200}}",
            "the handshake comes at 200 bytes a second, one by one",
            "the same: bytes that trickle in do not extend the time-out",
        ),
    )

    only: Annotated[TlsVersion, BeforeValidator(read_tls_version)] | None = Field(
        default=None, description="The only version that is spoken."
    )
    alpn: Literal["none", "http/1.1"] | None = Field(
        default=None, description="What is negotiated by ALPN instead of h2."
    )
    stall: Pause | Forever | None = Field(
        default=None, description="Say nothing for so long in mid-handshake, then go on; `forever` never."
    )
    sent: Size = Field(default=0, description="With `stall`: when so many bytes of the handshake were sent.")
    rate: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Bytes a second in which the handshake is sent, one by one."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        found = [key for key in ("only", "alpn", "stall", "rate") if getattr(self, key) is not None]
        if len(found) != 1:
            raise wrong_act(" and ".join(found) or "none of them", "exactly one of only, alpn, stall, rate")
        if self.sent and self.stall is None:
            raise wrong_act("sent without stall", "stall beside it", "{stall: 5s, sent: 100}")
        return self

    def about(self) -> str:
        """What it does, for the journal."""
        if self.only is not None:
            return f"only TLS {self.only} is spoken"
        if self.alpn is not None:
            return "no protocol is negotiated by ALPN" if self.alpn == "none" else "ALPN knows http/1.1 only"
        if self.rate is not None:
            return f"the handshake is sent at {self.rate} bytes a second"
        where = f"after {self.sent} bytes of the server" if self.sent else "after the ClientHello"
        return f"the handshake stalls {where} {_until(self.stall)}"

    @property
    def lasts_s(self) -> float | None:
        """Seconds of its effect, None where it is over at once or has no end."""
        return _seconds(self.stall)


class Cut(Part):
    """The end of one running connection, or its silence; a word alone is `how`."""

    ROLES: ClassVar = ("connection", "answer", "downchannel", "token")
    DEFAULT_ROLE: ClassVar = "connection"
    ROWS: ClassVar = (
        Row(
            "{cut: rst}",
            "TCP's RST in the middle of everything; what was under way is lost",
            "opens a new connection and its downchannel at once, then with pauses (PROTOCOL 2.6), and does not repeat "
            "an event that may have arrived",
        ),
        Row("{cut: fin}", "TLS's close_notify and FIN, without GOAWAY and without END_STREAM", "the same"),
        Row(
            "{cut: no-notify}",
            "FIN without TLS's close_notify: cut off by somebody on the way (RFC 8446 6.1)",
            "takes an answer that was not complete for incomplete, then the same",
        ),
        Row(
            "{cut: silent}",
            "the connection stays open, TCP acknowledges what it sends, and nothing comes any more: a line that is "
            "half open",
            "notices by its PING or GET /ping (every minute; no answer, new connection at once: PROTOCOL 2.4)",
        ),
        Row("{cut: {how: silent, lasts: 90s}}", "the same for 90 s, then RST", "has noticed before"),
        Row(
            "{cut: deaf}",
            "the same, and what it sends is not read: its send buffer fills",
            "the same: a PING that cannot be written is unanswered too",
        ),
    )

    how: Literal["rst", "fin", "no-notify", "silent", "deaf"] = Field(
        description="`rst`: TCP's RST; `fin`: close_notify and FIN; `no-notify`: FIN alone; `silent`: read and never "
        "answered again; `deaf`: not even read.",
    )
    lasts: Pause | None = Field(
        default=None, description="With `silent` and `deaf`: RST after so long; without it until the device closes."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: object) -> object:
        return {"how": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        _only_lasts_if_silent(self.how, self.lasts)
        return self

    def about(self) -> str:
        """What it does, for the journal."""
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
                return f"the connection is neither read nor answered any more{_for(self.lasts)}"

    @property
    def lasts_s(self) -> float | None:
        """Seconds of its effect, None where it is over at once or has no end."""
        return _seconds(self.lasts)


class ListenerGone(Part):
    """Nobody listens on the devices' ports; connections that are open stay. A duration alone is `gone`."""

    ROLES: ClassVar = ("accept",)
    DEFAULT_ROLE: ClassVar = "accept"
    ROWS: ClassVar = (
        Row(
            "{listener: {gone: 10s}}",
            "ECONNREFUSED for 10 s, for every device; what is connected stays so",
            "tries again, a second and more between attempts, for as long as it takes (PROTOCOL 2.6)",
        ),
    )

    gone: Pause = Field(description="How long the ports are closed; then they are taken again.")

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: object) -> object:
        return {"gone": value} if isinstance(value, str) else value

    def about(self) -> str:
        """What it does, for the journal."""
        return f"nobody listens for {_said(self.gone)}"

    @property
    def lasts_s(self) -> float | None:
        """Seconds of its effect."""
        return _seconds(self.gone)


class HangUp(Part):
    """Every connection of every device is ended at once; a word alone is `how`."""

    ROLES: ClassVar = ("connection",)
    DEFAULT_ROLE: ClassVar = "connection"
    ROWS: ClassVar = (
        Row(
            "{hang_up: rst}",
            "its connection ends, together with everybody's: rst, fin, no-notify as in `cut`, or goaway",
            "comes back as after `cut`; a fleet spreads its attempts at random (INF), or it meets at the door",
        ),
        Row(
            "{hang_up: goaway}",
            "GOAWAY(NO_ERROR), close_notify, FIN",
            "opens a new connection at once (DEVICES C9)",
        ),
        Row(
            "{hang_up: fin, every: 1h}",
            "the same once an hour (`{cut: fin, after: 1h}`: each connection when it has lived for an hour)",
            "the same each time",
        ),
    )

    how: Literal["rst", "fin", "no-notify", "goaway"] = Field(
        description="`goaway`: GOAWAY(NO_ERROR) and the end; the others as in `cut`."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: object) -> object:
        return {"how": value} if isinstance(value, str) else value

    def about(self) -> str:
        """What it does, for the journal."""
        how = {"rst": "RST", "fin": "FIN", "no-notify": "FIN and no close_notify", "goaway": "GOAWAY"}[self.how]
        return f"every connection is ended at once, with {how}"


AtAccept = Accept | Certificate | Tls
"""Acts on a connection of which nothing is known but where it comes from."""

LINE_ACTS: Final[dict[str, type[Part]]] = {
    "accept": Accept,
    "certificate": Certificate,
    "tls": Tls,
    "cut": Cut,
    "listener": ListenerGone,
    "hang_up": HangUp,
}
"""The acts of this file by their keys."""


def _only_lasts_if_silent(how: str | None, lasts: object) -> None:
    if lasts is not None and how not in ("silent", "deaf"):
        raise wrong_act(f"lasts with {how or 'stall'}", "lasts with silent or deaf", "the others are over at once")


def _seconds(value: Any) -> float | None:
    return value if isinstance(value, float) else None


def _said(value: Any) -> str:
    return f"{value:g} s"


def _for(value: Any) -> str:
    return "" if value is None else f" for {_said(value)}, then reset"


def _until(value: Any) -> str:
    return "without end" if value == "forever" else f"for {_said(value)}"
