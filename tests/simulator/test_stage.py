"""Scripts on their tracks, with a device's clock that runs as fast as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mockcic.simulator.reactions import Begin, Cut, CutOff, Report, Script, Wait
from mockcic.simulator.stage import Stage


class Sent:
    """What was reported, and who waits for it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.changed = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, report: Report) -> None:
        self.names.append(report.name)
        self.changed.set()
        await self.gate.wait()

    async def until(self, *names: str) -> None:
        """Wait until exactly this was reported."""
        while self.names != list(names):
            self.changed.clear()
            await self.changed.wait()


@asynccontextmanager
async def staged(pace: float = 0.0) -> AsyncIterator[tuple[Stage, Sent]]:
    """A stage that is cleared in the end."""
    sent = Sent()
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        stage = Stage(tasks, sent.send, pace, lambda: None)
        yield stage, sent
        for name in list(stage._tracks):
            stage.cut(name, "end")


def say(*names: str, wait: Wait | None = None) -> Script:
    """Reports, a wait between them; a wait cut short ends it with the reason."""
    try:
        for name in names:
            yield Report(name, {})
            if wait is not None:
                yield wait
    except Cut as cut:
        yield Report(cut.why, {})


async def test_scripts_of_one_track_run_one_after_another() -> None:
    """PROTOCOL 3.6, 4: queue, handle in order."""
    async with staged() as (stage, sent):
        stage.begin("a", say("1", "2", wait=Wait(60)))
        stage.begin("a", say("3"))
        await stage.quiet("a")
        assert sent.names == ["1", "2", "3"]
        assert stage.is_idle


async def test_tracks_do_not_wait_for_each_other() -> None:
    """Music plays while the device speaks."""
    async with staged(1.0) as (stage, sent):
        stage.begin("a", say("1", wait=Wait(60)))
        stage.begin("b", say("2"))
        await sent.until("1", "2")
        assert not stage.is_quiet("a")
        assert not stage.is_idle


async def test_a_cut_reaches_the_wait_and_what_waits_behind_is_forgotten() -> None:
    """PROTOCOL 3.6, 3."""
    async with staged(1.0) as (stage, sent):
        stage.begin("a", say("1", wait=Wait(60)))
        stage.begin("a", say("2"))
        await sent.until("1")
        stage.cut("a", "new dialogue")
        await stage.quiet("a")
        assert sent.names == ["1", "new dialogue"]


async def test_a_cut_that_keeps_the_queue_lets_it_go_on() -> None:
    """A pause is not the end of the music behind it."""
    async with staged(1.0) as (stage, sent):
        stage.begin("a", say("1", wait=Wait(60)))
        stage.begin("a", say("2"))
        await sent.until("1")
        stage.cut("a", "paused", forget=False)
        await sent.until("1", "paused", "2")


async def test_a_cut_that_comes_while_a_report_is_sent_reaches_the_next_wait() -> None:
    """Nothing is lost between two steps."""
    async with staged(1.0) as (stage, sent):
        sent.gate.clear()
        stage.begin("a", say("1", wait=Wait(60)))
        await sent.until("1")
        stage.cut("a", "at once")
        sent.gate.set()
        await sent.until("1", "at once")


async def test_a_cut_tells_how_long_the_wait_has_lasted_in_the_device_s_time() -> None:
    """The position of a paused song; at a hundredth of real time a tenth of a second is ten."""
    lasted: list[float] = []

    def script() -> Script:
        try:
            yield Wait(600)
        except Cut as cut:
            lasted.append(cut.after_s)

    loop = asyncio.get_running_loop()
    async with staged(0.01) as (stage, _):
        began = loop.time()
        stage.begin("a", script())
        await asyncio.sleep(0.1)  # time itself is what is measured
        stage.cut("a", "x")
        await stage.quiet("a")
        took = loop.time() - began
    assert 9 <= lasted[0] <= 100 * took


async def test_a_cut_of_nothing_does_nothing() -> None:
    """Stop, where nothing plays."""
    async with staged() as (stage, sent):
        stage.cut("a", "x")
        stage.begin("a", say("1", wait=Wait(1)))
        await stage.quiet("a")
        assert sent.names == ["1"]


async def test_scripts_may_begin_and_cut_others() -> None:
    """Play replaces what plays."""

    def replace() -> Script:
        yield CutOff("player", "replaced")
        yield Begin("player", say("new"))

    async with staged(1.0) as (stage, sent):
        stage.begin("player", say("old", wait=Wait(60)))
        await sent.until("old")
        stage.begin("now", replace())
        await sent.until("old", "replaced", "new")


async def test_who_waits_for_the_world_is_idle_and_can_be_cut() -> None:
    """An alarm that rings, a radio that plays."""
    async with staged(1.0) as (stage, sent):
        stage.begin("a", say("1", wait=Wait(None, idle=True)))
        await stage.quiet("a")
        assert stage.is_idle
        stage.cut("a", "stopped")
        await sent.until("1", "stopped")
