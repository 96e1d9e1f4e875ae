"""What goes wrong on one stream: between the application that answers and the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any, Final

from mockcic.scenario.faults.answer import ContentLength, ContentType
from mockcic.scenario.faults.form import Multipart
from mockcic.scenario.faults.pace import Pace, Pause
from mockcic.scenario.faults.stream import Frames, Trailers
from mockcic.server.exchange import Send
from mockcic.server.faults.armed import Armed, each_message
from mockcic.server.wire import Wire
from mockcic.wire.crooked import AT_THE_END, CrookedEncoder, Wrong
from mockcic.wire.encode import Encoder

if TYPE_CHECKING:
    from mockcic.server.faults.rewriting import Elsewhere, Rewriting

Strike = Callable[[Armed, str], None]
"""A fault strikes; the text says at what, where that is not the whole stream."""

WRITE_S: Final = 0.05
"""A rate is kept by writes at this distance (INF)."""

NO_CONTENT: Final = 204
"""An answer without a body: nothing of it can be shaped."""

DELIMITER_MIDDLE: Final = 10
"""So far behind its CRLF a delimiter is cut in the middle: they are longer than that (`new_boundary`)."""


class Trouble:
    """The trouble of one stream, made when the first is wanted: a stream without has none of this.

    `send` takes the place of the stream's own. `strike` is called for a fault whose moment has come, `through` when a
    message of a downchannel is written that a fault has made slow.
    """

    def __init__(
        self,
        wire: Wire | None,
        send: Send,
        strike: Strike,
        *,
        per_message: bool,
        stream: str = "",
        elsewhere: Elsewhere | None = None,
        through: Callable[[Armed], None] | None = None,
    ) -> None:
        self.wire = wire
        self.shapes: list[Armed] = []
        """What changes what is written, from now on."""
        self.sent = 0
        self.over = False
        """Whether all of the answer is out."""
        self.waits = False
        """Nothing is written, for the pace wants it so."""
        self._send = send
        self._strike = strike
        self._per_message = per_message
        self._planned: list[Armed] = []
        self._let_go = asyncio.Event()
        self._gone: set[Armed] = set()
        self._watched = False
        self._abandoned = False
        self._drawn: dict[Armed, bool] = {}
        """Of the faults for which the stream is an occasion: whether they take it."""
        self._random = Random(0)
        self._begun = False
        self._stream = stream
        self._elsewhere = elsewhere
        self._through = through
        self._rewriting: Rewriting | None = None

    @property
    def rewriting(self) -> Rewriting:
        """What becomes of the directives of this stream."""
        if self._rewriting is None:
            from mockcic.server.faults.rewriting import Rewriting

            assert self._elsewhere is not None
            line = "downchannel" if self._per_message else "reply"
            self._rewriting = Rewriting(line, self._stream, self._there, self._takes, self._elsewhere)
        return self._rewriting

    @property
    def is_wanted(self) -> bool:
        """Whether anything is to go wrong."""
        return bool(self.shapes or self._planned)

    async def _sleep(self, seconds: float) -> None:
        """Pace is what a device sees, and so real time; until a fault is let go, or nobody is there to see it."""
        if self.wire is not None and not self._watched:
            self._watched = True
            self.wire.when_gone(self.abandon)
        if self._abandoned or (self.wire is not None and not self.wire.is_open):
            return
        self.waits = True
        self._let_go = asyncio.Event()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._let_go.wait()
        finally:
            self.waits = False

    def abandon(self) -> None:
        """Nobody is there to see it any more: it waits no longer."""
        self._abandoned = True
        self._let_go.set()

    def bear(self, bearing: Callable[[Send], Send]) -> None:
        """Write through this, which knows what to do about an answer that is none."""
        self._send = bearing(self._send)

    def plan(self, armed: Armed, *, drawn: bool = False) -> None:
        """Let a fault strike between headers and body, or when so many bytes are out; `drawn`: whatever its chances."""
        self._planned.append(armed)
        if drawn:
            self._drawn[armed] = True
        if self._begun:
            self._strike_due()

    def shape(self, armed: Armed) -> None:
        """Let a fault change what is written from now on."""
        if armed not in self.shapes:
            self.shapes.append(armed)

    def unshape(self, armed: Armed, *, lets_go: bool = False) -> None:
        """Let it change nothing of what comes next; with `lets_go` of what is being written neither."""
        if armed in self.shapes:
            self.shapes.remove(armed)
        if lets_go:
            self._gone.add(armed)
            self._let_go.set()

    def _there(self, *kinds: type) -> Iterator[Armed]:
        return (armed for armed in list(self.shapes) if isinstance(armed.fault.act, kinds) and self._is_in(armed))

    def _is_in(self, armed: Armed) -> bool:
        """Whether a fault is about this stream: it is drawn when there is something to change for the first time.

        One that takes it changes all of it, although it may be used up by that.
        """
        if each_message(armed.fault):
            return not armed.gone
        if armed not in self._drawn:
            self._drawn[armed] = not armed.gone and self._takes(armed, "")
        return self._drawn[armed]

    def has_taken(self, armed: Armed) -> bool:
        """Whether it is about this stream, for it took the occasion."""
        return self._drawn.get(armed, False)

    def _takes(self, armed: Armed, about: str) -> bool:
        if not armed.count.draws():
            return False
        self._strike(armed, about)
        return True

    def encoder(self, straight: Encoder, *, ends: bool = False) -> Encoder:
        """The encoder for what comes next in the place of `straight`; `ends`: nothing comes but the end."""
        wrong = frozenset(self._wrong(straight, ends=ends))
        if not wrong and not isinstance(straight, CrookedEncoder):
            return straight
        crooked = straight if isinstance(straight, CrookedEncoder) else CrookedEncoder(straight)
        crooked.wrong = wrong
        return crooked

    def _wrong(self, straight: Encoder, *, ends: bool) -> Iterator[Wrong]:
        for armed in self._there(Multipart):
            act = armed.fault.act
            assert isinstance(act, Multipart)
            if self._per_message:
                late = act.how == "preamble" and straight.has_begun
                if late or (act.how in AT_THE_END) is not ends or not self._takes(armed, ""):
                    continue
            yield act.how

    def shaping(self, *kinds: type) -> Iterator[Armed]:
        """The faults of these kinds that are still there and, on a downchannel, take this message."""
        return (armed for armed in self._there(*kinds) if not each_message(armed.fault) or self._takes(armed, ""))

    async def send(self, message: Any) -> None:
        """ASGI `send`, with what goes wrong."""
        match message["type"]:
            case "http.response.start":
                await self._start(message)
            case "http.response.body":
                await self._body(message["body"], more=message["more_body"])
                self.over = not message["more_body"]
            case _:
                await self._send(message)

    # ------------------------------------------------------------------ headers

    async def _start(self, message: Any) -> None:
        headers = list(message["headers"])
        for armed in self._there(ContentType, ContentLength, Pace) if message["status"] != NO_CONTENT else ():
            match armed.fault.act:
                case ContentType(value=value):
                    headers = [each for each in headers if each[0] != b"content-type"]
                    if value:
                        headers.append((b"content-type", value.encode()))
                case ContentLength(bytes=size):
                    headers = [each for each in headers if each[0] != b"content-length"]
                    headers.append((b"content-length", b"%d" % size))
                case Pace(first_byte=seconds) if seconds:
                    await self._sleep(seconds)
        await self._send({**message, "headers": headers})
        self._begun = True
        self._strike_due()

    # ------------------------------------------------------------------ body

    async def _body(self, data: bytes, *, more: bool) -> None:
        if not (self.shapes or self._planned) or not (data or self.sent):
            self.sent += len(data)
            await self._send({"type": "http.response.body", "body": data, "more_body": more})
            return
        acting = list(self.shaping(Pace, Frames))
        try:
            await self._write(data, acting, more=more)
        finally:
            if self._per_message and self._through is not None:
                for armed in acting:
                    self._through(armed)

    async def _write(self, data: bytes, acting: list[Armed], *, more: bool) -> None:
        paces = [act for armed in acting if isinstance(act := armed.fault.act, Pace)]
        frames = [act for armed in acting if isinstance(act := armed.fault.act, Frames)]
        trailers = None if more else self._trailers()
        pauses = {at: pace.pause.for_ for pace in paces if pace.pause for at in self._pause_at(data, pace.pause)}
        ends = sorted({*self._cuts(data, paces, frames), *pauses, len(data)})
        padding = max((each.padding for each in frames if each.padding is not None), default=None)
        if self.wire is not None and padding is not None:
            self.wire.flush()
            self.wire.pad(padding)
        begin = 0
        for cut in ends:
            if begin == len(data) and begin:
                break
            lasts = not self._abandoned and any(armed not in self._gone for armed in acting)
            wanted = bool(self._planned) or lasts
            end = cut if wanted else len(data)  # let go meanwhile: the rest as ever
            if wanted:
                await self._wait(paces, frames if begin else [], end - begin)
            last = end == len(data)
            await self._piece(
                data[begin:end], more=more or not last or trailers is not None, alone=bool(paces or frames)
            )
            await self._sleep(pauses[end]) if end in pauses and not last else None
            begin = end
        if self.wire is not None:
            if trailers is not None:
                self.wire.end(trailers)
            if padding is not None:
                self.wire.pad(None)

    async def _piece(self, data: bytes, *, more: bool, alone: bool) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
        if alone and self.wire is not None:
            self.wire.flush()
        self.sent += len(data)
        self._strike_due()

    async def _wait(self, paces: list[Pace], frames: list[Frames], size: int) -> None:
        seconds = sum(frame.gap for frame in frames)
        for pace in paces:
            seconds += self._random.uniform(0, pace.jitter)
            if pace.rate is not None:
                seconds += size / pace.rate
        if seconds > 0:
            await self._sleep(seconds)

    def _cuts(self, data: bytes, paces: list[Pace], frames: list[Frames]) -> set[int]:
        """Where `data` is to be cut: positions in it."""
        before = 0 if self._per_message else self.sent
        cuts = {at - before for each in frames for at in each.at}
        steps = [each.every for each in frames if each.every]
        steps += [
            pace.dribble or max(1, int((pace.rate or 0) * WRITE_S)) for pace in paces if pace.dribble or pace.rate
        ]
        for step in steps:
            cuts.update(range(step - before % step, len(data), step))
        cuts.update(
            armed.fault.after.sent - self.sent
            for armed in self._planned
            if armed.fault.after and armed.fault.after.sent
        )
        return {cut for cut in cuts if 0 < cut < len(data)}

    def _pause_at(self, data: bytes, pause: Pause) -> list[int]:
        if pause.at == "boundary":
            found = data.find(b"\r\n--")
            at = found + DELIMITER_MIDDLE
            return [at] if found >= 0 and at < len(data) else []
        at = pause.at - (0 if self._per_message else self.sent)
        return [at] if 0 < at < len(data) else []

    def _trailers(self) -> list[tuple[bytes, bytes]] | None:
        for armed in self._there(Trailers):
            if isinstance(act := armed.fault.act, Trailers):
                return [(name.encode(), value.encode()) for name, value in act.fields.items()]
        return None

    def _strike_due(self) -> None:
        """Let those strike whose bytes are out."""
        for armed in list(self._planned):
            after = armed.fault.after
            if after is None or after.sent is None or after.sent <= self.sent:
                self._planned.remove(armed)
                if armed.fault.act.SHAPES:
                    self.shape(armed)
                elif not armed.gone and (self._drawn.pop(armed, False) or armed.count.draws()):
                    self._strike(armed, "")
