"""The filter language: what fits, what does not, and what cannot be read, with its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mockcic.journal.entry import KINDS, Entry
from mockcic.journal.filter import DATA_MEMBERS, OWN_MEMBERS, FilterError, read_filter

EVENT = Entry(
    5,
    "event",
    1.5,
    1_767_225_600.0,
    "…4f2a",
    "c1",
    "c1.5",
    "d1",
    "SpeechRecognizer.Recognize",
    {
        "message_id": "m1",
        "header": {"namespace": "SpeechRecognizer", "messageId": "m1"},
        "payload": {
            "text": "불 켜, 지금",
            "n": 3,
            "yes": True,
            "none": None,
            "list": [{"a": 1}],
            "empty": "",
            "said": '그는 "응" 했다',
            "lines": "끝\n정말",
        },
        "contexts": {"Speaker.VolumeState": {"volume": 7}},
        "request": {"user-agent": "A/b/1.0.0", "authorization": "Bearer …4f2a"},
    },
)
ANSWER = Entry(6, "answer", 2.0, 1_767_225_601.0, "…4f2a", name="SpeechRecognizer.Recognize", data={"status": 200})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "event",
        "!answer",
        "SpeechRecognizer.Recognize",
        "Speech*.*",
        "*",
        "…4f2a",
        "device=…4f2a",
        "device=…0000,…4f2a",
        "kind=event,directive",
        "namespace=SpeechRecognizer",
        "direction=in",
        "dialogue=d1 stream=c1.5 connection=c1 number=5",
        "number>4 number<=5",
        "time>1s time<1600ms time>=1.5 time<=1.5s",
        "time>=2026-01-01T00:00:00+00:00 time<2026-01-01T00:00:01Z",
        'payload.text="불 켜, 지금"',
        "payload.text~켜,",
        "payload.text=불*",
        "payload.text=/불 *켜/",
        "payload.n=3",
        'payload.n=2,3',
        "payload.n!=4",
        "!payload.n=4",
        "payload.yes=true payload.none=null",
        'payload.empty=""',
        "payload.list.0.a=1",
        "payload.nothing!=1",
        "header.messageId=m1",
        "context.Speaker.VolumeState.volume>=7",
        "request.User-Agent=A/b/*",
        "message_id=m1",
        '"불 켜"',
        "text~RECOGNIZE",
        "payload~불",
        r'payload.said="그는 \"응\" 했다"',
        r'"\"응\""',
        r'payload~"\"응\" 했다"',
        r'payload.said~"\"응\""',
        'text~"끝\n정말"',
        'payload.lines~"끝\n정말"',
    ],
)  # fmt: skip
def test_it_fits(text: str) -> None:
    asked = read_filter(text)
    assert asked.fits(EVENT), asked.compare(EVENT)


@pytest.mark.parametrize(
    "text",
    [
        "answer",
        "!event",
        "SpeechRecognizer.recognize",
        "Speech",
        "Clova.*",
        "…0000",
        "direction=out",
        "time>1.5",
        "time<2026-01-01T00:00:00Z",
        "payload.n=4",
        'payload.n="3"',
        "payload.yes=1",
        "payload.n=true",
        "payload.n>3",
        "payload.text>3",
        "payload.yes>0",
        "payload.nothing=1",
        "payload.nothing~1",
        "payload.text=/^켜/",
        '"물"',
    ],
)  # fmt: skip
def test_it_does_not_fit(text: str) -> None:
    if text == "Speech":
        with pytest.raises(FilterError):
            read_filter(text)
        return
    assert not read_filter(text).fits(EVENT)


def test_a_name_without_a_kind_means_the_message() -> None:
    """The answer, the upload and the rule carry the event's name too."""
    for asked in (read_filter("SpeechRecognizer.Recognize"), read_filter({"name": "SpeechRecognizer.Recognize"})):
        assert asked.fits(EVENT)
        assert not asked.fits(ANSWER)
    assert read_filter("answer name=SpeechRecognizer.Recognize").fits(ANSWER)


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({"kind": "event", "payload.n": 3}, True),
        ({"payload": {"n": 3, "text": {"contains": "켜"}}}, True),
        ({"payload": {"n": {"min": 4}}}, False),
        ({"payload.n": [1, 2, 3]}, True),
        ({"payload.text": {"matches": "불.켜"}}, True),
        ({"payload.nothing": {"absent": True}}, True),
        ({"payload.text": {"not": {"contains": "물"}}}, True),
        ({"name": "Speech*", "device": "…4f2a"}, True),
        ({"payload.text": "불*"}, False),
        ({"context": {"Speaker.VolumeState": {"volume": {"max": 7}}}}, True),
        ({"name": ["Clova.*", "Speech*.*"]}, True),
        ({"name": ["Clova.*", "SpeechRecognizer.Recogniz"]}, False),
        ({"kind": {"not": ["answer", "upload"]}}, True),
        ({"payload": {"contains": [1]}}, False),
        ({"payload": {"contains": "n"}}, True),
        ({"payload.n": {3, 4}}, True),
    ],
)
def test_a_mapping_asks_the_same(asked: dict[str, Any], fits: bool) -> None:
    assert read_filter(asked).fits(EVENT) is fits


