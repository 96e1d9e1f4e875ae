"""Faults as they are written: every act, every slip with its place, and those that can never strike."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mockcic.errors import Problem, ScenarioError
from mockcic.scenario.faults.act import ROLES
from mockcic.scenario.faults.fault import ACTS, Fault, act_type
from mockcic.scenario.faults.written import WRITTEN
from mockcic.scenario.load import load_text
from mockcic.scenario.schema import scenario_schema
from mockcic.scenario.source import Source


def read(text: str) -> Any:
    """YAML as scenarios are read: `on` is no truth value."""
    return Source("x", text).values


ALL = [text for key in ACTS for text in WRITTEN.get(key, ())]


def problems(text: str) -> list[Problem]:
    """Everything that is wrong with a scenario, warnings too."""
    try:
        return list(load_text("scenario: test\n" + dedent(text), "x.yaml").warnings)
    except ScenarioError as error:
        return list(error.problems)


def only(text: str) -> Problem:
    found = problems(text)
    assert len(found) == 1, found
    return found[0]


def slip(fault: str) -> tuple[str, str, str]:
    """What the carets are under, what is wrong, and what was expected with the mend."""
    problem = only(f"fault: {fault}\n")
    assert problem.severity == "error"
    marked = problem.source[problem.column - 1 :][: problem.width]
    return marked, problem.what, f"{problem.expected}; {problem.mend}".rstrip("; ")


@pytest.fixture(scope="module")
def editor() -> Draft202012Validator:
    """An editor's view."""
    return Draft202012Validator(scenario_schema())


class TestActs:
    """What every act has."""

    def test_each_is_shown_as_it_is_written(self) -> None:
        """So that messages, `mockcic fault --acts` and docs/faults.md have an example of it."""
        assert set(ACTS) <= set(WRITTEN)

    @pytest.mark.parametrize("text", ALL)
    def test_it_loads_as_shown_at_the_top_and_in_an_editor(self, editor: Draft202012Validator, text: str) -> None:
        """The schema takes what the loader takes; and it says what it does."""
        fault = Fault.model_validate(read(text))
        assert WRITTEN[fault.kind].index(text) >= 0
        assert fault.act.about()
        scenario = {"scenario": "a", "fault": read(text)}
        assert [error.message for error in editor.iter_errors(scenario)] == []

    @pytest.mark.parametrize("key", sorted(ACTS))
    def test_it_says_what_a_device_sees_and_what_a_good_one_does(self, key: str) -> None:
        """With the source, or INF where it is our own."""
        act = act_type(key)
        assert act.SEES
        assert act.GOOD
        assert set(act.AIMS) <= set(ROLES)
        assert act.__doc__

    def test_it_stands_at_the_top_at_a_rule_and_as_a_step(self, editor: Draft202012Validator) -> None:
        """One, or a list."""
        text = dedent("""\
            scenario: a
            fault: [{reset: CANCEL, on: downchannel, every: 1h}, {goaway: NO_ERROR}]
            on:
              - event: TextRecognizer.Recognize
                fault: {reset: CANCEL, after: {sent: 120}, times: 2}
                reply:
                  - Clova.RenderText: {text: a}
                  - fault: {end: early}
                  - fault: [{reset: 0x99}]
        """)
        assert load_text(text).warnings == ()
        assert list(editor.iter_errors(read(text))) == []

    @pytest.mark.parametrize(
        "fault",
        [
            "{rest: CANCEL}",
            "{reset: CANCLE}",
            "{reset: CANCEL, end: early}",
            "{on: answer}",
            "{reset: CANCEL, on: accept}",
            "{reset: CANCEL, after: soon}",
            "{pace: {}}",
            "{frames: {gap: 1s}}",
            "{bad_frame: {}}",
            "{drop: false}",
        ],
    )
    def test_what_does_not_load_is_marked_by_an_editor(self, editor: Draft202012Validator, fault: str) -> None:
        """Where the schema can see it."""
        assert problems(f"fault: {fault}\n")
        assert list(editor.iter_errors({"scenario": "a", "fault": read(fault)}))


