"""What `python -m benchmarks soak` draws; its run is no test of ours."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.soak import VALUES, draw, undrawn
from mockcic.scenario.faults.fault import ACTS, Fault


def test_no_act_is_left_out() -> None:
    assert undrawn() == []
    assert set(VALUES) <= set(ACTS)


@pytest.mark.parametrize("act", VALUES)
def test_each_value_is_one_that_can_be_written(act: str) -> None:
    for value in VALUES[act]:
        assert Fault.model_validate({act: value}).kind == act


def test_the_same_seed_draws_the_same_and_all_of_it_ends() -> None:
    once, again = ([draw(chance) for _ in range(50)] for chance in (Random("1 faults 7"), Random("1 faults 7")))
    assert once == again
    assert all("for" in fault for fault in once)
