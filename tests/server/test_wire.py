"""The handle under a request: resets, GOAWAY and the ends of connections, as clients see them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Literal

import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, RstStreamFrame, WindowUpdateFrame

from tests.support.raw_h2 import RawClient
from tests.support.serving import (
    LOOPS,
    Receive,
    Recorder,
    Scope,
    Send,
    client_tls,
    on_both_loops,
    respond,
    run_on,
    server_tls,
    serving,
    wire_of,
)

CANCEL, ENHANCE_YOUR_CALM = 8, 11


async def begin(send: Send, body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body, "more_body": True})


@on_both_loops
async def test_reset_ends_the_stream_after_what_was_sent() -> None:
    """RST_STREAM with the code given; later sends raise OSError and are no defect; other streams go on."""
    raised: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/fine":
            await respond(send, b"fine")
            return
        if scope["path"] == "/middle":
            await begin(send, b"half")
        wire_of(scope).reset(ENHANCE_YOUR_CALM)
        wire_of(scope).reset(CANCEL)  # harmless: it is gone
        while (await receive())["type"] != "http.disconnect":
            pass
        try:
            await respond(send, b"never")
        except OSError as error:
            raised.append(error)
            raise

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1, "/middle")
        answer = await client.answer(1)
        assert (answer.body, answer.ended, answer.reset) == (b"half", False, ENHANCE_YOUR_CALM)
        await client.request(3, "/before")
        answer = await client.answer(3)
        assert (answer.status, answer.reset) == (None, ENHANCE_YOUR_CALM)
        await client.request(5, "/fine")
        assert (await client.answer(5)).body == b"fine"
        assert len(client.all(RstStreamFrame)) == 2
        assert len(raised) == 2


@on_both_loops
async def test_reset_sends_what_the_windows_allow_and_drops_the_rest() -> None:
    """It does not wait for a client that holds its window shut."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, b"x" * 65_535 + b"held back")
        wire_of(scope).reset(CANCEL)

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.grant(0, 1000)
        await client.request(1)
        answer = await client.answer(1)
        assert (len(answer.body), answer.reset) == (65_535, CANCEL)


@on_both_loops
async def test_reset_after_the_whole_answer_sends_nothing() -> None:
    """The end that goes out first is the end; no RST_STREAM follows on a closed stream, and nothing is raised."""
    returned = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"whole")
        wire_of(scope).reset(CANCEL)
        returned.set()

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1)
        answer = await client.answer(1)
        await client.ping()
        assert (answer.body, answer.ended, answer.reset) == (b"whole", True, None)
        assert returned.is_set()


@on_both_loops
async def test_abort_does_not_wait_for_a_client_that_does_not_read() -> None:
    """FIN comes after what was written, but what cannot be written within a second is dropped."""
    disconnected = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/fill":
            await begin(send, b"x" * 20_000_000)
            return
        wire_of(scope).abort("fin")
        while (await receive())["type"] != "http.disconnect":
            pass
        disconnected.set()

    async with serving(app) as port, await RawClient.connect(port, settings={4: 2**31 - 1}) as client:
        await client.grant(0, 2**31 - 1 - 65_535)
        await client.request(1, "/fill")
        await client.body(1, 100_000)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.request(3, "/abort")
        await disconnected.wait()


@pytest.mark.parametrize("ends", [False, True], ids=["still uploading", "upload ended"])
def test_reset_when_sent_stops_an_upload_that_is_still_open(ends: bool) -> None:
    """RFC 9113 8.1: RST_STREAM(NO_ERROR) after END_STREAM; not sent when both sides have ended."""

    @on_both_loops
    async def test() -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            wire_of(scope).reset_when_sent()
            await receive()
            await respond(send, b"x" * 70_000)

        async with serving(app) as port, await RawClient.connect(port) as client:
            await client.request(1, method="POST", end=False)
            await client.data(1, b"data", end=ends)
            await client.body(1, 65_535)
            await client.ping()
            assert client.all(RstStreamFrame) == []
            await client.grant(0, 10_000)
            await client.grant(1, 10_000)
            answer = await client.answer(1)
            assert answer.ended
            await client.ping()
            assert [frame.error_code for frame in client.all(RstStreamFrame)] == ([] if ends else [0])
            if not ends:
                await client.data(1, b"in flight")
            await client.request(3, method="POST")
            await client.head(3)

    for loop in LOOPS:
        test(loop=loop)


