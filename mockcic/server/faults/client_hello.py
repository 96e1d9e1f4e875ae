"""What a TLS client says first, looked at without taking it off the line (RFC 8446 4.1.2)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Final

HELLO_WITHIN_S: Final = 5.0  # INF: after that it is dealt with as one that names nobody
LOOK_AGAIN_S: Final = 0.01  # INF: for the rest of a ClientHello that comes in pieces
LONGEST_BYTES: Final = 16 * 1024 + 5  # one record; a longer ClientHello names nobody for us (INF)

HANDSHAKE: Final = 22
CLIENT_HELLO: Final = 1
SERVER_NAME: Final = 0
HOST_NAME: Final = 0


async def look_at_hello(sock: socket.socket) -> bytes:
    """The record with the ClientHello that comes on `sock`, nothing where none does; it stays there to be read."""
    try:
        async with asyncio.timeout(HELLO_WITHIN_S):
            await _readable(sock)
            while True:
                peeked = sock.recv(LONGEST_BYTES, socket.MSG_PEEK)
                if not _is_cut(peeked):
                    return peeked
                await asyncio.sleep(LOOK_AGAIN_S)
    except (OSError, TimeoutError):
        return b""


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sock.fileno())


def _is_cut(data: bytes) -> bool:
    """Whether more of the first record is to come."""
    if not data or data[0] != HANDSHAKE:
        return False
    return len(data) < 5 or len(data) < min(5 + int.from_bytes(data[3:5], "big"), LONGEST_BYTES)


def refusal(context: ssl.SSLContext, hello: bytes) -> bytes:
    """The alert with which `context` answers a ClientHello that it does not agree with; empty where it does.

    asyncio and uvloop close a connection whose handshake has failed without sending what OpenSSL had to say.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    attempt = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(hello)
    try:
        attempt.do_handshake()
    except ssl.SSLWantReadError:
        return b""
    except ssl.SSLError:
        return outgoing.read()
    return b""


def server_name(data: bytes) -> str | None:
    """The host name that a first record asks for (RFC 6066 3), None for any other bytes."""
    try:
        if data[0] != HANDSHAKE or data[5] != CLIENT_HELLO:
            return None
        at = 5 + 4 + 2 + 32  # record, handshake header, version, random
        at += 1 + data[at]  # session id
        at += 2 + int.from_bytes(data[at : at + 2], "big")  # cipher suites
        at += 1 + data[at]  # compression methods
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        at += 2
        while at + 4 <= end:
            kind, size = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
            if kind == SERVER_NAME and data[at + 6] == HOST_NAME:
                length = int.from_bytes(data[at + 7 : at + 9], "big")
                return data[at + 9 : at + 9 + length].decode("ascii", "replace").lower()
            at += 4 + size
    except IndexError:
        pass
    return None
