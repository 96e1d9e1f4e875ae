"""What we take from Hypercorn and h2 beyond their documents, name by name: each test says what would break without it.

The versions are pinned (pyproject.toml); when a pin is raised, this file tells what to look at.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
from importlib.metadata import version
from typing import Any

import h2.connection
import pytest
from h2.config import H2Configuration
from h2.events import ConnectionTerminated, PriorityUpdated
from h2.settings import SettingCodes, Settings
from hpack import Decoder, Encoder, HeaderTuple
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.lifespan import Lifespan
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, RawData
from hypercorn.logging import Logger
from hypercorn.protocol.events import Body, EndBody, Response, StreamClosed, Trailers
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.http_stream import ASGIHTTPState, HTTPStream
from hypercorn.utils import LifespanFailureError, parse_socket_addr
from hyperframe.frame import GoAwayFrame, PriorityFrame, RstStreamFrame, SettingsFrame

from mockcic.server.tolerance import NO_AUTHORITY, AuthorityOptional, TolerantConnection, make_small


def parameters(function: Any) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


def test_the_version_is_the_one_these_tests_were_written_for() -> None:
    """pyproject.toml pins it; the classes below change between minor versions."""
    assert version("hypercorn").startswith("0.18.")


def test_tcp_server_is_built_from_a_reader_and_a_writer() -> None:
    """`Connection.__init__` calls it so; awaiting it runs `run` (`Server._serve`)."""
    assert parameters(TCPServer.__init__) == ["app", "loop", "config", "context", "state", "reader", "writer"]
    assert {"run", "protocol_send", "_close", "__await__"} <= set(vars(TCPServer))


def test_h2_protocol_is_built_from_what_we_give_it() -> None:
    """`Http2.__init__` calls it so, positionally."""
    assert parameters(H2Protocol.__init__) == [
        "app", "config", "context", "task_group", "connection_state", "ssl", "client", "server", "send",
    ]  # fmt: skip
    assert {"initiate", "handle", "stream_send", "idle"} <= set(vars(H2Protocol))


async def build_h2_protocol() -> H2Protocol:
    async def send(event: object) -> None: ...

    loop = asyncio.get_running_loop()
    return H2Protocol(
        ASGIWrapper(None), Config(), WorkerContext(None), TaskGroup(loop), {}, False, None, None, send  # type: ignore[arg-type]
    )  # fmt: skip


def test_h2_protocol_keeps_what_streams_read_from_it() -> None:
    """`Stream` takes these from its protocol; `connection` is replaced by ours, `closed` stops what is under way."""
    protocol = asyncio.run(build_h2_protocol())
    for name in ("app", "config", "context", "task_group", "connection_state", "ssl", "client", "server", "closed"):
        assert hasattr(protocol, name), name
    assert isinstance(protocol.connection, h2.connection.H2Connection)


class Told:
    """What an HTTPStream sends to its protocol."""

    def __init__(self) -> None:
        self.events: list[object] = []

    async def send(self, event: object) -> None:
        self.events.append(event)


def tell(*messages: dict[str, Any], headers: list[tuple[bytes, bytes]] = []) -> tuple[list[object], HTTPStream]:  # noqa: B006
    """What an HTTPStream makes of an application's messages."""
    told = Told()

    class Quiet(Logger):
        def __init__(self, config: Config) -> None:
            pass

        async def access(self, request: Any, response: Any, request_time: float) -> None: ...

    async def run() -> HTTPStream:
        config = Config()
        config.logger_class = Quiet
        stream = HTTPStream(
            None, config, WorkerContext(None), None, False, None, None, told.send, 1  # type: ignore[arg-type]
        )  # fmt: skip
        stream.scope = {"method": "GET", "http_version": "2", "headers": headers}  # type: ignore[typeddict-item]
        stream.start_time = 0
        for message in messages:
            await stream.app_send(message)  # type: ignore[arg-type]
        return stream

    return told.events, asyncio.run(run())


START = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}


def test_http_stream_turns_messages_into_events() -> None:
    """`Http2.stream_send` takes these, in this order; `StreamClosed` it may ignore."""
    events, stream = tell(START, {"type": "http.response.body", "body": b"x", "more_body": True},
                          {"type": "http.response.body", "body": b"y"})  # fmt: skip
    assert events == [
        Response(stream_id=1, headers=[(b"a", b"b")], status_code=200),
        Body(stream_id=1, data=b"x"),
        Body(stream_id=1, data=b"y"),
        EndBody(stream_id=1),
        StreamClosed(stream_id=1),
    ]
    assert stream.state is ASGIHTTPState.CLOSED


