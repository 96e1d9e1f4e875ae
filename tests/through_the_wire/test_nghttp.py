"""nghttp, the client of the library that shipped speakers are built on."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from mockcic.mock import Bench
from tests.support.golden import golden
from tests.support.programs import need

pytestmark = pytest.mark.cic(fail_on="none")  # the events here are bare ones


def nghttp(cic: Bench, path: str, *more: str, token: str) -> str:
    """Run nghttp in clear text and print the frames."""
    assert cic.h2c_url is not None
    command = [need("nghttp"), "-v", "-t", "60", "--header", f"authorization: Bearer {token}"]
    done = subprocess.run([*command, *more, cic.h2c_url + path], capture_output=True, timeout=90, check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def test_a_ping_is_a_204_that_ends_its_stream_with_its_headers_or_right_behind(cic: Bench) -> None:
    frames = nghttp(cic, "/ping", token=cic.token)
    assert ":status: 204" in frames
    assert "END_STREAM" in frames


def test_an_upload_is_answered_and_nothing_is_reset(cic: Bench) -> None:
    cic.load("scenario: lenient\nsettings: {same_connection: false}\ninclude: [builtin/default]\n")
    message = golden("recognize.request")
    headers = ["--header", f"content-type: {message.side['headers']['content-type']}"]
    frames = nghttp(cic, "/v1/events", "-d", str(message.path), *headers, token=cic.token)
    assert ":status: 200" in frames
    assert "RST_STREAM" not in frames
    assert "recv GOAWAY" not in frames


def test_the_downchannel_brings_hello_in_one_data_frame_with_its_delimiter(cic: Bench) -> None:
    """DEVICES R5."""
    device = cic.device()
    with ThreadPoolExecutor() as aside:
        line = aside.submit(nghttp, cic, "/v1/directives", token=device.token)
        device.wait("Clova.Hello")
        device.expire()  # it ends, and nghttp prints all it has
        frames = line.result()
    before, _, after = frames.partition('"name":"Hello"')
    assert "recv DATA frame" not in before  # a frame is told behind what it brought
    boundary = before.rpartition("boundary=")[2].partition(";")[0]
    assert f"--{boundary}" in after.partition("recv DATA frame")[0]
