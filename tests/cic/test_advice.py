"""What a finding says to the engineer: where, found, expected, mend."""

from __future__ import annotations

from typing import Any

import pytest

from mockcic.cic.advice import advise
from mockcic.cic.catalogue import catalogue
from mockcic.cic.message import Context, Event


def said(
    name: str, payload: dict[str, Any], *contexts: Context, dialogue: str | None = None
) -> list[tuple[str, str, str]]:
    namespace, _, short = name.partition(".")
    event = Event(namespace, short, "m1", payload, dialogue, contexts)
    advice = [advise(event, issue) for issue in catalogue().judge_event(event)]
    return [(each.found, each.expected, each.mend) for each in advice]


STARTED = "AudioPlayer.PlayStarted"


@pytest.mark.parametrize(
    ("payload", "found", "expected", "mend"),
    [
        (
            {"offsetInMilliseconds": 0},
            f"nothing at payload.token of {STARTED}",
            "a string (audioItem.stream.token of the Play directive), required",
            'send token, such as "strm-spring-0007"',
        ),
        (
            {"token": "t", "offsetInMilliseconds": "3"},
            f'a string "3" at payload.offsetInMilliseconds of {STARTED}',
            "an integer (Playback position)",
            "send offsetInMilliseconds as an integer, such as 0",
        ),
        (
            {"token": None, "offsetInMilliseconds": 3},
            f"null at payload.token of {STARTED}",
            "a string (audioItem.stream.token of the Play directive)",
            'send token with a value, such as "strm-spring-0007"',
        ),
        (
            {"token": "t", "offsetInMilliseconds": 3, "tokn": 1},
            f"an unknown member payload.tokn in {STARTED}: 1",
            "a member of token, offsetInMilliseconds",
            "did you mean token?",
        ),
    ],
)
def test_an_issue_of_an_event_says_where_what_and_how_to_mend_it(
    payload: dict[str, Any], found: str, expected: str, mend: str
) -> None:
    ((got_found, got_expected, got_mend),) = said(STARTED, payload)
    assert (got_found, got_mend) == (found, mend)
    assert set(got_expected.replace(",", "").split()) == set(expected.replace(",", "").split())


def test_an_issue_of_a_context_names_the_context_and_the_event() -> None:
    advice = said("Settings.RequestVersionSpec", {}, Context("Speaker", "VolumeState", {"volume": "7", "muted": False}))
    assert advice == [
        (
            'a string "7" at volume of the context Speaker.VolumeState of Settings.RequestVersionSpec',
            "an integer (Volume; the range is that of VolumeInfoObject)",
            "send volume as an integer, such as 5",
        )
    ]


def test_a_member_required_on_a_condition_says_the_condition() -> None:
    advice = said("AudioPlayer.ReportPlaybackState", {"playerActivity": "PLAYING", "repeatMode": "NONE", "token": "t"})
    assert advice[0][1].endswith("required unless playerActivity is IDLE")


def test_a_missing_dialogue_id_says_how_devices_make_one() -> None:
    found, _, mend = said("TextRecognizer.Recognize", {"text": "안녕"})[0]
    assert found == "nothing at header.dialogRequestId of TextRecognizer.Recognize"
    assert mend.startswith("make a fresh id")
