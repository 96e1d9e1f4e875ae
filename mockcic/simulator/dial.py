"""Open the connection of the simulated device, or say in a sentence why there is none."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mockcic.errors import StartError
from mockcic.simulator.client import READ_BYTES, Connection

CONNECT_WITHIN_S: Final = 10.0


@asynccontextmanager
async def connect(
    url: str, *, ca_file: Path | str | None = None, authority: str | None = None
) -> AsyncIterator[Connection]:
    """Open a connection and keep it for the block: `https` with ALPN `h2`, `http` with prior knowledge.

    `ca_file` None trusts what the system trusts. `authority` is sent instead of the URL's own (DEVICES C3). Raises
    `StartError` where no HTTP/2 connection comes about.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise StartError(f"{url!r} is no address of a server; it should read like https://127.0.0.1:8443")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    tls = _tls(ca_file) if parts.scheme == "https" else None
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=tls, limit=READ_BYTES)
    except ssl.SSLCertVerificationError as error:
        raise StartError(
            f"cannot connect to {url}: its certificate is not trusted ({error.verify_message}); give its CA with --ca"
        ) from None
    except TimeoutError:
        raise StartError(f"cannot connect to {url}: no answer within {CONNECT_WITHIN_S:g} s") from None
    except OSError as error:
        raise StartError(f"cannot connect to {url}: {_reason(error)}") from None
    try:
        chosen = writer.get_extra_info("ssl_object").selected_alpn_protocol() if tls else "h2"
        if chosen != "h2":
            raise StartError(f"cannot speak to {url}: the server chose {chosen or 'no protocol'} by ALPN, not h2")
        connection = Connection(reader, writer, parts.scheme, authority or parts.netloc)
        connection.h2.initiate_connection()
        await connection.flush()
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(connection.run())
            trouble: BaseException | None = None
            try:
                yield connection
            except BaseException as error:
                trouble = error  # a TaskGroup would wrap it
                if isinstance(error, asyncio.CancelledError):
                    raise
            finally:
                connection.close()
                await connection.wait_closed()
                reading.cancel()
        if trouble is not None:
            raise trouble
    finally:
        writer.transport.abort()


def _tls(ca_file: Path | str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror if isinstance(error, FileNotFoundError) else "not a file of PEM certificates"
        raise StartError(f"cannot read the CA file {ca_file}: {reason}") from None
    context.set_alpn_protocols(["h2"])
    return context


def _reason(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused; is the server running?"
    return error.strerror or str(error)
