"""The rules of a scenario held against an event, as far as somebody wants to know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mockcic.cic.facts import Sound
from mockcic.scenario.effects import Effect, Found, Miss
from mockcic.scenario.match import Match, Pending, Subject, match
from mockcic.scenario.memory import Memory, template_finding
from mockcic.scenario.model import Rule, Scenario
from mockcic.scenario.template import RenderError, render
from mockcic.scenario.upload import Upload


class Rulebook:
    """Each method gives matches one after another: what the caller does not ask for is not judged.

    `sound` is that of the event, PENDING while more may come. A template that cannot be rendered is a miss of its rule,
    and a finding among `out`.
    """

    __slots__ = ("_memory", "_scenario")  # one for each of thousands of devices

    def __init__(self, scenario: Scenario, memory: Memory) -> None:
        self._scenario = scenario
        self._memory = memory

    def answering(
        self, upload: Upload, sound: Sound | Pending | None, now: float, out: list[Effect]
    ) -> Iterator[Match]:
        """Each rule about the event that answers."""
        return self._hold(self._scenario.rules_about(upload.event.full_name).answering, upload, sound, now, out)

    def others(self, upload: Upload, now: float, out: list[Effect]) -> Iterator[Match]:
        """The rules about other events: one of them may have been meant."""
        name = upload.event.full_name
        others = ((n, rule) for n, rule in enumerate(self._scenario.on) if not rule.beside and not rule.is_about(name))
        return self._hold(others, upload, upload.sound, now, out)

    def fitting_beside(
        self, upload: Upload, sound: Sound | Pending | None, now: float, out: list[Effect]
    ) -> Iterator[Match]:
        """The rules that answer nothing and fit the event, in the order of the file."""
        rules = self._scenario.rules_about(upload.event.full_name).beside
        return (each for each in self._hold(rules, upload, sound, now, out) if each.fits)

    def _hold(
        self,
        rules: Iterable[tuple[int, Rule]],
        upload: Upload,
        sound: Sound | Pending | None,
        now: float,
        out: list[Effect],
    ) -> Iterator[Match]:
        memory = self._memory
        subject = Subject(
            event=upload.event,
            headers=upload.began.headers,
            sound=sound,
            state=memory.state,
            vars=memory.vars,
            counts=memory.counts,
            device=memory.device_members,
        )

        def fill(value: Any) -> Any:
            return render(value, memory.names(upload, now))

        for number, rule in rules:
            try:
                yield match(rule, number, memory.uses[number], subject, fill)
            except RenderError as problem:
                out.append(Found(template_finding(problem, rule.label), upload.stream))
                yield Match(rule, number, (Miss("when", "a template that can be rendered", problem.why),))
