"""Verifications: pure functions of entries. `gone` says that entries which might count have been dropped."""

from __future__ import annotations

import fnmatch
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from operator import itemgetter
from typing import Final

from mockcic.cic.catalogue import catalogue
from mockcic.journal.entry import Entry
from mockcic.journal.filter import Filter, member_of
from mockcic.verdict.times import Times
from mockcic.verdict.verdict import Near, Verdict

NEAREST: Final = 3
"""How many entries that nearly fit are told (INF)."""

CENSUS: Final = 20
"""How many lines tell what came at all; messages come first (INF)."""

ALIKE: Final = 0.8
"""How much two names have in common when one was probably meant for the other (INF)."""

GONE: Final = "entries that it would need were dropped; keep more of them (--journal-entries, --journal-mb)"

_NAMED_BY_CHANCE: Final = ("connect", "disconnect", "attachment")
"""Kinds whose names are addresses and ids."""

FAR: Final = 3
"""Entries so much further away than the nearest one are no help (INF)."""

_DEAR: Final = {"kind": 4, "name": 4, "namespace": 2, "device": 2}
"""What a member that differs weighs: an entry of another kind or name is hardly near."""


def counted(asked: Filter) -> Callable[[Entry], bool]:
    """What fits. Verdicts count only for who asks for their kind: one has the words in its name that were asked for.

    A search for a text that never came would otherwise find the verdict that says so.
    """
    if any(term.member == "kind" and term.holds("verdict") and not term.holds("") for term in asked.terms):
        return asked.fits
    return lambda entry: entry.kind != "verdict" and asked.fits(entry)


def verify(entries: Iterable[Entry], asked: Filter, times: Times, *, gone: bool = False) -> Verdict:
    """How often entries that fit are among these, oldest first."""
    everything = list(entries)
    came = tuple(filter(counted(asked), everything))
    wanted = f"{asked} {times}"
    count = len(came)
    if times.high is None and count >= times.low:
        return Verdict(wanted, "kept", f"it came {_often(count)}", came)
    if times.high is not None and count > times.high:
        return Verdict(wanted, "broken", f"it came {_often(count)}", came)
    if gone:
        return Verdict(wanted, "error", GONE, came)
    why = f"it came {_often(count)}" if count else f"it did not come{misspelt(asked)}"
    if times.fits(count):
        return Verdict(wanted, "kept", why, came)
    return Verdict(wanted, "broken", why, came, nearest(everything, asked), census(everything))


def never(entries: Iterable[Entry], asked: Filter, *, gone: bool = False, for_s: float | None = None) -> Verdict:
    """Whether something stayed away; `for_s` is how long it was looked for."""
    verdict = verify(entries, asked, Times(0, 0), gone=gone)
    for_so_long = "" if for_s is None else f" for {for_s:g} s"
    return Verdict(f"{asked} never{for_so_long}", verdict.status, verdict.why, verdict.came)


def verify_order(entries: Iterable[Entry], asked: Sequence[Filter], *, gone: bool = False) -> Verdict:
    """Whether entries that fit came one after another; others may come between. Raises `ValueError` of none."""
    if not asked:
        raise ValueError("found no filters, expected what is to come, one after another")
    wanted = "in this order: " + ", then ".join(str(each) for each in asked)
    everything = list(entries)
    came: list[Entry] = []
    start = 0
    for number, each in enumerate(asked):
        fits = counted(each)
        place = next((place for place in range(start, len(everything)) if fits(everything[place])), None)
        if place is None:
            return _out_of_order(wanted, everything, came, start, each, number, gone)
        came.append(everything[place])
        start = place + 1
    return Verdict(wanted, "kept", "they came in this order", tuple(came))


def _out_of_order(
    wanted: str, everything: list[Entry], came: list[Entry], start: int, missed: Filter, number: int, gone: bool
) -> Verdict:
    if gone:
        return Verdict(wanted, "error", GONE, tuple(came))
    where = f" after {_said(came[-1])}" if came else ""
    why = f"number {number + 1}, {missed}, did not come{where}{misspelt(missed)}"
    taken = set(map(id, came))
    early = next((entry for entry in filter(counted(missed), everything[:start]) if id(entry) not in taken), None)
    if early is not None:
        why += f"; it came too early: {_said(early)}"
    return Verdict(wanted, "broken", why, tuple(came), nearest(everything[start:], missed), census(everything[start:]))


def no_unmatched(entries: Iterable[Entry], *, gone: bool = False) -> Verdict:
    """Whether every event found a rule."""
    came = tuple(entry for entry in entries if entry.kind == "match" and not entry.name)
    asked = "every event finds a rule"
    if came:
        names = ", ".join(dict.fromkeys(entry.data.get("event", "") for entry in came))
        return Verdict(asked, "broken", f"no rule fits {names}", came)
    return Verdict(asked, "error", GONE) if gone else Verdict(asked, "kept", "all did")


