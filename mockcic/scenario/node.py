"""YAML as nodes that know their place, built from the parser's events one by one, within limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from mockcic.errors import Problem
from mockcic.scenario.words import shown

if TYPE_CHECKING:
    from mockcic.scenario.source import Source

LIMIT_NODES: Final = 100_000  # INF; with aliases written out, so that a few lines cannot become a billion
LIMIT_DEPTH: Final = 100  # INF; templates of the catalogue nest 9 deep
_TOO_DEEP: Final = f"more than {LIMIT_DEPTH} levels inside each other"

LINE_END: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what the YAML parser counts as one
_NOT_TEXT: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*|(?=\.))(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_DIGITS: Final = 300  # longer "numbers" stay texts
_WORDS: Final = {"true": True, "True": True, "false": False, "False": False, "null": None, "~": None, "": None}
_CORE: Final = "tag:yaml.org,2002:"
_OF_TAG: Final[dict[str, tuple[type, ...]]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "null": (type(None),),
}
_PARSER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # same marks, eight times as fast


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: line and column from 1, in characters, and how many characters to underline."""

    line: int
    column: int
    width: int = 1


@dataclass(slots=True)
class Node:
    """A value and where it is written. `members` are those of a mapping, `items` those of a list."""

    line: int
    column: int
    end_line: int
    end_column: int
    value: Any = None
    text: str | None = None
    plain: bool = False
    flow: bool = False
    members: dict[str, tuple[Node, Node]] | None = None
    items: list[Node] | None = None
    size: int = 1
    height: int = 1

    def values(self) -> Any:
        """Plain Python: dict, list, str, int, float, bool, None."""
        if self.members is not None:
            return {key: node.values() for key, (_, node) in self.members.items()}
        if self.items is not None:
            return [item.values() for item in self.items]
        return self.value

    def texts(self) -> Iterator[Node]:
        """Every text in it that is a value, in the order of the file."""
        if self.members is not None:
            for _, node in self.members.values():
                yield from node.texts()
        elif self.items is not None:
            for item in self.items:
                yield from item.texts()
        elif isinstance(self.value, str):
            yield self


def resolve(text: str) -> Any:
    """The value of an unquoted text."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _DIGITS and text[-1].isdigit() and (found := _NUMBER.fullmatch(text)):
        if found[1] is None and found[2] is None:
            return int(text)
        number = float(text)
        if abs(number) != float("inf"):
            return number
    return text


class UnreadableError(Exception):
    """The file cannot be read any further."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


