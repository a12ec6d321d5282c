"""The table of docs/mounts.md says of each server what it is seen to do. What takes megabytes or signals is in
tests/runtime/mounts; here it is seen to be the same for all.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as stock_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from capnweb_runtime import connect, deadline, serve
from capnweb_runtime.errors import RpcError, SessionClosed
from capnweb_runtime.limits import DEFAULT_LIMITS
from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from capnweb_runtime.mounts.asgi import CapnwebASGI
from capnweb_runtime.mounts.flask import blueprint
from capnweb_runtime.serving.development_certificate import make_certificate
from tests.project.sources import ROOT
from tests.project.tables import table_of
from tests.runtime.mounts.office import OfficeStub, OfficeTarget
from tests.runtime.mounts.servers import ASGI, SETTINGS, TARGET, Running, running

TABLE = table_of((ROOT / "docs/mounts.md").read_text("utf-8"), "## What each can do")
HOSTS = [*TABLE["WebSocket"]]
YES, NO, NONE = "yes", "no", "–"
WITHOUT_SOCKETS = "gunicorn"

AT_PORTS = {
    "serve": ["tests.runtime.mounts.with_serve", "{port}"],
    **ASGI,
    "aiohttp": ["tests.runtime.mounts.with_aiohttp", "{port}"],
    "gunicorn": ["gunicorn", "tests.runtime.mounts.with_flask:app", "--bind", "127.0.0.1:{port}", "--threads", "4"],
}
AT_FILES = {
    "serve": ["tests.runtime.mounts.with_serve", "{unix}"],
    "uvicorn": ["uvicorn", TARGET, "--uds", "{unix}"],
    "hypercorn": ["hypercorn", TARGET, "--bind", "unix:{unix}", "--config", SETTINGS],
    "granian": ["granian", TARGET, "--interface", "asgi", "--uds", "{unix}"],
    "aiohttp": ["tests.runtime.mounts.with_aiohttp", "{unix}"],
    "gunicorn": ["gunicorn", "tests.runtime.mounts.with_flask:app", "--bind", "unix:{unix}", "--threads", "4"],
}


def name_of(column: str) -> str:
    return column.strip("`")


def path_on(server: Running) -> str:
    return "/starlette/rpc/" if server.name in ASGI else "/rpc"


def schemes_of(server: Running) -> list[str]:
    return ["http"] if server.name == WITHOUT_SOCKETS else ["ws", "http"]


@pytest.fixture(scope="module", params=HOSTS)
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    name = name_of(request.param)
    with running(name, AT_PORTS[name], FRAMEWORK="starlette") as one:
        yield one


@pytest.fixture(scope="module", params=HOSTS)
def at_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    name = name_of(request.param)
    place = tmp_path_factory.mktemp("file") / "app.sock"
    with running(name, AT_FILES[name], unix=place, FRAMEWORK="starlette") as one:
        yield one


def says(row: str, server: Running) -> str:
    """What the table says of a server."""
    return TABLE[row][f"`{server.name}`" if f"`{server.name}`" in HOSTS else server.name]


async def told(server: Running, scheme: str, **headers: str) -> tuple[dict[str, Any], dict[str, Any]]:
    url = server.url(f"{path_on(server)}?floor=1", scheme)
    async with asyncio.timeout(30), connect(url, OfficeStub, headers=headers) as office:
        who, about = await asyncio.gather(office.who(), office.about())
    return who, about


async def test_transports(server: Running) -> None:
    for row, scheme in (("WebSocket", "ws"), ("HTTP batch", "http")):
        try:
            async with asyncio.timeout(30), connect(server.url(path_on(server), scheme), OfficeStub) as office:
                done = YES if await office.add(1, 2) == 3 else NO
        except SessionClosed:
            done = NO
        assert done == says(row, server)


def test_webtransport(tmp_path: Path) -> None:
    ssl = make_certificate(tmp_path).certificate
    both: Any = ["http", "webtransport"]
    mounts: dict[str, Callable[[], object]] = {
        "serve": lambda: serve(OfficeTarget, "127.0.0.1", 0, ssl=ssl, transports=both),
        **dict.fromkeys(ASGI, lambda: CapnwebASGI(OfficeTarget, transports=both)),
        "aiohttp": lambda: CapnwebAiohttp(OfficeTarget, transports=both),
    }
    for column, cell in TABLE["WebTransport"].items():
        if name_of(column) == WITHOUT_SOCKETS:
            with pytest.raises(TypeError, match="transports"):
                blueprint(OfficeTarget, transports=both)  # type: ignore[call-arg]  # there is no such option
            assert cell == NO
            continue
        try:
            mounts[name_of(column)]()
        except ValueError:
            assert cell == NO
        else:
            assert cell == YES


async def test_refusals_of_websockets(server: Running) -> None:
    if server.name == WITHOUT_SOCKETS:
        assert says("who is refused a WebSocket is told", server) == NONE
        return
    with pytest.raises(InvalidStatus) as refused:
        await stock_connect(server.url(path_on(server)), additional_headers={"X-Agent": "nobody"})
    answer = refused.value.response
    assert answer.body is not None
    assert (answer.status_code, answer.body.decode(), answer.headers["WWW-Authenticate"]) == (
        401,
        "Nobody has no office.\n",
        "Bearer",
    )
    assert says("who is refused a WebSocket is told", server) == "status, text, headers"


async def test_callbacks_and_streams(server: Running) -> None:
    row = says("callbacks, streams from the server", server)
    scheme = "http" if server.name == WITHOUT_SOCKETS else "ws"
    async with asyncio.timeout(30), connect(server.url(path_on(server), scheme), OfficeStub) as office:
        if row == YES:
            assert await office.apply(lambda value: value * 2, 21) == 42
            assert [number async for number in office.count(3)] == [0, 1, 2]
        else:
            assert row == NO
            with pytest.raises(RpcError, match="Use a ws:// URL"):
                await office.apply(lambda value: value, 1)


async def test_byte_strings(server: Running) -> None:
    wanted, data = "capnweb-gen.attachments.1", b"x" * 1000  # fewer travel in the text
    if server.name == WITHOUT_SOCKETS:
        assert says("byte strings as they are", server) == NO
        return
    async with asyncio.timeout(30), stock_connect(server.url(path_on(server)), subprotocols=[wanted]) as client:  # type: ignore[list-item]  # a NewType of str
        assert client.subprotocol == wanted
        await client.send(data)
        await client.send('["push",["pipeline",0,["echo"],[["bytes",0]]]]')
        await client.send('["pull",1]')
        assert await client.recv() == data
        assert await client.recv() == '["resolve",1,["bytes",0]]'
    assert says("byte strings as they are", server) == YES


async def test_deadlines(server: Running) -> None:
    for scheme in schemes_of(server):
        async with asyncio.timeout(30), connect(server.url(path_on(server), scheme), OfficeStub) as office:
            with deadline(60):
                assert (await office.about())["hurried"], scheme
    assert says("deadlines and metadata", server) == YES


async def test_what_is_known_of_a_request(server: Running) -> None:
    for scheme in schemes_of(server):
        who, about = await told(server, scheme, **{"X-Agent": "Ada", "Cookie": "a=1; b=2"})
        assert (who["agent"], who["cookies"], who["query"]) == ("Ada", "a=1; b=2", "floor=1")
        assert who["path"] == ("/" if server.name in ASGI else "/rpc")
        assert who["client"]
        kind = {"dict": "the scope" if about["scope"] else "the environ", "NoneType": NONE, "Request": "the `Request`"}
        assert kind[about["request"]] == says("`peer.request`", server)
        assert about["process"] is None
    assert says("`peer.headers`, `cookies`, `path`, `query`", server) == YES
    assert says("`peer.address`", server) == YES


async def test_files_and_processes(at_file: Running) -> None:
    for scheme in schemes_of(at_file):
        who, about = await told(at_file, scheme)
        assert not who["client"]
        known = about["process"] is not None
        assert known == (says("`peer.process`, at a file", at_file) == YES and sys.platform == "linux")
    option = says("a file in place of a port", at_file)
    command = " ".join(AT_FILES[at_file.name])
    assert option.startswith("`")
    assert at_file.name in {"serve", "aiohttp"} or option.strip("`").split()[0] in command


async def test_paths_of_health(server: Running) -> None:
    mount, application = path_on(server).rstrip("/"), ""
    of = {"yes": application, "of the application": application, "below the mount": mount}
    where = of[says("paths of `health=`", server)]
    async with asyncio.timeout(30), aiohttp.ClientSession() as client:
        for path in ("/healthz", "/readyz"):
            async with client.get(server.url(where + path, "http")) as answer:
                assert answer.status == 200
        elsewhere = mount if where == application else application
        async with client.get(server.url(f"{elsewhere}/healthz", "http")) as answer:
            assert answer.status == 404


async def test_preflights(server: Running) -> None:
    own = server.url("", "http")
    asked = {"Origin": own, "Access-Control-Request-Method": "POST"}
    async with asyncio.timeout(30), aiohttp.ClientSession() as client:
        for page, status in ((own, 204), *((page, 403) for page in server.hostile_origins())):
            async with client.options(f"{own}{path_on(server)}", headers=asked | {"Origin": page}) as answer:
                assert (answer.status, answer.headers.get("Access-Control-Allow-Origin")) == (
                    status,
                    page if page == own else None,
                )
    assert says("preflights of browsers (CORS)", server) == YES


async def said(client: ClientConnection, messages: list[str]) -> str | bytes:
    """Sends messages, and gives the answer."""
    for message in messages:
        await client.send(message)
    return await client.recv()


async def test_the_longest_frame(server: Running) -> None:
    row = says("longest frame of a message", server)
    if server.name == WITHOUT_SOCKETS:
        assert row == NONE
        return
    text, most = "x" * 17 * 1024 * 1024, DEFAULT_LIMITS.message_size
    async with (
        asyncio.timeout(60),
        stock_connect(server.url(path_on(server)), max_size=None, compression=None) as client,
    ):
        messages = [f'["push",["pipeline",0,["echo"],["{text}"]]]', '["pull",1]']
        if row == "16 MiB each":
            with pytest.raises(ConnectionClosed) as ended:
                await said(client, messages)
            assert ended.value.rcvd is None or ended.value.rcvd.code == 1005  # none was sent
        else:
            assert await said(client, messages) == f'["resolve",1,"{text}"]'
            assert row == f"{most // 1024 // 1024} MiB"


async def test_what_is_cut_off_costs_nothing(server: Running) -> None:
    """A request, and a message, of which no more than a part has come when the client is gone."""
    head = f"{path_on(server)} HTTP/1.1\r\nHost: localhost\r\n"
    body = f"POST {head}Content-Length: 100\r\n\r\n[".encode()
    upgrade = (
        f"GET {head}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()
    before = len(server.said())
    async with asyncio.timeout(30):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(body)
        await writer.drain()
        writer.close()
        if server.name != WITHOUT_SOCKETS:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(upgrade)
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            writer.write(b"\x81\xe4mask[")  # of a frame of 100 bytes
            writer.close()
        for scheme in schemes_of(server):
            async with connect(server.url(path_on(server), scheme), OfficeStub) as office:
                assert await office.add(1, 2) == 3
    assert "Traceback" not in server.said()[before:]


async def test_upgrades_of_http_1_0(server: Running) -> None:
    if server.name == WITHOUT_SOCKETS:
        assert says("an upgrade of HTTP/1.0", server) == NONE
        return
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            f"GET {path_on(server)} HTTP/1.0\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        line = await reader.readline()
        writer.close()
    taken = "is taken" if b" 101 " in line else "is refused"
    assert taken == says("an upgrade of HTTP/1.0", server)


def test_what_is_said_alike_of_all_that_hold_sockets() -> None:
    """What tests/runtime/mounts shows of each of them."""
    alike = {
        "a client that does not read answers": "is not read from",
        "told to stop: calls in progress": "are answered",
        "told to stop: sessions without calls": "1012",
    }
    for row, cell in alike.items():
        for column, found in TABLE[row].items():
            if name_of(column) == WITHOUT_SOCKETS and row != "told to stop: calls in progress":
                assert found == NONE
            else:
                assert found.partition(",")[0] == cell, (row, column)
