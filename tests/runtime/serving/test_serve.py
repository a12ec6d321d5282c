"""Servers, with the stock WebSocket client, aiohttp's client or a bare socket at the other end."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import json
import logging
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as stock_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from capnweb_runtime.limits import Limits
from capnweb_runtime.serving.peer import Peer
from capnweb_runtime.serving.serve import serve
from capnweb_runtime.serving.server import Server
from tests.runtime.serving.test_first_request import FakeTransport
from tests.runtime.transports.example_api import Example, Gates

CERTIFICATE = Path(__file__).parents[1] / "localhost.pem"


def push(name: str, *args: Any) -> str:
    return json.dumps(["push", ["pipeline", 0, [name], list(args)]])


def pull(number: int) -> str:
    return json.dumps(["pull", number])


async def ask(peer: ClientConnection, number: int, name: str, *args: Any) -> Any:
    await peer.send(push(name, *args))
    await peer.send(pull(number))
    return json.loads(await peer.recv())


async def batch(url: str, *lines: str, **options: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.post(url, data="\n".join(lines), **options) as response:
        return response.status, await response.text()


async def until_closed(peer: ClientConnection) -> tuple[list[Any], int | None, str | None]:
    messages: list[Any] = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            messages.append(json.loads(await peer.recv()))
    return messages, peer.close_code, peer.close_reason


async def refused(url: str, **options: Any) -> tuple[int, str]:
    """Status and text with which a WebSocket is refused."""
    with pytest.raises(InvalidStatus) as caught:
        await stock_connect(url, **options)
    return caught.value.response.status_code, bytes(caught.value.response.body).decode()


class TestOnePort:
    async def test_websockets_and_batches_share_port_and_path(self) -> None:
        async with serve(Example, "127.0.0.1", 0, path="/rpc") as server:
            assert server.url == f"ws://127.0.0.1:{server.port}/rpc"
            assert server.http_url == f"http://127.0.0.1:{server.port}/rpc"
            async with stock_connect(server.url) as peer:
                assert await ask(peer, 1, "add", 1, 2) == ["resolve", 1, 3]
                assert await batch(server.http_url, push("add", 3, 4), pull(1)) == (200, '["resolve",1,7]')
                assert await ask(peer, 2, "add", 5, 6) == ["resolve", 2, 11]

    async def test_a_connection_carries_several_batches(self) -> None:
        peers: list[Peer] = []

        def main(peer: Peer) -> Example:
            peers.append(peer)
            return Example()

        async with serve(main, "127.0.0.1", 0) as server, aiohttp.ClientSession() as client:
            for _ in range(3):
                async with client.post(server.http_url, data=push("add", 1, 2) + "\n" + pull(1)) as response:
                    assert await response.text() == '["resolve",1,3]'
        assert len({peer.address for peer in peers}) == 1
        assert len(peers) == 3

    async def test_requests_split_into_bytes_are_understood(self) -> None:
        body = (push("add", 1, 2) + "\n" + pull(1)).encode()
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        async with serve(Example, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            for byte in head.encode() + body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0)
            assert (await reader.read()).endswith(b'\r\n\r\n["resolve",1,3]')
            writer.close()

    async def test_a_malformed_request_is_answered_with_400(self) -> None:
        async with serve(Example, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"what is this?\r\n\r\n")
            assert b" 400 " in await reader.readline()
            writer.close()

    async def test_methods_other_than_post_are_refused(self) -> None:
        async with (
            serve(Example, "127.0.0.1", 0) as server,
            aiohttp.ClientSession() as client,
            client.get(server.http_url) as response,
        ):
            assert (response.status, await response.read()) == (405, b"")

    async def test_tls_covers_both(self) -> None:
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_side.load_cert_chain(CERTIFICATE)
        trust = ssl.create_default_context(cafile=CERTIFICATE)
        async with serve(Example, "localhost", 0, ssl=server_side) as server:
            assert server.url.startswith("wss://localhost:")
            assert server.http_url.startswith("https://localhost:")
            async with stock_connect(server.url, ssl=trust) as peer:
                assert await ask(peer, 1, "add", 1, 2) == ["resolve", 1, 3]
                await peer.send("{")
                messages, code, _ = await until_closed(peer)
                assert (messages[0][0], code) == ("abort", 3000)
            assert await batch(server.http_url, push("add", 1, 2), pull(1), ssl=trust) == (200, '["resolve",1,3]')

    def test_a_server_of_websockets_never_imports_aiohttp(self) -> None:
        program = """
