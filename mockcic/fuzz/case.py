"""One trial by its number: which directive, made wrong how. The same for the same seed, and alone as among others."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mockcic.cic.catalogue import Catalogue
from mockcic.errors import StartError
from mockcic.fuzz.dice import Dice
from mockcic.fuzz.draft import Draft, Mutation, ground, with_all
from mockcic.fuzz.mutations import OF_MESSAGE, OF_PAYLOAD

MORE: Final = (0.35, 0.3, 0.3)
"""How likely one more thing is wrong, and one more."""

PAYLOAD_SHARE: Final = 0.75
"""Of what is wrong so much is wrong in the payload, where there is any."""


@dataclass(frozen=True, slots=True)
class Case:
    """A directive of the catalogue and what is made wrong with it."""

    seed: int
    number: int
    directive: str
    base: Draft
    mutations: tuple[Mutation, ...]

    @property
    def draft(self) -> Draft:
        """What is sent."""
        return with_all(self.base, self.mutations)

    @property
    def about(self) -> str:
        """What is wrong, for people."""
        return ", ".join(map(str, self.mutations))


def make_case(seed: int, number: int, directives: Sequence[str], catalogue: Catalogue) -> Case:
    """The trial of this number among these directives (full names)."""
    dice = Dice(seed, number)
    spec = catalogue.directives[dice.pick(directives)]
    base = ground(spec, catalogue, dice)
    count = 1
    while count <= len(MORE) and dice.chance(MORE[count - 1]):
        count += 1
    mutations: list[Mutation] = []
    while len(mutations) < count:
        kinds = OF_PAYLOAD if base.spots and dice.chance(PAYLOAD_SHARE) else OF_MESSAGE
        mutation = dice.pick(kinds)(base, dice)
        if mutation is not None and mutation.apply(base.draft) != base.draft:
            mutations.append(mutation)
    return Case(seed, number, spec.full_name, base.draft, tuple(mutations))


def choose(patterns: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    """The directives that are meant, in the catalogue's order: wildcards, `!` for all but. Raises `StartError`."""
    wanted = [each for each in patterns if not each.startswith("!")] or ["*"]
    refused = [each[1:] for each in patterns if each.startswith("!")]
    for pattern in (*wanted, *refused):
        if not fnmatch.filter(catalogue.directives, pattern):
            near = catalogue.suggest("directive", pattern)
            hint = f"; did you mean {near[0]}?" if near else "; `mockcic interfaces` lists them"
            raise StartError(f"found directive {pattern!r}, expected one of the catalogue, wildcards allowed{hint}")
    found = tuple(
        name
        for name in catalogue.directives
        if any(fnmatch.fnmatchcase(name, each) for each in wanted)
        and not any(fnmatch.fnmatchcase(name, each) for each in refused)
    )
    if not found:
        raise StartError(f"no directive is left of {', '.join(patterns)}")
    return found
