"""A mount in an aiohttp application, in a process of its own."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from websockets.asyncio.client import connect as stock_connect

from capnweb_runtime import ConnectionRefused, GoingAway, Peer, SessionClosed, connect
from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from tests.runtime.mounts.office import OfficeStub, OfficeTarget
from tests.runtime.mounts.servers import Running, running
from tests.runtime.serving.test_peers_of_servers import CERTIFICATE, with_certificate

MEGABYTE = 1024 * 1024
PROGRAM = ["tests.runtime.mounts.with_aiohttp", "{port}"]


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("aiohttp", PROGRAM) as one:
        yield one


async def test_calls_chains_callbacks_streams_and_long_messages(server: Running) -> None:
    headers = {"X-Agent": "Ada", "Cookie": "a=1; b=2"}
    async with asyncio.timeout(30), connect(server.url("/rpc?floor=1"), OfficeStub, headers=headers) as office:
        assert await office.next_door().add(office.add(1, 2), 4) == 7
        assert await office.apply(lambda value: value * 2, 21) == 42
        assert [number async for number in office.count(100)] == list(range(100))
        for data in ("x" * 20 * MEGABYTE, b"y" * 20 * MEGABYTE):
            assert await office.echo(data) == data
        told = await office.who()
        assert (told["agent"], told["cookies"], told["path"], told["query"]) == ("Ada", "a=1; b=2", "/rpc", "floor=1")
        assert (told["client"], told["transport"], told["found"]) == (True, "websocket", "by middleware")


async def test_batches(server: Running) -> None:
    async with asyncio.timeout(30), connect(server.url("/rpc", "http"), OfficeStub) as office:
        assert await office.next_door().add(office.add(1, 2), 4) == 7
    async with connect(server.url("/rpc", "http"), OfficeStub) as office:
        assert await office.echo("x" * 12 * MEGABYTE) == "x" * 12 * MEGABYTE


async def test_who_is_refused_is_told_the_status_and_the_text(server: Running) -> None:
    for scheme in ("ws", "http"):
        with pytest.raises(ConnectionRefused, match=r"Nobody has no office\.") as refused:
            async with connect(server.url("/rpc", scheme), OfficeStub, headers={"X-Agent": "nobody"}) as office:
                await office.add(1, 2)
        assert refused.value.status == 401


async def test_what_is_not_for_the_mount_gets_its_status_and_the_server_serves_on(server: Running) -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession(base_url=server.url("", "http")) as client:
        for method, where, headers, status in (
            ("GET", "/rpc", {}, 405),
            ("POST", "/elsewhere", {}, 404),
            *(("POST", "/rpc", {"Origin": page}, 403) for page in server.hostile_origins()),
            ("POST", "/rpc", {"Host": "evil.example"}, 421),
            ("POST", "/rpc", {"Content-Encoding": "gzip"}, 415),
            ("GET", "/rpc", {"Upgrade": "websocket", "Connection": "Upgrade"}, 400),
            ("POST", "/rpc", {}, 200),
        ):
            async with client.request(method, where, headers=headers) as answer:
                assert answer.status == status, (method, where, headers)
        hostile = [({"Origin": page}, 403) for page in server.hostile_origins()]
        for headers, status in (*hostile, ({"Host": "evil.example"}, 421)):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect("/rpc", headers=headers)
            assert refused.value.status == status
        for send in ("no message", b"bytes"):
            async with client.ws_connect("/rpc") as websocket:
                await (websocket.send_str(send) if isinstance(send, str) else websocket.send_bytes(send))
                assert (await websocket.receive_str()).startswith('["abort",')
                await websocket.receive()
                assert websocket.close_code == 3000
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            b"GET /rpc HTTP/1.0\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert b" 400 " in await reader.readline()
        writer.close()


@pytest.mark.parametrize("more", [0, 1, 100])
async def test_a_session_that_is_aborted_waits_for_the_client_to_close(more: int) -> None:
    """Else what the client has sent meanwhile would have the system drop what it was told."""
    rpc = CapnwebAiohttp(OfficeTarget)
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def handle(request: web.Request) -> web.StreamResponse:
        answer = await rpc.handle(request)
        assert isinstance(answer, web.WebSocketResponse)
        codes.put_nowait(answer.close_code)
        return answer

    app = web.Application()
    app.router.add_get("/rpc", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    url = f"ws://127.0.0.1:{listening.getsockname()[1]}/rpc"
    async with asyncio.timeout(30), stock_connect(url) as client:
        await client.send("no message")
        for _ in range(more):
            await client.send("x" * 1000)
        assert str(await client.recv()).startswith('["abort",')
        await client.wait_closed()
        assert (client.close_code, await codes.get()) == (3000, 3000)
    await runner.cleanup()


@asynccontextmanager
async def serving(
    rpc: CapnwebAiohttp, *middlewares: Any, ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serves a mount in this process; gives the port."""
    app = web.Application(middlewares=middlewares)
    rpc.add_to(app, "/rpc")
    runner = web.AppRunner(app)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening, ssl_context=ssl_context).start()
    try:
        yield listening.getsockname()[1]
    finally:
        await runner.cleanup()