def test_a_text_and_members_by_name_must_both_hold() -> None:
    assert read_filter("event", payload={"n": 3}).fits(EVENT)
    assert not read_filter("answer", payload={"n": 3}).fits(EVENT)
    assert read_filter("event", payload=None).fits(EVENT), "None asks nothing"


def test_a_function_of_an_entry_is_a_filter_too() -> None:
    def is_third(entry: Entry) -> bool:
        return entry.number == 3

    asked = read_filter(is_third)
    assert not asked.fits(EVENT)
    assert str(asked) == "is_third"
    assert asked.compare(EVENT)[0].as_json()["got"]["number"] == 5


def test_each_member_is_compared_with_what_came() -> None:
    compared = read_filter("event payload.n>3 payload.nothing=1").compare(EVENT)
    assert [each.as_json() for each in compared] == [
        {"member": "kind", "expected": "event", "got": "event", "holds": True},
        {"member": "payload.n", "expected": "> 3", "got": 3, "holds": False},
        {"member": "payload.nothing", "expected": "1", "holds": False},
    ]


@pytest.mark.parametrize(
    ("text", "column", "what", "expected"),
    [
        ("evnt", 1, "evnt is neither a kind nor a name", "event?"),
        ("event paylod.n=1", 7, "there is no member paylod", "payload?"),
        ("event  kind=evnt", 8, "there is no kind evnt", "event?"),
        ("direction=up", 1, "there is no direction up", "one of in, out"),
        ("payload.n=", 1, "payload.n= without a value", 'a value; ""'),
        ("payload.n>soon", 1, "payload.n>soon", "a number, or a duration"),
        ("time>2026-13-01", 1, "time 2026-13-01", "an ISO 8601 time"),
        ("payload.n=/(/", 1, "/(/: ", "a regular expression"),
        ("event time=2s", 7, "time=2s", "a number; time>="),
        ("number!=one", 1, "number=one", "a number"),
        ("event payload." + "a" * 2000 + "=1", 7, "a member of 2008 characters", "at most 1000"),
        ('event "open', 7, 'cannot read "open', "a quoted text"),
        ("=x", 1, "=x is neither", "one of connect"),
        ('event "a"b', 7, "cannot read", "a quoted text"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, column: int, what: str, expected: str) -> None:
    with pytest.raises(FilterError) as problem:
        read_filter(text)
    assert problem.value.column == column
    assert problem.value.what.startswith(what)
    assert expected in problem.value.expected
    *_, shown, caret = str(problem.value).splitlines()
    assert shown == f"  {text}"
    assert caret.index("^") == column + 1


def test_the_caret_stands_under_its_column_behind_korean_letters_and_line_ends() -> None:
    with pytest.raises(FilterError) as problem:
        read_filter('"오늘 날씨"\n한국')
    assert problem.value.column == 9
    *_, shown, caret = str(problem.value).splitlines()
    assert shown == '  "오늘 날씨" 한국'
    assert caret == " " * 14 + "^", "four of the eight letters before it are two wide"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"paylod.n": 1}, "payload?"),
        ({"payload.n": {"min": "x"}}, "payload.n"),
        ({"payload.text": {"matches": "("}}, "a regular expression"),
        ({"payload.n": {"of": 2, "max": {"min": "x"}}}, "payload.n.max"),
        ({"payload.n": {"min": 1, "mx": 2}}, "mx is no condition; expected max?"),
        ({"name": {"like": "A.B"}}, "like is no condition; expected any of absent"),
        ({"kind": "evnt"}, "event?"),
        ({"kind": ["event", "answr"]}, "answer?"),
        ({"kind": {"is": "evnt"}}, "event?"),
        ({"kind": {"not": "evnt"}}, "event?"),
        ({"kind": {"not": ["evnt"]}}, "event?"),
        ({"kind": {"not": {"one_of": ["evnt"]}}}, "event?"),
        ({"direction": "up"}, "one of in, out"),
        ({"time": "2s"}, "a number"),
        ({1: 2}, "no member 1"),
    ],
)
def test_a_mapping_that_cannot_be_read_names_the_member(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(FilterError) as problem:
        read_filter(asked)
    assert said in str(problem.value)
    assert problem.value.column == 0


def test_a_mapping_too_deep_is_refused() -> None:
    deep: dict[str, Any] = {"a": 1}
    for _ in range(2000):
        deep = {"a": deep}
    for asked in ({"payload": deep}, {"payload": {"is": deep}}, {"payload": [deep]}):
        with pytest.raises(FilterError):
            read_filter(asked)


def test_a_value_of_many_brackets_is_a_text() -> None:
    """It looks like JSON that is too deep to be read."""
    brackets = "[" * 100_000
    asked = read_filter(f"payload.text={brackets}")
    assert asked.fits(EVENT._replace(data={"payload": {"text": brackets}}))
    assert not asked.fits(EVENT)
    assert (
        read_filter(read_filter({"payload.text": brackets}).text).text == read_filter({"payload.text": brackets}).text
    )


@pytest.mark.parametrize("asked", [5, ["event"], b"event"])
def test_what_is_no_filter_at_all_is_refused(asked: Any) -> None:
    with pytest.raises(FilterError, match="a text, a mapping of members, or a function"):
        read_filter(asked)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"name": "A.*", "payload": {"text": "불 켜", "n": {"min": 2}}}, 'name=A.* payload.text="불 켜" payload.n>=2'),
        ({"payload.n": {"max": 1.5}, "kind": ["event", "answer"]}, "payload.n<=1.5 kind=event,answer"),
        ({"payload.n": 3, "payload.text": "3"}, 'payload.n=3 payload.text="3"'),
        ({"payload.text": "a*"}, 'payload.text="a*"'),
        ({"payload.text": "/a/"}, 'payload.text="/a/"'),
        ({"payload.text": ""}, 'payload.text=""'),
        ({"payload.text": {"contains": "켜"}}, 'payload.text={"contains": "켜"}'),
    ],
)  # fmt: skip
def test_a_mapping_is_said_as_a_text_would_ask(asked: dict[str, Any], text: str) -> None:
    assert str(read_filter(asked)) == text


