"""`mockcic serve` as a process: what it prints, writes, how it ends, what it says when it cannot start."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from watchfiles import watch

from mockcic import __version__
from mockcic.cic.message import Event
from mockcic.simulator.device import Device
from mockcic.sound.make import tone

GOOD = (
    "scenario: edited\nsettings: {same_connection: false}\n"
    "on: [{event: '*', exception: {code: 500, description: one}}]\n"
)

WITHIN_S = 120.0
"""For a process on a machine that has much else to do."""


class Serve:
    """A running `mockcic serve`, its lines read by a thread so that a test can wait for one."""

    def __init__(self, *arguments: str, ready_file: Path) -> None:
        command = [sys.executable, "-m", "mockcic", "serve", "--port", "0", "--ready-file", str(ready_file), *arguments]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.seen: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.ready = read_when_written(ready_file, self.process)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def wait_for(self, what: str, fits: Callable[[str], bool], timeout: float = WITHIN_S) -> str:
        """The first line that fits, from now on."""
        end = time.perf_counter() + timeout
        while time.perf_counter() < end:
            try:
                line = self.lines.get(timeout=0.05)
            except queue.Empty:
                line = ""
            if line is None:
                break
            self.seen.append(line)
            if fits(line):
                return line
        raise AssertionError(f"{what}: not in time; it printed:\n" + "\n".join(self.seen))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout=WITHIN_S)

    def kill(self) -> None:
        """Leave nothing of it behind."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def read_when_written(ready_file: Path, process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the ready file says, as soon as it is there: the folder is watched, nothing is polled."""
    end = time.perf_counter() + WITHIN_S
    for _ in watch(ready_file.parent, recursive=False, rust_timeout=200, yield_on_timeout=True, debounce=20, step=5):
        if ready_file.exists():
            return dict(json.loads(ready_file.read_text()))
        if process.poll() is not None or time.perf_counter() > end:
            break
    raise AssertionError(f"no ready file; the process has ended with {process.poll()}")


Start = Callable[..., Serve]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Start]:
    """Start servers that end with the test."""
    running: list[Serve] = []

    def start(*arguments: str) -> Serve:
        running.append(Serve(*arguments, ready_file=tmp_path / f"ready-{len(running)}.json"))
        return running[-1]

    yield start
    for each in running:
        each.kill()