class TestSlips:
    """Each with its place, what was found, what was expected, and what was probably meant."""

    @pytest.mark.parametrize(
        ("fault", "marked", "what", "expected"),
        [
            ("{rest: CANCEL}", "rest", 'unknown key "rest"', "a key of a fault; did you mean reset?"),
            ("{reset: CANCLE}", "CANCLE", '"reset" cannot be "CANCLE"', "write CANCEL"),
            ("{reset: {code: CANCLE}}", "CANCLE", '"code" cannot be "CANCLE"', "write CANCEL"),
            ("{reset: CANCEL, on: downchanel}", "downchanel", "cannot be", "did you mean downchannel?"),
            ("{window: 5s, on: token}", "token", "`window` aimed at token", "`on:` answer or connection"),
            ("{reset: CANCEL, after: hedaers}", "hedaers", '"after" cannot be', "write headers"),
            ("{reset: CANCEL, after: 5}", "5", '"after" cannot be 5', "write 5s or 5ms"),
            ("{goaway: {debug: " + "한" * 6000 + "}}", "한" * 6000, '"debug"', "at most 16000 bytes"),
            ("{trailers: {X-Sum: a}}", "X-Sum", '"X-Sum"', "write x-sum"),
            (
                "{trailers: {':status': a}}",
                "':status'",
                '":status"',
                "a field name in lower case that HTTP/2 allows",
            ),
            ("{trailers: {connection: close}}", "connection", '"connection"', "RFC 9113 8.2"),
            ("{trailers: {x-sum: 안녕}}", "안녕", '"안녕"', "printable ASCII"),
            (
                "{reset: CANCEL, after: {send: 12}}",
                "send",
                'unknown key "send"',
                "a key of `after`; did you mean sent?",
            ),
            (
                "{reset: CANCEL, after: {sent: 1, headers: true}}",
                "{sent: 1, headers: true}",
                "headers and sent",
                "one of",
            ),
            (
                "{reset: CANCEL, goaway: 0}",
                "{reset: CANCEL, goaway: 0}",
                "reset and goaway",
                "several faults as a list",
            ),
            ("{on: answer}", "{on: answer}", "a fault with no act", "exactly one of reset, "),
            ("{reset: }", "reset", "`reset` without a value", "`{reset: CANCEL}`"),
            ("reset", "reset", '"fault" cannot be "reset"', "write `{reset: CANCEL}`"),
            ("{status: 200}", "200", '"status" cannot be 200', "a number of at least 400"),
            ("{status: {code: 429, retry: 1}}", "retry", 'unknown key "retry"', "did you mean retry_after?"),
            ("{pong: nevr}", "nevr", '"pong" cannot be "nevr"', "did you mean never?"),
            (
                "{goaway: {last_stream: -1}}",
                "-1",
                '"last_stream" cannot be -1',
                "newest or before, or a number of at least 0",
            ),
            ("{pace: {pause: {at: bundary, for: 2s}}}", "bundary", "cannot be", "did you mean boundary?"),
            ("{reset: CANCEL, every: 1h}", "1h", "`every` of a fault on answer", "comes with each request anyway"),
            ("{status: 401, after: headers}", "headers", "`status` after the headers", "it is in the headers"),
            ("{drop: false}", "false", '"drop" cannot be false', "true"),
            ("{reset: CANCEL, chance: 2}", "2", '"chance" cannot be 2', "a number of at most 1"),
        ],
    )
    def test_it_is_told(self, fault: str, marked: str, what: str, expected: str) -> None:
        """At the top of a file."""
        found, said, wanted = slip(fault)
        assert found == marked
        assert what in said
        assert expected in wanted

    @pytest.mark.parametrize(
        ("text", "line", "column"),
        [
            ("fault:\n  - {rest: CANCEL}\n", 3, 6),
            ("fault:\n  - {reset: CANCEL, on: connection}\n", 3, 25),
            ("on:\n  - event: TextRecognizer.Recognize\n    fault: {reset: CANCLE}\n", 4, 20),
            ("on:\n  - event: TextRecognizer.Recognize\n    cycle: [{fault: {rest: CANCEL}}]\n", 4, 22),
            ("on:\n  - event: TextRecognizer.Recognize\n    reply: [{fault: {rest: CANCEL}}]\n", 4, 22),
            ("on:\n  - event: TextRecognizer.Recognize\n    reply: [{fault: [{reset: CANCLE}]}]\n", 4, 30),
            ("on:\n  - event: TextRecognizer.Recognize\n    reply: [{fault: {reset: CANCEL, after: 1s}}]\n", 4, 21),
            ("on:\n  - event: TextRecognizer.Recognize\n    reply: [{falt: {reset: CANCEL}}]\n", 4, 14),
            ("downchannel: [{after: 1s, push: [{fault: {rest: CANCEL}}]}]\n", 2, 43),
        ],
    )
    def test_its_place_is_that_of_the_slip_wherever_faults_stand(self, text: str, line: int, column: int) -> None:
        """Also in a list, in a turn, in a step."""
        problem = only(text)
        assert (problem.line, problem.column) == (line, column), problem

    def test_a_key_of_a_fault_in_a_step_is_told_as_of_a_fault(self) -> None:
        """Not of the step."""
        text = "on: [{event: 'Alerts.*', reply: [{fault: {goaway: NO_ERROR, evry: 1h}}]}]\n"
        assert only(text).expected == "a key of a fault; did you mean every?"

    def test_the_rest_of_the_file_is_judged_too(self) -> None:
        """One run tells all."""
        text = "fault: [{rest: CANCEL}, {json: cutt}]\non: [{event: TextRecognizer.Recognise}]\n"
        assert [each.line for each in problems(text)] == [2, 2, 3]


