"""`mockcic device --from-env`: what a runner of devices asks for, in the environment, and how the device does it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mockcic.errors import StartError

if TYPE_CHECKING:
    from mockcic.simulator.device import Device

ASKS: Final[Mapping[str, str]] = {
    "connect": "connect, ask for alerts and settings, stay",
    "speak": "say a tone of two seconds",
    "text": "say something in writing",
    "converse": "speak, and answer each ExpectSpeech",
    "twice": "say something in writing, and after the answer something else",
    "wake-word": "speak after a wake word",
    "alarm": "as connect: alarms that are pushed are set and ring",
    "music": "as connect: music that is pushed is played",
    "notify": "as connect: notifications are pushed",
    "idle": "as connect: nothing is pushed",
}
STAYING: Final = frozenset({"connect", "alarm", "music", "notify", "idle"})
"""These settle, obey what is pushed, and stay to the end."""

WORDS: Final = ("오늘 날씨 어때", "내일은 어때")
WAKE_WORD: Final = "hey_clova"
TONE_S: Final = 2.0
TURNS: Final = 5
"""Questions that are answered in one conversation."""

LINGER_S: Final = 2.5
"""So long nothing more comes after all is played and reported, so that a server sees that."""

EARLY_S: Final = 1.0
"""So much before the time is up a device leaves by itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the environment says; `seconds` None is without an end."""

    url: str
    ca_file: Path | None
    token: str | None
    ask: str
    seconds: float | None

    @property
    def stays_s(self) -> float | None:
        """How long the device lives at most."""
        return None if self.seconds is None else max(0.0, self.seconds - EARLY_S)

    @property
    def settles(self) -> bool:
        """Whether it asks for alerts and settings after Hello."""
        return self.ask in STAYING


def read_environment(environ: Mapping[str, str]) -> Asked:
    """MOCKCIC_URL, MOCKCIC_CA, MOCKCIC_TOKEN, MOCKCIC_ASK, MOCKCIC_SECONDS. Raises `StartError`."""
    url = environ.get("MOCKCIC_URL", "")
    if not url:
        raise StartError("--from-env: no MOCKCIC_URL in the environment, expected such as https://127.0.0.1:8443")
    ask = environ.get("MOCKCIC_ASK") or "connect"
    if ask not in ASKS:
        raise StartError(f"--from-env: found MOCKCIC_ASK {ask!r}, expected one of {', '.join(ASKS)}")
    ca_file = environ.get("MOCKCIC_CA")
    seconds = _seconds(environ.get("MOCKCIC_SECONDS", ""))
    return Asked(url, Path(ca_file) if ca_file else None, environ.get("MOCKCIC_TOKEN") or None, ask, seconds)


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        from mockcic.scenario.words import read_duration

        try:
            seconds = float(read_duration(text))
        except ValueError:
            seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise StartError(f"--from-env: found MOCKCIC_SECONDS {text!r}, expected seconds above 0, or such as 1m30s")
    return seconds


async def perform(device: Device, asked: Asked) -> None:
    """Do what is asked, and stay until it is played and reported, or until the time is up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(asked.stays_s):
            if asked.ask in STAYING:
                await asyncio.Event().wait()
            await _speak(device, asked.ask)
            await device.idle()
            await asyncio.sleep(LINGER_S)


async def _speak(device: Device, ask: str) -> None:
    from mockcic.sound import make

    tone = make.tone(440.0, TONE_S)
    match ask:
        case "speak":
            await device.say(tone)
        case "wake-word":
            await device.say(tone, wake_word=device.wake_word or WAKE_WORD)
        case "text":
            await device.say_text(WORDS[0])
        case "twice":
            for words in WORDS:
                await device.say_text(words, follow_up=False)
                await device.finish_speaking()
        case "converse":
            await device.say(tone)
            await device.finish_speaking()
            for _ in range(TURNS):
                if device.state.expected_speech is None:
                    break
                await device.say(tone)
                await device.finish_speaking()
