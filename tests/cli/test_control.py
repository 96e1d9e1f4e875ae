"""The commands that ask a running server: what they print, and the exit codes that scripts go by."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mockcic import MockCIC
from mockcic.cli import group
from mockcic.cli.control import joined
from mockcic.simulator.device import Device
from mockcic.trace.file import read_trace
from tests.support.commands import Run, commands_on

SCENARIO = """
scenario: lamp
settings: {same_connection: false}
vars: {lit: 0}
on:
  - name: light
    event: TextRecognizer.Recognize
    when: {payload.text: {contains: 불}}
    set: {lit: 1}
    go: bright
    reply: {DeviceControl.TurnOn: {target: flashlight}}
  - name: dark
    in: bright
    event: Clova.Never
  - {event: DeviceControl.*, name: report}
  - {event: Clova.Silence, name: silence}
"""
TOKEN = "desk-token-4f2a"


@pytest.fixture
def mock() -> Iterator[MockCIC]:
    with MockCIC(SCENARIO, control_port=0) as mock:
        yield mock


@pytest.fixture
def run(mock: MockCIC) -> Run:
    return commands_on(mock)


@pytest.fixture
async def device(mock: MockCIC) -> AsyncIterator[Device]:
    async with Device(mock.url, ca_file=mock.ca_file, token=TOKEN, pace=0) as device:
        await mock.wait_async("downchannel")
        yield device


async def test_a_push_says_who_got_it_and_when(run: Run, device: Device) -> None:
    pushed = await asyncio.to_thread(run, "push", "Clova.RenderText", "-p", "text=안녕", "--to", "4f2a")
    assert re.fullmatch(
        r"…4f2a  Clova\.RenderText on the wire at \+\d+\.\d{3}, \d+ bytes, message \S+\n", pushed.output
    )
    came = await device.wait_for("Clova.RenderText")
    assert came.directive.payload == {"text": "안녕"}


async def test_a_push_takes_a_sound_and_nested_members(run: Run, device: Device, tmp_path: Path) -> None:
    sound = tmp_path / "a.mp3"
    sound.write_bytes(b"\xff\xfb" * 50)
    await asyncio.to_thread(
        run,
        "push",
        "SpeechSynthesizer.Speak",
        "--audio",
        str(sound),
        "-p",
        "ttsText=3",
        "--payload",
        '{"ttsLang": "ko"}',
    )
    came = await device.wait_for("SpeechSynthesizer.Speak")
    assert came.directive.payload["ttsText"] == 3
    assert list(came.attachments.values()) == [sound.read_bytes()]


async def test_a_step_is_pushed_as_a_scenario_has_it(run: Run, device: Device) -> None:
    said = await asyncio.to_thread(run, "push", "--step", "{Clova.RenderText: {text: '{{ state }}'}}", "--json")
    assert json.loads(said.output)["count"] == 1
    assert (await device.wait_for("Clova.RenderText")).directive.payload == {"text": "start"}


def test_a_push_that_nobody_gets_exits_with_1(run: Run) -> None:
    assert run("push", "Clova.Help", code=1).output.startswith("no device is meant; `mockcic devices`")


def test_a_directive_that_does_not_exist_exits_with_2_and_a_suggestion(run: Run) -> None:
    assert run("push", "Clova.Halp", code=2).output == (
        "mockcic: there is no directive Clova.Halp; did you mean Clova.Help?\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["push"], "say what to push"),
        (["push", "Clova.Help", "--step", "{}"], "say what to push"),
        (["push", "Clova.Help", "-p", "text"], "'text' is not MEMBER=VALUE"),
        (["push", "Clova.Help", "--payload", "{"], "not JSON"),
        (["push", "Clova.Help", "--payload", "[]"], "expected a JSON object"),
        (["push", "--step", "- a"], "expected {Namespace.Name: {...}}"),
        (["push", "Clova.Help", "--attach", "x"], "'x' is not KEY=FILE"),
        (["wait"], "say what to wait for"),
        (["wait", "event", "--ready"], "--ready waits for the server"),
        (["wait", "event", "--within", "soon"], "'soon' is no duration"),
        (["verify"], "say what to verify"),
        (["verify", "event", "--no-findings"], "takes no filter"),
        (["verify", "event", "--order", "--never"], "one at a time: --order or --never"),
        (["verify", "event", "--for", "1s"], "--for goes with --never"),
        (["devices", "--expire"], "say which device"),
        (["load"], "one of: a FILE, --list, --remove NAME, --reload"),
    ],
)
def test_words_that_make_no_sense_are_told_before_anybody_is_asked(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(group, [*arguments, "--control", "http://127.0.0.1:1"])
    assert result.exit_code == 2
    assert said in result.output


async def test_events_are_shown_as_serve_prints_them_or_as_json(run: Run, device: Device) -> None:
    await device.say_text("불 켜")
    shown = await asyncio.to_thread(run, "events", "event", "payload.text=불 켜")
    assert re.fullmatch(r" +\+\d+\.\d{3}  …4f2a    TextRecognizer\.Recognize \w{8}  “불 켜”\n", shown.output)
    lines = (await asyncio.to_thread(run, "events", "directive", "--json")).output.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["Clova.Hello", "DeviceControl.TurnOn"]
    youngest = (await asyncio.to_thread(run, "events", "directive", "--limit", "1", "--json")).output
    assert json.loads(youngest)["name"] == "DeviceControl.TurnOn"


def test_a_filter_that_cannot_be_read_shows_the_place(run: Run) -> None:
    assert run("events", "evnt", code=2).output.splitlines() == [
        'mockcic: evnt is neither a kind nor a name; expected event?; a text to search for stands in quotes: "..."',
        "  evnt",
        "  ^",
    ]


async def test_a_wait_ends_when_it_came_and_says_why_when_it_did_not(run: Run, device: Device) -> None:
    waiting = asyncio.to_thread(run, "wait", "TextRecognizer.Recognize", "--within", "60s")
    kept, _ = await asyncio.gather(waiting, device.say_text("불 켜"))
    assert kept.output.splitlines()[0] == "kept: TextRecognizer.Recognize at least once within 60 s"
    broken = await asyncio.to_thread(
        run, "wait", "TextRecognizer.Recognize", "payload.text=물", "--within", "10ms", code=1
    )
    assert (
        broken.output.splitlines()[0] == "broken: TextRecognizer.Recognize payload.text=물 at least once within 0.01 s"
    )
    assert "✗ payload.text  expected 물" in broken.output
    as_json = await asyncio.to_thread(run, "wait", "Clova.Never", "--within", "0", "--json", code=1)
    assert json.loads(as_json.output)["status"] == "broken"


async def test_each_way_to_verify_has_its_exit_code(run: Run, device: Device) -> None:
    await device.say_text("불 켜")

    async def verify(*arguments: str, code: int = 0) -> str:
        return (await asyncio.to_thread(run, "verify", *arguments, code=code)).output.splitlines()[0]

    assert await verify("TextRecognizer.Recognize", "--times", "1") == "kept: TextRecognizer.Recognize exactly once"
    assert (await verify("TextRecognizer.Recognize", "--times", "2..", code=1)).startswith("broken: ")
    assert (await verify("--order", "event", "directive line=reply")).startswith("kept: in this order")
    assert (await verify("--order", "directive line=reply", "TextRecognizer.*", code=1)).startswith("broken: ")
    assert await verify("--never", "Clova.Never", "--for", "10ms") == "kept: Clova.Never never for 0.01 s"
    assert await verify("--no-unmatched") == "kept: every event finds a rule"
    assert await verify("--no-findings") == "kept: no findings"
    assert (await verify("--all-rules-used", code=1)) == "broken: every rule answers at least once"
    assert (await verify("event", "--times", "often", code=2)).startswith("mockcic: times: found 'often'")


async def test_devices_are_listed_looked_at_and_changed(
    run: Run, mock: MockCIC, device: Device, tmp_path: Path
) -> None:
    def listed(*arguments: str, code: int = 0) -> str:
        return run("devices", *arguments, code=code).output

    table = (await asyncio.to_thread(listed)).splitlines()
    assert table[0].split() == ["DEVICE", "DOWNCHANNEL", "SCENARIO", "STATE", "USER-AGENT"]
    assert table[1].split()[::2][:2] == ["…4f2a", "lamp"]
    one = json.loads(await asyncio.to_thread(listed, "4f2a", "--state", "bright", "--var", "lit=7", "--json"))
    assert (one["state"], one["vars"]) == ("bright", {"lit": 7})
    wrong = await asyncio.to_thread(listed, "4f2a", "--state", "brigth", code=2)
    assert wrong == "mockcic: there is no state brigth; did you mean bright?\n"
    other = tmp_path / "other.yaml"
    other.write_text("scenario: other\non: [{event: '*'}]\n")
    assert (
        json.loads(await asyncio.to_thread(listed, "4f2a", "--scenario", str(other), "--json"))["scenario"] == "other"
    )
    assert "lamp" in await asyncio.to_thread(listed, "4f2a", "--scenario", "lamp")
    assert await asyncio.to_thread(listed, "token-to-come-77", "--scenario", str(other)) == ""
    await asyncio.to_thread(listed, "4f2a", "--expire")
    await mock.wait_async("downchannel name=closed")


async def test_a_reset_lets_devices_begin_anew(run: Run, mock: MockCIC, device: Device) -> None:
    await device.say_text("불 켜")
    await device.idle()  # else what it reports may come when the journal has been emptied
    (bench_device,) = [each for each in mock._place.devices() if each.device == "…4f2a"]
    assert bench_device.state == "bright"
    assert (await asyncio.to_thread(run, "reset", "4f2a")).output == "1 device reset\n"
    found = await asyncio.to_thread(run, "devices", "4f2a", "--json")
    assert json.loads(found.output)["state"] == "start"
    assert (await asyncio.to_thread(run, "reset")).output == "1 device reset\n"
    assert (await asyncio.to_thread(run, "events", "event")).output == ""


def test_scenarios_are_loaded_listed_and_removed(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "extra.yaml"
    file.write_text("scenario: extra\non: [{event: '*', reply: {Clova.RenderText: {text: hi}}}]\n")
    assert run("load", str(file)).output == "loaded extra\n"
    assert "extra (loaded)" in run("load", "--list").output
    assert run("load", str(file), "--default", "--json").output.startswith('{"scenarios": ["extra"]')
    assert "extra (default, loaded)" in run("load", "--list").output
    run("load", "--remove", "extra")
    assert "extra" not in run("load", "--list").output
    assert run("load", "--remove", "lamp", code=2).output == (
        "mockcic: lamp is from a file; only loaded scenarios can be removed\n"
    )


async def test_a_trace_is_written_and_can_be_read(run: Run, device: Device, tmp_path: Path) -> None:
    await device.say_text("불 켜")
    target = tmp_path / "a.cictrace"
    written = await asyncio.to_thread(run, "trace", "-o", str(target), "--device", "4f2a")
    assert written.output.startswith(f"{target}  ")
    trace = read_trace(target)
    assert trace.devices == ("…4f2a",)
    assert trace.entries[0].kind == "connect"
    assert TOKEN not in target.read_bytes().decode("latin-1")


def test_without_a_server_it_is_one_clear_sentence_and_exit_code_2() -> None:
    result = CliRunner().invoke(group, ["devices", "--control", "http://127.0.0.1:1"], standalone_mode=False)
    assert "no control API at http://127.0.0.1:1" in str(result.exception)


def test_waiting_for_a_server_says_where_it_is(run: Run, mock: MockCIC) -> None:
    assert run("wait", "--ready").output == f"ready  {mock.url}\n"


def test_waiting_for_a_server_that_does_not_come_ends(tmp_path: Path) -> None:
    arguments = ["wait", "--ready", "--within", "100ms", "--control", "http://127.0.0.1:1"]
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 2
    assert result.output.startswith("mockcic: not ready after 0.1 s: no control API at http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("payload.text=불 켜",), "payload.text=불 켜"),
        (("event", "payload.text=불 켜"), 'event payload.text="불 켜"'),
        (("event", "오늘 날씨"), 'event "오늘 날씨"'),
        (("event", '"오늘 날씨"'), 'event "오늘 날씨"'),
        (("event", "payload.text=/불 켜/"), "event payload.text=/불 켜/"),
    ],
)
def test_words_of_a_shell_get_their_quotes_back(words: tuple[str, ...], text: str) -> None:
    assert joined(words) == text
