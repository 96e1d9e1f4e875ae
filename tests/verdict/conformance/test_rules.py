"""Each rule: a life that keeps it, one that breaks it, and what is said of that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mockcic.verdict.conformance import RULES, Limits, judge
from tests.support.story import AUDIO_PART, FORM, HEADERS, JSON_PART, SPEECH, TEXT, Life

Cases = dict[str, tuple[Callable[[], Life], Callable[[], Life], str]]

SILENT = "the connection is read and never answered any more"
SETTING = {"configuration": {"VoiceTypeChange": "v1"}}
SET = {"token": "a1", "type": "ALARM"}
SPEAK = "SpeechSynthesizer.Speak"
STOP = "SpeechRecognizer.StopCapture"
ASK = "SpeechRecognizer.ExpectSpeech"
FORMAT = {"format": "AUDIO_L16_RATE_16000_CHANNELS_1", "lang": "ko"}


def up() -> Life:
    return Life().connect().open()


def asked() -> Life:
    """A question was put to the user in dialogue d1."""
    life = up().event(1.0, TEXT, {"text": "피자"}, dialogue="d1")
    return life.reply(1.1, ASK, {"expectSpeechId": "e1", "explicit": True}).answer(1.2, 200)


def spoken(seconds: float | None = None) -> Life:
    """A Speak of token t1 was the answer."""
    life = up().event(1.0, TEXT, {"text": "날씨"}, dialogue="d1").reply(1.1, SPEAK, {"token": "t1"})
    return (life if seconds is None else life.attachment(1.1, seconds)).answer(1.2, 200)


def loud(volume: object) -> Life:
    contexts = {"Speaker.VolumeState": {"volume": volume, "muted": False}}
    return up().tell(1.0, TEXT, {"text": "네"}, dialogue="d1", contexts=contexts)


def wake(start: int, end: int, **sound: object) -> Life:
    indices = {"startIndexInSamples": start, "endIndexInSamples": end}
    initiator = {"type": "WAKEWORD", "payload": {"wakeWord": {"indices": indices}}}
    return up().event(1.0, SPEECH, {**FORMAT, "initiator": initiator}, dialogue="d1").sound(2.0, **sound).answer(2.1)


def heard(**sound: object) -> Life:
    return up().event(1.0, SPEECH, FORMAT, dialogue="d1").sound(2.0, **sound).answer(2.1)


def stopped(end: float) -> Life:
    life = up().event(1.0, SPEECH, FORMAT, dialogue="d1").push(2.0, STOP, dialogue="d1")
    return life.sound(end).answer(end + 0.1)


def played(report: bool, until: float) -> Life:
    progress = {"progressReportIntervalInMilliseconds": 2000}
    item = {"audioItemId": "i1", "stream": {"token": "s1", "progressReport": progress}}
    life = up().event(1.0, TEXT, {"text": "음악"}, dialogue="d1").reply(1.1, "AudioPlayer.Play", {"audioItem": item})
    life.answer(1.2, 200).tell(1.3, "AudioPlayer.PlayStarted", {"token": "s1", "offsetInMilliseconds": 0})
    if report:
        life.tell(3.3, "AudioPlayer.ProgressReportIntervalPassed", {"token": "s1", "offsetInMilliseconds": 2000})
    return life.idle(until)


def alarm(rings_at: float | None) -> Life:
    """Set for ten seconds after the journal began, which is at 03:00:00 UTC."""
    payload = {**SET, "scheduledTime": "2026-03-02T12:00:10+09:00"}
    life = up().push(1.0, "Alerts.SetAlert", payload).tell(1.1, "Alerts.SetAlertSucceeded", SET)
    if rings_at is not None:
        life.tell(rings_at, "Alerts.AlertStarted", SET)
    return life.idle(40.0)


def late(report: str | None) -> Life:
    """The answer to d1 comes when d2 has been asked."""
    life = up().event(1.0, TEXT, {"text": "하나"}, dialogue="d1").tell(1.5, TEXT, {"text": "둘"}, dialogue="d2")
    life.push(2.0, SPEAK, {"token": "old"}, dialogue="d1")
    if report:
        life.tell(2.1, report, {"token": "old"})
    return life.idle(20.0)


def beside_unknown(obeys: bool) -> Life:
    life = up().event(1.0, TEXT, {"text": "날씨"}, dialogue="d1")
    life.reply(1.1, "Clova.Nonsense").reply(1.1, SPEAK, {"token": "t1"}).answer(1.2, 200)
    return (life.tell(1.3, "SpeechSynthesizer.SpeechStarted", {"token": "t1"}) if obeys else life).idle(20.0)


def at_once(count: int) -> Life:
    life = up()
    for _ in range(count):
        life.event(1.0, "Settings.Report", {})
    return life.idle(2.0)


def playing(activity: str) -> Life:
    item = {"audioItemId": "i1", "stream": {"token": "s1"}}
    life = up().push(1.0, "AudioPlayer.Play", {"audioItem": item})
    life.tell(1.1, "AudioPlayer.PlayStarted", {"token": "s1"})
    contexts = {"AudioPlayer.PlaybackState": {"playerActivity": activity}}
    return life.tell(4.0, "Settings.Report", contexts=contexts).idle(9.0)


def told(*names: str, token: str = "t1") -> Life:
    life = spoken()
    for count, name in enumerate(names):
        life.tell(1.3 + count, f"SpeechSynthesizer.{name}", {"token": token})
    return life


def struggling(*pauses: float) -> Life:
    """The connection is hung up; a second later attempts begin, all but the last are struck."""
    life, at = up().hung_up(5.0), 6.0
    for number, pause in enumerate(pauses, 2):
        life.connect(at, f"c{number}").fault(at, "hang_up", on="accept", connection=f"c{number}")
        life.disconnect(at, "fault hang_up", connection=f"c{number}")
        at += pause
    return life.back(at, "c99").idle(60.0)


def told_to_wait(pause: float) -> Life:
    """The downchannel is cut; a new one is refused, with five seconds to wait, and asked for again after a pause."""
    life = line_cut().refused(6.0, "GET /v1/directives", 503, "no service at the moment", retry_after=5)
    return life.open(6.0 + pause).idle(30.0)


def line_cut() -> Life:
    """Settings were reported; the downchannel alone is reset later."""
    life = up().tell(1.0, "Settings.Report", SETTING, message_id="first")
    life.fault(5.0, "reset", on="downchannel", stream=life.line)
    return life.close(5.0, "the device ended it")


def cut_report() -> Life:
    """The connection is hung up before a report is answered, and the device comes back."""
    life = up().event(4.9, "Settings.Report", SETTING).fault(5.0, "hang_up").cut(5.0)
    return life.close(5.0, "connection lost").disconnect(5.0, "fault hang_up").back(6.0)


CASES: Cases = {
    "connection.hello-awaited": (
        lambda: up().tell(1.0, "Settings.Report"),
        lambda: Life().connect().open(0.1, hello=2.0).tell(1.0, "Settings.Report"),
        "before Clova.Hello",
    ),
    "connection.downchannel-first": (
        lambda: up().tell(1.0, "Settings.Report"),
        lambda: Life().connect().tell(0.05, "Settings.Report").open(0.1),
        "before there was a downchannel",
    ),
    "connection.one-downchannel": (
        up,
        lambda: up().open(5.0, replaced=True),
        "a second downchannel on c1",
    ),
    "connection.same-connection": (
        lambda: up().tell(1.0, "Settings.Report"),
        lambda: up().refused(1.0, "POST /v1/events", 412, "the downchannel is on another connection", connection="c2"),
        "an event on c2",
    ),
    "connection.reopened": (
        lambda: up().close(5.0, "its lifetime is over").open(6.0),
        lambda: up().close(5.0, "its lifetime is over").idle(30.0),
        "no new downchannel 25.0 s after",
    ),
    "connection.reopen-storm": (
        lambda: up().close(1.0, "its lifetime is over").refused(1.1, "GET /v1/directives", 429, "").open(2.2),
        lambda: up().refused(0.2, "GET /v1/directives", 429, "").refused(0.25, "GET /v1/directives", 429, ""),
        "again after 100 ms",
    ),
    "connection.ping": (
        lambda: up().ping(60.0).ping(120.0, "get").idle(150.0),
        lambda: up().ping(10.0).idle(150.0),
        "no ping for 140.0 s",
    ),
    "connection.ping-unanswered": (
        lambda: up().ping(60.0, "get", unanswered=True).connect(70.0, "c2").open(70.1, connection="c2"),
        lambda: up().ping(60.0, "get", unanswered=True).idle(120.0),
        "no new connection 60.0 s after GET /ping",
    ),
    "connection.streams": (lambda: at_once(9), lambda: at_once(10), "11 streams at once"),
    "headers.token": (up, lambda: up().refused(1.0, "POST /v1/events", 401, "no bearer token", request={}), "without"),
    "headers.user-agent": (up, lambda: Life().open(request={**HEADERS, "user-agent": "curl/8.5.0"}), "curl/8.5.0"),
    "headers.user-agent-same": (
        lambda: up().tell(1.0, "Settings.Report"),
        lambda: up().tell(1.0, "Settings.Report", request={**HEADERS, **FORM, "user-agent": "Acme/B/1.0.0 (a;b)"}),
        "Acme/B/1.0.0 (a;b)",
    ),
    "headers.content-type": (
        lambda: up().tell(1.0, "Settings.Report"),
        lambda: up().refused(1.0, "POST /v1/events", 400, "", request={**HEADERS, "content-type": "text/plain"}),
        "text/plain",
    ),
    "headers.tags": (
        lambda: Life().open(request={**HEADERS, "x-clova-device-tags": "kitchen, beta"}),
        lambda: Life().open(request={**HEADERS, "x-clova-device-tags": "kitchen,,beta"}),
        "kitchen,,beta",
    ),
    "token.refused-again": (
        lambda: up().refused(1.0, "POST /v1/events", 401, ""),
        lambda: up().refused(1.0, "POST /v1/events", 401, "").refused(2.0, "POST /v1/events", 401, "")
        .refused(3.0, "POST /v1/events", 401, "").refused(4.0, "POST /v1/events", 401, ""),
        "3 times more",
    ),
    "multipart.names": (
        heard,
        lambda: heard(parts=[{**AUDIO_PART, "name": "audio.wav"}]),
        'named "audio.wav"',
    ),
    "multipart.order": (heard, lambda: heard().finding(3.0, "multipart.metadata-first", "audio first"), "audio first"),
    "multipart.types": (
        heard,
        lambda: up().tell(1.0, "Settings.Report", parts=[{**JSON_PART, "headers": {"content-type": "text/json"}}]),
        "of type text/json",
    ),
    "multipart.delimiters": (heard, lambda: heard().finding(3.0, "multipart.part-header", "no blank"), "no blank"),
    "multipart.last-delimiter": (heard, lambda: heard().finding(3.0, "multipart.last-delimiter", "END"), "END"),
    "multipart.line-ends": (heard, lambda: heard().finding(3.0, "multipart.line-ends", "LF"), "LF"),
    "multipart.one-audio-part": (heard, lambda: heard(parts=[AUDIO_PART] * 5), "5 audio parts"),
    "message.json": (heard, lambda: heard().finding(3.0, "message.json", "no JSON"), "no JSON"),
    "message.envelope": (heard, lambda: heard().finding(3.0, "message.shape", "no header"), "no header"),
    "message.id-unique": (
        heard,
        lambda: up().tell(1.0, "Settings.Report", message_id="m1").tell(2.0, "Settings.Report", message_id="m1"),
        "messageId m1",
    ),
    "message.known": (heard, lambda: up().tell(1.0, "TextRecognizer.Recognise"), "TextRecognizer.Recognise"),
    "message.payload": (heard, lambda: up().tell(1.0, TEXT, {"text": 5}, dialogue="d1"), "payload.text"),
    "message.context": (lambda: loud(3), lambda: loud("3"), "volume"),
    "message.context-complete": (
        lambda: up().tell(1.0, "Alerts.RequestSynchronizeAlert", contexts={"Alerts.AlertsState": {}}),
        lambda: up().tell(1.0, "Alerts.RequestSynchronizeAlert").tell(2.0, "Alerts.AlertStarted"),
        "without Alerts.AlertsState",
    ),
    "message.context-true": (lambda: playing("PLAYING"), lambda: playing("IDLE"), "playerActivity IDLE"),
    "message.dialogue-required": (heard, lambda: up().tell(1.0, TEXT, {"text": "네"}), "without dialogRequestId"),
    "message.dialogue-new": (
        lambda: up().tell(1.0, TEXT, {"text": "하나"}, dialogue="d1").tell(2.0, TEXT, {"text": "둘"}, dialogue="d2"),
        lambda: up().tell(1.0, TEXT, {"text": "하나"}, dialogue="d1").tell(2.0, TEXT, {"text": "둘"}, dialogue="d1"),
        "dialogRequestId d1 again",
    ),
    "message.dialogue-kept": (
        lambda: asked().tell(3.0, TEXT, {"text": "큰", "speechId": "e1", "explicit": True}, dialogue="d1"),
        lambda: asked().tell(3.0, TEXT, {"text": "큰", "speechId": "e1", "explicit": True}, dialogue="d2"),
        "with dialogRequestId d2",
    ),
    "message.speech-id": (
        lambda: asked().tell(3.0, TEXT, {"text": "큰", "speechId": "e1", "explicit": True}, dialogue="d1"),
        lambda: asked().tell(3.0, TEXT, {"text": "큰", "explicit": True}, dialogue="d1"),
        "speechId absent",
    ),
    "audio.present": (heard, lambda: heard(bytes=0), "an audio part without a byte"),
    "audio.format": (heard, lambda: heard(suspicions=["big-endian"]), "looks like big-endian"),
    "audio.pace": (
        heard,
        lambda: heard(bytes=160_000, arrived=[[0, 6400], [300, 160_000]]),
        "5.0 s of sound within 0.3 s",
    ),
    "audio.stop-capture": (lambda: stopped(2.1), lambda: stopped(4.0), "ended 2.00 s after StopCapture"),
    "audio.wake-word": (lambda: wake(4800, 16_000), lambda: wake(1600, 16_000), "100 ms of sound before"),
    "audio.level": (heard, lambda: heard(clipped=0.3), "30 % of the samples"),
    "expect.reported": (
        lambda: told("SpeechStarted", "SpeechFinished").idle(20.0),
        lambda: spoken().idle(20.0),
        "no SpeechSynthesizer.SpeechStarted",
    ),
    "expect.once": (
        lambda: told("SpeechStarted", "SpeechFinished"),
        lambda: told("SpeechStarted", "SpeechFinished", "SpeechFinished"),
        "SpeechFinished 2 times",
    ),
    "expect.order": (
        lambda: told("SpeechStarted", "SpeechFinished"),
        lambda: told("SpeechFinished", "SpeechStarted"),
        "SpeechFinished (token t1) before",
    ),
    "expect.foreign": (lambda: told("SpeechStarted"), lambda: told("SpeechStarted", token="t9"), "token t9"),
    "expect.alert-rings": (lambda: alarm(10.2), lambda: alarm(None), "no AlertStarted"),
    "expect.progress": (lambda: played(True, 9.0), lambda: played(False, 9.0), "ProgressReportIntervalPassed"),
    "dialogue.stale-dropped": (
        lambda: late(None),
        lambda: late("SpeechSynthesizer.SpeechStarted"),
        "of the old dialogue d1",
    ),
    "dialogue.idless-obeyed": (
        lambda: up().push(1.0, "Settings.ExpectReport").tell(1.1, "Settings.Report"),
        lambda: told("SpeechStarted").push(3.0, "Settings.ExpectReport").idle(20.0),
        "without dialogRequestId",
    ),
    "dialogue.current-obeyed": (
        lambda: beside_unknown(True),
        lambda: beside_unknown(False),
        "beside an unknown directive",
    ),
    "recovery.reconnected": (
        lambda: up().hung_up(5.0).back(6.0).idle(30.0),
        lambda: up().hung_up(5.0).idle(30.0),
        "no downchannel 25.0 s after fault hang_up was over, not one attempt seen",
    ),
    "recovery.storm": (lambda: struggling(1.0, 2.0, 4.0), lambda: struggling(*[0.02] * 6), "7 attempts within 0.12 s"),
    "recovery.back-off": (
        lambda: struggling(1.0, 2.0, 4.0),
        lambda: struggling(1.0, 1.0, 1.0),
        "pauses of 1.00, 1.00, 1.00 s between 4 attempts",
    ),
    "recovery.retry-after": (
        lambda: told_to_wait(5.1),
        lambda: told_to_wait(2.0),
        "GET /v1/directives again 2.00 s after a refusal with `retry-after: 5`",
    ),
    "recovery.events-wait": (
        lambda: line_cut().open(8.0).tell(9.0, "Settings.Report", SETTING),
        lambda: line_cut().refused(7.0, "POST /v1/events", 412, "no downchannel").open(8.0),
        "1 event where fault reset had ended the downchannel",
    ),
    "recovery.event-repeated": (
        lambda: cut_report().tell(7.0, "Settings.Report", SETTING).idle(30.0),
        lambda: line_cut().open(8.0).tell(9.0, "Settings.Report", SETTING, message_id="first").idle(30.0),
        "Settings.Report again after fault reset, although it had been answered with 204",
    ),
    "recovery.event-lost": (
        lambda: cut_report().tell(7.0, "Settings.Report", SETTING).idle(30.0),
        lambda: cut_report().idle(30.0),
        "Settings.Report was cut by fault hang_up, and did not come again",
    ),
    "recovery.silence-noticed": (
        lambda: up().ping(1.0).fault(5.0, "cut", detail=SILENT).back(75.0)
        .close(75.1, "replaced", line="c1.1").idle(99.0),
        lambda: up().ping(1.0).fault(5.0, "cut", detail=SILENT).idle(200.0),
        "still on c1 after 195.0 s of silence (fault cut)",
    ),
    "recovery.goaway-obeyed": (
        lambda: up().fault(5.0, "goaway").close(5.2, "the device ended it").disconnect(5.2).back(5.5)
        .tell(7.0, "Settings.Report", SETTING, connection="c2").idle(30.0),
        lambda: up().fault(5.0, "goaway").tell(7.0, "Settings.Report").idle(30.0),
        "POST /v1/events on c1 2.00 s after GOAWAY (fault goaway)",
    ),
}  # fmt: skip


def test_every_rule_has_its_lives() -> None:
    assert list(CASES) == [rule.id for rule in RULES]


@pytest.mark.parametrize("rule", CASES)
def test_a_device_keeps_it(rule: str) -> None:
    verdict = judge(CASES[rule][0]()).rule(rule)
    assert verdict.status == "kept", verdict.text()


@pytest.mark.parametrize("rule", CASES)
def test_a_device_breaks_it_and_is_told_what_was_found(rule: str) -> None:
    verdict = judge(CASES[rule][1]()).rule(rule)
    assert verdict.status == "broken"
    assert any(CASES[rule][2] in each.found for each in verdict.breaks), verdict.text()
    assert all(each.expected for each in verdict.breaks)


@pytest.mark.parametrize("rule", CASES)
def test_an_empty_life_says_nothing_about_it(rule: str) -> None:
    """A rule is not kept because nothing happened."""
    life = Life().connect()
    life.add("device", 0.1, "new", user_agent="")
    life.refused(0.2, "GET /nowhere", 404, "there is nothing", request={})
    known = {"headers.token", "headers.user-agent", "connection.downchannel-first"}
    verdict = judge(life).rule(rule)
    assert verdict.status == "not seen" or rule in known


# ---------------------------------------------------------------------- no false alarm


def test_a_false_alarm_that_is_cut_off_says_nothing_about_the_wake_word() -> None:
    """The upload ends where the mock ended it (PROTOCOL 7.4)."""
    indices = {"startIndexInSamples": 4800, "endIndexInSamples": 9000}
    initiator = {"type": "WAKEWORD", "payload": {"wakeWord": {"indices": indices}}}
    life = up().event(1.0, SPEECH, {**FORMAT, "initiator": initiator}, dialogue="d1")
    life.push(1.1, "SpeechRecognizer.ConfirmWakeUp", {"success": False}, dialogue="d1")
    assert judge(life.sound(1.3, bytes=12_800).answer(1.4)).rule("audio.wake-word").status == "not seen"


def test_a_report_that_is_not_yet_due_is_no_break() -> None:
    assert judge(spoken().idle(5.0)).rule("expect.reported").status == "not seen"


def test_a_device_that_went_away_owes_no_report() -> None:
    life = spoken().close(2.0, "connection lost").idle(40.0)
    assert judge(life).rule("expect.reported").status == "not seen"


def test_speech_behind_other_speech_has_the_time_of_both() -> None:
    """Speak directives are played in the order received (PROTOCOL 4.4)."""
    life = (
        up().event(1.0, TEXT, {"text": "뉴스"}, dialogue="d1").reply(1.1, SPEAK, {"token": "t1"}).attachment(1.1, 60.0)
    )
    life.reply(1.2, SPEAK, {"token": "t2"}).attachment(1.2, 5.0).answer(1.2, 200)
    for at, name, token in (
        (1.3, "Started", "t1"),
        (61.3, "Finished", "t1"),
        (61.4, "Started", "t2"),
        (66.4, "Finished", "t2"),
    ):
        life.tell(at, f"SpeechSynthesizer.Speech{name}", {"token": token})
    assert judge(life.idle(100.0)).rule("expect.reported").status == "kept"


def test_a_new_utterance_empties_the_queue_of_the_old_dialogue() -> None:
    life = spoken().tell(1.3, TEXT, {"text": "그만"}, dialogue="d2").idle(40.0)
    assert judge(life).rule("expect.reported").status == "not seen"


def test_pausing_what_does_not_play_is_reported_by_nobody() -> None:
    life = up().push(1.0, "PlaybackController.Pause").idle(40.0)
    assert judge(life).rule("expect.reported").status == "not seen"


def test_a_device_that_leaves_by_itself_need_not_come_back() -> None:
    life = up().close(5.0, "connection lost")
    life.add("disconnect", 5.0, "127.0.0.1:50001", device="", connection="c1", reason="closed by the client")
    assert judge(life.idle(60.0)).rule("connection.reopened").status == "not seen"


def test_a_line_that_the_mock_cut_is_to_be_opened_anew() -> None:
    life = up().close(5.0, "connection lost")
    life.add("disconnect", 5.0, "127.0.0.1:50001", device="", connection="c1", reason="aborted by the mock")
    assert judge(life.idle(60.0)).rule("connection.reopened").status == "broken"


def test_a_context_ahead_of_its_report_is_none_against_it() -> None:
    """The device changes its state, then tells it: another event may be in between."""
    life = playing("PLAYING")
    contexts = {"AudioPlayer.PlaybackState": {"playerActivity": "STOPPED"}}
    life.tell(10.0, "Settings.Report", contexts=contexts).tell(10.2, "AudioPlayer.PlayStopped", {"token": "s1"})
    assert judge(life).rule("message.context-true").status == "kept"


def test_who_is_stopped_within_the_wake_word_sends_no_more_of_it() -> None:
    """StopCapture may come that soon (PROTOCOL 3.4)."""
    indices = {"startIndexInSamples": 4800, "endIndexInSamples": 17_600}
    payload = {**FORMAT, "initiator": {"type": "WAKEWORD", "payload": {"wakeWord": {"indices": indices}}}}
    life = up().event(1.0, SPEECH, payload, dialogue="d1").push(2.0, STOP, dialogue="d1").sound(2.1).answer(2.2)
    assert judge(life).rule("audio.wake-word").status == "not seen"


def test_alerts_that_the_server_replaced_are_gone_without_a_report() -> None:
    """PROTOCOL 7.1: SynchronizeAlert has no report."""
    none = {"Alerts.AlertsState": {"allAlerts": [], "activeAlerts": []}}
    life = up().tell(1.0, "Alerts.SetAlertSucceeded", SET)
    life.push(2.0, "Alerts.SynchronizeAlert", {"allAlerts": []})
    life.tell(3.0, "Settings.Report", {"configuration": {}}, contexts=none)
    assert judge(life).rule("message.context-true").status == "not seen"
    life = up().tell(1.0, "Alerts.SetAlertSucceeded", SET)
    life.tell(3.0, "Settings.Report", {"configuration": {}}, contexts=none)
    assert judge(life).rule("message.context-true").status == "broken"


def test_rules_that_need_everything_are_not_judged_when_entries_were_dropped() -> None:
    verdict = judge(told("SpeechStarted", token="t9"), is_whole=False).rule("expect.foreign")
    assert (verdict.status, verdict.notes) == ("not seen", ("older entries of the device were dropped",))


def test_the_seed_is_not_asked_for_what_came_later() -> None:
    """PROTOCOL section 0: what came later cannot be asked of a client written to the seed."""
    life = (
        Life().connect().tell(1.0, TEXT, {"text": "네"}, dialogue="d1", request={**FORM, "authorization": "Bearer t"})
    )
    assert not judge(life).ok
    assert judge(life, profile="seed").ok


def test_limits_are_for_one_run() -> None:
    assert judge(stopped(4.0), Limits(stop_within_s=3.0)).rule("audio.stop-capture").status == "kept"


def test_health_checks_are_no_devices() -> None:
    assert judge(Life().connect().ping(1.0, "get", request={})).devices == ()
