"""What RFC 9113 and RFC 7541 say about right and wrong frames, case by case, after the manner of h2spec.

Each case is sent to a server of its own. A *connection error* is answered with GOAWAY of that code and the end of the
connection; a *stream error* with RST_STREAM, or as a connection error (RFC 9113 5.4.2 lets an endpoint be stricter).
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
)

from tests.support.raw_h2 import PREFACE, RawClient
from tests.support.serving import TEST_WITHIN_S, Receive, Recorder, Scope, Send, read_body, respond, serving

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED = range(6)
FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR = range(6, 10)

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = range(1, 6)

GET = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "mock")]
POST = [(":method", "POST"), *GET[1:]]
HANG = [(":method", "GET"), (":scheme", "http"), (":path", "/hang"), (":authority", "mock")]

Act = Callable[[RawClient], Awaitable[None]]


def raw(kind: int, flags: int, stream_id: int, payload: bytes = b"", *, length: int | None = None) -> bytes:
    """Any nine bytes of frame header with anything behind them."""
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + bytes((kind, flags)) + struct.pack(">I", stream_id) + payload


def block(headers: list[tuple[str, str]]) -> bytes:
    return Encoder().encode(headers)


def setting(code: int, value: int) -> bytes:
    return raw(SETTINGS, 0, 0, struct.pack(">HI", code, value))


@dataclass(frozen=True)
class Case:
    act: Act
    source: str
    codes: tuple[int, ...]
    stream_id: int | None = None

    @property
    def name(self) -> str:
        return self.act.__name__.strip("_")


CONNECTION_ERRORS: list[Case] = []
STREAM_ERRORS: list[Case] = []
HARMLESS: list[Case] = []


def connection_error(source: str, *codes: int) -> Callable[[Act], Act]:
    def note(act: Act) -> Act:
        CONNECTION_ERRORS.append(Case(act, source, codes))
        return act

    return note


def stream_error(source: str, *codes: int, stream_id: int = 1) -> Callable[[Act], Act]:
    def note(act: Act) -> Act:
        STREAM_ERRORS.append(Case(act, source, codes, stream_id))
        return act

    return note


def harmless(source: str) -> Callable[[Act], Act]:
    def note(act: Act) -> Act:
        HARMLESS.append(Case(act, source, ()))
        return act

    return note


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/hang":
        while (await receive())["type"] != "http.disconnect":
            pass
    elif scope["path"] == "/deaf":
        await asyncio.Event().wait()
    else:
        body = await read_body(receive)
        await respond(send, body or b"hello")


@pytest.fixture
def _is_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server waits until the client has read the GOAWAY: a busy machine may need more than its second for that."""
    monkeypatch.setattr("mockcic.server.connection.LINGER_S", TEST_WITHIN_S)


def run(act: Act) -> None:
    async def test() -> None:
        async with asyncio.timeout(TEST_WITHIN_S), serving(app) as port, await RawClient.connect(port) as client:
            await act(client)

    asyncio.run(test())


# RFC 9113 4: frames


@connection_error("RFC 9113 4.2", FRAME_SIZE_ERROR)
async def data_longer_than_the_limit(client: RawClient) -> None:
    await client.send(client.headers_frame(1, POST))
    await client.write(raw(DATA, END_STREAM, 1, b"x" * 16_385))


@connection_error("RFC 9113 4.2", FRAME_SIZE_ERROR)
async def headers_longer_than_the_limit(client: RawClient) -> None:
    await client.write(raw(HEADERS, END_STREAM | END_HEADERS, 1, block(GET) + b"\0" * 17_000))


@connection_error("RFC 9113 4.3", COMPRESSION_ERROR, PROTOCOL_ERROR)
async def an_undecodable_header_block(client: RawClient) -> None:
    await client.write(raw(HEADERS, END_STREAM | END_HEADERS, 1, b"\x80"))


@connection_error("RFC 9113 4.3", PROTOCOL_ERROR)
async def priority_within_a_header_block(client: RawClient) -> None:
    await client.write(raw(HEADERS, END_STREAM, 1, block(GET)))
    await client.write(raw(PRIORITY, 0, 1, b"\0\0\0\0\x0a"))


