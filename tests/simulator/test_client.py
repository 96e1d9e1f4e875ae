"""The HTTP/2 client of the simulated device, against a server that does what the test says."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockcic.errors import StartError
from mockcic.simulator.client import ConnectionLostError, StreamResetError
from mockcic.simulator.dial import connect
from tests.support.h2_peer import Peer, peer_serving
from tests.support.serving import _authority, server_tls


async def nothing(_: Peer) -> None:
    """Only what HTTP/2 does by itself."""


async def test_a_request_carries_its_headers_and_its_answer_comes_back() -> None:
    """RFC 9113 8.3: the authority is that of the URL, or another when told so (DEVICES C3)."""
    seen: dict[str, str] = {}

    async def act(peer: Peer) -> None:
        seen.update((await peer.request(1)).headers)
        peer.answer(1, 200, ("x-a", "b"))
        peer.data(1, b"hello ")
        peer.data(1, b"you", end=True)

    async with peer_serving(act) as url, connect(url, authority="prod-ni-cic.clova.ai") as connection:
        stream = await connection.request("GET", "/x", [("user-agent", "me")])
        assert await stream.head() == 200
        assert stream.headers == {"x-a": "b"}
        assert b"".join([chunk async for chunk in stream.chunks()]) == b"hello you"
        assert stream.over
    assert seen == {
        ":method": "GET",
        ":scheme": "http",
        ":authority": "prod-ni-cic.clova.ai",
        ":path": "/x",
        "user-agent": "me",
    }


async def test_tls_negotiates_h2_and_trusts_the_given_ca(tmp_path: Path) -> None:
    """PROTOCOL 1.1; DEVICES C4."""
    ca = tmp_path / "ca.pem"
    _authority()[0].cert_pem.write_to_path(str(ca))
    async with peer_serving(nothing, tls=server_tls(["h2"])) as url, connect(url, ca_file=ca) as connection:
        assert await connection.ping() >= 0


async def test_an_upload_waits_for_the_window_and_arrives_whole() -> None:
    """RFC 9113 5.2: the window is 65,535 bytes until more is granted."""
    arrived: list[int] = []

    async def act(peer: Peer) -> None:
        peer.grants = False
        await peer.until(lambda peer: 1 in peer.requests and len(peer.requests[1].body) == 65_535)
        arrived.append(65_535)
        peer.grants = True
        peer.h2.acknowledge_received_data(65_535, 1)
        peer.flush()
        arrived.append(len((await peer.request(1)).body))
        peer.answer(1, 204, end=True)

    async with peer_serving(act) as url, connect(url) as connection:
        stream = await connection.request("POST", "/", end=False)
        assert await stream.send(bytes(200_000), end=True)
        assert await stream.head() == 204
    assert arrived == [65_535, 200_000]


async def test_window_is_given_back_only_as_the_body_is_read() -> None:
    """RFC 9113 5.2: back-pressure; a device reads at the pace it plays."""
    sent: list[int] = []

    async def act(peer: Peer) -> None:
        await peer.request(1)
        peer.answer(1)
        for _ in range(10):
            room = 0
            while (room := min(16_384, peer.h2.local_flow_control_window(1))) == 0:
                await peer.until(lambda peer: peer.h2.local_flow_control_window(1))
            peer.data(1, bytes(room))
            sent.append(room)
        peer.data(1, end=True)

    async with peer_serving(act) as url, connect(url) as connection:
        stream = await connection.request("GET", "/")
        await stream.head()
        await connection.ping()
        await connection.ping()
        assert sum(sent) == 65_535
        assert sum([len(chunk) async for chunk in stream.chunks()]) == sum(sent) > 65_535


async def test_ping_waits_for_the_answer_and_no_longer_than_told() -> None:
    """PROTOCOL 2.4."""

    async def act(peer: Peer) -> None:
        peer.silent = True

    async with peer_serving(nothing) as url, connect(url) as connection:
        assert 0 <= await connection.ping() < 5
    async with peer_serving(act) as url, connect(url) as connection:
        with pytest.raises(TimeoutError):
            await connection.ping(within_s=0.05)


async def test_a_stream_the_server_resets_is_told_with_its_reason() -> None:
    """RFC 9113 5.4.2."""

    async def act(peer: Peer) -> None:
        await peer.request(1)
        peer.answer(1)
        peer.data(1, b"some")
        peer.reset(1, 2)

    async with peer_serving(act) as url, connect(url) as connection:
        stream = await connection.request("GET", "/")
        with pytest.raises(StreamResetError, match="INTERNAL_ERROR"):
            _ = [chunk async for chunk in stream.chunks()]


async def test_an_answer_before_the_end_of_the_upload_is_kept_when_the_upload_is_refused() -> None:
    """RFC 9113 8.1: a complete response, then RST_STREAM(NO_ERROR)."""

    async def act(peer: Peer) -> None:
        await peer.request(1, whole=False)
        peer.answer(1, 401)
        peer.data(1, b"no", end=True)
        peer.reset(1, 0)

    async with peer_serving(act) as url, connect(url) as connection:
        stream = await connection.request("POST", "/", end=False)
        while await stream.send(bytes(1000)):
            await connection.ping()
        assert await stream.head() == 401
        assert [chunk async for chunk in stream.chunks()] == [b"no"]


async def test_a_stream_that_is_given_up_reaches_the_server_and_the_connection_lives_on() -> None:
    """DEVICES C12."""
    resets: list[int] = []

    async def act(peer: Peer) -> None:
        await peer.until(lambda peer: peer.resets)
        resets.extend(peer.resets)

    async with peer_serving(act) as url, connect(url) as connection:
        stream = await connection.request("POST", "/", end=False)
        await stream.send(b"x")
        await stream.reset()
        await connection.ping()
    assert resets == [1]


async def test_goaway_without_error_lets_streams_end_and_forbids_new_ones() -> None:
    """RFC 9113 6.8."""

    async def act(peer: Peer) -> None:
        await peer.request(1)
        peer.go_away()
        peer.answer(1)
        peer.data(1, b"still", end=True)

    async with peer_serving(act) as url, connect(url) as connection:
        stream = await connection.request("GET", "/")
        assert [chunk async for chunk in stream.chunks()] == [b"still"]
        with pytest.raises(ConnectionLostError, match="GOAWAY"):
            await connection.request("GET", "/")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda peer: peer.go_away(11, b"calm down"), "GOAWAY ENHANCE_YOUR_CALM: calm down"),
        (lambda peer: peer.hang_up(), "the server closed the connection"),
        (lambda peer: peer.write(b"\x00\x00\x01\x00\x00\x00\x00\x00\x09x"), "the server broke the protocol"),
    ],
    ids=["goaway", "closed", "protocol"],
)
async def test_the_end_of_the_connection_is_noticed_by_all_who_wait(harm: object, reason: str) -> None:
    """PROTOCOL 2.6."""

    async def act(peer: Peer) -> None:
        await peer.request(1)
        harm(peer)  # type: ignore[operator]

    async with peer_serving(act) as url, connect(url) as connection:
        stream = await connection.request("GET", "/")
        with pytest.raises(ConnectionLostError, match=reason):
            await stream.head()
        assert (await connection.closed()).startswith(reason)
        with pytest.raises(ConnectionLostError):
            await connection.ping()
        with pytest.raises(ConnectionLostError):
            await connection.request("GET", "/")


async def test_who_waits_for_a_ping_learns_of_the_end() -> None:
    """At once, not after the ping's own time."""

    async def act(peer: Peer) -> None:
        await peer.request(1)
        peer.hang_up()

    async with peer_serving(act) as url, connect(url) as connection:
        await connection.request("GET", "/")

        async def ping_on() -> None:
            while True:
                await connection.ping()

        with pytest.raises(ConnectionLostError):
            await ping_on()


