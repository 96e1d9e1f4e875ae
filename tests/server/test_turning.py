"""The clock of the whole server, turned: hours of scenario and tokens in a moment, seen by devices through the wire."""

from __future__ import annotations

import asyncio
import itertools
import re
import ssl
from datetime import datetime

import httpx
import pytest

from mockcic import MockCIC
from mockcic.control.ask import AskError, seconds_until
from mockcic.mock import Bench
from mockcic.simulator.device import Device
from tests.support.raw_h2 import RawClient

HOURLY = """
scenario: hourly
settings: {same_connection: false}
downchannel:
  - every: 1h
    push: {Clova.RenderText: {text: "{{ now | iso('+09:00') }}"}}
on:
  - {event: TextRecognizer.Recognize, delay: 10m, reply: {Clova.RenderText: {text: late}}}
"""


def device_of(cic: Bench, token: str, **how: object) -> Device:
    return Device(cic.url, ca_file=cic.ca_file, token=token, pace=0.0, **how)


def client(cic: Bench) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=str(cic.ca_file))
    return httpx.AsyncClient(base_url=cic.url, verify=context, http2=True, http1=False, timeout=30)


async def test_what_comes_due_reaches_a_device_in_its_order_each_at_its_own_moment(cic: Bench) -> None:
    """Read by another client than ours. Entries have real times, and the clock's beside them."""
    cic.load(HOURLY)
    device = cic.device()
    async with client(cic) as http, http.stream("GET", "/v1/directives", headers=device.headers) as line:
        await device.wait_async("Clova.Hello")
        turned = await cic.advance_async("8h")
        entries = cic.find(f"{device.name} directive Clova.RenderText")
        assert turned.due >= 8
        assert len(entries) == 8
        body = b""
        async for chunk in line.aiter_bytes():
            body += chunk
            if body.count(b"RenderText") == 8:
                break
    times = [datetime.fromisoformat(each.decode()) for each in re.findall(rb'"text": ?"([^"]+)"', body)]
    assert len(times) == 8
    assert [(b - a).total_seconds() for a, b in itertools.pairwise(times)] == [3600] * 7
    assert entries[-1].at_s - entries[0].at_s < 60, "real times, of which no hour has passed"
    shown = [datetime.fromisoformat(entry.data["clock"]) for entry in entries]
    assert all(abs((a - b).total_seconds()) <= 1 for a, b in zip(shown, times, strict=True))
    (written,) = cic.find("clock name=turned")
    assert (written.data["by_s"], written.data["to"][:16]) == (8 * 3600, turned.time[:16])


async def test_an_alarm_in_eight_hours_rings_in_a_moment(cic: Bench) -> None:
    """The account's by the server's clock; the device rings by its own, which is turned beside."""
    cic.load("scenario: alarm\ninclude: [builtin/alerts]\n")
    test = cic.device()
    async with device_of(cic, test.token, playing_pace=1.0) as speaker:
        await asyncio.to_thread(lambda: test.cue("set-alarm", after="8h", token="wake-up"))
        await test.wait_async("answer Alerts.SetAlertSucceeded")
        await cic.advance_async("8h")
        speaker.turn(8 * 3600)
        rang = await test.wait_async("event Alerts.AlertStarted payload.token=wake-up")
        rings_at = datetime.fromisoformat(speaker.state.alerts["wake-up"].scheduled_time)
        assert abs((datetime.fromisoformat(rang.data["clock"]) - rings_at).total_seconds()) < 60
        assert (await speaker.send("Alerts.RequestAlertStop", {"token": "wake-up", "type": "ALARM"})).status == 200
        await test.wait_async("answer Alerts.AlertStopped")
    assert cic.conformance(check=False).broken == ()


async def test_an_alarm_that_is_set_when_the_clock_was_turned_is_not_held_against_a_device(cic: Bench) -> None:
    """Its time is one of the server's clock, which the device cannot know."""
    cic.load("scenario: alarm\ninclude: [builtin/alerts]\n")
    test = cic.device()
    async with device_of(cic, test.token, playing_pace=1.0):
        await cic.advance_async("1h")
        await asyncio.to_thread(lambda: test.cue("set-alarm", at="2001-03-02T07:00:00+09:00"))
        await test.wait_async("answer Alerts.AlertStarted")
        set_alert = cic.find(f"{test.name} directive Alerts.SetAlert")[0]
        assert "clock" in set_alert.data
    assert cic.conformance(check=False).rule("expect.alert-rings").status == "not seen"


async def test_a_downchannel_lives_an_hour(cic: Bench) -> None:
    cic.load("scenario: short\nsettings: {downchannel_lifetime: 1h}\n")
    device = cic.device()
    async with client(cic) as http, http.stream("GET", "/v1/directives", headers=device.headers) as line:
        await device.wait_async("Clova.Hello")
        await cic.advance_async("59m")
        assert device.connected
        await cic.advance_async("1m")
        async with asyncio.timeout(30):
            assert (await line.aread()).endswith(b"--\r\n")
    assert cic.find(f"{device.name} downchannel name=closed")[0].data["reason"] == "its lifetime is over"


