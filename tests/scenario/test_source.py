"""YAML as plain values with places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mockcic.errors import Problem
from mockcic.scenario import node as module
from mockcic.scenario.node import LIMIT_NODES, Place
from mockcic.scenario.source import LIMIT_BYTES, Source, read_source


@pytest.fixture(params=["C", "Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both parsers of PyYAML: the C one is not everywhere."""
    monkeypatch.setattr(module, "_PARSER", yaml.CSafeLoader if request.param == "C" else yaml.SafeLoader)
    return str(request.param)


def values(text: str) -> object:
    source = Source("x.yaml", text)
    assert source.problems == []
    return source.values


def only_problem(text: str) -> Problem:
    problems = Source("x.yaml", text).problems
    assert len(problems) == 1, problems
    return problems[0]


def told(problem: Problem) -> tuple[str, str]:
    return problem.where, problem.what


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "y", "n", "On", "OFF", "TRUE"])
def test_only_true_and_false_are_truth_values(word: str, parser: str) -> None:
    """YAML 1.2 10.3.2, and `on:` is a key of ours."""
    assert values(f"{word}: {word}") == {word: word}


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01",
        "2026-01-01T10:00:00Z",
        "12:30",
        "1:2:3",
        "0123",
        "0o17",
        "0x1F",
        "+82",
        "1_000",
        "1e999",
        "e1",
        ".inf",
        ".",
        "-",
    ],
)
def test_what_only_old_yaml_takes_for_a_number_or_a_date_stays_a_text(text: str, parser: str) -> None:
    """Numbers are those of JSON (INF)."""
    if text != "-":
        assert values(f"a: {text}") == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-7", -7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-1.5e3", -1500.0),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_plain_words_become_values(text: str, value: object, parser: str) -> None:
    """YAML 1.2 10.3.2, numbers as in JSON."""
    result = values(f"a: {text}")
    assert result == {"a": value}
    assert isinstance(result, dict)
    assert type(result["a"]) is type(value)


def test_a_number_of_many_digits_stays_a_text(parser: str) -> None:
    """Python refuses to read such a number, and no payload holds one."""
    assert values(f"a: {'9' * 5000}") == {"a": "9" * 5000}


def test_quotes_make_a_text(parser: str) -> None:
    """YAML 1.2 7.3."""
    assert values("""{a: "1", b: 'true', c: !!str 5}""") == {"a": "1", "b": "true", "c": "5"}


def test_keys_are_always_texts(parser: str) -> None:
    """A payload is JSON, which knows no other keys."""
    assert values("{1: a, true: b, null: c, 2026-01-01: d}") == {"1": "a", "true": "b", "null": "c", "2026-01-01": "d"}


def test_anchors_and_merge_keys_work_and_own_keys_win(parser: str) -> None:
    """YAML 1.1 merge keys, which every tool knows."""
    text = "base: &b {x: 1, y: 2}\nmore: &m {z: 3, x: 9}\nboth: {<<: [*b, *m], y: 7}\nsame: *b\n"
    assert values(text) == {
        "base": {"x": 1, "y": 2},
        "more": {"z": 3, "x": 9},
        "both": {"y": 7, "x": 1, "z": 3},
        "same": {"x": 1, "y": 2},
    }


def test_a_quoted_merge_key_is_an_ordinary_key(parser: str) -> None:
    """Only the plain `<<` has the meaning."""
    assert values('{"<<": {a: 1}}') == {"<<": {"a": 1}}


def test_a_byte_order_mark_of_utf8_is_passed_over(parser: str) -> None:
    """Editors on Windows write one."""
    source = Source("x", "\ufeffa: 1")
    assert source.line(1) == "a: 1"
    assert (source.problems, source.values) == ([], {"a": 1})


