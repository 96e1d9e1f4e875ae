"""A test's own place on a server: its devices, its scenario, what happened with them."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from warnings import warn

from mockcic.auth.identity import Identity
from mockcic.bench.aside import aside
from mockcic.bench.device import TestDevice
from mockcic.bench.faults import SetFault, order
from mockcic.bench.loading import Loadable, Parcel, chaos_text, parcel
from mockcic.bench.place import Place
from mockcic.bench.record import Record
from mockcic.bench.witness import Witness
from mockcic.control.ask import AskError
from mockcic.control.shapes import WAIT_S, ChaosShape, ClockShape, ClockTurned, FaultOrder, FaultShape, Push, Target
from mockcic.errors import FaultError, StartError
from mockcic.journal.entry import Entry
from mockcic.journal.filter import read_filter
from mockcic.journal.redact import Redaction
from mockcic.scenario.model import Scenario
from mockcic.scenario.scenario_set import ScenarioSet
from mockcic.scenario.settings import Profile
from mockcic.server.clock import LoopClock
from mockcic.trace.file import Trace, write_trace
from mockcic.trace.make import make_trace, without_tokens
from mockcic.verdict.times import Times
from mockcic.verdict.verdict import Verdict, VerificationError


class Bench(Witness):
    """A test's own place on a server: its devices, its scenario, its journal. Others on the server are not seen.

    Every call may be made from any thread; those ending in `_async` from asyncio and from trio. A verification that is
    not kept raises `VerificationError` (see `Witness`).
    """

    def __init__(self, place: Place, *, all_devices: bool = False, begun: ScenarioSet | None = None) -> None:
        super().__init__(place)
        self._all = all_devices
        self._devices: dict[str, TestDevice] = {}
        self._borrowed: set[str] = set()
        self._names: set[str] = set()
        self._parcel: Parcel | None = None
        self._begun = begun
        self._end_listening: Callable[[], None] | None = None
        self._faults: list[SetFault] = []
        self._faults_to_come: list[tuple[FaultOrder, SetFault]] = []
        self._has_turned = False
        self._plays = False

    def open(self) -> None:
        """Begin to listen."""
        self._end_listening = self._place.listen(self._record.hear, self._record.lose)

    def close(self) -> None:
        """Forget the devices and stop listening; those with tokens of their own stay connected and begin anew."""
        if self._end_listening is not None:
            self._end_listening()
            self._end_listening = None
        with contextlib.suppress(StartError):  # a server that went away has no faults
            for each in self._faults:
                each.remove()
        self._faults, self._faults_to_come = [], []
        if not self._all:
            if self._plays:
                with contextlib.suppress(AskError):  # it is over by itself
                    self.stop_chaos()
            if self._has_turned:
                self.put_clock_right()
            for token in list(self._devices):
                if token in self._borrowed:
                    self._place.release(token)
                else:
                    self._place.forget(token)

    def _is_ours(self, entry: Entry) -> bool:
        """Of this test's devices, or about the clock or a chaos, which are everybody's."""
        return self._all or entry.device in self._names or entry.kind in ("clock", "chaos")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url} {', '.join(sorted(self._names)) or 'without devices'}>"

    # ------------------------------------------------------------------ where

    @property
    def url(self) -> str:
        """`https://127.0.0.1:PORT`, with the certificate of `ca_file`."""
        return self._place.url

    @property
    def h2c_url(self) -> str | None:
        """`http://127.0.0.1:PORT` for HTTP/2 with prior knowledge in clear text."""
        return self._place.h2c_url

    @property
    def auth_url(self) -> str:
        """Where the authorization server is: `{auth_url}/authorize`, `{auth_url}/token`, with the same certificate.

        Its own listener (HTTP/1.1 and HTTP/2) where there is one, else that of the devices (HTTP/2).
        """
        return self._place.auth_url

    @property
    def clock(self) -> ClockShape:
        """The server's clock: the `time` it shows, its `factor`, what it is ahead of real time."""
        return self._place.clock()

    def advance(self, by: str | float | None = None, *, to: str | None = None) -> ClockTurned:
        """Turn the server's clock forward, by `"8h"` or seconds, or to `"07:00"` or an ISO 8601 time.

        It is the whole server's, for all tests. What comes due on the way happens in its order, and was handed to the
        connections when this returns; `due` says how much, `expired` how many tokens. A test's end puts it right again.
        """
        self._has_turned = True
        return self._place.advance(by=by, to=to)

    async def advance_async(self, by: str | float | None = None, *, to: str | None = None) -> ClockTurned:
        """As `advance`."""
        return await aside(partial(self.advance, by, to=to))

    def set_time_factor(self, factor: float) -> None:
        """Let the server's clock run so many times as fast as real time, for all tests; 0: it stands."""
        self._has_turned = True
        self._place.set_factor(factor)

    def put_clock_right(self) -> None:
        """Let the server's clock show real time again, and run as it does."""
        self._has_turned = False
        self._place.put_right()

    def chaos(self, what: str | Path | Mapping[str, Any]) -> ChaosShape:
        """Play a chaos file (docs/chaos.md) from its beginning: a path, YAML text, or a mapping; gives its plan.

        It is the whole server's, for all tests; the end of this test stops it. Raises `ScenarioError`.
        """
        text, called = chaos_text(what)
        self._plays, self._has_turned = True, True
        return self._place.play_chaos(text, called)

    @property
    def played_chaos(self) -> ChaosShape:
        """The chaos that plays, or played last: what came of its plan. Raises `AskError` where there was none."""
        return self._place.chaos()

    def stop_chaos(self) -> ChaosShape:
        """Stop the chaos that plays: its faults are gone."""
        self._plays = False
        return self._place.stop_chaos()

    @property
    def ca_file(self) -> Path:
        """The CA to give to clients."""
        ca_file = self._place.ca_file
        if ca_file is None:
            raise StartError("this server has no TLS, and so no CA")
        return ca_file

    # ------------------------------------------------------------------ devices and scenarios

    def device(
        self,
        token: str | None = None,
        *,
        device_id: str | None = None,
        client_id: str = "mock-client",
        model_id: str = "mock-model",
    ) -> TestDevice:
        """A device of this test, with a fresh token unless one is given.

        With `device_id` it is the device that asks the authorization server for its tokens under this id, as this
        client and model: the same through all of them.
        """
        identity = None
        if device_id is not None:
            if token is not None:
                raise ValueError("a device is named by its token or by its device_id, not by both")
            identity = Identity(client_id, device_id, model_id)
            token = identity.key
        if token and identity is None and token not in self._devices:
            self._borrowed.add(token)
        token = token or f"test-{uuid.uuid4().hex}"
        if token not in self._devices:
            name = self._place.announce(token)
            self._names.add(name)
            self._devices[token] = TestDevice(self, token, name, identity)
            if self._parcel is not None:
                self._place.assign(token, self._parcel)
            self._meet(self._devices[token])
        return self._devices[token]

    def wait_for_device(self, *, within: float = 30.0) -> TestDevice:
        """The next device that opens a downchannel and is no other test's: hardware that has a token of its own.

        Its token stays unknown, `token` is its short name; everything else works.
        """
        heard = Record(lambda _: True)
        opened = read_filter({"kind": "downchannel", "name": "open"})
        now, seen = LoopClock().now, 0
        until = now() + within
        end = self._place.listen(heard.hear, heard.lose)
        try:
            while not (name := self._claimed_device()):
                waiting = heard.wait(opened, Times(1, None), max(0.0, until - now()), after=seen, device=None)
                if waiting.last is None:
                    return self._nobody_came(within)
                seen = waiting.last.number
            self._names.add(name)
        finally:
            end()
        self._record.adopt(name, heard.entries)
        device = self._devices[name] = TestDevice(self, name, name)
        self._borrowed.add(name)
        if self._parcel is not None:
            self._place.assign(name, self._parcel)
        self._meet(device)
        return device

    def _nobody_came(self, within: float) -> NoReturn:
        asked = f"a device that no test announced opens a downchannel within {within:g} s"
        verdict = self.say(Verdict(asked, "broken", "none did"))
        raise VerificationError(verdict)

    async def wait_for_device_async(self, *, within: float = 30.0) -> TestDevice:
        """As `wait_for_device`, for a test that runs in an event loop."""
        return await aside(partial(self.wait_for_device, within=within))

    def _claimed_device(self) -> str:
        """The short name of a device that is connected and that is no other test's, ours from now on; empty without."""
        free = (each.device for each in self._place.devices() if each.downchannel and not each.announced)
        return next((name for name in free if name not in self._names and self._place.claim(name)), "")

    @property
    def token(self) -> str:
        """The token of the test's first device; made when first asked for."""
        first = next(iter(self._devices.values()), None)
        return (first or self.device()).token

    def load(self, what: Loadable, *, profile: Profile | None = None, strict: bool = False) -> ScenarioSet:
        """Run this scenario from now on: a path, YAML text, a mapping. `ScenarioError` changes nothing."""
        found = parcel(what, profile=profile, strict=strict)
        if self._all:
            self._place.load(found)
        for token in list(self._devices):
            self._place.assign(token, found)
        self._parcel = found
        return found.scenarios

    @property
    def scenarios(self) -> ScenarioSet | None:
        """What was loaded here; without that what the server began with, where that is known."""
        return self._begun if self._parcel is None else self._parcel.scenarios

    @property
    def scenario(self) -> Scenario | None:
        """The scenario of `scenarios`; of a set, the one for any device."""
        return None if self.scenarios is None else self.scenarios.for_device("", "")

    def push(
        self,
        directive: str | Mapping[str, Any],
        payload: Mapping[str, Any] | None = None,
        *,
        to: TestDevice | None = None,
        within: float = WAIT_S,
    ) -> int:
        """Push a directive to the devices of this test, or to one; how many downchannels it was handed to.

        `directive` is `"Namespace.Name"` with its payload beside it, or a mapping as a scenario has it:
        `{"SpeechSynthesizer.Speak": {"audio": {"tone": 440}}}`. What the protocol fixes is filled in.
        """
        said: dict[str, Any] = {"directive": directive, "payload": dict(payload or {})}
        if not isinstance(directive, str):
            said = {"step": dict(directive)}
        if to is not None:
            names = [to.name]
        elif self._all:
            names = [device.device for device in self._place.devices() if device.downchannel]
        else:
            names = [device.name for device in list(self._devices.values()) if device.connected]
        if not names or (to is not None and self._place.look(to.name) is None):
            return 0
        return self._place.push(Push(**said, to=Target(device=names), within=within)).count

    # ------------------------------------------------------------------ faults

    def fault(self, fault: Mapping[str, Any] | None = None, /, *, always: bool = False, **members: Any) -> SetFault:
        """Make something go wrong for each device of this test, those that come later too (docs/faults.md).

        `cic.fault(goaway="NO_ERROR")`, `cic.fault({"reset": "CANCEL", "on": "downchannel"}, times=2)`. It strikes once
        at each, unless `times`, `nth`, `every`, `for_`, `chance` or `always` say otherwise. What happens to connections
        that are only about to be (`accept`, `listener`) is everybody's on the server. Its end is that of the test, or
        of a `with`. Raises `FaultError` for what is no fault, with what was expected.
        """
        asked = order("*", fault, members, always=always)
        if self._all or asked.fault.role == "accept":
            return self._set_fault([asked])
        mine = [asked.model_copy(update={"device": device._key}) for device in self._devices.values()]
        found = self._set_fault(mine)
        self._faults_to_come.append((asked, found))
        return found

    @property
    def faults(self) -> tuple[FaultShape, ...]:
        """The faults that are set for the devices of this test, those of their scenarios too."""
        mine = {number for each in self._faults for number in each.numbers}
        found = self._place.faults()
        return tuple(each for each in found if self._all or each.number in mine or each.device in self._names)

    def _set_fault(self, orders: Sequence[FaultOrder]) -> SetFault:
        try:
            found = SetFault(self._place, *(self._place.fault(each) for each in orders))
        except AskError as error:
            raise FaultError(str(error)) from None
        self._faults.append(found)
        for said in found.warnings:
            warn(f"fault {found.name}: {said}", stacklevel=3)
        return found

    def _meet(self, device: TestDevice) -> None:
        """A device is new in this test: it gets what is set for all."""
        for asked, found in self._faults_to_come:
            if not found.removed:
                found.add(self._place.fault(asked.model_copy(update={"device": device._key})))

    # ------------------------------------------------------------------ what happened

    def trace(self, path: Path | str | None = None, *, title: str = "") -> Trace:
        """What happened, with sounds and scenarios, as one value; written to a .cictrace file where `path` says.

        Of a server that went away it has what had been heard before.
        """
        with contextlib.suppress(StartError):
            self._place.catch_up()
        scenarios = () if self.scenarios is None else self.scenarios.scenarios
        texts = {name: text for each in scenarios for name, text in each.texts.items()}
        texts = without_tokens(texts, set(self._devices).union(*(each.named_tokens for each in scenarios)), Redaction())
        trace = make_trace(
            self.heard,
            scenarios=scenarios,
            texts=texts,
            sound=self._place.sound,
            dropped=self._record.dropped,
            title=title,
            version=self._place.version,
        )
        if path is not None:
            write_trace(Path(path), trace)
        return trace
