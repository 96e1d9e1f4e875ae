"""The fuzzer against devices that cannot bear something, through the wire."""

from __future__ import annotations

from typing import Any

import pytest

from mockcic.cic.catalogue import catalogue
from mockcic.fuzz.case import Case, choose, make_case
from mockcic.fuzz.draft import Edit, Mutation
from mockcic.mock import MockCIC
from mockcic.scenario.load import load_text
from mockcic.trial.fuzz import Fuzz, Outcome
from mockcic.trial.health import PROBES, Limits, Probe, examine, find_probe, read_probe
from mockcic.trial.subject import Subject
from tests.support.naive import Fate, NaiveDevice
from tests.trial.conftest import OnTrial

CIC = catalogue()
PATIENT = Limits(within_s=20.0, recover_s=30.0)
"""Of a device that answers, or dies: nobody waits so long."""
SMALLEST = b'{"directive":{"payload":{"url":null}}}'
PROBE = Probe("Clova.HandleDelegatedEvent")


def members(message: Any, name: str) -> dict[str, Any]:
    found = message.get("directive", {}).get(name) if isinstance(message, dict) else None
    return found if isinstance(found, dict) else {}


def on_null(fate: Fate) -> Any:
    """Of a null anywhere in a payload."""
    return lambda body, message: fate if None in members(message, "payload").values() else None


def fuzz(subject: Subject, cases: list[Case], *, limits: Limits = PATIENT, **how: Any) -> Outcome:
    return Fuzz(subject, PROBE, limits, **how).run(cases)


def null_case(number: int = 1, *more: Mutation) -> Case:
    base = make_case(1, 1, ("SpeechSynthesizer.Speak",), CIC).base
    url = Mutation("null", "payload.url", (Edit("put", ("directive", "payload", "url"), value=None),))
    return Case(1, number, "SpeechSynthesizer.Speak", base, (*more, url))


def harmless_case(number: int = 1) -> Case:
    base = make_case(1, 1, ("SpeechSynthesizer.Speak",), CIC).base
    return Case(1, number, "SpeechSynthesizer.Speak", base, ())


def test_a_failure_is_found_made_small_and_written_so_that_it_happens_again(on_trial: OnTrial) -> None:
    subject = on_trial(bears=on_null("die"))
    noise = Mutation("unknown-member", "x", (Edit("add", ("directive", "payload"), "x", 7),))
    outcome = fuzz(subject, [harmless_case(), null_case(2, noise), harmless_case(3)])
    (found,) = outcome.found
    assert (outcome.trials, outcome.ok, outcome.stopped) == (3, False, "")
    assert (found.case.number, found.health.trouble, found.health.detail, found.again) == (2, "ended", "exit code 1", 2)
    assert found.smallest.body() == SMALLEST
    assert found.about == "null payload.url"
    loaded = load_text(found.scenario(PROBE))
    assert loaded.warnings == ()
    assert "trial 2" in (loaded.scenarios[0].about or "")


@pytest.mark.parametrize(
    ("fate", "trouble", "detail"),
    [
        ("leave", "lost", "not opened anew in 0.15 s"),
        ("hang", "silent", "no Clova.ProcessDelegatedEvent within 0.15 s of Clova.HandleDelegatedEvent"),
    ],
)
def test_a_device_that_is_there_and_no_use_is_not_fine(
    on_trial: OnTrial, fate: Fate, trouble: str, detail: str
) -> None:
    subject = on_trial(bears=on_null(fate))
    outcome = fuzz(subject, [null_case()], limits=Limits(within_s=0.15, recover_s=30.0), most_tries=0)
    (found,) = outcome.found
    assert (found.case.number, found.health.trouble, found.again, outcome.trials) == (1, trouble, 2, 1)
    assert detail in found.health.detail
    assert fuzz(subject, [harmless_case(2)]).ok, "it was started anew"


