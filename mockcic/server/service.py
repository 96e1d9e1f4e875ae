"""The whole server as one object: sockets, certificates, the HTTP/2 layer, the application."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from mockcic.errors import FaultError, StartError
from mockcic.journal.redact import Redaction
from mockcic.journal.spool import SPOOL_BYTES, Spool
from mockcic.journal.store import BYTES, ENTRIES, Journal
from mockcic.server.app import Cic
from mockcic.server.auth_listener import ALPN, AuthListener
from mockcic.server.clock import Clock, LoopClock
from mockcic.server.faults.certificates import Contexts
from mockcic.server.faults.gate import Gate
from mockcic.server.listener import Server, bind
from mockcic.server.observer import ConnectionFacts
from mockcic.server.recogniser import Recogniser
from mockcic.server.registry import Scenarios
from mockcic.server.settings import ServerSettings
from mockcic.server.tls import Authority, home, own_context

LOCAL_NAMES = (
    "localhost",
    "127.0.0.1",
    "::1",
    "prod-ni-cic.clova.ai",
    "auth.clova.ai",
    "clova-authgw.line-apps.com",
)
"""Names in the certificate besides those the user adds (DEVICES C4); the last two are authorization servers' (INF)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the server listens, and with which certificate.

    `port`, `h2c_port` and `auth_port` may be 0 for any free one; `h2c_port` None for no clear text, `auth_port` None
    for no listener of the authorization server's own: it is on the devices' all the same. `certfile` and `keyfile` are
    the user's own; without them the CA in `home` makes one.
    """

    host: str = "127.0.0.1"
    port: int = 0
    h2c_port: int | None = None
    auth_port: int | None = None
    tls: bool = True
    home: Path | None = None
    host_names: tuple[str, ...] = ()
    certfile: Path | None = None
    keyfile: Path | None = None
    server: ServerSettings = field(default_factory=ServerSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journaling:
    """How much of what happens is kept: `entries`, `bytes` of memory for them, `sound_bytes` of sound as files.

    `spool` is where the files go (the system's folder for temporary ones without it); `keep_sounds` leaves them behind.
    """

    entries: int = ENTRIES
    bytes: int = BYTES
    sound_bytes: int = SPOOL_BYTES
    spool: Path | None = None
    keep_sounds: bool = False
    show_tokens: bool = False

    def journal(self, real: Clock) -> Journal:
        """A journal that keeps so much."""
        return Journal(
            real.now,
            real.wall,
            limit=self.entries,
            bytes_limit=self.bytes,
            spool=Spool(folder=self.spool, limit=self.sound_bytes, keep=self.keep_sounds),
            redaction=Redaction(show=self.show_tokens),
        )


class Service:
    """`bind` takes the ports and reads the certificates, `start` accepts, `stop` ends everything properly.

    `time_factor`: how many seconds pass for scenarios and tokens in a real one.
    """

    def __init__(
        self,
        scenarios: Scenarios,
        listening: Listening,
        *,
        real: Clock | None = None,
        time_factor: float = 1.0,
        journaling: Journaling | None = None,
        recogniser: Recogniser | None = None,
    ) -> None:
        self.listening = listening
        real = real or LoopClock()
        self.journal = (journaling or Journaling()).journal(real)
        self.cic = Cic(scenarios, real=real, journal=self.journal, recogniser=recogniser)
        self.cic.turning.set_factor(time_factor)
        self.ca_file: Path | None = None
        self._tls_socket: socket.socket | None = None
        self._h2c_socket: socket.socket | None = None
        self._tls: ssl.SSLContext | None = None
        self._authority: Authority | None = None
        self._server: Server | None = None
        self._auth: AuthListener | None = None

    def bind(self) -> None:
        """Take the ports and read the certificates. Raises `StartError`."""
        listening = self.listening
        self.journal.spool.open()
        if listening.tls:
            self._tls = self._certificate()
            self._tls_socket = bind(listening.host, listening.port)
        if listening.h2c_port is not None or not listening.tls:
            try:
                self._h2c_socket = bind(listening.host, listening.h2c_port or 0)
            except BaseException:
                self.close()
                raise
        if listening.auth_port is not None:
            self._auth = AuthListener(self.cic.auth_app, host=listening.host, port=listening.auth_port)
            try:
                self._auth.bind(self._certificate if listening.tls else None)
            except BaseException:
                self.close()
                raise

    def _certificate(self) -> ssl.SSLContext:
        listening = self.listening
        if listening.certfile is not None:
            self.ca_file = listening.certfile
            return own_context(listening.certfile, listening.keyfile or listening.certfile)
        self._authority = Authority.open(listening.home or home())
        self.ca_file = self._authority.ca_file
        return self._authority.server_context(self._names)

    @property
    def _names(self) -> tuple[str, ...]:
        return (*LOCAL_NAMES, *self.listening.host_names)

    def close(self) -> None:
        """Give the ports back; for a server that was bound and never started."""
        for each in (self._tls_socket, self._h2c_socket):
            if each is not None:
                each.close()
        self._tls_socket = self._h2c_socket = None
        if self._auth is not None:
            self._auth.close()
            self._auth = None
        self.journal.spool.close()

    async def start(self) -> None:
        """Accept connections on what was bound."""
        self._server = Server(self.cic, settings=self.listening.server, observer=self, on_stopping=self.cic.stop)
        listeners: list[tuple[socket.socket, ssl.SSLContext | None]] = []
        if self._tls_socket is not None:
            listeners.append((self._tls_socket, self._tls))
        if self._h2c_socket is not None:
            listeners.append((self._h2c_socket, None))
        self._open_gate(self._server)
        await self._server.start(listeners)
        if self._auth is not None:
            self._auth.start()

    def _open_gate(self, server: Server) -> None:
        """Let the faults of the scenario of newcomers stand where connections come in. Raises `StartError`."""
        contexts = auth_contexts = None
        if self._tls is not None:
            contexts = Contexts(self._certificate, self._authority, self._names)
        if self._auth is not None and self._auth.speaks_tls:
            auth_contexts = Contexts(self._certificate, self._authority, self._names, alpn=ALPN)
        gate = Gate(
            journal=self.journal,
            clock=self.cic.clock,
            doors=server,
            contexts=contexts,
            devices=lambda: self.cic.devices,
            auth=self._auth,
            auth_contexts=auth_contexts,
        )
        try:
            self.cic.armoury.stand_at(gate, self.cic.devices.scenario_for("", ""))
        except FaultError as error:
            raise StartError(f"the scenario cannot be served so: {error}") from None

    async def end_devices(self) -> None:
        """End the downchannels, finish running answers, close every connection (PROTOCOL 2.6)."""
        if self._auth is not None:
            await self._auth.stop()
            self._auth = None
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def stop(self) -> None:
        """As `end_devices`; the sounds that were kept go too."""
        await self.end_devices()
        self.journal.spool.close()

    # ------------------------------------------------------------------ where it is

    @property
    def url(self) -> str:
        """`https://127.0.0.1:8443`; the clear-text one where there is no TLS."""
        return self._url("https", self._tls_socket) or self.h2c_url or ""

    @property
    def h2c_url(self) -> str | None:
        """`http://127.0.0.1:8080` for prior-knowledge HTTP/2, None without it."""
        return self._url("http", self._h2c_socket)

    @property
    def auth_url(self) -> str:
        """Where the authorization server is: on its own listener (HTTP/1.1 and HTTP/2), else on the devices'."""
        if self._auth is None:
            return self.url
        return self._url("https" if self.listening.tls else "http", self._auth.bound) or self.url

    def _url(self, scheme: str, listening: socket.socket | None) -> str | None:
        if listening is None:
            return None
        host = self.listening.host
        name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, f"[{host}]" if ":" in host else host)
        return f"{scheme}://{name}:{listening.getsockname()[1]}"

    # ------------------------------------------------------------------ Observer

    def connection_opened(self, facts: ConnectionFacts) -> None:
        """A device, or whatever it is, has connected."""
        where = {"port": "auth"} if facts.at_auth_port else {}
        self.journal.add("connect", connection=facts.id, name=facts.client, tls=facts.tls, alpn=facts.alpn, **where)

    def connection_closed(self, facts: ConnectionFacts, reason: str) -> None:
        """It is gone."""
        users = self.cic.connection_closed(facts.id)
        device = next(iter(users)) if len(users) == 1 else ""
        self.journal.add("disconnect", device=device, connection=facts.id, name=facts.client, reason=reason)

    def ping_received(self, facts: ConnectionFacts) -> None:
        """An HTTP/2 PING frame (PROTOCOL 2.4)."""
        self.cic.ping_received(facts.id)
