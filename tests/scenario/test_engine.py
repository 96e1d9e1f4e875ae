"""The engine as a dialogue: facts in, effects out, no clock."""

from __future__ import annotations

import pytest

from mockcic.cic.facts import (
    AnswerSent,
    AudioHeard,
    DeviceReset,
    DownchannelClosed,
    EventBegan,
    EventEnded,
    EventLost,
    Sound,
)
from mockcic.cic.message import Event
from mockcic.scenario.effects import (
    AnswerRaw,
    CloseDownchannel,
    Effect,
    EndReply,
    Found,
    Matched,
    Push,
    Refuse,
    ReplyAttachment,
    ReplyDirective,
    StateChanged,
    Unmatched,
)
from tests.support.life import LINE, UPLOAD, Begin, Life, names, recognize, text_event

WEATHER = """
on:
  - event: SpeechRecognizer.Recognize
    while_uploading:
      - after: {audio: 1.0s}
        push: SpeechRecognizer.StopCapture
    reply:
      - SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 맑아요, audio: {silence: 100ms}}
      - Clova.RenderText: {text: 맑아요}
"""


def of(effects: list[Effect], kind: type) -> list[Effect]:
    return [effect for effect in effects if isinstance(effect, kind)]


def heard(seconds: float, *, silent: float | None = None) -> AudioHeard:
    return AudioHeard(UPLOAD, Sound(size=int(seconds * 32000), seconds=seconds, silent_for_s=silent))


# ---------------------------------------------------------------------- downchannel


def test_hello_comes_first_and_carries_no_dialogue(begin: Begin) -> None:
    """PROTOCOL 2.1; DEVICES R15."""
    hello = begin(WEATHER).open()[0]
    assert isinstance(hello, Push)
    assert hello.directive.full_name == "Clova.Hello"
    assert hello.directive.dialog_request_id is None


@pytest.mark.parametrize(("hello", "at_once", "later"), [("never", 0, 0), ("twice", 2, 0), ("2s", 0, 1)])
def test_hello_can_be_left_out_doubled_or_late(begin: Begin, hello: str, at_once: int, later: int) -> None:
    """PROTOCOL 8, row 8."""
    life = begin({"settings": {"hello": hello}})
    assert len(names(life.open(), Push)) == at_once
    assert len(names(life.wait(2.0), Push)) == later


def test_a_downchannel_ends_when_its_lifetime_is_over(begin: Begin) -> None:
    """PROTOCOL 8, row 10."""
    life = begin({"settings": {"downchannel_lifetime": "1h"}})
    life.open()
    assert of(life.wait(3599), CloseDownchannel) == []
    assert len(of(life.wait(2), CloseDownchannel)) == 1


def test_cues_of_the_downchannel_count_from_its_opening(begin: Begin) -> None:
    life = begin(
        {"downchannel": [{"after": "30s", "push": "Notifier.ClearIndicator"}, {"after": "10s", "push": "Clova.Help"}]}
    )
    life.open()
    assert names(life.wait(10), Push) == ["Clova.Help"]
    assert names(life.wait(20), Push) == ["Notifier.ClearIndicator"]


def test_a_cue_repeats_as_often_as_it_says(begin: Begin) -> None:
    life = begin({"downchannel": [{"every": "10s", "times": 3, "push": "Clova.Help"}]})
    life.open()
    assert len(names(life.wait(100), Push)) == 3


def test_a_cue_can_wait_for_an_event_and_comes_each_time(begin: Begin) -> None:
    life = begin({"downchannel": [{"after": {"event": "TextRecognizer.*", "time": "1s"}, "push": "Clova.Help"}]})
    life.open()
    for number in range(2):
        life.send(text_event(message_id=f"m{number}"))
        life.tell(AnswerSent(UPLOAD))
        assert names(life.wait(1.0), Push) == ["Clova.Help"]


def test_when_the_device_goes_nothing_of_it_happens_any_more(begin: Begin) -> None:
    life = begin({"downchannel": [{"after": "30s", "push": "Clova.Help"}, {"every": "1s", "push": "Clova.Help"}]})
    life.open()
    life.tell(DownchannelClosed(LINE, "connection lost"))
    assert life.pending == 0


# ---------------------------------------------------------------------- StopCapture