import asyncio, sys
from capnweb_runtime.connecting.connect import connect
from capnweb_runtime.serving.serve import serve
from tests.runtime.transports.example_api import Example, ExampleStub

async def main() -> None:
    async with serve(Example, "127.0.0.1", 0) as server, connect(server.url, ExampleStub) as api:
        print(await api.add(1, 2), "aiohttp" in sys.modules)

asyncio.run(main())
"""
        root = Path(__file__).parents[3]
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.stdout, done.stderr) == ("3 False\n", "")


class TestSessions:
    async def test_each_session_has_a_main_object_of_its_own_made_from_its_peer(self) -> None:
        peers: list[Peer] = []

        def main(peer: Peer) -> Example:
            peers.append(peer)
            return Example(peer)

        async with serve(main, "127.0.0.1", 0, path=None) as server:
            url = f"ws://127.0.0.1:{server.port}/a?token=1"
            async with (
                stock_connect(url, additional_headers={"X-User": "alice"}) as first,
                stock_connect(url) as second,
            ):
                await ask(first, 1, "add", 1, 2)
                await ask(second, 1, "add", 1, 2)
            await batch(f"http://127.0.0.1:{server.port}/b?token=2")
        assert [(peer.path, peer.query, peer.transport) for peer in peers] == [
            ("/a", "token=1", "websocket"),
            ("/a", "token=1", "websocket"),
            ("/b", "token=2", "http"),
        ]
        assert [peer.headers.get("X-User") for peer in peers] == ["alice", None, None]
        assert all(peer.address is not None and peer.address[0] == "127.0.0.1" for peer in peers)

    async def test_what_the_factory_sets_in_its_context_its_own_calls_see(self) -> None:
        user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")

        class WhoAmI(Example):
            def task_name(self) -> str:
                return user.get()

        def main(peer: Peer) -> Example:
            if "X-User" in peer.headers:
                user.set(peer.headers["X-User"])
            return WhoAmI(peer)

        async with (
            serve(main, "127.0.0.1", 0) as server,
            stock_connect(server.url, additional_headers={"X-User": "alice"}) as alice,
            stock_connect(server.url) as stranger,
        ):
            assert await ask(alice, 1, "taskName") == ["resolve", 1, "alice"]
            assert await ask(stranger, 1, "taskName") == ["resolve", 1, "nobody"]

    async def test_one_sessions_abort_leaves_the_others_alone(self) -> None:
        async with (
            serve(Example, "127.0.0.1", 0, limits=Limits(message_size=1000)) as server,
            contextlib.AsyncExitStack() as stack,
        ):
            peers = [await stack.enter_async_context(stock_connect(server.url)) for _ in range(6)]
            messages: list[str | bytes] = ["{", b"binary", "x" * 1001, '["pull",5]']
            for bad, message in zip(peers, messages, strict=False):
                await bad.send(message)
                assert (await until_closed(bad))[1] == 3000
            for good in peers[4:]:
                assert await ask(good, 1, "add", 1, 2) == ["resolve", 1, 3]

    async def test_a_batchs_size_is_limited_as_a_messages_is(self) -> None:
        async with serve(Example, "127.0.0.1", 0, limits=Limits(message_size=100)) as server:
            status, text = await batch(server.http_url, push("echo", "x" * 100), pull(1))
            assert status == 413
            assert "100 bytes" in text


class TestRefusals:
    async def test_other_paths_are_not_found(self) -> None:
        async with serve(Example, "127.0.0.1", 0, path="/rpc") as server:
            for path in ("/", "/rpc/", "/RPC", "/rpc2"):
                assert await refused(f"ws://127.0.0.1:{server.port}{path}") == (404, f"Nothing is served at {path}.\n")
                assert (await batch(f"http://127.0.0.1:{server.port}{path}"))[0] == 404

    @pytest.mark.parametrize(
        "head",
        [
            b"POST / HTTP/1.1\r\n",
            b"GET / HTTP/1.0\r\n",
            b"GET / HTTP/9\r\n",
            b"GET  / HTTP/1.1\r\n",
            b"GET /\xff\x01 HTTP/1.1\r\n",
            b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n",
            b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n",
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000,
            b"GET / HTTP/1.1\r\nX\r\n",
            b"GET / HTTP/1.1\r\nX: a\x00b\r\n",
            b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 99\r\n",
            b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n",
            b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nConnection: ,\x22\r\n",
        ],
        ids=lambda sent: sent[:50].decode("ascii", "replace"),
    )
    async def test_what_is_no_handshake_is_answered_and_not_logged(
        self, head: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with asyncio.timeout(60), serve(Example, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(head + b"Upgrade: websocket\r\n\r\n")
            writer.write_eof()
            answer = await reader.read()
            writer.close()
        assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505 "))
        assert [record.getMessage() for record in caplog.records if "serving ws" not in record.getMessage()] == []

    @pytest.mark.parametrize("target", ["http://{}/rpc", "HTTP://{}/rpc?x=1", "/rpc"])
    async def test_the_absolute_form_of_a_target_is_understood(self, target: str) -> None:
        body = push("add", 1, 2) + "\n" + pull(1)
        async with serve(Example, "127.0.0.1", 0, path="/rpc") as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            line = f"POST {target.format(f'127.0.0.1:{server.port}')} HTTP/1.1\r\n"
            writer.write(
                f"{line}Host: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            assert (await reader.read()).endswith(b'\r\n\r\n["resolve",1,3]')
            writer.close()

    async def test_a_query_is_no_part_of_the_path(self) -> None:
        async with (
            serve(Example, "127.0.0.1", 0, path="/rpc") as server,
            stock_connect(server.url + "?x=1") as peer,
        ):
            assert await ask(peer, 1, "add", 1, 2) == ["resolve", 1, 3]

    async def test_pages_of_other_sites_may_not_connect(self) -> None:
        made: list[Peer] = []

        def main(peer: Peer) -> Example:
            made.append(peer)
            return Example(peer)

        async with serve(main, "127.0.0.1", 0) as server:
            status, text = await refused(server.url, origin="https://evil.example")
            assert (status, "origins=" in text) == (403, True)
            headers = {"Origin": "https://evil.example"}
            assert (await batch(server.http_url, push("add", 1, 2), headers=headers))[0] == 403
        assert made == []

    @pytest.mark.parametrize(
        "origins", [["https://app.example"], ["*"], ["https://other.example", "https://app.example"]]
    )
    async def test_pages_of_allowed_sites_may_connect(self, origins: list[str]) -> None:
        async with (
            serve(Example, "127.0.0.1", 0, origins=origins) as server,
            stock_connect(server.url, origin="https://app.example") as peer,  # type: ignore[arg-type]
        ):
            assert await ask(peer, 1, "add", 1, 2) == ["resolve", 1, 3]

    async def test_pages_of_the_server_itself_may_connect(self) -> None:
        async with serve(Example, "127.0.0.1", 0, origins=["https://app.example"]) as server:
            origin: Any = f"http://127.0.0.1:{server.port}"
            async with stock_connect(server.url, origin=origin) as peer:
                assert await ask(peer, 1, "add", 1, 2) == ["resolve", 1, 3]

    async def test_a_factory_that_raises_refuses_its_session_only(self, caplog: pytest.LogCaptureFixture) -> None:
        def main(peer: Peer) -> Example:
            if "X-Bad" in peer.headers:
                raise ValueError("no main for you")
            return Example(peer)

        bad = {"X-Bad": "1"}
        async with serve(main, "127.0.0.1", 0) as server, stock_connect(server.url) as good:
            status, text = await refused(server.url, additional_headers=bad)
            assert status == 500
            assert "no main for you" not in text
            assert (await batch(server.http_url, headers=bad))[0] == 500
            assert await ask(good, 1, "add", 1, 2) == ["resolve", 1, 3]
        assert caplog.text.count("ValueError: no main for you") == 2
        assert "Traceback" in caplog.text

    @pytest.mark.parametrize("kind", ["sync", "async"])
    async def test_a_factory_that_gives_no_target_is_told_what_to_do(
        self, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def asynchronous(peer: Peer) -> str:
            return "text"

        factory: Any = asynchronous if kind == "async" else lambda peer: "text"
        async with serve(factory, "127.0.0.1", 0) as server:
            assert (await refused(server.url))[0] == 500
        assert "serve() needs a factory that returns a target" in caplog.text

    async def test_a_head_that_does_not_come_is_given_up(self) -> None:
        # Long enough for what is sent to be read: bytes that were not reset the connection, and the answer is lost.
        async with serve(Example, "127.0.0.1", 0, request_timeout=0.3) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET / HTTP/1.1\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
            writer.close()

    async def test_a_head_without_end_is_refused(self) -> None:
        async with serve(Example, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000)
            with contextlib.suppress(ConnectionError):  # bytes that it did not read may reset the connection
                assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
            writer.close()

    def test_arguments_that_cannot_work_are_refused(self) -> None:
        with pytest.raises(TypeError, match=r'origins=\["https://app.example"\]'):
            _ = serve(Example, "127.0.0.1", 0, origins="https://app.example")
        with pytest.raises(ValueError, match='path="/rpc"'):
            _ = serve(Example, "127.0.0.1", 0, path="rpc")


@contextlib.asynccontextmanager
async def waiting(*, over: str = "websocket") -> AsyncIterator[tuple[Server, Gates, asyncio.Task[Any]]]:
    """A server with one call in progress, and the task that waits for its answer."""
    gates = Gates()
    server = await serve(lambda peer: Example(peer, gates), "127.0.0.1", 0)

    async def call() -> Any:
        if over == "http":
            return await batch(server.http_url, push("wait", "gate"), pull(1))
        async with stock_connect(server.url) as peer:
            await peer.send(push("wait", "gate"))
            await peer.send(pull(1))
            return await until_closed(peer)

    task = asyncio.create_task(call())
    await gates.come("gate").wait()
    yield server, gates, task
    await server.close()


SHUTDOWN = "The server is shutting down."


class TestEnd:
    async def test_closing_ends_sessions_and_their_calls(self, caplog: pytest.LogCaptureFixture) -> None:
        async with waiting() as (server, _, task):
            await server.close()
            messages, code, reason = await task
            assert messages == []
            assert (code, reason) == (1012, SHUTDOWN)
            await server.wait_closed()
            assert caplog.text == ""
            with pytest.raises(OSError, match=r"Connect call failed|Connection refused"):
                await stock_connect(server.url)

    async def test_closing_fails_batches_in_progress(self) -> None:
        async with waiting(over="http") as (server, _, task):
            await server.close()
            assert await task == (503, f"{SHUTDOWN}\n")

    async def test_closing_drops_connections_that_have_asked_nothing(self) -> None:
        server = await serve(Example, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET")
        async with stock_connect(server.url) as peer:  # by now the server has accepted both
            await ask(peer, 1, "add", 1, 2)
            await server.close()
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()

    async def test_a_connection_that_was_accepted_before_closing_and_comes_after_it_is_dropped(self) -> None:
        server = await serve(Example, "127.0.0.1", 0)
        await server.close()
        late = server._first_request()
        transport = FakeTransport()
        late.connection_made(transport)
        assert transport.closed == "aborted"
        late.connection_lost(None)
        assert not server._sockets

    async def test_closing_twice_is_closing_once(self) -> None:
        server = await serve(Example, "127.0.0.1", 0)
        await asyncio.gather(server.close(), server.close())
        await server.close()
        await server.wait_closed()

    async def test_closing_lets_async_disposers_end(self) -> None:
        ended: list[str] = []
        begun, gate = asyncio.Event(), asyncio.Event()

        class Releasing(Example):
            async def dispose(self) -> None:
                begun.set()
                await gate.wait()
                ended.append("released")

        async with serve(Releasing, "127.0.0.1", 0) as server, stock_connect(server.url) as peer:
            assert await ask(peer, 1, "add", 1, 2) == ["resolve", 1, 3]
            closing = asyncio.create_task(server.close())
            await begun.wait()
            await until_closed(peer)
            assert not closing.done()
            gate.set()
            await asyncio.wait_for(closing, 10)
        assert ended == ["released"]

    async def test_closing_gives_up_disposers_that_take_too_long(self, caplog: pytest.LogCaptureFixture) -> None:
        ended: list[str] = []

        class Stuck(Example):
            async def dispose(self) -> None:
                try:
                    await asyncio.Event().wait()
                finally:
                    ended.append("cancelled")

        async with serve(Stuck, "127.0.0.1", 0, close_timeout=0.01) as server, stock_connect(server.url) as peer:
            assert await ask(peer, 1, "add", 1, 2) == ["resolve", 1, 3]
            await asyncio.wait_for(server.close(), 10)
            await asyncio.sleep(0)
        assert ended == ["cancelled"]
        assert "giving up disposers" in caplog.text

    async def test_leaving_the_block_closes(self) -> None:
        async with serve(Example, "127.0.0.1", 0) as server:
            waiter = asyncio.ensure_future(server.wait_closed())
        await waiter

    @pytest.mark.parametrize("over", ["websocket", "http"])
    async def test_draining_waits_for_calls_and_answers_them(self, over: str) -> None:
        async with waiting(over=over) as (server, gates, task):
            draining = asyncio.create_task(server.drain())
            with pytest.raises((OSError, InvalidStatus)):
                await stock_connect(server.url)
            assert not draining.done()
            gates.open("gate").set()
            await draining
            if over == "http":
                assert await task == (200, '["resolve",1,"gate"]')
            else:
                messages, code, reason = await task
                assert messages == [["resolve", 1, "gate"]]
                assert (code, reason) == (1012, SHUTDOWN)

    async def test_draining_waits_for_calls_that_nobody_waits_for(self) -> None:
        gates, ended = Gates(), asyncio.Event()

        class Slow(Example):
            async def wait(self, gate: str) -> str:
                await super().wait(gate)
                ended.set()
                return gate

        server = await serve(lambda peer: Slow(peer, gates), "127.0.0.1", 0)
        async with stock_connect(server.url) as peer:
            await peer.send(push("wait", "gate"))
            await gates.come("gate").wait()
            draining = asyncio.create_task(server.drain())
            await ask(peer, 2, "add", 1, 2)
            assert not draining.done()
            gates.open("gate").set()
            await draining
            assert ended.is_set()

    async def test_draining_gives_up_after_its_time(self, caplog: pytest.LogCaptureFixture) -> None:
        async with waiting() as (server, _, task):
            await server.drain(timeout=0)
            assert await task == ([], 1012, SHUTDOWN)
        assert "1 calls in progress" in caplog.text

    async def test_draining_refuses_batches_on_open_connections(self) -> None:
        async with waiting() as (server, gates, task):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            request = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
            writer.write(request)
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            draining = asyncio.create_task(server.drain())
            await asyncio.sleep(0)
            writer.write(request)
            assert b" 503 " in await reader.readuntil(b"\r\n\r\n")
            gates.open("gate").set()
            await asyncio.gather(draining, task)
            writer.close()

    async def test_a_call_may_close_the_server(self) -> None:
        servers: list[Server] = []

        class Closing(Example):
            async def wait(self, gate: str) -> str:
                await servers[0].close()
                return gate

        servers.append(await serve(Closing, "127.0.0.1", 0))
        async with stock_connect(servers[0].url) as peer:
            await peer.send(push("wait", "gate"))
            assert (await until_closed(peer))[1] == 1012
        await servers[0].wait_closed()

    @pytest.mark.parametrize(
        ("host", "prefix"), [(None, "ws://localhost:"), ("0.0.0.0", "ws://127.0.0.1:"), ("::1", "ws://[::1]:")]
    )
    async def test_urls_name_a_host_that_can_be_connected_to(self, host: str | None, prefix: str) -> None:
        async with serve(Example, host, 0) as server:
            assert server.url.startswith(prefix)
            async with stock_connect(server.url) as peer:
                assert await ask(peer, 1, "add", 1, 2) == ["resolve", 1, 3]
