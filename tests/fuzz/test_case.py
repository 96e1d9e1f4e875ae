"""Trials by seed and number, and every kind of wrong on every directive."""

from __future__ import annotations

import hashlib

import pytest

from mockcic.cic.catalogue import catalogue
from mockcic.errors import StartError
from mockcic.fuzz.case import choose, make_case
from mockcic.fuzz.dice import Dice
from mockcic.fuzz.draft import ground
from mockcic.fuzz.mutations import MUTATIONS
from mockcic.scenario.steps import RawStep

CIC = catalogue()
ALL = choose((), CIC)


def test_a_trial_is_the_same_on_every_machine_and_alone() -> None:
    """If this fails because a kind or the catalogue changed, old seeds mean something else: say so in the changelog."""
    numbers = [*range(1, 41)]
    bodies = [make_case(7, number, ALL, CIC).draft.body() for number in numbers]
    assert hashlib.sha256(b"\0".join(bodies)).hexdigest()[:16] == "e0f6ebcc86d010e5"
    assert make_case(7, 17, ALL, CIC).draft.body() == bodies[16]
    assert make_case(8, 17, ALL, CIC).draft.body() != bodies[16]


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_kind_makes_some_directive_wrong_in_a_way_that_can_be_sent(name: str) -> None:
    wrong = 0
    for number, directive in enumerate(ALL):
        good = ground(CIC.directives[directive], CIC, Dice(1, number))
        mutation = MUTATIONS[name](good, Dice(2, number))
        if mutation is None:
            continue
        draft = mutation.apply(good.draft)
        wrong += draft != good.draft
        assert len(draft.body()) < 3_000_000
        assert RawStep.model_validate(draft.step()).raw.content() == draft.body()
    assert wrong >= 1
    assert MUTATIONS[name].__doc__


def test_a_good_directive_has_its_sounds_and_nothing_against_it() -> None:
    for directive in ALL:
        good = ground(CIC.directives[directive], CIC, Dice(1, 1))
        assert bool(good.draft.sounds) == bool(CIC.directives[directive].attachment)


def test_directives_are_chosen_by_wildcards() -> None:
    assert choose(("SpeechSynthesizer.*",), CIC) == ("SpeechSynthesizer.Speak",)
    assert "Alerts.SetAlert" not in choose(("!Alerts.*",), CIC)
    with pytest.raises(StartError, match=r"did you mean SpeechSynthesizer\.Speak"):
        choose(("SpeechSynthesizer.Speek",), CIC)
    with pytest.raises(StartError, match="no directive is left"):
        choose(("Alerts.*", "!Alerts.*"), CIC)
