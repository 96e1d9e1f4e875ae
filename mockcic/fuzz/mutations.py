"""The kinds of wrong: each a small function from a good directive and dice to one mutation, or None where none fits.

Their order is part of what a seed means: a new kind goes to the end, so that old seeds change as little as can be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from mockcic.fuzz.dice import Dice
from mockcic.fuzz.draft import HEADER, PAYLOAD, Edit, Ground, Mutation, Spot
from mockcic.fuzz.value import Obj, Path, Stretch, Token, Value, encode, shown

Kind = Callable[[Ground, Dice], Mutation | None]

HUGE: Final = (2**31, 2**32, 2**53 + 1, 2**63, 10**40, -(2**31) - 1, -(2**63) - 1)
ODD_NUMBERS: Final = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0", b"007", b"1.5e-400", b"0x10", b"1.", b".5")
LETTERS: Final = {
    "half a letter": "\ud83d",
    "the other half": "\udc00 \ud800",
    "NUL": "a\0b",
    "control characters": "a\r\n\t\x1b[31m\x7f",
    "right to left": "\u202eabc\u202c \u05d0\u05d1",
    "emoji": "👩\u200d👩\u200d👧\u200d👦🏳️\u200d🌈",
    "many accents": "e" + "\u0301" * 200,
    "no letter at all": "\uffff\ufeff\ufffe",
    "a delimiter": "\r\n--boundary--\r\n",
    "a format": "%s%n%p ${x} `id` ../../../etc/passwd",
}
BAD_FORMATS: Final[Mapping[str, Sequence[str]]] = {
    "iso8601": ("2026-13-45T99:99:99Z", "tomorrow", "2026-03-03", "0000-00-00T00:00:00+99:99", "1772500000"),
    "timestamp-digits": ("99999999999999", "2026-03-03", "0"),
    "url": ("http://", "not a url", "https://[::1", "ftp://a/b", "javascript:alert(1)", "http://%00/"),
    "uri": ("://", "not a uri", "https://[::1"),
    "cid-url": ("cid:", "cid", "http://", "file:///dev/zero"),
    "uuid": ("not-a-uuid", "00000000-0000-0000-0000-00000000000g"),
}
OTHERS: Final[tuple[Value, ...]] = ("text", 7, 1.5, True, Obj(), (), (None,), Obj((("a", (1, 2)),)))
DEPTHS: Final = (64, 512, 1_000, 10_000, 100_000)
LONG_LETTERS: Final = (256, 4_096, 65_536, 1_000_000)
LONG_ARRAYS: Final = (1_000, 10_000, 100_000)
LONG_BYTES: Final = 1_000_000


def missing(ground: Ground, dice: Dice) -> Mutation | None:
    """A member is missing; one that is required, where there is one."""
    members = [spot for spot in ground.spots if spot.is_member]
    required = [spot for spot in members if spot.field is not None and spot.field.required]
    return _at(dice, required or members, lambda spot: Edit("drop", spot.path), "missing")


def null(ground: Ground, dice: Dice) -> Mutation | None:
    """A member is null."""
    return _put(dice, ground.spots, "null", lambda spot: None)


def wrong_type(ground: Ground, dice: Dice) -> Mutation | None:
    """A member is of another type."""

    def other(spot: Spot) -> Value:
        return dice.pick([each for each in OTHERS if type(each) is not type(spot.value)])

    return _put(dice, ground.spots, "wrong-type", other)


def unknown_member(ground: Ground, dice: Dice) -> Mutation | None:
    """A member that nobody knows."""
    owners = [PAYLOAD, HEADER, ("directive",), (), *(spot.path for spot in ground.spots if isinstance(spot.value, Obj))]
    owner = dice.pick(owners)
    key = dice.pick(("mockUnknown", "", "__proto__", "constructor", "한글", "a.b[0]", "key" * 1000))
    return Mutation("unknown-member", shown((*owner, key))[:80], (Edit("add", owner, key, dice.pick((None, *OTHERS))),))


def unknown_value(ground: Ground, dice: Dice) -> Mutation | None:
    """A value that is none of the list."""
    spots = [spot for spot in ground.spots if spot.field is not None and spot.field.enum]

    def unknown(spot: Spot) -> Value:
        choices: tuple[Value, ...] = ("MOCK_UNKNOWN", "", str(spot.value).lower(), -1)
        return dice.pick(choices)

    return _put(dice, spots, "unknown-value", unknown)


def empty(ground: Ground, dice: Dice) -> Mutation | None:
    """A text, an object, an array that is empty."""

    def nothing(spot: Spot) -> Value:
        return Obj() if isinstance(spot.value, Obj) else () if isinstance(spot.value, tuple) else ""

    return _put(dice, ground.spots, "empty", nothing)


def huge_number(ground: Ground, dice: Dice) -> Mutation | None:
    """A number that does not fit where it goes."""
    return _put(dice, _numbers(ground), "huge-number", lambda _: dice.pick(HUGE))


def negative(ground: Ground, dice: Dice) -> Mutation | None:
    """A number below nothing."""
    return _put(dice, _numbers(ground), "negative", lambda _: dice.pick((-1, -1000, -0.5)))


def odd_number(ground: Ground, dice: Dice) -> Mutation | None:
    """A number as JSON has none."""
    return _put(dice, _numbers(ground), "odd-number", lambda _: Token(dice.pick(ODD_NUMBERS)))


def out_of_range(ground: Ground, dice: Dice) -> Mutation | None:
    """A number beside its range, a text longer than it may be."""

    def beside(spot: Spot) -> Value:
        field = spot.field
        assert field is not None
        if field.max_bytes is not None:
            return Stretch('"', "a", field.max_bytes + 1, "", '"')
        low = [int(field.minimum) - 1] if field.minimum is not None else []
        high = [int(field.maximum) + 1] if field.maximum is not None else []
        return dice.pick([*low, *high])

    spots = [
        spot
        for spot in ground.spots
        if spot.field is not None
        and not (spot.field.minimum is None and spot.field.maximum is None and spot.field.max_bytes is None)
    ]
    return _put(dice, spots, "out-of-range", beside)


def wrong_format(ground: Ground, dice: Dice) -> Mutation | None:
    """A time, an address, an id in another form."""
    spots = [spot for spot in ground.spots if spot.field is not None and spot.field.format in BAD_FORMATS]

    def bad(spot: Spot) -> Value:
        assert spot.field is not None
        return dice.pick(BAD_FORMATS[str(spot.field.format)])

    return _put(dice, spots, "wrong-format", bad)


def letters(ground: Ground, dice: Dice) -> Mutation | None:
    """Letters that hurt: half ones, NUL, right to left, emoji."""
    name = dice.pick(tuple(LETTERS))
    mutation = _put(dice, _texts(ground), "letters", lambda _: LETTERS[name])
    return None if mutation is None else Mutation("letters", f"{mutation.at} ({name})", mutation.edits)


def long_text(ground: Ground, dice: Dice) -> Mutation | None:
    """A text of up to a million letters."""
    return _put(dice, _texts(ground), "long-text", lambda _: Stretch('"', "a", dice.pick(LONG_LETTERS), "", '"'))


def deep(ground: Ground, dice: Dice) -> Mutation | None:
    """Arrays or objects in each other, thousands deep."""
    unit, back = dice.pick((("[", "]"), ('{"a":[', "]}")))
    value = Stretch("", unit, dice.pick(DEPTHS), back, "")
    spots = [Spot(PAYLOAD, None, None), *ground.spots]
    return _put(dice, spots, "deep", lambda _: value)


def long_array(ground: Ground, dice: Dice) -> Mutation | None:
    """An array of thousands; of its own first element where it has one."""

    def many(spot: Spot) -> Value:
        first = spot.value[0] if isinstance(spot.value, tuple) and spot.value else 0
        text = encode(first).decode("utf-8", "replace")
        times = min(dice.pick(LONG_ARRAYS), LONG_BYTES // (len(text) + 1))
        return Stretch("[", f"{text},", times, "", f"{text}]")

    arrays = [spot for spot in ground.spots if isinstance(spot.value, tuple)]
    return _put(dice, arrays or [spot for spot in ground.spots if spot.is_member], "long-array", many)


def twice(ground: Ground, dice: Dice) -> Mutation | None:
    """A key comes twice, with another value."""
    spots = [spot for spot in ground.spots if spot.is_member]
    paths = [*(spot.path for spot in spots), PAYLOAD, HEADER, (*HEADER, "name")]
    path = dice.pick(paths)
    return Mutation("twice", shown(path), (Edit("add", path[:-1], str(path[-1]), dice.pick((None, "", 7, Obj()))),))


def swapped(ground: Ground, dice: Dice) -> Mutation | None:
    """Two members have each other's values."""
    spots = [spot for spot in ground.spots if spot.is_member]
    if len(spots) < 2:
        return None
    one, two = dice.pick(spots), dice.pick(spots)
    if one.path == two.path[: len(one.path)] or two.path == one.path[: len(two.path)]:
        return None
    edits = (Edit("put", one.path, value=two.value), Edit("put", two.path, value=one.value))
    return Mutation("swapped", f"{shown(one.path[1:])} and {shown(two.path[1:])}", edits)


