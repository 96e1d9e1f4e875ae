"""What ASGI hides from an application, offered to it as `scope["extensions"]["mockcic.wire"]`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

from mockcic.scenario.faults.line import CutHow
from mockcic.server.faults.connection import ConnectionTrouble
from mockcic.server.head import Headers
from mockcic.server.observer import ConnectionFacts

if TYPE_CHECKING:
    from mockcic.server.http2 import Http2
    from mockcic.server.stream import Stream

WIRE: Final = "mockcic.wire"
"""The name among the extensions of a scope."""


class Wire:
    """The stream and the connection under a request.

    Every method acts at once, does not wait, and is harmless when the stream or the connection is gone. Error codes are
    those of RFC 9113 7. What `send` has accepted goes out first as far as the client's windows allow.
    """

    __slots__ = ("_http2", "_stream")

    def __init__(self, http2: Http2, stream: Stream) -> None:
        self._http2 = http2
        self._stream = stream

    @property
    def connection(self) -> ConnectionFacts:
        """Which connection the request came on."""
        return self._http2.line.facts

    @property
    def stream_id(self) -> int:
        """The HTTP/2 stream of the request."""
        return self._stream.stream_id

    @property
    def is_open(self) -> bool:
        """Whether the connection is still there."""
        return not self._http2.closed

    @property
    def is_silent(self) -> bool:
        """Whether it was cut so that nothing is said on it any more."""
        return self._http2.line.silent

    def a_closed_stream(self) -> int:
        """The youngest stream that is closed; its own, closed by RST_STREAM(CANCEL) for it, where all are open."""
        for number in range(self._http2.connection.highest_inbound_stream_id, 0, -2):
            if not self._http2.is_open(number):
                return number
        self.reset(8)
        return self.stream_id

    @property
    def frame_limit(self) -> int:
        """The client's SETTINGS_MAX_FRAME_SIZE."""
        return self._http2.connection.max_outbound_frame_size

    @property
    def trouble(self) -> ConnectionTrouble:
        """What can go wrong on purpose with the whole connection; asked for, it is there from then on."""
        if self._http2.trouble is None:
            self._http2.trouble = ConnectionTrouble(self._http2)
        return self._http2.trouble

    def reset(self, code: int) -> None:
        """Send RST_STREAM(`code`) now. What the windows held back is dropped; sends after it raise an OSError."""
        self._http2.reset(self._stream, code)

    def reset_when_sent(self, code: int = 0) -> None:
        """Send RST_STREAM(`code`) right after the answer's END_STREAM, if the request has not ended by then.

        With code 0 (NO_ERROR) it asks the client to stop an upload that nobody needs (RFC 9113 8.1).
        """
        self._http2.reset_when_sent(self._stream, code)

    def end(self, trailers: Headers | None = None) -> None:
        """End the answer behind what was sent so far, with END_STREAM or with trailers; what is sent later is dropped.

        Its headers have to be out.
        """
        self._http2.end_early(self._stream, trailers)

    def flush(self) -> None:
        """Write what was sent now, in DATA frames of its own."""
        self._http2.flush()

    def pad(self, padding: int | None) -> None:
        """Let the DATA frames of this stream have so many bytes of padding from now on (0 to 255); None for none."""
        self._stream.padding = padding

    def goaway(self, code: int = 0, *, last_stream_id: int | None = None, debug: bytes = b"") -> None:
        """Send GOAWAY. The connection and its streams, new ones too, go on; what the client makes of it is its affair.

        `last_stream_id` is the newest request's where None.
        """
        self._http2.goaway(code, last_stream_id=last_stream_id, debug=debug)

    def give_up_above(self, stream_id: int) -> None:
        """Work no more on requests above this one that have no answer yet, and say nothing about it."""
        self._http2.give_up_above(stream_id)

    def abort(self, how: Literal["rst", "fin"] = "rst", *, reason: str = "aborted by the mock") -> None:
        """End the connection without a word of HTTP/2: with TCP's RST at once, or with FIN after what was written."""
        self._http2.abort(how, reason=reason)

    def cut(self, how: CutHow, *, reason: str) -> None:
        """End the connection below HTTP/2 (`rst`, `fin`, `no-notify`), or let it fall `silent` or `deaf`.

        Of one that is silent the application hears nothing: it goes on, as on a line that is half open.
        """
        self._http2.cut(how, reason=reason)

    def when_gone(self, tell: Callable[[], None]) -> None:
        """Call it when the connection is no more; at once where it is none already."""
        if self._http2.closed:
            tell()
        else:
            self._http2.when_gone = [*(self._http2.when_gone or ()), tell]
