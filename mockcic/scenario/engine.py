"""One device's life in one scenario: facts in, effects out. No socket, no file, no clock; the time is an argument."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, assert_never

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
    StepDue,
    StopCaptureLost,
)
from mockcic.cic.message import Attachment, Directive, Event, Refusal
from mockcic.errors import Finding
from mockcic.scenario.admission import Admission
from mockcic.scenario.agenda import AFTERWARDS, Agenda, Block, Then
from mockcic.scenario.compose import OF_THE_UPLOAD, STOP_CAPTURE, Composer
from mockcic.scenario.cue_moments import heard_at_s, is_heard, stop_cue, waits_for_sound, why
from mockcic.scenario.effects import (
    AnswerRaw,
    CloseDownchannel,
    Effect,
    EndReply,
    Found,
    Matched,
    Push,
    Refuse,
    ReplyAttachment,
    ReplyDirective,
    SetFault,
    StepStrike,
    Unmatched,
)
from mockcic.scenario.match import PENDING, Match, first_fit, nearest
from mockcic.scenario.memory import Memory, template_finding
from mockcic.scenario.model import Answer, ExceptionAnswer, RawAnswer, Scenario
from mockcic.scenario.rulebook import Rulebook
from mockcic.scenario.script import NONE, Locals, Script, make_script, shuffle_replies
from mockcic.scenario.settings import HelloAfter, Settings
from mockcic.scenario.steps import Change, Cue, FaultStep, RawStep, Send, Wait
from mockcic.scenario.template import Names, RenderError, render
from mockcic.scenario.upload import DeviceFacts, Upload

HELLO: Final = Send(directive="Clova.Hello")
HELLO_IN_DIALOGUE: Final = Send(directive="Clova.Hello", dialogRequestId="{{ uuid() }}")
AUDIO_MISSING: Final = Refusal(400, "audio part is missing")

SHORTEST_EVERY_S: Final = 0.01
"""`every` comes no more often (INF): a template that gives 0 must not keep the server busy."""


class Engine:
    """One device in one scenario. Two devices have two engines and never see each other's state.

    `wall_offset_s` turns the monotonic `now` of facts into the wall time that templates see.
    """

    def __init__(self, scenario: Scenario, device: DeviceFacts | None = None, *, wall_offset_s: float = 0.0) -> None:
        self.scenario = scenario
        self.settings: Settings = scenario.effective
        self._composer = Composer(self.settings.seed)
        self.memory = Memory(scenario, device or DeviceFacts(), self._composer, wall_offset_s)
        self._rulebook = Rulebook(scenario, self.memory)
        self._admission = Admission(self.settings)
        self._agenda = Agenda()
        self._stop_cue = stop_cue(self.settings.stop_capture)
        self._uploads: dict[str, Upload] = {}
        self._downchannel: str | None = None
        self._event_cues: Counter[int] = Counter()
        self._out: list[Effect] = []

    def take_over(self, other: Engine) -> None:
        """Go on where another engine of the same device stopped: its state and variables, as far as both know them."""
        self.memory.take_over(other.memory)

    def put(self, *, state: str | None = None, variables: Mapping[str, Any]) -> list[Effect]:
        """Somebody outside wants the device in this state, with these values."""
        return self.memory.put(state=state, variables=variables)

    def compose(
        self, send: Send | RawStep, now: float, dialogue: str | None = None
    ) -> tuple[Directive, tuple[Attachment, ...]]:
        """The directive of a step that somebody outside wants sent; templates see this device. See `Composer`."""
        return self._composed(send, self.memory.names(None, now), dialogue)

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
            self._out.append(Found(template_finding(problem, self.scenario.scenario)))

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
                if (then := self._agenda.take(fact.step)) is not None:
                    then(now)
            case DeviceReset():
                self._end_answers_that_wait()
                self._out.extend(self._agenda.call_off_all())
                self._admission = Admission(self.settings)
                self.memory.begin_anew()
            case CueWanted():
                self._play_cue(fact, now)
            case StopCaptureLost():
                for upload in self._uploads.values():
                    upload.stop_pushed &= upload.dialogue != fact.dialogue
            case Pinged():
                self.memory.counts[f"ping.{fact.kind}"] += 1
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
                self._call(now + self.memory.seconds(after, now), fact.stream, self._send_hello)
        lifetime = self.settings.downchannel_lifetime
        if lifetime != "endless":
            self._call(
                now + self.memory.seconds(lifetime, now),
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
        self.memory.count(fact.event.full_name)
        verdict = self._admission.judge(fact.event)
        self._out.extend(Found(finding, fact.stream) for finding in verdict.findings)
        if verdict.refusal is not None:
            self._refuse(upload, verdict.refusal)
            return
        fit = first_fit(self._rulebook.answering(upload, PENDING, now, self._out))
        if fit is not None and fit.rule.fault:
            self._set_faults(fit.rule, upload)
        if fit is not None and fit.rule.while_uploading is not None:
            cues = [*fit.rule.while_uploading]
        elif self._stop_cue is not None and self._takes_sound(fact.event):
            cues = [self._stop_cue]
        else:
            cues = []
        for beside in self._rulebook.fitting_beside(upload, PENDING, now, self._out):
            cues += beside.rule.while_uploading or ()
        for cue in cues:
            if waits_for_sound(cue):
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

        def seconds(value: float | str) -> float:
            return self.memory.seconds(value, now)

        due = [cue for cue in upload.cues if is_heard(cue, fact.sound, seconds)]
        due.sort(key=lambda cue: heard_at_s(cue, seconds))  # much sound may come at once
        for cue in due:
            if cue in upload.cues:
                upload.cues.remove(cue)
                self._fire_after(cue, upload, now)

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
        delay = 0.0 if cue.after is None or cue.after.time is None else self.memory.seconds(cue.after.time, now)
        if cue.after is None and cue.every is not None:
            delay = self.memory.seconds(cue.every, now)
        if delay <= 0:
            self._fire(cue, block, upload, now, cue.times)
        else:
            self._call(now + delay, block, lambda then: self._fire(cue, block, upload, then, cue.times))

    def _fire_after(self, cue: Cue, upload: Upload, now: float) -> None:
        """Do a cue whose moment in the upload has come, `time` later if it says so."""
        delay = 0.0 if cue.after is None or cue.after.time is None else self.memory.seconds(cue.after.time, now)
        if delay > 0:
            self._call(now + delay, upload.stream, lambda then: self._fire(cue, upload.stream, upload, then, cue.times))
        else:
            self._fire(cue, upload.stream, upload, now, cue.times)

    def _fire(self, cue: Cue, block: Block, upload: Upload | None, now: float, left: int | None) -> None:
        self._change(cue.set_, cue.go, upload, now)
        if cue.push:
            self._run(make_script(cue.push, "downchannel", self.scenario.replies), block, upload, now, why(cue))
        if cue.answer is not None and upload is not None and not upload.answered:
            self._answer(upload, now)
        left = None if left is None else left - 1
        if cue.every is not None and (left is None or left > 0):
            self._call(
                now + max(SHORTEST_EVERY_S, self.memory.seconds(cue.every, now)),
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
                fact.args[name] if name in fact.args else render(default, self.memory.names(None, now, {"args": args}))
            )
        names: Locals = {"args": args}
        self._change(cue.set_, cue.go, None, now, names)
        script = make_script(cue.push, "downchannel", self.scenario.replies, names)
        self._run(script, AFTERWARDS, None, now, f"cue {fact.name}")

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
        for beside in self._rulebook.fitting_beside(upload, upload.sound, now, self._out):
            self.memory.uses[beside.number] += 1
            upload.beside.append(beside.rule)
            self._change(beside.rule.set_, beside.rule.go, upload, now)
        matches: list[Match] = []
        for each in self._rulebook.answering(upload, upload.sound, now, self._out):
            matches.append(each)
            if each.fits:
                break
        fit = first_fit(matches[-1:])
        upload.answered = True
        if fit is None:
            self._answer_unmatched(
                upload, [*matches, *self._rulebook.others(upload, now, self._out)], now, stop_upload=stop_upload
            )
            return
        turn = self.memory.uses[fit.number]
        self.memory.uses[fit.number] += 1
        self._out.append(Matched(upload.stream, fit.rule.label))
        upload.rule, upload.answer = fit.rule, fit.rule.answer(turn)
        self._change(fit.rule.set_, fit.rule.go, upload, now)
        if fit.rule.fault and fit.rule not in upload.faulty:
            self._set_faults(fit.rule, upload)
        if upload.answer is not fit.rule:
            self._set_faults(upload.answer, upload)
            self._change(upload.answer.set_, upload.answer.go, upload, now)
        self._give(upload, upload.answer, now, stop_upload=stop_upload)

    def _set_faults(self, answer: Answer, upload: Upload) -> None:
        upload.faulty.append(answer)
        self._out.extend(SetFault(upload.stream, fault, upload.event.full_name) for fault in answer.fault)

    def _answer_unmatched(self, upload: Upload, matches: Sequence[Match], now: float, *, stop_upload: bool) -> None:
        name = upload.event.full_name
        near = tuple((each.rule.label, each.misses) for each in nearest(matches, name))
        self._out.append(Unmatched(upload.stream, name, near))
        if name not in catalogue().events and self.settings.unknown_event != 204:
            self._refuse(upload, Refusal(self.settings.unknown_event, f"unknown event {name}"), stop_upload=stop_upload)
            return
        upload.answer = self.scenario.otherwise
        self._change(upload.answer.set_, upload.answer.go, upload, now)
        self._give(upload, upload.answer, now, stop_upload=stop_upload)

    def _give(self, upload: Upload, answer: Answer, now: float, *, stop_upload: bool) -> None:
        try:
            delay = self.memory.seconds(answer.delay, now, upload)
        except RenderError as problem:
            self._fail(upload, problem, stop_upload=stop_upload)
            return
        if delay > 0:
            self._call(
                now + delay, upload.stream, lambda then: self._give_now(upload, answer, then, stop_upload=stop_upload)
            )
        else:
            self._give_now(upload, answer, now, stop_upload=stop_upload)

    def _give_now(self, upload: Upload, answer: Answer, now: float, *, stop_upload: bool) -> None:
        stop_upload = stop_upload and not upload.ended
        try:
            if answer.exception is not None:
                refusal = self._refusal(answer.exception, upload, now)
                self._out.append(Refuse(upload.stream, refusal, stop_upload))
                return
            if answer.raw is not None:
                self._out.append(self._raw(answer.raw, upload, now, stop_upload=stop_upload))
                return
        except RenderError as problem:
            self._fail(upload, problem, stop_upload=stop_upload)
            return
        script = make_script(answer.reply or [], "reply", self.scenario.replies)
        if self.settings.directive_order == "shuffled":
            script = shuffle_replies(script, self._composer.random)
        self._run(script, upload.stream, upload, now, "in the reply", stop_upload=stop_upload, ends_reply=True)

    def _refusal(self, answer: ExceptionAnswer, upload: Upload, now: float) -> Refusal:
        status = answer.status or (answer.code if 400 <= answer.code <= 599 else 500)
        description = str(render(answer.description, self.memory.names(upload, now)))
        return Refusal(status, description, answer.code, answer.form, tuple(answer.headers.items()))

    def _raw(self, answer: RawAnswer, upload: Upload, now: float, *, stop_upload: bool) -> AnswerRaw:
        body = answer.content() or str(render(answer.body, self.memory.names(upload, now))).encode()
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

    def _end_answers_that_wait(self) -> None:
        """Nothing more comes of answers that wait for their next step: they end here."""
        for upload in self._uploads.values():
            if upload.answered and not upload.sent and self._agenda.has_any_of(upload.stream):
                self._out.append(EndReply(upload.stream))

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
            return render(value, self.memory.names(upload, now, names))

        try:
            while (item := script.next(fill)) is not None:
                match item.step:
                    case Wait(wait=duration):
                        then = now + self.memory.seconds(duration, now, upload, item.names)
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
                self._fail(upload, problem, stop_upload=stop_upload)
            else:
                self._out.append(
                    Found(template_finding(problem, self.scenario.scenario), upload.stream if upload else "")
                )
            return
        if ends_reply and upload is not None:
            self._out.append(EndReply(upload.stream, stop_upload and not upload.ended))

    def _reply(self, send: Send | RawStep, upload: Upload, now: float, names: Locals, *, last: bool) -> None:
        directive, attachments = self._composed(send, self.memory.names(upload, now, names), upload.dialogue)
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
            self._out.append(Push(*self._composed(send, self.memory.names(upload, now, names), None), why))
            return
        belongs = upload is not None and (send.directive in OF_THE_UPLOAD or send.dialogue == "echo")
        dialogue = upload.dialogue if upload is not None and belongs else None
        directive, attachments = self._composer.compose(send, self.memory.names(upload, now, names), dialogue)
        self._out.append(Push(directive, attachments, why))
        if send.directive == STOP_CAPTURE and upload is not None and not upload.stop_pushed and not upload.ended:
            upload.stop_pushed = True
            grace = self.memory.seconds(self.settings.stop_grace, now)
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

    def _fail(self, upload: Upload, problem: Exception, *, stop_upload: bool) -> None:
        self._out.append(Found(template_finding(problem, self.scenario.scenario), upload.stream))
        self._out.append(
            Refuse(upload.stream, Refusal(500, f"scenario {self.scenario.scenario}: {problem}"), stop_upload)
        )

    # ------------------------------------------------------------------ what all of it does

    def _change(
        self, values: Mapping[str, Any], state: str | None, upload: Upload | None, now: float, names: Locals = NONE
    ) -> None:
        self._out.extend(self.memory.change(values, state, upload, now, names))

    def _call(
        self, when: float, block: Block, then: Then, *, waits: tuple[str, float | None, str] = ("", None, "")
    ) -> None:
        self._out.append(self._agenda.put(when, block, then, waits=waits))

    def _call_off(self, block: Block) -> None:
        self._out.extend(self._agenda.call_off(block))

    def _find(self, code: str, found: str, expected: str, mend: str, upload: Upload) -> None:
        self._out.append(Found(Finding(code, found, expected, mend), upload.stream))
