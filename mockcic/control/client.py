"""A client of the control API: what the command line and a test of a server elsewhere ask with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from mockcic.control.ask import AskError
from mockcic.errors import StartError

if TYPE_CHECKING:
    import httpx

DEFAULT_URL: Final = "http://127.0.0.1:8444"
URL_VARIABLE: Final = "MOCKCIC_CONTROL"
TOKEN_VARIABLE: Final = "MOCKCIC_CONTROL_TOKEN"

CONNECT_S: Final = 5.0
TURN_S: Final = 600.0
"""How long a turn of the clock may take: all that comes due on the way happens (INF)."""

SLACK_S: Final = 10.0
"""Added to the time that the server was asked to wait."""


class ControlError(AskError):
    """The server elsewhere answered that it cannot do it: `status`, and the problem document (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        detail = str(problem.get("detail", f"status {status}"))
        super().__init__(status, detail, member=str(problem.get("member") or ""))
        self.problem = dict(problem)

    @property
    def verdict(self) -> dict[str, Any] | None:
        """What came of a verification that was not kept."""
        return self.problem.get("verdict")


def from_ready(path: Path) -> tuple[str, str | None]:
    """Address and token of the control API, from a ready file. Raises `StartError`."""
    try:
        ready = json.loads(path.read_text())
        url, token = ready["control_url"], ready.get("control_token")
    except OSError as error:
        raise StartError(f"cannot read the ready file {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise StartError(f"{path} is no ready file of mockcic with a control_url") from None
    if not url:
        raise StartError(f"the server of {path} has no control API (--no-control)")
    return url, token


class ControlClient:
    """Asks a running server. Raises `ControlError` for what it refuses, `StartError` when it cannot be reached."""

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        import httpx

        self.url = (url or os.environ.get(URL_VARIABLE) or DEFAULT_URL).rstrip("/")
        if "://" not in self.url:
            self.url = f"http://{self.url}"
        token = token or os.environ.get(TOKEN_VARIABLE)
        headers = {"authorization": f"Bearer {token}"} if token else {}
        try:
            self._http = httpx.Client(base_url=self.url, headers=headers, timeout=CONNECT_S, trust_env=False)
        except (httpx.InvalidURL, ValueError):
            raise StartError(f"{self.url} is no address; write http://HOST:PORT") from None

    @classmethod
    def from_ready_file(cls, path: Path) -> ControlClient:
        """The client of a server that wrote a ready file."""
        return cls(*from_ready(path))

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def __enter__(self) -> ControlClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------ one request

    def ask(self, method: str, path: str, *, wait_s: float = 0.0, **how: Any) -> Any:
        """One request; the JSON of its answer, None where there is none. `how` is what httpx takes."""
        answer = self.send(method, path, wait_s=wait_s, **how)
        return answer.json() if answer.content else None

    def send(self, method: str, path: str, *, wait_s: float = 0.0, **how: Any) -> httpx.Response:
        """One request, and its answer as it is."""
        import httpx

        try:
            timeout = httpx.Timeout(CONNECT_S, read=wait_s + SLACK_S, write=60.0)
            answer = self._http.request(method, path, timeout=timeout, **how)
        except httpx.TimeoutException:
            raise StartError(f"{self.url} did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise StartError(f"no control API at {self.url}: {self._reason(error)}") from None
        if answer.is_success:
            return answer
        raise ControlError(answer.status_code, _problem_of(answer))

    def _reason(self, error: Exception) -> str:
        """Why it cannot be reached, and what to do about it."""
        import httpx

        cause: BaseException = error
        while (inner := cause.__cause__ or cause.__context__) is not None:
            cause = inner
        said = getattr(cause, "strerror", None) or str(error)
        if self.url.startswith("https:"):
            return f"{said}; it speaks http"
        if isinstance(error, httpx.RemoteProtocolError):
            return f"{said}; is it the port where devices connect? `mockcic serve` prints both"
        return f"{said}; start one with `mockcic serve`, or say where with --control or --ready-file"

    @contextmanager
    def stream(self, path: str, **how: Any) -> Iterator[Iterator[dict[str, Any] | None]]:
        """Server-sent events as JSON objects, as they come; None for a comment: the line is still there."""
        import httpx

        try:
            timeout = httpx.Timeout(CONNECT_S, read=60.0)
            with self._http.stream("GET", path, timeout=timeout, **how) as answer:
                if not answer.is_success:
                    answer.read()
                    raise ControlError(answer.status_code, _problem_of(answer))
                yield _events(answer)
        except httpx.HTTPError as error:
            raise StartError(f"the line to {self.url} broke: {error}") from None

    # ------------------------------------------------------------------ what is asked often

    def devices(self) -> list[dict[str, Any]]:
        """All devices."""
        devices: list[dict[str, Any]] = self.ask("GET", "/v1/devices")["devices"]
        return devices

    def device_path(self, device: str, *more: str) -> str:
        """The path of a device: names and tokens may have any characters."""
        return "/".join(["/v1/devices", quote(device, safe=""), *more])

    def journal(self, **query: Any) -> dict[str, Any]:
        """A page of the journal."""
        page: dict[str, Any] = self.ask("GET", "/v1/journal", params=query)
        return page


def _events(answer: httpx.Response) -> Iterator[dict[str, Any] | None]:
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))
        elif line.startswith(":"):
            yield None


def _problem_of(answer: httpx.Response) -> dict[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if isinstance(problem, dict) and "detail" in problem:
        if answer.status_code == 401:
            problem["detail"] += f" (--control-token, ${TOKEN_VARIABLE}, --cic-external-token, or --ready-file)"
        return problem
    return {
        "status": answer.status_code,
        "detail": f"{answer.url} answered {answer.status_code}; is it a mockcic server?",
    }
