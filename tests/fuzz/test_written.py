"""What was found, as a scenario."""

from __future__ import annotations

from mockcic.cic.catalogue import catalogue
from mockcic.fuzz.case import choose, make_case
from mockcic.fuzz.written import scenario_text
from mockcic.scenario.load import load_text
from mockcic.scenario.steps import RawStep, Use
from mockcic.scenario.walk import steps_of

CIC = catalogue()


def test_it_loads_without_a_warning_and_sends_the_very_bytes() -> None:
    for number in range(1, 60):
        draft = make_case(5, number, choose((), CIC), CIC).draft
        if draft.size() > 10_000:
            continue
        text = scenario_text("fuzz-5-1", ("Null, and", "more: #1."), draft.step(), {"Settings.ExpectReport": {}})
        loaded = load_text(text)
        assert loaded.warnings == (), text
        steps = [placed.step for placed in steps_of(loaded.scenarios[0])]
        (raw,) = (step for step in steps if isinstance(step, RawStep))
        assert raw.raw.content() == draft.body()
        assert list(raw.attach) == [name for name, _ in draft.sounds]
        assert sum(isinstance(step, Use) for step in steps) == 2