def test_stop_capture_is_pushed_once_when_a_second_of_sound_was_heard(begin: Begin) -> None:
    """On the downchannel, under the dialogue of the upload that still runs (PROTOCOL 3.4)."""
    life = begin(WEATHER)
    life.tell(EventBegan(UPLOAD, recognize("d1"), {}))
    assert life.tell(heard(0.9)) == []
    stop = life.tell(heard(1.0))[0]
    assert isinstance(stop, Push)
    assert (stop.directive.full_name, stop.directive.dialog_request_id) == ("SpeechRecognizer.StopCapture", "d1")
    assert of(life.tell(heard(1.2)), Push) == []


def test_a_rule_without_while_uploading_gets_stop_capture_by_itself(begin: Begin) -> None:
    """PROTOCOL 8, row 15."""
    life = begin({"on": [{"event": "SpeechRecognizer.Recognize"}]})
    life.tell(EventBegan(UPLOAD, recognize(), {}))
    assert names(life.tell(heard(1.0)), Push) == ["SpeechRecognizer.StopCapture"]


@pytest.mark.parametrize(
    "scenario", [{"settings": {"stop_capture": "never"}}, {"on": [{"event": "*", "while_uploading": []}]}]
)
def test_stop_capture_can_be_left_out(begin: Begin, scenario: dict[str, object]) -> None:
    life = begin(scenario)
    life.tell(EventBegan(UPLOAD, recognize(), {}))
    assert life.tell(heard(9.0)) == []


def test_stop_capture_can_come_at_silence_or_after_bytes_or_twice_or_for_another_dialogue(begin: Begin) -> None:
    life = begin(
        """
on:
  - event: SpeechRecognizer.Recognize
    while_uploading:
      - after: {silence: 600ms}
        push:
          - SpeechRecognizer.StopCapture
          - SpeechRecognizer.StopCapture: {}
            dialogRequestId: another
      - after: {bytes: 6400}
        push: SpeechRecognizer.KeepRecording
"""
    )
    life.tell(EventBegan(UPLOAD, recognize("d1"), {}))
    assert names(life.tell(heard(0.2)), Push) == ["SpeechRecognizer.KeepRecording"]
    assert of(life.tell(heard(0.5, silent=0.5)), Push) == []
    stops = of(life.tell(heard(0.7, silent=0.6)), Push)
    assert [stop.directive.dialog_request_id for stop in stops if isinstance(stop, Push)] == ["d1", "another"]


def test_a_device_that_does_not_stop_is_answered_and_its_upload_ended(begin: Begin) -> None:
    """Five seconds after StopCapture (PROTOCOL 3.4: INF)."""
    life = begin(WEATHER)
    life.tell(EventBegan(UPLOAD, recognize(), {}))
    life.tell(heard(1.0))
    assert of(life.wait(4.9), EndReply) == []
    effects = life.wait(0.2)
    assert [effect.finding.code for effect in effects if isinstance(effect, Found)] == ["audio.stop-capture"]
    assert of(effects, EndReply) == [EndReply(UPLOAD, stop_upload=True)]


# ---------------------------------------------------------------------- answers


def test_a_reply_has_directive_attachment_directive_in_this_order_and_knows_its_last(begin: Begin) -> None:
    """PROTOCOL 4.4; DEVICES R11."""
    effects = begin(WEATHER).send(recognize("d1"), seconds=0.4)
    assert [type(effect) for effect in effects] == [Matched, ReplyDirective, ReplyAttachment, ReplyDirective, EndReply]
    speak, sound, text = effects[1:4]
    assert isinstance(speak, ReplyDirective)
    assert isinstance(sound, ReplyAttachment)
    assert isinstance(text, ReplyDirective)
    assert (speak.last, sound.last, text.last) == (False, False, True)
    assert speak.directive.payload["url"] == f"cid:{sound.attachment.content_id}"
    assert speak.directive.payload["format"] == "AUDIO_MPEG"
    assert speak.directive.payload["token"]
    assert speak.directive.dialog_request_id == text.directive.dialog_request_id == "d1"


def test_a_dialogue_id_is_left_out_where_the_event_has_none(begin: Begin) -> None:
    """DEVICES R12."""
    effects = begin({"on": [{"event": "*", "reply": "Clova.Help"}]}).send(text_event(dialogue=None))
    assert [each.directive.dialog_request_id for each in effects if isinstance(each, ReplyDirective)] == [None]


def test_attachments_can_come_behind_all_directives(begin: Begin) -> None:
    """PROTOCOL 4.4."""
    life = begin(WEATHER + "settings: {attachments: last}\n")
    kinds = [type(each) for each in life.send(recognize(), seconds=0.4)]
    assert kinds == [Matched, ReplyDirective, ReplyDirective, ReplyAttachment, EndReply]