@on_both_loops
async def test_goaway_leaves_the_connection_and_its_streams_alone() -> None:
    """Code, last stream and debug data as given, the newest stream by default; also twice."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await begin(send, b"before,")
        wire_of(scope).goaway()
        wire_of(scope).goaway(ENHANCE_YOUR_CALM, last_stream_id=0, debug=b"mock says so")
        await send({"type": "http.response.body", "body": b"after"})

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1)
        assert (await client.answer(1)).body == b"before,after"
        first, second = client.all(GoAwayFrame)
        assert (first.error_code, first.last_stream_id, first.additional_data) == (0, 1, b"")
        assert (second.error_code, second.last_stream_id) == (ENHANCE_YOUR_CALM, 0)
        assert second.additional_data == b"mock says so"
        assert client.seen.index(first) > client.seen.index(client.all(DataFrame)[0]), "what was sent before is before"
        await client.request(3)
        assert (await client.answer(3)).body == b"before,after"


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("encrypted", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("how", ["rst", "fin"])
def test_abort_ends_the_connection_without_goaway(loop: str, encrypted: bool, how: Literal["rst", "fin"]) -> None:
    """TCP's RST, or FIN after what was written; every stream of it hears of it."""

    async def test() -> None:
        disconnected = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await begin(send, b"hello")
            if scope["path"] == "/abort":
                wire_of(scope).abort(how)
                wire_of(scope).abort(how)
                wire_of(scope).goaway()
                wire_of(scope).reset(CANCEL)
            while (await receive())["type"] != "http.disconnect":
                pass
            disconnected.set()

        observer = Recorder()
        async with serving(app, tls=server_tls(["h2"]) if encrypted else None, observer=observer) as port:
            async with await RawClient.connect(port, tls=client_tls(["h2"]) if encrypted else None) as client:
                await client.request(1)
                await client.body(1, 5)
                await client.request(3, "/abort")
                reset = False
                try:
                    while await client.reader.read(65536):
                        pass
                except ConnectionResetError:
                    reset = True
                assert client.goaway is None
                assert reset == (how == "rst")
            await disconnected.wait()
            assert await observer.all_closed() == ["aborted by the mock"]

    run_on(LOOPS[loop], test)


@on_both_loops
async def test_who_sends_on_and_on_over_a_broken_connection_hears_of_it_at_once() -> None:
    """However wide the window: what goes nowhere takes no room, so nothing but the end would make him pause."""
    sent = 0
    told: asyncio.Queue[BaseException] = asyncio.Queue()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await begin(send)
        wire_of(scope).abort("rst")
        try:
            while sent < 100_000_000:
                await send({"type": "http.response.body", "body": b"x" * 50_000, "more_body": True})
                sent += 50_000
        except OSError as error:
            told.put_nowait(error)
            raise
        told.put_nowait(AssertionError("it was never told"))

    async with serving(app) as port, await RawClient.connect(port, settings={4: 2**31 - 1}) as client:
        await client.grant(0, 2**31 - 1 - 65_535)
        await client.request(1)
        assert isinstance(await told.get(), OSError)
        assert sent <= 65_536


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("encrypted", [False, True], ids=["clear", "tls"])
def test_a_second_abort_is_harmless_at_any_step_of_the_first(loop: str, encrypted: bool) -> None:
    """A fault that strikes again while the connection closes."""

    async def test() -> None:
        steps = list(range(12))
        told: list[BaseException | None] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await begin(send, b"hello")
            wire, loop, after = wire_of(scope), asyncio.get_running_loop(), int(scope["path"][1:])

            def again(left: int) -> None:
                if left:
                    loop.call_soon(again, left - 1)
                    return
                try:
                    wire.abort("rst")
                except BaseException as error:
                    told.append(error)
                    raise
                told.append(None)

            wire.abort("fin")
            loop.call_soon(again, after)
            while (await receive())["type"] != "http.disconnect":
                pass

        observer = Recorder()
        async with serving(app, tls=server_tls(["h2"]) if encrypted else None, observer=observer) as port:
            for after in steps:
                async with await RawClient.connect(port, tls=client_tls(["h2"]) if encrypted else None) as client:
                    await client.request(1, f"/{after}")
                    with suppress(ConnectionResetError):
                        while await client.reader.read(65536):
                            pass
            await observer.all_closed()
            while len(told) < len(steps):  # noqa: ASYNC110 - the last one has some steps to go
                await asyncio.sleep(0)
        assert told == [None for _ in steps]

    run_on(LOOPS[loop], test)


@on_both_loops
async def test_the_handle_outlives_its_stream() -> None:
    """Used after the answer, after the disconnect: harmless."""
    kept = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        kept.append(wire_of(scope))
        await respond(send, b"done")

    async with serving(app) as port:
        async with await RawClient.connect(port) as client:
            await client.request(1)
            await client.answer(1)
            kept[0].reset(CANCEL)
            kept[0].reset_when_sent()
            await client.request(3, method="POST", end=False)
            await client.answer(3)
            kept[1].reset_when_sent(CANCEL)
            await client.until(RstStreamFrame, lambda frame: frame.stream_id == 3)
            await client.ping()
            assert len(client.all(RstStreamFrame)) == 1
            assert len(client.all(WindowUpdateFrame)) == 1
        await asyncio.sleep(0)
    for act in (kept[0].reset, kept[0].goaway, kept[0].reset_when_sent):
        act(0)
    kept[0].abort()
    assert kept[0].stream_id == 1
