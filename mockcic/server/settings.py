"""How the server treats connections; every number that an operator or a scenario may want to turn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Limits and times of the HTTP/2 server. `None` as a time means never.

    A device that sends faster than the application reads costs at most `connection_window_bytes` of memory, one that
    does not read its answers at most 64 KiB a stream and what the kernel and TLS buffer. 256 KiB a stream carry
    2.5 MB/s over a line of 100 ms, eighty times the rate of a microphone (32 KB/s).
    """

    max_concurrent_streams: int = 100
    """Announced, and kept: the stream above it is refused, the connection goes on (RFC 9113 5.1.2)."""

    initial_window_bytes: int = 256 * 1024
    """How much of one request body may wait unread."""

    connection_window_bytes: int = 1024 * 1024
    """How much of all request bodies of a connection may wait unread; more than one stream's, so that a handler that
    does not read holds up nobody else."""

    max_header_list_bytes: int = 64 * 1024
    """Announced, and kept by the HPACK decoder: a larger header block ends the connection."""

    idle_close_after_s: float | None = None
    """Close a connection from which nothing came for so long, PING included, downchannel or not (PROTOCOL 2.4)."""

    preface_timeout_s: float | None = 60.0
    """Close a connection that does not begin to speak HTTP/2 for so long. INF: generous; it is no device."""

    grace_s: float = 1.2
    """How long `Server.stop` waits for running answers. With what cutting them off takes, a stop is over within 2 s."""

    abandon_after_s: float = 10.0
    """How long the application may run on for a stream whose client has gone before its task is cancelled. INF."""
