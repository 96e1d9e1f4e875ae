"""Chaos files: what they say, what is wrong with them and where, the plan that their seed draws."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mockcic.errors import ScenarioError, StartError
from mockcic.scenario.chaos import Chaos, Planned, in_vain_of, load_chaos, plan, read_chaos
from mockcic.scenario.schema import chaos_schema
from mockcic.scenario.source import Source

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "day.chaos.yaml"
HOUR = 3600.0


def chaos(entries: str, head: str = "") -> Chaos:
    return read_chaos(f"chaos: c\n{head}\nentries:\n{entries}")


def drawn(chaos: Chaos, begins_s: float = 0.0) -> Iterator[tuple[str, float]]:
    for each in plan(chaos, begins_s):
        yield each.name, each.at_s


def test_faults_that_can_never_strike_are_told_with_their_entry_and_its_span() -> None:
    found = chaos("""
  - {name: short, every: 1h, for: 1m, fault: {cut: rst, every: 5m}}
  - {after: 1h, fault: {reset: CANCEL, event: TextRecognizer.Recognise}}
  - {after: 1h, fault: [{reset: CANCEL, event: Vendor.Thing}, {reset: CANCEL, nth: 3, chance: 0.1}]}
""")
    said = in_vain_of(found, known=("Vendor.*",))
    assert [each.split(";")[0] for each in said] == [
        "short: a fault that comes after 300 s and is gone after 60 s never strikes",
        'reset: no event fits "TextRecognizer.Recognise"',
    ]


def test_an_entry_comes_at_a_time_of_day_after_a_while_again_and_again_or_at_once() -> None:
    found = chaos(
        """
  - {name: morning, at: 08:00, fault: {goaway: NO_ERROR}}
  - {name: early, at: 05:30, fault: {goaway: NO_ERROR}}
  - {name: later, after: 90m, fault: {goaway: NO_ERROR}}
  - {name: often, every: 8h, fault: {goaway: NO_ERROR}}
  - {name: twice, at: 20:00, every: 1h, times: 2, fault: {goaway: NO_ERROR}}
  - {at: 06:00, fault: [{goaway: NO_ERROR}, {reset: CANCEL}]}
""",
        "begins: 06:00",
    )
    assert list(drawn(found, 6 * HOUR)) == [
        ("goaway+reset", 0),
        ("later", 1.5 * HOUR),
        ("morning", 2 * HOUR),
        ("often", 8 * HOUR),
        ("twice", 14 * HOUR),
        ("twice", 15 * HOUR),
        ("often", 16 * HOUR),
        ("early", 23.5 * HOUR),
        ("often", 24 * HOUR),
    ]


def test_the_same_file_gives_the_same_plan_and_another_seed_another() -> None:
    entries = "  - {every: 10m, jitter: 5m, chance: 0.5, fault: {reset: CANCEL, chance: 0.5}}\n"
    one, same, other = (plan(chaos(entries, f"seed: {seed}"), 0) for seed in (1, 1, 2))
    assert one == same
    assert [each.at_s for each in one] != [each.at_s for each in other]
    assert 40 < len(one) < 104
    assert all(0 <= each.at_s % 600 < 300 for each in one)
    assert len({each.faults[0].seed for each in one}) == len(one)


def test_a_change_of_one_entry_leaves_the_others_as_they_were() -> None:
    entry = "  - {{name: {}, every: {}, jitter: 5m, chance: 0.5, fault: {{reset: CANCEL}}}}\n"
    one = chaos(entry.format("a", "1h") + entry.format("b", "1h"))
    other = chaos(entry.format("a", "2h") + entry.format("b", "1h"))
    assert [each for each in drawn(one) if each[0] == "b"] == [each for each in drawn(other) if each[0] == "b"]


def test_a_fault_has_the_span_and_the_name_of_its_entry_or_strikes_once() -> None:
    (spanned, once, own) = plan(
        chaos("""
  - {name: slow, for: 10m, fault: {pace: {rate: 1KB/s}, for: 1h}}
  - {fault: {reset: CANCEL}}
  - {name: x, fault: {name: mine, reset: CANCEL, times: 3}}
"""),
        0,
    )
    assert faults(spanned) == [("slow", 600, None)]
    assert faults(once) == [("reset", None, 1)]
    assert faults(own) == [("mine", None, 3)]


def faults(planned: Planned) -> list[tuple[str, float | None, int | None]]:
    return [(each.label, each.for_, each.times) for each in planned.faults]


def test_it_begins_at_its_time_of_day_in_its_zone() -> None:
    """1970 began at nine in the morning in Seoul."""
    assert chaos("  - {fault: {reset: CANCEL}}\n", "begins: 10:00").begins_in_s(0) == HOUR
    assert chaos("  - {fault: {reset: CANCEL}}\n", "begins: 08:30").begins_in_s(0) == 23.5 * HOUR
    assert chaos("  - {fault: {reset: CANCEL}}\n", "begins: 08:30\nzone: Z").begins_in_s(0) == 8.5 * HOUR
    assert chaos("  - {fault: {reset: CANCEL}}\n", "zone: '-05:00'").time_of_day(0) == 19 * HOUR


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("chaos: c\nentries: []\n", [("2:10", "at least 1 of them")]),
        ("chaos: c\nentries:\n  - {at: 25:00, fault: {reset: CANCEL}}\n", [("3:10", "a time of day, such as 08:00")]),
        ("chaos: c\nentries:\n  - {at: 800, fault: {reset: CANCEL}}\n", [("3:10", "a time of day, such as 08:00")]),
        ("chaos: c\nzone: Seoul\nentries:\n  - {fault: {reset: CANCEL}}\n", [("2:7", "Z, or an offset")]),
        (
            "chaos: c\nentries:\n  - {at: 08:00, after: 1h, fault: {reset: CANCEL}}\n",
            [("3:5", "one of the two")],
        ),
        ("chaos: c\nentries:\n  - {times: 2, fault: {reset: CANCEL}}\n", [("3:5", "`every` beside it")]),
        ("chaos: c\nentries:\n  - {fault: {reset: CANCEL, goaway: NO_ERROR}}\n", [("3:13", "exactly one of")]),
        ("chaos: c\nentries:\n  - {evry: 1h, fault: {reset: CANCEL}}\n", [("3:6", "")]),
        ("chaos: c\nentries:\n  - {every: 1s, fault: {reset: CANCEL}}\n", [("3:13", "at most 10,000 times")]),
        ("chaos: c\nentries:\n  - {after: 25h, fault: {reset: CANCEL}}\n", [("3:13", "a moment before the end")]),
        ("chaos: [\n", [("", "")]),
        ("", [("1:1", "")]),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, problems: list[tuple[str, str]]) -> None:
    with pytest.raises(ScenarioError) as raised:
        read_chaos(text, "x.yaml")
    for (place, expected), problem in zip(problems, raised.value.problems, strict=False):
        assert problem.where.startswith(f"x.yaml:{place}")
        assert expected in problem.expected


def test_a_file_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot read"):
        load_chaos(tmp_path / "none.yaml")


def test_the_schema_for_editors_takes_what_loads() -> None:
    validator = Draft202012Validator(chaos_schema())
    assert load_chaos(EXAMPLE).entries

    def wrong(text: str) -> list[Any]:
        return [list(error.absolute_path) for error in validator.iter_errors(Source("x", text).values)]

    assert wrong(EXAMPLE.read_text()) == []
    assert wrong("chaos: c\nentries: [{evry: 1h, fault: {reset: CANCEL}}]\n")
    assert wrong("chaos: c\nentries: [{at: noon, fault: {reset: CANCEL}}]\n")