def write(path: Path, text: str) -> None:
    """Write a scenario at once: one that is seen half written would be a broken edit."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    fresh.replace(path)


def ask(server: Serve | SimpleNamespace, text: str = "hello") -> httpx.Response:
    """POST an event in clear text."""
    event = Event("TextRecognizer", "Recognize", str(time.perf_counter_ns()), {"text": text}, "d1")
    head = '--b\r\nContent-Disposition: form-data; name="metadata"\r\nContent-Type: application/json\r\n\r\n'
    body = f"{head}{json.dumps(event.as_json())}\r\n--b--\r\n"
    headers = {"authorization": "Bearer serve-0001", "content-type": "multipart/form-data; boundary=b"}
    with httpx.Client(http1=False, http2=True) as client:
        return client.post(f"{server.ready['h2c_url']}/v1/events", headers=headers, content=body.encode())


def test_without_arguments_any_device_gets_a_life_at_once(serve: Start) -> None:
    server = serve("--h2c", "0")
    answer = ask(server)
    assert answer.status_code == 200
    assert '"name":"Speak"' in answer.content.decode("utf-8", "replace")


def test_the_ready_file_says_where_it_is(serve: Start) -> None:
    ready = serve("--h2c", "0").ready
    assert sorted(ready) == ["auth_url", "ca_file", "control_token", "control_url", "h2c_url", "pid", "url", "version"]
    assert ready["url"].startswith("https://127.0.0.1:")
    assert ready["version"] == __version__
    assert Path(ready["ca_file"]).read_text().startswith("-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_by_itself_with_an_open_downchannel(serve: Start, how: signal.Signals) -> None:
    """GOAWAY(NO_ERROR), the downchannel closed properly, exit code 0 (PROTOCOL 2.6)."""
    server = serve("--h2c", "0")
    command = ["curl", "-sSN", "--http2-prior-knowledge", "-H", "authorization: Bearer serve-0002"]
    with subprocess.Popen([*command, server.ready["h2c_url"] + "/v1/directives"], stdout=subprocess.PIPE) as device:
        server.wait_for("Hello", lambda line: "Clova.Hello" in line)
        assert server.stop(how) == 0
        assert device.communicate(timeout=WITHIN_S)[0].rstrip().endswith(b"--")
        assert device.returncode == 0


def test_json_lines_are_one_object_each_from_ready_to_stopped(serve: Start) -> None:
    server = serve("--h2c", "0", "--log-format", "json")
    ask(server)
    server.wait_for("the answer", lambda line: '"kind": "answer"' in line)
    server.stop()
    server.wait_for("the end", lambda line: "stopped" in line)
    kinds = [json.loads(line)["kind"] for line in server.seen if line]
    assert (kinds[0], kinds[-1]) == ("ready", "stopped")
    assert {"connect", "event", "match", "directive", "answer"} <= set(kinds)


def test_lines_for_people_have_no_colour_in_a_pipe(serve: Start) -> None:
    server = serve("--h2c", "0")
    ask(server)
    server.wait_for("the answer", lambda line: "200 TextRecognizer.Recognize" in line)
    assert not any("\x1b" in line for line in server.seen)


def test_an_edit_is_taken_while_running_and_a_broken_one_is_not(serve: Start, tmp_path: Path) -> None:
    file = tmp_path / "edited.yaml"
    file.write_text(GOOD)
    server = serve("--h2c", "0", str(file))
    assert "one" in ask(server).text
    write(file, GOOD.replace("one", "two"))
    server.wait_for("the new edition", lambda line: "scenario edited" in line and "changed" in line)
    assert "two" in ask(server).text
    write(file, GOOD.replace("exception", "exceptoin"))
    server.wait_for("the refusal", lambda line: "not reloaded" in line)
    assert any("did you mean exception?" in line for line in server.seen)
    assert "two" in ask(server).text


def test_a_token_is_never_shown_whole(serve: Start) -> None:
    server = serve("--h2c", "0")
    ask(server)
    server.wait_for("the answer", lambda line: "200 TextRecognizer" in line)
    assert not any("serve-0001" in line for line in server.seen)
    assert any("…0001" in line for line in server.seen)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [sys.executable, "-m", "mockcic", "serve", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=WITHIN_S, check=False, env={**os.environ, **environment}
    )


def test_a_port_in_use_is_one_sentence_and_exit_code_2() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert done.returncode == 2
    assert done.stderr == (
        f"mockcic: cannot listen on 127.0.0.1:{port}: address already in use; choose another with --port,"
        " or any free one with --port 0\n"
    )


def test_an_unreadable_certificate_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    done = run("--port", "0", "--cert", str(tmp_path / "no.pem"), "--key", str(tmp_path / "no.key"))
    assert done.returncode == 2
    assert done.stderr.startswith("mockcic: ")
    assert "no.pem" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("what", ["missing.yaml", "empty"])
def test_no_scenario_is_one_sentence_and_exit_code_2(tmp_path: Path, what: str) -> None:
    (tmp_path / "empty").mkdir()
    done = run("--port", "0", str(tmp_path / what))
    assert done.returncode == 2
    assert done.stderr.startswith("mockcic: ")
    assert what in done.stderr


def test_a_scenario_with_errors_is_told_and_does_not_start(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("scenario: bad\non: [{evnt: x}]\n")
    done = run("--port", "0", str(file))
    assert done.returncode == 2
    assert f"{file}:2:" in done.stderr + done.stdout
    assert "did you mean event?" in done.stderr + done.stdout


def test_a_variable_of_the_command_line_overrides_the_files(serve: Start, tmp_path: Path) -> None:
    file = tmp_path / "vars.yaml"
    file.write_text(
        "scenario: vars\nsettings: {same_connection: false}\nvars: {city: 부산}\n"
        'on: [{event: "*", exception: {code: 500, description: "{{ vars.city }}"}}]\n'
    )
    assert "서울" in ask(serve("--h2c", "0", "--var", "city=서울", str(file))).text


def test_strict_and_profile_are_heard(serve: Start, tmp_path: Path) -> None:
    """No User-Agent is 400 in strict; profile seed has the bare form of exceptions."""
    file = tmp_path / "plain.yaml"
    file.write_text("scenario: plain\non: [{event: '*'}]\n")
    assert ask(serve("--h2c", "0", "--strict", str(file))).status_code == 400
    server = serve("--h2c", "0", "--profile", "seed", str(file))
    assert ask(server).status_code == 204
    with httpx.Client(http1=False, http2=True) as client:
        assert '{"header":{"namespace":"System"' in client.get(server.ready["h2c_url"] + "/nowhere").text


def test_what_an_edit_includes_is_watched_from_then_on(serve: Start, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    part = tmp_path / "parts" / "part.yaml"
    part.write_text("on: [{event: '*', exception: {code: 500, description: one}}]\n")
    file = tmp_path / "main.yaml"
    file.write_text("scenario: edited\nsettings: {same_connection: false}\n")
    server = serve("--h2c", "0", str(file))
    write(file, "scenario: edited\nsettings: {same_connection: false}\ninclude: [parts/part.yaml]\n")
    server.wait_for("the new edition", lambda line: "main.yaml changed" in line)
    assert "one" in ask(server).text
    write(part, "on: [{event: '*', exception: {code: 500, description: two}}]\n")
    server.wait_for("the edit of the part", lambda line: "part.yaml changed" in line)
    assert "two" in ask(server).text


def test_sounds_are_kept_where_and_as_long_as_asked(serve: Start, tmp_path: Path) -> None:
    server = serve("--h2c", "0", "--spool", str(tmp_path / "spool"), "--keep-spool")
    ask(server)
    server.wait_for("the answer", lambda line: "200 TextRecognizer" in line)
    server.stop()
    (folder,) = (tmp_path / "spool").iterdir()
    assert [len(each.name) for each in folder.iterdir()] == [64], "the attachment of the answer, named by its digest"


def test_uploads_are_saved_as_files_when_asked(serve: Start, tmp_path: Path) -> None:
    server = serve("--save-audio", str(tmp_path / "saved"))
    sound = tone(440, 0.5)

    async def speak() -> None:
        ready = server.ready
        async with Device(ready["url"], ca_file=Path(ready["ca_file"]), token="speaker-1", pace=0) as device:
            await device.say(sound)

    asyncio.run(speak())
    server.stop()
    (saved,) = (tmp_path / "saved").iterdir()
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{3}Z-[\w-]+-[\w-]+-\d+\.wav", saved.name)
    assert "speaker-1" not in saved.name
    with wave.open(str(saved)) as reader:
        assert reader.readframes(reader.getnframes()) == sound


def test_a_spool_that_cannot_be_written_is_one_sentence_and_exit_code_2() -> None:
    done = run("--port", "0", "--no-control", "--spool", "/proc/nowhere/spool")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("mockcic: cannot keep sounds in /proc/nowhere/spool: ")


def test_devices_are_served_when_nobody_reads_what_it_prints(tmp_path: Path) -> None:
    """`mockcic serve | head -1`, a terminal that went away, a full disk."""
    ready_file = tmp_path / "ready.json"
    command = [sys.executable, "-m", "mockcic", "serve", "--port", "0", "--h2c", "0", "--ready-file", str(ready_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("mockcic")
            process.stdout.close()
            server = SimpleNamespace(ready=read_when_written(ready_file, process))
            assert [ask(server).status_code for _ in range(3)] == [200, 200, 200]
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=WITHIN_S) == 0
            assert process.stderr is not None
            assert process.stderr.read() == "mockcic: nothing more is printed: Broken pipe\n"
        finally:
            process.kill()


def test_a_chaos_file_is_played_from_the_start_by_a_clock_that_goes_as_told(serve: Start, tmp_path: Path) -> None:
    path = tmp_path / "day.yaml"
    path.write_text("chaos: day\nentries:\n  - {name: soon, after: 100s, fault: {reset: CANCEL}}\n")
    server = serve("--chaos", str(path), "--time-factor", "1000")
    server.wait_for("its beginning", lambda line: "chaos day: begun: 1 to come in 86400 s, seed 0" in line)
    server.wait_for("the fault", lambda line: "chaos day: soon: reset: RST_STREAM CANCEL" in line)
    server.stop()
    server.wait_for("its end", lambda line: "chaos day: over: the server stops" in line)


def test_a_chaos_file_with_errors_is_told_and_does_not_start(tmp_path: Path) -> None:
    path = tmp_path / "day.yaml"
    path.write_text("chaos: day\nentries: [{at: noon, fault: {reset: CANCEL}}]\n")
    done = run("--port", "0", "--chaos", str(path))
    assert done.returncode == 2
    assert f"{path}:2:16: error:" in done.stderr + done.stdout
    assert "mockcic: the chaos file has errors" in done.stderr
