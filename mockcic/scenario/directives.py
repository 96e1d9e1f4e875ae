"""What the engine fills into a directive's payload by itself, when the scenario does not say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MINTED: Final[Mapping[str, str]] = {
    "SpeechSynthesizer.Speak": "token",
    "Alerts.SetAlert": "token",
    "SpeechRecognizer.ExpectSpeech": "expectSpeechId",
}
"""Directive to the member that gets a fresh UUID: ids that a device only repeats, so that any will do (INF)."""

SOUND_MEMBER: Final = "url"
"""The member of a directive that `audio` is tied to (PROTOCOL 4.4)."""

TOLERATED: Final[Mapping[str, frozenset[str]]] = {"SpeechSynthesizer.Speak": frozenset({"ttsText"})}
"""Members that scenarios may use though the catalogue does not list them: what the sound says, for people (INF)."""

__all__ = ["MINTED", "SOUND_MEMBER", "TOLERATED"]
