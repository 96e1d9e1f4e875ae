"""`mockcic device`: what it prints, what it writes, how it exits."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mockcic.cli import COMMANDS, main
from mockcic.cli.device import command
from mockcic.cli.device_asks import STAYING, perform, read_environment
from mockcic.cli.device_lines import TextLines
from mockcic.mock import Bench
from mockcic.simulator.device import Device
from mockcic.simulator.misbehave import MISBEHAVIOURS
from mockcic.simulator.moments import Lost
from mockcic.sound import make

pytestmark = pytest.mark.cic(fail_on="findings")  # the scenarios here have no rules for what the device reports

WEATHER = """
scenario: weather
on:
  - event: TextRecognizer.Recognize
    when: {payload.speechId: {present: true}}
    reply: [Clova.RenderText: {text: 내일도 맑아요}]
  - event: TextRecognizer.Recognize
    reply:
      - SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 맑아요, audio: {silence: 1s}}
      - SpeechRecognizer.ExpectSpeech: {expectSpeechId: e, explicit: false, timeoutInMilliseconds: 5000}
  - event: SpeechRecognizer.Recognize
    reply: [Clova.RenderText: {text: 들었어요}]
  - event: Settings.Report
    exception: {code: 400, description: no settings}
"""


@pytest.fixture
def weather(cic: Bench) -> Bench:
    cic.load(WEATHER, strict=True)
    return cic


HURRIED = {"pace_leeway": "off", "audio_gap_s": "off", "stop_within_s": 60, "report_within_s": 60}
"""Of a device that is not in real time, or on a busy machine, the clock says nothing."""


def run(cic: Bench, *words: str, tls: bool = False) -> int:
    """The exit code of a device of this test, as fast as possible."""
    where = ("--url", cic.url, "--ca", str(cic.ca_file)) if tls else ("--url", str(cic.h2c_url))
    return exit_code("device", *where, "--token", cic.token, "--pace", "0", *words)


def exit_code(*words: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(words)
    return int(caught.value.code or 0)


def lines(text: str) -> list[str]:
    """Without the times."""
    return [line[11:] for line in text.splitlines()]


def test_the_dialogue_is_printed_line_by_line(weather: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """The second text answers the question; dialogues are numbered, sizes said, and no colour goes into a pipe."""
    assert run(weather, "--text", "날씨", "--text", "내일은", tls=True) == 0
    size = f"{len(make.mp3(make.silence(1.0))) / 1000:.1f} KB"
    printed = lines(capsys.readouterr().out)
    reports = [line for line in printed if "SpeechSynthesizer.Speech" in line]  # beside what is still read and said
    assert [line for line in reports if line.startswith("→")] == [
        "→ SpeechSynthesizer.SpeechStarted",
        "→ SpeechSynthesizer.SpeechFinished",
    ]
    assert sorted(line for line in reports if not line.startswith("→")) == [
        "  204 SpeechSynthesizer.SpeechFinished",
        "  204 SpeechSynthesizer.SpeechStarted",
    ]
    assert [line for line in printed if line not in reports] == [
        f"connected  {weather.url}",
        "downchannel open",
        "⇓ Clova.Hello",
        "→ TextRecognizer.Recognize d1  “날씨”",
        f"  ⇐ SpeechSynthesizer.Speak + {size} d1  “맑아요”",
        "  ⇐ SpeechRecognizer.ExpectSpeech d1",
        "  200 TextRecognizer.Recognize",
        "→ TextRecognizer.Recognize d1  “내일은”",
        "  ⇐ Clova.RenderText d1  “내일도 맑아요”",
        "  200 TextRecognizer.Recognize",
    ]
    spoke, asked = (next(n for n, line in enumerate(printed) if each in line) for each in ("⇐ SpeechSynth", "내일은"))
    assert all(spoke < printed.index(line) < asked for line in reports)


def test_a_wav_file_is_said_and_what_comes_is_expected(
    weather: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In replies and on the downchannel, wildcards allowed."""
    path = tmp_path / "question.wav"
    path.write_bytes(make.wav(make.tone(440, 3.0) * 10))
    words = ("--wav", str(path), "--expect", "SpeechRecognizer.StopCapture", "--expect", "Clova.*")
    assert run(weather, *words, "--pace", "0.1") == 0  # long enough, for it is to end before the sound does
    assert "KB" in capsys.readouterr().out