@dataclass(slots=True)
class Composer:
    """Builds nodes from the parser's events, which come one by one and never nest in the parser's own stack."""

    source: Source
    anchors: dict[str, Node | None] = field(default_factory=dict)
    nodes: int = 0

    def compose(self) -> Node:
        if found := _NOT_TEXT.search(self.source.text):
            lines = LINE_END.split(self.source.text[: found.start()])
            name = "a NUL character" if found[0] == "\0" else f"the character U+{ord(found[0]):04X}"
            place = Place(len(lines), len(lines[-1]) + 1)
            raise UnreadableError(
                self.source.problem(
                    place, f"{name} in the file", "a text", r'write it in quotes as an escape, such as "\0"'
                )
            )
        parser = _PARSER(self.source.text)
        try:
            return self._document(parser)
        except yaml.MarkedYAMLError as error:
            raise UnreadableError(self._grammar(error)) from None
        except yaml.YAMLError as error:
            raise UnreadableError(self.source.problem(Place(1, 1), f"this is not YAML: {error}", "YAML")) from None
        finally:
            parser.dispose()

    def _document(self, parser: Any) -> Node:
        parser.get_event()  # the stream begins
        if parser.check_event(yaml.StreamEndEvent):
            return Node(1, 1, 1, 1, plain=True)
        parser.get_event()
        root = self._node(parser, parser.get_event(), 1)
        parser.get_event()
        if not parser.check_event(yaml.StreamEndEvent):
            mark = parser.get_event().start_mark
            self.source.problems.append(
                self.source.problem(
                    Place(mark.line + 1, mark.column + 1, 3),
                    "a second document in the file",
                    "one scenario in one file",
                    "put what follows `---` into a file of its own",
                )
            )
        return root

    def _node(self, parser: Any, event: Any, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        node = _node_of(event)
        if depth > LIMIT_DEPTH:
            raise UnreadableError(self.source.problem(Place(node.line, node.column), _TOO_DEEP, "fewer"))
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self._count(1, node)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, node)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._sequence(parser, node, depth)
        else:
            self._mapping(parser, node, depth)
        if not isinstance(event, yaml.ScalarEvent):
            self._check_tag(event, node, "seq" if node.items is not None else "map")
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _alias(self, event: Any, depth: int) -> Node:
        node = _node_of(event)
        place = Place(node.line, node.column, self.source.width(node))
        if event.anchor not in self.anchors:
            names = ", ".join(f"&{name}" for name in self.anchors) or "no anchor has been set before it"
            raise UnreadableError(
                self.source.problem(place, f"nothing is called &{event.anchor}", f"an anchor above: {names}")
            )
        target = self.anchors[event.anchor]
        if target is None:
            raise UnreadableError(
                self.source.problem(
                    place, f"*{event.anchor} stands inside &{event.anchor} itself", "an anchor that is complete"
                )
            )
        if depth + target.height - 1 > LIMIT_DEPTH:
            raise UnreadableError(self.source.problem(place, _TOO_DEEP, "fewer"))
        self._count(target.size, node)
        return target

    def _count(self, more: int, node: Node) -> None:
        self.nodes += more
        if self.nodes > LIMIT_NODES:
            place = Place(node.line, node.column, max(1, self.source.width(node)))
            raise UnreadableError(
                self.source.problem(
                    place,
                    f"more than {LIMIT_NODES:,} values, aliases written out",
                    "fewer",
                    "an alias that repeats aliases grows without end; split the file",
                )
            )

    def _scalar(self, event: Any, node: Node) -> None:
        if _SURROGATE.search(event.value):  # the C parser refuses these itself
            what, expected, mend = _BAD_ESCAPE
            raise UnreadableError(self.source.problem(Place(node.line, node.column), what, expected, mend))
        node.plain, node.text = event.implicit[0], event.value
        node.value = resolve(event.value) if node.plain else event.value
        tag = event.tag
        if node.plain or tag in (None, "!"):
            return
        kind = tag.removeprefix(_CORE)
        if not tag.startswith(_CORE) or kind not in _OF_TAG:
            self._refuse_tag(event, node)
        elif kind != "str":
            node.value = resolve(event.value)
            if type(node.value) not in _OF_TAG[kind]:
                place = self.source.place(node)
                self.source.problems.append(
                    self.source.problem(place, f"!!{kind} before {shown(event.value)}", f"!!{kind} before a {kind}")
                )

    def _sequence(self, parser: Any, node: Node, depth: int) -> None:
        node.items = []
        while not isinstance(event := parser.get_event(), yaml.SequenceEndEvent):
            item = self._node(parser, event, depth + 1)
            node.items.append(item)
            node.size += item.size
            node.height = max(node.height, item.height + 1)
        _end(node, event)

    def _mapping(self, parser: Any, node: Node, depth: int) -> None:
        own: dict[str, tuple[Node, Node]] = {}
        merged: dict[str, tuple[Node, Node]] = {}
        node.members = own
        while not isinstance(event := parser.get_event(), yaml.MappingEndEvent):
            key = self._node(parser, event, depth + 1)
            value = self._node(parser, parser.get_event(), depth + 1)
            node.size += key.size + value.size
            node.height = max(node.height, value.height + 1)
            if key.members is not None or key.items is not None:
                place = self.source.place(key)
                what = f"{shown(key.values())} as a key"
                mend = "put a text with {{ }} in quotes" if key.flow else ""
                self.source.problems.append(self.source.problem(place, what, "a text as the key", mend))
                continue
            name = self.source.written(key)
            if name == "<<" and key.plain:
                self._merge(merged, key, value)
            elif name in own:
                first = own[name][0]
                self.source.problems.append(
                    self.source.problem(
                        self.source.place(key),
                        f'"{name}" a second time',
                        f"each key once; the first is on line {first.line}",
                        "remove one",
                    )
                )
            else:
                own[name] = (key, value)
        for name, pair in merged.items():
            own.setdefault(name, pair)
        _end(node, event)

    def _merge(self, merged: dict[str, tuple[Node, Node]], key: Node, value: Node) -> None:
        parts = value.items if value.items is not None else [value]
        for part in parts:
            if part.members is None:
                self.source.problems.append(
                    self.source.problem(
                        self.source.place(key),
                        f"<< with {shown(part.values())}",
                        "<< with a mapping, such as <<: *anchor",
                    )
                )
                continue
            for name, pair in part.members.items():
                merged.setdefault(name, pair)

    def _check_tag(self, event: Any, node: Node, kind: str) -> None:
        if event.tag not in (None, "!", _CORE + kind):
            self._refuse_tag(event, node)

    def _refuse_tag(self, event: Any, node: Node) -> None:
        line = self.source.line(event.start_mark.line + 1)
        column = event.start_mark.column
        written = re.match(r"(?:&\S+\s+)?(!\S*)", line[column:])
        tag = written[1] if written else f"!<{event.tag}>"
        place = Place(node.line, column + (written.start(1) if written else 0) + 1, len(tag))
        self.source.problems.append(
            self.source.problem(
                place, f"the tag {tag}", "plain YAML without tags", 'remove it; quotes make a text: "5"'
            )
        )

    def _grammar(self, error: yaml.MarkedYAMLError) -> Problem:
        unclosed = "unexpected" in (error.problem or "") or "parsing a flow" in (error.context or "")
        mark = (error.context_mark if unclosed else None) or error.problem_mark or error.context_mark
        place = Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)
        if not "".join(self.source.lines[place.line - 1 :]).strip():  # the end of the file: behind what is written
            last = max((number for number, text in enumerate(self.source.lines, 1) if text.strip()), default=1)
            place = Place(last, len(self.source.line(last)) + 1)
        said = " ".join(filter(None, (error.context, error.problem)))
        line = self.source.line(place.line)
        known = (meaning for words, *meaning in _GRAMMAR if words in said)
        what, expected, mend = next(known, (f"this is not YAML: {said}", "YAML", ""))
        if line[place.column - 1 : place.column] == "\t" or line[: len(line) - len(line.lstrip())].count("\t"):
            tab = line.index("\t")
            place = Place(place.line, tab + 1)
            what, expected, mend = "a tab in the indentation", "blanks", "set your editor to indent YAML with 2 blanks"
        return self.source.problem(place, what, expected, mend)