def test_an_empty_file_has_no_value_and_no_problem_as_yaml(parser: str) -> None:
    """The model says that something is missing."""
    assert values("") is None
    assert values("# only a remark\n") is None


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("a: b: c", "x.yaml:1:5", "a second colon in this line"),
        ("a\nb: c", "x.yaml:2:2", "a second colon in this line"),
        ("a: 'x\nb: 3\n", "x.yaml:1:4", "a quote that is never closed"),
        ("a: [1, 2\nb: 4", "x.yaml:1:4", "a bracket that is never closed, or a comma missing"),
        ("{a: 1", "x.yaml:1:1", "a bracket that is never closed, or a comma missing"),
        ("a:\n\tb: 3", "x.yaml:2:1", "a tab in the indentation"),
        ("- a\nb: 3", "x.yaml:2:1", "this line does not fit the list above"),
        ("a: @x", "x.yaml:1:4", "a character that cannot begin a value"),
        ("a: `x`", "x.yaml:1:4", "a character that cannot begin a value"),
        ("a: 1\n b: 3", "x.yaml:2:3", "a second colon in this line"),
        ("a: 오늘\nb: 'ㄱ", "x.yaml:2:4", "a quote that is never closed"),
        ("a: *x", "x.yaml:1:4", "nothing is called &x"),
        ("a: &x [*x]", "x.yaml:1:8", "*x stands inside &x itself"),
        ("a: 1\nb: 2\na: 2", "x.yaml:3:1", '"a" a second time'),
        ("{a: {b: 1, b: 2}}", "x.yaml:1:12", '"b" a second time'),
        ("? [a]\n: 3", "x.yaml:1:3", "a list of 1 as a key"),
        ("a: {{ x }}", "x.yaml:1:5", "a mapping with x as a key"),
        ("a: 1\n---\nb: 2", "x.yaml:2:1", "a second document in the file"),
        ("a: x\0y", "x.yaml:1:5", "a NUL character in the file"),
        ("가: \x07", "x.yaml:1:4", "the character U+0007 in the file"),
        ("a: \ud800", "x.yaml:1:4", "the character U+D800 in the file"),
        ("a: !!python/object/apply:os.system [id]", "x.yaml:1:4", "the tag !!python/object/apply:os.system"),
        ("a: !!binary aGk=", "x.yaml:1:4", "the tag !!binary"),
        ("a: !!timestamp 2026-01-01", "x.yaml:1:4", "the tag !!timestamp"),
        ("a: !mine {b: 1}", "x.yaml:1:4", "the tag !mine"),
        ("a: &x !!set {b, c}", "x.yaml:1:7", "the tag !!set"),
        ("a: !!int five", "x.yaml:1:4", '!!int before "five"'),
        ("a: {<<: 5}", "x.yaml:1:5", "<< with 5"),
        ("[" * 101 + "]" * 101, "x.yaml:1:101", "more than 100 levels inside each other"),
    ],
)
def test_each_fault_of_the_yaml_is_told_at_its_place(text: str, where: str, what: str, parser: str) -> None:
    """Safe loading only; lines and columns count from 1, in characters."""
    problem = only_problem(text)
    assert told(problem) == (where, what)
    assert problem.expected


@pytest.mark.parametrize(
    "text", ["[" * 5000, "- " * 5000, "{a: " * 5000, "".join(f"{' ' * n}a:\n" for n in range(2000))]
)
def test_what_is_far_too_deep_is_refused_by_whichever_limit_it_meets_first(text: str, parser: str) -> None:
    """libyaml 0.2.6 has a limit of its own, and names a place further on."""
    problem = only_problem(text)
    assert (problem.what, problem.expected) == ("more than 100 levels inside each other", "fewer")


@pytest.mark.parametrize("text", ['a: "\\ud83d\\ude00"', 'a: "\\d"'])
def test_escapes_of_json_that_yaml_does_not_know_are_explained(text: str, parser: str) -> None:
    """JSON writes an emoji as two escapes; which column the parsers name differs."""
    problem = only_problem(f"b: 1\n{text}")
    assert (problem.line, problem.what) == (2, "an escape that YAML does not know")


def test_an_alias_bomb_is_refused_before_it_grows(parser: str) -> None:
    """Ten lines that would become ten billion values."""
    lines = ["a0: &a0 [" + ",".join("x" * 10) + "]"]
    lines += [f"a{n}: &a{n} [" + ",".join(f"*a{n - 1}" for _ in range(10)) + "]" for n in range(1, 10)]
    problem = only_problem("\n".join(lines))
    assert problem.what == f"more than {LIMIT_NODES:,} values, aliases written out"
    assert problem.line == 5


def test_aliases_inside_aliases_cannot_go_deeper_than_the_limit(parser: str) -> None:
    """Each line is flat, together they are a tower."""
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200))]
    assert only_problem("\n".join(lines)).what == "more than 100 levels inside each other"


def test_several_problems_are_told_at_once(parser: str) -> None:
    """Only what makes the rest unreadable ends the reading."""
    source = Source("x", "a: !!set {b}\na: 1\nc: !x 3\n")
    assert [problem.line for problem in source.problems] == [1, 2, 3]


