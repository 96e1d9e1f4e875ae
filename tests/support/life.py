"""Builders for the engine's tests: the smallest thing that shows the point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import yaml

from mockcic.cic.facts import AudioHeard, CueWanted, DownchannelOpened, EventBegan, EventEnded, Sound, StepDue
from mockcic.cic.message import Event
from mockcic.scenario.effects import CallAt, CallOff, Effect, Push, ReplyDirective
from mockcic.scenario.engine import Engine
from mockcic.scenario.load import load_text
from mockcic.scenario.upload import DeviceFacts

UPLOAD = "c1.5"
LINE = "c1.1"


def text_event(text: str = "안녕", *, dialogue: str | None = "d1", message_id: str = "m1") -> Event:
    """TextRecognizer.Recognize."""
    return Event("TextRecognizer", "Recognize", message_id, {"text": text}, dialogue)


def recognize(dialogue: str = "d1", **payload: Any) -> Event:
    """SpeechRecognizer.Recognize."""
    return Event("SpeechRecognizer", "Recognize", f"m-{dialogue}", {"lang": "ko", **payload}, dialogue)


class Life:
    """An engine with a clock of its own: facts are told at `now`, and steps are called when their time comes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = 100.0
        self._calls: dict[int, float] = {}

    def tell(self, fact: Any) -> list[Effect]:
        """Tell a fact now."""
        return self._keep(self.engine.handle(fact, self.now))

    def _keep(self, effects: list[Effect]) -> list[Effect]:
        for effect in effects:
            if isinstance(effect, CallAt):
                self._calls[effect.step] = effect.when
            elif isinstance(effect, CallOff):
                self._calls.pop(effect.step, None)
        return effects

    def wait(self, seconds: float) -> list[Effect]:
        """Let time pass; every step that comes due is told in its order."""
        end = self.now + seconds
        effects: list[Effect] = []
        while due := [(when, step) for step, when in self._calls.items() if when <= end + 1e-9]:
            when, step = min(due)
            del self._calls[step]
            self.now = max(self.now, when)
            effects += self._keep(self.engine.handle(StepDue(step), self.now))
        self.now = end
        return effects

    def cue(self, name: str, **args: Any) -> list[Effect]:
        """Somebody makes a named cue happen."""
        return self.tell(CueWanted(name, args))

    def open(self) -> list[Effect]:
        """The device opens its downchannel."""
        return self.tell(DownchannelOpened(LINE, "c1"))

    def send(
        self,
        event: Event,
        *,
        seconds: float | None = None,
        stream: str = UPLOAD,
        headers: Mapping[str, str] | None = None,
        **sound: Any,
    ) -> list[Effect]:
        """A whole event at once; `seconds` of sound when given."""
        effects = self.tell(EventBegan(stream, event, headers or {}, "c1"))
        heard = None if seconds is None else Sound(size=int(seconds * 32000), seconds=seconds, **sound)
        if heard is not None:
            effects += self.tell(AudioHeard(stream, heard))
        return effects + self.tell(EventEnded(stream, heard))

    @property
    def pending(self) -> int:
        """How many steps are still to come."""
        return len(self._calls)


Begin = Callable[..., Life]


def begin_life(scenario: str | Mapping[str, Any], token: str = "token-0001") -> Life:
    """Begin a device's life in a scenario given as YAML text or as members of one."""
    if isinstance(scenario, str):
        text = f"scenario: test\n{scenario}"
    else:
        text = yaml.safe_dump({"scenario": "test", **scenario}, allow_unicode=True, sort_keys=False)
    chosen = load_text(text).scenarios[0]
    return Life(Engine(chosen, DeviceFacts(id="…0001", token=token), wall_offset_s=0.0))


def names(effects: Iterable[Effect], kind: type[Push] | type[ReplyDirective]) -> list[str]:
    """The names of the directives of these effects."""
    return [effect.directive.full_name for effect in effects if isinstance(effect, kind)]