@pytest.mark.parametrize("reply", [{"reply": "none"}, {}])
def test_nothing_to_say_is_204(begin: Begin, reply: dict[str, object]) -> None:
    """DEVICES R14."""
    effects = begin({"on": [{"event": "*", **reply}]}).send(text_event())
    assert effects[-1] == EndReply(UPLOAD)
    assert not of(effects, ReplyDirective)


def test_an_exception_has_code_description_and_status(begin: Begin) -> None:
    life = begin({"on": [{"event": "*", "exception": {"code": 503, "description": "{{ event.payload.text }}"}}]})
    refusal = next(effect.refusal for effect in life.send(text_event("boom")) if isinstance(effect, Refuse))
    assert (refusal.status, refusal.code, refusal.description) == (503, 503, "boom")


def test_a_raw_answer_is_given_as_it_stands(begin: Begin) -> None:
    life = begin(
        {"on": [{"event": "*", "raw": {"status": 200, "headers": {"content-type": "text/html"}, "body": "<p>"}}]}
    )
    assert of(life.send(text_event()), AnswerRaw) == [AnswerRaw(UPLOAD, 200, (("content-type", "text/html"),), b"<p>")]


def test_delays_and_waits_hold_up_what_comes_behind_them(begin: Begin) -> None:
    life = begin(
        {
            "on": [
                {
                    "event": "*",
                    "delay": "1s",
                    "reply": ["Clova.Help", {"wait": "500ms"}, {"push": "Notifier.ClearIndicator"}, "Clova.Help"],
                }
            ]
        }
    )
    assert not of(life.send(text_event()), ReplyDirective)
    assert names(life.wait(1.0), ReplyDirective) == ["Clova.Help"]
    effects = life.wait(0.5)
    assert names(effects, Push) == ["Notifier.ClearIndicator"]
    assert names(effects, ReplyDirective) == ["Clova.Help"]
    assert effects[-1] == EndReply(UPLOAD)


def test_a_lost_event_calls_off_what_was_to_come(begin: Begin) -> None:
    life = begin({"on": [{"event": "*", "delay": "1s", "reply": "Clova.Help"}]})
    life.send(text_event())
    life.tell(EventLost(UPLOAD, "reset"))
    assert life.wait(5) == []


def test_answers_are_walked_in_turn_and_the_last_one_stays(begin: Begin) -> None:
    life = begin({"on": [{"event": "*", "in_turn": [{"exception": {"code": 500}}, {"reply": "Clova.Help"}]}]})
    kinds = [bool(of(life.send(text_event(message_id=f"m{n}"), stream=f"c1.{n}"), Refuse)) for n in range(3)]
    assert kinds == [True, False, False]


def test_answers_can_go_round_and_round(begin: Begin) -> None:
    life = begin({"on": [{"event": "*", "cycle": [{"exception": {"code": 500}}, {"reply": "Clova.Help"}]}]})
    kinds = [bool(of(life.send(text_event(message_id=f"m{n}"), stream=f"c1.{n}"), Refuse)) for n in range(4)]
    assert kinds == [True, False, True, False]


def test_an_upload_can_be_answered_before_it_has_ended(begin: Begin) -> None:
    """PROTOCOL 3.4; 8, row 14."""
    life = begin(
        {
            "on": [
                {
                    "event": "*",
                    "while_uploading": [{"after": {"audio": "500ms"}, "answer": "now"}],
                    "reply": "Clova.Help",
                }
            ]
        }
    )
    life.tell(EventBegan(UPLOAD, recognize(), {}))
    assert names(life.tell(heard(0.5)), ReplyDirective) == ["Clova.Help"]
    assert not of(life.tell(EventEnded(UPLOAD, Sound(seconds=0.6))), ReplyDirective)


def test_afterwards_begins_when_the_answer_was_sent(begin: Begin) -> None:
    life = begin(
        {
            "on": [
                {
                    "event": "*",
                    "reply": "Clova.Help",
                    "afterwards": [{"after": "2s", "push": "Notifier.ClearIndicator"}],
                }
            ]
        }
    )
    life.open()
    life.send(text_event())
    assert life.wait(10) == []
    life.tell(AnswerSent(UPLOAD))
    assert names(life.wait(2), Push) == ["Notifier.ClearIndicator"]


