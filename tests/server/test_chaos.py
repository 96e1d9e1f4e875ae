"""A chaos file is played by the server's clock: seen by raw frames of HTTP/2, and by who asks for its plan."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from hyperframe.frame import GoAwayFrame

from mockcic import MockCIC
from mockcic.bench.remote import RemotePlace
from mockcic.cli import group
from mockcic.control.ask import AskError
from mockcic.errors import ScenarioError
from mockcic.mock import Bench
from tests.faults.conftest import Stage

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "day.chaos.yaml"


@pytest.fixture
async def stage(cic: Bench) -> AsyncIterator[Stage]:
    """Two devices of raw frames; both ask what nobody answers wrongly."""
    stage = await asyncio.to_thread(Stage, cic)
    yield stage
    for client in stage.clients:
        await client.vanish()


def play(stage: Stage, entries: str, head: str = "") -> None:
    stage.cic.chaos(f"chaos: test\n{head}\nentries:\n{entries}")


def chaos_entries(cic: Bench) -> list[tuple[str, str]]:
    return [(entry.name, entry.data.get("entry", "")) for entry in cic.journal if entry.kind == "chaos"]


async def test_an_hourly_hang_up_comes_in_its_hour_and_hits_no_other_device(stage: Stage) -> None:
    play(stage, f"  - {{name: hourly, every: 1h, devices: {stage.bad.token}, fault: {{goaway: NO_ERROR}}}}\n")
    bad, good = await stage.bad_client(), await stage.good_client()
    for client in (bad, good):
        await client.head(await client.open_downchannel())
    await stage.cic.advance_async("59m")
    assert stage.struck() == []
    assert (await stage.cic.advance_async("1m")).due >= 1
    assert (await bad.until(GoAwayFrame)).error_code == 0
    (struck,) = stage.struck()
    assert (struck.name, struck.data["by"], struck.device) == ("hourly", "chaos test", stage.bad.name)
    await good.ping()
    assert good.goaway is None
    assert chaos_entries(stage.cic) == [("begun", ""), ("set", "hourly")]


async def test_it_is_there_for_its_time_also_for_a_device_that_comes_later(stage: Stage) -> None:
    entry = f"devices: '{stage.bad.token[:-4]}*', for: 10m, fault: {{reset: CANCEL, event: '*'}}"
    play(stage, f"  - {{name: cut, after: 2h, {entry}}}\n")
    await stage.cic.advance_async("2h")
    bad, good = await stage.bad_client(), await stage.good_client()
    assert [(await bad.answer(await bad.ask())).reset for _ in range(2)] == [8, 8]
    assert (await good.answer(await good.ask())).ended
    await stage.cic.advance_async("9m")
    assert (await bad.answer(await bad.ask())).reset == 8
    await stage.cic.advance_async("1m")
    assert (await bad.answer(await bad.ask())).ended


async def test_stopped_its_faults_are_gone_and_the_clock_goes_as_before(stage: Stage) -> None:
    play(stage, "  - {for: 10h, fault: {reset: CANCEL}}\n", "time_factor: 2")
    assert stage.cic.clock.factor == 2
    bad = await stage.bad_client()
    await stage.cic.advance_async("1s")
    assert (await bad.answer(await bad.ask())).reset == 8
    stopped = stage.cic.stop_chaos()
    assert (stopped.playing, stopped.played) == (False, 1)
    assert (await bad.answer(await bad.ask())).ended
    assert stage.cic.clock.factor == 1
    with pytest.raises(AskError, match="no chaos plays"):
        stage.cic.stop_chaos()


async def test_it_is_over_by_itself_and_another_takes_its_place(stage: Stage) -> None:
    play(stage, "  - {every: 1h, fault: {reset: CANCEL}}\n", "lasts: 3h")
    play(stage, "  - {every: 1h, fault: {reset: CANCEL}}\n", "lasts: 3h")
    await stage.cic.advance_async("1d")
    assert stage.cic.played_chaos.playing is False
    assert [name for name, _ in chaos_entries(stage.cic)] == ["begun", "over", "begun", *["set"] * 3, "over"]
    assert [entry.data["detail"] for entry in stage.cic.journal if entry.name == "over"] == [
        "another is played",
        "its time is over",
    ]


async def test_it_begins_at_its_time_of_day(stage: Stage) -> None:
    """The server's clock is turned forward to it: what comes at eight comes two hours later."""
    play(stage, "  - {at: 08:00, fault: {reset: CANCEL}}\n", "begins: 06:00")
    (planned,) = stage.cic.played_chaos.plan
    assert planned.at_s == 7200
    assert stage.cic.clock.time[11:16] == "21:00"
    assert planned.time[11:16] == "23:00"


