"""What stands where in a message."""

from __future__ import annotations

import pytest

from mockcic.fuzz.anatomy import anatomy, place_of, read_cuts

HEAD = b"Content-Type: application/json\r\nX: y\r\n\r\n"
SOUND = b"Content-Id: a\r\n\r\n\xff\xfb\r\n--b"
DATA = HEAD + b"{}\r\n--bound\r\n" + SOUND + b"\r\n--bound--\r\n"
REGIONS = anatomy(DATA, "bound")


def test_every_byte_has_its_place() -> None:
    assert [REGIONS[0].begin, *(each.end for each in REGIONS)] == [*(each.begin for each in REGIONS), len(DATA)]
    found = {each.what: DATA[each.begin : each.end] for each in REGIONS}
    assert found["JSON"] == b"{}"
    assert found["attachment"] == b"\xff\xfb\r\n--b"
    assert found["blank line"] == b"\r\n"
    assert found["name Content-Id"] == b"Content-Id"
    assert found["value of X"] == b" y"
    assert found["boundary"] == b"bound"
    assert found["hyphens that close"] == b"--"


def test_a_cut_is_in_something_or_behind_it() -> None:
    at = DATA.index(b"--bound")
    assert place_of(REGIONS, at)[1] == "behind CRLF before the delimiter"
    assert place_of(REGIONS, at - 1)[1] == "in CRLF before the delimiter"
    assert place_of(REGIONS, at + 1)[1] == "in hyphens of the delimiter"
    assert place_of(REGIONS, 3)[1] == "in name Content-Type"


def test_cuts_are_chosen_in_words_and_numbers() -> None:
    assert read_cuts("all", REGIONS) == tuple(range(1, len(DATA)))
    framing = read_cuts("delimiters", REGIONS)
    assert DATA.index(b"{}") + 1 not in framing
    assert {DATA.index(b"--bound") + offset for offset in range(-2, 9)} <= set(framing)
    assert read_cuts("3, 1..2", REGIONS) == (1, 2, 3)
    for wrong in ("", "none", "0", "5000", "3..x", "-1"):
        with pytest.raises(ValueError, match="expected all, delimiters, or numbers from 1 to"):
            read_cuts(wrong, REGIONS)