def renamed(ground: Ground, dice: Dice) -> Mutation | None:
    """A key in other letters."""
    members = [spot for spot in ground.spots if spot.is_member]
    number = dice.below(4)

    def other(spot: Spot) -> Edit:
        key = str(spot.path[-1])
        return Edit("rename", spot.path, (key.upper(), key.capitalize(), f"{key} ", key[:-1])[number])

    return _at(dice, members, other, "renamed")


def unknown_directive(ground: Ground, dice: Dice) -> Mutation | None:
    """Another namespace, another name."""
    member = dice.pick(("namespace", "name"))
    name = dice.pick(("MockUnknown", "", ground.spec.name.lower(), "a" * 5000, "한글", "..", "%s"))
    return _header("unknown-directive", member, Edit("put", (*HEADER, member), value=name))


def header_gone(ground: Ground, dice: Dice) -> Mutation | None:
    """A member of the header is missing."""
    member = dice.pick(("messageId", "namespace", "name"))
    return _header("header-gone", member, Edit("drop", (*HEADER, member)))


def header_type(ground: Ground, dice: Dice) -> Mutation | None:
    """A member of the header is no text."""
    member = dice.pick(("messageId", "namespace", "name"))
    return _header("header-type", member, Edit("put", (*HEADER, member), value=dice.pick((None, *OTHERS[1:]))))