class TestPeers:
    @pytest.mark.parametrize("scheme", ["wss", "https"])
    async def test_the_certificate_of_the_client_is_known(self, scheme: str) -> None:
        peers: list[Peer] = []

        def office(peer: Peer) -> OfficeTarget:
            peers.append(peer)
            return OfficeTarget(peer)

        trusting = ssl.create_default_context(cafile=CERTIFICATE)
        trusting.load_cert_chain(CERTIFICATE)
        async with (
            asyncio.timeout(30),
            serving(CapnwebAiohttp(office), ssl_context=with_certificate()) as port,
            connect(f"{scheme}://localhost:{port}/rpc", OfficeStub, ssl=trusting) as api,
        ):
            assert await api.add(1, 2) == 3
        (peer,) = peers
        assert peer.scheme == "https"
        assert peer.certificate is not None
        assert peer.certificate["subject"] == ((("commonName", "localhost"),),)

    @pytest.mark.parametrize("scheme", ["ws", "http"])
    async def test_a_middleware_that_knows_the_proxy_says_who_asks(self, scheme: str) -> None:
        peers: list[Peer] = []

        def office(peer: Peer) -> OfficeTarget:
            peers.append(peer)
            return OfficeTarget(peer)

        @web.middleware
        async def proxied(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            return await handler(request.clone(remote="192.0.2.7", scheme="https"))

        async with (
            asyncio.timeout(30),
            serving(CapnwebAiohttp(office), proxied) as port,
            connect(f"{scheme}://127.0.0.1:{port}/rpc", OfficeStub) as api,
        ):
            assert await api.add(1, 2) == 3
        (peer,) = peers
        assert (peer.address, peer.scheme) == (("192.0.2.7", 0), "https")


async def test_a_client_that_answers_no_pings_is_lost() -> None:
    ended = asyncio.Event()

    class Office(OfficeTarget):
        def dispose(self) -> None:
            ended.set()

    async with asyncio.timeout(30), serving(CapnwebAiohttp(Office, keepalive=0.05)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /rpc HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert b" 101 " in await reader.readline()
        await ended.wait()
        writer.close()


async def test_a_client_that_does_not_read_makes_no_more_answers(server: Running) -> None:
    wanted = 200
    url = server.url("/rpc")
    async with asyncio.timeout(60), connect(url, OfficeStub) as other:
        before = await other.papers()
        room = socket.socket()  # else the system holds tens of megabytes
        room.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        room.connect(("127.0.0.1", server.port))
        room.setblocking(False)
        async with stock_connect(url, max_queue=1, max_size=None, compression=None, sock=room) as slow:
            for number in range(1, wanted + 1):
                await slow.send(f'["push",["pipeline",0,["paper"],[{MEGABYTE // 2}]]]')
                await slow.send(f'["pull",{number}]')
            for _ in range(100):
                await other.add(1, 2)
            assert await other.papers() - before < wanted // 2
            for number in range(1, wanted + 1):
                assert str(await slow.recv()).startswith(f'["resolve",{number},"xxx')


async def awaited(promise: Awaitable[Any]) -> Any:
    return await promise


async def test_a_call_in_progress_is_answered_when_the_server_is_told_to_stop() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def function(value: int) -> int:
        begun.set()
        await go_on.wait()
        return value * 2

    with running("aiohttp", PROGRAM) as server:
        url = server.url("/rpc")
        async with asyncio.timeout(30), connect(url, OfficeStub) as busy, connect(url, OfficeStub) as idle:
            await idle.add(1, 2)
            call = asyncio.create_task(awaited(busy.apply(function, 21)))
            await begun.wait()
            told = asyncio.get_running_loop().create_future()
            idle.on_broken(told.set_result)
            server.stop()
            error = await told
            assert type(error) is GoingAway, server.said()
            assert error.code == 1012
            go_on.set()
            assert await call == 42
            with pytest.raises(SessionClosed):
                await busy.add(1, 2)
        assert await asyncio.to_thread(server.process.wait, 20) == 0


def test_what_cannot_be_served_is_said_at_once() -> None:
    with pytest.raises(ValueError, match='transports has to be of "websocket" and "http"'):
        CapnwebAiohttp(OfficeTarget, transports=["webtransport"])
    with pytest.raises(TypeError, match="origins takes several"):
        CapnwebAiohttp(OfficeTarget, origins="https://app.example")
