"""The chaos file: the faults of a day, when they come, for whom, how long (docs/chaos.md). Its plan is drawn by a seed.

Pure: what is drawn is the same for the same file, whenever and wherever it is played.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from mockcic.errors import Problem, ScenarioError, StartError
from mockcic.scenario.explain import explain
from mockcic.scenario.faults.fault import Fault, Faults
from mockcic.scenario.faults.vain import in_vain, unknown_directive
from mockcic.scenario.settings import Part
from mockcic.scenario.source import Source, read_source
from mockcic.scenario.words import Name, PlainDuration, Texts, wrong

DAY_S: Final = 86_400.0

MOST: Final = 10_000
"""How often something comes in one play, at the most (INF)."""

FASTEST: Final = 10_000.0
"""As of the server's clock."""

_OF_DAY: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_ZONE: Final = re.compile(r"([+-])(0\d|1[0-4]):([0-5]\d)", re.ASCII)


def read_time_of_day(value: object) -> float:
    """Seconds since midnight of `08:00` or `23:59:30`."""
    if isinstance(value, str) and (found := _OF_DAY.fullmatch(value.strip())):
        return 3600.0 * int(found[1]) + 60 * int(found[2]) + int(found[3] or 0)
    raise wrong(value, "a time of day, such as 08:00 or 23:59:30", "put it in quotes" if isinstance(value, int) else "")


def _read_zone(value: object) -> object:
    if isinstance(value, str) and (value == "Z" or _ZONE.fullmatch(value)):
        return value
    raise wrong(value, "Z, or an offset such as +09:00")


TimeOfDay = Annotated[
    float,
    BeforeValidator(read_time_of_day),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}:\d\d(:\d\d)?$", "examples": ["08:00"]}),
]

Zone = Annotated[
    str,
    BeforeValidator(_read_zone),
    WithJsonSchema({"type": "string", "pattern": r"^(Z|[+-]\d\d:\d\d)$", "examples": ["+09:00"]}),
]


class ChaosEntry(Part):
    """What goes wrong, when, for whom, how long."""

    name: Name | None = Field(default=None, description="What the journal calls it, and its faults without a name.")
    at: TimeOfDay | None = Field(default=None, description="The time of day when it comes first: 08:00.")
    after: PlainDuration | None = Field(default=None, description="So long after the beginning it comes first.")
    every: PlainDuration | None = Field(
        default=None, gt=0, description="It comes again and again at this distance; first after so long, too."
    )
    times: int | None = Field(default=None, ge=1, description="So often at the most, with `every`.")
    jitter: PlainDuration = Field(default=0.0, description="Each time by up to so much later, drawn by the seed.")
    chance: float = Field(default=1.0, gt=0, le=1, description="How likely it comes, each time; drawn by the seed.")
    devices: Texts = Field(
        default_factory=lambda: ["*"],
        min_length=1,
        description="Whom it hits: short names, with wildcards, tokens, or device_ids; all without it.",
    )
    for_: PlainDuration | None = Field(
        default=None, alias="for", gt=0, description="After so long its faults are gone, each time."
    )
    fault: Faults = Field(min_length=1, description="The fault, or several, as in a scenario (docs/faults.md).")

    @model_validator(mode="after")
    def _is_possible(self) -> ChaosEntry:
        if self.at is not None and self.after is not None:
            raise PydanticCustomError(
                "chaos_when", "`at` and `after` in one entry", {"expected": "one of the two", "mend": ""}
            )
        if self.times is not None and self.every is None:
            raise PydanticCustomError(
                "chaos_times", "`times` without `every`", {"expected": "`every` beside it", "mend": ""}
            )
        return self

    @property
    def label(self) -> str:
        """Its name, or its acts."""
        return self.name or "+".join(each.label for each in self.fault)


class Chaos(Part):
    """A chaos file."""

    chaos: Name = Field(description="Its name: letters, digits, _ and -.")
    about: str = Field(default="", description="What it is for, for people.")
    seed: int = Field(default=0, ge=0, description="The same seed draws the same times and chances.")
    begins: TimeOfDay | None = Field(
        default=None,
        description="The time of day when it begins: the server's clock is turned forward to it. As it is without it.",
    )
    zone: Zone = Field(default="+09:00", description="In which times of day are: Z, or an offset.")
    lasts: PlainDuration = Field(default=DAY_S, gt=0, description="After so long it is over; a day without it.")
    time_factor: float | None = Field(
        default=None, gt=0, le=FASTEST, description="How many times as fast as real time the server's clock goes."
    )
    entries: list[ChaosEntry] = Field(min_length=1, description="What goes wrong, in any order.")

    def time_of_day(self, wall_s: float) -> float:
        """Seconds since midnight in its zone."""
        here = datetime.fromtimestamp(wall_s, tz=self._zone)
        return (here - here.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()

    def begins_in_s(self, wall_s: float) -> float:
        """How long, from a moment on, until it is time to begin."""
        return 0.0 if self.begins is None else (self.begins - self.time_of_day(wall_s)) % DAY_S

    @property
    def _zone(self) -> timezone:
        found = _ZONE.fullmatch(self.zone)
        if found is None:
            return UTC
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-offset if found[1] == "-" else offset)


