"""Speaking after a wake word: the sound in front of the utterance, and the `initiator` that says where it lies."""

from __future__ import annotations

from typing import Any, Final

from mockcic.sound import make

RATE: Final = 16_000
LEAD_SAMPLES: Final = 4_800
"""300 ms that stand in front of the wake word (PROTOCOL 3.3)."""

WORD_S: Final = 0.6
WORD_HZ: Final = 620.0


def with_wake_word(pcm: bytes) -> bytes:
    """Lead, wake word and utterance as the microphone hears them."""
    return make.silence(LEAD_SAMPLES / RATE) + make.tone(WORD_HZ, WORD_S) + pcm


def initiator(device_uuid: str, wake_word: str | None) -> dict[str, Any]:
    """The `initiator` of a Recognize: a tap, or the wake word with its indices in samples from the first byte."""
    payload: dict[str, Any] = {"deviceUUID": device_uuid}
    if wake_word is None:
        return {"type": "TAP", "inputSource": "SELF", "payload": payload}
    end = LEAD_SAMPLES + round(WORD_S * RATE)
    payload["wakeWord"] = {
        "name": wake_word,
        "confidence": 0.93,
        "indices": {"startIndexInSamples": LEAD_SAMPLES, "endIndexInSamples": end},
    }
    return {"type": "WAKEWORD", "inputSource": "SELF", "payload": payload}
