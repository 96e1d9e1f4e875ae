"""What devices made of trouble, in numbers; and what a fault did is held against none of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import get_args

import pytest

from mockcic.scenario.faults.connection import Pong
from mockcic.scenario.faults.fault import ACTS
from mockcic.scenario.faults.line import Cut, CutHow
from mockcic.verdict.conformance import Recovery, judge, read_conformance, read_limits, read_recovery, recoveries_in
from mockcic.verdict.conformance.trouble import is_silence
from tests.support.story import FORM, HEADERS, SPEECH, TEXT, Life
from tests.verdict.conformance.test_rules import (
    CASES,
    FORMAT,
    SET,
    SETTING,
    SILENT,
    cut_report,
    line_cut,
    struggling,
    up,
)

SPEAK = "SpeechSynthesizer.Speak"
STARTED = "SpeechSynthesizer.SpeechStarted"
FINISHED = "SpeechSynthesizer.SpeechFinished"


def only(life: Life) -> Recovery:
    (found,) = recoveries_in(life)
    return found


def about(recovery: Recovery, *members: str) -> tuple[object, ...]:
    return tuple(round(value, 3) if isinstance(value := getattr(recovery, name), float) else value for name in members)


# ---------------------------------------------------------------------- numbers


def test_how_long_until_the_downchannel_was_back_and_after_what_attempts() -> None:
    found = only(struggling(1.0, 2.0, 4.0))
    assert about(found, "device", "faults", "strikes", "outcome", "back_s", "first_s", "attempts", "grows") == (
        "…4f2a", ("hang_up",), 4, "back", 8.01, 1.0, 4, True,
    )  # fmt: skip
    assert [round(each, 3) for each in found.spacing] == [1.0, 2.0, 4.0]
    assert (
        "back after 8.01 s; 4 attempts; the first after 1.00 s; then 1.00, 2.00, 4.00 s apart, growing" in found.text()
    )


def test_a_refused_request_is_an_attempt_with_its_status() -> None:
    life = up().hung_up(5.0).connect(6.0, "c2").refused(6.1, "GET /v1/directives", 503, connection="c2")
    life.refused(8.0, "GET /v1/directives", 401, connection="c2").open(12.0, connection="c2")
    found = only(life.idle(20.0))
    assert about(found, "attempts", "statuses") == (3, (503, 401))
    assert [round(each, 3) for each in found.spacing] == [2.0, 4.0]


def test_downchannels_that_are_taken_at_once_are_attempts_of_one_trouble() -> None:
    life = up()
    for at in (5.0, 6.0, 8.0):
        life.fault(at, "reset", on="downchannel", stream=life.line).close(at, "the device ended it").open(at + 0.9)
    first, *others = recoveries_in(life.idle(30.0))
    assert about(first, "strikes", "attempts", "outcome") == (2, 2, "back")
    assert len(others) == 1  # the third lived for more than a second


def test_connections_that_died_before_a_request_are_the_only_device_s_from_that_address() -> None:
    life = up().hung_up(5.0)
    life.connect(6.0, "c2", address="127.0.0.1:4").disconnect(6.0, "lost", connection="c2")
    life.connect(7.0, "c3", address="10.0.0.9:4").disconnect(7.0, "lost", connection="c3")
    found = only(life.back(8.0, "c4").idle(20.0))
    assert about(found, "attempts", "guessed", "unclear") == (2, 1, 0)


def test_calls_of_the_authorization_server_s_own_port_are_no_attempts() -> None:
    life = up().hung_up(5.0)
    for number in range(2, 8):
        at = {"connection": f"c{number}", "device": "", "stream": ""}
        life.add("fault", 6.0 + number / 50, "away", phase="struck", act="accept", on="accept", **at)
        life.add("connect", 6.0 + number / 50, "127.0.0.1:4", tls=True, port="auth", **at)
    life = life.back(8.0, "c9").idle(20.0)
    assert about(only(life), "attempts", "guessed") == (1, 0)
    assert judge(life).rule("recovery.storm").status == "not seen"


def test_where_two_devices_look_for_a_line_nobody_is_told_to_be_the_other() -> None:
    life = up()
    other = {"device": "…77ab", "connection": "c7", "stream": "c7.1"}
    life.connect(0.2, "c7", address="127.0.0.1:7").add("downchannel", 0.3, "open", replaced=False, **other)
    life.add("downchannel", 4.9, "closed", reason="its lifetime is over", **other)
    life.hung_up(5.0).connect(6.0, "c2").disconnect(6.0, "lost", connection="c2").back(8.0, "c4")
    life.add("downchannel", 9.0, "open", replaced=False, **{**other, "stream": "c7.3"})
    mine, theirs = (each for each in recoveries_in(life.idle(20.0)))
    assert [(each.attempts, each.guessed, each.unclear) for each in (mine, theirs)] == [(1, 0, 1), (1, 0, 1)]


def test_events_that_were_cut_are_said_again_or_lost() -> None:
    again = only(cut_report().tell(7.0, "Settings.Report", SETTING).idle(30.0))
    assert [len(each) for each in (again.cut, again.repeated, again.lost)] == [1, 1, 0]
    lost = only(cut_report().idle(30.0))
    assert [len(each) for each in (lost.cut, lost.repeated, lost.lost)] == [1, 0, 1]
    early = only(cut_report().idle(8.0))
    assert [len(each) for each in (early.cut, early.repeated, early.lost)] == [1, 0, 0]


def test_what_was_answered_and_is_said_again_is_doubled() -> None:
    found = only(line_cut().open(8.0).tell(9.0, "Settings.Report", SETTING, message_id="first").idle(30.0))
    assert (len(found.doubled), found.cut) == (1, ())


def test_how_long_silence_lasted_before_it_was_noticed() -> None:
    found = only(up().fault(5.0, "cut", detail=SILENT).back(20.0).close(20.1, "replaced", line="c1.1").idle(30.0))
    assert about(found, "noticed_s", "back_s") == (15.0, 15.01)
    assert "given up after 15.00 s of silence" in found.text()


def test_a_pause_that_a_refusal_asked_for_is_no_late_return() -> None:
    """`retry-after` of a minute: the device is back a minute later, and nobody blames it."""
    life = up().hung_up(5.0).refused(6.0, "GET /v1/directives", 503, retry_after=60, connection="c2").back(66.2, "c3")
    verdict = judge(life.idle(90.0))
    assert [verdict.rule(f"recovery.{each}").status for each in ("reconnected", "retry-after")] == ["kept", "kept"]


@pytest.mark.parametrize(("again_s", "status"), [(3.9, "broken"), (5.0, "kept"), (None, "not seen")])
def test_an_event_that_is_refused_with_a_time_to_wait_is_not_said_before(again_s: float | None, status: str) -> None:
    life = up().event(1.0, "Settings.Report", SETTING)
    life.add("answer", 1.1, "Settings.Report", status=429, seconds=0.1, lost=False, retry_after=5, **life._last)
    if again_s is not None:
        life.tell(1.1 + again_s, "Settings.Report", SETTING)
    assert judge(life.idle(30.0)).rule("recovery.retry-after").status == status


def test_what_was_on_its_way_when_a_refusal_came_is_not_said_again() -> None:
    """Two equal reports at once, two calls of the authorization server, a question in a dialogue of its own."""
    life = up()
    for began_s in (1.0, 1.05):
        life.event(began_s, "Settings.Report", SETTING)
        life.add("answer", 1.1, "Settings.Report", status=429, seconds=0.1, lost=False, retry_after=5, **life._last)
    life.refused(2.0, "POST /token", 503, retry_after=5).refused(2.01, "POST /token", 503, retry_after=5)
    life.event(3.0, "TextRecognizer.Recognize", TEXT, dialogue="d1")
    life.add(
        "answer", 3.1, "TextRecognizer.Recognize", status=503, seconds=0.1, lost=False, retry_after=30, **life._last
    )
    life.event(6.0, "TextRecognizer.Recognize", TEXT, dialogue="d2")
    assert judge(life.idle(30.0)).rule("recovery.retry-after").status == "not seen"


def test_waits_that_were_told_one_after_another_add_up() -> None:
    life = up().hung_up(5.0)
    for at_s in (5.1, 10.2, 15.3, 20.4):
        life.refused(at_s, "GET /v1/directives", 503, retry_after=5, connection="c2")
    assert judge(life.back(25.5, "c3").idle(60.0)).rule("recovery.reconnected").status == "kept"


def test_a_call_of_the_authorization_server_waits_too() -> None:
    life = up().refused(1.0, "POST /token", 503, retry_after=2).refused(2.0, "POST /token", 200).idle(30.0)
    assert judge(life).rule("recovery.retry-after").status == "broken"


@pytest.mark.parametrize("is_known", [True, False])
def test_refused_streams_are_told_with_how_many_were_sent_again_and_no_finding(is_known: bool) -> None:
    """Two are refused; one is said again. Of those that nobody had read any later event counts."""
    life = up()
    for at in (5.0, 5.1):
        stream = f"c1.{int(at * 100)}"
        if is_known:
            life.event(at, "Settings.Report", {**SETTING, "at": at}).cut(at)
            stream = str(life._last["stream"])
        life.fault(at, "reset", on="answer", stream=stream, detail="RST_STREAM REFUSED_STREAM")
    life.tell(6.0, "Settings.Report", {**SETTING, "at": 5.1}).idle(30.0)
    found = only(life)
    assert about(found, "strikes", "refused", "retried") == (2, 2, 1)
    assert "2 refused untouched, 1 of them sent again" in found.text()
    assert judge(life).broken == ()


def test_dialogues_that_go_on_after_trouble_are_told() -> None:
    life = up().event(1.0, TEXT, {"text": "피자"}, dialogue="d1")
    life.reply(1.1, "SpeechRecognizer.ExpectSpeech", {"expectSpeechId": "e1", "explicit": True}).answer(1.2, 200)
    life.hung_up(5.0).back(6.0)
    life.tell(7.0, TEXT, {"text": "큰", "speechId": "e1", "explicit": True}, dialogue="d1", connection="c2")
    assert only(life.idle(20.0)).went_on == ("d1",)


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_token_that_ends_with_its_downchannel_is_one_trouble(comes_back: bool) -> None:
    """The fault struck while an event was on its way, on its stream; the downchannel ends a moment later."""
    life = up().event(4.9, TEXT, {"text": "네"}).fault(5.0, "token", stream="c1.3", name="expires")
    life.answer(5.05, 200).close(5.06, "its token has expired").refused(5.2, "GET /v1/directives", 401)
    if comes_back:
        life.open(7.0)
    found = only(life.idle(30.0))
    told = ("back", 2) if comes_back else ("not back", 1)
    assert about(found, "faults", "strikes", "outcome", "attempts") == (("expires",), 1, *told)


def test_a_token_whose_end_the_device_hears_of_later_is_one_trouble() -> None:
    """Its downchannel stays, the next event gets 401; with another token the device connects anew."""
    life = up().fault(5.0, "token", name="expires").event(9.0, TEXT, {"text": "네"}).answer(9.1, 401)
    life.back(12.0).close(12.1, "the device ended it", line="c1.1").disconnect(12.1).idle(30.0)
    found = only(life)
    assert about(found, "faults", "outcome", "back_number") == (("expires",), "back", found.back_number)
    assert found.back_number


def test_a_downchannel_that_ended_without_a_fault_is_a_trouble_too() -> None:
    found = only(up().close(5.0, "its lifetime is over").open(6.0).idle(20.0))
    assert about(found, "faults", "outcome", "detail", "back_s") == ((), "back", "its lifetime is over", 1.0)


def test_a_device_that_goes_for_good_has_no_trouble() -> None:
    life = up().close(5.0, "the device ended it").disconnect(5.0).idle(60.0)
    assert recoveries_in(life) == ()


def test_a_fault_that_costs_nothing_is_told_and_the_same_again_is_one() -> None:
    life = up()
    for at in (5.0, 5.5, 6.0):
        life.fault(at, "pace", on="answer", stream=f"c1.{int(10 * at)}", lasts_s=0.2)
    assert about(only(life.idle(20.0)), "strikes", "outcome", "attempts") == (3, "unharmed", 0)


def test_what_struck_everybody_struck_each() -> None:
    """A listener that is gone knows no device."""
    life = up()
    life.add("fault", 5.0, "away", device="", phase="struck", act="listener", on="accept", lasts_s=10.0)
    life.close(5.0, "connection lost").disconnect(5.0, "fault away").back(17.0).idle(40.0)
    found = only(life)
    assert about(found, "faults", "acts_s", "back_s", "outcome") == (("away",), 10.0, 12.01, "back")
    assert judge(life).rule("recovery.reconnected").status == "kept"


def test_json_goes_there_and_back() -> None:
    life = struggling(1.0, 2.0, 4.0)
    value = json.loads(json.dumps(only(life).as_json()))
    assert read_recovery(value).as_json() == value
    verdict = judge(life)
    assert read_conformance(json.loads(json.dumps(verdict.as_json()))).devices[0].recoveries[0].attempts == 4
    assert "trouble   +5.000 fault hang_up ×4; back after 8.01 s" in verdict.text()
    with pytest.raises(ValueError, match="outcome: found 'fine', expected one of unharmed, back"):
        read_recovery({**value, "outcome": "fine"})


# ---------------------------------------------------------------------- rules at their edges


def test_a_device_may_be_in_a_pause_that_grew_when_trouble_is_over() -> None:
    """Who doubles it waits twice as long as all the trouble lasted at most."""

    def after(seconds: float) -> str:
        life = up()
        life.add("fault", 5.0, "away", device="", phase="struck", act="listener", on="accept", lasts_s=40.0)
        life.close(5.0, "connection lost").disconnect(5.0, "fault away")
        return judge(life.back(45.0 + seconds).idle(200.0)).rule("recovery.reconnected").status

    assert (after(84.0), after(86.0)) == ("kept", "broken")


def test_pauses_that_double_are_in_time_however_long_trouble_lasts() -> None:
    assert judge(struggling(1.0, 2.0, 4.0, 8.0, 16.0)).rule("recovery.reconnected").status == "kept"


def test_a_device_that_is_not_wanted_may_stay_away() -> None:
    life = up().hung_up(5.0).connect(6.0, "c2").refused(6.1, "GET /v1/directives", 403, connection="c2").idle(90.0)
    assert judge(life).rule("recovery.reconnected").status == "not seen"


def test_one_quick_repetition_is_no_storm() -> None:
    assert judge(struggling(0.05, 1.0, 2.0)).rule("recovery.storm").status == "kept"


def test_long_pauses_need_not_grow() -> None:
    assert judge(struggling(12.0, 12.0, 12.0)).rule("recovery.back-off").status == "kept"


def test_a_pause_that_a_refusal_asked_for_is_not_the_device_s() -> None:
    """It is told a second each time; of its own pauses there is one, from which nothing can be said."""

    def asked(**told: int) -> Life:
        life = up().hung_up(5.0)
        for number, at_s in enumerate((5.1, 6.1, 6.3, 7.3)):
            life.refused(at_s, "GET /v1/directives", 429 if number != 1 else 500, connection="c2", **told)
        return life.back(8.3, "c3").idle(20.0)

    assert judge(asked()).rule("recovery.back-off").status == "broken"
    assert judge(asked(retry_after=1)).rule("recovery.back-off").status == "not seen"
    assert only(asked(retry_after=1)).grows is None


def test_what_may_be_another_device_s_is_no_storm() -> None:
    life = up().hung_up(5.0)
    for number in range(2, 9):
        life.connect(6.0 + number / 50, f"c{number}").disconnect(6.0 + number / 50, "lost", connection=f"c{number}")
    assert judge(life.back(8.0, "c9").idle(20.0)).rule("recovery.storm").status == "not seen"


@pytest.mark.parametrize("how", get_args(CutHow))
def test_a_cut_connection_that_is_still_there_is_silent(how: CutHow) -> None:
    """The journal has its words only."""
    assert is_silence("cut", Cut(how=how).about()) == (how in ("silent", "deaf"))
    assert is_silence("cut", SILENT)


def test_a_late_answer_to_a_ping_is_told_as_late() -> None:
    assert Pong.model_validate({"how": {"late": "2s"}}).about().endswith(" late")
    assert " late" not in Pong(how="never").about()


@pytest.mark.parametrize(("detail", "kind", "status"), [
    ("PING is acknowledged never", "frame", "broken"),
    ("PING is acknowledged never", "get", "not seen"),
    ("PING is acknowledged 2 s late", "frame", "not seen"),
])  # fmt: skip
def test_only_who_pings_by_frames_can_notice_that_they_are_not_acknowledged(
    detail: str, kind: str, status: str
) -> None:
    life = up()
    life.add("fault", 5.0, "mute", connection="c1", phase="struck", act="pong", on="connection", detail=detail)
    for at in range(20, 200, 50):
        life.ping(float(at), kind)
    assert judge(life.idle(200.0)).rule("recovery.silence-noticed").status == status


def test_an_event_under_way_when_goaway_came_is_no_new_stream() -> None:
    life = up().fault(5.0, "goaway").event(5.5, "Settings.Report").answer(5.6, took=0.6).back(6.0).idle(30.0)
    assert judge(life).rule("recovery.goaway-obeyed").status == "kept"


# ---------------------------------------------------------------------- what a fault did


@pytest.mark.parametrize("rule", [rule for rule in CASES if rule.startswith("recovery.")])
def test_who_keeps_a_rule_of_recovery_breaks_no_other(rule: str) -> None:
    verdict = judge(CASES[rule][0](), read_limits({"ping_every_s": "off"}))
    assert verdict.ok, verdict.text()


def hurt(strike: Callable[[Life], object]) -> Life:
    """A voice request; something strikes its answer, and its Speak is never reported."""
    life = up().event(1.0, SPEECH, FORMAT, dialogue="d1")
    strike(life)
    life.reply(2.2, SPEAK, {"token": "t1"}).attachment(2.2, 1.0)
    return life.sound(2.0).answer(2.3, 200)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("on", ["answer", "downchannel", "connection", "accept", "token"])
def test_no_act_is_held_against_a_device_that_it_hit(act: str, on: str) -> None:
    """It says the same again as the same message, and reports nothing about what it may never have got."""

    def strike(life: Life) -> None:
        stream = {"answer": life.stream, "downchannel": life.line}.get(on, "")
        life.fault(2.1, act, on=on, stream=stream)

    life = hurt(strike).close(2.4, "the device ended it").disconnect(2.4).back(3.4)
    is_lost = on in ("answer", "connection")  # otherwise it has its answer
    dialogue, message_id = ("d1", "m1") if is_lost else ("d2", "other")
    life.event(4.0, SPEECH, FORMAT, dialogue=dialogue, message_id=message_id, connection="c2")
    life.sound(5.0).reply(5.1, SPEAK, {"token": "t2"}).answer(5.2, 200)
    life.tell(5.3, STARTED, {"token": "t2"}, connection="c2").tell(6.3, FINISHED, {"token": "t2"}, connection="c2")
    verdict = judge(life.idle(60.0))
    assert verdict.ok, verdict.text()


def at_once(life: Life, count: int) -> Life:
    for _ in range(count):
        life.event(4.99, "Settings.Report", SETTING)
    return life


EXCUSED: dict[str, tuple[str, Callable[[Life], Life], Callable[[Life], Life]]] = {
    "a report that never came": (
        "expect.reported",
        lambda life: life.event(4.0, TEXT, {"text": "날씨"}, dialogue="d1").reply(4.9, SPEAK, {"token": "t1"}).answer(
            4.95, 200
        ),
        lambda life: life.idle(60.0),
    ),
    "a beginning that was lost": (
        "expect.order",
        lambda life: life.event(4.0, TEXT, {"text": "날씨"}, dialogue="d1").reply(4.9, SPEAK, {"token": "t1"}).answer(
            4.95, 200
        ),
        lambda life: life.tell(6.0, FINISHED, {"token": "t1"}),
    ),
    "the same message again": (
        "message.id-unique",
        lambda life: life.tell(4.9, "Settings.Report", message_id="m1"),
        lambda life: life.tell(6.0, "Settings.Report", message_id="m1"),
    ),
    "the same words again": (
        "message.dialogue-new",
        lambda life: life.tell(4.9, TEXT, {"text": "날씨"}, dialogue="d1"),
        lambda life: life.tell(6.0, TEXT, {"text": "날씨"}, dialogue="d1"),
    ),
    "a report twice": (
        "expect.once",
        lambda life: life.push(4.0, "Alerts.SetAlert", SET).tell(4.9, "Alerts.SetAlertSucceeded", SET),
        lambda life: life.tell(6.0, "Alerts.SetAlertSucceeded", SET),
    ),
    "a state that could not be told": (
        "message.context-true",
        lambda life: life.tell(4.0, "AudioPlayer.PlayStarted", {"token": "s1"}),
        lambda life: life.tell(
            9.0, "Settings.Report", contexts={"AudioPlayer.PlaybackState": {"playerActivity": "IDLE"}}
        ),
    ),
    "a recording that went on": (
        "audio.stop-capture",
        lambda life: life.event(4.0, SPEECH, FORMAT, dialogue="d1").push(
            4.9, "SpeechRecognizer.StopCapture", dialogue="d1"
        ),
        lambda life: life.sound(8.0).answer(8.1),
    ),
    "a recording without a sound": (
        "audio.present",
        lambda life: life.event(4.99, SPEECH, FORMAT, dialogue="d1"),
        lambda life: life.answer(5.2, 503),
    ),
    "a body that was cut": (
        "multipart.last-delimiter",
        lambda life: life.event(4.99, SPEECH, FORMAT, dialogue="d1").sound(5.1),
        lambda life: life.finding(5.1, "multipart.last-delimiter").answer(5.2),
    ),
    "minutes without a ping": (
        "connection.ping",
        lambda life: life,
        lambda life: life.idle(300.0),
    ),
    "many streams that nobody answers": (
        "connection.streams",
        lambda life: at_once(life, 12),
        lambda life: life.idle(60.0),
    ),
    "a directive of a dialogue that was to end": (
        "dialogue.stale-dropped",
        lambda life: life.tell(1.0, TEXT, {"text": "하나"}, dialogue="d1").event(
            4.99, TEXT, {"text": "둘"}, dialogue="d2"
        ),
        lambda life: life.cut(5.0).push(5.2, SPEAK, {"token": "old"}, dialogue="d1").tell(
            5.3, STARTED, {"token": "old"}
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", EXCUSED)
def test_what_a_fault_explains_is_a_break_only_without_it(what: str) -> None:
    rule, before, after = EXCUSED[what]

    def status(*, struck: bool) -> str:
        life = before(up())
        if struck:
            lasts = {"lasts_s": 290.0} if rule in ("connection.ping", "connection.streams") else {}
            life.fault(5.0, "pace", on="connection", **lasts)
        return judge(after(life)).rule(rule).status

    assert status(struck=False) == "broken"
    assert status(struck=True) != "broken"


def test_what_had_no_answer_may_be_said_again_whoever_ended_its_stream() -> None:
    """No fault is needed for that; to say it twice at once is another thing."""
    life = up().event(2.0, "Settings.Report", SETTING, message_id="first").cut(2.5)
    assert judge(life.tell(3.0, "Settings.Report", SETTING, message_id="first")).rule("message.id-unique").broken == 0
    twice = up().event(2.0, "Settings.Report", SETTING, message_id="first")
    assert judge(twice.tell(2.1, "Settings.Report", SETTING, message_id="first")).rule("message.id-unique").broken == 1


def test_a_report_that_is_said_again_may_be_of_what_is_over() -> None:
    """The contexts tell how it is now."""
    life = up().event(2.0, STARTED, {"token": "t1"}).cut(2.1).tell(2.5, FINISHED, {"token": "t1"})
    life.tell(3.0, STARTED, {"token": "t1"})
    contexts = {"SpeechSynthesizer.SpeechState": {"playerActivity": "FINISHED", "token": "t1"}}
    assert judge(life.tell(9.0, "Settings.Report", contexts=contexts)).rule("message.context-true").broken == 0
    once = up().tell(3.0, STARTED, {"token": "t1"}).tell(9.0, "Settings.Report", contexts=contexts)
    assert judge(once).rule("message.context-true").broken == 1


def test_an_event_that_crossed_the_end_of_the_downchannel_is_no_event_before_it() -> None:
    request = {**HEADERS, **FORM}
    life = line_cut().refused(5.02, "POST /v1/events", 412, "there is no downchannel", request=request)
    assert judge(life.open(6.0).idle(20.0)).ok


def test_a_fault_of_one_device_excuses_no_other() -> None:
    life = up().hung_up(5.0).back(6.0).idle(30.0)
    where = {"device": "…77ab", "connection": "c7"}
    life.add("downchannel", 0.1, "open", replaced=False, stream="c7.1", request=HEADERS, **where)
    life.add("downchannel", 5.0, "closed", stream="c7.1", reason="its lifetime is over", **where)
    life.idle(60.0)
    verdicts = {each.device: each.rule("connection.reopened").status for each in judge(life).devices}
    assert verdicts == {"…4f2a": "not seen", "…77ab": "broken"}


def test_headers_and_payloads_are_judged_whatever_strikes() -> None:
    life = (
        up()
        .fault(5.0, "reset")
        .tell(5.1, TEXT, {"text": 5}, dialogue="d1", request={**HEADERS, **FORM, "user-agent": "x"})
    )
    broken = {each.rule.id for each in judge(life).broken}
    assert {"message.payload", "headers.user-agent"} <= broken
