"""What a test hears of its devices, and whether it was right."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mockcic.bench.aside import aside
from mockcic.bench.device import TestDevice
from mockcic.bench.place import Place
from mockcic.bench.record import Record
from mockcic.control.shapes import WAIT_S
from mockcic.errors import StartError
from mockcic.journal.entry import Entry, Kind
from mockcic.journal.filter import Asked, read_filter
from mockcic.journal.packed import packed_or_plain
from mockcic.scenario.scenario_set import ScenarioSet
from mockcic.scenario.settings import Profile
from mockcic.verdict import judge
from mockcic.verdict.times import Times, read_times
from mockcic.verdict.verdict import Verdict

if TYPE_CHECKING:
    from mockcic.verdict.conformance import Conformance, Recovery

LOOK_ON_S: Final = 1.0
"""How long `never` looks on unless told otherwise (INF)."""

NOTHING: Final = Entry(0, "verdict", 0.0, 0.0, name="nothing came, as it should be")
"""What `wait` gives when at most so many were asked for, and none came."""


class Witness:
    """Hears what happens at a place, as far as it is its own, and judges it.

    A verification that is not kept raises `VerificationError`, an `AssertionError` whose text says what was asked, what
    came, and field by field how the nearest entries differ.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._record = Record(self._is_ours)
        self.verdicts: list[Verdict] = []
        """What came of each verification, in their order."""

    def _is_ours(self, entry: Entry) -> bool:
        """Whether an entry is to be heard; any is, unless a kind of witness says otherwise."""
        return True

    @property
    def scenarios(self) -> ScenarioSet | None:
        """The scenarios whose rules are asked for, and in whose profile devices are judged, where they are known."""
        return None

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


def _number(after: Entry | int | None) -> int:
    return after.number if isinstance(after, Entry) else after or 0
