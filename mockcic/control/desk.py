"""What can be done with a running server, in its own event loop: the REST API and the Python objects both come here."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mockcic.auth.authority import Access
from mockcic.auth.identity import Identity, identity_of
from mockcic.auth.life import AccessState
from mockcic.cic.catalogue import catalogue
from mockcic.cic.facts import CueWanted
from mockcic.cic.message import Attachment, Directive
from mockcic.control.ask import AskError, not_found, read_seconds, seconds_until
from mockcic.control.chaos import ChaosDesk
from mockcic.control.faults import FaultDesk
from mockcic.control.shapes import (
    ClockShape,
    ClockTurned,
    CueShape,
    DeliveredTo,
    Delivery,
    DeviceChange,
    DeviceShape,
    MissedBy,
    Push,
    ScenarioShape,
    Target,
    TokenPair,
    TokenShape,
)
from mockcic.errors import StartError
from mockcic.journal.entry import Entry
from mockcic.journal.filter import Filter
from mockcic.journal.redact import shortened
from mockcic.scenario.load import ScenarioSet
from mockcic.scenario.model import Scenario
from mockcic.scenario.settings import Profile
from mockcic.scenario.steps import RawStep, Send, read_step
from mockcic.scenario.template import RenderError
from mockcic.server.app import Cic
from mockcic.server.device import Device
from mockcic.server.turning import iso
from mockcic.trace.file import Trace
from mockcic.trace.make import make_trace, without_tokens
from mockcic.verdict.judge import all_rules_used, never, no_findings, no_unmatched, verify, verify_order
from mockcic.verdict.times import Times
from mockcic.verdict.verdict import Verdict
from mockcic.verdict.waiting import Waiting

if TYPE_CHECKING:
    from mockcic.verdict.conformance import Conformance, Limits, Recovery, Rule


class Desk:
    """Looks at and changes what a server has: devices, scenarios, journal. For the server's own loop.

    `scenarios` is the set from files; `reread` reads the files again. Raises `AskError` for what cannot be done.
    """

    def __init__(
        self, cic: Cic, scenarios: ScenarioSet, *, reread: Callable[[], ScenarioSet] | None = None, version: str = ""
    ) -> None:
        self.cic = cic
        self.journal = cic.journal
        self.faults = FaultDesk(cic)
        self.chaos = ChaosDesk(cic)
        self.version = version
        self._from_files = scenarios
        self._reread = reread
        self._loaded: dict[str, tuple[ScenarioSet, bool]] = {}
        self.ended = False
        self._announced: set[str] = set()
        self._at_end: list[Callable[[], None]] = []

    @property
    def scenarios(self) -> ScenarioSet:
        """The set that devices choose from."""
        found = self._from_files
        for each, default in self._loaded.values():
            found = found.adding(each, default=default)
        return found

    def end(self) -> None:
        """Whoever waits for something waits no longer: the server stops."""
        self.ended = True
        self.cic.turning.end()
        for callback in self._at_end:
            callback()

    def at_end(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when the server stops; returns what takes that back."""
        self._at_end.append(callback)
        return lambda: self._at_end.remove(callback)

    # ------------------------------------------------------------------ devices

    def devices(self) -> list[DeviceShape]:
        """All devices that have been seen, in the order of their coming."""
        return [self._shape(device) for device in self.cic.devices]

    def device(self, name: str) -> DeviceShape:
        """One device, by its short name or its token."""
        return self._shape(self.find(name))

    def find(self, name: str) -> Device:
        """The device of a short name (with or without its …) or a token."""
        registry = self.cic.devices
        found = registry.named(name) or registry.named(f"…{name}") or registry.named(self._by_id(name))
        if found is None:
            token = self._known(name)
            if token is not None:
                raise AskError(404, f"{registry.name_of(token)} is awaited, but has not come yet", member="device")
            raise self._unknown(name)
        return found

    def _known(self, name: str) -> str | None:
        """The key of a device by its short name (with or without its …), its token, or its `device_id`."""
        registry = self.cic.devices
        return registry.token_of(name) or registry.token_of(f"…{name}") or registry.token_of(self._by_id(name))

    def _by_id(self, device_id: str) -> str:
        """The key of the device of a `device_id`; empty where there is none. Raises `AskError` where there are more."""
        keys = self.cic.devices.keys_of_id(device_id)
        if len(keys) > 1:
            names = ", ".join(map(self.cic.devices.name_of, keys))
            raise AskError(422, f"{device_id} is the device_id of {names}; say which", member="device")
        return keys[0] if keys else ""

    def _unknown(self, name: str) -> AskError:
        return not_found("device", name, [device.name for device in self.cic.devices])

    def announce(self, token: str) -> str:
        """The name that the device of a token has, or will have."""
        self._announced.add(self.cic.devices.key_of(token))
        return self.cic.devices.name_of(token)

    def claim(self, name: str) -> bool:
        """Take a device that has come with a token of its own; False when it is somebody's already."""
        token = self._token(name)
        if token in self._announced:
            return False
        self._announced.add(token)
        return True

    def release(self, name: str) -> None:
        """Give a device back: it is nobody's, and begins anew in the set's scenario. Harmless when it is unknown."""
        registry = self.cic.devices
        token = self._known(name) or name
        self._announced.discard(token)
        if registry.token_of(token) is not None:
            self.faults.forget(registry.shown(token))
        registry.unassign(token)
        if (device := registry.get(token)) is not None:
            device.reset()

    def change(self, name: str, change: DeviceChange) -> DeviceShape:
        """Put a device into a state, give its variables values."""
        device = self.find(name)
        known = device.scenario.vars
        for variable in change.vars:
            if variable not in known:
                raise not_found("variable", variable, sorted(known))
        states = device.scenario.states
        if change.state is not None and change.state not in states:
            raise not_found("state", change.state, states)
        device.put(state=change.state, variables=change.vars)
        return self._shape(device)

    def cues(self, name: str) -> list[CueShape]:
        """What can be made to happen on a device: the named cues of its scenario."""
        cues = self.find(name).scenario.cues
        return [CueShape(cue=each, about=cue.about, args=cue.args) for each, cue in cues.items()]

    def play_cue(self, name: str, cue: str, args: Mapping[str, Any]) -> DeviceShape:
        """Make a named cue of its scenario happen on a device; the device as it is then."""
        device = self.find(name)
        cues = device.scenario.cues
        if cue not in cues:
            raise not_found("cue", cue, sorted(cues))
        wanted = cues[cue]
        for each in args:
            if each not in wanted.args:
                there_are = f"it takes {', '.join(wanted.args)}" if wanted.args else "it takes none"
                raise AskError(422, f"the cue {cue} has no argument {each}; {there_are}", member="args")
        missing = [each for each in wanted.required if args.get(each) is None]
        if missing:
            raise AskError(422, f"the cue {cue} needs {' and '.join(missing)}", member="args")
        if wanted.push and device.downchannel is None:
            raise AskError(409, f"{device.name} has no downchannel for the cue {cue}", member="device")
        device.tell(CueWanted(cue, dict(args)))
        return self._shape(device)

    def transcribe(self, name: str, text: str) -> DeviceShape:
        """Say what is said in the running or the next upload of a device."""
        device = self.find(name)
        device.transcript = text
        return self._shape(device)

    def reset(self, name: str) -> DeviceShape:
        """A device begins anew."""
        device = self.find(name)
        device.reset()
        self.cic.authorization.authority.begin_anew(device.key)
        return self._shape(device)

    def reset_all(self) -> int:
        """Every device begins anew, and the journal is empty; how many devices."""
        self.journal.clear()
        for device in self.cic.devices:
            device.reset()
            self.cic.authorization.authority.begin_anew(device.key)
        self.chaos.stop_any()
        self.cic.turning.put_right()
        return len(self.cic.devices)

    def expire(self, name: str) -> DeviceShape:
        """End a device's downchannel, as if its lifetime were over."""
        device = self.find(name)
        if not device.expire():
            raise AskError(409, f"{device.name} has no downchannel to expire", member="device")
        return self._shape(device)

    def forget(self, name: str) -> None:
        """Forget a device, and the scenario it was given."""
        self.drop(self._token(name))

    def drop(self, token: str) -> None:
        """Forget what there is of a token; harmless when there is nothing."""
        device = self.cic.devices.get(token)
        if device is not None and device.downchannel is not None:
            device.downchannel.end("the device was forgotten by hand")
        key = self.cic.devices.key_of(token)
        if self.cic.devices.token_of(key) is not None:
            self.faults.forget(self.cic.devices.shown(key))
        self.cic.devices.forget(key)
        self.cic.authorization.authority.begin_anew(key)
        self._announced.discard(key)

    def assign(self, name: str, scenario: Scenario) -> str:
        """Give a device a scenario of its own, also before it is first seen; its short name."""
        token = self._known(name) or name
        if token.startswith("…"):
            raise self._unknown(name)
        short = self.cic.devices.name_of(token)
        self.cic.devices.assign(token, scenario)
        return short

    def unassign(self, name: str) -> None:
        """Give a device back to the set."""
        self.cic.devices.unassign(self._token(name))

    def _token(self, name: str) -> str:
        token = self._known(name)
        if token is None:
            raise self._unknown(name)
        return token

    def _shape(self, device: Device) -> DeviceShape:
        token, redaction = device.facts.token, self.journal.redaction
        line = device.downchannel
        identity = identity_of(device.key)
        return DeviceShape(
            device=device.name,
            scenario=device.scenario.scenario,
            announced=device.key in self._announced,
            assigned=self.cic.devices.assigned(device.key) is not None,
            state=redaction.text(device.engine.state, token),
            vars=redaction.value(device.engine.vars, token),
            downchannel=line is not None,
            connection=None if line is None else line.connection,
            events=len(device.exchanges),
            counts=redaction.value(dict(device.engine.counts), token),
            user_agent=redaction.text(device.facts.user_agent, token),
            tags=redaction.value(list(device.facts.tags), token),
            device_id="" if identity is None else identity.device_id,
        )

    # ------------------------------------------------------------------ tokens

    def tokens(self, device: str | None = None) -> list[TokenShape]:
        """The access tokens that were issued here, oldest first; of one device."""
        key = None if device is None else self._token(device)
        return [self._token_shape(access) for access in self.cic.authorization.authority.tokens(key)]

    def issue(self, identity: Identity) -> TokenPair:
        """A token pair for a device, without all the asking."""
        pair = self.cic.authorization.issue(identity)
        return TokenPair(device=self.cic.devices.name_of(identity.key), **pair)

    def expire_token(self, name: str) -> list[TokenShape]:
        """Let the tokens of a device expire now; also a hand-made one."""
        key = self._token(name)
        if not self.cic.authorization.expire(key):
            raise AskError(409, f"{self.cic.devices.name_of(key)} has no token that lives", member="device")
        return self.tokens(key)

    def revoke_token(self, name: str) -> list[TokenShape]:
        """Take the tokens of a device back; also a hand-made one."""
        key = self._token(name)
        if not self.cic.authorization.revoke(key):
            raise AskError(409, f"{self.cic.devices.name_of(key)} has no token that lives", member="device")
        return self.tokens(key)

    def _token_shape(self, access: Access) -> TokenShape:
        authorization, identity = self.cic.authorization, access.identity
        refresh = authorization.authority.refresh_of(access)
        left = None if access.ends_s is None else max(0.0, access.ends_s - authorization.clock.now())
        return TokenShape(
            device=self.cic.devices.name_of(access.key),
            client_id="" if identity is None else identity.client_id,
            device_id="" if identity is None else identity.device_id,
            model_id="" if identity is None else identity.model_id,
            token=shortened(access.text),
            state=access.state.value,
            left_s=left if access.state is AccessState.LIVE else None,
            refresh_token=None if refresh is None else refresh.state.value,
            guest=access.guest,
        )

    # ------------------------------------------------------------------ the clock

    def clock(self) -> ClockShape:
        """What the server's clock shows, and how it goes."""
        clock = self.cic.clock
        return ClockShape(
            time=iso(clock.wall()),
            factor=clock.factor,
            ahead_s=round(clock.ahead_s, 3),
            turned_s=round(clock.turned_s, 3),
            next_s=clock.next_in_s,
        )

    async def advance(self, *, by: str | float | None = None, to: str | None = None) -> ClockTurned:
        """Turn it forward, by a duration or to a time; returns when all that came due was handed to the connections."""
        if (by is None) is (to is None):
            raise AskError(422, "expected either `by`, a duration, or `to`, a time", member="by")
        seconds = read_seconds(by) if by is not None else seconds_until(to or "", self.cic.clock.wall())
        turned = await self.cic.turning.advance(seconds)
        return ClockTurned(**self.clock().model_dump(), due=turned.due, expired=turned.expired)

    def set_factor(self, factor: float) -> ClockShape:
        """Let it run so many times as fast as real time."""
        self.cic.turning.set_factor(factor)
        return self.clock()

    def put_right(self) -> ClockShape:
        """Let it show real time again."""
        self.cic.turning.put_right()
        return self.clock()

    # ------------------------------------------------------------------ scenarios

    def scenario_list(self) -> list[ScenarioShape]:
        """The set, with who is in which."""
        scenarios = self.scenarios
        first = scenarios.for_device("", "")
        loaded = {each.scenario for found, _ in self._loaded.values() for each in found.scenarios}
        return [
            ScenarioShape(
                scenario=each.scenario,
                about=each.about,
                path=each.path if each.scenario not in loaded else "",
                loaded=each.scenario in loaded,
                default=each is first,
                states=each.states,
                rules=[rule.label for rule in each.on],
                vars=each.vars,
                devices=[device.name for device in self.cic.devices if device.scenario is each],
            )
            for each in scenarios.scenarios
        ]

    def scenario(self, name: str) -> Scenario:
        """The scenario of a name."""
        found = self.scenarios.named(name)
        if found is None:
            raise not_found("scenario", name, [each.scenario for each in self.scenarios.scenarios])
        return found

    def load(self, scenarios: ScenarioSet, *, default: bool = False) -> None:
        """Add scenarios to the set; those of the same name are replaced."""
        for each in scenarios.scenarios:
            self._loaded.pop(each.scenario, None)
        self._loaded[scenarios.scenarios[0].scenario] = (scenarios, default)
        self._take(", ".join(each.scenario for each in scenarios.scenarios))

    def remove(self, name: str) -> None:
        """Take a scenario that was loaded out of the set; one of a file that it replaced is back."""
        self.scenario(name)
        if self._loaded.pop(name, None) is None:
            raise AskError(409, f"{name} is from a file; only loaded scenarios can be removed", member="scenario")
        self._take(f"without {name}")

    def reload(self) -> ScenarioSet:
        """Read the files again, all or nothing. Raises `ScenarioError`."""
        if self._reread is not None:
            try:
                self.take_files(self._reread(), "by hand")
            except StartError as error:
                raise AskError(409, str(error)) from None
        return self.scenarios

    def replace(self, scenarios: ScenarioSet) -> None:
        """These are the set now; what was loaded goes too."""
        self._loaded.clear()
        self._from_files = scenarios
        self._take(", ".join(each.scenario for each in scenarios.scenarios))

    def take_files(self, scenarios: ScenarioSet, changed: str) -> None:
        """The files have been read again."""
        self._from_files = scenarios
        self._take(", ".join(each.scenario for each in scenarios.scenarios), changed)

    def _take(self, names: str, changed: str = "") -> None:
        self.cic.devices.reload(self.scenarios)
        more: dict[str, Any] = {"changed": changed} if changed else {}
        self.journal.add("scenario", name=names, **more)

    # ------------------------------------------------------------------ push

    def targets(self, target: Target) -> list[Device]:
        """The devices that are meant."""
        if target.device is not None:
            names = [target.device] if isinstance(target.device, str) else target.device
            found = [self.find(name) for name in names]
        else:
            found = list(self.cic.devices)
        return [
            device
            for device in found
            if (target.tag is None or any(fnmatch.fnmatchcase(tag, target.tag) for tag in device.facts.tags))
            and (target.user_agent is None or fnmatch.fnmatchcase(device.facts.user_agent, target.user_agent))
        ]

    async def push(self, asked: Push) -> Delivery:
        """Push a directive; returns when its bytes were handed to every connection, or `within` is over."""
        return await self.deliver(read_push(asked), self.targets(asked.to), within_s=asked.within)

    async def deliver(self, send: Send | RawStep, devices: Iterable[Device], *, within_s: float) -> Delivery:
        """Push one step to devices; see `push`."""
        waiting: dict[tuple[str, str], Entry | None] = {}
        out = 0
        missed: list[MissedBy] = []
        warnings: list[str] = []
        all_out = asyncio.Event()

        def hear(entry: Entry) -> None:
            nonlocal out
            if entry.kind == "directive" and "dropped" not in entry.data:
                key = (entry.device, entry.data["message_id"])
                if waiting.get(key, entry) is None:
                    waiting[key] = entry
                    out += 1
                    if out == len(waiting):
                        all_out.set()

        end = self.journal.listen(hear)
        try:
            for device in devices:
                directive, attachments = self._compose(device, send)
                warnings = warnings or judged(directive)
                key = (device.name, directive.message_id)
                if device.downchannel is None:
                    device.push(directive, attachments, "by hand")
                    missed.append(MissedBy(device=device.name, why="no downchannel"))
                    continue
                waiting[key] = None
                if not device.push(directive, attachments, "by hand"):
                    del waiting[key]
                    missed.append(MissedBy(device=device.name, why="the device does not read"))
            if out < len(waiting):
                await self._until(all_out, within_s)
        finally:
            end()
        delivered = [_delivered(entry) for entry in waiting.values() if entry is not None]
        missed += [
            MissedBy(device=name, why="its downchannel ended, or it does not read")
            for (name, _), entry in waiting.items()
            if entry is None
        ]
        return Delivery(count=len(delivered), delivered=delivered, missed=missed, warnings=warnings)

    def _compose(self, device: Device, send: Send | RawStep) -> tuple[Directive, tuple[Attachment, ...]]:
        try:
            return device.engine.compose(send, self.cic.clock.now())
        except RenderError as error:
            raise AskError(422, f"for {device.name}: {error}", member="payload") from None

    async def _until(self, event: asyncio.Event, within_s: float) -> None:
        """Wait for an event, the end of the time, or the end of the server."""
        end = self.at_end(event.set)
        try:
            async with asyncio.timeout(within_s):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            end()

    # ------------------------------------------------------------------ journal

    def entries(self, *, after: int = 0, device: str | None = None, asked: Filter | None = None) -> list[Entry]:
        """The entries of a scope, oldest first. Raises `AskError` for a device that nobody knows: of one whose name is
        mistyped anything could be said.
        """
        name = None if device is None else self.name_of(device)
        return [
            entry
            for entry in self.journal.after(after)
            if (name is None or entry.device == name) and (asked is None or asked.fits(entry))
        ]

    def gone(self, *, after: int = 0, device: str | None = None) -> bool:
        """Whether entries of a scope have been dropped."""
        return self.journal.dropped_after(after, None if device is None else (self.name_of(device), ""))

    def name_of(self, device: str) -> str:
        """The short name of a device by its name or token: one that is known, or of which there are entries."""
        registry = self.cic.devices
        if (token := self._known(device)) is not None:
            return registry.name_of(token)
        names = (device, f"…{device}", registry.shown(device))
        found = next((entry.device for entry in self.journal if entry.device in names), None)
        if found is None:
            raise self._unknown(device)
        return found

    def awaited(self, device: str) -> str:
        """As `name_of`; one that nobody knows may still come, by its token."""
        try:
            return self.name_of(device)
        except AskError:
            if device.startswith("…"):
                raise
            return self.announce(device)

    # ------------------------------------------------------------------ verification

    def verify(self, asked: Filter, times: Times, *, after: int = 0, device: str | None = None) -> Verdict:
        """How often something came."""
        entries, gone = self._scope(after, device)
        return self.judged(verify(entries, asked, times, gone=gone), device)

    def verify_order(self, asked: Sequence[Filter], *, after: int = 0, device: str | None = None) -> Verdict:
        """Whether things came one after another."""
        entries, gone = self._scope(after, device)
        return self.judged(verify_order(entries, asked, gone=gone), device)

    def no_unmatched(self, *, after: int = 0, device: str | None = None) -> Verdict:
        """Whether every event found a rule."""
        entries, gone = self._scope(after, device)
        return self.judged(no_unmatched(entries, gone=gone), device)

    def no_findings(self, *, after: int = 0, device: str | None = None, allow: Sequence[str] = ()) -> Verdict:
        """Whether no device departed from the documents."""
        entries, gone = self._scope(after, device)
        return self.judged(no_findings(entries, gone=gone, allow=allow), device)

    def all_rules_used(self, *, scenario: str | None = None, after: int = 0, device: str | None = None) -> Verdict:
        """Whether every rule answered at least once."""
        if scenario is not None:
            chosen = [self.scenario(scenario)]
        elif device is not None:
            chosen = [self.find(device).scenario]
        else:
            chosen = self.scenarios_in_use()
        rules = [(each.scenario, rule) for each in chosen for rule in each.answering_labels]
        entries, gone = self._scope(after, device)
        return self.judged(all_rules_used(entries, rules, gone=gone), device)

    async def conformance(
        self,
        *,
        after: int = 0,
        device: str | None = None,
        limits: Limits | None = None,
        rules: Sequence[Rule] | None = None,
        profile: Profile | None = None,
    ) -> tuple[Conformance, list[Entry]]:
        """Every rule of the guide held against what devices did until now, and the entries it was judged by.

        A device is judged in the profile of its scenario unless told otherwise. In a thread: devices go on meanwhile.
        """
        from mockcic.verdict.conformance import RULES, judge

        name = None if device is None else self.name_of(device)
        entries, gone = self._scope(after, None)
        profiles = {each.name: each.scenario.profile for each in self.cic.devices}
        judged = await asyncio.to_thread(
            judge,
            entries,
            limits,
            until_s=self.journal.age_s,
            is_whole=not gone and not after,
            device=name,
            rules=RULES if rules is None else rules,
            profile=profile or (lambda device: profiles.get(device, "2021")),
        )
        return judged, entries

    async def recoveries(
        self, *, after: int = 0, device: str | None = None, limits: Limits | None = None
    ) -> tuple[Recovery, ...]:
        """What devices made of each trouble until now, in numbers. In a thread, as above."""
        from mockcic.verdict.conformance import recoveries_in

        name = None if device is None else self.name_of(device)
        entries, _ = self._scope(after, None)
        return await asyncio.to_thread(recoveries_in, entries, limits, until_s=self.journal.age_s, device=name)

    async def wait(
        self, asked: Filter, times: Times, *, within_s: float, after: int = 0, device: str | None = None
    ) -> Verdict:
        """Wait until something came so often, or can no longer; also for a device that has not come yet."""
        name = None if device is None else self.awaited(device)
        waiting = Waiting(asked, times)
        ended = await self._listen(waiting, after, name, within_s)
        _, gone = self._scope(after, name)
        verdict = waiting.verdict(lambda: self._scope(after, name)[0], gone=gone, within_s=within_s)
        return self.judged(_cut_short(verdict) if ended else verdict, name)

    async def never(self, asked: Filter, *, for_s: float, after: int = 0, device: str | None = None) -> Verdict:
        """Look on for a while whether something stays away."""
        name = None if device is None else self.name_of(device)
        ended = await self._listen(Waiting(asked, Times(0, 0)), after, name, for_s)
        entries, gone = self._scope(after, name)
        verdict = never(entries, asked, gone=gone, for_s=for_s)
        return self.judged(_cut_short(verdict) if ended and verdict.kept else verdict, name)

    def _scope(self, after: int, device: str | None) -> tuple[list[Entry], bool]:
        """The entries of a scope, and whether others of it have been dropped."""
        return self.entries(after=after, device=device), self.gone(after=after, device=device)

    async def _listen(self, waiting: Waiting, after: int, name: str | None, within_s: float) -> bool:
        """Hear what comes until the waiting is over; whether the server's end came before that."""
        over = asyncio.Event()

        def hear(entry: Entry) -> None:
            if (name is None or entry.device == name) and waiting.hear(entry):
                over.set()

        end = self.journal.listen(hear)
        try:
            for entry in self.journal.after(after):
                if (name is None or entry.device == name) and waiting.hear(entry):
                    return False
            await self._until(over, within_s)
        finally:
            end()
        return self.ended and not waiting.over

    def judged(self, verdict: Verdict, device: str | None) -> Verdict:
        name = "" if device is None else self.name_of(device)
        self.journal.add("verdict", device=name, name=verdict.asked, **verdict.members())
        return verdict

    # ------------------------------------------------------------------ trace

    def scenarios_in_use(self) -> list[Scenario]:
        """The scenarios that devices are in; the whole set where there is no device."""
        found = {id(device.scenario): device.scenario for device in self.cic.devices}
        return list(found.values()) or list(self.scenarios.scenarios)

    def trace(self, *, after: int = 0, device: str | None = None, title: str = "") -> Trace:
        """A journal with its sounds and scenarios, as one portable value."""
        devices = list(self.cic.devices) if device is None else [self.find(device)]
        scenarios = [each.scenario for each in devices] or list(self.scenarios.scenarios)
        texts = {name: text for each in scenarios for name, text in each.texts.items()}
        entries = self._with_connects(self.entries(after=after, device=device)) if device else self.entries(after=after)
        return make_trace(
            entries,
            scenarios=scenarios,
            texts=self._without_tokens(texts),
            sound=self.journal.spool.get,
            dropped=self.journal.dropped if self.gone(after=after, device=device) else 0,
            title=title or (f"device {devices[0].name}" if device else "all devices"),
            version=self.version,
        )

    def _with_connects(self, entries: list[Entry]) -> list[Entry]:
        """The connects of a device's connections too: they are older than what is known of who it is."""
        connections = {entry.connection for entry in entries if entry.connection}
        connects = [each for each in self.journal if each.kind == "connect" and each.connection in connections]
        return sorted([*entries, *connects], key=lambda entry: entry.number)

    def _without_tokens(self, texts: Mapping[str, str]) -> dict[str, str]:
        redaction = self.journal.redaction
        tokens = {device.facts.token for device in self.cic.devices}
        scenarios = [*self.scenarios.scenarios, *(device.scenario for device in self.cic.devices)]
        return without_tokens(texts, tokens.union(*(each.named_tokens for each in scenarios)), redaction)


