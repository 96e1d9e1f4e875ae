"""`mockcic device`: a simulated device on a terminal or in a CI job, and the dialogue as it happens."""

from __future__ import annotations

import asyncio
import fnmatch
import json
import os
import signal
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mockcic.cli.device_asks import perform, read_environment
from mockcic.cli.device_lines import JsonLines, TextLines
from mockcic.errors import StartError

if TYPE_CHECKING:
    from mockcic.simulator.device import Device
    from mockcic.simulator.inbox import Received
    from mockcic.simulator.moments import Moment

URL: Final = "https://127.0.0.1:8443"
READY_WITHIN_S: Final = 10.0
LOOK_EVERY_S: Final = 0.05
TONE_HZ: Final = 440.0
ELSEWHERE: Final = ("url", "ca", "ready_file", "stay", "expected", "settle")
"""Options that the environment takes the place of."""


@click.command(
    name="device",
    short_help="Be a simulated device: connect, speak, print the dialogue.",
    epilog="Exit codes: 0 all went well; 1 something expected did not come, or the server answered with an exception; "
    "2 no connection, or wrong usage.",
)
@click.option("--url", metavar="URL", help=f"The server; http:// for clear text.  [default: {URL}]")
@click.option(
    "--ca",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CA of the server (PEM).  [default: ca.pem in $MOCKCIC_HOME or ~/.mockcic]",
)
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take URL and CA from the server's ready file; waits for it up to 10 s.",
)
@click.option("--token", default="sim-token", show_default=True, help="The access token.")
@click.option("--user-agent", help="Another User-Agent; empty for none.")
@click.option(
    "--text",
    "texts",
    multiple=True,
    help="Say this in writing. Repeat it for what is said next: the answer to a question, or the next utterance.",
)
@click.option(
    "--wav",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Say what is in this WAV file.",
)
@click.option(
    "--tone", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Say a tone of so many seconds."
)
@click.option("--event", metavar="NAME", help="Send this event, such as Settings.RequestVersionSpec.")
@click.option("--payload", metavar="JSON", help="The payload of --event.  [default: {}]")
@click.option(
    "--pace",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Time of microphone and playback: 1 is real, 0.1 ten times as fast, 0 as fast as possible.",
)
@click.option(
    "--stay",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Stay so long afterwards; with --expect only until all came.  [default: until Ctrl-C if nothing is said]",
)
@click.option("--settle", is_flag=True, help="Ask for alerts and settings after connecting, as devices do.")
@click.option(
    "--save",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write directives as JSON files and their sound there.",
)
@click.option(
    "--expect",
    "expected",
    multiple=True,
    metavar="NAME",
    help="This directive has to come (wildcards allowed), in an answer or on the downchannel. May be repeated.",
)
@click.option(
    "--ping",
    default="frame",
    show_default=True,
    type=click.Choice(["frame", "get", "off"]),
    help="The keep-alive, each minute.",
)
@click.option("--wake-word", metavar="WORD", help="Say this wake word before all that is spoken.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag for x-clova-device-tags. May be repeated.")
@click.option(
    "--misbehave",
    multiple=True,
    metavar="RULE",
    help="Break this rule of the guide, such as connection.ping; `list` shows all. May be repeated.",
)
@click.option(
    "--from-env",
    is_flag=True,
    help="Do what MOCKCIC_ASK says at MOCKCIC_URL, with MOCKCIC_CA and MOCKCIC_TOKEN, for MOCKCIC_SECONDS.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of lines for people.")
def command(**options: Any) -> None:
    """Be a simulated device: open the downchannel, say something, obey the directives, print the dialogue.

    \b
      mockcic device --text "오늘 날씨 어때"
      mockcic device --wav question.wav --expect SpeechRecognizer.StopCapture
      mockcic device --tone 2 --misbehave audio.stop-capture
    """
    if "list" in options["misbehave"]:
        click.echo(misbehaviours(), nl=False)
        return
    speaking = [name for name in ("texts", "wav", "tone", "event") if options[name]]
    if options["from_env"] and (said := [*speaking, *(name for name in ELSEWHERE if options[name])]):
        flags = ", ".join(
            "--" + {"texts": "text", "expected": "expect"}.get(each, each.replace("_", "-")) for each in said
        )
        raise click.UsageError(f"with --from-env the environment says where and what; leave out {flags}")
    if len(speaking) > 1:
        raise click.UsageError("say one thing: --text, --wav, --tone or --event")
    if options["payload"] is not None and options["event"] is None:
        raise click.UsageError("--payload goes with --event")
    if options["event"] is not None and "." not in options["event"]:
        raise click.BadParameter(f"{options['event']!r} should read Namespace.Name", param_hint="--event")
    if code := asyncio.run(Run(options).run()):
        raise SystemExit(code)