@dataclass(frozen=True, slots=True)
class Planned:
    """One coming of an entry: `at_s` after the beginning."""

    at_s: float
    name: str
    devices: tuple[str, ...]
    faults: tuple[Fault, ...]
    for_s: float | None


def plan(chaos: Chaos, begins_s: float) -> tuple[Planned, ...]:
    """All that comes, in its order, when it begins `begins_s` after midnight. Drawn entry by entry: a change of one
    leaves the others as they were.
    """
    found = [each for number, entry in enumerate(chaos.entries) for each in _of_entry(chaos, number, entry, begins_s)]
    return tuple(sorted((each for each in found if each.at_s <= chaos.lasts), key=lambda each: each.at_s))


def _of_entry(chaos: Chaos, number: int, entry: ChaosEntry, begins_s: float) -> Iterator[Planned]:
    random = Random(f"{chaos.seed} {number}")
    for at_s in _moments(chaos, entry, begins_s):
        late_s, comes = random.uniform(0, entry.jitter), random.random() < entry.chance
        seeds = [random.randrange(2**31) for _ in entry.fault]
        if comes:
            faults = tuple(_played(entry, fault, seed) for fault, seed in zip(entry.fault, seeds, strict=True))
            yield Planned(at_s + late_s, entry.label, tuple(entry.devices), faults, entry.for_)


def _moments(chaos: Chaos, entry: ChaosEntry, begins_s: float) -> Iterator[float]:
    if entry.at is not None:
        first = (entry.at - begins_s) % DAY_S
    else:
        first = entry.after if entry.after is not None else entry.every or 0.0
    if entry.every is None:
        yield first
        return
    times = MOST if entry.times is None else min(entry.times, MOST)
    yield from (each for n in range(times) if (each := first + n * entry.every) <= chaos.lasts)


def _played(entry: ChaosEntry, fault: Fault, seed: int | None) -> Fault:
    """A fault as it is set: it goes with its entry; without any span it strikes once (as over the control API)."""
    said, changes = fault.model_fields_set, dict[str, Any]()
    if entry.for_ is not None:
        changes["for_"] = entry.for_ if fault.for_ is None else min(fault.for_, entry.for_)
    elif not said & {"times", "nth", "every", "for_", "chance"}:
        changes["times"] = 1
    if "seed" not in said and seed is not None:
        changes["seed"] = seed
    elif "seed" not in said:  # each time another: it may take any occasion
        changes["chance"] = 1.0
    if fault.name is None and entry.name is not None:
        changes["name"] = entry.name
    return fault.model_copy(update=changes)


def in_vain_of(chaos: Chaos, known: Sequence[str] = ()) -> tuple[str, ...]:
    """Why faults of it can never strike, or what of them has no effect, as of one that is set by hand.

    `known` are events besides those of the catalogue.
    """
    found = [
        f"{entry.label}: {each.said}"
        for entry in chaos.entries
        for fault in entry.fault
        for each in (*in_vain(_played(entry, fault, None), known=known), *unknown_directive(fault))
    ]
    return tuple(dict.fromkeys(found))


# ---------------------------------------------------------------------- reading


def load_chaos(path: Path) -> Chaos:
    """Read a chaos file. Raises `ScenarioError` with every problem, `StartError` when it cannot be read."""
    try:
        source = read_source(path, str(path))
    except OSError as error:
        raise StartError(f"cannot read {path}: {error.strerror}") from None
    if isinstance(source, Problem):
        raise ScenarioError([source])
    return _understood(source)


def read_chaos(text: str, called: str = "<text>") -> Chaos:
    """Read a chaos file from a text. Raises `ScenarioError` with every problem."""
    return _understood(Source(called, text))


def _understood(source: Source) -> Chaos:
    if source.problems:
        raise ScenarioError(source.problems)
    try:
        chaos = Chaos.model_validate(source.values)
    except ValidationError as error:
        raise ScenarioError(explain(source, error, Chaos)) from None
    if problems := list(_impossible(source, chaos)):
        raise ScenarioError(problems)
    return chaos


def _impossible(source: Source, chaos: Chaos) -> Iterator[Problem]:
    """What only the whole file shows."""
    for number, entry in enumerate(chaos.entries):
        count = chaos.lasts / entry.every if entry.every is not None else 1
        if min(count, entry.times or count) > MOST:
            yield source.problem(
                source.position(("entries", number, "every")),
                f"it would come {count:,.0f} times in {chaos.lasts:g} s",
                f"at most {MOST:,} times",
                "let it come less often, or write `times`; a fault may have an `every` of its own",
            )
        first = entry.after if entry.after is not None else entry.every if entry.at is None else None
        if first is not None and first > chaos.lasts:
            key = "after" if entry.after is not None else "every"
            yield source.problem(
                source.position(("entries", number, key)),
                f"it comes after {first:g} s, and all is over after {chaos.lasts:g} s",
                "a moment before the end",
                "write a longer `lasts`, or let it come sooner",
            )


__all__ = ["Chaos", "ChaosEntry", "Planned", "in_vain_of", "load_chaos", "plan", "read_chaos"]
