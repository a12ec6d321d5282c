"""The client's end of a WebSocket, with the stock server of `websockets` at the other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as stock_serve
from websockets.exceptions import ConnectionClosed

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.transports.websocket_client import open_websocket
from tests.runtime.transports.example_api import Example, ExampleStub

CERTIFICATE = Path(__file__).parents[1] / "localhost.pem"

Handler = Callable[[ServerConnection], Awaitable[None]]


@contextlib.asynccontextmanager
async def stock_server(handler: Handler, **options: Any) -> AsyncIterator[str]:
    async with stock_serve(handler, "127.0.0.1", 0, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"{'wss' if 'ssl' in options else 'ws'}://127.0.0.1:{port}/"


async def opened(url: str, main: Example | None = None, **options: Any) -> Connection:
    connection = Connection(main, limits=options.pop("limits", Limits()))
    settings: dict[str, Any] = {"headers": {}, "ssl": None, "open_timeout": 30.0} | options
    await open_websocket(url, connection, **settings)
    return connection


async def adds(peer: ServerConnection) -> None:
    """A server whose main object has a method that adds."""
    calls: list[int] = []
    with contextlib.suppress(ConnectionClosed):
        async for text in peer:
            message = json.loads(text)
            if message[0] == "push":
                calls.append(sum(message[1][3]))
            elif message[0] == "pull":
                await peer.send(json.dumps(["resolve", message[1], calls[message[1] - 1]]))


async def test_calls_are_made() -> None:
    async with stock_server(adds) as url:
        connection = await opened(url)
        api = connection.main(ExampleStub)
        assert await api.add(1, 2) == 3
        api.dispose()
        await connection.wait_closed()


async def test_a_server_calls_the_clients_main() -> None:
    answers: list[Any] = []

    async def calls(peer: ServerConnection) -> None:
        await peer.send('["push",["pipeline",0,["add"],[1,2]]]')
        await peer.send('["pull",1]')
        answers.append(json.loads(await peer.recv()))

    async with stock_server(calls) as url:
        connection = await opened(url, Example())
        await connection.wait_closed()
    assert answers == [["resolve", 1, 3]]


async def test_headers_are_sent_and_replace_those_of_the_handshake() -> None:
    seen: list[list[str]] = []

    async def look(peer: ServerConnection) -> None:
        assert peer.request is not None
        seen.append([*peer.request.headers.get_all("X-User"), *peer.request.headers.get_all("Host")])

    async with stock_server(look) as url:
        await (await opened(url, headers={"x-user": "alice", "host": "example.org"})).wait_closed()
    assert seen == [["alice", "example.org"]]


async def test_tls_is_verified_unless_trusted() -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(CERTIFICATE)
    async with stock_server(adds, ssl=server_side) as url:
        connection = await opened(url, ssl=ssl.create_default_context(cafile=CERTIFICATE))
        api = connection.main(ExampleStub)
        assert await api.add(1, 2) == 3
        api.dispose()
        await connection.wait_closed()
        with pytest.raises(SessionClosed, match=r"cannot connect to wss://.*certificate verify failed"):
            await opened(url)


async def test_a_servers_close_fails_what_waits_with_its_words() -> None:
    async def closes(peer: ServerConnection) -> None:
        await peer.recv()
        await peer.close(4002, "bye")

    async with stock_server(closes) as url:
        connection = await opened(url)
        api = connection.main(ExampleStub)
        with pytest.raises(SessionClosed) as caught:
            await api.add(1, 2)
        assert str(caught.value) == f"Peer closed WebSocket: 4002 bye ({url})"
        assert (caught.value.url, caught.value.status) == (url, None)
        await connection.wait_closed()


async def test_disposing_the_main_stub_closes_without_an_abort_message() -> None:
    ends: list[Any] = []

    async def watch(peer: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                ends.append(json.loads(await peer.recv()))
        ends.append((peer.close_code, peer.close_reason))

    async with stock_server(watch) as url:
        connection = await opened(url)
        connection.main(ExampleStub).dispose()
        await connection.wait_closed()
    assert ends == [(1000, "RPC session was shut down by disposing the main stub")]


async def test_an_answer_beyond_the_limit_aborts_with_a_reason() -> None:
    ends: list[Any] = []

    async def floods(peer: ServerConnection) -> None:
        await peer.send("x" * 1001)
        with contextlib.suppress(ConnectionClosed):
            while True:
                ends.append(json.loads(await peer.recv())[0])
        ends.append((peer.close_code, peer.close_reason))

    async with stock_server(floods) as url:
        connection = await opened(url, limits=Limits(message_size=1000))
        await connection.wait_closed()
    assert ends == ["abort", (3000, "Incoming message exceeds maximum size of 1000 bytes.")]


async def test_nobody_listening_is_told_with_the_url_but_without_its_password() -> None:
    with pytest.raises(SessionClosed) as caught:
        await opened("ws://user:secret@127.0.0.1:1/rpc")
    assert str(caught.value).startswith("cannot connect to ws://127.0.0.1:1/rpc: ")
    assert isinstance(caught.value.__cause__, OSError)
    assert (caught.value.url, caught.value.status) == ("ws://127.0.0.1:1/rpc", None)


async def test_a_refusal_is_told_with_what_the_server_said() -> None:
    def refuse(peer: ServerConnection, request: Any) -> Any:
        return peer.respond(403, "not you\nfor further reasons\n")

    async with stock_server(adds, process_request=refuse) as url:
        with pytest.raises(SessionClosed) as caught:
            await opened(url)
    assert str(caught.value) == f"cannot connect to {url}: the server answered 403 Forbidden (not you)"
    assert (caught.value.url, caught.value.status) == (url, 403)


async def test_a_server_that_speaks_something_else_is_told() -> None:
    async def mumble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ready\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(mumble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SessionClosed, match="did not receive a valid HTTP response: unsupported protocol"):
            await opened(f"ws://127.0.0.1:{port}/")


async def test_a_server_that_says_nothing_is_given_up() -> None:
    gone = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read()
            writer.close()
            await writer.wait_closed()
        gone.set()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SessionClosed, match=r"cannot connect to ws://.*: no answer within 0.01 s"):
            await opened(f"ws://127.0.0.1:{port}/", open_timeout=0.01)
        await gone.wait()


@pytest.mark.parametrize(
    ("url", "options", "why"),
    [
        ("ws:///x", {}, "hostname isn't provided"),
        ("ws://localhost:99999/", {}, "out of range"),
        ("ws://localhost/", {"headers": {"X": "a\r\nY: b"}}, "invalid X header"),
        ("ws://localhost/", {"ssl": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}, "ssl= is for wss:// URLs"),
    ],
)
async def test_arguments_that_cannot_work_are_refused(url: str, options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        await opened(url, **options)
