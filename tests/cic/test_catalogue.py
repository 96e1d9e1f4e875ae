"""The catalogue as values, and judgement by it."""

from __future__ import annotations

import pytest

from mockcic.cic.catalogue import Catalogue, catalogue
from mockcic.cic.field import Kind, MessageSpec

KINDS: tuple[Kind, ...] = ("event", "directive", "context")
MESSAGES = [
    pytest.param(spec, id=f"{kind}-{name}") for kind in KINDS for name, spec in catalogue().of_kind(kind).items()
]


@pytest.fixture
def cic() -> Catalogue:
    return catalogue()


@pytest.mark.parametrize("spec", MESSAGES)
def test_every_example_is_judged_without_an_error(cic: Catalogue, spec: MessageSpec) -> None:
    """The header of interfaces.yaml: an example is a valid payload."""
    assert [issue for issue in cic.judge(spec, spec.example) if issue.severity == "error"] == []


def test_the_catalogue_holds_all_messages_of_the_guide(cic: Catalogue) -> None:
    """53 events, 75 directives, 9 contexts, 23 content templates (the guide's indexes)."""
    assert [len(each) for each in (cic.events, cic.directives, cic.contexts, cic.templates)] == [53, 75, 9, 23]
