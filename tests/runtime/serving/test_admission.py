"""Factories that wait, refuse, or take too long, over both transports."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from typing import Any

import pytest
from websockets.asyncio.client import connect as stock_connect

from capnweb_runtime.connecting.connect import connect
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.observe import Observer
from capnweb_runtime.serving.peer import Peer, Refuse
from capnweb_runtime.serving.serve import serve
from capnweb_runtime.serving.server import Server
from capnweb_runtime.serving.websocket_server import HELD_BYTES
from tests.runtime.serving.test_serve import ask, batch, pull, push, refused
from tests.runtime.transports.example_api import Example, ExampleStub

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
EMPTY_BATCH = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
NOT_ALLOWED = "Origin https://evil.example may not use this server; its serve() call can allow it with origins=[...]."
_KEY = b"\x11\x92\x33\xf4"
OVER = pytest.mark.parametrize("over", ["websocket", "http"])


def text_frame(text: str) -> bytes:
    """A masked frame with the text, at least 126 and fewer than 65,536 bytes long, or fewer than 126."""
    payload = text.encode()
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    return b"\x81" + length + _KEY + bytes(byte ^ _KEY[index % 4] for index, byte in enumerate(payload))


def url_of(server: Server, over: str) -> str:
    return server.url if over == "websocket" else server.http_url


class Door:
    """An async factory that keeps peers waiting until it is opened."""

    def __init__(self) -> None:
        self.come = asyncio.Event()
        self.open = asyncio.Event()
        self.ended: list[str] = []
        self.gone = asyncio.Event()
        self.disposed: list[bool] = []

    async def __call__(self, peer: Peer) -> Example:
        self.come.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        finally:
            self.gone.set()
        return Watched(self, peer)


class Watched(Example):
    def __init__(self, door: Door, peer: Peer) -> None:
        super().__init__(peer)
        self.door = door

    def dispose(self) -> None:
        self.door.disposed.append(True)


class TestAsyncFactories:
    @OVER
    async def test_a_session_begins_once_its_factory_is_done(self, over: str) -> None:
        door = Door()

        async def call(server: Server) -> int:
            async with connect(url_of(server, over), ExampleStub) as api:
                return await api.add(1, 2)

        async with asyncio.timeout(60), serve(door, "127.0.0.1", 0) as server:
            calling = asyncio.create_task(call(server))
            await door.come.wait()
            assert not calling.done()
            door.open.set()
            assert await calling == 3

    @OVER
    async def test_what_one_sets_in_its_context_its_own_calls_see(self, over: str) -> None:
        user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")

        class WhoAmI(Example):
            def task_name(self) -> str:
                return user.get()

        async def main(peer: Peer) -> Example:
            user.set(peer.headers.get("X-User", "a stranger"))
            await asyncio.sleep(0)
            user.set(user.get() + "!")
            return WhoAmI(peer)

        async with asyncio.timeout(60), serve(main, "127.0.0.1", 0) as server:
            for headers, name in (({"X-User": "alice"}, "alice!"), ({}, "a stranger!")):
                async with connect(url_of(server, over), ExampleStub, headers=headers) as api:
                    assert await api.task_name() == name
        assert user.get() == "nobody"

    async def test_it_is_so_whatever_makes_the_programs_tasks(self) -> None:
        user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")

        def task_factory(loop: Any, coroutine: Any, context: Any = None, **options: Any) -> Any:
            return asyncio.Task(coroutine, loop=loop)  # and with that, in a Context of its own

        async def main(peer: Peer) -> Example:
            await asyncio.sleep(0)
            user.set("alice")

            class WhoAmI(Example):
                def task_name(self) -> str:
                    return user.get()

            return WhoAmI(peer)

        async with asyncio.timeout(60), serve(main, "127.0.0.1", 0) as server:
            asyncio.get_running_loop().set_task_factory(task_factory)
            async with connect(server.url, ExampleStub) as api:
                assert await api.task_name() == "alice"
            asyncio.get_running_loop().set_task_factory(None)

    async def test_messages_that_come_before_the_answer_wait_for_it(self) -> None:
        door = Door()
        async with asyncio.timeout(60), serve(door, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(UPGRADE + text_frame(push("add", 1, 2)))
            await door.come.wait()
            writer.write(text_frame(pull(1)))
            await writer.drain()
            door.open.set()
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            answer = b'["resolve",1,3]'
            assert await reader.readexactly(2 + len(answer)) == b"\x81" + bytes((len(answer),)) + answer
            writer.close()

    async def test_no_more_of_them_is_read_than_a_bound_allows(self) -> None:
        door = Door()
        count, size = 40, 60_000
        async with asyncio.timeout(60), serve(door, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(UPGRADE)
            await door.come.wait()
            for _ in range(count):
                writer.write(text_frame(push("echo", "x" * size)))
            writer.write(text_frame(pull(count)))
            [socket] = server._sockets
            held: bytearray = getattr(socket, "_held")  # noqa: B009  (of WebSocketServer alone)
            for _ in iter(lambda: len(held) > HELD_BYTES, True):
                await asyncio.sleep(0)
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(held) < HELD_BYTES + 512 * 1024  # what one read may bring
            door.open.set()
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            assert len(await reader.readexactly(size)) == size
            writer.close()

    @OVER
    async def test_a_client_that_goes_away_cancels_its_factory(self, over: str) -> None:
        door = Door()
        async with asyncio.timeout(60), serve(door, "127.0.0.1", 0, request_timeout=3600) as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(UPGRADE if over == "websocket" else EMPTY_BATCH)
            await door.come.wait()
            writer.close()
            await door.gone.wait()
        assert door.ended == ["cancelled"]

    @OVER
    async def test_closing_ends_factories_that_wait(self, over: str, caplog: pytest.LogCaptureFixture) -> None:
        door = Door()
        async with asyncio.timeout(60), serve(door, "127.0.0.1", 0) as server:
            if over == "websocket":
                client = asyncio.create_task(refused(server.url))
            else:
                client = asyncio.create_task(batch(server.http_url))
            await door.come.wait()
            await server.close()
            if over == "websocket":
                assert await client == (503, "The server is shutting down.\n")
            else:
                with contextlib.suppress(Exception):  # aiohttp says nothing to whom it cancels
                    assert (await client)[0] == 503
        assert door.ended == ["cancelled"]
        assert caplog.records == []

    async def test_a_main_object_that_comes_while_the_server_drains_is_disposed(self) -> None:
        door = Door()
        async with asyncio.timeout(60), serve(door, "127.0.0.1", 0) as server:
            client = asyncio.create_task(refused(server.url))
            await door.come.wait()
            server._admission.refusing = True
            door.open.set()
            assert await client == (503, "The server is shutting down.\n")
        assert door.disposed == [True]

    @OVER
    async def test_what_one_awaits_has_a_bound(self, over: str, caplog: pytest.LogCaptureFixture) -> None:
        door = Door()
        async with asyncio.timeout(60), serve(door, "127.0.0.1", 0, request_timeout=0.05) as server:
            if over == "websocket":
                answer = await refused(server.url)
            else:
                answer = await batch(server.http_url)
            assert answer == (503, "The session could not be started in time.\n")
        assert door.ended == ["cancelled"]
        assert "was not there within 0.05 s" in caplog.text

    @OVER
    async def test_a_timeout_of_its_own_is_a_failure_like_any_other(
        self, over: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def main(peer: Peer) -> Example:
            raise TimeoutError("the database is slow")

        async with asyncio.timeout(60), serve(main, "127.0.0.1", 0) as server:
            answer = await (refused(server.url) if over == "websocket" else batch(server.http_url))
        assert answer == (500, "The session could not be started.\n")
        assert "TimeoutError: the database is slow" in caplog.text

    async def test_any_awaitable_will_do(self) -> None:
        def main(peer: Peer) -> asyncio.Future[Example]:
            made: asyncio.Future[Example] = asyncio.get_running_loop().create_future()
            made.set_result(Example(peer))
            return made

        async with (
            asyncio.timeout(60),
            serve(main, "127.0.0.1", 0) as server,
            connect(server.url, ExampleStub) as api,
        ):
            assert await api.add(1, 2) == 3

    async def test_what_it_calls_of_a_peer_that_it_does_not_let_in_fails(self) -> None:
        calls: list[asyncio.Future[int]] = []

        async def main(peer: Peer) -> Example:
            calls.append(asyncio.ensure_future(peer.main(ExampleStub).add(1, 2)))
            await asyncio.sleep(0)
            raise Refuse(403)

        async with asyncio.timeout(60), serve(main, "127.0.0.1", 0) as server:
            assert await refused(server.url) == (403, "")
            with pytest.raises(SessionClosed, match="was not opened"):
                await calls[0]


class TestRefuse:
    @OVER
    @pytest.mark.parametrize("kind", ["sync", "async"])
    async def test_status_text_and_headers_reach_the_client(
        self, over: str, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        def refuse(peer: Peer) -> Example:
            if "Authorization" in peer.headers:
                return Example(peer)
            raise Refuse(401, "no token\nsee the manual", {"WWW-Authenticate": "Bearer", "Content-Type": "text/x"})

        async def later(peer: Peer) -> Example:
            await asyncio.sleep(0)
            return refuse(peer)

        factory: Any = later if kind == "async" else refuse
        async with asyncio.timeout(60), serve(factory, "127.0.0.1", 0) as server:
            with pytest.raises(SessionClosed) as caught:
                async with connect(url_of(server, over), ExampleStub) as api:
                    await api.add(1, 2)
            async with connect(url_of(server, over), ExampleStub, headers={"Authorization": "x"}) as api:
                assert await api.add(1, 2) == 3
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(UPGRADE if over == "websocket" else EMPTY_BATCH)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            writer.close()
        assert (caught.value.url, caught.value.status) == (url_of(server, over), 401)
        assert "the server answered 401 Unauthorized (no token)" in str(caught.value)
        assert "www-authenticate: bearer\r\n" in head
        assert head.count("content-type: text/x\r\n") == head.count("content-type:") == 1
        assert caplog.records == []

    async def test_a_redirect_names_where_to(self) -> None:
        def refuse(peer: Peer) -> Example:
            raise Refuse(307, headers={"Location": "wss://elsewhere.example/"})

        async with serve(refuse, "127.0.0.1", 0) as server:
            with pytest.raises(SessionClosed, match=r"307 Temporary Redirect \(to wss://elsewhere\.example/\)"):
                await connect(server.url, ExampleStub)

    async def test_observers_hear_nothing_of_a_refusal_but_the_end(self) -> None:
        told: list[Any] = []

        class Listening(Observer):
            def target_failed(self, where: str, error: BaseException) -> None:
                told.append(where)

        def refuse(peer: Peer) -> Example:
            raise Refuse(403)

        async with serve(refuse, "127.0.0.1", 0, observer=Listening()) as server:
            assert await refused(server.url) == (403, "")
        assert told == []


class TestLog:
    @pytest.fixture(autouse=True)
    def _level(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)

    def lines(self, caplog: pytest.LogCaptureFixture) -> list[str]:
        """What was logged, without the line that names the server's URLs."""
        return [
            f"{record.name} {record.levelname} {record.getMessage()}"
            for record in caplog.records
            if not record.getMessage().startswith("serving ")
        ]

    async def test_a_session_is_one_line(self, caplog: pytest.LogCaptureFixture) -> None:
        async with serve(Example, "127.0.0.1", 0, path="/rpc") as server:
            async with stock_connect(server.url) as peer:
                await ask(peer, 1, "add", 1, 2)
                await ask(peer, 2, "add", 1, 2)
            await batch(server.http_url, push("add", 1, 2), pull(1))
        ours = [line for line in self.lines(caplog) if "capnweb_runtime" in line]
        one, other = ours
        assert one.startswith("capnweb_runtime.server INFO session of 127.0.0.1:")
        assert " over websocket at /rpc ended: 2 calls in 0." in one
        assert one.endswith(" s; Peer closed WebSocket: 1000")
        assert " over http at /rpc ended: 1 calls in 0." in other
        assert not [line for line in self.lines(caplog) if line.startswith("websockets")]

    async def test_a_server_names_its_urls(self, caplog: pytest.LogCaptureFixture) -> None:
        async with serve(Example, "127.0.0.1", 0, path="/rpc") as server:
            [record] = caplog.records
            assert record.getMessage() == f"serving {server.url} and {server.http_url}"

    @OVER
    async def test_whoever_is_rejected_is_one_line_with_the_reason(
        self, over: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        def main(peer: Peer) -> Example:
            raise Refuse(403, f"no\n{peer.headers['X-Why']}")

        async with serve(main, "127.0.0.1", 0, path="/rpc") as server:
            root = url_of(server, over).removesuffix("/rpc")
            for url, headers in (
                (f"{root}/%0Ax", {}),
                (f"{root}/rpc", {"Origin": "https://evil.example"}),
                (f"{root}/rpc", {"X-Why": "never"}),
            ):
                if over == "http":
                    await batch(url, headers=headers)
                else:
                    await refused(url, additional_headers=headers)
        refusals = [line for line in self.lines(caplog) if " refused " in line]
        assert [line.partition(f" over {over} at ")[2] for line in refusals] == [
            "/%0Ax: 404 Nothing is served at /%0Ax.",
            f"/rpc: 403 {NOT_ALLOWED}",
            r"/rpc: 403 no\nnever",
        ]
        assert all(line.startswith("capnweb_runtime.server INFO refused 127.0.0.1:") for line in refusals)

    async def test_what_is_too_large_is_one_line(self, caplog: pytest.LogCaptureFixture) -> None:
        async with serve(Example, "127.0.0.1", 0, limits=Limits(message_size=100)) as server:
            await batch(server.http_url, "x" * 101)
            async with stock_connect(server.url) as peer:
                await peer.send("x" * 101)
                await peer.wait_closed()
        await asyncio.sleep(0)  # the end of a session is told in a turn of its own
        reasons = [line.partition(" at /")[2] for line in self.lines(caplog) if "capnweb_runtime" in line]
        assert reasons[0] == ": 413 A batch may have 100 bytes; send less or use a WebSocket."
        assert reasons[1].endswith("; Incoming message exceeds maximum size of 100 bytes.")