@connection_error("RFC 9113 4.3", PROTOCOL_ERROR)
async def headers_of_another_stream_within_a_header_block(client: RawClient) -> None:
    await client.write(raw(HEADERS, END_STREAM, 1, block(GET)))
    await client.write(raw(HEADERS, END_STREAM | END_HEADERS, 3, block(GET)))


@harmless("RFC 9113 4.1")
async def an_unknown_type(client: RawClient) -> None:
    await client.write(raw(0x16, 0, 0, b"x" * 8))


@harmless("RFC 9113 4.1")
async def undefined_flags(client: RawClient) -> None:
    await client.write(raw(PING, 0x16, 0, b"h2spec!!"))
    await client.until(PingFrame, lambda frame: frame.opaque_data == b"h2spec!!")


@harmless("RFC 9113 4.1")
async def the_reserved_bit(client: RawClient) -> None:
    await client.write(raw(PING, 0, 0x80000000, b"reserved"))
    await client.until(PingFrame, lambda frame: frame.opaque_data == b"reserved")


@harmless("RFC 9113 4.2")
async def data_of_exactly_the_limit(client: RawClient) -> None:
    await client.send(client.headers_frame(1, POST))
    await client.data(1, b"x" * 16_384, end=True)
    assert len((await client.answer(1)).body) == 16_384


# RFC 9113 5.1: states of a stream


@connection_error("RFC 9113 5.1", PROTOCOL_ERROR, STREAM_CLOSED)
async def data_on_an_idle_stream(client: RawClient) -> None:
    await client.data(1, b"x", end=True)


@connection_error("RFC 9113 5.1", PROTOCOL_ERROR)
async def rst_stream_on_an_idle_stream(client: RawClient) -> None:
    await client.reset(1)


@connection_error("RFC 9113 5.1", PROTOCOL_ERROR)
async def window_update_on_an_idle_stream(client: RawClient) -> None:
    await client.grant(1, 100)


@connection_error("RFC 9113 5.1", PROTOCOL_ERROR)
async def continuation_on_an_idle_stream(client: RawClient) -> None:
    await client.write(raw(CONTINUATION, END_HEADERS, 1, block(GET)))


@stream_error("RFC 9113 5.1", STREAM_CLOSED)
async def data_after_the_request_ended(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG, end=True))
    await client.data(1, b"x", end=True)


@stream_error("RFC 9113 5.1", STREAM_CLOSED)
async def headers_after_the_request_ended(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG, end=True))
    await client.send(client.headers_frame(1, GET, end=True))


@stream_error("RFC 9113 5.1", STREAM_CLOSED, PROTOCOL_ERROR)
async def continuation_after_the_request_ended(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG, end=True))
    await client.write(raw(CONTINUATION, END_HEADERS, 1, block(GET)))


@stream_error("RFC 9113 5.1", STREAM_CLOSED)
async def data_after_rst_stream(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG))
    await client.reset(1)
    await client.data(1, b"x", end=True)


@stream_error("RFC 9113 5.1", STREAM_CLOSED)
async def headers_after_rst_stream(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG))
    await client.reset(1)
    await client.send(client.headers_frame(1, GET, end=True))


@stream_error("RFC 9113 5.1", STREAM_CLOSED, PROTOCOL_ERROR)
async def continuation_after_rst_stream(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG))
    await client.reset(1)
    await client.write(raw(CONTINUATION, END_HEADERS, 1, block(GET)))


@stream_error("RFC 9113 5.1", STREAM_CLOSED)
async def data_after_both_ended(client: RawClient) -> None:
    await client.request(1)
    await client.answer(1)
    await client.data(1, b"x", end=True)


@connection_error("RFC 9113 5.1", STREAM_CLOSED)
async def headers_after_both_ended(client: RawClient) -> None:
    await client.request(1)
    await client.answer(1)
    await client.send(client.headers_frame(1, GET, end=True))


@connection_error("RFC 9113 5.1", STREAM_CLOSED, PROTOCOL_ERROR)
async def continuation_after_both_ended(client: RawClient) -> None:
    await client.request(1)
    await client.answer(1)
    await client.write(raw(CONTINUATION, END_HEADERS, 1, block(GET)))


@connection_error("RFC 9113 5.1.1", PROTOCOL_ERROR)
async def an_even_stream_id(client: RawClient) -> None:
    await client.request(2)