async def test_an_error_of_the_block_is_raised_as_it_is() -> None:
    """Not in a group, although a TaskGroup owns the task that reads."""
    async with peer_serving(nothing) as url:
        with pytest.raises(ZeroDivisionError):
            async with connect(url):
                _ = 1 / 0


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://127.0.0.1:1", "connection refused; is the server running"),
        ("ftp://127.0.0.1", "is no address of a server"),
        ("nonsense", "is no address of a server"),
    ],
)
async def test_what_cannot_be_connected_to_is_told_in_a_sentence(url: str, text: str) -> None:
    """The operator gets one clear sentence."""
    with pytest.raises(StartError, match=text):
        async with connect(url):
            pass


async def test_a_certificate_that_is_not_trusted_is_told() -> None:
    """DEVICES C4."""
    async with peer_serving(nothing, tls=server_tls(["h2"])) as url:
        with pytest.raises(StartError, match="certificate is not trusted"):
            async with connect(url):
                pass


async def test_a_server_without_h2_is_told(tmp_path: Path) -> None:
    """PROTOCOL 1.1: HTTP/2 only."""
    ca = tmp_path / "ca.pem"
    _authority()[0].cert_pem.write_to_path(str(ca))
    async with peer_serving(nothing, tls=server_tls(["http/1.1"])) as url:
        with pytest.raises(StartError, match="not h2"):
            async with connect(url, ca_file=ca):
                pass


@pytest.mark.parametrize("text", [None, "no certificate"])
async def test_a_ca_file_that_cannot_be_read_is_told(tmp_path: Path, text: str | None) -> None:
    """Exit code 2 of the command line."""
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(StartError, match="cannot read the CA file"):
        async with connect("https://127.0.0.1:1", ca_file=path):
            pass
