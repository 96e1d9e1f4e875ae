"""Templates of a scenario before they are rendered: their grammar, and the names in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockcic.errors import Problem
from mockcic.scenario.node import Node
from mockcic.scenario.source import Source
from mockcic.scenario.template import check_template, environment
from mockcic.scenario.words import is_template, shown, suggest

NAMES: Final = frozenset(
    {"event", "request", "audio", "vars", "state", "count", "device", "uuid", "now", "random", "cid"}
)
"""What a template can see (docs/scenarios.md, Templates)."""

_OF_A_DICT: Final = frozenset(dir(dict))


def lint_templates(source: Source) -> Iterator[Problem]:
    """A template that cannot be read, and names that no template has."""
    for node in templates_of(source):
        why = check_template(node.value)
        if why is not None:
            mend = "close what `{{` opens with `}}`, and `{%` with `%}`"
            yield source.problem(source.place(node), f"a template that cannot be read: {why}", "a Jinja template", mend)
            continue
        for name in sorted(names_of(node.value) - NAMES):
            near = suggest(name, NAMES)
            hint = f"; did you mean {near}?" if near else ""
            mend = f'a variable is written vars.{name}, a text in quotes: "{name}"' if not near else ""
            yield source.problem(
                source.place(node),
                f"unknown name {name} in a template",
                f"one of {', '.join(sorted(NAMES))}{hint}",
                mend,
            )


def lint_variables(source: Source, known: frozenset[str]) -> Iterator[Problem]:
    """`vars.NAME` that nobody sets."""
    for node in templates_of(source):
        if check_template(node.value) is None:
            for name in sorted(variables_of(node.value) - known):
                yield unknown_variable(source, node, name, known)


def unknown_variable(source: Source, node: Node, name: str, known: frozenset[str]) -> Problem:
    """A variable that has no first value and is set nowhere."""
    near = suggest(name, known)
    hint = f"; did you mean {near}?" if near else ""
    return source.problem(
        source.place(node),
        f"unknown variable {shown(name)}",
        f"a name under `vars`, or one that some `set` gives{hint}",
        "" if near else f"write `vars: {{{name}: ...}}` at the top",
        severity="warning",
    )


def templates_of(source: Source) -> Iterator[Node]:
    """Every text of the file with a template in it."""
    if source.root is not None:
        yield from (node for node in source.root.texts() if is_template(node.value))


def names_of(text: str) -> set[str]:
    """The names a template takes from outside."""
    from jinja2.meta import find_undeclared_variables

    return find_undeclared_variables(environment().parse(text))


def variables_of(text: str) -> set[str]:
    """The NAMEs of `vars.NAME` and `vars["NAME"]` in a template."""
    from jinja2 import nodes

    found: set[str] = set()
    tree = environment().parse(text)
    for member in tree.find_all(nodes.Getattr):
        if isinstance(member.node, nodes.Name) and member.node.name == "vars":
            found |= {member.attr} - _OF_A_DICT
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.node, nodes.Name) and item.node.name == "vars" and isinstance(item.arg, nodes.Const):
            found |= {item.arg.value} if isinstance(item.arg.value, str) else set()
    return found


__all__ = ["NAMES", "lint_templates", "lint_variables", "names_of", "unknown_variable", "variables_of"]
