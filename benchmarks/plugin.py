"""The pytest plugin under load: 8 workers, 500 tests each, again and again; nothing may fail or be left behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Row

WORKERS, TESTS, ROUNDS = 8, 500, 2

SUITE = """
import ssl, httpx, pytest

@pytest.fixture(scope="session")
def http(mock_cic):
    tls = ssl.create_default_context(cafile=str(mock_cic.ca_file))
    with httpx.Client(http1=False, http2=True, verify=tls) as client:
        yield client

@pytest.mark.parametrize("number", range({count}))
def test_it(cic, http, number):
    cic.load("scenario: own\\nsettings: {{same_connection: false}}\\nvars: {{n: %d}}\\n"
        "on: [{{event: '*', reply: {{Clova.RenderText: {{text: '{{{{ vars.n }}}}'}}}}}}]\\n" % number)
    device = cic.device()
    metadata = ('{{"context": [], "event": {{"header": {{"namespace": "TextRecognizer", "name": "Recognize",'
        '"messageId": "m", "dialogRequestId": "d"}}, "payload": {{"text": "%d"}}}}}}' % number)
    body = ('--b\\r\\nContent-Disposition: form-data; name="metadata"\\r\\nContent-Type: application/json\\r\\n\\r\\n'
        + metadata + '\\r\\n--b--\\r\\n')
    headers = {{**device.headers, "content-type": "multipart/form-data; boundary=b"}}
    assert http.post(cic.url + "/v1/events", headers=headers, content=body.encode()).status_code == 200
    cic.wait("TextRecognizer.Recognize", payload={{"text": str(number)}})
    cic.verify("Clova.RenderText", times=1, payload={{"text": number}})
    cic.verify("event", times=1)
    cic.all_rules_used()
"""


def run() -> list[Row]:
    """All rounds; the first line says whether everything passed, the second what was left behind."""
    failed, left, took = 0, 0, 0.0
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            room = Path(folder)
            (room / "tmp").mkdir()
            (room / "test_load.py").write_text(SUITE.format(count=WORKERS * TESTS))
            began = time.perf_counter()
            command = [sys.executable, "-m", "pytest", "-q", "-n", str(WORKERS), "-p", "no:cacheprovider", str(room)]
            environment = {**os.environ, "TMPDIR": str(room / "tmp"), "MOCKCIC_HOME": str(room / "home")}
            done = subprocess.run(
                [*command, f"--basetemp={room / 'base'}"], cwd=room, env=environment, capture_output=True, text=True
            )
            took += time.perf_counter() - began
            if f"{WORKERS * TESTS} passed" not in done.stdout:
                print(done.stdout[-3000:], file=sys.stderr)
                failed += int((re.search(r"(\d+) (failed|error)", done.stdout) or [0, "1"])[1])
            left += len(list((room / "tmp").iterdir())) + _processes(room)
    count = ROUNDS * WORKERS * TESTS
    return [
        Row(f"{count} tests over the plugin, {WORKERS} workers, that failed", str(failed), "0", failed == 0),
        Row("  files and processes left behind", str(left), "0", left == 0),
        Row("  a test", f"{1000 * took / count:.0f} ms", ""),
    ]


def _processes(room: Path) -> int:
    """Processes that still know the folder."""
    count = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            count += str(room).encode() in path.read_bytes()
        except OSError:
            continue
    return count
