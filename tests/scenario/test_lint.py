"""What is well formed but makes no sense is told when the file is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent, indent

import pytest

from mockcic.cic.catalogue import catalogue
from mockcic.errors import Problem, ScenarioError
from mockcic.scenario.load import load_text


def lint(text: str, folder: Path | None = None) -> list[Problem]:
    """Everything that is wrong with a scenario, warnings too."""
    try:
        return list(load_text("scenario: test\n" + dedent(text), "x.yaml", folder).warnings)
    except ScenarioError as error:
        return list(error.problems)


def told(text: str) -> list[str]:
    return [f"{problem.line}:{problem.column} {problem.severity}: {problem.what}" for problem in lint(text)]


def only(text: str) -> Problem:
    problems = lint(text)
    assert len(problems) == 1, problems
    return problems[0]


def marked(problem: Problem) -> str:
    """The part of the line the carets are under."""
    return problem.source[problem.column - 1 :][: problem.width]


def reply(step: str) -> str:
    """A scenario with one rule and one step."""
    return "on:\n  - event: TextRecognizer.Recognize\n    reply:\n" + indent(dedent(step).strip(), "      ")


class TestDirectives:
    """Against the catalogue."""

    def test_an_unknown_directive_is_told_with_what_was_meant(self) -> None:
        """Issue of the author: a name nobody knows is never sent by accident."""
        problem = only(reply("- SpeechSynthesizer.Speek: {ttsLang: ko}"))
        assert marked(problem) == "SpeechSynthesizer.Speek"
        assert problem.what == 'unknown directive "SpeechSynthesizer.Speek"'
        assert problem.expected == "a directive of the catalogue; did you mean SpeechSynthesizer.Speak?"
        assert problem.mend == "`mockcic interfaces SpeechSynthesizer` lists them"

    @pytest.mark.parametrize(
        "text",
        [
            reply("Clova.Helo"),
            reply("- push: Clova.Helo"),
            reply("- push: [{wait: 1s}, Clova.Helo: {}]"),
            "replies: {x: [Clova.Helo]}\n",
            "downchannel: [{after: 1s, push: Clova.Helo}]\n",
            "otherwise: {reply: Clova.Helo}\n",
            "on: [{event: Alerts.*, in_turn: [{reply: none}, {reply: Clova.Helo}]}]\n",
            "on: [{event: Alerts.*, cycle: [{reply: Clova.Helo}]}]\n",
            "on: [{event: Alerts.*, afterwards: [{push: Clova.Helo}]}]\n",
            "on: [{event: SpeechRecognizer.Recognize, while_uploading: [{push: Clova.Helo}]}]\n",
        ],
    )
    def test_it_is_found_wherever_steps_stand(self, text: str) -> None:
        """Every block of the language."""
        problem = only(text)
        assert (problem.what, marked(problem)) == ('unknown directive "Clova.Helo"', "Clova.Helo")

    def test_an_event_is_no_directive(self) -> None:
        """The names look alike."""
        problem = only(reply("- TextRecognizer.Recognize: {text: x}"))
        assert problem.what == "TextRecognizer.Recognize is an event"

    def test_the_long_form_is_sent_as_it_stands(self) -> None:
        """A device must bear directives and members it does not know; a test of it must be able to send them."""
        assert told(reply("- {directive: Vendor.Secret, payload: {x: 1}}")) == []
        assert told(reply("- {directive: Clova.RenderText, payload: {text: 5}}")) == []
        assert told(reply("- {directive: nonsense}")) == ['5:21 error: "nonsense" is no name of a directive']

    def test_a_member_the_catalogue_does_not_know_is_a_warning(self) -> None:
        """Payloads are open on both sides."""
        problem = only(reply("- Clova.RenderText: {text: 안녕, colour: red}"))
        assert (problem.severity, marked(problem)) == ("warning", "colour")
        assert problem.what == 'Clova.RenderText has no member "colour"'

    def test_a_required_member_under_a_wrong_name_is_one_error(self) -> None:
        """Not a warning for the one and an error for the other."""
        problem = only(reply("- Clova.RenderText: {txet: 안녕}"))
        assert (problem.severity, problem.what) == ("error", 'Clova.RenderText has no member "txet"')
        assert problem.expected == "text; did you mean text?"

    def test_a_member_of_the_wrong_type_is_an_error_at_its_value(self) -> None:
        """However deep."""
        problem = only(reply("- Clova.RenderText: {text: 5}"))
        assert (problem.severity, marked(problem)) == ("error", "5")
        assert problem.what == '"text" of Clova.RenderText cannot be 5'
        assert problem.expected == "a string"
        alert = "{type: ALARMM, scheduledTime: '2026-03-02T07:00:00+09:00', token: t}"
        deep = only(reply(f"- Alerts.SynchronizeAlert: {{allAlerts: [{alert}]}}"))
        assert (marked(deep), deep.what) == (
            "ALARMM",
            '"allAlerts.0.type" of Alerts.SynchronizeAlert cannot be "ALARMM"',
        )

    def test_a_missing_member_is_an_error_in_a_payload_and_a_warning_of_a_bare_name(self) -> None:
        """A bare name is often only to see whether the device bears it."""
        text = "- DeviceControl.SetValue: {value: '3'}"
        assert [problem.severity for problem in lint(f"downchannel:\n  - push:\n    {text}\n")] == ["error"]
        problem = only("downchannel:\n  - push: Notifier.SetIndicator\n")
        assert problem.severity == "warning"
        assert problem.what == '"assetPlayOrder", "assets", "light" and "new" are missing in Notifier.SetIndicator'

    def test_what_the_mock_fills_in_is_not_missing(self) -> None:
        """format, token, expectSpeechId, url (PROTOCOL 4.4; the catalogue)."""
        steps = """\
        - SpeechSynthesizer.Speak: {audio: {tone: 440}}
        - SpeechRecognizer.ExpectSpeech: {explicit: true, timeoutInMilliseconds: 6000}
        """
        assert told(reply(steps)) == []

    def test_a_template_may_stand_for_anything(self) -> None:
        """What it gives is known when it is rendered."""
        assert told(reply("""- Clova.RenderText: {text: "{{ event.payload.text }}"}""")) == []
        assert (
            told(reply("""- SpeechRecognizer.ExpectSpeech: {explicit: true, timeoutInMilliseconds: "{{ 6000 }}"}"""))
            == []
        )

    def test_content_templates_are_judged_by_their_type(self) -> None:
        """Clova.RenderTemplate takes its members from the template."""
        assert 'cannot be "Nonsense"' in only(reply("- Clova.RenderTemplate: {type: Nonsense}")).what

    def test_speak_without_a_sound_is_an_error_that_says_how_to_mend_it(self) -> None:
        """A Speak without audio hangs shipped devices."""
        problem = only(reply("- SpeechSynthesizer.Speak: {ttsLang: ko}"))
        assert (problem.severity, problem.what) == ("error", "SpeechSynthesizer.Speak without a sound")
        assert problem.mend == "add `audio: FILE.mp3`, or `audio: {tone: 440}` to begin with"
        assert told(reply("- SpeechSynthesizer.Speak: {url: 'https://example.test/a.mp3'}")) == []

    def test_what_comes_only_on_the_downchannel_is_warned_of_in_a_reply(self) -> None:
        """Only where the documents say so."""
        payload = "{new: true, light: NONE, assets: [], assetPlayOrder: []}"
        problem = only(reply(f"- Notifier.SetIndicator: {payload}"))
        assert (problem.severity, problem.what) == ("warning", "Notifier.SetIndicator in a reply")
        assert told(reply(f"- push: [{{Notifier.SetIndicator: {payload}}}]")) == []
        assert told(f"replies: {{x: [{{Notifier.SetIndicator: {payload}}}]}}\n") == []

    def test_a_line_the_documents_do_not_state_is_free(self) -> None:
        """What only follows from a flow, or is assumed, is no reason for a warning."""
        names = [name for name, spec in catalogue().directives.items() if spec.channel_basis != "stated"]
        assert names
        for name in names:
            step = f"{{{name}: {json.dumps(dict(catalogue().directives[name].example))}}}"
            found = told(reply(f"- {step}") + f"\ndownchannel: [{{push: [{step}]}}]\n")
            assert not [what for what in found if "in a reply" in what or "pushed on the downchannel" in what]

    def test_what_comes_only_in_a_reply_is_warned_of_on_the_downchannel(self) -> None:
        """Only where the documents say so."""
        problem = only("downchannel:\n  - push:\n      SpeechSynthesizer.Speak: {audio: {tone: 440}}\n")
        assert problem.what == "SpeechSynthesizer.Speak pushed on the downchannel"
        assert problem.severity == "warning"

    def test_a_sound_of_a_directive_that_plays_none_is_warned_of(self) -> None:
        """Nothing in its payload refers to it."""
        problem = only(reply("- Clova.RenderText: {text: 안녕, audio: {tone: 440}}"))
        assert problem.what == 'Clova.RenderText has no member "url", so nothing refers to this sound'
        assert marked(problem) == "audio"

    def test_attachments_and_their_urls_belong_together(self) -> None:
        """`attach` and `cid.NAME`."""
        notify = """\
        - push:
            Notifier.Notify:
              assetPlayOrder: [ding]
              assets: [{assetId: ding, url: "{{ cid.%s }}"}]
              light: NONE
            attach: {ding: {tone: 880}}
        """
        assert told(reply(notify % "ding")) == []
        problems = lint(reply(notify % "dong"))
        assert [problem.what for problem in problems] == ["no attachment dong", "nothing refers to the attachment ding"]
        assert problems[0].expected == "a name under `attach`; did you mean ding?"


class TestEvents:
    """Names and conditions of rules."""

    def test_an_unknown_event_is_a_warning_with_what_was_meant(self) -> None:
        """Devices may send what the catalogue does not know."""
        problem = only("on:\n  - event: [Alerts.*, TextRecognizer.Recognise]\n")
        assert (problem.severity, marked(problem)) == ("warning", "TextRecognizer.Recognise")
        assert problem.expected == "an event of the catalogue; did you mean TextRecognizer.Recognize?"

    @pytest.mark.parametrize("pattern", ["*", "Alerts.*", "*.Recognize", "TextRecognizer.Recogni?e"])
    def test_a_pattern_that_some_event_fits_is_fine(self, pattern: str) -> None:
        """Wildcards."""
        assert told(f"on:\n  - event: '{pattern}'\n") == []

    def test_a_pattern_that_no_event_fits_is_a_warning(self) -> None:
        """A slip in a pattern would hide in it."""
        assert told("on:\n  - event: Alrets.*\n") == ['3:12 warning: unknown event "Alrets.*"']

    def test_a_directive_is_no_event(self) -> None:
        """The names look alike."""
        problem = only("on:\n  - event: SpeechSynthesizer.Speak\n")
        assert (problem.severity, problem.what) == ("warning", "SpeechSynthesizer.Speak is a directive")

    def test_the_event_of_a_cue_is_checked_too(self) -> None:
        """`after: {event: NAME}`."""
        text = "downchannel:\n  - after: {event: Alerts.AlertStopd}\n    push: Clova.Hello\n"
        assert only(text).expected == "an event of the catalogue; did you mean Alerts.AlertStopped?"

    @pytest.mark.parametrize(
        ("member", "severity", "what", "said"),
        [
            ("paylod.text", "error", 'unknown condition "paylod.text"', "did you mean payload.text?"),
            ("text", "error", 'unknown condition "text"', "a member of payload, header"),
            ("audio", "error", 'unknown condition "audio"', "a member of payload, header"),
            ("audio.secs", "error", 'audio has no member "secs"', "one of present, seconds"),
            ("header.messageid", "warning", 'header has no member "messageid"', "did you mean header.messageId?"),
            ("device.tokn", "error", 'device has no member "tokn"', "did you mean device.token?"),
            (
                "payload.txt",
                "warning",
                'no member "txt" in the payload of TextRecognizer.Recognize',
                "did you mean payload.text?",
            ),
            (
                "context.Speaker.VolumState",
                "warning",
                'unknown context "Speaker.VolumState"',
                "did you mean context.Speaker.VolumeState?",
            ),
            (
                "context.Speaker.VolumeState.volum",
                "warning",
                'Speaker.VolumeState has no member "volum"',
                "did you mean context.Speaker.VolumeState.volume?",
            ),
            (
                "count.TextRecognizer.Recognise",
                "warning",
                'unknown event "TextRecognizer.Recognise"',
                "did you mean count.TextRecognizer.Recognize?",
            ),
            ("vars.x", "warning", 'unknown variable "x"', "a name under `vars`"),
        ],
    )
    def test_a_condition_on_what_no_event_has_is_told_at_its_key(
        self, member: str, severity: str, what: str, said: str
    ) -> None:
        """A rule with a slip in it would never win."""
        problem = only(f"on:\n  - event: TextRecognizer.Recognize\n    when: {{{member}: 1}}\n")
        assert (problem.severity, problem.what, marked(problem)) == (severity, what, member)
        assert said in problem.expected

    def test_conditions_on_what_there_is_are_fine(self) -> None:
        """Every subject of docs/scenarios.md."""
        text = """\
        vars: {x: 1}
        on:
          - event: [TextRecognizer.Recognize, SpeechRecognizer.Recognize]
            when:
              payload.text: a
              payload.initiator.inputSource: PRESS_AND_HOLD
              header.dialogRequestId: {present: true}
              context.Speaker.VolumeState.volume: {min: 3}
              context.Speaker.VolumeState: {present: true}
              request.user-agent: {matches: Acme}
              audio.seconds: {min: 1s}
              vars.x: 1
              count.TextRecognizer.Recognize: {max: 3}
              state: start
              device.token: t
        """
        assert told(text) == []

    def test_a_condition_that_a_member_is_absent_may_name_any_member(self) -> None:
        """That it is absent is the point."""
        when = "{payload.lang: {absent: true}, vars.y: {absent: true}}"
        assert told(f"on:\n  - event: TextRecognizer.Recognize\n    when: {when}\n") == []


class TestRules:
    """Rules in their order, states, replies."""

    def test_a_rule_behind_one_that_always_wins_is_told(self) -> None:
        """First fit wins, so it never would."""
        text = """\
        on:
          - event: "*"
          - event: TextRecognizer.Recognize
            when: {payload.text: a}
        """
        problem = only(text)
        assert (problem.severity, problem.what, problem.line) == ("warning", "this rule can never win", 4)
        assert problem.expected == "something the rule on line 3 does not take already"

    @pytest.mark.parametrize(
        ("first", "second", "hidden"),
        [
            ("event: TextRecognizer.*", "event: TextRecognizer.Recognize", True),
            ("event: TextRecognizer.Recognize", "event: TextRecognizer.*", False),
            ("event: [Alerts.*, TextRecognizer.*]", "event: [TextRecognizer.Recognize, Alerts.SetAlertFailed]", True),
            ("event: Alerts.*", "event: [TextRecognizer.Recognize, Alerts.SetAlertFailed]", False),
            ("{event: '*', times: 1}", "event: Alerts.*", False),
            ("{event: '*', in: start}", "event: Alerts.*", False),
            ("{event: '*', in: [start, a]}", "{event: Alerts.*, in: a, go: a}", True),
            ("event: '*'", "{event: Alerts.*, in: a, go: a}", True),
            ("{event: '*', when: {state: start}}", "event: Alerts.*", False),
            (
                "{event: '*', when: {state: start}}",
                "{event: Alerts.*, when: {state: start, vars.x: {absent: true}}}",
                True,
            ),
            ("{event: '*', when: {state: start}}", "{event: Alerts.*, when: {state: [start]}}", False),
            ("event: 'Alerts.?'", "event: Alerts.*", False),
        ],
    )
    def test_only_what_is_certain_is_told(self, first: str, second: str, hidden: bool) -> None:
        """A rule is hidden when the earlier one fits whenever it does, for ever."""
        rules = "".join(f"  - {rule if rule.startswith('{') else '{' + rule + '}'}\n" for rule in (first, second))
        found = [problem.what for problem in lint("on:\n" + rules)]
        assert ("this rule can never win" in found) is hidden

    def test_a_state_nothing_goes_to_is_an_error(self) -> None:
        """The rule would never count."""
        text = """\
        on:
          - event: Alerts.*
            in: [start, askd]
          - event: TextRecognizer.Recognize
            go: asked
        """
        problem = lint(text)[0]
        assert (problem.severity, problem.what) == ("error", 'nothing goes to the state "askd"')
        assert problem.expected.endswith("did you mean asked?")

    def test_a_way_to_a_state_no_rule_asks_for_is_a_warning(self) -> None:
        """It may be only for the log."""
        problem = only("on:\n  - {event: Alerts.*, go: nowhere}\n")
        assert (problem.severity, problem.what) == ("warning", 'no rule asks for the state "nowhere"')

    @pytest.mark.parametrize(
        "way",
        [
            "on: [{event: Alerts.*, go: there}, RULE]",
            "on: [{event: Alerts.*, reply: [{go: there}]}, RULE]",
            "on: [{event: Alerts.*, in_turn: [{go: there}]}, RULE]",
            "on: [{event: Alerts.*, afterwards: [{after: 1s, go: there}]}, RULE]",
            "on: [{event: SpeechRecognizer.Recognize, while_uploading: [{after: {audio: 1s}, go: there}]}, RULE]",
            "downchannel: [{after: 1s, push: [{go: there}]}]\non: [RULE]",
            "otherwise: {go: there}\non: [RULE]",
            "replies: {x: [{go: there}]}\non: [RULE]",
            "start: there\non: [RULE]",
        ],
    )
    def test_a_state_is_reached_from_wherever_go_stands(self, way: str) -> None:
        """Every block of the language; `in` and the condition on `state` are the same."""
        for rule in ("{event: TextRecognizer.*, in: there}", "{event: TextRecognizer.*, when: {state: there}}"):
            assert told(way.replace("RULE", rule) + "\n") == []

    def test_a_reply_that_is_not_there_is_told_with_what_was_meant(self) -> None:
        """`use: NAME`."""
        problem = only("replies: {greeting: [Clova.Hello]}\non:\n  - {event: Alerts.*, reply: {use: greting}}\n")
        assert (problem.what, marked(problem)) == ('unknown reply "greting"', "greting")
        assert problem.expected == "a name under `replies`; did you mean greeting?"

    def test_replies_that_use_each_other_in_a_circle_are_told(self) -> None:
        """They would never end."""
        text = "replies:\n  a: [{use: b}]\n  b: [{push: {use: a}}]\n  c: {use: c}\n  d: {use: a}\n"
        assert told(text) == [
            '3:13 error: the reply "a" uses itself through b',
            '4:20 error: the reply "b" uses itself through a',
            '5:12 error: the reply "c" uses itself',
        ]


class TestCues:
    """Moments that only exist in another block."""

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("downchannel: [{after: 1s, answer: now}]", "`answer: now` without an upload"),
            ("downchannel: [{after: {audio: 1s}, push: Clova.Hello}]", "`after: {audio: ...}` without an upload"),
            ("downchannel: [{after: {bytes: 10}, push: Clova.Hello}]", "`after: {bytes: ...}` without an upload"),
            ("downchannel: [{after: {silence: 1s}, push: Clova.Hello}]", "`after: {silence: ...}` without an upload"),
            ("downchannel: [{after: {upload: ended}, push: Clova.Hello}]", "`after: {upload: ...}` without an upload"),
            ("on: [{event: Alerts.*, afterwards: [{answer: now}]}]", "`answer: now` without an upload"),
            (
                "on: [{event: Alerts.*, afterwards: [{after: {event: Alerts.*}, push: Clova.Hello}]}]",
                "`after: {event: ...}` in a rule",
            ),
            (
                "on: [{event: SpeechRecognizer.*, while_uploading: [{after: {event: Alerts.*}, push: Clova.Hello}]}]",
                "`after: {event: ...}` in a rule",
            ),
        ],
    )
    def test_each_is_an_error_at_its_key(self, text: str, what: str) -> None:
        """The engine would wait for ever."""
        problem = only(text + "\n")
        assert (problem.severity, problem.what) == ("error", what)

    def test_they_are_fine_where_they_belong(self) -> None:
        """While uploading, and on the downchannel."""
        text = """\
        on:
          - event: SpeechRecognizer.Recognize
            while_uploading:
              - {after: {audio: 1s}, push: SpeechRecognizer.StopCapture}
              - {after: {bytes: 10}, push: SpeechRecognizer.KeepRecording}
              - {after: {silence: 600ms}, answer: now}
              - {after: {upload: ended}, set: {x: 1}}
        downchannel:
          - {after: {event: Alerts.*}, push: Clova.Hello}
        """
        assert told(text) == []


class TestTemplates:
    """Before they are rendered."""

    def test_a_template_that_cannot_be_read_is_told_at_its_place(self) -> None:
        """Jinja's own words."""
        problem = only(reply("""- Clova.RenderText: {text: "{{ event.payload.text"}"""))
        assert problem.what.startswith("a template that cannot be read: ")
        assert marked(problem) == '"{{ event.payload.text"'

    @pytest.mark.parametrize(
        ("template", "what", "expected"),
        [
            ("{{ evnt.payload.text }}", "unknown name evnt in a template", "did you mean event?"),
            ("{{ city }}", "unknown name city in a template", "one of audio, cid, count"),
            ("{{ now | iso8601 }}", "a template that cannot be read: No filter named 'iso8601'.", "a Jinja template"),
            ("{{ vars.ctiy }}", 'unknown variable "ctiy"', "did you mean city?"),
            ("{{ vars['ctiy'] }}", 'unknown variable "ctiy"', "did you mean city?"),
        ],
    )
    def test_names_nobody_gives_are_told(self, template: str, what: str, expected: str) -> None:
        """They would fail in the middle of a dialogue."""
        problem = only("vars: {city: 서울}\n" + reply(f'- Clova.RenderText: {{text: "{template}"}}'))
        assert problem.what == what
        assert expected in problem.expected

    @pytest.mark.parametrize(
        "template",
        [
            "{{ uuid() }}",
            "{{ now | plus('8h') | iso('+09:00') }}",
            "{{ random.randint(1, 6) }}",
            "{{ count['TextRecognizer.Recognize'] }}",
            "{% for x in range(3) %}{{ x }}{% endfor %}",
            "{% set y = vars.city %}{{ y }}",
            "{{ vars.set_later }}",
            "{{ vars.get('x') }}",
            "{{ device.token }} {{ state }} {{ audio.seconds }} {{ request['user-agent'] }} {{ event.name }}",
        ],
    )
    def test_what_docs_promise_is_fine(self, template: str) -> None:
        """docs/scenarios.md, Templates; variables count wherever they are set."""
        rule = reply(f'- Clova.RenderText: {{text: "{template}"}}\n- set: {{set_later: 1}}')
        assert told("vars: {city: 서울}\n" + rule) == []


def test_places_are_told_in_characters_behind_korean_text() -> None:
    """One column a sign, however wide it is drawn."""
    problem = only(reply("- SpeechSynthesizer.Speak: {ttsText: 오늘은 맑아요, audio: {tone: 440}, ttsLang: kr}"))
    assert (problem.line, problem.column, marked(problem)) == (5, 82, "kr")
    assert problem.expected == "one of en, ja, ko, zh"
