"""Walk the steps: load the scenario, let the device do its part, judge, go on."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from mockcic.bench import Bench
from mockcic.certify.process import Process
from mockcic.certify.suite import Step, Suite
from mockcic.errors import StartError
from mockcic.journal.entry import Entry
from mockcic.mock import MockCIC
from mockcic.scenario.dialects import DialectName
from mockcic.scenario.load import load
from mockcic.scenario.settings import Profile
from mockcic.server.clock import LoopClock
from mockcic.trace.conformance import ConformanceReport, JudgedTrace, evidence_of
from mockcic.trace.file import Trace
from mockcic.verdict.conformance import Conformance, RuleVerdict, read_limits, rules_but
from mockcic.verdict.verdict import VerificationError

SETTLE_S: Final = 0.3
"""So long the server is left alone when a device has gone: what was on its way arrives (INF)."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a device needs to know for a step."""

    url: str
    ca_file: Path
    token: str
    step: Step

    def variables(self) -> Mapping[str, str]:
        """Environment variables of a device's command."""
        return {
            "MOCKCIC_URL": self.url,
            "MOCKCIC_CA": str(self.ca_file),
            "MOCKCIC_TOKEN": self.token,
            "MOCKCIC_STEP": self.step.name,
            "MOCKCIC_ASK": self.step.ask,
            "MOCKCIC_SECONDS": f"{self.step.seconds:g}",
        }

    def words(self) -> Mapping[str, str]:
        """What {url}, {host}, {port}, {ca}, {token}, {step}, {ask}, {seconds} in a command stand for."""
        parts = urlsplit(self.url)
        names = {name.removeprefix("MOCKCIC_").lower(): value for name, value in self.variables().items()}
        return {**names, "host": parts.hostname or "", "port": str(parts.port or 443)}


class Driver(Protocol):
    """How a device is made to do its part of a step."""

    def drive(self, bench: Bench, step: Step, say: Callable[[str], None]) -> str:
        """Let it; returns when the step is over, with what the device printed."""


class Command:
    """A device under test that a command starts anew for each step. Raises `StartError` for words it cannot know."""

    def __init__(self, command: str) -> None:
        self._words = shlex.split(command)
        if not self._words:
            raise StartError("--device-command: found nothing, expected a command")
        self._fill(Place("https://h:1", Path("ca"), "t", Step(name="x", scenario="x")))

    def _fill(self, place: Place) -> list[str]:
        words = place.words()
        try:
            return [word.format_map(words) for word in self._words]
        except (KeyError, ValueError, IndexError) as error:
            known = ", ".join(f"{{{name}}}" for name in words)
            raise StartError(f"--device-command: cannot fill in {error}; there are {known}") from None

    def start(self, place: Place) -> Process:
        """Start it. Raises `StartError` when it cannot be started."""
        return Process(self._fill(place), place.variables())

    def drive(self, bench: Bench, step: Step, say: Callable[[str], None]) -> str:
        """Start it, wait until it ends or the step's time is over. Raises `StartError` when it cannot be started."""
        process = self.start(Place(bench.url, bench.ca_file, bench.token, step))
        try:
            process.wait(step.seconds)
        finally:
            text = process.close()
        return f"{text}\n(exit code {process.exit_code})\n"


class Attached:
    """A device that connects by itself, held by a person who is told what to do. `wait_s` is for it to come."""

    def __init__(self, *, wait_s: float = 60.0, stop: threading.Event | None = None) -> None:
        self._wait_s = wait_s
        self._stop = stop or threading.Event()

    def drive(self, bench: Bench, step: Step, say: Callable[[str], None]) -> str:
        """Say what to do, wait for the device, then for the step's time. Raises `StartError` when none comes."""
        say(step.say or step.ask)
        try:
            bench.wait(_asks_for_a_downchannel, within=self._wait_s)
        except VerificationError:
            where = f"{bench.url} (CA {bench.ca_file})"
            raise StartError(f"no device came within {self._wait_s:g} s; it should connect to {where}") from None
        self._stop.wait(step.seconds)
        return ""


def _asks_for_a_downchannel(entry: Entry) -> bool:
    """Whether a device has come, let in or refused."""
    return (entry.kind, entry.name) in (("downchannel", "open"), ("answer", "GET /v1/directives"))