_BAD_ESCAPE: Final = (
    "an escape that YAML does not know",
    r"one such as \n, \" or \u00e9",
    "write the sign itself, or use single quotes, where a backslash means nothing",
)

_GRAMMAR: Final = (
    ("exceeded maximum nesting depth", _TOO_DEEP, "fewer", ""),  # libyaml's own limit, met before ours on one line
    ("escape ", *_BAD_ESCAPE),
    (
        "mapping values are not allowed",
        "a second colon in this line",
        "one `key: value` in a line",
        "put a value that holds `: ` in quotes; or the line is indented too far",
    ),
    (
        "could not find expected ':'",
        "a line without a colon",
        "`key: value`, or `- item` in a list",
        "is a colon missing, or the blank behind it?",
    ),
    (
        "while scanning a quoted scalar",
        "a quote that is never closed",
        "a closing quote",
        "close it; a text that holds quotes goes into the other kind of quotes",
    ),
    (
        "while parsing a flow",
        "a bracket that is never closed, or a comma missing",
        "`,` or the closing bracket",
        "put texts that hold , [ ] { } in quotes",
    ),
    (
        "while parsing a block mapping did not find expected key",
        "this line does not fit the ones above",
        "a key indented as its neighbours",
        "check the indentation; a text that begins with a quote must end with it",
    ),
    (
        "while parsing a block collection",
        "this line does not fit the list above",
        "a `-` indented as its neighbours",
        "check the indentation",
    ),
    (
        "found character",
        "a character that cannot begin a value",
        "a letter, a digit or a quote",
        "put the text in quotes",
    ),
)
"""What the parser says, what we say, what was expected, how to mend it."""


def _end(node: Node, event: Any) -> None:
    node.end_line, node.end_column = event.end_mark.line + 1, event.end_mark.column + 1


def _node_of(event: Any) -> Node:
    start, end = event.start_mark, event.end_mark
    return Node(
        start.line + 1,
        start.column + 1,
        end.line + 1,
        end.column + 1,
        flow=bool(getattr(event, "flow_style", False)),
    )


__all__ = ["LIMIT_DEPTH", "LIMIT_NODES", "LINE_END", "Composer", "Node", "Place", "UnreadableError", "resolve"]
