"""Verdicts over what happened on a running server; each is written into its journal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mockcic.control.desks.devices import DeviceDesk
from mockcic.control.desks.ending import Ending
from mockcic.control.desks.journal import JournalDesk
from mockcic.control.desks.names import Names
from mockcic.control.desks.scenarios import ScenarioDesk
from mockcic.journal.entry import Entry
from mockcic.journal.filter import Filter
from mockcic.scenario.settings import Profile
from mockcic.server.app import Cic
from mockcic.verdict import judge
from mockcic.verdict.times import Times
from mockcic.verdict.verdict import Verdict
from mockcic.verdict.waiting import Waiting

if TYPE_CHECKING:
    from mockcic.verdict.conformance import Conformance, Limits, Recovery, Rule


class VerdictDesk:
    """For the server's own loop. A scope is as `JournalDesk` has it. Raises `AskError`."""

    def __init__(
        self,
        cic: Cic,
        *,
        names: Names,
        devices: DeviceDesk,
        scenarios: ScenarioDesk,
        journal: JournalDesk,
        ending: Ending,
    ) -> None:
        self._cic = cic
        self._names = names
        self._devices = devices
        self._scenarios = scenarios
        self._journal = journal
        self._ending = ending

    def verify(self, asked: Filter, times: Times, *, after: int = 0, device: str | None = None) -> Verdict:
        """How often something came."""
        entries, gone = self._scope(after, device)
        return self.write(judge.verify(entries, asked, times, gone=gone), device)

    def verify_order(self, asked: Sequence[Filter], *, after: int = 0, device: str | None = None) -> Verdict:
        """Whether things came one after another."""
        entries, gone = self._scope(after, device)
        return self.write(judge.verify_order(entries, asked, gone=gone), device)

    def no_unmatched(self, *, after: int = 0, device: str | None = None) -> Verdict:
        """Whether every event found a rule."""
        entries, gone = self._scope(after, device)
        return self.write(judge.no_unmatched(entries, gone=gone), device)

    def no_findings(self, *, after: int = 0, device: str | None = None, allow: Sequence[str] = ()) -> Verdict:
        """Whether no device departed from the documents."""
        entries, gone = self._scope(after, device)
        return self.write(judge.no_findings(entries, gone=gone, allow=allow), device)

    def all_rules_used(self, *, scenario: str | None = None, after: int = 0, device: str | None = None) -> Verdict:
        """Whether every rule answered at least once: of this scenario, or the device's, or all that are in use."""
        if scenario is not None:
            chosen = [self._scenarios.named(scenario)]
        elif device is not None:
            chosen = [self._names.find(device).scenario]
        else:
            chosen = self._scenarios.in_use
        rules = [(each.scenario, rule) for each in chosen for rule in each.answering_labels]
        entries, gone = self._scope(after, device)
        return self.write(judge.all_rules_used(entries, rules, gone=gone), device)

    async def wait(
        self, asked: Filter, times: Times, *, within_s: float, after: int = 0, device: str | None = None
    ) -> Verdict:
        """Wait until something came so often, or can no longer; also for a device that has not come yet."""
        name = None if device is None else self._devices.awaited(device)
        waiting = Waiting(asked, times)
        ended = await self._listen(waiting, after, name, within_s)
        _, gone = self._scope(after, name)
        verdict = waiting.verdict(lambda: self._scope(after, name)[0], gone=gone, within_s=within_s)
        return self.write(_cut_short(verdict) if ended else verdict, name)

    async def never(self, asked: Filter, *, for_s: float, after: int = 0, device: str | None = None) -> Verdict:
        """Look on for a while whether something stays away."""
        name = None if device is None else self._names.name_of(device)
        ended = await self._listen(Waiting(asked, Times(0, 0)), after, name, for_s)
        entries, gone = self._scope(after, name)
        verdict = judge.never(entries, asked, gone=gone, for_s=for_s)
        return self.write(_cut_short(verdict) if ended and verdict.kept else verdict, name)

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
        from mockcic.verdict import conformance

        name = None if device is None else self._names.name_of(device)
        entries, gone = self._scope(after, None)
        profiles = {each.name: each.scenario.profile for each in self._cic.devices}
        judged = await asyncio.to_thread(
            conformance.judge,
            entries,
            limits,
            until_s=self._cic.journal.age_s,
            is_whole=not gone and not after,
            device=name,
            rules=conformance.RULES if rules is None else rules,
            profile=profile or (lambda device: profiles.get(device, "2021")),
        )
        return judged, entries

    async def recoveries(
        self, *, after: int = 0, device: str | None = None, limits: Limits | None = None
    ) -> tuple[Recovery, ...]:
        """What devices made of each trouble until now, in numbers. In a thread, as above."""
        from mockcic.verdict.conformance import recoveries_in

        name = None if device is None else self._names.name_of(device)
        entries, _ = self._scope(after, None)
        return await asyncio.to_thread(recoveries_in, entries, limits, until_s=self._cic.journal.age_s, device=name)

    def write(self, verdict: Verdict, device: str | None) -> Verdict:
        """Write it into the journal, where traces and reports find it; the same verdict."""
        name = "" if device is None else self._names.name_of(device)
        self._cic.journal.add("verdict", device=name, name=verdict.asked, **verdict.members())
        return verdict

    def _scope(self, after: int, device: str | None) -> tuple[list[Entry], bool]:
        """The entries of a scope, and whether others of it have been dropped."""
        return self._journal.entries(after=after, device=device), self._journal.gone(after=after, device=device)

    async def _listen(self, waiting: Waiting, after: int, name: str | None, within_s: float) -> bool:
        """Hear what comes until the waiting is over; whether the server's end came before that."""
        over = asyncio.Event()

        def hear(entry: Entry) -> None:
            if (name is None or entry.device == name) and waiting.hear(entry):
                over.set()

        end = self._cic.journal.listen(hear)
        try:
            for entry in self._cic.journal.after(after):
                if (name is None or entry.device == name) and waiting.hear(entry):
                    return False
            await self._ending.or_set(over, within_s=within_s)
        finally:
            end()
        return self._ending.has_come and not waiting.over


def _cut_short(verdict: Verdict) -> Verdict:
    """What cannot be said, for the server stopped before the time was over."""
    return replace(verdict, status="error", why="the server stopped before the time was over")
