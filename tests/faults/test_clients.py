"""The same trouble as curl, nghttp and Node tell it: three HTTP/2 libraries that are none of ours."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from mockcic.mock import Bench, TestDevice
from tests.support.golden import golden
from tests.support.programs import need

pytestmark = pytest.mark.cic(fail_on="none")  # the events here are bare ones

LENIENT = "scenario: lenient\nsettings: {same_connection: false}\ninclude: [builtin/default]\n"


@pytest.fixture
def device(cic: Bench) -> TestDevice:
    """The one that has trouble."""
    cic.load(LENIENT)
    return cic.device()


def curl(cic: Bench, token: str, *more: str) -> subprocess.CompletedProcess[str]:
    """A question over TLS."""
    message = golden("recognize.request")
    headers = [part for key, value in message.headers(token).items() for part in ("-H", f"{key}: {value}")]
    wanted = [need("curl"), "-sS", "--max-time", "30", "--cacert", str(cic.ca_file), "-o", "/dev/null", *headers, *more]
    command = [*wanted, "--data-binary", f"@{message.path}", cic.url + "/v1/events"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


CURL: dict[str, tuple[dict[str, Any], int, str]] = {
    "a reset before the headers": ({"reset": "CANCEL"}, 92, "CANCEL (err 8)"),
    "a reset in mid-part": ({"reset": "ENHANCE_YOUR_CALM", "after": {"sent": 200}}, 92, "ENHANCE_YOUR_CALM (err 11)"),
    "a connection that ends behind GOAWAY": (
        {"goaway": {"close": "rst"}, "on": "answer", "after": {"sent": 100}}, 56, "reset by peer"
    ),
}  # fmt: skip


OTHERWISE: dict[str, tuple[dict[str, Any], int, str]] = {
    "a captive portal": ({"portal": 302}, 0, "302 http://portal.invalid/login"),
    "another content type": ({"content_type": "text/html"}, 0, "200  text/html"),
    "a body that is shorter than was said": ({"content_length": 10**6}, 92, "PROTOCOL_ERROR (err 1)"),
    "a body that is longer than was said": ({"content_length": 10}, 92, "PROTOCOL_ERROR (err 1)"),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_curl_gets_another_answer_and_another_device_its_own(cic: Bench, device: TestDevice, case: str) -> None:
    """A length that lies is an answer that is malformed (RFC 9113 8.1.1): nghttp2 resets the stream."""
    fault, code, said = OTHERWISE[case]
    device.fault(fault, always=True)
    shown = ("-w", "%{http_code} %{redirect_url} %{content_type}")
    done = curl(cic, device.token, *shown)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done
    other = curl(cic, cic.device().token, *shown)
    assert (other.returncode, other.stdout.startswith("200  multipart/related; boundary=")) == (0, True)


@pytest.mark.parametrize("case", CURL)
def test_curl_says_what_went_wrong_and_another_device_gets_its_answer(
    cic: Bench, device: TestDevice, case: str
) -> None:
    fault, code, said = CURL[case]
    device.fault(fault, always=True)
    done = curl(cic, device.token)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert curl(cic, cic.device().token).returncode == 0


def test_curl_tries_again_what_was_refused(cic: Bench, device: TestDevice) -> None:
    """REFUSED_STREAM says that nothing was worked on (RFC 9113 8.7)."""
    device.fault(reset="REFUSED_STREAM", times=2)
    assert curl(cic, device.token).returncode == 0
    device.verify("fault phase=struck", times=2)


def test_nghttp_sees_padding_cut_frames_and_trailers(cic: Bench, device: TestDevice) -> None:
    device.fault(frames={"every": 50, "padding": 9})
    device.fault(trailers={"x-mock": "end"})
    assert cic.h2c_url is not None
    message = golden("recognize.request")
    headers = ["--header", f"content-type: {message.side['headers']['content-type']}"]
    token = ["--header", f"authorization: Bearer {device.token}"]
    command = [need("nghttp"), "-nv", *token, *headers, "-d", str(message.path), cic.h2c_url + "/v1/events"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.count("recv DATA frame <length=60, flags=0x08") > 20
    assert "x-mock: end" in done.stdout
    assert "GOAWAY" not in done.stdout.partition("recv DATA")[0]


NODE = """
import http2 from "node:http2";
import fs from "node:fs";
const [url, caFile, token] = process.argv.slice(2);
const session = http2.connect(url, { ca: fs.readFileSync(caFile) });
session.on("goaway", (code, last, data) => { console.log(`goaway ${code} ${last} ${data}`); session.close(); });
session.on("remoteSettings", (settings) => console.log(`max ${settings.maxConcurrentStreams}`));
session.on("error", (error) => console.log(`session ${error.code}`));
const stream = session.request({ authorization: `Bearer ${token}`, ":path": "/v1/directives" });
stream.on("error", (error) => console.log(`stream ${error.code}`));
stream.on("data", () => {});
"""


def test_node_hears_other_settings_and_goaway_with_its_debug_data(
    cic: Bench, device: TestDevice, tmp_path: Path
) -> None:
    device.fault(settings={"max_concurrent_streams": 1})
    device.fault(goaway={"code": "ENHANCE_YOUR_CALM", "debug": "mock says so"}, after="20ms")
    script = tmp_path / "device.mjs"
    script.write_text(NODE)
    command = [need("node"), str(script), cic.url, str(cic.ca_file), device.token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "max 1\n" in done.stdout
    assert "goaway 11 1 mock says so" in done.stdout
