"""Take away from what fails until nothing more can be taken: delta debugging, first on what is wrong, then on the JSON.

Source: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input (ddmin); the order of tries is INF.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from mockcic.fuzz.case import Case
from mockcic.fuzz.draft import Draft, Mutation, with_all
from mockcic.fuzz.value import Obj, Place, Stretch, Value, children, encode, places, replaced, without

T = TypeVar("T")
Fails = Callable[[Draft], bool]


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The smallest that fails; `mutations` those that are needed for a failure, `tries` how many were asked.

    `whole` is False where the tries were used up before nothing more could be taken away.
    """

    draft: Draft
    mutations: tuple[Mutation, ...]
    tries: int
    whole: bool


class _OutOfTriesError(Exception):
    """No more tries."""


class _Search:
    """Asks whether drafts fail, each only once, and so often at the most; `best` is the last that did."""

    def __init__(self, best: Draft, fails: Fails, most: int) -> None:
        self.best = best
        self.tries = 0
        self._fails = fails
        self._most = most
        self._known: dict[tuple[bytes, int], bool] = {}

    def try_out(self, draft: Draft) -> bool:
        """Whether it fails; then it is the best."""
        key = (draft.body(), len(draft.sounds))
        if key not in self._known:
            if self.tries >= self._most:
                raise _OutOfTriesError
            self.tries += 1
            self._known[key] = self._fails(draft)
        if self._known[key]:
            self.best = draft
        return self._known[key]


def shrink(case: Case, fails: Fails, *, most: int) -> Shrunk:
    """The smallest directive that still fails, of a case that does. `fails` is asked `most` times at the most."""
    search = _Search(case.draft, fails, most)
    mutations: Sequence[Mutation] = case.mutations
    try:
        mutations = ddmin(mutations, lambda some: search.try_out(with_all(case.base, tuple(some))))
        while any(search.try_out(each) for each in _smaller(search.best)):
            pass  # each that fails is the next to be made smaller
    except _OutOfTriesError:
        return Shrunk(search.best, tuple(mutations), search.tries, whole=False)
    return Shrunk(search.best, tuple(mutations), search.tries, whole=True)


def ddmin(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """A part of `items`, which fail, that fails and none of whose elements can be taken away alone."""
    parts = 2
    while len(items) >= 2:
        size = -(-len(items) // parts)
        chunks = [range(begin, min(begin + size, len(items))) for begin in range(0, len(items), size)]
        for chunk in chunks:
            rest = [item for number, item in enumerate(items) if number not in chunk]
            if rest and fails(rest):
                items, parts = rest, max(2, parts - 1)
                break
        else:
            if size == 1:
                break
            parts = min(len(items), parts * 2)
    return items


def _smaller(draft: Draft) -> Iterator[Draft]:
    """Drafts that are smaller by one step, the greatest steps first."""
    size = draft.size()
    for each in _steps(draft):
        if each.size() < size:
            yield each


def _steps(draft: Draft) -> Iterator[Draft]:
    if draft.sounds:
        yield replace(draft, sounds=())
        for number in range(len(draft.sounds)):
            yield replace(draft, sounds=(*draft.sounds[:number], *draft.sounds[number + 1 :]))
    if draft.cut is not None:
        yield from (replace(draft, cut=count) for count in _less(draft.cut))
        return
    yield from (replace(draft, value=value) for value in _values(draft.value))


def _values(value: Value) -> Iterator[Value]:
    every = list(places(value))
    for place, each in every:
        if isinstance(each, Stretch):  # first, for they take longest to send
            yield from (replaced(value, place, simpler) for simpler in _simpler(each))
    for place, each in every:
        yield from _without_children(value, place, each)
    for place, each in every:
        for simpler in _simpler(each):
            yield replaced(value, place, simpler)
    for place, each in every:
        if isinstance(each, Obj):
            yield from _shorter_keys(value, place, each)


def _without_children(value: Value, place: Place, owner: Value) -> Iterator[Value]:
    """Without all, without halves, without quarters ... without one."""
    count = len(children(owner))
    size = count
    while size:
        for begin in range(0, count, size):
            yield without(value, place, set(range(begin, min(begin + size, count))))
        size = size // 2


def _simpler(value: Value) -> Iterator[Value]:
    """Values that say less in the same place."""
    match value:
        case Stretch():
            yield from (replace(value, times=times) for times in _less(value.times))
        case str():
            yield from (value[:count] for count in _less(len(value)))
            if len(value) > 1:
                yield value[1:]
        case bool() | None:
            return
        case int() | float() if value:
            yield 0
            if len(encode(value)) > 2:
                yield int(value / 10) if abs(value) < 2**1000 else 0
        case Obj() | tuple():
            yield from children(value)  # what is inside alone


def _less(count: int) -> Iterator[int]:
    """Smaller numbers: nothing, a half, three quarters, ... one less; asked in this order they are a search."""
    if count <= 0:
        return
    yield 0
    step = count // 2
    while step > 0:
        yield count - step
        step //= 2


def _shorter_keys(value: Value, place: Place, owner: Obj) -> Iterator[Value]:
    """A long key cut down; short ones are names."""
    for number, (key, inner) in enumerate(owner.members):
        if len(key) > 40:
            members = list(owner.members)
            for count in _less(len(key)):
                members[number] = (key[:count], inner)
                yield replaced(value, place, Obj(tuple(members)))


__all__ = ["Shrunk", "ddmin", "shrink"]
