"""MockCIC: the whole server as one object for Python, running in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError, Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from mockcic import __version__
from mockcic.bench import Bench, Loadable, TestDevice
from mockcic.bench.aside import aside
from mockcic.bench.loading import parcel
from mockcic.bench.local import LocalPlace
from mockcic.control.desk import Desk
from mockcic.control.listener import Control
from mockcic.errors import StartError
from mockcic.scenario.load import builtin
from mockcic.scenario.settings import Profile
from mockcic.server.loop import new_event_loop
from mockcic.server.recogniser import Recogniser
from mockcic.server.service import Journaling, Listening, Service

__all__ = ["Bench", "MockCIC", "TestDevice"]

T = TypeVar("T")


class MockCIC(Bench):
    """A mock CIC on ports of its own: a context manager, `with` or `async with`, in a thread of its own.

    `scenario` is a path, YAML text or a mapping; without it the built-in one. `control_port` is that of the control API
    (0 for any free one), None for none; `auth_port` that of a listener of the authorization server's own. `recogniser`
    is given a WAV of an upload whose text a scenario asks for (`audio.text`) and gives it, in a thread. `time_factor`:
    how many seconds pass for scenarios and tokens in a real one. Raises `StartError` and `ScenarioError`.
    """

    def __init__(
        self,
        scenario: Loadable | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        h2c_port: int | None = 0,
        auth_port: int | None = None,
        tls: bool = True,
        host_names: Sequence[str] = (),
        home: Path | None = None,
        profile: Profile | None = None,
        strict: bool = False,
        control_port: int | None = None,
        control_host: str = "127.0.0.1",
        control_token: str | None = None,
        journaling: Journaling | None = None,
        recogniser: Recogniser | None = None,
        time_factor: float = 1.0,
    ) -> None:
        super().__init__(LocalPlace(self), all_devices=True)
        chosen: Loadable = builtin(profile=profile, strict=strict) if scenario is None else scenario
        self._parcel = parcel(chosen, profile=profile, strict=strict)
        scenarios = self._parcel.scenarios
        listening = Listening(
            host=host,
            port=port,
            h2c_port=h2c_port,
            auth_port=auth_port,
            tls=tls,
            host_names=tuple(host_names),
            home=home,
        )
        self.service = Service(
            scenarios, listening, time_factor=time_factor, journaling=journaling, recogniser=recogniser
        )
        self.desk = Desk(self.service.cic, scenarios, version=__version__)
        self._control_address = None if control_port is None else (control_host, control_port, control_token)
        self._control: Control | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._lock = threading.Lock()
        self._asked: set[Future[Any]] = set()

    def start(self) -> Self:
        """Bind the ports and serve; returns when connections are accepted."""
        self.service.bind()
        if self._control_address is not None:
            host, port, token = self._control_address
            self._control = Control(host=host, port=port, token=token)
            try:
                self._control.bind()
            except StartError:
                self.service.close()
                raise
        started = threading.Event()
        trouble: list[BaseException] = []

        async def serve() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            try:
                await self.service.start()
            except BaseException as error:
                trouble.append(error)
                raise
            finally:
                started.set()
            async with asyncio.TaskGroup() as tasks:
                if self._control is not None:
                    self._control.start(tasks, self.desk, self.service)
                await self._stop.wait()
                if self._control is not None:
                    await self._control.stop()
            await self.service.stop()

        def run() -> None:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(serve())

        self._thread = threading.Thread(target=run, name="mockcic", daemon=True)
        self._thread.start()
        started.wait()
        if trouble:
            self._thread.join()
            self.service.close()
            raise trouble[0]
        self.open()
        return self

    @property
    def control_url(self) -> str | None:
        """Where the control API is, None without one."""
        return None if self._control is None else self._control.url

    @property
    def control_token(self) -> str | None:
        """The token the control API asks for."""
        return None if self._control is None else self._control.token

    def stop(self) -> None:
        """End the downchannels, finish what runs, give the ports back."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self.close()
        with self._lock:  # from now on nobody can ask; who waits for an answer is told, by the loop that still runs
            loop, self._loop = self._loop, None
            for asked in self._asked:
                asked.cancel()
        loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None
        self._record.lose("the server was stopped")

    def bench(self) -> Bench:
        """A place of its own on this server, for one test. Call `close` on it when the test is over."""
        bench = Bench(LocalPlace(self), begun=self.scenarios)
        bench.open()
        return bench

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await aside(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await aside(self.stop)

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in the server's loop and wait for what it returns."""
        if self._loop is None or self._thread is None:
            raise StartError("the server does not run; use it in a `with` block, or call start()")

        async def call() -> T:
            return function()

        return self.wait_for_coroutine(call())

    def wait_for_coroutine(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the server's loop and wait for what it returns."""
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError(
                "asked in the server's own thread: a function that judges an entry cannot ask the server"
            )
        with self._lock:
            if self._loop is None or self._thread is None:
                coroutine.close()
                raise StartError("the server does not run; use it in a `with` block, or call start()")
            asked = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
            self._asked.add(asked)
        try:
            return asked.result()
        except CancelledError:
            raise StartError("the server was stopped meanwhile") from None
        finally:
            with self._lock:
                self._asked.discard(asked)
