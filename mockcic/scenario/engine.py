"""One device's life in one scenario: facts in, effects out. No socket, no file, no clock; the time is an argument."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, Literal, assert_never

from mockcic.cic.catalogue import catalogue
from mockcic.cic.facts import (
    AnswerSent,
    AudioHeard,
    CueWanted,
    DeviceReset,
    DownchannelClosed,
    DownchannelOpened,
    EventBegan,
    EventEnded,
    EventLost,
    Fact,
    Pinged,
    Sound,
    StepDue,
    StopCaptureLost,
)
from mockcic.cic.message import Attachment, Directive, Event, Refusal
from mockcic.errors import Finding
from mockcic.scenario.admission import Admission
from mockcic.scenario.compose import OF_THE_UPLOAD, STOP_CAPTURE, Composer
from mockcic.scenario.effects import (
    AnswerRaw,
    CallAt,
    CallOff,
    CloseDownchannel,
    Effect,
    EndReply,
    Found,
    Matched,
    Miss,
    Push,
    Refuse,
    ReplyAttachment,
    ReplyDirective,
    SetFault,
    StateChanged,
    StepStrike,
    Unmatched,
    VariablesSet,
)
from mockcic.scenario.match import PENDING, Match, Subject, first_fit, header_of, match, nearest, sound_members
from mockcic.scenario.model import Answer, ExceptionAnswer, RawAnswer, Rule, Scenario
from mockcic.scenario.script import NONE, Locals, Script, make_script, shuffle_replies
from mockcic.scenario.settings import Heard, HelloAfter, Settings
from mockcic.scenario.steps import Change, Cue, FaultStep, Moment, RawStep, Send, Wait
from mockcic.scenario.template import Names, RenderError, render
from mockcic.scenario.upload import DeviceFacts, Upload
from mockcic.scenario.words import read_duration
from mockcic.sound.measure import BYTES_A_SECOND

HELLO: Final = Send(directive="Clova.Hello")
HELLO_IN_DIALOGUE: Final = Send(directive="Clova.Hello", dialogRequestId="{{ uuid() }}")
STOP: Final = Send(directive=STOP_CAPTURE)
AUDIO_MISSING: Final = Refusal(400, "audio part is missing")

Block = str
"""Who owns running scripts and pending cues: a stream (an upload, a downchannel), or AFTERWARDS."""

AFTERWARDS: Final[Block] = "afterwards"

LONGEST_S: Final = 366 * 86400.0
"""No step waits longer (INF)."""

SHORTEST_EVERY_S: Final = 0.01
"""`every` comes no more often (INF): a template that gives 0 must not keep the server busy."""

LONGEST_NAME: Final = 200

COUNTED: Final = 1000
"""Event names that are counted for each device; a device may make up any number of them (INF)."""


@lru_cache(maxsize=64)
def stop_cue(heard: Heard | Literal["never"]) -> Cue | None:
    """The cue that pushes StopCapture by itself, as the setting `stop_capture` has it."""
    if heard == "never":
        return None
    moment = Moment.model_construct(**{name: getattr(heard, name) for name in Heard.model_fields})
    return Cue.model_construct(after=moment, push=[STOP])


class Engine:
    """One device in one scenario. Two devices have two engines and never see each other's state.

    `wall_offset_s` turns the monotonic `now` of facts into the wall time that templates see.
    """

    def __init__(self, scenario: Scenario, device: DeviceFacts | None = None, *, wall_offset_s: float = 0.0) -> None:
        self.scenario = scenario
        self.settings: Settings = scenario.effective
        self.device = device or DeviceFacts()
        self.wall_offset_s = wall_offset_s
        self._composer = Composer(self.settings.seed)
        self._stop_cue = stop_cue(self.settings.stop_capture)
        self._steps = 0
        self._due: dict[int, tuple[Block, Callable[[float], None]]] = {}
        self._uploads: dict[str, Upload] = {}
        self._downchannel: str | None = None
        self._event_cues: Counter[int] = Counter()
        self._out: list[Effect] = []
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.state: str = self.scenario.start
        self.vars: dict[str, Any] = copy.deepcopy(self.scenario.vars)
        self.counts: Counter[str] = Counter()
        self._uses: Counter[int] = Counter()
        self._admission = Admission(self.settings)

    def take_over(self, other: Engine) -> None:
        """Go on where another engine of the same device stopped: its state and variables, as far as both know them."""
        if any(other.state in (rule.in_ or [other.state]) for rule in self.scenario.on):
            self.state = other.state
        self.vars.update({name: value for name, value in other.vars.items() if name in self.vars})
        self.counts.update(other.counts)

    def put(self, *, state: str | None = None, variables: Mapping[str, Any]) -> list[Effect]:
        """Somebody outside wants the device in this state, with these values."""
        effects: list[Effect] = []
        if variables:
            self.vars.update(variables)
            effects.append(VariablesSet(variables))
        if state is not None and state != self.state:
            effects.append(StateChanged(self.state, state))
            self.state = state
        return effects

    def compose(
        self, send: Send | RawStep, now: float, dialogue: str | None = None
    ) -> tuple[Directive, tuple[Attachment, ...]]:
        """The directive of a step that somebody outside wants sent; templates see this device. See `Composer`."""
        return self._composed(send, self._names(None, now), dialogue)

    def _composed(
        self, send: Send | RawStep, names: Names, dialogue: str | None
    ) -> tuple[Directive, tuple[Attachment, ...]]:
        if isinstance(send, RawStep):
            return self._composer.compose_raw(send, names)
        return self._composer.compose(send, names, dialogue)

    def keep_downchannel(self, other: Engine) -> None:
        """The downchannel that is open stays open; its cues begin with the next one."""
        self._downchannel = other._downchannel

    def has_stopped(self, stream: str) -> bool:
        """Whether StopCapture has been pushed for the upload on `stream`."""
        upload = self._uploads.get(stream)
        return upload is not None and upload.stop_pushed

    # ------------------------------------------------------------------ facts

    def handle(self, fact: Fact, now: float) -> list[Effect]:
        """Take what happened at `now` (seconds, monotonic) and say what to do about it, in order."""
        try:
            self._handle(fact, now)
        except RenderError as problem:
            self._break_off(fact, problem)
        effects, self._out = self._out, []
        return effects

    def _break_off(self, fact: Fact, problem: RenderError) -> None:
        """A template of the scenario failed where no step could say so: a finding, and 500 for an event that waits."""
        upload = self._uploads.get(getattr(fact, "stream", ""))
        if upload is not None and not upload.answered:
            self._fail(upload, problem, stop_upload=False)
            upload.answered = True
        else:
            self._out.append(Found(_template_finding(problem, self.scenario.scenario)))

    def _handle(self, fact: Fact, now: float) -> None:
        match fact:
            case DownchannelOpened():
                self._open_downchannel(fact, now)
            case DownchannelClosed():
                self._close_downchannel(fact)
            case EventBegan():
                self._begin(fact, now)
            case AudioHeard():
                self._hear(fact, now)
            case EventEnded():
                self._end(fact, now)
            case EventLost():
                self._call_off(fact.stream)
                self._uploads.pop(fact.stream, None)
            case AnswerSent():
                self._go_on_after(fact, now)
            case StepDue():
                if (due := self._due.pop(fact.step, None)) is not None:
                    due[1](now)
            case DeviceReset():
                for step in list(self._due):
                    self._forget(step)
                self._begin_anew()
            case CueWanted():
                self._play_cue(fact, now)
            case StopCaptureLost():
                for upload in self._uploads.values():
                    upload.stop_pushed &= upload.dialogue != fact.dialogue
            case Pinged():
                self.counts[f"ping.{fact.kind}"] += 1
            case _:
                assert_never(fact)

    def _open_downchannel(self, fact: DownchannelOpened, now: float) -> None:
        self._downchannel = fact.stream
        self._event_cues.clear()
        match self.settings.hello:
            case "at once":
                self._send_hello(now)
            case "twice":
                self._send_hello(now)
                self._send_hello(now)
            case "never":
                pass
            case HelloAfter(after=after):
                self._call(now + self._seconds(after, now), fact.stream, self._send_hello)
        lifetime = self.settings.downchannel_lifetime
        if lifetime != "endless":
            self._call(
                now + self._seconds(lifetime, now),
                fact.stream,
                lambda _: self._out.append(CloseDownchannel("its lifetime is over")),
            )
        for cue in self.scenario.downchannel:
            if cue.after is None or cue.after.event is None:
                self._arm(cue, fact.stream, None, now)

    def _send_hello(self, now: float) -> None:
        self._push(
            HELLO_IN_DIALOGUE if self.settings.hello_dialogue else HELLO, None, now, "the downchannel was opened"
        )

    def _close_downchannel(self, fact: DownchannelClosed) -> None:
        self._call_off(fact.stream)
        if self._downchannel == fact.stream:
            self._downchannel = None
            self._call_off(AFTERWARDS)

    # ------------------------------------------------------------------ an upload

    def _begin(self, fact: EventBegan, now: float) -> None:
        upload = self._uploads[fact.stream] = Upload(fact)
        name = fact.event.full_name
        if name in self.counts or (len(self.counts) < COUNTED and len(name) <= LONGEST_NAME):
            self.counts[name] += 1
        verdict = self._admission.judge(fact.event)
        self._out.extend(Found(finding, fact.stream) for finding in verdict.findings)
        if verdict.refusal is not None:
            self._refuse(upload, verdict.refusal)
            return
        fit = first_fit(self._matches(upload, PENDING, now))
        if fit is not None and fit.rule.fault:
            self._set_faults(fit.rule, upload)
        if fit is not None and fit.rule.while_uploading is not None:
            cues = fit.rule.while_uploading
        elif self._stop_cue is not None and self._takes_sound(fact.event):
            cues = [self._stop_cue]
        else:
            cues = []
        beside = [each.rule.while_uploading or () for each in self._fitting_beside(upload, PENDING, now)]
        for cue in [*cues, *(cue for more in beside for cue in more)]:
            if cue.after is not None and any((cue.after.audio, cue.after.bytes, cue.after.silence, cue.after.upload)):
                upload.cues.append(cue)
            else:
                self._arm(cue, fact.stream, upload, now)

    @staticmethod
    def _takes_sound(event: Event) -> bool:
        spec = catalogue().events.get(event.full_name)
        return spec is not None and spec.attachment is not None

    def _hear(self, fact: AudioHeard, now: float) -> None:
        if (upload := self._uploads.get(fact.stream)) is None:
            return
        upload.sound = fact.sound
        due = [cue for cue in upload.cues if self._is_heard(cue, fact.sound, now)]
        due.sort(key=lambda cue: self._heard_at(cue, now))  # much sound may come at once
        for cue in due:
            if cue in upload.cues:
                upload.cues.remove(cue)
                self._fire_after(cue, upload, now)

    def _heard_at(self, cue: Cue, now: float) -> float:
        """Seconds of sound after which a cue is due; what waits for silence comes last."""
        after = cue.after
        assert after is not None
        if after.audio is not None:
            return self._seconds(after.audio, now)
        return math.inf if after.bytes is None else after.bytes / BYTES_A_SECOND

    def _is_heard(self, cue: Cue, sound: Sound, now: float) -> bool:
        after = cue.after
        assert after is not None
        if after.audio is not None:
            return sound.seconds >= self._seconds(after.audio, now) - 1e-9
        if after.bytes is not None:
            return sound.size >= after.bytes
        if after.silence is not None:
            return sound.silent_for_s is not None and sound.silent_for_s >= self._seconds(after.silence, now) - 1e-9
        return False

    def _end(self, fact: EventEnded, now: float) -> None:
        if (upload := self._uploads.get(fact.stream)) is None:
            return
        upload.ended = True
        upload.sound = fact.sound
        ends = [cue for cue in upload.cues if cue.after is not None and cue.after.upload == "ended"]
        upload.cues.clear()
        for cue in ends:
            self._fire_after(cue, upload, now)
        if upload.answered:
            self._drop_if_over(upload)
        else:
            self._answer(upload, now)

    # ------------------------------------------------------------------ cues

    def _arm(self, cue: Cue, block: Block, upload: Upload | None, now: float) -> None:
        """Do a cue at its time, counted from `now`."""
        delay = 0.0 if cue.after is None or cue.after.time is None else self._seconds(cue.after.time, now)
        if cue.after is None and cue.every is not None:
            delay = self._seconds(cue.every, now)
        if delay <= 0:
            self._fire(cue, block, upload, now, cue.times)
        else:
            self._call(now + delay, block, lambda then: self._fire(cue, block, upload, then, cue.times))

    def _fire_after(self, cue: Cue, upload: Upload, now: float) -> None:
        """Do a cue whose moment in the upload has come, `time` later if it says so."""
        delay = 0.0 if cue.after is None or cue.after.time is None else self._seconds(cue.after.time, now)
        if delay > 0:
            self._call(now + delay, upload.stream, lambda then: self._fire(cue, upload.stream, upload, then, cue.times))
        else:
            self._fire(cue, upload.stream, upload, now, cue.times)

    def _fire(self, cue: Cue, block: Block, upload: Upload | None, now: float, left: int | None) -> None:
        self._change(cue.set_, cue.go, upload, now)
        if cue.push:
            self._run(make_script(cue.push, "downchannel", self.scenario.replies), block, upload, now, self._why(cue))
        if cue.answer is not None and upload is not None and not upload.answered:
            self._answer(upload, now)
        left = None if left is None else left - 1
        if cue.every is not None and (left is None or left > 0):
            self._call(
                now + max(SHORTEST_EVERY_S, self._seconds(cue.every, now)),
                block,
                lambda then: self._fire(cue, block, upload, then, left),
            )

    def _play_cue(self, fact: CueWanted, now: float) -> None:
        """Do a named cue with these arguments; one that the scenario lacks is nothing."""
        if (cue := self.scenario.cues.get(fact.name)) is None:
            return
        args: dict[str, Any] = {}
        for name, default in cue.args.items():
            args[name] = (
                fact.args[name] if name in fact.args else render(default, self._names(None, now, {"args": args}))
            )
        names: Locals = {"args": args}
        self._change(cue.set_, cue.go, None, now, names)
        script = make_script(cue.push, "downchannel", self.scenario.replies, names)
        self._run(script, AFTERWARDS, None, now, f"cue {fact.name}")

    @staticmethod
    def _why(cue: Cue) -> str:
        match cue.after:
            case Moment(audio=float(seconds)):
                return f"after {seconds:g} s of sound"
            case Moment(bytes=int(size)):
                return f"after {size} bytes of sound"
            case Moment(silence=float(seconds)):
                return f"after {seconds:g} s of silence"
            case Moment(upload="ended"):
                return "at the end of the upload"
            case Moment(event=str(name)):
                return f"after {name}"
            case Moment(time=float(seconds)):
                return f"after {seconds:g} s"
        return "" if cue.every is None else f"every {cue.every:g} s" if isinstance(cue.every, float) else ""

    # ------------------------------------------------------------------ answers

    def _answer(self, upload: Upload, now: float, *, stop_upload: bool = False) -> None:
        """Find the rule that answers, and begin its answer."""
        if self._takes_sound(upload.event) and upload.sound is None and upload.ended:
            if self.settings.recognize_without_audio == 400:
                self._refuse(upload, AUDIO_MISSING)
                return
            self._find(
                "multipart.audio",
                "no audio part",
                "the sound of the request (PROTOCOL 3.5: INF)",
                "send the part named audio behind the metadata, before the last delimiter",
                upload,
            )
        for beside in self._fitting_beside(upload, upload.sound, now):
            self._uses[beside.number] += 1
            upload.beside.append(beside.rule)
            self._change(beside.rule.set_, beside.rule.go, upload, now)
        matches: list[Match] = []
        for each in self._matches(upload, upload.sound, now):
            matches.append(each)
            if each.fits:
                break
        fit = first_fit(matches[-1:])
        upload.answered = True
        if fit is None:
            self._answer_unmatched(upload, [*matches, *self._others(upload, now)], now, stop_upload)
            return
        turn = self._uses[fit.number]
        self._uses[fit.number] += 1
        self._out.append(Matched(upload.stream, fit.rule.label))
        upload.rule, upload.answer = fit.rule, fit.rule.answer(turn)
        self._change(fit.rule.set_, fit.rule.go, upload, now)
        if fit.rule.fault and fit.rule not in upload.faulty:
            self._set_faults(fit.rule, upload)
        if upload.answer is not fit.rule:
            self._set_faults(upload.answer, upload)
            self._change(upload.answer.set_, upload.answer.go, upload, now)
        self._give(upload, upload.answer, now, stop_upload)

    def _set_faults(self, answer: Answer, upload: Upload) -> None:
        upload.faulty.append(answer)
        self._out.extend(SetFault(upload.stream, fault, upload.event.full_name) for fault in answer.fault)

    def _answer_unmatched(self, upload: Upload, matches: Sequence[Match], now: float, stop_upload: bool) -> None:
        name = upload.event.full_name
        near = tuple((each.rule.label, each.misses) for each in nearest(matches, name))
        self._out.append(Unmatched(upload.stream, name, near))
        if name not in catalogue().events and self.settings.unknown_event != 204:
            self._refuse(upload, Refusal(self.settings.unknown_event, f"unknown event {name}"), stop_upload=stop_upload)
            return
        upload.answer = self.scenario.otherwise
        self._change(upload.answer.set_, upload.answer.go, upload, now)
        self._give(upload, upload.answer, now, stop_upload)

    def _matches(self, upload: Upload, sound: Any, now: float) -> Iterator[Match]:
        """Each rule about the event that answers held against it, one after another as far as the caller wants."""
        return self._hold(self.scenario.rules_about(upload.event.full_name).answering, upload, sound, now)

    def _others(self, upload: Upload, now: float) -> Iterator[Match]:
        """The rules about other events: one of them may have been meant."""
        name = upload.event.full_name
        others = ((n, rule) for n, rule in enumerate(self.scenario.on) if not rule.beside and not rule.is_about(name))
        return self._hold(others, upload, upload.sound, now)

    def _fitting_beside(self, upload: Upload, sound: Any, now: float) -> Iterator[Match]:
        """The rules that answer nothing and fit the event, in the order of the file."""
        rules = self.scenario.rules_about(upload.event.full_name).beside
        return (each for each in self._hold(rules, upload, sound, now) if each.fits)

    def _hold(self, rules: Iterable[tuple[int, Rule]], upload: Upload, sound: Any, now: float) -> Iterator[Match]:
        subject = Subject(
            event=upload.event,
            headers=upload.began.headers,
            sound=sound,
            state=self.state,
            vars=self.vars,
            counts=self.counts,
            device=self._device_members,
        )

        def fill(value: Any) -> Any:
            return render(value, self._names(upload, now))

        for number, rule in rules:
            try:
                yield match(rule, number, self._uses[number], subject, fill)
            except RenderError as problem:
                self._out.append(Found(_template_finding(problem, rule.label), upload.stream))
                yield Match(rule, number, (Miss("when", "a template that can be rendered", problem.why),))

    def _give(self, upload: Upload, answer: Answer, now: float, stop_upload: bool) -> None:
        try:
            delay = self._seconds(answer.delay, now, upload)
        except RenderError as problem:
            self._fail(upload, problem, stop_upload)
            return
        if delay > 0:
            self._call(now + delay, upload.stream, lambda then: self._give_now(upload, answer, then, stop_upload))
        else:
            self._give_now(upload, answer, now, stop_upload)

    def _give_now(self, upload: Upload, answer: Answer, now: float, stop_upload: bool) -> None:
        stop_upload = stop_upload and not upload.ended
        try:
            if answer.exception is not None:
                refusal = self._refusal(answer.exception, upload, now)
                self._out.append(Refuse(upload.stream, refusal, stop_upload))
                return
            if answer.raw is not None:
                self._out.append(self._raw(answer.raw, upload, now, stop_upload))
                return
        except RenderError as problem:
            self._fail(upload, problem, stop_upload)
            return
        script = make_script(answer.reply or [], "reply", self.scenario.replies)
        if self.settings.directive_order == "shuffled":
            script = shuffle_replies(script, self._composer.random)
        self._run(script, upload.stream, upload, now, "in the reply", stop_upload=stop_upload, ends_reply=True)

    def _refusal(self, answer: ExceptionAnswer, upload: Upload, now: float) -> Refusal:
        status = answer.status or (answer.code if 400 <= answer.code <= 599 else 500)
        description = str(render(answer.description, self._names(upload, now)))
        return Refusal(status, description, answer.code, answer.form, tuple(answer.headers.items()))

    def _raw(self, answer: RawAnswer, upload: Upload, now: float, stop_upload: bool) -> AnswerRaw:
        body = answer.content() or str(render(answer.body, self._names(upload, now))).encode()
        return AnswerRaw(upload.stream, answer.status, tuple(answer.headers.items()), body, stop_upload)

    def _refuse(self, upload: Upload, refusal: Refusal, *, stop_upload: bool = False) -> None:
        upload.answered = True
        upload.cues.clear()
        self._call_off(upload.stream)
        self._out.append(Refuse(upload.stream, refusal, stop_upload and not upload.ended))

    def _go_on_after(self, fact: AnswerSent, now: float) -> None:
        """The answer has been sent: its `afterwards`, and the downchannel's cues that wait for this event."""
        if (upload := self._uploads.get(fact.stream)) is None:
            return
        upload.sent = True
        self._drop_if_over(upload)
        answers = [*upload.beside, upload.rule, upload.answer]
        if upload.rule is upload.answer:
            del answers[-1]
        for answer in answers:
            for cue in answer.afterwards if answer is not None else ():
                self._arm(cue, AFTERWARDS, upload, now)
        if self._downchannel is not None:
            for number, cue in enumerate(self.scenario.downchannel):
                if cue.after is not None and cue.after.is_about(upload.event.full_name):
                    self._event_cues[number] += 1
                    if cue.times is None or self._event_cues[number] <= cue.times:
                        self._arm(cue, self._downchannel, upload, now)

    def _drop_if_over(self, upload: Upload) -> None:
        if upload.sent and upload.ended:
            self._uploads.pop(upload.stream, None)

    # ------------------------------------------------------------------ scripts

    def _run(
        self,
        script: Script,
        block: Block,
        upload: Upload | None,
        now: float,
        why: str,
        *,
        stop_upload: bool = False,
        ends_reply: bool = False,
    ) -> None:
        """Do the items of a script until one waits; then go on when its time has come."""

        def fill(value: Any, names: Locals) -> Any:
            return render(value, self._names(upload, now, names))

        try:
            while (item := script.next(fill)) is not None:
                match item.step:
                    case Wait(wait=duration):
                        then = now + self._seconds(duration, now, upload, item.names)
                        self._call(
                            then,
                            block,
                            lambda at: self._run(
                                script, block, upload, at, why, stop_upload=stop_upload, ends_reply=ends_reply
                            ),
                            waits=(upload.stream if upload else "", then - now, why),
                        )
                        return
                    case Change(set_=values, go=state):
                        self._change(values, state, upload, now, item.names)
                    case FaultStep(fault=faults):
                        stream = upload.stream if upload else ""
                        self._out.extend(StepStrike(stream, fault, item.line) for fault in faults)
                    case (Send() | RawStep()) as send if item.line == "reply" and upload is not None:
                        self._reply(send, upload, now, item.names, last=not script.has_reply(fill))
                    case (Send() | RawStep()) as send:
                        self._push(send, upload, now, why, item.names)
        except (RenderError, OSError) as problem:
            if ends_reply and upload is not None:
                self._fail(upload, problem, stop_upload)
            else:
                self._out.append(
                    Found(_template_finding(problem, self.scenario.scenario), upload.stream if upload else "")
                )
            return
        if ends_reply and upload is not None:
            self._out.append(EndReply(upload.stream, stop_upload and not upload.ended))

    def _reply(self, send: Send | RawStep, upload: Upload, now: float, names: Locals, *, last: bool) -> None:
        directive, attachments = self._composed(send, self._names(upload, now, names), upload.dialogue)
        if self.settings.attachments != "inline":
            upload.unsent.extend(attachments)
            attachments = tuple(upload.unsent) if last else ()
            if self.settings.attachments == "reversed":
                attachments = attachments[::-1]
        self._out.append(ReplyDirective(upload.stream, directive, last=last and not attachments))
        for number, attachment in enumerate(attachments, 1):
            self._out.append(ReplyAttachment(upload.stream, attachment, last=last and number == len(attachments)))

    def _push(self, send: Send | RawStep, upload: Upload | None, now: float, why: str, names: Locals = NONE) -> None:
        if isinstance(send, RawStep):
            self._out.append(Push(*self._composed(send, self._names(upload, now, names), None), why))
            return
        belongs = upload is not None and (send.directive in OF_THE_UPLOAD or send.dialogue == "echo")
        dialogue = upload.dialogue if upload is not None and belongs else None
        directive, attachments = self._composer.compose(send, self._names(upload, now, names), dialogue)
        self._out.append(Push(directive, attachments, why))
        if send.directive == STOP_CAPTURE and upload is not None and not upload.stop_pushed and not upload.ended:
            upload.stop_pushed = True
            grace = self._seconds(self.settings.stop_grace, now)
            self._call(now + grace, upload.stream, lambda then: self._stop_waiting(upload, then))

    def _stop_waiting(self, upload: Upload, now: float) -> None:
        """The device goes on uploading although it was told to stop: answer, and end the stream (PROTOCOL 3.4)."""
        if upload.ended or upload.answered or not upload.stop_pushed:
            return
        self._find(
            "audio.stop-capture",
            f"still uploading {self.settings.stop_grace} s after StopCapture",
            "the end of the upload at once (PROTOCOL 3.4)",
            "stop recording when StopCapture comes with the dialogue of the upload, then send the last delimiter",
            upload,
        )
        upload.cues.clear()
        self._answer(upload, now, stop_upload=True)

    def _fail(self, upload: Upload, problem: Exception, stop_upload: bool) -> None:
        self._out.append(Found(_template_finding(problem, self.scenario.scenario), upload.stream))
        self._out.append(
            Refuse(upload.stream, Refusal(500, f"scenario {self.scenario.scenario}: {problem}"), stop_upload)
        )

    # ------------------------------------------------------------------ state, names, time

    def _change(
        self, values: Mapping[str, Any], state: str | None, upload: Upload | None, now: float, names: Locals = NONE
    ) -> None:
        try:
            for name, value in values.items():
                self.vars[name] = render(value, self._names(upload, now, names))
            if values:
                now_set = {name: self.vars[name] for name in values}
                self._out.append(VariablesSet(now_set, upload.stream if upload else ""))
        except RenderError as problem:
            self._out.append(Found(_template_finding(problem, self.scenario.scenario), upload.stream if upload else ""))
        if state is not None and state != self.state:
            self._out.append(StateChanged(self.state, state))
            self.state = state

    def _names(self, upload: Upload | None, now: float, more: Locals = NONE) -> Names:
        """The names that templates see (docs/scenarios.md, Templates), and those of a cue or a `repeat`."""
        return Names(lambda: {**more, **self._all_names(upload, now)})

    def _all_names(self, upload: Upload | None, now: float) -> dict[str, Any]:
        names: dict[str, Any] = {
            "vars": self.vars,
            "state": self.state,
            "count": self.counts,
            "device": self._device_members(),
            "uuid": self._composer.uuid,
            "random": self._composer.random,
            "now": datetime.fromtimestamp(now + self.wall_offset_s, tz=UTC),
        }
        if upload is not None:
            event = upload.event
            names["event"] = {
                "name": event.full_name,
                "header": header_of(event),
                "payload": event.payload,
                "context": {context.full_name: context.payload for context in event.contexts},
            }
            names["request"] = upload.began.headers
            names["audio"] = sound_members(upload.sound)
        return names

    def _device_members(self) -> dict[str, Any]:
        device = self.device
        return {"id": device.id, "token": device.token, "user_agent": device.user_agent, "tags": list(device.tags)}

    def _seconds(self, value: float | str, now: float, upload: Upload | None = None, names: Locals = NONE) -> float:
        """A duration of the scenario in seconds; a template is rendered and read."""
        if isinstance(value, float | int):
            return float(value)
        rendered = render(value, self._names(upload, now, names))
        try:
            seconds = float(rendered) if isinstance(rendered, float | int) else float(read_duration(rendered))
        except (ValueError, OverflowError) as error:
            raise RenderError(value, str(error)) from None
        return min(max(0.0, seconds), LONGEST_S)

    def _call(
        self,
        when: float,
        block: Block,
        step: Callable[[float], None],
        *,
        waits: tuple[str, float | None, str] = ("", None, ""),
    ) -> None:
        """Do `step` at `when`. `waits`, for the journal: stream, seconds and reason of a script's step."""
        self._steps += 1
        self._due[self._steps] = (block, step)
        self._out.append(CallAt(self._steps, when, *waits))

    def _call_off(self, block: Block) -> None:
        for step in [step for step, (owner, _) in self._due.items() if owner == block]:
            self._forget(step)

    def _forget(self, step: int) -> None:
        del self._due[step]
        self._out.append(CallOff(step))

    def _find(self, code: str, found: str, expected: str, mend: str, upload: Upload) -> None:
        self._out.append(Found(Finding(code, found, expected, mend), upload.stream))


def _template_finding(problem: Exception, where: str) -> Finding:
    return Finding(
        "scenario.template", f"{where}: {problem}", "a value that can be made when the step is due", severity="error"
    )


__all__ = ["DeviceFacts", "Engine"]