@dataclass(frozen=True, slots=True)
class StepResult:
    """What came of a step: the verdict on the device, the rules it should have shown and did not, its trace."""

    step: Step
    verdict: Conformance
    unseen: tuple[str, ...]
    trace: Trace
    output: str = ""
    seconds: float = 0.0

    @property
    def came(self) -> bool:
        """Whether a device came at all."""
        return bool(self.verdict.devices)

    @property
    def ok(self) -> bool:
        """Whether nothing is broken that counts, and everything was shown."""
        return self.came and self.verdict.ok and not self.unseen

    def judged(self) -> JudgedTrace:
        """For a report."""
        return JudgedTrace(
            title=self.step.name,
            verdict=self.verdict,
            evidence=evidence_of(self.verdict, self.trace.entries),
            created=self.trace.created,
            version=self.trace.version,
            seconds=self.seconds,
            dropped=self.trace.dropped,
            unseen=self.unseen,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """All steps. With `strict` broken advice counts, too."""

    suite: str
    steps: tuple[StepResult, ...]
    strict: bool = False
    allowed: tuple[str, ...] = ()
    limits: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the device passes."""
        return all(each.ok and not (self.strict and each.verdict.broken) for each in self.steps)

    def report(self) -> ConformanceReport:
        """As one report, a part a step."""
        return ConformanceReport(tuple(each.judged() for each in self.steps), strict=self.strict)

    def rules(self) -> Mapping[str, RuleVerdict]:
        """The worst verdict on each rule: broken before kept before not seen."""
        order = {"broken": 0, "kept": 1, "not seen": 2}
        worst: dict[str, RuleVerdict] = {}
        for result in self.steps:
            for device in result.verdict.devices:
                for each in device.rules:
                    known = worst.get(each.rule.id)
                    if known is None or order[each.status] < order[known.status]:
                        worst[each.rule.id] = each
        return worst


def certify(
    mock: MockCIC,
    suite: Suite,
    driver: Driver,
    *,
    allow: Sequence[str] = (),
    limits: Mapping[str, float | str] | None = None,
    strict: bool = False,
    profile: Profile | None = None,
    dialect: DialectName | None = None,
    say: Callable[[str], None] = lambda text: None,
    done: Callable[[StepResult], None] = lambda result: None,
) -> Outcome:
    """Walk the suite on a running server, each step anew: scenario, journal, and device begin from the start.

    Answers are written in `dialect` where one is named: a device that leans on none passes in each. `say` is told what
    a person is to do, `done` each step's result. Raises `StartError`, `ScenarioError`, `LimitError`.
    """
    allowed = {rule.id for rule in rules_but(())} - {rule.id for rule in rules_but(allow)}
    read_limits(limits or {})
    import_module("numpy.fft")  # before the first sound: its upload's end would wait for it, and the device be blamed
    results = []
    for step in suite.steps:
        results.append(_walk(mock, suite, step, driver, allow, limits or {}, (profile, dialect), allowed, say))
        done(results[-1])
    return Outcome(suite.suite, tuple(results), strict, tuple(sorted(allowed)), dict(limits or {}))


def _walk(
    mock: MockCIC,
    suite: Suite,
    step: Step,
    driver: Driver,
    allow: Sequence[str],
    limits: Mapping[str, float | str],
    how: tuple[Profile | None, DialectName | None],
    allowed: set[str],
    say: Callable[[str], None],
) -> StepResult:
    bench = mock if isinstance(driver, Attached) else mock.bench()
    began = LoopClock().now()
    try:
        profile, dialect = how
        bench.load(load([suite.scenario_file(step)], profile=profile, dialect=dialect))
        if bench is mock:
            mock.call(mock.desk.reset_all)
            bench.clear()
        output = driver.drive(bench, step, say)
        threading.Event().wait(SETTLE_S)
        verdict = bench.conformance(allow=allow, limits={**step.limits, **limits}, profile=profile, check=False)
        seen = {each.rule.id for device in verdict.devices for each in device.rules if each.status != "not seen"}
        unseen = tuple(id_ for id_ in step.shown() if id_ not in seen and id_ not in allowed)
        trace = bench.trace(title=f"{suite.suite}: {step.name}")
    finally:
        if bench is not mock:
            bench.close()
    return StepResult(step, verdict, unseen, trace, output, LoopClock().now() - began)