def dialogue(ground: Ground, dice: Dice) -> Mutation | None:
    """A dialogRequestId of nobody, an empty one, one that is no text."""
    name = dice.pick(("foreign", "empty", "no text", "null"))
    value: Value = {"foreign": dice.uuid(), "empty": "", "no text": dice.pick(OTHERS[1:]), "null": None}[name]
    return Mutation("dialogue", f"({name})", (Edit("add", HEADER, "dialogRequestId", value),))


def envelope(ground: Ground, dice: Dice) -> Mutation | None:
    """What holds the message is missing, or something else."""
    path: Path = dice.pick((PAYLOAD, HEADER, ("directive",), ()))
    if path and dice.chance(0.4):
        return Mutation("envelope", f"{shown(path)} (gone)", (Edit("drop", path),))
    return Mutation("envelope", shown(path), (Edit("put", path, value=dice.pick((None, "text", 7, (), Obj()))),))


def attachment(ground: Ground, dice: Dice) -> Mutation | None:
    """The attachment does not come, or its address leads to none."""
    spots = [spot for spot in ground.spots if isinstance(spot.value, str) and spot.value.startswith("cid:")]
    if spots and dice.chance(0.5):
        return Mutation("attachment", "(none comes)", (Edit("silence"),))
    spots = spots or [spot for spot in ground.spots if isinstance(spot.value, str) and "://" in spot.value]
    return _put(dice, spots, "attachment", lambda _: "cid:nowhere")


def cut_off(ground: Ground, dice: Dice) -> Mutation | None:
    """The JSON breaks off."""
    size = len(ground.draft.body())
    count = dice.pick((0, 1, size - 1, dice.below(size)))
    return Mutation("cut-off", f"after {count} bytes", (Edit("cut", count=count),))


def broken_utf8(ground: Ground, dice: Dice) -> Mutation | None:
    """A text that is no UTF-8."""
    data = dice.pick((b'"\xff\xfe"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"a\xf0\x9f"'))
    return _put(dice, _texts(ground), "broken-utf8", lambda _: Token(data))


OF_PAYLOAD: Final[tuple[Kind, ...]] = (
    *(missing, null, wrong_type, unknown_value, empty, huge_number, negative, odd_number, out_of_range, wrong_format),
    *(letters, long_text, long_array, twice, swapped, renamed, attachment, broken_utf8),
)
OF_MESSAGE: Final[tuple[Kind, ...]] = (
    *(unknown_member, deep, unknown_directive, header_gone, header_type, dialogue, envelope, cut_off),
)
MUTATIONS: Final[Mapping[str, Kind]] = MappingProxyType(
    {kind.__name__.replace("_", "-"): kind for kind in (*OF_PAYLOAD, *OF_MESSAGE)}
)
"""All kinds by name."""


def _numbers(ground: Ground) -> list[Spot]:
    return [
        spot
        for spot in ground.spots
        if isinstance(spot.value, int | float) and not isinstance(spot.value, bool)
    ]  # fmt: skip


def _texts(ground: Ground) -> list[Spot]:
    return [spot for spot in ground.spots if isinstance(spot.value, str)]


def _put(dice: Dice, spots: Sequence[Spot], name: str, make: Callable[[Spot], Value]) -> Mutation | None:
    return _at(dice, spots, lambda spot: Edit("put", spot.path, value=make(spot)), name)


def _at(dice: Dice, spots: Sequence[Spot], make: Callable[[Spot], Edit], name: str) -> Mutation | None:
    if not spots:
        return None
    spot = dice.pick(spots)
    return Mutation(name, shown(spot.path[1:]), (make(spot),))


def _header(name: str, member: str, edit: Edit) -> Mutation:
    return Mutation(name, f"header.{member}", (edit,))
