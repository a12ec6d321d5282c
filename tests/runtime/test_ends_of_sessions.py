"""How sessions end, and what the other end makes of it: by close codes, by HTTP statuses, or by nothing at all."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from capnweb_runtime import (
    AnyStub,
    ConnectionLost,
    ConnectionRefused,
    GoingAway,
    Limits,
    PeerAborted,
    ProtocolError,
    RpcError,
    SessionClosed,
    connect,
    serve,
)
from tests.runtime.silent_peers import CLOSE, PING, PONG, TEXT, Bare, answering, bare_client, bare_server
from tests.runtime.transports.example_api import Example, ExampleStub

CERTIFICATE = Path(__file__).parent / "localhost.pem"


async def outcome(behave: Callable[[Bare], Awaitable[object]], **options: Any) -> BaseException:
    """What a call fails with whose server does that as soon as it has come."""

    async def called(peer: Bare) -> None:
        assert (await peer.receive())[0] == TEXT
        await behave(peer)
        while (await peer.receive())[0] != CLOSE:
            pass

    async with asyncio.timeout(30), bare_server(called) as url, connect(url, ExampleStub, **options) as api:
        with pytest.raises(Exception) as caught:  # noqa: PT011  (which one is what the test asks)
            await api.add(1, 2)
        error = caught.value
        assert getattr(error, "url", url) == url
        return error


async def closed_with(code: int | None, reason: bytes = b"") -> BaseException:
    """The same, where the server closes with a code and a reason."""

    async def close(peer: Bare) -> None:
        peer.send(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)

    return await outcome(close)


class TestWhatAServersEndIsToldAs:
    @pytest.mark.parametrize(
        ("code", "error"),
        [
            *((code, SessionClosed) for code in (1000, 3000, 4001)),
            *((code, GoingAway) for code in (1001, 1012, 1013)),
            *((code, PeerAborted) for code in (1002, 1008, 1011)),
        ],
    )
    async def test_a_close_code(self, code: int, error: type[SessionClosed]) -> None:
        told = await closed_with(code, b"because")
        assert type(told) is error
        assert isinstance(told, SessionClosed)
        assert (told.code, told.status) == (code, None)
        assert str(told).startswith(f"Peer closed WebSocket: {code} because (ws://")

    async def test_no_close_code(self) -> None:
        told = await closed_with(None)
        assert type(told) is SessionClosed
        assert told.code == 1005

    @pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
    async def test_a_close_code_that_nobody_may_send(self, code: int) -> None:
        assert type(await closed_with(code)) is ProtocolError

    @pytest.mark.parametrize("reason", [b"\xff", b"\xed\xa0\x80", b"half \xc3"])
    async def test_a_reason_that_is_no_text(self, reason: bytes) -> None:
        assert type(await closed_with(1000, reason)) is ProtocolError

    async def test_half_a_close_code(self) -> None:
        async def close(peer: Bare) -> None:
            peer.send(CLOSE, b"\x03")

        assert type(await outcome(close)) is ProtocolError

    async def test_an_abort_message(self) -> None:
        async def abort(peer: Bare) -> None:
            peer.send(TEXT, b'["abort",["error","RangeError","too much"]]')
            peer.send(CLOSE, (3000).to_bytes(2, "big"))

        told = await outcome(abort)
        assert type(told) is PeerAborted
        assert str(told) == "the peer aborted the session: too much"
        assert isinstance(told.__cause__, RpcError)

    async def test_no_word(self) -> None:
        async def vanish(peer: Bare) -> None:
            peer.writer.transport.abort()

        assert type(await outcome(vanish)) is ConnectionLost

    async def test_a_connection_that_ends_in_the_middle_of_a_message(self) -> None:
        async def end(peer: Bare) -> None:
            peer.writer.write(b"\x81\x20half")
            peer.writer.write_eof()

        assert type(await outcome(end)) is ConnectionLost


class TestWhatNoSessionIsToldAs:
    @pytest.mark.parametrize(
        ("head", "error", "wait"),
        [
            (b"503 Service Unavailable\r\nRetry-After: 7", GoingAway, 7.0),
            (b"503 Service Unavailable", ConnectionRefused, None),
            (b"429 Too Many Requests\r\nRetry-After: 3", ConnectionRefused, 3.0),
            (b"401 Unauthorized", ConnectionRefused, None),
            (b"302 Found\r\nLocation: /elsewhere", ConnectionRefused, None),
        ],
    )
    @pytest.mark.parametrize("scheme", ["ws", "http"])
    async def test_a_status(self, scheme: str, head: bytes, error: type[SessionClosed], wait: float | None) -> None:
        answer = b"HTTP/1.1 " + head + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
        async with answering(answer) as port:
            with pytest.raises(SessionClosed) as caught:
                async with connect(f"{scheme}://127.0.0.1:{port}/", ExampleStub) as api:
                    await api.add(1, 2)
        told = caught.value
        assert type(told) is error
        assert isinstance(told, GoingAway | ConnectionRefused)
        assert (told.status, told.retry_after) == (int(head[:3]), wait)
        assert told.url == f"{scheme}://127.0.0.1:{port}/"

    @pytest.mark.parametrize("scheme", ["ws", "http"])
    async def test_a_server_that_accepts_and_closes(self, scheme: str) -> None:
        async with answering(b"") as port:
            assert await type_of_failure(f"{scheme}://127.0.0.1:{port}/") is ConnectionLost

    @pytest.mark.parametrize("scheme", ["ws", "http"])
    async def test_a_server_that_closes_in_the_middle_of_its_answer(self, scheme: str) -> None:
        async with answering(b"HTTP/1.1 200 OK\r\nContent-Le") as port:
            assert await type_of_failure(f"{scheme}://127.0.0.1:{port}/") is ConnectionLost

    @pytest.mark.parametrize("scheme", ["ws", "wss", "http", "https"])
    async def test_nobody_at_the_port(self, scheme: str) -> None:
        assert await type_of_failure(f"{scheme}://127.0.0.1:1/") is ConnectionLost

    async def test_no_answer_in_time(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"ws://127.0.0.1:{silent.getsockname()[1]}/"
            assert await type_of_failure(url, open_timeout=0.01) is ConnectionLost

    @pytest.mark.parametrize("scheme", ["wss", "https"])
    async def test_a_certificate_that_is_not_trusted(self, scheme: str) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
        async with serve(Example, "127.0.0.1", 0, ssl=context) as server:
            assert await type_of_failure(f"{scheme}://localhost:{server.port}/") is SessionClosed

    @pytest.mark.parametrize("scheme", ["ws", "http"])
    async def test_something_that_does_not_speak_http(self, scheme: str) -> None:
        async with answering(b"220 mail.example ESMTP\r\n\r\n") as port:
            assert await type_of_failure(f"{scheme}://127.0.0.1:{port}/") is SessionClosed


async def type_of_failure(url: str, **options: Any) -> type[BaseException]:
    with pytest.raises(SessionClosed) as caught:
        async with asyncio.timeout(30), connect(url, ExampleStub, **options) as api:
            await api.add(1, 2)
    return type(caught.value)


class TestWhatIsSent:
    async def test_a_client_that_needs_its_session_no_more_says_goodbye(self) -> None:
        async def until_it_goes(peer: Bare) -> None:
            frames.append(await peer.receive())

        frames: list[tuple[int, bytes]] = []
        async with bare_server(until_it_goes) as url, connect(url, ExampleStub):
            pass
        assert frames == [(CLOSE, b"\x03\xe8RPC session was shut down by disposing the main stub")]

    async def test_a_fault_is_told_by_an_abort_message_and_its_code(self) -> None:
        async with serve(Example, "127.0.0.1", 0) as server, bare_client(server.port) as peer:
            peer.send(TEXT, b'["nonsense"]')
            first, message = await peer.receive()
            assert (first, message[:8]) == (TEXT, b'["abort"')
            first, close = await peer.receive()
            assert (first, close[:2]) == (CLOSE, (3000).to_bytes(2, "big"))

    async def test_a_client_is_told_that_it_broke_a_limit(self) -> None:
        limits = Limits(message_size=1000)
        async with serve(Example, "127.0.0.1", 0, limits=limits) as server, connect(server.url, AnyStub) as api:
            with pytest.raises(PeerAborted, match=r"maximum (message )?size"):
                await api.call("echo", "x" * 2000)

    async def test_floods_of_pings_are_answered_and_harm_nobody(self) -> None:
        numbers = [number.to_bytes(4, "big") for number in range(5_000)]
        async with (
            serve(Example, "127.0.0.1", 0) as server,
            bare_client(server.port) as peer,
            connect(server.url, ExampleStub) as other,
        ):
            for number in numbers:
                peer.send(PING, number)
            assert await other.add(1, 2) == 3
            assert [await peer.receive() for _ in numbers] == [(PONG, number) for number in numbers]


class TestClosing:
    """Each in less time than closing waits by default."""

    async def test_a_client_does_not_wait_for_a_silent_server(self) -> None:
        silent = bare_server(lambda peer: asyncio.Event().wait())
        async with silent as url, asyncio.timeout(8), connect(url, ExampleStub, close_timeout=0.01):
            pass

    async def test_a_server_does_not_wait_for_a_silent_client(self) -> None:
        async with serve(Example, "127.0.0.1", 0, close_timeout=0.01) as server, bare_client(server.port):
            async with asyncio.timeout(8):
                await server.close()

    async def test_at_once_means_that_no_peer_is_waited_for(self) -> None:
        async with serve(Example, "127.0.0.1", 0, close_timeout=60) as server, bare_client(server.port) as peer:
            async with asyncio.timeout(8):
                await server.close_at_once()
            assert (await peer.receive())[1].startswith((1012).to_bytes(2, "big"))

    async def test_at_once_is_possible_when_closing_has_begun(self) -> None:
        class Stuck(Example):
            async def dispose(self) -> None:
                begun.set()
                await asyncio.Event().wait()

        begun = asyncio.Event()
        async with serve(Stuck, "127.0.0.1", 0, close_timeout=60) as server, bare_client(server.port):
            closing = asyncio.create_task(server.close())
            await begun.wait()
            async with asyncio.timeout(8):
                await server.close_at_once()
                await closing