def test_recognize_without_an_audio_part_is_400(begin: Begin) -> None:
    """PROTOCOL 3.5: INF."""
    refusal = of(begin(WEATHER).send(recognize()), Refuse)[0]
    assert isinstance(refusal, Refuse)
    assert refusal.refusal.status == 400


# ---------------------------------------------------------------------- rules and state


def test_the_first_rule_that_fits_wins(begin: Begin) -> None:
    life = begin(
        """
on:
  - {name: a, event: TextRecognizer.Recognize, when: {payload.text: {contains: 날씨}}}
  - {name: b, event: "TextRecognizer.*"}
  - {name: c, event: "*"}
"""
    )
    assert life.send(text_event("오늘 날씨"))[0] == Matched(UPLOAD, "a")
    assert life.send(text_event("안녕", message_id="m2"))[0] == Matched(UPLOAD, "b")


def test_no_rule_fits_is_told_with_the_nearest_rule_and_each_miss(begin: Begin) -> None:
    life = begin(
        """
on:
  - {name: far, event: Alerts.AlertStarted}
  - {name: near, event: TextRecognizer.Recognize, in: asked, when: {payload.text: {matches: "^불"}}}
start: start
"""
        "  \n"
        "replies: {}\n"
        "downchannel: [{after: 1s, go: asked}]\n"
    )
    effects = life.send(text_event("안녕"))
    unmatched = next(effect for effect in effects if isinstance(effect, Unmatched))
    rule, misses = unmatched.nearest[0]
    assert rule == "near"
    assert [str(miss) for miss in misses] == [
        "state: expected asked, got start",
        'payload.text: expected a text that matches /^불/, got "안녕"',
    ]
    assert effects[-1] == EndReply(UPLOAD)


def test_an_event_that_nobody_knows_can_be_refused(begin: Begin) -> None:
    """PROTOCOL 8, row 20."""
    life = begin({"settings": {"unknown_event": 404}})
    refusal = of(life.send(Event("Coffee", "Brew", "m1", {})), Refuse)[0]
    assert isinstance(refusal, Refuse)
    assert refusal.refusal.status == 404


def test_a_rule_fits_only_as_often_as_it_says(begin: Begin) -> None:
    life = begin('on: [{name: once, event: "*", times: 1}, {name: then, event: "*"}]')
    assert [life.send(text_event(message_id=f"m{n}"))[0] for n in range(2)] == [
        Matched(UPLOAD, "once"),
        Matched(UPLOAD, "then"),
    ]


def test_a_dialogue_of_several_turns_keeps_its_state(begin: Begin) -> None:
    """ExpectSpeech and its follow-up with the same dialogRequestId and speechId (PROTOCOL 7.3)."""
    life = begin(
        """
vars: {dialogue: "", speech: ""}
on:
  - name: answer
    event: TextRecognizer.Recognize
    in: asked
    when:
      header.dialogRequestId: "{{ vars.dialogue }}"
      payload.speechId: "{{ vars.speech }}"
    reply: Clova.RenderText: {text: "{{ event.payload.text }}!"}
    go: start
  - name: question
    event: TextRecognizer.Recognize
    set: {dialogue: "{{ event.header.dialogRequestId }}", speech: "{{ uuid() }}"}
    go: asked
    reply:
      - SpeechRecognizer.ExpectSpeech:
          {expectSpeechId: "{{ vars.speech }}", explicit: true, timeoutInMilliseconds: 7000}
""".replace("reply: Clova.RenderText: {", "reply:\n      Clova.RenderText: {")
    )
    first = life.send(text_event("예약", dialogue="d7"))
    assert first[0] == Matched(UPLOAD, "question")
    assert StateChanged("start", "asked") in first
    speech = next(each.directive.payload["expectSpeechId"] for each in first if isinstance(each, ReplyDirective))
    follow_up = Event("TextRecognizer", "Recognize", "m2", {"text": "내일", "speechId": speech, "explicit": True}, "d7")
    second = life.send(follow_up)
    assert second[-1] == EndReply(UPLOAD)
    assert [each.directive.payload for each in second if isinstance(each, ReplyDirective)] == [{"text": "내일!"}]
    assert life.engine.memory.state == "start"


def test_two_devices_never_see_each_others_state(begin: Begin) -> None:
    scenario = {
        "vars": {"n": {"list": []}},
        "on": [{"event": "*", "set": {"n": 1}, "go": "done"}, {"event": "*", "in": "done"}],
    }
    one, other = begin(scenario), begin(scenario, token="token-0002")
    one.send(text_event())
    assert (one.engine.memory.state, other.engine.memory.state) == ("done", "start")
    assert other.engine.memory.vars == {"n": {"list": []}}


