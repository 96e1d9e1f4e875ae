"""The trace file: what goes in comes out, and what is no trace says so."""

from __future__ import annotations

import io
import json
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockcic.errors import StartError
from mockcic.trace import file as trace_file
from mockcic.trace.file import Blobs, RuleUse, Trace, named_blobs, read_trace, write_trace
from tests.support.entries import SOUND_DIGEST, SPEECH_DIGEST, Entries, a_life

DIGEST = sha256(b"sound").hexdigest()
HEAD: dict[str, Any] = {
    "format": 1,
    "version": "0.1",
    "created": "2026-03-02T12:00:00+00:00",
    "title": "t",
    "devices": [],
    "dropped": 0,
    "rules": [],
}
ENTRY = '{"number":1,"time":"2026-03-02T03:00:00.000+00:00","at":0.5,"kind":"ping"}'


def a_trace() -> Trace:
    return Trace(
        entries=tuple(a_life()),
        title="날씨",
        created="2026-03-02T12:00:00+00:00",
        version="0.1.0",
        dropped=3,
        rules=(RuleUse("weather", "asks", 2), RuleUse("weather", "never", 0)),
        scenarios={"weather": "scenario: weather\n", "../집/a:b?.yaml": "나"},
        blobs={DIGEST: b"sound"},
    )


