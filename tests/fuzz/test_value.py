"""JSON as it may be on a wire."""

from __future__ import annotations

import json

import pytest

from mockcic.fuzz import value as v
from mockcic.fuzz.value import Obj, Stretch, Token, encode, read

PLAIN = {"a": [1, 2.5, None, True, "한글"], "b": {"c": "x"}}


def test_plain_json_is_what_it_was() -> None:
    assert json.loads(encode(read(PLAIN))) == PLAIN


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Obj((("a", 1), ("a", None))), b'{"a":1,"a":null}'),
        ((Token(b"NaN"), Token(b'"\xff"')), b'[NaN,"\xff"]'),
        (Stretch("[", "0,", 2, "", "0]"), b"[0,0,0]"),
        (Stretch("", "[", 2, "]", ""), b"[[]]"),
        ("\ud83d 한", b'"\\ud83d \\ud55c"'),
        ("한\0", '"한\\u0000"'.encode()),
    ],
)
def test_what_python_cannot_hold_is_written(value: v.Value, text: bytes) -> None:
    assert encode(value) == text


def test_edits_by_path_change_one_place_or_nothing() -> None:
    value = read(PLAIN)
    assert v.at(v.put(value, ("b", "c"), 7), ("b", "c")) == (True, 7)
    assert json.loads(encode(v.drop(value, ("a", 0)))) == {**PLAIN, "a": [2.5, None, True, "한글"]}
    assert encode(v.add(value, ("b",), "c", None)).endswith(b'"b":{"c":"x","c":null}}')
    assert encode(v.rename(value, ("b",), "B")).endswith(b'"B":{"c":"x"}}')
    for nothing in (
        v.put(value, ("x",), 1),
        v.drop(value, ("b", "x")),
        v.add(value, ("a",), "x", 1),
        v.drop(value, ()),
    ):
        assert nothing == value
