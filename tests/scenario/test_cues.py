"""What the language has for behaviour that lives on: named cues, rules beside others, `repeat`, `if`."""

from __future__ import annotations

from typing import Any

import pytest

from mockcic.errors import ScenarioError
from mockcic.scenario.effects import Found, Push, ReplyDirective, VariablesSet
from mockcic.scenario.load import load_text
from tests.support.life import Begin, names, recognize, text_event


def texts(effects: list[Any], kind: Any = ReplyDirective) -> list[str]:
    return [each.directive.payload["text"] for each in effects if isinstance(each, kind)]


def told(text: str) -> list[str]:
    try:
        problems: Any = load_text(text, "a.yaml").warnings
    except ScenarioError as error:
        problems = error.problems
    return [f"{each.where}: {each.severity}: {each.what}" for each in problems]


CUES = """
vars: {rung: 0}
cues:
  ring:
    args: {text: null, again: "{{ args.text }}!"}
    set: {rung: "{{ vars.rung + 1 }}"}
    push:
      - Clova.RenderText: {text: "{{ args.text }} {{ vars.rung }}"}
      - wait: 1s
      - Clova.RenderText: {text: "{{ args.again }}"}
"""


def test_a_named_cue_sets_then_pushes_with_its_arguments(begin: Begin) -> None:
    life = begin(CUES)
    life.open()
    assert texts(life.cue("ring", text="a"), Push) == ["a 1"]
    assert texts(life.wait(1), Push) == ["a!"]
    assert texts(life.cue("ring", text="b", again="c"), Push) == ["b 2"]
    assert texts(life.wait(1), Push) == ["c"]


def test_a_cue_that_is_not_there_is_nothing(begin: Begin) -> None:
    assert begin(CUES).cue("rung") == []


def test_a_rule_beside_is_done_before_the_answer_is_looked_for(begin: Begin) -> None:
    """Wherever it stands, and although another rule answers."""
    life = begin(
        """
vars: {n: 0, m: 0}
on:
  - {event: "*", when: {vars.n: 2}, reply: {Clova.RenderText: {text: two}}}
  - {event: TextRecognizer.*, reply: {Clova.RenderText: {text: "{{ vars.n }}."}}}
  - {event: "*", beside: true, set: {n: "{{ vars.n + 1 }}"}}
  - {event: "*", beside: true, times: 1, set: {m: 1}, afterwards: [{push: Clova.Help}]}
"""
    )
    life.open()
    first = life.send(text_event())
    assert texts(first) == ["1."]
    assert VariablesSet({"m": 1}, "c1.5") in first
    from mockcic.cic.facts import AnswerSent

    assert names(life.tell(AnswerSent("c1.5")), Push) == ["Clova.Help"]
    second = life.send(text_event())
    assert texts(second) == ["two"]
    assert not any(isinstance(each, VariablesSet) and "m" in each.values for each in second)


def test_a_rule_beside_has_cues_of_an_upload_beside_those_of_the_answer(begin: Begin) -> None:
    life = begin(
        """
on:
  - {event: SpeechRecognizer.Recognize, reply: {Clova.RenderText: {text: 네}}}
  - event: SpeechRecognizer.Recognize
    beside: true
    while_uploading: [{after: {audio: 300ms}, push: {SpeechRecognizer.ConfirmWakeUp: {success: true}}}]
"""
    )
    life.open()
    effects = life.send(recognize(), seconds=1.0)
    assert names(effects, Push) == ["SpeechRecognizer.ConfirmWakeUp", "SpeechRecognizer.StopCapture"]
    assert all(each.directive.dialog_request_id == "d1" for each in effects if isinstance(each, Push))


def test_steps_are_repeated_for_a_list_and_chosen_by_a_template(begin: Begin) -> None:
    life = begin(
        """
vars: {list: [{n: 1}, {n: 2}, {n: 3}]}
replies:
  say: [Clova.RenderText: {text: "say {{ each.n }}"}]
on:
  - event: "*"
    reply:
      - repeat:
          for: each
          in: "{{ vars.list }}"
          steps:
            - if: "{{ each.n == 2 }}"
              then: [Clova.RenderText: {text: two}]
              else: {use: say}
      - if: "{{ vars.list | length > 9 }}"
        then: [Clova.RenderText: {text: many}]
"""
    )
    effects = life.send(text_event())
    assert texts(effects) == ["say 1", "two", "say 3"]
    assert [each.last for each in effects if isinstance(each, ReplyDirective)] == [False, False, True]