def rule(fault: str, event: str = "TextRecognizer.Recognize", reply: str = "[{Clova.RenderText: {text: a}}]") -> str:
    return f"on:\n  - event: {event}\n    fault: {fault}\n    reply: {reply}\n"


class TestNever:
    """Faults that would never strike are warned of."""

    @pytest.mark.parametrize(
        ("text", "what", "mend"),
        [
            (
                "fault: {reset: CANCEL, event: TextRecognizer.Recognise}",
                "no event fits",
                "did you mean TextRecognizer.Rec",
            ),
            (
                "fault: {reset: CANCEL, event: TextRecognizer.Recognise}\non: [{event: '*'}]",
                "no event fits",
                "did you mean TextRecognizer.Rec",
            ),
            ("fault: {reset: CANCEL, event: 'Speach*'}", 'no event fits "Speach*"', "mockcic interfaces"),
            (rule("{reset: CANCEL, event: 'Alerts.*'}"), "a fault at Alerts.* in a rule about", "leave `event` out"),
            (rule("{status: 503, on: token}"), "a fault on token in a rule", "at the top"),
            (rule("{goaway: 0, every: 1h}"), "`every` in a rule", "at the top"),
            (rule("{reset: CANCEL, after: {audio: 1s}}"), "which has no sound", "SpeechRecognizer.Recognize"),
            ("fault: {status: 503, on: token, event: 'Alerts.*'}", "has no effect", "no event"),
            ("fault: {reset: CANCEL, directive: Clova.Hello}", "`directive` beside `reset`", "aim with `event`"),
            (
                rule("{json: cut, directive: Clova.RenderTex}"),
                "nothing in this scenario sends",
                "did you mean Clova.RenderT",
            ),
            (rule("{json: cut, directive: Alerts.SetAlert}"), "nothing in this scenario sends", "pushed from outside"),
            (
                "fault: {drop: true, on: answer, directive: SpeechRecognizer.StopCapture}",
                "comes on the downchannel",
                "on: downchannel",
            ),
            ("downchannel: [{after: 1s, push: [{fault: {reset: CANCEL}}]}]", "aimed at an answer", "on: downchannel"),
            ("fault: {cut: rst, every: 5m, for: 1m}", "comes after 300 s and is gone after 60 s", "`for` longer"),
            ("fault: {cut: rst, every: 5m, nth: 3, for: 10m}", "the 3rd time, after 900 s and is gone", "`for` longer"),
            ("fault: {reset: CANCEL, after: 5s, for: 2s}", "strikes 5 s after its moment and is gone", "`for` longer"),
            ("fault: {cut: rst, every: 5m, event: 'Alerts.*'}", "`event` beside `every` has no effect", "one of the"),
            ("fault: {cut: rst, every: 5m, after: 1s}", "`after` beside `every` has no effect", "by the clock alone"),
            ("fault: {reset: CANCEL, nth: 2, times: 3}", "`times: 3` beside `nth: 2` has no effect", "one of the"),
            ("fault: {reset: CANCEL, nth: 2, chance: 0.1}", "does not take the 2nd occasion", "another `seed`"),
        ],
    )
    def test_it_is_told(self, text: str, what: str, mend: str) -> None:
        """With what would."""
        problem = only(text + "\n")
        assert problem.severity == "warning"
        assert what in problem.what
        assert mend in f"{problem.expected}; {problem.mend}"

    @pytest.mark.parametrize(
        "text",
        [
            "fault: {drop: true, on: downchannel, directive: SpeechRecognizer.StopCapture}",
            "fault: {late: 2s, directive: Clova.Hello}",
            "fault: {reset: CANCEL, event: 'SpeechRecognizer.*', after: {audio: 1s}}",
            rule("{reset: CANCEL, event: 'TextRecognizer.*'}"),
            rule("{json: cut, directive: 'Clova.*'}"),
            "downchannel: [{after: 1s, push: [{fault: {reset: CANCEL, on: downchannel}}]}]",
            "on: [{event: Vendor.Thing}]\nfault: {reset: CANCEL, event: Vendor.Thing}",
            "fault: {reset: CANCEL, nth: 2, times: 1, chance: 0.9}",
            "fault: {cut: rst, every: 1m, nth: 3, for: 10m}",
            "fault: {accept: refuse, every: 1m, after: 10s}",
        ],
    )
    def test_nothing_is_said_of_one_that_can(self, text: str) -> None:
        """No false alarm."""
        assert [each.what for each in problems(text + "\n") if "Vendor" not in each.what] == []


def test_a_number_and_a_name_of_an_error_code_are_the_same() -> None:
    """RFC 9113 7."""
    texts: list[Any] = ["CANCEL", 8, {"code": "CANCEL"}, {"code": 8}]
    assert len({Fault.model_validate({"reset": text}).act for text in texts}) == 1
