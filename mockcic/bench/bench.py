"""A test's own place on a server: its devices, its scenario, what happened with them."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar
from warnings import warn

from mockcic.auth.identity import Identity
from mockcic.bench.device import TestDevice
from mockcic.bench.faults import SetFault, order
from mockcic.bench.loading import Loadable, Parcel, chaos_text, parcel
from mockcic.bench.place import Place
from mockcic.bench.record import Record
from mockcic.control.ask import AskError
from mockcic.control.shapes import ChaosShape, ClockShape, ClockTurned, FaultOrder, FaultShape, Push, Target
from mockcic.errors import FaultError, StartError
from mockcic.journal.entry import Entry, Kind
from mockcic.journal.filter import Asked, read_filter
from mockcic.journal.packed import packed_or_plain
from mockcic.journal.redact import Redaction
from mockcic.scenario.load import ScenarioSet
from mockcic.scenario.model import Scenario
from mockcic.scenario.settings import Profile
from mockcic.server.clock import LoopClock
from mockcic.trace.file import Trace, write_trace
from mockcic.trace.make import make_trace, without_tokens
from mockcic.verdict import judge
from mockcic.verdict.times import Times, read_times
from mockcic.verdict.verdict import Verdict, VerificationError

if TYPE_CHECKING:
    from mockcic.verdict.conformance import Conformance, Recovery

WAIT_S: Final = 5.0
"""How long `wait` waits unless told otherwise (INF)."""

LOOK_ON_S: Final = 1.0
"""How long `never` looks on unless told otherwise (INF)."""

T = TypeVar("T")


class Bench:
    """A test's own place on a server: its devices, its scenario, its journal. Others on the server are not seen.

    Every call may be made from any thread; those ending in `_async` from asyncio and from trio. A verification that is
    not kept raises `VerificationError`, an `AssertionError` whose text says what was asked, what came, and field by
    field how the nearest entries differ.
    """

    def __init__(self, place: Place, *, all_devices: bool = False, begun: ScenarioSet | None = None) -> None:
        self._place = place
        self._all = all_devices
        self._devices: dict[str, TestDevice] = {}
        self._borrowed: set[str] = set()
        self._names: set[str] = set()
        self._parcel: Parcel | None = None
        self._begun = begun
        self._record = Record(self._is_ours)
        self._end_listening: Callable[[], None] | None = None
        self._faults: list[SetFault] = []
        self._faults_to_come: list[tuple[FaultOrder, SetFault]] = []
        self._judged = 0
        self._has_turned = False
        self._plays = False
        self.verdicts: list[Verdict] = []
        """What came of each verification, in their order."""

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

    @property
    def journal(self) -> tuple[Entry, ...]:
        """What happened, oldest first."""
        self._place.catch_up()
        return self._record.entries

    @property
    def heard(self) -> tuple[Entry, ...]:
        """What is known here of what happened, without asking the server whether there is more."""
        return self._record.entries

    @property
    def events(self) -> tuple[Entry, ...]:
        """The events that came: `entry.name`, `entry.dialogue`, `entry.data["payload"]`."""
        return self._of("event")

    @property
    def directives(self) -> tuple[Entry, ...]:
        """The directives that were sent: `entry.data["line"]` is `reply` or `downchannel`."""
        return tuple(entry for entry in self._of("directive") if "dropped" not in entry.data)

    @property
    def findings(self) -> tuple[Entry, ...]:
        """What devices did wrong."""
        return self._of("finding")

    def find(self, asked: Asked, **members: Any) -> tuple[Entry, ...]:
        """The entries that fit a filter."""
        fits = read_filter(asked, **members).fits
        return tuple(entry for entry in self.journal if fits(entry))

    def _of(self, kind: Kind) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.journal if entry.kind == kind)

    def sound(self, entry: Entry) -> bytes | None:
        """The bytes of an upload's sound, or of an attachment; None when they are no longer kept."""
        sha256 = entry.data.get("sha256")
        return self._place.sound(sha256) if sha256 else None

    def clear(self) -> None:
        """Forget what happened so far; devices and scenario stay."""
        self._place.catch_up()
        self._record.clear()

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

    # ------------------------------------------------------------------ verification

    def verify(
        self,
        asked: Asked,
        times: int | str | Times | None = None,
        *,
        device: TestDevice | None = None,
        after: Entry | int | None = None,
        **members: Any,
    ) -> Verdict:
        """How often something came: a number (exactly), "2..", "at most 1"; at least once without it.

        `members` are more conditions: `payload={"lang": "ko"}`.
        """
        __tracebackhide__ = True
        wanted = read_filter(asked, **members)
        entries, gone = self._scope(after, device)
        return self.say(judge.verify(entries, wanted, read_times(times), gone=gone)).raise_if_broken()

    def verify_order(
        self, asked: Sequence[Asked], *, device: TestDevice | None = None, after: Entry | int | None = None
    ) -> Verdict:
        """Whether things came one after another; others may come between."""
        __tracebackhide__ = True
        if isinstance(asked, str):
            raise TypeError("found one text, expected a list of filters, one after another")
        entries, gone = self._scope(after, device)
        return self.say(judge.verify_order(entries, [read_filter(each) for each in asked], gone=gone)).raise_if_broken()

    def wait(
        self,
        asked: Asked,
        *,
        within: float = WAIT_S,
        times: int | str | Times | None = None,
        device: TestDevice | None = None,
        after: Entry | int | None = None,
        **members: Any,
    ) -> Entry:
        """Wait until something came, now or within seconds; the entry that decided it. What came before counts."""
        __tracebackhide__ = True
        wanted, often = read_filter(asked, **members), read_times(times)
        name, number = None if device is None else device.name, _number(after)
        waiting = self._record.wait(wanted, often, within, after=number, device=name)
        gone = self._record.gone(number, name)
        verdict = waiting.verdict(lambda: self._record.scope(number, name), gone=gone, within_s=within)
        self.say(verdict).raise_if_broken()
        assert waiting.last is not None or often.low == 0
        return waiting.last or NOTHING

    async def wait_async(self, asked: Asked, **how: Any) -> Entry:
        """As `wait`, for a test that runs in an event loop."""
        return await aside(partial(self.wait, asked, **how))

    def never(
        self,
        asked: Asked,
        *,
        for_: float = LOOK_ON_S,
        device: TestDevice | None = None,
        after: Entry | int | None = None,
        **members: Any,
    ) -> Verdict:
        """Whether something stays away, also for the next seconds."""
        __tracebackhide__ = True
        wanted = read_filter(asked, **members)
        name, number = None if device is None else device.name, _number(after)
        self._record.wait(wanted, Times(0, 0), for_, after=number, device=name)
        entries, gone = self._scope(after, device)
        return self.say(judge.never(entries, wanted, gone=gone, for_s=for_)).raise_if_broken()

    async def never_async(self, asked: Asked, **how: Any) -> Verdict:
        """As `never`, for a test that runs in an event loop."""
        return await aside(partial(self.never, asked, **how))

    def no_unmatched(self, *, device: TestDevice | None = None, after: Entry | int | None = None) -> Verdict:
        """Whether every event found a rule."""
        __tracebackhide__ = True
        entries, gone = self._scope(after, device)
        return self.say(judge.no_unmatched(entries, gone=gone)).raise_if_broken()

    def no_findings(
        self, *, allow: Sequence[str] = (), device: TestDevice | None = None, after: Entry | int | None = None
    ) -> Verdict:
        """Whether the devices kept to the documents; `allow` are codes that do not count, wildcards allowed."""
        __tracebackhide__ = True
        entries, gone = self._scope(after, device)
        return self.say(judge.no_findings(entries, gone=gone, allow=allow)).raise_if_broken()

    def all_rules_used(self, *, device: TestDevice | None = None) -> Verdict:
        """Whether every rule of the scenario that was loaded here answered at least once."""
        __tracebackhide__ = True
        if self.scenarios is None:
            raise StartError("no scenario was loaded here; all_rules_used asks about the rules of one")
        rules = [(each.scenario, rule) for each in self.scenarios.scenarios for rule in each.answering_labels]
        entries, gone = self._scope(None, device)
        return self.say(judge.all_rules_used(entries, rules, gone=gone)).raise_if_broken()

    def conformance(
        self,
        *,
        device: TestDevice | None = None,
        after: Entry | int | None = None,
        allow: Sequence[str] = (),
        limits: Mapping[str, float | str] | None = None,
        warnings: bool = False,
        profile: Profile | None = None,
        check: bool = True,
    ) -> Conformance:
        """Whether the devices keep the guide: every rule of docs/conformance.md held against what they did.

        `allow` are ids of rules that are not judged, wildcards allowed; `limits` other numbers for them; in profile
        `seed` (that of the scenario loaded here unless told otherwise) what came later is not asked. Raises
        `ConformanceError`, an `AssertionError` that says what was found and how to mend it, when a rule is broken that
        counts, with `warnings` any; not at all when `check` is false.
        """
        __tracebackhide__ = True
        from mockcic.verdict.conformance import judge as judge_devices
        from mockcic.verdict.conformance import read_limits, rules_but

        numbers, rules = read_limits(limits or {}), rules_but(allow)
        entries, gone = self._scope(after, None)
        name = None if device is None else device.name
        judged = judge_devices(
            entries,
            numbers,
            until_s=self._now_s(),
            is_whole=not gone and not after,
            device=name,
            rules=rules,
            profile=profile or self._profile(),
        )
        self.say(judged.verdict(warnings=warnings))
        return judged.raise_if_broken(warnings=warnings) if check else judged

    def recoveries(
        self,
        *,
        device: TestDevice | None = None,
        after: Entry | int | None = None,
        limits: Mapping[str, float | str] | None = None,
    ) -> tuple[Recovery, ...]:
        """What the devices made of each trouble until now, in numbers (docs/recovery.md), oldest first."""
        from mockcic.verdict.conformance import read_limits, recoveries_in

        entries, _ = self._scope(after, None)
        name = None if device is None else device.name
        return recoveries_in(entries, read_limits(limits or {}), until_s=self._now_s(), device=name)

    def _profile(self) -> Profile:
        """That of the scenarios loaded here."""
        loaded = {each.profile for each in self.scenarios.scenarios} if self.scenarios is not None else set()
        return "seed" if loaded == {"seed"} else "2021"

    def _now_s(self) -> float:
        """The journal's time, by its youngest entry and the wall clock."""
        last = self._record.last
        return 0.0 if last is None else last.at_s + max(0.0, time.time() - last.wall_s)

    def _scope(self, after: Entry | int | None, device: TestDevice | None) -> tuple[list[Entry], bool]:
        self._place.catch_up()
        name, number = None if device is None else device.name, _number(after)
        return self._record.scope(number, name), self._record.gone(number, name)

    def say(self, verdict: Verdict) -> Verdict:
        """Keep it beside what happened, so that a trace and a report have it."""
        self.verdicts.append(verdict)
        last = self._record.last
        number, at_s, wall_s = 0 if last is None else last.number, self._now_s(), time.time()
        members = packed_or_plain(verdict.members())
        self._record.add(Entry(number, "verdict", at_s, wall_s, name=verdict.asked, data=members))
        return verdict


NOTHING: Final = Entry(0, "verdict", 0.0, 0.0, name="nothing came, as it should be")
"""What `wait` gives when at most so many were asked for, and none came."""


def _number(after: Entry | int | None) -> int:
    return after.number if isinstance(after, Entry) else after or 0


async def aside(function: Callable[[], T]) -> T:
    """Run what waits in a thread, from asyncio or trio; a cancelled test does not wait for it."""
    import anyio.to_thread

    return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)


__all__ = ["Bench"]