def test_what_an_if_asks_is_asked_when_its_turn_has_come(begin: Begin) -> None:
    life = begin(
        """
vars: {n: 1}
on:
  - event: "*"
    reply:
      - Clova.RenderText: {text: one}
      - set: {n: 2}
      - if: "{{ vars.n == 2 }}"
        then: [Clova.RenderText: {text: two}]
"""
    )
    assert texts(life.send(text_event())) == ["one", "two"]


def test_a_repeat_over_no_list_is_a_finding_and_a_500(begin: Begin) -> None:
    life = begin(
        """
vars: {x: 3}
on: [{event: "*", reply: [{repeat: {for: y, in: "{{ vars.x }}", steps: [Clova.Help]}}]}]
"""
    )
    (finding,) = [each.finding for each in life.send(text_event()) if isinstance(each, Found)]
    assert "found int, expected a list to repeat for" in finding.found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'scenario: s\ncues:\n  a:\n    args: {text: 1}\n    push: {Clova.RenderText: {text: "{{ args.txt }}"}}\n',
            'a.yaml:5:37: error: unknown argument "txt"',
        ),
        (
            'scenario: s\non:\n  - event: "*"\n    reply: {Clova.RenderText: {text: "{{ args.x }}"}}\n',
            "a.yaml:4:38: error: unknown name args in a template",
        ),
        (
            'scenario: s\non:\n  - event: "*"\n'
            '    reply: {repeat: {for: e, in: [1], steps: [{Clova.RenderText: {text: "{{ f }}"}}]}}\n',
            "a.yaml:4:73: error: unknown name f in a template",
        ),
        (
            'scenario: s\non:\n  - event: "*"\n    reply: {repeat: {for: vars, in: [1], steps: [Clova.Help]}}\n',
            'a.yaml:4:27: error: "for" cannot be "vars"',
        ),
        (
            "scenario: s\non:\n  - event: '*'\n    reply: {if: 'yes', then: [Clova.Help]}\n",
            'a.yaml:4:17: error: "if" cannot be "yes"',
        ),
        ("scenario: s\ncues: {a: {about: b}}\n", "a.yaml:2:11: error: a cue that does nothing"),
        (
            "scenario: s\non:\n  - {event: '*', beside: true, reply: none}\n",
            "a.yaml:3:5: error: `reply` in a rule that is `beside`",
        ),
        (
            "scenario: s\non:\n  - {event: '*', beside: true}\n",
            "a.yaml:3:5: error: a rule that is `beside` and does nothing",
        ),
        (
            'scenario: s\nvars: {a: []}\non:\n  - {event: "*", set: {a: "{{ vars.a | nix }}"}}\n',
            "a.yaml:4:27: error: a template that cannot be read: No filter named 'nix'.",
        ),
        (
            "scenario: s\ncues:\n  a: {push: [{if: '{{ state }}', then: [Clova.Halp]}]}\n",
            'a.yaml:3:41: error: unknown directive "Clova.Halp"',
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    assert told(text) == [said]


def test_a_part_brings_cues_downchannel_and_settings(tmp_path: Any) -> None:
    """The file's own win."""
    (tmp_path / "part.yaml").write_text(
        "settings: {hello: never, ping: never}\n"
        "cues: {a: {push: Clova.Help}, b: {push: Clova.Help}}\n"
        "downchannel: [{after: 2s, push: Clova.Help}]\n"
    )
    own = "scenario: s\ninclude: part.yaml\nsettings: {ping: 204}\ncues: {a: {go: x}}\non: [{event: '*', in: x}]\n"
    scenario = load_text(own, "s.yaml", tmp_path).scenarios[0]
    assert (scenario.effective.hello, scenario.effective.ping) == ("never", 204)
    assert (scenario.cues["a"].go, list(scenario.cues)) == ("x", ["a", "b"])
    assert len(scenario.downchannel) == 1
