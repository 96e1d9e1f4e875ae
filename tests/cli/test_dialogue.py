"""What `mockcic serve` prints of the journal."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from mockcic.cli.dialogue import JsonPrinter, TextPrinter
from tests.support.entries import a_life

NOTHING: Any = None
"""Entries are printed without a look at the server."""


def test_lines_have_the_time_since_the_journal_began_and_the_device(capsys: pytest.CaptureFixture[str]) -> None:
    TextPrinter(NOTHING, NOTHING, []).entry(a_life()[4])
    line = capsys.readouterr().out
    assert line.startswith("   +3.000  …4f2a      ⇓ SpeechRecognizer.StopCapture 11111111")


def test_a_refusal_is_told_by_its_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """The exception comes a moment before and says the same."""
    printer = TextPrinter(NOTHING, NOTHING, [])
    for entry in a_life():
        printer.entry(entry)
    assert capsys.readouterr().out.count("no such event") == 1


def test_json_lines_are_the_entries_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    entry = a_life()[3]
    JsonPrinter(NOTHING, NOTHING).entry(entry)
    assert cast("dict[str, Any]", json.loads(capsys.readouterr().out)) == entry.as_json()