def test_a_reset_device_begins_anew(begin: Begin) -> None:
    life = begin({"vars": {"n": 0}, "on": [{"event": "*", "set": {"n": "{{ vars.n + 1 }}"}, "delay": "9s"}]})
    life.send(text_event())
    assert life.engine.memory.vars == {"n": 1}
    life.tell(DeviceReset())
    assert (life.engine.memory.vars, life.pending) == ({"n": 0}, 0)


def test_an_answer_that_waits_for_its_next_step_ends_with_a_reset(begin: Begin) -> None:
    """Else its stream would stay open for ever; one that nothing is put off of ends by itself."""
    reply = [{"Clova.RenderText": {"text": "a"}}, {"wait": "1s"}, {"Clova.RenderText": {"text": "b"}}]
    life = begin({"on": [{"event": "*", "reply": reply}]})
    life.send(text_event())
    assert of(life.tell(DeviceReset()), EndReply) == [EndReply(UPLOAD)]
    assert life.pending == 0
    whole = begin({"on": [{"event": "*", "reply": reply[:1]}]})
    whole.send(text_event())
    assert of(whole.tell(DeviceReset()), EndReply) == []


def test_a_message_id_sent_twice_is_a_finding_and_can_be_refused(begin: Begin) -> None:
    """PROTOCOL 8, row 21."""
    life = begin({"settings": {"duplicate_message_id": 400}})
    life.send(text_event())
    effects = life.send(text_event(), stream="c1.7")
    assert [each.finding.code for each in effects if isinstance(each, Found)] == ["message.id-twice"]
    assert of(effects, Refuse)


def test_a_template_that_cannot_be_rendered_is_a_finding_and_a_500_that_says_so(begin: Begin) -> None:
    life = begin({"on": [{"event": "*", "reply": {"Clova.RenderText": {"text": "{{ event.payload.nothing }}"}}}]})
    effects = life.send(text_event())
    assert [each.finding.code for each in effects if isinstance(each, Found)] == ["scenario.template"]
    refuse = next(each for each in effects if isinstance(each, Refuse))
    assert refuse.refusal.status == 500
    assert "nothing" in refuse.refusal.description


def test_a_seed_gives_the_same_ids_again(begin: Begin) -> None:
    scenario = {
        "settings": {"seed": 7},
        "on": [{"event": "*", "reply": {"Clova.RenderText": {"text": "{{ uuid() }}"}}}],
    }
    first, again = (begin(scenario).send(text_event()) for _ in range(2))
    assert first == again


def test_a_new_edition_of_the_scenario_keeps_state_and_variables(begin: Begin) -> None:
    scenario = {"vars": {"n": 0}, "on": [{"event": "*", "set": {"n": 5}, "go": "b"}, {"event": "*", "in": "b"}]}
    old, new = begin(scenario), begin(scenario)
    old.send(text_event())
    new.engine.take_over(old.engine)
    assert (new.engine.memory.state, new.engine.memory.vars) == ("b", {"n": 5})


def test_the_wall_time_of_templates_can_be_turned(begin: Begin) -> None:
    """An alarm in eight hours is tested in a millisecond."""
    life: Life = begin(
        {
            "on": [
                {
                    "event": "*",
                    "delay": "8h",
                    "reply": {"Clova.RenderText": {"text": "{{ now | plus('1h') | iso('+09:00') }}"}},
                }
            ]
        }
    )
    life.now = 0.0
    life.send(text_event())
    said = [each.directive.payload["text"] for each in life.wait(8 * 3600) if isinstance(each, ReplyDirective)]
    assert said == ["1970-01-01T18:00:00+09:00"]


# ---------------------------------------------------------------------- trouble of the scenario


@pytest.mark.parametrize(
    "rule",
    [
        {"delay": "{{ vars.nothing }}"},
        {"delay": "{{ 'soon' }}"},
        {"delay": "{{ 10**400 }}"},
        {"exception": {"description": "{{ vars.nothing }}"}},
        {"raw": {"body": "{{ vars.nothing }}"}},
        {"reply": [{"wait": "{{ vars.nothing }}"}]},
        {"while_uploading": [{"after": "{{ vars.nothing }}", "push": "Clova.Help"}]},
    ],
)
def test_an_event_is_answered_whatever_template_fails(begin: Begin, rule: dict[str, object]) -> None:
    life = begin({"vars": {"nothing": None}, "on": [{"event": "*", **rule}]})
    del life.engine.memory.vars["nothing"]
    effects = life.send(text_event())
    assert [each.finding.code for each in effects if isinstance(each, Found)] == ["scenario.template"]
    assert [each.refusal.status for each in effects if isinstance(each, Refuse)] == [500]


