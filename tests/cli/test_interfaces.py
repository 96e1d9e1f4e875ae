"""`mockcic interfaces`: the catalogue on a terminal and for machines."""

from __future__ import annotations

import json
import re
from itertools import chain
from textwrap import indent

import pytest

from mockcic import cli
from mockcic.cic.catalogue import catalogue
from mockcic.cli.interfaces import as_json, contents, find, page, step, template_step
from mockcic.cli.page import display_width, wrap
from mockcic.errors import StartError
from mockcic.scenario.load import load_text

CIC = catalogue()
SUBJECTS = list(chain(CIC.interfaces, CIC.events, CIC.directives, CIC.contexts, CIC.templates, CIC.types))


def printed(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    with pytest.raises(SystemExit) as exited:
        cli.main(["interfaces", *args])
    assert exited.value.code == 0
    return capsys.readouterr().out


def load_step(text: str) -> tuple[str, ...]:
    """What the loader warns of in a scenario with this step; raises when it is wrong."""
    scenario = f"scenario: pasted\non:\n  - event: TextRecognizer.Recognize\n    reply:\n{indent(text, '      ')}"
    return tuple(problem.what for problem in load_text(scenario).warnings)


def test_everything_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys)
    for full_name in chain(CIC.events, CIC.directives, CIC.contexts):
        assert full_name.partition(".")[2] in text
    assert all(name in text for name in chain(CIC.interfaces, CIC.templates))


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("name", SUBJECTS)
def test_every_page_has_all_members_and_keeps_its_width(name: str, width: int) -> None:
    """Only words that cannot be broken, and what is there to be copied, may be longer than the terminal is wide."""
    title, subject = find(CIC, name)
    text = str(page(CIC, title, subject, width))
    for member in getattr(subject, "fields", None) or {}:
        assert member in text
    prose = text.split("\x1b[36m\x1b[1mExample")[0].split("\x1b[36m\x1b[1mAs a step")[0]
    too_long = [line for line in prose.splitlines() if display_width(line) > width and not line.startswith("  \x1b[1m")]
    assert all(len(line.split()) <= 2 or line.startswith("\x1b[1m") for line in too_long), too_long


@pytest.mark.parametrize("name", CIC.directives)
def test_the_step_of_every_directive_can_be_pasted(name: str) -> None:
    """An item of a list as others are, and `mockcic check` finds nothing to say about it."""
    text = step(CIC, CIC.directives[name])
    assert text.startswith((f"- {name}", f"- push: {name}", f"- push:\n    {name}"))
    assert load_step(text) == ()


@pytest.mark.parametrize("name", CIC.templates)
def test_the_step_of_every_template_can_be_pasted(name: str) -> None:
    """`mockcic check` finds nothing to say about it."""
    assert load_step(template_step(CIC, CIC.templates[name])) == ()


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_subject_is_json_for_machines(name: str) -> None:
    title, subject = find(CIC, name)
    assert json.loads(json.dumps(as_json(CIC, title, subject), default=dict))["name"] == name


def test_json_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(capsys, "--json"))["interfaces"]["Alerts"]["events"][0] == "Alerts.AlertStarted"
    speak = json.loads(printed(capsys, "speak", "--json"))
    assert speak["payload"]["ttsLang"]["enum"] == ["en", "ja", "ko", "zh"]
    assert speak["example"] == dict(CIC.directives["SpeechSynthesizer.Speak"].example)


def test_a_message_is_shown_with_all_one_needs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it is, where it is sent, its members, what follows, an example, a step; plain in a pipe."""
    monkeypatch.setenv("COLUMNS", "100")
    text = printed(capsys, "Speak")
    assert "\x1b" not in text
    for part in (
        "SpeechSynthesizer.Speak  directive",
        "in the reply to an event (the guide says so)",
        "SpeechSynthesizer.SpeechStarted, then SpeechSynthesizer.SpeechFinished or\n",
        "Language of the voice. One of: en, ja, ko, zh.",
        "At least 0, in milliseconds.",
        '"format": "AUDIO_MPEG"',
        "  - SpeechSynthesizer.Speak:\n      audio: {tone: 440}\n",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("alerts", "Alerts"),
        ("SPEECHSYNTHESIZER.SPEAK", "SpeechSynthesizer.Speak"),
        ("stopcapture", "SpeechRecognizer.StopCapture"),
        ("playbackstate", "AudioPlayer.PlaybackState"),
        ("todayweather", "TodayWeather"),
        ("stringobject", "StringObject"),
    ],
)
def test_a_name_is_found_whatever_its_case_and_without_its_interface(name: str, title: str) -> None:
    assert find(CIC, name)[0] == title


def test_a_name_of_two_is_asked_back() -> None:
    with pytest.raises(StartError, match=r"names SpeechRecognizer\.Recognize and TextRecognizer\.Recognize"):
        find(CIC, "recognize")


@pytest.mark.parametrize(
    ("name", "meant"), [("Speek", "SpeechSynthesizer.Speak"), ("Alertz", "Alerts"), ("TodayWeathr", "TodayWeather")]
)
def test_an_unknown_name_is_recognised(name: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and what was probably meant."""
    with pytest.raises(SystemExit) as exited:
        cli.main(["interfaces", name])
    assert exited.value.code == 2
    assert re.search(rf"did you mean {meant}( or .*)?\?$", capsys.readouterr().err.rstrip())


def test_korean_is_wrapped_by_what_it_takes_on_the_screen() -> None:
    """A letter of Hangul is two columns wide."""
    assert wrap("오늘은 맑아요 정말", 13) == ["오늘은 맑아요", "정말"]
    assert wrap("오늘은 맑아요 정말", 12) == ["오늘은", "맑아요 정말"]


def test_the_list_has_a_page_of_its_own() -> None:
    assert str(contents(CIC, 60)).splitlines()[0].endswith("contexts\x1b[0m")
