"""`mockcic serve`: the server on a terminal or in a container."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockcic import __version__
from mockcic.errors import Problem, ScenarioError, StartError
from mockcic.journal.spool import SPOOL_BYTES
from mockcic.journal.store import BYTES, ENTRIES
from mockcic.scenario.dialects import DIALECTS

if TYPE_CHECKING:
    from mockcic.cli.dialogue import Printer
    from mockcic.control.desk import Desk
    from mockcic.control.listener import Control
    from mockcic.journal.entry import Entry
    from mockcic.scenario.chaos import Chaos
    from mockcic.scenario.scenario_set import ScenarioSet
    from mockcic.server.saved import SavedAudio
    from mockcic.server.service import Service


@click.command(name="serve", short_help="Serve scenarios to devices.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE|FOLDER]...")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 opens it to the LAN."
)
@click.option(
    "--port", default=8443, show_default=True, type=click.IntRange(0, 65535), help="TLS port; 0 for any free one."
)
@click.option(
    "--h2c", "h2c_port", type=click.IntRange(0, 65535), help="Also HTTP/2 in clear text (prior knowledge) on this port."
)
@click.option(
    "--auth-port",
    type=click.IntRange(0, 65535),
    help="Also the authorization server on a port of its own, HTTP/1.1 and HTTP/2; 0 for any free one.",
)
@click.option("--host-name", "host_names", multiple=True, help="One more name or address for the certificate.")
@click.option("--cert", "certfile", type=click.Path(path_type=Path), help="Your own certificate chain (PEM).")
@click.option("--key", "keyfile", type=click.Path(path_type=Path), help="Its private key (PEM).")
@click.option(
    "--home", type=click.Path(path_type=Path), help="Folder of the CA.  [default: $MOCKCIC_HOME or ~/.mockcic]"
)
@click.option("--profile", type=click.Choice(["seed", "2021"]), help="Use this profile, whatever the scenarios say.")
@click.option(
    "--dialect",
    type=click.Choice(list(DIALECTS)),
    help="Write answers so, whatever the scenarios say.",
)
@click.option("--strict", is_flag=True, help="Refuse every departure from the documents.")
@click.option("--default", "default", metavar="NAME", help="The scenario of a set for devices that no `for` names.")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Override a variable of the scenarios.")
@click.option(
    "--save-audio",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write each upload as a WAV file, named by time, device and dialogue.",
)
@click.option(
    "--recogniser",
    metavar="COMMAND",
    help="Program for `audio.text`: gets the path of a WAV as its last argument and prints the text.",
)
@click.option(
    "--idle-close-after",
    type=click.FloatRange(min=0.0),
    metavar="SECONDS",
    help="Close connections that are silent for so long.  [default: never]",
)
@click.option(
    "--time-factor",
    type=click.FloatRange(min=0.0, max=10_000.0),
    default=1.0,
    help="Let the server's clock go so many times as fast as real time; 0: it stands until it is turned.  [default: 1]",
)
@click.option(
    "--chaos",
    "chaos_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Play this chaos file from the start: the faults of a day.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What is printed: lines for people, or one JSON object each.",
)
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    help="Written once connections are accepted: JSON with url, h2c_url, auth_url, control_url, ca_file, pid, version.",
)
@click.option(
    "--control-host",
    default="127.0.0.1",
    show_default=True,
    help="Address of the control API. Anywhere but on this machine it needs a token: yours, or one that is printed.",
)
@click.option(
    "--control-port",
    type=click.IntRange(0, 65535),
    help="Its port; 0 for any free one.  [default: 8444; with --port 0 any free one]",
)
@click.option("--control-token", envvar="MOCKCIC_CONTROL_TOKEN", help="The token it asks for.")
@click.option("--no-control", is_flag=True, help="No control API.")
@click.option(
    "--trace",
    "trace_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what happened, with sounds and scenarios, into this .cictrace at the end.",
)
@click.option(
    "--journal-entries", default=ENTRIES, show_default=True, type=click.IntRange(min=1), help="Entries that are kept."
)
@click.option(
    "--journal-mb", default=BYTES >> 20, show_default=True, type=click.IntRange(min=1), help="Memory for them, in MiB."
)
@click.option(
    "--spool",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where sounds are kept as files.  [default: a folder for temporary files]",
)
@click.option(
    "--spool-mb",
    default=SPOOL_BYTES >> 20,
    show_default=True,
    type=click.IntRange(min=0),
    help="Room for them, in MiB.",
)
@click.option("--keep-spool", is_flag=True, help="Leave the sounds behind at the end.")
@click.option("--show-tokens", is_flag=True, help="Do not shorten tokens to their last four characters.")
@click.option("--no-reload", is_flag=True, help="Do not watch the scenario files for edits.")
def command(paths: tuple[Path, ...], **options: Any) -> None:
    """Serve scenarios to devices; without FILE or FOLDER the built-in one, so that any device gets a life at once.

    Ends properly on SIGTERM and SIGINT. Exit code 2 when it cannot start: a port in use, an unreadable certificate, a
    scenario with errors.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some takes 20 ms of the start
    from mockcic.server.loop import collect_rarely, keep_memory_small, new_event_loop

    keep_memory_small()
    collect_rarely()
    logging.basicConfig(level=logging.WARNING, format="mockcic: %(message)s")
    serving = Serving(paths, options)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serving.run())


