"""Under a stock ASGI server: it runs, and says what is lost there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from mockcic.asgi import LOST, create_app
from mockcic.errors import ScenarioError
from tests.support.golden import golden

SCENARIO = """scenario: plain
settings: {same_connection: false}
on: [{event: "*", reply: {Clova.RenderText: {text: hello}}}]
"""


def test_stock_hypercorn_serves_it_and_is_told_what_is_lost(tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text(SCENARIO)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        port = listening.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "hypercorn",
            "-w",
            "0",
            "--bind",
            f"fd://{listening.fileno()}",
            "mockcic.asgi:app",
        ]
        process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=[listening.fileno()],
            env={**os.environ, "MOCKCIC_SCENARIOS": str(tmp_path)},
        )
        try:
            message = golden("text_recognize.request")
            with httpx.Client(http1=False, http2=True) as client:
                url = f"http://127.0.0.1:{port}/v1/events"
                answer = client.post(url, headers=message.headers("stock"), content=message.body)
            assert answer.status_code == 200
            assert "hello" in answer.text
        finally:
            process.terminate()
            told = process.communicate(timeout=60)[1]
    assert LOST in told


async def test_an_application_can_be_made_of_files(tmp_path: Path) -> None:
    file = tmp_path / "plain.yaml"
    file.write_text(SCENARIO)
    app = create_app([file])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
        assert (await client.get("/ping", headers={"authorization": "Bearer x"})).status_code == 204


def test_a_fault_that_a_stock_server_cannot_carry_out_is_an_error_when_it_is_loaded(tmp_path: Path) -> None:
    scenario = tmp_path / "trouble.yaml"
    scenario.write_text("scenario: trouble\nfault: [{pace: {rate: 1KB/s}}, {reset: CANCEL}]\n")
    with pytest.raises(ScenarioError, match=r"fault\.1: the fault reset acts below ASGI"):
        create_app([scenario])