def test_http_stream_begins_in_state_request() -> None:
    """`Stream._run` knows by it whether an answer has begun."""
    _, stream = tell()
    assert stream.state is ASGIHTTPState.REQUEST
    assert stream.closed is False
    assert stream.scheme == "http"


def test_http_stream_sends_trailers_before_the_end_of_the_body() -> None:
    """`Http2` ends the answer with the trailers, hence `EndBody` after them must not end it again."""
    events, _ = tell(
        START | {"trailers": True},
        {"type": "http.response.body", "body": b"x"},
        {"type": "http.response.trailers", "headers": [(b"c", b"d")]},
        headers=[(b"te", b"trailers")],
    )
    assert events[2:] == [
        Trailers(stream_id=1, headers=[(b"c", b"d")]),
        EndBody(stream_id=1),
        StreamClosed(stream_id=1),
    ]


def test_http_stream_refuses_messages_out_of_order() -> None:
    """ASGI's rules are Hypercorn's to keep; the application hears of it."""
    with pytest.raises(Exception, match="Unexpected message type"):
        tell({"type": "http.response.body", "body": b""})
    with pytest.raises(ValueError, match="Pseudo"):
        tell(START | {"headers": [(b":status", b"1")]})


def test_the_task_group_spawns_and_waits() -> None:
    """A connection's streams run in it, and it ends when they have."""

    async def run() -> None:
        done = []

        async def stream(number: int) -> None:
            await asyncio.sleep(0)
            done.append(number)

        async with TaskGroup(asyncio.get_running_loop()) as tasks:
            tasks.spawn(stream, 1)
            tasks.spawn(stream, 2)
        assert done == [1, 2]

    asyncio.run(run())


def test_the_lifespan_tells_of_a_failed_startup() -> None:
    """`Server.start` makes a StartError of it."""
    assert parameters(Lifespan.__init__) == ["app", "config", "loop", "lifespan_state"]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "why"})

    async def run() -> None:
        lifespan = Lifespan(ASGIWrapper(app), Config(), asyncio.get_running_loop(), {})
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(_caught(lifespan))
            await lifespan.wait_for_startup()
            assert "why" in str(await task)

    async def _caught(lifespan: Lifespan) -> Exception | None:
        try:
            await lifespan.handle_lifespan()
        except LifespanFailureError as error:
            return error
        return None

    asyncio.run(run())


def test_the_config_makes_its_log_from_logger_class_and_headers_from_response_headers() -> None:
    """`EngineConfig` overrides both: nothing is written to stderr, and no `server` header is sent."""
    assert parameters(Config.response_headers) == ["protocol"]
    assert isinstance(Config.log, property)
    assert Config.logger_class is Logger
    assert {"access", "warning", "exception"} <= set(vars(Logger))
    assert Config().startup_timeout > 0


def test_raw_data_carries_bytes_and_closed_nothing() -> None:
    """`Http2.handle` and `Connection.protocol_send` take them."""
    assert RawData(data=b"x").data == b"x"
    assert Closed() == Closed()


def test_socket_addresses_are_pairs() -> None:
    """ASGI's `client` and `server`."""
    assert parse_socket_addr(socket.AF_INET, ("127.0.0.1", 1)) == ("127.0.0.1", 1)
    assert parse_socket_addr(socket.AF_INET6, ("::1", 1, 0, 0)) == ("::1", 1)


# h2 and hpack