def no_findings(entries: Iterable[Entry], *, gone: bool = False, allow: Sequence[str] = ()) -> Verdict:
    """Whether no device departed from the documents; `allow` are codes that do not count, wildcards allowed."""
    allow = (allow,) if isinstance(allow, str) else allow
    came = tuple(
        entry
        for entry in entries
        if entry.kind == "finding" and not any(fnmatch.fnmatchcase(entry.name, code) for code in allow)
    )
    asked = "no findings" + (f" but {', '.join(allow)}" if allow else "")
    if came:
        return Verdict(asked, "broken", f"there are {', '.join(dict.fromkeys(entry.name for entry in came))}", came)
    return Verdict(asked, "error", GONE) if gone else Verdict(asked, "kept", "there are none")


def all_rules_used(entries: Iterable[Entry], rules: Sequence[tuple[str, str]], *, gone: bool = False) -> Verdict:
    """Whether every rule, given as (scenario, rule), answered at least once."""
    used = {(entry.data.get("scenario", ""), entry.name) for entry in entries if entry.kind == "match"}
    unused = [f"{rule} ({scenario})" for scenario, rule in dict.fromkeys(rules) if (scenario, rule) not in used]
    asked = "every rule answers at least once"
    if not unused:
        return Verdict(asked, "kept", "all did")
    if gone:
        return Verdict(asked, "error", GONE)
    return Verdict(asked, "broken", f"never used: {', '.join(unused)}")


# ---------------------------------------------------------------------- what helps to see why


def misspelt(asked: Filter) -> str:
    """A word about a name that is no message of CIC but nearly one; empty otherwise."""
    for name in _names_asked(asked):
        known = [*catalogue().events, *catalogue().directives]
        near = get_close_matches(name, known, 1, ALIKE)
        if near and near[0] != name:
            return f"; there is no {name}, did you mean {near[0]}?"
    return ""


def _names_asked(asked: Filter) -> list[str]:
    """The names that a filter asks for, as far as they are plain ones."""
    texts = [term.expected for term in asked.terms if term.member == "name" and term.holds(term.expected)]
    return [text for text in texts if not set(text) & set("*?")]


def nearest(entries: Iterable[Entry], asked: Filter) -> tuple[Near, ...]:
    """The entries, given oldest first, that nearly fit, best first: fewest members that differ, then the youngest.

    A name that is nearly right counts as one member; those that are much further away than the best are left out.
    """
    terms = [(term.holds, term.member, _DEAR.get(term.member, 1)) for term in asked.terms]
    names = _names_asked(asked)
    cheapest = 1 if names else min((weight for *_, weight in terms), default=0)
    alike: dict[str, int] = {}
    found: list[tuple[int, Entry]] = []
    for entry in reversed(list(entries)):
        if entry.kind == "verdict":
            continue
        limit = found[-1][0] if len(found) == NEAREST else math.inf  # of the others a younger one is known
        failed = distance = 0
        for holds, member, weight in terms:
            if not holds(member_of(entry, member)):
                failed += 1
                if member == "name" and names:
                    weight = alike.get(entry.name) or alike.setdefault(entry.name, _name_weight(entry.name, names))
                distance += weight
                if distance >= limit:
                    break
        if failed and failed < max(2, len(terms)) and distance < limit:
            found = sorted([*found, (distance, entry)], key=itemgetter(0))[:NEAREST]
            if len(found) == NEAREST and found[-1][0] == cheapest:
                break
    far = found[0][0] + FAR if found else 0
    return tuple(Near(entry, asked.compare(entry)) for distance, entry in found if distance < far)


def _name_weight(name: str, names: Sequence[str]) -> int:
    return 1 if get_close_matches(name, names, 1, ALIKE) else _DEAR["name"]


def census(entries: Iterable[Entry]) -> tuple[tuple[int, str], ...]:
    """What came at all, messages first, most often first; the last line sums up what else there is."""
    counted = Counter(
        (
            entry.kind not in ("event", "directive"),
            entry.kind if entry.kind in _NAMED_BY_CHANCE else f"{entry.kind} {entry.name}".rstrip(),
        )
        for entry in entries
        if entry.kind != "verdict"
    )
    ordered = sorted(counted.items(), key=lambda item: (item[0][0], -item[1]))
    shown = CENSUS if len(ordered) > CENSUS + 1 else len(ordered)
    lines = [(count, what) for (_, what), count in ordered[:shown]]
    if rest := ordered[shown:]:
        lines.append((sum(count for _, count in rest), f"others, of {len(rest)} kinds or names"))
    return tuple(lines)


def _said(entry: Entry) -> str:
    return f"{entry.kind} {entry.name} (entry {entry.number}, {entry.at_s:+.3f})"


def _often(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
