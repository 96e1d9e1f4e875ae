"""What shipped devices send, and what they get (DEVICES C1 to C13), through raw frames."""

from __future__ import annotations

import asyncio
import re
import ssl
from typing import Any

import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, HeadersFrame, PingFrame, SettingsFrame, WindowUpdateFrame

from tests.support.raw_h2 import PREFACE, RawClient
from tests.support.serving import (
    LOOPS,
    Receive,
    Recorder,
    Scope,
    Send,
    client_tls,
    on_both_loops,
    read_body,
    respond,
    run_on,
    server_tls,
    serving,
    wire_of,
)

REQUEST = [(":method", "GET"), (":scheme", "https"), (":path", "/ping")]


class Echo:
    """Answers with what it read, and remembers the scopes."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        body = await read_body(receive)
        await respond(send, body or b"", 200 if body else 204)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        headers: list[tuple[bytes, bytes]] = self.scopes[-1]["headers"]
        return headers


@on_both_loops
async def test_a_request_without_authority_and_host_is_served() -> None:
    """DEVICES C1; the application sees no host at all."""
    app = Echo()
    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.send(client.headers_frame(1, [*REQUEST, ("user-agent", "old")], end=True))
        assert (await client.answer(1)).status == 204
        assert app.headers == [(b"user-agent", b"old")]


@on_both_loops
async def test_host_is_what_the_client_named() -> None:
    """`:authority` as `host` in front (ASGI), `Host` alone likewise; an empty one stays. Not judged (DEVICES C3)."""
    app = Echo()
    async with serving(app) as port, await RawClient.connect(port) as client:
        constant = "prod-ni-cic.clova.ai"
        await client.send(client.headers_frame(1, [*REQUEST, (":authority", constant), ("a", "b")], end=True))
        await client.answer(1)
        assert app.headers == [(b"host", constant.encode()), (b"a", b"b")]
        await client.send(client.headers_frame(3, [*REQUEST, ("a", "b"), ("host", "x")], end=True))
        await client.answer(3)
        assert app.headers == [(b"host", b"x"), (b"a", b"b")]
        await client.send(client.headers_frame(5, [*REQUEST, (":authority", "")], end=True))
        await client.answer(5)
        assert app.headers == [(b"host", b"")]


@pytest.mark.parametrize(
    "headers",
    [
        [(":method", "GET"), (":scheme", "https")],
        [(":method", "GET"), (":path", "/")],
        [(":scheme", "https"), (":path", "/")],
        [*REQUEST, ("Upper", "x")],
        [*REQUEST, ("connection", "close")],
        [*REQUEST, ("a", "b"), (":authority", "late")],
        [*REQUEST, (":method", "GET")],
        [*REQUEST, ("te", "gzip")],
        [*REQUEST, ("a", "b\r\nc")],
        [*REQUEST, (":authority", "one"), ("host", "two")],
        [*REQUEST, ("host", "one"), ("host", "two")],
    ],
    ids=lambda headers: " ".join(name for name, _ in headers[-2:]),
)
def test_every_other_check_of_headers_stays(headers: list[tuple[str, str]]) -> None:
    """DEVICES C1: only the missing authority passes (RFC 9113 8.2, 8.3)."""
    app = Echo()

    async def test() -> None:
        async with serving(app) as port, await RawClient.connect(port) as client:
            await client.send(client.headers_frame(1, headers, end=True))
            goaway = await client.until(GoAwayFrame)
            assert goaway.error_code == 1
            await client.end()
        assert app.scopes == []

    asyncio.run(test())


@pytest.mark.parametrize("alpn", [None, ["h2"], ["h2", "http/1.1"], ["http/1.1"]], ids=str)
def test_the_preface_decides_whatever_alpn_said(alpn: list[str] | None) -> None:
    """DEVICES C2; `alpn` and `tls` are among the facts."""

    @on_both_loops
    async def test() -> None:
        observer = Recorder()
        async with (
            serving(Echo(), tls=server_tls(["h2"]), observer=observer) as port,
            await RawClient.connect(port, tls=client_tls(alpn)) as client,
        ):
            await client.request(1)
            assert (await client.answer(1)).status == 204
        facts = observer.opened[0]
        assert facts.tls
        assert facts.alpn == ("h2" if alpn and "h2" in alpn else None)

    test(loop="asyncio")
    test(loop="uvloop")


@on_both_loops
async def test_pings_are_answered_and_told() -> None:
    """DEVICES C6, PROTOCOL 2.4; answers to our own PING are not told."""
    observer = Recorder()
    async with serving(Echo(), observer=observer) as port, await RawClient.connect(port) as client:
        await client.ping()
        await client.ping(b"again...")
        await client.send(PingFrame(0, b"12345678", flags=("ACK",)))
        await client.request(1)
        await client.answer(1)
        assert observer.pings == [observer.opened[0]] * 2


@on_both_loops
async def test_a_connection_lives_through_silence_and_thousands_of_requests() -> None:
    """DEVICES C8, C9: no GOAWAY by itself. Hypercorn sends one after 1,000 requests."""
    async with serving(Echo()) as port, await RawClient.connect(port) as client:
        for first in range(1, 2401, 100):
            for stream_id in range(first, first + 100, 2):
                await client.request(stream_id)
            for stream_id in range(first, first + 100, 2):
                assert (await client.answer(stream_id)).ended
        await client.ping()
        assert client.goaway is None


@on_both_loops
async def test_odd_but_legal_frames_are_taken() -> None:
    """DEVICES C10: empty SETTINGS again and again, empty DATA, padding, 4,000 DATA frames of 320 bytes and less."""
    async with serving(Echo(), initial_window_bytes=65_535) as port, await RawClient.connect(port) as client:
        for _ in range(10):
            await client.send(SettingsFrame(0))
            await client.until(SettingsFrame, lambda frame: "ACK" in frame.flags)
        await client.request(1, method="POST", end=False)
        await client.data(1)
        await client.data(1)
        size, window = 0, 65_535
        for number in range(4000):
            while size + 320 > window:
                window += (await client.until(WindowUpdateFrame, lambda frame: frame.stream_id == 1)).window_increment
            await client.send(DataFrame(1, b"x" * (number % 321)))
            size += number % 321
        await client.send(DataFrame(1, b"padded", flags=("PADDED", "END_STREAM"), pad_length=100))
        answer_size = size + 6
        await client.grant(0, answer_size)
        await client.grant(1, answer_size)
        assert len((await client.answer(1)).body) == answer_size


@on_both_loops
async def test_padding_costs_no_window() -> None:
    """RFC 9113 6.9.1 counts it, though nobody reads it: 3 MiB of padding pass through 1 MiB of window."""
    go_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await go_on.wait()
        await respond(send, b"%d" % len(await read_body(receive) or b""))

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1, method="POST", end=False)
        window = 256 * 1024
        for _ in range(12_000):
            window -= 257
            while window < 0:
                window += (await client.until(WindowUpdateFrame, lambda frame: frame.stream_id == 1)).window_increment
            await client.send(DataFrame(1, b"x", flags=("PADDED",), pad_length=255))
        go_on.set()
        await client.data(1, end=True)
        assert (await client.answer(1)).body == b"12000"


@on_both_loops
async def test_a_get_whose_request_side_stays_open_is_answered() -> None:
    """DEVICES C11: and the bytes sent on it change nothing, before the answer and after it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello", "more_body": scope["path"] == "/directives"})
        while (await receive())["type"] != "http.disconnect":
            pass

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1, "/directives", end=False)
        await client.body(1, 5)
        await client.data(1, b"ignored")
        await client.request(3, "/ping", end=False)
        assert (await client.answer(3)).ended
        await client.data(3, b"ignored")
        await client.ping()
        assert not client.of(1).over
        await client.data(1, b"ignored", end=True)
        await client.ping()
        assert not client.of(1).over


