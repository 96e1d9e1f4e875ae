"""What was said in an upload decides which rule answers, through the wire."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockcic import MockCIC
from mockcic.bench.bench import Bench
from mockcic.errors import ScenarioError, StartError
from mockcic.journal.entry import Entry
from mockcic.mock import TestDevice
from mockcic.scenario.load import load, load_text
from mockcic.server.recogniser import by_command, text_of
from mockcic.simulator.device import Device
from mockcic.simulator.inbox import Answer
from mockcic.sound.dtmf import dtmf
from mockcic.sound.make import silence, tone, wav
from mockcic.sound.marker import marker
from tests.support.signals import speech, through_a_device

HEAD = "scenario: said\nsettings: {stop_capture: never}\n"
RULE = "  - event: SpeechRecognizer.Recognize\n    when: {%s}\n    reply: {Clova.RenderText: {text: %s}}\n"
SET = HEAD + "on:\n" + RULE % ('audio.dtmf: "123#"', "digits") + RULE % ("audio.marker: 7", "marker")
SET += RULE % ("audio.text: {contains: 날씨}", "'{{ audio.text }}!'")


def words(answer: Answer) -> list[Any]:
    return [each.directive.payload["text"] for each in answer.directives]


async def ask(cic: Bench, sound: bytes, *, text: str | None = None) -> tuple[list[Any], TestDevice]:
    """The texts of the answer to an upload."""
    device = cic.device()
    async with Device(cic.url, ca_file=cic.ca_file, token=device.token, pace=0) as simulated:
        await device.wait_async("downchannel")
        if text is not None:
            device.transcript(text)
        return words(await simulated.say(sound)), device


def upload(device: TestDevice) -> Entry:
    return next(entry for entry in device.journal if entry.kind == "upload")


async def test_digits_a_marker_and_a_transcript_choose_the_rule(cic: Bench) -> None:
    cic.load(SET)
    said, device = await ask(cic, dtmf("123#"))
    assert said == ["digits"]
    assert (upload(device).data["dtmf"], upload(device).data["marker"]) == ("123#", None)
    said, device = await ask(cic, marker(7))
    assert said == ["marker"]
    assert (upload(device).data["dtmf"], upload(device).data["marker"]) == (None, 7)
    said, device = await ask(cic, tone(440, 0.5), text="오늘 날씨 어때")
    assert said == ["오늘 날씨 어때!"]
    assert upload(device).data["text"] == "오늘 날씨 어때"
    assert "heard" not in upload(device).data


@pytest.mark.cic(fail_on="none")
async def test_a_miss_says_what_was_heard_instead(cic: Bench) -> None:
    cic.load(SET)
    said, device = await ask(cic, dtmf("55"))
    assert said == []
    match = next(entry for entry in device.journal if entry.kind == "match")
    misses = [(miss["member"], miss["got"]) for rule in match.data["nearest"] for miss in rule["misses"]]
    assert ("audio.dtmf", '"55"') in misses
    assert ("audio.marker", "no marker") in misses
    assert ("audio.text", "no transcript, and no recogniser") in misses


async def test_a_transcript_is_for_one_upload(cic: Bench) -> None:
    cic.load(HEAD + "on: [{event: '*'}]\n")
    device = cic.device()
    async with Device(cic.url, ca_file=cic.ca_file, token=device.token, pace=0) as simulated:
        await device.wait_async("downchannel")
        device.transcript("하나")
        await simulated.say(tone(440, 0.2))
        await simulated.say(tone(440, 0.2))
    uploads = [entry.data for entry in device.journal if entry.kind == "upload"]
    assert [each.get("text") for each in uploads] == ["하나", None]


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    for name, seed in (("weather", 3), ("music", 4)):
        (tmp_path / f"{name}.wav").write_bytes(wav(speech(seed=seed, seconds=1.6).tobytes()))
    (tmp_path / "said.yaml").write_text(
        HEAD + "recordings: {weather: weather.wav}\non:\n"
        f"{RULE % ('audio.heard: weather', 'weather')}{RULE % ('audio.like: music.wav', 'music')}",
        encoding="utf-8",
    )
    return tmp_path


async def test_recordings_are_known_again_as_a_device_sends_them(cic: Bench, recordings: Path) -> None:
    cic.load(load([recordings / "said.yaml"]))
    for seed, name in ((3, "weather"), (4, "music")):
        said, device = await ask(cic, through_a_device(speech(seed=seed, seconds=1.6)).tobytes())
        assert said == [name]
    assert (upload(device).data["like"], upload(device).data["heard"]) == ("music.wav", None)


@pytest.mark.cic(fail_on="none")
async def test_an_unknown_recording_is_told_with_what_came_nearest(cic: Bench, recordings: Path) -> None:
    cic.load(load([recordings / "said.yaml"]))
    said, device = await ask(cic, speech(seed=9, seconds=1.6).tobytes())
    assert said == []
    match = next(entry for entry in device.journal if entry.kind == "match")
    got = {miss["member"]: miss["got"] for rule in match.data["nearest"] for miss in rule["misses"]}
    assert got["audio.heard"].startswith("none of the recordings; nearest is weather with 0.")


def test_a_recording_that_is_none_is_a_problem_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "quiet.wav").write_bytes(wav(silence(1.0)))
    path = tmp_path / "s.yaml"
    path.write_text(
        "scenario: s\nrecordings: {a: gone.wav, b: text.wav}\non:\n"
        "  - event: '*'\n    when:\n      audio.like: quiet.wav\n      audio.heard: c\n      audio.dtmf: 12\n"
    )
    with pytest.raises(ScenarioError) as caught:
        load([path])
    problems = [(each.line, each.what) for each in caught.value.problems]
    assert [line for line, _ in problems] == [2, 2, 6, 7, 8]
    assert "gone.wav" in problems[0][1]
    assert "not a WAV file of PCM" in problems[1][1]
    assert "hardly a sound" in problems[2][1]
    assert problems[3][1] == 'no recording "c"'
    assert problems[4][1] == "digits that are no text"


def test_only_what_a_scenario_asks_for_is_worked_out() -> None:
    listening = load_text(SET).scenarios[0].listening
    assert (listening.dtmf, listening.marker, listening.text, dict(listening.like)) == (True, True, True, {})
    nothing = load_text(HEAD + "on: [{event: '*'}]\n").scenarios[0].listening
    assert not nothing.to_the_sound
    assert not nothing.text


@pytest.mark.parametrize(
    ("template", "asked"),
    [
        ("""'{{ audio["dtmf"] }}'""", {"dtmf"}),
        ("""'{{ audio[''marker''] }}'""", {"marker"}),
        (r'''"{{ audio[\"text\"] | default(\"\") }}"''', {"text"}),
        ("'{{ audio . dtmf }}'", {"dtmf"}),
        ("'{{ audio.seconds }} audio: 3'", set()),
        ("""'{{ audio.get("dtmf", "") }}'""", {"dtmf", "marker", "text"}),
        ("'{{ audio | tojson }}'", {"dtmf", "marker", "text"}),
    ],
)
def test_what_is_asked_for_may_be_written_as_jinja_can(template: str, asked: set[str]) -> None:
    scenario = load_text(HEAD + f"on: [{{event: '*', reply: [Clova.RenderText: {{text: {template}}}]}}]\n").scenarios[0]
    listening = scenario.listening
    assert {name for name in ("dtmf", "marker", "text") if getattr(listening, name)} == asked


def test_a_recogniser_that_is_no_program_is_told_at_the_start() -> None:
    with pytest.raises(StartError, match="found no program /nowhere/recognise, expected one on PATH"):
        by_command("/nowhere/recognise --fast")


# ---------------------------------------------------------------------- recognisers


async def test_a_recogniser_tells_the_text() -> None:
    heard: list[tuple[bytes, bool]] = []

    def recogniser(data: bytes) -> str:
        heard.append((data[:4], threading.current_thread().name == "mockcic"))
        return "날씨 알려줘"

    with MockCIC(SET, recogniser=recogniser) as cic:
        said, _ = await ask(cic, tone(440, 0.5))
        assert said == ["날씨 알려줘!"]
        said, _ = await ask(cic, tone(440, 0.5), text="내일 날씨")
        assert said == ["내일 날씨!"]  # who knows need not be asked
    assert heard == [(b"RIFF", False)]


async def test_a_recogniser_that_fails_is_a_finding() -> None:
    def recogniser(data: bytes) -> str:
        raise RuntimeError("no model")

    with MockCIC(SET, recogniser=recogniser) as cic:
        said, _ = await ask(cic, tone(440, 0.5))
        assert said == []
        assert [each.name for each in cic.findings if each.name == "audio.recogniser"] == ["audio.recogniser"]


async def test_a_recogniser_may_be_a_program() -> None:
    program = "import sys, wave; print(wave.open(sys.argv[1]).getnframes(), '글')"
    recogniser = by_command(f'{sys.executable} -c "{program}"')
    assert await text_of(tone(440, 0.5), recogniser) == ("8000 글", None)
    text, finding = await text_of(b"", by_command(f"{sys.executable} -c 'import sys; sys.exit(\"no\")'"))
    assert text is None
    assert finding is not None
    assert finding.found == "the recogniser failed: RuntimeError: exit 1: no"


async def test_a_recogniser_that_hangs_is_given_up() -> None:
    wait = threading.Event()

    def recogniser(data: bytes) -> str:
        wait.wait()
        return ""

    text, finding = await text_of(b"", recogniser, within_s=0.05)
    wait.set()
    assert text is None
    assert finding is not None
    assert finding.found == "the recogniser failed: no text within 0.05 s"


async def test_the_control_api_takes_a_transcript() -> None:
    with MockCIC(SET, control_port=0) as cic:
        device = cic.device()
        async with Device(cic.url, ca_file=cic.ca_file, token=device.token, pace=0) as simulated:
            await device.wait_async("downchannel")
            async with httpx.AsyncClient(base_url=cic.control_url or "", timeout=30) as client:
                path = f"/v1/devices/{device.token}/transcript"
                assert (await client.post(path, json={"text": "내일 날씨"})).status_code == 200
                assert (await client.post(path, json={})).status_code == 422
                assert (await client.post("/v1/devices/nobody/transcript", json={"text": ""})).status_code == 404
            assert words(await simulated.say(tone(440, 0.5))) == ["내일 날씨!"]
