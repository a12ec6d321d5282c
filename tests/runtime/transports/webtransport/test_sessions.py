"""Sessions between our own ends over WebTransport: calls, backpressure, ends, and what a client is refused with."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from capnweb_runtime import Certificate, Peer, Pool, Refuse, connect, serve
from capnweb_runtime.connecting.connect import Connecting
from capnweb_runtime.errors import LimitExceeded, SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.serving.development_certificate import DevelopmentCertificate, make_certificate
from capnweb_runtime.serving.server import Server
from tests.runtime.transports.example_api import Example, ExampleStub


@cache
def certificate() -> DevelopmentCertificate:
    return make_certificate(Path(mkdtemp()))


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate().authority))


def to(url: str, **settings: Any) -> Connecting[ExampleStub]:
    settings = {"ssl": trusting(), **settings}
    opening: Connecting[ExampleStub] = connect(url, ExampleStub, transport="webtransport", **settings)
    return opening


@asynccontextmanager
async def serving(main: Any = lambda peer: Example(), **settings: Any) -> AsyncIterator[Server]:
    transports = settings.pop("transports", ["webtransport"])
    port = settings.pop("port", 0)
    settings |= {"ssl": certificate().certificate, "transports": transports}
    async with serve(main, "127.0.0.1", port, **settings) as server:
        yield server


async def test_calls_callbacks_and_errors() -> None:
    async with serving() as server, to(server.http_url) as api:
        assert await api.add(api.add(1, 2), 3) == 6
        assert await api.apply(lambda x: x * 10, 7) == 70
        with pytest.raises(ValueError, match="no"):
            await api.fail("no")


async def test_beside_the_others_on_one_port() -> None:
    async with serving(path="/rpc", transports=["websocket", "http", "webtransport"]) as server:
        assert server.url == f"wss://127.0.0.1:{server.port}/rpc"
        async with (
            to(server.http_url) as first,
            connect(server.url, ExampleStub, ssl=trusting()) as second,
            connect(server.http_url, ExampleStub, ssl=trusting()) as third,
        ):
            assert [*await asyncio.gather(first.add(1, 1), second.add(2, 2), third.add(3, 3))] == [2, 4, 6]


async def test_nothing_listens_on_tcp_without_a_transport_for_it() -> None:
    async with serving() as server:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.port)


async def test_the_factory_sees_who_asks() -> None:
    peers: list[Peer] = []

    def main(peer: Peer) -> Example:
        peers.append(peer)
        return Example()

    headers = {"Authorization": "Bearer x", "Cookie": "y=z"}
    async with serving(main, path=None) as server, to(f"{server.http_url}a/b?c=d", headers=headers) as api:
        await api.add(1, 2)
    [peer] = peers
    assert (peer.transport, peer.path, peer.query) == ("webtransport", "/a/b", "c=d")
    assert peer.headers["authorization"] == "Bearer x"
    assert peer.headers["Host"] == f"127.0.0.1:{server.port}"
    assert peer.address is not None
    assert peer.address[0] == "127.0.0.1"


@pytest.mark.parametrize("later", [False, True])
async def test_whom_the_factory_refuses_is_told_the_status_and_why(later: bool) -> None:
    def now(peer: Peer) -> Example:
        raise Refuse(401, "no token", {"WWW-Authenticate": "Bearer"})

    async def soon(peer: Peer) -> Example:
        return now(peer)

    async with serving(soon if later else now) as server:
        with pytest.raises(SessionClosed, match=r"answered 401 Unauthorized \(no token\)") as caught:
            await to(server.http_url)
    assert (caught.value.status, caught.value.url) == (401, server.http_url)


async def test_an_async_factory_is_waited_for() -> None:
    async def main(peer: Peer) -> Example:
        await asyncio.sleep(0)
        return Example()

    async with serving(main) as server, to(server.http_url) as api:
        assert await api.add(1, 2) == 3


async def test_a_message_of_megabytes_arrives_both_ways() -> None:
    async with serving() as server, to(server.http_url) as api:
        text = "ä" * 2_000_000
        assert await api.echo(text) == text


async def test_a_message_beyond_the_limit_ends_the_session_and_says_so() -> None:
    async with serving(limits=Limits(message_size=100_000)) as server:
        api = await to(server.http_url)
        with pytest.raises(SessionClosed, match="exceeds maximum size of 100000 bytes"):
            await api.echo("x" * 200_000)
        async with to(server.http_url) as other:
            assert await other.add(1, 2) == 3


async def test_writing_waits_for_a_peer_that_does_not_read() -> None:
    """What a server writes beyond what its peer takes is held in the outbox, which has its bound."""
    async with serving(limits=Limits(outbox_bytes=1_000_000)) as server, to(server.http_url) as api:
        assert await asyncio.gather(*[api.echo("x" * 100_000) for _ in range(40)]) == ["x" * 100_000] * 40


async def test_either_end_learns_when_the_other_goes() -> None:
    closed = asyncio.get_running_loop().create_future()

    def main(peer: Peer) -> Example:
        assert peer.connection is not None
        peer.connection.when_closed(lambda: closed.set_result(None))
        return Example()

    async with serving(main) as server:
        async with to(server.http_url) as api:
            await api.add(1, 2)
        await asyncio.wait_for(closed, 10)
        lasting = to(server.http_url)
        api = await lasting
        closed = asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(api.wait("gate"))
        await api.add(1, 2)
    with pytest.raises(SessionClosed, match="shutting down"):
        await waiting


async def test_nobody_there_is_told_at_once() -> None:
    async with serving() as server:
        url = server.http_url
    with pytest.raises(SessionClosed, match="cannot connect to"):
        await to(url, open_timeout=10)


async def test_a_certificate_that_is_not_trusted_is_refused(tmp_path: Path) -> None:
    other = ssl.create_default_context(cafile=str(make_certificate(tmp_path).authority))
    async with serving() as server:
        for context in (other, None):
            with pytest.raises(SessionClosed, match="certificate"):
                await to(server.http_url, ssl=context, open_timeout=10)
        careless = ssl.create_default_context()
        careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
        async with to(server.http_url, ssl=careless) as api:
            assert await api.add(1, 2) == 3


async def test_urls_and_settings_that_cannot_work_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(ValueError, match="WebTransport needs an https:// URL"):
        await to("http://localhost/")
    half = ssl.create_default_context()
    half.check_hostname = False
    with pytest.raises(ValueError, match="checked with its host, or not at all"):
        await to("https://localhost/", ssl=half)
    other: Any = "websocket"
    for opening in (connect, Pool):
        with pytest.raises(ValueError, match=r"transport has to be .webtransport., or None .* not 'websocket'"):
            opening("ws://localhost/", ExampleStub, transport=other)


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"transports": ["webtransport"]}, ValueError, "needs ssl=Certificate"),
        ({"transports": ["pigeon"]}, ValueError, "not 'pigeon'"),
        ({"transports": []}, ValueError, "not nothing"),
        ({"transports": "websocket"}, TypeError, r'transports=\["websocket"\]'),
    ],
)
def test_a_server_is_asked_for_what_can_be(settings: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        _ = serve(lambda peer: Example(), "127.0.0.1", 0, **settings)


@pytest.mark.parametrize("missing", ["chain", "key"])
def test_a_certificate_that_cannot_be_read_is_told_when_the_server_is_made(missing: str, tmp_path: Path) -> None:
    made = certificate().certificate
    files = {"chain": made.chain, "key": made.key, missing: tmp_path / "none.pem"}
    with pytest.raises(OSError, match=r"none\.pem|No such file"):
        _ = serve(lambda peer: Example(), "127.0.0.1", 0, ssl=Certificate(files["chain"] or "", files["key"]))


async def test_what_is_not_served_is_refused() -> None:
    async with serving(transports=["http"]) as server:
        with pytest.raises(SessionClosed, match=r"501.*does not serve WebSocket"):
            await connect(server.url, ExampleStub, ssl=trusting())


async def test_a_session_gives_way_and_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as server, to(server.http_url) as api:
        await api.add(1, 2)
        [connection] = server._admission.connections
        connection.host.account.end_turn()
        connection.host.line.put_off(lambda: None)
        assert await api.add(1, 2) == 3


class TestLimits:
    async def test_unacknowledged_bytes_pause_writing(self) -> None:
        async with serving() as server, to(server.http_url) as api:
            with pytest.raises(LimitExceeded):
                await asyncio.gather(*[api.echo("x" * 1_000_000) for _ in range(80)])