def test_a_time_of_the_wall_clock_is_compared_as_one() -> None:
    (compared,) = read_filter("time>2026-03-02T00:00:00+09:00").compare(EVENT)
    assert (compared.member, compared.expected, compared.holds) == ("time", "> 2026-03-02T00:00:00+09:00", False)
    assert compared.got == "2026-01-01T00:00:00.000+00:00"


_WORDS = st.sampled_from([
    "event", "payload", ".n", ".list.0.a", "time", "kind", "=", "!=", "~", ">", "<=", "!", '"', "\\", ",",
    "/", "(", "[", "*", "?", " ", "\n", "3", "2s", "2026-03-02", "9" * 5000, "[" * 5000, "…4f2a", "불", "A.B", "null",
])  # fmt: skip


@given(st.text(max_size=60) | st.lists(_WORDS, max_size=10).map("".join))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    place = None
    try:
        asked = read_filter(text)
    except FilterError as problem:
        place = problem.column
    else:
        for entry in (EVENT, ANSWER):
            assert asked.fits(entry) == all(each.holds for each in asked.compare(entry))
    assert place is None or 1 <= place <= len(text) + 1


_TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@given(_TEXTS, st.sampled_from(["불 켜, 지금", "3", "", "a"]))
def test_a_quoted_value_means_that_text_and_nothing_else(wanted: str, got: str) -> None:
    quoted = wanted.replace("\\", "\\\\").replace('"', '\\"')
    entry = EVENT._replace(data={"payload": {"text": got}})
    assert read_filter(f'payload.text="{quoted}"').fits(entry) is (wanted == got)


