"""The fuzzer: trial after trial, each failure confirmed, made small, written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mockcic.errors import StartError
from mockcic.fuzz.case import Case
from mockcic.fuzz.draft import Draft
from mockcic.fuzz.shrink import Shrunk, shrink
from mockcic.fuzz.written import scenario_text
from mockcic.trial.health import Health, Limits, Probe, answers, examine
from mockcic.trial.subject import Subject

CONFIRM: Final = 2
"""How often a failure is tried again, alone; and how often a smaller one must fail to count (INF)."""

FLAKY_TRIES: Final = 4
"""How often a smaller one is tried where the failure did not come each time (INF)."""

JSON_BYTES: Final = 64 * 1024
"""A directive that is longer is written into a scenario only (INF)."""

LATE_S: Final = 1.0
"""How long a device is looked at that was found gone only before the next trial (INF)."""


@dataclass(frozen=True, slots=True)
class Found:
    """A trial after which the device was not fine.

    `again` of `CONFIRM` tries failed alone; 0 is not confirmed and not made small. `same_as` is the number of an
    earlier trial with the same smallest directive, or the same mutations.
    """

    case: Case
    health: Health
    again: int
    shrunk: Shrunk | None = None
    same_as: int | None = None

    @property
    def smallest(self) -> Draft:
        """The smallest directive that is known to fail."""
        return self.case.draft if self.shrunk is None else self.shrunk.draft

    @property
    def about(self) -> str:
        """What is wrong with it; of what was made small, what was needed."""
        return self.case.about if self.shrunk is None else ", ".join(map(str, self.shrunk.mutations))

    def scenario(self, probe: Probe | None) -> str:
        """It as a scenario file."""
        case = self.case
        about = (
            f"{case.directive}, {self.about} (seed {case.seed}, trial {case.number}): {self.health}.",
            "The smallest directive that does it." if self.shrunk is not None else "It did not happen again alone.",
        )
        asked = None if probe is None else probe.ask().step
        return scenario_text(f"fuzz-{case.seed}-{case.number}", about, self.smallest.step(), asked)

    def as_json(self) -> dict[str, Any]:
        """For `--json`; `smallest` is the step of a scenario, None where that is very long."""
        size = len(self.smallest.body())
        return {
            "trial": self.case.number,
            "seed": self.case.seed,
            "directive": self.case.directive,
            "mutations": [str(each) for each in self.case.mutations],
            "needed": None if self.shrunk is None else [str(each) for each in self.shrunk.mutations],
            "trouble": self.health.trouble,
            "detail": self.health.detail,
            "again": f"{self.again} of {CONFIRM}",
            "same_as": self.same_as,
            "smallest": self.smallest.step() if size <= JSON_BYTES else None,
            "bytes": size,
            "tries": None if self.shrunk is None else self.shrunk.tries,
            "whole": None if self.shrunk is None else self.shrunk.whole,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """All trials. `stopped` says why not all were made, `reopened` how often a line was lost and opened anew."""

    probe: Probe | None
    trials: int
    found: tuple[Found, ...]
    reopened: int = 0
    stopped: str = ""

    @property
    def ok(self) -> bool:
        """Whether the device was fine after each."""
        return not self.found and not self.stopped

    @property
    def different(self) -> tuple[Found, ...]:
        """Those that are not the same as another."""
        return tuple(each for each in self.found if each.same_as is None)


class DeviceGoneError(Exception):
    """The device does not come back."""


class Fuzz:
    """One run. `most_tries` is for making one failure small; `told` hears of each failure and each trial."""

    def __init__(
        self,
        subject: Subject,
        probe: Probe | None,
        limits: Limits,
        *,
        most_tries: int = 200,
        most_found: int = 10,
        told: Callable[[Found], None] = lambda found: None,
        tried: Callable[[Case, Health], None] = lambda case, health: None,
    ) -> None:
        self._subject = subject
        self._probe = probe
        self._limits = limits
        self._most_tries = most_tries
        self._most_found = most_found
        self._told = told
        self._tried = tried
        self._found: list[Found] = []

    def run(self, cases: Iterable[Case]) -> Outcome:
        """Try each. The device is there and answers when this is called."""
        trials, reopened, before, stopped = 0, 0, None, ""
        try:
            for case in cases:
                if before is not None and not self._subject.is_there():
                    self._take(before, self._late(before), LATE_S)
                before, trials = case, trials + 1
                health = self._try_out(case.draft)
                reopened += health.is_fine and health.line != "kept"
                self._tried(case, health)
                if not health.is_fine:
                    self._take(case, health)
                    before = None
                if len(self._found) >= self._most_found:
                    stopped = f"{len(self._found)} trials failed"
                    break
                self._subject.forget()
            if before is not None and not self._subject.is_there():
                self._take(before, self._late(before), LATE_S)
        except DeviceGoneError as gone:
            stopped = str(gone)
        return Outcome(self._probe, trials, tuple(self._found), reopened, stopped)

    def _late(self, case: Case) -> Health:
        """It was gone before the next trial began."""
        ended = self._subject.ended()
        return Health("ended", f"{ended}, a moment later") if ended else Health("lost", "its downchannel, later")

    def _try_out(self, draft: Draft, linger_s: float = 0.0) -> Health:
        after = self._subject.mark()
        self._subject.push(draft.step())
        return examine(self._subject, self._probe, after, self._limits, linger_s=linger_s)

    # ------------------------------------------------------------------ a failure

    def _take(self, case: Case, health: Health, linger_s: float = 0.0) -> None:
        known = next((each for each in self._found if each.again and is_same(each.case, case)), None)
        try:
            self._bring_back(case)
            if known is not None:
                found = Found(case, health, known.again, known.shrunk, known.case.number)
            else:
                found = self._confirm(case, health, linger_s)
        except DeviceGoneError:
            self._keep(Found(case, health, 0))
            raise
        self._keep(found)

    def _keep(self, found: Found) -> None:
        self._found.append(found)
        self._told(found)

    def _confirm(self, case: Case, health: Health, linger_s: float) -> Found:
        again = sum(self._fails(case.draft, health, case, linger_s) for _ in range(CONFIRM))
        if not again:
            return Found(case, health, 0)

        def fails(draft: Draft) -> bool:
            failures = 0
            for left in range(FLAKY_TRIES if again < CONFIRM else CONFIRM, 0, -1):
                failures += self._fails(draft, health, case, linger_s)
                if failures >= CONFIRM:
                    return True
                if failures + left - 1 < CONFIRM:
                    break
            return False

        shrunk = shrink(case, fails, most=self._most_tries)
        body = shrunk.draft.body()
        same = next((each for each in self._found if each.shrunk and each.shrunk.draft.body() == body), None)
        return Found(case, health, again, shrunk, None if same is None else same.same_as or same.case.number)

    def _fails(self, draft: Draft, health: Health, case: Case, linger_s: float) -> bool:
        """Whether the same trouble comes again; the device is brought back from any."""
        now = self._try_out(draft, linger_s)
        if not now.is_fine:
            self._bring_back(case)
        return now.trouble == health.trouble

    def _bring_back(self, case: Case) -> None:
        if not bring_back(self._subject, self._probe, self._limits):
            raise DeviceGoneError(
                f"the device did not come back within {self._limits.recover_s:g} s after trial {case.number}"
            )


def bring_back(subject: Subject, probe: Probe | None, limits: Limits) -> bool:
    """Whether the device is there and answers, if need be after a new start of its process."""
    if not subject.come_back(limits.recover_s):
        return False
    if answers(subject, probe, limits.within_s):
        return True
    if subject.runner is not None:
        return subject.restart(limits.recover_s) and answers(subject, probe, limits.within_s)
    rounds = int(limits.recover_s / limits.within_s)
    return any(subject.come_back(limits.within_s) and answers(subject, probe, limits.within_s) for _ in range(rounds))


def is_same(one: Case, other: Case) -> bool:
    """Whether the same was done to the same directive, at the same place."""
    return one.directive == other.directive and set(map(str, one.mutations)) == set(map(str, other.mutations))


def begin(subject: Subject, limits: Limits) -> None:
    """Let the device come. Raises `StartError` when it does not."""
    if not subject.come_back(limits.recover_s):
        ended = subject.ended(0.0)
        why = f"it ended with {ended}" if ended else "it opened no downchannel"
        printed = "" if subject.runner is None else subject.runner.stop().strip()
        tail = f"; it printed: {' | '.join(printed.splitlines()[-3:])}" if printed else ""
        raise StartError(f"the device did not come within {limits.recover_s:g} s: {why}{tail}")


def summary(outcome: Outcome) -> Mapping[str, Any]:
    """For `--json`."""
    return {
        "ok": outcome.ok,
        "trials": outcome.trials,
        "probe": None if outcome.probe is None else outcome.probe.name,
        "reopened": outcome.reopened,
        "stopped": outcome.stopped or None,
        "found": [each.as_json() for each in outcome.found],
    }
