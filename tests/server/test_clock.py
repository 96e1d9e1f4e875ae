"""A clock that can be turned: what comes due, in which order, at which moment; without an event loop's own time."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

import pytest

from mockcic.server.clock import SWEPT_FROM, Alarm, LoopClock, TurnableClock


class Ringing:
    """An alarm of a `Hands`."""

    def __init__(self) -> None:
        self.off = False

    def cancel(self) -> None:
        self.off = True


class Hands:
    """A real clock that a test moves."""

    def __init__(self, now: float = 1000.5) -> None:
        self.time = now
        self.alarms: list[tuple[float, int, Callable[[], None], Ringing]] = []

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.time + 1e9

    def call_at(self, when: float, callback: Callable[[], None]) -> Alarm:
        ringing = Ringing()
        heapq.heappush(self.alarms, (when, len(self.alarms), callback, ringing))
        return ringing

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def move(self, seconds: float) -> None:
        """Let real time pass."""
        until = self.time + seconds
        while self.alarms and self.alarms[0][0] <= until:
            when, _, callback, ringing = heapq.heappop(self.alarms)
            self.time = max(self.time, when)
            if not ringing.off:
                callback()
        self.time = until


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def clock(hands: Hands) -> TurnableClock:
    return TurnableClock(hands)


class Rung(list[tuple[str, float]]):
    """What was called, and what the clock showed."""

    def of(self, clock: TurnableClock, name: str) -> Callable[[], None]:
        return lambda: self.append((name, clock.now()))


@pytest.fixture
def rung() -> Rung:
    return Rung()


def test_nobody_has_touched_it_so_it_is_the_real_one(clock: TurnableClock, hands: Hands) -> None:
    hands.time = 0.1 + 0.2
    assert (clock.now(), clock.wall(), clock.is_right, clock.ahead_s) == (hands.time, hands.wall(), True, 0.0)


def test_calls_come_by_themselves_in_their_order(clock: TurnableClock, hands: Hands, rung: Rung) -> None:
    for after in (3.0, 1.0, 2.0):
        clock.call_at(clock.now() + after, rung.of(clock, str(after)))
    off = clock.call_at(clock.now() + 1.5, rung.of(clock, "called off"))
    off.cancel()
    off.cancel()
    hands.move(10)
    assert rung == [("1.0", 1001.5), ("2.0", 1002.5), ("3.0", 1003.5)]
    off.cancel()


async def test_turned_it_calls_each_at_its_own_moment_and_lets_it_settle_before_the_next(
    clock: TurnableClock, hands: Hands, rung: Rung
) -> None:
    """Also what is asked for on the way; the clock stands still while what is due comes to rest."""
    begun = clock.now()

    def again() -> None:
        rung.append(("again", clock.now()))
        clock.call_at(clock.now() + 3600, again)

    async def settle() -> None:
        hands.move(0.25)
        rung.append(("settled", clock.now()))

    clock.call_at(begun + 3600, again)
    clock.call_at(begun + 5400, rung.of(clock, "once"))
    clock.call_at(begun + 9000, rung.of(clock, "later"))
    assert await clock.turn(7200, settle) == 3
    hour, half = begun + 3600, begun + 5400
    came = [("again", hour), ("once", half), ("again", hour + 3600)]
    assert rung == [each for name, at in came for each in ((name, at), ("settled", at))]
    assert (clock.now(), clock.turned_s, clock.is_right) == (begun + 7200, 7200, False)
    assert clock.wall() == pytest.approx(hands.wall() + clock.ahead_s)
    hands.move(1800)
    assert rung[-1] == ("later", pytest.approx(begun + 9000))


async def test_two_turns_at_once_come_one_after_the_other(clock: TurnableClock) -> None:
    begun = clock.now()
    await asyncio.gather(clock.turn(10), clock.turn(20))
    assert clock.now() == begun + 30


async def test_a_turn_that_is_given_up_leaves_the_clock_where_it_is(clock: TurnableClock, rung: Rung) -> None:
    begun = clock.now()
    for after in (10, 20):
        clock.call_at(begun + after, rung.of(clock, str(after)))
    await clock.turn(60, go_on=lambda: not rung)
    assert (rung, clock.now()) == ([("10", begun + 10)], begun + 10)

    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await clock.turn(60, cancelled)
    assert clock.now() == begun + 20
    with pytest.raises(ValueError, match="forward only"):
        await clock.turn(-1)


def test_it_runs_faster_slower_and_stands(clock: TurnableClock, hands: Hands, rung: Rung) -> None:
    begun = clock.now()
    clock.call_at(begun + 600, rung.of(clock, "ten minutes"))
    clock.set_factor(60)
    hands.move(9)
    assert (rung, clock.now(), clock.ahead_s) == ([], begun + 540, 531)
    hands.move(1)
    assert rung == [("ten minutes", begun + 600)]
    clock.set_factor(0)
    clock.call_at(clock.now() + 1, rung.of(clock, "never"))
    hands.move(1000)
    assert clock.now() == begun + 600
    clock.set_factor(0.5)
    hands.move(2)
    assert rung[1:] == [("never", begun + 601)]
    with pytest.raises(ValueError, match="from 0 to"):
        clock.set_factor(-1)


async def test_put_right_it_shows_real_time_and_nothing_comes_later_for_it(
    clock: TurnableClock, hands: Hands, rung: Rung
) -> None:
    begun = clock.now()
    clock.call_at(begun + 7200, rung.of(clock, "two hours"))
    await clock.turn(3600)
    clock.set_factor(2)
    clock.put_right()
    assert (clock.wall(), clock.is_right, clock.factor) == (hands.wall(), True, 1.0)
    hands.move(3600)
    assert rung == [("two hours", begun + 7200)]
    await clock.turn(60)
    assert clock.wall() == hands.wall() + 60


async def test_what_goes_wrong_in_a_call_stops_no_other(clock: TurnableClock, hands: Hands, rung: Rung) -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    def fail() -> None:
        raise RuntimeError("as it is meant")

    clock.call_at(clock.now() + 1, fail)
    clock.call_at(clock.now() + 1, rung.of(clock, "other"))
    hands.move(2)
    assert [each for each, _ in rung] == ["other"]
    assert [str(context["exception"]) for context in told] == ["as it is meant"]


def test_calls_that_were_called_off_do_not_pile_up(clock: TurnableClock) -> None:
    """A downchannel has an alarm for its lifetime, and devices come again and again."""
    clock.call_at(clock.now() + 10, lambda: None)
    for _ in range(10_000):
        clock.call_at(clock.now() + 3600, lambda: None).cancel()
    assert len(clock._calls) <= 2 * SWEPT_FROM


async def test_a_call_that_asks_to_be_called_at_once_does_not_hold_the_loop() -> None:
    clock, calls = TurnableClock(LoopClock()), 0

    def again() -> None:
        nonlocal calls
        calls += 1
        if calls < 1000:
            clock.call_at(clock.now(), again)

    clock.call_at(clock.now(), again)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 0 < calls < 1000


async def test_a_sleep_is_ended_by_turning() -> None:
    clock = TurnableClock(LoopClock())
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(clock.sleep(86_400))
        await asyncio.sleep(0)
        await clock.turn(86_400)