@on_both_loops
async def test_answered_requests_that_stay_open_make_room_for_new_ones() -> None:
    """DEVICES C11, INF: at the limit the oldest is ended with RST_STREAM(NO_ERROR), RFC 9113 8.1."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"done")

    async with serving(app, max_concurrent_streams=3) as port, await RawClient.connect(port) as client:
        for stream_id in range(1, 21, 2):
            await client.request(stream_id, end=False)
            assert (await client.answer(stream_id)).ended
        ended = [stream_id for stream_id in range(1, 21, 2) if client.of(stream_id).reset == 0]
        assert ended == [1, 3, 5, 7, 9, 11, 13]


@on_both_loops
async def test_a_get_may_have_a_body() -> None:
    """DEVICES C11; RFC 9110 9.3.1 gives it no meaning."""
    async with serving(Echo()) as port, await RawClient.connect(port) as client:
        await client.request(1, end=False)
        await client.data(1, b"body", end=True)
        assert (await client.answer(1)).body == b"body"


@on_both_loops
async def test_directives_are_delivered_while_an_upload_is_open() -> None:
    """DEVICES C12: the downchannel's write passes at once, and survives the reset of the upload."""
    push = asyncio.Event()
    events: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/directives":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await push.wait()
            await send({"type": "http.response.body", "body": b"StopCapture", "more_body": True})
            await asyncio.Event().wait()
        while (message := await receive())["type"] != "http.disconnect":
            events.append(str(len(message["body"])))
            push.set()
        events.append("gone")

    async with serving(app, grace_s=0) as port, await RawClient.connect(port) as client:
        await client.request(1, "/directives")
        await client.head(1)
        await client.request(3, "/events", method="POST", end=False)
        await client.data(3, b"x" * 320)
        await client.body(1, len(b"StopCapture"))
        await client.reset(3)
        await client.ping()
        assert not client.of(1).over
        assert events == ["320", "gone"]


