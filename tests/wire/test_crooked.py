"""Multipart that is wrong on purpose, byte for byte."""

from __future__ import annotations

import pytest

from mockcic.wire.crooked import CrookedEncoder, Wrong
from mockcic.wire.encode import Dialect, Encoder, Part

JSON = Part((("Content-Type", "application/json; charset=utf-8"),), b'{"directive":{}}')
SOUND = Part((("Content-Id", "s"),), b"\r\n\xff\xfb")

BODIES: dict[Wrong, bytes] = {
    "wrong-boundary": b"--cba\r\nH\r\n\r\nJ\r\n--cba\r\nI\r\n\r\nS\r\n--cba--\r\n",
    "no-end": b"--abc\r\nH\r\n\r\nJ\r\n--abc\r\nI\r\n\r\nS",
    "double-end": b"--abc\r\nH\r\n\r\nJ\r\n--abc\r\nI\r\n\r\nS\r\n--abc--\r\n--abc--\r\n",
    "lf": b"--abc\nH\n\nJ\n--abc\nI\n\nS\n--abc--\n",
    "preamble": b"This is a multipart message in MIME format.\r\n"
    b"--abc\r\nH\r\n\r\nJ\r\n--abc\r\nI\r\n\r\nS\r\n--abc--\r\n",
    "epilogue": b"--abc\r\nH\r\n\r\nJ\r\n--abc\r\nI\r\n\r\nS\r\n--abc--\r\n"
    b"This is the epilogue. It is to be ignored.\r\n",
    "no-blank-line": b"--abc\r\nH\r\nJ\r\n--abc\r\nI\r\nS\r\n--abc--\r\n",
    "no-headers": b"--abc\r\n\r\nJ\r\n--abc\r\n\r\nS\r\n--abc--\r\n",
    "boundary-in-body": b'--abc\r\nH\r\n\r\n{"mockcic":"--abc--","directive":{}}\r\n--abc\r\nI\r\n\r\n'
    b"\r\n--abc--\xff\xfb\r\n--abc--\r\n",
}


@pytest.mark.parametrize("wrong", BODIES)
def test_a_body_has_this_wrong_and_nothing_else(wrong: Wrong) -> None:
    encoder = CrookedEncoder(Encoder("abc"))
    encoder.wrong = frozenset({wrong})
    expected = BODIES[wrong]
    for letter, data in ((b"H", b"Content-Type: application/json; charset=utf-8"), (b"I", b"Content-Id: s")):
        expected = expected.replace(b"\r\n" + letter + b"\r\n", b"\r\n" + data + b"\r\n")
        expected = expected.replace(b"\n" + letter + b"\n", b"\n" + data + b"\n")
    expected = expected.replace(b"\nJ", b"\n" + JSON.body).replace(b"\nS", b"\n" + SOUND.body)
    if wrong == "boundary-in-body":
        expected = BODIES[wrong].replace(b"H\r\n\r\n{", b"Content-Type: application/json; charset=utf-8\r\n\r\n{")
        expected = expected.replace(b"\nI\r\n\r\n\r\n", b"\nContent-Id: s\r\n\r\n\r\n")
    assert encoder.part(JSON) + encoder.part(SOUND, last=True) == expected


def test_it_goes_on_in_the_middle_of_a_body_and_is_straight_again_when_it_is_told() -> None:
    straight = Encoder("abc")
    begun = straight.part(JSON)
    crooked = CrookedEncoder(straight)
    crooked.wrong = frozenset({"lf"})
    middle = crooked.part(JSON)
    crooked.wrong = frozenset()
    other = Encoder("abc")
    assert begun == other.part(JSON)
    assert middle == other.part(JSON).replace(b"\r\n", b"\n")
    assert crooked.part(JSON, last=True) == other.part(JSON, last=True)


def test_what_was_not_ended_is_not_ended_by_closing_either() -> None:
    crooked = CrookedEncoder(Encoder("abc"))
    crooked.part(JSON)
    crooked.wrong = frozenset({"no-end"})
    assert crooked.closing() == b""


@pytest.mark.parametrize("end", ["bare", "crlf", "epilogue"])
def test_two_ends_are_two_whatever_stands_behind_the_last_delimiter(end: str) -> None:
    crooked = CrookedEncoder(Encoder("abc", Dialect(end=end)))
    crooked.wrong = frozenset({"double-end"})
    assert crooked.part(JSON, last=True).count(b"\r\n--abc--") == 2
