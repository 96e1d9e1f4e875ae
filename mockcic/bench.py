"""A test's own place on a server: its devices, its scenario, what happened with them."""

from __future__ import annotations

import asyncio
import fnmatch
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from mockcic.errors import StartError
from mockcic.journal.entry import Entry, Kind
from mockcic.journal.store import ENTRIES
from mockcic.scenario.compose import Composer
from mockcic.scenario.load import ScenarioSet, load, load_text
from mockcic.scenario.model import Scenario
from mockcic.scenario.settings import Profile
from mockcic.scenario.steps import Send, read_step
from mockcic.server.device import Device
from mockcic.server.registry import Registry
from mockcic.server.service import Service

Loadable = str | Path | Mapping[str, Any] | ScenarioSet
"""A scenario: a path, YAML text (with a line end in it), a mapping of the language, or a set that is loaded already."""

WAIT_S: Final = 5.0
"""How long `wait_for` waits unless told otherwise (INF)."""

T = TypeVar("T")


class Running(Protocol):
    """A server that runs in a thread of its own."""

    service: Service

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in the server's loop and wait for what it returns."""


def load_any(what: Loadable, *, profile: Profile | None = None, strict: bool = False) -> ScenarioSet:
    """The scenarios of a path, a text or a mapping. Raises `ScenarioError` with every problem."""
    match what:
        case ScenarioSet():
            return what
        case Path():
            return load([what], profile=profile, strict=strict)
        case str() if "\n" not in what:
            return load([Path(what)], profile=profile, strict=strict)
        case str():
            return load_text(what, folder=Path.cwd(), profile=profile, strict=strict)
        case _:
            import yaml

            text = yaml.safe_dump(dict(what), allow_unicode=True, sort_keys=False)
            return load_text(text, name="<mapping>", folder=Path.cwd(), profile=profile, strict=strict)


class TestDevice:
    """One device as a test sees it: the token to give it, and what it did."""

    __test__ = False  # pytest: this is no test class

    def __init__(self, bench: Bench, token: str) -> None:
        self.token = token
        self._bench = bench

    @property
    def headers(self) -> dict[str, str]:
        """The request headers that make a client this device."""
        return {
            "authorization": f"Bearer {self.token}",
            "user-agent": "MockMaker/TestDevice/1.0.0 (Linux;pytest)",
        }

    @property
    def name(self) -> str:
        """Its short name in the journal."""
        return self._bench._mock.call(lambda: self._bench._registry.name_of(self.token))

    @property
    def state(self) -> str:
        """The scenario's state it is in."""
        return self._look(lambda device: device.engine.state)

    @property
    def vars(self) -> dict[str, Any]:
        """Its variables."""
        return self._look(lambda device: dict(device.engine.vars))

    @property
    def connected(self) -> bool:
        """Whether its downchannel is open."""
        return self._bench._mock.call(lambda: (device := self._find()) is not None and device.downchannel is not None)

    def push(self, directive: str | Mapping[str, Any], payload: Mapping[str, Any] | None = None) -> bool:
        """Push a directive on its downchannel; False when there is none. See `Bench.push`."""
        return self._bench.push(directive, payload, to=self) == 1

    @property
    def journal(self) -> tuple[Entry, ...]:
        """What happened with it, oldest first."""
        name = self.name
        return tuple(entry for entry in self._bench.journal if entry.device == name)

    @property
    def events(self) -> tuple[Entry, ...]:
        """The events it sent."""
        return tuple(entry for entry in self.journal if entry.kind == "event")

    def wait_for(self, what: str | Callable[[Entry], bool], **how: Any) -> Entry:
        """As `Bench.wait_for`, of this device only."""
        return self._bench.wait_for(what, device=self, **how)

    async def wait_for_async(self, what: str | Callable[[Entry], bool], **how: Any) -> Entry:
        """As `Bench.wait_for_async`, of this device only."""
        return await self._bench.wait_for_async(what, device=self, **how)

    def _find(self) -> Device | None:
        return self._bench._registry.get(self.token)

    def _look(self, at: Callable[[Device], T]) -> T:
        def look() -> T:
            device = self._find()
            if device is None:
                raise LookupError("the device has not connected yet")
            return at(device)

        return self._bench._mock.call(look)