class Printing:
    """Prints while there is somebody to print to: when the pipe breaks or the disk is full, devices are served on."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self.end: Callable[[], None] = lambda: None

    def entry(self, entry: Entry) -> None:
        """Something happened."""
        self.say(lambda: self._printer.entry(entry))

    def say(self, print_it: Callable[[], None]) -> None:
        """Print something, as long as that works."""
        try:
            print_it()
        except OSError as error:
            self.end()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains at its end
            click.echo(f"mockcic: nothing more is printed: {error.strerror}", err=True)


class Serving:
    """One run of the command."""

    def __init__(self, paths: Sequence[Path], options: dict[str, Any]) -> None:
        self._paths = list(paths)
        self._options = options
        self._variables = dict(read_variable(text) for text in options["variables"])

    def _load(self) -> ScenarioSet:
        from mockcic.scenario.load import builtin, load

        options = self._options
        if not self._paths:
            return builtin(profile=options["profile"], dialect=options["dialect"], strict=options["strict"])
        return load(
            self._paths,
            variables=self._variables,
            profile=options["profile"],
            dialect=options["dialect"],
            strict=options["strict"],
            default=options["default"],
        )

    async def run(self) -> None:
        """Load, bind, serve until a signal comes, stop."""
        from mockcic.cli.reload import Reloading
        from mockcic.control.ask import AskError

        reloading = Reloading(self._paths, self._load, tell)
        try:
            scenarios = reloading.load()
        except ScenarioError as error:
            tell(error.problems)
            raise StartError("the scenarios have errors; mend them, or see them again with `mockcic check`") from None
        tell(scenarios.warnings)
        chaos = self._chaos()
        service = self._service(scenarios)
        control = self._control()
        service.bind()
        if control is not None:
            try:
                control.bind()
            except StartError:
                service.close()
                raise
        desk = self._desk(service, scenarios)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        printer = self._printer(service, scenarios, control)
        printing = Printing(printer)
        printing.end = service.journal.listen(printing.entry)
        saved = self._saved(service)
        await service.start()
        printing.say(printer.ready)
        if chaos is not None:
            try:
                await desk.chaos.play_read(chaos)
            except AskError as error:
                raise StartError(f"the chaos file cannot be played so: {error.detail}") from None
        async with asyncio.TaskGroup() as tasks:
            if control is not None:
                control.start(tasks, desk, service)
            self._write_ready_file(service, control)
            watching = None
            if self._paths and not self._options["no_reload"]:
                watching = tasks.create_task(reloading.follow(desk.scenarios.take_files))
            await stop.wait()
            if watching is not None:
                watching.cancel()
            if control is not None:
                await control.stop()
        await service.end_devices()
        if saved is not None:
            await asyncio.to_thread(saved.close)
        self._write_trace(desk)
        await service.stop()
        printing.say(printer.stopped)

    def _service(self, scenarios: ScenarioSet) -> Service:
        from mockcic.server.recogniser import by_command
        from mockcic.server.service import Journaling, Listening, Service
        from mockcic.server.settings import ServerSettings

        options = self._options
        listening = Listening(
            host=options["host"],
            port=options["port"],
            h2c_port=options["h2c_port"],
            auth_port=options["auth_port"],
            home=options["home"],
            host_names=(*options["host_names"], *self._addresses()),
            certfile=options["certfile"],
            keyfile=options["keyfile"],
            server=ServerSettings(idle_close_after_s=options["idle_close_after"]),
        )
        journaling = Journaling(
            entries=options["journal_entries"],
            bytes=options["journal_mb"] << 20,
            sound_bytes=options["spool_mb"] << 20,
            spool=options["spool"],
            keep_sounds=options["keep_spool"],
            show_tokens=options["show_tokens"],
        )
        if (listening.keyfile is not None) and listening.certfile is None:
            raise StartError("--key needs --cert beside it")
        command: str | None = options["recogniser"]
        recogniser = None if command is None else by_command(command)
        return Service(
            scenarios,
            listening,
            time_factor=options["time_factor"],
            journaling=journaling,
            recogniser=recogniser,
        )

    def _chaos(self) -> Chaos | None:
        path: Path | None = self._options["chaos_file"]
        if path is None:
            return None
        from mockcic.scenario.chaos import in_vain_of, load_chaos

        try:
            chaos = load_chaos(path)
        except ScenarioError as error:
            tell(error.problems)
            raise StartError(
                "the chaos file has errors; mend them, or see them again with `mockcic chaos show`"
            ) from None
        for said in in_vain_of(chaos):
            click.echo(f"{path}: warning: {said}")
        return chaos

    def _saved(self, service: Service) -> SavedAudio | None:
        folder: Path | None = self._options["save_audio"]
        if folder is None:
            return None
        from mockcic.server.saved import SavedAudio

        saved = SavedAudio(folder, service.journal.spool)
        service.journal.listen(saved.entry)
        return saved

    def _control(self) -> Control | None:
        from mockcic.control.listener import PORT, Control

        options = self._options
        if options["no_control"]:
            return None
        port = options["control_port"]
        if port is None:
            port = PORT if options["port"] else 0
        return Control(host=options["control_host"], port=port, token=options["control_token"])

    def _desk(self, service: Service, scenarios: ScenarioSet) -> Desk:
        from mockcic.control.desk import Desk

        return Desk(service.cic, scenarios, reread=self._load, version=__version__)

    def _addresses(self) -> list[str]:
        """What a device on the LAN can call us, when we listen there."""
        return lan_addresses() if self._options["host"] in ("0.0.0.0", "::") else []

    def _printer(self, service: Service, scenarios: ScenarioSet, control: Control | None) -> Printer:
        from mockcic.cli.dialogue import JsonPrinter, TextPrinter

        if self._options["log_format"] == "json":
            return JsonPrinter(service, scenarios, control)
        return TextPrinter(service, scenarios, self._addresses(), control)

    def _write_trace(self, desk: Desk) -> None:
        path: Path | None = self._options["trace_file"]
        if path is None:
            return
        from mockcic.trace.file import write_trace

        try:
            write_trace(path, desk.journal.trace())
            click.echo(f"trace  {path}", err=True)
        except OSError as error:
            raise StartError(f"cannot write the trace {path}: {error.strerror}") from None

    def _write_ready_file(self, service: Service, control: Control | None) -> None:
        path: Path | None = self._options["ready_file"]
        if path is None:
            return
        ready = {
            "url": service.url,
            "h2c_url": service.h2c_url,
            "auth_url": service.auth_url,
            "control_url": None if control is None else control.url,
            "control_token": None if control is None else control.token,
            "ca_file": None if service.ca_file is None else str(service.ca_file),
            "pid": os.getpid(),
            "version": __version__,
        }
        whole = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            whole.touch(mode=0o600)  # it may name the control token
            whole.write_text(json.dumps(ready) + "\n")
            whole.replace(path)
        except OSError as error:
            raise StartError(f"cannot write the ready file {path}: {error.strerror}") from None


def tell(problems: Sequence[Problem]) -> None:
    """Print problems; what that needs is imported only where there are some."""
    if problems:
        from mockcic.cli.problems import print_problems

        print_problems(problems)


def read_variable(text: str) -> tuple[str, str]:
    """`NAME=VALUE`."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--var")
    return name.strip(), value


def lan_addresses() -> list[str]:
    """The machine's own IPv4 addresses, as far as its name and its default route tell them."""
    found: set[str] = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1; a datagram socket only looks up the route, nothing is sent
            found.add(probe.getsockname()[0])
        except OSError:
            pass
    with contextlib.suppress(OSError):
        found.update(str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET))
    return sorted(address for address in found if not address.startswith("127.") and address != "0.0.0.0")