@on_both_loops
async def test_what_came_before_a_reset_is_read_before_the_disconnect() -> None:
    """INF: a handler that was busy still hears the end of what a device said."""
    go_on = asyncio.Event()
    heard: asyncio.Queue[Any] = asyncio.Queue()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await go_on.wait()
        for _ in range(3):
            heard.put_nowait(await receive())

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1, method="POST", end=False)
        await client.data(1, b"one")
        await client.data(1, b"two")
        await client.reset(1)
        await client.ping()
        go_on.set()
        assert await heard.get() == {"type": "http.request", "body": b"onetwo", "more_body": True}
        assert await heard.get() == {"type": "http.disconnect"}
        assert await heard.get() == {"type": "http.disconnect"}


@on_both_loops
async def test_connections_are_told_apart() -> None:
    """DEVICES C13: the same facts for all requests of one connection, another id for another; and how each ended."""
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((wire_of(scope).connection, wire_of(scope).stream_id, scope["client"]))
        await respond(send)

    observer = Recorder()
    async with serving(app, observer=observer) as port:
        for _ in range(2):
            async with await RawClient.connect(port) as client:
                for stream_id in (1, 3):
                    await client.request(stream_id)
                    await client.answer(stream_id)
                client.writer.write_eof()
                await client.end()
        assert await observer.all_closed() == ["closed by the client"] * 2
    first, second = observer.opened
    assert [(facts, stream_id) for facts, stream_id, _ in seen] == [(first, 1), (first, 3), (second, 1), (second, 3)]
    assert first.id != second.id
    assert re.fullmatch(r"c\d+", first.id)
    assert first.client == "{}:{}".format(*seen[0][2])
    assert not first.tls