@connection_error("RFC 9113 5.1.1", PROTOCOL_ERROR)
async def a_smaller_stream_id_than_before(client: RawClient) -> None:
    await client.send(client.headers_frame(5, HANG, end=True), client.headers_frame(3, GET, end=True))


@stream_error("RFC 9113 5.1.2", REFUSED_STREAM, PROTOCOL_ERROR, stream_id=201)
async def more_streams_than_the_limit(client: RawClient) -> None:
    for stream_id in range(1, 203, 2):
        await client.send(client.headers_frame(stream_id, HANG, end=True))


@harmless("RFC 9113 5.1")
async def frames_that_cross_the_end_of_a_stream(client: RawClient) -> None:
    await client.request(1)
    await client.answer(1)
    await client.grant(1, 100)
    await client.reset(1)
    await client.send(PriorityFrame(1, depends_on=0, stream_weight=3))


@harmless("RFC 9113 5.3")
async def priority_on_an_idle_stream(client: RawClient) -> None:
    await client.send(PriorityFrame(7, depends_on=3, stream_weight=3))


@stream_error("RFC 7540 5.3.1", PROTOCOL_ERROR)
async def headers_that_depend_on_themselves(client: RawClient) -> None:
    await client.write(raw(HEADERS, END_STREAM | END_HEADERS | WITH_PRIORITY, 1, b"\0\0\0\1\xff" + block(HANG)))


@stream_error("RFC 7540 5.3.1", PROTOCOL_ERROR, stream_id=2)
async def a_priority_that_depends_on_itself(client: RawClient) -> None:
    await client.write(raw(PRIORITY, 0, 2, b"\0\0\0\2\xff"))


@connection_error("RFC 9113 5.5", PROTOCOL_ERROR)
async def an_unknown_type_within_a_header_block(client: RawClient) -> None:
    await client.write(raw(HEADERS, END_STREAM, 1, block(GET)))
    await client.write(raw(0x16, 0, 0, b"x"))


# RFC 9113 6: each type of frame


@connection_error("RFC 9113 6.1", PROTOCOL_ERROR)
async def data_on_stream_0(client: RawClient) -> None:
    await client.write(raw(DATA, END_STREAM, 0, b"x"))


@connection_error("RFC 9113 6.1", PROTOCOL_ERROR)
async def data_with_more_padding_than_payload(client: RawClient) -> None:
    await client.send(client.headers_frame(1, POST))
    await client.write(raw(DATA, END_STREAM | PADDED, 1, b"\x06Test"))


@connection_error("RFC 9113 6.1", FLOW_CONTROL_ERROR)
async def data_beyond_the_window(client: RawClient) -> None:
    await client.send(client.headers_frame(1, [*POST[:2], (":path", "/deaf"), POST[3]]))
    await client.data(1, b"x" * (256 * 1024 + 1))


@connection_error("RFC 9113 6.2", PROTOCOL_ERROR)
async def headers_on_stream_0(client: RawClient) -> None:
    await client.write(raw(HEADERS, END_STREAM | END_HEADERS, 0, block(GET)))


@connection_error("RFC 9113 6.2", PROTOCOL_ERROR)
async def headers_with_more_padding_than_payload(client: RawClient) -> None:
    head = block(GET)
    await client.write(raw(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, bytes((len(head) + 2,)) + head))


@connection_error("RFC 9113 6.3", PROTOCOL_ERROR)
async def priority_on_stream_0(client: RawClient) -> None:
    await client.write(raw(PRIORITY, 0, 0, b"\0\0\0\0\x0a"))


@stream_error("RFC 9113 6.3", FRAME_SIZE_ERROR)
async def priority_of_four_bytes(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG))
    await client.write(raw(PRIORITY, 0, 1, b"\x80\0\0\1"))


@connection_error("RFC 9113 6.4", PROTOCOL_ERROR)
async def rst_stream_on_stream_0(client: RawClient) -> None:
    await client.write(raw(RST_STREAM, 0, 0, b"\0\0\0\x08"))


@connection_error("RFC 9113 6.4", FRAME_SIZE_ERROR)
async def rst_stream_of_three_bytes(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG))
    await client.write(raw(RST_STREAM, 0, 1, b"\0\0\0"))


@connection_error("RFC 9113 6.5", FRAME_SIZE_ERROR, PROTOCOL_ERROR)  # h2 says the latter
async def settings_ack_with_payload(client: RawClient) -> None:
    await client.write(raw(SETTINGS, ACK, 0, b"\0"))


