"""The life of a stream, as a table."""

from __future__ import annotations

from itertools import product

import pytest

from mockcic.server.stream import NEXT, Life, Turn

CANNOT_BE = {
    (Life.ANSWERING, Turn.DATA): "h2 answers it with STREAM_CLOSED",
    (Life.ANSWERING, Turn.REQUEST_END): "h2 answers a second END_STREAM with STREAM_CLOSED",
    (Life.ANSWERED_EARLY, Turn.RESPONSE_END): "an answer ends once",
    (Life.DONE, Turn.DATA): "h2 answers it, the stream is forgotten",
    (Life.DONE, Turn.REQUEST_END): "h2 answers it, the stream is forgotten",
    (Life.DONE, Turn.RESPONSE_END): "nothing is sent on a forgotten stream",
    (Life.DONE, Turn.RESET): "a forgotten stream is not looked up",
}


@pytest.mark.parametrize(("life", "turn"), list(product(Life, Turn)), ids=lambda value: value.name)
def test_every_turn_in_every_state_is_decided(life: Life, turn: Turn) -> None:
    """The table says where it leads, or it is among what cannot be, with the reason."""
    assert ((life, turn) in NEXT) != ((life, turn) in CANNOT_BE)


def test_reset_ends_every_life() -> None:
    """RFC 9113 5.1."""
    assert {NEXT[life, Turn.RESET] for life in Life if life is not Life.DONE} == {Life.DONE}


def test_a_stream_is_done_when_both_sides_have_ended_in_either_order() -> None:
    """RFC 9113 8.1."""
    for turns in ((Turn.REQUEST_END, Turn.RESPONSE_END), (Turn.RESPONSE_END, Turn.DATA, Turn.REQUEST_END)):
        life = Life.UPLOADING
        for turn in turns:
            assert life is not Life.DONE
            life = NEXT[life, turn]
        assert life is Life.DONE