TEXT = """\
scenario: 날씨
on:
  - event: SpeechRecognizer.Recognize
    when: {payload.lang: 한국, header.x: "a b"}   # remark
    reply:
      - SpeechSynthesizer.Speak: {ttsText: 오늘은 맑아요, audio: audio/sunny.mp3}
      - push:
          - Clova.RenderText: {text: 안녕}
      - wait: 3s
    go:
"""


@pytest.mark.parametrize(
    ("loc", "seen"),
    [
        (("scenario",), "날씨"),
        (("on", 0, "event", 0), "SpeechRecognizer.Recognize"),
        (("on", 0, "when", "payload.lang", "is"), "한국"),
        (("on", 0, "when", "header.x"), '"a b"'),
        (("on", 0, "reply", 0, "send", "directive"), "SpeechSynthesizer.Speak"),
        (("on", 0, "reply", 0, "send", "payload"), "{ttsText: 오늘은 맑아요, audio: audio/sunny.mp3}"),
        (("on", 0, "reply", 0, "send", "payload", "ttsText"), "오늘은 맑아요"),
        (("on", 0, "reply", 0, "send", "audio", "file"), "audio/sunny.mp3"),
        (("on", 0, "reply", 1, "push", "push", 0, "send", "payload", "text"), "안녕"),
        (("on", 0, "reply", 2, "wait", "wait"), "3s"),
        (("on", 0), "event"),
        (("on", 0, "missing"), "event"),
        (("on", 0, "go"), "go"),
        ((), "scenario"),
    ],
)
def test_a_location_leads_to_what_is_written(loc: tuple[int | str, ...], seen: str, parser: str) -> None:
    """Tags of unions and short forms are not in the file; a mapping is shown by its first key."""
    source = Source("x", TEXT)
    place = source.position(loc)
    assert source.line(place.line)[place.column - 1 :][: place.width] == seen


def test_a_key_has_a_place_of_its_own(parser: str) -> None:
    """For a key nobody knows."""
    assert Source("x", TEXT).position(("on", 0, "when", "header.x"), key=True) == Place(4, 30, 8)


def test_lines_are_counted_as_the_parser_counts_them(parser: str) -> None:
    """CR LF is one line end, and so are the rarer ones."""
    source = Source("x", "a: 1\r\nb: 2\rc: '\u2028'\n\nb: 3\n")
    assert [(problem.line, problem.source) for problem in source.problems] == [(6, "b: 3")]


def test_a_file_in_another_encoding_is_told_with_the_byte(tmp_path: Path) -> None:
    """Korean editors may still write CP949."""
    path = tmp_path / "x.yaml"
    path.write_bytes("a: 1\nb: 오늘".encode("cp949"))
    problem = read_source(path, "x.yaml")
    assert isinstance(problem, Problem)
    assert told(problem) == ("x.yaml:2:4", "byte 0xbf is not UTF-8")


def test_utf16_is_named(tmp_path: Path) -> None:
    """What Notepad calls Unicode."""
    path = tmp_path / "x.yaml"
    path.write_text("a: 1", encoding="utf-16")
    problem = read_source(path, "x.yaml")
    assert isinstance(problem, Problem)
    assert problem.what == "the file is in UTF-16"


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    """4 MiB (INF)."""
    path = tmp_path / "x.yaml"
    path.write_bytes(b"#" * (LIMIT_BYTES + 1))
    problem = read_source(path, "x.yaml")
    assert isinstance(problem, Problem)
    assert problem.what == "a file of 4,194,305 bytes"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("ab:-?&*!<>{}[],'\"|#@`%~ \n\t1.오")), max_size=60))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    """Whatever is in a file, the answer is values or problems within the file."""
    source = Source("x", text)
    assert source.root is not None or source.problems
    json.dumps(source.values)
    for problem in source.problems:
        assert 1 <= problem.line <= len(source.lines)
        assert 1 <= problem.column <= len(source.line(problem.line)) + 1
        assert problem.width >= 1


SIGNS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))  # JSON writes the others as two escapes
KEYS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=100)  # YAML ends at 1,024 signs
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | SIGNS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_json_reads_as_itself(value: object) -> None:
    """YAML 1.2 holds JSON, so that a payload can be copied from a trace."""
    source = Source("x", json.dumps(value))
    assert source.problems == []
    assert source.values == value
