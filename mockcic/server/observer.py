"""What the server tells about connections while it runs, beside the requests themselves."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Protocol

_numbers = itertools.count(1)


def new_id() -> str:
    """An id for a connection, unique in the process."""
    return f"c{next(_numbers)}"


def printed(address: Any) -> str:
    """The other end of a connection as a text: `192.0.2.7:51234`, `[2001:db8::7]:51234`."""
    if not address:
        return "unknown"
    host, port = str(address[0]).removeprefix("::ffff:"), address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """Which connection it is; the same for all its requests (DEVICES C13).

    `id` is unique in the process (`c17`), `client` the other end (`192.0.2.7:51234`, `[2001:db8::7]:51234`), `alpn`
    what TLS negotiated, None where nothing was (DEVICES C2) and without TLS; `opened_at` is in seconds since 1970.
    `at_auth_port`: it came to the authorization server's own port.
    """

    id: str
    client: str
    tls: bool
    alpn: str | None
    opened_at: float
    at_auth_port: bool = False


class Observer(Protocol):
    """Is told what happens to connections. Calls must be cheap: they run where the bytes are read."""

    def connection_opened(self, facts: ConnectionFacts) -> None:
        """TCP accepted it and TLS, if any, is through; nothing has been said yet. Or a fault ended it before that."""

    def connection_closed(self, facts: ConnectionFacts, reason: str) -> None:
        """It is gone; `reason` is a short text for a person, such as `closed by the client`."""

    def ping_received(self, facts: ConnectionFacts) -> None:
        """An HTTP/2 PING frame came, which asks for an answer and has been given it (PROTOCOL 2.4)."""
