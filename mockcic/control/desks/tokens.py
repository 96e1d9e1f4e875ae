"""Tokens of devices on a running server: listed, issued, ended by hand."""

from __future__ import annotations

from mockcic.auth.identity import Identity
from mockcic.auth.issued import Access
from mockcic.auth.life import AccessState
from mockcic.control.ask import AskError
from mockcic.control.desks.names import Names
from mockcic.control.shapes import TokenPair, TokenShape
from mockcic.journal.redact import shortened
from mockcic.server.app import Cic


class TokenDesk:
    """For the server's own loop. A device is named as `Names` has it. Raises `AskError`."""

    def __init__(self, cic: Cic, names: Names) -> None:
        self._devices = cic.devices
        self._authorization = cic.authorization
        self._names = names

    def all(self, device: str | None = None) -> list[TokenShape]:
        """The access tokens that were issued here, oldest first; of one device."""
        key = None if device is None else self._names.known_key_of(device)
        return [self._shape(access) for access in self._authorization.authority.tokens(key)]

    def issue(self, identity: Identity) -> TokenPair:
        """A token pair for a device, without all the asking."""
        pair = self._authorization.issue(identity)
        return TokenPair(device=self._devices.name_of(identity.key), **pair)

    def expire(self, device: str) -> list[TokenShape]:
        """Let the tokens of a device expire now; also a hand-made one."""
        key = self._names.known_key_of(device)
        if not self._authorization.expire(key):
            raise self._nothing_lives(key)
        return self.all(key)

    def revoke(self, device: str) -> list[TokenShape]:
        """Take the tokens of a device back; also a hand-made one."""
        key = self._names.known_key_of(device)
        if not self._authorization.revoke(key):
            raise self._nothing_lives(key)
        return self.all(key)

    def _nothing_lives(self, key: str) -> AskError:
        return AskError(409, f"{self._devices.name_of(key)} has no token that lives", member="device")

    def _shape(self, access: Access) -> TokenShape:
        identity = access.identity
        refresh = self._authorization.authority.refresh_of(access)
        left = None if access.ends_s is None else max(0.0, access.ends_s - self._authorization.clock.now())
        return TokenShape(
            device=self._devices.name_of(access.key),
            client_id="" if identity is None else identity.client_id,
            device_id="" if identity is None else identity.device_id,
            model_id="" if identity is None else identity.model_id,
            token=shortened(access.text),
            state=access.state.value,
            left_s=left if access.state is AccessState.LIVE else None,
            refresh_token=None if refresh is None else refresh.state.value,
            guest=access.guest,
        )
