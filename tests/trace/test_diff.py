"""Two traces compared: ids and times do not count, all else does."""

from __future__ import annotations

import pytest

from mockcic.journal.entry import Entry
from mockcic.scenario.conditions import MISSING
from mockcic.trace.diff import Difference, diff
from mockcic.trace.ids import Ids
from tests.support.entries import Entries, a_life
from tests.support.golden import same_as_golden


def changed(life: Entries, number: int, **members: object) -> list[Entry]:
    """The life with other members of one entry."""
    return [entry._replace(data={**entry.data, **members}) if entry.number == number else entry for entry in life]


def test_two_runs_of_the_same_do_not_differ() -> None:
    """Other ids, addresses, tokens, boundaries, device names, and times within the band."""
    other = [
        entry._replace(device=entry.device and "…9999", connection=entry.connection and "c7", wall_s=entry.wall_s + 1e6)
        for entry in a_life("2", late_s=0.4)
    ]
    assert diff(a_life("1"), other) == ()


def test_what_differs_is_said_with_its_place_and_both_sides() -> None:
    """tests/golden/trace/diff.txt, made anew by REWRITE_GOLDEN=1 and then read."""
    other = a_life("2", text="흐려요", late_s=1.0)
    changed_sound = changed(other, 6, sha256="c" * 64)
    without_wait = [entry for entry in changed_sound if entry.kind != "step" and entry.number < 22]
    same_as_golden("trace/diff.txt", "".join(f"{each}\n" for each in diff(a_life("1"), without_wait)))


def test_a_time_outside_the_band_is_said_once() -> None:
    """What follows a late entry is late with it."""
    late = a_life("2", late_s=0.8)
    assert [(each.member, each.a, each.b) for each in diff(a_life(), late)] == [("at", 1.3, 2.1)]
    assert diff(a_life(), late, band_s=1.0) == ()


def test_an_id_that_is_used_otherwise_is_a_difference() -> None:
    """The Speak names another attachment than before."""
    life = Entries()
    for at, message in enumerate(("1" * 16, "1" * 16)):
        life.add("directive", at, "A.B", line="downchannel", message_id=message)
    other = Entries()
    for at, message in enumerate(("2" * 16, "3" * 16)):
        other.add("directive", at, "A.B", line="downchannel", message_id=message)
    assert [(each.member, each.a_number) for each in diff(life, other)] == [("message_id", 2)]
    assert [(each.member, each.a_number) for each in diff(other, life)] == [("message_id", 2)]


def test_the_sound_is_compared() -> None:
    """Its digest is no id."""
    found = diff(a_life(), changed(a_life(), 6, sha256="c" * 64))
    assert [(each.member, each.a, each.b) for each in found] == [("sha256", "b" * 64, "c" * 64)]


def test_a_new_dialogue_is_only_in_one() -> None:
    """The ones around it are still compared with each other."""
    more = Entries(a_life())
    more[14:14] = [Entry(99, "event", 60.5, 0.0, "…4f2a", "c1", "c1.99", "d99", "New.Event")]
    assert diff(a_life(), more) == (
        Difference("…4f2a New.Event: event New.Event", "", MISSING, more[14].as_json(), b_number=99),
    )
    assert diff(more, a_life()) == (
        Difference("…4f2a New.Event: event New.Event", "", more[14].as_json(), MISSING, a_number=99),
    )


def test_which_of_reply_and_push_is_written_first_is_chance() -> None:
    life, other = Entries(), Entries()
    lines = [("reply", "A.Reply"), ("downchannel", "A.Push")]
    for entries, order in ((life, lines), (other, lines[::-1])):
        entries.add("event", 0.0, "A.Event", dialogue="d1", payload={})
        for line, name in order:
            entries.add("directive", 0.0, name, line=line, dialogue="d1", payload={})
    assert [entry.name for entry in life] != [entry.name for entry in other]
    assert diff(life, other) == ()


def test_how_often_a_device_pinged_in_a_row_does_not_count() -> None:
    """It is a number of minutes; that it pinged does count."""
    assert diff(a_life(), [entry for entry in a_life() if entry.number != 14]) == ()
    assert len(diff(a_life(), [entry for entry in a_life() if entry.kind != "ping"])) == 1