def test_a_tone_is_said(weather: Bench) -> None:
    """For whoever has no recording."""
    assert run(weather, "--tone", "0.5") == 0
    assert weather.events[0].name == "SpeechRecognizer.Recognize"


def test_what_was_expected_and_did_not_come_is_named(weather: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, for CI."""
    assert run(weather, "--text", "날씨", "--expect", "Clova.Help", "--expect", "Clova.Hello") == 1
    assert capsys.readouterr().err == "mockcic: Clova.Help was expected and did not come\n"


def test_staying_ends_as_soon_as_all_that_is_expected_came(cic: Bench) -> None:
    """So that a generous --stay costs nothing."""
    cic.load("scenario: x\ndownchannel: [{after: 50ms, push: {Clova.RenderText: {text: 늦게}}}]")
    assert run(cic, "--stay", "60", "--expect", "Clova.RenderText") == 0


def test_an_event_is_sent_with_its_payload_and_an_exception_is_trouble(
    weather: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1."""
    assert run(weather, "--event", "Settings.Report", "--payload", '{"configuration": {"a": "b"}}') == 1
    assert "! Settings.Report: 400 no settings" in lines(capsys.readouterr().out)
    assert weather.events[0].data["payload"] == {"configuration": {"a": "b"}}


def test_json_is_one_object_a_line(weather: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs; sound is given as its size."""
    assert run(weather, "--text", "날씨", "--json") == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["kind"] for each in objects[:4]] == ["Connected", "DownchannelOpened", "DirectiveCame", "EventSent"]
    assert objects[3]["event"]["event"]["payload"] == {"text": "날씨"}
    (size,) = objects[4]["received"]["attachments"].values()
    assert size == len(make.mp3(make.silence(1.0)))


def test_directives_and_their_sound_are_saved(weather: Bench, tmp_path: Path) -> None:
    """In the order in which they came."""
    assert run(weather, "--text", "날씨", "--save", str(tmp_path / "saved")) == 0
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == [
        "001-Clova.Hello.json",
        "002-SpeechSynthesizer.Speak.json",
        "002-SpeechSynthesizer.Speak.mp3",
        "003-SpeechRecognizer.ExpectSpeech.json",
    ]
    speak = json.loads((tmp_path / "saved" / "002-SpeechSynthesizer.Speak.json").read_text())
    assert speak["directive"]["payload"]["ttsText"] == "맑아요"


def test_settling_and_pinging_and_another_user_agent(weather: Bench) -> None:
    """An empty --user-agent sends none."""
    agent = "Acme/Desk/1.0.0 (Linux;sim)"
    words = ("--settle", "--ping", "get", "--user-agent", agent, "--event", "Settings.RequestVersionSpec")
    assert run(weather, *words) == 0
    assert {entry.name for entry in weather.events} >= {"Alerts.RequestSynchronizeAlert", "Settings.RequestVersionSpec"}


def test_the_ready_file_says_where_the_server_is(weather: Bench, tmp_path: Path) -> None:
    """As `mockcic serve --ready-file` writes it."""
    path = tmp_path / "ready.json"
    path.write_text(json.dumps({"url": weather.url, "ca_file": str(weather.ca_file)}))
    words = ("--token", weather.token, "--pace", "0", "--text", "날씨")
    assert exit_code("device", "--ready-file", str(path), *words) == 0


def test_a_refused_downchannel_is_trouble(cic: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1: there is a server, and it said no."""
    cic.load("scenario: x\ntokens: {refuse: ['*']}")
    assert run(cic, "--text", "안녕") == 1
    assert "the downchannel was refused with 401" in capsys.readouterr().err


def test_no_server_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    """`StartError`."""
    assert exit_code("device", "--url", "http://127.0.0.1:1", "--text", "안녕") == 2
    expected = "mockcic: cannot connect to http://127.0.0.1:1: connection refused; is the server running?\n"
    assert capsys.readouterr() == ("", expected)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--text", "a", "--tone", "1"], "say one thing"),
        (["--payload", "{}"], "--payload goes with --event"),
        (["--event", "Recognize"], "should read Namespace.Name"),
        (["--event", "A.b", "--payload", "[]"], "a payload is a JSON object"),
        (["--event", "A.b", "--payload", "{"], "not JSON"),
        (["--wav", "no-such.wav"], "does not exist"),
        (["--text", "a", "--misbehave", "connection.pings"], "did you mean connection.ping?"),
        (["--from-env", "--text", "a"], "leave out --text, --url"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_sent(
    words: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2."""
    assert exit_code("device", "--url", "http://127.0.0.1:1", *words) == 2
    assert text in capsys.readouterr().err


def test_a_file_that_is_no_sound_and_a_folder_that_cannot_be_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one sentence."""
    path = tmp_path / "no.wav"
    path.write_text("no sound")
    assert exit_code("device", "--wav", str(path)) == 2
    assert capsys.readouterr().err.startswith(f"mockcic: cannot use {path}: not a WAV file")
    assert exit_code("device", "--text", "a", "--save", str(path / "below")) == 2
    assert capsys.readouterr().err.startswith("mockcic: cannot make the folder")


# ---------------------------------------------------------------------- vices, and the environment

CHATTY = """
scenario: chatty
include: [builtin/settle, builtin/reports]
on:
  - event: [SpeechRecognizer.Recognize, TextRecognizer.Recognize]
    when: {payload.speechId: {present: true}}
    reply: [SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 네, audio: {silence: 200ms}}]
  - event: [SpeechRecognizer.Recognize, TextRecognizer.Recognize]
    reply:
      - SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 어디요, audio: {silence: 200ms}}
      - SpeechRecognizer.ExpectSpeech: {expectSpeechId: e, explicit: true, timeoutInMilliseconds: 5000}
"""


def asked(cic: Bench, ask: str, seconds: float = 20.0) -> dict[str, str]:
    """The environment of a device of this test."""
    assert cic.ca_file is not None
    where = {"MOCKCIC_URL": cic.url, "MOCKCIC_CA": str(cic.ca_file), "MOCKCIC_TOKEN": cic.token}
    return {**where, "MOCKCIC_ASK": ask, "MOCKCIC_SECONDS": str(seconds)}


@pytest.fixture
def chatty(cic: Bench) -> Bench:
    cic.load(CHATTY, strict=True)
    return cic


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        ("speak", ["SpeechRecognizer.Recognize"]),
        ("text", ["TextRecognizer.Recognize"]),
        ("twice", ["TextRecognizer.Recognize"] * 2),
        ("converse", ["SpeechRecognizer.Recognize"] * 2),
        ("wake-word", ["SpeechRecognizer.Recognize"]),
    ],
)
def test_what_the_environment_asks_for_is_said(
    chatty: Bench, ask: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends when all is played and reported, not when the time is up, and keeps every rule."""
    monkeypatch.setattr("mockcic.cli.device_asks.LINGER_S", 0.1)
    monkeypatch.setattr("os.environ", os.environ | asked(chatty, ask, 60.0))
    assert exit_code("device", "--from-env", "--pace", "0.1") == 0
    assert [each.name for each in chatty.events if each.name.endswith("Recognize")] == said
    verdict = chatty.conformance(limits=HURRIED, check=False)
    assert verdict.broken == (), verdict.text()
    wake_words = [each.data["payload"].get("initiator", {}).get("type") == "WAKEWORD" for each in chatty.events]
    assert any(wake_words) == (ask == "wake-word")


@pytest.mark.parametrize("ask", sorted(STAYING))
async def test_who_is_to_stay_settles_and_stays(chatty: Bench, ask: str) -> None:
    """Whatever comes."""
    told = read_environment(asked(chatty, ask, 3600.0))
    async with (
        Device(told.url, ca_file=told.ca_file, token=told.token or "", settle=told.settles) as device,
        asyncio.TaskGroup() as tasks,
    ):
        life = tasks.create_task(perform(device, told))
        await chatty.wait_async("Alerts.RequestSynchronizeAlert")
        await chatty.wait_async("Settings.RequestVersionSpec")
        await device.idle()
        assert not life.done()
        life.cancel()


@pytest.mark.cic(fail_on="none")  # in the middle of what it says, if need be
def test_who_is_to_stay_leaves_when_the_time_is_nearly_up(chatty: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second before."""
    assert read_environment(asked(chatty, "idle", 60.0)).stays_s == 59.0
    monkeypatch.setattr("os.environ", os.environ | asked(chatty, "idle", 1.1))
    assert exit_code("device", "--from-env") == 0


def test_a_device_that_is_terminated_leaves_properly(chatty: Bench) -> None:
    """Exit code 0, and its connection is closed by itself."""
    program = [sys.executable, "-m", "mockcic", "device", "--from-env"]
    with subprocess.Popen(program, env=os.environ | asked(chatty, "idle", 600.0)) as process:
        chatty.wait("Settings.RequestVersionSpec")
        process.terminate()
        assert process.wait(60) == 0
    chatty.wait(lambda entry: entry.kind == "downchannel" and entry.name == "closed")


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({}, "no MOCKCIC_URL"),
        ({"MOCKCIC_URL": "http://127.0.0.1:1", "MOCKCIC_ASK": "dance"}, "found MOCKCIC_ASK 'dance', expected one of"),
        ({"MOCKCIC_URL": "http://127.0.0.1:1", "MOCKCIC_SECONDS": "nan"}, "expected a number above 0"),
        ({"MOCKCIC_URL": "http://127.0.0.1:1"}, "cannot connect"),
    ],
)
def test_an_environment_that_says_too_little_is_told(
    environment: dict[str, str], text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one sentence."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MOCKCIC_")}
    monkeypatch.setattr("os.environ", kept | environment)
    assert exit_code("device", "--from-env") == 2
    assert text in capsys.readouterr().err


