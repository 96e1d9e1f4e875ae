"""Boundary torture: the same message cut into DATA frames at each position, and whether the device bears it.

Source: RFC 9113 6.1 (DATA frames mean nothing to what is in them); the parsers of shipped devices (DEVICES Q1 to Q6).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from mockcic.control.shapes import DeviceChange, FaultOrder
from mockcic.errors import StartError
from mockcic.fuzz.anatomy import Region, anatomy, place_of
from mockcic.journal.entry import Entry
from mockcic.scenario.compose import Composer
from mockcic.scenario.steps import Send, read_step
from mockcic.server.answers import directive_part
from mockcic.trial.fuzz import bring_back
from mockcic.trial.health import FRESH, Asked, Health, Limits, Probe, examine
from mockcic.trial.subject import Subject
from mockcic.wire.encode import Dialect, Encoder, attachment_part, new_boundary

ASKED: Final = "asked"
"""The state of a device whose next event is answered with what is cut."""

SPEAK: Final = "SpeechSynthesizer.Speak"
"""What is cut unless told otherwise: JSON and a sound behind it."""

Line = Literal["downchannel", "answer"]

Way = Literal["cut", "padded", "dribble"]
"""Two frames; two frames with padding; a frame for each byte."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: its regions, its size on a downchannel, the size of its JSON part."""

    name: str
    regions: tuple[Region, ...]
    part_bytes: int

    @property
    def size(self) -> int:
        """All its bytes."""
        return self.regions[-1].end


def message_of(probe: Probe, line: Line = "downchannel") -> Message:
    """As the server will write it: ids and boundaries differ each time, their lengths do not.

    On a downchannel a delimiter stands before it already; an answer is the whole body.
    """
    directive, attachments = Composer(1).compose(Send.model_validate(read_step(dict(probe.ask().step))), {}, None)
    dialect = Dialect()
    boundary = new_boundary(dialect)
    encoder = Encoder(boundary, dialect)
    is_answer = line == "answer"
    if not is_answer:
        encoder.part(directive_part(directive, dialect))  # the one before: Hello
    data = encoder.part(directive_part(directive, dialect), last=is_answer and not attachments)
    part_bytes = len(data)
    for number, each in enumerate(attachments, 1):
        part = attachment_part(f"attachment-{each.content_id}", each.content_id, each.data, dialect)
        data += encoder.part(part, last=is_answer and number == len(attachments))
    return Message(probe.name, anatomy(data, boundary), part_bytes)


@dataclass(frozen=True, slots=True)
class Result:
    """A cut (0: none, byte by byte), and how the device was: after it, and when it was repeated because of that."""

    way: Way
    cut: int
    health: Health
    again: Health | None = None

    @property
    def verdict(self) -> Literal["fine", "not fine", "once of two"]:
        """What came of it."""
        if self.health.is_fine:
            return "fine"
        return "once of two" if self.again is not None and self.again.is_fine else "not fine"

    @property
    def says(self) -> str:
        """The verdict, and why."""
        return self.verdict if self.health.is_fine else f"{self.verdict}: {self.health}"


@dataclass(frozen=True, slots=True)
class Row:
    """Cuts from `begin` to `end` with one result for each way, at one place; fine ones `from_` one place to another."""

    begin: int
    end: int
    where: str
    says: Mapping[Way, str]
    from_: str = ""

    @property
    def is_fine(self) -> bool:
        """Whether the device bears them."""
        return all(each == "fine" for each in self.says.values())


@dataclass(frozen=True, slots=True)
class Table:
    """All results. `stopped` says why not all positions were tried."""

    message: Message
    results: tuple[Result, ...]
    stopped: str = ""

    @property
    def ok(self) -> bool:
        """Whether the device bore all."""
        return not self.stopped and all(each.health.is_fine for each in self.results)

    @property
    def ways(self) -> tuple[Way, ...]:
        """Those that have positions."""
        return tuple(dict.fromkeys(each.way for each in self.results if each.cut))

    @property
    def dribble(self) -> Result | None:
        """Byte by byte."""
        return next((each for each in self.results if each.way == "dribble"), None)

    def at(self, way: Way, cut: int) -> Result | None:
        """The result of one position."""
        return next((each for each in self.results if each.way == way and each.cut == cut), None)

    def rows(self) -> list[Row]:
        """Neighbours with equal results in one region as one row, and all neighbours that are fine."""
        by_cut: dict[int, dict[Way, Result]] = {}
        for each in self.results:
            if each.cut:
                by_cut.setdefault(each.cut, {})[each.way] = each
        regions = self.message.regions

        def key(cut: int) -> tuple[int, str, tuple[tuple[Way, str], ...]]:
            number, where = place_of(regions, cut)
            return number, where, tuple((way, result.says) for way, result in by_cut[cut].items())

        rows: list[Row] = []
        for (_, where, says), cuts in itertools.groupby(sorted(by_cut), key):
            for run in _runs(list(cuts)):
                row = Row(run[0], run[-1], where, dict(says))
                if rows and rows[-1].is_fine and row.is_fine and rows[-1].end + 1 == row.begin:
                    row = replace(row, begin=rows[-1].begin, from_=rows[-1].from_ or rows[-1].where)
                    rows.pop()
                rows.append(row)
        return rows

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "ok": self.ok,
            "directive": self.message.name,
            "bytes": self.message.size,
            "stopped": self.stopped or None,
            "regions": [{"begin": each.begin, "end": each.end, "what": each.what} for each in self.message.regions],
            "results": [
                {
                    "way": each.way,
                    "cut": each.cut or None,
                    "where": place_of(self.message.regions, each.cut)[1] if each.cut else "at each byte",
                    "verdict": each.verdict,
                    "trouble": each.health.trouble or None,
                    "detail": each.health.detail or None,
                    "line": each.health.line,
                }
                for each in self.results
            ],
        }


