"""The pytest plugin: fixture `cic`, a place of each test's own on one server per session (and per xdist worker)."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from mockcic.bench import Bench
    from mockcic.bench.remote import RemotePlace
    from mockcic.mock import MockCIC

PROFILES: Final = ("seed", "2021")
CHECKS: Final = ("unmatched", "findings")
"""What fails a test at its end, each switchable."""

MARKED: Final = frozenset({"scenario", "profile", "strict", "fail_on", "allow"})
TRACES: Final = ("off", "on-failure", "always")
NAME_BYTES: Final = 120
"""Of the name of a trace file that are the test's; file systems take 255 in all (INF)."""

EVIDENCE_LINES: Final = 200
"""The youngest lines of the dialogue that a failure report shows (INF)."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and ini values of the plugin."""
    group = parser.getgroup("cic", "mockcic")
    group.addoption(
        "--cic-trace",
        choices=TRACES,
        help="leave a trace of each test that used `cic`: off, on-failure, always (default: off)",
    )
    group.addoption("--cic-trace-dir", metavar="DIR", help="where traces go (default: cic-traces beside the ini file)")
    group.addoption("--cic-host", metavar="HOST", help="address the session's server listens on; 0.0.0.0 for a LAN")
    group.addoption("--cic-port", metavar="PORT", type=int, help="its TLS port (default: any free one)")
    group.addoption(
        "--cic-host-name", metavar="NAME", action="append", help="one more name or address for its certificate"
    )
    group.addoption(
        "--cic-external", metavar="URL", help="use the running server whose control API is there (mockcic serve)"
    )
    group.addoption("--cic-external-token", metavar="TOKEN", help="the token of that API (or MOCKCIC_CONTROL_TOKEN)")
    group.addoption(
        "--cic-fail-on", metavar="WHAT", help="what fails a test at its end: unmatched, findings, none (default: both)"
    )
    parser.addini("cic_scenario", "the scenario every test begins with: a file or folder, relative to the rootdir")
    parser.addini("cic_profile", "profile of that scenario: seed or 2021; the file's own without it")
    parser.addini("cic_trace", "as --cic-trace")
    parser.addini("cic_trace_dir", "as --cic-trace-dir, relative to the rootdir")
    parser.addini("cic_fail_on", "as --cic-fail-on")
    parser.addini("cic_allow", "codes of findings that fail no test, wildcards allowed", type="args")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and refuse what no test could use."""
    config.addinivalue_line(
        "markers",
        "cic(scenario, profile=None, strict=False, fail_on=None, allow=()): the scenario of this test (a path, YAML "
        "text, or a mapping), and what fails it at its end: any of unmatched, findings, or none",
    )
    if _option(config, "cic_trace") not in ("", *TRACES):
        raise pytest.UsageError(f"cic_trace: found {_option(config, 'cic_trace')}, expected one of {', '.join(TRACES)}")
    _checks(_option(config, "cic_fail_on") or CHECKS, "cic_fail_on")
    external = config.getoption("--cic-external")
    if external is not None and not external.strip():
        raise pytest.UsageError("--cic-external: found nothing, expected the address of a control API")
    profile = config.getini("cic_profile")
    if profile and profile not in PROFILES:
        raise pytest.UsageError(f"cic_profile: found {profile}, expected one of {', '.join(PROFILES)}")
    if external and (config.getoption("--cic-host") or config.getoption("--cic-port")):
        raise pytest.UsageError("--cic-external uses a server that runs; --cic-host and --cic-port are for one of ours")


def _option(config: pytest.Config, name: str) -> str:
    """A value of the command line, or of the ini file, where it may be a list in TOML."""
    given = config.getoption("--" + name.replace("_", "-"))
    if given is not None:
        return str(given)
    said = config.getini(name) or ""
    return ",".join(map(str, said)) if isinstance(said, list) else str(said)


# ---------------------------------------------------------------------- the server


@pytest.fixture(scope="session")
def mock_cic(request: pytest.FixtureRequest) -> Iterator[MockCIC]:
    """The session's server, on free ports of 127.0.0.1, with a certificate of its CA and in clear text."""
    from mockcic.errors import StartError
    from mockcic.mock import MockCIC

    config = request.config
    if config.getoption("--cic-external"):
        pytest.fail("mock_cic is a server of this session; with --cic-external there is none", pytrace=False)
    name = config.getini("cic_scenario")
    mock = MockCIC(
        str(config.rootpath / name) if name else None,
        profile=config.getini("cic_profile") or None,
        host=config.getoption("--cic-host") or "127.0.0.1",
        port=_port(config),
        host_names=config.getoption("--cic-host-name") or (),
        auth_port=0,
    )
    try:
        mock.start()
    except StartError as error:
        pytest.fail(str(error).replace("--port", "--cic-port").replace("--host", "--cic-host"), pytrace=False)
    yield mock
    mock.stop()


