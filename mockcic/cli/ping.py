"""`mockcic ping`: is a server up? The healthcheck of containers."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

import click

from mockcic import __version__
from mockcic.errors import StartError

DEFAULT_URL: Final = "https://127.0.0.1:8443"
UP: Final = (204, 401)
"""A scenario may list its tokens; who says 401 is up all the same (INF)."""

TIMEOUT_S: Final = 5.0  # a device that waited so long for `/ping` drops the connection (PROTOCOL 2.4)


def default_ca() -> Path:
    """Where `mockcic serve` keeps its CA's certificate: `ca.pem` in $MOCKCIC_HOME or ~/.mockcic."""
    from mockcic.server.tls import CA_FILE, home

    return home() / CA_FILE


@click.command(name="ping", short_help="Ask a server whether it is up; the healthcheck of containers.")
@click.argument("url", default=DEFAULT_URL)
@click.option(
    "--ca",
    "ca_file",
    type=click.Path(path_type=Path),
    help="Certificate to trust (PEM).  [default: ca.pem in $MOCKCIC_HOME or ~/.mockcic]",
)
@click.option("--token", default="healthcheck", show_default=True, help="The access token to send.")
@click.option(
    "--timeout",
    default=TIMEOUT_S,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds to wait.",
)
def command(url: str, ca_file: Path | None, token: str, timeout: float) -> None:
    """Send GET /ping to the server at URL over HTTP/2, by default https://127.0.0.1:8443.

    Exits with 0 when it answers 204, or 401 because the scenario lists its tokens; with 1 when it does not, and one
    sentence that says why.
    """
    if trouble := ping(url, ca_file, token, timeout):
        click.echo(f"mockcic: {trouble}", err=True)
        raise SystemExit(1)
    click.echo(f"{url} is up")


def ping(url: str, ca_file: Path | None, token: str, timeout: float) -> str:
    """What is wrong with the server, as a sentence; empty when it answers `GET /ping` over HTTP/2.

    With `http:` HTTP/2 is spoken at once (prior knowledge). Raises `StartError` when the CA's certificate cannot be
    read. Source: PROTOCOL 1.1, 1.4.
    """
    import httpx

    secure = url.lower().startswith("https:")
    try:
        context = _trust(ca_file) if secure else ssl.create_default_context()
        with httpx.Client(verify=context, http1=False, http2=True, timeout=timeout, trust_env=False) as client:
            headers = {"authorization": f"Bearer {token}", "user-agent": f"mockcic/ping/{__version__} (Python;mockcic)"}
            answer = client.get(f"{url.rstrip('/')}/ping", headers=headers)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        return f'"{url}" is no address; write https://HOST:PORT'
    except httpx.TimeoutException:
        return f"{url} did not answer within {timeout:g} s"
    except httpx.HTTPError as error:
        return f"{url} cannot be reached: {_reason(error)}"
    if answer.status_code not in UP:
        return f"{url} answered GET /ping with {answer.status_code} instead of 204"
    return ""


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    path = default_ca() if ca_file is None else ca_file
    if ca_file is None and not path.exists():
        return ssl.create_default_context()  # a server with a certificate of a public authority
    try:
        return ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        raise StartError(f"cannot read the CA certificate {path}: {error.strerror or error}") from error


def _reason(error: Exception) -> str:
    """The innermost cause in words: httpx wraps those of the socket and of TLS twice."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message}); name the CA with --ca"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(error) or type(error).__name__


__all__ = ["command", "default_ca", "ping"]
