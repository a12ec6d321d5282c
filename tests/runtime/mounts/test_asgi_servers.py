"""Mounts in Starlette, FastAPI and Litestar, under uvicorn, hypercorn and granian: real servers, and real clients."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Iterator
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import connect as stock_connect
from websockets.exceptions import InvalidStatus

from capnweb_runtime import ConnectionRefused, GoingAway, SessionClosed, connect
from tests.runtime.mounts.applications import MEGABYTE
from tests.runtime.mounts.office import OfficeStub
from tests.runtime.mounts.servers import ASGI, Running, running

FRAMEWORKS = ["starlette", "fastapi", "litestar"]


@pytest.fixture(scope="module", params=list(ASGI))
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with running(request.param, ASGI[request.param], FRAMEWORK="starlette") as one:
        yield one


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_calls_chains_callbacks_and_streams(server: Running, framework: str) -> None:
    url = server.url(f"/{framework}/rpc/?floor=1")
    headers = {"X-Agent": "Ada", "Cookie": "a=1; b=2"}
    async with asyncio.timeout(30), connect(url, OfficeStub, headers=headers) as office:
        assert await office.add(1, 2) == 3
        assert await office.next_door().next_door().add(office.add(1, 2), 4) == 7
        assert await office.apply(lambda value: value * 2, 21) == 42
        assert [number async for number in office.count(100)] == list(range(100))
        assert await office.who() == {
            "agent": "Ada",
            "cookies": "a=1; b=2",
            "path": "/",
            "query": "floor=1",
            "client": True,
            "transport": "websocket",
            "found": "by middleware of websocket",
        }


async def test_batches(server: Running, framework: str) -> None:
    url = server.url(f"/{framework}/rpc/?floor=2", "http")
    async with asyncio.timeout(30), connect(url, OfficeStub, headers={"X-Agent": "Ada"}) as office:
        told, total = await asyncio.gather(office.who(), office.next_door().add(office.add(1, 2), 4))
        assert total == 7
        assert told == {
            "agent": "Ada",
            "cookies": None,
            "path": "/",
            "query": "floor=2",
            "client": True,
            "transport": "http",
            "found": "by middleware of http",
        }


async def test_messages_of_20_megabytes_travel_both_ways(server: Running, framework: str) -> None:
    url = server.url(f"/{framework}/rpc/")
    if server.name == "granian":  # takes no frame of more than 16 MiB, but messages of several
        async with asyncio.timeout(60), stock_connect(url, max_size=None) as client:
            await client.send(['["push",["pipeline",0,["echo"],["', *["x" * MEGABYTE] * 20, '"]]]'])
            await client.send('["pull",1]')
            assert await client.recv() == f'["resolve",1,"{"x" * 20 * MEGABYTE}"]'
        return
    for data in ("x" * 20 * MEGABYTE, b"y" * 20 * MEGABYTE):
        async with asyncio.timeout(60), connect(url, OfficeStub) as office:
            assert await office.echo(data) == data


async def test_batches_of_12_megabytes(server: Running) -> None:
    async with asyncio.timeout(60), connect(server.url("/starlette/rpc/", "http"), OfficeStub) as office:
        assert await office.echo("x" * 12 * MEGABYTE) == "x" * 12 * MEGABYTE


async def test_who_is_refused_is_told_the_status_and_the_text(server: Running, framework: str) -> None:
    for scheme in ("ws", "http"):
        with pytest.raises(ConnectionRefused, match=r"Nobody has no office\.") as refused:
            async with connect(
                server.url(f"/{framework}/rpc/", scheme), OfficeStub, headers={"X-Agent": "nobody"}
            ) as office:
                await office.add(1, 2)
        assert refused.value.status == 401
    with pytest.raises(InvalidStatus) as told:
        await stock_connect(server.url(f"/{framework}/rpc/"), additional_headers={"X-Agent": "nobody"})
    assert told.value.response.headers["WWW-Authenticate"] == "Bearer"


async def test_pages_of_other_sites_and_other_names_are_refused(server: Running, framework: str) -> None:
    path = f"/{framework}/rpc/"
    cases = [
        *(
            ({"Origin": page}, 403, f"Origin {page} may not use this server; its mount can")
            for page in server.hostile_origins()
        ),
        ({"Host": "evil.example"}, 421, "Host evil.example is none that this server answers to; its mount can"),
    ]
    async with asyncio.timeout(30), aiohttp.ClientSession() as client:
        for headers, status, text in cases:
            async with client.post(server.url(path, "http"), headers=headers) as answer:
                assert (answer.status, (await answer.text())[: len(text)]) == (status, text)
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect(server.url(path), headers=headers)
            assert refused.value.status == status
        own = {"Origin": server.url("", "http")}
        async with client.post(server.url(path, "http"), headers=own, data=b"") as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, own["Origin"])
        async with client.ws_connect(server.url(path), headers=own):
            pass


async def test_wrong_paths_methods_and_bodies_are_refused_and_the_server_serves_on(
    server: Running, framework: str
) -> None:
    path = f"/{framework}/rpc/"
    async with asyncio.timeout(30), aiohttp.ClientSession(base_url=server.url("", "http")) as client:
        for method, where, status in (
            ("GET", path, 405),
            ("PUT", path, 405),
            ("POST", f"{path}elsewhere", 404),
            ("POST", f"{path}%0d%0aa:b", 404),
        ):
            async with client.request(method, where) as answer:
                assert answer.status == status, (method, where)
        async with client.post(path, data=b"x", headers={"Content-Encoding": "gzip"}) as answer:
            assert answer.status == 415
        async with client.post(path, data=b"no message") as answer:
            assert answer.status == 500
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(f"{path}elsewhere")
        assert refused.value.status == 404
    async with connect(server.url(path), OfficeStub) as office:
        assert await office.add(1, 2) == 3


UPGRADES = [
    (
        b"GET %s HTTP/1.0\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ),
    b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n",
]


@pytest.mark.parametrize("request_", UPGRADES, ids=["http10", "no-key", "other"])
async def test_upgrades_that_are_none_get_no_session_and_the_server_serves_on(server: Running, request_: bytes) -> None:
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request_ % b"/starlette/rpc/")
        line = await reader.readline()
        writer.close()
        if not (b"HTTP/1.0" in request_ and server.name == "uvicorn"):  # it calls every upgrade HTTP/1.1
            assert b" 101 " not in line
        async with connect(server.url("/starlette/rpc/"), OfficeStub) as office:
            assert await office.add(1, 2) == 3


async def test_broken_messages_and_binary_frames_end_the_session_with_an_abort(server: Running) -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession() as client:
        for send in ("no message", b"bytes"):
            async with client.ws_connect(server.url("/starlette/rpc/")) as socket_:
                await (socket_.send_str(send) if isinstance(send, str) else socket_.send_bytes(send))
                assert (await socket_.receive_str()).startswith('["abort",')
                await socket_.receive()
                assert socket_.close_code == 3000


async def test_a_client_that_does_not_read_makes_no_more_answers(server: Running) -> None:
    wanted = 200
    url = server.url("/starlette/rpc/")
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
            assert await other.papers() - before == wanted


async def awaited(promise: Awaitable[Any]) -> Any:
    return await promise


@pytest.mark.parametrize("name", list(ASGI))
async def test_a_call_in_progress_is_answered_when_the_server_is_told_to_stop(name: str, framework: str) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def function(value: int) -> int:
        begun.set()
        await go_on.wait()
        return value * 2

    with running(name, ASGI[name], FRAMEWORK=framework) as server:
        url = server.url(f"/{framework}/rpc/")
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
        await asyncio.to_thread(server.process.wait, 20)


class TestDependenciesOfFastAPI:
    async def test_what_they_find_reaches_the_factory(self, server: Running) -> None:
        for scheme in ("ws", "http"):
            url = server.url("/fastapi/depends", scheme)
            async with asyncio.timeout(30), connect(url, OfficeStub, headers={"X-User": "Ada"}) as office:
                assert (await office.who())["found"] == "Ada"

    async def test_who_they_refuse_gets_no_session(self, server: Running) -> None:
        for scheme, status in (("ws", 403), ("http", 401)):
            with pytest.raises(ConnectionRefused) as refused:
                async with connect(server.url("/fastapi/depends", scheme), OfficeStub) as office:
                    await office.add(1, 2)
            assert refused.value.status == status
