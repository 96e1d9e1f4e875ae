"""Boundary torture: what is on the wire, and what a parser that cannot bear it shows."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result
from hyperframe.frame import DataFrame

from mockcic.bench.loading import parcel
from mockcic.bench.local import LocalPlace
from mockcic.cli import group
from mockcic.cli.trial import SETTINGS
from mockcic.fuzz.anatomy import read_cuts
from mockcic.mock import MockCIC
from mockcic.trial.health import Limits, Probe, read_probe
from mockcic.trial.subject import Subject
from mockcic.trial.torture import Message, Table, Torture, answering, message_of
from tests.support.raw_h2 import RawClient
from tests.trial.conftest import OnTrial

PROBE = Probe("Clova.HandleDelegatedEvent")
SPEAK = Probe("SpeechSynthesizer.Speak")


def torture(
    subject: Subject, cuts: str, *, message: Message | None = None, padding: int = 0, within_s: float = 20.0
) -> Table:
    message = message or message_of(SPEAK)
    one = Torture(subject, SPEAK, PROBE, Limits(within_s, recover_s=30.0), padding=padding)
    one.check(message)
    return one.run(message, read_cuts(cuts, message.regions))


def test_a_device_that_reads_bytes_bears_every_cut_padded_too_and_byte_by_byte(on_trial: OnTrial) -> None:
    framing = read_cuts("delimiters", message_of(SPEAK).regions)[::9]
    table = torture(on_trial(), ",".join(map(str, framing)), padding=7)
    assert table.ok
    assert len(table.results) == 2 * len(framing) + 1
    assert table.ways == ("cut", "padded")
    assert table.dribble is not None
    assert all(row.is_fine for row in table.rows())


def test_a_parser_that_wants_a_delimiter_in_one_piece_shows_where(on_trial: OnTrial) -> None:
    """Weak within CRLF and delimiter of either part, and nowhere else; the cuts beside are borne."""
    message = message_of(SPEAK)
    before = next(each for each in message.regions if each.what == "CRLF before the delimiter")
    hyphens, boundary = message.regions[message.regions.index(before) + 1 :][:2]
    near = f"{before.begin - 2}..{before.begin + 4},{boundary.end - 2}..{boundary.end + 2}"
    table = torture(on_trial(in_one_chunk=True), near, message=message, within_s=0.5)
    weak = {each.cut for each in table.results if each.cut and not each.health.is_fine}
    assert weak == {before.begin + 1, before.end, hyphens.begin + 1, hyphens.end, boundary.end - 2, boundary.end - 1}
    assert {each.verdict for each in table.results if each.cut in weak} == {"not fine"}
    wheres = {row.where for row in table.rows() if not row.is_fine}
    assert wheres == {
        "in CRLF before the delimiter", "behind CRLF before the delimiter", "in hyphens of the delimiter",
        "behind hyphens of the delimiter", "in boundary",
    }  # fmt: skip
    assert table.dribble is not None
    assert not table.dribble.health.is_fine


@pytest.mark.parametrize("way", ["cut", "padded"])
def test_two_frames_are_on_the_wire_and_no_other_message_is_cut(mock: MockCIC, way: str) -> None:
    """Seen by a raw client, which never answers, so that each trial ends as silent."""
    message, cut = message_of(SPEAK), 150
    place = LocalPlace(mock)
    port, token = urlsplit(mock.h2c_url or "").port or 0, f"raw-{way}"
    name = place.announce(token)

    async def watch() -> list[DataFrame]:
        async with await RawClient.connect(port) as client:
            await client.request(1, "/v1/directives", headers=[("authorization", f"Bearer {token}")])
            await client.until(DataFrame)  # Hello
            loop = asyncio.get_running_loop()

            def send() -> None:
                with Subject(place, name) as subject:
                    one = Torture(subject, SPEAK, PROBE, Limits(0.05, 0.05), padding=9)
                    one._try_out(way, cut)  # type: ignore[arg-type]
                    subject.push(PROBE.ask().step)

            sending = loop.run_in_executor(None, send)
            frames = [await client.until(DataFrame) for _ in range(3)]
            await sending
            return frames

    first, second, third = asyncio.run(watch())
    assert (len(first.data), len(second.data)) == (cut, message.size - cut)
    assert first.data.startswith(b"Content-Disposition")
    assert b"HandleDelegatedEvent" in third.data
    assert [frame.pad_length for frame in (first, second, third)] == ([9, 9, 0] if way == "padded" else [0, 0, 0])


def test_an_answer_is_cut_too(mock: MockCIC, on_trial: OnTrial) -> None:
    """To the event that the probe asks for; from its first hyphen to the CRLF behind the last delimiter."""
    message = message_of(SPEAK, "answer")
    assert (message.regions[0].what, message.regions[-2].what) == ("hyphens of the delimiter", "hyphens that close")
    subject = on_trial()
    subject.place.load(parcel(answering(SPEAK, PROBE, SETTINGS)))
    one = Torture(subject, SPEAK, PROBE, Limits(20.0, 30.0), line="answer", padding=3)
    one.check(message)
    table = one.run(message, [1, 2, 64, 500, message.size - 1])
    assert table.ok, table.results
    assert len(table.results) == 11
    struck = [entry for entry in mock.journal if entry.kind == "fault" and entry.data["phase"] == "struck"]
    assert {entry.data["on"] for entry in struck if entry.device == subject.name} == {"answer"}


def run(mock: MockCIC, name: str, *arguments: str) -> Result:
    where = ["--control", str(mock.control_url), "--control-token", str(mock.control_token), "--to", name]
    where += ["--within", "20"]  # unless a test says another
    return CliRunner().invoke(group, ["torture", *where, *arguments], catch_exceptions=False)


def test_the_command_prints_a_table_and_a_strip(mock: MockCIC, on_trial: OnTrial) -> None:
    subject, message = on_trial(in_one_chunk=True), message_of(SPEAK)
    before = next(each for each in message.regions if each.what == "CRLF before the delimiter")
    cuts = f"{before.begin - 3}..{before.begin + 1}"
    ran = run(mock, subject.name, "--cuts", cuts, "--within", "0.8", "--no-dribble")
    assert ran.exit_code == 1, ran.output
    lines = ran.output.splitlines()
    assert lines[0] == f"SpeechSynthesizer.Speak, {message.size} bytes, 5 cuts, downchannel, device {subject.name}"
    assert lines[2].split("  ")[-1] == "fine"
    assert "in JSON to behind JSON" in lines[2]
    assert "in CRLF before the delimiter" in lines[3]
    assert "not fine: silent: no SpeechSynthesizer.SpeechStarted within 0.8 s" in lines[3]
    assert lines[4].strip().startswith("cut")
    assert "█" in lines[4]
    assert lines[5].strip().startswith("hhh")
    assert lines[-1] == "5 cuts, 1 that the device does not bear"


def test_json_and_what_cannot_be_run(mock: MockCIC, on_trial: OnTrial) -> None:
    subject = on_trial()
    ran = run(mock, subject.name, "--cuts", "5..7", "--json", "--directive", "Clova.HandleDelegatedEvent")
    said = json.loads(ran.output)
    assert (said["ok"], [each["verdict"] for each in said["results"]]) == (True, ["fine"] * 4)
    assert said["results"][0]["where"] == "in name Content-Disposition"
    wrong = run(mock, subject.name, "--cuts", "some")
    assert wrong.exit_code == 2
    assert "expected all, delimiters, or numbers" in wrong.output
    answer = run(mock, subject.name, "--on", "answer")
    assert "--on answer needs a scenario of its own" in answer.output
    assert read_probe("Settings.ExpectReport").expects == "Settings.Report"
