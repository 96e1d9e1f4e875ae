"""Templates of a scenario before they are rendered: their grammar, and the names in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockcic.errors import Problem
from mockcic.scenario.node import Node
from mockcic.scenario.source import Source
from mockcic.scenario.steps import TEMPLATE_NAMES
from mockcic.scenario.template import FILTERS, check_template, environment
from mockcic.scenario.words import did_you_mean, is_template, shown

NAMES: Final = TEMPLATE_NAMES - {"args"}
"""What every template can see (docs/scenarios.md, Templates); `args` is for cues, and `repeat` adds a name."""

_OF_A_DICT: Final = frozenset(dir(dict))


def lint_templates(source: Source) -> Iterator[Problem]:
    """A template that cannot be read, and names that no template has."""
    args = _args_of(source)
    for node, more in _scoped(source):
        why = check_template(node.value)
        if why is not None:
            mend = "close what `{{` opens with `}}`, and `{%` with `%}`"
            if why.startswith("No filter"):
                mend = f"the filters are Jinja's and {', '.join(FILTERS)}"
            yield source.problem(source.place(node), f"a template that cannot be read: {why}", "a Jinja template", mend)
            continue
        known = NAMES | more
        yield from _arguments(source, node, args.get(id(node)))
        for name in sorted(names_of(node.value) - known):
            hint = did_you_mean(name, known)
            mend = f'a variable is written vars.{name}, a text in quotes: "{name}"' if not hint else ""
            if name == "args":
                hint, mend = "", "a cue under `cues` has `args`"
            yield source.problem(
                source.place(node),
                f"unknown name {name} in a template",
                f"one of {', '.join(sorted(known))}{hint}",
                mend,
            )


def _scoped(source: Source) -> Iterator[tuple[Node, frozenset[str]]]:
    """Every template of the file, and the names it sees besides the common ones.

    A named reply may be used by a cue or inside a `repeat`, so it may say what any of them gives.
    """
    root = source.root
    if root is None:
        return
    if root.members is None:
        yield from ((node, frozenset[str]()) for node in root.texts() if is_template(node.value))
        return
    everywhere = frozenset(_elements(root)) | {"args"}
    for key, (_, node) in root.members.items():
        more = everywhere if key == "replies" else frozenset({"args"} if key == "cues" else ())
        yield from _inside(node, more)


def is_raw(key: str, node: Node) -> bool:
    """Whether it is the text of a `raw` step, in which nothing is rendered."""
    return key == "raw" and (isinstance(node.value, str) or "text" in (node.members or {}))


def _inside(node: Node, more: frozenset[str]) -> Iterator[tuple[Node, frozenset[str]]]:
    if node.members is not None:
        repeats = node.members.get("repeat")
        for key, (_, member) in node.members.items():
            if repeats is not None and key == "repeat" and member.members is not None:
                for name, (_, inner) in member.members.items():
                    yield from _inside(inner, more | _element(member) if name == "steps" else more)
            elif not is_raw(key, member):
                yield from _inside(member, more)
    elif node.items is not None:
        for item in node.items:
            yield from _inside(item, more)
    elif isinstance(node.value, str) and is_template(node.value):
        yield node, more


def _element(each: Node) -> frozenset[str]:
    """The name that a `repeat` gives its elements."""
    named = (each.members or {}).get("for")
    return frozenset({named[1].value}) if named is not None and isinstance(named[1].value, str) else frozenset()


def _elements(node: Node) -> Iterator[str]:
    """The names of all `repeat`s of a file."""
    for key, (_, member) in (node.members or {}).items():
        if key == "repeat":
            yield from _element(member)
        yield from _elements(member)
    for item in node.items or ():
        yield from _elements(item)


def _args_of(source: Source) -> dict[int, frozenset[str]]:
    """The arguments that each text inside a cue may name, by the text's node."""
    found: dict[int, frozenset[str]] = {}
    cues = None if source.root is None else (source.root.members or {}).get("cues")
    for _, cue in () if cues is None else (cues[1].members or {}).values():
        args = (cue.members or {}).get("args")
        names = frozenset(() if args is None else args[1].members or ())
        found |= {id(text): names for text in cue.texts()}
    return found


def _arguments(source: Source, node: Node, args: frozenset[str] | None) -> Iterator[Problem]:
    """`args.NAME` that its cue does not have."""
    for name in sorted(members_in(node.value, "args") - args) if args is not None else ():
        hint = did_you_mean(name, args or (), before="args.")
        expected = f"one of {', '.join(sorted(args or ())) or 'none'}{hint}"
        mend = "" if hint else f"write `args: {{{name}: ...}}` in the cue"
        yield source.problem(source.place(node), f"unknown argument {shown(name)}", expected, mend)


def lint_variables(source: Source, known: frozenset[str]) -> Iterator[Problem]:
    """`vars.NAME` that nobody sets."""
    for node in templates_of(source):
        if check_template(node.value) is None:
            for name in sorted(variables_of(node.value) - known):
                yield unknown_variable(source, node, name, known)


def unknown_variable(source: Source, node: Node, name: str, known: frozenset[str]) -> Problem:
    """A variable that has no first value and is set nowhere."""
    hint = did_you_mean(name, known)
    return source.problem(
        source.place(node),
        f"unknown variable {shown(name)}",
        f"a name under `vars`, or one that some `set` gives{hint}",
        "" if hint else f"write `vars: {{{name}: ...}}` at the top",
        severity="warning",
    )


def templates_of(source: Source) -> Iterator[Node]:
    """Every text of the file with a template in it."""
    if source.root is not None:
        yield from (node for node, _ in _inside(source.root, frozenset()))


def names_of(text: str) -> set[str]:
    """The names a template takes from outside."""
    from jinja2.meta import find_undeclared_variables

    return find_undeclared_variables(environment().parse(text))


def variables_of(text: str) -> set[str]:
    """The NAMEs of `vars.NAME` and `vars["NAME"]` in a template."""
    return members_in(text, "vars")


def members_in(text: str, owner: str) -> set[str]:
    """The NAMEs of `OWNER.NAME` and `OWNER["NAME"]` in a template."""
    from jinja2 import nodes

    found: set[str] = set()
    tree = environment().parse(text)
    for member in tree.find_all(nodes.Getattr):
        if isinstance(member.node, nodes.Name) and member.node.name == owner:
            found |= {member.attr} - _OF_A_DICT
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.node, nodes.Name) and item.node.name == owner and isinstance(item.arg, nodes.Const):
            found |= {item.arg.value} if isinstance(item.arg.value, str) else set()
    return found


__all__ = ["NAMES", "lint_templates", "lint_variables", "names_of", "unknown_variable", "variables_of"]
