"""What is left of a file when everything the models refuse is taken out: enough to judge the rest in the same run."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from pydantic import ValidationError

from mockcic.scenario.model import Scenario
from mockcic.scenario.node import Node
from mockcic.scenario.source import Source, follow
from mockcic.scenario.steps import SoundFolder
from mockcic.scenario.words import DIRECTIVE_KEY

ROUNDS: Final = 8
"""Each round takes out what the round before laid bare: a member, then the mapping that cannot be without it."""

_NOTHING: Final[dict[str, Any]] = {
    "on": {"event": []},
    "while_uploading": {"set": {"-": 0}},
    "afterwards": {"set": {"-": 0}},
    "downchannel": {"set": {"-": 0}},
    "in_turn": {},
    "cycle": {},
    "fault": {"reset": "CANCEL"},
}
"""What stands for an item that had to be taken out of a list, so that the others keep their places."""

_NO_STEP: Final[dict[str, Any]] = {"set": {}}


def salvage(source: Source, error: ValidationError, folder: SoundFolder) -> Scenario | None:
    """The scenario without what `error` is about; None when nothing sensible is left."""
    root = deepcopy(source.root)
    if root is None or root.members is None:
        return None
    for _ in range(ROUNDS):
        for each in error.errors(include_url=False, include_input=False):
            _take_out(root, each["loc"], each["type"])
        values = root.values()
        try:
            return Scenario.model_validate({**values, "scenario": values.get("scenario", "part")}, context=folder)
        except ValidationError as next_error:
            error = next_error
    return None


def _take_out(root: Node, loc: tuple[int | str, ...], kind: str) -> None:
    found = follow(root, loc)
    members = found.node.members
    if members is not None and kind == "missing" and loc[-1] == "event":
        members["event"] = (found.node, _node([], found.node))
        return
    if members is not None and kind == "two_answers":
        for key in ("exception", "raw", "in_turn", "cycle"):
            members.pop(key, None)
        return
    if not found.way:
        return
    way = found.way
    if isinstance(way[-1][1], str) and DIRECTIVE_KEY.fullmatch(way[-1][1]) and len(way) > 1:
        way = way[:-1]  # a step without its directive is none: the whole step goes
    parent, taken = way[-1]
    if isinstance(taken, str):
        assert parent.members is not None
        parent.members.pop(taken, None)
        return
    assert parent.items is not None
    keys = [step for _, step in way if isinstance(step, str)]
    inside = keys[-1] if keys else ""
    steps = inside in ("reply", "push", "steps", "then", "else") or "replies" in keys
    old = parent.items[taken]
    parent.items[taken] = _node(_NO_STEP if steps else _NOTHING.get(inside, ""), old)


def _node(value: Any, place: Node) -> Node:
    """A plain value as a node at another one's place."""
    node = Node(place.line, place.column, place.end_line, place.end_column, value=value)
    if isinstance(value, dict):
        node.members = {key: (_node(key, place), _node(member, place)) for key, member in value.items()}
    elif isinstance(value, list):
        node.items = [_node(item, place) for item in value]
    return node


__all__ = ["salvage"]
