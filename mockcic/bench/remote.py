"""A place elsewhere: a server in another process or on another machine, through its control API."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from mockcic.bench.loading import Parcel
from mockcic.bench.place import Hear, Lose
from mockcic.control.client import TURN_S, ControlClient, ControlError
from mockcic.control.shapes import (
    ChaosShape,
    ClockShape,
    ClockTurned,
    Delivery,
    DeviceChange,
    DeviceShape,
    FaultOrder,
    FaultShape,
    Issue,
    Push,
    TokenPair,
    TokenShape,
)
from mockcic.errors import Problem, ScenarioError, StartError
from mockcic.journal.entry import entry_from_json

CATCH_UP_S: Final = 10.0


class RemotePlace:
    """See `Place`. Entries come over one line of server-sent events, read by a thread.

    Raises `StartError` when there is no server, `ControlError` for what it refuses.
    """

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        self._client = ControlClient(url, token)
        self._token = token
        try:
            ready = self._client.ask("GET", "/readyz")
            self._version = str(self._client.ask("GET", "/v1/version")["mockcic"])
        except BaseException:
            self._client.close()
            raise
        self._url = self._reachable(ready["url"])
        self._h2c_url = None if ready["h2c_url"] is None else self._reachable(ready["h2c_url"])
        self._auth_url = self._reachable(ready["auth_url"])
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._ca_file = self._keep(ready["ca"]) if ready["ca"] else None
        self._hearers: list[tuple[Hear, Lose]] = []
        self._heard = 0
        self._began = ""
        self._changed = threading.Condition()
        self._closed = False
        self._broken = ""
        self._thread: threading.Thread | None = None
        self._lines: Any = None

    def close(self) -> None:
        """End the line."""
        self._closed = True
        if self._lines is not None:
            with contextlib.suppress(Exception):  # whatever the reading thread was in the middle of
                self._lines.close()
        self._client.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _reachable(self, url: str) -> str:
        """A server that listens everywhere names its own loopback; seen from here it is where its control API is."""
        here = urlsplit(self._client.url).hostname or ""
        parts = urlsplit(url)
        if (parts.hostname or "") in ("127.0.0.1", "::1") and here not in ("127.0.0.1", "::1", "localhost"):
            host = f"[{here}]" if ":" in here else here
            return f"{parts.scheme}://{host}:{parts.port}"
        return url

    def _keep(self, pem: str) -> Path:
        self._folder = tempfile.TemporaryDirectory(prefix="mockcic-ca-")
        path = Path(self._folder.name) / "ca.pem"
        path.write_text(pem)
        return path

    @property
    def auth_url(self) -> str:
        """See `Place`."""
        return self._auth_url

    @property
    def url(self) -> str:
        """Where the server says that devices connect."""
        return self._url

    @property
    def version(self) -> str:
        """The server's, which may be another than ours."""
        return self._version

    @property
    def h2c_url(self) -> str | None:
        """The same in clear text."""
        return self._h2c_url

    @property
    def ca_file(self) -> Path | None:
        """The server's CA, in a file of this process."""
        return self._ca_file

    # ------------------------------------------------------------------ entries

    def listen(self, hear: Hear, lose: Lose) -> Callable[[], None]:
        """`hear` is called in the thread that reads the line; a line that broke is made anew."""
        if self._thread is None or self._broken:
            self._begin()
        mine = (hear, lose)
        with self._changed:
            self._hearers = [*self._hearers, mine]

        def end() -> None:
            with self._changed:
                self._hearers = [each for each in self._hearers if each is not mine]

        return end

    def _begin(self) -> None:
        page = self._client.journal(limit=1)
        self._heard, self._began, self._broken = page["last"], page["began"], ""
        begun = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(begun,), name="mockcic journal", daemon=True)
        self._thread.start()
        begun.wait(CATCH_UP_S)

    def _read(self, begun: threading.Event) -> None:
        client = ControlClient(self._client.url, self._token)
        try:
            with client, client.stream("/v1/journal/live", params={"after": self._heard}) as lines:
                self._lines = client
                for value in lines:
                    begun.set()
                    if value is not None:
                        self._hear(value)
            self._break("the server ended the line")
        except (StartError, ControlError) as error:
            self._break(str(error))
        except Exception as error:
            if not self._closed:
                self._break(str(error))
                raise
        finally:
            begun.set()

    def _break(self, why: str) -> None:
        """No more can be heard: whoever waits is told."""
        if self._closed:
            return
        with self._changed:
            self._broken = f"the journal of {self._client.url} cannot be read any more: {why}"
            hearers, self._hearers = self._hearers, []
            self._changed.notify_all()
        for _, lose in hearers:
            lose(self._broken)

    def _hear(self, value: dict[str, Any]) -> None:
        entry = entry_from_json(value)
        if entry.number > self._heard + 1:
            count = entry.number - self._heard - 1
            raise StartError(f"{count} entries were dropped before they came; let it keep more (--journal-entries)")
        for hear, _ in self._hearers:
            hear(entry)
        with self._changed:
            self._heard = entry.number
            self._changed.notify_all()

    def catch_up(self) -> None:
        """Ask how far the journal is, and wait until the line is as far. Raises `StartError` when it broke."""
        if self._thread is None:
            return
        self._raise_if_broken()
        page = self._client.journal(limit=1)
        if page["began"] != self._began:
            self._break("the server was started anew, and what came before is gone")
        with self._changed:
            heard = self._changed.wait_for(lambda: self._heard >= page["last"] or self._broken, CATCH_UP_S)
        self._raise_if_broken()
        if not heard:
            raise StartError(f"the journal of {self._client.url} comes too late")

    def _raise_if_broken(self) -> None:
        if self._broken:
            raise StartError(self._broken)

    # ------------------------------------------------------------------ devices

    def announce(self, token: str) -> str:
        """See `Place`."""
        return str(self._client.ask("POST", "/v1/devices", json={"token": token})["device"])

    def assign(self, token: str, parcel: Parcel) -> None:
        """The scenario travels as it was given."""
        self._send("PUT", self._client.device_path(token, "scenario"), parcel)

    def load(self, parcel: Parcel) -> None:
        """The scenario becomes the default of the set."""
        self._send("POST", "/v1/scenarios", parcel, default=True)

    def _send(self, method: str, path: str, parcel: Parcel, **query: Any) -> None:
        if parcel.body is None:
            raise StartError("a folder, or a set that is loaded already, cannot be sent to a server; name one file")
        query |= {} if parcel.profile is None else {"profile": parcel.profile}
        query |= {"strict": True} if parcel.strict else {}
        query |= {"called": parcel.called}
        try:
            headers = {"content-type": parcel.content_type}
            self._client.ask(method, path, content=parcel.body, params=query, headers=headers, wait_s=30)
        except ControlError as error:
            if problems := error.problem.get("problems"):
                raise ScenarioError([Problem(**each) for each in problems]) from None
            raise

    def forget(self, token: str) -> None:
        """See `Place`."""
        try:
            self._client.ask("DELETE", self._client.device_path(token))
        except ControlError as error:
            if error.status != 404:
                raise

    def claim(self, name: str) -> bool:
        """See `Place`."""
        try:
            self._client.ask("POST", self._client.device_path(name, "claim"))
        except ControlError as error:
            if error.status not in (404, 409):
                raise
            return False
        return True

    def release(self, token: str) -> None:
        """See `Place`."""
        self._client.ask("POST", self._client.device_path(token, "release"))

    def look(self, name: str) -> DeviceShape | None:
        """See `Place`."""
        try:
            return DeviceShape(**self._client.ask("GET", self._client.device_path(name)))
        except ControlError as error:
            if error.status != 404:
                raise
            return None

    def devices(self) -> list[DeviceShape]:
        """See `Place`."""
        return [DeviceShape(**each) for each in self._client.devices()]

    def change(self, token: str, change: DeviceChange) -> None:
        """See `Place`."""
        self._client.ask("PATCH", self._client.device_path(token), json=change.model_dump())

    def cue(self, token: str, name: str, args: Mapping[str, Any]) -> None:
        """See `Place`."""
        self._client.ask(
            "POST", self._client.device_path(token, "cues", quote(name, safe="")), json={"args": dict(args)}
        )

    def transcribe(self, token: str, text: str) -> None:
        """See `Place`."""
        self._client.ask("POST", self._client.device_path(token, "transcript"), json={"text": text})

    def fault(self, order: FaultOrder) -> FaultShape:
        """See `Place`."""
        asked = order.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return FaultShape(**self._client.ask("POST", "/v1/faults", json=asked))

    def faults(self) -> list[FaultShape]:
        """See `Place`."""
        return [FaultShape(**each) for each in self._client.ask("GET", "/v1/faults")["faults"]]

    def remove_fault(self, number: int) -> None:
        """See `Place`."""
        if any(each.number == number for each in self.faults()):
            self._client.ask("DELETE", f"/v1/faults/{number}")

    def reset(self, token: str) -> None:
        """See `Place`."""
        self._client.ask("POST", self._client.device_path(token, "reset"))

    def expire(self, token: str) -> None:
        """See `Place`."""
        self._client.ask("POST", self._client.device_path(token, "expire"))

    def issue(self, asked: Issue) -> TokenPair:
        """See `Place`."""
        return TokenPair(**self._client.ask("POST", "/v1/auth/issue", json=asked.model_dump()))

    def tokens(self, device: str) -> list[TokenShape]:
        """See `Place`."""
        found = self._client.ask("GET", "/v1/auth/tokens", params={"device": device})
        return [TokenShape(**each) for each in found["tokens"]]

    def expire_token(self, token: str) -> None:
        """See `Place`."""
        self._client.ask("POST", "/v1/auth/expire", json={"device": token})

    def revoke_token(self, token: str) -> None:
        """See `Place`."""
        self._client.ask("POST", "/v1/auth/revoke", json={"device": token})

    def clock(self) -> ClockShape:
        """See `Place`."""
        return ClockShape(**self._client.ask("GET", "/v1/clock"))

    def advance(self, *, by: str | float | None, to: str | None) -> ClockTurned:
        """See `Place`."""
        asked = {name: value for name, value in (("by", by), ("to", to)) if value is not None}
        return ClockTurned(**self._client.ask("POST", "/v1/clock/advance", json=asked, wait_s=TURN_S))

    def set_factor(self, factor: float) -> None:
        """See `Place`."""
        self._client.ask("PATCH", "/v1/clock", json={"factor": factor})

    def put_right(self) -> None:
        """See `Place`."""
        self._client.ask("POST", "/v1/clock/reset")

    def play_chaos(self, text: str, called: str) -> ChaosShape:
        """See `Place`."""
        headers = {"content-type": "application/yaml"}
        try:
            how: dict[str, Any] = {
                "content": text.encode(),
                "params": {"called": called},
                "headers": headers,
                "wait_s": TURN_S,
            }
            return ChaosShape(**self._client.ask("POST", "/v1/chaos", **how))
        except ControlError as error:
            if problems := error.problem.get("problems"):
                raise ScenarioError([Problem(**each) for each in problems]) from None
            raise

    def chaos(self) -> ChaosShape:
        """See `Place`."""
        return ChaosShape(**self._client.ask("GET", "/v1/chaos"))

    def stop_chaos(self) -> ChaosShape:
        """See `Place`."""
        return ChaosShape(**self._client.ask("DELETE", "/v1/chaos"))

    def push(self, push: Push) -> Delivery:
        """See `Place`."""
        answer = self._client.ask("POST", "/v1/push", json=push.model_dump(exclude_none=True), wait_s=push.within)
        return Delivery(**answer)

    def sound(self, sha256: str) -> bytes | None:
        """See `Place`."""
        try:
            return self._client.send("GET", f"/v1/sounds/{sha256}", params={"raw": True}, wait_s=30).content
        except ControlError:
            return None
