"""One device as a test sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mockcic.auth.identity import Identity, identity_of
from mockcic.bench.faults import SetFault, order
from mockcic.control.shapes import DeviceChange, DeviceShape, Issue, TokenPair, TokenShape
from mockcic.journal.entry import Entry
from mockcic.verdict.verdict import Verdict

if TYPE_CHECKING:
    from mockcic.bench.bench import Bench
    from mockcic.journal.filter import Asked
    from mockcic.verdict.conformance import Recovery


class TestDevice:
    """The token to give to a device, and what it did."""

    __test__ = False  # pytest: this is no test class

    def __init__(self, bench: Bench, token: str, name: str, identity: Identity | None = None) -> None:
        self.token = token
        """Its bearer token; of a device that was named by its `device_id`, the key of that (until `issue_token`)."""
        self.name = name
        """Its short name in the journal."""
        self.identity = identity
        """Client, device and model as it tells the authorization server; None for a hand-made token."""
        self._bench = bench

    @property
    def headers(self) -> dict[str, str]:
        """The request headers that make a client this device."""
        return {
            "authorization": f"Bearer {self._known_token()}",
            "user-agent": "MockMaker/TestDevice/1.0.0 (Linux;pytest)",
        }

    def _known_token(self) -> str:
        if self.token.startswith("…"):
            raise LookupError(f"{self.name} came with a token of its own, which is known to it alone")
        if identity_of(self.token) is not None:
            raise LookupError(f"{self.name} has no token yet; it asks for one at auth_url, or call issue_token()")
        return self.token

    def __repr__(self) -> str:
        return f"<TestDevice {self.name}>"

    def _look(self) -> DeviceShape:
        found = self._bench._place.look(self._key)
        if found is None:
            raise LookupError("the device has not connected yet")
        return found

    @property
    def state(self) -> str:
        """The scenario's state it is in; can be set."""
        return self._look().state

    @state.setter
    def state(self, state: str) -> None:
        self._bench._place.change(self._key, DeviceChange(state=state))

    @property
    def vars(self) -> dict[str, Any]:
        """Its variables; `set` changes them."""
        return self._look().vars

    def set(self, **values: Any) -> None:
        """Give variables of its scenario new values."""
        self._bench._place.change(self._key, DeviceChange(vars=values))

    def cue(self, name: str, /, **args: Any) -> None:
        """Make a named cue of its scenario happen: `device.cue("set-alarm", at="2026-03-02T07:00:00+09:00")`.

        Raises `AskError` (of a remote server `ControlError`) for a cue or an argument the scenario lacks, and where
        something is to be pushed and no downchannel is open.
        """
        self._bench._place.cue(self.token, name, args)

    def fault(self, fault: Mapping[str, Any] | None = None, /, *, always: bool = False, **members: Any) -> SetFault:
        """Make something go wrong for it (docs/faults.md): `device.fault(reset="CANCEL", after={"sent": 120})`.

        It strikes once, unless `times`, `nth`, `for_`, `chance` or `always` say otherwise. Its end is that of the
        test, or of a `with`. Raises `FaultError` for what is no fault, with what was expected.
        """
        return self._bench._set_fault([order(self._key, fault, members, always=always)])

    def transcript(self, text: str) -> None:
        """Say what is said in its running or next upload: `audio.text` of the scenario."""
        self._bench._place.transcribe(self.token, text)

    def reset(self) -> None:
        """Let it begin anew: state, variables and counters as at the start, running scripts cancelled."""
        self._bench._place.reset(self._key)

    def expire(self) -> None:
        """End its downchannel, as if its lifetime were over."""
        self._bench._place.expire(self._key)

    def issue_token(self) -> TokenPair:
        """Give it a token pair without /authorize and /token; `token` and `headers` are those of the new one."""
        if self.identity is None:
            raise LookupError(f"{self.name} has a hand-made token; name it by its id: cic.device(device_id=...)")
        said = {"client_id": self.identity.client_id, "model_id": self.identity.model_id}
        pair = self._bench._place.issue(Issue(device_id=self.identity.device_id, **said))
        self.token = pair.access_token
        return pair

    @property
    def tokens(self) -> list[TokenShape]:
        """The access tokens that were issued to it, oldest first, each with its state."""
        return self._bench._place.tokens(self._key)

    def expire_token(self) -> None:
        """Let its access tokens expire now: what it asks next gets 401. A hand-made token expires, too."""
        self._bench._place.expire_token(self._key)

    def revoke_token(self) -> None:
        """Take its tokens back, as if it had been logged out elsewhere: 401, and no refresh either."""
        self._bench._place.revoke_token(self._key)

    def recoveries(self, **how: Any) -> tuple[Recovery, ...]:
        """As `Bench.recoveries`, of this device only."""
        return self._bench.recoveries(device=self, **how)

    @property
    def _key(self) -> str:
        return self.token if self.identity is None else self.identity.key

    @property
    def connected(self) -> bool:
        """Whether its downchannel is open."""
        found = self._bench._place.look(self._key)
        return found is not None and found.downchannel

    def push(self, directive: str | Mapping[str, Any], payload: Mapping[str, Any] | None = None) -> bool:
        """Push a directive on its downchannel; False when there is none. See `Bench.push`."""
        return self._bench.push(directive, payload, to=self) == 1

    @property
    def journal(self) -> tuple[Entry, ...]:
        """What happened with it, oldest first."""
        return tuple(entry for entry in self._bench.journal if entry.device == self.name)

    @property
    def events(self) -> tuple[Entry, ...]:
        """The events it sent."""
        return tuple(entry for entry in self.journal if entry.kind == "event")

    @property
    def directives(self) -> tuple[Entry, ...]:
        """The directives that were sent to it."""
        return tuple(entry for entry in self.journal if entry.kind == "directive" and "dropped" not in entry.data)

    def wait(self, asked: Asked, **how: Any) -> Entry:
        """As `Bench.wait`, of this device only."""
        return self._bench.wait(asked, device=self, **how)

    async def wait_async(self, asked: Asked, **how: Any) -> Entry:
        """As `Bench.wait_async`, of this device only."""
        return await self._bench.wait_async(asked, device=self, **how)

    def verify(self, asked: Asked, times: Any = None, **how: Any) -> Verdict:
        """As `Bench.verify`, of this device only."""
        return self._bench.verify(asked, times, device=self, **how)

    def never(self, asked: Asked, **how: Any) -> Verdict:
        """As `Bench.never`, of this device only."""
        return self._bench.never(asked, device=self, **how)

    async def never_async(self, asked: Asked, **how: Any) -> Verdict:
        """As `Bench.never_async`, of this device only."""
        return await self._bench.never_async(asked, device=self, **how)