def server_connection(kind: type[h2.connection.H2Connection]) -> h2.connection.H2Connection:
    connection = kind(H2Configuration(client_side=False, header_encoding=None))
    connection.initiate_connection()
    connection.receive_data(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
    connection.data_to_send()
    return connection


def test_h2_decodes_headers_through_its_decoder_attribute() -> None:
    """`TolerantConnection` replaces it; h2 keeps our tuple as it is, so that it can be known again."""
    assert isinstance(h2.connection.H2Connection().decoder, Decoder)
    assert "raw" in parameters(Decoder.decode)
    head = AuthorityOptional().decode(Encoder().encode([(":method", "GET")]), raw=True)
    assert head[0] is NO_AUTHORITY
    assert isinstance(NO_AUTHORITY, HeaderTuple)
    assert AuthorityOptional().decode(Encoder().encode([("x-trailer", "1")]), raw=True)[0] == (b"x-trailer", b"1")


def test_h2_ends_the_connection_for_a_priority_that_depends_on_itself() -> None:
    """`_receive_priority_frame` of ours does not; when h2 does not either, it can go."""
    frame = PriorityFrame(3, depends_on=3).serialize()
    with pytest.raises(h2.exceptions.ProtocolError):
        server_connection(h2.connection.H2Connection).receive_data(frame)
    (event,) = server_connection(TolerantConnection).receive_data(frame)
    assert isinstance(event, PriorityUpdated)
    assert (event.stream_id, event.depends_on) == (3, 3)


def test_h2_closes_its_state_when_the_client_sends_goaway() -> None:
    """`_receive_goaway_frame` of ours does not for NO_ERROR; when h2 does not either, it can go."""
    frame = GoAwayFrame(0, last_stream_id=0, error_code=0, additional_data=b"bye").serialize()
    stock = server_connection(h2.connection.H2Connection)
    stock.receive_data(frame)
    with pytest.raises(h2.exceptions.ProtocolError):
        stock.ping(b"12345678")
    ours = server_connection(TolerantConnection)
    (event,) = ours.receive_data(frame)
    assert isinstance(event, ConnectionTerminated)
    assert (event.error_code, event.additional_data) == (0, b"bye")
    ours.ping(b"12345678")


def test_h2_takes_an_acknowledgement_for_all_settings_that_were_sent() -> None:
    """`_local_settings_acked` of ours takes it for the oldest alone; when h2 does too, it can go."""
    ack = SettingsFrame(0, flags=("ACK",)).serialize()
    stock = server_connection(h2.connection.H2Connection)
    stock.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    stock.receive_data(ack)  # of what the connection began with
    assert stock.local_settings.initial_window_size == 0
    ours = server_connection(TolerantConnection)
    ours.waits_for_acknowledgement({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    windows = []
    for _ in range(3):
        ours.receive_data(ack)
        windows.append(ours.local_settings.initial_window_size)
    assert windows == [65_535, 0, 0]


def test_h2_takes_local_settings_that_were_acknowledged_by_ourselves() -> None:
    """So is the limit of streams announced and yet not kept by h2, which would end the connection."""
    connection = h2.connection.H2Connection(H2Configuration(client_side=False))
    connection.local_settings = Settings(client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: 1})
    connection.initiate_connection()
    connection.local_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = 1000
    connection.local_settings.acknowledge()
    assert connection.local_settings.max_concurrent_streams == 1000
    assert b"\x00\x03\x00\x00\x00\x01" in connection.data_to_send()


def test_the_settings_of_h2_are_as_they_were_when_made_small() -> None:
    """`make_small` replaces the deques inside; what is proposed and acknowledged goes on."""
    settings = Settings(client=False)
    before = dict(settings)
    make_small(settings)
    assert dict(settings) == before
    settings[SettingCodes.INITIAL_WINDOW_SIZE] = 70_000
    assert settings.initial_window_size == before[SettingCodes.INITIAL_WINDOW_SIZE]
    assert [change.new_value for change in settings.acknowledge().values()] == [70_000]
    assert settings.initial_window_size == 70_000


def test_h2_answers_data_on_a_closed_stream_by_itself() -> None:
    """With RST_STREAM and the connection's window; `Http2` hears nothing of it."""
    connection = server_connection(TolerantConnection)
    head = Encoder().encode([(":method", "POST"), (":scheme", "http"), (":path", "/")])
    connection.receive_data(len(head).to_bytes(3, "big") + b"\1\4\0\0\0\1" + head)
    connection.reset_stream(1, 8)
    connection.data_to_send()
    events = connection.receive_data(b"\0\0\1\0\0\0\0\0\1x")
    assert events == []
    assert connection.data_to_send().startswith(RstStreamFrame(1, error_code=5).serialize()[:9])


def test_a_window_can_be_given_back_for_a_stream_that_is_gone() -> None:
    """`Http2.give_back`: the connection's part returns, and nothing is raised."""
    connection = server_connection(TolerantConnection)
    head = Encoder().encode([(":method", "POST"), (":scheme", "http"), (":path", "/")])
    connection.receive_data(len(head).to_bytes(3, "big") + b"\1\4\0\0\0\1" + head)
    for _ in range(3):
        connection.receive_data((16_384).to_bytes(3, "big") + b"\0\0\0\0\0\1" + b"x" * 16_384)
    connection.reset_stream(1, 8)
    connection.data_to_send()
    connection.acknowledge_received_data(3 * 16_384, 1)
    assert connection.data_to_send() == b"\0\0\4\x08\0\0\0\0\0" + (3 * 16_384).to_bytes(4, "big")