def test_a_device_that_bears_everything_is_fine_after_each(on_trial: OnTrial) -> None:
    subject = on_trial()
    cases = [make_case(11, number, choose((), CIC), CIC) for number in range(1, 61)]
    outcome = fuzz(subject, cases, limits=PATIENT)
    assert (outcome.trials, outcome.found, outcome.stopped, outcome.reopened) == (60, (), "", 0)
    assert isinstance(subject.runner, NaiveDevice)
    assert subject.runner.starts == 1


def test_a_line_that_is_opened_anew_is_fine_unless_that_counts(on_trial: OnTrial) -> None:
    subject = on_trial(bears=on_null("reconnect"))
    outcome = fuzz(subject, [null_case(), harmless_case(2)], limits=PATIENT)
    assert (outcome.ok, outcome.reopened) == (True, 1)
    strict = Limits(within_s=20.0, recover_s=30.0, strict=True)
    (found,) = fuzz(subject, [null_case()], limits=strict, most_tries=0).found
    assert found.health.trouble == "reopened"
    assert "opened anew after" in found.health.detail


def test_the_same_again_is_named_not_made_small_again(on_trial: OnTrial) -> None:
    subject = on_trial(bears=on_null("die"))
    outcome = fuzz(subject, [null_case(1), null_case(2), null_case(3)])
    assert [found.same_as for found in outcome.found] == [None, 1, 1]
    assert len(outcome.different) == 1


def test_a_failure_that_does_not_come_again_is_told_as_such(on_trial: OnTrial) -> None:
    came: list[bytes] = []

    def once(body: bytes, message: Any) -> Fate:
        is_first = None in members(message, "payload").values() and not came
        came.extend([body] * is_first)
        return "die" if is_first else None

    subject = on_trial(bears=once)
    (found,) = fuzz(subject, [null_case()]).found
    assert (found.again, found.shrunk) == (0, None)
    assert "did not happen again" in found.scenario(None)


def test_a_flaky_failure_is_made_small_all_the_same(on_trial: OnTrial) -> None:
    count = 0

    def every_other(body: bytes, message: Any) -> Fate:
        nonlocal count
        if None not in members(message, "payload").values():
            return None
        count += 1
        return "die" if count % 2 else None

    subject = on_trial(bears=every_other)
    (found,) = fuzz(subject, [null_case()]).found
    assert found.again == 1
    assert found.smallest.body() == SMALLEST


def test_a_device_that_never_comes_back_ends_the_run(on_trial: OnTrial) -> None:
    subject = on_trial(bears=on_null("leave"))
    subject.runner, runner = None, subject.runner
    outcome = fuzz(subject, [null_case(), harmless_case(2)], limits=Limits(within_s=0.1, recover_s=0.2))
    subject.runner = runner
    assert len(outcome.found) == 1
    assert outcome.stopped == "the device did not come back within 0.2 s after trial 1"


def test_a_probe_is_one_that_the_device_answers(on_trial: OnTrial) -> None:
    subject = on_trial()
    assert find_probe(subject, ("Settings.ExpectReport", *PROBES), 1.0) == PROBE
    assert find_probe(subject, ("Settings.ExpectReport",), 0.05) is None
    silent = examine(subject, None, subject.mark(), PATIENT)
    assert silent.is_fine
    for name in PROBES:
        asked = read_probe(name).ask()
        assert asked.names, name


def test_the_scenario_that_is_written_breaks_the_device_again(mock: MockCIC, on_trial: OnTrial) -> None:
    """Loaded for a device that connects anew: it is sent once, after a second."""
    subject = on_trial(bears=on_null("die"))
    (found,) = fuzz(subject, [null_case()]).found
    text = found.scenario(PROBE).replace("after: 1s", "after: 10ms")
    text = text.replace("vars:", "settings: {downchannel_window: 0}\nvars:", 1)
    again = on_trial(bears=on_null("die"))
    bench = mock.bench()
    assert isinstance(again.runner, NaiveDevice)
    again.runner.stop()
    bench.device(again.runner._token)
    bench.load(text)
    again.runner.start()
    assert again.runner.ended(30.0) == "exit code 1"
    bench.close()