class Bench:
    """A test's own place on a server: its devices, its scenario, its journal. Others on the server are not seen.

    Every call may be made from any thread; those ending in `_async` from any event loop.
    """

    def __init__(self, mock: Running, *, all_devices: bool = False) -> None:
        self._mock = mock
        self._all = all_devices
        self._tokens: list[str] = []
        self._names: set[str] = set()
        self._scenario: ScenarioSet | None = None
        self._entries: deque[Entry] = deque(maxlen=ENTRIES)
        self._changed = threading.Condition()
        self._end_listening: Callable[[], None] | None = None

    @property
    def _registry(self) -> Registry:
        return self._mock.service.cic.devices

    def _open(self) -> None:
        self._end_listening = self._mock.call(lambda: self._mock.service.journal.listen(self._hear))

    def close(self) -> None:
        """Forget the devices and stop listening."""

        def close() -> None:
            if self._end_listening is not None:
                self._end_listening()
            for token in self._tokens:
                self._registry.forget(token)

        self._mock.call(close)

    def _hear(self, entry: Entry) -> None:
        if self._all or entry.device in self._names:
            with self._changed:
                self._entries.append(entry)
                self._changed.notify_all()

    # ------------------------------------------------------------------ where

    @property
    def url(self) -> str:
        """`https://127.0.0.1:PORT`, with the certificate of `ca_file`."""
        return self._mock.service.url

    @property
    def h2c_url(self) -> str | None:
        """`http://127.0.0.1:PORT` for HTTP/2 with prior knowledge in clear text."""
        return self._mock.service.h2c_url

    @property
    def ca_file(self) -> Path:
        """The CA to give to clients."""
        ca_file = self._mock.service.ca_file
        if ca_file is None:
            raise StartError("this server has no TLS, and so no CA")
        return ca_file

    # ------------------------------------------------------------------ devices and scenarios

    def device(self, token: str | None = None) -> TestDevice:
        """A device of this test, with a fresh token unless one is given."""
        token = token or f"test-{uuid.uuid4().hex}"

        def register() -> str:
            if self._scenario is not None:
                self._registry.assign(token, self._scenario.for_device(token, ""))
            return str(self._registry.name_of(token))

        self._names.add(self._mock.call(register))
        self._tokens.append(token)
        return TestDevice(self, token)

    @property
    def token(self) -> str:
        """The token of the test's first device; made when first asked for."""
        return self._tokens[0] if self._tokens else self.device().token

    def load(self, what: Loadable, *, profile: Profile | None = None, strict: bool = False) -> ScenarioSet:
        """Run this scenario from now on: a path, YAML text, a mapping. `ScenarioError` changes nothing."""
        scenarios = load_any(what, profile=profile, strict=strict)
        self._scenario = scenarios

        def assign() -> None:
            if self._all:
                self._registry.reload(scenarios)
            for token in self._tokens:
                self._registry.assign(token, scenarios.for_device(token, ""))

        self._mock.call(assign)
        return scenarios

    @property
    def scenario(self) -> Scenario | None:
        """The scenario that was loaded here, if any."""
        return None if self._scenario is None else self._scenario.for_device("", "")

    def push(
        self,
        directive: str | Mapping[str, Any],
        payload: Mapping[str, Any] | None = None,
        *,
        to: TestDevice | None = None,
    ) -> int:
        """Push a directive to the devices of this test, or to one; returns how many downchannels took it.

        `directive` is `"Namespace.Name"` with its payload beside it, or a mapping as a scenario has it:
        `{"SpeechSynthesizer.Speak": {"audio": {"tone": 440}}}`. What the protocol fixes is filled in.
        """
        step = {directive: dict(payload or {})} if isinstance(directive, str) else dict(directive)
        send = Send.model_validate(read_step(step))

        def push() -> int:
            tokens = self._tokens if to is None else [to.token]
            devices = (
                list(self._registry) if self._all and to is None else [self._registry.get(each) for each in tokens]
            )
            count = 0
            for device in devices:
                if device is not None and device.downchannel is not None:
                    made, attachments = Composer(None).compose(send, {}, None)
                    count += device.push(made, attachments, "by hand")
            return count

        return self._mock.call(push)

    # ------------------------------------------------------------------ what happened

    @property
    def journal(self) -> tuple[Entry, ...]:
        """What happened, oldest first."""
        with self._changed:
            return tuple(self._entries)

    @property
    def events(self) -> tuple[Entry, ...]:
        """The events that came: `entry.name`, `entry.dialogue`, `entry.data["payload"]`."""
        return self._of("event")

    @property
    def directives(self) -> tuple[Entry, ...]:
        """The directives that were sent: `entry.data["line"]` is `reply` or `downchannel`."""
        return self._of("directive")

    @property
    def findings(self) -> tuple[Entry, ...]:
        """What devices did wrong."""
        return self._of("finding")

    def _of(self, kind: Kind) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.journal if entry.kind == kind)

    def wait_for(
        self,
        what: str | Callable[[Entry], bool],
        *,
        kind: Kind = "event",
        count: int = 1,
        timeout: float = WAIT_S,
        device: TestDevice | None = None,
    ) -> Entry:
        """The `count`th entry of this kind whose name fits `what` (wildcards allowed), now or as soon as it comes.

        `what` may be a function of the entry instead; then every kind is asked. Raises `TimeoutError` that says what
        came.
        """
        fits = self._condition(what, kind, device)

        def found() -> Entry | None:
            fitting = [entry for entry in self._entries if fits(entry)]
            return fitting[count - 1] if len(fitting) >= count else None

        with self._changed:
            self._changed.wait_for(lambda: found() is not None, timeout)
            entry = found()
            if entry is None:
                raise TimeoutError(self._complaint(what, kind, count, timeout))
            return entry

    async def wait_for_async(self, what: str | Callable[[Entry], bool], **how: Any) -> Entry:
        """As `wait_for`, for a test that runs in an event loop."""
        return await asyncio.to_thread(self.wait_for, what, **how)

    @staticmethod
    def _condition(
        what: str | Callable[[Entry], bool], kind: Kind, device: TestDevice | None
    ) -> Callable[[Entry], bool]:
        name = None if device is None else device.name
        if callable(what):
            return lambda entry: (name is None or entry.device == name) and what(entry)
        return lambda entry: (
            entry.kind == kind and (name is None or entry.device == name) and fnmatch.fnmatchcase(entry.name, what)
        )

    def _complaint(self, what: object, kind: Kind, count: int, timeout: float) -> str:
        wanted = f"{kind} {what}" if isinstance(what, str) else "an entry that fits"
        times = "" if count == 1 else f", {count} times"
        came = [
            f"  {entry.kind} {entry.name} {entry.data.get('status', '')}".rstrip()
            for entry in list(self._entries)[-20:]
        ]
        return "\n".join([f"waited {timeout:g} s for {wanted}{times}; what came:", *(came or ["  nothing"])])
