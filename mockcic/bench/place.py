"""What a bench needs of a server, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from mockcic.bench.loading import Parcel
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
from mockcic.journal.entry import Entry

Hear = Callable[[Entry], None]
Lose = Callable[[str], None]


class Place(Protocol):
    """A running server. Every call may be made from any thread and waits until it is done."""

    @property
    def url(self) -> str:
        """Where devices connect."""

    @property
    def version(self) -> str:
        """Which mockcic it is."""

    @property
    def h2c_url(self) -> str | None:
        """Where they connect in clear text, None where they cannot."""

    @property
    def auth_url(self) -> str:
        """Where the authorization server is."""

    @property
    def ca_file(self) -> Path | None:
        """The CA to give to clients, None without TLS."""

    def listen(self, hear: Hear, lose: Lose) -> Callable[[], None]:
        """Call `hear` with each new entry, in a thread of the place; returns what ends that.

        `lose` is called, with a sentence that says why, when no more can be heard.
        """

    def catch_up(self) -> None:
        """Return when every entry that the server has written by now was heard."""

    def announce(self, token: str) -> str:
        """The short name that the device of a token has, or will have."""

    def assign(self, token: str, parcel: Parcel) -> None:
        """Give a device a scenario of its own. Raises `ScenarioError`."""

    def load(self, parcel: Parcel) -> None:
        """Make a scenario that of all devices which were not given one of their own."""

    def forget(self, token: str) -> None:
        """Forget a device, and what it was given; harmless when it is not known."""

    def claim(self, name: str) -> bool:
        """Take a device that nobody announced or claimed; False when somebody was faster."""

    def release(self, token: str) -> None:
        """Give back a device that is not the test's own, by token or name: it begins anew in the set, connected."""

    def look(self, name: str) -> DeviceShape | None:
        """A device as it is now, by token or short name; None when it has not come yet."""

    def devices(self) -> list[DeviceShape]:
        """All devices that have come."""

    def change(self, token: str, change: DeviceChange) -> None:
        """Put a device into a state, give its variables values."""

    def cue(self, token: str, name: str, args: Mapping[str, Any]) -> None:
        """Make a named cue of its scenario happen on a device."""

    def transcribe(self, token: str, text: str) -> None:
        """Say what is said in the running or the next upload of a device."""

    def fault(self, order: FaultOrder) -> FaultShape:
        """Set a fault."""

    def faults(self) -> list[FaultShape]:
        """Those that are set."""

    def remove_fault(self, number: int) -> None:
        """Remove one; harmless when it is gone."""

    def reset(self, token: str) -> None:
        """Let a device begin anew."""

    def expire(self, token: str) -> None:
        """End a device's downchannel."""

    def issue(self, asked: Issue) -> TokenPair:
        """Give a device a token pair without all the asking."""

    def tokens(self, device: str) -> list[TokenShape]:
        """The access tokens of a device that were issued here."""

    def expire_token(self, token: str) -> None:
        """Let the tokens of a device expire now."""

    def revoke_token(self, token: str) -> None:
        """Take the tokens of a device back."""

    def clock(self) -> ClockShape:
        """What the server's clock shows, and how it goes."""

    def advance(self, *, by: str | float | None, to: str | None) -> ClockTurned:
        """Turn it forward; returns when all that came due was handed to the connections."""

    def set_factor(self, factor: float) -> None:
        """Let it run so many times as fast as real time."""

    def put_right(self) -> None:
        """Let it show real time again."""

    def play_chaos(self, text: str, called: str) -> ChaosShape:
        """Play a chaos file. Raises `ScenarioError`."""

    def chaos(self) -> ChaosShape:
        """What plays, or played last."""

    def stop_chaos(self) -> ChaosShape:
        """Stop it."""

    def push(self, push: Push) -> Delivery:
        """Push a directive; returns when its bytes were handed to the connections."""

    def sound(self, sha256: str) -> bytes | None:
        """The bytes of a sound that was kept."""