@pytest.mark.parametrize(
    ("a", "b", "differences"),
    [
        (1, 1.0, 0),
        (1, True, 1),
        (0, False, 1),
        (None, "", 1),
        ([], {}, 1),
        ([1], [1, 2], 1),
        ({"x": {"y": 1}}, {"x": {"y": 2}}, 1),
        ("2026-03-02T03:10:00+00:00", "2026-03-02T04:10:00+00:00", 0),
        ("2026-03-02T03:10:00+00:00", "2026-03-02T04:11:00+00:00", 1),
        ("2026-03-02T03:10:00", "2026-03-02T04:10:01", 0),
        ("2026-03-02T03:10:00", "2026-03-02T04:10:02", 1),
        ("2026-03-02T03:10:00.250Z", "2026-03-02T04:10:00.700Z", 0),
        ("2026-03-02T03:10:00.250Z", "2026-03-02T04:10:01.250Z", 1),
        ("2026-03-02 not a time", "2026-03-02 no time", 1),
        ("http://x/cid:1?a", "http://y/cid:1?a", 1),
    ],
)
def test_values_are_compared_as_json(a: object, b: object, differences: int) -> None:
    """A moment counts by how far it is from the clock of its own run, an hour later here; whole seconds are rough."""
    life, other = Entries(), Entries()
    life.add("event", 0.0, "A.B", payload={"m": a})
    other.add("event", 0.0, "A.B", payload={"m": b})
    later = [entry._replace(wall_s=entry.wall_s + 3600) for entry in other]
    assert len(diff(life, later)) == differences


def test_a_position_is_a_time_too() -> None:
    life, other = Entries(), Entries()
    life.add("event", 0.0, "A.B", payload={"offsetInMilliseconds": 1000})
    other.add("event", 0.0, "A.B", payload={"offsetInMilliseconds": 1400})
    assert diff(life, other) == ()
    assert len(diff(life, other, band_s=0.3)) == 1


def test_a_difference_as_json_leaves_out_what_is_absent() -> None:
    assert Difference("…4f2a: event A.B", "payload.x", MISSING, None, 1, 2).as_json() == {
        "where": "…4f2a: event A.B",
        "member": "payload.x",
        "a_number": 1,
        "b_number": 2,
        "b": None,
    }


def test_two_devices_are_paired_in_the_order_they_appear() -> None:
    life, other = Entries(), Entries()
    for entries, names in ((life, ("…aaaa", "…bbbb")), (other, ("…cccc", "…dddd"))):
        for device, event in zip(names, ("A.One", "A.Two"), strict=True):
            entries.add("event", 0.0, event, device=device)
    assert diff(life, other) == ()


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("cid:one", "cid:two", True),
        ("cid:one", "two", False),
        ("at http://h/3f2504e0-4f89-41d3-9a0c-0305e82c3301", "at http://h/9f2504e0-4f89-41d3-9a0c-0305e82c3301", True),
        ("multipart/form-data; boundary=a", "multipart/form-data; boundary=b", True),
        ("deadbeefdeadbeef", "deadbeefdeadbee", False),
        ("1234567890123456", "1234567890123457", True),
        ("weather", "alarm", False),
    ],
)
def test_what_looks_like_an_id_is_one(a: str, b: str, same: bool) -> None:
    assert Ids().same("text", a, b) is same
    assert Ids().same("sha256", a, b) is False


def test_what_repeats_often_is_still_aligned() -> None:
    """The names of a long trace are few; a run of equal ones is soon the wrong one."""
    life = Entries()
    for number in range(300):
        life.add("event", number, ("A.One", "A.Two")[number % 2], stream=f"c1.{number}", payload={})
    assert len(diff(life, [entry for entry in life if entry.number not in (50, 100, 250)])) == 3


def test_a_long_trace_of_the_same_is_compared_at_once() -> None:
    """10,000 dialogues of one kind; an aligner that looks at all pairs would take minutes."""
    life = Entries()
    for number in range(10_000):
        life.add("event", number, "A.B", stream=f"c1.{number}", dialogue=f"d{number}", payload={})
    assert len(diff(life, [entry for entry in life if entry.number != 5_000])) == 1
