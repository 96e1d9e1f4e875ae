"""Conditions: what holds, and what is said when it does not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from mockcic.scenario.conditions import MISSING, AnyCondition, Condition, holds, same

READ: TypeAdapter[Condition] = TypeAdapter(AnyCondition)


def miss(condition: Any, got: object) -> str | None:
    return READ.validate_python(condition).miss(got, lambda value: value)


@pytest.mark.parametrize(
    ("condition", "got"),
    [
        ("ko", "ko"),
        (3, 3.0),
        (True, True),
        (None, None),
        (["ko", "en"], "en"),
        ({"is": [1, 2]}, [1, 2]),
        ({"is": {"a": 1}}, {"a": 1}),
        ({"one_of": [1, 2]}, 2),
        ({"matches": "^안녕"}, "안녕하세요"),
        ({"matches": "boom"}, "a boom b"),
        ({"contains": "날씨"}, "오늘 날씨"),
        ({"contains": 2}, [1, 2]),
        ({"contains": {"type": "ALARM"}}, [{"type": "TIMER"}, {"type": "ALARM", "token": "t"}]),
        ({"contains": {"a": {"b": 1}}}, {"a": {"b": 1, "c": 2}, "d": 3}),
        ({"min": 3}, 3),
        ({"max": 7}, 6.5),
        ({"min": "1.5s"}, 1.5),
        ({"min": 3, "max": 7}, 5),
        ({"present": True}, None),
        ({"present": False}, MISSING),
        ({"absent": True}, MISSING),
        ({"absent": False}, 0),
        ({"not": "ko"}, "en"),
        ({"not": {"matches": "^불"}}, "물"),
        ({"matches": "^a", "not": {"contains": "b"}}, "ac"),
    ],
)
def test_it_holds(condition: Any, got: object) -> None:
    assert miss(condition, got) is None


@pytest.mark.parametrize(
    ("condition", "got", "expected"),
    [
        ("ko", "en", '"ko"'),
        ("ko", MISSING, '"ko"'),
        (1, True, "1"),
        (True, 1, "true"),
        (["ko", "en"], "ja", 'one of "ko", "en"'),
        ({"matches": "^안녕"}, "네 안녕", "a text that matches /^안녕/"),
        ({"matches": "1"}, 1, "a text that matches /1/"),
        ({"contains": "b"}, "a", 'something that contains "b"'),
        ({"contains": {"a": 1}}, [{"a": 2}], "something that contains a mapping with a"),
        ({"min": 3}, 2, "a number of at least 3"),
        ({"max": 3}, "2", "a number of at most 3"),
        ({"min": 1, "max": 3}, True, "a number from 1 to 3"),
        ({"present": True}, MISSING, "present"),
        ({"absent": True}, None, "absent"),
        ({"not": "ko"}, "ko", 'not "ko"'),
    ],
)
def test_a_miss_says_what_was_expected(condition: Any, got: object, expected: str) -> None:
    assert miss(condition, got) == expected


@pytest.mark.parametrize("condition", [{}, {"matches": "("}, {"min": "long"}, {"mach": "x"}])
def test_a_condition_that_makes_no_sense_is_refused(condition: Any) -> None:
    with pytest.raises(ValidationError):
        READ.validate_python(condition)


def test_expected_values_may_be_templates() -> None:
    condition = READ.validate_python("{{ vars.x }}")
    assert condition.miss("filled", lambda value: "filled") is None


def test_equal_is_equal_as_json() -> None:
    assert same(1, 1.0)
    assert not same(1, True)
    assert same([1, {"a": None}], (1, {"a": None}))
    assert not same({"a": 1}, {"a": 1, "b": 2})


def test_holding_looks_into_objects_of_a_list() -> None:
    assert holds([{"a": [1, 2]}], {"a": [1, 2]})
    assert not holds("text", 1)
    assert not holds(5, 5)
