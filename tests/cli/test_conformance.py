"""`mockcic report --conformance`."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from mockcic.cli import group
from mockcic.trace.file import Trace, write_trace
from tests.support.story import Life


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["report", *arguments])


def test_the_command_judges_devices_by_the_rules_of_the_guide(tmp_path: Path) -> None:
    """Exit code 1 when a rule is broken; wrong usage is told."""
    life = Life().connect().open().tell(1.0, "TextRecognizer.Recognize", {"text": 5}, dialogue="d1")
    life.tell(2.0, "Foo.Bar")
    write_trace(trace := tmp_path / "run.cictrace", Trace(tuple(life), title="run"))
    paths = [str(tmp_path / name) for name in ("c.xml", "c.html")]
    judged = run("--conformance", str(trace), "--junit", paths[0], "--html", paths[1])
    assert judged.exit_code == 1
    assert "message.payload" in judged.output
    assert "message.payload" in Path(paths[0]).read_text()
    assert "message.payload" in Path(paths[1]).read_text()
    allowed = run("--conformance", str(trace), "--allow", "message.payload")
    assert (allowed.exit_code, allowed.output.splitlines()[-1]) == (0, "ok")
    strict = ["--conformance", str(trace), "--allow", "message.payload", "--strict"]
    assert run(*strict).exit_code == 1
    as_json = run("--conformance", str(trace), "--json", "--limit", "streams=off")
    (said,) = json.loads(as_json.output)["traces"]
    assert (said["ok"], said["limits"]["streams"]) == (False, "off")
    for wrong in (["--allow", "nothing"], ["--limit", "stop=1"], ["--limit", "streams=many"]):
        assert run("--conformance", str(trace), *wrong).exit_code == 2
    assert run(str(trace), "--strict").exit_code == 2