@connection_error("RFC 9113 6.5", PROTOCOL_ERROR)
async def settings_on_a_stream(client: RawClient) -> None:
    await client.write(raw(SETTINGS, 0, 1, b"\0\3\0\0\0\x64"))


@connection_error("RFC 9113 6.5", FRAME_SIZE_ERROR)
async def settings_of_three_bytes(client: RawClient) -> None:
    await client.write(raw(SETTINGS, 0, 0, b"\0\3\0"))


@connection_error("RFC 9113 6.5.2", PROTOCOL_ERROR)
async def settings_enable_push_2(client: RawClient) -> None:
    await client.write(setting(ENABLE_PUSH, 2))


@connection_error("RFC 9113 6.5.2", FLOW_CONTROL_ERROR)
async def settings_initial_window_too_large(client: RawClient) -> None:
    await client.write(setting(INITIAL_WINDOW_SIZE, 2**31))


@connection_error("RFC 9113 6.5.2", PROTOCOL_ERROR)
async def settings_max_frame_size_too_small(client: RawClient) -> None:
    await client.write(setting(MAX_FRAME_SIZE, 16_383))


@connection_error("RFC 9113 6.5.2", PROTOCOL_ERROR)
async def settings_max_frame_size_too_large(client: RawClient) -> None:
    await client.write(setting(MAX_FRAME_SIZE, 2**24))


@harmless("RFC 9113 6.5.2")
async def settings_unknown(client: RawClient) -> None:
    await client.write(setting(0xFF, 1))
    await client.until(SettingsFrame, lambda frame: "ACK" in frame.flags)


@harmless("RFC 9113 6.5.3")
async def settings_in_order_the_last_counts(client: RawClient) -> None:
    await client.write(raw(SETTINGS, 0, 0, struct.pack(">HIHI", INITIAL_WINDOW_SIZE, 100, INITIAL_WINDOW_SIZE, 1)))
    await client.until(SettingsFrame, lambda frame: "ACK" in frame.flags)
    await client.request(1)
    assert (await client.until(DataFrame)).data == b"h"
    await client.write(setting(INITIAL_WINDOW_SIZE, 65_535))


@connection_error("RFC 9113 6.6, 8.4", PROTOCOL_ERROR)
async def push_promise_from_a_client(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG))
    await client.write(raw(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + block(GET)))


@harmless("RFC 9113 6.7")
async def ping_is_answered_with_its_data(client: RawClient) -> None:
    await client.ping(b"12345678")


@harmless("RFC 9113 6.7")
async def ping_ack_is_not_answered(client: RawClient) -> None:
    await client.write(raw(PING, ACK, 0, b"unwanted"))
    await client.ping(b"wanted!!")
    assert [frame.opaque_data for frame in client.all(PingFrame)] == [b"wanted!!"]


@connection_error("RFC 9113 6.7", PROTOCOL_ERROR)
async def ping_on_a_stream(client: RawClient) -> None:
    await client.write(raw(PING, 0, 1, b"12345678"))


@connection_error("RFC 9113 6.7", FRAME_SIZE_ERROR)
async def ping_of_six_bytes(client: RawClient) -> None:
    await client.write(raw(PING, 0, 0, b"123456"))


@connection_error("RFC 9113 6.8", PROTOCOL_ERROR)
async def goaway_on_a_stream(client: RawClient) -> None:
    await client.write(raw(GOAWAY, 0, 1, b"\0" * 8))


@connection_error("RFC 9113 6.9", PROTOCOL_ERROR)
async def window_update_of_nothing(client: RawClient) -> None:
    await client.write(raw(WINDOW_UPDATE, 0, 0, b"\0\0\0\0"))


@stream_error("RFC 9113 6.9", PROTOCOL_ERROR)
async def window_update_of_nothing_on_a_stream(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG))
    await client.write(raw(WINDOW_UPDATE, 0, 1, b"\0\0\0\0"))


@connection_error("RFC 9113 6.9", FRAME_SIZE_ERROR)
async def window_update_of_three_bytes(client: RawClient) -> None:
    await client.write(raw(WINDOW_UPDATE, 0, 0, b"\0\0\1"))


