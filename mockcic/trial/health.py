"""Whether a device is still fine: its line, its process, its answer to a directive that it answered before."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from mockcic.cic.catalogue import catalogue
from mockcic.errors import StartError
from mockcic.journal.entry import Entry
from mockcic.server.clock import LoopClock
from mockcic.trial.subject import Subject, is_closing, is_opening
from mockcic.verdict.conformance.reports import key_of
from mockcic.verdict.conformance.story import Sent

PROBES: Final = (
    "Clova.HandleDelegatedEvent",
    "Settings.ExpectReport",
    "DeviceControl.ExpectReportState",
    "AudioPlayer.ExpectReportPlaybackState",
    "SpeechSynthesizer.Speak",
)
"""What a device is asked, the first that it answers: those that disturb least first (INF)."""

QUIET_S: Final = 0.3
"""How long the line of a device that answers no probe is looked at (INF)."""

RETURNS: Final = 5
"""A device that loses its line more often after one trial does not count as reopening it (INF)."""

FRESH: Final = frozenset({"token", "delegationId"})
"""Members of a probe that are another each time, so that its report is known."""

Trouble = Literal["", "ended", "lost", "silent", "reopened"]


@dataclass(frozen=True, slots=True)
class Limits:
    """`within_s` for a report and for a lost line to be back; with `strict` a line that was lost counts, too."""

    within_s: float = 3.0
    recover_s: float = 30.0
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """How a device was after a trial.

    `trouble` is empty for fine: `ended` (its process), `lost` (its line, and not opened anew in time), `silent` (no
    report to the probe), `reopened` (the line was lost and opened anew; only trouble where that is asked for). `line`
    is `kept`, or how it was opened anew; `said` are events in which it says that something went wrong.
    """

    trouble: Trouble
    detail: str
    line: str = "kept"
    answered_s: float | None = None
    said: tuple[str, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether it is."""
        return not self.trouble

    def __str__(self) -> str:
        word = self.trouble or "fine"
        return f"{word}: {self.detail}" if self.detail else word


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe as it was sent: its step, and what its report has to be."""

    step: Mapping[str, Any]
    names: tuple[str, ...]
    key: Mapping[str, Any]

    def is_met_by(self, entry: Entry) -> bool:
        """Whether this is the report."""
        return (
            entry.kind == "event"
            and entry.name in self.names
            and all(entry.data["payload"].get(member) == value for member, value in self.key.items())
        )


@dataclass(frozen=True, slots=True)
class Probe:
    """A directive of the catalogue whose report says that a device still listens, acts and speaks."""

    name: str

    def ask(self) -> Asked:
        """It with fresh ids."""
        spec = catalogue().directives[self.name]
        payload = {**catalogue().fixed_members(spec), **spec.example}
        payload |= {member: str(uuid.uuid4()) for member in FRESH if member in payload}
        step: dict[str, Any] = {self.name: payload}
        if spec.attachment:
            step[self.name] = {member: value for member, value in payload.items() if member != "url"}
            step["audio"] = {"silence": "100ms"}
        sent = Sent(0, 0.0, 0.0, self.name, "", "downchannel", "", payload)
        return Asked(step, spec.expects[0], key_of(sent, spec.expects[0]))

    @property
    def expects(self) -> str:
        """Its report, for people."""
        return " or ".join(catalogue().directives[self.name].expects[0])


def read_probe(name: str) -> Probe:
    """A probe by its directive. Raises `StartError` for one that asks for no report."""
    spec = catalogue().directives.get(name)
    if spec is None or not spec.expects:
        there = ", ".join(PROBES)
        raise StartError(
            f"found probe {name!r}, expected a directive whose report the catalogue names, such as {there}"
        )
    return Probe(name)


def find_probe(subject: Subject, names: Sequence[str], within_s: float) -> Probe | None:
    """The first that the device answers within this time, None when it answers none."""
    for name in names:
        probe = read_probe(name)
        if _answer(subject, probe.ask(), within_s) is not None:
            return probe
    return None


def _answer(subject: Subject, asked: Asked, within_s: float) -> Entry | None:
    after = subject.mark()
    subject.push(asked.step)
    return subject.wait(asked.is_met_by, within_s, after=after)


def answers(subject: Subject, probe: Probe | None, within_s: float) -> bool:
    """Whether it is there and answers, or is there where it answers no probe."""
    return subject.is_there() and (probe is None or _answer(subject, probe.ask(), within_s) is not None)


def examine(
    subject: Subject,
    probe: Probe | None,
    after: int,
    limits: Limits,
    *,
    linger_s: float = 0.0,
    due: Asked | None = None,
) -> Health:
    """How the device is after what was sent behind entry `after`.

    `due` is a report that what was sent asks for itself, before the probe. With `linger_s` it is looked at for so long
    after its answer: some die late.
    """
    return _Look(subject, probe, after, limits).look(linger_s, due)


class _Look:
    """One examination."""

    def __init__(self, subject: Subject, probe: Probe | None, after: int, limits: Limits) -> None:
        self._subject = subject
        self._probe = probe
        self._began = after
        self._seen = after
        self._limits = limits
        self._now = LoopClock().now
        self._line = "kept"
        self._returns = 0

    def look(self, linger_s: float, due: Asked | None) -> Health:
        began = self._now()
        if due is not None and (trouble := self._until_met(due, self._limits.within_s)) is not None:
            return trouble
        if self._probe is None:
            trouble = self._until_closed(QUIET_S + linger_s)
            return self._fine(None) if trouble is None else trouble
        trouble = self._until_probed()
        if trouble is not None:
            return trouble
        answered_s = self._now() - began
        if linger_s and (trouble := self._until_closed(linger_s)) is not None:
            return trouble
        return self._fine(answered_s)

    def _fine(self, answered_s: float | None) -> Health:
        if self._limits.strict and self._line != "kept":
            return self._health("reopened", f"the downchannel was {self._line}")
        return Health("", "", self._line, answered_s, self._said())

    def _health(self, trouble: Trouble, detail: str) -> Health:
        return Health(trouble, detail, self._line, None, self._said())

    def _said(self) -> tuple[str, ...]:
        """Events that say that something went wrong: a proper answer to what was."""
        names = [entry.name for entry in self._subject.since(self._began) if entry.kind == "event"]
        return tuple(dict.fromkeys(each for each in names if each.endswith("Failed") or "Exception" in each))

    def _until_probed(self) -> Health | None:
        """Ask, again on each line that was opened anew; None when it answered."""
        assert self._probe is not None
        while True:
            lines = self._returns
            asked = self._probe.ask()
            self._subject.push(asked.step)
            trouble = self._until_met(asked, self._limits.within_s)
            if trouble is None or self._returns == lines or trouble.trouble != "silent":
                return trouble

    def _until_met(self, asked: Asked, within_s: float) -> Health | None:
        entry = self._next(lambda entry: asked.is_met_by(entry) or is_closing(entry), within_s)
        if entry is None:
            if ended := self._subject.ended(0.0):
                return self._health("ended", ended)
            names = " or ".join(asked.names)
            name = next(iter(asked.step))
            return self._health("silent", f"no {names} within {within_s:g} s of {name}")
        if not is_closing(entry):
            return None
        if (trouble := self._returned(entry)) is not None:
            return trouble
        return self._health("silent", f"the line was lost before {' or '.join(asked.names)}")

    def _until_closed(self, within_s: float) -> Health | None:
        while (entry := self._next(is_closing, within_s)) is not None:
            if (trouble := self._returned(entry)) is not None:
                return trouble
        ended = self._subject.ended(0.0)
        return self._health("ended", ended) if ended else None

    def _next(self, fits: Callable[[Entry], bool], within_s: float) -> Entry | None:
        entry = self._subject.wait(fits, within_s, after=self._seen)
        if entry is not None:
            self._seen = entry.number
        return entry

    def _returned(self, closed: Entry) -> Health | None:
        """What became of a line that was lost; None when it was opened anew."""
        if ended := self._subject.ended():
            return self._health("ended", ended)
        self._returns += 1
        opened = self._next(is_opening, self._limits.within_s)
        reason = closed.data.get("reason", "")
        if opened is None:
            return self._health("lost", f"its downchannel ({reason}), not opened anew in {self._limits.within_s:g} s")
        self._line = f"opened anew after {opened.at_s - closed.at_s:.2f} s ({reason})"
        if self._returns > RETURNS:
            return self._health("lost", f"its downchannel {self._returns} times in one trial")
        return None
