"""MockCIC and Bench: the Python object, driven by the simulated device."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest

from mockcic import MockCIC
from mockcic.errors import ScenarioError, StartError
from mockcic.mock import Bench
from mockcic.simulator.device import Device
from mockcic.verdict.verdict import VerificationError
from tests.support.ports import kept_port

ONE = "scenario: one\non: [{event: 'TextRecognizer.*', reply: {Clova.RenderText: {text: 하나}}}, {event: '*'}]\n"
TWO = ONE.replace("하나", "둘").replace("scenario: one", "scenario: two")


def test_it_serves_in_a_with_block_and_gives_its_ports_back() -> None:
    with kept_port() as port:
        with MockCIC(port=port) as cic:
            url, tls = cic.url, ssl.create_default_context(cafile=str(cic.ca_file))
            with httpx.Client(http1=False, http2=True, verify=tls) as client:
                assert client.get(f"{url}/ping", headers=cic.device().headers).status_code == 204
        with httpx.Client(http1=False, http2=True, verify=tls) as client, pytest.raises(httpx.ConnectError):
            client.get(f"{url}/ping")


async def test_it_serves_in_an_async_with_block() -> None:
    async with MockCIC(ONE) as cic:
        device = cic.device()
        async with Device(cic.url, ca_file=cic.ca_file, token=device.token, pace=0) as simulated:
            answer = await simulated.say_text("안녕")
            assert [each.directive.payload for each in answer.directives] == [{"text": "하나"}]
            entry = await device.wait_async("TextRecognizer.Recognize")
            assert entry.data["payload"]["text"] == "안녕"


async def test_a_push_reaches_the_device_with_what_the_protocol_fixes(cic: Bench) -> None:
    device = cic.device()
    async with Device(cic.url, ca_file=cic.ca_file, token=device.token, pace=0) as simulated:
        await device.wait_async("downchannel")
        assert (
            cic.push({"SpeechSynthesizer.Speak": {"ttsLang": "ko", "ttsText": "x", "audio": {"silence": "100ms"}}}) == 1
        )
        speak = await simulated.wait_for("SpeechSynthesizer.Speak")
        url = speak.directive.payload["url"]
        assert speak.directive.payload["format"] == "AUDIO_MPEG"
        assert speak.attachments[url.removeprefix("cid:")]


async def test_a_push_goes_to_one_device_only_when_told_so(cic: Bench) -> None:
    one, two = cic.device(), cic.device()
    async with (
        Device(cic.url, ca_file=cic.ca_file, token=one.token, pace=0) as first,
        Device(cic.url, ca_file=cic.ca_file, token=two.token, pace=0) as second,
    ):
        assert one.push("Notifier.ClearIndicator")
        assert cic.push("Clova.Help") == 2
        await first.wait_for("Notifier.ClearIndicator")
        await second.wait_for("Clova.Help")
        assert "Notifier.ClearIndicator" not in [each.directive.full_name for each in second.directives]


async def test_a_scenario_loaded_while_running_answers_the_next_event(cic: Bench) -> None:
    device = cic.device()
    async with Device(cic.url, ca_file=cic.ca_file, token=device.token, pace=0) as simulated:
        cic.load(ONE)
        assert (await simulated.say_text("a")).directives[0].directive.payload == {"text": "하나"}
        cic.load(TWO)
        assert (await simulated.say_text("b")).directives[0].directive.payload == {"text": "둘"}


def test_a_broken_scenario_changes_nothing(cic: Bench) -> None:
    cic.load(ONE)
    with pytest.raises(ScenarioError, match="no-such-thing"):
        cic.load("scenario: broken\nno-such-thing: 1\n")
    assert cic.scenario is not None
    assert cic.scenario.scenario == "one"


def test_waiting_in_vain_says_what_came(cic: Bench) -> None:
    with pytest.raises(VerificationError) as failure:
        cic.wait("Nothing.*", within=0.01)
    assert str(failure.value).splitlines() == [
        "broken: Nothing.* at least once within 0.01 s",
        "  it did not come",
        "  nothing came at all",
    ]


def test_a_port_in_use_is_one_clear_sentence() -> None:
    with MockCIC() as cic:
        port = int(cic.url.rpartition(":")[2])
        with pytest.raises(StartError, match=f"cannot listen on 127.0.0.1:{port}: address already in use"):
            MockCIC(port=port).start()


def test_a_mapping_is_a_scenario_too(cic: Bench) -> None:
    assert cic.load({"scenario": "mapped", "on": [{"event": "*"}]}).scenarios[0].scenario == "mapped"


def test_clear_text_alone_needs_no_certificate(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with MockCIC(tls=False, home=home) as cic:
        assert cic.url == cic.h2c_url
        with pytest.raises(StartError):
            _ = cic.ca_file
    assert not home.exists()


def test_a_short_name_shows_no_more_of_a_token_than_its_end(cic: Bench) -> None:
    one, two = cic.device("secret-token-1-q7x3"), cic.device("secret-token-2-q7x3")
    assert (one.name, two.name) == ("…q7x3", "…q7x3#2")