@connection_error("RFC 9113 6.9.1", FLOW_CONTROL_ERROR)
async def a_connection_window_beyond_its_limit(client: RawClient) -> None:
    await client.grant(0, 2**31 - 1)
    await client.grant(0, 2**31 - 1)


@stream_error("RFC 9113 6.9.1", FLOW_CONTROL_ERROR)
async def a_stream_window_beyond_its_limit(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG, end=True))
    await client.grant(1, 2**31 - 1)
    await client.grant(1, 2**31 - 1)


@connection_error("RFC 9113 6.9.2", FLOW_CONTROL_ERROR)
async def settings_that_push_a_stream_window_beyond_its_limit(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG, end=True))
    await client.grant(1, 2**31 - 1 - 65_535)
    await client.write(setting(INITIAL_WINDOW_SIZE, 65_536))


@harmless("RFC 9113 6.9.2")
async def a_window_of_nothing_and_then_of_something(client: RawClient) -> None:
    await client.write(setting(INITIAL_WINDOW_SIZE, 0))
    await client.request(1)
    await client.head(1)
    await client.ping(b"nothing?")
    assert client.of(1).body == b""
    await client.write(setting(INITIAL_WINDOW_SIZE, 1))
    await client.body(1, 1)
    await client.grant(1, 2)
    await client.body(1, 3)
    await client.write(setting(INITIAL_WINDOW_SIZE, 0))
    await client.ping(b"negative")
    await client.grant(1, 1)
    await client.ping(b"zero now")
    assert client.of(1).body == b"hel"
    await client.grant(1, 5)
    assert (await client.answer(1)).body == b"hello"
    await client.write(setting(INITIAL_WINDOW_SIZE, 65_535))


@harmless("RFC 9113 6.10")
async def continuations(client: RawClient) -> None:
    head = block([*GET, ("long", "x" * 100)])
    await client.send(HeadersFrame(1, head[:5], flags=("END_STREAM",)))
    await client.send(ContinuationFrame(1, head[5:9]), ContinuationFrame(1))
    await client.send(ContinuationFrame(1, head[9:], flags=("END_HEADERS",)))
    assert (await client.answer(1)).body == b"hello"


@connection_error("RFC 9113 6.10", PROTOCOL_ERROR)
async def continuation_after_the_end_of_the_headers(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG))
    await client.write(raw(CONTINUATION, END_HEADERS, 1, block(GET)))


@connection_error("RFC 9113 6.10", PROTOCOL_ERROR)
async def continuation_on_stream_0(client: RawClient) -> None:
    await client.write(raw(HEADERS, END_STREAM, 1, block(GET)))
    await client.write(raw(CONTINUATION, END_HEADERS, 0, b""))


@connection_error("RFC 9113 6.10", PROTOCOL_ERROR)
async def data_within_a_header_block(client: RawClient) -> None:
    await client.write(raw(HEADERS, 0, 1, block(POST)))
    await client.write(raw(DATA, END_STREAM, 1, b"x"))


@connection_error("RFC 9113 10.5", PROTOCOL_ERROR)
async def continuations_without_end(client: RawClient) -> None:
    await client.write(raw(HEADERS, END_STREAM, 1, block(GET)))
    await client.write(raw(CONTINUATION, 0, 1, b"") * 200)


# RFC 9113 7: unknown codes


@harmless("RFC 9113 7")
async def rst_stream_with_an_unknown_code(client: RawClient) -> None:
    await client.send(client.headers_frame(1, HANG))
    await client.reset(1, 0xFF)


# RFC 9113 8: requests


@stream_error("RFC 9113 8.1", PROTOCOL_ERROR)
async def trailers_without_end_stream(client: RawClient) -> None:
    await client.send(client.headers_frame(1, POST), client.headers_frame(1, [("x-test", "ok")]))


def malformed(source: str, name: str, headers: list[tuple[str, str]]) -> None:
    async def act(client: RawClient) -> None:
        await client.write(raw(HEADERS, END_STREAM | END_HEADERS, 1, block(headers)))

    act.__name__ = name
    STREAM_ERRORS.append(Case(act, source, (PROTOCOL_ERROR,), 1))