@pytest.mark.cic(fail_on="none")
def test_a_device_misbehaves_as_told(chatty: Bench) -> None:
    """Each rule that is named, and no other."""
    words = ("--text", "안녕", "--misbehave", "multipart.last-delimiter", "--misbehave", "headers.tags")
    run(chatty, *words, "--wake-word", "hey_clova", "--tag", "kitchen")
    broken = {each.rule.id for each in chatty.conformance(check=False).broken}
    assert broken == {"multipart.last-delimiter", "headers.tags"}


def test_all_that_a_device_can_do_wrong_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """With what must happen for it to show."""
    assert exit_code("device", "--misbehave", "list") == 0
    printed = capsys.readouterr().out
    assert all(
        rule in printed and each.does in printed and each.shows in printed for rule, each in MISBEHAVIOURS.items()
    )


def test_the_short_help_is_that_of_the_list() -> None:
    """`mockcic --help` imports no command."""
    assert command.short_help == COMMANDS["device"][1]


def test_help_names_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """What CI has to know."""
    assert exit_code("device", "--help") == 0
    assert "Exit codes: 0" in capsys.readouterr().out


def test_a_loss_that_goes_on_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A server that is away for a minute is one line, not sixty."""
    printer = TextLines()
    for at_s in (1.0, 2.0, 3.0):
        printer.show(Lost(at_s, "connection", "connection refused"))
    printer.show(Lost(4.0, "downchannel", "the server ended it"))
    assert lines(capsys.readouterr().out) == [
        "! connection lost: connection refused",
        "! downchannel lost: the server ended it",
    ]
