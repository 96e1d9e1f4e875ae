"""Delta debugging, against devices that are functions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockcic.cic.catalogue import catalogue
from mockcic.fuzz.case import Case, choose, make_case
from mockcic.fuzz.draft import Draft, Edit, Mutation
from mockcic.fuzz.shrink import ddmin, shrink
from mockcic.fuzz.value import Stretch, Token

CIC = catalogue()
SPEAK = make_case(1, 1, ("SpeechSynthesizer.Speak",), CIC)
URL = ("directive", "payload", "url")


def case(*mutations: Mutation) -> Case:
    return Case(1, 1, "SpeechSynthesizer.Speak", SPEAK.base, mutations)


def put(value: Any) -> Mutation:
    return Mutation("put", "payload.url", (Edit("put", URL, value=value),))


NOISE = Mutation("add", "payload.x", (Edit("add", URL[:-1], "x", (1, 2, 3)),))


def test_what_is_not_needed_goes_mutations_first() -> None:
    def fails(draft: Draft) -> bool:
        message = json.loads(draft.body())
        return isinstance(message, dict) and '"url": null' in json.dumps(message)

    shrunk = shrink(case(NOISE, put(None)), fails, most=500)
    assert shrunk.mutations == (put(None),)
    assert (shrunk.draft.body(), shrunk.draft.sounds, shrunk.whole) == (b'{"url":null}', (), True)
    assert shrunk.tries < 60


@pytest.mark.parametrize(
    ("value", "needle", "size"),
    [
        (Stretch('"', "a", 1_000_000, "", '"'), b"a" * 4097, 4097),
        (Stretch("", "[", 10_000, "]", ""), b"[" * 512, 1024),
        (Token(b'"\xff"'), b"\xff", 3),
    ],
)
def test_what_is_long_is_cut_to_the_length_that_matters(value: Any, needle: bytes, size: int) -> None:
    shrunk = shrink(case(put(value)), lambda draft: needle in draft.body(), most=1000)
    assert shrunk.whole
    assert len(shrunk.draft.body()) <= size + 3


def test_an_attachment_stays_where_it_is_needed() -> None:
    shrunk = shrink(case(NOISE), lambda draft: bool(draft.sounds), most=500)
    assert (shrunk.draft.body(), len(shrunk.draft.sounds)) in ((b"{}", 1), (b'""', 1), (b"", 1), (b"0", 1))


def test_it_ends_when_the_tries_are_used_up_with_the_best_so_far() -> None:
    asked: list[Draft] = []

    def fails(draft: Draft) -> bool:
        asked.append(draft)
        return b'"url"' in draft.body()

    shrunk = shrink(case(NOISE, put(None)), fails, most=5)
    assert (len(asked), shrunk.tries, shrunk.whole) == (5, 5, False)
    assert b'"url"' in shrunk.draft.body()


@pytest.mark.parametrize("needed", [{3}, {0, 7}, {1, 2, 6}, set(range(8))])
def test_ddmin_leaves_what_is_needed(needed: set[int]) -> None:
    assert set(ddmin(range(8), lambda some: needed <= set(some))) == needed


def test_every_trial_can_be_made_small() -> None:
    """Whatever it is, the search ends, with nothing bigger than it began."""
    for number in range(1, 30):
        one = make_case(3, number, choose((), CIC), CIC)
        shrunk = shrink(one, lambda draft: True, most=400)
        assert shrunk.draft.size() <= one.draft.size()
        assert len(shrunk.draft.body()) <= 2
