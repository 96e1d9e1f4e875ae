"""What stock Hypercorn 0.18 does wrong to this protocol, one regression test a defect, through raw frames."""

from __future__ import annotations

import asyncio
import logging

import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, PingFrame, PriorityFrame, RstStreamFrame, WindowUpdateFrame

from tests.support.raw_h2 import RawClient
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
    stoppable,
)

INITIAL_WINDOW_SIZE = 4  # SETTINGS
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL = 0, 1, 2, 7, 8
WINDOW = 256 * 1024  # ServerSettings.initial_window_bytes


async def answers_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without reading, except on /directives, which it keeps open, and /read, which it reads first."""
    if scope["path"] == "/directives":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
    elif scope["path"] == "/read":
        body = await read_body(receive)
        await respond(send, b"%d" % len(body or b""))
    else:
        await respond(send, b"early", 200)


@on_both_loops
async def test_an_answer_may_end_before_its_upload() -> None:
    """Defect 1. RFC 9113 8.1; the rest of the upload is drained, its windows are given back, other streams go on."""
    async with serving(answers_at_once) as port, await RawClient.connect(port) as client:
        await client.request(1, "/directives")
        await client.head(1)
        await client.request(3, "/early", method="POST", end=False)
        await client.data(3, b"a" * 1000)
        assert (await client.answer(3)).body == b"early"
        for _ in range(12):  # 12 x 256 KiB: three times the connection's window
            await client.data(3, b"b" * (WINDOW // 2))
            await client.until(WindowUpdateFrame, lambda frame: frame.stream_id == 3)
            await client.data(3, b"c" * (WINDOW // 2))
            await client.until(WindowUpdateFrame, lambda frame: frame.stream_id == 3)
        assert [frame for frame in client.all(WindowUpdateFrame) if frame.stream_id == 0][1:]
        await client.data(3, b"", end=True)
        await client.request(5, "/read", method="POST", end=False)
        await client.data(5, b"d" * 100_000, end=True)
        assert (await client.answer(5)).body == b"100000"
        assert not client.of(1).over
        assert client.of(3).reset is None


@on_both_loops
async def test_an_upload_is_drained_after_reset_by_the_client_too() -> None:
    """DEVICES C12: the firmware resets its upload when StopCapture has come, answered or not."""
    async with serving(answers_at_once) as port, await RawClient.connect(port) as client:
        await client.request(1, "/directives")
        await client.head(1)
        await client.request(3, "/early", method="POST", end=False)
        await client.answer(3)
        await client.data(3, b"a" * 1000)
        await client.reset(3)
        await client.request(5, "/read", method="POST", end=False)
        await client.data(5, b"a" * 1000)
        await client.reset(5)
        await client.ping()
        assert not client.of(1).over


@on_both_loops
async def test_a_handler_that_does_not_read_blocks_nobody_else() -> None:
    """Defect 2: PING and other uploads are answered; its own upload stops at its window until it reads."""
    go_on = asyncio.Event()
    read = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await go_on.wait()
        body = await read_body(receive)
        read.append(len(body or b""))
        await respond(send, b"%d" % len(body or b""))

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1, "/slow", method="POST", end=False)
        for _ in range(WINDOW // 320):  # in small frames: what waits is counted in bytes
            await client.data(1, b"x" * 320)
        await client.ping()
        await client.request(3, "/", method="POST", end=False)
        await client.data(3, b"y" * WINDOW, end=True)
        assert (await client.answer(3)).body == b"%d" % WINDOW
        assert [frame for frame in client.all(WindowUpdateFrame) if frame.stream_id == 1] == []
        go_on.set()
        await client.until(WindowUpdateFrame, lambda frame: frame.stream_id == 1)
        await client.data(1, b"x" * 1000, end=True)
        assert (await client.answer(1)).body == b"%d" % (WINDOW // 320 * 320 + 1000)


@on_both_loops
async def test_an_upload_that_nobody_reads_is_given_up_when_the_handler_answers() -> None:
    """Defect 2, its second half: Hypercorn never reads the connection again."""
    answer, finish = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer.wait()
        await respond(send, b"unread")
        await finish.wait()

    async with serving(app) as port, await RawClient.connect(port) as client:
        for stream_id in (1, 3, 5, 7):  # the connection's whole window
            await client.request(stream_id, method="POST", end=False)
            await client.data(stream_id, b"x" * WINDOW)
        await client.ping()
        answer.set()
        for stream_id in (1, 3, 5, 7):
            assert (await client.answer(stream_id)).body == b"unread"
        while not [frame for frame in client.all(WindowUpdateFrame) if frame.stream_id == 0][1:]:
            await client.next_frame()
        await client.ping()
        finish.set()


@on_both_loops
async def test_the_application_waits_when_the_windows_are_closed() -> None:
    """Defect 3: 64 KiB wait beyond what the client has granted, and no more."""
    sent = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(256):
            await send({"type": "http.response.body", "body": b"x" * 4096, "more_body": True})
            sent += 4096
        await send({"type": "http.response.body", "body": b""})

    async with serving(app) as port, await RawClient.connect(port) as client:
        await client.request(1)
        await client.body(1, 65_535)
        await client.ping()
        assert 65_535 < sent <= 65_535 + 64 * 1024 + 4096
        for _ in range(16):
            await client.grant(0, 65_536)
            await client.grant(1, 65_536)
        answer = await client.answer(1)
        assert answer.ended
        assert len(answer.body) == 256 * 4096


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("encrypted", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("size", [1000, 100_000])
def test_the_application_waits_when_the_client_does_not_read(loop: str, encrypted: bool, size: int) -> None:
    """Defect 3 at TCP: what the kernel and TLS hold, and 64 KiB a stream; and it goes on when the client does."""

    async def test() -> None:
        sent = 0
        progress = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal sent
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while sent < 24_000_000:
                await send({"type": "http.response.body", "body": b"x" * size, "more_body": True})
                sent += size
                progress.set()
            await send({"type": "http.response.body", "body": b""})

        server, mine = (server_tls(["h2"]), client_tls(["h2"])) if encrypted else (None, None)
        async with serving(app, tls=server) as port:
            client = await RawClient.connect(port, tls=mine, settings={INITIAL_WINDOW_SIZE: 2**31 - 1})
            async with client:
                await client.grant(0, 2**31 - 1 - 65_535)
                client.writer.transport.pause_reading()  # type: ignore[attr-defined]
                await client.request(1)
                await progress.wait()
                while True:  # until nothing moves any more
                    progress.clear()
                    try:
                        async with asyncio.timeout(0.5):
                            await progress.wait()
                    except TimeoutError:
                        break
                assert 0 < sent < 16_000_000
                client.writer.transport.resume_reading()  # type: ignore[attr-defined]
                answer = await client.answer(1)
                assert len(answer.body) == 24_000_000 // size * size

    run_on(LOOPS[loop], test)


@on_both_loops
async def test_one_large_send_is_not_written_at_once() -> None:
    """Defect 3 within one message: it goes to TCP by and by, and control frames pass while it waits."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"x" * 20_000_000)

    observer = Recorder()
    async with (
        serving(app, observer=observer) as port,
        await RawClient.connect(port, settings={INITIAL_WINDOW_SIZE: 2**31 - 1}) as client,
    ):
        await client.grant(0, 2**31 - 1 - 65_535)
        await client.request(1)
        await client.body(1, 100_000)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(PingFrame(0, b"are you?"))
        await observer.pinged()
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert len((await client.answer(1)).body) == 20_000_000


