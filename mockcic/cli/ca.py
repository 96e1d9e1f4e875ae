"""`mockcic ca`: the certificate authority that devices have to trust."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="ca", short_help="Say where the certificate authority is, print it, make it anew.")
@click.option(
    "--home", "folder", type=click.Path(path_type=Path), help="Its folder.  [default: $MOCKCIC_HOME or ~/.mockcic]"
)
@click.option("--print", "as_text", is_flag=True, help="Print the certificate itself (PEM) instead of its place.")
@click.option("--renew", is_flag=True, help="Make it anew; devices then have to be given the new one.")
def command(folder: Path | None, as_text: bool, renew: bool) -> None:
    """Print where the CA's certificate is; it is made when there is none yet.

    Give this file to the device under test. Its key stays in the same folder and goes nowhere.
    """
    from mockcic.server.tls import Authority, home

    authority = Authority.open(home() if folder is None else folder)
    if renew:
        authority.renew()
    if as_text:
        click.echo(authority.ca_file.read_text(), nl=False)
    else:
        click.echo(authority.ca_file)


__all__ = ["command"]