def archive(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as zipped:
        for name, text in members.items():
            zipped.writestr(name, text)
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Entries in their JSON form, which has milliseconds of the wall clock."""
    trace = a_trace()
    write_trace(tmp_path / "a.cictrace", trace)
    read = read_trace(tmp_path / "a.cictrace")
    assert [entry.as_json() for entry in read.entries] == [entry.as_json() for entry in trace.entries]
    assert (read.title, read.created, read.version, read.dropped) == ("날씨", trace.created, "0.1.0", 3)
    assert (read.rules, read.scenarios, read.devices) == (trace.rules, trace.scenarios, ("…4f2a",))
    assert dict(read.blobs) == {DIGEST: b"sound"}
    assert (read.blob(DIGEST), read.blob("0" * 64)) == (b"sound", None)


def test_the_same_trace_gives_the_same_bytes() -> None:
    files = io.BytesIO(), io.BytesIO()
    for file in files:
        write_trace(file, a_trace())
    assert files[0].getvalue() == files[1].getvalue()


def test_it_is_a_zip_that_anyone_can_open() -> None:
    """The names are safe on any system, whatever a scenario is called."""
    file = io.BytesIO()
    write_trace(file, a_trace())
    with zipfile.ZipFile(file) as zipped:
        assert zipped.namelist() == [
            "trace.json",
            "entries.jsonl",
            "scenarios/%2E.%2F집%2Fa%3Ab%3F.yaml",
            "scenarios/weather",
            f"blobs/{DIGEST}",
        ]
        assert json.loads(zipped.read("entries.jsonl").split(b"\n")[2])["name"] == "open"
        assert json.loads(zipped.read("trace.json"))["devices"] == ["…4f2a"]


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_a_scenario_keeps_its_name_and_never_leaves_its_folder(name: str) -> None:
    member = trace_file._member_name(name)
    assert trace_file.unquote(member) == name
    assert not set(member) & set('/\\:\x00\n"<>|?*')
    assert not member.startswith(".")


def test_half_a_surrogate_pair_does_not_break_a_trace(tmp_path: Path) -> None:
    """JSON can say it, UTF-8 cannot."""
    life = Entries()
    life.add("event", 0.0, "A.B", payload={"text": "\ud800", "korean": "가"})
    write_trace(tmp_path / "a.cictrace", Trace(tuple(life)))
    assert read_trace(tmp_path / "a.cictrace").entries[0].data["payload"] == {"text": "\ud800", "korean": "가"}


def test_a_blob_that_went_in_the_meantime_is_left_out(tmp_path: Path) -> None:
    """A spool drops its oldest sounds; the trace is written without them."""
    blobs = Blobs([SOUND_DIGEST, SPEECH_DIGEST], {SOUND_DIGEST: b"1"}.get)
    write_trace(tmp_path / "a.cictrace", Trace((), blobs=blobs))
    assert list(read_trace(tmp_path / "a.cictrace").blobs) == [SOUND_DIGEST]


def test_the_blobs_of_entries_are_those_of_uploads_and_attachments() -> None:
    assert named_blobs(a_life()) == (SPEECH_DIGEST, SOUND_DIGEST)


def test_a_path_gets_the_whole_file_or_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.cictrace"
    write_trace(path, a_trace())
    before = path.read_bytes()

    def fails(_: str) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_trace(path, Trace((), blobs=Blobs([DIGEST], fails)))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"cannot write .*a\.cictrace: No such file or directory"):
        write_trace(tmp_path / "nowhere" / "a.cictrace", a_trace())


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"cannot read .*a\.cictrace: No such file or directory"):
        read_trace(tmp_path / "a.cictrace")


def test_a_file_that_is_no_zip_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.cictrace"
    path.write_text("hello")
    with pytest.raises(StartError, match=r"a\.cictrace: found no zip file; expected a trace \(\.cictrace\)"):
        read_trace(path)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "trace.json is missing; expected it in a trace (.cictrace)"),
        ({"trace.json": json.dumps(HEAD)}, "entries.jsonl is missing; expected it in a trace (.cictrace)"),
        (
            {"trace.json": "["},
            "trace.json: found no JSON (Expecting value: line 1 column 2 (char 1)), expected an object",
        ),
        ({"trace.json": "[]"}, "trace.json: found [], expected an object"),
        ({"trace.json": b"\xff"}, "trace.json: found no JSON ("),
        (
            {"trace.json": json.dumps(HEAD | {"format": 2})},
            "trace.json: format: found 2, expected at most 1; a newer mockcic wrote it",
        ),
        ({"trace.json": json.dumps(HEAD | {"format": True})}, "format: found true, expected a whole number"),
        ({"trace.json": json.dumps(HEAD | {"format": 0})}, "trace.json: format: found 0, expected 1"),
        ({"trace.json": json.dumps(HEAD | {"title": None})}, "trace.json: title: found nothing, expected a text"),
        ({"trace.json": json.dumps(HEAD | {"rules": [7]})}, "trace.json: rules.0: found 7, expected an object"),
        (
            {"trace.json": json.dumps(HEAD | {"rules": [{"scenario": "s", "rule": "r", "uses": "2"}]})},
            'trace.json: rules.0: uses: found "2", expected a whole number',
        ),
        (
            {"trace.json": json.dumps(HEAD), "entries.jsonl": ENTRY + "\n{]\n"},
            "entries.jsonl line 2: found no JSON (",
        ),
        (
            {"trace.json": json.dumps(HEAD), "entries.jsonl": ENTRY.replace("ping", "pong")},
            "entries.jsonl line 1: kind: found 'pong', expected one of connect, ",
        ),
        (
            {"trace.json": json.dumps(HEAD), "entries.jsonl": "[" * 100_000},
            "entries.jsonl line 1: found no JSON (",
        ),
        (
            {"trace.json": json.dumps(HEAD), "entries.jsonl": ENTRY.replace("0.5", "NaN")},
            "entries.jsonl line 1: at: found nan, expected seconds",
        ),
    ],
)
def test_a_broken_trace_says_where_what_and_what_was_expected(
    tmp_path: Path, members: dict[str, str | bytes], said: str
) -> None:
    path = archive(tmp_path / "a.cictrace", members)
    with pytest.raises(StartError) as raised:
        read_trace(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert said in str(raised.value)


def test_a_damaged_member_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.cictrace", {"trace.json": json.dumps(HEAD), "entries.jsonl": ENTRY})
    path.write_bytes(path.read_bytes().replace(b'"kind":"ping"', b'"kind":"pong"', 1))
    with pytest.raises(StartError, match=r"entries\.jsonl: cannot be unpacked: Bad CRC-32"):
        read_trace(path)


def test_a_file_that_unpacks_to_too_much_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip bomb: a thousandth of what it says."""
    monkeypatch.setattr(trace_file, "LIMIT_BYTES", 1_000_000)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("trace.json", json.dumps(HEAD))
        zipped.writestr("entries.jsonl", b"\n" * 2_000_000)
    (tmp_path / "a.cictrace").write_bytes(file.getvalue())
    with pytest.raises(StartError, match=r"unpacks to 2000\d{3} bytes; expected at most 1000000"):
        read_trace(tmp_path / "a.cictrace")


def test_strange_members_are_passed_over(tmp_path: Path) -> None:
    """A name never becomes a path, and a blob has a digest for a name."""
    members: dict[str, str | bytes] = {
        "trace.json": json.dumps(HEAD),
        "entries.jsonl": ENTRY,
        "../../etc/passwd": "x",
        "blobs/../../x": "x",
        "blobs/": "",
        "scenarios/": "",
    }
    trace = read_trace(archive(tmp_path / "a.cictrace", members))
    assert (len(trace.entries), list(trace.blobs), dict(trace.scenarios)) == (1, [], {})