malformed("RFC 9113 8.2.1", "an_upper_case_name", [*GET, ("X-TEST", "ok")])
malformed("RFC 9113 8.2.1", "a_space_in_a_name", [*GET, ("x test", "ok")])
malformed("RFC 9113 8.2.1", "a_line_end_in_a_value", [*GET, ("x-test", "a\nb")])
malformed("RFC 9113 8.2.2", "a_connection_header", [*GET, ("connection", "keep-alive")])
malformed("RFC 9113 8.2.2", "te_other_than_trailers", [*GET, ("te", "trailers, deflate")])
malformed("RFC 9113 8.3", "an_unknown_pseudo_header", [*GET, (":test", "ok")])
malformed("RFC 9113 8.3", "a_pseudo_header_of_answers", [*GET, (":status", "200")])
malformed("RFC 9113 8.3", "a_pseudo_header_after_others", [*GET[:3], ("x-test", "ok"), GET[3]])
malformed("RFC 9113 8.3.1", "an_empty_path", [*GET[:2], (":path", ""), GET[3]])
for missing in (":method", ":scheme", ":path"):
    malformed("RFC 9113 8.3.1", f"no_{missing[1:]}", [header for header in GET if header[0] != missing])
    malformed("RFC 9113 8.3.1", f"{missing[1:]}_twice", [*GET, next(header for header in GET if header[0] == missing)])


@stream_error("RFC 9113 8.1.1", PROTOCOL_ERROR)
async def a_body_shorter_than_its_length(client: RawClient) -> None:
    await client.send(client.headers_frame(1, [*POST, ("content-length", "5")]))
    await client.data(1, b"test", end=True)


@stream_error("RFC 9113 8.1.1", PROTOCOL_ERROR)
async def a_body_longer_than_its_length(client: RawClient) -> None:
    await client.send(client.headers_frame(1, [*POST, ("content-length", "1")]))
    await client.data(1, b"test", end=True)


@stream_error("RFC 9113 8.1.1", PROTOCOL_ERROR)
async def a_body_in_two_frames_longer_than_its_length(client: RawClient) -> None:
    await client.send(client.headers_frame(1, [*POST, ("content-length", "4")]))
    await client.data(1, b"test")
    await client.data(1, b"test", end=True)


@stream_error("RFC 9113 8.3", PROTOCOL_ERROR)
async def a_pseudo_header_in_trailers(client: RawClient) -> None:
    await client.send(client.headers_frame(1, POST), client.headers_frame(1, [(":method", "GET")], end=True))


@harmless("RFC 9113 8.1")
async def trailers(client: RawClient) -> None:
    await client.send(client.headers_frame(1, POST))
    await client.data(1, b"body")
    await client.send(client.headers_frame(1, [("x-sum", "1")], end=True))
    assert (await client.answer(1)).body == b"body"


@harmless("RFC 9113 8.3.1")
async def every_method(client: RawClient) -> None:
    for stream_id, method in enumerate(("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH")):
        await client.request(2 * stream_id + 1, method=method)
        assert (await client.answer(2 * stream_id + 1)).status == 200


@harmless("RFC 9113 8.3.1")
async def options_of_the_whole_server(client: RawClient) -> None:
    await client.request(1, "*", method="OPTIONS")
    assert (await client.answer(1)).status == 200


@harmless("RFC 9113 8.5")
async def connect_has_no_path(client: RawClient) -> None:
    await client.send(client.headers_frame(1, [(":method", "CONNECT"), (":authority", "mock:443")], end=True))
    assert (await client.answer(1)).status == 200


# RFC 7541


def undecodable(source: str, name: str, payload: bytes) -> None:
    async def act(client: RawClient) -> None:
        await client.write(raw(HEADERS, END_STREAM | END_HEADERS, 1, payload))

    act.__name__ = name
    CONNECTION_ERRORS.append(Case(act, source, (COMPRESSION_ERROR, PROTOCOL_ERROR)))


undecodable("RFC 7541 2.3.3", "an_index_beyond_the_tables", block(GET) + b"\xc6")
undecodable("RFC 7541 4.2", "a_table_size_at_the_end_of_a_block", block(GET) + b"\x20\x20\x3f\xe1\x7f")
undecodable(
    "RFC 7541 5.2",
    "huffman_padding_of_more_than_seven_bits",
    block(GET) + b"\0\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff",
)
undecodable("RFC 7541 5.2", "huffman_padding_of_zeros", block(GET) + b"\0\x85\xf2\xb2\x4a\x87\xff\x83\x49\x50\x90")
undecodable(
    "RFC 7541 5.2",
    "the_end_of_string_symbol",
    block(GET) + b"\0\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f",
)
undecodable("RFC 7541 6.1", "index_zero", block(GET) + b"\x80")
undecodable("RFC 7541 6.3", "a_table_size_beyond_the_limit", b"\x3f\xe1\xff\x7f" + block(GET))


