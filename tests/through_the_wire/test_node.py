"""Node's http2 lives through a whole spoken question over TLS."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mockcic.mock import Bench
from tests.support.programs import need

pytestmark = pytest.mark.cic(fail_on="none")  # the events here are bare ones


def test_node_uploads_until_stop_capture_and_gets_its_answer(cic: Bench) -> None:
    """The downchannel speaks while the upload is open (DEVICES C12); PING is answered (C6); no GOAWAY (C9)."""
    device = cic.device()
    script = Path(__file__).with_name("device.mjs")
    command = [need("node"), str(script), cic.url, str(cic.ca_file), device.token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    seen = json.loads(done.stdout)
    assert seen["order"] == ["hello", "stop", "answer"]
    assert (seen["status"], seen["sameDialogue"], seen["ping"], seen["goaway"]) == (200, True, True, False)
    assert seen["answer"] > 4000
    assert device.wait("upload").data["seconds"] >= 1.0