@on_both_loops
async def test_a_blocked_send_wakes_when_the_client_vanishes() -> None:
    """Defect 4: behind a closed window, and behind a client that reads no TCP. `send` raises OSError (ASGI 2.4)."""
    raised: asyncio.Queue[BaseException] = asyncio.Queue()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 50_000, "more_body": True})
        except BaseException as error:
            raised.put_nowait(error)
            raise

    observer = Recorder()
    async with serving(app, observer=observer) as port:
        async with await RawClient.connect(port) as client:
            await client.request(1)
            await client.body(1, 65_535)
            await client.request(3)
            await client.head(3)
            await client.reset(3)
            assert isinstance(await raised.get(), OSError)
        assert isinstance(await raised.get(), OSError)
        async with await RawClient.connect(port, settings={INITIAL_WINDOW_SIZE: 2**31 - 1}) as client:
            await client.grant(0, 2**31 - 1 - 65_535)
            await client.request(1)
            await client.body(1, 1_000_000)
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        assert isinstance(await raised.get(), OSError)
        assert len(await observer.all_closed()) == 2


@pytest.mark.parametrize("loop", LOOPS)
def test_an_application_that_fails_resets_its_stream(loop: str, caplog: pytest.LogCaptureFixture) -> None:
    """Defect 5: what it sent arrives, then RST_STREAM(INTERNAL_ERROR); the log has the traceback; others go on."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/fine":
            await respond(send, b"fine")
            return
        if scope["path"] != "/before":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x" * 70_000, "more_body": True})
        if scope["path"] != "/returns":
            raise RuntimeError("a defect of the application")

    async def test() -> None:
        async with serving(app) as port, await RawClient.connect(port) as client:
            for stream_id, path in ((1, "/raises"), (3, "/returns")):
                await client.grant(0, 70_000)
                await client.request(stream_id, path)
                await client.body(stream_id, 65_535)
                await client.ping()
                assert not client.of(stream_id).over, "the window holds back 4,465 bytes"
                await client.grant(stream_id, 10_000)
                answer = await client.answer(stream_id)
                assert (len(answer.body), answer.reset) == (70_000, INTERNAL_ERROR)
            await client.request(5, "/before")
            answer = await client.answer(5)
            assert (answer.status, answer.ended) == (500, True)
            await client.request(7, "/fine")
            assert (await client.answer(7)).body == b"fine"

    run_on(LOOPS[loop], test)
    failures = [record for record in caplog.records if record.name == "mockcic.server"]
    assert [record.levelno for record in failures] == [logging.ERROR, logging.ERROR]
    assert all("a defect of the application" in str(record.exc_info) for record in failures)


@on_both_loops
async def test_priority_frames_do_no_harm() -> None:
    """Defect 6. A stream that depends on itself is reset (RFC 7540 5.3.1), and nothing else."""
    async with serving(answers_at_once) as port, await RawClient.connect(port) as client:
        await client.request(1, "/directives")
        await client.head(1)
        for stream_id in range(3, 4003, 2):
            await client.send(PriorityFrame(stream_id, depends_on=stream_id - 2, stream_weight=10, exclusive=True))
        await client.send(PriorityFrame(1, depends_on=3))
        await client.request(3)
        assert (await client.answer(3)).ended
        depending = client.headers_frame(
            5, [(":method", "GET"), (":scheme", "http"), (":authority", "mock"), (":path", "/directives")], end=True
        )
        depending.flags.add("PRIORITY")
        depending.depends_on = 5
        await client.send(depending)
        assert (await client.answer(5)).reset == PROTOCOL_ERROR
        await client.send(PriorityFrame(7, depends_on=7))
        await client.until(RstStreamFrame, lambda frame: frame.stream_id == 7)
        await client.request(9)
        assert (await client.answer(9)).ended
        assert not client.of(1).over


@on_both_loops
async def test_stop_finishes_answers_and_ends_downchannels() -> None:
    """Defect 7. PROTOCOL 2.6: GOAWAY(NO_ERROR) first, then the open answers and the downchannels end, then FIN."""
    stopping, finish = asyncio.Event(), asyncio.Event()
    begun = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/directives":
            await stopping.wait()
            await send({"type": "http.response.body", "body": b"--close--"})
        else:
            begun.set()
            await finish.wait()
            await send({"type": "http.response.body", "body": b"answer"})

    async def on_stopping() -> None:
        stopping.set()

    observer = Recorder()
    async with stoppable(app, observer=observer, on_stopping=on_stopping, grace_s=600) as (client, stop):
        await client.request(1, "/directives")
        await client.head(1)
        await client.request(3, "/v1/events", method="POST")
        await begun.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stop())
            goaway = await client.until(GoAwayFrame)
            assert (goaway.error_code, goaway.last_stream_id) == (NO_ERROR, 3)
            answer = await client.answer(1)
            assert (answer.body, answer.ended) == (b"--close--", True)
            await client.request(5, "/late")
            assert (await client.answer(5)).reset == REFUSED_STREAM
            finish.set()
            assert (await client.answer(3)).body == b"answer"
            await client.end()
        assert await observer.all_closed() == ["server stopped"]


@on_both_loops
async def test_stop_does_not_wait_for_ever() -> None:
    """Defect 7: applications that do not end are cancelled after the grace, and their streams reset."""
    cancelled = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with stoppable(app, grace_s=0.1) as (client, stop):
        await client.request(1, "/directives")
        await client.head(1)
        began = asyncio.get_running_loop().time()
        await stop()
        assert asyncio.get_running_loop().time() - began > 0.09  # uvloop counts in milliseconds
        assert cancelled.is_set()
        await client.end()
        assert client.goaway is not None
        assert client.of(1).reset == CANCEL


@on_both_loops
async def test_stop_ends_a_client_that_neither_reads_nor_closes() -> None:
    """Defect 7: what cannot be sent any more is dropped within the grace and a little."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 50_000, "more_body": True})

    async with stoppable(app, grace_s=0.1, settings={INITIAL_WINDOW_SIZE: 2**31 - 1}) as (client, stop):
        await client.grant(0, 2**31 - 1 - 65_535)
        await client.request(1)
        await client.body(1, 1_000_000)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await stop()


