"""What the device says about itself."""

from __future__ import annotations

from datetime import timedelta

from mockcic.cic.catalogue import catalogue
from mockcic.cic.message import Event
from mockcic.simulator.state import Alert, Player, State
from tests.support.simulator import NOON

STREAM = {"token": "s", "url": "https://x.test/1", "urlPlayable": True, "beginAtInMilliseconds": 0}


def judged(state: State) -> list[object]:
    event = Event("SpeechRecognizer", "Recognize", "m1", {"lang": "ko"}, "d1", state.contexts(NOON))
    return list(catalogue().judge_event(event))


def test_contexts_are_right_by_the_catalogue_at_rest_and_while_everything_happens() -> None:
    """PROTOCOL 3.2."""
    assert judged(State()) == []
    state = State(player=Player("PLAYING", "REPEAT_ONE", 500, STREAM), speech_token="t", speech_activity="PLAYING")
    state.alerts["a"] = Alert("a", "ALARM", "2026-03-03T07:10:00+09:00", is_ringing=True)
    state.switches["wifi"] = False
    assert judged(state) == []


def test_everything_the_device_can_report_is_sent() -> None:
    """Since 2019-05 (PROTOCOL 0, LOG); from the first event on, for what was sent once is to be sent ever after."""
    assert {context.full_name for context in State().contexts(NOON)} == set(catalogue().contexts)


def test_an_alert_knows_when_it_is_due() -> None:
    """ISO 8601 with an offset; a time that is past is due now, one that cannot be read never."""
    assert Alert("a", "ALARM", (NOON + timedelta(seconds=90)).isoformat()).due_in_s(NOON) == 90
    assert Alert("a", "ALARM", "2026-03-02T21:00:30+09:00").due_in_s(NOON) == 30
    assert Alert("a", "ALARM", "2026-03-02T12:00:30Z").due_in_s(NOON) == 30
    assert Alert("a", "ALARM", "2020-01-01T00:00:00").due_in_s(NOON) == 0
    assert Alert("a", "ALARM", "tomorrow").due_in_s(NOON) is None