async def test_a_token_of_four_days_expires(cic: Bench) -> None:
    cic.load("scenario: four-days\nsettings: {same_connection: false}\nauth: {token_lifetime: 4d}\n")
    device = cic.device(device_id="kitchen-clock", client_id="acme", model_id="one")
    device.issue_token()
    async with client(cic) as http:
        await cic.advance_async(95 * 3600)
        assert (await http.get("/ping", headers=device.headers)).status_code == 204
        assert (await cic.advance_async("1h")).expired >= 1, "its own, and perhaps those of others"
        assert (await http.get("/ping", headers=device.headers)).status_code == 401


async def test_a_scripted_delay_of_ten_minutes_is_over(cic: Bench) -> None:
    cic.load(HOURLY)
    device = cic.device()
    async with device_of(cic, device.token) as speaker, asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(speaker.say_text("안녕"))
        await device.wait_async("match")
        await cic.advance_async("9m")
        assert not asked.done()
        await cic.advance_async("1m")
        assert (await asked).status == 200


async def test_a_device_that_does_not_read_holds_nothing_up(cic: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is full; the other one gets all there is."""
    monkeypatch.setattr("mockcic.server.turning.PATIENCE_S", 0.1)
    text = "long " * 20_000
    cic.load(f"scenario: s\ndownchannel:\n  - every: 1h\n    push: {{Clova.RenderText: {{text: '{text}'}}}}\n")
    deaf, other = cic.device(), cic.device()
    port = int((cic.h2c_url or "").rpartition(":")[2])
    async with await RawClient.connect(port) as silent, device_of(cic, other.token) as speaker:
        await silent.request(1, "/v1/directives", headers=[(*each,) for each in deaf.headers.items()])
        await deaf.wait_async("Clova.Hello")
        await cic.advance_async("1d")
        await other.wait_async("Clova.RenderText", times="24..", within=30)
        await speaker.wait_for("Clova.RenderText", timeout=30)
    assert len(cic.find(f"{deaf.name} directive Clova.RenderText")) < 24


def test_a_clock_runs_ten_thousand_times_as_fast(cic: Bench) -> None:
    """From the start by `time_factor`, at any time by `set_time_factor`."""
    with MockCIC(HOURLY, h2c_port=None, time_factor=10_000) as mock:
        assert mock.clock.factor == 10_000
        asyncio.run(_gets_two_in_two_hours(mock))
        (written,) = [entry for entry in mock.service.journal if entry.kind == "clock"]
        assert written.data["factor"] == 10_000


async def _gets_two_in_two_hours(mock: MockCIC) -> None:
    device = mock.device()
    async with device_of(mock, device.token):
        await device.wait_async("Clova.RenderText", times="2..")


def test_a_standing_clock_moves_only_when_it_is_turned_and_a_test_leaves_it_right(cic: Bench) -> None:
    cic.set_time_factor(0)
    one, two = cic.clock, cic.clock
    assert (one.time, one.factor) == (two.time, 0)
    assert cic.advance(60).turned_s == two.turned_s + 60
    cic.put_clock_right()
    assert (cic.clock.ahead_s, cic.clock.factor) == (0, 1)


def test_the_end_of_a_test_puts_the_clock_right() -> None:
    with MockCIC(HOURLY, h2c_port=None) as mock:
        bench = mock.bench()
        bench.advance("5h")
        assert mock.clock.ahead_s == pytest.approx(5 * 3600, abs=5)
        bench.close()
        assert mock.clock.ahead_s == 0
        assert [entry.name for entry in mock.find("clock")] == ["turned", "right"]
        assert "clock" not in mock.service.journal.add("ping").data


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("07:00", 3600 * 4),
        ("03:00", 0),
        ("02:59:30", 86_400 - 30),
        ("07:00+01:00", 3600 * 12),
        ("2026-03-02T07:00:00+09:00", 3600 * 4),
        ("2026-03-03T07:00", 3600 * 28),
    ],
)
def test_a_time_is_the_next_one(said: str, seconds: float) -> None:
    """It is 03:00 of 2 March 2026 in Seoul."""
    assert seconds_until(said, datetime.fromisoformat("2026-03-02T03:00:00+09:00").timestamp()) == seconds


@pytest.mark.parametrize("said", ["2026-03-01T07:00", "seven", "25:00", "9999-01-01T00:00", ""])
def test_a_time_that_is_none_or_has_been_is_refused(said: str) -> None:
    with pytest.raises(AskError):
        seconds_until(said, datetime.fromisoformat("2026-03-02T03:00:00+09:00").timestamp())


@pytest.mark.parametrize("how", [{}, {"by": "1h", "to": "07:00"}, {"by": "soon"}, {"by": -1}])
def test_a_turn_that_cannot_be_done_is_refused(cic: Bench, how: dict[str, str]) -> None:
    with pytest.raises(AskError):
        cic.advance(**how)
