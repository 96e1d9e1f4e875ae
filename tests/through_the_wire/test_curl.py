"""curl as a device: the everyday client of a firmware engineer's desk."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mockcic.journal.entry import Entry
from mockcic.mock import Bench
from tests.support.golden import golden
from tests.support.programs import need

pytestmark = pytest.mark.cic(fail_on="none")  # the events here are bare ones, as little as curl can send

LENIENT = "scenario: lenient\nsettings: {same_connection: false}\ninclude: [builtin/default]\n"


def curl(cic: Bench, path: str, *more: str, token: str | None = None) -> str:
    """Run curl over TLS with the CA that the server made; its output."""
    wanted = [need("curl"), "-sS", "--max-time", "60", "--cacert", str(cic.ca_file)]
    if token is not None:
        wanted += ["-H", f"authorization: Bearer {token}"]
    done = subprocess.run([*wanted, *more, cic.url + path], capture_output=True, timeout=90, check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def upload(cic: Bench, name: str, token: str, *more: str) -> str:
    """POST a golden message."""
    message = golden(name)
    headers = [f"{key}: {value}" for key, value in message.headers(token).items()]
    arguments = [part for header in headers for part in ("-H", header)]
    return curl(cic, "/v1/events", *arguments, "--data-binary", f"@{message.path}", "-i", *more)


@contextmanager
def open_downchannel(cic: Bench, token: str) -> Iterator[subprocess.Popen[str]]:
    """A curl that keeps a downchannel open."""
    command = [need("curl"), "-sSN", "--cacert", str(cic.ca_file), "-H", f"authorization: Bearer {token}"]
    process = subprocess.Popen([*command, cic.url + "/v1/directives"], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_curl_speaks_http2_by_alpn_and_is_pinged_back(cic: Bench) -> None:
    assert curl(cic, "/ping", "-w", "%{http_code} %{http_version}", token="t-curl-1") == "204 2"


def test_an_event_is_answered_with_directives_and_their_sound(cic: Bench) -> None:
    cic.load(LENIENT)
    answer = upload(cic, "recognize.request", cic.token, "--output", "-")
    assert answer.startswith("HTTP/2 200")
    assert "SpeechSynthesizer" in answer


@pytest.mark.parametrize("method", ["DELETE", "PUT", "GET"])
def test_a_wrong_method_is_405_and_names_the_right_one(cic: Bench, method: str) -> None:
    """PROTOCOL 1.4."""
    answer = curl(cic, "/v1/events", "-i", "-X", method, token=cic.token)
    assert answer.startswith("HTTP/2 405")
    assert "allow: POST" in answer


@pytest.mark.parametrize("path", ["/", "/v2/events", "/v1/ping", "/v1/events/", "/v1/directives/"])
def test_an_unknown_path_is_404_with_an_exception(cic: Bench, path: str) -> None:
    """PROTOCOL 1.4: also a trailing slash, `/v1/ping` and another version."""
    answer = curl(cic, path, "-i", token=cic.token)
    assert answer.startswith("HTTP/2 404")
    assert '"code":404' in answer


def test_a_request_without_token_is_401(cic: Bench) -> None:
    answer = curl(cic, "/v1/directives", "-i")
    assert answer.startswith("HTTP/2 401")
    assert "www-authenticate: Bearer" in answer


def test_http_1_is_told_what_to_do(cic: Bench) -> None:
    answer = curl(cic, "/ping", "-i", "--http1.1", token=cic.token)
    assert answer.startswith("HTTP/1.1 505")
    assert "HTTP/2" in answer


def test_a_directive_is_readable_when_it_is_pushed_not_one_later(cic: Bench) -> None:
    """The next delimiter comes with the directive (DEVICES R4)."""
    device = cic.device()
    with open_downchannel(cic, device.token) as process:
        assert process.stdout is not None
        delimiter = process.stdout.readline()
        lines = [process.stdout.readline() for _ in range(5)]
        assert '"name":"Hello"' in lines[3]
        assert lines[4] == delimiter
        assert device.push("Notifier.ClearIndicator")
        lines = [process.stdout.readline() for _ in range(5)]
        assert '"name":"ClearIndicator"' in lines[3]
        assert lines[4] == delimiter


def test_an_event_on_another_connection_than_the_downchannel_is_412(cic: Bench) -> None:
    """PROTOCOL 2.3."""
    cic.load("scenario: strict\non: [{event: '*'}]\n")
    device = cic.device()
    with open_downchannel(cic, device.token):
        device.wait("downchannel")
        assert upload(cic, "text_recognize.request", device.token).startswith("HTTP/2 412")


def is_open(entry: Entry) -> bool:
    """A downchannel was opened."""
    return entry.kind == "downchannel" and entry.name == "open"


def test_a_second_downchannel_at_once_is_429(cic: Bench) -> None:
    """PROTOCOL 2.2."""
    cic.load("scenario: window\nsettings: {downchannel_window: 1h}\n")
    device = cic.device()
    with open_downchannel(cic, device.token):
        device.wait(is_open)
        assert curl(cic, "/v1/directives", "-i", token=device.token).startswith("HTTP/2 429")


def test_a_later_downchannel_replaces_the_old_one_which_ends_properly(cic: Bench) -> None:
    """PROTOCOL 2.2: closing delimiter, END_STREAM."""
    cic.load("scenario: no-window\nsettings: {downchannel_window: off}\n")
    device = cic.device()
    with open_downchannel(cic, device.token) as first:
        device.wait(is_open)
        with open_downchannel(cic, device.token):
            assert device.wait(is_open, times="2..").data["replaced"] is True
            assert first.communicate(timeout=60)[0].rstrip().endswith("--")
            assert first.returncode == 0
