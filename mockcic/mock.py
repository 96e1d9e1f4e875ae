"""MockCIC: the whole server as one object for Python, running in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from mockcic.bench import Bench, Loadable, TestDevice, load_any
from mockcic.errors import StartError
from mockcic.scenario.load import builtin
from mockcic.scenario.settings import Profile
from mockcic.server.loop import new_event_loop
from mockcic.server.service import Listening, Service

__all__ = ["Bench", "MockCIC", "TestDevice"]

T = TypeVar("T")


class MockCIC(Bench):
    """A mock CIC on ports of its own: a context manager, `with` or `async with`, in a thread of its own.

    `scenario` is a path, YAML text or a mapping; without it the built-in one. Raises `StartError` and `ScenarioError`.
    """

    def __init__(
        self,
        scenario: Loadable | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        h2c_port: int | None = 0,
        tls: bool = True,
        host_names: Sequence[str] = (),
        home: Path | None = None,
        profile: Profile | None = None,
        strict: bool = False,
    ) -> None:
        super().__init__(self, all_devices=True)
        scenarios = (
            builtin(profile=profile, strict=strict)
            if scenario is None
            else load_any(scenario, profile=profile, strict=strict)
        )
        self._scenario = scenarios
        listening = Listening(host=host, port=port, h2c_port=h2c_port, tls=tls, host_names=tuple(host_names), home=home)
        self.service = Service(scenarios, listening)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def start(self) -> Self:
        """Bind the ports and serve; returns when connections are accepted."""
        self.service.bind()
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
            await self._stop.wait()
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
        self._open()
        return self

    def stop(self) -> None:
        """End the downchannels, finish what runs, give the ports back."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        if self._end_listening is not None:
            self.call(self._end_listening)
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None

    def bench(self) -> Bench:
        """A place of its own on this server, for one test. Call `close` on it when the test is over."""
        bench = Bench(self)
        bench._open()
        return bench

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in the server's loop and wait for what it returns."""
        if self._loop is None or self._thread is None:
            raise StartError("the server does not run; use it in a `with` block, or call start()")

        async def call() -> T:
            return function()

        coroutine: Coroutine[Any, Any, T] = call()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