class Run:
    """One run of the command."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._asked = read_environment(os.environ) if options["from_env"] else None
        if self._asked is not None:
            options |= {"url": self._asked.url, "ca": self._asked.ca_file, "settle": self._asked.settles}
            options["token"] = self._asked.token or options["token"]
        self._url, self._ca_file = where(options)
        self._payload = read_payload(options["payload"])
        self._sound = read_sound(options["wav"], options["tone"])
        self._show: Callable[[Moment], None] = JsonLines().show if options["as_json"] else TextLines().show
        self._saved = 0
        if options["save"] is not None:
            make_folder(options["save"])
        self._is_well = True

    async def run(self) -> int:
        """Connect, speak, stay, judge. Gives the exit code. Raises `StartError`."""
        from mockcic.errors import WireError
        from mockcic.simulator.client import ConnectionLostError, StreamResetError
        from mockcic.simulator.device import USER_AGENT, Device, RefusedError

        agent = self._options["user_agent"]
        device = Device(
            self._url,
            ca_file=self._ca_file,
            token=self._options["token"],
            user_agent=USER_AGENT if agent is None else agent or None,
            pace=self._options["pace"],
            ping=self._options["ping"],
            settle=self._options["settle"],
            tags=self._options["tags"],
            wake_word=self._options["wake_word"],
            misbehave=self._options["misbehave"],
            on_moment=self._happened,
        )
        try:
            async with device:
                await self._live(device)
        except (TimeoutError, ConnectionLostError, StreamResetError, RefusedError, WireError) as error:
            self._complain(str(error))
        for name in self._missing(device):
            self._complain(f"{name} was expected and did not come")
        return 0 if self._is_well else 1

    async def _live(self, device: Device) -> None:
        if self._asked is not None:
            await self._until_terminated(perform(device, self._asked))
            return
        await self._speak(device)
        await device.finish_speaking()
        await self._stay(device)

    @staticmethod
    async def _until_terminated(life: Coroutine[Any, Any, None]) -> None:
        """Live to the end or to SIGTERM, whichever is first; then the device says goodbye."""
        limit = asyncio.timeout(None)
        loop = asyncio.get_running_loop()

        def leave() -> None:
            if not limit.expired():
                limit.reschedule(loop.time())

        try:
            async with limit:
                loop.add_signal_handler(signal.SIGTERM, leave)
                await life
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            loop.remove_signal_handler(signal.SIGTERM)

    async def _speak(self, device: Device) -> None:
        for text in self._options["texts"]:
            await device.finish_speaking()
            await device.say_text(text)
        if self._sound is not None:
            await device.say(self._sound)
        if self._options["event"]:
            await device.send(self._options["event"], self._payload)

    async def _stay(self, device: Device) -> None:
        stay = self._options["stay"]
        is_silent = not (self._options["texts"] or self._sound or self._options["event"])
        if stay is None and (not is_silent or self._options["expected"]):
            stay = 5.0 if is_silent else 0.0
        stop = asyncio.Event()
        if stay is None:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop.set)
        try:
            async with asyncio.timeout(stay):
                for name in self._options["expected"]:
                    await device.wait_for(name, timeout=86_400.0 if stay is None else stay + 1.0)
                if stay is None or not self._options["expected"]:
                    await stop.wait()
        except TimeoutError:
            pass  # what is missing is said at the end

    def _missing(self, device: Device) -> list[str]:
        came = [received.directive.full_name for received in device.received]
        return [name for name in self._options["expected"] if not any(fnmatch.fnmatchcase(each, name) for each in came)]

    def _happened(self, moment: Moment) -> None:
        from mockcic.simulator.moments import DirectiveCame, Refused

        try:
            self._show(moment)
        except BrokenPipeError:  # as by `| head`: nobody reads on
            self._show = lambda _: None
        if isinstance(moment, Refused) and (moment.what, moment.status) != ("downchannel", 429):  # that is asked again
            self._is_well = False
        if isinstance(moment, DirectiveCame) and self._options["save"] is not None:
            self._saved += 1
            try:
                save(self._options["save"], self._saved, moment.received)
            except OSError as error:
                self._complain(f"cannot write to {self._options['save']}: {error.strerror}")

    def _complain(self, text: str) -> None:
        self._is_well = False
        click.secho(f"mockcic: {text}", fg="red", err=True)


# ---------------------------------------------------------------------- what goes in


def misbehaviours() -> str:
    """The table of `--misbehave list`: each rule, what the device does wrong, when that shows."""
    from mockcic.simulator.misbehave import MISBEHAVIOURS

    width = max(map(len, MISBEHAVIOURS))
    return "".join(
        f"{rule:<{width}}  {each.does}\n{'':<{width}}  shows {each.shows}\n" for rule, each in MISBEHAVIOURS.items()
    )


def where(options: dict[str, Any]) -> tuple[str, Path | None]:
    """The server, and the CA to trust: as told, from the ready file, or the default."""
    from mockcic.cli.ping import default_ca

    url, ca_file = options["url"], options["ca"]
    if options["ready_file"] is not None:
        ready = read_ready_file(options["ready_file"])
        url = url or ready.get("url")
        ca_file = ca_file or ready.get("ca_file")
    if ca_file is None and default_ca().exists():
        ca_file = default_ca()
    return url or URL, ca_file


def make_folder(path: Path) -> None:
    """The folder of --save. Raises `StartError`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"cannot make the folder {path}: {error.strerror}") from None