_MEMBERS = st.sampled_from(["payload.text", "payload.n", "payload.yes", "payload.none", "device", "dialogue", "name"])
_VALUES = (
    st.none() | st.booleans() | st.integers() | _TEXTS | st.sampled_from(["불 켜, 지금", 3, "Speech*", "…4f2a", "d1"])
)


_CONDITIONS = _VALUES | st.lists(_VALUES, min_size=1, max_size=3) | st.fixed_dictionaries({"min": st.integers()})


@given(
    st.dictionaries(_MEMBERS, _CONDITIONS),
    st.fixed_dictionaries({"text": _VALUES, "n": _VALUES}),
)  # fmt: skip
def test_the_text_of_a_mapping_reads_back_and_asks_the_same(asked: dict[str, Any], payload: dict[str, Any]) -> None:
    """Of values, lists of them and bounds. What the text form has no word for is JSON there, and not read."""
    read = read_filter(asked)
    try:
        again = read_filter(read.text)
    except FilterError:
        assert any("*" in str(value) or "?" in str(value) for value in asked.values())
        assume(False)
    for entry in (EVENT, ANSWER, EVENT._replace(data={"payload": payload})):
        assert again.fits(entry) is read.fits(entry), read.text


_KEYS = st.sampled_from(["is", "one_of", "not", "min", "max", "contains", "matches", "present", "a"])
_JSON = st.recursive(
    _VALUES | st.floats() | st.sampled_from(["event", "2s", "("]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner),
    max_leaves=8,
)  # fmt: skip


@given(
    st.dictionaries(st.sampled_from([*OWN_MEMBERS, "payload", "payload.n", "parts.0", "status", ""]), _JSON, max_size=3)
)
def test_any_mapping_is_read_or_refused(asked: dict[str, Any]) -> None:
    try:
        read = read_filter(asked)
    except FilterError as refused:
        assert refused.column == 0  # noqa: PT017
        return
    for entry in (EVENT, ANSWER):
        assert read.fits(entry) == all(each.holds for each in read.compare(entry))


@given(st.dictionaries(st.sampled_from(["payload.text", "payload.n", "device", "dialogue"]), _TEXTS | st.integers()))
def test_a_mapping_of_values_fits_what_equals_them(members: dict[str, Any]) -> None:
    fits = read_filter({name: {"is": value} for name, value in members.items()}).fits(EVENT)
    have = {"payload.text": "불 켜, 지금", "payload.n": 3, "device": "…4f2a", "dialogue": "d1"}
    assert fits is all(have[name] == value for name, value in members.items())


def test_the_members_have_one_meaning_each() -> None:
    assert not set(OWN_MEMBERS) & set(DATA_MEMBERS)
    assert "kind" in OWN_MEMBERS
    assert len(KINDS) == 21


def test_an_upload_is_found_by_what_was_said_in_it() -> None:
    """`text` is the whole entry there, so that its member of that name has another."""
    upload = Entry(
        7, "upload", 2.0, 1_767_225_601.0, "…4f2a", name="SpeechRecognizer.Recognize", data={"text": "오늘 날씨"}
    )
    assert read_filter("upload transcript~날씨").fits(upload)
    assert read_filter('transcript="오늘 날씨"').fits(upload)
    assert read_filter({"transcript": {"contains": "날씨"}}).fits(upload)
    assert not read_filter("upload transcript~음악").fits(upload)
    assert not read_filter("transcript~날씨").fits(EVENT)