async def test_the_end_of_a_test_stops_what_it_began(cic: Bench) -> None:
    with MockCIC(h2c_port=None) as mock:
        bench = mock.bench()
        bench.chaos({"chaos": "mine", "begins": "06:00", "entries": [{"every": "1h", "fault": {"reset": "CANCEL"}}]})
        bench.close()
        assert (mock.played_chaos.playing, mock.clock.ahead_s) == (False, 0)


async def test_what_this_server_cannot_do_is_said_when_it_is_played(stage: Stage) -> None:
    with pytest.raises(AskError, match="set it for all devices"):
        play(stage, "  - {name: gone, devices: kitchen, fault: {listener: {gone: 1s}}}\n")
    with pytest.raises(ScenarioError):
        play(stage, "  - {fault: {}}\n")


# ---------------------------------------------------------------------- from outside


@pytest.fixture(scope="module")
def mock() -> Iterator[MockCIC]:
    with MockCIC(h2c_port=None, control_port=0) as mock:
        httpx.get(f"{mock.control_url}/healthz", timeout=60)  # the first to ask waits until FastAPI is imported
        yield mock


@pytest.fixture
def run(mock: MockCIC) -> Callable[..., str]:
    """Run `mockcic chaos`, in this thread."""

    def run(*arguments: str, code: int = 0, asks: bool = True) -> str:
        where = ["--control", mock.control_url or ""] if asks else []
        result = CliRunner().invoke(group, ["chaos", *arguments, *where])
        assert result.exit_code == code, result.output
        return result.output

    return run


def test_its_plan_is_shown_before_it_is_played_and_is_the_same(run: Callable[..., str]) -> None:
    shown = json.loads(run("show", str(EXAMPLE), "--json", asks=False))["plan"]
    assert json.loads(run("show", str(EXAMPLE), "--json", asks=False))["plan"] == shown
    table = run("show", str(EXAMPLE), asks=False).splitlines()
    assert table[:2] == ["chaos bad-day, seed 7", table[1]]
    assert table[1].split() == ["AT", "AFTER", "FOR", "DEVICES", "ENTRY", "WHAT"]
    assert table[2].startswith("07:01:54  1:01:54   -")
    played = json.loads(run("play", str(EXAMPLE), "--json"))
    assert [(each["at_s"], each["entry"]) for each in played["plan"]] == [(e["at_s"], e["entry"]) for e in shown]
    assert ", plays, 0 of" in run("show").splitlines()[0]
    assert ", is over, 0 of" in run("stop").splitlines()[0]
    assert "no chaos plays" in run("stop", code=2)


def test_a_fault_that_can_never_strike_is_told_when_it_is_shown_and_played(
    run: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("chaos: c\nentries: [{after: 1h, fault: {reset: CANCEL, event: Txt.Recognise}}]\n")
    for how in ("show", "play"):
        assert 'mockcic: warning: reset: no event fits "Txt.Recognise"' in run(how, str(file))
    run("stop")


def test_over_rest_problems_have_their_places(mock: MockCIC) -> None:
    with httpx.Client(base_url=mock.control_url or "", timeout=30) as client:
        yaml = {"content-type": "application/yaml"}
        answer = client.post("/v1/chaos", content="chaos: x\nentries: [{evry: 1h}]\n", headers=yaml)
        assert answer.status_code == 422
        assert {problem["line"] for problem in answer.json()["problems"]} == {2}
        assert client.post("/v1/chaos", content=b"\xff", headers=yaml).status_code == 400
        assert client.post("/v1/chaos", content=b"x", headers={"content-type": "image/png"}).status_code == 415
        assert client.post("/v1/chaos", content=b" " * 2**21, headers=yaml).status_code == 413
        played = client.post("/v1/chaos", json={"chaos": "x", "entries": [{"fault": {"reset": "CANCEL"}}]})
        assert played.json()["playing"] is True
        assert client.post("/v1/reset").status_code == 200
        assert client.get("/v1/chaos").json()["playing"] is False


def test_a_server_elsewhere_plays_for_a_test(mock: MockCIC) -> None:
    place = RemotePlace(mock.control_url)
    bench = Bench(place)
    bench.open()
    assert bench.chaos(EXAMPLE).chaos == "bad-day"
    with pytest.raises(ScenarioError):
        bench.chaos("chaos: x\nentries: []\n")
    assert bench.played_chaos.playing
    bench.close()
    place.close()
    assert not mock.played_chaos.playing
