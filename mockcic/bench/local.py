"""A place in this process: a server in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mockcic.auth.identity import Identity, identity_of
from mockcic.bench.loading import Parcel
from mockcic.bench.place import Hear, Lose
from mockcic.control.ask import AskError
from mockcic.control.desk import Desk
from mockcic.control.shapes import (
    ChaosShape,
    ClockShape,
    ClockTurned,
    Delivery,
    DeviceChange,
    DeviceShape,
    FaultOrder,
    FaultShape,
    Issue,
    Push,
    TokenPair,
    TokenShape,
)
from mockcic.server.service import Service

T = TypeVar("T")


class Running(Protocol):
    """A server that runs in a thread of its own."""

    service: Service
    desk: Desk

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in the server's loop and wait for what it returns."""

    def wait_for_coroutine(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the server's loop and wait for what it returns."""


class LocalPlace:
    """See `Place`."""

    def __init__(self, running: Running) -> None:
        self._running = running

    @property
    def _desk(self) -> Desk:
        return self._running.desk

    @property
    def url(self) -> str:
        """`https://127.0.0.1:PORT`."""
        return self._running.service.url

    @property
    def version(self) -> str:
        """This mockcic."""
        return self._desk.version

    @property
    def h2c_url(self) -> str | None:
        """`http://127.0.0.1:PORT`."""
        return self._running.service.h2c_url

    @property
    def auth_url(self) -> str:
        """See `Place`."""
        return self._running.service.auth_url

    @property
    def ca_file(self) -> Path | None:
        """The CA in the home of this user."""
        return self._running.service.ca_file

    def listen(self, hear: Hear, lose: Lose) -> Callable[[], None]:
        """`hear` is called in the server's thread; entries of a server in this process are not lost."""
        end = self._running.call(lambda: self._desk.cic.journal.listen(hear))
        return lambda: self._running.call(end)

    def catch_up(self) -> None:
        """An entry is heard where it is written: once the loop has had its turn, all have been."""
        self._running.call(lambda: None)

    def announce(self, token: str) -> str:
        """See `Place`."""
        return self._running.call(lambda: self._desk.devices.announce(token))

    def assign(self, token: str, parcel: Parcel) -> None:
        """The first scenario that fits the token."""
        identity = identity_of(token)
        device_id = "" if identity is None else identity.device_id
        scenario = parcel.scenarios.for_device(token if identity is None else "", "", device_id)
        self._running.call(lambda: self._desk.devices.assign(token, scenario))

    def load(self, parcel: Parcel) -> None:
        """The whole set."""
        self._running.call(lambda: self._desk.scenarios.replace(parcel.scenarios))

    def forget(self, token: str) -> None:
        """See `Place`."""
        self._running.call(lambda: self._desk.devices.drop(token))

    def claim(self, name: str) -> bool:
        """See `Place`."""
        return self._running.call(lambda: self._desk.devices.claim(name))

    def release(self, token: str) -> None:
        """See `Place`."""
        self._running.call(lambda: self._desk.devices.release(token))

    def look(self, name: str) -> DeviceShape | None:
        """See `Place`."""

        def look() -> DeviceShape | None:
            try:
                return self._desk.devices.look(name)
            except AskError:
                return None

        return self._running.call(look)

    def devices(self) -> list[DeviceShape]:
        """See `Place`."""
        return self._running.call(self._desk.devices.all)

    def change(self, token: str, change: DeviceChange) -> None:
        """See `Place`."""
        self._running.call(lambda: self._desk.devices.change(token, change))

    def cue(self, token: str, name: str, args: Mapping[str, Any]) -> None:
        """See `Place`."""
        self._running.call(lambda: self._desk.devices.play_cue(token, name, args))

    def transcribe(self, token: str, text: str) -> None:
        """See `Place`."""
        self._running.call(lambda: self._desk.devices.transcribe(token, text))

    def fault(self, order: FaultOrder) -> FaultShape:
        """See `Place`."""
        return self._running.call(lambda: self._desk.faults.set(order, by="test"))

    def faults(self) -> list[FaultShape]:
        """See `Place`."""
        return self._running.call(self._desk.faults.all)

    def remove_fault(self, number: int) -> None:
        """See `Place`."""

        def remove() -> None:
            with suppress(AskError):
                self._desk.faults.remove(number)

        self._running.call(remove)

    def reset(self, token: str) -> None:
        """See `Place`."""
        self._running.call(lambda: self._desk.devices.reset(token))

    def expire(self, token: str) -> None:
        """See `Place`."""
        self._running.call(lambda: self._desk.devices.expire(token))

    def issue(self, asked: Issue) -> TokenPair:
        """See `Place`."""
        identity = Identity(asked.client_id, asked.device_id, asked.model_id)
        return self._running.call(lambda: self._desk.tokens.issue(identity))

    def tokens(self, device: str) -> list[TokenShape]:
        """See `Place`."""
        return self._running.call(lambda: self._desk.tokens.all(device))

    def expire_token(self, token: str) -> None:
        """See `Place`."""
        self._running.call(lambda: self._desk.tokens.expire(token))

    def revoke_token(self, token: str) -> None:
        """See `Place`."""
        self._running.call(lambda: self._desk.tokens.revoke(token))

    def clock(self) -> ClockShape:
        """See `Place`."""
        return self._running.call(self._desk.clock.look)

    def advance(self, *, by: str | float | None, to: str | None) -> ClockTurned:
        """See `Place`."""
        return self._running.wait_for_coroutine(self._desk.clock.advance(by=by, to=to))

    def set_factor(self, factor: float) -> None:
        """See `Place`."""
        self._running.call(lambda: self._desk.clock.set_factor(factor))

    def put_right(self) -> None:
        """See `Place`."""
        self._running.call(self._desk.clock.put_right)

    def play_chaos(self, text: str, called: str) -> ChaosShape:
        """See `Place`."""
        return self._running.wait_for_coroutine(self._desk.chaos.play(text, called))

    def chaos(self) -> ChaosShape:
        """See `Place`."""
        return self._running.call(self._desk.chaos.look)

    def stop_chaos(self) -> ChaosShape:
        """See `Place`."""
        return self._running.call(self._desk.chaos.stop)

    def push(self, push: Push) -> Delivery:
        """See `Place`."""
        return self._running.wait_for_coroutine(self._desk.pushes.push(push))

    def sound(self, sha256: str) -> bytes | None:
        """Read from the spool, in the caller's thread."""
        return self._desk.cic.journal.spool.get(sha256)
