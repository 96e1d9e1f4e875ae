"""A device reduced to sockets: Python's `socket` and `ssl`, and the few HTTP/2 frames that a downchannel takes."""

from __future__ import annotations

import socket
import ssl

from hpack import Decoder, Encoder
from hyperframe.frame import DataFrame, Frame, HeadersFrame, PingFrame, SettingsFrame

from mockcic.mock import MockCIC
from tests.support.raw_h2 import PREFACE

PATIENCE_S = 20.0
"""What has not come by then will not come, however busy the machine is."""

MOMENT_S = 0.1
"""So long nothing comes where nothing is to come: a busy machine makes a wrong answer late, and no right one wrong."""


def tcp(mock: MockCIC, source: str = "127.0.0.1") -> socket.socket:
    """A TCP connection to the TLS port, from an address of this machine."""
    port = int(mock.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), PATIENCE_S, source_address=(source, 0))


def trusting(mock: MockCIC, *, alpn: tuple[str, ...] = ("h2",)) -> ssl.SSLContext:
    """TLS that trusts the server's CA, and notices when TLS ends without close_notify."""
    context = ssl.create_default_context(cafile=str(mock.ca_file))
    context.set_alpn_protocols(alpn)
    return context


def handshake(
    mock: MockCIC, source: str = "127.0.0.1", *, name: str = "localhost", context: ssl.SSLContext | None = None
) -> ssl.SSLSocket:
    """A TLS connection; raises what `ssl` raises."""
    sock = tcp(mock, source)
    try:
        return (context or trusting(mock)).wrap_socket(sock, server_hostname=name, suppress_ragged_eofs=False)
    except BaseException:
        sock.close()
        raise


class TlsLine:
    """TLS over a socket, in memory, so that TCP's RST and FIN are seen as they are: `SSLSocket` tells them alike."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str = "localhost") -> None:
        self.sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            else:
                self._flush()
                return

    def sendall(self, data: bytes) -> None:
        self.tls.write(data)
        self._flush()

    def recv(self, size: int) -> bytes:
        """As of a socket: nothing at close_notify; raises SSLEOFError at a FIN without."""
        while True:
            try:
                return self.tls.read(size)
            except ssl.SSLWantReadError:
                self._fill()
            except ssl.SSLZeroReturnError:
                return b""

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self.sock.sendall(data)

    def _fill(self) -> None:
        if data := self.sock.recv(65536):
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


class Caller:
    """One HTTP/2 connection of one device, which opens its downchannel and looks at what becomes of it."""

    def __init__(
        self, mock: MockCIC, token: str, source: str = "127.0.0.1", *, context: ssl.SSLContext | None = None
    ) -> None:
        self.sock = tcp(mock, source)
        try:
            self.line = TlsLine(self.sock, context or trusting(mock))
        except BaseException:
            self.sock.close()
            raise
        self._encoder, self._decoder = Encoder(), Decoder()
        self._next = 1
        self._status = 0
        self.token = token
        self.line.sendall(PREFACE + SettingsFrame(0).serialize())

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def get(self, path: str) -> int:
        """Begin a GET, without waiting for its answer; its stream."""
        fields = [(":method", "GET"), (":scheme", "https"), (":authority", "mock"), (":path", path)]
        fields += [("authorization", f"Bearer {self.token}"), ("user-agent", "CLOVA/APP_ID/1.0.0")]
        stream, self._next = self._next, self._next + 2
        self.line.sendall(
            HeadersFrame(stream, self._encoder.encode(fields), flags=["END_HEADERS", "END_STREAM"]).serialize()
        )
        return stream

    def downchannel(self) -> Caller:
        """Open the downchannel and wait for Hello on it."""
        stream = self.get("/v1/directives")
        while not (isinstance(frame := self.frame(), DataFrame) and frame.stream_id == stream):
            pass
        return self

    def status(self, path: str = "/ping") -> int:
        """Ask for something that has an answer without a body."""
        stream = self.get(path)
        while True:
            frame = self.frame()
            if isinstance(frame, HeadersFrame) and frame.stream_id == stream:
                return self._status

    def ping(self) -> None:
        """Ask whether anybody is there."""
        self.line.sendall(PingFrame(0, b"are you?").serialize())

    def is_answered(self) -> bool:
        """Whether a PING is answered, however long it takes."""
        self.ping()
        while not isinstance(self.frame(), PingFrame):
            pass
        return True

    def hears_nothing(self) -> bool:
        """Whether a PING is not answered within a moment."""
        self.ping()
        self.sock.settimeout(MOMENT_S)
        try:
            while not isinstance(self.frame(), PingFrame):
                pass
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(PATIENCE_S)
        return False

    def frame(self) -> Frame:
        """The next frame. Raises `EOFError` at the end."""
        frame, size = Frame.parse_frame_header(memoryview(self._exactly(9)))
        frame.parse_body(memoryview(self._exactly(size)))
        if isinstance(frame, HeadersFrame):
            self._status = int(dict(self._decoder.decode(frame.data))[":status"])
        return frame

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.line.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def end(self) -> tuple[list[str], str]:
        """Read until it is over: the frames that came, and how it ended: `close_notify`, `eof` or `rst`."""
        seen: list[str] = []
        try:
            while True:
                seen.append(type(self.frame()).__name__)
        except EOFError:
            return seen, "close_notify"
        except ssl.SSLEOFError:
            return seen, "eof"
        except ConnectionResetError:
            return seen, "rst"