@on_both_loops
async def test_the_scope_is_asgi() -> None:
    """ASGI 3, HTTP spec 2.4: there `send` tells of a disconnect, and Starlette needs no second task a stream."""
    app = Echo()
    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1, "/v1/events?dialog=%2F&a=b", method="POST", end=False)
        await client.data(1, b"x", end=True)
        await client.answer(1)
        scope = app.scopes[0]
        assert scope["type"] == "http"
        assert scope["asgi"] == {"version": "3.0", "spec_version": "2.4"}
        assert (scope["http_version"], scope["method"], scope["scheme"]) == ("2", "POST", "http")
        assert (scope["path"], scope["raw_path"], scope["query_string"]) == (
            "/v1/events",
            b"/v1/events",
            b"dialog=%2F&a=b",
        )
        assert scope["server"] == ("127.0.0.1", port)


@on_both_loops
async def test_answers_carry_date_and_nothing_else() -> None:
    """PROTOCOL 1.5: no `server`; the application's own `date` stays; what HTTP/2 forbids is left out."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/own":
            await respond(send, b"", 200, (b"Date", b"never"), (b"Connection", b"close"), (b"X-Y", b"z"))
        else:
            await respond(send, b"", 204)

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1)
        headers = (await client.answer(1)).headers
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers.pop("date"))
        assert headers == {}
        await client.request(3, "/own")
        assert (await client.answer(3)).headers == {"date": "never", "x-y": "z"}


@on_both_loops
async def test_one_send_is_one_data_frame() -> None:
    """DEVICES R5: and a head with its body is one write, END_STREAM included."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(3):
            await send({"type": "http.response.body", "body": b"part\r\n--boundary\r\n", "more_body": True})
            await asyncio.sleep(0.01)
        await send({"type": "http.response.body", "body": b"part\r\n--boundary--\r\n"})

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1)
        await client.answer(1)
        assert [frame.data for frame in client.all(DataFrame)] == [b"part\r\n--boundary\r\n"] * 3 + [
            b"part\r\n--boundary--\r\n"
        ]


@on_both_loops
async def test_the_bytes_of_a_head_request_and_of_a_204_are_suppressed() -> None:
    """RFC 9110 9.3.2, 15.3.5."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"body", 204 if scope["path"] == "/204" else 200)

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1, "/204")
        await client.request(3, method="HEAD")
        for stream_id in (1, 3):
            answer = await client.answer(stream_id)
            assert answer.ended
            assert answer.body == b""


@on_both_loops
async def test_trailers_wait_for_the_windows() -> None:
    """RFC 9113 8.1: trailers are the last frame, however long the body waits for the client's window."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
        await send({"type": "http.response.body", "body": b"x" * 70_000})
        await send({"type": "http.response.trailers", "headers": [(b"sum", b"1")]})

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1, headers=[("te", "trailers")])
        await client.body(1, 65_535)
        await client.ping()
        await client.grant(0, 10_000)
        await client.grant(1, 10_000)
        answer = await client.answer(1)
        assert (len(answer.body), answer.trailers) == (70_000, {"sum": "1"})
        assert isinstance(client.seen[-1], HeadersFrame)