def test_a_failing_template_of_the_downchannel_is_a_finding_and_nothing_else_is_lost(begin: Begin) -> None:
    life = begin(
        {"vars": {"x": 1}, "downchannel": [{"after": "{{ vars.x }}s", "push": "Clova.Help"}], "on": [{"event": "*"}]}
    )
    del life.engine.memory.vars["x"]
    effects = life.open()
    assert names(effects, Push) == ["Clova.Hello"]
    assert [each.finding.code for each in effects if isinstance(each, Found)] == ["scenario.template"]
    assert life.send(text_event())[-1] == EndReply(UPLOAD)


def test_a_cue_that_comes_every_nothing_does_not_keep_the_server_busy(begin: Begin) -> None:
    life = begin({"vars": {"n": 0}, "downchannel": [{"every": "{{ vars.n }}", "push": "Clova.Help"}]})
    life.open()
    assert len(names(life.wait(1.0), Push)) <= 101


def test_a_device_that_makes_up_event_names_is_not_counted_without_end(begin: Begin) -> None:
    life = begin({"on": [{"event": "*"}]})
    for number in range(1500):
        life.send(Event("Made", f"Up{number}", f"m{number}", {}), stream=f"c1.{number}")
    assert len(life.engine.memory.counts) == 1000


def test_after_odd_lives_nothing_is_left_behind(begin: Begin) -> None:
    """Uploads lost, answered early, refused, never answered: no upload and no step stays."""
    life = begin(
        {
            "on": [
                {"event": "TextRecognizer.*", "delay": "1s", "reply": ["Clova.Help", {"wait": "1s"}, "Clova.Help"]},
                {"event": "Speech*.*", "while_uploading": [{"answer": "now"}, {"every": "1s", "push": "Clova.Help"}]},
            ]
        }
    )
    life.open()
    for number in range(50):
        stream = f"c1.{number}"
        life.tell(EventBegan(stream, (recognize, text_event)[number % 2](dialogue=f"d{number}"), {}))  # type: ignore[operator]  # either builder
        if number % 3:
            life.tell(EventEnded(stream, Sound(seconds=1.0) if number % 2 == 0 else None))
        life.wait(0.7)
        if number % 5 == 0:
            life.tell(AnswerSent(stream))
        life.tell(EventLost(stream, "gone"))
    life.tell(DownchannelClosed(LINE, "gone"))
    assert life.engine._uploads == {}
    assert len(life.engine._agenda) == 0


def test_another_scenario_knows_the_downchannel_that_is_open(begin: Begin) -> None:
    old, new = (
        begin({}),
        begin({"downchannel": [{"after": {"event": "*"}, "push": "Clova.Help"}], "on": [{"event": "*"}]}),
    )
    old.open()
    new.engine.keep_downchannel(old.engine)
    new.send(text_event())
    assert names(new.tell(AnswerSent(UPLOAD)), Push) == ["Clova.Help"]


def test_long_ids_and_names_are_not_kept_whole(begin: Begin) -> None:
    life = begin({"on": [{"event": "*"}]})
    for _ in range(2):
        effects = life.send(Event("Made", "x" * 100_000, "m" * 100_000, {}))
    assert "message.id-twice" in [each.finding.code for each in effects if isinstance(each, Found)]
    assert not life.engine.memory.counts
    assert max(map(len, life.engine._admission._seen)) <= 100


def test_cues_that_fall_due_in_one_piece_come_in_the_order_of_their_sound(begin: Begin) -> None:
    """Much sound may arrive at once; the file's order says nothing about time."""
    stop, keep = "push: SpeechRecognizer.StopCapture", "push: SpeechRecognizer.KeepRecording"
    cues = f"[{{after: {{audio: 1.0s}}, {stop}}}, {{after: {{bytes: 9600}}, {keep}}}]"
    life = begin(f"on: [{{event: SpeechRecognizer.Recognize, while_uploading: {cues}}}]")
    life.tell(EventBegan(UPLOAD, recognize("d1"), {}))
    pushed = of(life.tell(heard(2.0)), Push)
    pushed_names = [each.directive.name for each in pushed if isinstance(each, Push)]
    assert pushed_names == ["KeepRecording", "StopCapture"]