@pytest.mark.usefixtures("_is_patient")
@pytest.mark.parametrize("case", CONNECTION_ERRORS, ids=lambda case: case.name)
def test_a_connection_error_is_told_by_goaway_and_the_end(case: Case) -> None:
    """The source stands at each case."""

    async def act(client: RawClient) -> None:
        with suppress(ConnectionError):  # the end may be quicker than the case
            await case.act(client)
        await client.end()
        assert client.goaway is not None, f"{case.source}: {client.seen}"
        assert client.goaway.error_code in case.codes, case.source

    run(act)


@pytest.mark.usefixtures("_is_patient")
@pytest.mark.parametrize("case", STREAM_ERRORS, ids=lambda case: case.name)
def test_a_stream_error_ends_the_stream_or_the_connection(case: Case) -> None:
    """The source stands at each case."""

    async def act(client: RawClient) -> None:
        await case.act(client)
        while (frame := await client.next_frame()) is not None:
            if isinstance(frame, RstStreamFrame) and frame.stream_id == case.stream_id:
                assert frame.error_code in case.codes, case.source
                await client.ping()
                return
        assert client.goaway is not None, f"{case.source}: {client.seen}"
        assert client.goaway.error_code in case.codes, case.source

    run(act)


@pytest.mark.parametrize("case", HARMLESS, ids=lambda case: case.name)
def test_what_is_allowed_leaves_the_connection_alone(case: Case) -> None:
    """The source stands at each case; a request is answered after it."""

    async def act(client: RawClient) -> None:
        await case.act(client)
        await client.request(99)
        while not client.of(99).over:
            assert await client.next_frame() is not None, case.source
        assert client.goaway is None

    run(act)


def test_a_wrong_preface_ends_the_connection() -> None:
    """RFC 9113 3.4: GOAWAY may be left out, since it is no HTTP/2 client."""

    async def test() -> None:
        async with serving(app) as port, await RawClient.connect(port, greet=False) as client:
            await client.write(b"INVALID CONNECTION PREFACE\r\n\r\n")
            assert await client.reader.read() == b""
        async with serving(app) as port, await RawClient.connect(port, greet=False) as client:
            await client.write(PREFACE + raw(PING, 0, 0, b"12345678"))
            first = await client.next_frame()
            assert isinstance(first, SettingsFrame | GoAwayFrame)

    asyncio.run(test())


def test_a_client_whose_first_bytes_are_wrong_is_not_kept() -> None:
    """It has a second to read the GOAWAY; then the connection ends, whether it closes or not."""

    async def test() -> None:
        observer = Recorder()
        async with serving(app, observer=observer) as port, await RawClient.connect(port, greet=False) as client:
            await client.write(PREFACE + raw(SETTINGS, 0, 0) + raw(PING, 0, 0, b"short"))
            await client.end()
            assert client.goaway is not None
            async with asyncio.timeout(TEST_WITHIN_S):
                assert "protocol error" in (await observer.all_closed())[0]

    asyncio.run(test())


@pytest.mark.usefixtures("_is_patient")
def test_the_goaway_arrives_although_the_client_goes_on_sending() -> None:
    """Closing at once would answer with TCP's RST, and that may take the GOAWAY away from the client."""

    async def act(client: RawClient) -> None:
        await client.request(2)
        for _ in range(50):
            await client.write(b"x" * 100_000)
        await client.end()
        assert client.goaway is not None
        assert client.goaway.error_code == PROTOCOL_ERROR

    run(act)


def test_the_server_begins_with_its_settings() -> None:
    """RFC 9113 3.4; and acknowledges the client's (6.5.3)."""

    async def act(client: RawClient) -> None:
        first = client.seen[0]
        assert isinstance(first, SettingsFrame)
        assert first.settings[MAX_CONCURRENT_STREAMS] == 100
        assert first.settings[INITIAL_WINDOW_SIZE] == 256 * 1024
        assert [frame for frame in client.all(SettingsFrame) if "ACK" in frame.flags]

    run(act)