@on_both_loops
async def test_a_silent_connection_is_closed_when_a_setting_says_so() -> None:
    """Defect 8, clear text and without any request; GOAWAY(NO_ERROR) goes before FIN. PROTOCOL 2.4."""
    observer = Recorder()
    async with serving(answers_at_once, observer=observer, idle_close_after_s=1.0) as port:
        async with await RawClient.connect(port) as client:
            for _ in range(5):
                await asyncio.sleep(0.25)
                await client.ping()
            await client.end()
            assert client.goaway is not None
            assert client.goaway.error_code == NO_ERROR
        assert await observer.all_closed() == ["silent for 1 s"]


@on_both_loops
async def test_a_client_that_never_speaks_is_closed_when_its_time_is_over() -> None:
    """Defect 8, before the preface, also when TLS has agreed on h2."""
    observer = Recorder()
    async with serving(answers_at_once, observer=observer, preface_timeout_s=0.1) as port:
        async with await RawClient.connect(port, greet=False) as client:
            await client.end()
        async with await RawClient.connect(port, greet=False) as client:
            await client.write(b"PRI * HT")
            await client.end()
        assert await observer.all_closed() == ["did not begin to speak HTTP/2 within 0.1 s"] * 2
    async with (
        serving(answers_at_once, tls=server_tls(["h2"]), preface_timeout_s=0.1) as port,
        await RawClient.connect(port, greet=False, tls=client_tls(["h2"])) as client,
    ):
        await client.end()


@on_both_loops
async def test_the_stream_above_the_limit_is_refused_alone() -> None:
    """Defect 9: RST_STREAM(REFUSED_STREAM), RFC 9113 5.1.2; a place that becomes free is given again."""
    async with serving(answers_at_once, max_concurrent_streams=3) as port, await RawClient.connect(port) as client:
        for stream_id in (1, 3, 5):
            await client.request(stream_id, "/directives")
            await client.head(stream_id)
        for stream_id in (7, 9):
            await client.request(stream_id)
            assert (await client.answer(stream_id)).reset == REFUSED_STREAM
        await client.reset(3)
        await client.request(11)
        assert (await client.answer(11)).ended
        assert not client.of(1).over
        assert not client.of(5).over
        await client.request(13, "/directives")
        await client.head(13)
        post = client.headers_frame(15, [(":method", "POST"), (":scheme", "http"), (":path", "/")])
        await client.send(post, DataFrame(15, b"in one write"), DataFrame(15, b"with its data", flags=("END_STREAM",)))
        assert (await client.answer(15)).reset == REFUSED_STREAM
        await client.ping()
