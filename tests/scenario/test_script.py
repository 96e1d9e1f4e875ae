"""Lists of steps on their way, and the moments of cues."""

from __future__ import annotations

from typing import Any

import pytest

from mockcic.cic.facts import AnswerSent, AudioHeard, DownchannelClosed, EventBegan, EventEnded, Sound
from mockcic.scenario.effects import EndReply, Push, Refuse, ReplyDirective, StateChanged
from tests.support.life import LINE, UPLOAD, Begin, names, recognize, text_event


def heard(seconds: float, *, silent: float | None = None) -> AudioHeard:
    return AudioHeard(UPLOAD, Sound(size=int(seconds * 32000), seconds=seconds, silent_for_s=silent))


def test_named_steps_are_shared_by_replies_and_pushes(begin: Begin) -> None:
    life = begin(
        """
replies:
  one: [Clova.Help]
  two: [{use: one}, {push: Notifier.ClearIndicator}]
on:
  - {event: "*", reply: [{use: two}, {push: {use: one}}]}
"""
    )
    effects = life.send(text_event())
    assert names(effects, ReplyDirective) == ["Clova.Help"]
    assert names(effects, Push) == ["Notifier.ClearIndicator", "Clova.Help"]


def test_variables_and_state_change_at_their_moment_in_a_script(begin: Begin) -> None:
    life = begin(
        """
vars: {n: 1}
on:
  - event: "*"
    reply:
      - Clova.RenderText: {text: "{{ vars.n }} {{ state }}"}
      - {set: {n: 2}, go: later}
      - wait: 1s
      - Clova.RenderText: {text: "{{ vars.n }} {{ state }}"}
  - {event: "*", in: later}
"""
    )
    first = life.send(text_event())
    assert StateChanged("start", "later") in first
    said = [each.directive.payload["text"] for each in (*first, *life.wait(1)) if isinstance(each, ReplyDirective)]
    assert said == ["1 start", "2 later"]


def test_a_script_ends_with_the_line_it_runs_on(begin: Begin) -> None:
    life = begin({"downchannel": [{"push": ["Clova.Help", {"wait": "1s"}, "Clova.Help"]}]})
    assert names(life.open(), Push) == ["Clova.Hello", "Clova.Help"]
    life.tell(DownchannelClosed(LINE, "gone"))
    assert life.wait(5) == []


def test_a_duration_may_be_a_template(begin: Begin) -> None:
    life = begin({"vars": {"s": "2s"}, "on": [{"event": "*", "reply": [{"wait": "{{ vars.s }}"}, "Clova.Help"]}]})
    life.send(text_event())
    assert names(life.wait(1.9), ReplyDirective) == []
    assert names(life.wait(0.1), ReplyDirective) == ["Clova.Help"]


@pytest.mark.parametrize(
    ("after", "fact"),
    [
        ({"audio": "1s"}, heard(1.0)),
        ({"bytes": 32_000}, heard(1.0)),
        ({"silence": "600ms"}, heard(1.0, silent=0.6)),
        ({"upload": "ended"}, EventEnded(UPLOAD, Sound(size=32_000, seconds=1.0))),
    ],
)
@pytest.mark.parametrize("later", [None, "200ms"])
def test_each_moment_of_an_upload_is_noticed_once(
    begin: Begin, after: dict[str, Any], fact: Any, later: str | None
) -> None:
    """docs/scenarios.md, Cues; `time` beside a moment adds to it."""
    cue = {"after": {**after, **({"time": later} if later else {})}, "push": "Clova.Help"}
    life = begin({"on": [{"event": "*", "while_uploading": [cue], "delay": "9s"}]})
    life.tell(EventBegan(UPLOAD, recognize(), {}))
    assert names(life.tell(heard(0.5)), Push) == []
    assert names(life.tell(fact), Push) == ([] if later else ["Clova.Help"])
    assert names(life.wait(1), Push) == (["Clova.Help"] if later else [])


def test_a_time_of_an_upload_counts_from_its_metadata(begin: Begin) -> None:
    life = begin({"on": [{"event": "*", "while_uploading": [{"after": "300ms", "push": "Clova.Help"}]}]})
    life.tell(EventBegan(UPLOAD, recognize(), {}))
    assert names(life.wait(0.2), Push) == []
    assert names(life.wait(0.1), Push) == ["Clova.Help"]


@pytest.mark.parametrize("times", [None, 1])
def test_a_cue_after_an_event_comes_as_often_as_it_says(begin: Begin, times: int | None) -> None:
    cue = {"after": {"event": "Text*.*"}, "push": "Clova.Help", **({"times": times} if times else {})}
    life = begin({"on": [{"event": "*"}], "downchannel": [cue]})
    life.open()
    pushed = []
    for number in range(3):
        life.send(text_event(message_id=f"m{number}"))
        pushed += names(life.tell(AnswerSent(UPLOAD)), Push)
    assert len(pushed) == (times or 3)


def test_shuffled_directives_are_all_there_and_stay_in_their_seed(begin: Begin) -> None:
    """PROTOCOL 8, row 22."""
    steps = [{"Clova.RenderText": {"text": str(number)}} for number in range(6)]
    scenario = {"settings": {"directive_order": "shuffled", "seed": 3}, "on": [{"event": "*", "reply": steps}]}

    def order() -> list[str]:
        effects = begin(scenario).send(text_event())
        return [each.directive.payload["text"] for each in effects if isinstance(each, ReplyDirective)]

    first = order()
    assert sorted(first) == list("012345")
    assert first not in (list("012345"), list("543210"))
    assert order() == first


def test_nothing_fits_can_be_an_exception(begin: Begin) -> None:
    life = begin({"otherwise": {"exception": {"code": 501, "description": "no rule"}}})
    refusal = next(each.refusal for each in life.send(text_event()) if isinstance(each, Refuse))
    assert (refusal.status, refusal.description) == (501, "no rule")


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ({"audio.seconds": {"min": "1s"}}, True),
        ({"audio.seconds": {"max": "1s"}}, False),
        ({"audio.level": {"min": -20}}, True),
        ({"audio.level": {"max": -60}}, False),
        ({"audio.sha256": "ab"}, True),
        ({"audio.sha256": "cd"}, False),
        ({"audio.bytes": 64_000}, True),
    ],
)
def test_the_sound_decides_when_it_is_known(begin: Begin, when: dict[str, Any], fits: bool) -> None:
    life = begin({"on": [{"event": "*", "when": when, "reply": "Clova.Help"}, {"event": "*"}]})
    effects = life.send(recognize(), seconds=2.0, level_dbfs=-12.0, sha256="ab")
    assert names(effects, ReplyDirective) == (["Clova.Help"] if fits else [])
    assert effects[-1] == EndReply(UPLOAD)
