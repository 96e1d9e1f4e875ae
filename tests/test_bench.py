"""A test's place on a server in this process and on one elsewhere."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from mockcic import AskError, Bench, MockCIC, StartError
from mockcic.bench.remote import RemotePlace
from mockcic.simulator.device import Device
from mockcic.verdict.conformance import ConformanceError
from tests.support.ports import kept_port

SCENARIO = "scenario: any\nsettings: {same_connection: false, downchannel_window: off}\non: [{event: '*'}]\n"


@pytest.fixture
def server() -> Iterator[MockCIC]:
    with MockCIC(SCENARIO, control_port=0) as server:
        yield server


@pytest.fixture(params=["here", "elsewhere"])
def benches(server: MockCIC, request: pytest.FixtureRequest) -> Iterator[tuple[Bench, Bench]]:
    """Of two tests that run at once."""
    if request.param == "here":
        both = (server.bench(), server.bench())
        yield both
        for each in both:
            each.close()
        return
    with ExitStack() as ends:
        both = (_elsewhere(server, ends), _elsewhere(server, ends))
        yield both


def _elsewhere(server: MockCIC, ends: ExitStack) -> Bench:
    place = RemotePlace(server.control_url)
    ends.callback(place.close)
    bench = Bench(place)
    bench.open()
    ends.callback(bench.close)
    return bench


async def test_a_device_on_the_desk_is_one_test_s_at_a_time_and_stays_connected(
    server: MockCIC, benches: tuple[Bench, Bench]
) -> None:
    """It begins anew in the scenario of the set when the test gives it back; the next one has it at once."""
    one, other = benches
    async with Device(server.url, ca_file=server.ca_file, token="hardware-token-77", pace=0) as device:
        mine = await one.wait_for_device_async(within=60)
        with pytest.raises(AssertionError, match="none did"):
            await other.wait_for_device_async(within=0.2)
        with pytest.raises(LookupError, match="a token of its own"):
            _ = mine.headers
        load = "scenario: mine\nstart: a\non: [{event: '*', go: b, in: a, exception: {code: 503, description: busy}}]\n"
        await asyncio.to_thread(one.load, load + "settings: {same_connection: false}\n")
        assert (await device.say_text("안녕")).status == 503
        await asyncio.to_thread(one.close)
        theirs = await other.wait_for_device_async(within=60)
        assert await asyncio.to_thread(lambda: (theirs.state, theirs.connected)) == ("start", True)
        assert await asyncio.to_thread(theirs.push, "Clova.Help")


async def test_a_directive_that_was_dropped_is_none_that_was_sent(
    benches: tuple[Bench, Bench], server: MockCIC
) -> None:
    bench, _ = benches
    device = await asyncio.to_thread(bench.device)
    async with Device(server.url, ca_file=server.ca_file, token=device.token, pace=0):
        await bench.wait_async("Clova.Hello")
    await bench.wait_async("downchannel name=closed")
    assert not await asyncio.to_thread(device.push, "Clova.Help")
    assert [entry.name for entry in bench.directives] == ["Clova.Hello"]
    bench.verify("Clova.Help", times=0)
    bench.verify("directive", times=1)
    bench.verify("Clova.Help dropped=*", times=1)


def test_a_directive_that_there_is_not_is_not_pushed(benches: tuple[Bench, Bench], server: MockCIC) -> None:
    bench, _ = benches
    device = bench.device()

    async def live() -> None:
        async with Device(server.url, ca_file=server.ca_file, token=device.token, pace=0):
            await bench.wait_async("Clova.Hello")
            with pytest.raises(AskError, match=r"did you mean Clova\.Help"):
                await asyncio.to_thread(device.push, "Clova.Halp")

    asyncio.run(live())


def test_a_scenario_that_cannot_be_sent_changes_nothing(benches: tuple[Bench, Bench]) -> None:
    bench, _ = benches
    before = bench.scenarios
    with pytest.raises(StartError, match="there is no profile 2017"):
        bench.load(SCENARIO, profile="2017")  # type: ignore[arg-type]
    assert bench.scenarios is before
    bench.device()


def test_one_text_is_no_order(benches: tuple[Bench, Bench]) -> None:
    with pytest.raises(TypeError, match="a list of filters"):
        benches[0].verify_order("Clova.Hello")
    assert benches[0].no_findings(allow="multipart.*").asked == "no findings but multipart.*"


async def test_rules_without_a_name_are_called_the_same_there_as_here(
    benches: tuple[Bench, Bench], server: MockCIC
) -> None:
    bench, _ = benches
    await asyncio.to_thread(bench.load, SCENARIO)
    device = await asyncio.to_thread(bench.device)
    async with Device(server.url, ca_file=server.ca_file, token=device.token, pace=0) as speaker:
        await speaker.say_text("안녕")
    await asyncio.to_thread(bench.all_rules_used)


def test_a_server_elsewhere_that_goes_away_wakes_who_waits_and_is_no_quiet_pass() -> None:
    with kept_port() as port, ExitStack() as ends:
        server = MockCIC(SCENARIO, control_port=port).start()
        place = RemotePlace(server.control_url)
        ends.callback(place.close)
        bench = Bench(place)
        bench.open()
        ends.callback(bench.close)
        going = threading.Timer(0.3, server.stop)
        going.start()
        with pytest.raises(StartError, match="cannot be read any more"):  # and not that it did not come in an hour
            bench.wait("Clova.Never", within=3600)
        going.join()  # who waits is told before the port is given back
        with MockCIC(SCENARIO, control_port=port):
            for ask in (bench.no_findings, bench.no_unmatched, lambda: bench.verify("event", times=0)):
                with pytest.raises(StartError, match="cannot be read any more"):
                    ask()
            again = Bench(place)  # the next test
            again.open()
            again.no_findings()
            again.close()


def test_a_server_elsewhere_that_was_started_anew_is_noticed(server: MockCIC, monkeypatch: pytest.MonkeyPatch) -> None:
    place = RemotePlace(server.control_url)
    bench = Bench(place)
    bench.open()
    bench.no_findings()
    monkeypatch.setattr(server.service.journal, "began_wall_s", 1.0)
    with pytest.raises(StartError, match="was started anew"):
        bench.no_findings()
    bench.close()
    place.close()


def test_a_server_elsewhere_that_does_not_answer_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection stays open, to be told of in whichever test comes next."""
    monkeypatch.setattr("mockcic.control.client.SLACK_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(StartError, match="did not answer in time"):
            RemotePlace(f"http://127.0.0.1:{silent.getsockname()[1]}")
        asked, _ = silent.accept()
        with asked:
            while asked.recv(65_536):
                pass


def test_nobody_waits_for_a_server_that_was_stopped_by_another_thread() -> None:
    """They are told, whenever they asked."""
    server = MockCIC(SCENARIO).start()
    trouble: list[Exception] = []

    def ask() -> None:
        try:
            while True:
                _ = server.journal
        except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at below
            trouble.append(error)

    def wait() -> None:
        try:
            server.wait("Clova.Never", within=60)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at below
            trouble.append(error)

    threads = [threading.Thread(target=each) for each in (ask, ask, ask, wait)]
    for each in threads:
        each.start()
    server.stop()
    for each in threads:
        each.join(timeout=60)
    assert not any(each.is_alive() for each in threads)
    assert {type(error) for error in trouble} == {StartError}


def test_a_function_that_asks_the_server_about_an_entry_is_refused(server: MockCIC) -> None:
    """It runs where entries are written: it would wait for itself."""
    find = server.service.cic.devices.find

    def come() -> None:
        while not server._record._waiting:  # an entry that is there already is judged in the test's own thread
            time.sleep(0.01)
        server.call(lambda: find("some-token-1", "", ()))

    coming = threading.Thread(target=come)
    coming.start()
    with pytest.raises(RuntimeError, match="the server's own thread"):
        server.wait(lambda entry: len(server.journal) > 9)
    coming.join()
    server.wait(lambda entry: len(server.journal) > 0)  # of what is there already it may ask


def test_a_stranger_is_not_taken_for_a_device_that_ends_alike(server: MockCIC) -> None:
    devices = server.service.cic.devices
    assert devices.find("device-A-0001", "", ()).name == "…0001"
    assert devices.shown("intruder-B-0001") == "…0001?"


async def test_a_device_that_breaks_the_guide_fails_the_test_that_asks(
    server: MockCIC, benches: tuple[Bench, Bench]
) -> None:
    """With the rule, what was found, and how to mend it; of its own devices only."""
    one, other = benches
    good, bad = one.device("good-device-0001"), one.device("bad-device-0002")
    async with (
        Device(server.url, ca_file=server.ca_file, token=good.token, pace=0) as device,
        Device(server.url, ca_file=server.ca_file, token=bad.token, pace=0) as wrong,
    ):
        await device.say_text("안녕")
        await wrong.send("TextRecognizer.Recognize", {"text": 5})
        one.conformance(device=good)
        with pytest.raises(ConformanceError, match="message\\.payload"):
            one.conformance()
        judged = one.conformance(check=False)
        assert [each.device for each in judged.devices if not each.ok] == [bad.name]
        assert one.conformance(allow=["message.payload"]).ok
        with pytest.raises(ConformanceError, match="no device came"):
            other.conformance()
    assert [verdict.status for verdict in one.verdicts] == ["kept", "broken", "broken", "kept"]


async def test_what_a_device_made_of_trouble_is_a_value_of_its_own(
    server: MockCIC, benches: tuple[Bench, Bench]
) -> None:
    """Of the devices of a test only."""
    one, other = benches
    mine, theirs = one.device("troubled-device-1"), other.device("healthy-device-02")
    async with (
        Device(server.url, ca_file=server.ca_file, token=mine.token, reopen_after_s=0.05) as device,
        Device(server.url, ca_file=server.ca_file, token=theirs.token),
    ):
        mine.expire()
        await device.wait_for("Clova.Hello", count=2)
        (found,) = mine.recoveries()
        assert (found.device, found.outcome, found.attempts, found.faults) == (mine.name, "back", 1, ())
        assert (found.back_s or 0.0) > 0.04
        assert one.recoveries() == (found,)
        assert other.recoveries() == theirs.recoveries() == ()


async def test_a_request_without_a_token_is_judged_with_its_connection(
    server: MockCIC, benches: tuple[Bench, Bench]
) -> None:
    one, _ = benches
    mine = {"authorization": f"Bearer {one.device('forgetful-device-1').token}"}
    trust = ssl.create_default_context(cafile=server.ca_file)
    async with (
        httpx.AsyncClient(http2=True, verify=trust, base_url=server.url) as client,
        client.stream("GET", "/v1/directives", headers=mine),
    ):
        assert (await client.post("/v1/events")).status_code == 401
    judged = one.conformance(check=False).rule("headers.token")
    assert (judged.status, judged.broken) == ("broken", 1)