def read_payload(text: str | None) -> dict[str, Any]:
    """The JSON object of --payload."""
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--payload") from None
    if not isinstance(value, dict):
        raise click.BadParameter("a payload is a JSON object", param_hint="--payload")
    return value


def read_sound(wav: Path | None, tone_s: float | None) -> bytes | None:
    """The sound to upload, None without."""
    from mockcic.sound import make

    if wav is not None:
        try:
            return make.read_wav(wav.read_bytes())
        except (ValueError, OSError) as error:
            raise StartError(f"cannot use {wav}: {error}") from None
    return None if tone_s is None else make.tone(TONE_HZ, tone_s)


def read_ready_file(path: Path) -> dict[str, Any]:
    """What the server wrote once it accepted connections; waits for the file, since servers take a moment."""
    for _ in range(round(READY_WITHIN_S / LOOK_EVERY_S)):
        if path.exists():
            break
        time.sleep(LOOK_EVERY_S)  # a file of another process cannot be awaited
    else:
        raise StartError(f"no ready file {path} within {READY_WITHIN_S:g} s; does a server run with --ready-file?")
    try:
        ready = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise StartError(f"cannot read the ready file {path}: {error}") from None
    if not isinstance(ready, dict):
        raise StartError(f"{path} is no ready file: it holds no JSON object")
    return ready


def save(folder: Path, number: int, received: Received) -> None:
    """`001-SpeechSynthesizer.Speak.json` and, beside it, `001-SpeechSynthesizer.Speak.mp3`. Raises `OSError`."""
    stem = f"{number:03}-{received.directive.full_name.replace('/', '_')}"
    text = json.dumps(received.directive.as_json(), ensure_ascii=False, indent=2)
    (folder / f"{stem}.json").write_text(text + "\n", encoding="utf-8")
    for count, data in enumerate(received.attachments.values(), 1):
        more = f"-{count}" if count > 1 else ""
        (folder / f"{stem}{more}{suffix_of(data)}").write_bytes(data)


def suffix_of(data: bytes) -> str:
    """By the first bytes: `.mp3`, `.wav`, else `.bin`."""
    if data.startswith(b"ID3") or (len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2):
        return ".mp3"
    return ".wav" if data.startswith(b"RIFF") else ".bin"


__all__ = ["command"]
