"""What no place can do is an error when the scenario is loaded; a fault without `on` is aimed where it can strike."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mockcic.errors import ScenarioError
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.load import load_text


@pytest.mark.parametrize(
    ("fault", "found", "expected"),
    [
        ({"status": 503, "after": "headers"}, "`status` after the headers", "no `headers` or `sent` beside it"),
        ({"portal": 200, "after": {"sent": 10}}, "`portal` after the headers", "no `headers` or `sent` beside it"),
        ({"status": 503, "on": "downchannel", "after": "5s"}, "`status` of a downchannel after 5 s", "no `after`"),
        ({"status": 503, "on": "downchannel", "after": {"audio": "1s"}}, "`status` of a downchannel", "no `after`"),
        ({"content_type": "a/b", "on": "downchannel", "event": "*"}, "`event` beside `content_type`", "none"),
        ({"drop": True, "on": "downchannel", "every": "1s"}, "`every` beside `drop`", "`nth`, `chance` or `times`"),
        ({"status": 503, "on": "downchannel", "every": "1s"}, "`every` beside `status`", "`nth`, `chance` or `times`"),
        ({"json": "cut", "after": {"sent": 10}}, "`json` from the middle", "no `sent` or `headers` beside it"),
        ({"multipart": "lf", "on": "token"}, "`multipart` aimed at token", "`on:` answer or downchannel"),
        ({"order": "reversed", "on": "downchannel"}, "`order` aimed at downchannel", "`on:` answer"),
        ({"answer_twice": True, "on": "downchannel"}, "`answer_twice` aimed at downchannel", "`on:` answer"),
        ({"empty": True, "on": "downchannel"}, "`empty` aimed at downchannel", "`on:` answer or token"),
        ({"token": "expire", "on": "token"}, "`token` aimed at token", "`on:` connection"),
    ],
)
def test_it_cannot_be(fault: dict[str, Any], found: str, expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Fault.model_validate(fault)
    (error,) = caught.value.errors()
    assert error["msg"].startswith(found)
    assert error["ctx"]["expected"] == expected


def test_it_is_told_with_its_place() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_text("scenario: a\nfault: {drop: true, on: downchannel, every: 1s}\non: []\n")
    (problem,) = caught.value.problems
    assert (problem.line, problem.severity) == (2, "error")


@pytest.mark.parametrize(
    ("fault", "role"),
    [
        ({"drop": True, "directive": "Clova.Hello"}, "downchannel"),
        ({"repeat": 2, "directive": ["SpeechRecognizer.StopCapture", "Clova.Hello"]}, "downchannel"),
        ({"drop": True, "directive": ["SpeechRecognizer.StopCapture", "Clova.RenderText"]}, "answer"),
        ({"drop": True, "on": "answer", "directive": "Clova.Hello"}, "answer"),
        ({"late": "1s"}, "answer"),
    ],
)
def test_directives_that_never_answer_an_event_are_looked_for_on_the_downchannel(
    fault: dict[str, Any], role: str
) -> None:
    assert Fault.model_validate(fault).role == role
