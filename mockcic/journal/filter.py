"""The filter language: which entries of a journal are meant. One language for Python, REST and the command line.

A filter is a text of terms that must all hold (docs/journal.md, Filters), or the same as a mapping of members.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from mockcic.journal.entry import KINDS, Entry
from mockcic.journal.packed import Packed
from mockcic.scenario.conditions import MISSING, Condition
from mockcic.scenario.match import walk
from mockcic.scenario.words import read_duration, suggest

OWN_MEMBERS: Final[Mapping[str, str]] = {
    "kind": "what kind of entry, as in the table of kinds",
    "name": "Namespace.Name of a message, or what the kind calls it",
    "namespace": "the part of the name before the dot",
    "device": "a device's short name",
    "connection": "a connection, such as c1",
    "stream": "a stream of a connection, such as c1.5",
    "dialogue": "a dialogRequestId",
    "direction": "in: from the device; out: to it",
    "time": "seconds since the journal began (2.5, 300ms, 1m), or an ISO 8601 time of the wall clock",
    "number": "the entry's number, counted from 1",
    "text": "the whole entry as JSON text; ~ searches in it",
}
"""Members that every entry has."""

DATA_MEMBERS: Final[Mapping[str, str]] = {
    "payload": "of an event, a directive: a member of its payload, as in payload.text",
    "header": "of an event: a member of its header, as in header.messageId",
    "context": "of an event: a member of a context, as in context.Speaker.VolumeState.volume",
    "request": "of an event, a downchannel, a ping, a refused request: a header of it, as in request.user-agent",
    "parts": "of an event, an upload: its parts, as in parts.0.headers.content-type",
    "message_id": "of an event, a directive: its messageId",
    "line": "of a directive, an attachment: reply or downchannel",
    "status": "of an answer, an exception, a refused token: the HTTP status; of a verdict: kept, broken, error",
    "code": "of an exception: its code",
    "description": "of an exception, an answer: its text",
    "bytes": "of an upload, a directive, an attachment, an answer: its size",
    "seconds": "of an upload, an attachment: its sound; of an answer: from the first byte of its request on",
    "sha256": "of an upload, an attachment: the digest of its bytes",
    "level_dbfs": "of an upload: its level",
    "peak_dbfs": "of an upload: its loudest sample",
    "silent_s": "of an upload: how long it was silent",
    "clipped": "of an upload: the fraction of samples at full scale",
    "gaps": "of an upload: where it has holes, as in gaps.0.1",
    "dc": "of an upload: its offset, as a fraction of full scale",
    "suspicions": "of an upload: what its bytes look like instead of 16 kHz PCM",
    "arrived": "of an upload: its pace, milliseconds and bytes so far",
    "wake_word": "of an upload: where the wake word lies, as in wake_word.lead_s",
    "unanswered": "of a ping: true when the scenario does not answer it",
    "dtmf": "of an upload: its digits, if the scenario asks",
    "marker": "of an upload: its marker, if the scenario asks",
    "like": "of an upload: the recording it is like, of those a condition names",
    "heard": "of an upload: which of the scenario's recordings it is",
    "transcript": "of an upload: what was said in it, its member text, if the scenario asks",
    "lost": "of an answer: true when the device did not wait for its end, or `fault` names what ended it",
    "dropped": "of a directive: why it was not sent",
    "raw": "of a directive that was sent as it stood: its text, the beginning of it",
    "why": "of a directive, a step: what made it due; of a token: why it ended, or was refused",
    "rule": "of a step, an answer: the rule",
    "event": "of a match that found no rule: the event",
    "nearest": "of a match that found no rule: the nearest rules, each condition that failed; of a verdict: entries",
    "came": "of a verdict that was not kept: the entries that fitted",
    "others": "of a verdict that was not kept: what came at all",
    "scenario": "of a match: the scenario of its rule",
    "severity": "of a finding: error or warning; of a token: warning, where there is one",
    "found": "of a finding: what was found",
    "expected": "of a finding: what was expected",
    "mend": "of a finding: how to mend it; of a token: what to beware of",
    "reason": "of a disconnect, a closed downchannel: why",
    "replaced": "of an open downchannel: true when it replaced another",
    "before": "of a state: the one before",
    "changed": "of a scenario: the files that were edited",
    "tls": "of a connect: whether it is TLS",
    "alpn": "of a connect: what ALPN chose",
    "port": "of a connect: auth where it came to the authorization server's own port",
    "user_agent": "of a device: its User-Agent",
    "tags": "of a device: its tags",
    "type": "of an attachment: its Content-Type",
    "phase": "of a fault: armed, struck, missed, over, gone",
    "act": "of a fault: what it does, such as reset or goaway",
    "on": "of a fault: what it is aimed at: answer, downchannel, connection, token, accept",
    "retry_after": "of an answer that refuses: for how many seconds it says to wait",
    "lasts_s": "of a fault that struck: how long what it does lasts, in seconds",
    "detail": "of an answer, a step, a fault, a chaos: more about it",
    "client_id": "of a token: the client_id it is for",
    "device_id": "of a token: the device_id it is for",
    "model_id": "of a token: the model_id it is for",
    "grant": "of a token: authorize, or the grant_type it came by",
    "what": "of a token: code, access token, refresh token",
    "short": "of a token: its last four characters",
    "lives_s": "of a token that begins to live: for how many seconds",
    "error": "of a refused token: the error as RFC 6749 calls it",
    "guest": "of a token: true for a guest's",
    "clock": "the server's clock, ISO 8601, while it is turned or does not go as real time does",
    "by_s": "of a clock that is turned: by how many seconds",
    "to": "of a clock that is turned: the time it will show, ISO 8601",
    "factor": "of a clock: how many times as fast as real time it goes from now on",
    "chaos": "of a chaos: the name in its file",
    "entry": "of a chaos that sets faults: which entry of its file",
    "devices": "of a chaos that sets faults: for whom",
}
"""Members that only some kinds have."""

MEMBER_CHARACTERS: Final = 1000
"""The longest path of a member that can be asked for (INF)."""

_ALTERNATIVE: Final = r'(?:"(?:[^"\\]|\\.)*"|[^\s",]*)'
_VALUE: Final = rf"(?:/(?:[^/\\]|\\.)*/(?=\s|$)|{_ALTERNATIVE}(?:,{_ALTERNATIVE})*)"
_TERM: Final = re.compile(
    rf"\s*(?P<term>(?P<not>!)?(?:(?P<member>[A-Za-z_][\w.\-]*)(?P<operator>!=|>=|<=|=|~|>|<)(?P<value>{_VALUE})"
    r'|(?P<word>"(?:[^"\\]|\\.)*"|[^\s"]+)))(?=\s|$)'
)
_ALTERNATIVES: Final = re.compile(rf"({_ALTERNATIVE})(?:,|$)")
_NAME: Final = re.compile(r"[A-Za-z*?][\w*?-]*\.[\w*?.-]+|\*")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_OPERATORS: Final = "=, !=, ~, >, >=, <, <="
_CONDITION_WORDS: Final = frozenset({"is", "one_of", "matches", "contains", "min", "max", "present", "absent", "not"})


class FilterError(ValueError):
    """A filter that cannot be read. `column` counts characters of the text from 1; 0 where there is no text."""

    def __init__(self, what: str, *, expected: str, text: str = "", column: int = 0) -> None:
        super().__init__(f"{what}; expected {expected}{_place(text, column)}")
        self.what = what
        self.expected = expected
        self.column = column


def _place(text: str, column: int) -> str:
    """The text on one line and a caret under the column; Korean letters are two wide."""
    if not column:
        return ""
    from wcwidth import wcswidth

    shown = "".join(each if each.isprintable() else " " for each in text)
    return f"\n  {shown}\n  {' ' * max(wcswidth(shown[: column - 1]), 0)}^"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One member of an entry held against what was asked: `got` is a JSON value, or MISSING."""

    member: str
    expected: str
    got: object
    holds: bool

    def as_json(self) -> dict[str, Any]:
        """`got` is left out where the member is absent."""
        value: dict[str, Any] = {"member": self.member, "expected": self.expected, "holds": self.holds}
        return value if self.got is MISSING else {**value, "got": self.got}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition of a filter. `expected` is what it asks, for people, never cut."""

    member: str
    expected: str
    holds: Callable[[object], bool]
    get: Callable[[Entry], object] = field(init=False, repr=False, compare=False)
    """The member of an entry: made once, for a wait looks at every entry there is before it begins."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "get", _getter(self.member))

    def compare(self, entry: Entry) -> Comparison:
        """Hold it against an entry; what people read is JSON, and a time of the wall clock an ISO 8601 one."""
        got = member_of(entry, self.member)
        holds = self.holds(got)
        if self.member == "wall":
            return Comparison("time", self.expected, entry.as_json()["time"], holds)
        return Comparison(self.member, self.expected, entry.as_json() if got is entry else got, holds)


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms that must all hold; `text` is how it was asked."""

    text: str
    terms: tuple[Term, ...]

    def fits(self, entry: Entry) -> bool:
        """Whether every term holds."""
        for term in self.terms:  # noqa: SIM110 - all() with a generator takes half as long again
            if not term.holds(term.get(entry)):
                return False
        return True

    def compare(self, entry: Entry) -> tuple[Comparison, ...]:
        """Every term held against an entry, also those that hold; that it was sent only where it was not."""
        compared = (term.compare(entry) for term in self.terms)
        return tuple(each for each in compared if not each.holds or each.member != SENT.member)

    def and_(self, other: Filter) -> Filter:
        """Both."""
        return Filter(" ".join(text for text in (self.text, other.text) if text), (*self.terms, *other.terms))

    def __str__(self) -> str:
        return self.text or "any entry"


ANY: Final = Filter("", ())

Asked = str | Mapping[str, Any] | Filter | Callable[[Entry], bool] | None
"""What can be read as a filter."""


def member_of(entry: Entry, member: str) -> object:
    """The value of a member; MISSING where the entry has none."""
    first, _, rest = member.partition(".")
    match first:
        case "kind" | "name" | "number":
            return getattr(entry, first)
        case "device" | "connection" | "stream" | "dialogue" | "direction":
            return getattr(entry, first) or MISSING
        case "namespace":
            return entry.name.partition(".")[0] if "." in entry.name else MISSING
        case "time":
            return entry.at_s
        case "wall":
            return entry.wall_s
        case "text":
            return entry.text()
        case "entry":
            return entry
        case "context":
            contexts = _data(entry).get("contexts", MISSING)
            return contexts if contexts is MISSING else walk(contexts, rest)
        case "transcript":
            return _data(entry).get("text", MISSING) if entry.kind == "upload" else MISSING
        case "request":
            return walk(_data(entry).get("request", {}), rest.lower())
        case _:
            return walk(_data(entry), member)


def _data(entry: Entry) -> Mapping[str, Any]:
    """Unpacked once: a path is looked up step by step."""
    return entry.data.unpack() if isinstance(entry.data, Packed) else entry.data


def _getter(member: str) -> Callable[[Entry], object]:
    if member in ("kind", "name", "number"):
        return attrgetter(member)
    return lambda entry: member_of(entry, member)


def read_filter(asked: Asked, **members: Any) -> Filter:
    """The filter of a text, of a mapping, of a function of an entry, or of members given by name; all must hold.

    In a mapping a value is what a scenario's `when` takes (a value, a list of values, or `contains`, `matches`, `min`,
    `max`, `present`, `not`); texts may have the wildcards * and ?. `payload={"lang": "ko"}` asks for that member of the
    payload. Raises `FilterError`.
    """
    match asked:
        case None:
            found = ANY
        case Filter():
            found = asked
        case str():
            found = _read_text(asked)
        case Mapping():
            found = _read_mapping(asked)
        case _ if callable(asked):
            name = getattr(asked, "__name__", "a function")
            found = Filter(name, (Term("entry", f"one that {name} takes", _of_entry(asked)),))
        case _:
            raise FilterError(f"found {asked!r}", expected="a text, a mapping of members, or a function of an entry")
    members = {name: value for name, value in members.items() if value is not None}
    return found.and_(_read_mapping(members)) if members else found


# ---------------------------------------------------------------------- the text form


def _read_text(text: str) -> Filter:
    terms: list[Term] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        found = _TERM.match(stripped, position)
        if found is None:
            start = position + len(stripped[position:]) - len(stripped[position:].lstrip())
            raise FilterError(
                f"cannot read {stripped[start:].split()[0]}",
                expected="member=value, a kind, a Namespace.Name, or a quoted text",
                text=text,
                column=start + 1,
            )
        try:
            term = _word(found) if found["word"] is not None else _comparison(found)
        except FilterError as error:
            raise FilterError(error.what, expected=error.expected, text=text, column=found.start("term") + 1) from None
        terms.append(_negated(term) if found["not"] else term)
        position = found.end()
    return Filter(text.strip(), _of_messages(terms))


def _of_messages(terms: list[Term]) -> tuple[Term, ...]:
    """A name without a kind means the message, not the answer or the rule that carry its name too.

    A directive that was dropped is none that was sent: it is meant where `dropped` is asked for.
    """
    members = [term.member for term in terms]
    by_name = "name" in members and "kind" not in members
    found = [MESSAGES, *terms] if by_name else terms
    if (by_name or ("kind", "directive") in [(term.member, term.expected) for term in terms]) and (
        "dropped" not in members
    ):
        found = [*found, SENT]
    return tuple(found)


def _of_entry(function: Callable[[Entry], bool]) -> Callable[[object], bool]:
    return lambda got: isinstance(got, Entry) and bool(function(got))


def _is_message(got: object) -> bool:
    return got in ("event", "directive")


MESSAGES: Final = Term("kind", "event or directive", _is_message)
SENT: Final = Term("dropped", "nothing: it was sent", lambda got: got is MISSING)


def _negated(term: Term) -> Term:
    return Term(term.member, f"not {term.expected}", lambda got: not term.holds(got))


def _word(found: re.Match[str]) -> Term:
    word = found["word"]
    if word.startswith('"'):
        return _search("text", _unquoted(word))
    if word in KINDS:
        return Term("kind", word, lambda got: got == word)
    if word.startswith("…"):
        return Term("device", word, lambda got: got == word)
    if _NAME.fullmatch(word):
        return _equal("name", [word])
    near = suggest(word, KINDS)
    raise FilterError(
        f"{word} is neither a kind nor a name",
        expected=(f"{near}?" if near else f"one of {', '.join(KINDS)}, a Namespace.Name, a device (…4f2a)")
        + '; a text to search for stands in quotes: "..."',
    )


def _comparison(found: re.Match[str]) -> Term:
    member, operator, value = found["member"], found["operator"], found["value"]
    _check_member(member)
    if value == "":
        raise FilterError(f"{member}{operator} without a value", expected='a value; "" is the empty text')
    if operator in ("=", "!="):
        if len(value) > 1 and value.startswith("/") and value.endswith("/"):
            term = _pattern(member, value[1:-1])
        else:
            values = _alternatives(value)
            _check_values(member, values)
            term = _equal(member, values)
        return _negated(term) if operator == "!=" else term
    if operator == "~":
        return _search(member, _unquoted(value))
    return _bound(member, operator, _unquoted(value))


def _check_member(member: object) -> None:
    if not isinstance(member, str):
        raise FilterError(f"there is no member {member!r}", expected="the name of a member, a text")
    if len(member) > MEMBER_CHARACTERS:
        raise FilterError(f"a member of {len(member)} characters", expected=f"at most {MEMBER_CHARACTERS}")
    first = member.partition(".")[0]
    if first not in OWN_MEMBERS and first not in DATA_MEMBERS:
        near = suggest(first, [*OWN_MEMBERS, *DATA_MEMBERS])
        raise FilterError(
            f"there is no member {first}",
            expected=f"{near}?" if near else f"one of {', '.join([*OWN_MEMBERS, *DATA_MEMBERS])}",
        )


def _check_values(member: str, values: Sequence[str]) -> None:
    """What can never be the value of a member would fit nothing, and `!=` everything."""
    for value in values if member in ("time", "number") else ():
        try:
            float(_unquoted(value))
        except ValueError:
            raise FilterError(
                f"{member}={value}", expected=f"a number; {member}>= and {member}<= also take bounds such as 300ms"
            ) from None
    known = {"kind": KINDS, "direction": ("in", "out")}.get(member)
    for value in values if known else ():
        if known and not any(fnmatch.fnmatchcase(each, value) for each in known):
            near = suggest(value, known)
            raise FilterError(
                f"there is no {member} {value}", expected=f"{near}?" if near else f"one of {', '.join(known)}"
            )


def _alternatives(value: str) -> list[str]:
    return [found[1] for found in _ALTERNATIVES.finditer(value) if found[0]]


def _unquoted(value: str) -> str:
    if len(value) > 1 and value.startswith('"') and value.endswith('"'):
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def _equal(member: str, values: Sequence[str]) -> Term:
    tests = [_equals(value) for value in values]
    return Term(member, " or ".join(values), lambda got: any(test(got) for test in tests))


def _equals(value: str) -> Callable[[object], bool]:
    """A quoted value is that text; others may have wildcards, and stand for numbers, true, false and null too."""
    if value.startswith('"'):
        text = _unquoted(value)
        return lambda got: got == text
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        parsed = MISSING
    if _has_wildcards(value):
        return _like(value)

    def equals(got: object) -> bool:
        if isinstance(got, str):
            return got == value
        if isinstance(got, bool) or isinstance(parsed, bool):
            return got is parsed
        return parsed is not MISSING and got == parsed

    return equals


def _like(value: str) -> Callable[[object], bool]:
    """Only * and ? stand for other letters; a bracket is one."""
    pattern = re.compile(fnmatch.translate(value.replace("[", "[[]")))

    def like(got: object) -> bool:
        if isinstance(got, int | float) and not isinstance(got, bool):
            got = str(got)  # status=4??
        return isinstance(got, str) and pattern.match(got) is not None

    return like


def _pattern(member: str, pattern: str) -> Term:
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise FilterError(f"/{pattern}/: {error}", expected="a regular expression of Python's re") from None
    return Term(
        member,
        f"a text that matches /{pattern}/",
        lambda got: isinstance(got, str) and compiled.search(got) is not None,
    )


def _search(member: str, text: str) -> Term:
    wanted = text.casefold()
    escaped = json.dumps(text, ensure_ascii=False)[1:-1].casefold()

    def holds(got: object) -> bool:
        if got is MISSING:
            return False
        searched = (got if isinstance(got, str) else json.dumps(got, ensure_ascii=False)).casefold()
        # in JSON a quote and a line's end are written with a backslash, which nobody thinks of who searches for them
        return wanted in searched or (
            escaped != wanted and (not isinstance(got, str) or member == "text") and escaped in searched
        )

    return Term(member, f'a text with "{text}" in it', holds)


def _seconds(value: str) -> float | None:
    """A number, or a duration as scenarios have it, below zero too."""
    if _NUMBER.fullmatch(value):
        return float(value)
    less, text = value.startswith("-"), value.removeprefix("-")
    try:
        seconds = float(read_duration(text))
    except ValueError:  # pydantic's errors are
        return None
    return -seconds if less else seconds


def _bound(member: str, operator: str, value: str) -> Term:
    if member == "time" and (wall := _wall_time(value)) is not None:
        member, bound = "wall", wall
    else:
        found = _seconds(value)
        if found is None:
            raise FilterError(f"{member}{operator}{value}", expected="a number, or a duration such as 300ms, 2s, 1m30s")
        bound = found
    compare: dict[str, Callable[[float], bool]] = {
        ">": lambda got: got > bound,
        ">=": lambda got: got >= bound,
        "<": lambda got: got < bound,
        "<=": lambda got: got <= bound,
    }
    test = compare[operator]
    return Term(
        member,
        f"{operator} {value}",
        lambda got: isinstance(got, int | float) and not isinstance(got, bool) and test(got),
    )


def _wall_time(value: str) -> float | None:
    try:
        return datetime.fromisoformat(value).timestamp() if re.match(r"\d{4}-\d\d-\d\d", value) else None
    except (ValueError, OverflowError):
        raise FilterError(f"time {value}", expected="an ISO 8601 time such as 2026-03-02T12:00:00+09:00") from None


# ---------------------------------------------------------------------- the mapping form


def _read_mapping(members: Mapping[str, Any]) -> Filter:
    terms: list[Term] = []
    texts: list[str] = []
    try:
        for member, value in members.items():
            _check_member(member)
            for path, asked in _flat(member, value):
                terms.append(_mapped(path, asked))
                texts.append(_as_term(path, asked))
    except RecursionError:
        raise FilterError("a mapping that is too deep", expected="a few levels") from None
    return Filter(" ".join(texts), _of_messages(terms))


def _flat(member: str, value: object) -> Iterator[tuple[str, object]]:
    """`payload: {text: 물}` asks for `payload.text`; a mapping of the words of a condition is one."""
    if isinstance(value, Mapping) and value and not set(value) <= _CONDITION_WORDS:
        _check_words(member, value)
        for name, each in value.items():
            _check_member(f"{member}.{name}")
            yield from _flat(f"{member}.{name}", each)
    else:
        yield member, value


def _check_words(member: str, value: Mapping[Any, object]) -> None:
    """A slip in a condition: members of the entry itself have none of their own."""
    others = [str(each) for each in value if each not in _CONDITION_WORDS]
    near = suggest(others[0], _CONDITION_WORDS)
    if member in OWN_MEMBERS or (near and len(others) < len(value)):
        expected = f"{near}?" if near else f"any of {', '.join(sorted(_CONDITION_WORDS))}"
        raise FilterError(f"{member}: {others[0]} is no condition", expected=expected)


def _mapped(member: str, value: object) -> Term:
    if isinstance(value, Mapping) and value:
        _check_condition(member, value)
        return _conditioned(member, dict(value))
    values = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    _check_condition(member, {"one_of": values})
    if wild := _wild(member, values):
        tests = [_like(text) if _has_wildcards(text) else _equals(_as_value(text)) for text in wild]
        return Term(member, " or ".join(wild), lambda got: any(test(got) for test in tests))
    return _conditioned(member, {"one_of": values} if values != [value] else {"is": value})


def _wild(member: str, values: Sequence[object]) -> list[str]:
    """The values, where they are texts with wildcards for a member of the entry itself; deeper a text is that text."""
    texts = [value for value in values if isinstance(value, str)]
    wild = "." not in member and len(texts) == len(values) and any(_has_wildcards(text) for text in texts)
    return texts if wild else []


def _has_wildcards(text: str) -> bool:
    return "*" in text or "?" in text


def _check_condition(member: str, asked: Mapping[str, object]) -> None:
    one_of = asked.get("one_of")
    values = [asked.get("is"), *(one_of if isinstance(one_of, list | tuple) else ())]
    for value in values:
        if isinstance(value, str):
            _check_values(member, [value])
    match asked.get("not"):
        case Mapping() as condition:
            _check_condition(member, condition)
        case list() as values:
            _check_condition(member, {"one_of": values})
        case str() as value:
            _check_values(member, [value])


def _conditioned(member: str, asked: dict[str, Any]) -> Term:
    from pydantic import ValidationError

    try:
        condition = Condition.model_validate(asked)
    except ValidationError as error:
        problem = error.errors()[0]
        expected = str(problem.get("ctx", {}).get("expected", "a condition"))
        raise FilterError(f"{member}: {problem['msg']}", expected=expected) from None
    expected = _as_text(asked["is"]) if set(asked) == {"is"} else _as_text(asked)
    return Term(member, expected, lambda got: condition.miss(got, lambda value: value) is None)


def _as_term(member: str, value: object) -> str:
    """A condition as the text form has it; as JSON where that has no word for it."""
    match value:
        case {"min": bound, **rest} if not rest and _is_number(bound):
            return f"{member}>={bound}"
        case {"max": bound, **rest} if not rest and _is_number(bound):
            return f"{member}<={bound}"
        case {"is": each, **rest} if not rest:
            return f"{member}={_as_value(each)}"
        case Mapping():
            return f"{member}={_as_text(value)}"
    values = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    if wild := _wild(member, values):
        words = [text if re.fullmatch(r'[^\s",]+', text) else _as_value(text) for text in wild]
        sayable = all(word == text for word, text in zip(words, wild, strict=True) if _has_wildcards(text))
        return f"{member}={','.join(words)}" if sayable else f"{member}={_as_text(wild)}"
    return f"{member}={','.join(map(_as_value, values))}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_value(value: object) -> str:
    """A text in quotes where without them it would be several, a pattern, or something that is no text."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, default=str)
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        if re.fullmatch(r'[^\s",*?/][^\s",*?]*', value):
            return value
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value if re.fullmatch(r"[^\s\",]+", value) else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, default=str)


__all__ = ["ANY", "Comparison", "Filter", "FilterError", "Term", "member_of", "read_filter"]