@on_both_loops
async def test_a_smaller_window_in_settings_is_kept() -> None:
    """PROTOCOL 2.7: a device may reduce its window; RFC 9113 6.9.2 lets it become negative."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"x" * 100_000)

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1)
        await client.body(1, 65_535)
        smaller = SettingsFrame(0)
        smaller.settings = {4: 1000}
        await client.send(smaller)
        await client.grant(0, 100_000)
        await client.grant(1, 60_000)
        await client.ping()
        assert len(client.of(1).body) == 65_535
        await client.grant(1, 100_000)
        assert len((await client.answer(1)).body) == 100_000


@on_both_loops
async def test_after_the_clients_goaway_its_answers_still_come() -> None:
    """RFC 9113 6.8: GOAWAY(NO_ERROR) of a client concerns what the server might open; then the connection ends."""
    finish = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await finish.wait()
        await respond(send, b"answer")

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1)
        await client.send(GoAwayFrame(0, last_stream_id=0, error_code=0))
        await client.ping()
        finish.set()
        assert (await client.answer(1)).body == b"answer"
        await client.end()


@on_both_loops
async def test_a_task_that_outlives_its_client_is_cancelled() -> None:
    """INF: an application that does not ask `receive` gets 10 s, here 0.1 s; no task is left for ever."""
    cancelled: asyncio.Queue[str] = asyncio.Queue()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.put_nowait(scope["path"])

    observer = Recorder()
    async with serving(app, abandon_after_s=0.1, observer=observer) as port:
        async with await RawClient.connect(port) as client:
            await client.request(1, "/reset")
            await client.request(3, "/vanished")
            await client.reset(1)
            assert await cancelled.get() == "/reset"
        assert await cancelled.get() == "/vanished"
        assert await observer.all_closed()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_leaves_is_no_defect(loop: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the application makes of the OSError of its `send`, the log stays empty; its own errors are in it."""
    ended: asyncio.Queue[str] = asyncio.Queue()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while (await receive())["type"] != "http.disconnect":
                pass
            if scope["path"] == "/defect":
                raise RuntimeError("a defect of the application")
            try:
                await send({"type": "http.response.body", "body": b"x"})
            except OSError as error:
                match scope["path"]:
                    case "/cause":
                        raise RuntimeError("client went away") from error
                    case "/context":
                        raise RuntimeError("client went away")  # noqa: B904
                    case "/group":
                        raise ExceptionGroup("tasks", [error]) from None
                raise
        finally:
            ended.put_nowait(scope["path"])

    async def test() -> None:
        async with serving(app) as port, await RawClient.connect(port) as client:
            for number, path in enumerate(("/plain", "/cause", "/context", "/group", "/defect")):
                await client.request(2 * number + 1, path)
                await client.head(2 * number + 1)
                await client.reset(2 * number + 1)
                assert await ended.get() == path

    run_on(LOOPS[loop], test)
    assert [record.args[1] for record in caplog.records if record.name == "mockcic.server"] == ["/defect"]  # type: ignore[index]


@pytest.mark.parametrize("encrypted", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("cut", [1, 3, 10_000])
def test_http1_is_told_what_to_do(encrypted: bool, cut: int) -> None:
    """505, a body for a person, and the end of the connection; RFC 9110 15.6.6."""
    request = b"POST /v1/events HTTP/1.1\r\nHost: mock\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello" + b"x" * 5000

    async def test() -> None:
        observer = Recorder()
        tls: ssl.SSLContext | None = server_tls(["h2", "http/1.1"]) if encrypted else None
        async with serving(Echo(), tls=tls, observer=observer) as port:
            mine = client_tls(["http/1.1"]) if encrypted else None
            async with await RawClient.connect(port, greet=False, tls=mine) as client:
                for at in range(0, len(request[:60]), cut):
                    await client.write(request[at : min(at + cut, 60)])
                    await asyncio.sleep(0)
                await client.write(request[60:])
                answer = await client.reader.read()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 505 HTTP Version Not Supported\r\n")
        assert b"\r\nConnection: close" in head
        assert b"\r\nContent-Length: %d" % len(body) in head
        assert b"--http2-prior-knowledge" in body
        assert await observer.all_closed() == ["HTTP/1.1, answered with 505"]

    asyncio.run(test())


@pytest.mark.parametrize(
    "noise", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-x\r\n", PREFACE[:20] + b"XX"]
)
def test_noise_is_closed_without_an_answer(noise: bytes) -> None:
    """TLS on the clear-text port, another protocol, a preface that goes wrong."""

    async def test() -> None:
        observer = Recorder()
        async with serving(Echo(), observer=observer) as port:
            async with await RawClient.connect(port, greet=False) as client:
                await client.write(noise)
                assert await client.reader.read() == b""
            assert await observer.all_closed() == ["spoke neither HTTP/2 nor HTTP/1.1"]

    asyncio.run(test())