def _runs(cuts: Sequence[int]) -> Iterable[Sequence[int]]:
    """Cuts that follow one another."""
    begin = 0
    for number in range(1, len(cuts) + 1):
        if number == len(cuts) or cuts[number] != cuts[number - 1] + 1:
            yield cuts[begin:number]
            begin = number


def _is_strike(entry: Entry) -> bool:
    return (entry.kind, entry.name, entry.data.get("phase")) == ("fault", "torture", "struck")


def answering(directive: Probe, probe: Probe, settings: str) -> str:
    """A scenario in which the event that `probe` asks for is answered with `directive`, if that was said before.

    `settings` are those of the scenario, as YAML in one line.
    """
    import yaml

    step = dict(directive.ask().step)
    payload = {name: "{{ vars.fresh }}" if name in FRESH else value for name, value in step[directive.name].items()}
    step[directive.name] = payload
    rule = {"event": list(probe.ask().names), "in": [ASKED], "go": "start", "reply": [step]}
    whole = {
        "scenario": "trial",
        "settings": yaml.safe_load(settings),
        "vars": {"fresh": ""},
        "on": [rule, {"event": "*"}],
        "cues": {ASKED: {"go": ASKED}},
    }
    return str(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True))


class Torture:
    """One run: `probe` is asked behind each message, `directive` is the message; `obeyed` says it has a report.

    With `line` answer the device is asked for an event by the probe, and the directive is in the answer to that: for
    this `answering` has to be its scenario.
    """

    def __init__(
        self,
        subject: Subject,
        directive: Probe,
        probe: Probe | None,
        limits: Limits,
        *,
        line: Line = "downchannel",
        obeyed: bool = True,
        gap_s: float = 0.0,
        padding: int = 0,
        told: Callable[[Result], None] = lambda result: None,
    ) -> None:
        self._subject = subject
        self._directive = directive
        self._probe = probe
        self._limits = limits
        self._line = line
        self._obeyed = obeyed
        self._gap_s = gap_s
        self._padding = padding
        self._told = told

    def run(self, message: Message, cuts: Sequence[int], *, dribble: bool = True) -> Table:
        """Try each position in each way."""
        ways: tuple[Way, ...] = ("cut", "padded") if self._padding else ("cut",)
        tries: list[tuple[Way, int]] = [(way, cut) for cut in cuts for way in ways]
        tries += [("dribble", 0)] if dribble else []
        results: list[Result] = []
        stopped = ""
        for way, cut in tries:
            health, again = self._try_out(way, cut), None
            if not health.is_fine:
                if not self._bring_back():
                    stopped = f"the device did not come back within {self._limits.recover_s:g} s"
                else:
                    again = self._try_out(way, cut)
                    if not again.is_fine and not self._bring_back():
                        stopped = f"the device did not come back within {self._limits.recover_s:g} s"
            results.append(Result(way, cut, health, again))
            self._told(results[-1])
            if stopped:
                break
            self._subject.forget()
        return Table(message, tuple(results), stopped)

    def check(self, message: Message) -> None:
        """Send it whole. Raises `StartError` where the device does not bear that, or it is written another way."""
        after = self._subject.mark()
        health = self._send(self._directive.ask(), after)
        sent = [each for each in self._subject.since(after) if each.kind == "directive" and each.name == message.name]
        if not health.is_fine:
            raise StartError(f"the device is not fine after {message.name} in one piece: {health}")
        if sent and sent[0].data["bytes"] != message.part_bytes:
            wrote = sent[0].data["bytes"]
            raise StartError(
                f"the server wrote {wrote} bytes where {message.part_bytes} were expected: the scenario "
                "of the device writes in a dialect; give it another (mockcic load), or let a server be started here"
            )

    def _send(self, asked: Asked, after: int) -> Health:
        if self._line == "answer":
            assert self._probe is not None
            fresh = next(iter(asked.key.values()), "")
            self._subject.place.change(self._subject.name, DeviceChange(state=ASKED, vars={"fresh": fresh}))
            self._subject.push(self._probe.ask().step)
        else:
            self._subject.push(asked.step)
        due = asked if self._obeyed else None
        return examine(self._subject, self._probe, after, self._limits, due=due)

    def _try_out(self, way: Way, cut: int) -> Health:
        frames: dict[str, Any] = {"every": 1} if way == "dribble" else {"at": [cut]}
        if way == "padded":
            frames["padding"] = self._padding
        if self._gap_s:
            frames["gap"] = f"{round(self._gap_s * 1000)}ms"
        fault: dict[str, Any] = {"frames": frames, "on": self._line, "times": 1, "name": "torture"}
        if self._line == "answer" and self._probe is not None:
            fault["event"] = list(self._probe.ask().names)
        after = self._subject.mark()
        number = self._subject.place.fault(
            FaultOrder.model_validate({"device": self._subject.name, "fault": fault})
        ).number
        try:
            health = self._send(self._directive.ask(), after)
        finally:
            self._subject.place.remove_fault(number)
        if health.is_fine and not any(_is_strike(each) for each in self._subject.since(after)):
            raise StartError(f"the message was not cut behind {cut} bytes: the server did not let the fault strike")
        return health

    def _bring_back(self) -> bool:
        return bring_back(self._subject, self._probe, self._limits)