def _port(config: pytest.Config) -> int:
    """The port; one that is given is that of the first worker, the others have those behind it (pytest-xdist)."""
    port = int(config.getoption("--cic-port") or 0)
    worker: Mapping[str, Any] | None = getattr(config, "workerinput", None)
    if not port or worker is None:
        return port
    number = re.search(r"\d+$", str(worker["workerid"]))
    return port + (int(number[0]) if number else 0)


@pytest.fixture(scope="session")
def _cic_external(request: pytest.FixtureRequest) -> Iterator[RemotePlace]:
    from mockcic.bench.remote import RemotePlace

    config = request.config
    place = RemotePlace(config.getoption("--cic-external"), config.getoption("--cic-external-token"))
    yield place
    place.close()


# ---------------------------------------------------------------------- a test's place


@dataclass(slots=True)
class _Test:
    """What is known of a test that uses `cic`."""

    bench: Bench
    fail_on: tuple[str, ...]
    allow: tuple[str, ...]
    judged: set[int] = field(default_factory=set)
    """Numbers of the entries that have failed it already."""
    beside: str = ""
    """What its devices did wrong in a test that failed by itself."""
    failed: bool = False
    trace: Path | None = None


_TEST: Final = pytest.StashKey[_Test]()


@pytest.fixture
def cic(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A test's own place on the session's server: own devices, own scenario, own journal."""
    config = request.config
    bench = _bench(request)
    values = _marked(request.node)
    fail_on = values.get("fail_on")
    test = request.node.stash[_TEST] = _Test(
        bench,
        _checks(_option(config, "cic_fail_on") or CHECKS if fail_on is None else fail_on, "fail_on"),
        (*config.getini("cic_allow"), *_texts(values.get("allow", ()), "allow")),
    )
    try:
        _load(request, bench, values)
        yield bench
        _judge(test)
    except BaseException:
        test.failed = True
        raise
    finally:
        try:
            _leave_trace(request.node, test)
        finally:
            bench.close()


def _bench(request: pytest.FixtureRequest) -> Bench:
    from mockcic.bench import Bench

    if request.config.getoption("--cic-external"):
        bench = Bench(request.getfixturevalue("_cic_external"))
        bench.open()
        return bench
    mock: MockCIC = request.getfixturevalue("mock_cic")
    return mock.bench()


def _marked(node: pytest.Item) -> dict[str, Any]:
    """What the markers say: the one at the test before those at its class and its module."""
    values: dict[str, Any] = {}
    for marker in node.iter_markers("cic"):
        if len(marker.args) > 1 or not set(marker.kwargs) <= MARKED:
            found = ", ".join([*map(repr, marker.args[1:]), *(set(marker.kwargs) - MARKED)])
            raise pytest.UsageError(f"{node.nodeid}: marker cic: found {found}, expected {', '.join(sorted(MARKED))}")
        said = {"scenario": marker.args[0]} if marker.args else {}
        values = {**said, **marker.kwargs, **values}
    if values.get("profile") not in (None, *PROFILES):
        raise pytest.UsageError(
            f"{node.nodeid}: marker cic: profile: found {values['profile']}, expected one of {', '.join(PROFILES)}"
        )
    return values


def _load(request: pytest.FixtureRequest, bench: Bench, values: Mapping[str, Any]) -> None:
    config = request.config
    scenario, profile = values.get("scenario"), values.get("profile")
    if isinstance(scenario, str) and "\n" not in scenario:
        beside = request.path.parent / scenario
        scenario = beside if beside.exists() else scenario
    if scenario is None and (profile is not None or values.get("strict") or config.getoption("--cic-external")):
        name = config.getini("cic_scenario")
        scenario = config.rootpath / name if name else None
        profile = profile or config.getini("cic_profile") or None
        if scenario is None and (profile is not None or values.get("strict")):
            scenario = "scenario: default\ninclude: [builtin/default]\n"
    if scenario is not None:
        bench.load(scenario, profile=profile, strict=values.get("strict", False))


def _checks(value: object, what: str) -> tuple[str, ...]:
    """What fails a test: words, or one text with commas."""
    words = _texts(value, what)
    if not words:
        raise pytest.UsageError(f"{what}: found nothing, expected any of {', '.join(CHECKS)}, or none")
    for word in words:
        if word not in (*CHECKS, "none"):
            raise pytest.UsageError(f"{what}: found {word}, expected any of {', '.join(CHECKS)}, or none")
    return () if "none" in words else words


def _texts(value: object, what: str) -> tuple[str, ...]:
    """The words of one text with commas, or of several."""
    if value is None or value is False:
        return ("none",)
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple | set | frozenset):
        raise pytest.UsageError(f"{what}: found {value!r}, expected a text or several")
    return tuple(word for text in texts for word in str(text).replace(",", " ").split())


# ---------------------------------------------------------------------- what fails a test


def _judge(test: _Test) -> None:
    """Unmatched events and findings that have not failed it yet. Raises `VerificationError`."""
    __tracebackhide__ = True
    from mockcic.verdict.judge import no_findings, no_unmatched

    entries = [entry for entry in test.bench.journal if entry.number not in test.judged]
    verdicts = []
    if "unmatched" in test.fail_on:
        verdicts.append(no_unmatched(entries))
    if "findings" in test.fail_on:
        verdicts.append(no_findings(entries, allow=test.allow))
    test.judged.update(entry.number for verdict in verdicts for entry in verdict.came)
    broken = [verdict for verdict in verdicts if not verdict.kept]
    for verdict in broken:
        test.bench.say(verdict)
    if broken:
        from mockcic.verdict.verdict import VerificationError

        raise VerificationError(*broken)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """A test that went well fails when its devices did not; of one that did not, what they did is in its report."""
    try:
        result = yield
    except BaseException:
        if (test := item.stash.get(_TEST, None)) is not None:
            test.beside = _beside(test)
        raise
    if (test := item.stash.get(_TEST, None)) is not None:
        _judge(test)
    return result


def _beside(test: _Test) -> str:
    """What would have failed a test that fails anyway."""
    from mockcic.verdict.verdict import VerificationError

    try:
        _judge(test)
    except VerificationError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - a server that went away must not hide why the test failed
        return f"cannot be judged: {error}"
    return ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The evidence of a test that failed, whatever made it fail; the dialogue, and where its trace is."""
    report = yield
    test = item.stash.get(_TEST, None)
    if test is None:
        return report
    if report.failed:
        test.failed = True
        lines = _evidence(test)
        report.sections.append((f"cic dialogue ({report.when})", "\n".join(lines) or "nothing happened"))
        if report.when == "call" and test.beside:
            report.sections.append(("cic: what its devices did wrong (call)", test.beside))
    if report.when != "setup":
        verdicts = [f"{verdict.status}: {verdict.asked}: {verdict.why}" for verdict in test.bench.verdicts]
        report.user_properties += [("cic_verdict", verdict) for verdict in verdicts]
    if report.when == "teardown" and test.trace is not None:
        report.sections.append(("cic trace (teardown)", str(test.trace)))  # pytest shows those that say when
    return report


def _evidence(test: _Test) -> list[str]:
    import click

    from mockcic.trace.dialogue import dialogue_lines

    trouble = []
    try:
        entries = test.bench.journal
    except Exception as error:  # noqa: BLE001 - a server that went away must not hide why the test failed
        entries, trouble = test.bench.heard, [f"what is known: {error}"]
    lines = [*trouble, *(click.unstyle(line) for line in dialogue_lines(entries, verdicts=False))]
    if len(lines) <= EVIDENCE_LINES:
        return lines
    return [f"... {len(lines) - EVIDENCE_LINES} lines before", *lines[-EVIDENCE_LINES:]]


# ---------------------------------------------------------------------- what a test leaves


def _leave_trace(item: pytest.Item, test: _Test) -> None:
    config = item.config
    when = _option(config, "cic_trace") or "off"
    if when == "off" or (when == "on-failure" and not test.failed):
        return
    folder = Path(_option(config, "cic_trace_dir") or "cic-traces")
    folder = folder if folder.is_absolute() else config.rootpath / folder
    path = folder / f"{_file_name(item.nodeid)}.cictrace"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        test.bench.trace(path, title=item.nodeid)
    except Exception as error:  # noqa: BLE001 - whether a test passes does not hang on what it leaves
        item.warn(pytest.PytestWarning(f"no trace {path}: {error}"))
    else:
        test.trace = path


def _file_name(nodeid: str) -> str:
    """A file name that shows which test it is, and is no other test's."""
    import hashlib

    safe = re.sub(r"[^\w.\-\[\]]+", "-", nodeid).strip("-")
    if safe == nodeid and len(safe.encode()) < NAME_BYTES:
        return safe
    short = safe.encode()[:NAME_BYTES].decode(errors="ignore")
    return f"{short}-{hashlib.sha256(nodeid.encode()).hexdigest()[:8]}"