def _cut_short(verdict: Verdict) -> Verdict:
    """What cannot be said, for the server stopped before the time was over."""
    return replace(verdict, status="error", why="the server stopped before the time was over")


def read_push(asked: Push) -> Send | RawStep:
    """The step that is to be pushed. A name that the catalogue lacks is refused unless it is a whole `step`."""
    from pydantic import ValidationError

    if asked.step is not None:
        said: Any = read_step(asked.step)
        place = "step"
    else:
        name = asked.directive or ""
        if name not in catalogue().directives:
            raise not_found("directive", name, list(catalogue().directives))
        said = {"directive": name, "payload": asked.payload or {}, "attach": asked.attach}
        said |= {"audio": asked.audio} if asked.audio is not None else {}
        said |= {"dialogRequestId": asked.dialogue} if asked.dialogue is not None else {}
        place = "directive"
    try:
        send = (RawStep if "raw" in said else Send).model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        expected = first.get("ctx", {}).get("expected")
        member = ".".join(str(each) for each in (place, *first["loc"])) if place == "step" else str(first["loc"][0])
        raise AskError(422, first["msg"] + (f"; expected {expected}" if expected else ""), member=member) from None
    audio = send.audio if isinstance(send, Send) else None
    sounds = [sound for sound in (audio, *send.attach.values()) if sound is not None]
    if any(sound.file is not None for sound in sounds):
        raise AskError(
            422, "a file of the server's machine; expected its bytes as base64, or a tone, or silence", member="audio"
        )
    return send


def judged(directive: Directive) -> list[str]:
    """What the catalogue has against a directive; it is sent all the same, for devices are tested with worse."""
    if directive.raw is not None:
        return []
    known = catalogue()
    spec = known.directives.get(directive.full_name)
    if spec is None:
        return [f"{directive.full_name} is no directive of the catalogue"]
    issues = (each for each in known.judge(spec, directive.payload) if each.code != "deprecated")
    return [
        f"{'.'.join(map(str, ('payload', *each.path)))}: found {each.found}, expected {each.expected}"
        for each in issues
    ]


def _delivered(entry: Entry) -> DeliveredTo:
    return DeliveredTo(
        device=entry.device,
        message_id=entry.data["message_id"],
        number=entry.number,
        at=entry.at_s,
        time=datetime.fromtimestamp(entry.wall_s, tz=UTC).isoformat(timespec="milliseconds"),
        bytes=entry.data.get("bytes", 0),
    )


__all__ = ["Desk"]
